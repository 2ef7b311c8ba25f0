// The PostgreSQL backend over libpq: prepared statements, parameters and results in binary.
//
// ?1 becomes $1 outside of literals and comments. A statement is prepared with the types of what is
// bound (int8, text, bytea; NULL leaves it open) and again should they change, so that PostgreSQL
// never guesses a narrower type from a literal beside it.
//
// A reader whose connection was lost connects again and repeats the query: it has handed out no
// row of it yet, because a result arrives whole. A writer leaves that to postgres_writer.c.
#include "store/store_impl.h"

#include "base/crypto.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25,
    OID_OID = 26, OID_FLOAT4 = 700, OID_FLOAT8 = 701, OID_NUMERIC = 1700, OID_XID8 = 5069,
    NUMERIC_TEXT_MAX = 160,
    RECONNECT_STEP_MS = 100,
    CONNECT_SECONDS = 5,
};

typedef struct Param {
    const char *value; // NULL: null
    int len;
    Oid type;          // of what is bound; 0: null
    Oid prepared;      // as which it was prepared
    char bytes[8];     // of an integer
} Param;

struct PgStatement {
    char *text; // with $1
    char name[24];
    unsigned generation; // of the connection that knows the name; 0: none
    Param *params;
    PGresult *result;
    int row;
    char numeric[NUMERIC_TEXT_MAX];
};

struct PgConnection {
    PGconn *conn;
    unsigned generation; // counted up by each connect
    unsigned names;
    Repeat repeat;
    // A commit is recognised by these, in the table store_commit.
    int64_t id;    // of this connection, random, kept when it connects again
    int64_t token; // of the transaction, counted up
};

// ---- failures ----

static bool state_is(const char *state, const char *prefix) {
    return state && strncmp(state, prefix, strlen(prefix)) == 0;
}

// `text` takes {1} the server's words and {2} the statement.
static Status status_of(const char *state, const char **text) {
    if (!state || state_is(state, "08") || state_is(state, "57P")) {
        *text = "数据库连接中断，请稍后再试（{1}）";
        return BUSY;
    }
    if (state_is(state, "53100") || state_is(state, "58030")) {
        *text = "磁盘已满，没有保存任何内容；请先清理空间再试（{1}）";
        return NO_SPACE;
    }
    if (state_is(state, "25006")) {
        *text = "数据盘只读，没有保存任何内容；请联系系统管理员（{1}）";
        return NO_SPACE;
    }
    if (state_is(state, "53") || state_is(state, "55P03") || state_is(state, "57014") ||
        state_is(state, "40")) {
        *text = "数据库正忙，请稍后再试（{1}）";
        return BUSY;
    }
    *text = state_is(state, "23505")   ? "记录已存在（{1}）"
            : state_is(state, "23503") ? "所引用的记录不存在，或仍被引用（{1}）"
            : state_is(state, "22021") ? "文本不是有效的 UTF-8（{1}）"
            : state_is(state, "54")    ? "要保存的内容太大（{1}）"
                                       : "数据库拒绝了这条语句：{1}（{2}）";
    return state_is(state, "23505") || state_is(state, "23503") ? CONFLICT
           : state_is(state, "22021")                           ? INVALID
           : state_is(state, "54")                              ? LIMIT
                                                                : BROKEN;
}

// The server's words on one line, without its prefix.
static void detail_of(const PGconn *conn, const PGresult *result, char *out, size_t size) {
    const char *words = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    (void)snprintf(out, size, "%s", words ? words : PQerrorMessage(conn));
    for (char *c = out; *c; c++) {
        if (*c == '\n') *c = ' ';
    }
}

// Notes what the failure means for the transaction; returns the words for it.
static Status note_failure(Db *db, const PGresult *result, const char **text, char *detail,
                           size_t size) {
    PgConnection *c = db->as.pg;
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    bool lost = PQstatus(c->conn) == CONNECTION_BAD;
    detail_of(c->conn, result, detail, size);
    Status status = status_of(lost ? NULL : state, text);
    db->statement_failed = true;
    if (state_is(state, "40001") || state_is(state, "40P01")) c->repeat = REPEAT_ALWAYS;
    else if (state_is(state, "23505") && c->repeat == REPEAT_NOT) c->repeat = REPEAT_UNIQUE;
    else if (lost || status == NO_SPACE) db_set_fault(db, status, *text, str_z(detail));
    return status;
}

// ---- connections ----

static void no_notices(void *arg, const char *message) {
    (void)arg;
    (void)message;
}

static bool exec_quietly(PGconn *conn, const char *sql) {
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

static bool connect_now(Db *db) {
    PgConnection *c = db->as.pg;
    PQfinish(c->conn);
    char seconds[12];
    (void)snprintf(seconds, sizeof seconds, "%d", CONNECT_SECONDS);
    const char *const names[] = {"dbname", "connect_timeout", "client_encoding",
                                 "fallback_application_name", NULL};
    const char *const values[] = {db->store->path, seconds, "UTF8", "yizhan", NULL};
    c->conn = PQconnectdbParams(names, values, 1);
    if (PQstatus(c->conn) != CONNECTION_OK) return false;
    PQsetNoticeProcessor(c->conn, no_notices, NULL);
    char setup[300];
    (void)snprintf(setup, sizeof setup,
                   "SET standard_conforming_strings = on; SET lock_timeout = %d;"
                   "SET synchronous_commit = on; SET default_transaction_read_only = %s",
                   STORE_BUSY_MS_MAX, db->writer ? "off" : "on");
    if (!exec_quietly(c->conn, setup)) return false;
    c->generation++;
    return true;
}

static void sleep_ms(int ms) {
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L};
    nanosleep(&t, NULL);
}

bool postgres_connected(const Db *db) { return PQstatus(db->as.pg->conn) == CONNECTION_OK; }

bool postgres_reconnect(Db *db, int wait_ms) {
    int64_t until = clock_monotonic_us() + (int64_t)wait_ms * 1000;
    while (!connect_now(db)) {
        if (clock_monotonic_us() >= until) return false;
        sleep_ms(RECONNECT_STEP_MS);
    }
    db_clear_fault(db);
    return true;
}

static void close_db(Db *db) {
    PQfinish(db->as.pg->conn);
    free(db->as.pg);
    db->as.pg = NULL;
}

static Status open_db(Db *db, Error *err) {
    db->as.pg = calloc(1, sizeof *db->as.pg);
    if (!db->as.pg) abort();
    random_bytes(&db->as.pg->id, sizeof db->as.pg->id);
    // A server that was there once is waited for: it may be restarting.
    if (postgres_reconnect(db, db->store->opened ? STORE_BUSY_MS_MAX : 0)) return OK;
    char detail[300];
    detail_of(db->as.pg->conn, NULL, detail, sizeof detail);
    close_db(db);
    // Never the URL: it may hold a password.
    return error_set(err, BUSY, S("store"), "连接不上 PostgreSQL：{1}", str_z(detail));
}

static Status exec(Db *db, const char *sql, Error *err) {
    PGresult *result = PQexec(db->as.pg->conn, sql);
    ExecStatusType got = PQresultStatus(result);
    Status status = OK;
    if (got != PGRES_COMMAND_OK && got != PGRES_TUPLES_OK) {
        char detail[300];
        const char *text;
        status = note_failure(db, result, &text, detail, sizeof detail);
        error_fill(err, status, S("store"), text,
                   (Str[ERROR_ARGS]){str_z(detail), sql_head(sql)});
    }
    PQclear(result);
    return status;
}

static bool in_transaction(const Db *db) {
    return PQtransactionStatus(db->as.pg->conn) == PQTRANS_INTRANS;
}

// ---- statements ----

// Past a literal, a quoted name or a comment that starts at *at; false when none does.
static bool skip_quoted(const char *sql, size_t *at) {
    size_t i = *at;
    char c = sql[i];
    if (c == '-' && sql[i + 1] == '-') {
        while (sql[i] && sql[i] != '\n') i++;
    } else if (c == '\'' || c == '"') {
        for (i++; sql[i] && sql[i] != c; i++) {} // a doubled quote starts the next literal
        if (sql[i]) i++;
    } else {
        return false;
    }
    *at = i;
    return true;
}

// $1 for ?1; returns the highest parameter.
static int translate(const char *sql, char *out) {
    int highest = 0;
    size_t n = 0;
    for (size_t i = 0; sql[i];) {
        size_t from = i;
        if (skip_quoted(sql, &i)) {
            memcpy(out + n, sql + from, i - from);
            n += i - from;
            continue;
        }
        bool param = sql[i] == '?' && sql[i + 1] >= '1' && sql[i + 1] <= '9';
        out[n++] = param ? '$' : sql[i];
        i++;
        if (!param) continue;
        int number = 0;
        for (; sql[i] >= '0' && sql[i] <= '9' && number <= PARAMS_MAX; i++) {
            number = number * 10 + (sql[i] - '0');
            out[n++] = sql[i];
        }
        if (number > highest) highest = number;
    }
    out[n] = 0;
    return highest;
}

// Does the statement only read? Decided by its first word; WITH may hide a write, so it counts
// as one.
static bool reads_only(const char *sql) {
    Str s = str_trim(str_z(sql));
    return str_eq_nocase(str_sub(s, 0, 6), S("SELECT")) ||
           str_eq_nocase(str_sub(s, 0, 6), S("VALUES"));
}

static void prepare(Query *q) {
    if (q->as.pg) return;
    PgStatement *st = calloc(1, sizeof *st);
    if (!st) abort();
    st->text = malloc(strlen(q->sql) + 1);
    if (!st->text) abort();
    q->params = translate(q->sql, st->text);
    assert(q->params <= PARAMS_MAX);
    st->params = calloc((size_t)q->params + 1, sizeof *st->params);
    if (!st->params) abort();
    q->reads_only = reads_only(q->sql);
    q->as.pg = st;
}

static void forget(Query *q) {
    PgStatement *st = q->as.pg;
    if (!st) return;
    PgConnection *c = q->db->as.pg;
    if (c && st->generation == c->generation && st->generation &&
        PQtransactionStatus(c->conn) != PQTRANS_INERROR) {
        char sql[48];
        (void)snprintf(sql, sizeof sql, "DEALLOCATE %s", st->name);
        (void)exec_quietly(c->conn, sql);
    }
    PQclear(st->result);
    free(st->params);
    free(st->text);
    free(st);
    q->as.pg = NULL;
}

static void bind_bytes(Query *q, int n, Str v, bool is_text) {
    Param *p = &q->as.pg->params[n - 1];
    p->value = v.ptr;
    p->len = (int)v.len;
    p->type = is_text ? OID_TEXT : OID_BYTEA;
}

static void bind_int(Query *q, int n, int64_t v) {
    Param *p = &q->as.pg->params[n - 1];
    for (int i = 0; i < 8; i++) p->bytes[i] = (char)((uint64_t)v >> (56 - 8 * i));
    p->value = p->bytes;
    p->len = 8;
    p->type = OID_INT8;
}

static void bind_null(Query *q, int n) {
    q->as.pg->params[n - 1].value = NULL;
    q->as.pg->params[n - 1].type = 0;
}

static PGresult *prepare_on_server(Query *q) {
    PgStatement *st = q->as.pg;
    PgConnection *c = q->db->as.pg;
    bool fits = st->generation == c->generation;
    for (int i = 0; i < q->params; i++) {
        if (st->params[i].type && st->params[i].type != st->params[i].prepared) fits = false;
    }
    if (fits) return NULL;
    Oid types[PARAMS_MAX];
    for (int i = 0; i < q->params; i++) {
        if (st->params[i].type) st->params[i].prepared = st->params[i].type;
        types[i] = st->params[i].prepared;
    }
    // An older form of it stays on the server under its name until the connection ends.
    (void)snprintf(st->name, sizeof st->name, "q%u", ++c->names);
    st->generation = 0;
    PGresult *result = PQprepare(c->conn, st->name, st->text, q->params, types);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) return result;
    PQclear(result);
    st->generation = c->generation;
    return NULL;
}

static PGresult *execute(Query *q) {
    PgStatement *st = q->as.pg;
    PGresult *failed = prepare_on_server(q);
    if (failed) return failed;
    const char *values[PARAMS_MAX];
    int lengths[PARAMS_MAX], formats[PARAMS_MAX];
    for (int i = 0; i < q->params; i++) {
        values[i] = st->params[i].value;
        lengths[i] = st->params[i].len;
        formats[i] = 1;
    }
    return PQexecPrepared(q->db->as.pg->conn, st->name, q->params, values, lengths, formats, 1);
}

static bool went_well(const PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

// Executes; a reader that finds its connection lost gets a new one and tries again.
static Step first_step(Query *q) {
    Db *db = q->db;
    PgStatement *st = q->as.pg;
    int64_t until = clock_monotonic_us() + (int64_t)STORE_BUSY_MS_MAX * 1000;
    for (;;) {
        PQclear(st->result);
        st->result = execute(q);
        st->row = 0;
        if (went_well(st->result)) return PQntuples(st->result) ? STEP_ROW : STEP_DONE;
        int left_ms = (int)((until - clock_monotonic_us()) / 1000);
        bool lost = PQstatus(db->as.pg->conn) == CONNECTION_BAD;
        if (db->writer || !lost || left_ms <= 0 || !postgres_reconnect(db, left_ms)) break;
    }
    char detail[300];
    const char *text;
    Status status = note_failure(db, st->result, &text, detail, sizeof detail);
    query_fail(q, status, text, str_z(detail), sql_head(q->sql));
    return STEP_FAILED;
}

static Step step(Query *q) {
    if (!q->as.pg->result) return first_step(q);
    return ++q->as.pg->row < PQntuples(q->as.pg->result) ? STEP_ROW : STEP_DONE;
}

static void reset(Query *q) {
    PgStatement *st = q->as.pg;
    if (!st) return;
    PQclear(st->result);
    st->result = NULL;
    for (int i = 0; i < q->params; i++) {
        st->params[i].value = NULL;
        st->params[i].type = 0;
    }
}

// ---- columns ----

static int64_t changed(Query *q) {
    int64_t n = 0;
    Str text = str_z(PQcmdTuples(q->as.pg->result));
    return str_to_int(text, &n) ? n : 0;
}

static int col_count(Query *q) { return PQnfields(q->as.pg->result); }
static Str col_name(Query *q, int col) { return str_z(PQfname(q->as.pg->result, col)); }

static Str raw(Query *q, int col) {
    const PgStatement *st = q->as.pg;
    return str_of(PQgetvalue(st->result, st->row, col),
                  (size_t)PQgetlength(st->result, st->row, col));
}

static int64_t big_endian(Str bytes) {
    if (!bytes.len) return 0;
    int64_t n = (signed char)bytes.ptr[0];
    for (size_t i = 1; i < bytes.len; i++) n = n * 256 + (unsigned char)bytes.ptr[i];
    return n;
}

// NUMERIC on the wire: count, weight, sign, scale, then digits of base 10000, each two bytes.
static Str numeric_text(Query *q, int col) {
    Str wire = raw(q, col);
    char *out = q->as.pg->numeric;
    int64_t count = big_endian(str_sub(wire, 0, 2)), weight = big_endian(str_sub(wire, 2, 4));
    int64_t sign = big_endian(str_sub(wire, 4, 6)), scale = big_endian(str_sub(wire, 6, 8));
    if (wire.len < 8 || weight > 15 || weight < -15 || scale > 60) {
        query_fail(q, BROKEN, "数值超出范围：{1}", sql_head(q->sql), (Str){0});
        return S("");
    }
    size_t n = 0;
    if (sign == 0x4000) out[n++] = '-';
    int64_t groups_after = (scale + 3) / 4;
    if (weight < 0) out[n++] = '0';
    for (int64_t g = weight < 0 ? -1 : weight; g >= -groups_after; g--) {
        int64_t i = weight - g;
        size_t at = (size_t)(8 + 2 * i);
        int64_t digits = i >= 0 && i < count ? big_endian(str_sub(wire, at, at + 2)) : 0;
        if (g == -1) out[n++] = '.';
        bool leading = g == weight && weight >= 0;
        int wrote = snprintf(out + n, NUMERIC_TEXT_MAX - n, leading ? "%lld" : "%04lld",
                             (long long)digits);
        n += (size_t)wrote;
    }
    // The last group may stand for more digits than the scale has.
    if (scale > 0) n -= (size_t)(groups_after * 4 - scale);
    return str_of(out, n);
}

static ColKind col_kind(Query *q, int col) {
    const PgStatement *st = q->as.pg;
    int64_t n;
    if (PQgetisnull(st->result, st->row, col)) return COL_NULL;
    switch (PQftype(st->result, col)) {
    case OID_BOOL:
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_OID:
    case OID_XID8:
        return COL_INT;
    case OID_BYTEA:
        return COL_BLOB;
    case OID_FLOAT4:
    case OID_FLOAT8:
        return COL_FLOAT;
    case OID_NUMERIC: // what SUM over integers gives
        return str_to_int(numeric_text(q, col), &n) ? COL_INT : COL_DECIMAL;
    default:
        return COL_TEXT;
    }
}

static int64_t col_int(Query *q, int col) {
    int64_t n = 0;
    switch (PQftype(q->as.pg->result, col)) {
    case OID_BOOL:
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_XID8:
        return big_endian(raw(q, col));
    case OID_OID:
        return (int64_t)(uint32_t)big_endian(raw(q, col));
    case OID_NUMERIC:
        return str_to_int(numeric_text(q, col), &n) ? n : 0;
    default:
        return str_to_int(raw(q, col), &n) ? n : 0;
    }
}

static Str col_str(Query *q, int col) {
    PgStatement *st = q->as.pg;
    switch (col_kind(q, col)) {
    case COL_NULL:
        return S("");
    case COL_INT:
        (void)snprintf(st->numeric, sizeof st->numeric, "%lld", (long long)col_int(q, col));
        return str_z(st->numeric);
    case COL_DECIMAL:
        return numeric_text(q, col);
    default:
        return raw(q, col);
    }
}

const DbOps postgres_ops = {
    .open = open_db,
    .close = close_db,
    .exec = exec,
    .in_transaction = in_transaction,
    .prepare = prepare,
    .forget = forget,
    .bind_int = bind_int,
    .bind_bytes = bind_bytes,
    .bind_null = bind_null,
    .step = step,
    .reset = reset,
    .changed = changed,
    .col_count = col_count,
    .col_name = col_name,
    .col_kind = col_kind,
    .col_int = col_int,
    .col_str = col_str,
};

// ---- transactions ----

Repeat postgres_repeat(const Db *db) { return db->as.pg->repeat; }
void postgres_repeat_set(Db *db, Repeat repeat) { db->as.pg->repeat = repeat; }

// Jobs share a lock; who runs alone and store_barrier take it whole. It is a table's, not an
// advisory one, because LOCK TABLE waits before the transaction's view of the data is taken: who
// has waited sees what the others did.
#define LOCK_SHARED "LOCK TABLE schema_version IN ROW SHARE MODE;"
#define LOCK_WHOLE "LOCK TABLE schema_version IN EXCLUSIVE MODE;"

// One round trip: the transaction, the lock, and the mark by which a commit is recognised. Each
// connection has a row of store_commit and puts the number of its transaction there; so whether
// the transaction was committed can be read, even from a server that has crashed meanwhile (whose
// own numbers of transactions may begin again before ours).
Status postgres_begin(Db *db, bool alone, Error *err) {
    PgConnection *c = db->as.pg;
    char sql[400];
    c->repeat = REPEAT_NOT;
    c->token++;
    (void)snprintf(sql, sizeof sql,
                   "BEGIN ISOLATION LEVEL SERIALIZABLE; %s"
                   "INSERT INTO store_commit (connection, token, at) VALUES (%lld, %lld, %lld)"
                   " ON CONFLICT (connection) DO UPDATE SET token = excluded.token,"
                   " at = excluded.at",
                   alone ? LOCK_WHOLE : LOCK_SHARED, (long long)c->id, (long long)c->token,
                   (long long)clock_now());
    return exec(db, sql, err);
}

// The token in our row, read when no transaction of ours can be under way any more; false when the
// server could not be asked.
static bool committed_token(PgConnection *c, int64_t *ret) {
    char sql[200];
    (void)snprintf(sql, sizeof sql,
                   "BEGIN READ WRITE; " LOCK_WHOLE
                   "SELECT token FROM store_commit WHERE connection = %lld", (long long)c->id);
    PGresult *result = PQexec(c->conn, sql);
    bool known = PQresultStatus(result) == PGRES_TUPLES_OK;
    int64_t token = 0;
    if (known && PQntuples(result) == 1) {
        known = str_to_int(str_z(PQgetvalue(result, 0, 0)), &token);
    }
    PQclear(result);
    known = exec_quietly(c->conn, "ROLLBACK") && known;
    if (known) *ret = token;
    return known;
}

// The connection broke while COMMIT was under way: a new one tells what became of it.
static CommitOutcome outcome_of_lost(Db *db, Error *err) {
    PgConnection *c = db->as.pg;
    int64_t until = clock_monotonic_us() + (int64_t)STORE_BUSY_MS_MAX * 2 * 1000;
    int64_t token;
    while (clock_monotonic_us() < until) {
        int left_ms = (int)((until - clock_monotonic_us()) / 1000);
        if (!postgres_connected(db) && !postgres_reconnect(db, left_ms)) break;
        if (committed_token(c, &token)) return token == c->token ? COMMIT_DONE : COMMIT_REPEAT;
        sleep_ms(RECONNECT_STEP_MS);
    }
    error_set(err, BUSY, S("store"),
              "数据库连接中断，不能确定是否已经保存；请稍后核对，不要重复提交");
    return COMMIT_UNKNOWN;
}

CommitOutcome postgres_commit(Db *db, Error *err) {
    PgConnection *c = db->as.pg;
    PGresult *result = PQexec(c->conn, "COMMIT");
    CommitOutcome outcome = COMMIT_REFUSED;
    if (PQstatus(c->conn) == CONNECTION_BAD) {
        outcome = outcome_of_lost(db, err);
    } else if (PQresultStatus(result) == PGRES_COMMAND_OK &&
               strcmp(PQcmdStatus(result), "COMMIT") == 0) {
        outcome = COMMIT_DONE;
    } else if (PQresultStatus(result) == PGRES_COMMAND_OK) { // "ROLLBACK": a statement had failed
        error_set(err, BROKEN, S("store"), "程序在语句失败后仍继续执行，已全部撤销");
    } else {
        char detail[300];
        const char *text;
        Status status = note_failure(db, result, &text, detail, sizeof detail);
        error_fill(err, status, S("store"), text,
                   (Str[ERROR_ARGS]){str_z(detail), S("COMMIT")});
        if (c->repeat == REPEAT_ALWAYS) outcome = COMMIT_REPEAT;
    }
    PQclear(result);
    return outcome;
}

void postgres_rollback(Db *db) {
    db_finish_all(db);
    if (PQtransactionStatus(db->as.pg->conn) != PQTRANS_IDLE && postgres_connected(db)) {
        (void)exec_quietly(db->as.pg->conn, "ROLLBACK");
    }
}

// The lock is held for a moment only: long enough to have waited for all who share it.
Status postgres_barrier(Db *db, Error *err) {
    Status status = exec(db, "BEGIN READ WRITE;" LOCK_WHOLE "COMMIT", err);
    if (status != OK) (void)exec_quietly(db->as.pg->conn, "ROLLBACK");
    return status;
}
