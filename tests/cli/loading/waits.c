/* Calls getppid until a file is there, or for some seconds: rules change meanwhile. Others never stop doing
 * the same. */
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static volatile int done;

static void *run(void *unused)
{
    while (!done)
        getpgid(0);
    return unused;
}

int main(int count, char **arguments)
{
    struct timespec moment = {0, 1000000};
    pthread_t thread;

    pthread_create(&thread, NULL, run, NULL);
    for (int i = 0; i < 8000 && count > 1 && access(arguments[1], F_OK) != 0; i++) {
        getppid();
        nanosleep(&moment, NULL);
    }
    done = 1;
    pthread_join(thread, NULL);
    return 0;
}
