// The store itself: opening and closing, the pool of reading connections, the queue of jobs,
// health.
//
// Invariants: a job that was accepted by the queue is ended exactly once; nothing is called with
// a lock held; the queue holds STORE_QUEUE_MAX jobs at most.
#include "store/store_impl.h"

#include "base/file.h"

#include <assert.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { PROBE_MS = 1000 };

static _Thread_local Db *lent_to_thread;

// ---- opening ----

static char *copy_z(Str s) {
    char *z = malloc(s.len + 1);
    if (!z) abort();
    if (s.len) memcpy(z, s.ptr, s.len);
    z[s.len] = 0;
    return z;
}

static Store *store_make(const StoreOptions *o) {
    Store *s = calloc(1, sizeof *s);
    if (!s) abort();
    s->postgres = o->url.len > 0;
    s->no_writer = o->no_writer;
    if (s->postgres) {
        s->path = copy_z(o->url);
    } else {
        Arena *a = arena_create(1 << 16);
        s->path = copy_z(path_join(a, o->data_dir, S("yizhan.db")));
        arena_free(a);
    }
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->reading.lock, NULL);
    pthread_cond_init(&s->reading.freed, &monotonic);
    pthread_mutex_init(&s->queue.lock, NULL);
    pthread_cond_init(&s->queue.filled, &monotonic);
    pthread_mutex_init(&s->health_lock, NULL);
    pthread_mutex_init(&s->checkpointer.lock, NULL);
    pthread_cond_init(&s->checkpointer.changed, NULL);
    pthread_condattr_destroy(&monotonic);
    return s;
}

static void store_free(Store *s) {
    for (Db *db = s->reading.free, *next; db; db = next) {
        next = db->free_next;
        db_close(db);
    }
    db_close(s->writer_db);
    pthread_mutex_destroy(&s->reading.lock);
    pthread_cond_destroy(&s->reading.freed);
    pthread_mutex_destroy(&s->queue.lock);
    pthread_cond_destroy(&s->queue.filled);
    pthread_mutex_destroy(&s->health_lock);
    pthread_mutex_destroy(&s->checkpointer.lock);
    pthread_cond_destroy(&s->checkpointer.changed);
    free(s->path);
    free(s);
}

static Status open_and_migrate(Store *s, const StoreOptions *o, Error *err) {
    if (!s->postgres && !o->create) {
        Arena *a = arena_create(1 << 16);
        bool there = file_exists(str_z(s->path), a);
        arena_free(a);
        if (!there) {
            return error_set(err, NOT_FOUND, str_z(s->path),
                             "没有数据库，请先运行 yizhan init --data 目录");
        }
    }
    Db *db = db_open(s, true, err);
    if (!db) return err ? err->status : BUSY;
    Status status = store_migrate(s, db, o->create, err);
    if (status == OK && !s->postgres && !o->no_writer) s->writer_db = db;
    else db_close(db);
    return status;
}

// Signals are the main thread's business.
static bool start_threads(Store *s) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    size_t wanted = s->postgres ? PG_WRITERS : 1;
    void *(*main)(void *) = s->postgres ? postgres_writer_main : sqlite_writer_main;
    while (s->threads_count < wanted &&
           pthread_create(&s->threads[s->threads_count], NULL, main, s) == 0) {
        s->threads_count++;
    }
    bool started = s->threads_count == wanted && (s->postgres || checkpointer_start(s));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void stop_threads(Store *s) {
    pthread_mutex_lock(&s->queue.lock);
    s->queue.closing = true;
    pthread_cond_broadcast(&s->queue.filled);
    pthread_mutex_unlock(&s->queue.lock);
    for (size_t i = 0; i < s->threads_count; i++) pthread_join(s->threads[i], NULL);
    checkpointer_stop(s);
}

Status store_open(const StoreOptions *o, Store **ret, Error *err) {
    Error own;
    if (!err) err = &own;
    Store *s = store_make(o);
    Status status = open_and_migrate(s, o, err);
    s->opened = status == OK;
    if (status == OK && !o->no_writer && !start_threads(s)) {
        stop_threads(s);
        status = error_set(err, BUSY, S("store"), "无法启动写入线程");
    }
    if (status != OK) {
        store_free(s);
        return status;
    }
    *ret = s;
    return OK;
}

void store_close(Store *s) {
    if (!s) return;
    stop_threads(s);
    store_free(s);
}

bool store_is_postgres(const Store *s) { return s->postgres; }

// ---- reading ----

static struct timespec deadline(int ms) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += (long)(ms % 1000) * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

static void lend(Db *db, Db **ret) {
    db->lent_next = lent_to_thread;
    lent_to_thread = db;
    *ret = db;
}

Status store_read(Store *s, Db **ret, Error *err) {
    Reading *r = &s->reading;
    struct timespec until = deadline(STORE_BUSY_MS_MAX);
    pthread_mutex_lock(&r->lock);
    while (!r->free && r->open >= STORE_READERS_MAX) {
        if (pthread_cond_timedwait(&r->freed, &r->lock, &until) != 0 && !r->free) {
            pthread_mutex_unlock(&r->lock);
            return error_set(err, BUSY, S("store"), "查询太多，请稍后再试");
        }
    }
    Db *db = r->free;
    if (db) r->free = db->free_next;
    else r->open++;
    pthread_mutex_unlock(&r->lock);
    if (!db) {
        Error own;
        Error *why = err ? err : &own;
        db = db_open(s, false, why);
        if (!db) {
            pthread_mutex_lock(&r->lock);
            r->open--;
            pthread_cond_signal(&r->freed);
            pthread_mutex_unlock(&r->lock);
            return why->status;
        }
    }
    lend(db, ret);
    return OK;
}

static void forget_lent(const Db *db) {
    Db **at = &lent_to_thread;
    while (*at && *at != db) at = &(*at)->lent_next;
    assert(*at && "a Db is given back by the thread that borrowed it");
    *at = db->lent_next;
}

void store_release(Db *db) {
    assert(!db->writer);
    forget_lent(db);
    db_finish_all(db);
    Reading *r = &db->store->reading;
    Db *broken = NULL;
    pthread_mutex_lock(&r->lock);
    if (db->fault == OK) {
        db->free_next = r->free;
        r->free = db;
    } else { // opened anew by whoever needs one next
        broken = db;
        r->open--;
    }
    pthread_cond_signal(&r->freed);
    pthread_mutex_unlock(&r->lock);
    db_close(broken);
}

void store_release_all(void) {
    while (lent_to_thread) store_release(lent_to_thread);
}

// ---- the queue ----

// Under the lock. False: full or closing.
static bool queue_push(Queue *q, StoreJob *job) {
    if (q->count >= STORE_QUEUE_MAX || q->closing) return false;
    job->next = job->batch_next = NULL;
    if (q->last) q->last->next = job;
    else q->first = job;
    q->last = job;
    q->count++;
    return true;
}

static void refuse_full(StoreJob *job) {
    job->status = BUSY;
    if (job->errs) errors_add(job->errs, BUSY, S("store"), "等待办理的人太多，请稍后再试");
    job_end(job);
}

static void refuse_reader(StoreJob *job) {
    job->status = DENIED;
    if (job->errs) errors_add(job->errs, DENIED, S("store"), "数据库是以只读方式打开的");
    job_end(job);
}

void store_submit(Store *s, StoreJob *job) {
    if (s->no_writer) {
        refuse_reader(job);
        return;
    }
    Queue *q = &s->queue;
    pthread_mutex_lock(&q->lock);
    bool accepted = queue_push(q, job);
    pthread_mutex_unlock(&q->lock);
    if (accepted) pthread_cond_signal(&q->filled); // who wakes finds the lock free
    else refuse_full(job);
}

void store_submit_many(Store *s, StoreJob *const *jobs, size_t n) {
    Queue *q = &s->queue;
    size_t accepted = 0;
    pthread_mutex_lock(&q->lock);
    if (n && !s->no_writer && queue_push(q, jobs[0])) {
        StoreJob *last = jobs[0];
        for (accepted = 1; accepted < n && q->count < STORE_QUEUE_MAX; accepted++) {
            StoreJob *job = jobs[accepted];
            job->next = job->batch_next = NULL;
            last->batch_next = job;
            last = job;
            q->count++;
        }
    }
    pthread_mutex_unlock(&q->lock);
    if (accepted) pthread_cond_signal(&q->filled);
    for (size_t i = accepted; i < n; i++) {
        if (s->no_writer) refuse_reader(jobs[i]);
        else refuse_full(jobs[i]);
    }
}

size_t queue_take(Queue *q, StoreJob **jobs, size_t max, int wait_ms, bool *ret_closing) {
    size_t n = 0;
    struct timespec until = deadline(wait_ms);
    pthread_mutex_lock(&q->lock);
    while (!q->first && !q->closing) {
        if (!wait_ms) pthread_cond_wait(&q->filled, &q->lock);
        else if (pthread_cond_timedwait(&q->filled, &q->lock, &until) != 0) break;
    }
    while (q->first && n < max) { // a batch is cut where the group is full
        StoreJob *job = q->first;
        StoreJob *rest = job->batch_next;
        if (rest) rest->next = job->next;
        q->first = rest ? rest : job->next;
        if (q->last == job) q->last = rest;
        jobs[n++] = job;
    }
    q->count -= n;
    *ret_closing = q->closing && n == 0;
    pthread_mutex_unlock(&q->lock);
    return n;
}

StoreJob *queue_take_batch(Queue *q) {
    pthread_mutex_lock(&q->lock);
    while (!q->first && !q->closing) pthread_cond_wait(&q->filled, &q->lock);
    StoreJob *batch = q->first;
    if (batch) {
        q->first = batch->next;
        if (q->last == batch) q->last = NULL;
        for (const StoreJob *job = batch; job; job = job->batch_next) q->count--;
    }
    pthread_mutex_unlock(&q->lock);
    return batch;
}

// ---- one job, waited for ----

// A semaphore, because who posts needs no lock that the one who wakes would wait for next.
static void wake(StoreJob *job) { (void)sem_post(job->done_arg); }

Status store_write(Store *s, Status (*fn)(Tx *, void *, Errors *), void *arg, Arena *a,
                   Instant now, Errors *errs) {
    sem_t ended;
    (void)sem_init(&ended, 0, 0);
    StoreJob job = {.fn = fn, .arg = arg, .arena = a, .now = now, .errs = errs, .done = wake,
                    .done_arg = &ended};
    store_submit(s, &job);
    while (sem_wait(&ended) != 0) {} // interrupted by a signal
    (void)sem_destroy(&ended);
    return job.status;
}

Status store_barrier(Store *s, Error *err) {
    if (!s->postgres) return OK; // one writer: what has an id is committed or gone
    Db *db;
    Status status = store_read(s, &db, err);
    if (status != OK) return status;
    status = postgres_barrier(db, err);
    store_release(db);
    return status;
}

// ---- upkeep ----

void store_note_health(Store *s, const Error *why) {
    pthread_mutex_lock(&s->health_lock);
    s->health = why ? why->status : OK;
    if (why) error_copy(&s->health_error, why);
    s->health_at = clock_monotonic_us() / 1000;
    pthread_mutex_unlock(&s->health_lock);
}

typedef struct Probe {
    StoreJob job;
    Store *store;
} Probe;

static Status probe_write(Tx *tx, void *arg, Errors *errs) {
    (void)arg;
    Error why;
    Status status = query_run(
        query(tx_db(tx), "UPDATE schema_version SET applied_at = applied_at"), NULL, &why);
    return status == OK ? OK : errors_push(errs, &why);
}

static void probe_done(StoreJob *job) {
    Probe *p = job->done_arg;
    atomic_store(&p->store->probing, false);
    free(p);
}

// When writes fail and nobody writes any more, someone has to find out that they work again.
static void probe(Store *s) {
    if (atomic_exchange(&s->probing, true)) return;
    Probe *p = calloc(1, sizeof *p);
    if (!p) abort();
    p->store = s;
    p->job = (StoreJob){.fn = probe_write, .done = probe_done, .done_arg = p};
    store_submit(s, &p->job);
}

Status store_health(Store *s, Error *err) {
    pthread_mutex_lock(&s->health_lock);
    Status status = s->health;
    if (status != OK) error_copy(err, &s->health_error);
    bool old = clock_monotonic_us() / 1000 - s->health_at > PROBE_MS;
    pthread_mutex_unlock(&s->health_lock);
    if (status != OK && old && !s->no_writer) probe(s);
    return status;
}

Status store_backup(Store *s, Str path, Error *err) {
    if (s->postgres) {
        return error_set(err, INVALID, path, "PostgreSQL 数据库请用 pg_dump 备份");
    }
    return sqlite_backup(s, path, err);
}

static Status check_sqlite(Db *db, Error *err) {
    Query *q = query(db, "PRAGMA integrity_check(1)");
    bool found = query_next(q);
    bool sound = found && str_eq(query_col_str(q, 0), S("ok"));
    if (found && !sound) {
        query_fail(q, BROKEN, "数据库文件已损坏，请从备份恢复（{1}）", query_col_str(q, 0), (Str){0});
    }
    Status status = query_done(q, err);
    if (status != OK) return status;
    q = query(db, "PRAGMA foreign_key_check");
    if (query_next(q)) {
        query_fail(q, BROKEN, "表 {1} 引用了不存在的记录", query_col_str(q, 0), (Str){0});
    }
    return query_done(q, err);
}

static Status check_postgres(Db *db, Error *err) {
    Query *q = query(db, "SELECT conrelid::regclass::text FROM pg_constraint"
                         " WHERE NOT convalidated ORDER BY 1 LIMIT 1");
    if (query_next(q)) {
        query_fail(q, BROKEN, "表 {1} 引用了不存在的记录", query_col_str(q, 0), (Str){0});
    }
    return query_done(q, err);
}

Status store_check(Store *s, Error *err) {
    Db *db;
    Status status = store_read(s, &db, err);
    if (status != OK) return status;
    status = s->postgres ? check_postgres(db, err) : check_sqlite(db, err);
    store_release(db);
    return status;
}
