// The house: what nearly every command opens first: the store of --data or --db, the signing key,
// the commands of all rooms registered, the room of cases. `serve`, `load`, `simulate`, `summary`
// and the others share it.
#pragma once

#include "case/case.h"
#include "options.h"
#include "trail/log.h"

typedef struct House {
    Store *store;
    CaseRoom *cases;
    TrailKey *key;
    Arena *arena;   // as long as the house
    Str data_dir;
    Str county;     // 象山县, the setting "county"
    Str region;     // 330225, the setting "region"
    Str public_url; // "https://…", "" when unsaid: for links and QR codes
} House;

typedef struct HouseOptions {
    Str data;       // "" is "data"
    Str db;         // --db; "" is SQLite in the data folder, or $YIZHAN_DB
    Str public_url;
    bool create;    // `init`: makes folder, database and keys
    bool no_writer; // only reads
} HouseOptions;

// NOT_FOUND says to run `yizhan init` when the folder was never made.
MUST_USE Status house_open(const HouseOptions *o, House *ret, Error *err);
void house_close(House *h);
// A setting; "" when it was never set.
MUST_USE Status house_setting(Db *db, Str name, Arena *a, Str *ret, Error *err);
// Registers every room's commands; `cases` may be NULL when they are only listed (rights).
void house_register(CaseRoom *cases);
