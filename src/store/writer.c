// The writer: one thread that takes what waits, up to STORE_GROUP_MAX jobs, and runs it under one
// BEGIN IMMEDIATE … COMMIT with one fsync. Answers are given after the commit.
//
// A job that is refused must leave nothing behind. A savepoint for each job would say so at the
// price of a copy of every page it touches. So a group first runs without savepoints: a job that
// is refused before it changed anything needs none, and that is what nearly all refusals are.
// When one is refused after a change, the group is rolled back and run again with savepoints,
// which jobs allow by contract (they change nothing outside their Tx and arena); the next
// SAVEPOINT_GROUPS groups keep them.
//
// A failure of the machine (disk full, read-only, locked) refuses every job of the group with the
// same words; nothing of it stays; the connection is opened anew and the writer goes on.
#include "store/store_impl.h"

#include <assert.h>

enum { SAVEPOINT_GROUPS = 8 };

// ---- one job ----

void job_prepare(JobState *state, StoreJob *job) {
    *state = (JobState){.job = job};
    if (job->arena) state->mark = arena_mark(job->arena);
    if (job->errs) state->errors = *job->errs;
}

void job_rewind(JobState *state) {
    if (state->job->errs) *state->job->errs = state->errors;
    if (state->job->arena) arena_rewind(state->job->arena, state->mark);
    state->job->status = OK;
}

void job_fail(JobState *state, const Error *why) {
    job_rewind(state);
    state->job->status = why->status;
    if (state->job->errs) errors_push(state->job->errs, why);
}

// A job that goes on after a failed statement has lost track of what it changed.
static void refuse_careless(JobState *state) {
    Error why;
    error_set(&why, BROKEN, S("store"), "程序在语句失败后仍继续执行，已全部撤销");
    job_fail(state, &why);
}

static Status refuse_memory(JobState *state) {
    Error why;
    error_set(&why, LIMIT, S("store"), "这次办理需要的内存太多，请减少一次提交的内容");
    job_fail(state, &why);
    return LIMIT;
}

Status job_run(JobState *state, Tx *tx) {
    StoreJob *job = state->job;
    Errors unheard = errors_make(tx->arena);
    tx->db->statement_failed = false;
    tx->state = state;
    tx->careful = state->careful;
    jmp_buf env;
    jmp_buf *outer = arena_on_limit(tx->arena, &env);
    if (setjmp(env) == 0) {
        job->status = job->fn(tx, job->arg, job->errs ? job->errs : &unheard);
        db_finish_all(tx->db);
        arena_on_limit(tx->arena, outer);
        if (job->status == OK && tx->db->statement_failed) refuse_careless(state);
    } else {
        db_finish_all(tx->db);
        arena_on_limit(tx->arena, outer);
        refuse_memory(state);
    }
    return job->status;
}

void job_end(StoreJob *job) {
    if (job->done) job->done(job);
}

// In the order in which they were asked for.
void hooks_run(Hook *newest) {
    Hook *oldest = NULL;
    while (newest) {
        Hook *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    for (; oldest; oldest = oldest->next) oldest->fn(oldest->arg);
}

// ---- the transaction as a job sees it ----

Db *tx_db(Tx *tx) { return tx->db; }
Arena *tx_arena(Tx *tx) { return tx->arena; }
Instant tx_now(const Tx *tx) { return tx->now; }
Day tx_day(const Tx *tx) { return instant_day(tx->now); }

Status tx_next_id(Tx *tx, const char *table, int64_t *ret, Error *err) {
    Buf sql = buf_make(tx->arena, 128, 512);
    if (tx->db->store->postgres) {
        buf_printf(&sql, "SELECT nextval(pg_get_serial_sequence('%s', 'id'))", table);
    } else {
        buf_printf(&sql, "SELECT COALESCE(MAX(id), 0) + 1 FROM %s", table);
    }
    buf_char(&sql, '\0');
    return query_one_int(query(tx->db, sql.ptr), ret, err);
}

void tx_after_commit(Tx *tx, void (*fn)(void *), void *arg) {
    Hook *hook = arena_new(tx->memory, Hook);
    *hook = (Hook){.next = tx->hooks, .fn = fn, .arg = arg};
    tx->hooks = hook;
}

Status tx_nested(Tx *tx, Status (*fn)(Tx *, void *, Errors *), void *arg, Errors *errs) {
    Error why;
    if (tx->depth >= NESTED_MAX) {
        return errors_add(errs, LIMIT, S("store"), "嵌套的步骤太多");
    }
    const DbOps *ops = tx->db->ops;
    if (ops->exec(tx->db, "SAVEPOINT nested", &why) != OK) return errors_push(errs, &why);
    Hook *hooks = tx->hooks;
    bool failed_before = tx->db->statement_failed;
    tx->depth++;
    Status status = fn(tx, arg, errs);
    tx->depth--;
    if (status != OK) {
        tx->hooks = hooks;
        tx->db->statement_failed = failed_before;
        if (ops->exec(tx->db, "ROLLBACK TO nested", &why) != OK) return errors_push(errs, &why);
    }
    if (ops->exec(tx->db, "RELEASE nested", &why) != OK) return errors_push(errs, &why);
    return status;
}

Status tx_repeat(Tx *tx, Errors *errs) {
    if (tx->db->store->postgres) postgres_repeat_set(tx->db, REPEAT_ALWAYS);
    return errors_add(errs, BUSY, S("store"), "有人同时办理了同一件事，请再试一次");
}

Status tx_run_carefully(Tx *tx, Errors *errs) {
    assert(!tx->careful);
    tx->state->careful = true;
    return errors_add(errs, BUSY, S("store"), "有人同时办理了同一件事，请再试一次");
}

bool tx_is_careful(const Tx *tx) { return tx->careful; }

// ---- the group ----

typedef struct Writer {
    Store *store;
    Db *db;
    Arena *own;    // of jobs that bring no arena; emptied before each
    Arena *hooks;  // of one group
    JobState jobs[STORE_GROUP_MAX];
    StoreJob *taken[STORE_GROUP_MAX];
    size_t count;
    Hook *newest;
    unsigned savepoint_groups; // that still use savepoints
} Writer;

typedef enum GroupEnd { GROUP_COMMITTED, GROUP_AGAIN, GROUP_FAULT } GroupEnd;

static Status control(Writer *w, const char *sql) {
    Error why;
    Status status = query_run(query(w->db, sql), NULL, &why);
    if (status != OK && w->db->fault == OK) db_set_fault(w->db, status, why.text, why.args[0]);
    return status;
}

// Runs one job; false when the group can't go on as it is (*ret_end says how).
static bool run_one(Writer *w, JobState *state, bool savepoints, GroupEnd *ret_end) {
    StoreJob *job = state->job;
    if (!job->arena) arena_reset(w->own);
    const Tx fresh = {.db = w->db,
                      .arena = job->arena ? job->arena : w->own,
                      .now = job->now ? job->now : clock_now(),
                      .hooks = w->newest,
                      .memory = w->hooks};
    *ret_end = GROUP_FAULT;
    if (savepoints && control(w, "SAVEPOINT job") != OK) return false;
    int64_t before = sqlite_changes_total(w->db);
    Tx tx = fresh;
    Status status = job_run(state, &tx);
    if (savepoints && status != OK && state->careful && !tx.careful && w->db->fault == OK) {
        if (control(w, "ROLLBACK TO job") != OK) return false;
        job_rewind(state);
        tx = fresh;
        status = job_run(state, &tx);
    }
    if (w->db->fault != OK) return false;
    if (!w->db->ops->in_transaction(w->db)) {
        db_set_fault(w->db, BUSY, "数据库中止了事务，请再试一次", S(""));
        return false;
    }
    if (status == OK) {
        w->newest = tx.hooks;
    } else if (savepoints) {
        if (control(w, "ROLLBACK TO job") != OK) return false;
    } else if (sqlite_changes_total(w->db) != before || state->careful != tx.careful) {
        *ret_end = GROUP_AGAIN;
        return false;
    }
    return !savepoints || control(w, "RELEASE job") == OK;
}

static GroupEnd run_group(Writer *w, bool savepoints) {
    GroupEnd end = GROUP_FAULT;
    arena_reset(w->hooks);
    w->newest = NULL;
    if (control(w, "BEGIN IMMEDIATE") != OK) return end;
    for (size_t i = 0; i < w->count; i++) {
        if (!run_one(w, &w->jobs[i], savepoints, &end)) return end;
    }
    return control(w, "COMMIT") == OK ? GROUP_COMMITTED : GROUP_FAULT;
}

static void roll_back(Writer *w) {
    Error ignored;
    db_finish_all(w->db);
    if (!w->db->ops->in_transaction(w->db)) return;
    (void)w->db->ops->exec(w->db, "ROLLBACK", &ignored);
}

// After a fault everything about the connection is in doubt: a new one. When it can't be opened the
// old one stays, and the next group meets the fault again or finds it gone.
static void reopen(Writer *w) {
    Error ignored;
    Db *fresh = db_open(w->store, true, &ignored);
    if (fresh) {
        db_close(w->db);
        w->db = w->store->writer_db = fresh;
    }
    db_clear_fault(w->db);
}

static void end_in_fault(Writer *w) {
    Error why;
    error_copy(&why, &w->db->fault_error);
    for (size_t i = 0; i < w->count; i++) job_fail(&w->jobs[i], &why);
    store_note_health(w->store, &why);
    w->newest = NULL;
    reopen(w);
}

static void work(Writer *w) {
    bool savepoints = w->savepoint_groups > 0 && w->count > 1;
    if (w->savepoint_groups) w->savepoint_groups--;
    GroupEnd end = run_group(w, savepoints);
    if (end == GROUP_AGAIN && w->count > 1) {
        roll_back(w);
        for (size_t i = 0; i < w->count; i++) job_rewind(&w->jobs[i]);
        w->savepoint_groups = SAVEPOINT_GROUPS;
        end = run_group(w, true);
    } else if (end == GROUP_AGAIN && w->jobs[0].careful) { // the only job asked to be run so
        roll_back(w);
        job_rewind(&w->jobs[0]);
        end = run_group(w, false);
    }
    if (end == GROUP_AGAIN) { // the only job was refused: its answer stands
        roll_back(w);
        end = GROUP_COMMITTED;
    }
    if (end == GROUP_COMMITTED) {
        store_note_health(w->store, NULL);
    } else {
        roll_back(w);
        end_in_fault(w);
    }
    hooks_run(w->newest);
    for (size_t i = 0; i < w->count; i++) job_end(w->jobs[i].job);
}

void *sqlite_writer_main(void *store) {
    Arena *memory = arena_create(sizeof(Writer) + (1 << 16));
    Writer *w = arena_new(memory, Writer);
    w->store = store;
    w->db = w->store->writer_db;
    w->own = arena_create(STORE_JOB_MEMORY_MAX);
    w->hooks = arena_create(STORE_JOB_MEMORY_MAX);
    bool written = true; // since the WAL was last emptied
    bool closing = false;
    while (!closing) {
        int wait_ms = written ? SQLITE_IDLE_MS : 0;
        w->count = queue_take(&w->store->queue, w->taken, STORE_GROUP_MAX, wait_ms, &closing);
        if (w->count) {
            for (size_t i = 0; i < w->count; i++) job_prepare(&w->jobs[i], w->taken[i]);
            work(w);
            checkpointer_turn(w->store, w->db);
            written = true;
        } else if (!closing) {
            written = !checkpointer_empty(w->store, w->db);
        }
    }
    arena_free(w->own);
    arena_free(w->hooks);
    arena_free(memory);
    return NULL;
}
