/*
 * Sources of records. Values of fixed size that stand together are one piece of bytes, which is taken once; a
 * dynamic array is a piece of its own.
 */
#include "gen_c.h"

#include <inttypes.h>

#include "irl.h"

/* --- one value ----------------------------------------------------------------------------------- */

static size_t literal_count(const struct kp_irl_type *type)
{
    return type->reference.target->all_literals.count;
}

static bool is_string(const struct kp_irl_type *type)
{
    return type->kind == KP_IRL_TYPE_BASE && type->base == KP_IRL_STRING;
}

/* `place`: "at + 8" */
static void print_put(FILE *file, const struct kp_irl_type *type, const char *place, const char *value)
{
    const struct kp_gen_c_kind *kind = kp_gen_c_kind(type);
    fprintf(file, "kieker_put_%u(%s, ", kind->put_bits, place);
    if (type->kind == KP_IRL_TYPE_ENUM)
        fprintf(file, "kieker_writer_ordinal(writer, (uint32_t)%s, %zu)", value, literal_count(type));
    else if (is_string(type))
        fprintf(file, "kieker_writer_string(writer, %s)", value);
    else
        fprintf(file, "%s(%s)", kind->put, value);
    fputs(");\n", file);
}

static void print_get(struct kp_gen_c *gen, FILE *file, const struct kp_irl_type *type, const char *place)
{
    const struct kp_gen_c_kind *kind = kp_gen_c_kind(type);
    if (type->kind == KP_IRL_TYPE_ENUM)
        fprintf(file, "(%s)kieker_reader_ordinal(reader, kieker_get_32(%s), %zu);\n",
                kp_gen_c_names_of(gen, type->reference.target)->type, place, literal_count(type));
    else if (is_string(type))
        fprintf(file, "kieker_reader_string(reader, kieker_get_32(%s));\n", place);
    else
        fprintf(file, "%s(kieker_get_%u(%s));\n", kind->get, kind->put_bits, place);
}

static void print_text_put(FILE *file, const struct kp_irl_type *type, const char *value)
{
    fprintf(file, "kieker_text_put_%s(writer, ", kp_gen_c_kind(type)->text_put);
    if (type->kind == KP_IRL_TYPE_ENUM)
        fprintf(file, "(int32_t)kieker_writer_ordinal(writer, (uint32_t)%s, %zu));\n", value,
                literal_count(type));
    else
        fprintf(file, "%s);\n", value);
}

static void print_text_get(struct kp_gen_c *gen, FILE *file, const struct kp_irl_type *type)
{
    if (type->kind == KP_IRL_TYPE_ENUM)
        fprintf(file, "(%s)kieker_reader_ordinal(reader, (uint32_t)kieker_text_get_int(reader), %zu);\n",
                kp_gen_c_names_of(gen, type->reference.target)->type, literal_count(type));
    else
        fprintf(file, "kieker_text_get_%s(reader);\n", kp_gen_c_kind(type)->text_get);
}

/* --- pieces -------------------------------------------------------------------------------------- */

static uint64_t fixed_bytes(const struct kp_gen_c_member *member)
{
    return member->fixed * kp_irl_type_element_bytes(member->type);
}

/* Bytes of the members from `first` on that have a fixed size; `*end` is behind them. */
static uint64_t measure_piece(const struct kp_gen_c_names *names, size_t first, size_t *end)
{
    uint64_t bytes = 0;
    for (*end = first; *end < names->member_count; ++*end) {
        const struct kp_gen_c_member *member = &names->members[*end];
        if (member->travels && member->dynamic)
            break;
        if (member->travels)
            bytes += fixed_bytes(member);
    }
    return bytes;
}

static const char *place(struct kp_gen_c *gen, uint64_t offset)
{
    return offset ? kp_irl_format(&gen->arena, "at + %" PRIu64, offset) : "at";
}

/* The place of element i */
static const char *element_place(struct kp_gen_c *gen, const struct kp_irl_type *type, uint64_t offset)
{
    return kp_irl_format(&gen->arena, "%s + %u * i", place(gen, offset), kp_irl_type_element_bytes(type));
}

static const char *member_value(struct kp_gen_c *gen, const struct kp_gen_c_member *member)
{
    return kp_irl_format(&gen->arena, "value->%s", member->name);
}

/* Opens a block with the elements of a fixed array, seen as one row, and a loop over them. */
static void open_elements(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_member *member,
                          bool constant)
{
    const char *type = kp_gen_c_element_type(gen, member->type, constant);
    fprintf(file, "    {\n        %s*elements = (%s*)(%svoid *)value->%s;\n", type, type,
            constant ? "const " : "", member->name);
    fprintf(file, "        for (size_t i = 0; i < %" PRIu64 "; i++)\n            ", member->fixed);
}

static void print_piece_put(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_member *member,
                            uint64_t offset)
{
    if (!member->type->dimension_count) {
        fputs("    ", file);
        print_put(file, member->type, place(gen, offset), member_value(gen, member));
        return;
    }
    open_elements(gen, file, member, true);
    print_put(file, member->type, element_place(gen, member->type, offset), "elements[i]");
    fputs("    }\n", file);
}

static void print_piece_get(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_member *member,
                            uint64_t offset)
{
    if (!member->type->dimension_count) {
        fprintf(file, "    value->%s = ", member->name);
        print_get(gen, file, member->type, place(gen, offset));
        return;
    }
    open_elements(gen, file, member, false);
    fputs("elements[i] = ", file);
    print_get(gen, file, member->type, element_place(gen, member->type, offset));
    fputs("    }\n", file);
}

/* --- dynamic arrays ------------------------------------------------------------------------------ */

/* Opens a block with `lengths` and `count`. */
static void open_array_put(FILE *file, const struct kp_gen_c_member *member)
{
    bool any = false;
    fputs("    {\n        size_t count;\n        const int32_t lengths[] = {", file);
    for (size_t i = 0; i < member->type->dimension_count; i++)
        if (member->sizes[i]) {
            fprintf(file, "%svalue->%s", any ? ", " : "", member->sizes[i]);
            any = true;
        }
    fputs("};\n", file);
}

static void print_array_put(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_member *member)
{
    open_array_put(file, member);
    fprintf(file,
            "        at = kieker_writer_array(writer, value->%s, lengths, %zu, %" PRIu64 ", %u, &count);\n",
            member->name, member->dynamic_count, member->fixed, kp_irl_type_element_bytes(member->type));
    fputs("        if (!at)\n            return kieker_writer_end(writer, start);\n", file);
    fputs("        for (size_t i = 0; i < count; i++)\n            ", file);
    print_put(file, member->type, element_place(gen, member->type, 0),
              kp_irl_format(&gen->arena, "value->%s[i]", member->name));
    fputs("    }\n", file);
}

static void print_text_array_put(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_member *member)
{
    open_array_put(file, member);
    fprintf(file,
            "        if (!kieker_text_put_array(writer, value->%s, lengths, %zu, %" PRIu64 ", &count))\n",
            member->name, member->dynamic_count, member->fixed);
    fputs("            return kieker_writer_end(writer, start);\n", file);
    fputs("        for (size_t i = 0; i < count; i++)\n            ", file);
    print_text_put(file, member->type, kp_irl_format(&gen->arena, "value->%s[i]", member->name));
    fputs("    }\n", file);
}

/* From the lengths, which were read, to the loop over the elements. */
static void print_array_memory(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_member *member)
{
    const char *type = kp_gen_c_element_type(gen, member->type, false);
    size_t index = 0;
    fputs("            return kieker_reader_end(reader, start);\n", file);
    fprintf(file, "        %s*elements = (%s*)kieker_reader_memory(reader, count, sizeof *elements);\n", type,
            type);
    fputs("        if (reader->failed)\n            return kieker_reader_end(reader, start);\n", file);
    fprintf(file, "        value->%s = elements;\n", member->name);
    for (size_t i = 0; i < member->type->dimension_count; i++)
        if (member->sizes[i])
            fprintf(file, "        value->%s = lengths[%zu];\n", member->sizes[i], index++);
    fputs("        for (size_t i = 0; i < count; i++)\n            elements[i] = ", file);
}

static void print_array_get(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_member *member)
{
    fprintf(file, "    {\n        size_t count;\n        int32_t lengths[%zu];\n", member->dynamic_count);
    fprintf(file, "        at = kieker_reader_array(reader, lengths, %zu, %" PRIu64 ", %u, &count);\n",
            member->dynamic_count, member->fixed, kp_irl_type_element_bytes(member->type));
    fputs("        if (!at)\n", file);
    print_array_memory(gen, file, member);
    print_get(gen, file, member->type, element_place(gen, member->type, 0));
    fputs("    }\n", file);
}

static void print_text_array_get(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_member *member)
{
    fprintf(file, "    {\n        size_t count;\n        int32_t lengths[%zu];\n", member->dynamic_count);
    fprintf(file, "        if (!kieker_text_get_array(reader, lengths, %zu, %" PRIu64 ", &count))\n",
            member->dynamic_count, member->fixed);
    print_array_memory(gen, file, member);
    print_text_get(gen, file, member->type);
    fputs("    }\n", file);
}

/* --- functions ----------------------------------------------------------------------------------- */

static void print_write_binary(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_names *names,
                               bool travels)
{
    fprintf(file, "\nbool %s(struct kieker_writer *writer, const %s *value)\n{\n", names->write_binary,
            names->type);
    if (!travels) {
        fputs("    (void)value;\n    return !writer->failed;\n}\n", file);
        return;
    }
    fputs("    const size_t start = writer->position;\n    uint8_t *at;\n", file);
    for (size_t i = 0, end; i < names->member_count; i = end) {
        uint64_t bytes = measure_piece(names, i, &end), offset = 0;
        if (bytes)
            fprintf(file,
                    "    at = kieker_writer_take(writer, %" PRIu64 ");\n    if (!at)\n"
                    "        return kieker_writer_end(writer, start);\n",
                    bytes);
        for (; i < end; i++) {
            if (!names->members[i].travels)
                continue;
            print_piece_put(gen, file, &names->members[i], offset);
            offset += fixed_bytes(&names->members[i]);
        }
        if (end < names->member_count)
            print_array_put(gen, file, &names->members[end++]);
    }
    fputs("    return kieker_writer_end(writer, start);\n}\n", file);
}

/* Transient members have neutral values in records that were read. */
static void print_neutral(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_names *names)
{
    static const struct kp_irl_value nothing = {.kind = KP_IRL_VALUE_NONE};
    for (size_t i = 0; i < names->member_count; i++) {
        const struct kp_gen_c_member *member = &names->members[i];
        if (member->travels)
            continue;
        if (member->dynamic) {
            fprintf(file, "    value->%s = NULL;\n", member->name);
            for (size_t at = 0; at < member->type->dimension_count; at++)
                if (member->sizes[at])
                    fprintf(file, "    value->%s = 0;\n", member->sizes[at]);
        } else if (member->type->dimension_count) {
            fprintf(file, "    memset(value->%s, 0, sizeof value->%s);\n", member->name, member->name);
        } else {
            fprintf(file, "    value->%s = ", member->name);
            kp_gen_c_print_value(gen, file, member->type, 0, &nothing);
            fputs(";\n", file);
        }
    }
}

static void begin_read(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_names *names,
                       const char *function, bool travels)
{
    fprintf(file, "\nbool %s(struct kieker_reader *reader, %s *value)\n{\n", function, names->type);
    if (travels)
        fputs("    const size_t start = reader->position;\n", file);
    else if (names->member_count == 0)
        fputs("    memset(value, 0, sizeof *value);\n", file);
    print_neutral(gen, file, names);
    if (!travels)
        fputs("    return !reader->failed;\n}\n", file);
}

static void print_read_binary(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_names *names,
                              bool travels)
{
    begin_read(gen, file, names, names->read_binary, travels);
    if (!travels)
        return;
    fputs("    const uint8_t *at;\n", file);
    for (size_t i = 0, end; i < names->member_count; i = end) {
        uint64_t bytes = measure_piece(names, i, &end), offset = 0;
        if (bytes)
            fprintf(file,
                    "    at = kieker_reader_take(reader, %" PRIu64 ");\n    if (!at)\n"
                    "        return kieker_reader_end(reader, start);\n",
                    bytes);
        for (; i < end; i++) {
            if (!names->members[i].travels)
                continue;
            print_piece_get(gen, file, &names->members[i], offset);
            offset += fixed_bytes(&names->members[i]);
        }
        if (end < names->member_count)
            print_array_get(gen, file, &names->members[end++]);
    }
    fputs("    return kieker_reader_end(reader, start);\n}\n", file);
}

static void print_write_text(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_names *names,
                             bool travels)
{
    fprintf(file, "\nbool %s(struct kieker_writer *writer, const %s *value)\n{\n", names->write_text,
            names->type);
    if (!travels) {
        fputs("    (void)value;\n    return !writer->failed;\n}\n", file);
        return;
    }
    fputs("    const size_t start = writer->position;\n", file);
    for (size_t i = 0; i < names->member_count; i++) {
        const struct kp_gen_c_member *member = &names->members[i];
        if (!member->travels)
            continue;
        if (member->dynamic) {
            print_text_array_put(gen, file, member);
        } else if (member->type->dimension_count) {
            open_elements(gen, file, member, true);
            print_text_put(file, member->type, "elements[i]");
            fputs("    }\n", file);
        } else {
            fputs("    ", file);
            print_text_put(file, member->type, member_value(gen, member));
        }
    }
    fputs("    return kieker_writer_end(writer, start);\n}\n", file);
}

static void print_read_text(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_names *names,
                            bool travels)
{
    begin_read(gen, file, names, names->read_text, travels);
    if (!travels)
        return;
    for (size_t i = 0; i < names->member_count; i++) {
        const struct kp_gen_c_member *member = &names->members[i];
        if (!member->travels)
            continue;
        if (member->dynamic) {
            print_text_array_get(gen, file, member);
        } else if (member->type->dimension_count) {
            open_elements(gen, file, member, false);
            fputs("elements[i] = ", file);
            print_text_get(gen, file, member->type);
            fputs("    }\n", file);
        } else {
            fprintf(file, "    value->%s = ", member->name);
            print_text_get(gen, file, member->type);
        }
    }
    fputs("    return kieker_reader_end(reader, start);\n}\n", file);
}

/* --- the language pack --------------------------------------------------------------------------- */

static void print_pack_value(FILE *file, const struct kp_irl_type *type, const char *value)
{
    const struct kp_gen_c_kind *kind = kp_gen_c_kind(type);
    fprintf(file, "position += kieker_serialize_%s(buffer, position, ", kind->pack);
    if (is_string(type))
        fprintf(file, "%s ? %s : \"\");\n", value, value);
    else
        fprintf(file, "%s(%s));\n", kind->pack_put, value);
}

static void print_pack_array(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_member *member)
{
    const char *type = kp_gen_c_element_type(gen, member->type, true);
    fprintf(file, "    {\n        %s*elements = (%s*)(const void *)value.%s;\n", type, type, member->name);
    fprintf(file, "        size_t count = %" PRIu64 ";\n", member->fixed);
    if (member->dynamic)
        fputs("        int32_t outer = 1;\n", file);
    for (size_t i = 0; i < member->type->dimension_count; i++)
        if (member->sizes[i]) {
            /* No lengths below an empty dimension; nothing tells the caller of one that cannot be. */
            fprintf(file, "        outer = outer && elements && value.%s > 0 ? value.%s : 0;\n",
                    member->sizes[i], member->sizes[i]);
            fputs("        count *= (size_t)outer;\n", file);
            fputs("        position += kieker_serialize_int32(buffer, position, outer);\n", file);
        }
    fputs("        for (size_t i = 0; i < count; i++)\n            ", file);
    print_pack_value(file, member->type, "elements[i]");
    fputs("    }\n", file);
}

static void print_serialize(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_names *names,
                            bool travels)
{
    fprintf(file,
            "\n#ifdef KIEKER_LANGUAGE_PACK\nint %s(char *buffer, const int offset, const %s value)\n{\n",
            names->serialize, names->type);
    fputs("    int position = offset;\n", file);
    if (!travels)
        fputs("    (void)buffer;\n    (void)value;\n", file);
    for (size_t i = 0; i < names->member_count; i++) {
        const struct kp_gen_c_member *member = &names->members[i];
        if (!member->travels)
            continue;
        if (member->type->dimension_count) {
            print_pack_array(gen, file, member);
        } else {
            fputs("    ", file);
            print_pack_value(file, member->type, kp_irl_format(&gen->arena, "value.%s", member->name));
        }
    }
    fputs("    return position;\n}\n#endif\n", file);
}

/* --- the description ----------------------------------------------------------------------------- */

static void print_dimensions(FILE *file, const struct kp_gen_c_names *names,
                             const struct kp_gen_c_member *member)
{
    fprintf(file, "\nstatic const struct kieker_dimension %s_%s_dimensions[] = {\n", names->type,
            member->property->name.text);
    for (size_t i = 0; i < member->type->dimension_count; i++)
        if (member->sizes[i])
            fprintf(file, "    {0, offsetof(%s, %s)},\n", names->type, member->sizes[i]);
        else
            fprintf(file, "    {%" PRId64 ", 0},\n", member->type->dimensions[i]);
    fputs("};\n", file);
}

static void print_field(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_names *names,
                        const struct kp_gen_c_member *member)
{
    const struct kp_irl_type *type = member->type;
    fprintf(file, "    {\"%s\", %s, ", member->property->name.text, kp_gen_c_kind(type)->kind);
    if (type->kind == KP_IRL_TYPE_ENUM)
        fprintf(file, "&%s, ", kp_gen_c_names_of(gen, type->reference.target)->description);
    else
        fputs("NULL, ", file);
    fprintf(file, "offsetof(%s, %s), %zu, ", names->type, member->name, type->dimension_count);
    if (type->dimension_count)
        fprintf(file, "%s_%s_dimensions},\n", names->type, member->property->name.text);
    else
        fputs("NULL},\n", file);
}

/* The functions as the description has them: a pointer to any record. */
static void print_general(FILE *file, const struct kp_gen_c_names *names, const char *function,
                          const char *stream, const char *constant)
{
    fprintf(file, "\nstatic bool %s_any(struct kieker_%s *%s, %svoid *value)\n{\n", function, stream, stream,
            constant);
    fprintf(file, "    return %s(%s, (%s%s *)value);\n}\n", function, stream, constant, names->type);
}

static void print_description(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_names *names,
                              size_t travelling)
{
    for (size_t i = 0; i < names->member_count; i++)
        if (names->members[i].travels && names->members[i].type->dimension_count)
            print_dimensions(file, names, &names->members[i]);
    if (travelling) {
        fprintf(file, "\nstatic const struct kieker_field %s[] = {\n", names->fields);
        for (size_t i = 0; i < names->member_count; i++)
            if (names->members[i].travels)
                print_field(gen, file, names, &names->members[i]);
        fputs("};\n", file);
    }
    fprintf(file, "\nstatic void %s_any(void *value)\n{\n    %s((%s *)value);\n}\n", names->init, names->init,
            names->type);
    print_general(file, names, names->write_binary, "writer", "const ");
    print_general(file, names, names->read_binary, "reader", "");
    print_general(file, names, names->write_text, "writer", "const ");
    print_general(file, names, names->read_text, "reader", "");
    fprintf(file, "\nconst struct kieker_record_type %s = {\n    %s, %s, sizeof(%s), %zu, %s,\n",
            names->description, names->class_macro, names->min_size_macro, names->type, travelling,
            travelling ? names->fields : "NULL");
    fprintf(file, "    %s_any, %s_any, %s_any, %s_any, %s_any,\n};\n", names->init, names->write_binary,
            names->read_binary, names->write_text, names->read_text);
}

static void print_defaults(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_names *names)
{
    for (size_t i = 0; i < names->member_count; i++) {
        const struct kp_gen_c_member *member = &names->members[i];
        if (!member->default_at)
            continue;
        fprintf(file, "\n%s%s[] = {", kp_gen_c_element_type(gen, member->type, true), member->default_at);
        kp_gen_c_print_elements(gen, file, member->type, &member->property->value);
        fputs("};\n", file);
    }
    fprintf(file, "\nvoid %s(%s *value)\n{\n    static const %s initial = %s;\n    *value = initial;\n}\n",
            names->init, names->type, names->type, names->init_macro);
}

void kp_gen_c_source(struct kp_gen_c *gen, FILE *file, const struct kp_irl_declaration *event)
{
    const struct kp_gen_c_names *names = kp_gen_c_names_of(gen, event);
    size_t travelling = 0;
    for (size_t i = 0; i < names->member_count; i++)
        travelling += names->members[i].travels;
    fprintf(file, "#include \"%s.h\"\n", names->file);
    print_defaults(gen, file, names);
    print_write_binary(gen, file, names, travelling);
    print_read_binary(gen, file, names, travelling);
    print_write_text(gen, file, names, travelling);
    print_read_text(gen, file, names, travelling);
    print_description(gen, file, names, travelling);
    print_serialize(gen, file, names, travelling);
}

void kp_gen_c_enum_source(struct kp_gen_c *gen, FILE *file, const struct kp_irl_declaration *enumeration)
{
    const struct kp_gen_c_names *names = kp_gen_c_names_of(gen, enumeration);
    const struct kp_irl_literals *literals = &enumeration->all_literals;
    fprintf(file, "#include \"%s.h\"\n\nconst int64_t %s[] = {", names->file, names->values);
    for (size_t i = 0; i < literals->count; i++)
        fprintf(file, literals->items[i].value == INT64_MIN ? "%sINT64_MIN" : "%sINT64_C(%" PRId64 ")",
                i ? ", " : "", literals->items[i].value);
    fprintf(file, "};\n\nconst char *const %s[] = {", names->literal_names);
    for (size_t i = 0; i < literals->count; i++)
        fprintf(file, "%s\"%s\"", i ? ", " : "", literals->items[i].name.text);
    fprintf(file, "};\n\nconst struct kieker_enum %s = {%s, %s, %s, %s};\n", names->description,
            names->class_macro, names->count_macro, names->literal_names, names->values);
}
