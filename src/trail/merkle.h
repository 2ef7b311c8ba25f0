// The log's Merkle tree: hashes, tiles, proofs. RFC 6962 section 2.1 (and RFC 9162, 2.1): a leaf
// is SHA-256(0x00 | data), a node SHA-256(0x01 | left | right), the empty tree SHA-256("").
// Stored hashes are laid out in tiles of 256 as C2SP tlog-tiles has them, so that a log can be
// served as plain files and checked by anybody's tool.
//
// Pure: no database and no files. Whoever keeps the tiles hands in a reader.
#pragma once

#include "base/crypto.h"

enum {
    MERKLE_TILE_HEIGHT = 8,
    MERKLE_TILE_WIDTH = 256,
    MERKLE_LEVELS = 8,      // of tiles, enough for 2^63 leaves
    MERKLE_PROOF_MAX = 130, // hashes in a proof: two for each of 64 levels, and the root's
};
#define MERKLE_SIZE_MAX ((uint64_t)1 << 62) // leaves

Hash merkle_empty(void);
Hash merkle_leaf(Str data);
Hash merkle_node(const Hash *left, const Hash *right);
// False unless there are exactly 32 bytes.
MUST_USE bool merkle_hash_from(Str bytes, Hash *ret);

// Growing

// The tree's right edge: all that is needed to go on. edge[k] is the root of a full subtree of
// 2^k leaves where bit k of `size` is set, otherwise undefined. All zero: the empty tree.
typedef struct MerkleTree {
    uint64_t size;
    Hash edge[64];
} MerkleTree;

// A hash that belongs in a tile: at `level`, tile index / 256, place index % 256. Hashes of a
// level come in order, so a tile is written by appending.
typedef struct MerkleEntry {
    uint32_t level;
    uint64_t index;
    Hash hash;
} MerkleEntry;

// Adds a leaf (its hash, from merkle_leaf) and gives the entries that became complete by it: the
// leaf at level 0, and every 256 of a level one more of the next. `ret` has room for
// MERKLE_LEVELS; returns how many. `size` must be under MERKLE_SIZE_MAX.
size_t merkle_add(MerkleTree *t, const Hash *leaf, MerkleEntry *ret);
Hash merkle_root(const MerkleTree *t);

// Tiles

typedef struct MerkleTile {
    uint32_t level;
    uint64_t index;
    uint32_t width; // 1..256: hashes in it, fewer than 256 only in the last of a level
} MerkleTile;

// How wide that tile is in a tree of `size` leaves; 0: there is none.
uint32_t merkle_tile_width(uint32_t level, uint64_t index, uint64_t size);
// "tile/0/x001/234.p/5" (tlog-tiles), "tile/0/x001/x234/067" when full.
Str merkle_tile_path(MerkleTile tile, Arena *a);
// Of such a path; false when it is not written exactly so.
MUST_USE bool merkle_tile_parse(Str path, MerkleTile *ret);

// Puts the first `tile.width` hashes of the tile in `ret` (room for 256). A reader that has more
// gives the first ones. NOT_FOUND or BROKEN when it can't.
typedef Status TileRead(void *ctx, MerkleTile tile, Hash *ret, Error *err);

// The tree of `size` leaves as stored, ready to be added to.
MUST_USE Status merkle_load(uint64_t size, TileRead *read, void *ctx, Arena *a, MerkleTree *ret,
                            Error *err);
MUST_USE Status merkle_root_at(uint64_t size, TileRead *read, void *ctx, Arena *a, Hash *ret,
                               Error *err);

// Proofs. All in `a`. INVALID when there is no such leaf or size.

// That leaf `index` is in the tree of `size` leaves (RFC 6962, 2.1.1).
MUST_USE Status merkle_inclusion(uint64_t index, uint64_t size, TileRead *read, void *ctx, Arena *a,
                                 Hash **ret, size_t *ret_count, Error *err);
// That the tree of `size` leaves begins with the one of `size_old` (RFC 6962, 2.1.2). Empty when
// the sizes are equal. Every tree begins with the empty one: from 0 there is no proof, and a
// check from 0 to more is refused, because it would hold for any root.
MUST_USE Status merkle_consistency(uint64_t size_old, uint64_t size, TileRead *read, void *ctx,
                                   Arena *a, Hash **ret, size_t *ret_count, Error *err);

// Checking (RFC 9162, 2.1.3.2 and 2.1.4.2). OK, or INVALID when the proof does not prove it.
MUST_USE Status merkle_check_inclusion(uint64_t index, uint64_t size, const Hash *leaf,
                                       const Hash *root, const Hash *proof, size_t proof_count,
                                       Error *err);
MUST_USE Status merkle_check_consistency(uint64_t size_old, uint64_t size, const Hash *root_old,
                                         const Hash *root, const Hash *proof, size_t proof_count,
                                         Error *err);
