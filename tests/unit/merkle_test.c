// room: trail
#include "trail/merkle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TEST_MEMORY = 256 << 20, LEVELS_KEPT = 3 };

// Everything a log keeps: the hashes of each tile level, one after another.
typedef struct Log {
    Arena *arena;
    MerkleTree tree;
    Hash *hashes[LEVELS_KEPT];
    size_t counts[LEVELS_KEPT], caps[LEVELS_KEPT];
    size_t reads;
    bool broken;
} Log;

static Hash leaf_of(uint64_t i) {
    char room[24];
    int len = snprintf(room, sizeof room, "leaf %llu", (unsigned long long)i);
    return merkle_leaf((Str){room, (size_t)len});
}

static void log_add(Log *l, const Hash *leaf) {
    MerkleEntry entries[MERKLE_LEVELS];
    size_t count = merkle_add(&l->tree, leaf, entries);
    for (size_t i = 0; i < count; i++) {
        uint32_t level = entries[i].level;
        assert_true(level < LEVELS_KEPT);
        // In order, each once: so a tile is written by appending.
        assert_int_equal(entries[i].index, l->counts[level]);
        if (l->counts[level] == l->caps[level]) {
            size_t cap = l->caps[level] ? 2 * l->caps[level] : 1024;
            Hash *more = arena_array(l->arena, Hash, cap);
            if (l->counts[level]) memcpy(more, l->hashes[level], l->counts[level] * sizeof *more);
            l->hashes[level] = more;
            l->caps[level] = cap;
        }
        l->hashes[level][l->counts[level]++] = entries[i].hash;
    }
}

static Status log_read(void *ctx, MerkleTile tile, Hash *ret, Error *err) {
    Log *l = ctx;
    l->reads++;
    assert_true(tile.level < LEVELS_KEPT);
    uint64_t first = tile.index * MERKLE_TILE_WIDTH;
    if (l->broken || first + tile.width > l->counts[tile.level])
        return error_set(err, NOT_FOUND, S("tile"), "没有这一块");
    memcpy(ret, l->hashes[tile.level] + first, tile.width * sizeof *ret);
    return OK;
}

static Log log_make(uint64_t size) {
    Log l = {.arena = arena_create(TEST_MEMORY)};
    for (uint64_t i = 0; i < size; i++) {
        Hash leaf = leaf_of(i);
        log_add(&l, &leaf);
    }
    return l;
}

// RFC 6962, 2.1, word for word.
static Hash mth(uint64_t from, uint64_t to) {
    if (from == to) return merkle_empty();
    if (to - from == 1) return leaf_of(from);
    uint64_t k = 1;
    while (2 * k < to - from) k *= 2;
    Hash left = mth(from, from + k), right = mth(from + k, to);
    return merkle_node(&left, &right);
}

static bool same(const Hash *a, const Hash *b) { return memcmp(a, b, sizeof *a) == 0; }

static void assert_hash(Hash h, const char *hex) {
    Arena *a = arena_create(1 << 16);
    Str got = hash_hex(&h, a);
    if (!str_eq(got, str_z(hex))) fail_msg("%.*s is not %s", S_FMT(got), hex);
    arena_free(a);
}

// The vectors of the certificate transparency reference (RFC 6962's own log).
static void known_vectors(void **unused) {
    (void)unused;
    static const Str leaves[] = {
        S_INIT(""),
        S_INIT("\x00"),
        S_INIT("\x10"),
        S_INIT("\x20\x21"),
        S_INIT("\x30\x31"),
        S_INIT("\x40\x41\x42\x43"),
        S_INIT("\x50\x51\x52\x53\x54\x55\x56\x57"),
        S_INIT("\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"),
    };
    static const char *const roots[] = {
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    };
    MerkleTree t = {0};
    MerkleEntry entries[MERKLE_LEVELS];
    assert_hash(merkle_root(&t),
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < 8; i++) {
        Hash leaf = merkle_leaf(leaves[i]);
        assert_int_equal(merkle_add(&t, &leaf, entries), 1);
        assert_hash(merkle_root(&t), roots[i]);
    }
}

enum { EXHAUSTIVE = 70 };

// Each bit of the index, size, leaf, root and proof matters.
static void refuse_changed_inclusion(uint64_t index, uint64_t size, Hash leaf, Hash root,
                                     Hash *proof, size_t count) {
    assert_int_not_equal(merkle_check_inclusion(index + 1, size, &leaf, &root, proof, count, NULL),
                         OK);
    assert_int_not_equal(merkle_check_inclusion(index ^ 1, size, &leaf, &root, proof, count, NULL),
                         OK);
    assert_int_not_equal(merkle_check_inclusion(index, size, &leaf, &root, proof, count + 1, NULL),
                         OK);
    if (count)
        assert_int_not_equal(
            merkle_check_inclusion(index, size, &leaf, &root, proof, count - 1, NULL), OK);
    Hash *parts[] = {&leaf, &root};
    for (size_t i = 0; i < count + 2; i++) {
        Hash *changed = i < count ? &proof[i] : parts[i - count];
        uint8_t bit = (uint8_t)(1 << (i % 8));
        changed->bytes[(i * 7) % SHA256_SIZE] ^= bit;
        assert_int_equal(merkle_check_inclusion(index, size, &leaf, &root, proof, count, NULL),
                         INVALID);
        changed->bytes[(i * 7) % SHA256_SIZE] ^= bit;
    }
}

static void inclusion_of_every_leaf(void **unused) {
    (void)unused;
    Log l = log_make(EXHAUSTIVE);
    Error err;
    for (uint64_t size = 1; size <= EXHAUSTIVE; size++) {
        Hash root, want = mth(0, size);
        ArenaMark mark = arena_mark(l.arena);
        assert_int_equal(merkle_root_at(size, log_read, &l, l.arena, &root, &err), OK);
        assert_true(same(&root, &want));
        for (uint64_t index = 0; index < size; index++) {
            Hash *proof, leaf = leaf_of(index);
            size_t count;
            assert_int_equal(
                merkle_inclusion(index, size, log_read, &l, l.arena, &proof, &count, &err), OK);
            assert_int_equal(merkle_check_inclusion(index, size, &leaf, &root, proof, count, &err),
                             OK);
            refuse_changed_inclusion(index, size, leaf, root, proof, count);
        }
        arena_rewind(l.arena, mark);
    }
    Hash *proof;
    size_t count;
    assert_int_equal(merkle_inclusion(5, 5, log_read, &l, l.arena, &proof, &count, &err), INVALID);
    assert_int_equal(merkle_inclusion(0, 0, log_read, &l, l.arena, &proof, &count, &err), INVALID);
    arena_free(l.arena);
}

static void refuse_changed_consistency(uint64_t from, uint64_t to, Hash old, Hash root, Hash *proof,
                                       size_t count) {
    assert_int_not_equal(merkle_check_consistency(from, to, &old, &root, proof, count + 1, NULL),
                         OK);
    if (count)
        assert_int_not_equal(
            merkle_check_consistency(from, to, &old, &root, proof, count - 1, NULL), OK);
    if (from != to) // the roots the wrong way round
        assert_int_not_equal(merkle_check_consistency(from, to, &root, &old, proof, count, NULL),
                             OK);
    Hash *parts[] = {&old, &root};
    for (size_t i = 0; i < count + 2; i++) {
        Hash *changed = i < count ? &proof[i] : parts[i - count];
        changed->bytes[(i * 5) % SHA256_SIZE] ^= 0x80;
        assert_int_equal(merkle_check_consistency(from, to, &old, &root, proof, count, NULL),
                         INVALID);
        changed->bytes[(i * 5) % SHA256_SIZE] ^= 0x80;
    }
}

static void consistency_of_every_pair(void **unused) {
    (void)unused;
    Log l = log_make(EXHAUSTIVE);
    Error err;
    for (uint64_t to = 0; to <= EXHAUSTIVE; to++) {
        Hash root = mth(0, to);
        for (uint64_t from = to ? 1 : 0; from <= to; from++) {
            Hash *proof, old = mth(0, from);
            size_t count;
            ArenaMark mark = arena_mark(l.arena);
            assert_int_equal(
                merkle_consistency(from, to, log_read, &l, l.arena, &proof, &count, &err), OK);
            if (from == to) assert_int_equal(count, 0);
            assert_int_equal(merkle_check_consistency(from, to, &old, &root, proof, count, &err),
                             OK);
            refuse_changed_consistency(from, to, old, root, proof, count);
            arena_rewind(l.arena, mark);
        }
        Hash *proof, empty = merkle_empty();
        size_t count;
        assert_int_equal(
            merkle_consistency(to + 1, to, log_read, &l, l.arena, &proof, &count, &err), INVALID);
        if (to == 0) continue;
        // From nothing, nothing can be proved.
        assert_int_equal(merkle_consistency(0, to, log_read, &l, l.arena, &proof, &count, &err),
                         INVALID);
        assert_int_equal(merkle_check_consistency(0, to, &empty, &root, NULL, 0, &err), INVALID);
    }
    arena_free(l.arena);
}

// Sizes around the borders of tiles, where proofs need several tiles and partial ones.
static void across_tiles(void **unused) {
    (void)unused;
    enum { MANY = 66000 };
    Log l = log_make(MANY);
    static const uint64_t sizes[] = {1,   255,  256,   257,   511,   512,   513,
                                     770, 4096, 65535, 65536, 65537, 65793, MANY};
    Hash roots[14];
    Error err;
    MerkleTree t = {0};
    MerkleEntry entries[MERKLE_LEVELS];
    for (size_t i = 0; i < 14; i++) {
        while (t.size < sizes[i]) {
            Hash leaf = leaf_of(t.size);
            (void)merkle_add(&t, &leaf, entries);
        }
        MerkleTree loaded;
        ArenaMark mark = arena_mark(l.arena);
        assert_int_equal(merkle_load(sizes[i], log_read, &l, l.arena, &loaded, &err), OK);
        roots[i] = merkle_root(&loaded);
        Hash grown = merkle_root(&t);
        assert_true(same(&roots[i], &grown));
        // What was loaded goes on as what was grown.
        MerkleTree other = t;
        Hash leaf = leaf_of(t.size);
        assert_int_equal(merkle_add(&loaded, &leaf, entries), merkle_add(&other, &leaf, entries));
        Hash a = merkle_root(&loaded), b = merkle_root(&other);
        assert_true(same(&a, &b));
        for (uint64_t k = 0; k < 40; k++) {
            uint64_t index = (k * 7919 + sizes[i] / 2 + k) % sizes[i];
            if (k == 0) index = sizes[i] - 1;
            Hash *proof, leaf_hash = leaf_of(index);
            size_t count;
            l.reads = 0;
            assert_int_equal(
                merkle_inclusion(index, sizes[i], log_read, &l, l.arena, &proof, &count, &err), OK);
            assert_true(l.reads <= 6);
            assert_int_equal(
                merkle_check_inclusion(index, sizes[i], &leaf_hash, &roots[i], proof, count, &err),
                OK);
        }
        for (size_t k = 0; k <= i; k++) {
            Hash *proof;
            size_t count;
            assert_int_equal(
                merkle_consistency(sizes[k], sizes[i], log_read, &l, l.arena, &proof, &count, &err),
                OK);
            assert_int_equal(merkle_check_consistency(sizes[k], sizes[i], &roots[k], &roots[i],
                                                      proof, count, &err),
                             OK);
        }
        arena_rewind(l.arena, mark);
    }
    // A tile that can't be read is said, not guessed.
    l.broken = true;
    Hash *proof;
    size_t count;
    assert_int_equal(merkle_inclusion(3, MANY, log_read, &l, l.arena, &proof, &count, &err),
                     NOT_FOUND);
    assert_int_equal(merkle_consistency(3, MANY, log_read, &l, l.arena, &proof, &count, &err),
                     NOT_FOUND);
    assert_int_equal(merkle_root_at(MANY, log_read, &l, l.arena, &roots[0], &err), NOT_FOUND);
    arena_free(l.arena);
}

static void tile_paths(void **unused) {
    (void)unused;
    Arena *a = arena_create(1 << 20);
    static const struct {
        MerkleTile tile;
        const char *path;
    } good[] = {
        {{0, 0, 256}, "tile/0/000"},
        {{0, 67, 256}, "tile/0/067"},
        {{1, 999, 1}, "tile/1/999.p/1"},
        {{0, 1000, 255}, "tile/0/x001/000.p/255"},
        {{2, 1234067, 256}, "tile/2/x001/x234/067"},
        {{7, 1234067, 9}, "tile/7/x001/x234/067.p/9"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        MerkleTile tile;
        assert_true(str_eq(merkle_tile_path(good[i].tile, a), str_z(good[i].path)));
        assert_true(merkle_tile_parse(str_z(good[i].path), &tile));
        assert_int_equal(tile.level, good[i].tile.level);
        assert_int_equal(tile.index, good[i].tile.index);
        assert_int_equal(tile.width, good[i].tile.width);
    }
    static const char *const bad[] = {
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/8/000",
        "tile/00/000",
        "tile/-1/000",
        "tile/0/x001",
        "tile/0/x001/",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/1/2",
        "tile/0/x001.p/000",
        "tile/0/0a0",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/+01",
        "tile/0/x001/x001/x001/x001/x001/x001/001",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        MerkleTile tile;
        if (merkle_tile_parse(str_z(bad[i]), &tile)) fail_msg("taken as a tile: %s", bad[i]);
    }
    assert_int_equal(merkle_tile_width(0, 0, 0), 0);
    assert_int_equal(merkle_tile_width(0, 0, 5), 5);
    assert_int_equal(merkle_tile_width(0, 0, 256), 256);
    assert_int_equal(merkle_tile_width(0, 1, 256), 0);
    assert_int_equal(merkle_tile_width(0, 1, 300), 44);
    assert_int_equal(merkle_tile_width(1, 0, 300), 1);
    assert_int_equal(merkle_tile_width(2, 0, 300), 0);
    assert_int_equal(merkle_tile_width(8, 0, UINT64_MAX), 0);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_vectors),
        cmocka_unit_test(inclusion_of_every_leaf),
        cmocka_unit_test(consistency_of_every_pair),
        cmocka_unit_test(across_tiles),
        cmocka_unit_test(tile_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
