#include "irl_print.h"

#include <inttypes.h>
#include <string.h>

/* Calls `show` for all declarations of the input files. */
static void for_each(const struct kp_irl_model *model, FILE *file,
                     void (*show)(const struct kp_irl_declaration *declaration, FILE *file))
{
    for (size_t i = 0; i < model->files.count; i++) {
        const struct kp_irl_file *source = model->files.items[i];
        for (size_t k = 0; source->is_input && k < source->declarations.count; k++)
            show(source->declarations.items[k], file);
    }
}

/* --- list --- */

static const char letters[KP_IRL_BASE_COUNT] = {
    [KP_IRL_BOOLEAN] = 'Z', [KP_IRL_BYTE] = 'B',   [KP_IRL_CHAR] = 'C',
    [KP_IRL_SHORT] = 'H',   [KP_IRL_INT] = 'I',    [KP_IRL_LONG] = 'J',
    [KP_IRL_FLOAT] = 'F',   [KP_IRL_DOUBLE] = 'D', [KP_IRL_STRING] = 'S',
};

static void print_dimensions(const struct kp_irl_type *type, FILE *file)
{
    for (size_t i = 0; i < type->dimension_count; i++)
        if (type->dimensions[i] == KP_IRL_DYNAMIC)
            fputs("[]", file);
        else
            fprintf(file, "[%" PRId64 "]", type->dimensions[i]);
}

static void list_fields(const struct kp_irl_properties *wire, FILE *file)
{
    for (size_t i = 0; i < wire->count; i++) {
        const struct kp_irl_type *type = wire->items[i]->resolved;
        fprintf(file, " %s:%c", wire->items[i]->name.text,
                type->kind == KP_IRL_TYPE_BASE ? letters[type->base] : 'E');
        print_dimensions(type, file);
    }
}

static void list_one(const struct kp_irl_declaration *event, FILE *file)
{
    if (event->kind != KP_IRL_EVENT)
        return;
    fprintf(file, "%s %" PRId64, event->full_name, kp_irl_uid(event));
    if (event->abstract)
        fputs(" -", file);
    else
        fprintf(file, " %" PRIu64, kp_irl_minimum_bytes(event));
    list_fields(&event->layout.wire, file);
    putc('\n', file);
}

void kp_irl_print_list(const struct kp_irl_model *model, FILE *file)
{
    for_each(model, file, list_one);
}

/* --- dot --- */

static void print_edges(const struct kp_irl_declaration *from, FILE *file)
{
    if (from->parent.target)
        fprintf(file, "  \"%s\" -> \"%s\";\n", from->full_name, from->parent.target->full_name);
    for (size_t i = 0; i < from->templates.count; i++)
        if (from->templates.items[i].target)
            fprintf(file, "  \"%s\" -> \"%s\"%s;\n", from->full_name,
                    from->templates.items[i].target->full_name,
                    from->kind == KP_IRL_MODEL ? " [style=dotted]" : " [style=dashed]");
    if (from->kind == KP_IRL_SUB && from->model.target)
        fprintf(file, "  \"%s\" -> \"%s\" [style=dotted];\n", from->full_name, from->model.target->full_name);
}

static void print_node(const struct kp_irl_declaration *declaration, FILE *file)
{
    static const char *const shapes[] = {
        [KP_IRL_EVENT] = "box",    [KP_IRL_TEMPLATE] = "ellipse", [KP_IRL_ENUM] = "octagon",
        [KP_IRL_MODEL] = "folder", [KP_IRL_SUB] = "component",
    };
    fprintf(file, "  \"%s\" [label=\"%s\", shape=%s%s];\n", declaration->full_name, declaration->name.text,
            shapes[declaration->kind], declaration->abstract ? ", fontname=\"italic\"" : "");
    print_edges(declaration, file);
}

void kp_irl_print_dot(const struct kp_irl_model *model, FILE *file)
{
    fputs("digraph records {\n  rankdir=BT;\n", file);
    for_each(model, file, print_node);
    fputs("}\n", file);
}

/* --- map --- */

void kp_irl_print_map(const struct kp_irl_model *model, FILE *file)
{
    unsigned id = KP_IRL_FIRST_TYPE_ID;
    for (size_t i = 0; i < model->files.count; i++) {
        const struct kp_irl_declarations *all = &model->files.items[i]->declarations;
        for (size_t k = 0; model->files.items[i]->is_input && k < all->count; k++)
            if (all->items[k]->kind == KP_IRL_EVENT && !all->items[k]->abstract)
                fprintf(file, "%u=%s\n", id++, all->items[k]->full_name);
    }
}
