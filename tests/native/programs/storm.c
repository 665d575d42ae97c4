/* A storm of signals whose handlers call traced functions, in several threads. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

long t_work(long n);
void t_handler(int signal);
long t_outer(long n);

static volatile sig_atomic_t stop;

static void *work(void *argument)
{
    long n = 0, wrong = 0;
    while (!stop) {
        n++;
        if (t_outer(n) != n * 7 % 11 + (n + 1) * 7 % 11)
            wrong++;
    }
    /* When the thread is about to be gone, its calls are nobody's. */
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    *(long *)argument = wrong;
    return NULL;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 1;
    struct sigaction action = {.sa_handler = t_handler, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    pthread_t threads[2];
    long wrong[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, work, &wrong[i]);
    struct itimerval timer = {{0, 50}, {0, 50}}, off = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &timer, NULL);
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        for (int i = 0; i < 100; i++)
            pthread_kill(threads[i % 2], SIGUSR1);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((double)(now.tv_sec - begin.tv_sec) + (double)(now.tv_nsec - begin.tv_nsec) / 1e9 < seconds);
    setitimer(ITIMER_REAL, &off, NULL);
    stop = 1;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    printf("wrong results %ld %ld\n", wrong[0], wrong[1]);
    return 0;
}
