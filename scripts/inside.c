/*
 * Runs an interpreter with the /usr and /etc of another Debian, from outside, by one executable path:
 *
 *   cc -static -DROOT='"/folder/of/debootstrap"' -DPROGRAM='"/usr/bin/python3.14"' -o python3.14 inside.c
 *
 * Only those two folders change, in a mount namespace of this process; /bin and /lib are links into /usr.
 * Every other path means the same as outside, the process keeps its number, directory and standard files, and
 * its children come into the same world: sys.executable is PROGRAM and works. Without root, a user namespace
 * that maps the user to itself does.
 *
 * Static, so that LD_PRELOAD meets the interpreter only.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static void must(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s: %s: %s\n", PROGRAM, what, strerror(errno));
        exit(126);
    }
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
    close(fd);
}

static void map_to_itself(const char *path, unsigned id)
{
    char line[48];
    snprintf(line, sizeof line, "%u %u 1", id, id);
    write_file(path, line);
}

static void unshare_mounts(void)
{
    if (unshare(CLONE_NEWNS) == 0)
        return;
    unsigned user = getuid(), group = getgid();
    must(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0, "no root, and no user namespaces");
    write_file("/proc/self/setgroups", "deny");
    map_to_itself("/proc/self/uid_map", user);
    map_to_itself("/proc/self/gid_map", group);
}

int main(int argc, char **argv)
{
    (void)argc;
    unshare_mounts();
    must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "/");
    must(mount(ROOT "/usr", "/usr", NULL, MS_BIND, NULL) == 0, ROOT "/usr");
    must(mount(ROOT "/etc", "/etc", NULL, MS_BIND, NULL) == 0, ROOT "/etc");
    argv[0] = PROGRAM;
    execv(PROGRAM, argv);
    must(0, "exec");
}
