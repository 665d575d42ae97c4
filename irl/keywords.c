#include "keywords.h"

#include <stdlib.h>
#include <string.h>

/* In order of the words' bytes. */
static const struct row {
    const char *word;
    unsigned languages;
} rows[] = {
#define KP_IRL_KEYWORD(languages, word) {word, languages},
#include "keywords.def"
#undef KP_IRL_KEYWORD
};

static int compare(const void *word, const void *row)
{
    return strcmp(word, ((const struct row *)row)->word);
}

unsigned kp_irl_keyword(const char *word)
{
    const struct row *row = bsearch(word, rows, sizeof rows / sizeof *rows, sizeof *rows, compare);
    return row ? row->languages : 0;
}
