/* Records with something in every member. */
#ifndef SAMPLES_H
#define SAMPLES_H

#include "test/every/dynamic.h"
#include "test/every/fixed.h"
#include "test/every/mixed.h"
#include "test/every/scalars.h"

static const int32_t sample_matrix[] = {1, 2, 3, 4, 5, 6};
static const char *const sample_pairs[] = {"a", "bb", "ccc", NULL};
static const int64_t sample_cube[] = {1, -2, 3, -4, 5, -6};
static const test_every_colour sample_shades[] = {TEST_EVERY_COLOUR_RED, TEST_EVERY_COLOUR_DARK};
static const int32_t sample_odd[450] = {[0] = 11, [449] = -12};

static inline test_every_mixed sample_mixed(void)
{
    test_every_mixed value = TEST_EVERY_MIXED_INIT;
    value.before = -1;
    value.matrix = sample_matrix;
    value.matrix_size0 = 2;
    value.matrix_size1 = 3;
    value.pairs = sample_pairs;
    value.pairs_size1 = 2;
    value.cube = sample_cube;
    value.cube_size0 = 1;
    value.cube_size2 = 2;
    value.shades = sample_shades;
    value.shades_size0 = 1;
    value.odd = sample_odd;
    value.odd_size2 = 1;
    return value;
}

static const bool sample_flags[] = {true, false};
static const int8_t sample_bytes[] = {-1, 127};
static const uint16_t sample_letters[] = {'a', 0x20ac};
static const float sample_floats[] = {1.5f, -0.0f};
static const double sample_doubles[] = {0.1, 1e300};

static inline test_every_dynamic sample_dynamic(void)
{
    test_every_dynamic value = TEST_EVERY_DYNAMIC_INIT;
    value.flags = sample_flags;
    value.bytes = sample_bytes;
    value.letters = sample_letters;
    value.floats = sample_floats;
    value.doubles = sample_doubles;
    value.flags_size0 = value.bytes_size0 = value.letters_size0 = value.floats_size0 = value.doubles_size0 =
        2;
    value.behind = 99;
    return value;
}

#endif
