#include "nearest.h"

#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned min(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: three rows of the matrix are all that a swap looks back. */
unsigned kp_nearest_distance(const char *a, const char *b)
{
    unsigned char rows[3][KP_NEAREST_MAX_BYTES + 1];
    size_t a_bytes = strlen(a), b_bytes = strlen(b);
    if (a_bytes > KP_NEAREST_MAX_BYTES || b_bytes > KP_NEAREST_MAX_BYTES)
        return KP_NEAREST_MAX_BYTES + 1;
    for (size_t j = 0; j <= b_bytes; j++)
        rows[0][j] = (unsigned char)j;
    for (size_t i = 1; i <= a_bytes; i++) {
        unsigned char *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = (unsigned char)i;
        for (size_t j = 1; j <= b_bytes; j++) {
            unsigned change = lower(a[i - 1]) != lower(b[j - 1]);
            unsigned best = min(min(above[j] + 1u, row[j - 1] + 1u), above[j - 1] + change);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                best = min(best, above2[j - 2] + 1u);
            row[j] = (unsigned char)best;
        }
    }
    return rows[a_bytes % 3][b_bytes];
}

int kp_nearest_plausible(const char *name, unsigned distance)
{
    return distance <= 1 + strlen(name) / 4 && distance < strlen(name);
}
