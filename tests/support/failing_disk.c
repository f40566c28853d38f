/* A disk that fails while it is used, without a device and without root: preloaded into a process, it refuses whatever would
   change files below $FAILING_BELOW, with the error number that stands in the file $FAILING_WITH; as long as that file is
   there. A name of a call behind the number: that call alone. The calls are those that Rust's standard library and sled
   make. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int refused(const char *call, const char *path) {
    const char *below = getenv("FAILING_BELOW"), *with = getenv("FAILING_WITH");
    if (!below || !with || strncmp(path, below, strlen(below)) != 0) return 0;
    FILE *file = fopen(with, "r");
    if (!file) return 0;
    int number = 0;
    char only[32] = "";
    if (fscanf(file, "%d %31s", &number, only) < 1 || (*only && strcmp(only, call) != 0)) number = 0;
    fclose(file);
    errno = number;
    return number;
}

static int refused_fd(const char *call, int fd) {
    char link[32], path[PATH_MAX] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return readlink(link, path, sizeof path - 1) > 0 && refused(call, path);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define ON_FD(type, name, parameters, ...) \
    type name parameters { return refused_fd(#name, fd) ? -1 : NEXT(name)(__VA_ARGS__); }
#define ON_PATH(name, parameters, ...) \
    int name parameters { return refused(#name, path) ? -1 : NEXT(name)(__VA_ARGS__); }

ON_FD(ssize_t, write, (int fd, const void *bytes, size_t n), fd, bytes, n)
ON_FD(ssize_t, pwrite64, (int fd, const void *bytes, size_t n, off64_t at), fd, bytes, n, at)
ON_FD(int, fsync, (int fd), fd)
ON_FD(int, fdatasync, (int fd), fd)
ON_FD(int, ftruncate64, (int fd, off64_t n), fd, n)
ON_FD(int, sync_file_range, (int fd, off64_t at, off64_t n, unsigned how), fd, at, n, how)
ON_PATH(rename, (const char *path, const char *to), path, to)
ON_PATH(unlink, (const char *path), path)
ON_PATH(mkdir, (const char *path, mode_t mode), path, mode)

int open64(const char *path, int how, ...) {
    va_list rest;
    va_start(rest, how);
    mode_t mode = how & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return how & (O_WRONLY | O_RDWR | O_CREAT) && refused("open64", path) ? -1 : NEXT(open64)(path, how, mode);
}
