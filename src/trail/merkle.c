// See merkle.h. Everything a proof needs is the hash of a run of leaves; such a run is put
// together from full subtrees, a full subtree from the hashes of one tile. Tiles are read once
// for a proof and kept until it is made.
#include "trail/merkle.h"

#include <assert.h>

enum { TILES_HELD_MAX = 2 * MERKLE_LEVELS + 2 }; // the leaf's and the right edge's

Hash merkle_empty(void) { return sha256(S("")); }

Hash merkle_leaf(Str data) { return sha256_parts((Str[]){{"\0", 1}, data}, 2); }

Hash merkle_node(const Hash *left, const Hash *right) {
    uint8_t room[1 + 2 * SHA256_SIZE] = {1};
    memcpy(room + 1, left->bytes, SHA256_SIZE);
    memcpy(room + 1 + SHA256_SIZE, right->bytes, SHA256_SIZE);
    return sha256((Str){(const char *)room, sizeof room});
}

bool merkle_hash_from(Str bytes, Hash *ret) {
    if (bytes.len != SHA256_SIZE) return false;
    memcpy(ret->bytes, bytes.ptr, SHA256_SIZE);
    return true;
}

// Growing

size_t merkle_add(MerkleTree *t, const Hash *leaf, MerkleEntry *ret) {
    assert(t->size < MERKLE_SIZE_MAX);
    size_t count = 0;
    Hash h = *leaf;
    uint64_t index = t->size; // of the subtree of 2^k leaves that has just become full
    for (uint32_t k = 0;; k++, index >>= 1) {
        if (k % MERKLE_TILE_HEIGHT == 0)
            ret[count++] = (MerkleEntry){k / MERKLE_TILE_HEIGHT, index, h};
        if (!(index & 1)) {
            t->edge[k] = h;
            break;
        }
        h = merkle_node(&t->edge[k], &h);
    }
    t->size++;
    return count;
}

Hash merkle_root(const MerkleTree *t) {
    if (t->size == 0) return merkle_empty();
    bool any = false;
    Hash h = {{0}};
    for (uint32_t k = 0; k < 64; k++) {
        if (!(t->size >> k & 1)) continue;
        h = any ? merkle_node(&t->edge[k], &h) : t->edge[k];
        any = true;
    }
    return h;
}

// Tiles

uint32_t merkle_tile_width(uint32_t level, uint64_t index, uint64_t size) {
    if (level >= MERKLE_LEVELS) return 0;
    uint64_t hashes = size >> (level * MERKLE_TILE_HEIGHT);
    uint64_t full = hashes / MERKLE_TILE_WIDTH;
    if (index < full) return MERKLE_TILE_WIDTH;
    return index == full ? (uint32_t)(hashes % MERKLE_TILE_WIDTH) : 0;
}

Str merkle_tile_path(MerkleTile tile, Arena *a) {
    Buf b = buf_make(a, 64, 256);
    buf_printf(&b, "tile/%u", tile.level);
    uint64_t unit = 1;
    while (tile.index / unit >= 1000) unit *= 1000;
    for (; unit; unit /= 1000)
        buf_printf(&b, "/%s%03u", unit > 1 ? "x" : "", (unsigned)(tile.index / unit % 1000));
    if (tile.width < MERKLE_TILE_WIDTH) buf_printf(&b, ".p/%u", tile.width);
    return buf_view(&b);
}

// Digits without needless zeros, at most `max`.
static bool parse_number(Str s, uint32_t max, uint32_t *ret) {
    int64_t n;
    if (s.len == 0 || s.len > 3 || s.ptr[0] == '-' || (s.len > 1 && s.ptr[0] == '0')) return false;
    if (!str_to_int(s, &n) || n > (int64_t)max) return false;
    *ret = (uint32_t)n;
    return true;
}

bool merkle_tile_parse(Str path, MerkleTile *ret) {
    MerkleTile tile = {.width = MERKLE_TILE_WIDTH};
    Str rest = path;
    if (!str_eq(str_cut(&rest, '/'), S("tile")) || !rest.ptr) return false;
    if (!parse_number(str_cut(&rest, '/'), MERKLE_LEVELS - 1, &tile.level) || !rest.ptr)
        return false;
    bool more = true;
    for (int part = 0; more; part++) {
        if (!rest.ptr || part >= 6) return false;
        Str s = str_cut(&rest, '/');
        more = str_starts(s, S("x"));
        if (more) s = str_sub(s, 1, s.len);
        bool partial = !more && str_ends(s, S(".p"));
        if (partial) s.len -= 2;
        if (s.len != 3) return false;
        for (size_t i = 0; i < 3; i++)
            if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
        if (part == 0 && more && str_eq(s, S("000"))) return false;
        for (size_t i = 0; i < 3; i++) tile.index = tile.index * 10 + (uint64_t)(s.ptr[i] - '0');
        if (!partial) continue;
        if (!rest.ptr || !parse_number(str_cut(&rest, '/'), MERKLE_TILE_WIDTH - 1, &tile.width) ||
            tile.width == 0)
            return false;
    }
    if (rest.ptr) return false;
    *ret = tile;
    return true;
}

// Reading

typedef struct HeldTile {
    MerkleTile id;
    Hash *hashes;
} HeldTile;

typedef struct Reader {
    uint64_t size;
    TileRead *read;
    void *ctx;
    Arena *arena;
    Error *err;
    HeldTile held[TILES_HELD_MAX];
    uint32_t held_count, held_next;
} Reader;

static Reader *reader_make(uint64_t size, TileRead *read, void *ctx, Arena *a, Error *err) {
    Reader *r = arena_new(a, Reader);
    r->size = size;
    r->read = read;
    r->ctx = ctx;
    r->arena = a;
    r->err = err;
    return r;
}

static Status tile_get(Reader *r, uint32_t level, uint64_t index, const Hash **ret) {
    for (uint32_t i = 0; i < r->held_count; i++) {
        const HeldTile *h = &r->held[i];
        if (h->id.level == level && h->id.index == index) {
            *ret = h->hashes;
            return OK;
        }
    }
    MerkleTile id = {level, index, merkle_tile_width(level, index, r->size)};
    assert(id.width > 0);
    HeldTile *held = &r->held[r->held_next];
    r->held_next = (r->held_next + 1) % TILES_HELD_MAX;
    if (r->held_count < TILES_HELD_MAX) r->held_count++;
    if (!held->hashes) held->hashes = arena_array(r->arena, Hash, MERKLE_TILE_WIDTH);
    held->id = (MerkleTile){.level = UINT32_MAX}; // until it has been read
    Status status = r->read(r->ctx, id, held->hashes, r->err);
    if (status) return status;
    held->id = id;
    *ret = held->hashes;
    return OK;
}

// The root of the full subtree `index` of 2^k leaves.
static Status subtree(Reader *r, uint32_t k, uint64_t index, Hash *ret) {
    uint32_t level = k / MERKLE_TILE_HEIGHT, height = k % MERKLE_TILE_HEIGHT;
    uint64_t first = index << height; // among the hashes of the tile level
    const Hash *tile;
    Status status = tile_get(r, level, first / MERKLE_TILE_WIDTH, &tile);
    if (status) return status;
    Hash h[MERKLE_TILE_WIDTH];
    size_t count = (size_t)1 << height;
    memcpy(h, tile + first % MERKLE_TILE_WIDTH, count * sizeof *h);
    for (; count > 1; count /= 2)
        for (size_t i = 0; i < count / 2; i++) h[i] = merkle_node(&h[2 * i], &h[2 * i + 1]);
    *ret = h[0];
    return OK;
}

static uint32_t low_bit(uint64_t n) { return (uint32_t)__builtin_ctzll(n); }
static uint32_t high_bit(uint64_t n) { return 63 - (uint32_t)__builtin_clzll(n); }

// MTH of the leaves [from, to). `from` is a multiple of the greatest power of two in to - from,
// as in every run that occurs in a proof; so it falls into full subtrees, greatest first.
static Status run(Reader *r, uint64_t from, uint64_t to, Hash *ret) {
    assert(from < to && to <= r->size);
    Hash h = {{0}};
    bool any = false;
    for (uint64_t left = to - from; left;) {
        uint32_t k = low_bit(left);
        left -= (uint64_t)1 << k;
        Hash part;
        Status status = subtree(r, k, (from + left) >> k, &part);
        if (status) return status;
        h = any ? merkle_node(&part, &h) : part;
        any = true;
    }
    *ret = h;
    return OK;
}

Status merkle_load(uint64_t size, TileRead *read, void *ctx, Arena *a, MerkleTree *ret,
                   Error *err) {
    if (size > MERKLE_SIZE_MAX) return error_set(err, INVALID, S("size"), "日志太大");
    Reader *r = reader_make(size, read, ctx, a, err);
    MerkleTree t = {.size = size};
    for (uint32_t k = 0; k < 63; k++) {
        if (!(size >> k & 1)) continue;
        Status status = subtree(r, k, (size >> k) - 1, &t.edge[k]);
        if (status) return status;
    }
    *ret = t;
    return OK;
}

Status merkle_root_at(uint64_t size, TileRead *read, void *ctx, Arena *a, Hash *ret, Error *err) {
    MerkleTree t;
    Status status = merkle_load(size, read, ctx, a, &t, err);
    if (status) return status;
    *ret = merkle_root(&t);
    return OK;
}

// Proofs

// The greatest power of two under n (n > 1).
static uint64_t split(uint64_t n) { return (uint64_t)1 << high_bit(n - 1); }

static void reverse(Hash *h, size_t count) {
    for (size_t i = 0; i < count / 2; i++) {
        Hash other = h[i];
        h[i] = h[count - 1 - i];
        h[count - 1 - i] = other;
    }
}

Status merkle_inclusion(uint64_t index, uint64_t size, TileRead *read, void *ctx, Arena *a,
                        Hash **ret, size_t *ret_count, Error *err) {
    if (size > MERKLE_SIZE_MAX || index >= size)
        return error_set(err, INVALID, S("index"), "日志里没有这一条");
    Reader *r = reader_make(size, read, ctx, a, err);
    Hash *proof = arena_array(a, Hash, MERKLE_PROOF_MAX);
    size_t count = 0;
    // From the root down, so the hashes come in the wrong order.
    for (uint64_t from = 0, to = size; to - from > 1;) {
        uint64_t middle = from + split(to - from);
        Status status = index < middle ? run(r, middle, to, &proof[count])
                                       : run(r, from, middle, &proof[count]);
        if (status) return status;
        count++;
        if (index < middle) to = middle;
        else from = middle;
    }
    reverse(proof, count);
    *ret = proof;
    *ret_count = count;
    return OK;
}

Status merkle_consistency(uint64_t size_old, uint64_t size, TileRead *read, void *ctx, Arena *a,
                          Hash **ret, size_t *ret_count, Error *err) {
    if (size > MERKLE_SIZE_MAX || size_old > size)
        return error_set(err, INVALID, S("size"), "日志没有这么大");
    if (size_old == 0 && size > 0)
        return error_set(err, INVALID, S("size"), "从空日志出发没有什么可证明的");
    Reader *r = reader_make(size, read, ctx, a, err);
    Hash *proof = arena_array(a, Hash, MERKLE_PROOF_MAX);
    size_t count = 0;
    // SUBPROOF(m, D[from:to], whole) of RFC 6962, 2.1.2, as a loop.
    uint64_t from = 0, to = size;
    bool whole = true; // D[from:to] is the old tree itself, whose root is known
    while (size_old < size && to != size_old) {
        uint64_t middle = from + split(to - from);
        Status status = size_old <= middle ? run(r, middle, to, &proof[count])
                                           : run(r, from, middle, &proof[count]);
        if (status) return status;
        count++;
        if (size_old <= middle) {
            to = middle;
        } else {
            from = middle;
            whole = false;
        }
    }
    if (!whole) {
        Status status = run(r, from, to, &proof[count++]);
        if (status) return status;
    }
    reverse(proof, count);
    *ret = proof;
    *ret_count = count;
    return OK;
}

// Checking

static Status wrong(Error *err) { return error_set(err, INVALID, S("proof"), "证明不成立"); }

static bool same(const Hash *a, const Hash *b) {
    return memcmp(a->bytes, b->bytes, SHA256_SIZE) == 0;
}

Status merkle_check_inclusion(uint64_t index, uint64_t size, const Hash *leaf, const Hash *root,
                              const Hash *proof, size_t proof_count, Error *err) {
    if (index >= size || proof_count > MERKLE_PROOF_MAX) return wrong(err);
    uint64_t fn = index, sn = size - 1;
    Hash h = *leaf;
    for (size_t i = 0; i < proof_count; i++) {
        if (sn == 0) return wrong(err);
        if ((fn & 1) || fn == sn) {
            h = merkle_node(&proof[i], &h);
            for (; !(fn & 1) && fn; fn >>= 1) sn >>= 1;
        } else {
            h = merkle_node(&h, &proof[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && same(&h, root) ? OK : wrong(err);
}

Status merkle_check_consistency(uint64_t size_old, uint64_t size, const Hash *root_old,
                                const Hash *root, const Hash *proof, size_t proof_count,
                                Error *err) {
    if (size_old > size || proof_count > MERKLE_PROOF_MAX) return wrong(err);
    Hash empty = merkle_empty();
    if (size_old == 0 && (size > 0 || !same(root, &empty))) return wrong(err);
    if (size_old == size) return proof_count == 0 && same(root_old, root) ? OK : wrong(err);
    bool whole = (size_old & (size_old - 1)) == 0; // a power of two: its root begins the proof
    if (proof_count + whole == 0) return wrong(err);
    uint64_t fn = size_old - 1, sn = size - 1;
    for (; fn & 1; fn >>= 1) sn >>= 1;
    Hash fr = whole ? *root_old : proof[0], sr = fr;
    for (size_t i = whole ? 0 : 1; i < proof_count; i++) {
        if (sn == 0) return wrong(err);
        if ((fn & 1) || fn == sn) {
            fr = merkle_node(&proof[i], &fr);
            sr = merkle_node(&proof[i], &sr);
            for (; !(fn & 1) && fn; fn >>= 1) sn >>= 1;
        } else {
            sr = merkle_node(&sr, &proof[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && same(&fr, root_old) && same(&sr, root) ? OK : wrong(err);
}
