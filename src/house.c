// Opening and closing of what the commands share; the contract is house.h.
#include "house.h"

#include "base/file.h"

#include <stdlib.h>

enum { HOUSE_MEMORY_MAX = 256 << 20 };

Status house_setting(Db *db, Str name, Arena *a, Str *ret, Error *err) {
    Str value = S("");
    Query *q = query(db, "SELECT value FROM setting WHERE name = ?1");
    query_str(q, 1, name);
    if (query_next(q)) value = query_col_keep(q, 0, a);
    Status status = query_done(q, err);
    if (status == OK) *ret = value;
    return status;
}

static Status set_setting(Tx *tx, Str name, Str value, Errors *errs) {
    Error e;
    Query *q = query(tx_db(tx), "INSERT INTO setting (name, value) VALUES (?1, ?2)"
                                " ON CONFLICT (name) DO UPDATE SET value = excluded.value");
    query_str(q, 1, name);
    query_str(q, 2, value);
    return query_run(q, NULL, &e) == OK ? OK : errors_push(errs, &e);
}

// input: {county, region, demo}: whose program this is. Takes effect at the next start.
static Status cmd_county_name(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    const Str county = str_trim(v_text(v_get_lit(input, "county")));
    const Str region = str_trim(v_text(v_get_lit(input, "region")));
    if (county.len == 0) return errors_add(errs, INVALID, S("county"), "请填写县名");
    int64_t digits;
    if (region.len != 6 || !str_to_int(region, &digits) || digits < 100000) {
        return errors_add(errs, INVALID, S("region"), "行政区划代码应为 6 位数字");
    }
    Status status = set_setting(tx, S("county"), county, errs);
    if (status == OK) status = set_setting(tx, S("region"), region, errs);
    if (status == OK && v_true(v_get_lit(input, "demo"))) {
        status = set_setting(tx, S("demo"), S("1"), errs);
    }
    if (status != OK) return status;
    ContextBuilder data = context_make(tx_arena(tx));
    context_put_lit(&data, "county", v_str(county));
    context_put_lit(&data, "region", v_str(region));
    *ret = context_done(&data);
    return event_append(tx, &(Event){.kind = S("county.named"), .actor_id = actor->account_id,
                                     .data = *ret}, errs);
}

void house_register(CaseRoom *cases) {
    static const Command table[] = {
        {S_INIT("county.name"), ROLE_SYSADMIN | ROLE_SYSTEM, cmd_county_name},
    };
    commands_register(table, sizeof table / sizeof table[0]);
    people_register();
    item_register();
    case_register(cases);
}

static Status read_settings(House *h, Error *err) {
    Db *db;
    Status status = store_read(h->store, &db, err);
    if (status != OK) return status;
    status = house_setting(db, S("county"), h->arena, &h->county, err);
    if (status == OK) status = house_setting(db, S("region"), h->arena, &h->region, err);
    store_release(db);
    return status;
}

static Status open_store(const HouseOptions *o, House *h, Error *err) {
    const char *from_env = getenv("YIZHAN_DB");
    const Str db = o->db.len ? o->db : str_z(from_env ? from_env : "");
    const StoreOptions options = {
        .data_dir = h->data_dir, .url = db, .no_writer = o->no_writer, .create = o->create};
    const Str key = path_join(h->arena, h->data_dir, S("keys/trail.key"));
    if (!o->create && !file_exists(key, h->arena)) {
        return error_set(err, NOT_FOUND, h->data_dir,
                         "这里还没有数据，请先运行：yizhan init --data {1}", h->data_dir);
    }
    if (o->create) {
        Status status = dir_make(h->data_dir, 0700, h->arena, err);
        if (status != OK) return status;
    }
    return store_open(&options, &h->store, err);
}

Status house_open(const HouseOptions *o, House *ret, Error *err) {
    House h = {.arena = arena_create(HOUSE_MEMORY_MAX)};
    h.data_dir = arena_str(h.arena, o->data.len ? o->data : S("data"));
    h.public_url = arena_str(h.arena, o->public_url);
    Status status = open_store(o, &h, err);
    if (status == OK) status = read_settings(&h, err);
    if (status == OK) {
        status = trail_key_open(h.data_dir, o->create, S("yizhan"), &h.key, err);
    }
    if (status == OK) {
        status = case_room_create(h.store, h.data_dir, h.county, h.region, h.public_url, &h.cases,
                                  err);
    }
    if (status != OK) {
        house_close(&h);
        return status;
    }
    house_register(h.cases);
    *ret = h;
    return OK;
}

void house_close(House *h) {
    if (h->store) store_close(h->store); // finishes what is queued, so it comes first
    case_room_free(h->cases);
    trail_key_free(h->key);
    arena_free(h->arena);
    *h = (House){0};
}
