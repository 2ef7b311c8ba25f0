// room: case
// Working days: the project's own calendar files, the published vectors, and days that don't fit.
#include "store_fixture.h"

#include "base/embed.h"
#include "case/calendar.h"

static Status load_all(Tx *tx, void *arg, Errors *errs) {
    int *loaded = arg;
    *loaded = 0;
    for (size_t i = 0; i < embed_count(); i++) {
        const EmbeddedFile *f = embed_at(i);
        Value year;
        Error e;
        if (!str_starts(f->path, S("county/calendar/"))) continue;
        if (json_parse(f->data, JSON_STRICT, (JsonLimits){0}, tx_arena(tx), &year, &e) != OK) {
            return errors_push(errs, &e);
        }
        Status st = calendar_load(tx, year, errs);
        if (st != OK) return st;
        ++*loaded;
    }
    return OK;
}

static const Calendar *read_again(Fixture *f) {
    Error e;
    const Calendar *c = NULL;
    DB_AUTO db = NULL;
    if (store_read(f->store, &db, &e) != OK) fixture_fail("store_read", &e);
    if (calendar_read(db, f->arena, &c, &e) != OK) fixture_fail("calendar_read", &e);
    return c;
}

static const Calendar *loaded(Fixture *f) {
    Errors errs = errors_make(f->arena);
    int years = 0;
    if (store_write(f->store, load_all, &years, f->arena, 0, &errs) != OK) {
        fixture_fail("calendar_load", &errs.items[0]);
    }
    assert_true(years >= 5);
    return read_again(f);
}

static Day day(const char *text) {
    Day d;
    assert_true(day_parse(str_z(text), &d));
    return d;
}

static void the_vectors(void **state) {
    static const struct {
        const char *start;
        int32_t n;
        const char *end;
    } vectors[] = {
        {"2026-02-12", 5, "2026-02-26"},  {"2025-01-24", 5, "2025-02-07"},
        {"2024-09-12", 20, "2024-10-16"}, {"2026-09-30", 20, "2026-11-03"},
        {"2022-12-30", 20, "2023-02-02"},
    };
    const Calendar *c = loaded(*state);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        bool unsure = true;
        Day start = day(vectors[i].start), end = day(vectors[i].end);
        assert_int_equal(calendar_add(c, start, vectors[i].n, &unsure), end);
        assert_false(unsure);
        assert_int_equal(calendar_between(c, start, end), vectors[i].n);
        assert_int_equal(calendar_between(c, end, start), -vectors[i].n);
    }
}

static void years_have_their_days(void **state) {
    static const int counts[] = {249, 249, 251, 248, 248}; // 2022 to 2026
    const Calendar *c = loaded(*state);
    for (int32_t i = 0; i < 5; i++) {
        Day before = day_from_civil((Civil){2021 + i, 12, 31});
        Day last = day_from_civil((Civil){2022 + i, 12, 31});
        assert_int_equal(calendar_between(c, before, last), counts[i]);
    }
    assert_false(calendar_is_workday(c, day("2023-10-02")));
    assert_true(calendar_is_workday(c, day("2023-10-07"))); // a Saturday, made up
    assert_text(calendar_name(c, day("2023-01-24")), "春节");
    assert_text(calendar_name(c, day("2023-03-01")), "");
}

// Every count by the tables against counting day by day.
static void tables_agree_with_counting(void **state) {
    const Calendar *c = loaded(*state);
    Day from = day("2021-12-20"), to = day("2027-01-15");
    for (Day start = from; start < from + 400; start += 3) {
        int32_t n = 0;
        for (Day d = start + 1; d <= to && n < 60; d++) {
            n += calendar_is_workday(c, d);
            assert_int_equal(calendar_between(c, start, d), n);
            if (calendar_is_workday(c, d)) assert_int_equal(calendar_add(c, start, n, NULL), d);
        }
    }
    assert_int_equal(calendar_add(c, from, 0, NULL), from);
    assert_int_equal(calendar_between(c, from, from), 0);
}

static void far_days(void **state) {
    const Calendar *c = loaded(*state);
    bool unsure = false;
    assert_int_equal(calendar_between(c, day("2070-01-05"), day("2070-01-12")), 5);
    (void)calendar_add(c, day("2060-12-20"), 30, &unsure);
    assert_true(unsure);
    assert_int_equal(calendar_add(c, day("2060-12-31"), 1, NULL), day("2061-01-03"));
    assert_int_equal(calendar_add(c, day("1999-12-31"), 5, NULL), day("2000-01-07"));
    unsure = false;
    (void)calendar_add(c, day("2026-12-20"), 20, &unsure); // 2027 is not announced yet
    assert_true(unsure);
}

static Str line(Value derivation, uint32_t i, Arena *a) {
    Error e = {.status = INVALID, .text = arena_cstr(a, v_text(v_path(v_at(derivation, i),
                                                                      S("text"))))};
    Value args = v_get_lit(v_at(derivation, i), "args");
    for (uint32_t k = 0; k < args.len; k++) e.args[k] = v_text(v_at(args, k));
    return error_message(&e, NULL, NULL, a);
}

static void derivations(void **state) {
    Fixture *f = *state;
    const Calendar *c = loaded(f);
    Value d = calendar_derivation(c, day("2024-09-12"), 20, f->arena);
    static const char *const expected[] = {
        "自 2024-09-12 起算，当日不计入",
        "2024-09-14 调休上班，计入",
        "2024-09-15 至 2024-09-17 中秋节放假，不计",
        "2024-09-29 调休上班，计入",
        "2024-10-01 至 2024-10-07 国庆节放假，不计",
        "2024-10-12 调休上班，计入",
        "其间双休日 4 天，不计",
        "第 20 个工作日为 2024-10-16",
    };
    assert_int_equal(d.len, sizeof expected / sizeof *expected);
    for (uint32_t i = 0; i < d.len; i++) assert_text(line(d, i, f->arena), expected[i]);
}

typedef struct Text {
    const char *json;
} Text;

static Status load_text(Tx *tx, void *arg, Errors *errs) {
    Value year;
    Error e;
    Str text = str_z(((Text *)arg)->json);
    if (json_parse(text, JSON_STRICT, (JsonLimits){0}, tx_arena(tx), &year, &e) != OK) {
        return errors_push(errs, &e);
    }
    return calendar_load(tx, year, errs);
}

static void bad_files_change_nothing(void **state) {
    static const char *const bad[] = {
        "{}",
        "{\"year\": 1999, \"announced\": true, \"off\": [], \"work\": []}",
        "{\"year\": 2023, \"announced\": true, \"off\": [], \"work\": {}}",
        "{\"year\": 2023, \"announced\": true, \"off\": [{\"from\": \"2023-02-30\", \"to\":"
        " \"2023-03-01\"}], \"work\": []}",
        "{\"year\": 2023, \"announced\": true, \"off\": [{\"from\": \"2023-05-03\", \"to\":"
        " \"2023-05-01\"}], \"work\": []}",
        "{\"year\": 2023, \"announced\": true, \"off\": [{\"from\": \"2023-05-01\", \"to\":"
        " \"2023-09-01\"}], \"work\": []}",
        "{\"year\": 2023, \"announced\": true, \"off\": [{\"from\": \"2022-10-01\", \"to\":"
        " \"2022-10-02\"}], \"work\": []}",
        "{\"year\": 2023, \"announced\": true, \"off\": [], \"work\": [{\"date\":"
        " \"2023-05-10\"}]}", // a Wednesday
        "{\"year\": 2023, \"announced\": false, \"off\": [{\"from\": \"2023-05-01\", \"to\":"
        " \"2023-05-01\"}], \"work\": []}",
    };
    Fixture *f = *state;
    (void)loaded(f);
    int64_t before = fixture_int(f, "SELECT COUNT(*) FROM calendar_day");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Errors errs = errors_make(f->arena);
        Text text = {bad[i]};
        assert_int_equal(store_write(f->store, load_text, &text, f->arena, 0, &errs), INVALID);
        assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM calendar_day"), before);
    }
}

static void a_year_is_replaced(void **state) {
    Fixture *f = *state;
    (void)loaded(f);
    Errors errs = errors_make(f->arena);
    Text text = {"{\"year\": 2023, \"announced\": \"2022-12-08\", \"source\": \"x\", \"off\":"
                 " [{\"from\": \"2023-06-01\", \"to\": \"2023-06-02\", \"name\": \"节\"}],"
                 " \"work\": []}"};
    assert_int_equal(store_write(f->store, load_text, &text, f->arena, 0, &errs), OK);
    const Calendar *c = read_again(f);
    assert_true(calendar_is_workday(c, day("2023-10-02"))); // what it said before is gone
    assert_false(calendar_is_workday(c, day("2023-06-01")));
    assert_false(calendar_is_workday(c, day("2022-10-03"))); // other years stay
    assert_false(calendar_is_workday(c, day("2024-02-12")));
}

#define TESTS(kind)                                                                   \
    {                                                                                 \
        kind(the_vectors), kind(years_have_their_days), kind(tables_agree_with_counting), \
            kind(far_days), kind(derivations), kind(bad_files_change_nothing),        \
            kind(a_year_is_replaced),                                                 \
    }

int main(void) {
    const struct CMUnitTest sqlite[] = TESTS(FIXTURE_SQLITE);
    const struct CMUnitTest postgres[] = TESTS(FIXTURE_POSTGRES);
    return FIXTURE_RUN("calendar", sqlite, postgres);
}
