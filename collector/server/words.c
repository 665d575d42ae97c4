#include "words.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static bool parse(const char *text, const char *const *units, const uint64_t *factors, size_t count,
                  uint64_t *value)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    uint64_t number = strtoull(text, &end, 10);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(end, units[i])) {
            *value = number * factors[i];
            return number <= UINT64_MAX / factors[i] && number < UINT64_MAX;
        }
    return false;
}

bool kp_parse_size(const char *text, uint64_t *bytes)
{
    static const char *const units[] = {"", "K", "M", "G", "T"};
    static const uint64_t factors[] = {1, 1ull << 10, 1ull << 20, 1ull << 30, 1ull << 40};
    return parse(text, units, factors, 5, bytes);
}

bool kp_parse_time(const char *text, uint64_t *ms)
{
    static const char *const units[] = {"", "ms", "s", "m", "h", "d"};
    static const uint64_t factors[] = {1000, 1, 1000, 60000, 3600000, 86400000};
    return parse(text, units, factors, 6, ms);
}
