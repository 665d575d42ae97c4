/*
 * Payload: a static function for each property that a payload property selects, which reads it from the
 * object. It follows the steps that the model names and nothing else; where one of them is null, the value is
 * neutral.
 */
#include <string.h>

#include "gen_java.h"

static const struct kp_irl_property *find_own(const struct kp_irl_declaration *type, const char *name,
                                              size_t bytes)
{
    for (size_t i = 0; i < type->properties.count; i++) {
        const char *other = type->properties.items[i]->name.text;
        if (strlen(other) == bytes && !memcmp(other, name, bytes))
            return type->properties.items[i];
    }
    return NULL;
}

/* The member as written in the model: of the type itself or of what it inherits from. */
static const struct kp_irl_property *
find_member(struct kp_java_file *file, const struct kp_irl_declaration *type, const char *name, size_t bytes)
{
    const struct kp_irl_property *found = find_own(type, name, bytes);
    struct kp_irl_declarations lineage = {0};
    if (!found)
        lineage = kp_java_lineage(file->run, &file->arena, type, true);
    for (size_t i = 0; !found && i < lineage.count; i++)
        found = find_own(lineage.items[i], name, bytes);
    return found;
}

#define MOST_STEPS 64

/* The members along the path. Returns 0 when there is one without a getter: it is payload itself. */
static size_t find_steps(struct kp_java_file *file, const struct kp_irl_property *property,
                         const struct kp_irl_property **steps)
{
    const struct kp_irl_declaration *type = property->payload->resolved->reference.target;
    size_t count = 0;
    for (const char *at = property->path; at && count < MOST_STEPS;) {
        size_t bytes = strcspn(at, ".");
        const struct kp_irl_property *member = type ? find_member(file, type, at, bytes) : NULL;
        if (!member || member->form == KP_IRL_PROPERTY_PAYLOAD)
            return 0;
        steps[count++] = member;
        type = member->resolved->reference.target;
        at = at[bytes] ? at + bytes + 1 : NULL;
    }
    return count;
}

static void print_result(struct kp_java_file *file, const struct kp_irl_property *property,
                         const struct kp_irl_property *last, const char *object)
{
    const char *getter = kp_java_getter(&file->arena, last);
    fprintf(file->body, "\t\treturn %s == null ? ", object);
    kp_java_neutral(file, property->resolved);
    if (property->object_id) /* of null it is 0 */
        fprintf(file->body, " : %s.identityHashCode(%s.%s());\n\t}\n", kp_java_use(file, "java.lang.System"),
                object, getter);
    else
        fprintf(file->body, " : %s.%s();\n\t}\n", object, getter);
}

void kp_java_payload(struct kp_java_file *file, const struct kp_irl_property *property)
{
    const struct kp_irl_property *steps[MOST_STEPS];
    size_t count = find_steps(file, property, steps);
    if (!count)
        return;
    struct kp_arena *arena = &file->arena;
    fprintf(file->body, "\n\tpublic static %s read%s(final %s object) {\n",
            kp_java_type(file, property->resolved), kp_java_capital(arena, property->name.text),
            kp_java_type(file, property->payload->resolved));
    const char *object = "object";
    for (size_t i = 0; i + 1 < count; i++) {
        const char *next = kp_irl_format(arena, "object%zu", i + 1);
        fprintf(file->body, "\t\tfinal %s %s = %s == null ? null : %s.%s();\n",
                kp_java_type(file, steps[i]->resolved), next, object, object,
                kp_java_getter(arena, steps[i]));
        object = next;
    }
    print_result(file, property, steps[count - 1], object);
}
