// room: trail
// Events: their chain, their limits, side by side.
#include "store_fixture.h"

#include "trail/event.h"

static Status append(Tx *tx, int64_t case_id, Str kind, Value data, Errors *errs) {
    Event e = {.case_id = case_id, .kind = kind, .actor_id = 0, .handling = HANDLING_ONLINE,
               .data = data};
    return event_append(tx, &e, errs);
}

static Value one(Arena *a, Str key, Value v) {
    ContextBuilder c = context_make(a);
    context_put(&c, key, v);
    return context_done(&c);
}

static Status append_one(Tx *tx, void *arg, Errors *errs) {
    int64_t case_id = *(int64_t *)arg;
    return append(tx, case_id, S("case.accepted"), one(tx_arena(tx), S("备注"), v_lit("齐全")), errs);
}

static void add(Fixture *f, int64_t case_id) {
    Errors errs = errors_make(f->arena);
    Status status = store_write(f->store, append_one, &case_id, f->arena, 1700000000123, &errs);
    if (status != OK) fixture_fail("append", &errs.items[0]);
}

static Db *reader(Fixture *f) {
    Db *db;
    Error err;
    if (store_read(f->store, &db, &err) != OK) fixture_fail("store_read", &err);
    return db;
}

// The hash is recomputed here from docs/formats/trail.md alone, not with the room's own function.
static void the_chain_is_as_documented(void **state) {
    Fixture *f = *state;
    for (int i = 0; i < 3; i++) add(f, 7);
    add(f, 8);
    DB_AUTO db = reader(f);
    EventRecord *records;
    size_t count;
    Error err;
    assert_status(event_records(db, 7, f->arena, &records, &count, &err), OK, &err);
    assert_int_equal(count, 3);
    static const char zeros[SHA256_SIZE];
    Str previous = str_of(zeros, SHA256_SIZE);
    for (size_t i = 0; i < count; i++) {
        Str text = arena_printf(f->arena,
                                "{\"case\":7,\"seq\":%d,\"at\":1700000000123,\"actor\":0,"
                                "\"kind\":\"case.accepted\",\"handling\":2,"
                                "\"data\":{\"备注\":\"齐全\"}}", (int)i + 1);
        const Str parts[] = {previous, records[i].salt, text};
        Hash hash = sha256_parts(parts, 3);
        assert_int_equal(records[i].salt.len, EVENT_SALT_SIZE);
        assert_int_equal(records[i].hash.len, SHA256_SIZE);
        assert_memory_equal(records[i].hash.ptr, hash.bytes, SHA256_SIZE);
        Hash ours = event_record_hash(&records[i], previous, f->arena);
        assert_memory_equal(ours.bytes, hash.bytes, SHA256_SIZE);
        previous = records[i].hash;
    }
    assert_memory_not_equal(records[0].salt.ptr, records[1].salt.ptr, EVENT_SALT_SIZE);
}

static void a_list_for_people(void **state) {
    Fixture *f = *state;
    add(f, 5);
    DB_AUTO db = reader(f);
    Value list;
    Error err;
    assert_status(event_list(db, 5, f->arena, &list, &err), OK, &err);
    assert_int_equal(list.len, 1);
    Value e = v_at(list, 0);
    assert_text(v_text(v_get_lit(e, "kind")), "case.accepted");
    assert_text(v_text(v_path(e, S("data.备注"))), "齐全");
    assert_text(v_text(v_get_lit(e, "actor_name")), "");
    assert_int_equal(v_to_int(v_get_lit(e, "handling"), -1), HANDLING_ONLINE);
    assert_int_equal(v_to_int(v_get_lit(e, "at"), -1), 1700000000123);
}

static Status append_large(Tx *tx, void *arg, Errors *errs) {
    size_t size = *(size_t *)arg;
    char *text = arena_alloc(tx_arena(tx), size);
    memset(text, 'x', size);
    int64_t case_id = 3;
    Status status = append_one(tx, &case_id, errs);
    if (status != OK) return status;
    return append(tx, 3, S("case.noted"), one(tx_arena(tx), S("a"), v_str(str_of(text, size))),
                  errs);
}

static void too_large_is_refused_whole(void **state) {
    Fixture *f = *state;
    Errors errs = errors_make(f->arena);
    size_t fits = EVENT_DATA_MAX - 8, over = EVENT_DATA_MAX - 7; // {"a":""} is eight bytes
    assert_int_equal(store_write(f->store, append_large, &over, f->arena, 0, &errs), LIMIT);
    assert_int_equal(errs.items[0].status, LIMIT);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM event"), 0);
    assert_int_equal(store_write(f->store, append_large, &fits, f->arena, 0, &errs), OK);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM event WHERE case_id = 3"), 2);
}

static void count_ended(StoreJob *job) {
    __atomic_fetch_add((int *)job->done_arg, 1, __ATOMIC_SEQ_CST);
}

// Many at once onto one chain: on PostgreSQL they collide and are repeated.
static void a_chain_under_contention(void **state) {
    enum { JOBS = 200 };
    Fixture *f = *state;
    static int64_t zero;
    int ended = 0;
    StoreJob *jobs = calloc(JOBS, sizeof *jobs);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (StoreJob){.fn = append_one, .arg = &zero, .now = 1 + i,
                             .done = count_ended, .done_arg = &ended};
        store_submit(f->store, &jobs[i]);
    }
    while (__atomic_load_n(&ended, __ATOMIC_SEQ_CST) < JOBS) usleep(1000);
    for (int i = 0; i < JOBS; i++) assert_int_equal(jobs[i].status, OK);
    free(jobs);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM event WHERE case_id = 0"), JOBS);
    assert_int_equal(fixture_int(f, "SELECT MAX(seq) FROM event WHERE case_id = 0"), JOBS);
    DB_AUTO db = reader(f);
    EventRecord *records;
    size_t count;
    Error err;
    assert_status(event_records(db, 0, f->arena, &records, &count, &err), OK, &err);
    static const char zeros[SHA256_SIZE];
    Str previous = str_of(zeros, SHA256_SIZE);
    for (size_t i = 0; i < count; i++) {
        Hash hash = event_record_hash(&records[i], previous, f->arena);
        assert_memory_equal(records[i].hash.ptr, hash.bytes, SHA256_SIZE);
        previous = records[i].hash;
    }
}

#define TESTS(T)                                                                    \
    T(the_chain_is_as_documented), T(a_list_for_people), T(too_large_is_refused_whole), \
        T(a_chain_under_contention)

int main(void) {
    const struct CMUnitTest sqlite[] = {TESTS(FIXTURE_SQLITE)};
    const struct CMUnitTest postgres[] = {TESTS(FIXTURE_POSTGRES)};
    return FIXTURE_RUN("event", sqlite, postgres);
}
