// Events (留痕): who did what to which case, when. No command commits without its event (law 1).
//
// The events of a case form a chain: hash(n) = SHA-256(hash(n-1) || salt || canonical JSON of
// {id parts, at, actor, kind, data}). Events without a case (log-ins, pack loads, account
// changes) are chained in the same way under case 0.
// Every event's hash is a leaf of one Merkle log (RFC 6962), sealed in batches after commit:
// because the hash is salted, the log shows nothing of the person it speaks of.
//
// The exact definition, enough to write a verifier: docs/formats/trail.md.
#pragma once

#include "base/crypto.h"
#include "store/store.h"
#include "trail/merkle.h"

// Handlings (件次): each act of an applicant in a case; counted by channel.
typedef enum Handling { HANDLING_NONE = 0, HANDLING_WINDOW = 1, HANDLING_ONLINE = 2 } Handling;

typedef struct Event {
    int64_t case_id;   // 0: of no case
    Str kind;          // "case.accepted"; dotted, lower case, literal
    int64_t actor_id;  // account, 0: the system (timers)
    Handling handling;
    Value data;        // a context; what a reader needs to understand the act
    bool first;        // the case was made in this transaction: no event of it to look for
} Event;

enum { EVENT_DATA_MAX = 64 << 10, EVENT_SALT_SIZE = 16 };

// Appends; `at` is tx_now.
MUST_USE Status event_append(Tx *tx, const Event *e, Errors *errs);
// The events of a case, oldest first: {id, seq, at, kind, actor_id, actor_name, handling, data,
// hash}.
MUST_USE Status event_list(Db *db, int64_t case_id, Arena *a, Value *ret, Error *err);

// An event as it is stored: for whoever checks a chain (verify, archive packages).
typedef struct EventRecord {
    int64_t id, case_id, seq, at, actor_id, handling;
    Str kind;
    Str data; // JSON text, to the byte
    Str salt; // EVENT_SALT_SIZE bytes
    Str hash; // SHA256_SIZE bytes
} EventRecord;

// All records of a case in order, in `a`.
MUST_USE Status event_records(Db *db, int64_t case_id, Arena *a, EventRecord **ret,
                              size_t *ret_count, Error *err);
// What r->hash has to be when `previous` (32 bytes; zeros before the first) is the hash of the
// event before it.
Hash event_record_hash(const EventRecord *r, Str previous, Arena *a);
