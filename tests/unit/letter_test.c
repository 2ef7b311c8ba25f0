// room: case
// Letters as PDF, and QR codes: the same input gives the same bytes; long texts and tables run over
// pages; what can't be printed is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "case/letter.h"

#include <pthread.h>
#include <stdio.h>

static Arena *arena;
static int setup(void **state) {
    (void)state;
    arena = arena_create(256 << 20);
    return 0;
}
static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

static const Str letter_text =
    S_INIT("王小窗：\n\n您提出的“食品经营许可”申请，决定予以受理。\n\n"
           "| 序号 | 材料名称 | 情况 |\n| 1 | 经营场所使用证明 | 已收 |\n"
           "| 2 | 身份证 | 容缺 |\n\n> 象山县市场监督管理局\n> 2023年1月5日\n");

static Str pdf_of(Str text, Arena *a) {
    Str pdf;
    Error e;
    Status st = letter_pdf(S("受理通知书"), text, S("政务受〔2023〕330225202301050000018号"),
                           S("象山县市场监督管理局"), S("2023年1月5日"),
                           S("https://zw.example.gov.cn/verify/abcDEF123"), true, a, &pdf, &e);
    assert_int_equal(st, OK);
    assert_true(str_starts(pdf, S("%PDF-1.")));
    assert_true(str_find(str_sub(pdf, pdf.len - 8, pdf.len), S("%%EOF")) >= 0);
    return pdf;
}

static void the_same_bytes(void **state) {
    (void)state;
    Str one = pdf_of(letter_text, arena), two = pdf_of(letter_text, arena);
    assert_true(str_eq(one, two));
    assert_true(one.len < 400000);
    assert_false(str_eq(one, pdf_of(S("另一份。\n"), arena)));
}

typedef struct Work {
    Str pdf;
    Arena *arena;
} Work;

static void *print_many(void *arg) {
    Work *w = arg;
    for (int i = 0; i < 3; i++) w->pdf = pdf_of(letter_text, w->arena);
    return NULL;
}

static void threads_print_together(void **state) {
    (void)state;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    Work work[THREADS];
    Str expected = pdf_of(letter_text, arena);
    for (int i = 0; i < THREADS; i++) {
        work[i] = (Work){.arena = arena_create(64 << 20)};
        assert_int_equal(pthread_create(&threads[i], NULL, print_many, &work[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
        assert_true(str_eq(work[i].pdf, expected));
        arena_free(work[i].arena);
    }
}

// "/Count n" of the page tree.
static int64_t pages(Str pdf) {
    ptrdiff_t at = str_find(pdf, S("/Count "));
    int64_t n = 0;
    assert_true(at > 0);
    Str rest = str_sub(pdf, (size_t)at + 7, pdf.len);
    for (size_t i = 0; i < rest.len && rest.ptr[i] >= '0' && rest.ptr[i] <= '9'; i++) {
        n = n * 10 + (rest.ptr[i] - '0');
    }
    return n;
}

static Str repeated(Str s, int times) {
    Buf out = buf_make(arena, 1024, 16 << 20);
    for (int i = 0; i < times; i++) buf_str(&out, s);
    return buf_view(&out);
}

static void long_texts_run_over_pages(void **state) {
    (void)state;
    assert_int_equal(pages(pdf_of(letter_text, arena)), 1);
    Str text = repeated(S("依照法律规定，申请人应当如实提交材料，并对内容的真实性负责。\n\n"), 60);
    assert_true(pages(pdf_of(text, arena)) >= 3);
    Str table = repeated(S("| 一 | 二 | 三 |\n"), 200);
    assert_true(pages(pdf_of(table, arena)) >= 5);
}

static void too_much_is_refused(void **state) {
    (void)state;
    Str pdf = S("untouched"), endless = repeated(S("很长的一段文字需要很多页。\n\n"), 5000);
    Error e;
    Str empty = S("");
    assert_int_equal(
        letter_pdf(S("题"), endless, empty, empty, empty, empty, false, arena, &pdf, &e), LIMIT);
    Str rows = repeated(S("| a | b |\n"), 3000);
    assert_int_equal(text_pdf(S("题"), rows, arena, &pdf, &e), LIMIT);
    assert_int_equal(text_pdf(S("题"), S("\xff\xfe"), arena, &pdf, &e), INVALID);
    assert_int_equal(text_pdf(S("题"), str_of("a\0b", 3), arena, &pdf, &e), INVALID);
    Str url = repeated(S("x"), 600);
    assert_int_equal(letter_pdf(S("题"), empty, empty, empty, empty, url, false, arena, &pdf, &e),
                     INVALID);
    assert_true(str_eq(pdf, S("untouched")));
    ARENA_AUTO little = arena_create(16 << 10); // the result doesn't fit
    assert_int_equal(text_pdf(S("题"), S("文\n"), little, &pdf, &e), LIMIT);
}

static void odd_texts_print(void **state) {
    (void)state;
    static const Str odd[] = {
        S_INIT(""),
        S_INIT("\n\n\n"),
        S_INIT("|"),
        S_INIT("||"),
        S_INIT("|||"),
        S_INIT("|\n|-|\n"),
        S_INIT("# "),
        S_INIT("> "),
        S_INIT("> a\n> b\n> c\n| x | y |\nz"),
        S_INIT("|a|b|c|d|e|f|g|h|i|j|k|l|\n"),
        S_INIT("\xe2\x80\xae right to left \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"),
        S_INIT("👩‍👩‍👧 \t tab"),
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        Str pdf;
        Error e;
        assert_int_equal(text_pdf(S("题"), odd[i], arena, &pdf, &e), OK);
        (void)pdf_of(odd[i], arena);
    }
}

static void qr_codes(void **state) {
    (void)state;
    Str svg = S("untouched");
    Error e;
    assert_int_equal(qr_svg(S(""), arena, &svg, &e), INVALID);
    assert_true(str_eq(svg, S("untouched")));
    assert_int_equal(qr_svg(S("https://zw.example.gov.cn/verify/abc"), arena, &svg, &e), OK);
    assert_true(str_starts(svg, S("<svg ")));
    assert_true(str_ends(svg, S("</svg>")));
    assert_true(str_find(svg, S("style=")) < 0); // the pages' policy forbids it
    Str again;
    assert_int_equal(qr_svg(S("https://zw.example.gov.cn/verify/abc"), arena, &again, &e), OK);
    assert_true(str_eq(svg, again));
}

// For tests/packs/letter.test: prints one letter to a file and stops.
static int write_sample(const char *path) {
    arena = arena_create(64 << 20);
    Str pdf = pdf_of(letter_text, arena);
    FILE *f = fopen(path, "wb");
    size_t written = f ? fwrite(pdf.ptr, 1, pdf.len, f) : 0;
    bool good = f && fclose(f) == 0 && written == pdf.len;
    arena_free(arena);
    return good ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc == 2) return write_sample(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bytes),
        cmocka_unit_test(threads_print_together),
        cmocka_unit_test(long_texts_run_over_pages),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(odd_texts_print),
        cmocka_unit_test(qr_codes),
    };
    return cmocka_run_group_tests_name("letter", tests, setup, teardown);
}
