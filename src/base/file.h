// Files: whole reads, atomic writes, walks. Every path is relative to the process or absolute;
// names that come from users never reach here unchecked (see path_safe).
#pragma once

#include "base/error.h"

enum { FILE_READ_MAX = 64 << 20 };

// The whole file in `a`; LIMIT past size_max. Error.where is the path.
MUST_USE Status file_read(Str path, size_t size_max, Arena *a, Str *ret, Error *err);
// Writes a temporary file beside it, fsyncs, renames, fsyncs the folder: whole or not at all.
MUST_USE Status file_write(Str path, Str content, unsigned mode, Arena *a, Error *err);
bool file_exists(Str path, Arena *a);
MUST_USE Status dir_make(Str path, unsigned mode, Arena *a, Error *err); // parents too
// Names in a folder, sorted by bytes, without "." and "..".
MUST_USE Status dir_list(Str path, Arena *a, Str **ret_names, size_t *ret_count, Error *err);
// A relative path without "..", empty parts, NUL, backslash or control characters.
bool path_safe(Str path);
Str path_join(Arena *a, Str folder, Str name);

static inline void fd_cleanup(const int *fd) {
    extern int close(int);
    if (*fd >= 0) (void)close(*fd);
}
#define FD_AUTO __attribute__((cleanup(fd_cleanup))) int
