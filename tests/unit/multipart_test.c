// room: web
// multipart/form-data: parts and files, in pieces of every size, and what is refused.
#include "web/multipart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

typedef struct Seen {
    char text[4096]; // "[name|file|type]data;" for each part
    size_t len;
    Status refuse_at_data;
} Seen;

static void see(Seen *s, Str text) {
    assert_true(s->len + text.len < sizeof s->text);
    memcpy(s->text + s->len, text.ptr, text.len);
    s->len += text.len;
    s->text[s->len] = 0;
}

static Status begin(void *ctx, const MultipartPart *p, Error *err) {
    (void)err;
    char line[700];
    (void)snprintf(line, sizeof line, "[%.*s|%.*s%s|%.*s]", S_FMT(p->name), S_FMT(p->file_name),
                   p->is_file ? "*" : "", S_FMT(p->type));
    see(ctx, str_z(line));
    return OK;
}

static Status data(void *ctx, Str bytes, Error *err) {
    Seen *s = ctx;
    if (s->refuse_at_data) return error_set(err, s->refuse_at_data, S("x"), "磁盘空间不足");
    see(s, bytes);
    return OK;
}

static Status end(void *ctx, Error *err) {
    (void)err;
    see(ctx, S(";"));
    return OK;
}

static Status parse(Str body, size_t piece, Seen *s, Error *err) {
    static Multipart m;
    multipart_init(&m, S("XX"), (MultipartSink){s, begin, data, end});
    for (size_t at = 0; at < body.len; at += piece) {
        Status status = multipart_feed(&m, str_sub(body, at, at + piece), err);
        if (status != OK) {
            assert_int_equal(multipart_feed(&m, S("x"), err), status);
            return status;
        }
    }
    return multipart_finish(&m, err);
}

static void expect(const char *body, const char *seen) {
    const size_t n = strlen(body);
    for (size_t piece = 1; piece <= n; piece++) {
        Seen s = {0};
        Error err;
        assert_int_equal(parse(str_z(body), piece, &s, &err), OK);
        assert_string_equal(s.text, seen);
    }
}

static void refuse(const char *body, Status status) {
    const size_t pieces[] = {1, 2, 3, 7, strlen(body)};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        Seen s = {0};
        Error err;
        if (parse(str_z(body), pieces[i], &s, &err) != status) fail_msg("not refused: %s", body);
    }
}

#define PART(name, value) \
    "--XX\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"

static void test_fields_and_files(void **state) {
    (void)state;
    expect(PART("a", "1") PART("b", "") "--XX--\r\n", "[a||]1;[b||];");
    expect("--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"C:\\dir\\a.pdf\"\r\n"
           "Content-Type: application/pdf\r\n\r\n%PDF\r\n--XX--",
           "[f|a.pdf*|application/pdf]%PDF;");
    expect("--XX--\r\n", "");
    expect("--XX\r\ncontent-disposition: FORM-DATA; name=plain\r\n\r\nv\r\n--XX--\r\n",
           "[plain||]v;");
}

static void test_almost_boundaries_are_data(void **state) {
    (void)state;
    expect(PART("a", "\r\n--X\r\n--XY\r\r\n-\r") "--XX--\r\n", "[a||]\r\n--X\r\n--XY\r\r\n-\r;");
    expect(PART("a", "\r\n\r\n") "--XX--\r\n", "[a||]\r\n\r\n;");
    expect(PART("a", "--XX") "--XX--\r\n", "[a||]--XX;");
}

// Browsers write a quote as %22; other escapes are part of the name, and no line may end in one.
static void test_names(void **state) {
    (void)state;
    expect("--XX\r\nContent-Disposition: form-data; name=\"a%22b%41\"; filename=\"\"\r\n\r\n"
           "\r\n--XX--\r\n",
           "[a\"b%41|*|];");
    refuse("--XX\r\nContent-Disposition: form-data; name=\"a%0D%0Ab\"\r\n\r\nv\r\n--XX--\r\n",
           INVALID);
}

static void test_malformed(void **state) {
    (void)state;
    refuse("", INVALID);
    refuse("x" PART("a", "1") "--XX--\r\n", INVALID);
    refuse(PART("a", "1"), INVALID);
    refuse(PART("a", "1") "--XX", INVALID);
    refuse(PART("a", "1") "--XX-", INVALID);
    refuse(PART("a", "1") "--XX--\r\nmore", INVALID);
    refuse("--XX\r\n\r\nv\r\n--XX--\r\n", INVALID);
    refuse("--XX\r\nContent-Type: a/b\r\n\r\nv\r\n--XX--\r\n", INVALID);
    refuse("--XX\r\nContent-Disposition: form-data\r\n\r\nv\r\n--XX--\r\n", INVALID);
    refuse("--XX\r\nContent-Disposition: form-data; name=\"\"\r\n\r\nv\r\n--XX--\r\n", INVALID);
    refuse("--XX\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\nv\r\n--XX--\r\n",
           INVALID);
    refuse("--XX\r\nContent-Disposition: attachment; name=a\r\n\r\nv\r\n--XX--\r\n", INVALID);
    refuse("--XX\r\nContent-Disposition: form-data; name=\"a\r\n\r\nv\r\n--XX--\r\n", INVALID);
    refuse("--XX\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\nv\r\n--XX--\r\n", INVALID);
    refuse("--XX\nContent-Disposition: form-data; name=a\n\nv\n--XX--\n", INVALID);
    refuse("--XX \r\nContent-Disposition: form-data; name=a\r\n\r\nv\r\n--XX--\r\n", INVALID);
    refuse("--XX\r\nContent-Disposition: form-data; name=a\r\n"
           "Content-Transfer-Encoding: base64\r\n\r\nv\r\n--XX--\r\n", INVALID);
}

static void test_limits(void **state) {
    (void)state;
    static char body[(MULTIPART_PARTS_MAX + 2) * 64];
    int n = snprintf(body, sizeof body, "--XX\r\nX: ");
    memset(body + n, 'a', MULTIPART_HEAD_MAX);
    body[n + MULTIPART_HEAD_MAX] = 0;
    refuse(body, LIMIT);
    n = 0;
    for (int i = 0; i <= MULTIPART_PARTS_MAX; i++) {
        n += snprintf(body + n, sizeof body - (size_t)n,
                      "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n");
    }
    Seen *s = calloc(1, sizeof *s);
    static Multipart m;
    Error err;
    assert_non_null(s);
    multipart_init(&m, S("XX"), (MultipartSink){s, begin, data, end});
    Status status = OK;
    for (int i = 0; i < n && status == OK; i++) {
        s->len = 0;
        status = multipart_feed(&m, str_of(body + i, 1), &err);
    }
    assert_int_equal(status, LIMIT);
    free(s);
}

static void test_the_sink_may_refuse(void **state) {
    (void)state;
    Seen s = {.refuse_at_data = NO_SPACE};
    Error err;
    assert_int_equal(parse(S(PART("a", "1") "--XX--\r\n"), 5, &s, &err), NO_SPACE);
}

static void test_boundary(void **state) {
    (void)state;
    Str b;
    assert_true(multipart_boundary(S("multipart/form-data; boundary=abc"), &b));
    assert_true(str_eq(b, S("abc")));
    assert_true(multipart_boundary(S("Multipart/Form-Data;charset=utf-8;boundary=\"a=b\""), &b));
    assert_true(str_eq(b, S("a=b")));
    assert_false(multipart_boundary(S("multipart/mixed; boundary=abc"), &b));
    assert_false(multipart_boundary(S("multipart/form-data"), &b));
    assert_false(multipart_boundary(S("multipart/form-data; boundary="), &b));
    assert_false(multipart_boundary(S("multipart/form-data; boundary=a; boundary=b"), &b));
    assert_false(multipart_boundary(S("multipart/form-data; boundary=a b"), &b));
    char text[200] = "multipart/form-data; boundary=";
    memset(text + strlen(text), 'a', MULTIPART_BOUNDARY_MAX + 1);
    assert_false(multipart_boundary(str_z(text), &b));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_and_files),
        cmocka_unit_test(test_almost_boundaries_are_data),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_the_sink_may_refuse),
        cmocka_unit_test(test_boundary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
