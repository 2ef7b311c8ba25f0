// room: case
// Lists of cases: whatever the filters, a list walked page by page gives exactly the cases a plain
// condition gives, in order, once each, and counts them so.
#include "case_fixture.h"

// Cases of three departments, four items, two towns, all states and channels, three months; most
// of the applicants' names begin with 象山, a few with 石浦.
static void fill(County *c) {
    fixture_do(
        c->f, "WITH RECURSIVE n(k) AS (SELECT CAST(1 AS BIGINT) UNION ALL"
              " SELECT k + 1 FROM n WHERE k < 700)"
              " INSERT INTO party (id, kind, name, id_number, created_at) SELECT 500000 + k, 2,"
              " CASE WHEN k % 100 = 0 THEN '石浦' ELSE '象山' END || CAST(1000 + k AS TEXT),"
              " 'TEST' || CAST(1000 + k AS TEXT), 1 FROM n");
    fixture_do(
        c->f,
        "WITH RECURSIVE n(k) AS (SELECT CAST(1 AS BIGINT) UNION ALL"
        " SELECT k + 1 FROM n WHERE k < 2600)"
        " INSERT INTO cases (id, number, item_id, item_version_id, unit_id, town_id, party_id,"
        " channel, state, received_at, accepted_at, decided_at, closed_at, promised_due_day,"
        " warn_day, overdue, answers_json, flow_json, clock_json)"
        " SELECT 500000 + k, '33022520230401' || CAST(1000000 + k AS TEXT),"
        " (SELECT MIN(id) FROM item) + k / 8 % 4, (SELECT MIN(id) FROM item_version),"
        " (SELECT MIN(id) FROM unit WHERE kind = 'department') + k % 3,"
        " CASE WHEN k % 5 = 0 THEN (SELECT MIN(id) FROM unit WHERE kind = 'town') + k / 5 % 2 END,"
        " 500000 + 1 + (k * 11) % 700, 1 + k % 7 % 2, 1 + k % 8,"
        " 1680300000000 + k * 3000000,"
        " CASE WHEN 1 + k % 8 IN (3, 4, 5) THEN 1680300000000 + (k - k % 6) * 3000000 END,"
        " CASE WHEN 1 + k % 8 IN (4, 5) THEN 1680400000000 + k * 3000000 END,"
        " CASE WHEN 1 + k % 8 > 4 THEN 1680500000000 + k * 3000000 END,"
        " 19450 + k % 90, 19445 + k % 90,"
        " CASE WHEN 1 + k % 8 IN (4, 5) AND k % 13 < 4 THEN 1 ELSE 0 END, '{}', '{}', '{}' FROM n");
}

#define UNIT "(SELECT MIN(id) + 1 FROM unit WHERE kind = 'department')"
#define TOWN "(SELECT MIN(id) + 1 FROM unit WHERE kind = 'town')"
#define ITEM "(SELECT MIN(id) + 1 FROM item)"

static Str code_of(County *c, const char *sql) {
    Error err;
    Db *db;
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    Query *q = query(db, sql);
    assert_true(query_next(q));
    Str code = query_col_keep(q, 0, c->a);
    while (query_next(q)) continue;
    assert_int_equal(query_done(q, &err), OK);
    store_release(db);
    return code;
}

static uint32_t check_list(County *c, Db *db, const Actor *who, Value filter, const char *where,
                       bool by_acceptance) {
    Error err = {.status = OK};
    Str sql = arena_printf(c->a,
                           "SELECT c.id FROM cases c JOIN party p ON p.id = c.party_id"
                           " WHERE c.id > 500000%s ORDER BY %s c.id DESC",
                           where, by_acceptance ? "c.accepted_at DESC," : "");
    Query *q = query(db, arena_cstr(c->a, sql));
    ListBuilder expected = list_make(c->a);
    while (query_next(q)) list_add(&expected, v_int(query_col_int(q, 0)));
    assert_int_equal(query_done(q, &err), OK);
    uint32_t seen = 0;
    Value at = v_with(filter, S("page_size"), v_int(100), c->a), found;
    do {
        if (case_list(c->room, db, who, at, c->now, c->a, &found, &err) != OK)
            fixture_fail(where, &err);
        int64_t total = v_to_int(v_get_lit(found, "total"), -1);
        bool more = v_true(v_get_lit(found, "more"));
        if (more ? total >= expected.len : total != expected.len) {
            print_error("%s: %d of %d\n", where, (int)total, (int)expected.len);
            fail();
        }
        Value rows = v_get_lit(found, "rows");
        for (uint32_t i = 0; i < rows.len; i++, seen++) {
            int64_t id = v_to_int(v_get_lit(v_at(rows, i), "id"), 0);
            if (seen < expected.len && id == v_to_int(expected.items[seen], 0)) continue;
            print_error("%s: row %d is %d\n", where, (int)seen, (int)id);
            fail();
        }
        at = v_with(at, S("after"), v_get_lit(found, "next"), c->a);
    } while (!v_is_null(v_get_lit(found, "next")));
    assert_int_equal(seen, expected.len);
    return seen;
}

static void lists_hold_what_their_filters_say(void **state) {
    County *c = *state;
    Error err = {.status = OK};
    Actor who = county_actor(c, "supervisor");
    Str codes[] = {code_of(c, "SELECT code FROM unit WHERE id = " UNIT),
                   code_of(c, "SELECT code FROM unit WHERE id = " TOWN),
                   code_of(c, "SELECT code FROM item WHERE id = " ITEM)};
    static const struct {
        const char *name, *value, *where;
    } parts[] = {
        {"unit", NULL, "c.unit_id = " UNIT},
        {"town", NULL, "c.town_id = " TOWN},
        {"item", NULL, "c.item_id = " ITEM},
        {"channel", "window", "c.channel = 1"},
        {"channel", "online", "c.channel = 2"},
        {"from", "2023-04-10", "c.accepted_at >= 1681056000000"},
        {"to", "2023-06-10", "c.accepted_at < 1686412800000"},
        {"overdue", "", "c.overdue = 1"},
        {"q", "石浦", "p.name >= '石浦' AND p.name < '石浧'"},
        {"q", "象山", "p.name >= '象山' AND p.name < '象岱'"},
    };
    enum { PARTS = sizeof parts / sizeof *parts };
    DB_AUTO db = NULL;
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    int filled = 0;
    for (unsigned set = 0; set < 1u << PARTS; set++) {
        if (__builtin_popcount(set) > 3) continue;
        ArenaMark mark = arena_mark(c->a);
        ContextBuilder b = context_make(c->a);
        Buf where = buf_make(c->a, 256, 4096);
        bool by_acceptance = false, twice = false;
        for (unsigned i = 0; i < PARTS; i++) {
            if (!(set >> i & 1)) continue;
            Value value = i < 3    ? v_str(codes[i])
                          : i == 7 ? v_bool(true)
                                   : v_str(str_z(parts[i].value));
            twice = twice || !context_put_once(&b, str_z(parts[i].name), value);
            buf_printf(&where, " AND %s", parts[i].where);
            by_acceptance = by_acceptance || i == 5 || i == 6;
        }
        if (!twice && check_list(c, db, &who, context_done(&b),
                                 arena_cstr(c->a, buf_view(&where)), by_acceptance) > 0)
            filled++;
        arena_rewind(c->a, mark);
    }
    assert_true(filled > 100); // lists without a row would show nothing
}

static void states_and_lights(void **state) {
    County *c = *state;
    Error err = {.status = OK};
    Actor who = county_actor(c, "supervisor");
    Value unit = v_str(code_of(c, "SELECT code FROM unit WHERE id = " UNIT));
    DB_AUTO db = NULL;
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    for (int i = CASE_RECEIVED; i < CASE_STATE_COUNT; i++) {
        Value filter = v_with(v_null(), S("state"), v_int(i), c->a);
        Str where = arena_printf(c->a, " AND c.state = %d", i);
        assert_true(check_list(c, db, &who, filter, arena_cstr(c->a, where), false) > 0);
        where = arena_printf(c->a, "%.*s AND c.unit_id = " UNIT, S_FMT(where));
        filter = v_with(filter, S("unit"), unit, c->a);
        assert_true(check_list(c, db, &who, filter, arena_cstr(c->a, where), false) > 0);
        if (i < CASE_APPROVAL || i > CASE_DELIVERED) continue;
        where = arena_printf(c->a, "%.*s AND c.accepted_at >= 1681056000000", S_FMT(where));
        filter = v_with(filter, S("from"), v_lit("2023-04-10"), c->a);
        assert_true(check_list(c, db, &who, filter, arena_cstr(c->a, where), true) > 0);
    }
    static const char *const lights[][2] = {
        {"red", " AND c.promised_due_day < 19480"},
        {"yellow", " AND c.promised_due_day >= 19480 AND c.warn_day <= 19480"},
        {"green", " AND c.warn_day > 19480"},
    };
    c->now = day_instant(19480, 0);
    for (size_t i = 0; i < 3; i++) {
        Str where = arena_printf(c->a,
                                 " AND c.decided_at IS NULL AND c.closed_at IS NULL%s"
                                 " AND c.unit_id = " UNIT,
                                 lights[i][1]);
        Value filter = v_with(v_null(), S("light"), v_str(str_z(lights[i][0])), c->a);
        filter = v_with(filter, S("unit"), unit, c->a);
        assert_true(check_list(c, db, &who, filter, arena_cstr(c->a, where), false) > 0);
    }
}

// All pages of a filter: how many tasks, each once and the most urgent first.
static int64_t tasks_of(County *c, const Actor *who, Value filter) {
    Error err = {.status = OK};
    DB_AUTO db = NULL;
    Value at = v_with(filter, S("page_size"), v_int(7), c->a), found;
    int64_t seen = 0, last_due = -1, last_id = -1;
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    do {
        assert_int_equal(task_list(c->room, db, who, at, c->now, c->a, &found, &err), OK);
        Value rows = v_get_lit(found, "rows");
        for (uint32_t i = 0; i < rows.len; i++, seen++) {
            Day day = 999999;
            (void)!v_to_day(v_get_lit(v_at(rows, i), "case_due"), &day);
            int64_t id = v_to_int(v_get_lit(v_at(rows, i), "id"), 0);
            assert_true(day > last_due || (day == last_due && id > last_id));
            last_due = day;
            last_id = id;
        }
        at = v_with(at, S("after"), v_get_lit(found, "next"), c->a);
    } while (!v_is_null(v_get_lit(found, "next")));
    return seen;
}

static void tasks_go_on_page_by_page(void **state) {
    County *c = *state;
    Actor who = county_actor(c, "rsj");
    c->now = day_instant(19480, 0);
    fixture_do(c->f, arena_cstr(c->a, arena_printf(c->a,
        "INSERT INTO task (case_id, token, node, name, unit_id, post_id, account_id, state,"
        " opened_at) SELECT c.id, 1, 'n', '审核', c.unit_id,"
        " (SELECT MIN(post_id) FROM account_post WHERE account_id = %lld),"
        " CASE WHEN c.id %% 3 = 0 THEN %lld END, 1, 1 FROM cases c"
        " WHERE c.id > 500000 AND c.id <= 500300",
        (long long)who.account_id, (long long)who.account_id)));
    fixture_do(c->f, "UPDATE cases SET promised_due_day = NULL WHERE id > 500000 AND id <= 500020");
    int64_t red = fixture_int(c->f, "SELECT COUNT(*) FROM task t JOIN cases c ON c.id = t.case_id"
                                    " WHERE t.node = 'n' AND c.promised_due_day < 19480");
    assert_true(red > 10);
    assert_int_equal(tasks_of(c, &who, v_null()), 300);
    assert_int_equal(tasks_of(c, &who, county_json(c, "{'light':'red'}")), red);
    assert_int_equal(tasks_of(c, &who, county_json(c, "{'whose':'mine'}")), 100);
    assert_int_equal(tasks_of(c, &who, county_json(c, "{'whose':'free'}")), 200);
    assert_int_equal(tasks_of(c, &who, county_json(c, "{'q':'1000123'}")), 1);
    assert_int_equal(tasks_of(c, &who, county_json(c, "{'q':'象山%'}")), 0); // no pattern
    assert_int_equal(tasks_of(c, &who, county_json(c, "{'post':'nobody'}")), 0);
    assert_int_equal(tasks_of(c, &who, county_json(c, "{'q':'石浦'}")),
                     fixture_int(c->f, "SELECT COUNT(*) FROM cases c JOIN party p ON"
                                       " p.id = c.party_id WHERE c.id > 500000 AND c.id <= 500300"
                                       " AND p.name >= '石浦' AND p.name < '石浧'"));
}

static int up_sqlite(void **state) {
    if (county_up(state, false) != 0) return -1;
    fill(*state);
    return 0;
}
static int up_postgres(void **state) {
    if (county_up(state, true) != 0) return -1;
    fill(*state);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        EACH(lists_hold_what_their_filters_say),
        EACH(states_and_lights),
        EACH(tasks_go_on_page_by_page),
    };
    return COUNTY_RUN("case_list", tests, up_sqlite, up_postgres);
}
