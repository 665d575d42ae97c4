/* What native_calls.py has called. */
long kp_bench_callee(long a, long b);

long kp_bench_callee(long a, long b)
{
    __asm__ volatile("");
    return a + b;
}
