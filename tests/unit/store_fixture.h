// A store for a test: SQLite in a folder of its own, or PostgreSQL in a schema of its own when the
// test runs for it. Tests that use it run on SQLite always and again on PostgreSQL when
// YIZHAN_TEST_PG holds the URL of a database (postgres://…).
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "store/store.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct Fixture {
    Store *store;
    Arena *arena;
    char folder[80];
    char schema[64];
    char url[512];
    bool postgres;
} Fixture;

static inline void fixture_fail(const char *what, const Error *e) {
    Arena *a = arena_create(1 << 16);
    Str message = error_message(e, NULL, NULL, a);
    print_error("%s: %.*s (%.*s)\n", what, S_FMT(message), S_FMT(e->where));
    fail();
}

static inline void fixture_quiet(void *arg, const char *notice) {
    (void)arg;
    (void)notice;
}

static inline void fixture_sql(const char *url, const char *sql) {
    PGconn *c = PQconnectdb(url);
    PQsetNoticeProcessor(c, fixture_quiet, NULL);
    PGresult *r = PQexec(c, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK) {
        print_error("%s: %s\n", sql, PQerrorMessage(c));
        fail();
    }
    PQclear(r);
    PQfinish(c);
}

static inline StoreOptions fixture_options(Fixture *f) {
    return (StoreOptions){.data_dir = str_z(f->folder),
                          .url = f->postgres ? str_z(f->url) : (Str){0},
                          .create = true};
}

static inline void fixture_open(Fixture *f) {
    Error err;
    StoreOptions o = fixture_options(f);
    if (store_open(&o, &f->store, &err) != OK) fixture_fail("store_open", &err);
}

static inline int fixture_setup(void **state, bool postgres) {
    static int counter;
    Fixture *f = calloc(1, sizeof *f);
    f->postgres = postgres;
    f->arena = arena_create(256 << 20);
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/yizhan-test-XXXXXX");
    if (!mkdtemp(f->folder)) return -1;
    if (postgres) {
        const char *url = getenv("YIZHAN_TEST_PG");
        (void)snprintf(f->schema, sizeof f->schema, "t_%d_%d", (int)getpid(), ++counter);
        (void)snprintf(f->url, sizeof f->url, "%s%coptions=-csearch_path%%3D%s", url,
                       strchr(url, '?') ? '&' : '?', f->schema);
        char sql[100];
        (void)snprintf(sql, sizeof sql, "CREATE SCHEMA %s", f->schema);
        fixture_sql(url, sql);
    }
    fixture_open(f);
    *state = f;
    return 0;
}

static inline int fixture_setup_sqlite(void **state) { return fixture_setup(state, false); }
static inline int fixture_setup_postgres(void **state) { return fixture_setup(state, true); }

static inline int fixture_teardown(void **state) {
    Fixture *f = *state;
    store_close(f->store);
    if (f->postgres) {
        char sql[100];
        (void)snprintf(sql, sizeof sql, "DROP SCHEMA %s CASCADE", f->schema);
        fixture_sql(getenv("YIZHAN_TEST_PG"), sql);
    }
    char command[120];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    if (system(command) != 0) return -1;
    arena_free(f->arena);
    free(f);
    return 0;
}

static inline bool fixture_has_postgres(void) {
    const char *url = getenv("YIZHAN_TEST_PG");
    return url && *url;
}

#define FIXTURE_SQLITE(fn) \
    cmocka_unit_test_setup_teardown(fn, fixture_setup_sqlite, fixture_teardown)
#define FIXTURE_POSTGRES(fn) \
    {"postgres_" #fn, fn, fixture_setup_postgres, fixture_teardown, NULL}

// Runs the same list on both databases.
#define FIXTURE_RUN(name, sqlite_tests, postgres_tests)                                   \
    (cmocka_run_group_tests_name(name, sqlite_tests, NULL, NULL) +                        \
     (fixture_has_postgres()                                                              \
          ? cmocka_run_group_tests_name(name "_postgres", postgres_tests, NULL, NULL)     \
          : 0))

static inline void assert_status(Status got, Status wanted, const Error *e) {
    if (got != wanted && got != OK && e) fixture_fail("unexpected refusal", e);
    assert_int_equal(got, wanted);
}

static inline void assert_text(Str got, const char *wanted) {
    if (!str_eq(got, str_z(wanted))) {
        print_error("got \"%.*s\", wanted \"%s\"\n", S_FMT(got), wanted);
        fail();
    }
}

// A write from a literal statement with integer parameters, for arranging things.
typedef struct FixtureStatement {
    const char *sql;
} FixtureStatement;

static inline Status fixture_statement(Tx *tx, void *arg, Errors *errs) {
    Error err;
    Status status = query_run(query(tx_db(tx), ((FixtureStatement *)arg)->sql), NULL, &err);
    return status == OK ? OK : errors_push(errs, &err);
}

static inline void fixture_do(Fixture *f, const char *sql) {
    FixtureStatement statement = {sql};
    Errors errs = errors_make(f->arena);
    if (store_write(f->store, fixture_statement, &statement, f->arena, 0, &errs) != OK) {
        fixture_fail(sql, &errs.items[0]);
    }
}

static inline int64_t fixture_int(Fixture *f, const char *sql) {
    Error err;
    Db *db;
    int64_t n = -1;
    if (store_read(f->store, &db, &err) != OK) fixture_fail("store_read", &err);
    if (query_one_int(query(db, sql), &n, &err) != OK) fixture_fail(sql, &err);
    store_release(db);
    return n;
}
