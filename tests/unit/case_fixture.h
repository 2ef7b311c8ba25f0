// A whole demo county for tests of cases and figures: units, posts, calendar, packs and the
// catalogue, on SQLite and again on PostgreSQL, made once for all tests of a program. Tests name
// their own people, so they don't meet.
#pragma once

#include "store_fixture.h"

#include "case/county.h"

typedef struct County {
    Fixture *f;
    CaseRoom *room;
    Arena *a; // emptied before each test
    Instant now;
    Errors errs;
} County;

static inline void county_fail(const char *what, const Errors *errs) {
    for (size_t i = 0; i < errs->count; i++) {
        Arena *a = arena_create(1 << 16);
        Str m = error_message(&errs->items[i], NULL, NULL, a);
        print_error("%s: %.*s: %.*s\n", what, S_FMT(errs->items[i].where), S_FMT(m));
        arena_free(a);
    }
    fail();
}

// The rooms over the open store.
static inline void county_open(County *c) {
    Error err;
    if (case_room_create(c->f->store, str_z(c->f->folder), S("象山县"), S("330225"),
                         S("https://zw.example.gov.cn"), &c->room, &err) != OK) {
        fixture_fail("case_room_create", &err);
    }
    case_register(c->room);
}

static inline int county_up(void **state, bool postgres) {
    if (fixture_setup(state, postgres) != 0) return -1;
    County *c = calloc(1, sizeof *c);
    c->f = *state;
    c->a = arena_create(512 << 20);
    c->now = day_instant(day_from_civil((Civil){2023, 3, 1}), 9 * 3600);
    static bool registered;
    if (!registered) {
        people_register();
        item_register();
        registered = true;
    }
    county_open(c);
    Value report;
    c->errs = errors_make(c->a);
    if (county_load(c->f->store, c->room, true, c->a, &report, &c->errs) != OK) {
        county_fail("county_load", &c->errs);
    }
    *state = c;
    return 0;
}

static inline int county_down(void **state) {
    County *c = *state;
    Fixture *f = c->f;
    *state = f;
    int rc = fixture_teardown(state); // the store first: its jobs use the room
    case_room_free(c->room);
    arena_free(c->a);
    free(c);
    return rc;
}

static inline int county_up_sqlite(void **state) { return county_up(state, false); }
static inline int county_up_postgres(void **state) { return county_up(state, true); }

// Before each test: an empty arena, no errors.
static inline int county_fresh(void **state) {
    County *c = *state;
    arena_reset(c->a);
    c->errs = errors_make(c->a);
    return 0;
}

#define EACH(fn) cmocka_unit_test_setup(fn, county_fresh)
// `tests` on SQLite and, where there is one, on PostgreSQL; how many failed.
#define COUNTY_RUN(name, tests, up_sqlite, up_postgres)                            \
    (cmocka_run_group_tests_name(name, tests, up_sqlite, county_down) +            \
     (fixture_has_postgres()                                                       \
          ? cmocka_run_group_tests_name(name "_postgres", tests, up_postgres, county_down) \
          : 0))

// JSON written with ' for ".
static inline Value county_json(County *c, const char *text) {
    Str copy = arena_str(c->a, str_z(text));
    for (size_t i = 0; i < copy.len; i++) {
        if (copy.ptr[i] == '\'') ((char *)(uintptr_t)copy.ptr)[i] = '"';
    }
    Value v;
    Error err;
    if (json_parse(copy, JSON_STRICT, (JsonLimits){0}, c->a, &v, &err) != OK) {
        fixture_fail(text, &err);
    }
    return v;
}

static inline Status county_try(County *c, const char *command, const Actor *actor, Value input,
                                Value *ret) {
    c->errs = errors_make(c->a);
    const Command *found = command_find(str_z(command));
    assert_non_null(found);
    return command_run(c->f->store, found, actor, input, c->now, c->a, ret, &c->errs);
}

static inline Value county_do(County *c, const char *command, const Actor *actor, Value input) {
    Value ret = v_null();
    if (county_try(c, command, actor, input, &ret) != OK) county_fail(command, &c->errs);
    return ret;
}

// The actor of a demo account.
static inline Actor county_actor(County *c, const char *login) {
    Error err;
    Db *db;
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    Actor actor = {.name = str_z(login)};
    Query *q =
        query(db, "SELECT id, roles, COALESCE(unit_id, 0), COALESCE(party_id, 0) FROM account"
                  " WHERE login = ?1");
    query_str(q, 1, str_z(login));
    if (query_next(q)) {
        actor.account_id = query_col_int(q, 0);
        actor.roles = (unsigned)query_col_int(q, 1);
        actor.unit_id = query_col_int(q, 2);
        actor.party_id = query_col_int(q, 3);
    }
    assert_int_equal(query_done(q, &err), OK);
    assert_true(actor.account_id != 0);
    int64_t *posts = arena_array(c->a, int64_t, 100);
    q = query(db, "SELECT post_id FROM account_post WHERE account_id = ?1");
    query_int(q, 1, actor.account_id);
    while (query_next(q) && actor.posts_count < 100)
        posts[actor.posts_count++] = query_col_int(q, 0);
    assert_int_equal(query_done(q, &err), OK);
    actor.posts = posts;
    store_release(db);
    return actor;
}

// Someone with every post of the county: tests of flows are not tests of rights.
static inline Actor county_everyone(County *c) {
    Actor actor = county_actor(c, "scj");
    Error err;
    Db *db;
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    int64_t *posts = arena_array(c->a, int64_t, 1000);
    size_t n = 0;
    Query *q = query(db, "SELECT id FROM post");
    while (query_next(q) && n < 1000) posts[n++] = query_col_int(q, 0);
    assert_int_equal(query_done(q, &err), OK);
    store_release(db);
    actor.posts = posts;
    actor.posts_count = n;
    actor.roles = ROLE_APPROVER | ROLE_SUPERVISOR;
    return actor;
}

static inline int64_t county_int(County *c, const char *sql, int64_t id) {
    Error err;
    Db *db;
    int64_t n = 0;
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    Query *q = query(db, sql);
    query_int(q, 1, id);
    if (query_one_int(q, &n, &err) != OK) fixture_fail(sql, &err);
    store_release(db);
    return n;
}

static inline Value county_view(County *c, const Actor *actor, Value submitted) {
    Error err;
    Db *db;
    Value v = v_null();
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    Str number = v_text(v_get_lit(submitted, "number"));
    if (case_view(c->room, db, actor, number, c->now, S("zh"), c->a, &v, &err) != OK) {
        fixture_fail("case_view", &err);
    }
    store_release(db);
    return v;
}
