#include "gen_c.h"

#include <inttypes.h>

#include "irl.h"

static void print_begin(struct kp_gen_c *gen, FILE *file, const struct kp_irl_declaration *declaration)
{
    const struct kp_gen_c_names *names = kp_gen_c_names_of(gen, declaration);
    kp_gen_c_print_top(gen, file, declaration);
    fprintf(file, "#ifndef %s_H\n#define %s_H\n\n", names->upper, names->upper);
    fprintf(file, "#include <stdlib.h>\n\n#include \"%skieker_record.h\"\n", names->root);
}

static void print_begin_c(FILE *file)
{
    fputs("\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n", file);
}

static void print_end(FILE *file)
{
    fputs("\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n", file);
}

void kp_gen_c_enum_header(struct kp_gen_c *gen, FILE *file, const struct kp_irl_declaration *enumeration)
{
    const struct kp_gen_c_names *names = kp_gen_c_names_of(gen, enumeration);
    size_t count = enumeration->all_literals.count;
    print_begin(gen, file, enumeration);
    print_begin_c(file);
    fprintf(file, "#define %s \"%s\"\n#define %s %zu\n\n", names->class_macro, enumeration->full_name,
            names->count_macro, count);
    fputs("/* The ordinals, which travel. */\ntypedef enum {\n", file);
    for (size_t i = 0; i < count; i++)
        fprintf(file, "    %s = %zu%s\n", names->literals[i], i, i + 1 < count ? "," : "");
    fprintf(file, "} %s;\n\n/* By ordinal: the values as declared, and the names. */\n", names->type);
    fprintf(file, "extern const int64_t %s[%s];\n", names->values, names->count_macro);
    fprintf(file, "extern const char *const %s[%s];\n", names->literal_names, names->count_macro);
    fprintf(file, "extern const struct kieker_enum %s;\n", names->description);
    print_end(file);
}

/* The headers of the enums that members have, each once. */
static void include_enums(struct kp_gen_c *gen, FILE *file, const struct kp_irl_declaration *event)
{
    const struct kp_gen_c_names *names = kp_gen_c_names_of(gen, event);
    for (size_t i = 0; i < names->member_count; i++) {
        const struct kp_irl_declaration *target = names->members[i].type->reference.target;
        bool is_new = names->members[i].type->kind == KP_IRL_TYPE_ENUM;
        for (size_t before = 0; is_new && before < i; before++)
            is_new = names->members[before].type->reference.target != target ||
                     names->members[before].type->kind != KP_IRL_TYPE_ENUM;
        if (is_new)
            fprintf(file, "#include \"%s%s%s.h\"\n", names->root, kp_gen_c_names_of(gen, target)->folder,
                    kp_gen_c_names_of(gen, target)->file);
    }
}

static void print_constants(struct kp_gen_c *gen, FILE *file, const struct kp_irl_declaration *event)
{
    for (size_t i = 0; i < event->constants.count; i++) {
        const struct kp_irl_constant *constant = event->constants.items[i];
        fprintf(file, "#define %s ", kp_gen_c_names_of(gen, event)->constants[i]);
        kp_gen_c_print_value(gen, file, &constant->type, 0, &constant->value);
        fputc('\n', file);
    }
}

static void print_member(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_member *member)
{
    if (!member->dynamic) {
        fprintf(file, "    %s%s", kp_gen_c_element_type(gen, member->type, false), member->name);
        for (size_t i = 0; i < member->type->dimension_count; i++)
            fprintf(file, "[%" PRId64 "]", member->type->dimensions[i]);
        fputs(";\n", file);
        return;
    }
    fprintf(file, "    %s*%s; /* %s", kp_gen_c_element_type(gen, member->type, true), member->name,
            kp_irl_type_name(member->type));
    for (size_t i = 0; i < member->type->dimension_count; i++)
        if (member->sizes[i])
            fprintf(file, "[%s]", member->sizes[i]);
        else
            fprintf(file, "[%" PRId64 "]", member->type->dimensions[i]);
    fputs(" */\n", file);
    for (size_t i = 0; i < member->type->dimension_count; i++)
        if (member->sizes[i])
            fprintf(file, "    int32_t %s;\n", member->sizes[i]);
}

static void print_struct(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_names *names)
{
    fputs("typedef struct {\n", file);
    for (size_t i = 0; i < names->member_count; i++)
        print_member(gen, file, &names->members[i]);
    if (!names->member_count)
        fputs("    uint8_t nothing; /* C wants a member */\n", file);
    fprintf(file, "} %s;\n\n", names->type);
}

/* Values in order of the members: C++ before 2020 has no designators. */
static void print_init(struct kp_gen_c *gen, FILE *file, const struct kp_gen_c_names *names)
{
    for (size_t i = 0; i < names->member_count; i++) {
        const struct kp_gen_c_member *member = &names->members[i];
        if (member->default_at)
            fprintf(file, "extern %s%s[%" PRIu64 "];\n", kp_gen_c_element_type(gen, member->type, true),
                    member->default_at, kp_gen_c_shape(member->type, &member->property->value, NULL));
    }
    fprintf(file, "#define %s \\\n    { ", names->init_macro);
    for (size_t i = 0; i < names->member_count; i++) {
        const struct kp_gen_c_member *member = &names->members[i];
        uint64_t *lengths = kp_irl_get(&gen->arena, (member->type->dimension_count + 1) * sizeof *lengths);
        fputs(i ? ", \\\n      " : "", file);
        if (!member->dynamic) {
            kp_gen_c_print_value(gen, file, member->type, 0, &member->property->value);
            continue;
        }
        kp_gen_c_shape(member->type, &member->property->value, lengths);
        fputs(member->default_at ? member->default_at : "NULL", file);
        for (size_t at = 0; at < member->type->dimension_count; at++)
            if (member->sizes[at])
                fprintf(file, ", %" PRIu64, lengths[at]);
    }
    fprintf(file, "%s }\n\n", names->member_count ? "" : "0");
}

static void print_functions(FILE *file, const struct kp_gen_c_names *names)
{
    fprintf(file, "/* All members take their default values. */\nvoid %s(%s *value);\n", names->init,
            names->type);
    fputs("/* The values without what stands before them; kieker_record.h says how these fail. */\n", file);
    fprintf(file, "bool %s(struct kieker_writer *writer, const %s *value);\n", names->write_binary,
            names->type);
    fprintf(file, "bool %s(struct kieker_reader *reader, %s *value);\n", names->read_binary, names->type);
    fprintf(file, "bool %s(struct kieker_writer *writer, const %s *value);\n", names->write_text,
            names->type);
    fprintf(file, "bool %s(struct kieker_reader *reader, %s *value);\n\n", names->read_text, names->type);
    fprintf(file, "extern const struct kieker_record_type %s;\n\n", names->description);
    fputs("#ifdef KIEKER_LANGUAGE_PACK\n/* With the functions of Kieker's C pack; returns the end position. "
          "*/\n",
          file);
    fprintf(file, "int %s(char *buffer, const int offset, const %s value);\n#endif\n", names->serialize,
            names->type);
}

void kp_gen_c_header(struct kp_gen_c *gen, FILE *file, const struct kp_irl_declaration *event)
{
    const struct kp_gen_c_names *names = kp_gen_c_names_of(gen, event);
    print_begin(gen, file, event);
    include_enums(gen, file, event);
    fputs("#ifdef KIEKER_LANGUAGE_PACK\n#include <kieker.h>\n#endif\n", file);
    print_begin_c(file);
    fprintf(file, "#define %s \"%s\"\n", names->class_macro, event->full_name);
    fprintf(file, "/* The fewest bytes of the values in binary form */\n#define %s %" PRIu64 "\n",
            names->min_size_macro, kp_irl_minimum_bytes(event));
    print_constants(gen, file, event);
    fputc('\n', file);
    print_struct(gen, file, names);
    print_init(gen, file, names);
    print_functions(file, names);
    print_end(file);
}
