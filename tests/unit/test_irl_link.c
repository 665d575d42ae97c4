/* How files of different standing see one another: inputs, files loaded for reference, built-in ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "irl/irl.h"

struct texts {
    char folder[32], input[64], reference[64];
};

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static struct kp_irl_model *read_model(struct texts *texts, const char *input, const char *reference)
{
    strcpy(texts->folder, "/tmp/kp_irl_link.XXXXXX");
    assert_non_null(mkdtemp(texts->folder));
    snprintf(texts->input, sizeof texts->input, "%s/input.irl", texts->folder);
    snprintf(texts->reference, sizeof texts->reference, "%s/reference.irl", texts->folder);
    write_file(texts->input, input);
    write_file(texts->reference, reference);
    const char *inputs[] = {texts->input}, *references[] = {texts->reference};
    const struct kp_irl_inputs wanted = {
        .files = inputs, .file_count = 1, .references = references, .reference_count = 1};
    struct kp_irl_model *model = kp_irl_read(&wanted);
    unlink(texts->input);
    unlink(texts->reference);
    rmdir(texts->folder);
    return model;
}

static const struct kp_irl_declaration *find(const struct kp_irl_model *model, const char *full_name)
{
    for (size_t i = 0; i < model->ordered.count; i++) {
        const struct kp_irl_declaration *one = model->ordered.items[i];
        if (!strcmp(one->full_name, full_name) && !one->shadowed_by)
            return one;
    }
    return NULL;
}

/* The same type in a file for reference: an older copy of the input, perhaps. What refers to it there gets
 * the input's. */
static void test_input_goes_before_reference(void **state)
{
    (void)state;
    struct texts texts;
    struct kp_irl_model *model = read_model(&texts, "package a event E { long fresh } event Child extends E",
                                            "package a event E { int old } event Other extends E");
    assert_int_equal(kp_irl_reports_errors(model->reports), 0);
    const struct kp_irl_declaration *event = find(model, "a.E"), *other = find(model, "a.Other");
    assert_true(event->file->is_input);
    assert_ptr_equal(other->parent.target, event);
    assert_string_equal(other->layout.wire.items[0]->name.text, "fresh");
    assert_ptr_equal(find(model, "a.Child")->parent.target, event);
    kp_irl_model_destroy(model);
}

static void test_reference_goes_before_built_in(void **state)
{
    (void)state;
    struct texts texts;
    struct kp_irl_model *model =
        read_model(&texts, "package a import kieker.common.record.misc.* event E extends TimestampRecord",
                   "package kieker.common.record.misc event TimestampRecord { int mine }");
    assert_int_equal(kp_irl_reports_errors(model->reports), 0);
    assert_string_equal(find(model, "a.E")->layout.wire.items[0]->name.text, "mine");
    kp_irl_model_destroy(model);
}

/* A type that is derived from a shadowed one would be there twice. */
static void test_shadowed_types_derive_nothing(void **state)
{
    (void)state;
    struct texts texts;
    struct kp_irl_model *model =
        read_model(&texts, "package a event E model M E sub S M { long x }", "package a event E");
    assert_int_equal(kp_irl_reports_errors(model->reports), 0);
    assert_non_null(find(model, "a.S_E"));
    kp_irl_model_destroy(model);
}

static void test_reports_of_references(void **state)
{
    (void)state;
    struct texts texts;
    struct kp_irl_model *model = read_model(&texts, "package a event E",
                                            "package b import nothing.X event class { long a : nonsense }");
    assert_int_equal(kp_irl_reports_errors(model->reports) + kp_irl_reports_warnings(model->reports), 0);
    kp_irl_model_destroy(model);
    model = read_model(&texts, "package a event E", "package b event F extends Nowhere");
    assert_int_equal(kp_irl_reports_errors(model->reports), 1);
    kp_irl_model_destroy(model);
}

/* A model for reference may describe what could not be generated. */
static void test_code_is_wanted_for_inputs_only(void **state)
{
    (void)state;
    struct texts texts;
    const char *nested = "package b template T { long x } event Nested { T inner }";
    struct kp_irl_model *model = read_model(&texts, "package a event E", nested);
    assert_int_equal(kp_irl_reports_errors(model->reports), 0);
    kp_irl_model_destroy(model);
    model = read_model(&texts, nested, "package a event E");
    assert_int_equal(kp_irl_reports_errors(model->reports), 1);
    kp_irl_model_destroy(model);
    model = read_model(&texts, "package a import b.Nested event E extends Nested", nested);
    assert_int_equal(kp_irl_reports_errors(model->reports), 1);
    kp_irl_model_destroy(model);
}

/* What the properties made for payload say of themselves; accessors are made of it. */
static void test_flattened_properties(void **state)
{
    (void)state;
    struct texts texts;
    struct kp_irl_model *model = read_model(&texts,
                                            "package a template C { string name C[] others C up } event E { "
                                            "changeable C boss { up { name {} } others {} } }",
                                            "package b");
    assert_int_equal(kp_irl_reports_errors(model->reports), 0);
    const struct kp_irl_declaration *event = find(model, "a.E");
    const struct kp_irl_property *boss = event->properties.items[0];
    assert_int_equal(boss->flattened.count, 2);
    const struct kp_irl_property *name = boss->flattened.items[0], *others = boss->flattened.items[1];
    assert_string_equal(name->name.text, "bossUpName");
    assert_string_equal(name->path, "up.name");
    assert_false(name->object_id);
    assert_true(name->changeable);
    assert_ptr_equal(name->payload, boss);
    assert_ptr_equal(name->owner, event);
    assert_string_equal(others->name.text, "bossOthersId");
    assert_string_equal(others->path, "others");
    assert_true(others->object_id);
    assert_int_equal(others->resolved->base, KP_IRL_INT);
    assert_ptr_equal(event->layout.own.items[0], name);
    kp_irl_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input_goes_before_reference),
        cmocka_unit_test(test_reference_goes_before_built_in),
        cmocka_unit_test(test_shadowed_types_derive_nothing),
        cmocka_unit_test(test_reports_of_references),
        cmocka_unit_test(test_code_is_wanted_for_inputs_only),
        cmocka_unit_test(test_flattened_properties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
