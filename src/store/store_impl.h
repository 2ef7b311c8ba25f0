// Inside the store: what its files share. A backend (SQLite, PostgreSQL) is a table of functions
// over Db and Query; everything else is written once above that table.
//
// A Db belongs to one thread at a time. A Query belongs to its Db and is either resting in the
// statement cache or active (between query() and query_done).
#pragma once

#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    STATEMENTS_MAX = 512,        // cached per connection; the one unused longest makes room
    STATEMENT_BUCKETS = 512,     // a power of two
    STATEMENT_POINTERS = 512,    // the first look-up, by the address of the text
    PARAMS_MAX = 64,             // of one statement
    SQL_TEXT_MAX = 64 << 10,
    DB_SCRATCH_MAX = 64 << 20,   // JSON texts bound by query_value, until the queries are done
    NESTED_MAX = 16,             // savepoints inside one job
    PG_WRITERS = 8,              // connections that run jobs side by side
    PG_RETRIES_MAX = 40,         // of one job after serialisation failures
    PG_CROWDED = 5,              // after so many it runs alone
    PG_GROUP_MAX = 200,          // jobs of one store_submit_many under one commit on PostgreSQL
    SQLITE_WRITER_CACHE_KB = 80 << 10,
    SQLITE_READER_CACHE_KB = 3 << 10,
    SQLITE_CHECKPOINT_PAGES = 8000,       // of the WAL; then they are moved into the database
    SQLITE_CHECKPOINT_LAST_PAGES = 600,   // so few the writer moves itself, between two groups
    SQLITE_CHECKPOINT_PAGES_MAX = 64000,  // past this the writer waits for the checkpoint
    SQLITE_WAL_KEPT_BYTES = 64 << 20, // past this the WAL is cut after a checkpoint
    SQLITE_IDLE_MS = 1000,       // of quiet before the WAL is emptied into the database
};

// Advisory lock of PostgreSQL for migrations; the number means nothing.
#define PG_LOCK_MIGRATE "7310131001"

typedef enum ColKind { COL_NULL, COL_INT, COL_TEXT, COL_BLOB, COL_DECIMAL, COL_FLOAT } ColKind;
typedef enum Step { STEP_ROW, STEP_DONE, STEP_FAILED } Step;

struct sqlite3;
struct sqlite3_stmt;
typedef struct PgConnection PgConnection;
typedef struct PgStatement PgStatement;

typedef struct DbOps {
    // Fills `db`, which is zeroed but for store and writer.
    Status (*open)(Db *db, Error *err);
    void (*close)(Db *db);
    // Control statements without parameters or rows (BEGIN, SAVEPOINT, migrations).
    Status (*exec)(Db *db, const char *sql, Error *err);
    // Is a transaction open, and not one that can only be rolled back?
    bool (*in_transaction)(const Db *db);
    // The rest work on a query; they report by query_fail.
    void (*prepare)(Query *q); // q->sql is set; does nothing when prepared
    void (*forget)(Query *q);  // frees what prepare made
    void (*bind_int)(Query *q, int n, int64_t v);
    void (*bind_bytes)(Query *q, int n, Str v, bool is_text);
    void (*bind_null)(Query *q, int n);
    Step (*step)(Query *q);
    void (*reset)(Query *q); // and unbinds
    int64_t (*changed)(Query *q); // rows the last step changed
    int (*col_count)(Query *q);
    Str (*col_name)(Query *q, int col);
    ColKind (*col_kind)(Query *q, int col);
    int64_t (*col_int)(Query *q, int col);
    Str (*col_str)(Query *q, int col);
} DbOps;

extern const DbOps sqlite_ops, postgres_ops;

struct Query {
    Db *db;
    char *sql; // our copy
    uint64_t hash;
    Query *bucket_next;
    Query *active_next, *active_prev;
    uint64_t used_tick;
    bool active;
    bool stepped;  // at least once since query()
    bool finished; // the last step said DONE
    bool has_row;
    bool reads_only;
    bool gives_id, id_given; // INSERT … RETURNING id, done without RETURNING (sqlite.c)
    int64_t new_id;
    int params;
    Status status; // sticky
    Error *error;  // made at the first failure, then kept
    union {
        struct sqlite3_stmt *stmt;
        PgStatement *pg;
    } as;
};

struct Db {
    Store *store;
    const DbOps *ops;
    bool writer;
    Db *free_next; // in the pool of readers
    Db *lent_next; // lent to the same thread
    union {
        struct sqlite3 *sqlite;
        PgConnection *pg;
    } as;
    Query *buckets[STATEMENT_BUCKETS];
    Query *by_pointer[STATEMENT_POINTERS];
    Query *active; // newest first
    size_t statements;
    uint64_t tick;
    Arena *scratch;
    bool scratch_used;
    // A failure of the machine below (disk full, connection lost), not of one statement. Set once,
    // cleared by whoever handled it.
    Status fault;
    Error fault_error;
    bool statement_failed; // in this transaction: it may not be committed
};

typedef struct Hook {
    struct Hook *next;
    void (*fn)(void *);
    void *arg;
} Hook;

struct Tx {
    Db *db;
    Arena *arena;
    Instant now;
    Hook *hooks; // newest first; from `memory`
    Arena *memory;
    int depth;
    bool careful;           // see tx_run_carefully
    struct JobState *state; // of its job
};

typedef struct Reading {
    pthread_mutex_t lock;
    pthread_cond_t freed;
    Db *free;
    size_t open; // connections that exist, lent or free
} Reading;

typedef struct Queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    StoreJob *first, *last; // heads of batches; a batch hangs on batch_next
    size_t count;
    bool closing;
} Queue;

// Moves the WAL into the database beside the writer (checkpoint.c).
typedef struct Checkpointer {
    pthread_t thread;
    bool started;
    // The writer's own: length of the WAL; at what length something is to be done about it.
    int wal_pages, next_at;
    pthread_mutex_t lock; // over what follows
    pthread_cond_t changed;
    bool wanted, running, stopping;
    unsigned wal_begun; // how often the WAL was begun again
    int moved_pages;    // of the WAL as it stands, at the end of the last run; -1: it failed
} Checkpointer;

struct Store {
    bool postgres;
    bool no_writer;
    bool opened; // the database was there: from now on it is waited for
    char *path; // SQLite file, or the URL
    Reading reading;
    Queue queue;
    pthread_t threads[PG_WRITERS];
    size_t threads_count;
    Db *writer_db; // SQLite
    Checkpointer checkpointer;
    // Why writes fail now; OK when the last one went well.
    pthread_mutex_t health_lock;
    Status health;
    Error health_error;
    Instant health_at;
    atomic_bool probing;
    atomic_uint retries; // serialisation failures repeated so far, for tests and metrics
};

// query.c
Db *db_open(Store *s, bool writer, Error *err); // NULL on failure
void db_close(Db *db);
void db_finish_all(Db *db);       // ends every active query
void db_forget_statements(Db *db);
void db_set_fault(Db *db, Status status, const char *text, Str detail);
void db_clear_fault(Db *db);
Status query_fail(Query *q, Status status, const char *text, Str a, Str b);
Str sql_head(const char *sql); // the first words, for messages

// writer.c: one job inside the transaction that is open on tx->db
typedef struct JobState {
    StoreJob *job;
    bool careful; // from the next run on
    ArenaMark mark;
    Errors errors;
    Hook *hooks; // that stood before it
} JobState;
void job_prepare(JobState *state, StoreJob *job);
void job_rewind(JobState *state); // as if it had never run
Status job_run(JobState *state, Tx *tx);
void job_fail(JobState *state, const Error *why); // rewinds and refuses
void hooks_run(Hook *newest);
void store_note_health(Store *s, const Error *why); // NULL: a commit went well
void job_end(StoreJob *job); // calls done
// The next jobs, oldest first, at most `max`. 0: nothing came within `wait_ms` (0: waits for
// ever), or the queue is closing and empty (*ret_closing).
size_t queue_take(Queue *q, StoreJob **jobs, size_t max, int wait_ms, bool *ret_closing);
// The next batch whole, linked by batch_next; NULL: closing and empty.
StoreJob *queue_take_batch(Queue *q);
void *sqlite_writer_main(void *store);
void *postgres_writer_main(void *store);

// checkpoint.c
bool checkpointer_start(Store *s);
void checkpointer_stop(Store *s);
void checkpointer_note(Store *s, int wal_pages); // the writer committed
// Between two groups, on the writer's thread: starts a checkpoint, or ends one.
void checkpointer_turn(Store *s, Db *writer);
// The writer is idle: everything into the database, and the WAL cut. False: not now.
bool checkpointer_empty(Store *s, Db *writer);

// migrate.c
Status store_migrate(Store *s, Db *db, bool create, Error *err);

// sqlite.c, postgres.c
// Moves what it can without waiting for anybody; `truncate`: all of it, and cuts the WAL. The pages
// moved so far, 0 when it was cut; -1: could not.
int sqlite_checkpoint(Db *db, bool truncate);
int64_t sqlite_changes_total(const Db *db);
Status sqlite_backup(Store *s, Str path, Error *err);
// Sends BEGIN and puts down the mark by which a commit whose answer was lost is recognised.
// `alone`: when every other job has ended, and none begins before this one has.
Status postgres_begin(Db *db, bool alone, Error *err);
typedef enum CommitOutcome {
    COMMIT_DONE,
    COMMIT_REPEAT,  // undone; may be done again
    COMMIT_REFUSED, // undone
    COMMIT_UNKNOWN, // the server could not be asked: not to be done again
} CommitOutcome;
CommitOutcome postgres_commit(Db *db, Error *err);
void postgres_rollback(Db *db);
bool postgres_reconnect(Db *db, int wait_ms); // true: connected
bool postgres_connected(const Db *db);
// What the failures since the last postgres_begin mean for the job.
typedef enum Repeat {
    REPEAT_NOT,
    REPEAT_UNIQUE, // a key was taken: perhaps by a job that ran beside it
    REPEAT_ALWAYS, // serialisation failure, deadlock, tx_repeat
} Repeat;
Repeat postgres_repeat(const Db *db);
void postgres_repeat_set(Db *db, Repeat repeat);
Status postgres_barrier(Db *db, Error *err);
