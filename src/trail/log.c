// The Merkle log over all events: sealing, checkpoints, proofs, tiles.
//
// Invariants: leaves stand in order of event id; a sealed leaf never moves, so every later tree
// begins with every earlier one. An event below the last sealed id can't appear later: SQLite
// has one writer, and on PostgreSQL the sealer takes the newest id it sees and then waits
// (store_barrier) until every job that ran at that moment has ended.
//
// Limits: TRAIL_SEAL_BATCH leaves under one commit; trail_seal makes as many commits as it needs.
#include "trail/trail_impl.h"

#include "base/file.h"

#include <assert.h>
#include <sys/stat.h>

enum { KEY_FILE_MAX = 4096, SEAL_MEMORY_MAX = 16 << 20 };

// ---- the key ----

static Status key_read(Str path, Arena *a, TrailKey *k, Error *err) {
    struct stat info;
    if (stat(arena_cstr(a, path), &info) == 0 && (info.st_mode & 077)) {
        return error_set(err, DENIED, path, "密钥文件的权限应为 0600，只有本人可读");
    }
    Str text;
    Status status = file_read(path, KEY_FILE_MAX, a, &text, err);
    if (status == OK) status = note_key_parse(text, a, &k->key, err);
    if (status == OK && !k->key.secret) {
        status = error_set(err, INVALID, path, "这不是签名密钥");
    }
    return status;
}

static Status key_make(Str folder, Str path, Str origin, Arena *a, TrailKey *k, Error *err) {
    Status status = dir_make(folder, 0700, a, err);
    if (status == OK) status = note_key_make(origin, a, &k->key, err);
    if (status != OK) return status;
    Str lines[2] = {note_key_secret_text(&k->key, a), note_key_public_text(&k->key, a)};
    status = file_write(path, arena_printf(a, "%.*s\n", S_FMT(lines[0])), 0600, a, err);
    if (status != OK) return status;
    return file_write(path_join(a, folder, S("trail.pub")),
                      arena_printf(a, "%.*s\n", S_FMT(lines[1])), 0644, a, err);
}

Status trail_key_open(Str data_dir, bool create, Str origin, TrailKey **ret, Error *err) {
    Arena *a = arena_create(1 << 20);
    TrailKey *k = arena_new(a, TrailKey);
    k->arena = a;
    Str folder = path_join(a, data_dir, S("keys"));
    Str path = path_join(a, folder, S("trail.key"));
    Status status = file_exists(path, a) || !create ? key_read(path, a, k, err)
                                                    : key_make(folder, path, origin, a, k, err);
    if (status != OK) {
        arena_free(a);
        return status;
    }
    *ret = k;
    return OK;
}

void trail_key_free(TrailKey *k) {
    if (k) arena_free(k->arena);
}

Str trail_public_key(const TrailKey *k, Arena *a) { return note_key_public_text(&k->key, a); }

// ---- what is stored ----

Status trail_sealed(Db *db, Arena *a, Sealed *ret, Error *err) {
    Sealed sealed = {.note = S("")};
    Query *q = query(db, "SELECT size, last_event_id, note FROM log_checkpoint"
                         " ORDER BY size DESC LIMIT 1");
    if (query_next(q)) {
        sealed.size = (uint64_t)query_col_int(q, 0);
        sealed.last_event_id = query_col_int(q, 1);
        sealed.note = query_col_keep(q, 2, a);
    }
    Status status = query_done(q, err);
    if (status == OK) *ret = sealed;
    return status;
}

Status trail_sign(const TrailKey *k, Str text, Arena *a, Str *ret, Error *err) {
    return note_sign(text, &k->key, 1, a, ret, err);
}

// The query is left standing at the row, so that the bytes need not be copied.
static Query *tile_query(Db *db, int64_t level, uint64_t index) {
    Query *q = query(db, "SELECT data FROM log_tile WHERE level = ?1 AND idx = ?2");
    query_int(q, 1, level);
    query_int(q, 2, (int64_t)index);
    return q;
}

Status trail_tile_bytes(Db *db, int64_t level, uint64_t index, Arena *a, Str *ret, Error *err) {
    Query *q = tile_query(db, level, index);
    bool found = query_next(q);
    Str data = found ? query_col_keep(q, 0, a) : S("");
    Status status = query_done(q, err);
    if (status != OK) return status;
    if (!found) return error_set(err, NOT_FOUND, S("log_tile"), "日志里没有这一块");
    *ret = data;
    return OK;
}

Status trail_tile_read(void *db, MerkleTile tile, Hash *ret, Error *err) {
    Query *q = tile_query(db, tile.level, tile.index);
    bool found = query_next(q);
    Str data = found ? query_col_str(q, 0) : S("");
    bool whole = data.len % SHA256_SIZE == 0 && data.len / SHA256_SIZE >= tile.width;
    if (found && whole) memcpy(ret, data.ptr, tile.width * sizeof *ret);
    Status status = query_done(q, err);
    if (status != OK || (found && whole)) return status;
    return error_set(err, found ? BROKEN : NOT_FOUND, S("log_tile"), "日志里没有这一块");
}

Status trail_checkpoint(Db *db, Arena *a, Str *ret, Error *err) {
    Sealed sealed;
    Status status = trail_sealed(db, a, &sealed, err);
    if (status == OK) *ret = sealed.note;
    return status;
}

Status trail_tile(Db *db, uint32_t level, uint64_t index, uint32_t width, Arena *a, Str *ret,
                  Error *err) {
    if (level >= MERKLE_LEVELS || width == 0 || width > MERKLE_TILE_WIDTH) {
        return error_set(err, NOT_FOUND, S("log_tile"), "日志里没有这一块");
    }
    Hash *hashes = arena_array(a, Hash, width);
    MerkleTile tile = {.level = level, .index = index, .width = width};
    Status status = trail_tile_read(db, tile, hashes, err);
    // Narrower than asked for is "not there (yet)", not damage.
    if (status == BROKEN) return error_set(err, NOT_FOUND, S("log_tile"), "日志里没有这一块");
    if (status == OK) *ret = str_of((const char *)hashes, (size_t)width * SHA256_SIZE);
    return status;
}

// ---- sealing ----

// A tile that is being filled: of hashes, or of event ids.
typedef struct Filling {
    uint64_t index;
    size_t used; // bytes
    size_t full; // bytes of a whole one
    bool dirty;
    char bytes[TRAIL_TILE_BYTES_MAX];
} Filling;

typedef struct Sealing {
    const TrailKey *key;
    int64_t bound; // newest event id that may be sealed
    Instant now;
    Db *db;
    MerkleTree tree;
    Sealed before;
    size_t added;
    int64_t last_event_id;
    Filling ids;
    Filling level[MERKLE_LEVELS];
} Sealing;

static Status filling_store(Sealing *s, int64_t level, Filling *f, Error *err) {
    Query *q = query(s->db, "INSERT INTO log_tile (level, idx, data) VALUES (?1, ?2, ?3)"
                            " ON CONFLICT (level, idx) DO UPDATE SET data = excluded.data");
    query_int(q, 1, level);
    query_int(q, 2, (int64_t)f->index);
    query_blob(q, 3, str_of(f->bytes, f->used));
    f->dirty = false;
    return query_run(q, NULL, err);
}

static Status filling_add(Sealing *s, int64_t level, Filling *f, const void *bytes, size_t n,
                          Error *err) {
    assert(f->used + n <= f->full);
    memcpy(f->bytes + f->used, bytes, n);
    f->used += n;
    f->dirty = true;
    if (f->used < f->full) return OK;
    Status status = filling_store(s, level, f, err);
    f->index++;
    f->used = 0;
    return status;
}

// The last tile of a level as it stands, when it isn't full. `count`: entries of the level so far.
static Status filling_load(Sealing *s, int64_t level, Filling *f, uint64_t count, size_t entry,
                           Arena *a, Error *err) {
    f->index = count / MERKLE_TILE_WIDTH;
    f->full = MERKLE_TILE_WIDTH * entry;
    f->used = (size_t)(count % MERKLE_TILE_WIDTH) * entry;
    if (f->used == 0) return OK;
    Str stored;
    Status status = trail_tile_bytes(s->db, level, f->index, a, &stored, err);
    if (status != OK) return status;
    if (stored.len < f->used) return error_set(err, BROKEN, S("log_tile"), "日志块不完整");
    memcpy(f->bytes, stored.ptr, f->used);
    return OK;
}

static Status sealing_load(Sealing *s, Arena *a, Error *err) {
    Status status = trail_sealed(s->db, a, &s->before, err);
    if (status != OK) return status;
    s->last_event_id = s->before.last_event_id;
    uint64_t size = s->before.size;
    status = merkle_load(size, trail_tile_read, s->db, a, &s->tree, err);
    if (status == OK) {
        status = filling_load(s, TRAIL_LEVEL_IDS, &s->ids, size, TRAIL_ID_SIZE, a, err);
    }
    for (uint32_t level = 0; status == OK && level < MERKLE_LEVELS; level++) {
        status = filling_load(s, level, &s->level[level], size, SHA256_SIZE, a, err);
        size /= MERKLE_TILE_WIDTH;
    }
    return status;
}

static Status sealing_add(Sealing *s, int64_t id, Str hash, Error *err) {
    char big_endian[TRAIL_ID_SIZE];
    for (size_t b = 0; b < TRAIL_ID_SIZE; b++) {
        big_endian[b] = (char)((uint64_t)id >> (56 - 8 * b));
    }
    Status status = filling_add(s, TRAIL_LEVEL_IDS, &s->ids, big_endian, TRAIL_ID_SIZE, err);
    Hash leaf = merkle_leaf(hash);
    MerkleEntry entries[MERKLE_LEVELS];
    size_t count = merkle_add(&s->tree, &leaf, entries);
    for (size_t i = 0; status == OK && i < count; i++) {
        Filling *f = &s->level[entries[i].level];
        status = filling_add(s, entries[i].level, f, entries[i].hash.bytes, SHA256_SIZE, err);
    }
    s->added++;
    s->last_event_id = id;
    return status;
}

static Status sealing_events(Sealing *s, Error *err) {
    Query *q = query(s->db, "SELECT id, hash FROM event WHERE id > ?1 AND id <= ?2"
                            " ORDER BY id LIMIT ?3");
    query_int(q, 1, s->before.last_event_id);
    query_int(q, 2, s->bound);
    query_int(q, 3, TRAIL_SEAL_BATCH);
    Status status = OK;
    while (status == OK && query_next(q)) {
        status = sealing_add(s, query_col_int(q, 0), query_col_str(q, 1), err);
    }
    Status read = query_done(q, status == OK ? err : NULL);
    return status == OK ? read : status;
}

static Status sealing_sign(Sealing *s, Arena *a, Error *err) {
    Checkpoint c = {.origin = s->key->key.name, .size = s->tree.size,
        .root = merkle_root(&s->tree)};
    Str note;
    Status status = note_sign(checkpoint_text(&c, a), &s->key->key, 1, a, &note, err);
    if (status != OK) return status;
    Query *q = query(s->db, "INSERT INTO log_checkpoint (size, last_event_id, sealed_at, note)"
                            " VALUES (?1, ?2, ?3, ?4)");
    query_int(q, 1, (int64_t)s->tree.size);
    query_int(q, 2, s->last_event_id);
    query_int(q, 3, s->now);
    query_str(q, 4, note);
    return query_run(q, NULL, err);
}

static Status seal_batch(Tx *tx, void *arg, Errors *errs) {
    Sealing *s = arg;
    *s = (Sealing){.key = s->key, .bound = s->bound, .now = tx_now(tx), .db = tx_db(tx)};
    Error err;
    Status status = sealing_load(s, tx_arena(tx), &err);
    if (status == OK) status = sealing_events(s, &err);
    if (status == OK && s->added == 0) return OK;
    if (status == OK && s->ids.dirty) status = filling_store(s, TRAIL_LEVEL_IDS, &s->ids, &err);
    for (uint32_t level = 0; status == OK && level < MERKLE_LEVELS; level++) {
        if (s->level[level].dirty) status = filling_store(s, level, &s->level[level], &err);
    }
    if (status == OK) status = sealing_sign(s, tx_arena(tx), &err);
    if (status == CONFLICT) return tx_repeat(tx, errs); // another node sealed the same events
    return status == OK ? OK : errors_push(errs, &err);
}

static Status newest_event(Store *store, int64_t *ret, Error *err) {
    DB_AUTO db = NULL;
    Status status = store_read(store, &db, err);
    if (status != OK) return status;
    return query_one_int(query(db, "SELECT COALESCE(MAX(id), 0) FROM event"), ret, err);
}

Status trail_seal(Store *store, const TrailKey *k, Instant now, uint64_t *ret_size, Error *err) {
    ARENA_AUTO a = arena_create(SEAL_MEMORY_MAX);
    Sealing *s = arena_new(a, Sealing);
    int64_t bound = 0;
    Status status = newest_event(store, &bound, err);
    if (status == OK) status = store_barrier(store, err);
    ArenaMark mark = arena_mark(a);
    s->added = TRAIL_SEAL_BATCH;
    while (status == OK && s->added == TRAIL_SEAL_BATCH) {
        arena_rewind(a, mark);
        s->key = k;
        s->bound = bound;
        Errors errs = errors_make(a);
        status = store_write(store, seal_batch, s, a, now, &errs);
        if (status != OK && errs.count) {
            error_fill(err, status, errs.items[0].where, errs.items[0].text, errs.items[0].args);
        }
    }
    if (status == OK && ret_size) *ret_size = s->tree.size;
    return status;
}

// ---- proofs ----

static Value hash_list(const Hash *hashes, size_t count, Arena *a) {
    ListBuilder list = list_make(a);
    for (size_t i = 0; i < count; i++) {
        Str bytes = str_of((const char *)hashes[i].bytes, SHA256_SIZE);
        list_add(&list, v_str(base64_encode(bytes, a)));
    }
    return list_done(&list);
}

static Status first_id(Db *db, uint64_t tile, int64_t *ret, Error *err) {
    Query *q = tile_query(db, TRAIL_LEVEL_IDS, tile);
    Str ids = query_next(q) ? query_col_str(q, 0) : S("");
    int64_t id = ids.len >= TRAIL_ID_SIZE ? trail_id_at(ids, 0) : 0;
    Status status = query_done(q, err);
    if (status == OK && id == 0) status = error_set(err, BROKEN, S("log_tile"), "日志块不完整");
    if (status == OK) *ret = id;
    return status;
}

// Where the event stands in the log: the last tile that starts at or below its id, then in it.
static Status leaf_index(Db *db, int64_t event_id, uint64_t size, Arena *a, uint64_t *ret,
                         Error *err) {
    uint64_t low = 0, high = (size + MERKLE_TILE_WIDTH - 1) / MERKLE_TILE_WIDTH;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        int64_t id;
        Status status = first_id(db, middle, &id, err);
        if (status != OK) return status;
        if (id <= event_id) low = middle;
        else high = middle;
    }
    Str ids;
    Status status = trail_tile_bytes(db, TRAIL_LEVEL_IDS, low, a, &ids, err);
    if (status != OK) return status;
    for (size_t i = 0; i < ids.len / TRAIL_ID_SIZE; i++) {
        if (trail_id_at(ids, i) != event_id) continue;
        *ret = low * MERKLE_TILE_WIDTH + i;
        return OK;
    }
    return error_set(err, NOT_FOUND, S("event"), "日志里没有这条留痕");
}

Status trail_inclusion(Db *db, int64_t event_id, Arena *a, Value *ret, Error *err) {
    Sealed sealed;
    uint64_t index = 0;
    Status status = trail_sealed(db, a, &sealed, err);
    if (status != OK) return status;
    if (sealed.size == 0 || event_id > sealed.last_event_id) {
        return error_set(err, NOT_FOUND, S("event"), "这条留痕还没有封存，请稍后再试");
    }
    status = leaf_index(db, event_id, sealed.size, a, &index, err);
    if (status != OK) return status;
    Hash leaves[MERKLE_TILE_WIDTH], *proof;
    size_t count;
    MerkleTile tile = {.index = index / MERKLE_TILE_WIDTH,
                       .width = (uint32_t)(index % MERKLE_TILE_WIDTH) + 1};
    status = trail_tile_read(db, tile, leaves, err);
    if (status == OK) {
        status = merkle_inclusion(index, sealed.size, trail_tile_read, db, a, &proof, &count, err);
    }
    if (status != OK) return status;
    ContextBuilder c = context_make(a);
    context_put_lit(&c, "event_id", v_int(event_id));
    context_put_lit(&c, "index", v_int((int64_t)index));
    context_put_lit(&c, "size", v_int((int64_t)sealed.size));
    context_put_lit(&c, "leaf", v_at(hash_list(&leaves[tile.width - 1], 1, a), 0));
    context_put_lit(&c, "proof", hash_list(proof, count, a));
    context_put_lit(&c, "checkpoint", v_str(sealed.note));
    *ret = context_done(&c);
    return OK;
}

Status trail_consistency(Db *db, uint64_t from, uint64_t to, Arena *a, Value *ret, Error *err) {
    Sealed sealed;
    Status status = trail_sealed(db, a, &sealed, err);
    if (status != OK) return status;
    if (from > to || to > sealed.size) {
        return error_set(err, INVALID, S("to"), "日志里没有这个长度");
    }
    Hash *proof;
    size_t count;
    status = merkle_consistency(from, to, trail_tile_read, db, a, &proof, &count, err);
    if (status != OK) return status;
    ContextBuilder c = context_make(a);
    context_put_lit(&c, "from", v_int((int64_t)from));
    context_put_lit(&c, "to", v_int((int64_t)to));
    context_put_lit(&c, "proof", hash_list(proof, count, a));
    *ret = context_done(&c);
    return OK;
}
