/* The front end of the record compiler: what the parser makes of a text, how reports look, which files are
 * read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "irl/irl.h"

/* --- a tree as text ------------------------------------------------------------------------------ */

static void print_value(FILE *out, const struct kp_irl_value *value)
{
    switch (value->kind) {
    case KP_IRL_VALUE_NONE:
        return;
    case KP_IRL_VALUE_STRING:
        fprintf(out, " '%.*s'", (int)value->text_bytes, value->text);
        return;
    case KP_IRL_VALUE_INT:
        fprintf(out, " %lld", (long long)value->integer);
        return;
    case KP_IRL_VALUE_BOOLEAN:
        fputs(value->boolean ? " true" : " false", out);
        return;
    case KP_IRL_VALUE_VERSION:
        fputs(" KIEKER_VERSION", out);
        return;
    case KP_IRL_VALUE_ARRAY:
        fputs(" {", out);
        for (size_t i = 0; i < value->item_count; i++)
            print_value(out, &value->items[i]);
        fputs(" }", out);
        return;
    default:
        fprintf(out, " %s", value->text);
    }
}

static void print_selections(FILE *out, const struct kp_irl_selections *selections)
{
    fputs(" {", out);
    for (size_t i = 0; i < selections->count; i++) {
        fprintf(out, " %s", selections->items[i].name.text);
        print_selections(out, &selections->items[i].below);
    }
    fputs(" }", out);
}

static void print_type(FILE *out, const struct kp_irl_type *type)
{
    fprintf(out, " %s", type->reference.name.text ? type->reference.name.text : "-");
    for (size_t i = 0; i < type->dimension_count; i++)
        fprintf(out, "[%lld]", (long long)type->dimensions[i]);
}

static void print_property(FILE *out, const struct kp_irl_property *property)
{
    fprintf(out, " |%s%s%s", property->transient ? " transient" : "",
            property->auto_increment ? " auto-increment" : "", property->changeable ? " changeable" : "");
    if (property->form != KP_IRL_PROPERTY_GROUPED)
        print_type(out, &property->type);
    if (property->grouped_event.name.text)
        fprintf(out, " grouped %s.%s", property->grouped_event.name.text, property->grouped_property.text);
    if (property->alias_of.text)
        fprintf(out, " alias %s", property->alias_of.text);
    fprintf(out, " %s", property->name.text);
    if (property->form == KP_IRL_PROPERTY_PAYLOAD)
        print_selections(out, &property->selected);
    if (property->annotation.text)
        fprintf(out, " : %s", property->annotation.text);
    print_value(out, &property->value);
}

static void print_declaration(FILE *out, const struct kp_irl_declaration *declaration)
{
    static const char *const kinds[] = {"event", "template", "enum", "model", "sub"};
    fprintf(out, "; %s%s %s", declaration->abstract ? "abstract " : "", kinds[declaration->kind],
            declaration->full_name);
    if (declaration->author)
        fprintf(out, " by '%s'", declaration->author);
    if (declaration->since)
        fprintf(out, " since '%s'", declaration->since);
    if (declaration->parent.name.text)
        fprintf(out, " extends %s", declaration->parent.name.text);
    if (declaration->model.name.text)
        fprintf(out, " of %s", declaration->model.name.text);
    for (size_t i = 0; i < declaration->templates.count; i++)
        fprintf(out, " :%s", declaration->templates.items[i].name.text);
    for (size_t i = 0; i < declaration->constants.count; i++) {
        fputs(" | const", out);
        print_type(out, &declaration->constants.items[i]->type);
        fprintf(out, " %s", declaration->constants.items[i]->name.text);
        print_value(out, &declaration->constants.items[i]->value);
    }
    for (size_t i = 0; i < declaration->properties.count; i++)
        print_property(out, declaration->properties.items[i]);
    for (size_t i = 0; i < declaration->literals.count; i++) {
        const struct kp_irl_literal *literal = &declaration->literals.items[i];
        fprintf(out, literal->has_value ? " %s=%lld" : " %s", literal->name.text, (long long)literal->value);
    }
}

static void print_file(FILE *out, const struct kp_irl_file *file)
{
    fprintf(out, "package %s", file->package.text ? file->package.text : "?");
    for (size_t i = 0; i < file->imports.count; i++)
        fprintf(out, "; import %s%s", file->imports.items[i].name.text,
                file->imports.items[i].wildcard ? ".*" : "");
    for (size_t i = 0; i < file->uses.count; i++)
        fprintf(out, "; use %s '%s'", file->uses.items[i].prefix.text, file->uses.items[i].uri);
    for (size_t i = 0; i < file->declarations.count; i++)
        print_declaration(out, file->declarations.items[i]);
}

/* --- parsing a text ------------------------------------------------------------------------------ */

struct parsed {
    struct kp_irl_model model;
    struct kp_irl_file file;
};

/* Only the parser: names need not be known. The lines are not found, so that reports have no source line. */
static struct parsed *parse(const char *text, size_t bytes)
{
    struct parsed *parsed = calloc(1, sizeof *parsed);
    assert_non_null(parsed);
    parsed->model.reports = kp_irl_reports_create();
    parsed->file = (struct kp_irl_file){.path = "x", .text = text, .text_bytes = bytes, .is_input = true};
    kp_irl_parse(&parsed->model, &parsed->file);
    return parsed;
}

static void drop(struct parsed *parsed)
{
    kp_irl_reports_destroy(parsed->model.reports);
    kp_arena_free(&parsed->model.arena);
    free(parsed);
}

static void assert_tree(const char *text, const char *expected)
{
    char *tree;
    size_t bytes;
    struct parsed *parsed = parse(text, strlen(text));
    if (kp_irl_reports_errors(parsed->model.reports))
        kp_irl_reports_print(parsed->model.reports, stderr, false, 0);
    assert_int_equal(kp_irl_reports_errors(parsed->model.reports), 0);
    FILE *out = open_memstream(&tree, &bytes);
    print_file(out, &parsed->file);
    fclose(out);
    assert_string_equal(tree, expected);
    free(tree);
    drop(parsed);
}

/* Members of one event of the package p. */
static void assert_members(const char *members, const char *expected)
{
    char text[4096], tree[4096];
    snprintf(text, sizeof text, "package p event E {\n%s\n}", members);
    snprintf(tree, sizeof tree, "package p; event p.E%s", expected);
    assert_tree(text, tree);
}

static void test_declarations(void **state)
{
    (void)state;
    assert_tree("package a . b import c.* import c.d.E", "package a.b; import c.*; import c.d.E");
    assert_tree("package p @author 'a' @since \"1\" abstract entity E extends q.F : T, r.U",
                "package p; abstract event p.E by 'a' since '1' extends q.F :T :r.U");
    assert_tree("package p @since '1' @author 'a' event E {}", "package p; event p.E by 'a' since '1'");
    assert_tree("package p @since 1.6 event E @since 2 event F",
                "package p; event p.E since '1.6'; event p.F since '2'");
    assert_tree(
        "package p template T template U : T int a = 1 template V { int a int b } event E",
        "package p; template p.T; template p.U :T | int a 1; template p.V | int a | int b; event p.E");
    assert_tree("package p template T alias a as b template U : T transient grouped by E.a b",
                "package p; template p.T | - alias a b; template p.U :T | transient grouped E.a b");
    assert_tree("package p enum E : F, G { A, B = -7, ^event = 010 }",
                "package p; enum p.E :F :G A B=-7 event=10");
    assert_tree("package p model M q.A, B sub S M { const int N = 1 int a } sub T q.M : X, Y",
                "package p; model p.M :q.A :B; sub p.S of M | const int N 1 | int a; sub p.T of q.M :X :Y");
    assert_tree("package p use a 'u:v' use b \"\" event E", "package p; use a 'u:v'; use b ''; event p.E");
}

static void test_members(void **state)
{
    (void)state;
    assert_members("", "");
    assert_members("int a long[] b string[3][][2] c", " | int a | long[0] b | string[3][0][2] c");
    assert_members("changeable transient auto-increment int a",
                   " | transient auto-increment changeable int a");
    assert_members("long a : traceId = 5 long b = 5 : traceId", " | long a : traceId 5 | long b : traceId 5");
    assert_members("alias a as b : time grouped by X.y z = 1", " | - alias a b : time | grouped X.y z 1");
    assert_members("const int[] A = { 1, { -2 }, {{ B }} } int[] a = A",
                   " | const int[0] A { 1 { -2 } { { B } } } | int[0] a A");
    assert_members("string v = KIEKER_VERSION boolean b = true boolean c = false",
                   " | string v KIEKER_VERSION | boolean b true | boolean c false");
    assert_members("T p { a { b {} c } d }", " | T p { a { b { } c { } } d { } }");
    assert_members("T p {} int a", " | T p { } | int a");
}

static void test_values(void **state)
{
    (void)state;
    assert_members("int a = 049 long b = -9223372036854775808", " | int a 49 | long b -9223372036854775808");
    assert_members("double a = 1. double b = -1.50e-3f float c = 4f float d = .5 double e = +.5e+7",
                   " | double a 1.0 | double b -1.50e-3 | float c 4.0 | float d 0.5 | double e 0.5e+7");
    assert_members("string a = '' string b = \"it's\" string c = 'two\nlines'",
                   " | string a '' | string b 'it's' | string c 'two\nlines'");
    assert_members("string a = '\\b\\t\\n\\f\\r\\\"\\'\\\\'", " | string a '\b\t\n\f\r\"'\\'");
    assert_members("string a = '\\u0041\\u00e4\\u20AC\\uD83D\\uDE00'",
                   " | string a 'A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80'");
    assert_members("string a = '\xf0\x9f\x98\x80' // '\xff'\n/* \xff */", " | string a '\xf0\x9f\x98\x80'");
}

/* Historical spellings are the same tree as today's. */
static void test_history(void **state)
{
    (void)state;
    assert_tree("package p struct A record B abstract struct C : A, B pattern D { int a } tag E : D",
                "package p; event p.A; event p.B; abstract event p.C :A :B; template p.D | int a; "
                "template p.E :D");
    assert_members("default int N = 1 default int[] M = { 1 }", " | const int N 1 | const int[0] M { 1 }");
    assert_members("T default int[] N default int M = 1 q.T a default int[] L = N default int K = 2",
                   " | const int M 1 | const int[0] L N | const int K 2 | T default | int[0] N | q.T a");
    assert_members("int a = N 5 string b = M 'x' int c", " | const int N 5 | const string M 'x' | int a N | "
                                                         "string b M | int c");
    assert_members("int[3,*] a int[*][2, 4] b", " | int[3][0] a | int[0][2][4] b");
    assert_members("grouped by X.y long a grouped by X.y b\nint c",
                   " | grouped X.y a | grouped X.y b | int c");
    assert_members("grouped by X.y string\nint c grouped by X.y Kind d\ngrouped by X.y long[] e",
                   " | grouped X.y string | int c | grouped X.y d | grouped X.y e");
    assert_members("q.T a { b {} } optional q.T c {} default q.T d {}",
                   " | q.T a { b { } } | q.T c { } | q.T d { }");
    assert_members("int a = +5", " | int a 5");
}

/* The words of the history are names wherever they do not begin a declaration or a constant. */
static void test_historical_words_as_names(void **state)
{
    (void)state;
    assert_tree("package record import struct.tag event use : pattern, record event schema extends struct",
                "package record; import struct.tag; event record.use :pattern :record; event record.schema "
                "extends struct");
    assert_members("int record struct tag pattern use", " | int record | struct tag | pattern use");
    assert_members("int default\ndefault optional\noptional with int x",
                   " | int default | default optional | optional with | int x");
    assert_tree("package p model M with, root event E", "package p; model p.M :with :root; event p.E");
}

static void test_reserved_words_as_names(void **state)
{
    (void)state;
    assert_tree("package a.model.event import sub.entity event E",
                "package a.model.event; import sub.entity; "
                "event a.model.event.E");
    assert_members("int event int as alias by as grouped grouped by E.sub const",
                   " | int event | int as | - alias by grouped | grouped E.sub const");
    assert_members("^event ^as int ^int", " | event as | int int");
}

/* --- reports ------------------------------------------------------------------------------------- */

static void assert_printed(const struct kp_irl_reports *reports, size_t most, const char *expected)
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    kp_irl_reports_print(reports, out, false, most);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

static struct kp_irl_file *file_of(const char *text)
{
    static uint32_t lines[16];
    static struct kp_irl_file file;
    file =
        (struct kp_irl_file){.path = "dir/x.irl", .text = text, .text_bytes = strlen(text), .is_input = true};
    lines[file.line_count++] = 0;
    for (uint32_t i = 0; i < file.text_bytes; i++)
        if (text[i] == '\n')
            lines[file.line_count++] = i + 1;
    file.lines = lines;
    return &file;
}

static void test_source_line(void **state)
{
    (void)state;
    struct kp_irl_reports *reports = kp_irl_reports_create();
    const struct kp_irl_file *file = file_of("a\n\tb\t\xc3\xa4 strng\r\nc\xff d");
    kp_irl_report(reports, KP_IRL_010, (struct kp_irl_span){file, 8, 13}, "unknown type '%s'", "strng");
    kp_irl_report_note(reports, (struct kp_irl_span){file, 0, 1}, "here");
    kp_irl_report(reports, KP_IRL_014, (struct kp_irl_span){file, 18, 19}, "behind what is not UTF-8");
    assert_printed(reports, 0,
                   "dir/x.irl:2:6: error: unknown type 'strng' [IRL010]\n"
                   "    2 |     b   \xc3\xa4 strng\n"
                   "      |           ^~~~~\n"
                   "dir/x.irl:1:1: note: here\n"
                   "    1 | a\n"
                   "      | ^\n"
                   "dir/x.irl:3:4: warning: behind what is not UTF-8 [IRL014]\n"
                   "    3 | c\xef\xbf\xbd d\n"
                   "      |    ^\n");
    kp_irl_reports_destroy(reports);
}

static void test_long_line(void **state)
{
    (void)state;
    char text[1001], *printed;
    size_t bytes;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    struct kp_irl_reports *reports = kp_irl_reports_create();
    const struct kp_irl_file *file = file_of(text);
    kp_irl_report(reports, KP_IRL_010, (struct kp_irl_span){file, 500, 900}, "far");
    FILE *out = open_memstream(&printed, &bytes);
    kp_irl_reports_print(reports, out, false, 0);
    fclose(out);
    assert_true(bytes < 400);
    assert_non_null(strstr(printed, "dir/x.irl:1:501: "));
    const char *line = strstr(printed, "    1 | "), *caret = strchr(line, '^');
    assert_int_equal(strspn(line + 8, "x"), 120);
    assert_int_equal(caret - strstr(line, "\n") - 1 - 8, 60);
    free(printed);
    kp_irl_reports_destroy(reports);
}

static void test_order_and_limit(void **state)
{
    (void)state;
    struct kp_irl_reports *reports = kp_irl_reports_create();
    struct kp_irl_file *file = file_of(""), other = {.path = "y.irl", .number = 1};
    file->text = NULL;
    for (int i = 0; i < 2; i++) /* the second time is no news */
        kp_irl_report(reports, KP_IRL_000, (struct kp_irl_span){.file = &other}, "second");
    kp_irl_report_note(reports, (struct kp_irl_span){.file = file}, "a note to what is no news");
    kp_irl_report(reports, KP_IRL_014, (struct kp_irl_span){.file = &other}, "third");
    kp_irl_report(reports, KP_IRL_000, (struct kp_irl_span){.file = file}, "first");
    assert_int_equal(kp_irl_reports_errors(reports), 2);
    assert_int_equal(kp_irl_reports_warnings(reports), 1);
    assert_printed(reports, 0,
                   "dir/x.irl: error: first [IRL000]\n"
                   "y.irl: error: second [IRL000]\n"
                   "y.irl: warning: third [IRL014]\n");
    assert_printed(reports, 1,
                   "dir/x.irl: error: first [IRL000]\n"
                   "kprobe irl: 1 more errors are not shown\n");
    kp_irl_reports_destroy(reports);
}

/* --- files --------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/kprobe.irl.XXXXXX";

static void put_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int make_folder(void **state)
{
    (void)state;
    char path[128];
    assert_non_null(mkdtemp(folder));
    for (const char *const *name = (const char *const[]){"b", "b/c", "empty", NULL}; *name; name++) {
        snprintf(path, sizeof path, "%s/%s", folder, *name);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    put_file("c.irl", "package p event C");
    put_file("a.irl", "package p event A");
    put_file("b/z.irl", "package p event Z");
    put_file("b/c/y.irl", "package p event Y");
    put_file("b/ignored.txt", "no model");
    put_file("b/.hidden.irl", "no model");
    snprintf(path, sizeof path, "%s/b/c/again", folder);
    return symlink("../..", path);
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void assert_files(const struct kp_irl_inputs *inputs, const char *expected)
{
    char found[1024] = "";
    struct kp_irl_model *model = kp_irl_read(inputs);
    for (size_t i = 0; i < model->files.count; i++) {
        const struct kp_irl_file *file = model->files.items[i];
        const char *name =
            strncmp(file->path, folder, strlen(folder)) ? file->path : file->path + strlen(folder);
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s", name,
                 file->is_input ? " " : "* ");
    }
    assert_string_equal(found, expected);
    assert_int_equal(kp_irl_reports_errors(model->reports), 0);
    kp_irl_model_destroy(model);
}

/* In the order of names; each file once, whatever it is reached by. */
static void test_folders(void **state)
{
    (void)state;
    char file[128], same[128];
    snprintf(file, sizeof file, "%s/b/z.irl", folder);
    snprintf(same, sizeof same, "%s/b/../b/z.irl", folder);
    const char *const all[] = {folder, file}, *const some[] = {file, same};
    assert_files(&(struct kp_irl_inputs){.files = all, .file_count = 2, .without_builtin = true},
                 "/a.irl /b/c/y.irl /b/z.irl /c.irl ");
    assert_files(
        &(struct kp_irl_inputs){
            .files = some, .file_count = 2, .references = all, .reference_count = 1, .without_builtin = true},
        "/b/z.irl /a.irl* /b/c/y.irl* /c.irl* ");
}

static void assert_refused(const char *path, const char *why)
{
    char *text;
    size_t bytes;
    struct kp_irl_model *model =
        kp_irl_read(&(struct kp_irl_inputs){.files = &path, .file_count = 1, .without_builtin = true});
    FILE *out = open_memstream(&text, &bytes);
    kp_irl_reports_print(model->reports, out, false, 0);
    fclose(out);
    assert_non_null(strstr(text, why));
    assert_non_null(strstr(text, "[IRL000]"));
    free(text);
    kp_irl_model_destroy(model);
}

static void test_unreadable(void **state)
{
    (void)state;
    char empty[128];
    snprintf(empty, sizeof empty, "%s/empty", folder);
    assert_refused("/nowhere/x.irl", "/nowhere/x.irl: error: No such file or directory");
    assert_refused("", "No such file or directory");
    assert_refused(empty, "there is no file *.irl in this folder");
    assert_refused("/proc/self/mem", "/proc/self/mem: error: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_declarations),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_historical_words_as_names),
        cmocka_unit_test(test_reserved_words_as_names),
        cmocka_unit_test(test_source_line),
        cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_order_and_limit),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_unreadable),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
