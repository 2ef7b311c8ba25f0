// A SQLite VFS that stands before the real one and makes writes fail: the n-th from now on with
// a chosen error, either once or until it is told that the disk works again. Made the default
// VFS, so that the store under test is opened on it without knowing.
#pragma once

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct FaultFile {
    sqlite3_file base;
    sqlite3_file *real; // follows in the same block
} FaultFile;

static sqlite3_vfs fault_vfs;
static sqlite3_vfs *fault_real;
static atomic_int fault_countdown; // writes until one fails; below 0: none will
static atomic_int fault_code;
static atomic_bool fault_lasting;
static atomic_int fault_hits;

// The n-th write (1: the next) fails with `code`.
static inline void fault_arm(int n, int code, bool lasting) {
    atomic_store(&fault_hits, 0);
    atomic_store(&fault_code, code);
    atomic_store(&fault_lasting, lasting);
    atomic_store(&fault_countdown, n);
}

static inline void fault_mend(void) { atomic_store(&fault_countdown, -1); }

static inline int fault_now(void) {
    int left = atomic_load(&fault_countdown);
    if (left < 0) return SQLITE_OK;
    if (left > 1) {
        atomic_store(&fault_countdown, left - 1);
        return SQLITE_OK;
    }
    if (!atomic_load(&fault_lasting)) atomic_store(&fault_countdown, -1);
    atomic_fetch_add(&fault_hits, 1);
    return atomic_load(&fault_code);
}

#define FAULT_REAL(file) (((FaultFile *)(file))->real)
#define FAULT_CALL(file, method, ...) \
    FAULT_REAL(file)->pMethods->method(FAULT_REAL(file), ##__VA_ARGS__)

static int fault_close(sqlite3_file *f) { return FAULT_CALL(f, xClose); }
static int fault_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at) {
    return FAULT_CALL(f, xRead, to, n, at);
}
// A full disk takes half of a write before it refuses.
static int fault_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at) {
    int code = fault_now();
    if (code == SQLITE_OK) return FAULT_CALL(f, xWrite, from, n, at);
    (void)FAULT_CALL(f, xWrite, from, n / 2, at);
    return code;
}
static int fault_truncate(sqlite3_file *f, sqlite3_int64 size) {
    return FAULT_CALL(f, xTruncate, size);
}
static int fault_sync(sqlite3_file *f, int flags) {
    int code = fault_now();
    return code == SQLITE_OK ? FAULT_CALL(f, xSync, flags) : SQLITE_IOERR_FSYNC;
}
static int fault_size(sqlite3_file *f, sqlite3_int64 *size) {
    return FAULT_CALL(f, xFileSize, size);
}
static int fault_lock(sqlite3_file *f, int level) { return FAULT_CALL(f, xLock, level); }
static int fault_unlock(sqlite3_file *f, int level) { return FAULT_CALL(f, xUnlock, level); }
static int fault_reserved(sqlite3_file *f, int *ret) {
    return FAULT_CALL(f, xCheckReservedLock, ret);
}
static int fault_control(sqlite3_file *f, int op, void *arg) {
    return FAULT_CALL(f, xFileControl, op, arg);
}
static int fault_sector(sqlite3_file *f) { return FAULT_CALL(f, xSectorSize); }
static int fault_traits(sqlite3_file *f) { return FAULT_CALL(f, xDeviceCharacteristics); }
static int fault_shm_map(sqlite3_file *f, int page, int size, int grow, void volatile **ret) {
    return FAULT_CALL(f, xShmMap, page, size, grow, ret);
}
static int fault_shm_lock(sqlite3_file *f, int offset, int n, int flags) {
    return FAULT_CALL(f, xShmLock, offset, n, flags);
}
static void fault_shm_barrier(sqlite3_file *f) { FAULT_CALL(f, xShmBarrier); }
static int fault_shm_unmap(sqlite3_file *f, int del) { return FAULT_CALL(f, xShmUnmap, del); }

static const sqlite3_io_methods fault_methods = {
    .iVersion = 2,
    .xClose = fault_close,
    .xRead = fault_read,
    .xWrite = fault_write,
    .xTruncate = fault_truncate,
    .xSync = fault_sync,
    .xFileSize = fault_size,
    .xLock = fault_lock,
    .xUnlock = fault_unlock,
    .xCheckReservedLock = fault_reserved,
    .xFileControl = fault_control,
    .xSectorSize = fault_sector,
    .xDeviceCharacteristics = fault_traits,
    .xShmMap = fault_shm_map,
    .xShmLock = fault_shm_lock,
    .xShmBarrier = fault_shm_barrier,
    .xShmUnmap = fault_shm_unmap,
};

static int fault_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                      int *ret_flags) {
    (void)vfs;
    FaultFile *f = (FaultFile *)file;
    f->real = (sqlite3_file *)(f + 1);
    int code = fault_real->xOpen(fault_real, name, f->real, flags, ret_flags);
    f->base.pMethods = code == SQLITE_OK ? &fault_methods : NULL;
    return code;
}

static inline void fault_install(void) {
    if (fault_real) return;
    fault_mend();
    fault_real = sqlite3_vfs_find(NULL);
    fault_vfs = *fault_real;
    fault_vfs.zName = "fault";
    fault_vfs.pNext = NULL;
    fault_vfs.szOsFile = (int)sizeof(FaultFile) + fault_real->szOsFile;
    fault_vfs.xOpen = fault_open;
    sqlite3_vfs_register(&fault_vfs, 1);
}
