// Appending events and listing them.
//
// Invariants: within a case seq counts 1, 2, 3 …; hash(n) covers hash(n-1), so nothing can be taken
// out, put in or changed without every later hash changing; an event is only ever inserted. The
// text that is hashed is written once and its tail is what is stored as data_json, so the two can't
// differ by a space.
//
// Limits: EVENT_DATA_MAX bytes of data.
#include "trail/event.h"

#include <assert.h>

enum { HEAD_MAX = 512, SALTS_BUFFERED = 256 };

// Random bytes come from the kernel some hundred at a time; each is used once.
static Str salt_next(char out[EVENT_SALT_SIZE]) {
    static _Thread_local char pool[SALTS_BUFFERED * EVENT_SALT_SIZE];
    static _Thread_local size_t left;
    if (left == 0) {
        random_bytes(pool, sizeof pool);
        left = SALTS_BUFFERED;
    }
    left--;
    memcpy(out, pool + left * EVENT_SALT_SIZE, EVENT_SALT_SIZE);
    return str_of(out, EVENT_SALT_SIZE);
}

// {"case":…,"seq":…,"at":…,"actor":…,"kind":…,"handling":…,"data": up to where the data begins.
static void text_open(Buf *out, const EventRecord *head) {
    buf_lit(out, "{\"case\":");
    buf_int(out, head->case_id);
    buf_lit(out, ",\"seq\":");
    buf_int(out, head->seq);
    buf_lit(out, ",\"at\":");
    buf_int(out, head->at);
    buf_lit(out, ",\"actor\":");
    buf_int(out, head->actor_id);
    buf_lit(out, ",\"kind\":");
    json_write_str(out, head->kind);
    buf_lit(out, ",\"handling\":");
    buf_int(out, head->handling);
    buf_lit(out, ",\"data\":");
}

// SHA-256(previous || salt || text); previous of the first event is 32 zero bytes.
static Hash chained_hash(Str previous, Str salt, Str text) {
    const Str parts[] = {previous, salt, text};
    return sha256_parts(parts, sizeof parts / sizeof parts[0]);
}

// The end of the chain so far; zeros before its first event.
static Status chain_end(Db *db, int64_t case_id, int64_t *ret_seq, Hash *ret_hash, Error *err) {
    Query *q = query(db, "SELECT seq, hash FROM event WHERE case_id = ?1"
                         " ORDER BY seq DESC LIMIT 1");
    query_int(q, 1, case_id);
    int64_t seq = 0;
    Hash hash = {0};
    if (query_next(q)) {
        Str stored = query_col_str(q, 1);
        seq = query_col_int(q, 0);
        assert(stored.len == SHA256_SIZE);
        memcpy(hash.bytes, stored.ptr, SHA256_SIZE);
    }
    Status status = query_done(q, err);
    if (status != OK) return status;
    *ret_seq = seq;
    *ret_hash = hash;
    return OK;
}

static Status insert(Db *db, const EventRecord *e, Error *err) {
    Query *q = query(db, "INSERT INTO event (case_id, seq, at, actor_id, kind, handling, data_json,"
                         " salt, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    query_int(q, 1, e->case_id);
    query_int(q, 2, e->seq);
    query_int(q, 3, e->at);
    query_int(q, 4, e->actor_id);
    query_str(q, 5, e->kind);
    query_int(q, 6, e->handling);
    query_str(q, 7, e->data);
    query_blob(q, 8, e->salt);
    query_blob(q, 9, e->hash);
    return query_run(q, NULL, err);
}

Status event_append(Tx *tx, const Event *e, Errors *errs) {
    assert(e->kind.len && e->kind.len < HEAD_MAX / 4);
    assert(e->data.kind == V_CONTEXT || e->data.kind == V_NULL);
    Error err;
    EventRecord head = {.case_id = e->case_id, .at = tx_now(tx), .actor_id = e->actor_id,
                      .handling = e->handling, .kind = e->kind};
    Hash previous = {0};
    Status status = OK;
    if (!e->first) status = chain_end(tx_db(tx), e->case_id, &head.seq, &previous, &err);
    if (status != OK) return errors_push(errs, &err);
    head.seq++;

    Buf text = buf_make(tx_arena(tx), HEAD_MAX, EVENT_DATA_MAX + HEAD_MAX);
    text_open(&text, &head);
    size_t data_at = text.len;
    if (e->data.kind == V_NULL) buf_lit(&text, "{}");
    else json_write(&text, e->data);
    size_t data_end = text.len;
    buf_char(&text, '}');
    if (text.full || data_end - data_at > EVENT_DATA_MAX) {
        return errors_add(errs, LIMIT, S("event"), "留痕内容太大（{1}）", e->kind);
    }
    char room[EVENT_SALT_SIZE];
    head.salt = salt_next(room);
    head.data = str_sub(buf_view(&text), data_at, data_end);
    Hash hash = chained_hash(str_of((const char *)previous.bytes, SHA256_SIZE), head.salt,
                             buf_view(&text));
    head.hash = str_of((const char *)hash.bytes, SHA256_SIZE);
    status = insert(tx_db(tx), &head, &err);
    // The next number of the chain was taken beside us.
    if (status == CONFLICT) return tx_repeat(tx, errs);
    return status == OK ? OK : errors_push(errs, &err);
}

Status event_list(Db *db, int64_t case_id, Arena *a, Value *ret, Error *err) {
    Query *q = query(db, "SELECT e.id, e.seq, e.at, e.kind, e.actor_id,"
                         " COALESCE(a.name, '') AS actor_name, e.handling, e.data_json, e.hash"
                         " FROM event e LEFT JOIN account a ON a.id = e.actor_id"
                         " WHERE e.case_id = ?1 ORDER BY e.seq");
    query_int(q, 1, case_id);
    return query_rows(q, a, ret, err);
}

Hash event_record_hash(const EventRecord *r, Str previous, Arena *a) {
    Buf text = buf_make(a, r->data.len + HEAD_MAX, EVENT_DATA_MAX * 2 + HEAD_MAX);
    text_open(&text, r);
    buf_str(&text, r->data);
    buf_char(&text, '}');
    return chained_hash(previous, r->salt, buf_view(&text));
}

Status event_records(Db *db, int64_t case_id, Arena *a, EventRecord **ret, size_t *ret_count,
                     Error *err) {
    Query *q = query(db, "SELECT id, seq, at, actor_id, handling, kind, data_json, salt, hash"
                         " FROM event WHERE case_id = ?1 ORDER BY seq");
    query_int(q, 1, case_id);
    size_t count = 0, cap = 32;
    EventRecord *records = arena_array(a, EventRecord, cap);
    while (query_next(q)) {
        if (count == cap) {
            EventRecord *more = arena_array(a, EventRecord, cap * 2);
            memcpy(more, records, count * sizeof *records);
            records = more;
            cap *= 2;
        }
        records[count++] = (EventRecord){
            .id = query_col_int(q, 0), .case_id = case_id, .seq = query_col_int(q, 1),
            .at = query_col_int(q, 2), .actor_id = query_col_int(q, 3),
            .handling = query_col_int(q, 4), .kind = query_col_keep(q, 5, a),
            .data = query_col_keep(q, 6, a), .salt = query_col_keep(q, 7, a),
            .hash = query_col_keep(q, 8, a)};
    }
    Status status = query_done(q, err);
    if (status != OK) return status;
    *ret = records;
    *ret_count = count;
    return OK;
}
