// room: base
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

// The system calls of a write, put before the C library's: the fail_at-th one (from 0) fails with
// fail_errno. -1: none does.
static int fail_at = -1, fail_errno;

static int injected(void) {
    if (fail_at < 0 || fail_at-- > 0) return 0;
    errno = fail_errno;
    return 1;
}

int fchmod(int fd, mode_t mode) {
    return injected() ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

int fsync(int fd) { return injected() ? -1 : (int)syscall(SYS_fsync, fd); }

int rename(const char *from, const char *to) {
    return injected() ? -1 : (int)syscall(SYS_rename, from, to);
}

typedef struct Fixture {
    Arena *a;
    Str folder;
} Fixture;

static int setup(void **state) {
    Fixture *f = calloc(1, sizeof *f);
    if (!f) return -1;
    f->a = arena_create(16 << 20);
    const char *base = getenv("TMPDIR");
    char *name = (char *)arena_alloc(f->a, 4096);
    (void)snprintf(name, 4096, "%s/file_test_XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(name)) return -1;
    f->folder = str_z(name);
    *state = f;
    return 0;
}

// Only what the tests made, two levels of it.
static int teardown(void **state) {
    Fixture *f = *state;
    Str *names;
    size_t n;
    Error err;
    if (dir_list(f->folder, f->a, &names, &n, &err) != OK) return -1;
    for (size_t i = 0; i < n; i++) {
        Str path = path_join(f->a, f->folder, names[i]);
        if (unlink(arena_cstr(f->a, path)) == 0) continue;
        (void)rmdir(arena_cstr(f->a, path_join(f->a, path, S("b"))));
        (void)rmdir(arena_cstr(f->a, path));
    }
    int left = rmdir(arena_cstr(f->a, f->folder));
    arena_free(f->a);
    free(f);
    return left;
}

static size_t names_in(const Fixture *f) {
    Str *names;
    size_t n = 0;
    Error err;
    assert_int_equal(dir_list(f->folder, f->a, &names, &n, &err), OK);
    return n;
}

static void writes_whole_and_reads_back(void **state) {
    const Fixture *f = *state;
    Error err;
    Str path = path_join(f->a, f->folder, S("记录.txt")), read;
    assert_false(file_exists(path, f->a));
    assert_int_equal(file_write(path, S("one"), 0600, f->a, &err), OK);
    assert_true(file_exists(path, f->a));
    char *large = arena_alloc(f->a, 3 << 20);
    memset(large, 'L', 3 << 20);
    assert_int_equal(file_write(path, str_of(large, 3 << 20), 0640, f->a, &err), OK);
    assert_int_equal(file_read(path, FILE_READ_MAX, f->a, &read, &err), OK);
    assert_true(str_eq(read, str_of(large, 3 << 20)));
    struct stat info;
    assert_int_equal(stat(arena_cstr(f->a, path), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    assert_int_equal(names_in(f), 1); // nothing temporary is left
    assert_int_equal(file_write(path, S(""), 0600, f->a, &err), OK);
    assert_int_equal(file_read(path, 0, f->a, &read, &err), OK);
    assert_int_equal(read.len, 0);
}

static void refuses_what_it_cannot_read(void **state) {
    const Fixture *f = *state;
    Error err;
    Str read = S("untouched"), path = path_join(f->a, f->folder, S("five"));
    assert_int_equal(file_read(path, 100, f->a, &read, &err), NOT_FOUND);
    assert_true(str_eq(err.where, path));
    assert_int_equal(file_read(f->folder, 100, f->a, &read, &err), INVALID);
    assert_int_equal(file_read(S("a\0b"), 100, f->a, &read, &err), INVALID);
    assert_int_equal(file_read(S(""), 100, f->a, &read, &err), INVALID);
    assert_int_equal(file_write(path, S("12345"), 0600, f->a, &err), OK);
    assert_int_equal(file_read(path, 4, f->a, &read, &err), LIMIT);
    assert_true(str_eq(read, S("untouched")));
    assert_int_equal(file_read(path, 5, f->a, &read, &err), OK);
    assert_true(str_eq(read, S("12345")));
    // A file whose size is not told beforehand.
    assert_int_equal(file_read(S("/proc/self/status"), 1 << 20, f->a, &read, &err), OK);
    assert_true(read.len > 100);
    assert_int_equal(file_read(S("/proc/self/status"), 100, f->a, &read, &err), LIMIT);
}

static void keeps_the_old_when_a_write_fails(void **state) {
    const Fixture *f = *state;
    Error err;
    Str path = path_join(f->a, f->folder, S("kept")), read;
    assert_int_equal(file_write(path, S("old"), 0600, f->a, &err), OK);
    Str below = path_join(f->a, path, S("child"));
    assert_int_equal(file_write(below, S("x"), 0600, f->a, &err), NOT_FOUND);
    // A folder has the name: the rename fails after everything was written.
    Str taken = path_join(f->a, f->folder, S("a"));
    assert_int_equal(dir_make(path_join(f->a, taken, S("b")), 0700, f->a, &err), OK);
    assert_int_equal(file_write(taken, S("x"), 0600, f->a, &err), INVALID);
    assert_int_equal(file_read(path, 100, f->a, &read, &err), OK);
    assert_true(str_eq(read, S("old")));
    assert_int_equal(names_in(f), 2); // "a" and "kept": no temporary file
}

// Each step of a write fails in turn, in each way that a disk can: the file is the old or, once
// it has its name, the new one; nothing temporary is left; the status says what to do.
static void fails_whole_at_every_step(void **state) {
    const Fixture *f = *state;
    const struct { int error; Status status; } causes[] = {
        {ENOSPC, NO_SPACE}, {EDQUOT, NO_SPACE}, {EROFS, NO_SPACE}, {EIO, BROKEN}, {EACCES, DENIED},
    };
    enum { STEPS = 4, RENAMED = 3 }; // fchmod, fsync, rename, fsync of the folder
    Error err;
    Str path = path_join(f->a, f->folder, S("kept")), read;
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        for (int step = 0; step < STEPS; step++) {
            assert_int_equal(file_write(path, S("old"), 0600, f->a, &err), OK);
            fail_at = step;
            fail_errno = causes[i].error;
            Status expected = step < RENAMED ? causes[i].status : BROKEN;
            assert_int_equal(file_write(path, S("new"), 0600, f->a, &err), expected);
            assert_int_equal(fail_at, -1); // it came to pass
            assert_int_equal(err.status, expected);
            assert_int_equal(file_read(path, 100, f->a, &read, &err), OK);
            assert_true(str_eq(read, step < RENAMED ? S("old") : S("new")));
            assert_int_equal(names_in(f), 1);
        }
    }
}

static void lists_and_makes_folders(void **state) {
    const Fixture *f = *state;
    Error err;
    Str deep = path_join(f->a, path_join(f->a, f->folder, S("a")), S("b"));
    assert_int_equal(dir_make(deep, 0700, f->a, &err), OK);
    assert_int_equal(dir_make(deep, 0700, f->a, &err), OK); // again
    assert_int_equal(file_write(path_join(f->a, f->folder, S("z")), S(""), 0600, f->a, &err), OK);
    assert_int_equal(file_write(path_join(f->a, f->folder, S("B")), S(""), 0600, f->a, &err), OK);
    Str *names;
    size_t n;
    assert_int_equal(dir_list(f->folder, f->a, &names, &n, &err), OK);
    assert_int_equal(n, 3);
    assert_true(str_eq(names[0], S("B")) && str_eq(names[1], S("a")) && str_eq(names[2], S("z")));
    assert_int_equal(dir_make(path_join(f->a, f->folder, S("z/y")), 0700, f->a, &err), NOT_FOUND);
    assert_int_equal(dir_list(path_join(f->a, f->folder, S("none")), f->a, &names, &n, &err),
                     NOT_FOUND);
    assert_int_equal(dir_list(deep, f->a, &names, &n, &err), OK);
    assert_int_equal(n, 0);
}

static void knows_safe_paths(void **state) {
    (void)state;
    const char *const right[] = {"a", "packs/food/item.json", "材料/一.pdf", "..a", "a..b"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        assert_true(path_safe(str_z(right[i])));
    }
    const char *const wrong[] = {"", "/etc/passwd", "..", "a/../b", "a//b", "a/", "./a", "a\\b",
                                 "a\nb", "a/..", "\xff", "a\x7f"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(path_safe(str_z(wrong[i])));
    }
    assert_false(path_safe(S("a\0b")));
}

static void joins_paths(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(1 << 16);
    assert_true(str_eq(path_join(a, S("a"), S("b")), S("a/b")));
    assert_true(str_eq(path_join(a, S("a/"), S("b")), S("a/b")));
    assert_true(str_eq(path_join(a, S(""), S("b")), S("b")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_whole_and_reads_back, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_what_it_cannot_read, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_the_old_when_a_write_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(fails_whole_at_every_step, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_and_makes_folders, setup, teardown),
        cmocka_unit_test(knows_safe_paths),
        cmocka_unit_test(joins_paths),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
