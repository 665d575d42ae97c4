/*
 * Arrays: each has methods of its own in the class, so that neither constructors nor serialize() grow with
 * the number of dimensions. In all of them size0, size1 ... are lengths from outer to inner, i0, i1 ...
 * indexes.
 */
#include <inttypes.h>

#include "gen_java.h"

static bool is_dynamic(const struct kp_irl_type *type, size_t dimension)
{
    return type->dimensions[dimension] == KP_IRL_DYNAMIC;
}

static void indent(FILE *out, size_t levels)
{
    for (size_t i = 0; i < levels; i++)
        fputc('\t', out);
}

/* "value[i0][i1]", with `count` indexes */
static void print_indexed(FILE *out, const char *name, size_t count)
{
    fputs(name, out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "[i%zu]", i);
}

static const char *capital_of(struct kp_java_file *file, const struct kp_irl_property *property)
{
    return kp_java_capital(&file->arena, property->name.text);
}

/* --- shape --------------------------------------------------------------------------------------- */

/* A dynamic array of one dimension has no wrong shape. */
bool kp_java_array_needs_check(const struct kp_irl_type *type)
{
    return type->dimension_count > 1 || (type->dimension_count == 1 && !is_dynamic(type, 0));
}

static void print_length_check(struct kp_java_file *file, const struct kp_irl_property *property,
                               size_t dimension)
{
    FILE *out = file->body;
    const struct kp_irl_type *type = property->resolved;
    if (dimension == 0 && is_dynamic(type, 0))
        return;
    indent(out, dimension + 2);
    fputs("if (", out);
    print_indexed(out, "value", dimension);
    fputs(".length != ", out);
    if (is_dynamic(type, dimension)) { /* as long as the first of its kind, which is there */
        fputs("value", out);
        for (size_t i = 0; i < dimension; i++)
            fputs("[0]", out);
        fputs(".length", out);
    } else {
        fprintf(out, "%" PRId64, type->dimensions[dimension]);
    }
    fputs(") {\n", out);
    indent(out, dimension + 3);
    fprintf(out, "throw new %s(\"%s: an array of a wrong length\");\n",
            kp_java_use(file, "java.lang.IllegalArgumentException"), property->name.text);
    indent(out, dimension + 2);
    fputs("}\n", out);
}

void kp_java_array_check(struct kp_java_file *file, const struct kp_irl_property *property)
{
    FILE *out = file->body;
    const struct kp_irl_type *type = property->resolved;
    const char *type_text = kp_java_type(file, type);
    fprintf(out, "\n\t/* What is written has one length for each dimension. */\n");
    fprintf(out, "\tprivate static %s check%s(final %s value) {\n", type_text, capital_of(file, property),
            type_text);
    for (size_t i = 0; i < type->dimension_count; i++) {
        print_length_check(file, property, i);
        if (i + 1 < type->dimension_count) {
            indent(out, i + 2);
            fprintf(out, "for (int i%zu = 0; i%zu < ", i, i);
            print_indexed(out, "value", i);
            fprintf(out, ".length; i%zu++) {\n", i);
        }
    }
    for (size_t i = type->dimension_count - 1; i-- > 0;) {
        indent(out, i + 2);
        fputs("}\n", out);
    }
    fputs("\t\treturn value;\n\t}\n", out);
}

/* --- writing -------------------------------------------------------------------------------------- */

static void print_size(FILE *out, const struct kp_irl_type *type, size_t dimension)
{
    fprintf(out, "\t\tfinal int size%zu = ", dimension);
    if (!is_dynamic(type, dimension)) {
        fprintf(out, "%" PRId64 ";\n", type->dimensions[dimension]);
        return;
    }
    for (size_t i = 0; i < dimension; i++)
        if (is_dynamic(type, i)) /* without outer elements there are no inner ones to ask */
            fprintf(out, "size%zu == 0 ? 0 : ", i);
    fputs("value", out);
    for (size_t i = 0; i < dimension; i++)
        fputs("[0]", out);
    fputs(".length;\n", out);
}

/* for (int i0 ...) { for (int i1 ...) {; without the braces' contents */
static void print_loops(FILE *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        indent(out, i + 2);
        fprintf(out, "for (int i%zu = 0; i%zu < size%zu; i%zu++) {\n", i, i, i, i);
    }
}

static void print_loops_end(FILE *out, size_t count)
{
    for (size_t i = count; i-- > 0;) {
        indent(out, i + 2);
        fputs("}\n", out);
    }
}

void kp_java_array_serialize(struct kp_java_file *file, const struct kp_irl_property *property)
{
    FILE *out = file->body;
    const struct kp_irl_type *type = property->resolved;
    size_t count = type->dimension_count;
    fprintf(out, "\n\tprivate static void serialize%s(final %s serializer, final %s value) {\n",
            capital_of(file, property), kp_java_use(file, KP_JAVA_SERIALIZER), kp_java_type(file, type));
    for (size_t i = 0; i < count; i++)
        print_size(out, type, i);
    for (size_t i = 0; i < count; i++)
        if (is_dynamic(type, i))
            fprintf(out, "\t\tserializer.putInt(size%zu);\n", i);
    print_loops(out, count);
    indent(out, count + 2);
    fprintf(out, "serializer.put%s(", kp_java_wire_name(type));
    print_indexed(out, "value", count);
    fputs(type->kind == KP_IRL_TYPE_ENUM ? ".ordinal());\n" : ");\n", out);
    print_loops_end(out, count);
    fputs("\t}\n", out);
}

/* --- reading -------------------------------------------------------------------------------------- */

/* Elements that are made before it is seen that there are bytes for them; more are made as bytes come. */
#define FIRST_ELEMENTS 1024
/* Arrays without elements that one array may have: no bytes stand behind them. */
#define MOST_EMPTY 65536

static void print_throw(struct kp_java_file *file, const struct kp_irl_property *property,
                        const char *condition)
{
    fprintf(file->body,
            "\t\tif (%s) {\n\t\t\tthrow new %s(\"%s: an array of an impossible length\");\n\t\t}\n",
            condition, kp_java_use(file, KP_JAVA_INSTANTIATION), property->name.text);
}

static void print_read_sizes(struct kp_java_file *file, const struct kp_irl_property *property)
{
    const struct kp_irl_type *type = property->resolved;
    struct kp_arena *arena = &file->arena;
    const char *product = NULL; /* of the outer lengths; a double, which no product overflows */
    bool is_product_dynamic = false;
    for (size_t i = 0; i < type->dimension_count; i++) {
        if (is_dynamic(type, i)) {
            fprintf(file->body, "\t\tfinal int size%zu = deserializer.getInt();\n", i);
            print_throw(file, property, kp_irl_format(arena, "size%zu < 0", i));
        } else {
            print_size(file->body, type, i);
        }
        if (is_dynamic(type, i) && is_product_dynamic)
            print_throw(file, property,
                        kp_irl_format(arena, "size%zu == 0 && %s > %d", i, product, MOST_EMPTY));
        product = product ? kp_irl_format(arena, "%s * size%zu", product, i)
                          : kp_irl_format(arena, "(double) size%zu", i);
        is_product_dynamic |= is_dynamic(type, i);
    }
}

/* array0 is the whole, array1 one of its elements ... */
static void print_read_level(struct kp_java_file *file, const struct kp_irl_type *type, size_t level)
{
    FILE *out = file->body;
    size_t inner = type->dimension_count - level - 1; /* dimensions of an element */
    const char *element = kp_java_element_type(file, type);
    const char *brackets = kp_java_brackets(&file->arena, inner);
    const char *math = kp_java_use(file, "java.lang.Math");
    indent(out, level + 2);
    fprintf(out, "%s[]%s array%zu = new %s[%s.min(size%zu, %d)]%s;\n", element, brackets, level, element,
            math, level, FIRST_ELEMENTS, brackets);
    indent(out, level + 2);
    fprintf(out, "for (int i%zu = 0; i%zu < size%zu; i%zu++) {\n", level, level, level, level);
    indent(out, level + 3);
    fprintf(out, "if (i%zu == array%zu.length) {\n", level, level);
    indent(out, level + 4);
    fprintf(out, "array%zu = %s.copyOf(array%zu, (int) %s.min(size%zu, 2L * i%zu));\n", level,
            kp_java_use(file, "java.util.Arrays"), level, math, level, level);
    indent(out, level + 3);
    fputs("}\n", out);
    if (inner) {
        print_read_level(file, type, level + 1);
        indent(out, level + 3);
        fprintf(out, "array%zu[i%zu] = array%zu;\n", level, level, level + 1);
    } else {
        indent(out, level + 3);
        fprintf(out, "array%zu[i%zu] = deserializer.", level, level);
        if (type->kind == KP_IRL_TYPE_ENUM)
            fprintf(out, "getEnumeration(%s.class);\n", element);
        else
            fprintf(out, "get%s();\n", kp_java_wire_name(type));
    }
    indent(out, level + 2);
    fputs("}\n", out);
}

void kp_java_array_deserialize(struct kp_java_file *file, const struct kp_irl_property *property)
{
    FILE *out = file->body;
    const struct kp_irl_type *type = property->resolved;
    fprintf(out, "\n\tprivate static %s deserialize%s(final %s deserializer) throws %s {\n",
            kp_java_type(file, type), capital_of(file, property), kp_java_use(file, KP_JAVA_DESERIALIZER),
            kp_java_use(file, KP_JAVA_INSTANTIATION));
    print_read_sizes(file, property);
    print_read_level(file, type, 0);
    fputs("\t\treturn array0;\n\t}\n", out);
}

/* --- comparing ------------------------------------------------------------------------------------ */

bool kp_java_array_needs_equal(const struct kp_irl_type *type)
{
    return type->dimension_count &&
           (kp_java_is_base(type, KP_IRL_FLOAT) || kp_java_is_base(type, KP_IRL_DOUBLE));
}

void kp_java_array_equal(struct kp_java_file *file, const struct kp_irl_property *property)
{
    FILE *out = file->body;
    const struct kp_irl_type *type = property->resolved;
    size_t count = type->dimension_count;
    const char *type_text = kp_java_type(file, type);
    fprintf(out, "\n\tprivate static boolean isEqual%s(final %s left, final %s right) {\n",
            capital_of(file, property), type_text, type_text);
    fputs("\t\tif (left == null || right == null) {\n\t\t\treturn left == right;\n\t\t}\n", out);
    for (size_t i = 0; i < count; i++) {
        indent(out, i + 2);
        fputs("if (", out);
        print_indexed(out, "left", i);
        fputs(".length != ", out);
        print_indexed(out, "right", i);
        fputs(".length) {\n", out);
        indent(out, i + 3);
        fputs("return false;\n", out);
        indent(out, i + 2);
        fputs("}\n", out);
        indent(out, i + 2);
        fprintf(out, "for (int i%zu = 0; i%zu < ", i, i);
        print_indexed(out, "left", i);
        fprintf(out, ".length; i%zu++) {\n", i);
    }
    indent(out, count + 2);
    fputs("if (isNotEqual(", out);
    print_indexed(out, "left", count);
    fputs(", ", out);
    print_indexed(out, "right", count);
    fputs(")) {\n", out);
    indent(out, count + 3);
    fputs("return false;\n", out);
    indent(out, count + 2);
    fputs("}\n", out);
    print_loops_end(out, count);
    fputs("\t\treturn true;\n\t}\n", out);
}
