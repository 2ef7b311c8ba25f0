// room: value
#include "value/value.h"

#include "value/json.h"

#include <cmocka.h>

enum { MEMORY_MAX = 256 << 20 };

static Value json(Arena *a, const char *text) {
    Value v;
    Error err;
    if (json_parse(str_z(text), JSON_STRICT, (JsonLimits){0}, a, &v, &err) != OK) {
        fail_msg("not JSON: %s", text);
    }
    return v;
}

static const char *shown(Arena *a, Value v) { return arena_cstr(a, v_to_str(v, a)); }

static Value date(int32_t year, uint8_t month, uint8_t day) {
    return (Value){.kind = V_DATE, .as.date = {year, month, day}};
}

static Value duration(int64_t seconds, int32_t nanoseconds) {
    return (Value){.kind = V_DURATION, .as.duration = {seconds, nanoseconds}};
}

static Value months(int64_t n) { return (Value){.kind = V_MONTHS, .as.months = n}; }

static Value at(ValueKind kind, const DateTime *t) {
    return (Value){.kind = (uint8_t)kind, .as.time = t};
}

static void looks_up(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    Value v = json(a, "{\"applicant\":{\"name\":\"张三\",\"age\":45},\"materials\":"
                      "[{\"name\":\"a\"},{\"name\":\"b\"}],\"\":1}");
    assert_true(str_eq(v_text(v_path(v, S("applicant.name"))), S("张三")));
    assert_true(str_eq(v_text(v_path(v, S("materials.1.name"))), S("b")));
    assert_true(v_is_null(v_path(v, S("materials.2.name"))));
    assert_true(v_is_null(v_path(v, S("materials.-1"))));
    assert_true(v_is_null(v_path(v, S("materials.x"))));
    assert_true(v_is_null(v_path(v, S("applicant.name.first"))));
    assert_int_equal(v_to_int(v_path(v, S("")), 0), 1);
    assert_int_equal(v_to_int(v_path(v, S("applicant.age")), 0), 45);
    assert_int_equal(v_to_int(v_get_lit(v, "applicant"), -7), -7);
    assert_true(v_has(v, S("materials")));
    assert_false(v_has(v, S("material")));
    assert_false(v_has(v_int(1), S("a")));
    assert_true(v_is_null(v_at(v, 0)));
    assert_int_equal(v_text(v_int(5)).len, 0);
    assert_false(v_true(v_int(1)));
    assert_true(v_true(v_bool(true)));
}

static void converts_days(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    Day d = day_from_civil((Civil){2023, 5, 31}), back = 0;
    assert_true(v_to_day(v_day(d), &back) && back == d);
    assert_true(v_to_day(v_lit("2023-05-31"), &back) && back == d);
    back = 7;
    assert_false(v_to_day(v_lit("2023-02-30"), &back));
    assert_false(v_to_day(v_int(5), &back));
    assert_false(v_to_day(date(999999999, 1, 1), &back)); // more than a Day can hold
    assert_int_equal(back, 7);
    assert_string_equal(shown(a, v_instant(day_instant(d, 34200) + 7, a)),
                        "2023-05-31T09:30:00.007+08:00");
    assert_string_equal(shown(a, v_instant(-1, a)), "1970-01-01T07:59:59.999+08:00");
}

static void builds_contexts(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "a", v_int(1));
    context_put_lit(&b, "b", v_int(2));
    context_put_lit(&b, "a", v_int(3));
    assert_false(context_put_once(&b, S("b"), v_int(9)));
    assert_true(context_put_once(&b, S("c"), v_int(4)));
    assert_string_equal(arena_cstr(a, json_to_str(context_done(&b), a)),
                        "{\"a\":3,\"b\":2,\"c\":4}");
    Value merged = v_merge(context_done(&b), json(a, "{\"c\":5,\"d\":6}"), a);
    assert_true(v_equal(merged, json(a, "{\"a\":3,\"b\":2,\"c\":5,\"d\":6}")));
    assert_true(v_equal(v_merge(v_null(), merged, a), merged));
    assert_true(v_equal(v_merge(merged, v_null(), a), merged));
    Value with = v_with(merged, S("d"), v_null(), a);
    assert_true(v_has(with, S("d")) && v_is_null(v_get_lit(with, "d")));
    assert_int_equal(v_to_int(v_get_lit(merged, "d"), 0), 6); // the old one is as it was
    assert_int_equal(v_with(v_null(), S("x"), v_int(1), a).len, 1);
    ContextBuilder empty = context_make(a);
    assert_true(v_equal(context_done(&empty), json(a, "{}")));
}

static void large_contexts_keep_keys_unique(void **state) {
    (void)state;
    enum { KEYS = 20000 };
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    ContextBuilder b = context_make(a), backwards = context_make(a);
    Str keys[KEYS];
    for (int i = 0; i < KEYS; i++) {
        keys[i] = arena_printf(a, "字段%d", i);
        context_put(&b, keys[i], v_int(i));
    }
    for (int i = 0; i < KEYS; i += 3) context_put(&b, keys[i], v_int(-i));
    for (int i = KEYS - 1; i >= 0; i--) {
        assert_true(context_put_once(&backwards, keys[i], v_int(i % 3 ? i : -i)));
        assert_false(context_put_once(&backwards, keys[i], v_null()));
    }
    Value v = context_done(&b), w = context_done(&backwards);
    assert_int_equal(v.len, KEYS);
    for (int i = 0; i < 50; i++) assert_int_equal(v_to_int(v_get(v, keys[i]), 1), i % 3 ? i : -i);
    assert_true(v_equal(v, w));
    assert_true(v_equal(w, v));
    assert_false(v_equal(v, v_with(w, keys[77], v_int(0), a)));
}

static void refuses_what_is_too_deep_or_long(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    Value v = v_int(1);
    for (int i = 0; i < VALUE_DEPTH_MAX; i++) {
        ListBuilder b = list_make(a);
        list_add(&b, v);
        assert_false(b.full);
        v = list_done(&b);
    }
    assert_int_equal(v_depth(v), VALUE_DEPTH_MAX);
    assert_true(v_equal(v, v_copy(v, a)));
    Buf out = buf_make(a, 64, 1 << 20);
    json_write(&out, v);
    v_print(&out, v);
    assert_false(out.full);
    ListBuilder b = list_make(a);
    list_add(&b, v);
    assert_true(b.full);
    assert_true(v_is_null(list_done(&b)));
    ContextBuilder c = context_make(a);
    context_put_lit(&c, "a", v_int(1));
    context_put_lit(&c, "a", v);
    assert_true(c.full);
    assert_true(v_is_null(context_done(&c)));
    ListBuilder many = list_make(a);
    for (uint32_t i = 0; i < VALUE_ITEMS_MAX; i++) list_add(&many, v_bool(true));
    assert_int_equal(list_done(&many).len, VALUE_ITEMS_MAX);
    list_add(&many, v_null());
    assert_true(many.full);
    assert_true(v_is_null(list_done(&many)));
}

static void bounds_what_no_builder_made(void **state) {
    (void)state;
    enum { FAR = 1000000 };
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    Value *chain = arena_array(a, Value, FAR);
    for (int i = 1; i < FAR; i++) {
        chain[i] = (Value){.kind = V_LIST, .len = 1, .as.items = &chain[i - 1]};
    }
    Value v = chain[FAR - 1];
    assert_false(v_equal(v, v));
    (void)v_copy(v, a);
    Buf out = buf_make(a, 64, 1 << 20);
    json_write(&out, v);
    assert_true(out.full);
    out = buf_make(a, 64, 1 << 20);
    v_print(&out, v);
    assert_true(out.full);
}

static void compares(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    DateTime noon = {.year = 2023, .month = 5, .day = 31, .hour = 12};
    DateTime utc = noon, china = noon, later = noon;
    utc.has_offset = china.has_offset = 1;
    utc.hour = 4;
    china.offset_s = CHINA_OFFSET_S;
    later.nanosecond = 1;
    const Value ordered[][2] = {
        {v_int(1), v_number(decimal_from_parts(11, -1))},
        {v_lit("受"), v_lit("受理")},
        {date(2023, 5, 31), date(2023, 6, 1)},
        {date(-1, 12, 31), date(1, 1, 1)},
        {at(V_DATE_TIME, &noon), at(V_DATE_TIME, &later)},
        {at(V_TIME, &noon), at(V_TIME, &later)},
        {duration(-1, -5), duration(-1, 0)},
        {duration(1, 0), duration(1, 1)},
        {months(-1), months(0)},
    };
    for (size_t i = 0; i < sizeof ordered / sizeof *ordered; i++) {
        int order = 7;
        assert_true(v_compare(ordered[i][0], ordered[i][1], &order) && order == -1);
        assert_true(v_compare(ordered[i][1], ordered[i][0], &order) && order == 1);
        assert_true(v_compare(ordered[i][0], ordered[i][0], &order) && order == 0);
        assert_false(v_equal(ordered[i][0], ordered[i][1]));
        assert_true(v_equal(ordered[i][0], v_copy(ordered[i][0], a)));
    }
    int order = 7;
    assert_false(v_compare(v_int(1), v_lit("1"), &order));
    assert_false(v_compare(v_bool(true), v_bool(true), &order));
    assert_false(v_compare(v_null(), v_null(), &order));
    assert_false(v_compare(at(V_DATE_TIME, &noon), at(V_DATE_TIME, &utc), &order));
    assert_int_equal(order, 7);
    assert_true(v_equal(at(V_DATE_TIME, &utc), at(V_DATE_TIME, &china)));
    assert_false(v_equal(at(V_DATE_TIME, &noon), at(V_DATE_TIME, &china)));
}

static void knows_equality(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    assert_true(v_equal(v_null(), v_null()));
    assert_false(v_equal(v_null(), v_bool(false)));
    assert_true(v_equal(v_int(1), v_number(decimal_from_parts(100, -2))));
    assert_false(v_equal(v_int(1), v_lit("1")));
    assert_true(v_equal(json(a, "[1,[2,{\"a\":1,\"b\":null}]]"),
                        json(a, "[1.0,[2,{\"b\":null,\"a\":1}]]")));
    assert_false(v_equal(json(a, "[1,2]"), json(a, "[2,1]")));
    assert_false(v_equal(json(a, "[1]"), json(a, "[1,1]")));
    assert_false(v_equal(json(a, "{\"a\":1}"), json(a, "{\"b\":1}")));
    assert_false(v_equal(json(a, "{\"a\":1}"), json(a, "{\"a\":1,\"b\":1}")));
    Value low = v_int(1), high = v_int(9);
    Value range = v_range(&low, true, &high, false, a);
    assert_true(v_equal(range, v_copy(range, a)));
    assert_false(v_equal(range, v_range(&low, true, &high, true, a)));
    assert_false(v_equal(range, v_range(&low, true, NULL, false, a)));
    assert_true(v_equal(v_range(NULL, true, &high, false, a),
                        v_range(NULL, false, &high, false, a)));
    const int function = 0, other = 0;
    Value f = {.kind = V_FUNCTION, .as.function = &function};
    assert_true(v_equal(f, f));
    assert_false(v_equal(f, (Value){.kind = V_FUNCTION, .as.function = &other}));
}

static void copies_deeply(void **state) {
    (void)state;
    ARENA_AUTO to = arena_create(MEMORY_MAX);
    Arena *from = arena_create(MEMORY_MAX);
    char source[] = "{\"a\":[\"text\",{\"k\":\"v\"}]}";
    Str text = arena_str(from, str_z(source));
    Value v;
    Error err;
    assert_int_equal(json_parse(text, JSON_STRICT, (JsonLimits){0}, from, &v, &err), OK);
    DateTime time = {.year = 2023, .month = 1, .day = 2, .has_offset = 2,
                     .zone = arena_str(from, S("Asia/Shanghai"))};
    Value low = v_str(arena_str(from, S("low")));
    v = v_with(v, S("t"), at(V_DATE_TIME, &time), from);
    v = v_with(v, S("r"), v_range(&low, true, NULL, false, from), from);
    Value copy = v_copy(v, to);
    arena_free(from); // under AddressSanitizer anything still pointing there is found below
    time.zone = S("gone");
    assert_string_equal(shown(to, copy), "{a: [\"text\", {k: \"v\"}], "
                                         "t: 2023-01-02T00:00:00@Asia/Shanghai, r: [\"low\"..)}");
}

static void prints_as_feel_says(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    DateTime t = {.year = 2023, .month = 5, .day = 31, .hour = 9, .minute = 5, .second = 3,
                  .nanosecond = 120000000, .has_offset = 1, .offset_s = -19800};
    Value low = v_int(1), high = v_int(9);
    const struct { Value v; const char *text; } cases[] = {
        {v_null(), ""},
        {v_bool(true), "true"},
        {v_number(decimal_from_parts(123450, -2)), "1234.50"},
        {v_lit("a \"b\""), "a \"b\""},
        {date(2023, 5, 1), "2023-05-01"},
        {date(-44, 3, 15), "-0044-03-15"},
        {date(12345, 1, 1), "12345-01-01"},
        {at(V_TIME, &t), "09:05:03.12-05:30"},
        {at(V_DATE_TIME, &t), "2023-05-31T09:05:03.12-05:30"},
        {duration(0, 0), "PT0S"},
        {duration(86400, 0), "P1D"},
        {duration(-90061, -500000000), "-P1DT1H1M1.5S"},
        {duration(3600, 0), "PT1H"},
        {duration(0, 1), "PT0.000000001S"},
        {duration(61, 0), "PT1M1S"},
        {duration(INT64_MIN, 0), "-P106751991167300DT15H30M8S"},
        {months(0), "P0M"},
        {months(26), "P2Y2M"},
        {months(-12), "-P1Y"},
        {v_range(&low, true, &high, false, a), "[1..9)"},
        {v_range(NULL, true, &high, true, a), "(..9]"},
        {json(a, "[1,\"a\\\"b\",null,{\"k\":\"v\",\"姓名\":[],\"a-b\":true}]"),
         "[1, \"a\\\"b\", null, {k: \"v\", 姓名: [], \"a-b\": true}]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(shown(a, cases[i].v), cases[i].text);
    }
    DateTime z = {.hour = 1, .has_offset = 1};
    assert_string_equal(shown(a, at(V_TIME, &z)), "01:00:00Z");
    z.has_offset = 0;
    assert_string_equal(shown(a, at(V_TIME, &z)), "01:00:00");
    assert_string_equal(v_kind_name(V_DURATION), "days and time duration");
    assert_string_equal(v_kind_name((ValueKind)99), "unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_up),
        cmocka_unit_test(converts_days),
        cmocka_unit_test(builds_contexts),
        cmocka_unit_test(large_contexts_keep_keys_unique),
        cmocka_unit_test(refuses_what_is_too_deep_or_long),
        cmocka_unit_test(bounds_what_no_builder_made),
        cmocka_unit_test(compares),
        cmocka_unit_test(knows_equality),
        cmocka_unit_test(copies_deeply),
        cmocka_unit_test(prints_as_feel_says),
    };
    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
