// room: assets
// The files built into the binary: sorted, each found by its path, each with the tag of its bytes.
#include "base/arena.h"
#include "base/crypto.h"
#include "base/embed.h"
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { ARENA_SIZE = 64 << 20, ETAG_DIGITS = 16 };

static void test_sorted(void **state) {
    (void)state;
    assert_true(embed_count() > 0);
    for (size_t i = 1; i < embed_count(); i++) {
        assert_true(str_cmp(embed_at(i - 1)->path, embed_at(i)->path) < 0);
    }
    assert_null(embed_at(embed_count()));
}

static void test_each_found(void **state) {
    (void)state;
    for (size_t i = 0; i < embed_count(); i++) {
        const EmbeddedFile *file = embed_at(i);
        assert_ptr_equal(embed_find(file->path), file);
        assert_true(path_safe(file->path));
        // A prefix of a path is no path, and neither is a path with something behind it.
        assert_ptr_not_equal(embed_find(str_sub(file->path, 0, file->path.len - 1)), file);
    }
    assert_null(embed_find(S("")));
    assert_null(embed_find(S("ui")));
    assert_null(embed_find(S("zz/nothing")));
    assert_null(embed_find(S("../etc/passwd")));
}

static void test_tags(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(ARENA_SIZE);
    for (size_t i = 0; i < embed_count(); i++) {
        const EmbeddedFile *file = embed_at(i);
        Hash hash = sha256(file->data);
        assert_true(str_eq(str_sub(hash_hex(&hash, a), 0, ETAG_DIGITS), file->etag));
        assert_int_equal(file->data.ptr[file->data.len], 0);
    }
}

// What the build embeds is what stands in the source (the working directory is the project).
static void test_same_as_source(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(ARENA_SIZE);
    size_t compared = 0;
    for (size_t i = 0; i < embed_count(); i++) {
        const EmbeddedFile *file = embed_at(i);
        if (!str_starts(file->path, S("schema/"))) continue;
        Str content;
        Error error;
        assert_int_equal(file_read(file->path, FILE_READ_MAX, a, &content, &error), OK);
        assert_true(str_eq(content, file->data));
        compared++;
    }
    assert_true(compared > 0);
}

static void test_english_is_one_file(void **state) {
    (void)state;
    const EmbeddedFile *english = embed_find(S("ui/i18n/en.json"));
    assert_non_null(english);
    assert_true(str_starts(english->data, S("{")));
    assert_null(embed_find(S("ui/i18n/en/base.json")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorted),         cmocka_unit_test(test_each_found),
        cmocka_unit_test(test_tags),           cmocka_unit_test(test_same_as_source),
        cmocka_unit_test(test_english_is_one_file),
    };
    return cmocka_run_group_tests_name("embed", tests, NULL, NULL);
}
