/* Names of output files: a pattern with %h host, %p pid or port, %u uuid, %e program, %t time of start. */
#ifndef KP_COLLECTOR_SERVER_FILE_NAME_H
#define KP_COLLECTOR_SERVER_FILE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kp_file_facts {
    char host[128], program[64], uuid[33];
    uint64_t pid, start_s;
};

/* False: the pattern has another placeholder, or a folder in it, or would not tell files apart. */
bool kp_file_name_check(const char *pattern, char *error, size_t bytes);

/* What a peer said goes into the name without harm: no slash, no leading dot, nothing unprintable. */
void kp_file_name_expand(char *name, size_t bytes, const char *pattern, const struct kp_file_facts *facts);

#endif
