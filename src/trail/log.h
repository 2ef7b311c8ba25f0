// The Merkle log over all events, in order of event id. `trail_seal` takes what is committed and
// not yet sealed, appends the leaves to the tiles and signs a checkpoint, all in one write. The
// signing key (Ed25519) is a file of the data folder, mode 0600.
#pragma once

#include "trail/event.h"

typedef struct TrailKey TrailKey;

enum { TRAIL_SEAL_BATCH = 16384 };

// Reads DATA/keys/trail.key, or makes it (and trail.pub, the verifier key for strangers).
MUST_USE Status trail_key_open(Str data_dir, bool create, Str origin, TrailKey **ret, Error *err);
void trail_key_free(TrailKey *k);
Str trail_public_key(const TrailKey *k, Arena *a); // note verifier key, one line
// A text as a note signed with the key: for packages that leave the house.
MUST_USE Status trail_sign(const TrailKey *k, Str text, Arena *a, Str *ret, Error *err);
MUST_USE Status trail_seal(Store *s, const TrailKey *k, Instant now, uint64_t *ret_size,
                           Error *err);
// The newest checkpoint (signed note), empty when nothing was sealed yet.
MUST_USE Status trail_checkpoint(Db *db, Arena *a, Str *ret, Error *err);
// {event_id, index, size, leaf, proof: [base64…], checkpoint}: what a stranger needs to check
// that the event is in the log.
MUST_USE Status trail_inclusion(Db *db, int64_t event_id, Arena *a, Value *ret, Error *err);
MUST_USE Status trail_consistency(Db *db, uint64_t from, uint64_t to, Arena *a, Value *ret,
                                  Error *err);
// Recomputes every chain, every tile and every checkpoint from the records, and that ledgers
// equal their entries and these what the events say was paid; calls `found` for each fault.
// `progress` may be NULL. *ret_faults counts.
typedef void (*TrailFound)(void *ctx, Str where, Str what);
typedef void (*TrailProgress)(void *ctx, int64_t done, int64_t all);
MUST_USE Status trail_verify(Db *db, Str public_key, TrailFound found, TrailProgress progress,
                             void *ctx, int64_t *ret_events, int64_t *ret_faults, Error *err);
// Is `note`, a checkpoint of this log that somebody kept outside, still a beginning of it? Tells of
// a log that was set back or written anew as a whole, which is sound in itself. *ret_faults: 0 or
// 1; INVALID when the note is not of this key.
MUST_USE Status trail_verify_witness(Db *db, Str public_key, Str note, TrailFound found, void *ctx,
                                     int64_t *ret_faults, Error *err);
// Tiles for a public mirror: tlog-tiles paths "tile/0/000", "checkpoint".
MUST_USE Status trail_tile(Db *db, uint32_t level, uint64_t index, uint32_t width, Arena *a,
                           Str *ret, Error *err);
