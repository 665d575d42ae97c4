/*
 * Models and what is expected of them: a test is a file, or a folder of files, dropped into pass/ or fail/.
 *
 *     check_models folder DIR          all that lies in DIR
 *     check_models codes DIR...        the same, and each code is reported by one of them at least
 *     check_models appendix TABLE DIR  the models in DIR have the classes, identities and layouts of TABLE
 *
 * Comments in a model say what is expected, and nothing else may be reported:
 *
 *     // error: IRL010 12:9            (also warning, note) a report at line 12, column 9 of this file
 *     // wire Name: long a, int[2] b   a list of the layout (own, all, data, wire, declared, getters)
 *     // literals Name: A=0, B=7       all literals of an enum
 *     // uid Name: 17                  serialVersionUID
 *     // size Name: 8                  SIZE
 *     // shape Name: abstract event extends P : T, U   what it inherits directly
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "irl/irl.h"

struct texts {
    char **items;
    size_t count, room;
};

static void add_text(struct texts *texts, char *text)
{
    if (texts->count == texts->room) {
        texts->room = texts->room ? 2 * texts->room : 16;
        texts->items = realloc(texts->items, texts->room * sizeof *texts->items);
        if (!texts->items)
            abort();
    }
    texts->items[texts->count++] = text;
}

static void free_texts(struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->items[i]);
    free(texts->items);
}

__attribute__((format(printf, 1, 2))) static char *print_text(const char *format, ...)
{
    va_list arguments;
    char *text;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    va_end(arguments);
    return text;
}

/* --- reports -------------------------------------------------------------------------------------- */

/* "error IRL010 x.irl:12:9" of lines "dir/x.irl:12:9: error: ... [IRL010]"; source lines and notes that
 * belong to a report have no code. */
static void read_reports(struct kp_irl_model *model, struct texts *reports)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&text, &bytes);
    kp_irl_reports_print(model->reports, file, false, 0);
    fclose(file);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *code = strstr(line, "[IRL"), *end = strstr(line, ": "), *place;
        if (!code || !end)
            continue;
        place = memrchr(line, '/', (size_t)(end - line));
        while (strstr(code + 1, "[IRL"))
            code = strstr(code + 1, "[IRL");
        place = place ? place + 1 : line;
        char severity[16] = "";
        sscanf(end + 2, "%15[a-z]", severity);
        add_text(reports, print_text("%s %.6s %.*s", severity, code + 1, (int)(end - place), place));
    }
    free(text);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* --- what a model says ---------------------------------------------------------------------------- */

static void print_properties(FILE *out, const struct kp_irl_properties *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct kp_irl_type *type = list->items[i]->resolved;
        fprintf(out, "%s%s", i ? ", " : "", kp_irl_type_name(type));
        for (size_t j = 0; j < type->dimension_count; j++)
            if (type->dimensions[j] == KP_IRL_DYNAMIC)
                fprintf(out, "[]");
            else
                fprintf(out, "[%" PRId64 "]", type->dimensions[j]);
        fprintf(out, " %s", list->items[i]->name.text);
    }
}

static void print_literals(FILE *out, const struct kp_irl_literals *literals)
{
    for (size_t i = 0; i < literals->count; i++)
        fprintf(out, "%s%s=%" PRId64, i ? ", " : "", literals->items[i].name.text, literals->items[i].value);
}

static void print_shape(FILE *out, const struct kp_irl_declaration *declaration)
{
    static const char *const kinds[] = {"event", "template", "enum", "model", "sub"};
    fprintf(out, "%s%s", declaration->abstract ? "abstract " : "", kinds[declaration->kind]);
    if (declaration->parent.target)
        fprintf(out, " extends %s", declaration->parent.target->full_name);
    for (size_t i = 0; i < declaration->templates.count; i++)
        fprintf(out, "%s%s", i ? ", " : " : ", declaration->templates.items[i].target->full_name);
}

static bool print_fact(FILE *out, const char *fact, const struct kp_irl_declaration *declaration)
{
    const struct kp_irl_layout *layout = &declaration->layout;
    const struct {
        const char *name;
        const struct kp_irl_properties *list;
    } lists[] = {{"own", &layout->own},   {"all", &layout->all},           {"data", &layout->data},
                 {"wire", &layout->wire}, {"declared", &layout->declared}, {"getters", &layout->getters}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (!strcmp(fact, lists[i].name)) {
            print_properties(out, lists[i].list);
            return true;
        }
    if (!strcmp(fact, "literals"))
        print_literals(out, &declaration->all_literals);
    else if (!strcmp(fact, "uid"))
        fprintf(out, "%" PRId64, kp_irl_uid(declaration));
    else if (!strcmp(fact, "size"))
        fprintf(out, "%" PRIu64, kp_irl_minimum_bytes(declaration));
    else if (!strcmp(fact, "shape"))
        print_shape(out, declaration);
    else
        return false;
    return true;
}

static const struct kp_irl_declaration *find_declaration(const struct kp_irl_model *model, const char *name)
{
    for (size_t i = 0; i < model->files.count; i++)
        for (size_t j = 0; j < model->files.items[i]->declarations.count; j++) {
            const struct kp_irl_declaration *one = model->files.items[i]->declarations.items[j];
            bool same = !strcmp(one->full_name, name) ||
                        (!strcmp(one->name.text, name) && !model->files.items[i]->is_builtin);
            if (same && one->kind != KP_IRL_SUB)
                return one;
        }
    return NULL;
}

static struct texts seen_codes; /* of all cases */

/* --- one case ------------------------------------------------------------------------------------- */

static bool check_fact(const struct kp_irl_model *model, const char *line)
{
    char fact[16], name[256];
    int used = 0;
    if (sscanf(line, "%15[a-z] %255[A-Za-z0-9_.]:%n", fact, name, &used) != 2 || !used)
        return true; /* a comment like any other */
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    const struct kp_irl_declaration *declaration = find_declaration(model, name);
    bool known = declaration && print_fact(out, fact, declaration);
    fclose(out);
    const char *expected = line + used + strspn(line + used, " ");
    bool right = known && !strcmp(text, expected);
    if (!declaration)
        printf("  no '%s'\n", name);
    else if (!known)
        printf("  what is '%s'?\n", fact);
    else if (!right)
        printf("  %s %s\n    expected: %s\n    is:       %s\n", fact, name, expected, text);
    free(text);
    return right;
}

static bool read_expectations(const struct kp_irl_model *model, const struct kp_irl_file *file,
                              struct texts *expected)
{
    char *copy = print_text("%.*s", (int)file->text_bytes, file->text), *rest = copy;
    bool right = true;
    for (char *line; (line = strsep(&rest, "\n"));) {
        char severity[16], code[16], place[32];
        for (char *comment = strstr(line, "// "); comment; comment = strstr(comment + 3, "// ")) {
            if (sscanf(comment, "// %15[a-z]: %15[A-Z0-9] %31[0-9:]", severity, code, place) == 3)
                add_text(expected, print_text("%s %s %s:%s", severity, code, base_name(file->path), place));
            else
                right &= check_fact(model, comment + 3);
        }
    }
    free(copy);
    return right;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool compare_reports(struct texts *expected, struct texts *reported)
{
    size_t i = 0, j = 0;
    bool right = true;
    if (expected->count)
        qsort(expected->items, expected->count, sizeof *expected->items, compare_texts);
    if (reported->count)
        qsort(reported->items, reported->count, sizeof *reported->items, compare_texts);
    while (i < expected->count || j < reported->count) {
        int order = i == expected->count   ? 1
                    : j == reported->count ? -1
                                           : strcmp(expected->items[i], reported->items[j]);
        if (order < 0)
            printf("  not reported: %s\n", expected->items[i]);
        else if (order > 0)
            printf("  reported, but not expected: %s\n", reported->items[j]);
        right &= order == 0;
        i += order <= 0;
        j += order >= 0;
    }
    return right;
}

static bool check_case(const char *path)
{
    const struct kp_irl_inputs inputs = {.files = &path, .file_count = 1};
    struct kp_irl_model *model = kp_irl_read(&inputs);
    struct texts expected = {0}, reported = {0};
    bool right = true;
    for (size_t i = 0; i < model->files.count; i++)
        if (!model->files.items[i]->is_builtin)
            right &= read_expectations(model, model->files.items[i], &expected);
    read_reports(model, &reported);
    for (size_t i = 0; i < reported.count; i++)
        add_text(&seen_codes, print_text("%.6s", strstr(reported.items[i], "IRL")));
    right &= compare_reports(&expected, &reported);
    if (!right) {
        printf("%s: FAILED\n", path);
        kp_irl_reports_print(model->reports, stdout, false, 0);
    }
    free_texts(&expected);
    free_texts(&reported);
    kp_irl_model_destroy(model);
    return right;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int check_folder(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_visible, alphasort), failed = 0;
    for (int i = 0; i < count; i++) {
        char *path = print_text("%s/%s", folder, entries[i]->d_name);
        failed += !check_case(path);
        free(path);
        free(entries[i]);
    }
    if (count < 0)
        perror(folder);
    else
        free(entries);
    printf("%s: %d cases, %d failed\n", folder, count, failed);
    return count > 0 && !failed ? 0 : 1;
}

/* --- codes ---------------------------------------------------------------------------------------- */

static int check_codes(char **folders, int count)
{
    /* A file that cannot be read is no file to be dropped here: tests of the command have it. */
    static const char *const codes[] = {
#define KP_IRL_CODE(number, severity, title) "IRL" #number,
#include "irl/codes.def"
#undef KP_IRL_CODE
    };
    int failed = 0;
    for (int i = 0; i < count; i++)
        failed |= check_folder(folders[i]);
    for (size_t i = 1; i < sizeof codes / sizeof *codes; i++) {
        bool found = false;
        for (size_t j = 0; j < seen_codes.count; j++)
            found |= !strcmp(seen_codes.items[j], codes[i]);
        if (!found)
            printf("no case has %s\n", codes[i]);
        failed |= !found;
    }
    free_texts(&seen_codes);
    return failed;
}

/* --- Kieker's records ----------------------------------------------------------------------------- */

static const char *letter(const struct kp_irl_type *type)
{
    switch (type->base) {
    case KP_IRL_LONG:
        return "J";
    case KP_IRL_INT:
        return "I";
    case KP_IRL_STRING:
        return "S";
    case KP_IRL_DOUBLE:
        return "D";
    case KP_IRL_BOOLEAN:
        return "Z";
    default:
        return "?";
    }
}

/* As the rows of the table are. */
static char *row_of(const struct kp_irl_declaration *event)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    fprintf(out, "%s %" PRId64 " ", event->full_name, kp_irl_uid(event));
    if (event->abstract)
        fprintf(out, "-");
    else
        fprintf(out, "%" PRIu64, kp_irl_minimum_bytes(event));
    for (size_t i = 0; i < event->layout.wire.count; i++) {
        const struct kp_irl_property *property = event->layout.wire.items[i];
        fprintf(out, " %s:%s%s", property->name.text, letter(property->resolved),
                property->resolved->dimension_count ? "[]" : "");
    }
    fclose(out);
    return text;
}

static bool read_table(const char *path, struct texts *rows)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    if (!file)
        return false;
    while (getline(&line, &room, file) > 0)
        if (line[0] != '#')
            add_text(rows, print_text("%.*s", (int)strcspn(line, "\n"), line));
    free(line);
    return !fclose(file);
}

static int check_appendix(const char *table, const char *folder)
{
    const struct kp_irl_inputs inputs = {.files = &folder, .file_count = 1, .without_builtin = true};
    struct kp_irl_model *model = kp_irl_read(&inputs);
    struct texts expected = {0}, rows = {0};
    if (!read_table(table, &expected))
        perror(table);
    for (size_t i = 0; i < model->ordered.count; i++)
        if (model->ordered.items[i]->kind == KP_IRL_EVENT)
            add_text(&rows, row_of(model->ordered.items[i]));
    kp_irl_reports_print(model->reports, stdout, false, 0);
    bool fine = !kp_irl_reports_errors(model->reports);
    bool right = compare_reports(&expected, &rows);
    printf("%zu rows expected, %zu found\n", expected.count, rows.count);
    free_texts(&expected);
    free_texts(&rows);
    kp_irl_model_destroy(model);
    return fine && right && rows.count ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "folder"))
        return check_folder(argv[2]);
    if (argc > 2 && !strcmp(argv[1], "codes"))
        return check_codes(argv + 2, argc - 2);
    if (argc == 4 && !strcmp(argv[1], "appendix"))
        return check_appendix(argv[2], argv[3]);
    fprintf(stderr, "usage: check_models folder DIR | codes DIR... | appendix TABLE DIR\n");
    return 2;
}
