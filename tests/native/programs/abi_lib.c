/* The callees of abi.c. */
#include <errno.h>
#include <math.h>

#include "abi_lib.h"
#include "counted.h"

void t_nothing(void)
{
    CALLED();
}

long t_ints(long a, long b, long c, long d, long e, long f)
{
    CALLED();
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f;
}

long t_ints_on_stack(long a, long b, long c, long d, long e, long f, long g, long h, long i, char j, short k)
{
    CALLED();
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j + 11 * k;
}

double t_doubles(double a, double b, double c, double d, double e, double f, double g, double h, double i,
                 float j)
{
    CALLED();
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}

double t_mixed(int a, double b, char c, float d, long e, double f, unsigned short g, bool h, long i, long j,
               double k)
{
    CALLED();
    return a + 2 * b + 3 * c + 4 * d + 5. * e + 6 * f + 7 * g + 8 * h + 9. * i + 10. * j + 11 * k;
}

long double t_long_double(long double a, int b, long double c)
{
    CALLED();
    return a / b + c;
}

_Complex double t_complex(_Complex double a, _Complex float b)
{
    CALLED();
    return a * b;
}

_Complex long double t_complex_long_double(_Complex long double a, long b)
{
    CALLED();
    return a * a + b;
}

__int128 t_int128(__int128 a, unsigned __int128 b)
{
    CALLED();
    return a * 3 + (__int128)(b >> 3);
}

struct two_ints t_two_ints(struct two_ints a, long b)
{
    CALLED();
    return (struct two_ints){a.b + b, a.a - b};
}

struct int_double t_int_double(struct int_double a, struct double_int b)
{
    CALLED();
    return (struct int_double){a.a + b.b, a.b + b.a};
}

struct double_int t_double_int(struct double_int a, double b)
{
    CALLED();
    return (struct double_int){a.a * b, a.b + 1};
}

struct floats3 t_floats3(struct floats3 a, float b)
{
    CALLED();
    return (struct floats3){a.z * b, a.y * b, a.x * b};
}

struct small t_small(struct small a, signed char b)
{
    CALLED();
    return (struct small){(char)(a.c + b), (short)(a.s - b)};
}

struct big t_big(struct big a, long b, struct big c)
{
    CALLED();
    for (int i = 0; i < 9; i++)
        a.v[i] += b * c.v[8 - i];
    a.d -= c.d;
    return a;
}

struct with_ld t_with_ld(struct with_ld a)
{
    CALLED();
    return (struct with_ld){a.x * 2, a.n + 1};
}

char t_char(char a)
{
    CALLED();
    return (char)(a + 100);
}

bool t_bool(int a)
{
    CALLED();
    return a;
}

float t_float(float a)
{
    CALLED();
    return a / 3;
}

v4sf t_v4sf(v4sf a, v4sf b)
{
    CALLED();
    return a * b + a;
}

__attribute__((target("avx2"))) v4df t_v4df(v4df a, v4df b)
{
    CALLED();
    return a * b + a;
}

__attribute__((target("avx512f"))) v8df t_v8df(v8df a, v8df b)
{
    CALLED();
    return a * b + a;
}

long t_sum(int count, ...)
{
    CALLED();
    va_list list;
    va_start(list, count);
    long sum = 0;
    for (int i = 0; i < count; i++)
        sum += va_arg(list, long) * (i + 1);
    va_end(list);
    return sum;
}

double t_sum_doubles(int count, ...)
{
    CALLED();
    va_list list;
    va_start(list, count);
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += i % 3 == 2 ? (double)va_arg(list, long) : va_arg(list, double) * (i + 1);
    va_end(list);
    return sum;
}

int t_vformat(char *to, unsigned long bytes, const char *format, va_list list)
{
    CALLED();
    return vsnprintf(to, bytes, format, list);
}

int t_format(char *to, unsigned long bytes, const char *format, ...)
{
    CALLED();
    va_list list;
    va_start(list, format);
    int length = t_vformat(to, bytes, format, list);
    va_end(list);
    return length;
}

/* Each a tail call of the other: with -O2 a jump through the PLT. */
long t_tail_even(long n)
{
    CALLED();
    return n == 0 ? 1 : t_tail_odd(n - 1);
}

long t_tail_odd(long n)
{
    CALLED();
    return n == 0 ? 0 : t_tail_even(n - 1);
}

long t_recursive(long n)
{
    CALLED();
    return n == 0 ? 0 : 1 + t_recursive_too(n - 1);
}

/* Compilers know where a function that calls itself is: that would be no call through the PLT. */
long t_recursive_too(long n)
{
    CALLED();
    return n == 0 ? 0 : 1 + t_recursive(n - 1);
}

int t_errno(int expected)
{
    int before = errno;
    CALLED();
    errno = expected + 1;
    return before == expected;
}

double t_rounded(double a, double b)
{
    CALLED();
    return a / b;
}

/* How far a local of the largest alignment is from it: the stack at entry must be as the ABI says. */
unsigned t_misaligned(int a, ...)
{
    CALLED();
    _Alignas(64) char local[64];
    __asm__ volatile("" ::"r"(local), "r"(a) : "memory");
    return (unsigned)((uintptr_t)local % 64 + ((uintptr_t)__builtin_frame_address(0) & 15));
}

long t_callback(long (*f)(long), long n)
{
    CALLED();
    return f(n) + f(n + 1);
}

/* Called by its address: not seen. */
void *t_own_address(void)
{
    return (void *)t_ints;
}

void *t_address(void)
{
    CALLED();
    return (void *)t_recursive;
}
