// yizhan init: makes the data folder, database and keys; with --demo the demo county of the binary:
// units, posts, accounts, calendar, items and catalogue.
//
// Without --demo the three administrators (系统, 安全, 审计) are made with passwords that are printed once.
#include "house.h"

#include "base/crypto.h"
#include "base/embed.h"
#include "base/file.h"
#include "value/json.h"

#include <unistd.h>

enum { INIT_MEMORY_MAX = 512 << 20, ADMIN_PASSWORD_BYTES = 12 };

typedef struct Init {
    Arena *arena;
    House house;
    Value county; // county/people.json
    bool demo;
} Init;

// ---- one transaction: people, calendar, settings ---------------------------------------------

static Status set_setting(Tx *tx, Str name, Str value, Errors *errs) {
    Error e;
    Query *q = query(tx_db(tx), "INSERT INTO setting (name, value) VALUES (?1, ?2)"
                                " ON CONFLICT (name) DO UPDATE SET value = excluded.value");
    query_str(q, 1, name);
    query_str(q, 2, value);
    return query_run(q, NULL, &e) == OK ? OK : errors_push(errs, &e);
}

static Status load_calendar(Tx *tx, Errors *errs) {
    const Str folder = S("county/calendar/");
    Status status = OK;
    for (size_t i = 0; i < embed_count() && status == OK; i++) {
        const EmbeddedFile *file = embed_at(i);
        Value year;
        Error e;
        if (!str_starts(file->path, folder) || !str_ends(file->path, S(".json"))) continue;
        status = json_parse(file->data, JSON_STRICT, (JsonLimits){0}, tx_arena(tx), &year, &e);
        if (status != OK) {
            error_at(&e, file->path);
            return errors_push(errs, &e);
        }
        status = calendar_load(tx, year, errs);
    }
    return status;
}

static Status found_county(Tx *tx, void *arg, Errors *errs) {
    Init *init = arg;
    Value report = v_null();
    Status status = load_calendar(tx, errs);
    if (status != OK || !init->demo) return status;
    status = people_load(tx, init->county, &report, errs);
    const Str county = v_text(v_get_lit(init->county, "county"));
    const Str region = v_text(v_get_lit(init->county, "region"));
    if (status == OK) status = set_setting(tx, S("county"), county, errs);
    if (status == OK) status = set_setting(tx, S("region"), region, errs);
    if (status == OK) status = set_setting(tx, S("demo"), S("1"), errs);
    if (status != OK) return status;
    ContextBuilder data = context_make(tx_arena(tx));
    context_put_lit(&data, "county", v_str(county));
    context_put_lit(&data, "region", v_str(region));
    return event_append(tx, &(Event){.kind = S("county.founded"), .data = context_done(&data)},
                        errs);
}

// ---- items -----------------------------------------------------------------------------------

// The folders below packs/ in the binary that hold an item.json.
static Status read_packs(Arena *a, Value *ret_packs, Value *ret_names, Error *err) {
    ListBuilder packs = list_make(a), names = list_make(a);
    const Str folder = S("packs/"), ending = S("/item.json");
    for (size_t i = 0; i < embed_count(); i++) {
        const Str path = embed_at(i)->path;
        if (!str_starts(path, folder) || !str_ends(path, ending)) continue;
        const Str pack = str_sub(path, 0, path.len - ending.len);
        Value files;
        Status status = pack_read(pack, a, &files, err);
        if (status != OK) return status;
        list_add(&packs, files);
        list_add(&names, v_str(pack));
    }
    *ret_packs = list_done(&packs);
    *ret_names = list_done(&names);
    return OK;
}

static Status publish_packs(Init *init, Errors *errs) {
    Arena *a = init->arena;
    Value packs, names, result;
    Error e;
    Status status = read_packs(a, &packs, &names, &e);
    if (status != OK) return errors_push(errs, &e);
    ContextBuilder input = context_make(a);
    context_put_lit(&input, "packs", packs);
    context_put_lit(&input, "names", names);
    const Command *publish = command_find(S("item.publish"));
    return command_run(init->house.store, publish, &actor_system, context_done(&input), 0, a,
                       &result, errs);
}

static Status import_catalogue(Init *init, Errors *errs) {
    Arena *a = init->arena;
    const EmbeddedFile *file = embed_find(S("county/catalogue.csv"));
    const Command *import = command_find(S("item.import"));
    Value lines, result;
    if (!file || !import) return OK;
    Status status = catalogue_read(file->data, false, a, &lines, errs);
    if (status != OK) return status;
    ContextBuilder input = context_make(a);
    context_put_lit(&input, "lines", lines);
    return command_run(init->house.store, import, &actor_system, context_done(&input), 0, a,
                       &result, errs);
}

// ---- administrators of a county that is not the demo -----------------------------------------

static Status make_administrators(Init *init, Errors *errs) {
    static const struct {
        Str login, name, role;
    } three[] = {
        {S_INIT("sysadmin"), S_INIT("系统管理员"), S_INIT("sysadmin")},
        {S_INIT("secadmin"), S_INIT("安全管理员"), S_INIT("secadmin")},
        {S_INIT("auditadmin"), S_INIT("审计管理员"), S_INIT("auditadmin")},
    };
    Arena *a = init->arena;
    const Command *create = command_find(S("account.create"));
    Status status = OK;
    for (size_t i = 0; i < sizeof three / sizeof three[0] && status == OK; i++) {
        const Str password = random_token(ADMIN_PASSWORD_BYTES, a);
        ListBuilder roles = list_make(a);
        list_add(&roles, v_str(three[i].role));
        ContextBuilder input = context_make(a);
        context_put_lit(&input, "login", v_str(three[i].login));
        context_put_lit(&input, "name", v_str(three[i].name));
        context_put_lit(&input, "password", v_str(password));
        context_put_lit(&input, "roles", list_done(&roles));
        Value result;
        status = command_run(init->house.store, create, &actor_system, context_done(&input), 0, a,
                             &result, errs);
        if (status == OK) {
            cli_say(T("管理员账号 {1}，初始密码 {2}（只显示这一次）"), three[i].login, password);
        }
    }
    return status;
}

// ---- the whole -------------------------------------------------------------------------------

static Status run(Init *init, Errors *errs) {
    Error e;
    Store *store = init->house.store;
    Status status = store_write(store, found_county, init, init->arena, 0, errs);
    if (status != OK) return status;
    Db *db;
    status = store_read(store, &db, &e);
    if (status == OK) {
        status = case_calendar_refresh(init->house.cases, db, &e);
        store_release(db);
    }
    if (status != OK) return errors_push(errs, &e);
    if (!init->demo) return make_administrators(init, errs);
    status = publish_packs(init, errs);
    return status == OK ? import_catalogue(init, errs) : status;
}

static Status read_county(Init *init, Error *err) {
    const EmbeddedFile *file = embed_find(S("county/people.json"));
    if (!file) return error_set(err, BROKEN, S("county/people.json"), "程序里没有演示县的数据");
    Status status = json_parse(file->data, JSON_STRICT, (JsonLimits){0}, init->arena,
                               &init->county, err);
    if (status != OK) error_at(err, S("county/people.json"));
    return status;
}

int cmd_init(int argc, char **argv) {
    Str data = S(""), db = S("");
    bool demo = false;
    const Option options[] = {
        OPTION_DATA(&data),
        OPTION_DB(&db),
        {"--demo", NULL, T("装入演示县：单位、岗位、账号、日历、事项"), NULL, &demo},
    };
    CommandLine line = {.usage = "yizhan init [--data DIR] [--db URL] [--demo]",
                        .about = T("建立数据目录、数据库和密钥。目录里已有数据时什么也不做。"),
                        .options = options,
                        .options_count = sizeof options / sizeof options[0]};
    const int code = options_parse(&line, argc, argv);
    if (code != OPTIONS_GO) return code;
    ARENA_AUTO a = arena_create(INIT_MEMORY_MAX);
    if (data.len == 0) data = S("data");
    if (file_exists(path_join(a, data, S("keys/trail.key")), a)) {
        cli_complain(T("{1} 里已经有数据，没有改动"), data);
        return EXIT_FAILED;
    }
    Init init = {.arena = a, .demo = demo};
    Error err = {0};
    Status status = demo ? read_county(&init, &err) : OK;
    if (status == OK) {
        status = house_open(&(HouseOptions){.data = data, .db = db, .create = true}, &init.house,
                            &err);
    }
    if (status != OK) return cli_error(&err);
    Errors errs = errors_make(a);
    status = run(&init, &errs);
    house_close(&init.house);
    if (status != OK) {
        // Everything so far can be done again; without the key the folder counts as not made.
        (void)unlink(arena_cstr(a, path_join(a, data, S("keys/trail.key"))));
        return cli_errors(&errs);
    }
    cli_say(T("已建好数据目录 {1}"), data);
    return EXIT_DONE;
}
