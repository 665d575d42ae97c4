#include "references.h"

#include <emmintrin.h>
#include <string.h>

/* Immediate operands stand behind the displacement, which counts from the end of the instruction. */
static const uint8_t behind[] = {0, 1, 2, 4};

struct search {
    uintptr_t low, high;
    void (*found)(void *user, uintptr_t word, const uint8_t *displacement, bool call);
    void *user;
};

static void look(const struct search *search, const uint8_t *text, const uint8_t *at)
{
    int32_t displacement;
    uintptr_t end;

    /* ModRM without a base register. */
    if (at - text < 2 || (at[-1] & 0xc7) != 0x05)
        return;
    memcpy(&displacement, at, sizeof displacement);
    end = (uintptr_t)(at + 4) + (uintptr_t)(intptr_t)displacement;
    for (unsigned i = 0; i < sizeof behind; i++) {
        uintptr_t word = end + behind[i];
        bool call = i == 0 && at[-2] == 0xff && (at[-1] == 0x15 || at[-1] == 0x25);

        if (word >= search->low && word < search->high && word % 8 == 0)
            search->found(search->user, word, at, call);
    }
}

/*
 * The sums of displacement and place are compared in 32 bits, for four places at a time and four such groups
 * in one turn. `ends` are the ends of displacements at those places less the start of the table, less 2^31,
 * so that a signed comparison does.
 */
struct groups {
    __m128i ends[4], limit;
};

static struct groups first_groups(const uint8_t *at, uint32_t low, uint32_t span)
{
    const __m128i flip = _mm_set1_epi32((int)0x80000000u);
    struct groups groups;

    for (unsigned k = 0; k < 4; k++) {
        __m128i end = _mm_set1_epi32((int)((uint32_t)(uintptr_t)at + k + 4 - low));

        groups.ends[k] = _mm_xor_si128(_mm_add_epi32(end, _mm_set_epi32(12, 8, 4, 0)), flip);
    }
    groups.limit = _mm_xor_si128(_mm_set1_epi32((int)span), flip);
    return groups;
}

/* Whether any of the 16 places from `at` on may hold a displacement to the table. Moves on to the next 16. */
static inline bool any_of_16(const uint8_t *at, struct groups *groups)
{
    const __m128i step = _mm_set1_epi32(16);
    __m128i hits = _mm_setzero_si128();

    for (unsigned k = 0; k < 4; k++) {
        __m128i sum = _mm_add_epi32(_mm_loadu_si128((const __m128i *)(at + k)), groups->ends[k]);

        hits = _mm_or_si128(hits, _mm_cmplt_epi32(sum, groups->limit));
        groups->ends[k] = _mm_add_epi32(groups->ends[k], step);
    }
    return _mm_movemask_epi8(hits) != 0;
}

void kp_references_find(const uint8_t *text, size_t bytes, uintptr_t low, uintptr_t high,
                        void (*found)(void *user, uintptr_t word, const uint8_t *displacement, bool call),
                        void *user)
{
    const struct search search = {low, high, found, user};
    struct groups groups = first_groups(text, (uint32_t)low - 4, (uint32_t)(high - low) + 4);
    size_t at = 0;

    for (; at + 19 <= bytes; at += 16)
        if (__builtin_expect(any_of_16(text + at, &groups), 0))
            for (size_t i = at; i < at + 16; i++)
                look(&search, text, text + i);
    for (; at + 4 <= bytes; at++)
        look(&search, text, text + at);
}
