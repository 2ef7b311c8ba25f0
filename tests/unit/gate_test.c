// room: web
// The gate: what passes, what is refused and why, and that pieces don't matter.
#include "web/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define HEAD "Host: a.example\r\n"

static GateVerdict whole(const char *text, size_t *ret_passed, const char **ret_reason) {
    Gate g;
    gate_init(&g);
    const GateVerdict verdict = gate_feed(&g, str_z(text), ret_passed);
    *ret_reason = g.reason;
    return verdict;
}

static GateVerdict bytewise(const char *text, size_t n) {
    Gate g;
    gate_init(&g);
    GateVerdict verdict = GATE_PASS;
    for (size_t i = 0; i < n && verdict == GATE_PASS; i++) {
        size_t passed;
        verdict = gate_feed(&g, str_of(text + i, 1), &passed);
    }
    return verdict;
}

static void passes(const char *text) {
    size_t passed = 0;
    const char *reason = NULL;
    if (whole(text, &passed, &reason) != GATE_PASS) fail_msg("refused (%s): %s", reason, text);
    assert_int_equal(passed, strlen(text));
    assert_int_equal(bytewise(text, strlen(text)), GATE_PASS);
}

static void refuses(const char *text, const char *why) {
    size_t passed = 99;
    const char *reason = NULL;
    if (whole(text, &passed, &reason) != GATE_REFUSE) fail_msg("passed: %s", text);
    assert_string_equal(reason, why);
    assert_int_equal(passed, 0);
    assert_int_equal(bytewise(text, strlen(text)), GATE_REFUSE);
}

static void test_ordinary_requests(void **state) {
    (void)state;
    passes("GET / HTTP/1.1\r\n" HEAD "\r\n");
    passes("GET /a?b=%20c HTTP/1.0\r\n" HEAD "\r\n");
    passes("POST /x HTTP/1.1\r\n" HEAD "Content-Length: 5\r\n\r\nhello");
    passes("POST /x HTTP/1.1\r\n" HEAD "content-length:0\r\n\r\n");
    passes("POST /x HTTP/1.1\r\n" HEAD "Transfer-Encoding: chunked\r\n\r\n"
           "5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n");
    passes("\r\nGET / HTTP/1.1\r\n" HEAD "\r\n");
    passes("GET / HTTP/1.1\r\nHost: [::1]:8080\r\nX-Empty:\r\nX-T: a\tb \r\n\r\n");
}

static void test_keep_alive_and_pipelining(void **state) {
    (void)state;
    passes("GET /1 HTTP/1.1\r\n" HEAD "\r\nPOST /2 HTTP/1.1\r\n" HEAD
           "Content-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\n" HEAD "\r\n");
}

static void test_two_lengths(void **state) {
    (void)state;
    refuses("POST / HTTP/1.1\r\n" HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "both Content-Length and Transfer-Encoding");
    refuses("POST / HTTP/1.1\r\n" HEAD "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
            "both Content-Length and Transfer-Encoding");
    const char *twice = "Host, Content-Length or Transfer-Encoding twice";
    refuses("POST / HTTP/1.1\r\n" HEAD "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", twice);
    refuses("POST / HTTP/1.1\r\n" HEAD "Content-Length: 5\r\ncontent-length: 6\r\n\r\n", twice);
    refuses("POST / HTTP/1.1\r\n" HEAD "Transfer-Encoding: chunked\r\n"
            "Transfer-Encoding: chunked\r\n\r\n", twice);
    refuses("POST / HTTP/1.1\r\n" HEAD "Content-Length: 5, 5\r\n\r\n",
            "Content-Length is not a number");
    refuses("POST / HTTP/1.1\r\n" HEAD "Content-Length: +5\r\n\r\n",
            "Content-Length is not a number");
    refuses("POST / HTTP/1.1\r\n" HEAD "Content-Length: 5 5\r\n\r\n", "white space inside a value");
    refuses("POST / HTTP/1.1\r\n" HEAD "Content-Length:\r\n\r\n",
            "Host, Content-Length or Transfer-Encoding is empty");
    refuses("POST / HTTP/1.1\r\n" HEAD "Content-Length: 9999999999999999\r\n\r\n",
            "Content-Length too large");
}

static void test_codings(void **state) {
    (void)state;
    const char *why = "unknown transfer coding";
    refuses("POST / HTTP/1.1\r\n" HEAD "Transfer-Encoding: gzip\r\n\r\n", why);
    refuses("POST / HTTP/1.1\r\n" HEAD "Transfer-Encoding: gzip,chunked\r\n\r\n", why);
    refuses("POST / HTTP/1.1\r\n" HEAD "Transfer-Encoding: xchunked\r\n\r\n", why);
    refuses("POST / HTTP/1.1\r\n" HEAD "Transfer-Encoding: chunkedchunkedchunkedchunked\r\n\r\n",
            why);
    refuses("POST / HTTP/1.0\r\n" HEAD "Transfer-Encoding: chunked\r\n\r\n",
            "Transfer-Encoding in HTTP/1.0");
}

static void test_header_lines(void **state) {
    (void)state;
    refuses("GET / HTTP/1.1\r\n" HEAD "X-A : b\r\n\r\n", "white space before the colon");
    refuses("GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", "white space before the colon");
    refuses("GET / HTTP/1.1\r\n" HEAD "X: a\r\n b\r\n\r\n", "folded header");
    refuses("GET / HTTP/1.1\r\n " HEAD "\r\n", "folded header");
    refuses("GET / HTTP/1.1\r\n" HEAD "X: a\rb\r\n\r\n", "bare CR");
    refuses("GET / HTTP/1.1\r\n" HEAD "X: a\nY: b\r\n\r\n", "control character in a header");
    refuses("GET / HTTP/1.1\r\n" HEAD "X(: a\r\n\r\n", "bad character in a header name");
    refuses("GET / HTTP/1.1\r\n" HEAD ": a\r\n\r\n", "bad character in a header name");
    refuses("GET / HTTP/1.1\r\n" HEAD "\rX", "bare CR");
}

static void test_nul(void **state) {
    (void)state;
    static const char in_value[] = "GET / HTTP/1.1\r\n" HEAD "X: a\0b\r\n\r\n";
    static const char in_name[] = "GET / HTTP/1.1\r\n" HEAD "X\0: a\r\n\r\n";
    static const char in_target[] = "GET /a\0b HTTP/1.1\r\n" HEAD "\r\n";
    assert_int_equal(bytewise(in_value, sizeof in_value - 1), GATE_REFUSE);
    assert_int_equal(bytewise(in_name, sizeof in_name - 1), GATE_REFUSE);
    assert_int_equal(bytewise(in_target, sizeof in_target - 1), GATE_REFUSE);
}

static void test_hosts(void **state) {
    (void)state;
    refuses("GET / HTTP/1.1\r\n\r\n", "no Host");
    refuses("GET / HTTP/1.0\r\nX: y\r\n\r\n", "no Host");
    refuses("GET / HTTP/1.1\r\n" HEAD HEAD "\r\n",
            "Host, Content-Length or Transfer-Encoding twice");
    refuses("GET / HTTP/1.1\r\nHost: \r\n\r\n",
            "Host, Content-Length or Transfer-Encoding is empty");
    refuses("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "white space inside a value");
    refuses("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "bad character in Host");
    refuses("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "bad character in Host");
}

static void test_request_lines(void **state) {
    (void)state;
    refuses("GET  / HTTP/1.1\r\n" HEAD "\r\n", "no request target");
    refuses("GET / HTTP/1.1 \r\n" HEAD "\r\n", "bad HTTP version");
    refuses("GET / HTTP/2.0\r\n" HEAD "\r\n", "bad HTTP version");
    refuses("GET /\r\n", "bad character in the request target");
    refuses("GET http://a/ HTTP/1.1\r\n" HEAD "\r\n", "request target is not a path");
    refuses("OPTIONS * HTTP/1.1\r\n" HEAD "\r\n", "request target is not a path");
    refuses(" GET / HTTP/1.1\r\n" HEAD "\r\n", "a request must begin with its method");
    refuses("\r\n\r\nGET / HTTP/1.1\r\n" HEAD "\r\n", "a request must begin with its method");
    refuses("GET / HTTP/1.1\n" HEAD "\r\n", "bad HTTP version");
}

static void test_chunks(void **state) {
    (void)state;
#define CHUNKED "POST / HTTP/1.1\r\n" HEAD "Transfer-Encoding: chunked\r\n\r\n"
    refuses(CHUNKED "\r\n", "bad chunk size");
    refuses(CHUNKED "x\r\n", "bad chunk size");
    refuses(CHUNKED "-1\r\n", "bad chunk size");
    refuses(CHUNKED "0x5\r\n", "bad chunk size");
    refuses(CHUNKED "5 \r\nhello\r\n", "bad chunk size");
    refuses(CHUNKED "5;a=b\r\nhello\r\n", "bad chunk size");
    refuses(CHUNKED "5\nhello\r\n", "bad chunk size");
    refuses(CHUNKED "123456789\r\n", "chunk size too large");
    refuses(CHUNKED "3\r\nhello\r\n", "chunk longer than its size");
    refuses(CHUNKED "0\r\nX: y\r\n\r\n", "trailers are not accepted");
}

static void test_long_lines(void **state) {
    (void)state;
    static char text[GATE_HEAD_MAX * 2];
    int n = snprintf(text, sizeof text, "GET /");
    memset(text + n, 'a', GATE_TARGET_MAX);
    refuses(text, "request target too long");
    n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nX: ");
    memset(text + n, 'a', GATE_LINE_MAX);
    text[n + GATE_LINE_MAX] = 0;
    refuses(text, "line too long");
    n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" HEAD);
    for (int i = 0; i < 3; i++) {
        n += snprintf(text + n, sizeof text - (size_t)n, "X: ");
        memset(text + n, 'a', 7000);
        n += 7000;
        n += snprintf(text + n, sizeof text - (size_t)n, "\r\n");
    }
    refuses(text, "head too long");
    n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" HEAD);
    for (int i = 0; i < GATE_HEADERS_MAX; i++) {
        n += snprintf(text + n, sizeof text - (size_t)n, "X: y\r\n");
    }
    refuses(text, "too many headers");
}

// What stands whole before the refused request may be answered; what is smuggled behind may not.
static void test_smuggled_behind(void **state) {
    (void)state;
    const char *first = "GET /1 HTTP/1.1\r\n" HEAD "\r\n";
    char text[512];
    (void)snprintf(text, sizeof text, "%sPOST / HTTP/1.1\r\n" HEAD
                   "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "0\r\n\r\nGET /admin HTTP/1.1\r\n" HEAD "\r\n", first);
    size_t passed = 0;
    const char *reason;
    assert_int_equal(whole(text, &passed, &reason), GATE_REFUSE);
    assert_int_equal(passed, strlen(first));
    Gate g;
    gate_init(&g);
    assert_int_equal(gate_feed(&g, str_z(text), &passed), GATE_REFUSE);
    assert_int_equal(gate_feed(&g, str_z(first), &passed), GATE_REFUSE);
    assert_int_equal(passed, 0);
}

static void test_idle(void **state) {
    (void)state;
    Gate g;
    size_t passed;
    gate_init(&g);
    assert_true(gate_idle(&g));
    assert_int_equal(gate_feed(&g, S("GET / HT"), &passed), GATE_PASS);
    assert_false(gate_idle(&g));
    assert_int_equal(gate_feed(&g, S("TP/1.1\r\n" HEAD "\r\n"), &passed), GATE_PASS);
    assert_true(gate_idle(&g));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ordinary_requests), cmocka_unit_test(test_keep_alive_and_pipelining),
        cmocka_unit_test(test_two_lengths),       cmocka_unit_test(test_codings),
        cmocka_unit_test(test_header_lines),      cmocka_unit_test(test_nul),
        cmocka_unit_test(test_hosts),             cmocka_unit_test(test_request_lines),
        cmocka_unit_test(test_chunks),            cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_smuggled_behind),   cmocka_unit_test(test_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
