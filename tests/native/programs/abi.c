/* Arguments, results, the state of the processor and pointers to functions, as this caller sees them. */
#include <errno.h>
#include <fenv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi_lib.h"

static void numbers(void)
{
    t_nothing();
    printf("ints %ld\n", t_ints(1, -2, 3, -4, 5, -6));
    printf("on stack %ld\n", t_ints_on_stack(1, 2, 3, 4, 5, 6, 7, 8, 9, -10, -11));
    printf("doubles %.17g\n", t_doubles(1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5f));
    printf("mixed %.17g\n", t_mixed(-1, 2.25, -3, 4.5f, -5, 6.75, 7, true, -9, 10, 11.125));
    printf("long double %.20Lg\n", t_long_double(1.0L / 3, 7, 1e-4000L));
    _Complex double c = t_complex(1.5 + 2.5 * I, 3.0f - 4.0f * I);
    printf("complex %.17g %.17g\n", creal(c), cimag(c));
    _Complex long double cl = t_complex_long_double(1.0L / 3 + 2.0L / 7 * I, 5);
    printf("complex long double %.20Lg %.20Lg\n", creall(cl), cimagl(cl));
    __int128 wide = t_int128((__int128)1 << 100 | 12345, (unsigned __int128)7 << 90);
    printf("int128 %016lx %016lx\n", (unsigned long)(wide >> 64), (unsigned long)wide);
    printf("char %d bool %d float %.9g\n", t_char(100), t_bool(0x100), t_float(1.0f));
    v4sf v = t_v4sf((v4sf){1, 2, 3, 4}, (v4sf){5, 6, 7, 8});
    printf("vector %g %g %g %g\n", v[0], v[1], v[2], v[3]);
}

static void structures(void)
{
    struct two_ints a = t_two_ints((struct two_ints){1, 2}, 3);
    struct int_double b = t_int_double((struct int_double){4, 5.5}, (struct double_int){6.5, 7});
    struct double_int c = t_double_int((struct double_int){8.5, 9}, 1.5);
    struct floats3 d = t_floats3((struct floats3){1, 2, 3}, 1.5f);
    struct small e = t_small((struct small){'a', 1000}, -2);
    printf("%ld %ld, %ld %g, %g %ld, %g %g %g, %d %d\n", a.a, a.b, b.a, b.b, c.a, c.b, d.x, d.y, d.z, e.c,
           e.s);
    struct big f = {{1, 2, 3, 4, 5, 6, 7, 8, 9}, 10.5}, g = {{9, 8, 7, 6, 5, 4, 3, 2, 1}, 0.25};
    f = t_big(f, 100, g);
    printf("big %ld %ld %ld %g\n", f.v[0], f.v[4], f.v[8], f.d);
    struct with_ld h = t_with_ld((struct with_ld){1.25L, 41});
    printf("with long double %Lg %d\n", h.x, h.n);
}

static void variadic(void)
{
    printf("sum %ld\n", t_sum(9, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L));
    printf("sum of doubles %.17g\n",
           t_sum_doubles(12, 1.5, 2.5, 3L, 4.5, 5.5, 6L, 7.5, 8.5, 9L, 10.5, 11.5, 12L));
    char text[200];
    int length = t_format(text, sizeof text, "%d %s %g %Lg %c %ld %g %g %g %g %g %g %g %g", 1, "two", 3.5,
                          4.5L, '5', 6L, 7., 8., 9., 10., 11., 12., 13., 14.);
    printf("format %d %s\n", length, text);
    printf("misaligned %u %u\n", t_misaligned(1), t_misaligned(1, 2, 3, 4, 5, 6, 7, 8, 9.5, 10.5L));
}

static long twice(long n)
{
    return 2 * t_ints(n, 0, 0, 0, 0, 0);
}

static void depth(void)
{
    printf("tail calls %ld %ld\n", t_tail_even(100000), t_tail_odd(77777));
    printf("recursion %ld\n", t_recursive(2000));
    printf("callback %ld\n", t_callback(twice, 20));
}

static void state(void)
{
    errno = 4711;
    int kept = t_errno(4711), left = errno;
    printf("errno %d %d\n", kept, left);
    for (unsigned i = 0; i < 4; i++) {
        static const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
        fesetround(modes[i]);
        feclearexcept(FE_ALL_EXCEPT);
        double third = t_rounded(1, 3);
        long double x87 = t_long_double(1, 3, 0);
        int raised = fetestexcept(FE_ALL_EXCEPT);
        fesetround(FE_TONEAREST);
        printf("rounding %u: %a %La, inexact %d\n", i, third, x87, raised == FE_INEXACT);
    }
}

/* The wide registers as arguments and result, where the processor has them. */
__attribute__((target("avx2"))) static void ymm(void)
{
    v4df r = t_v4df((v4df){1, 2, 3, 4}, (v4df){.5, .25, .5, .25});
    printf("ymm %g %g %g %g\n", r[0], r[1], r[2], r[3]);
}

__attribute__((target("avx512f"))) static void zmm(void)
{
    v8df r = t_v8df((v8df){1, 2, 3, 4, 5, 6, 7, 8}, (v8df){.5, .25, .5, .25, .5, .25, .5, .25});
    printf("zmm %g %g %g %g\n", r[0], r[3], r[5], r[7]);
}

/* The address of a function is the same for all who take it. */
static void identity(void)
{
    void *(*volatile first)(void) = t_own_address;
    printf("same address %d %d\n", first() == (void *)t_ints, t_address() == (void *)t_recursive);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    for (int i = 0; i < rounds; i++) {
        numbers();
        structures();
        variadic();
        state();
        identity();
    }
    if (argc < 3)
        depth();
    if (__builtin_cpu_supports("avx2"))
        ymm();
    if (__builtin_cpu_supports("avx512f"))
        zmm();
    return 0;
}
