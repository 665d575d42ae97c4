#include "gen_script.h"
#include "keywords.h"

#include <string.h>

enum { LINE_COLUMNS = 110 };

struct kp_irl_names_table kp_irl_script_words(struct kp_arena *arena, const char *words)
{
    struct kp_irl_names_table table = {0};
    while (*words) {
        size_t bytes = strcspn(words, " ");
        char *word = kp_irl_copy(arena, words, bytes);
        *kp_irl_names_put(arena, &table, word) = word;
        words += bytes + strspn(words + bytes, " ");
    }
    return table;
}

const char *kp_irl_script_take(struct kp_irl_script_names *names, const char *wanted)
{
    for (;;) {
        void **place = kp_irl_names_put(names->arena, &names->used, wanted);
        bool reserved =
            kp_irl_names_get(names->reserved, wanted) || kp_irl_keyword(wanted) & names->languages;
        if (!*place && !reserved) {
            *place = (void *)wanted;
            return wanted;
        }
        wanted = kp_irl_format(names->arena, "%s_", wanted);
    }
}

const char *kp_irl_script_choose(struct kp_irl_script_names *names, const char *name, const char *wanted)
{
    const char *taken = kp_irl_script_take(names, wanted);
    *kp_irl_names_put(names->arena, &names->chosen, name) = (void *)taken;
    return taken;
}

const char *kp_irl_script_name(const struct kp_irl_script_names *names, const char *name)
{
    const char *chosen = kp_irl_names_get(&names->chosen, name);
    return chosen ? chosen : name;
}

void kp_irl_script_add(struct kp_irl_script_text *text, const char *more)
{
    for (; *more; more++)
        KP_IRL_APPEND(text->arena, text, *more);
}

const char *kp_irl_script_end(struct kp_irl_script_text *text)
{
    KP_IRL_APPEND(text->arena, text, 0);
    return text->items;
}

char *kp_irl_script_path(struct kp_arena *arena, const char *dotted, const char *separator,
                         const char *(*part)(struct kp_arena *arena, const char *name))
{
    struct kp_irl_script_text path = {.arena = arena};
    while (*dotted) {
        size_t bytes = strcspn(dotted, ".");
        if (path.count)
            kp_irl_script_add(&path, separator);
        kp_irl_script_add(&path, part(arena, kp_irl_copy(arena, dotted, bytes)));
        dotted += bytes + (dotted[bytes] == '.');
    }
    kp_irl_script_end(&path);
    return path.items;
}

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

void kp_irl_script_line(FILE *out, const char *text)
{
    for (; *text; text++)
        putc(is_control(*text) ? ' ' : *text, out);
}

void kp_irl_script_comment(FILE *out, const char *text)
{
    while (text && *text) {
        size_t bytes = strcspn(text, "\n");
        putc('#', out);
        if (bytes)
            putc(' ', out);
        for (size_t i = 0; i < bytes; i++)
            putc(is_control(text[i]) ? ' ' : text[i], out);
        putc('\n', out);
        text += bytes + (text[bytes] == '\n');
    }
}

uint32_t kp_irl_script_character(const char **text, const char *end)
{
    const unsigned char *at = (const unsigned char *)*text;
    size_t left = (size_t)(end - *text);
    size_t bytes = at[0] >= 0xf0 && at[0] < 0xf8 ? 4 : at[0] >= 0xe0 ? 3 : at[0] >= 0xc0 ? 2 : 1;
    uint32_t character = bytes == 1 ? at[0] : at[0] & (0x7fU >> bytes);
    bool whole = bytes <= left && at[0] < 0xf8;
    for (size_t i = 1; whole && i < bytes; i++) {
        whole = (at[i] & 0xc0) == 0x80;
        character = character << 6 | (at[i] & 0x3f);
    }
    *text += whole ? bytes : 1;
    return whole ? character : at[0];
}

const char *kp_irl_script_type(struct kp_arena *arena, const struct kp_irl_type *type)
{
    struct kp_irl_script_text text = {.arena = arena};
    kp_irl_script_add(&text, type->kind == KP_IRL_TYPE_ENUM ? "enum " : "");
    kp_irl_script_add(&text, kp_irl_type_name(type));
    for (size_t i = 0; i < type->dimension_count; i++)
        kp_irl_script_add(&text, type->dimensions[i] == KP_IRL_DYNAMIC
                                     ? "[]"
                                     : kp_irl_format(arena, "[%lld]", (long long)type->dimensions[i]));
    return kp_irl_script_end(&text);
}

const char *kp_irl_script_float(struct kp_arena *arena, const struct kp_irl_value *value)
{
    if (value->kind == KP_IRL_VALUE_INT)
        return kp_irl_format(arena, "%lld.0", (long long)value->integer);
    if (!strpbrk(value->text, ".eE"))
        return kp_irl_format(arena, "%s.0", value->text);
    /* "1.": Perl would take the point for its operator. */
    const char *point = strchr(value->text, '.');
    if (!point || (point[1] >= '0' && point[1] <= '9'))
        return value->text;
    return kp_irl_format(arena, "%.*s.0%s", (int)(point - value->text), value->text, point + 1);
}

bool kp_irl_script_is_array(const struct kp_irl_property *property)
{
    return property->resolved->dimension_count > 0;
}

bool kp_irl_script_is_string(const struct kp_irl_property *property)
{
    return !kp_irl_script_is_array(property) && property->resolved->kind == KP_IRL_TYPE_BASE &&
           property->resolved->base == KP_IRL_STRING;
}

void kp_irl_script_item(struct kp_irl_script_list *list, const char *text)
{
    unsigned columns = (unsigned)strlen(text) + 2;
    if (list->count++) {
        putc(',', list->out);
        if (list->column + columns > LINE_COLUMNS) {
            fprintf(list->out, "\n%*s", (int)list->indent, "");
            list->column = list->indent;
        } else {
            putc(' ', list->out);
        }
    }
    fputs(text, list->out);
    list->column += columns;
}

void kp_irl_script_runtime(struct kp_irl_output *output, const struct kp_irl_builtin *files)
{
    for (; files->name; files++)
        fwrite(files->text, 1, files->text_bytes, kp_irl_output_begin(output, "%s", files->name));
}
