/* Calls the functions of short_lib.S, and counts for them. */
#include <stdio.h>

#include "counted.h"

#define FUNCTIONS(X)                                                                                         \
    X(t_before, 0)                                                                                           \
    X(t_return, 0)                                                                                           \
    X(t_after, 0)                                                                                            \
    X(t_padded, 0)                                                                                           \
    X(t_identity, 11)                                                                                        \
    X(t_endbr, 12)                                                                                           \
    X(t_only_endbr, 0)                                                                                       \
    X(t_jump, 0)                                                                                             \
    X(t_jump_outside, 13)                                                                                    \
    X(t_loop, 5)                                                                                             \
    X(t_back, 6)                                                                                             \
    X(t_unsized, 14)                                                                                         \
    X(t_call, 0)                                                                                             \
    X(t_relative, 0)                                                                                         \
    X(t_compare, 0)                                                                                          \
    X(t_branch, 1)                                                                                           \
    X(t_no_count, 0)                                                                                         \
    X(t_counted, 7)                                                                                          \
    X(t_falls, 8)                                                                                            \
    X(t_fallen, 9)                                                                                           \
    X(t_pushed, 10)                                                                                          \
    X(t_carry, 11)                                                                                           \
    X(t_last, 0)

#define DECLARE(name, argument) long name(long);
FUNCTIONS(DECLARE)

/* Those without an argument need not have a result either. t_loop adds to what happens to be in eax. */
#define CALL(name, argument)                                                                                 \
    do {                                                                                                     \
        COUNT_AS(#name);                                                                                     \
        long result = name(argument);                                                                        \
        if ((argument) != 0 && name != t_loop)                                                               \
            sum += (int)result;                                                                              \
    } while (0);

int main(void)
{
    long sum = 0;
    for (int i = 0; i < 1000; i++) {
        FUNCTIONS(CALL)
        COUNT_AS("t_identity"); /* by t_jump_outside */
    }
    printf("sum %ld, %ld %ld %ld\n", sum, t_relative(0), t_jump(0), t_call(0));
    COUNT_AS("t_relative");
    COUNT_AS("t_jump");
    COUNT_AS("t_call");
    return 0;
}
