// What the files about items share. Nothing outside src/case includes this.
#pragma once

#include "case/pack.h"

// The published version of an item as lists need it, and what it is made of.
typedef struct Publish {
    const Item *item; // spec and materials; ids not yet known
    Str digest;
    Str pack_json;
    int64_t unit_id;
} Publish;

// Writes the version when the digest differs from the published one. *ret_new: it did.
MUST_USE Status item_publish_version(Tx *tx, const Actor *actor, const Publish *p,
                                     int32_t *ret_version, bool *ret_new, Errors *errs);
// Compiles the files, checks what only the database knows and writes the version, whose code must
// be `code`; as one pack of item.publish → {code, name, version, digest, unchanged}.
MUST_USE Status item_publish_files(Tx *tx, const Actor *actor, Value files, Str code, Value *ret,
                                   Errors *errs);
// What only the database knows: the department, posts; `prefix` of the code, "" any.
MUST_USE Status item_database_check(Db *db, const Item *item, Str prefix, Arena *a,
                                    int64_t *ret_unit, Errors *errs);
// Items the flow opens exist.
MUST_USE Status item_parts_check(Db *db, const Item *item, Arena *a, Errors *errs);
// The events of items are of no case.
MUST_USE Status item_event(Tx *tx, const Actor *actor, Str kind, Value data, Errors *errs);

// ASCII letters in lower case; what item.search holds and queries are turned into.
Str item_search_lower(Arena *a, Str s);

Status cmd_item_publish(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_item_withdraw(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_item_import(Tx *, const Actor *, Value, Value *, Errors *);
