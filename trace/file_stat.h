/*
 * stat(2) and fstat(2) without the functions of that name: those of glibc 2.33 and later are not in older
 * ones, where the library should load as well. The kernel's structure is glibc's on 64-bit machines.
 */
#ifndef KP_TRACE_FILE_STAT_H
#define KP_TRACE_FILE_STAT_H

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int kp_file_stat(const char *path, struct stat *st)
{
    return (int)syscall(SYS_newfstatat, AT_FDCWD, path, st, 0);
}

static inline int kp_file_stat_fd(int fd, struct stat *st)
{
    return (int)syscall(SYS_fstat, fd, st);
}

#endif
