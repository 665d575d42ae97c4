/* What native_calls.py and sink_speed.py have called. */
long kp_bench_callee(long a, long b);

long kp_bench_callee(long a, long b)
{
    __asm__ volatile("");
    return a + b;
}

/* Calls that are made in it are not roots of traces. */
long kp_bench_within(long (*work)(long), long number);

long kp_bench_within(long (*work)(long), long number)
{
    return work(number);
}
