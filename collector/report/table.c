#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "util/escape.h"
#include "util/memory.h"

enum { GAP = 2, MOST_COLUMNS = 16 };

struct kp_table {
    const struct kp_table_column *columns;
    size_t column_count;
    char **cells;
    size_t cell_count, cell_capacity;
};

struct layout {
    size_t widths[MOST_COLUMNS]; /* 0: left out */
};

struct kp_table *kp_table_create(const struct kp_table_column *columns)
{
    struct kp_table *table = kp_allocate_cleared(1, sizeof *table);
    table->columns = columns;
    while (columns[table->column_count].title)
        table->column_count++;
    return table;
}

void kp_table_destroy(struct kp_table *table)
{
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table);
}

void kp_table_add(struct kp_table *table, const char *text)
{
    table->cells = kp_grow(table->cells, &table->cell_capacity, table->cell_count, sizeof *table->cells);
    table->cells[table->cell_count++] = kp_copy_text(text);
}

static size_t byte_of_column(const char *text, size_t column)
{
    size_t byte = 0;
    for (; column && text[byte]; column--) {
        size_t length = kp_utf8_length(text + byte);
        byte += length ? length : 1;
    }
    return byte;
}

char *kp_cut_middle(const char *text, size_t columns)
{
    static const char ellipsis[] = "\xe2\x80\xa6";
    size_t have = kp_utf8_columns(text);
    if (have <= columns)
        return kp_copy_text(text);
    size_t tail = columns / 2, head = columns ? columns - tail - 1 : 0;
    size_t head_bytes = byte_of_column(text, head), tail_byte = byte_of_column(text, have - tail);
    return kp_format_text("%.*s%s%s", (int)head_bytes, text, columns ? ellipsis : "", text + tail_byte);
}

static size_t total_width(const struct kp_table *table, const struct layout *layout)
{
    size_t total = 0;
    for (size_t i = 0; i < table->column_count; i++)
        if (layout->widths[i])
            total += layout->widths[i] + (total ? GAP : 0);
    return total;
}

static void measure(const struct kp_table *table, struct layout *layout)
{
    for (size_t i = 0; i < table->column_count; i++)
        layout->widths[i] = kp_utf8_columns(table->columns[i].title);
    for (size_t i = 0; i < table->cell_count; i++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): cells come in rows of columns */
        size_t columns = kp_utf8_columns(table->cells[i]), *width = &layout->widths[i % table->column_count];
        if (columns > *width)
            *width = columns;
    }
}

/* The widths with every elastic column at its least. */
static struct layout squeeze(const struct kp_table *table, const struct layout *layout)
{
    struct layout least = *layout;
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].least && least.widths[i] > table->columns[i].least)
            least.widths[i] = table->columns[i].least;
    return least;
}

static bool drop_column(const struct kp_table *table, struct layout *layout)
{
    size_t victim = table->column_count;
    for (size_t i = 0; i < table->column_count; i++)
        if (layout->widths[i] && table->columns[i].rank &&
            (victim == table->column_count || table->columns[i].rank > table->columns[victim].rank))
            victim = i;
    if (victim == table->column_count)
        return false;
    layout->widths[victim] = 0;
    return true;
}

/* Takes columns from the widest elastic one until all fit. */
static void shrink(const struct kp_table *table, struct layout *layout, unsigned width)
{
    for (size_t total = total_width(table, layout); total > width; total--) {
        size_t widest = table->column_count;
        for (size_t i = 0; i < table->column_count; i++)
            if (table->columns[i].least && layout->widths[i] > table->columns[i].least &&
                (widest == table->column_count || layout->widths[i] > layout->widths[widest]))
                widest = i;
        if (widest == table->column_count)
            return;
        layout->widths[widest]--;
    }
}

static void fit(const struct kp_table *table, struct layout *layout, unsigned width)
{
    for (;;) {
        struct layout least = squeeze(table, layout);
        if (total_width(table, &least) <= width || !drop_column(table, layout))
            break;
    }
    shrink(table, layout, width);
}

static void print_padding(FILE *file, size_t columns)
{
    fprintf(file, "%*s", (int)columns, "");
}

static void print_row(const struct kp_table *table, const struct layout *layout, char *const *cells,
                      FILE *file, bool color, bool title)
{
    bool first = true;
    size_t owed = 0; /* padding not printed yet: none at the end of a line */
    for (size_t i = 0; i < table->column_count; i++) {
        size_t width = layout->widths[i];
        if (!width)
            continue;
        char *text = kp_cut_middle(title ? table->columns[i].title : cells[i], width);
        size_t pad = width - kp_utf8_columns(text);
        enum kp_color paint = title ? KP_COLOR_BOLD : table->columns[i].color;
        owed += (first ? 0 : GAP) + (table->columns[i].right ? pad : 0);
        if (*text) {
            print_padding(file, owed);
            fprintf(file, "%s%s%s", kp_color_on(color, paint), text, kp_color_off(color, paint));
            owed = 0;
        }
        owed += table->columns[i].right ? 0 : pad;
        first = false;
        free(text);
    }
    putc('\n', file);
}

void kp_table_print(const struct kp_table *table, FILE *file, unsigned width, bool color)
{
    struct layout layout = {0};
    measure(table, &layout);
    if (width)
        fit(table, &layout, width);
    print_row(table, &layout, NULL, file, color, true);
    for (size_t i = 0; i + table->column_count <= table->cell_count; i += table->column_count)
        print_row(table, &layout, &table->cells[i], file, color, false);
}
