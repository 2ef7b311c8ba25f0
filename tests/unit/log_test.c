// room: base
#include "base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static char captured[16384];

// What `write_lines` writes to standard error.
static Str capture(void (*write_lines)(void)) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int before = dup(STDERR_FILENO);
    assert_true(before >= 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    write_lines();
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    close(before);
    close(ends[1]);
    size_t len = 0;
    for (ssize_t n; (n = read(ends[0], captured + len, sizeof captured - len)) > 0;) {
        len += (size_t)n;
    }
    close(ends[0]);
    return str_of(captured, len);
}

static void write_fields(void) {
    log_line(LOG_DEBUG, "below the level");
    log_line(LOG_INFO, "request", LOG_S("path", S("/a\"b\n\xff办")), LOG_I("status", -200));
    log_line(LOG_WARN, "bare");
}

static void writes_one_line_of_json_each(void **state) {
    (void)state;
    Str rest = capture(write_fields);
    Str first = str_cut(&rest, '\n'), second = str_cut(&rest, '\n');
    assert_true(str_starts(first, S("{\"time\":\"2")));
    assert_true(str_ends(first, S("+08:00\",\"level\":\"info\",\"message\":\"request\","
                                  "\"path\":\"/a\\\"b\\u000a\xEF\xBF\xBD办\",\"status\":-200}")));
    assert_true(str_ends(second, S("\"level\":\"warn\",\"message\":\"bare\"}")));
    assert_int_equal(str_cut(&rest, '\n').len, 0);
    assert_null(rest.ptr);
}

static void write_too_much(void) {
    static char huge[9000];
    memset(huge, 'x', sizeof huge);
    Str s = str_of(huge, sizeof huge);
    log_line(LOG_ERROR, "long", LOG_S("a", s), LOG_S("b", s), LOG_S("c", s), LOG_S("d", s),
             LOG_I("last", 7));
}

static void cuts_what_is_too_long(void **state) {
    (void)state;
    Str line = capture(write_too_much);
    assert_true(line.len <= 4096);
    assert_true(str_ends(line, S("}\n")));
    assert_true(str_find(line, S("…\"")) > 0);
    assert_true(str_find(line, S("\"last\":7")) > 0); // small fields behind still find room
    assert_int_equal(str_find(line, S("\"d\"")), -1); // left out whole
}

static void write_debug(void) { log_line(LOG_DEBUG, "seen"); }

static void keeps_its_level(void **state) {
    (void)state;
    assert_int_equal(capture(write_debug).len, 0);
    log_set_level(LOG_DEBUG);
    assert_true(capture(write_debug).len > 0);
    log_set_level(LOG_ERROR);
    assert_int_equal(capture(write_fields).len, 0);
    log_set_level(LOG_INFO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_one_line_of_json_each),
        cmocka_unit_test(cuts_what_is_too_long),
        cmocka_unit_test(keeps_its_level),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
