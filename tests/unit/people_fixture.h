// What the tests of people share: a county of two units and some accounts, commands run by name.
#pragma once

#include "store_fixture.h"

#include "people/people_impl.h"

#define COUNTY                                                                                   \
    "{\"units\":["                                                                               \
    "{\"code\":\"T1\",\"name\":\"丹东街道\",\"kind\":\"town\",\"parent\":\"C\",\"sort\":2},"     \
    "{\"code\":\"C\",\"name\":\"政务服务中心\",\"name_en\":\"Center\",\"kind\":\"center\","      \
    "\"uscc\":\"91350100M000100Y43\",\"sort\":1}],"                                              \
    "\"posts\":[{\"code\":\"C-1\",\"unit\":\"C\",\"name\":\"受理岗\",\"name_en\":\"Intake\"},"   \
    "{\"code\":\"T-1\",\"unit\":\"T1\",\"name\":\"审批岗\"}],"                                   \
    "\"accounts\":["                                                                             \
    "{\"login\":\"clerk\",\"name\":\"王窗口\",\"password\":\"right-password\","                  \
    "\"roles\":[\"clerk\"],\"unit\":\"C\",\"posts\":[\"C-1\",\"T-1\"]},"                         \
    "{\"login\":\"sys\",\"name\":\"陈系统\",\"password\":\"right-password\","                    \
    "\"roles\":[\"sysadmin\"],\"unit\":\"C\"},"                                                  \
    "{\"login\":\"sec\",\"name\":\"褚安全\",\"password\":\"right-password\","                    \
    "\"roles\":[\"secadmin\"],\"unit\":\"C\"},"                                                  \
    "{\"login\":\"audit\",\"name\":\"卫审计\",\"password\":\"right-password\","                  \
    "\"roles\":[\"auditadmin\"],\"unit\":\"C\"},"                                                \
    "{\"login\":\"citizen\",\"name\":\"张三\",\"password\":\"right-password\","                  \
    "\"roles\":[\"citizen\"],\"party\":{\"kind\":\"natural\",\"name\":\"张三\","                 \
    "\"id_number\":\"11010519491231002X\",\"phone\":\"13800000001\"}}]}"

static inline Value people_json(Fixture *f, const char *text) {
    Value v;
    Error err;
    Str copy = arena_str(f->arena, str_z(text));
    if (json_parse(copy, JSON_STRICT, (JsonLimits){0}, f->arena, &v, &err) != OK) {
        fixture_fail(text, &err);
    }
    return v;
}

typedef struct PeopleLoad {
    Value county, report;
} PeopleLoad;

static inline Status people_load_job(Tx *tx, void *arg, Errors *errs) {
    PeopleLoad *l = arg;
    return people_load(tx, l->county, &l->report, errs);
}

static inline Status people_load_text(Fixture *f, const char *text, Value *report, Errors *errs) {
    PeopleLoad l = {.county = people_json(f, text)};
    *errs = errors_make(f->arena);
    Status status = store_write(f->store, people_load_job, &l, f->arena, 1000, errs);
    if (report) *report = l.report;
    return status;
}

// The cheapest argon2id there is: the tests are about everything else.
static inline int people_setup(void **state, bool postgres) {
    password_cost_set(1, 8);
    throttle_forget();
    people_register();
    if (fixture_setup(state, postgres) != 0) return -1;
    Errors errs;
    Status status = people_load_text(*state, COUNTY, NULL, &errs);
    if (status != OK) fixture_fail("county", &errs.items[0]);
    return 0;
}

static inline int people_setup_sqlite(void **state) { return people_setup(state, false); }
static inline int people_setup_postgres(void **state) { return people_setup(state, true); }
#define PEOPLE_SQLITE(fn) cmocka_unit_test_setup_teardown(fn, people_setup_sqlite, fixture_teardown)
#define PEOPLE_POSTGRES(fn) {"postgres_" #fn, fn, people_setup_postgres, fixture_teardown, NULL}

static inline Status login_at(Fixture *f, const char *login, const char *password, Instant now,
                              Str *ret_token, Error *err) {
    return session_login(f->store, str_z(login), str_z(password), S("10.0.0.1"), now, f->arena,
                         ret_token, err);
}

static inline Actor actor_at(Fixture *f, Str token, Instant now) {
    Actor actor;
    Error err;
    Db *db;
    assert_int_equal(store_read(f->store, &db, &err), OK);
    Status status = session_actor(db, token, now, f->arena, &actor, NULL, &err);
    store_release(db);
    if (status != OK) fixture_fail("session_actor", &err);
    return actor;
}

static inline Actor actor_of(Fixture *f, const char *login, Instant now) {
    Str token;
    Error err;
    throttle_forget();
    Status status = login_at(f, login, "right-password", now, &token, &err);
    if (status != OK) fixture_fail(login, &err);
    return actor_at(f, token, now);
}

static inline Status command_as(Fixture *f, const Actor *actor, const char *name, const char *input,
                                Value *ret, Errors *errs) {
    const Command *c = command_find(str_z(name));
    assert_non_null(c);
    *errs = errors_make(f->arena);
    return command_run(f->store, c, actor, people_json(f, input), 2000, f->arena, ret, errs);
}

static inline int64_t events_of_kind(Fixture *f, const char *kind) {
    char sql[120];
    (void)snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM event WHERE kind = '%s'", kind);
    return fixture_int(f, sql);
}
