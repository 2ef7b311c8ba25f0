// Store: SQLite or PostgreSQL behind one interface; nothing above this room knows which.
//
// Reading: borrow a Db, query, give it back. Each Db is a connection of its own; on SQLite (WAL)
// readers never wait for the writer. Writing: hand a job to the store. On SQLite one writer
// thread groups the waiting jobs, each in a savepoint of its own, under one BEGIN IMMEDIATE …
// COMMIT with one fsync; on PostgreSQL pooled connections run jobs side by side in SERIALIZABLE
// transactions and repeat on serialisation failure. An answer is given only after the commit it
// speaks of (law 6). A job may run more than once: it must change nothing outside its Tx and
// its arena.
//
// SQL is one dialect both understand (see schema/README.md): parameters ?1 ?2 …, integers, text,
// blobs, no floats, RETURNING, ON CONFLICT. SQL text is always a literal or made of literals;
// it is the key of the statement cache of each connection.
#pragma once

#include "value/json.h"

typedef struct Store Store;
typedef struct Db Db;
typedef struct Query Query;

enum {
    STORE_READERS_MAX = 16,     // connections for reading; store_read waits for one
    STORE_QUEUE_MAX = 20000,    // waiting write jobs; past it BUSY
    STORE_GROUP_MAX = 2000,     // jobs under one commit
    STORE_BUSY_MS_MAX = 10000,  // how long a locked database is waited for, then BUSY
    STORE_ROWS_MAX = 100000,    // rows query_rows collects; past it LIMIT
    STORE_JOB_MEMORY_MAX = 64 << 20,
};

typedef struct StoreOptions {
    Str data_dir;       // holds yizhan.db on SQLite
    Str url;            // "postgres://…", or empty for SQLite
    bool no_writer;     // only read
    bool create;        // make the database and run all migrations; otherwise a schema that is
                        // behind is migrated, one that is ahead is refused
} StoreOptions;

MUST_USE Status store_open(const StoreOptions *o, Store **ret, Error *err);
void store_close(Store *s); // finishes queued jobs first
bool store_is_postgres(const Store *s);

// ---- reading ----
MUST_USE Status store_read(Store *s, Db **ret, Error *err);
void store_release(Db *db);
static inline void store_release_p(Db **db) {
    if (*db) store_release(*db);
}
#define DB_AUTO __attribute__((cleanup(store_release_p))) Db *
// Gives back whatever this thread has borrowed; for whoever catches an arena's limit by longjmp,
// which runs no cleanup.
void store_release_all(void);

// A statement of db's cache, reset and unbound. Errors are sticky: bind and step do nothing after
// the first, query_done returns it. So the shape of every use is
//     Query *q = query(db, "SELECT id, name FROM unit WHERE parent_id = ?1");
//     query_int(q, 1, parent);
//     while (query_next(q)) { … query_col_int(q, 0) … query_col_str(q, 1) … }
//     return query_done(q, err);
// A Query is used up by query_done; nested use of the same SQL gets a second statement.
Query *query(Db *db, const char *sql);
void query_int(Query *q, int n, int64_t v);
void query_str(Query *q, int n, Str v);  // must live until query_done
void query_blob(Query *q, int n, Str v);
void query_null(Query *q, int n);
void query_int_or_null(Query *q, int n, int64_t v); // 0 binds NULL: for optional references
void query_value(Query *q, int n, Value v); // by kind; contexts and lists as JSON, dates as text
bool query_next(Query *q);
int64_t query_col_int(Query *q, int col);  // from 0; NULL is 0
Str query_col_str(Query *q, int col);      // valid until the next query_next; NULL is empty
bool query_col_null(Query *q, int col);
Str query_col_keep(Query *q, int col, Arena *a); // a copy
MUST_USE Status query_done(Query *q, Error *err);
// For statements without rows: steps once and done. `ret_changed` may be NULL.
MUST_USE Status query_run(Query *q, int64_t *ret_changed, Error *err);
// One integer of one row (RETURNING id, COUNT(*)); NOT_FOUND when there is no row.
MUST_USE Status query_one_int(Query *q, int64_t *ret, Error *err);
// All rows as a list of contexts named by column; columns whose name ends in "_json" are parsed and
// lose the suffix. Ends the query.
MUST_USE Status query_rows(Query *q, Arena *a, Value *ret, Error *err);
// The first row as a context; NOT_FOUND when there is none.
MUST_USE Status query_row(Query *q, Arena *a, Value *ret, Error *err);

// ---- writing ----
typedef struct Tx Tx;
Db *tx_db(Tx *tx);
Arena *tx_arena(Tx *tx);  // the job's
Instant tx_now(const Tx *tx); // the only clock a command may read
Day tx_day(const Tx *tx);
// The id the next row of `table` (a literal) gets, for rows whose text contains their own id. On
// SQLite MAX(id) + 1, safe because there is one writer; on PostgreSQL from the table's sequence.
MUST_USE Status tx_next_id(Tx *tx, const char *table, int64_t *ret, Error *err);
// What must happen only if and after the transaction commits (waking a waiter, logging).
void tx_after_commit(Tx *tx, void (*fn)(void *), void *arg);
// A savepoint inside the job: its own changes are undone when fn fails.
MUST_USE Status tx_nested(Tx *tx, Status (*fn)(Tx *, void *, Errors *), void *arg, Errors *errs);

// What this job read is out of date: a key it computed was taken meanwhile. Undoes it and runs
// it again on a fresh view (PostgreSQL; on SQLite, where jobs never overlap, it is a refusal).
// The job returns what this returns.
MUST_USE Status tx_repeat(Tx *tx, Errors *errs);

// Some work is worth its savepoints only when it fails. A job that finds so undoes all it did and
// is run once more with tx_is_careful true; then it takes them (tx_nested). In a careful run it
// must not ask again (asserted). The job returns what this returns.
MUST_USE Status tx_run_carefully(Tx *tx, Errors *errs);
bool tx_is_careful(const Tx *tx);

// A statement that fails spoils its transaction: a job that returns OK after one is refused, unless
// the statement stood in a tx_nested that failed with it.
typedef struct StoreJob {
    Status (*fn)(Tx *tx, void *arg, Errors *errs); // not OK: everything it changed is undone
    void *arg;
    Arena *arena;    // results live here; used only by the job between submit and done
    Instant now;     // 0: the time at execution
    Errors *errs;
    Status status;   // out
    // called once, after the commit or the refusal; not under any lock
    void (*done)(struct StoreJob *job);
    void *done_arg;
    struct StoreJob *next;       // private: the queue
    struct StoreJob *batch_next; // private: jobs submitted together
} StoreJob;

// Queues a job; `done` tells the end. When the queue is full, `done` is called at once with BUSY.
void store_submit(Store *s, StoreJob *job);
// Queues many that keep their order, as store_submit for each but with one wake-up.
void store_submit_many(Store *s, StoreJob *const *jobs, size_t n);
// Queues and waits.
MUST_USE Status store_write(Store *s, Status (*fn)(Tx *, void *, Errors *), void *arg, Arena *a,
                            Instant now, Errors *errs);

// Returns when every job that was running when it was called has ended, in every process.
MUST_USE Status store_barrier(Store *s, Error *err);

// ---- upkeep ----

// A consistent copy while the store runs (SQLite online backup); for PostgreSQL
// use pg_dump: INVALID says so.
MUST_USE Status store_backup(Store *s, Str path, Error *err);
MUST_USE Status store_check(Store *s, Error *err); // integrity and foreign keys
// 'ok' or why writes fail now (disk full, read-only, database away); for /health.
Status store_health(Store *s, Error *err);
