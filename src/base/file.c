// File: whole reads and atomic writes. A write goes to a new file beside the old one, is synced,
// takes the name, and the folder is synced: after a power cut the old content or the new is
// there. No space, no quota and read-only all become NO_SPACE: nothing was changed, reads go on.
// Limits: FILE_READ_MAX is the usual size_max of callers; DIR_NAMES_MAX names in a folder.
#include "base/file.h"

#include "base/crypto.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_FIRST = 4096, DIR_NAMES_MAX = 1 << 16, TEMP_RANDOM = 8 };

// A cause that nobody foresaw is given in the system's own words.
static Status fail_otherwise(Str path, int error, Error *err) {
    char cause[128];
    const char *text = strerror_r(error, cause, sizeof cause);
    return error_set(err, BROKEN, path, "读写 {1} 失败：{2}", path, str_z(text));
}

static Status fail(Str path, int error, Error *err) {
    switch (error) {
    case ENOENT:
    case ENOTDIR: return error_set(err, NOT_FOUND, path, "找不到文件 {1}", path);
    case EACCES:
    case EPERM: return error_set(err, DENIED, path, "没有读写 {1} 的权限", path);
    case ENOSPC:
    case EDQUOT:
        return error_set(err, NO_SPACE, path, "磁盘已满，{1} 没有写入，原有内容未变", path);
    case EROFS:
        return error_set(err, NO_SPACE, path, "磁盘只读，{1} 没有写入，原有内容未变", path);
    case EISDIR: return error_set(err, INVALID, path, "{1} 是文件夹，不是文件", path);
    case EMFILE:
    case ENFILE:
    case ENOMEM: return error_set(err, BUSY, path, "系统资源不足，请稍后再试（{1}）", path);
    default: return fail_otherwise(path, error, err);
    }
}

// The path for the system; NULL when it holds a NUL, which would name another file.
static const char *system_path(Str path, Arena *a) {
    if (path.len == 0 || memchr(path.ptr, '\0', path.len)) return NULL;
    return arena_cstr(a, path);
}

static Status bad_path(Str path, Error *err) {
    return error_set(err, INVALID, path, "文件名不正确：{1}", path);
}

Status file_read(Str path, size_t size_max, Arena *a, Str *ret, Error *err) {
    const char *name = system_path(path, a);
    if (!name) return bad_path(path, err);
    FD_AUTO fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) return fail(path, errno, err);
    if (S_ISDIR(info.st_mode)) return fail(path, EISDIR, err);
    if (info.st_size > 0 && (uint64_t)info.st_size > size_max) {
        return error_set(err, LIMIT, path, "文件 {1} 超过 {2} 字节的上限", path,
                         arena_printf(a, "%zu", size_max));
    }
    // One byte more than expected shows the end, or that the file grew meanwhile.
    size_t first = info.st_size > 0 ? (size_t)info.st_size + 1 : READ_FIRST;
    size_t most = size_max < SIZE_MAX ? size_max + 1 : size_max;
    Buf content = buf_make(a, first, most);
    for (;;) {
        if (content.len == content.cap) {
            buf_grow(&content, 1);
            if (content.full) break;
        }
        ssize_t got = read(fd, content.ptr + content.len, content.cap - content.len);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(path, errno, err);
        if (got == 0) break;
        content.len += (size_t)got;
    }
    if (content.full || content.len > size_max) {
        return error_set(err, LIMIT, path, "文件 {1} 超过 {2} 字节的上限", path,
                         arena_printf(a, "%zu", size_max));
    }
    *ret = buf_view(&content);
    return OK;
}

static Str folder_of(Str path) {
    for (size_t i = path.len; i > 0; i--) {
        if (path.ptr[i - 1] == '/') return i == 1 ? S("/") : str_of(path.ptr, i - 1);
    }
    return S(".");
}

static bool write_all(int fd, Str content) {
    while (content.len) {
        ssize_t put = write(fd, content.ptr, content.len);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return false;
        content.ptr += put;
        content.len -= (size_t)put;
    }
    return true;
}

// Writes and closes the file; 0, or the errno of the first thing that went wrong. Closing is
// checked too: a network file system may say only then that there is no space.
static int write_file(const char *name, Str content, unsigned mode) {
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (fd < 0) return errno;
    int error = 0;
    // fchmod, because the mode given to open is cut by the umask.
    if (fchmod(fd, (mode_t)mode) != 0 || !write_all(fd, content) || fsync(fd) != 0) error = errno;
    if (close(fd) != 0 && error == 0) error = errno;
    return error;
}

static int sync_folder(const char *name) {
    FD_AUTO fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) return errno;
    return 0;
}

Status file_write(Str path, Str content, unsigned mode, Arena *a, Error *err) {
    const char *name = system_path(path, a);
    if (!name) return bad_path(path, err);
    uint8_t random[TEMP_RANDOM];
    random_bytes(random, sizeof random);
    Buf temp = buf_make(a, path.len + 32, path.len + 32);
    buf_str(&temp, path);
    buf_lit(&temp, ".tmp-");
    buf_hex(&temp, random, sizeof random);
    const char *temp_name = arena_cstr(a, buf_view(&temp));
    int error = write_file(temp_name, content, mode);
    if (error == 0 && rename(temp_name, name) != 0) error = errno;
    if (error != 0) {
        if (error != EEXIST) (void)unlink(temp_name);
        return fail(path, error, err);
    }
    error = sync_folder(arena_cstr(a, folder_of(path)));
    // The new content has its name, so no status may say that nothing was changed.
    return error ? fail_otherwise(path, error, err) : OK;
}

bool file_exists(Str path, Arena *a) {
    const char *name = system_path(path, a);
    struct stat info;
    return name && stat(name, &info) == 0;
}

Status dir_make(Str path, unsigned mode, Arena *a, Error *err) {
    if (!system_path(path, a)) return bad_path(path, err);
    for (size_t i = 1; i <= path.len; i++) {
        if (i < path.len && path.ptr[i] != '/') continue;
        const char *name = arena_cstr(a, str_of(path.ptr, i));
        if (mkdir(name, (mode_t)mode) == 0) continue;
        int error = errno;
        struct stat info;
        // Also EROFS and EACCES of a parent that is already there.
        if (stat(name, &info) == 0) {
            if (S_ISDIR(info.st_mode)) continue;
            error = ENOTDIR;
        }
        return fail(path, error, err);
    }
    return OK;
}

static int name_order(const void *a, const void *b) {
    return str_cmp(*(const Str *)a, *(const Str *)b);
}

static void folder_close(DIR **folder) {
    if (*folder) (void)closedir(*folder);
}

Status dir_list(Str path, Arena *a, Str **ret_names, size_t *ret_count, Error *err) {
    const char *name = system_path(path, a);
    if (!name) return bad_path(path, err);
    __attribute__((cleanup(folder_close))) DIR *folder = opendir(name);
    if (!folder) return fail(path, errno, err);
    Str *names = NULL;
    size_t count = 0, cap = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry) break;
        Str found = str_z(entry->d_name);
        if (str_eq(found, S(".")) || str_eq(found, S(".."))) continue;
        if (count == DIR_NAMES_MAX) {
            return error_set(err, LIMIT, path, "文件夹 {1} 里的文件超过 {2} 个", path,
                             arena_printf(a, "%d", DIR_NAMES_MAX));
        }
        if (count == cap) {
            cap = cap ? cap * 2 : 32;
            Str *more = arena_array(a, Str, cap);
            if (count) memcpy(more, names, count * sizeof *names);
            names = more;
        }
        names[count++] = arena_str(a, found);
    }
    if (errno != 0) return fail(path, errno, err);
    if (count) qsort(names, count, sizeof *names, name_order);
    *ret_names = names;
    *ret_count = count;
    return OK;
}

bool path_safe(Str path) {
    if (path.len == 0 || !str_utf8_valid(path)) return false;
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.ptr[i];
        if (c < 0x20 || c == 0x7F || c == '\\') return false;
    }
    for (Str rest = path; rest.ptr;) {
        Str part = str_cut(&rest, '/');
        if (part.len == 0 || str_eq(part, S(".")) || str_eq(part, S(".."))) return false;
    }
    return true;
}

Str path_join(Arena *a, Str folder, Str name) {
    if (folder.len == 0) return arena_str(a, name);
    bool slash = folder.ptr[folder.len - 1] == '/';
    return arena_concat(a, (Str[]){folder, slash ? S("") : S("/"), name}, 3);
}
