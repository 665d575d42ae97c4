#include "report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

/* What is kept; of the rest only the number is known. */
#define MOST_REPORTS 20000
/* Columns of a source line that are shown. */
#define SHOWN_COLUMNS 120
#define TAB_COLUMNS   4
/* Of a line that is longer than this, only the surroundings of the place. */
#define LOOKED_AT_BYTES 1024

struct message {
    struct kp_irl_span span;
    const char *text;
};

struct report {
    struct message message;
    enum kp_irl_code code;
    size_t number; /* order of arrival */
    struct {
        struct message *items;
        size_t count, room;
    } notes;
};

struct kp_irl_reports {
    struct kp_arena arena;
    struct {
        struct report **items;
        size_t count, room;
    } list;
    struct kp_irl_names_table known; /* by place and text */
    struct report *newest;           /* NULL when that was known already */
    size_t counts[KP_IRL_ERROR + 1];
};

static const struct {
    const char *name;
    enum kp_irl_severity severity;
} codes[KP_IRL_CODE_COUNT] = {
#define KP_IRL_CODE(number, severity, title) {"IRL" #number, severity},
#include "codes.def"
#undef KP_IRL_CODE
};

struct kp_irl_reports *kp_irl_reports_create(void)
{
    struct kp_arena arena = {0};
    struct kp_irl_reports *reports = kp_irl_get(&arena, sizeof *reports);
    reports->arena = arena;
    return reports;
}

void kp_irl_reports_destroy(struct kp_irl_reports *reports)
{
    struct kp_arena arena = reports->arena;
    kp_arena_free(&arena);
}

size_t kp_irl_reports_errors(const struct kp_irl_reports *reports)
{
    return reports->counts[KP_IRL_ERROR];
}

size_t kp_irl_reports_warnings(const struct kp_irl_reports *reports)
{
    return reports->counts[KP_IRL_WARNING];
}

static struct message make_message(struct kp_irl_reports *reports, struct kp_irl_span span,
                                   const char *format, va_list arguments)
{
    char *text;
    struct message message = {.span = span, .text = ""};
    if (vasprintf(&text, format, arguments) < 0)
        return message;
    message.text = kp_irl_copy(&reports->arena, text, strlen(text));
    free(text);
    return message;
}

enum kp_irl_severity kp_irl_code_severity(enum kp_irl_code code)
{
    return codes[code].severity;
}

void kp_irl_report(struct kp_irl_reports *reports, enum kp_irl_code code, struct kp_irl_span span,
                   const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    kp_irl_vreport(reports, code, span, format, arguments);
    va_end(arguments);
}

void kp_irl_vreport(struct kp_irl_reports *reports, enum kp_irl_code code, struct kp_irl_span span,
                    const char *format, va_list arguments)
{
    reports->newest = NULL;
    if (reports->list.count == MOST_REPORTS) {
        reports->counts[codes[code].severity]++;
        return;
    }
    struct message message = make_message(reports, span, format, arguments);
    const char *key = kp_irl_format(&reports->arena, "%zu %u %d %s", span.file ? span.file->number : 0,
                                    span.begin, code, message.text);
    void **known = kp_irl_names_put(&reports->arena, &reports->known, key);
    if (*known)
        return;
    struct report *report = kp_irl_get(&reports->arena, sizeof *report);
    *report = (struct report){.message = message, .code = code, .number = reports->list.count};
    *known = reports->newest = report;
    reports->counts[codes[code].severity]++;
    KP_IRL_APPEND(&reports->arena, &reports->list, report);
}

void kp_irl_report_note(struct kp_irl_reports *reports, struct kp_irl_span span, const char *format, ...)
{
    if (!reports->newest)
        return;
    va_list arguments;
    va_start(arguments, format);
    struct message message = make_message(reports, span, format, arguments);
    va_end(arguments);
    KP_IRL_APPEND(&reports->arena, &reports->newest->notes, message);
}

/* --- places -------------------------------------------------------------------------------------- */

/* The line (from 0) of an offset. */
static size_t find_line(const struct kp_irl_file *file, uint32_t offset)
{
    size_t low = 0, high = file->line_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (file->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* A place in a file. Places that are asked for in their order cost no more than reading the text once. */
struct cursor {
    const struct kp_irl_file *file;
    uint32_t offset;
    unsigned line, column; /* from 1 */
};

static void move_cursor(struct cursor *cursor, const struct kp_irl_file *file, uint32_t offset)
{
    size_t index = find_line(file, offset);
    if (cursor->file != file || cursor->line != index + 1 || cursor->offset > offset)
        *cursor = (struct cursor){file, file->line_count ? file->lines[index] : 0, (unsigned)index + 1, 1};
    for (; cursor->offset < offset && cursor->offset < file->text_bytes; cursor->offset++)
        cursor->column += !continues(file->text[cursor->offset]);
}

void kp_irl_place(const struct kp_irl_file *file, uint32_t offset, unsigned *line, unsigned *column)
{
    struct cursor cursor = {0};
    move_cursor(&cursor, file, offset);
    *line = cursor.line;
    *column = cursor.column;
}

/* --- printing ------------------------------------------------------------------------------------ */

struct colors {
    const char *place, *severity[KP_IRL_ERROR + 1], *caret, *end;
};

static const struct colors no_colors = {"", {"", "", ""}, "", ""};
static const struct colors all_colors = {
    "\033[1m", {"\033[1;36m", "\033[1;35m", "\033[1;31m"}, "\033[1;32m", "\033[0m"};
static const char *const severities[] = {"note", "warning", "error"};

/* Bytes of the UTF-8 character here; 0: it is none. */
static size_t character_bytes(const char *text, size_t left)
{
    unsigned char lead = (unsigned char)*text;
    size_t bytes = lead < 0x80                   ? 1
                   : lead >= 0xf0 && lead < 0xf5 ? 4
                   : lead >= 0xe0                ? 3
                   : lead >= 0xc2                ? 2
                                                 : 0;
    if (!bytes || bytes > left)
        return 0;
    for (size_t i = 1; i < bytes; i++)
        if (!continues(text[i]))
            return 0;
    return bytes;
}

/* One source line as it is shown: tabs are blanks, what cannot be shown is a mark. */
struct shown {
    FILE *file;
    size_t column;    /* of the next character */
    size_t from, end; /* columns shown */
};

static void show(struct shown *shown, const char *text, size_t bytes)
{
    if (shown->column >= shown->from && shown->column < shown->end)
        fwrite(text, 1, bytes, shown->file);
    shown->column++;
}

static size_t show_character(struct shown *shown, const char *text, size_t left)
{
    size_t bytes = character_bytes(text, left);
    if (*text == '\t')
        do
            show(shown, " ", 1);
        while (shown->column % TAB_COLUMNS);
    else if (!bytes || (unsigned char)*text < ' ' || *text == 0x7f)
        show(shown, "\xef\xbf\xbd", 3);
    else
        show(shown, text, bytes);
    return bytes ? bytes : 1;
}

/* Columns before the character at `offset`, as shown. */
static size_t count_columns(const char *line, size_t bytes, size_t offset)
{
    struct shown nowhere = {0};
    for (size_t at = 0; at < offset;)
        at += show_character(&nowhere, line + at, bytes - at);
    return nowhere.column;
}

/* The part of a line that is looked at: all of it, unless it is so long that this would take its time. */
static size_t cut_line(const char **line, size_t bytes, size_t *at, size_t *behind)
{
    if (bytes <= LOOKED_AT_BYTES)
        return bytes;
    size_t cut = *at > LOOKED_AT_BYTES / 2 ? *at - LOOKED_AT_BYTES / 2 : 0;
    while (cut < *at && continues((*line)[cut]))
        cut++;
    *line += cut;
    *at -= cut;
    *behind -= cut;
    bytes = bytes - cut < LOOKED_AT_BYTES ? bytes - cut : LOOKED_AT_BYTES;
    *behind = *behind < bytes ? *behind : bytes;
    return bytes;
}

static void print_source(struct kp_irl_span span, FILE *file, const struct colors *colors)
{
    size_t index = find_line(span.file, span.begin), begin = span.file->lines[index];
    const char *line = span.file->text + begin;
    size_t end = index + 1 < span.file->line_count ? span.file->lines[index + 1] : span.file->text_bytes;
    size_t bytes = end - begin;
    while (bytes && (line[bytes - 1] == '\n' || line[bytes - 1] == '\r'))
        bytes--;
    size_t at = span.begin - begin < bytes ? span.begin - begin : bytes;
    size_t behind = span.end - begin < bytes ? span.end - begin : bytes;
    bytes = cut_line(&line, bytes, &at, &behind);
    size_t caret = count_columns(line, bytes, at);
    size_t width = behind > at ? count_columns(line, bytes, behind) - caret : 0;

    struct shown shown = {.file = file,
                          .from = caret > SHOWN_COLUMNS * 2 / 3 ? caret - SHOWN_COLUMNS / 2 : 0};
    shown.end = shown.from + SHOWN_COLUMNS;
    if (caret + width > shown.end)
        width = shown.end - caret;
    fprintf(file, "%5zu | ", index + 1);
    for (size_t i = 0; i < bytes && shown.column < shown.end;)
        i += show_character(&shown, line + i, bytes - i);
    fprintf(file, "\n      | %*s%s^", (int)(caret - shown.from), "", colors->caret);
    for (size_t i = 1; i < width; i++)
        fputc('~', file);
    fprintf(file, "%s\n", colors->end);
}

static void print_message(const struct message *message, enum kp_irl_severity severity, const char *code,
                          struct cursor *cursor, FILE *file, const struct colors *colors)
{
    const struct kp_irl_file *source = message->span.file;
    if (!source)
        fprintf(file, "%skprobe irl:%s ", colors->place, colors->end);
    else if (!source->text)
        fprintf(file, "%s%s:%s ", colors->place, source->path, colors->end);
    else {
        move_cursor(cursor, source, message->span.begin);
        fprintf(file, "%s%s:%u:%u:%s ", colors->place, source->path, cursor->line, cursor->column,
                colors->end);
    }
    fprintf(file, "%s%s:%s %s", colors->severity[severity], severities[severity], colors->end, message->text);
    if (code)
        fprintf(file, " [%s]", code);
    fputc('\n', file);
    if (source && source->text && source->line_count)
        print_source(message->span, file, colors);
}

static int compare_reports(const void *left, const void *right)
{
    const struct report *a = *(struct report *const *)left, *b = *(struct report *const *)right;
    size_t in_a = a->message.span.file ? a->message.span.file->number + 1 : 0;
    size_t in_b = b->message.span.file ? b->message.span.file->number + 1 : 0;
    if (in_a != in_b)
        return in_a < in_b ? -1 : 1;
    if (a->message.span.begin != b->message.span.begin)
        return a->message.span.begin < b->message.span.begin ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

void kp_irl_reports_print(const struct kp_irl_reports *reports, FILE *file, bool color, size_t most)
{
    const struct colors *colors = color ? &all_colors : &no_colors;
    struct report **sorted = reports->list.items;
    struct cursor cursor = {0}, note_cursor = {0};
    size_t errors = 0;
    /* Their order in the list means nothing to anybody else. */
    if (reports->list.count)
        qsort(sorted, reports->list.count, sizeof *sorted, compare_reports);
    for (size_t i = 0; i < reports->list.count; i++) {
        const struct report *report = sorted[i];
        if (codes[report->code].severity == KP_IRL_ERROR && most && errors == most)
            break;
        errors += codes[report->code].severity == KP_IRL_ERROR;
        print_message(&report->message, codes[report->code].severity, codes[report->code].name, &cursor, file,
                      colors);
        for (size_t n = 0; n < report->notes.count; n++)
            print_message(&report->notes.items[n], KP_IRL_NOTE, NULL, &note_cursor, file, colors);
    }
    if (errors < kp_irl_reports_errors(reports))
        fprintf(file, "kprobe irl: %zu more errors are not shown\n", kp_irl_reports_errors(reports) - errors);
}
