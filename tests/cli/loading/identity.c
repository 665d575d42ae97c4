/*
 * Addresses of functions mean the same wherever they are taken, and a program that is not position
 * independent, whose PLT entries are its functions' addresses, calls what it means to.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int compare_fn(const void *, const void *);

int helper(int value);
int library_calls_back(int value);
void *library_address(const char *name);
pid_t (*kept_in_data)(void) = getppid;

int helper(int value)
{
    return value + 1;
}

static int by_value(const void *left, const void *right)
{
    return *(const int *)left - *(const int *)right;
}

int main(void)
{
    int numbers[] = {3, 1, 2};
    pid_t (*volatile taken)(void) = getppid;
    void *(*volatile sort)(const void *, const void *, size_t, size_t, compare_fn *) = bsearch;

    qsort(numbers, 3, sizeof *numbers, by_value);
    printf("%d %d %d\n", numbers[0], numbers[1], numbers[2]);
    printf("data %d, library %d, loader %d\n", taken == kept_in_data,
           (void *)taken == library_address("getppid"), (void *)sort == library_address("bsearch"));
    printf("called %d %d\n", taken() == getppid(), kept_in_data() == getppid());
    printf("back %d\n", library_calls_back(20));
    printf("own %d\n", dlsym(RTLD_DEFAULT, "helper") == (void *)helper);
    return 0;
}
