#include "format.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct unit {
    const char *name;
    uint64_t ns;
} units[] = {
    {"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"ns", 1}, {"m", UINT64_C(60000000000)},
};
enum { SHOWN_UNITS = 3, ALL_UNITS = sizeof units / sizeof *units };

static char *format_long(char *text, uint64_t seconds)
{
    if (seconds < 3600)
        snprintf(text, KP_FORMAT_BYTES, "%" PRIu64 " m %02" PRIu64 " s", seconds / 60, seconds % 60);
    else
        snprintf(text, KP_FORMAT_BYTES, "%" PRIu64 " h %02" PRIu64 " m", seconds / 3600, seconds / 60 % 60);
    return text;
}

char *kp_format_duration(char text[KP_FORMAT_BYTES], uint64_t ns)
{
    if (ns >= UINT64_C(600000000000))
        return format_long(text, ns / 1000000000);
    for (size_t i = 0; i < SHOWN_UNITS; i++) {
        if (ns < units[i].ns)
            continue;
        double value = (double)ns / (double)units[i].ns;
        int decimals = value < 9.9995 ? 3 : value < 99.995 ? 2 : 1;
        snprintf(text, KP_FORMAT_BYTES, "%.*f %s", decimals, value, units[i].name);
        return text;
    }
    snprintf(text, KP_FORMAT_BYTES, "%" PRIu64 " ns", ns);
    return text;
}

char *kp_format_count(char text[KP_FORMAT_BYTES], uint64_t count)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, count);
    char *out = text;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
    return text;
}

char *kp_format_size(char text[KP_FORMAT_BYTES], uint64_t bytes)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024 && unit < 4; unit++)
        value /= 1024;
    snprintf(text, KP_FORMAT_BYTES, unit ? "%.1f %s" : "%.0f %s", value, names[unit]);
    return text;
}

char *kp_format_time(char text[KP_FORMAT_BYTES], uint64_t epoch_ns)
{
    time_t seconds = (time_t)(epoch_ns / 1000000000);
    struct tm parts;
    char date[24];
    strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", gmtime_r(&seconds, &parts));
    snprintf(text, KP_FORMAT_BYTES, "%s.%06u UTC", date, (unsigned)(epoch_ns % 1000000000 / 1000));
    return text;
}

bool kp_parse_duration(const char *text, uint64_t *ns)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || !isfinite(value) || value < 0)
        return false;
    while (*end == ' ')
        end++;
    for (size_t i = 0; i < ALL_UNITS; i++) {
        double scaled = value * (double)units[i].ns;
        if (strcmp(end, units[i].name) || scaled > 1.8e19)
            continue;
        *ns = (uint64_t)scaled;
        return true;
    }
    *ns = value < 1.8e19 ? (uint64_t)value : 0;
    return *end == '\0' && value < 1.8e19;
}
