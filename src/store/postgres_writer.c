// The writers on PostgreSQL: PG_WRITERS threads, each with a connection, take jobs from the one
// queue and run them side by side in SERIALIZABLE transactions.
//
// After PG_CROWDED repetitions a job runs alone, so that none is refused for being unlucky.
//
// A job is repeated, after a pause that grows and is never the same for two, when the
// transaction could not be serialised, when a key it computed was taken beside it, or when the
// connection was lost before COMMIT was sent. When it was lost after, the server is asked what
// became of the transaction (postgres_commit); so a job is never done twice, and never reported
// lost when it was done.
//
// Jobs submitted together keep their order: one thread runs the batch, PG_GROUP_MAX at a time under
// one commit. When anything in such a group fails, it is undone and each job runs alone.
#include "store/store_impl.h"

#include "base/crypto.h"

#include <stdlib.h>
#include <time.h>

enum {
    UNIQUE_RETRIES_MAX = 3, // of a job refused because a key was taken
    LOST_RETRIES_MAX = 20,  // of a job whose connection was lost
    PAUSE_FIRST_US = 500,
    PAUSE_DOUBLINGS = 7,
};

typedef struct Worker {
    Store *store;
    Db *db;
    Arena *own;   // of jobs that bring no arena
    Arena *hooks; // of one transaction
    unsigned seed;
    JobState jobs[PG_GROUP_MAX];
    size_t count;
} Worker;

static void pause_before(Worker *w, unsigned attempt) {
    unsigned doublings = attempt < PAUSE_DOUBLINGS ? attempt : PAUSE_DOUBLINGS;
    long most = (long)PAUSE_FIRST_US << doublings;
    long us = 1 + rand_r(&w->seed) % most;
    struct timespec t = {.tv_nsec = us * 1000};
    nanosleep(&t, NULL);
}

// Connected and in a transaction, or an error.
static Status begin(Worker *w, bool alone, Error *err) {
    for (unsigned attempt = 0;; attempt++) {
        if (!w->db) w->db = db_open(w->store, true, err);
        bool connected = w->db && (postgres_connected(w->db) ||
                                   postgres_reconnect(w->db, STORE_BUSY_MS_MAX));
        if (!connected) {
            return error_set(err, BUSY, S("store"), "数据库连接中断，请稍后再试（{1}）",
                             S("PostgreSQL"));
        }
        Status status = postgres_begin(w->db, alone, err);
        if (status == OK) return OK;
        postgres_rollback(w->db);
        bool lost = !postgres_connected(w->db);
        if (!lost || attempt >= LOST_RETRIES_MAX) return status;
    }
}

static Status run(Worker *w, JobState *state, Hook **hooks) {
    StoreJob *job = state->job;
    if (!job->arena) arena_reset(w->own);
    Tx tx = {.db = w->db,
             .arena = job->arena ? job->arena : w->own,
             .now = job->now ? job->now : clock_now(),
             .hooks = *hooks,
             .memory = w->hooks};
    Status status = job_run(state, &tx);
    if (status == OK) *hooks = tx.hooks;
    return status;
}

// May the job be tried again? Counts the attempts of each reason.
typedef struct Attempts {
    unsigned serial, unique, lost;
} Attempts;

static bool again(const Worker *w, Attempts *n) {
    if (!postgres_connected(w->db)) return n->lost++ < LOST_RETRIES_MAX;
    if (postgres_repeat(w->db) == REPEAT_ALWAYS) return n->serial++ < PG_RETRIES_MAX;
    if (postgres_repeat(w->db) == REPEAT_UNIQUE) return n->unique++ < UNIQUE_RETRIES_MAX;
    return false;
}

typedef enum Try { TRY_DONE, TRY_REFUSED, TRY_AGAIN, TRY_FAULT } Try;

// One attempt. TRY_REFUSED: the job's own answer stands. TRY_FAULT: *why.
static Try attempt(Worker *w, JobState *state, Attempts *n, Hook **hooks, Error *why) {
    arena_reset(w->hooks);
    *hooks = NULL;
    if (begin(w, n->serial >= PG_CROWDED, why) != OK) return TRY_FAULT;
    bool careful = state->careful;
    Status status = run(w, state, hooks);
    if (status != OK) {
        bool repeat = again(w, n) || state->careful != careful;
        Status fault = w->db->fault;
        if (fault != OK) error_copy(why, &w->db->fault_error);
        postgres_rollback(w->db);
        db_clear_fault(w->db);
        return repeat ? TRY_AGAIN : fault != OK ? TRY_FAULT : TRY_REFUSED;
    }
    CommitOutcome outcome = postgres_commit(w->db, why);
    if (outcome == COMMIT_DONE) return TRY_DONE;
    postgres_rollback(w->db);
    db_clear_fault(w->db);
    return outcome == COMMIT_REPEAT && n->serial++ < PG_RETRIES_MAX ? TRY_AGAIN : TRY_FAULT;
}

static void run_alone(Worker *w, JobState *state) {
    Attempts n = {0};
    Hook *hooks = NULL;
    Error why;
    error_set(&why, BUSY, S("store"), "有人同时办理了同一件事，请再试一次");
    Try result;
    while ((result = attempt(w, state, &n, &hooks, &why)) == TRY_AGAIN) {
        job_rewind(state);
        atomic_fetch_add(&w->store->retries, 1);
        pause_before(w, n.serial + n.unique + n.lost);
    }
    if (result == TRY_DONE) {
        store_note_health(w->store, NULL);
        hooks_run(hooks);
    } else if (result == TRY_FAULT) {
        job_fail(state, &why);
        store_note_health(w->store, &why);
    }
    job_end(state->job);
}

static void end_together(Worker *w, Hook *hooks, const Error *why) {
    store_note_health(w->store, why);
    if (!why) hooks_run(hooks);
    for (size_t i = 0; i < w->count; i++) {
        if (why) job_fail(&w->jobs[i], why);
        job_end(w->jobs[i].job);
    }
}

typedef enum Together { TOGETHER_DONE, TOGETHER_AGAIN, TOGETHER_NOT } Together;

// All under one commit. TOGETHER_AGAIN: they collided with others; TOGETHER_NOT: one of them was
// refused. Nothing was done in either case.
static Together run_together(Worker *w, bool alone) {
    Error why;
    Hook *hooks = NULL;
    arena_reset(w->hooks);
    if (begin(w, alone, &why) != OK) return TOGETHER_NOT;
    bool good = true;
    for (size_t i = 0; good && i < w->count; i++) good = run(w, &w->jobs[i], &hooks) == OK;
    CommitOutcome outcome = good ? postgres_commit(w->db, &why) : COMMIT_REFUSED;
    if (outcome == COMMIT_DONE) {
        end_together(w, hooks, NULL);
        return TOGETHER_DONE;
    }
    bool collided = postgres_repeat(w->db) == REPEAT_ALWAYS;
    postgres_rollback(w->db);
    db_clear_fault(w->db);
    if (outcome == COMMIT_UNKNOWN) { // perhaps done: not to be done again
        end_together(w, NULL, &why);
        return TOGETHER_DONE;
    }
    for (size_t i = 0; i < w->count; i++) job_rewind(&w->jobs[i]);
    if (collided) atomic_fetch_add(&w->store->retries, 1);
    return collided ? TOGETHER_AGAIN : TOGETHER_NOT;
}

static void run_group(Worker *w) {
    Together result = w->count > 1 ? run_together(w, false) : TOGETHER_NOT;
    if (result == TOGETHER_AGAIN) result = run_together(w, true);
    if (result == TOGETHER_DONE) return;
    for (size_t i = 0; i < w->count; i++) run_alone(w, &w->jobs[i]);
}

static void run_batch(Worker *w, StoreJob *batch) {
    while (batch) {
        for (w->count = 0; batch && w->count < PG_GROUP_MAX; w->count++) {
            job_prepare(&w->jobs[w->count], batch);
            batch = batch->batch_next; // read before the job ends: its owner may free it then
        }
        run_group(w);
    }
}

void *postgres_writer_main(void *store) {
    Arena *memory = arena_create(sizeof(Worker) + (1 << 16));
    Worker *w = arena_new(memory, Worker);
    w->store = store;
    w->own = arena_create(STORE_JOB_MEMORY_MAX);
    w->hooks = arena_create(STORE_JOB_MEMORY_MAX);
    random_bytes(&w->seed, sizeof w->seed);
    StoreJob *batch;
    while ((batch = queue_take_batch(&w->store->queue))) run_batch(w, batch);
    db_close(w->db);
    arena_free(w->own);
    arena_free(w->hooks);
    arena_free(memory);
    return NULL;
}
