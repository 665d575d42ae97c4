/* Threads that end in every way while traced functions are open, and many that come and go. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void t_exit_here(int depth);
void t_wait_here(int depth);
int t_work(int n);
void t_cleanup(void *argument);
void t_key_destructor(void *argument);
void *t_start(void *argument);

static int cleaned, destroyed;
static pthread_key_t key;

static void *exits(void *argument)
{
    pthread_setspecific(key, &destroyed);
    pthread_cleanup_push(t_cleanup, &cleaned);
    t_work(3);
    t_exit_here(*(int *)argument);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *waits(void *argument)
{
    pthread_setspecific(key, &destroyed);
    pthread_cleanup_push(t_cleanup, &cleaned);
    t_wait_here(*(int *)argument);
    pthread_cleanup_pop(0);
    return NULL;
}

static void endings(void)
{
    long sum = 0;
    int cancelled = 0;
    for (int i = 0; i < 40; i++) {
        int depth = i % 6;
        pthread_t thread;
        void *result;
        pthread_create(&thread, NULL, i % 2 ? waits : exits, &depth);
        if (i % 2) {
            if (i % 4 == 1)
                usleep(2000);
            pthread_cancel(thread);
        }
        pthread_join(thread, &result);
        if (result == PTHREAD_CANCELED)
            cancelled++;
        else
            sum += (long)result;
    }
    printf("exits %ld, cancelled %d\n", sum, cancelled);
}

static void come_and_go(int count)
{
    long sum = 0;
    for (int i = 0; i < count; i += 8) {
        pthread_t threads[8];
        int results[8];
        for (int j = 0; j < 8; j++)
            pthread_create(&threads[j], NULL, t_start, &results[j]);
        for (int j = 0; j < 8; j++) {
            pthread_join(threads[j], NULL);
            sum += results[j];
        }
    }
    printf("came and went %d, %ld\n", count, sum);
}

static void *stays(void *argument)
{
    t_wait_here(3);
    return argument;
}

int main(int argc, char **argv)
{
    pthread_key_create(&key, t_key_destructor);
    endings();
    come_and_go(argc > 1 ? atoi(argv[1]) : 800);
    /* How often a thread was cancelled before its first line is not told by the program. */
    printf("cleaned at least 20: %d, destroyed at least 20: %d\n", cleaned >= 20, destroyed >= 20);
    pthread_t thread;
    pthread_create(&thread, NULL, stays, NULL);
    usleep(5000);
    if (argc > 2 && strcmp(argv[2], "main_leaves") == 0) {
        /* The process lives on in its threads. */
        fflush(stdout);
        static int result;
        pthread_create(&thread, NULL, t_start, &result);
        pthread_detach(thread);
        alarm(1);
        signal(SIGALRM, exit);
        pthread_exit(NULL);
    }
    return 0;
}
