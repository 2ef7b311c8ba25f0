// room: store
// The writer: groups, refusals inside them, limits, failing disks, lost connections, sudden death.
#include "store_fixture.h"

#include "fault_vfs.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

// ---- jobs that leave a mark ----

typedef struct Mark {
    StoreJob job;
    Errors errs;
    Arena *arena;
    int64_t n;
    bool refuse; // after it changed something
    Str result;
    atomic_int ends;
    atomic_int *all_ended;
    int hooks;
} Mark;

static void hooked(void *arg) { ((Mark *)arg)->hooks++; }

static Status set_mark(Tx *tx, int64_t n, Errors *errs) {
    Error err;
    Query *q = query(tx_db(tx), "INSERT INTO setting (name, value) VALUES (?1, ?2)");
    query_str(q, 1, arena_printf(tx_arena(tx), "%lld", (long long)n));
    query_str(q, 2, S("1"));
    Status status = query_run(q, NULL, &err);
    if (status != OK) return errors_push(errs, &err);
    q = query(tx_db(tx), "INSERT INTO counter (name, value) VALUES ('n', 1) ON CONFLICT (name)"
                         " DO UPDATE SET value = counter.value + 1");
    status = query_run(q, NULL, &err);
    return status == OK ? OK : errors_push(errs, &err);
}

static Status mark_job(Tx *tx, void *arg, Errors *errs) {
    Mark *m = arg;
    m->result = arena_printf(tx_arena(tx), "done %lld", (long long)m->n);
    tx_after_commit(tx, hooked, m);
    Status status = set_mark(tx, m->n, errs);
    if (status == OK && m->refuse) return errors_add(errs, INVALID, S("n"), "不要这个");
    return status;
}

static void mark_done(StoreJob *job) {
    Mark *m = job->done_arg;
    atomic_fetch_add(&m->ends, 1);
    atomic_fetch_add(m->all_ended, 1);
}

static Mark *marks_make(size_t n, atomic_int *ended) {
    Mark *marks = calloc(n, sizeof *marks);
    for (size_t i = 0; i < n; i++) {
        Mark *m = &marks[i];
        m->arena = arena_create(1 << 20);
        m->errs = errors_make(m->arena);
        m->n = (int64_t)i;
        m->all_ended = ended;
        m->job = (StoreJob){.fn = mark_job, .arg = m, .arena = m->arena, .errs = &m->errs,
                            .done = mark_done, .done_arg = m};
    }
    return marks;
}

static void marks_free(Mark *marks, size_t n) {
    for (size_t i = 0; i < n; i++) arena_free(marks[i].arena);
    free(marks);
}

static void submit_together(Fixture *f, Mark *marks, size_t n) {
    StoreJob **jobs = calloc(n, sizeof *jobs);
    for (size_t i = 0; i < n; i++) jobs[i] = &marks[i].job;
    store_submit_many(f->store, jobs, n);
    free(jobs);
}

static void wait_for(atomic_int *ended, size_t n) {
    while (atomic_load(ended) < (int)n) usleep(200);
}

static bool mark_there(Fixture *f, int64_t n) {
    char sql[80];
    (void)snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM setting WHERE name = '%d'", (int)n);
    return fixture_int(f, sql) == 1;
}

// Undoes what it did and does it again, once; then a part of it fails and is undone alone.
static Status nested_mark(Tx *tx, void *arg, Errors *errs) {
    const Mark *m = arg;
    Status status = set_mark(tx, m->n + 100000, errs);
    return status == OK ? errors_add(errs, INVALID, S("n"), "不要这个") : status;
}

static Status careful_job(Tx *tx, void *arg, Errors *errs) {
    Status status = mark_job(tx, arg, errs);
    if (status != OK) return status;
    if (!tx_is_careful(tx)) return tx_run_carefully(tx, errs);
    Errors inner = errors_make(tx_arena(tx));
    return tx_nested(tx, nested_mark, arg, &inner) == INVALID ? OK : BROKEN;
}

// What was answered OK is there, nothing else is, and the counter agrees with the marks.
static void check_marks(Fixture *f, const Mark *marks, size_t n) {
    int64_t good = 0;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(atomic_load(&marks[i].ends), 1);
        assert_int_equal(mark_there(f, marks[i].n), marks[i].job.status == OK);
        assert_int_equal(marks[i].hooks, marks[i].job.status == OK);
        good += marks[i].job.status == OK;
    }
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM setting"), good);
    assert_int_equal(fixture_int(f, "SELECT COALESCE(SUM(value), 0) FROM counter"), good);
}

// ---- groups ----

static void refusals_inside_a_group(void **state) {
    enum { JOBS = 300 };
    Fixture *f = *state;
    atomic_int ended = 0;
    Mark *marks = marks_make(JOBS, &ended);
    for (int i = 0; i < JOBS; i++) marks[i].refuse = i % 7 == 3;
    submit_together(f, marks, JOBS);
    wait_for(&ended, JOBS);
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(marks[i].job.status, i % 7 == 3 ? INVALID : OK);
        assert_int_equal(marks[i].errs.count, i % 7 == 3);
        assert_text(marks[i].result, arena_cstr(f->arena, arena_printf(f->arena, "done %d", i)));
    }
    check_marks(f, marks, JOBS);
    marks_free(marks, JOBS);
}

static void careful_inside_a_group(void **state) {
    enum { JOBS = 60 };
    Fixture *f = *state;
    for (size_t jobs = 1; jobs <= JOBS; jobs += JOBS - 1) { // alone, then in a group with refusals
        atomic_int ended = 0;
        Mark *marks = marks_make(JOBS, &ended);
        for (size_t i = 0; i < jobs; i++) {
            marks[i].n += (int64_t)jobs * 1000;
            marks[i].refuse = jobs > 1 && i % 7 == 3;
            if (jobs == 1 || i % 5 == 1) marks[i].job.fn = careful_job;
        }
        submit_together(f, marks, jobs);
        wait_for(&ended, jobs);
        for (size_t i = 0; i < jobs; i++) {
            assert_int_equal(marks[i].job.status, marks[i].refuse ? INVALID : OK);
            assert_int_equal(mark_there(f, marks[i].n), !marks[i].refuse);
            assert_int_equal(marks[i].hooks, !marks[i].refuse);
        }
        marks_free(marks, JOBS);
    }
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM setting WHERE name LIKE '1_____'"), 0);
}

static void side_by_side(void **state) {
    enum { JOBS = 200 };
    Fixture *f = *state;
    atomic_int ended = 0;
    Mark *marks = marks_make(JOBS, &ended);
    for (int i = 0; i < JOBS; i++) {
        marks[i].refuse = i % 5 == 0;
        store_submit(f->store, &marks[i].job);
    }
    wait_for(&ended, JOBS);
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(marks[i].job.status, i % 5 == 0 ? INVALID : OK);
    }
    check_marks(f, marks, JOBS);
    marks_free(marks, JOBS);
}

static Status in_order_job(Tx *tx, void *arg, Errors *errs) {
    Error err;
    Query *q = query(tx_db(tx), "UPDATE counter SET value = ?2 WHERE name = 'o' AND value = ?1");
    int64_t changed = 0;
    query_int(q, 1, ((Mark *)arg)->n);
    query_int(q, 2, ((Mark *)arg)->n + 1);
    Status status = query_run(q, &changed, &err);
    if (status != OK) return errors_push(errs, &err);
    return changed ? OK : errors_add(errs, CONFLICT, S("o"), "次序不对");
}

static void together_means_in_order(void **state) {
    enum { JOBS = 5000 };
    Fixture *f = *state;
    fixture_do(f, "INSERT INTO counter (name, value) VALUES ('o', 0)");
    atomic_int ended = 0;
    Mark *marks = marks_make(JOBS, &ended);
    for (int i = 0; i < JOBS; i++) marks[i].job.fn = in_order_job;
    submit_together(f, marks, JOBS);
    wait_for(&ended, JOBS);
    for (int i = 0; i < JOBS; i++) assert_int_equal(marks[i].job.status, OK);
    assert_int_equal(fixture_int(f, "SELECT value FROM counter WHERE name = 'o'"), JOBS);
    marks_free(marks, JOBS);
}

// ---- one job ----

static Status greedy_job(Tx *tx, void *arg, Errors *errs) {
    Status status = set_mark(tx, 1, errs);
    Query *left_open = query(tx_db(tx), "SELECT name FROM setting");
    (void)query_next(left_open);
    for (int i = 0; status == OK && i < 1000; i++) (void)arena_alloc(tx_arena(tx), 1 << 16);
    (void)arg;
    return status;
}

static void too_much_memory_is_a_refusal(void **state) {
    Fixture *f = *state;
    Arena *small = arena_create(1 << 20);
    Errors errs = errors_make(small);
    assert_int_equal(store_write(f->store, greedy_job, NULL, small, 0, &errs), LIMIT);
    assert_int_equal(errs.count, 1);
    arena_free(small);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM setting"), 0);
    fixture_do(f, "INSERT INTO setting (name, value) VALUES ('a', 'the writer goes on')");
}

static Status careless_job(Tx *tx, void *arg, Errors *errs) {
    (void)arg;
    Status status = set_mark(tx, 1, errs);
    (void)!query_run(query(tx_db(tx), "INSERT INTO setting (name, value) VALUES ('1', 'again')"),
                     NULL, NULL);
    return status;
}

static void going_on_after_a_failure_is_refused(void **state) {
    Fixture *f = *state;
    Errors errs = errors_make(f->arena);
    assert_int_equal(store_write(f->store, careless_job, NULL, f->arena, 0, &errs), BROKEN);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM setting"), 0);
}

static Status taken_twice(Tx *tx, void *arg, Errors *errs) {
    tx_after_commit(tx, hooked, arg);
    Status status = set_mark(tx, 2, errs);
    return status == OK ? set_mark(tx, 1, errs) : status;
}

static Status nesting_job(Tx *tx, void *arg, Errors *errs) {
    Errors inner = errors_make(tx_arena(tx));
    Status status = set_mark(tx, 1, errs);
    if (status != OK) return status;
    if (tx_nested(tx, taken_twice, arg, &inner) != CONFLICT) {
        return errors_add(errs, BROKEN, S("n"), "应当冲突");
    }
    return set_mark(tx, 3, errs);
}

static void a_nested_failure_undoes_itself_only(void **state) {
    Fixture *f = *state;
    Mark m = {0};
    Errors errs = errors_make(f->arena);
    Status status = store_write(f->store, nesting_job, &m, f->arena, 0, &errs);
    if (status != OK) fixture_fail("nesting", &errs.items[0]);
    assert_true(mark_there(f, 1));
    assert_false(mark_there(f, 2));
    assert_true(mark_there(f, 3));
    assert_int_equal(m.hooks, 0);
    assert_int_equal(fixture_int(f, "SELECT value FROM counter"), 2);
}

static Status time_job(Tx *tx, void *arg, Errors *errs) {
    (void)errs;
    *(Instant *)arg = tx_now(tx);
    return tx_day(tx) == instant_day(tx_now(tx)) ? OK : BROKEN;
}

static void the_clock_is_the_callers(void **state) {
    Fixture *f = *state;
    Instant seen = 0;
    Errors errs = errors_make(f->arena);
    assert_int_equal(store_write(f->store, time_job, &seen, f->arena, 12345, &errs), OK);
    assert_int_equal(seen, 12345);
    Instant before = clock_now();
    assert_int_equal(store_write(f->store, time_job, &seen, NULL, 0, NULL), OK);
    assert_true(seen >= before && seen <= clock_now());
}

// ---- the queue ----

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static Status held_job(Tx *tx, void *arg, Errors *errs) {
    (void)tx;
    (void)arg;
    (void)errs;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return OK;
}

static void a_full_queue_is_busy(void **state) {
    enum { JOBS = STORE_QUEUE_MAX + 500 };
    Fixture *f = *state;
    atomic_int ended = 0;
    Mark *marks = marks_make(JOBS, &ended);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < JOBS; i++) {
        marks[i].job.fn = held_job;
        store_submit(f->store, &marks[i].job);
    }
    int refused = atomic_load(&ended);
    assert_true(refused >= 500 - 2 * STORE_GROUP_MAX && refused <= 500);
    pthread_mutex_unlock(&gate);
    wait_for(&ended, JOBS);
    int busy = 0;
    for (int i = 0; i < JOBS; i++) busy += marks[i].job.status == BUSY;
    assert_int_equal(busy, refused);
    marks_free(marks, JOBS);
}

static void closing_finishes_what_waits(void **state) {
    enum { JOBS = 500 };
    Fixture *f = *state;
    atomic_int ended = 0;
    Mark *marks = marks_make(JOBS, &ended);
    submit_together(f, marks, JOBS);
    store_close(f->store);
    assert_int_equal(atomic_load(&ended), JOBS);
    fixture_open(f);
    check_marks(f, marks, JOBS);
    marks_free(marks, JOBS);
}

// ---- failing disks (SQLite) ----

static void check_fault_words(const Mark *marks, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (marks[i].job.status == OK) continue;
        assert_true(marks[i].job.status == NO_SPACE || marks[i].job.status == BUSY);
        assert_int_equal(marks[i].errs.count, 1);
    }
}

static void write_with_fault(Fixture *f, int nth, int code, int64_t from, Mark **ret) {
    enum { JOBS = 40 };
    static atomic_int ended;
    atomic_store(&ended, 0);
    Mark *marks = marks_make(JOBS, &ended);
    for (int i = 0; i < JOBS; i++) marks[i].n = from + i;
    fault_arm(nth, code, false);
    submit_together(f, marks, JOBS / 2);
    for (int i = JOBS / 2; i < JOBS; i++) store_submit(f->store, &marks[i].job);
    wait_for(&ended, JOBS);
    fault_mend();
    *ret = marks;
}

// The n-th write or fsync fails, for every n that a group needs, with every error a disk has.
static void fail_at_every_write(void **state) {
    enum { JOBS = 40, WRITES_MAX = 60 };
    static const int codes[] = {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_READONLY};
    Fixture *f = *state;
    for (size_t c = 0; c < sizeof codes / sizeof codes[0]; c++) {
        bool hit = true;
        int hits = 0;
        for (int nth = 1; hit && nth < WRITES_MAX; nth += 1 + nth / 8) {
            Mark *marks;
            write_with_fault(f, nth, codes[c], 0, &marks);
            hit = atomic_load(&fault_hits) > 0;
            hits += hit;
            check_fault_words(marks, JOBS);
            check_marks(f, marks, JOBS);
            marks_free(marks, JOBS);
            fixture_do(f, "DELETE FROM setting"); // and the writer goes on without a restart
            fixture_do(f, "DELETE FROM counter");
        }
        assert_true(hits >= 5);
        assert_false(hit); // every write of the run had its turn
    }
    Error err;
    assert_status(store_check(f->store, &err), OK, &err);
}

static void a_full_disk_until_it_is_mended(void **state) {
    enum { JOBS = 40 };
    Fixture *f = *state;
    atomic_int ended = 0;
    Error err;
    fixture_do(f, "INSERT INTO calendar_year (year, announced, source) VALUES (2023, 1, 'x')");
    Mark *marks = marks_make(JOBS, &ended);
    fault_arm(1, SQLITE_FULL, true);
    for (int i = 0; i < JOBS; i++) {
        store_submit(f->store, &marks[i].job);
        wait_for(&ended, (size_t)i + 1);
        assert_int_equal(marks[i].job.status, NO_SPACE);
        assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM calendar_year"), 1); // reads go on
    }
    assert_int_equal(store_health(f->store, &err), NO_SPACE);
    fault_mend();
    // Nobody writes: health itself finds out.
    int tries = 0;
    while (store_health(f->store, &err) != OK && tries++ < 200) usleep(50000);
    assert_int_equal(store_health(f->store, &err), OK);
    check_marks(f, marks, JOBS);
    marks_free(marks, JOBS);
}

static void another_process_holds_the_lock(void **state) {
    Fixture *f = *state;
    sqlite3 *other;
    char path[120];
    (void)snprintf(path, sizeof path, "%s/yizhan.db", f->folder);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    atomic_int ended = 0;
    Mark *marks = marks_make(1, &ended);
    store_submit(f->store, &marks[0].job);
    usleep(200000);
    assert_int_equal(atomic_load(&ended), 0); // it waits
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM setting"), 0);
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    wait_for(&ended, 1);
    check_marks(f, marks, 1);
    marks_free(marks, 1);
}

// ---- lost connections (PostgreSQL) ----

static void *cut_connections(void *arg) {
    Fixture *f = arg;
    for (int i = 0; i < 8; i++) {
        usleep(30000);
        fixture_sql(f->url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            " WHERE application_name = 'yizhan' AND pid <> pg_backend_pid()"
                            " AND datname = current_database()");
    }
    return NULL;
}

static void connections_cut_under_load(void **state) {
    enum { JOBS = 600 };
    Fixture *f = *state;
    atomic_int ended = 0;
    Mark *marks = marks_make(JOBS, &ended);
    pthread_t cutter;
    pthread_create(&cutter, NULL, cut_connections, f);
    for (int i = 0; i < JOBS; i++) {
        store_submit(f->store, &marks[i].job);
        if (i % 8 == 0) {
            usleep(2000);
            (void)fixture_int(f, "SELECT COUNT(*) FROM setting"); // reads reconnect
        }
    }
    wait_for(&ended, JOBS);
    pthread_join(cutter, NULL);
    for (int i = 0; i < JOBS; i++) {
        if (marks[i].job.status != OK) fixture_fail("job", &marks[i].errs.items[0]);
    }
    check_marks(f, marks, JOBS); // each exactly once
    marks_free(marks, JOBS);
}

// The server dies and comes back, three times: YIZHAN_TEST_PG_RESTART holds the command that
// does it.
static void *restart_server(void *arg) {
    for (int i = 0; i < 3; i++) {
        usleep(200000);
        if (system(arg) != 0) return arg;
    }
    return NULL;
}

static void server_restarted_under_load(void **state) {
    enum { JOBS = 3000 };
    Fixture *f = *state;
    atomic_int ended = 0;
    Mark *marks = marks_make(JOBS, &ended);
    pthread_t restarter;
    void *failed = NULL;
    fixture_sql(f->url, "CHECKPOINT"); // a recovery shorter than what the store waits for
    pthread_create(&restarter, NULL, restart_server, getenv("YIZHAN_TEST_PG_RESTART"));
    for (int i = 0; i < JOBS; i++) {
        store_submit(f->store, &marks[i].job);
        if (i % 8 == 0) usleep(3000);
        if (i % 100 == 0) (void)fixture_int(f, "SELECT COUNT(*) FROM setting");
    }
    wait_for(&ended, JOBS);
    pthread_join(restarter, &failed);
    assert_null(failed);
    for (int i = 0; i < JOBS; i++) {
        if (marks[i].job.status != OK) fixture_fail("job", &marks[i].errs.items[0]);
    }
    check_marks(f, marks, JOBS);
    marks_free(marks, JOBS);
}

// ---- sudden death ----

static void tell_done(StoreJob *job) {
    Mark *m = job->done_arg;
    if (job->status == OK) (void)!write(m->hooks, &m->n, sizeof m->n); // hooks: the pipe here
}

static Status told_job(Tx *tx, void *arg, Errors *errs) {
    return set_mark(tx, ((Mark *)arg)->n, errs);
}

static void write_until_killed(Fixture *f, int pipe_end, int64_t from) {
    fixture_open(f);
    for (int64_t n = from;; n++) {
        Mark *m = calloc(1, sizeof *m);
        m->n = n;
        m->hooks = pipe_end;
        m->job = (StoreJob){.fn = told_job, .arg = m, .done = tell_done, .done_arg = m};
        store_submit(f->store, &m->job);
        if (n % 50 == 0) usleep(500);
    }
}

static void killed_under_load(void **state) {
    enum { ROUNDS = 6 };
    Fixture *f = *state;
    store_close(f->store);
    f->store = NULL;
    int64_t answered = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)close(ends[0]);
            write_until_killed(f, ends[1], (int64_t)round * 1000000);
        }
        (void)close(ends[1]);
        usleep(120000 + (useconds_t)round * 23000);
        kill(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
        fixture_open(f);
        int64_t n, in_round = 0;
        while (read(ends[0], &n, sizeof n) == sizeof n) {
            in_round++;
            if (in_round % 10 == 1) assert_true(mark_there(f, n));
        }
        (void)close(ends[0]);
        answered += in_round;
        int64_t there = fixture_int(f, "SELECT COUNT(*) FROM setting");
        assert_true(there >= answered); // a commit may have been without its answer
        assert_int_equal(fixture_int(f, "SELECT COALESCE(SUM(value), 0) FROM counter"), there);
        answered = there;
        store_close(f->store);
    }
    assert_true(answered > 0);
    fixture_open(f);
    Error err;
    assert_status(store_check(f->store, &err), OK, &err);
}

#define TESTS(T)                                                                     \
    T(refusals_inside_a_group), T(careful_inside_a_group), T(side_by_side),          \
        T(together_means_in_order),                                                  \
        T(too_much_memory_is_a_refusal), T(going_on_after_a_failure_is_refused),     \
        T(a_nested_failure_undoes_itself_only), T(the_clock_is_the_callers),         \
        T(closing_finishes_what_waits), T(killed_under_load)

// ---- the write-ahead log is moved into the database beside the writer ----

enum { LARGE_BYTES = 600 << 10, LARGE_WRITES_MAX = 600, QUIET_MS_MAX = 20000 };

static Status write_large(Tx *tx, void *text, Errors *errs) {
    Error err;
    Query *q = query(tx_db(tx), "INSERT INTO setting (name, value) VALUES ('large', ?1)"
                                " ON CONFLICT (name) DO UPDATE SET value = excluded.value");
    query_str(q, 1, *(Str *)text);
    Status status = query_run(q, NULL, &err);
    return status == OK ? OK : errors_push(errs, &err);
}

// How often the log was begun again: bytes 12 to 15 of its header, big-endian. -1: it is empty.
static int64_t log_begun(const Fixture *f) {
    char path[200];
    unsigned char head[16] = {0};
    (void)snprintf(path, sizeof path, "%s/yizhan.db-wal", f->folder);
    FILE *log = fopen(path, "rb");
    size_t n = log ? fread(head, 1, sizeof head, log) : 0;
    if (log) (void)fclose(log);
    if (n < sizeof head) return -1;
    return (int64_t)head[12] << 24 | head[13] << 16 | head[14] << 8 | head[15];
}

static void the_log_is_begun_again(void **state) {
    Fixture *f = *state;
    Errors errs = errors_make(f->arena);
    char *bytes = arena_alloc(f->arena, LARGE_BYTES);
    Str text = str_of(bytes, LARGE_BYTES);
    int64_t before = -1;
    int writes = 0;
    for (bool again = false; !again && writes < LARGE_WRITES_MAX; writes++) {
        memset(bytes, 'a' + writes % 26, LARGE_BYTES);
        assert_int_equal(store_write(f->store, write_large, &text, NULL, 0, &errs), OK);
        int64_t begun = log_begun(f);
        if (before < 0) before = begun;
        again = begun > before;
    }
    assert_true(writes < LARGE_WRITES_MAX);
    for (int ms = 0; log_begun(f) >= 0 && ms < QUIET_MS_MAX; ms += 50) usleep(50000);
    assert_int_equal(log_begun(f), -1); // and emptied when it is quiet
    Db *db;
    Error err;
    assert_int_equal(store_read(f->store, &db, &err), OK);
    Query *q = query(db, "SELECT value FROM setting WHERE name = 'large'");
    assert_true(query_next(q));
    assert_true(str_eq(query_col_str(q, 0), text));
    assert_int_equal(query_done(q, &err), OK);
    store_release(db);
    assert_int_equal(store_check(f->store, &err), OK);
}

int main(void) {
    fault_install();
    const struct CMUnitTest sqlite[] = {
        TESTS(FIXTURE_SQLITE), FIXTURE_SQLITE(a_full_queue_is_busy),
        FIXTURE_SQLITE(the_log_is_begun_again),
        FIXTURE_SQLITE(fail_at_every_write), FIXTURE_SQLITE(a_full_disk_until_it_is_mended),
        FIXTURE_SQLITE(another_process_holds_the_lock)};
    const struct CMUnitTest postgres[] = {TESTS(FIXTURE_POSTGRES),
                                          FIXTURE_POSTGRES(connections_cut_under_load)};
    const struct CMUnitTest restart[] = {FIXTURE_POSTGRES(server_restarted_under_load)};
    if (fixture_has_postgres() && getenv("YIZHAN_TEST_PG_RESTART")) { // fault/postgres-restart
        return cmocka_run_group_tests_name("writer_restart", restart, NULL, NULL);
    }
    return FIXTURE_RUN("writer", sqlite, postgres);
}
