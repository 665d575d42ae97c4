/* The shim as a file: where it is, and the environment that loads it into a program. */
#ifndef KP_COLLECTOR_PRELOAD_H
#define KP_COLLECTOR_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The path of libkprobe.so: beside this command, in the lib folder next to its bin folder, or where it was
 * installed. False when it is in none of them; `path` then lists the places.
 */
bool kp_preload_find(char *path, size_t bytes);

/* NULL when LD_PRELOAD can hold this path, else what is wrong with it (blanks and colons separate paths
 * there). */
const char *kp_preload_refusal(const char *path);

/* Puts `path` before what LD_PRELOAD holds already. For the child, between fork and exec. 0, or -1 with
 * errno. */
int kp_preload_set(const char *path);

#endif
