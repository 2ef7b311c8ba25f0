// room: store
// The store as its callers see it: statements, values, refusals, migrations, readers.
#include "store_fixture.h"

#include "base/embed.h"

static Db *reader(Fixture *f) {
    Db *db;
    Error err;
    if (store_read(f->store, &db, &err) != OK) fixture_fail("store_read", &err);
    return db;
}

static Status put_setting(Tx *tx, Str name, Str value, Error *err) {
    Query *q = query(tx_db(tx), "INSERT INTO setting (name, value) VALUES (?1, ?2)");
    query_str(q, 1, name);
    query_str(q, 2, value);
    return query_run(q, NULL, err);
}

static void reads_what_was_written(void **state) {
    Fixture *f = *state;
    fixture_do(f, "INSERT INTO setting (name, value) VALUES ('甲', '一')");
    DB_AUTO db = reader(f);
    Query *q = query(db, "SELECT value, NULL, 7, 'x' || value FROM setting WHERE name = ?1");
    query_str(q, 1, S("甲"));
    assert_true(query_next(q));
    assert_text(query_col_str(q, 0), "一");
    assert_true(query_col_null(q, 1));
    assert_false(query_col_null(q, 0));
    assert_int_equal(query_col_int(q, 1), 0);
    assert_int_equal(query_col_str(q, 1).len, 0);
    assert_int_equal(query_col_int(q, 2), 7);
    assert_text(query_col_str(q, 3), "x一");
    assert_false(query_next(q));
    Error err;
    assert_status(query_done(q, &err), OK, &err);
}

static void a_statement_inside_itself(void **state) {
    Fixture *f = *state;
    fixture_do(f, "INSERT INTO calendar_year (year, announced, source)"
                  " VALUES (2021, 1, 'a'), (2022, 1, 'b'), (2023, 0, 'c')");
    DB_AUTO db = reader(f);
    const char *sql = "SELECT year FROM calendar_year WHERE year > ?1 ORDER BY year";
    Query *outer = query(db, sql);
    query_int(outer, 1, 0);
    int pairs = 0;
    while (query_next(outer)) {
        Query *inner = query(db, sql);
        query_int(inner, 1, query_col_int(outer, 0));
        while (query_next(inner)) pairs++;
        assert_int_equal(query_done(inner, NULL), OK);
    }
    assert_int_equal(query_done(outer, NULL), OK);
    assert_int_equal(pairs, 3);
}

static void the_text_is_the_key(void **state) {
    Fixture *f = *state;
    DB_AUTO db = reader(f);
    char sql[40];
    int64_t n;
    for (int i = 0; i < 2000; i++) { // one address, many texts, more than the cache holds
        (void)snprintf(sql, sizeof sql, "SELECT %d + 0", i % 700);
        assert_int_equal(query_one_int(query(db, sql), &n, NULL), OK);
        assert_int_equal(n, i % 700);
    }
}

static void errors_are_sticky(void **state) {
    Fixture *f = *state;
    DB_AUTO db = reader(f);
    Error err;
    Query *q = query(db, "SELECT nothing FROM nowhere WHERE a = ?1");
    query_int(q, 1, 3);
    query_str(q, 2, S("x"));
    assert_false(query_next(q));
    assert_int_equal(query_done(q, &err), BROKEN);
    assert_int_equal(err.status, BROKEN);
    int64_t n;
    assert_int_equal(query_one_int(query(db, "SELECT 1 + 1"), &n, &err), OK);
    assert_int_equal(n, 2);
    q = query(db, "SELECT name FROM setting WHERE name = ?1");
    query_str(q, 1, str_of("a\0b", 3));
    assert_int_equal(query_done(q, &err), INVALID);
    q = query(db, "SELECT name FROM setting WHERE name = ?1");
    query_int(q, 2, 1); // there is no second parameter
    assert_int_equal(query_done(q, &err), BROKEN);
    assert_int_equal(query_one_int(query(db, "SELECT year FROM calendar_year"), &n, &err),
                     NOT_FOUND);
}

static void readers_only_read(void **state) {
    Fixture *f = *state;
    DB_AUTO db = reader(f);
    Error err;
    Query *q = query(db, "INSERT INTO setting (name, value) VALUES ('a', 'b')");
    assert_int_not_equal(query_run(q, NULL, &err), OK);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM setting"), 0);
}

static Status values_in(Tx *tx, void *arg, Errors *errs) {
    Fixture *f = arg;
    Arena *a = f->arena;
    Value doc;
    Error err;
    Query *q;
    const char *sql = "INSERT INTO draft (token_hash, item_id, item_version_id, situation_json,"
                      " answers_json, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    if (json_parse(S("{\"b\":[1,2.50,\"丙\"],\"a\":null}"), JSON_STRICT, (JsonLimits){0}, a, &doc,
                   &err) != OK) {
        return errors_push(errs, &err);
    }
    q = query(tx_db(tx), sql);
    query_blob(q, 1, str_of("\0\1\xff", 3));
    query_value(q, 2, v_int(1));
    query_value(q, 3, v_int(1));
    query_value(q, 4, doc);
    query_value(q, 5, v_get_lit(doc, "b"));
    query_value(q, 6, v_int(INT64_MAX));
    Status status = query_run(q, NULL, &err);
    return status == OK ? OK : errors_push(errs, &err);
}

static void make_item(Fixture *f) {
    fixture_do(f, "INSERT INTO unit (id, code, name, kind) VALUES (1, 'u', '单位', 'department')");
    fixture_do(f, "INSERT INTO item (id, code, name, unit_id) VALUES (1, 'i', '事项', 1)");
    fixture_do(f, "INSERT INTO item_version (id, item_id, version, digest, pack_json,"
                  " published_at) VALUES (1, 1, 1, '', '{}', 0)");
}

static void rows_as_values(void **state) {
    Fixture *f = *state;
    make_item(f);
    Errors errs = errors_make(f->arena);
    if (store_write(f->store, values_in, f, f->arena, 0, &errs) != OK) {
        fixture_fail("values_in", &errs.items[0]);
    }
    DB_AUTO db = reader(f);
    Value rows;
    Error err;
    assert_status(query_rows(query(db, "SELECT token_hash, account_id, situation_json,"
                                       " answers_json,"
                                       " updated_at, item_id = 1 AS one FROM draft"),
                             f->arena, &rows, &err), OK, &err);
    assert_text(json_to_str(rows, f->arena),
                "[{\"token_hash\":\"0001ff\",\"account_id\":null,"
                "\"situation\":{\"b\":[1,2.50,\"丙\"],\"a\":null},\"answers\":[1,2.50,\"丙\"],"
                "\"updated_at\":9223372036854775807,\"one\":1}]");
    Value row;
    assert_int_equal(query_row(query(db, "SELECT 1 AS a FROM draft WHERE id = 99"), f->arena, &row,
                               &err), NOT_FOUND);
    assert_status(query_row(query(db, "SELECT SUM(updated_at) AS s, COUNT(*) AS n, -5 AS m"
                                      " FROM draft"), f->arena, &row, &err), OK, &err);
    assert_text(json_to_str(row, f->arena), "{\"s\":9223372036854775807,\"n\":1,\"m\":-5}");
}

static void text_compares_by_bytes(void **state) {
    Fixture *f = *state;
    fixture_do(f, "INSERT INTO setting (name, value) VALUES ('b', ''), ('B', ''), ('a', ''),"
                  " ('乙', ''), ('C_1', '')");
    DB_AUTO db = reader(f);
    Value rows;
    Error err;
    assert_status(query_rows(query(db, "SELECT name FROM setting ORDER BY name"), f->arena, &rows,
                             &err), OK, &err);
    assert_text(json_to_str(rows, f->arena),
                "[{\"name\":\"B\"},{\"name\":\"C_1\"},{\"name\":\"a\"},"
                                             "{\"name\":\"b\"},{\"name\":\"乙\"}]");
    Query *q = query(db, "SELECT COUNT(*) FROM setting WHERE name LIKE ?1");
    query_str(q, 1, S("B%"));
    int64_t n;
    assert_status(query_one_int(q, &n, &err), OK, &err);
    assert_int_equal(n, 1); // the same case on both databases
}

static void a_null_first_then_a_number(void **state) {
    Fixture *f = *state;
    DB_AUTO db = reader(f);
    const char *sql = "SELECT COUNT(*) FROM calendar_day WHERE day = ?1 OR ?1 IS NULL";
    int64_t n;
    Error err;
    Query *q = query(db, sql);
    query_null(q, 1);
    assert_status(query_one_int(q, &n, &err), OK, &err);
    q = query(db, sql);
    query_int(q, 1, INT64_C(1) << 40);
    assert_status(query_one_int(q, &n, &err), OK, &err);
    q = query(db, "SELECT CASE WHEN ?1 = 0 THEN 1 ELSE 2 END, '?1 stays', \"year\""
                  " FROM calendar_year -- ?2 too\n WHERE year = ?1");
    query_int(q, 1, INT64_C(1) << 40); // beside a small literal, still 64 bits
    assert_false(query_next(q));
    assert_status(query_done(q, &err), OK, &err);
}

static void a_taken_key_is_a_conflict(void **state) {
    Fixture *f = *state;
    fixture_do(f, "INSERT INTO setting (name, value) VALUES ('a', '1')");
    FixtureStatement again = {"INSERT INTO setting (name, value) VALUES ('a', '2')"};
    FixtureStatement stray = {"INSERT INTO post (code, unit_id, name) VALUES ('p', 77, 'n')"};
    Errors errs = errors_make(f->arena);
    assert_int_equal(store_write(f->store, fixture_statement, &again, f->arena, 0, &errs),
                     CONFLICT);
    assert_int_equal(errs.items[0].status, CONFLICT);
    errs = errors_make(f->arena);
    assert_int_equal(store_write(f->store, fixture_statement, &stray, f->arena, 0, &errs),
                     CONFLICT);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM post"), 0);
}

static Status returning(Tx *tx, void *arg, Errors *errs) {
    Error err;
    Query *q = query(tx_db(tx), "INSERT INTO unit (code, name, kind) VALUES (?1, ?2, 'town')"
                                " ON CONFLICT (code) DO UPDATE SET name = excluded.name"
                                " RETURNING id");
    query_str(q, 1, S("u"));
    query_str(q, 2, S("镇"));
    Status status = query_one_int(q, arg, &err);
    return status == OK ? OK : errors_push(errs, &err);
}

static Status changing(Tx *tx, void *arg, Errors *errs) {
    Error err;
    Status status = query_run(query(tx_db(tx), "UPDATE unit SET sort = sort + 1"), arg, &err);
    return status == OK ? OK : errors_push(errs, &err);
}

// Three rows one behind the other; the second has a code that is taken, and says so.
static Status three_rows(Tx *tx, void *arg, Errors *errs) {
    static const Str codes[] = {S_INIT("one"), S_INIT("one"), S_INIT("two")};
    int64_t *ids = arg;
    for (int i = 0; i < 3; i++) {
        Error err;
        Query *q = query(tx_db(tx), "INSERT INTO unit (code, name, kind) VALUES (?1, ?2, 'town')"
                                    " RETURNING id");
        query_str(q, 1, codes[i]);
        query_str(q, 2, S("镇"));
        Status status = query_one_int(q, &ids[i], &err);
        if (i != 1 && status != OK) return errors_push(errs, &err);
        if (i == 1) return status == CONFLICT ? CONFLICT : errors_add(errs, BROKEN, S(""), "taken");
    }
    return OK;
}

static Status two_rows(Tx *tx, void *arg, Errors *errs) {
    Error err;
    Arena *a = tx_arena(tx);
    Query *q = query(tx_db(tx), "INSERT INTO unit (code, name, kind) VALUES ('one', '镇', 'town')"
                                " RETURNING id");
    Value rows;
    if (query_rows(q, a, &rows, &err) != OK) return errors_push(errs, &err);
    Value id = v_get_lit(v_at(rows, 0), "id");
    if (rows.len != 1 || v_to_int(id, 0) < 1) return errors_add(errs, BROKEN, S(""), "no row");
    q = query(tx_db(tx), "INSERT INTO unit (code, name, kind) VALUES ('two', '镇', 'town')"
                         " RETURNING id");
    (void)query_next(q); // the second row is read while the first statement is done
    int64_t second = query_col_int(q, 0);
    bool more = query_next(q);
    if (query_done(q, &err) != OK) return errors_push(errs, &err);
    int64_t *ids = arg;
    ids[0] = v_to_int(id, 0);
    ids[1] = second;
    return more ? errors_add(errs, BROKEN, S(""), "two rows") : OK;
}

static void the_id_of_a_new_row(void **state) {
    Fixture *f = *state;
    Errors errs = errors_make(f->arena);
    int64_t ids[3] = {0}, found = 0;
    assert_int_equal(store_write(f->store, three_rows, ids, f->arena, 0, &errs), CONFLICT);
    assert_int_equal(ids[1], 0);
    assert_int_equal(store_write(f->store, two_rows, ids, f->arena, 0, &errs), OK);
    Db *db;
    Error err;
    assert_int_equal(store_read(f->store, &db, &err), OK);
    for (int i = 0; i < 2; i++) {
        Query *q = query(db, "SELECT id FROM unit WHERE code = ?1");
        query_str(q, 1, i ? S("two") : S("one"));
        assert_int_equal(query_one_int(q, &found, &err), OK);
        assert_int_equal(found, ids[i]);
    }
    store_release(db);
}

static void ids_come_back(void **state) {
    Fixture *f = *state;
    Errors errs = errors_make(f->arena);
    int64_t first = 0, second = 0, changed = 0;
    assert_int_equal(store_write(f->store, returning, &first, f->arena, 0, &errs), OK);
    assert_int_equal(store_write(f->store, returning, &second, f->arena, 0, &errs), OK);
    assert_true(first > 0);
    assert_int_equal(first, second);
    assert_int_equal(store_write(f->store, changing, &changed, f->arena, 0, &errs), OK);
    assert_int_equal(changed, 1);
}

static void a_newer_schema_is_refused(void **state) {
    Fixture *f = *state;
    fixture_do(f, "INSERT INTO schema_version (version, name, applied_at) VALUES (9999, 'x', 0)");
    store_close(f->store);
    f->store = NULL;
    StoreOptions o = fixture_options(f);
    o.create = false;
    Error err;
    Store *s = NULL;
    assert_int_equal(store_open(&o, &s, &err), CONFLICT);
    assert_null(s);
}

static void opens_again_without_loss(void **state) {
    Fixture *f = *state;
    fixture_do(f, "INSERT INTO setting (name, value) VALUES ('a', '1')");
    store_close(f->store);
    StoreOptions o = fixture_options(f);
    o.create = false;
    Error err;
    assert_status(store_open(&o, &f->store, &err), OK, &err);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM setting"), 1);
    assert_status(store_check(f->store, &err), OK, &err);
}

static void nothing_there_is_said(void **state) {
    Fixture *f = *state;
    StoreOptions o = {.data_dir = S("/nowhere/at/all")};
    Error err;
    Store *s;
    assert_int_equal(store_open(&o, &s, &err), NOT_FOUND);
    o.create = true;
    assert_int_equal(store_open(&o, &s, &err), BUSY);
    o = (StoreOptions){.url = S("postgres://127.0.0.1:1/none?connect_timeout=1"), .create = true};
    assert_int_equal(store_open(&o, &s, &err), BUSY);
    (void)f;
}

static void backup_is_a_database(void **state) {
    Fixture *f = *state;
    fixture_do(f, "INSERT INTO setting (name, value) VALUES ('a', '1')");
    Error err;
    Str path = arena_printf(f->arena, "%s/copy/yizhan.db", f->folder);
    assert_int_not_equal(store_backup(f->store, path, &err), OK); // no such folder
    assert_status(dir_make(arena_printf(f->arena, "%s/copy", f->folder), 0700, f->arena, &err), OK,
                  &err);
    assert_status(store_backup(f->store, path, &err), OK, &err);
    assert_int_equal(store_backup(f->store, path, &err), CONFLICT);
    Fixture copy = {.arena = f->arena};
    (void)snprintf(copy.folder, sizeof copy.folder, "%.60s/copy", f->folder);
    fixture_open(&copy);
    assert_int_equal(fixture_int(&copy, "SELECT COUNT(*) FROM setting"), 1);
    store_close(copy.store);
}

static void backup_is_pg_dumps_business(void **state) {
    Fixture *f = *state;
    Error err;
    assert_int_equal(store_backup(f->store, S("anywhere"), &err), INVALID);
}

static void forgotten_readers_are_given_back(void **state) {
    Fixture *f = *state;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < STORE_READERS_MAX; i++) {
            Query *q = query(reader(f), "SELECT 1"); // neither done nor released
            assert_true(query_next(q));
        }
        store_release_all();
    }
    store_release(reader(f));
}

static Status settings_ok(Tx *tx, void *arg, Errors *errs) {
    (void)arg;
    Error err;
    Status status = put_setting(tx, S("x"), S("1"), &err);
    return status == OK ? OK : errors_push(errs, &err);
}

static void a_store_for_reading_refuses_writes(void **state) {
    Fixture *f = *state;
    StoreOptions o = fixture_options(f);
    o.no_writer = true;
    o.create = false;
    Error err;
    Store *s;
    assert_status(store_open(&o, &s, &err), OK, &err);
    Errors errs = errors_make(f->arena);
    assert_int_equal(store_write(s, settings_ok, NULL, f->arena, 0, &errs), DENIED);
    store_close(s);
}

#define TESTS(T)                                                                             \
    T(reads_what_was_written), T(a_statement_inside_itself), T(the_text_is_the_key),         \
        T(errors_are_sticky), T(readers_only_read), T(rows_as_values),                       \
        T(text_compares_by_bytes), T(a_null_first_then_a_number),                            \
        T(a_taken_key_is_a_conflict), T(ids_come_back), T(the_id_of_a_new_row),                \
        T(a_newer_schema_is_refused),                                                         \
        T(opens_again_without_loss), T(nothing_there_is_said),                                \
        T(forgotten_readers_are_given_back), T(a_store_for_reading_refuses_writes)

int main(void) {
    const struct CMUnitTest sqlite[] = {TESTS(FIXTURE_SQLITE),
                                        FIXTURE_SQLITE(backup_is_a_database)};
    const struct CMUnitTest postgres[] = {TESTS(FIXTURE_POSTGRES),
                                          FIXTURE_POSTGRES(backup_is_pg_dumps_business)};
    return FIXTURE_RUN("store", sqlite, postgres);
}
