/* serialVersionUID as Kieker's own generator computes it (spec/irl.md 2.1.1), and the least size of a record.
 */
#include <sha1.h>
#include <stdlib.h>
#include <string.h>

#include "irl.h"

enum { PUBLIC = 1, PROTECTED = 4, FINAL = 16, ABSTRACT = 0x400 };

static void feed_int(SHA1_CTX *sha, unsigned value)
{
    uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                        (uint8_t)value};
    SHA1Update(sha, bytes, sizeof bytes);
}

static void feed_text(SHA1_CTX *sha, const char *text)
{
    size_t bytes = strlen(text);
    uint8_t length[2] = {(uint8_t)(bytes >> 8), (uint8_t)bytes};
    SHA1Update(sha, length, sizeof length);
    SHA1Update(sha, (const uint8_t *)text, bytes);
}

static const char *descriptor(struct kp_arena *arena, const struct kp_irl_type *type)
{
    char *text = kp_irl_get(arena, type->dimension_count + 1);
    memset(text, '[', type->dimension_count);
    return type->kind == KP_IRL_TYPE_BASE
               ? kp_irl_format(arena, "%s%s", text, kp_irl_bases[type->base].descriptor)
               : kp_irl_format(arena, "%sL%s;", text, kp_irl_type_name(type));
}

/* Kieker's generator sees no type where none is written: V, as of nothing. */
static const char *written_descriptor(struct kp_arena *arena, const struct kp_irl_property *property)
{
    return property->type.reference.name.text ? descriptor(arena, &property->type) : "V";
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_names(const void *a, const void *b)
{
    const struct kp_irl_property *const *first = a, *const *second = b;
    return strcmp((*first)->name.text, (*second)->name.text);
}

static void feed_templates(SHA1_CTX *sha, struct kp_arena *arena, const struct kp_irl_declaration *event)
{
    size_t count = event->templates.count;
    const char **names = kp_irl_get(arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = event->templates.items[i].target->name.text;
    qsort(names, count, sizeof *names, compare_texts);
    for (size_t i = 0; i < count; i++)
        feed_text(sha, names[i]);
}

/* "(JLstring;)V": joined in one piece, as there may be thousands */
static const char *constructor_text(struct kp_arena *arena, const struct kp_irl_properties *data)
{
    const char **parts = kp_irl_get(arena, (data->count + 1) * sizeof *parts);
    size_t bytes = 0;
    for (size_t i = 0; i < data->count; i++) {
        parts[i] = written_descriptor(arena, data->items[i]);
        bytes += strlen(parts[i]);
    }
    char *text = kp_irl_get(arena, bytes + sizeof "()V");
    char *at = text;
    *at++ = '(';
    for (size_t i = 0; i < data->count; i++)
        at = stpcpy(at, parts[i]);
    strcpy(at, ")V");
    return text;
}

struct constructor {
    const char *signature;
    unsigned modifiers;
};

static int compare_constructors(const void *a, const void *b)
{
    return strcmp(((const struct constructor *)a)->signature, ((const struct constructor *)b)->signature);
}

static void feed_constructors(SHA1_CTX *sha, struct kp_arena *arena, const struct kp_irl_declaration *event)
{
    struct constructor constructors[] = {{constructor_text(arena, &event->layout.data), PUBLIC},
                                         {"(LObject;)V", PUBLIC},
                                         {"(LObject;[LObject;)V", PROTECTED},
                                         {"(VV)V", PUBLIC}};
    size_t count = sizeof constructors / sizeof *constructors;
    qsort(constructors, count, sizeof *constructors, compare_constructors);
    for (size_t i = 0; i < count; i++) {
        feed_text(sha, "<init>");
        feed_int(sha, constructors[i].modifiers);
        feed_text(sha, constructors[i].signature);
    }
}

static void feed_properties(SHA1_CTX *sha, struct kp_arena *arena, struct kp_irl_property **sorted,
                            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        feed_text(sha, sorted[i]->name.text);
        feed_int(sha, FINAL | 2); /* private final */
        feed_text(sha, descriptor(arena, sorted[i]->resolved));
    }
}

static void feed_getters(SHA1_CTX *sha, struct kp_arena *arena, struct kp_irl_property **sorted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *name = kp_irl_format(arena, "get%s", sorted[i]->name.text);
        if (name[3] >= 'a' && name[3] <= 'z')
            name[3] = (char)(name[3] - 'a' + 'A');
        feed_text(sha, name);
        feed_int(sha, FINAL | PUBLIC);
        feed_text(sha, written_descriptor(arena, sorted[i]));
    }
}

int64_t kp_irl_uid(const struct kp_irl_declaration *event)
{
    const struct kp_irl_properties *own = &event->layout.own;
    struct kp_arena arena = {0};
    struct kp_irl_property **sorted = kp_irl_get(&arena, (own->count + 1) * sizeof *sorted);
    if (own->count)
        memcpy(sorted, own->items, own->count * sizeof *sorted);
    qsort(sorted, own->count, sizeof *sorted, compare_names);

    SHA1_CTX sha;
    SHA1Init(&sha);
    feed_text(&sha, event->name.text);
    feed_int(&sha, PUBLIC | (event->abstract ? ABSTRACT : 0));
    feed_templates(&sha, &arena, event);
    feed_properties(&sha, &arena, sorted, own->count);
    feed_constructors(&sha, &arena, event);
    feed_getters(&sha, &arena, sorted, own->count);
    kp_arena_free(&arena);

    uint8_t digest[SHA1_DIGEST_LENGTH];
    SHA1Final(digest, &sha);
    uint64_t uid = 0;
    for (int i = 7; i >= 0; i--)
        uid = uid << 8 | digest[i];
    return (int64_t)uid;
}

/* Dynamic dimensions are counted before the elements, which may be none; others have all of theirs. */
static uint64_t minimum_bytes(const struct kp_irl_type *type)
{
    uint64_t bytes = kp_irl_type_element_bytes(type), dynamic = 0;
    for (size_t i = 0; i < type->dimension_count; i++) {
        dynamic += type->dimensions[i] == KP_IRL_DYNAMIC;
        bytes *= (uint64_t)type->dimensions[i];
    }
    return dynamic ? dynamic * kp_irl_bases[KP_IRL_INT].wire_bytes : bytes;
}

uint64_t kp_irl_minimum_bytes(const struct kp_irl_declaration *event)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < event->layout.wire.count; i++)
        bytes += minimum_bytes(event->layout.wire.items[i]->resolved);
    return bytes;
}
