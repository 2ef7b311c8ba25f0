// Inside the trail: the stored log, shared by those who seal, prove and verify.
#pragma once

#include "trail/log.h"
#include "trail/note.h"

enum {
    TRAIL_LEVEL_IDS = -1, // log_tile level that holds the event ids of the leaves
    TRAIL_ID_SIZE = 8,    // bytes, big-endian
    TRAIL_TILE_BYTES_MAX = MERKLE_TILE_WIDTH * SHA256_SIZE,
};

struct TrailKey {
    Arena *arena;
    NoteKey key;
};

typedef struct Sealed {
    uint64_t size;         // leaves; 0: nothing yet
    int64_t last_event_id;
    Str note;              // in the arena
} Sealed;

// The newest checkpoint.
Status trail_sealed(Db *db, Arena *a, Sealed *ret, Error *err);
// The bytes of a tile as they are stored; NOT_FOUND.
Status trail_tile_bytes(Db *db, int64_t level, uint64_t index, Arena *a, Str *ret, Error *err);
// TileRead over the database; ctx is a Db.
Status trail_tile_read(void *db, MerkleTile tile, Hash *ret, Error *err);
static inline int64_t trail_id_at(Str ids, size_t i) {
    uint64_t id = 0;
    for (size_t b = i * TRAIL_ID_SIZE; b < (i + 1) * TRAIL_ID_SIZE; b++) {
        id = id << 8 | (uint8_t)ids.ptr[b];
    }
    return (int64_t)id;
}
