// What would the same rows cost without the program? Reads the rows a replay left in a SQLite
// database and inserts them into a fresh one with plain prepared statements: same tables and
// indexes, foreign keys on, WAL, synchronous=FULL, the page cache of our writer, one commit for
// every COMMIT_CASES cases and the rows that came with them.
//
//   plain_bench FROM.db TO.db [--no-foreign-keys]
//
// Rows go in as they came: merged over all tables by the time they carry, so that the writer
// touches as many trees at once as the replay did. Reading and merging is not timed, only
// BEGIN … COMMIT. It writes each row once, as it was at the end: the replay also updates rows
// (a case about three times), computes, checks and seals. Prints one line of JSON.
//
// Limits: a row has at most COLUMNS_MAX columns; a chunk's rows are held in memory.
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum {
    COMMIT_CASES = 1000,
    COLUMNS_MAX = 40,
    CACHE_KB = 80 << 10,      // as SQLITE_WRITER_CACHE_KB
    CHECKPOINT_PAGES = 8000,  // as SQLITE_CHECKPOINT_PAGES
    SQL_MAX = 4096,
};

typedef struct Table {
    const char *name;
    const char *time;  // SQL of the time a row came
    sqlite3_stmt *read, *write;
    int columns;
    bool more;         // `read` stands on a row not yet taken
    int64_t at;        // its time
    int64_t rows;
} Table;

// Parents before children: at the same time the earlier table goes first. Rows without a time of
// their own come with their case.
static Table tables[] = {
    {.name = "party", .time = "created_at"},
    {.name = "account", .time = "created_at"},
    {.name = "account_post", .time = "(SELECT created_at FROM account a WHERE a.id = account_id)"},
    {.name = "file", .time = "created_at"},
    {.name = "cases", .time = "received_at"},
    {.name = "material", .time = "created_at"},
    {.name = "task", .time = "opened_at"},
    {.name = "letter", .time = "created_at"},
    {.name = "rating", .time = "rated_at"},
    {.name = "register_entry", .time = "(SELECT MAX(decided_at, 0) FROM cases c"
                                       " WHERE c.id = case_id)"},
    {.name = "ledger", .time = "0"},
    {.name = "ledger_entry", .time = "booked_at"},
    {.name = "message", .time = "created_at"},
    {.name = "timer", .time = "(SELECT MAX(received_at, COALESCE(accepted_at, 0)) FROM cases c"
                              " WHERE c.id = case_id)"},
    {.name = "event", .time = "at"},
    {.name = "log_checkpoint", .time = "sealed_at"},
    {.name = "log_tile", .time = NULL}, // behind the others: a tile is written when it is full
};
enum { TABLES = sizeof tables / sizeof *tables };

typedef struct Row {
    Table *table;
    sqlite3_value **values;
} Row;

typedef struct Chunk {
    Row *rows;
    size_t len, cap;
    int64_t cases;
} Chunk;

static _Noreturn void die(sqlite3 *db, const char *what) {
    (void)fprintf(stderr, "plain_bench: %s: %s\n", what, db ? sqlite3_errmsg(db) : "");
    exit(1);
}

static void run(sqlite3 *db, const char *sql) {
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) die(db, sql);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK) die(db, sql);
    return s;
}

static double clock_s(clockid_t which) {
    struct timespec t;
    (void)clock_gettime(which, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// ---- the fresh database ----

static void make_schema(sqlite3 *from, sqlite3 *to) {
    sqlite3_stmt *s = prepare(from, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name"
                                    " NOT LIKE 'sqlite_%' ORDER BY type = 'index', rowid");
    while (sqlite3_step(s) == SQLITE_ROW) run(to, (const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
}

static bool is_replayed(const char *name) {
    for (size_t i = 0; i < TABLES; i++) {
        if (strcmp(tables[i].name, name) == 0) return true;
    }
    return false;
}

// Units, items, the calendar: there before the replay began, not timed.
static void copy_rest(sqlite3 *from, sqlite3 *to, const char *from_path) {
    sqlite3_stmt *attach = prepare(to, "ATTACH ?1 AS origin");
    (void)sqlite3_bind_text(attach, 1, from_path, -1, SQLITE_STATIC);
    if (sqlite3_step(attach) != SQLITE_DONE) die(to, "ATTACH");
    sqlite3_finalize(attach);
    run(to, "PRAGMA foreign_keys = OFF; BEGIN");
    sqlite3_stmt *s = prepare(from, "SELECT name FROM sqlite_master WHERE type = 'table' AND name"
                                    " NOT LIKE 'sqlite_%'");
    while (sqlite3_step(s) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(s, 0);
        char sql[SQL_MAX];
        if (is_replayed(name)) continue;
        (void)snprintf(sql, sizeof sql, "INSERT INTO main.%s SELECT * FROM origin.%s", name, name);
        run(to, sql);
    }
    sqlite3_finalize(s);
    run(to, "COMMIT; DETACH origin");
}

// ---- reading ----

static int64_t replay_end; // rows that carry a later time were there before: made by init, today

static void advance(Table *t) {
    t->more = t->read && sqlite3_step(t->read) == SQLITE_ROW;
    if (!t->more) return;
    t->at = sqlite3_column_int64(t->read, t->columns);
    if (t->time && t->at > replay_end) t->at = 0;
}

static int64_t one_int(sqlite3 *db, const char *sql) {
    sqlite3_stmt *s = prepare(db, sql);
    int64_t n = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    (void)sqlite3_finalize(s);
    return n;
}

static void open_table(Table *t, sqlite3 *from, sqlite3 *to) {
    char sql[SQL_MAX];
    (void)snprintf(sql, sizeof sql, "SELECT *, %s FROM %s ORDER BY rowid",
                   t->time ? t->time : "9223372036854775807", t->name);
    t->read = prepare(from, sql);
    t->columns = sqlite3_column_count(t->read) - 1;
    if (t->columns > COLUMNS_MAX) die(NULL, t->name);
    int n = snprintf(sql, sizeof sql, "INSERT INTO %s VALUES (", t->name);
    for (int i = 1; i <= t->columns; i++) {
        n += snprintf(sql + n, sizeof sql - (size_t)n, i > 1 ? ",?%d" : "?%d", i);
    }
    (void)snprintf(sql + n, sizeof sql - (size_t)n, ")");
    t->write = prepare(to, sql);
    advance(t);
}

static Table *earliest(void) {
    Table *best = NULL;
    for (size_t i = 0; i < TABLES; i++) {
        if (tables[i].more && (!best || tables[i].at < best->at)) best = &tables[i];
    }
    return best;
}

static void take(Chunk *c, Table *t) {
    if (c->len == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 1 << 15;
        c->rows = realloc(c->rows, c->cap * sizeof *c->rows);
        if (!c->rows) die(NULL, "no memory");
    }
    Row *row = &c->rows[c->len++];
    row->table = t;
    row->values = malloc((size_t)t->columns * sizeof *row->values);
    if (!row->values) die(NULL, "no memory");
    for (int i = 0; i < t->columns; i++) {
        row->values[i] = sqlite3_value_dup(sqlite3_column_value(t->read, i));
    }
    c->cases += strcmp(t->name, "cases") == 0;
    advance(t);
}

static bool read_chunk(Chunk *c) {
    for (size_t i = 0; i < c->len; i++) {
        Row *row = &c->rows[i];
        for (int k = 0; k < row->table->columns; k++) sqlite3_value_free(row->values[k]);
        free(row->values);
    }
    c->len = 0;
    c->cases = 0;
    Table *t;
    while (c->cases < COMMIT_CASES && (t = earliest())) take(c, t);
    return c->len > 0;
}

// ---- writing, timed ----

static double seconds, cpu_seconds;

static void write_chunk(sqlite3 *to, const Chunk *c, sqlite3_stmt *begin, sqlite3_stmt *commit) {
    double from = clock_s(CLOCK_MONOTONIC), cpu_from = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    (void)sqlite3_step(begin);
    (void)sqlite3_reset(begin);
    for (size_t i = 0; i < c->len; i++) {
        const Row *row = &c->rows[i];
        sqlite3_stmt *s = row->table->write;
        for (int k = 0; k < row->table->columns; k++) {
            (void)sqlite3_bind_value(s, k + 1, row->values[k]);
        }
        if (sqlite3_step(s) != SQLITE_DONE) die(to, row->table->name);
        (void)sqlite3_reset(s);
        row->table->rows++;
    }
    if (sqlite3_step(commit) != SQLITE_DONE) die(to, "COMMIT");
    (void)sqlite3_reset(commit);
    seconds += clock_s(CLOCK_MONOTONIC) - from;
    cpu_seconds += clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu_from;
}

static int64_t file_size(sqlite3 *db) {
    return one_int(db, "SELECT page_count * page_size FROM pragma_page_count(),"
                       " pragma_page_size()");
}

int main(int argc, char **argv) {
    if (argc < 3) {
        (void)fprintf(stderr, "usage: plain_bench FROM.db TO.db [--no-foreign-keys]\n");
        return 2;
    }
    bool keys = argc < 4;
    sqlite3 *from = NULL, *to = NULL;
    int opened = sqlite3_open_v2(argv[1], &from, SQLITE_OPEN_READONLY, NULL);
    if (opened != SQLITE_OK) die(from, argv[1]);
    (void)remove(argv[2]);
    if (sqlite3_open(argv[2], &to) != SQLITE_OK) die(to, argv[2]);
    char sql[SQL_MAX];
    (void)snprintf(sql, sizeof sql,
                   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -%d;"
                   "PRAGMA wal_autocheckpoint = %d; PRAGMA temp_store = MEMORY;",
                   CACHE_KB, CHECKPOINT_PAGES);
    run(to, sql);
    make_schema(from, to);
    copy_rest(from, to, argv[1]);
    run(to, keys ? "PRAGMA foreign_keys = ON" : "PRAGMA foreign_keys = OFF");
    replay_end = one_int(from, "SELECT MAX(at) FROM event WHERE case_id > 0");
    for (size_t i = 0; i < TABLES; i++) open_table(&tables[i], from, to);
    sqlite3_stmt *begin = prepare(to, "BEGIN IMMEDIATE"), *commit = prepare(to, "COMMIT");
    Chunk chunk = {0};
    int64_t cases = 0, rows = 0, commits = 0;
    while (read_chunk(&chunk)) {
        write_chunk(to, &chunk, begin, commit);
        cases += chunk.cases;
        rows += (int64_t)chunk.len;
        commits++;
    }
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    printf("{\"cases\":%lld,\"rows\":%lld,\"commits\":%lld,\"commit_cases\":%d,\"foreign_keys\":%s,"
           "\"seconds\":%.2f,\"cpu_seconds\":%.2f,\"cases_per_second\":%.0f,\"rows_per_case\":%.1f,"
           "\"bytes\":%lld,\"memory_peak_kb\":%ld}\n",
           (long long)cases, (long long)rows, (long long)commits, COMMIT_CASES,
           keys ? "true" : "false", seconds, cpu_seconds, seconds > 0 ? (double)cases / seconds : 0,
           cases ? (double)rows / (double)cases : 0, (long long)file_size(to), usage.ru_maxrss);
    (void)sqlite3_finalize(begin);
    (void)sqlite3_finalize(commit);
    for (size_t i = 0; i < TABLES; i++) {
        (void)sqlite3_finalize(tables[i].read);
        (void)sqlite3_finalize(tables[i].write);
    }
    sqlite3_close(from);
    sqlite3_close(to);
    return 0;
}
