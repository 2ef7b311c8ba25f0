// Queries: the statement cache of a connection, the sticky error, rows as Values. Knows no
// database; it works through DbOps.
//
// Invariants: a Query is active from query() to query_done and is in its Db's active list just
// then; the cache holds at most STATEMENTS_MAX; texts are compared, never addresses alone, because
// a text composed in an arena may stand where another one stood.
#include "store/store_impl.h"

#include <assert.h>
#include <stdlib.h>

enum { SQL_HEAD_LEN = 60 };

Str sql_head(const char *sql) {
    Str s = str_z(sql);
    return str_sub(s, 0, SQL_HEAD_LEN);
}

static void *must_calloc(size_t n, size_t size) {
    void *p = calloc(n, size);
    if (!p) abort(); // small and at start; there is nothing sensible left to do
    return p;
}

Status query_fail(Query *q, Status status, const char *text, Str a, Str b) {
    if (q->status != OK) return q->status;
    if (!q->error) q->error = must_calloc(1, sizeof *q->error);
    error_fill(q->error, status, S("store"), text, (Str[ERROR_ARGS]){a, b});
    q->status = status;
    return status;
}

void db_set_fault(Db *db, Status status, const char *text, Str detail) {
    if (db->fault != OK) return;
    db->fault = status;
    error_fill(&db->fault_error, status, S("store"), text, (Str[ERROR_ARGS]){detail});
}

void db_clear_fault(Db *db) { db->fault = OK; }

// ---- connections ----

Db *db_open(Store *s, bool writer, Error *err) {
    Db *db = must_calloc(1, sizeof *db);
    db->store = s;
    db->writer = writer;
    db->ops = s->postgres ? &postgres_ops : &sqlite_ops;
    db->scratch = arena_create(DB_SCRATCH_MAX);
    if (db->ops->open(db, err) != OK) {
        arena_free(db->scratch);
        free(db);
        return NULL;
    }
    return db;
}

static void query_free(Query *q) {
    q->db->ops->forget(q);
    free(q->error);
    free(q->sql);
    free(q);
}

void db_forget_statements(Db *db) {
    for (size_t i = 0; i < STATEMENT_BUCKETS; i++) {
        for (Query *q = db->buckets[i]; q; q = q->bucket_next) db->ops->forget(q);
    }
}

void db_close(Db *db) {
    if (!db) return;
    db_finish_all(db);
    for (size_t i = 0; i < STATEMENT_BUCKETS; i++) {
        for (Query *q = db->buckets[i], *next; q; q = next) {
            next = q->bucket_next;
            query_free(q);
        }
    }
    db->ops->close(db);
    arena_free(db->scratch);
    free(db);
}

// ---- the cache ----

// Frees the statement that was unused longest. All active: a caller forgets query_done.
static void make_room(Db *db) {
    Query **oldest = NULL;
    for (size_t i = 0; i < STATEMENT_BUCKETS; i++) {
        for (Query **at = &db->buckets[i]; *at; at = &(*at)->bucket_next) {
            if ((*at)->active) continue;
            if (!oldest || (*at)->used_tick < (*oldest)->used_tick) oldest = at;
        }
    }
    assert(oldest && "STATEMENTS_MAX queries active at once");
    Query *q = *oldest;
    *oldest = q->bucket_next;
    memset(db->by_pointer, 0, sizeof db->by_pointer);
    query_free(q);
    db->statements--;
}

static Query *find_by_text(Db *db, const char *sql) {
    Str text = str_z(sql);
    assert(text.len < SQL_TEXT_MAX);
    uint64_t hash = str_hash(text);
    Query **bucket = &db->buckets[hash & (STATEMENT_BUCKETS - 1)];
    for (Query *q = *bucket; q; q = q->bucket_next) {
        if (!q->active && q->hash == hash && strcmp(q->sql, sql) == 0) return q;
    }
    if (db->statements >= STATEMENTS_MAX) make_room(db);
    Query *q = must_calloc(1, sizeof *q);
    q->db = db;
    q->hash = hash;
    q->sql = must_calloc(1, text.len + 1);
    memcpy(q->sql, sql, text.len);
    q->bucket_next = *bucket;
    *bucket = q;
    db->statements++;
    return q;
}

Query *query(Db *db, const char *sql) {
    uintptr_t address = (uintptr_t)sql;
    size_t slot = (address ^ (address >> 9) ^ (address >> 17)) & (STATEMENT_POINTERS - 1);
    Query *q = db->by_pointer[slot];
    if (!q || q->active || strcmp(q->sql, sql) != 0) {
        q = find_by_text(db, sql);
        db->by_pointer[slot] = q;
    }
    q->active = true;
    q->stepped = q->finished = q->has_row = false;
    q->status = OK;
    q->used_tick = ++db->tick;
    q->active_prev = NULL;
    q->active_next = db->active;
    if (db->active) db->active->active_prev = q;
    db->active = q;
    db->ops->prepare(q);
    return q;
}

// ---- binding ----

static bool may_bind(Query *q, int n) {
    if (q->status != OK) return false;
    assert(q->active && !q->stepped);
    if (n >= 1 && n <= q->params) return true;
    query_fail(q, BROKEN, "查询没有这个参数：{1}", sql_head(q->sql), (Str){0});
    return false;
}

void query_int(Query *q, int n, int64_t v) {
    if (may_bind(q, n)) q->db->ops->bind_int(q, n, v);
}

void query_str(Query *q, int n, Str v) {
    if (!may_bind(q, n)) return;
    // A NUL ends a text early in C libraries and is not allowed in PostgreSQL: nothing is cut
    // silently.
    if (v.len && memchr(v.ptr, 0, v.len)) {
        query_fail(q, INVALID, "文本含有不允许的空字符（NUL）", (Str){0}, (Str){0});
        return;
    }
    q->db->ops->bind_bytes(q, n, v.ptr ? v : S(""), true);
}

void query_blob(Query *q, int n, Str v) {
    if (may_bind(q, n)) q->db->ops->bind_bytes(q, n, v.ptr ? v : S(""), false);
}

void query_null(Query *q, int n) {
    if (may_bind(q, n)) q->db->ops->bind_null(q, n);
}

void query_int_or_null(Query *q, int n, int64_t v) {
    if (v) query_int(q, n, v);
    else query_null(q, n);
}

// The text of a value, kept until the Db's queries are done. Called with the limit handler set.
static Str value_text(Db *db, Value v) {
    Buf out = buf_make(db->scratch, 256, VALUE_STRING_MAX * 2);
    db->scratch_used = true;
    if (v.kind == V_LIST || v.kind == V_CONTEXT) json_write(&out, v);
    else v_print(&out, v);
    return out.full ? (Str){0} : buf_view(&out);
}

static void bind_text_of(Query *q, int n, Value v) {
    jmp_buf env;
    jmp_buf *outer = arena_on_limit(q->db->scratch, &env);
    if (setjmp(env) == 0) {
        Str text = value_text(q->db, v);
        if (text.ptr) query_str(q, n, text);
        else query_fail(q, LIMIT, "要保存的内容太大", (Str){0}, (Str){0});
    } else {
        query_fail(q, LIMIT, "要保存的内容太大", (Str){0}, (Str){0});
    }
    arena_on_limit(q->db->scratch, outer);
}

void query_value(Query *q, int n, Value v) {
    if (!may_bind(q, n)) return;
    int64_t number;
    if (v.kind == V_NULL) {
        query_null(q, n);
    } else if (v.kind == V_BOOL) {
        query_int(q, n, v.as.boolean);
    } else if (v.kind == V_STRING) {
        query_str(q, n, v_text(v));
    } else if (v.kind == V_NUMBER && decimal_to_int(v.as.number, &number)) {
        query_int(q, n, number);
    } else {
        bind_text_of(q, n, v);
    }
}

// ---- stepping ----

bool query_next(Query *q) {
    if (q->status != OK || q->finished) return false;
    assert(q->active);
    q->stepped = true;
    Step step = q->db->ops->step(q);
    q->has_row = step == STEP_ROW;
    q->finished = step != STEP_ROW;
    return q->has_row;
}

int64_t query_col_int(Query *q, int col) {
    return q->has_row ? q->db->ops->col_int(q, col) : 0;
}

Str query_col_str(Query *q, int col) {
    return q->has_row ? q->db->ops->col_str(q, col) : S("");
}

bool query_col_null(Query *q, int col) {
    return !q->has_row || q->db->ops->col_kind(q, col) == COL_NULL;
}

Str query_col_keep(Query *q, int col, Arena *a) { return arena_str(a, query_col_str(q, col)); }

static void release(Query *q) {
    Db *db = q->db;
    db->ops->reset(q);
    q->active = q->has_row = false;
    if (q->active_prev) q->active_prev->active_next = q->active_next;
    else db->active = q->active_next;
    if (q->active_next) q->active_next->active_prev = q->active_prev;
    q->active_next = q->active_prev = NULL;
    if (!db->active && db->scratch_used) {
        arena_reset(db->scratch);
        db->scratch_used = false;
    }
}

Status query_done(Query *q, Error *err) {
    assert(q->active);
    // A statement that changes something is always carried through, RETURNING rows read or not.
    if (q->stepped && !q->reads_only) {
        while (query_next(q)) {}
    }
    Status status = q->status;
    if (status != OK) error_copy(err, q->error);
    release(q);
    return status;
}

void db_finish_all(Db *db) {
    while (db->active) release(db->active);
}

Status query_run(Query *q, int64_t *ret_changed, Error *err) {
    while (query_next(q)) {}
    int64_t changed = q->status == OK && ret_changed ? q->db->ops->changed(q) : 0;
    Status status = query_done(q, err);
    if (status == OK && ret_changed) *ret_changed = changed;
    return status;
}

Status query_one_int(Query *q, int64_t *ret, Error *err) {
    bool found = query_next(q);
    int64_t value = found ? query_col_int(q, 0) : 0;
    Status status = query_done(q, err);
    if (status != OK) return status;
    if (!found) return error_set(err, NOT_FOUND, S("store"), "没有找到记录");
    *ret = value;
    return OK;
}

// ---- rows as values ----

static Status json_column(Query *q, Str name, Str text, Arena *a, Value *ret) {
    Error parse;
    Str kept = arena_str(a, text); // the value points into it
    if (json_parse(kept, JSON_STRICT, (JsonLimits){0}, a, ret, &parse) == OK) return OK;
    return query_fail(q, BROKEN, "库中的 JSON 列已损坏：{1}，{2}", name, parse.where);
}

static Str hex_text(Str bytes, Arena *a) {
    Buf out = buf_make(a, bytes.len * 2 + 1, bytes.len * 2 + 1);
    buf_hex(&out, (const uint8_t *)bytes.ptr, bytes.len);
    return buf_view(&out);
}

static Value column_value(Query *q, int col, Str name, bool json, Arena *a) {
    const DbOps *ops = q->db->ops;
    Value v = v_null();
    Decimal d;
    switch (ops->col_kind(q, col)) {
    case COL_NULL:
        break;
    case COL_INT:
        v = v_int(ops->col_int(q, col));
        break;
    case COL_TEXT:
        if (json) (void)json_column(q, name, ops->col_str(q, col), a, &v);
        else v = v_str(arena_str(a, ops->col_str(q, col)));
        break;
    case COL_BLOB:
        v = v_str(hex_text(ops->col_str(q, col), a));
        break;
    case COL_DECIMAL:
        if (decimal_parse(ops->col_str(q, col), &d)) v = v_number(d);
        break;
    case COL_FLOAT: // law 2
        query_fail(q, BROKEN, "查询结果含浮点数：{1}", name, (Str){0});
        break;
    }
    return v;
}

typedef struct Column {
    Str name;
    bool json;
} Column;

static Column *columns_of(Query *q, Arena *a, int *ret_count) {
    int count = q->db->ops->col_count(q);
    Column *columns = arena_array(a, Column, (size_t)count);
    for (int i = 0; i < count; i++) {
        Str name = q->db->ops->col_name(q, i);
        columns[i].json = str_ends(name, S("_json"));
        if (columns[i].json) name = str_sub(name, 0, name.len - 5);
        columns[i].name = arena_str(a, name);
    }
    *ret_count = count;
    return columns;
}

static Value row_value(Query *q, const Column *columns, int count, Arena *a) {
    ContextBuilder row = context_make(a);
    for (int i = 0; i < count; i++) {
        Value v = column_value(q, i, columns[i].name, columns[i].json, a);
        context_put_new(&row, columns[i].name, v);
    }
    return context_done(&row);
}

Status query_rows(Query *q, Arena *a, Value *ret, Error *err) {
    ListBuilder rows = list_make(a);
    Column *columns = NULL;
    int count = 0;
    while (query_next(q)) {
        if (rows.len >= STORE_ROWS_MAX) {
            query_fail(q, LIMIT, "结果太多，请缩小范围", (Str){0}, (Str){0});
            break;
        }
        if (!columns) columns = columns_of(q, a, &count);
        list_add(&rows, row_value(q, columns, count, a));
    }
    Status status = query_done(q, err);
    if (status == OK) *ret = list_done(&rows);
    return status;
}

Status query_row(Query *q, Arena *a, Value *ret, Error *err) {
    bool found = query_next(q);
    Value row = v_null();
    if (found) {
        int count;
        Column *columns = columns_of(q, a, &count);
        row = row_value(q, columns, count, a);
    }
    Status status = query_done(q, err);
    if (status != OK) return status;
    if (!found) return error_set(err, NOT_FOUND, S("store"), "没有找到记录");
    *ret = row;
    return OK;
}
