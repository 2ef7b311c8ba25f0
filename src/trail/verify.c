// Verification: everything the trail promises, recomputed from the records.
//
//   chains    of every case: numbers without a gap, hash(n) from hash(n-1), salt and text
//   log       every leaf again, in order of event id; every stored tile; every checkpoint's
//             signature, and its root against the tree of that size
//   ledgers   the total against the sum of the entries
//
// It streams: PAGE_ROWS rows at a time, by key, each page a query of its own; memory does not
// grow with the number of events, and writers go on meanwhile (what they append after the newest
// checkpoint was read is checked as chain, not as log).
//
// Limits: after FAULTS_MAX faults it stops and says so.
#include "trail/trail_impl.h"

#include <assert.h>

enum { PAGE_ROWS = 2000, FAULTS_MAX = 1000, PROGRESS_EVERY = 10000 };

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
    // log
    MerkleTree tree;
    int64_t last_id;
    Sealed sealed;
    Hash tiles[MERKLE_LEVELS][MERKLE_TILE_WIDTH]; // the stored tile being compared
    size_t tile_counts[MERKLE_LEVELS];            // hashes in it
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
    for (; query_next(q); rows++) {
        ArenaMark mark = arena_mark(v->arena);
        EventRecord e = {
            .id = query_col_int(q, 0), .case_id = query_col_int(q, 1), .seq = query_col_int(q, 2),
            .at = query_col_int(q, 3), .actor_id = query_col_int(q, 4),
            .handling = query_col_int(q, 5), .kind = query_col_str(q, 6),
            .data = query_col_str(q, 7), .salt = query_col_str(q, 8), .hash = query_col_str(q, 9)};
        check_link(v, &e);
        arena_rewind(v->arena, mark);
    }
    *ret_rows = rows;
    return query_done(q, err);
}

static Status check_chains(Verify *v, Error *err) {
    v->at = (EventRecord){.case_id = INT64_MIN, .seq = INT64_MIN};
    int rows = PAGE_ROWS;
    Status status = OK;
    while (status == OK && rows == PAGE_ROWS && !too_many(v)) status = chain_page(v, &rows, err);
    return status;
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

static Status check_leaf(Verify *v, int64_t id, Str hash, Error *err) {
    Hash leaf = merkle_leaf(hash);
    MerkleEntry entries[MERKLE_LEVELS];
    size_t count = merkle_add(&v->tree, &leaf, entries);
    Status status = OK;
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

// The ids beside the leaves, which inclusion proofs are looked up by.
static Status check_ids(Verify *v, Error *err) {
    uint64_t tiles = (v->sealed.size + MERKLE_TILE_WIDTH - 1) / MERKLE_TILE_WIDTH;
    int64_t before = 0;
    Status status = OK;
    for (uint64_t i = 0; status == OK && i < tiles && !too_many(v); i++) {
        ArenaMark mark = arena_mark(v->arena);
        Str ids = S("");
        status = trail_tile_bytes(v->db, TRAIL_LEVEL_IDS, i, v->arena, &ids, err);
        if (status == NOT_FOUND) status = OK;
        uint64_t left = v->sealed.size - i * MERKLE_TILE_WIDTH;
        size_t wanted = (size_t)(left < MERKLE_TILE_WIDTH ? left : MERKLE_TILE_WIDTH);
        bool good = ids.len / TRAIL_ID_SIZE >= wanted;
        for (size_t n = 0; good && n < wanted; n++) {
            good = trail_id_at(ids, n) > before;
            before = trail_id_at(ids, n);
        }
        if (status == OK && !good) {
            fault(v, arena_printf(v->arena, "tile ids/%llu", (unsigned long long)i),
                  "日志的编号块不完整");
        }
        arena_rewind(v->arena, mark);
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
    return query_done(q, err);
}

static Status run(Verify *v, Error *err) {
    int64_t all = 0;
    Status status = query_one_int(query(v->db, "SELECT COUNT(*) FROM event"), &all, err);
    if (status == OK) status = trail_sealed(v->db, v->arena, &v->sealed, err);
    v->steps_all = all + (int64_t)v->sealed.size;
    if (status == OK) status = check_chains(v, err);
    if (status == OK) status = check_log(v, err);
    if (status == OK) status = check_ids(v, err);
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
