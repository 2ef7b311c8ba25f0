// Verification: everything the trail promises, recomputed from the records.
//
//   chains    of every case: numbers without a gap, hash(n) from hash(n-1), salt and text
//   log       every leaf again, in order of event id; every stored tile; every checkpoint's
//             signature, and its root against the tree of that size; nothing beyond the newest
//   ledgers   the total against the sum of the entries, and these against what the events say
//             was paid
//
// A log that was set back as a whole, records and all, is sound in itself: that it was longer
// once only somebody outside can tell, by a checkpoint he kept (trail_verify_witness).
//
// It streams: PAGE_ROWS rows at a time, by key, each page a query of its own; memory does not
// grow with the number of events, and writers go on meanwhile (what they append after the newest
// checkpoint was read is checked as chain, not as log).
//
// Limits: after FAULTS_MAX faults it stops and says so.
#include "trail/trail_impl.h"

#include <assert.h>

enum { PAGE_ROWS = 2000, FAULTS_MAX = 1000, PROGRESS_EVERY = 10000, PAID_READS_MAX = 3 };

typedef struct Verify {
    Db *db;
    Arena *arena; // one page
    TrailFound found;
    TrailProgress progress;
    void *ctx;
    int64_t events, faults;
    int64_t steps, steps_all;
    NoteKey key;
    // chain
    EventRecord at; // the event before: case_id, seq; its hash:
    char hash[SHA256_SIZE];
    int64_t paid_fen; // what the case's events so far say was paid
    // log
    MerkleTree tree;
    int64_t last_id;
    Sealed sealed;
    Hash tiles[MERKLE_LEVELS][MERKLE_TILE_WIDTH]; // the stored tile being compared
    size_t tile_counts[MERKLE_LEVELS];            // hashes in it
    char ids[TRAIL_TILE_BYTES_MAX];               // the stored tile of ids
    size_t ids_count;
    bool ids_bad;
    bool log_bad; // one fault of the tree is told; the rest would follow from it
    Checkpoint next; // checkpoint that is next to be met; size 0: none
    int64_t next_last_id;
    Arena *checkpoint_arena;
} Verify;

static void fault(Verify *v, Str where, const char *what) {
    if (v->faults++ < FAULTS_MAX && v->found) v->found(v->ctx, where, str_z(what));
}

static void event_fault(Verify *v, const EventRecord *e, const char *what) {
    fault(v, arena_printf(v->arena, "case %lld event %lld", (long long)e->case_id,
                          (long long)e->seq), what);
}

static void step(Verify *v) {
    v->steps++;
    if (v->progress && v->steps % PROGRESS_EVERY == 0) v->progress(v->ctx, v->steps, v->steps_all);
}

static bool too_many(const Verify *v) { return v->faults >= FAULTS_MAX; }

// ---- money ----

static int64_t paid_by(const EventRecord *e, Arena *a) {
    Value data;
    if (!str_eq(e->kind, S("ledger.paid"))) return 0;
    if (json_parse(e->data, JSON_LAX, (JsonLimits){0}, a, &data, NULL) != OK) return 0;
    return v_to_int(v_get_lit(data, "amount_fen"), 0);
}

static Status booked_of(Verify *v, int64_t case_id, int64_t *ret, Error *err) {
    Query *q = query(v->db, "SELECT COALESCE(SUM(amount_fen), 0) FROM ledger_entry"
                            " WHERE case_id = ?1");
    query_int(q, 1, case_id);
    return query_one_int(q, ret, err);
}

// The case whose chain has just ended: its entries against its events. Somebody may be paying
// beside us, so a difference is read again before it counts.
static Status check_paid(Verify *v, Error *err) {
    int64_t booked = 0, paid = v->paid_fen, case_id = v->at.case_id;
    v->paid_fen = 0;
    if (paid == 0) return OK;
    Status status = booked_of(v, case_id, &booked, err);
    for (int i = 0; status == OK && paid != booked && i < PAID_READS_MAX; i++) {
        EventRecord *records;
        size_t count = 0;
        status = booked_of(v, case_id, &booked, err);
        if (status == OK) status = event_records(v->db, case_id, v->arena, &records, &count, err);
        paid = 0;
        for (size_t k = 0; status == OK && k < count; k++) paid += paid_by(&records[k], v->arena);
    }
    if (status == OK && paid != booked) {
        fault(v, arena_printf(v->arena, "case %lld ledger", (long long)case_id),
              "台账上的金额与留痕中支付的金额不符");
    }
    return status;
}

// ---- chains ----

static void check_link(Verify *v, const EventRecord *e) {
    static const char zeros[SHA256_SIZE];
    bool same_case = e->case_id == v->at.case_id && v->events > 0;
    int64_t wanted = same_case ? v->at.seq + 1 : 1;
    Str previous = str_of(same_case ? v->hash : zeros, SHA256_SIZE);
    if (e->seq != wanted) {
        event_fault(v, e, "留痕的序号不连续，中间有记录缺失");
    } else {
        Hash hash = event_record_hash(e, previous, v->arena);
        if (!str_eq(e->hash, str_of((const char *)hash.bytes, SHA256_SIZE))) {
            event_fault(v, e, "留痕的内容与哈希不符，或前一条被改动");
        }
    }
    v->at.case_id = e->case_id;
    v->at.seq = e->seq;
    if (e->hash.len == SHA256_SIZE) memcpy(v->hash, e->hash.ptr, SHA256_SIZE);
    v->paid_fen += paid_by(e, v->arena);
    v->events++;
    step(v);
}

// One page; *ret_rows says how many rows there were.
static Status chain_page(Verify *v, int *ret_rows, Error *err) {
    Query *q = query(v->db, "SELECT id, case_id, seq, at, actor_id, handling, kind, data_json,"
                            " salt, hash FROM event WHERE (case_id, seq) > (?1, ?2)"
                            " ORDER BY case_id, seq LIMIT ?3");
    query_int(q, 1, v->at.case_id);
    query_int(q, 2, v->at.seq);
    query_int(q, 3, PAGE_ROWS);
    int rows = 0;
    Status status = OK;
    for (; status == OK && query_next(q); rows++) {
        ArenaMark mark = arena_mark(v->arena);
        EventRecord e = {
            .id = query_col_int(q, 0), .case_id = query_col_int(q, 1), .seq = query_col_int(q, 2),
            .at = query_col_int(q, 3), .actor_id = query_col_int(q, 4),
            .handling = query_col_int(q, 5), .kind = query_col_str(q, 6),
            .data = query_col_str(q, 7), .salt = query_col_str(q, 8), .hash = query_col_str(q, 9)};
        if (e.case_id != v->at.case_id) status = check_paid(v, err);
        check_link(v, &e);
        arena_rewind(v->arena, mark);
    }
    *ret_rows = rows;
    Status read = query_done(q, status == OK ? err : NULL);
    return status == OK ? read : status;
}

static Status check_chains(Verify *v, Error *err) {
    v->at = (EventRecord){.case_id = INT64_MIN, .seq = INT64_MIN};
    int rows = PAGE_ROWS;
    Status status = OK;
    while (status == OK && rows == PAGE_ROWS && !too_many(v)) status = chain_page(v, &rows, err);
    return status == OK ? check_paid(v, err) : status;
}

// ---- the log ----

// The checkpoint after the one of `size`; v->next.size is 0 when there is none.
static Status next_checkpoint(Verify *v, uint64_t size, Error *err) {
    arena_reset(v->checkpoint_arena);
    v->next = (Checkpoint){0};
    Query *q = query(v->db, "SELECT size, last_event_id, note FROM log_checkpoint"
                            " WHERE size > ?1 AND size <= ?2 ORDER BY size LIMIT 1");
    query_int(q, 1, (int64_t)size);
    query_int(q, 2, (int64_t)v->sealed.size);
    bool found = query_next(q);
    uint64_t stored = (uint64_t)query_col_int(q, 0);
    v->next_last_id = query_col_int(q, 1);
    Str note = query_col_keep(q, 2, v->checkpoint_arena);
    Status status = query_done(q, err);
    if (status != OK || !found) return status;
    NoteOpened opened;
    Error why;
    Str where = arena_printf(v->checkpoint_arena, "checkpoint %llu", (unsigned long long)stored);
    if (note_open(note, &v->key, 1, v->checkpoint_arena, &opened, &why) != OK) {
        fault(v, where, "检查点的签名不对");
        v->next.size = stored;
    } else if (checkpoint_parse(opened.text, v->checkpoint_arena, &v->next, &why) != OK ||
               v->next.size != stored) {
        fault(v, where, "检查点的内容与记录不符");
        v->next = (Checkpoint){.size = stored};
    }
    return OK;
}

static Status meet_checkpoint(Verify *v, Error *err) {
    Hash root = merkle_root(&v->tree);
    uint64_t size = v->tree.size;
    // A checkpoint that could not be read has told its fault already and has no origin.
    if (v->next.origin.len && memcmp(root.bytes, v->next.root.bytes, SHA256_SIZE) != 0) {
        fault(v, arena_printf(v->arena, "checkpoint %llu", (unsigned long long)size),
              "检查点的根与记录算出的不符");
    } else if (v->next_last_id != v->last_id) {
        fault(v, arena_printf(v->arena, "checkpoint %llu", (unsigned long long)size),
              "检查点的末条留痕与记录不符");
    }
    return next_checkpoint(v, size, err);
}

static void log_fault(Verify *v, Str where, const char *what) {
    if (!v->log_bad) fault(v, where, what);
    v->log_bad = true;
}

static Status compare_entry(Verify *v, const MerkleEntry *e, Error *err) {
    size_t place = (size_t)(e->index % MERKLE_TILE_WIDTH);
    uint64_t index = e->index / MERKLE_TILE_WIDTH;
    if (place == 0) {
        Str bytes;
        Status status = trail_tile_bytes(v->db, e->level, index, v->arena, &bytes, err);
        if (status != OK && status != NOT_FOUND) return status;
        size_t count = status == OK ? bytes.len / SHA256_SIZE : 0;
        v->tile_counts[e->level] = count < MERKLE_TILE_WIDTH ? count : MERKLE_TILE_WIDTH;
        if (count) memcpy(v->tiles[e->level], bytes.ptr, v->tile_counts[e->level] * SHA256_SIZE);
    }
    if (place >= v->tile_counts[e->level] ||
        memcmp(v->tiles[e->level][place].bytes, e->hash.bytes, SHA256_SIZE) != 0) {
        log_fault(v, arena_printf(v->arena, "tile %u/%llu", e->level, (unsigned long long)index),
                  "日志块与记录算出的不符");
    }
    return OK;
}

// The ids beside the leaves, which inclusion proofs are looked up by.
static Status compare_id(Verify *v, int64_t id, Error *err) {
    uint64_t index = v->tree.size / MERKLE_TILE_WIDTH;
    size_t place = (size_t)(v->tree.size % MERKLE_TILE_WIDTH);
    if (place == 0) {
        Str bytes = S("");
        Status status = trail_tile_bytes(v->db, TRAIL_LEVEL_IDS, index, v->arena, &bytes, err);
        if (status != OK && status != NOT_FOUND) return status;
        size_t kept = bytes.len < sizeof v->ids ? bytes.len : sizeof v->ids;
        v->ids_count = kept / TRAIL_ID_SIZE;
        if (kept) memcpy(v->ids, bytes.ptr, kept);
    }
    bool good = place < v->ids_count && trail_id_at(str_of(v->ids, sizeof v->ids), place) == id;
    if (!good && !v->ids_bad) {
        v->ids_bad = true; // one fault is told; the rest would follow from it
        fault(v, arena_printf(v->arena, "tile ids/%llu", (unsigned long long)index),
              "日志的编号块与记录不符");
    }
    return OK;
}

static Status check_leaf(Verify *v, int64_t id, Str hash, Error *err) {
    Status status = compare_id(v, id, err);
    if (status != OK) return status;
    Hash leaf = merkle_leaf(hash);
    MerkleEntry entries[MERKLE_LEVELS];
    size_t count = merkle_add(&v->tree, &leaf, entries);
    for (size_t i = 0; status == OK && i < count; i++) status = compare_entry(v, &entries[i], err);
    v->last_id = id;
    if (status == OK && v->next.size == v->tree.size) status = meet_checkpoint(v, err);
    step(v);
    return status;
}

static Status log_page(Verify *v, int *ret_rows, Error *err) {
    Query *q = query(v->db, "SELECT id, hash FROM event WHERE id > ?1 AND id <= ?2"
                            " ORDER BY id LIMIT ?3");
    query_int(q, 1, v->last_id);
    query_int(q, 2, v->sealed.last_event_id);
    query_int(q, 3, PAGE_ROWS);
    int rows = 0;
    Status status = OK;
    for (; status == OK && query_next(q); rows++) {
        ArenaMark mark = arena_mark(v->arena);
        status = check_leaf(v, query_col_int(q, 0), query_col_str(q, 1), err);
        arena_rewind(v->arena, mark);
    }
    *ret_rows = rows;
    Status read = query_done(q, status == OK ? err : NULL);
    return status == OK ? read : status;
}

static Status check_log(Verify *v, Error *err) {
    Status status = next_checkpoint(v, 0, err);
    int rows = PAGE_ROWS;
    while (status == OK && rows == PAGE_ROWS && !too_many(v)) status = log_page(v, &rows, err);
    if (status != OK || too_many(v)) return status;
    if (v->tree.size != v->sealed.size) {
        fault(v, S("log"), v->tree.size < v->sealed.size
                               ? "封存过的留痕有缺失：记录比日志少"
                               : "记录比日志多：有留痕插在已封存的中间");
    }
    return OK;
}

// Tiles and checkpoint are written in one transaction. So more leaves than the newest checkpoint
// has, read after them, mean that checkpoints were taken away.
static Status check_end(Verify *v, Error *err) {
    int64_t last = -1;
    uint64_t leaves = 0;
    Str ids;
    Query *q = query(v->db, "SELECT COALESCE(MAX(idx), -1) FROM log_tile WHERE level = ?1");
    query_int(q, 1, TRAIL_LEVEL_IDS);
    Status status = query_one_int(q, &last, err);
    if (status == OK && last >= 0) {
        status = trail_tile_bytes(v->db, TRAIL_LEVEL_IDS, (uint64_t)last, v->arena, &ids, err);
        if (status == OK) leaves = (uint64_t)last * MERKLE_TILE_WIDTH + ids.len / TRAIL_ID_SIZE;
    }
    Sealed now;
    if (status == OK) status = trail_sealed(v->db, v->arena, &now, err);
    if (status == OK && leaves > now.size) {
        fault(v, S("log"), "日志块比最新的检查点多：检查点被回退或删除");
    }
    return status;
}

// ---- ledgers ----

static Status check_ledgers(Verify *v, Error *err) {
    Query *q = query(v->db, "SELECT l.code, l.total_fen, COALESCE(SUM(e.amount_fen), 0)"
                            " FROM ledger l LEFT JOIN ledger_entry e ON e.ledger = l.code"
                            " GROUP BY l.code, l.total_fen ORDER BY l.code");
    while (query_next(q)) {
        if (query_col_int(q, 1) == query_col_int(q, 2)) continue;
        Str code = query_col_str(q, 0);
        fault(v, arena_printf(v->arena, "ledger %.*s", S_FMT(code)), "台账总额不等于各笔之和");
    }
    Status status = query_done(q, err);
    if (status != OK) return status;
    q = query(v->db, "SELECT e.id FROM ledger_entry e WHERE NOT EXISTS (SELECT 1 FROM event v"
                     " WHERE v.case_id = e.case_id AND v.kind = 'ledger.paid') ORDER BY e.id");
    while (query_next(q) && !too_many(v)) {
        fault(v, arena_printf(v->arena, "ledger entry %lld", (long long)query_col_int(q, 0)),
              "台账上有一笔没有留痕的支付");
    }
    return query_done(q, err);
}

static Status run(Verify *v, Error *err) {
    int64_t all = 0;
    Status status = query_one_int(query(v->db, "SELECT COUNT(*) FROM event"), &all, err);
    if (status == OK) status = trail_sealed(v->db, v->arena, &v->sealed, err);
    v->steps_all = all + (int64_t)v->sealed.size;
    if (status == OK) status = check_chains(v, err);
    if (status == OK) status = check_log(v, err);
    if (status == OK) status = check_end(v, err);
    if (status == OK) status = check_ledgers(v, err);
    if (status == OK && v->progress) v->progress(v->ctx, v->steps_all, v->steps_all);
    return status;
}

Status trail_verify(Db *db, Str public_key, TrailFound found, TrailProgress progress, void *ctx,
                    int64_t *ret_events, int64_t *ret_faults, Error *err) {
    ARENA_AUTO a = arena_create(32 << 20);
    ARENA_AUTO checkpoints = arena_create(4 << 20);
    Verify *v = arena_new(a, Verify);
    v->db = db;
    v->arena = a;
    v->checkpoint_arena = checkpoints;
    v->found = found;
    v->progress = progress;
    v->ctx = ctx;
    Status status = note_key_parse(public_key, a, &v->key, err);
    if (status == OK) status = run(v, err);
    if (status != OK) return status;
    if (ret_events) *ret_events = v->events;
    if (ret_faults) *ret_faults = v->faults;
    return OK;
}

Status trail_verify_witness(Db *db, Str public_key, Str note, TrailFound found, void *ctx,
                            int64_t *ret_faults, Error *err) {
    ARENA_AUTO a = arena_create(4 << 20);
    NoteKey key;
    NoteOpened opened;
    Checkpoint kept;
    Sealed sealed;
    Status status = note_key_parse(public_key, a, &key, err);
    if (status == OK) status = note_open(note, &key, 1, a, &opened, err);
    if (status == OK) status = checkpoint_parse(opened.text, a, &kept, err);
    if (status == OK) status = trail_sealed(db, a, &sealed, err);
    if (status != OK) return status;
    Str where = arena_printf(a, "checkpoint %llu", (unsigned long long)kept.size);
    const char *what = NULL;
    Hash root = {0};
    if (kept.size > sealed.size) {
        what = "日志比留存的检查点短：数据被回退";
    } else if (kept.size) {
        status = merkle_root_at(kept.size, trail_tile_read, db, a, &root, err);
        if (status != OK) return status;
        if (memcmp(root.bytes, kept.root.bytes, SHA256_SIZE) != 0) {
            what = "日志与留存的检查点不是同一份：历史被改写";
        }
    }
    if (what && found) found(ctx, where, str_z(what));
    *ret_faults = what ? 1 : 0;
    return OK;
}
