/* A model as JSON, for programs that work with records: everything the back ends see. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "irl_print.h"
#include "util/json.h"
#include "util/memory.h"

static const char *const kinds[] = {
    [KP_IRL_EVENT] = "event", [KP_IRL_TEMPLATE] = "template", [KP_IRL_ENUM] = "enum",
    [KP_IRL_MODEL] = "model", [KP_IRL_SUB] = "sub",
};

/* JSON's numbers are doubles in many readers: what does not fit in them exactly is a string. */
static void put_integer(struct kp_json *json, const char *key, int64_t value)
{
    if (value >= 0 && value <= INT64_C(1) << 53) {
        kp_json_number(json, key, (uint64_t)value);
        return;
    }
    char *text = kp_format_text("%" PRId64, value);
    kp_json_string(json, key, text);
    free(text);
}

static void put_value(struct kp_json *json, const char *key, const struct kp_irl_value *value)
{
    value = kp_irl_value_follow(value);
    switch (value->kind) {
    case KP_IRL_VALUE_INT:
        put_integer(json, key, value->integer);
        break;
    case KP_IRL_VALUE_BOOLEAN:
        kp_json_bool(json, key, value->boolean);
        break;
    case KP_IRL_VALUE_ARRAY:
        kp_json_begin_array(json, key);
        for (size_t i = 0; i < value->item_count; i++)
            put_value(json, NULL, &value->items[i]);
        kp_json_end_array(json);
        break;
    case KP_IRL_VALUE_VERSION:
        kp_json_string(json, key, "KIEKER_VERSION");
        break;
    case KP_IRL_VALUE_NONE:
        kp_json_null(json, key);
        break;
    default: /* text: also of decimal numbers, which keep their digits so */
        kp_json_string(json, key, value->text);
    }
}

static void put_type(struct kp_json *json, const struct kp_irl_type *type)
{
    kp_json_string(json, "type", kp_irl_type_name(type));
    if (type->kind == KP_IRL_TYPE_ENUM && type->reference.target)
        kp_json_string(json, "enum", type->reference.target->full_name);
    if (!type->dimension_count)
        return;
    /* 0: dynamic */
    kp_json_begin_array(json, "dimensions");
    for (size_t i = 0; i < type->dimension_count; i++)
        put_integer(json, NULL, type->dimensions[i]);
    kp_json_end_array(json);
}

static void put_property(struct kp_json *json, const struct kp_irl_property *property)
{
    kp_json_begin_object(json, NULL);
    kp_json_string(json, "name", property->name.text);
    put_type(json, property->resolved);
    if (property->owner)
        kp_json_string(json, "owner", property->owner->full_name);
    if (property->form == KP_IRL_PROPERTY_ALIAS)
        kp_json_string(json, "alias", property->alias_of.text);
    if (property->form == KP_IRL_PROPERTY_GROUPED && property->target && property->target->owner)
        kp_json_string(json, "grouped", property->target->owner->full_name);
    if (property->transient)
        kp_json_bool(json, "transient", true);
    if (property->auto_increment)
        kp_json_bool(json, "autoIncrement", true);
    if (property->changeable)
        kp_json_bool(json, "changeable", true);
    if (property->annotation.text)
        kp_json_string(json, "annotation", property->annotation.text);
    if (property->path) {
        kp_json_string(json, "path", property->path);
        kp_json_bool(json, "objectId", property->object_id);
    }
    if (property->value.kind == KP_IRL_VALUE_CONSTANT)
        kp_json_string(json, "defaultConstant", property->value.text);
    if (property->value.kind != KP_IRL_VALUE_NONE)
        put_value(json, "default", &property->value);
    kp_json_end_object(json);
}

/* What the lists of a layout share is written once, in "all"; the others name it. */
static void put_names(struct kp_json *json, const char *key, const struct kp_irl_properties *list)
{
    kp_json_begin_array(json, key);
    for (size_t i = 0; i < list->count; i++)
        kp_json_string(json, NULL, list->items[i]->name.text);
    kp_json_end_array(json);
}

static void put_layout(struct kp_json *json, const struct kp_irl_layout *layout)
{
    kp_json_begin_array(json, "properties");
    for (size_t i = 0; i < layout->all.count; i++)
        put_property(json, layout->all.items[i]);
    kp_json_end_array(json);
    put_names(json, "data", &layout->data);
    put_names(json, "wire", &layout->wire);
    put_names(json, "declared", &layout->declared);
}

static void put_constants(struct kp_json *json, const struct kp_irl_constants *constants)
{
    if (!constants->count)
        return;
    kp_json_begin_array(json, "constants");
    for (size_t i = 0; i < constants->count; i++) {
        kp_json_begin_object(json, NULL);
        kp_json_string(json, "name", constants->items[i]->name.text);
        put_type(json, &constants->items[i]->type);
        put_value(json, "value", &constants->items[i]->value);
        kp_json_end_object(json);
    }
    kp_json_end_array(json);
}

static void put_literals(struct kp_json *json, const struct kp_irl_literals *literals)
{
    kp_json_begin_array(json, "literals");
    for (size_t i = 0; i < literals->count; i++) {
        kp_json_begin_object(json, NULL);
        kp_json_string(json, "name", literals->items[i].name.text);
        put_integer(json, "value", literals->items[i].value);
        kp_json_number(json, "ordinal", i);
        kp_json_end_object(json);
    }
    kp_json_end_array(json);
}

static void put_references(struct kp_json *json, const char *key, const struct kp_irl_references *references)
{
    if (!references->count)
        return;
    kp_json_begin_array(json, key);
    for (size_t i = 0; i < references->count; i++)
        if (references->items[i].target)
            kp_json_string(json, NULL, references->items[i].target->full_name);
    kp_json_end_array(json);
}

static void put_event(struct kp_json *json, const struct kp_irl_declaration *event)
{
    kp_json_bool(json, "abstract", event->abstract);
    if (event->parent.target)
        kp_json_string(json, "extends", event->parent.target->full_name);
    char *uid = kp_format_text("%" PRId64, kp_irl_uid(event));
    kp_json_string(json, "serialVersionUID", uid);
    free(uid);
    kp_json_number(json, "size", kp_irl_minimum_bytes(event));
}

static void put_declaration(struct kp_json *json, const struct kp_irl_declaration *declaration)
{
    kp_json_begin_object(json, NULL);
    kp_json_string(json, "kind", kinds[declaration->kind]);
    kp_json_string(json, "name", declaration->full_name);
    if (declaration->author)
        kp_json_string(json, "author", declaration->author);
    if (declaration->since)
        kp_json_string(json, "since", declaration->since);
    if (declaration->kind == KP_IRL_EVENT)
        put_event(json, declaration);
    put_references(json, declaration->kind == KP_IRL_MODEL ? "types" : "inherits", &declaration->templates);
    put_constants(json, &declaration->constants);
    if (declaration->kind == KP_IRL_EVENT || declaration->kind == KP_IRL_TEMPLATE)
        put_layout(json, &declaration->layout);
    if (declaration->kind == KP_IRL_ENUM)
        put_literals(json, &declaration->all_literals);
    kp_json_end_object(json);
}

void kp_irl_print_json(const struct kp_irl_model *model, FILE *file)
{
    struct kp_json json;
    kp_json_init(&json, file, 4);
    kp_json_begin_object(&json, NULL);
    kp_json_begin_array(&json, "files");
    for (size_t i = 0; i < model->files.count; i++) {
        const struct kp_irl_file *source = model->files.items[i];
        if (!source->is_input)
            continue;
        kp_json_begin_object(&json, NULL);
        kp_json_string(&json, "path", source->path);
        kp_json_string(&json, "package", source->package.text);
        kp_json_begin_array(&json, "declarations");
        for (size_t k = 0; k < source->declarations.count; k++)
            put_declaration(&json, source->declarations.items[k]);
        kp_json_end_array(&json);
        kp_json_end_object(&json);
    }
    kp_json_end_array(&json);
    kp_json_end_object(&json);
    kp_json_finish(&json);
}
