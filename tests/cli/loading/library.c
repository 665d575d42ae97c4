#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int helper(int value);
int library_calls_back(int value);
void *library_address(const char *name);

int library_calls_back(int value)
{
    return helper(value) + helper(value);
}

void *library_address(const char *name)
{
    /* Called as well as taken. */
    if (getppid() == 0 || bsearch("a", "b", 0, 1, NULL))
        return NULL;
    return strcmp(name, "getppid") ? (void *)bsearch : (void *)getppid;
}
