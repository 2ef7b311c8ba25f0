// The SQLite backend: WAL, synchronous=FULL, one connection that writes and up to
// STORE_READERS_MAX that read. Statements are bound in place (SQLITE_STATIC): what is bound must
// live until query_done, as store.h says.
//
// Memory: SQLITE_WRITER_CACHE_KB + STORE_READERS_MAX * SQLITE_READER_CACHE_KB at most. No memory
// map: a disk error in a mapped page would be a signal instead of a refusal.
#include "store/store_impl.h"

#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RETURNING_ID S(" RETURNING id")

// What a SQLite error means to the one who asked. Failures of the machine are also faults of the
// connection, so that the writer ends the whole group.
static Status sqlite_status(Db *db, int code, const char **ret_text) {
    int system_error = sqlite3_system_errno(db->as.sqlite);
    switch (code & 0xff) {
    case SQLITE_FULL:
        *ret_text = "磁盘已满，没有保存任何内容；请先清理空间再试（{1}）";
        return NO_SPACE;
    case SQLITE_READONLY:
        *ret_text = "数据盘只读，没有保存任何内容；请联系系统管理员（{1}）";
        return NO_SPACE;
    case SQLITE_IOERR:
        if (system_error == ENOSPC || system_error == EDQUOT) {
            *ret_text = "磁盘已满，没有保存任何内容；请先清理空间再试（{1}）";
        } else {
            *ret_text = "读写数据盘出错，没有保存任何内容；请联系系统管理员（{1}）";
        }
        return NO_SPACE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        *ret_text = "数据库正忙，请稍后再试（{1}）";
        return BUSY;
    case SQLITE_CANTOPEN:
        *ret_text = "打不开数据库文件，请稍后再试（{1}）";
        return BUSY;
    case SQLITE_NOMEM:
        *ret_text = "内存不足，请稍后再试（{1}）";
        return BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        *ret_text = "数据库文件已损坏，请从备份恢复（{1}）";
        return BROKEN;
    default:
        return OK;
    }
}

static Status statement_status(int extended, const char **ret_text) {
    switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        *ret_text = "记录已存在（{1}）";
        return CONFLICT;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        *ret_text = "所引用的记录不存在，或仍被引用（{1}）";
        return CONFLICT;
    case SQLITE_TOOBIG:
        *ret_text = "要保存的内容太大（{1}）";
        return LIMIT;
    default:
        *ret_text = "数据库拒绝了这条语句：{1}（{2}）";
        return BROKEN;
    }
}

static Step fail(Query *q, int code) {
    Db *db = q->db;
    Str detail = str_z(sqlite3_errmsg(db->as.sqlite));
    const char *text = NULL;
    Status status = sqlite_status(db, code, &text);
    if (status != OK) db_set_fault(db, status, text, detail);
    else status = statement_status(sqlite3_extended_errcode(db->as.sqlite), &text);
    db->statement_failed = true;
    query_fail(q, status, text, detail, sql_head(q->sql));
    return STEP_FAILED;
}

static Status exec(Db *db, const char *sql, Error *err) {
    char *message = NULL;
    int code = sqlite3_exec(db->as.sqlite, sql, NULL, NULL, &message);
    if (code == SQLITE_OK) return OK;
    char detail[200];
    (void)snprintf(detail, sizeof detail, "%s", message ? message : sqlite3_errstr(code));
    sqlite3_free(message);
    const char *text = NULL;
    Status status = sqlite_status(db, code, &text);
    if (status != OK) db_set_fault(db, status, text, str_z(detail));
    else status = statement_status(sqlite3_extended_errcode(db->as.sqlite), &text);
    return error_fill(err, status, S("store"), text,
                      (Str[ERROR_ARGS]){str_z(detail), sql_head(sql)});
}

// In place of SQLite's own checkpoint within the commit.
static int committed(void *store, sqlite3 *db, const char *name, int wal_pages) {
    (void)db;
    (void)name;
    checkpointer_note(store, wal_pages);
    return SQLITE_OK;
}

static Status configure(Db *db, Error *err) {
    char sql[400];
    (void)snprintf(sql, sizeof sql,
                   "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
                   "PRAGMA case_sensitive_like = ON; PRAGMA temp_store = MEMORY;"
                   "PRAGMA cell_size_check = ON; PRAGMA cache_size = -%d;",
                   db->writer ? SQLITE_WRITER_CACHE_KB : SQLITE_READER_CACHE_KB);
    Status status = exec(db, sql, err);
    if (status != OK) return status;
    if (!db->writer) return exec(db, "PRAGMA query_only = ON", err);
    (void)snprintf(sql, sizeof sql,
                   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                   "PRAGMA journal_size_limit = %d;", SQLITE_WAL_KEPT_BYTES);
    status = exec(db, sql, err);
    (void)sqlite3_wal_hook(db->as.sqlite, committed, db->store);
    return status;
}

static void close_db(Db *db) {
    int code = sqlite3_close(db->as.sqlite);
    assert(code == SQLITE_OK);
    (void)code;
    db->as.sqlite = NULL;
}

// Of the library, once for the process: no statistics of its memory, which cost a lock of all
// connections with every allocation.
static void set_up_library(void) { (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

static Status open_db(Db *db, Error *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, set_up_library);
    const char *path = db->store->path;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                (db->writer ? SQLITE_OPEN_CREATE : 0);
    int code = sqlite3_open_v2(path, &db->as.sqlite, flags, NULL);
    if (code != SQLITE_OK) {
        Str detail = str_z(sqlite3_errstr(code));
        sqlite3_close(db->as.sqlite);
        return error_set(err, BUSY, str_z(path), "打不开数据库文件：{1}", detail);
    }
    sqlite3_busy_timeout(db->as.sqlite, STORE_BUSY_MS_MAX);
    Status status = configure(db, err);
    if (status != OK) close_db(db);
    return status;
}

static bool in_transaction(const Db *db) { return !sqlite3_get_autocommit(db->as.sqlite); }

// INSERT INTO … VALUES … RETURNING id: the id is the rowid, which SQLite knows without the table it
// would make for the rows of RETURNING with each execution (a quarter of the cost of a small row).
static bool gives_id(Str sql) {
    return str_starts(sql, S("INSERT INTO ")) && str_ends(sql, RETURNING_ID) &&
           str_find(sql, S("SELECT")) < 0 && str_find(sql, S("ON CONFLICT")) < 0;
}

static void prepare(Query *q) {
    if (q->as.stmt) return;
    const char *tail = NULL;
    Str sql = str_z(q->sql);
    q->gives_id = gives_id(sql);
    if (q->gives_id) sql.len -= RETURNING_ID.len;
    int code = sqlite3_prepare_v3(q->db->as.sqlite, sql.ptr, (int)sql.len,
                                  SQLITE_PREPARE_PERSISTENT, &q->as.stmt, &tail);
    if (code != SQLITE_OK) {
        fail(q, code);
        return;
    }
    if (!q->as.stmt || str_trim(str_sub(sql, (size_t)(tail - sql.ptr), sql.len)).len) {
        query_fail(q, BROKEN, "一次只能执行一条语句：{1}", sql_head(q->sql), (Str){0});
        return;
    }
    q->params = sqlite3_bind_parameter_count(q->as.stmt);
    q->reads_only = sqlite3_stmt_readonly(q->as.stmt);
    assert(q->params <= PARAMS_MAX);
}

static void forget(Query *q) {
    sqlite3_finalize(q->as.stmt);
    q->as.stmt = NULL;
}

static void bind_int(Query *q, int n, int64_t v) {
    int code = sqlite3_bind_int64(q->as.stmt, n, v);
    if (code != SQLITE_OK) fail(q, code);
}

static void bind_bytes(Query *q, int n, Str v, bool is_text) {
    sqlite3_stmt *st = q->as.stmt;
    int code = is_text ? sqlite3_bind_text64(st, n, v.ptr, v.len, SQLITE_STATIC, SQLITE_UTF8)
                       : sqlite3_bind_blob64(st, n, v.ptr, v.len, SQLITE_STATIC);
    if (code != SQLITE_OK) fail(q, code);
}

static void bind_null(Query *q, int n) { (void)sqlite3_bind_null(q->as.stmt, n); }

static Step step(Query *q) {
    if (q->id_given) return STEP_DONE;
    int code = sqlite3_step(q->as.stmt);
    if (code == SQLITE_ROW) return STEP_ROW;
    if (code != SQLITE_DONE) return fail(q, code);
    if (!q->gives_id) return STEP_DONE;
    q->new_id = sqlite3_last_insert_rowid(q->db->as.sqlite);
    q->id_given = true;
    return STEP_ROW;
}

static void reset(Query *q) {
    q->id_given = false;
    if (!q->as.stmt) return;
    sqlite3_reset(q->as.stmt);
    if (q->params) sqlite3_clear_bindings(q->as.stmt);
}

static int64_t changed(Query *q) { return sqlite3_changes64(q->db->as.sqlite); }
static int col_count(Query *q) { return q->gives_id ? 1 : sqlite3_column_count(q->as.stmt); }
static Str col_name(Query *q, int col) {
    return q->gives_id ? S("id") : str_z(sqlite3_column_name(q->as.stmt, col));
}

static ColKind col_kind(Query *q, int col) {
    if (q->gives_id) return COL_INT;
    switch (sqlite3_column_type(q->as.stmt, col)) {
    case SQLITE_INTEGER:
        return COL_INT;
    case SQLITE_FLOAT:
        return COL_FLOAT;
    case SQLITE_TEXT:
        return COL_TEXT;
    case SQLITE_BLOB:
        return COL_BLOB;
    default:
        return COL_NULL;
    }
}

static int64_t col_int(Query *q, int col) {
    return q->gives_id ? q->new_id : sqlite3_column_int64(q->as.stmt, col);
}

static Str col_str(Query *q, int col) {
    const void *bytes = sqlite3_column_blob(q->as.stmt, col);
    int len = sqlite3_column_bytes(q->as.stmt, col);
    return bytes ? str_of(bytes, (size_t)len) : S("");
}

const DbOps sqlite_ops = {
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

int64_t sqlite_changes_total(const Db *db) { return sqlite3_total_changes64(db->as.sqlite); }

int sqlite_checkpoint(Db *db, bool truncate) {
    int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, moved = 0;
    sqlite3_busy_timeout(db->as.sqlite, 0);
    int code = sqlite3_wal_checkpoint_v2(db->as.sqlite, NULL, mode, NULL, &moved);
    sqlite3_busy_timeout(db->as.sqlite, STORE_BUSY_MS_MAX);
    return code == SQLITE_OK ? moved : -1;
}

Status sqlite_backup(Store *s, Str path, Error *err) {
    char name[4096];
    if (path.len >= sizeof name) return error_set(err, LIMIT, path, "路径太长");
    memcpy(name, path.ptr, path.len);
    name[path.len] = 0;
    if (access(name, F_OK) == 0) {
        return error_set(err, CONFLICT, path, "备份文件已存在，请换一个名字");
    }
    Db *db;
    Status status = store_read(s, &db, err);
    if (status != OK) return status;
    sqlite3 *copy = NULL;
    int code = sqlite3_open_v2(name, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (code == SQLITE_OK) {
        sqlite3_backup *b = sqlite3_backup_init(copy, "main", db->as.sqlite, "main");
        if (b) (void)sqlite3_backup_step(b, -1); // one snapshot; in WAL the writer does not wait
        code = b ? sqlite3_backup_finish(b) : sqlite3_errcode(copy);
    }
    // A database of one file: no WAL beside the copy.
    if (code == SQLITE_OK) {
        code = sqlite3_exec(copy, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    }
    sqlite3_close(copy);
    store_release(db);
    if (code == SQLITE_OK) return OK;
    (void)unlink(name);
    status = (code & 0xff) == SQLITE_BUSY ? BUSY : NO_SPACE;
    return error_set(err, status, path, "备份没有完成：{1}", str_z(sqlite3_errstr(code)));
}
