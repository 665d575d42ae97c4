/* What the psABI says about arguments and results, a function for each rule. Shared by C and C++. */
#ifndef ABI_LIB_H
#define ABI_LIB_H

#include <complex.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

struct two_ints {
    long a, b;
};
struct int_double {
    long a;
    double b;
};
struct double_int {
    double a;
    long b;
};
struct floats3 {
    float x, y, z;
};
struct small {
    char c;
    short s;
};
struct big {
    long v[9];
    double d;
};
struct with_ld {
    long double x;
    int n;
};
typedef float v4sf __attribute__((vector_size(16)));
typedef double v4df __attribute__((vector_size(32)));
typedef double v8df __attribute__((vector_size(64)));

void t_nothing(void);
long t_ints(long a, long b, long c, long d, long e, long f);
long t_ints_on_stack(long a, long b, long c, long d, long e, long f, long g, long h, long i, char j, short k);
double t_doubles(double a, double b, double c, double d, double e, double f, double g, double h, double i,
                 float j);
double t_mixed(int a, double b, char c, float d, long e, double f, unsigned short g, bool h, long i, long j,
               double k);
long double t_long_double(long double a, int b, long double c);
_Complex double t_complex(_Complex double a, _Complex float b);
_Complex long double t_complex_long_double(_Complex long double a, long b);
__int128 t_int128(__int128 a, unsigned __int128 b);
struct two_ints t_two_ints(struct two_ints a, long b);
struct int_double t_int_double(struct int_double a, struct double_int b);
struct double_int t_double_int(struct double_int a, double b);
struct floats3 t_floats3(struct floats3 a, float b);
struct small t_small(struct small a, signed char b);
struct big t_big(struct big a, long b, struct big c);
struct with_ld t_with_ld(struct with_ld a);
char t_char(char a);
bool t_bool(int a);
float t_float(float a);
v4sf t_v4sf(v4sf a, v4sf b);
__attribute__((target("avx2"))) v4df t_v4df(v4df a, v4df b);
__attribute__((target("avx512f"))) v8df t_v8df(v8df a, v8df b);
long t_sum(int count, ...);
double t_sum_doubles(int count, ...);
int t_format(char *to, unsigned long bytes, const char *format, ...);
int t_vformat(char *to, unsigned long bytes, const char *format, va_list list);
long t_tail_even(long n);
long t_tail_odd(long n);
long t_recursive(long n);
long t_recursive_too(long n);
int t_errno(int expected);
double t_rounded(double a, double b);
unsigned t_misaligned(int a, ...);
long t_callback(long (*f)(long), long n);
void *t_own_address(void);
void *t_address(void);

#endif
