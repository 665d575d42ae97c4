/* A process that may not make memory executable (PR_SET_MDWE, Linux 6.3), from its very start. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE              65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

long t_work(long n);
long t_outer(long n);

int main(int argc, char **argv)
{
    if (argc == 1) {
        if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0)) {
            printf("this kernel has no PR_SET_MDWE: %s\n", strerror(errno));
            return 77;
        }
        execl("/proc/self/exe", argv[0], "again", (char *)NULL);
        return 1;
    }
    void *refused = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long sum = 0;
    for (int i = 0; i < 1000; i++)
        sum += t_outer(i) + t_work(i);
    printf("refused %d, sum %ld\n", refused == MAP_FAILED, sum);
    return 0;
}
