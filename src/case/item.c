// The cache of loaded versions, and the commands that publish and withdraw items.
//
// A version is compiled the first time it is asked for and then stays until the process ends. The
// cache is a table of tables of atomic pointers by version id: a hit is two loads and takes no
// lock. A miss compiles under one lock.
//
// Imported items don't carry a pack of their own: their versions name a shared base pack by its
// digest and what they say differently (see pack_base). The base is compiled once; each item then
// costs a few kilobytes.
#include "case/item_internal.h"

#include <pthread.h>

enum {
    ITEMS_CHUNK = 1024,
    ITEMS_CHUNKS = 1024, // a million versions
    ITEMS_SHARED_MEMORY_MAX = 512 << 20,
};

typedef struct ItemsChunk {
    const Item *items[ITEMS_CHUNK]; // atomic
} ItemsChunk;

typedef struct Base { // a compiled pack shared by many
    Str digest;
    const Item *item;
    struct Base *next;
} Base;

typedef struct Held { // an arena that lives as long as the cache
    Arena *arena;
    struct Held *next;
} Held;

struct Items {
    ItemsChunk *chunks[ITEMS_CHUNKS]; // atomic
    pthread_mutex_t lock;             // for misses; guards what follows
    Arena *arena;                     // items that share a base, and this struct's lists
    Base *bases;
    Held *held;
};

Items *items_create(void) {
    Arena *a = arena_create(ITEMS_SHARED_MEMORY_MAX);
    Items *c = calloc(1, sizeof *c);
    if (!c) abort(); // at start, before anything could be refused
    c->arena = a;
    (void)pthread_mutex_init(&c->lock, NULL);
    return c;
}

void items_free(Items *c) {
    if (!c) return;
    for (Held *h = c->held; h; h = h->next) arena_free(h->arena);
    for (size_t i = 0; i < ITEMS_CHUNKS; i++) free(c->chunks[i]);
    (void)pthread_mutex_destroy(&c->lock);
    arena_free(c->arena);
    free(c);
}

static const Item *cached(const Items *c, int64_t version_id) {
    const ItemsChunk *chunk =
        __atomic_load_n(&c->chunks[version_id / ITEMS_CHUNK], __ATOMIC_ACQUIRE);
    if (!chunk) return NULL;
    return __atomic_load_n(&chunk->items[version_id % ITEMS_CHUNK], __ATOMIC_ACQUIRE);
}

// Under the lock.
static void keep(Items *c, const Item *item) {
    ItemsChunk **slot = &c->chunks[item->version_id / ITEMS_CHUNK];
    if (!*slot) {
        ItemsChunk *fresh = calloc(1, sizeof *fresh);
        if (!fresh) return; // compiled again next time
        __atomic_store_n(slot, fresh, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&(*slot)->items[item->version_id % ITEMS_CHUNK], item, __ATOMIC_RELEASE);
}

// ---- a miss ----

typedef struct Row {
    int64_t version_id, item_id, unit_id;
    int32_t version;
    Value pack; // {"files"} or {"base", "overrides"}
} Row;

static Status row_read(Db *db, int64_t version_id, Arena *a, Row *ret, Error *err) {
    Row row = {.version_id = version_id};
    bool found = false;
    Str text = S("");
    Query *q = query(db, "SELECT v.item_id, v.version, v.pack_json, i.unit_id FROM item_version v "
                         "JOIN item i ON i.id = v.item_id WHERE v.id = ?1");
    query_int(q, 1, version_id);
    if (query_next(q)) {
        found = true;
        row.item_id = query_col_int(q, 0);
        row.version = (int32_t)query_col_int(q, 1);
        text = query_col_keep(q, 2, a);
        row.unit_id = query_col_int(q, 3);
    }
    Status st = query_done(q, err);
    if (st != OK) return st;
    if (!found) return error_set(err, NOT_FOUND, S("item"), "没有这个事项");
    st = json_parse(text, JSON_STRICT, (JsonLimits){.size_max = 2 * PACK_SIZE_MAX}, a, &row.pack,
                    err);
    if (st != OK) return st;
    *ret = row;
    return OK;
}

// Compiles files into an item of an arena of its own, which the cache then holds. Locked.
static Status compile_held(Items *c, Arena *own, Value files, Item **ret, Error *err) {
    ARENA_AUTO faults = arena_create(ERRORS_MAX * 4096);
    Errors errs = errors_make(faults);
    jmp_buf full;
    Item *item = arena_new(own, Item);
    if (setjmp(full)) {
        (void)arena_on_limit(own, NULL);
        return error_set(err, LIMIT, S("item"), "事项包占用内存过多");
    }
    (void)arena_on_limit(own, &full);
    Status st = pack_build(files, own, item, &errs);
    (void)arena_on_limit(own, NULL);
    if (st != OK) {
        // It was checked when it was published, so this is a damaged or a newer database.
        return error_set(err, BROKEN, S("item"), "事项包不能编译：{1}",
                         errs.count ? error_message(&errs.items[0], NULL, NULL, faults) : S(""));
    }
    Held *held = arena_new(c->arena, Held);
    *held = (Held){own, c->held};
    c->held = held;
    *ret = item;
    return OK;
}

static const Item *base_find(const Items *c, Str digest) {
    for (const Base *b = c->bases; b; b = b->next) {
        if (str_eq(b->digest, digest)) return b->item;
    }
    return NULL;
}

static Status base_files(Db *db, Str digest, Arena *a, Value *ret, Error *err) {
    Str text = S("");
    Query *q = query(db, "SELECT pack_json FROM pack_base WHERE digest = ?1");
    query_str(q, 1, digest);
    if (query_next(q)) text = query_col_keep(q, 0, a);
    Status st = query_done(q, err);
    if (st != OK) return st;
    Value pack;
    st = json_parse(text, JSON_STRICT, (JsonLimits){.size_max = 2 * PACK_SIZE_MAX}, a, &pack, err);
    if (st != OK) return st;
    *ret = v_get_lit(pack, "files");
    return OK;
}

// Locked. The database is only asked for the base's text, on a reading connection.
static Status base_get(Items *c, Db *db, Str digest, const Item **ret, Error *err) {
    const Item *known = base_find(c, digest);
    if (known) {
        *ret = known;
        return OK;
    }
    Arena *own = arena_create(PACK_MEMORY_MAX);
    Value files;
    Item *item;
    Status st = base_files(db, digest, own, &files, err);
    if (st == OK) st = compile_held(c, own, files, &item, err);
    if (st != OK) {
        arena_free(own);
        return st;
    }
    Base *base = arena_new(c->arena, Base);
    *base = (Base){arena_str(c->arena, digest), item, c->bases};
    c->bases = base;
    *ret = item;
    return OK;
}

// Fills what the row knows.
static void place(Item *item, const Row *row, int64_t unit_id) {
    item->id = row->item_id;
    item->version_id = row->version_id;
    item->version = row->version;
    item->unit_id = unit_id;
}

static Status load_locked(Items *c, Db *db, const Row *row, int64_t unit_id, Arena *own,
                          bool *ret_own_used, const Item **ret, Error *err) {
    Str digest = v_text(v_get_lit(row->pack, "base"));
    Item *item = NULL;
    if (digest.len == 0) {
        Status st = compile_held(c, own, v_get_lit(row->pack, "files"), &item, err);
        if (st != OK) return st;
        *ret_own_used = true;
    } else {
        const Item *base = NULL;
        Status st = base_get(c, db, digest, &base, err);
        if (st != OK) return st;
        Errors errs = errors_make(own);
        item = arena_new(c->arena, Item);
        Value overrides = v_copy(v_get_lit(row->pack, "overrides"), c->arena);
        st = item_override(base, overrides, c->arena, item, &errs);
        if (st != OK) return error_set(err, BROKEN, S("item"), "事项包不能编译：{1}", S("overrides"));
    }
    place(item, row, unit_id);
    keep(c, item);
    *ret = item;
    return OK;
}

static Status load(Items *c, Db *db, int64_t version_id, const Item **ret, Error *err) {
    Arena *own = arena_create(PACK_MEMORY_MAX);
    bool own_used = false;
    Row row = {0};
    Status st = row_read(db, version_id, own, &row, err);
    if (st == OK) {
        // The department as this version names it, which a later version may have changed.
        Value files = v_get_lit(row.pack, "files");
        Value spec = v_get_lit(row.pack, "overrides");
        if (files.kind == V_CONTEXT) {
            st = json_parse(v_text(v_get_lit(files, "item.json")), JSON_STRICT, (JsonLimits){0},
                            own, &spec, err);
        }
        int64_t unit_id = row.unit_id;
        Str unit = v_text(v_get_lit(spec, "unit"));
        if (st == OK && unit.len > 0) {
            Error absent = {.status = OK};
            Status found = unit_by_code(db, unit, &unit_id, &absent);
            if (found != OK) unit_id = row.unit_id;
        }
        if (st == OK) {
            (void)pthread_mutex_lock(&c->lock);
            const Item *other = cached(c, version_id);
            if (other) *ret = other;
            else st = load_locked(c, db, &row, unit_id, own, &own_used, ret, err);
            (void)pthread_mutex_unlock(&c->lock);
        }
    }
    if (!own_used) arena_free(own);
    return st;
}

Status item_get(Items *c, Db *db, int64_t version_id, const Item **ret, Error *err) {
    if (version_id <= 0 || version_id >= (int64_t)ITEMS_CHUNK * ITEMS_CHUNKS) {
        return error_set(err, NOT_FOUND, S("item"), "没有这个事项");
    }
    const Item *item = cached(c, version_id);
    if (item) {
        *ret = item;
        return OK;
    }
    return load(c, db, version_id, ret, err);
}

Status item_by_code(Items *c, Db *db, Str code, const Item **ret, Error *err) {
    int64_t version_id = 0;
    Query *q = query(db, "SELECT version_id FROM item WHERE code = ?1 AND state = 1");
    query_str(q, 1, code);
    if (query_next(q)) version_id = query_col_int(q, 0);
    Status st = query_done(q, err);
    if (st != OK) return st;
    if (version_id == 0) {
        return error_set(err, NOT_FOUND, S("item"), "没有编码为“{1}”的事项，或它已停办", code);
    }
    return item_get(c, db, version_id, ret, err);
}
