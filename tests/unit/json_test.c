// room: value
// The public suite (tests/suites/json_suite.c) says what is JSON; here stands what it doesn't say.
#include "value/json.h"

#include <stdio.h>

#include <cmocka.h>

enum { MEMORY_MAX = 256 << 20 };

static Status parse(Arena *a, Str text, JsonMode mode, Value *ret, Error *err) {
    return json_parse(text, mode, (JsonLimits){0}, a, ret, err);
}

// What comes out when `text` is read and written.
static const char *through(Arena *a, Str text) {
    Value v;
    Error err;
    if (parse(a, text, JSON_STRICT, &v, &err) != OK) {
        fail_msg("%.*s: %.*s", S_FMT(text), S_FMT(error_message(&err, NULL, NULL, a)));
    }
    return arena_cstr(a, json_to_str(v, a));
}

static void keeps_every_digit(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    const char *const same[] = {
        "0", "-1", "1.50", "0.00", "123456789012345678", "1234567890123456789",
        "-9223372036854775808", "18446744073709551616", "0.1", "2087200.00",
        "1234567890123456789012345678901234", "999999999999999999", "1E-50",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_string_equal(through(a, str_z(same[i])), same[i]);
    }
    assert_string_equal(through(a, S("-0")), "0");
    assert_string_equal(through(a, S("1e2")), "100");
    assert_string_equal(through(a, S("12345678901234567890123456789012345")),
                        "12345678901234567890123456789012340");
}

static void keeps_strings(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    assert_string_equal(through(a, S("\"办 \\u529E\\/\\b\\f\\n\\r\\t\\\"\\\\ \\ud83d\\uDE00\"")),
                        "\"办 办/\\b\\f\\n\\r\\t\\\"\\\\ 😀\"");
    assert_string_equal(through(a, S("\"\\u0000\\u001f\\u007f\"")), "\"\\u0000\\u001f\x7f\"");
    Value v;
    Error err;
    assert_int_equal(parse(a, S("\"a\\u0000b\""), JSON_STRICT, &v, &err), OK);
    assert_true(str_eq(v_text(v), S("a\0b")));
    // Without escapes the string stays where it is.
    Str text = S("[\"办理\"]");
    assert_int_equal(parse(a, text, JSON_STRICT, &v, &err), OK);
    assert_ptr_equal(v_text(v_at(v, 0)).ptr, text.ptr + 2);
    // Whatever stands around a multiple of eight bytes.
    for (size_t n = 0; n < 40; n++) {
        Buf quoted = buf_make(a, 64, 256);
        buf_char(&quoted, '"');
        for (size_t i = 0; i < n; i++) buf_char(&quoted, 'x');
        buf_lit(&quoted, "\\n办");
        for (size_t i = 0; i < n; i++) buf_char(&quoted, 'y');
        buf_char(&quoted, '"');
        assert_string_equal(through(a, buf_view(&quoted)), arena_cstr(a, buf_view(&quoted)));
    }
}

static void never_writes_what_it_would_refuse(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    Str bad = S("a\xff\xe5\x8a z\xed\xa0\x80");
    assert_string_equal(arena_cstr(a, json_to_str(v_str(bad), a)),
                        "\"a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD z"
                        "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    assert_string_equal(arena_cstr(a, json_to_str(v_str((Str){NULL, 0}), a)), "\"\"");
    Decimal big;
    assert_true(decimal_parse(S("9E6144"), &big));
    assert_string_equal(arena_cstr(a, json_to_str(v_number(decimal_add(big, big)), a)), "null");
}

static void says_where(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    const struct { Str text; const char *where; Status status; } cases[] = {
        {S_INIT(""), "1:1", INVALID},
        {S_INIT("  "), "1:3", INVALID},
        {S_INIT("[1,\n 2,\n  x]"), "3:3", INVALID},
        {S_INIT("{\"姓名\": 张}"), "1:8", INVALID}, // columns are characters
        {S_INIT("{\"a\":1,\"b\":2,\"a\":3}"), "1:14", INVALID},
        {S_INIT("[1] 2"), "1:5", INVALID},
        {S_INIT("[1,]"), "1:4", INVALID},
        {S_INIT("{\"a\" 1}"), "1:6", INVALID},
        {S_INIT("{a:1}"), "1:2", INVALID},
        {S_INIT("\"abc"), "1:5", INVALID},
        {S_INIT("\"a\nb\""), "1:3", INVALID},
        {S_INIT("\"a\\x\""), "1:3", INVALID},
        {S_INIT("\"\\ud800\""), "1:2", INVALID},
        {S_INIT("\"\\ud800\\ud800\""), "1:2", INVALID},
        {S_INIT("\"\\udc00\""), "1:2", INVALID},
        {S_INIT("\"\\u12\""), "1:2", INVALID},
        {S_INIT("\"a\\"), "1:4", INVALID},
        {S_INIT("\"\xff\""), "1:2", INVALID},
        {S_INIT("\xff"), "1:1", INVALID},
        {S_INIT("\xEF\xBB\xBF{}"), "1:1", INVALID}, // no byte order mark
        {S_INIT("1E9999"), "1:1", INVALID},
        {S_INIT("01"), "1:2", INVALID},
        {S_INIT("-"), "1:2", INVALID},
        {S_INIT("1.x"), "1:3", INVALID},
        {S_INIT("1e+"), "1:4", INVALID},
        {S_INIT("nul"), "1:1", INVALID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Value v = v_int(7);
        Error err;
        assert_int_equal(parse(a, cases[i].text, JSON_STRICT, &v, &err), cases[i].status);
        assert_string_equal(arena_cstr(a, err.where), cases[i].where);
        assert_int_equal(v_to_int(v, 0), 7); // untouched
        assert_true(error_message(&err, NULL, NULL, a).len > 0);
    }
    Value v;
    assert_int_equal(parse(a, S("["), JSON_STRICT, &v, NULL), INVALID); // nobody wants to know
    assert_int_equal(parse(a, (Str){NULL, 0}, JSON_STRICT, &v, NULL), INVALID);
}

static void duplicates_are_refused_or_the_last_wins(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    Str text = S("{\"a\":1,\"b\":2,\"\\u0061\":3}");
    Value v;
    Error err;
    assert_int_equal(parse(a, text, JSON_STRICT, &v, &err), INVALID);
    assert_int_equal(parse(a, text, JSON_LAX, &v, &err), OK);
    assert_string_equal(arena_cstr(a, json_to_str(v, a)), "{\"a\":3,\"b\":2}");
}

static Str nested(Arena *a, uint32_t depth, bool closed) {
    Buf text = buf_make(a, 2 * depth, 4 * depth);
    for (uint32_t i = 0; i < depth; i++) buf_char(&text, '[');
    for (uint32_t i = 0; closed && i < depth; i++) buf_char(&text, ']');
    return buf_view(&text);
}

static void limits_depth_and_size(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    Value v;
    Error err;
    assert_int_equal(parse(a, nested(a, VALUE_DEPTH_MAX, true), JSON_STRICT, &v, &err), OK);
    assert_int_equal(v_depth(v), VALUE_DEPTH_MAX);
    assert_int_equal(parse(a, nested(a, VALUE_DEPTH_MAX + 1, true), JSON_STRICT, &v, &err), LIMIT);
    assert_int_equal(parse(a, nested(a, 1000000, false), JSON_STRICT, &v, &err), LIMIT);
    JsonLimits two = {.depth_max = 2}, five_bytes = {.size_max = 5};
    JsonLimits absurd = {.depth_max = 1 << 30};
    assert_int_equal(json_parse(S("[[]]"), JSON_STRICT, two, a, &v, &err), OK);
    assert_int_equal(json_parse(S("[{\"a\":[]}]"), JSON_STRICT, two, a, &v, &err), LIMIT);
    assert_int_equal(json_parse(S("[[],[]]"), JSON_STRICT, two, a, &v, &err), OK);
    assert_int_equal(json_parse(S("[1,2]"), JSON_STRICT, five_bytes, a, &v, &err), OK);
    assert_int_equal(json_parse(S("[1,23]"), JSON_STRICT, five_bytes, a, &v, &err), LIMIT);
    assert_int_equal(json_parse(nested(a, 100000, true), JSON_STRICT, absurd, a, &v, &err), LIMIT);
    Buf many = buf_make(a, 4 << 20, 8 << 20);
    buf_char(&many, '[');
    for (uint32_t i = 0; i < VALUE_ITEMS_MAX; i++) buf_lit(&many, "1,");
    buf_lit(&many, "1]");
    assert_int_equal(parse(a, buf_view(&many), JSON_STRICT, &v, &err), LIMIT);
}

// Objects that outgrow the place on the stack, and keys enough for the hash table.
static void holds_many(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    for (int n = 0; n < 100; n++) {
        Buf text = buf_make(a, 64, 1 << 16);
        buf_char(&text, '{');
        for (int i = 0; i < n; i++) {
            if (i) buf_char(&text, ',');
            buf_printf(&text, "\"k%d\":[%d]", i, i);
        }
        buf_char(&text, '}');
        assert_string_equal(through(a, buf_view(&text)), arena_cstr(a, buf_view(&text)));
        if (n == 0) continue;
        text.len--;
        buf_printf(&text, ",\"k%d\":0}", n - 1);
        Value v;
        Error err;
        assert_int_equal(parse(a, buf_view(&text), JSON_STRICT, &v, &err), INVALID);
        assert_int_equal(parse(a, buf_view(&text), JSON_LAX, &v, &err), OK);
        assert_int_equal(v.len, n);
    }
}

static void writes_other_kinds_as_strings(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    Value low = v_lit("a"), high = v_lit("\"z");
    ListBuilder b = list_make(a);
    list_add(&b, v_day(19508));
    list_add(&b, v_instant(1685496600000, a));
    list_add(&b, (Value){.kind = V_DURATION, .as.duration = {90, 0}});
    list_add(&b, (Value){.kind = V_MONTHS, .as.months = 14});
    list_add(&b, v_range(&low, true, &high, false, a));
    list_add(&b, (Value){.kind = V_FUNCTION});
    assert_string_equal(arena_cstr(a, json_to_str(list_done(&b), a)),
                        "[\"2023-05-31\",\"2023-05-31T09:30:00+08:00\",\"PT1M30S\",\"P1Y2M\","
                        "\"[\\\"a\\\"..\\\"\\\\\\\"z\\\")\",null]");
}

static void writes_for_people(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    Value v;
    Error err;
    assert_int_equal(parse(a, S("{\"a\":[1,{}],\"b\":[]}"), JSON_STRICT, &v, &err), OK);
    Buf out = buf_make(a, 64, 1024);
    json_write_pretty(&out, v);
    assert_string_equal(arena_cstr(a, buf_view(&out)),
                        "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_every_digit),
        cmocka_unit_test(keeps_strings),
        cmocka_unit_test(never_writes_what_it_would_refuse),
        cmocka_unit_test(says_where),
        cmocka_unit_test(duplicates_are_refused_or_the_last_wins),
        cmocka_unit_test(limits_depth_and_size),
        cmocka_unit_test(holds_many),
        cmocka_unit_test(writes_other_kinds_as_strings),
        cmocka_unit_test(writes_for_people),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
