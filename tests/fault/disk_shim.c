// Makes writing fail as a full, read-only or broken disk does, for the files of a data folder.
// Preloaded by disk.test; FAULT_CONTROL names a file that says how: "full", "readonly", "broken"
// (what was written can't be made durable). When it isn't there, all goes through.
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum Fault { NONE, FULL, READONLY, BROKEN };

static enum Fault fault(void) {
    const char *path = getenv("FAULT_CONTROL");
    FILE *f = path ? fopen(path, "r") : NULL;
    char word[16] = "";
    if (!f) return NONE;
    if (!fgets(word, sizeof word, f)) word[0] = 0;
    (void)fclose(f);
    if (strncmp(word, "full", 4) == 0) return FULL;
    if (strncmp(word, "readonly", 8) == 0) return READONLY;
    return strncmp(word, "broken", 6) == 0 ? BROKEN : NONE;
}

static int is_data(int fd) {
    char link[64], path[4096];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    const char *name = strstr(path, "/data/");
    return name && !strstr(name, "-shm");
}

static int refused(int fd) {
    enum Fault f = fault();
    if ((f != FULL && f != READONLY) || !is_data(fd)) return 0;
    errno = f == FULL ? ENOSPC : EROFS;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *p, size_t n) { return refused(fd) ? -1 : REAL(write)(fd, p, n); }
ssize_t pwrite(int fd, const void *p, size_t n, off_t at) {
    return refused(fd) ? -1 : REAL(pwrite)(fd, p, n, at);
}
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at) {
    return refused(fd) ? -1 : REAL(pwrite64)(fd, p, n, at);
}
int ftruncate(int fd, off_t n) { return refused(fd) ? -1 : REAL(ftruncate)(fd, n); }
int ftruncate64(int fd, off64_t n) { return refused(fd) ? -1 : REAL(ftruncate64)(fd, n); }

static int undurable(int fd) {
    if (fault() != BROKEN || !is_data(fd)) return 0;
    errno = EIO;
    return 1;
}

int fsync(int fd) { return undurable(fd) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return undurable(fd) ? -1 : REAL(fdatasync)(fd); }
