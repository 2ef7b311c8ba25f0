// yizhan init: makes the data folder, database and keys; with --demo the demo county of the binary:
// units, posts, accounts, calendar, items and catalogue.
//
// Without --demo the three administrators (系统, 安全, 审计) are made with passwords that are printed
// once.
#include "house.h"

#include "base/embed.h"
#include "base/file.h"
#include "case/county.h"
#include "value/json.h"

#include <unistd.h>

enum { INIT_MEMORY_MAX = 512 << 20 };

typedef struct Init {
    Arena *arena;
    House house;
    Value county; // county/people.json, or {county, region}
    bool demo;
} Init;

// ---- administrators of a county that is not the demo -----------------------------------------

static Status command(Init *init, Str name, const ContextBuilder *input, Value *ret,
                      Errors *errs) {
    return command_run(init->house.store, command_find(name), &actor_system, context_done(input),
                       0, init->arena, ret, errs);
}

static Status make_office(Init *init, Str code, Errors *errs) {
    Value result;
    ContextBuilder unit = context_make(init->arena);
    context_put_lit(&unit, "code", v_str(code));
    context_put_lit(&unit, "name", v_str(S("政务服务办公室")));
    context_put_lit(&unit, "kind", v_lit("center"));
    return command(init, S("unit.save"), &unit, &result, errs);
}

static Status make_administrator(Init *init, Str role, Str name, Str unit, Errors *errs) {
    Value made, granted;
    ContextBuilder account = context_make(init->arena);
    context_put_lit(&account, "login", v_str(role));
    context_put_lit(&account, "name", v_str(name));
    context_put_lit(&account, "unit", v_str(unit));
    Status status = command(init, S("account.create"), &account, &made, errs);
    if (status != OK) return status;
    ListBuilder roles = list_make(init->arena);
    list_add(&roles, v_str(role));
    ContextBuilder grant = context_make(init->arena);
    context_put_lit(&grant, "login", v_str(role));
    context_put_lit(&grant, "roles", list_done(&roles));
    status = command(init, S("account.grant"), &grant, &granted, errs);
    if (status == OK) {
        cli_say(T("管理员账号 {1}，初始密码 {2}（只显示这一次）"), role,
                v_text(v_get_lit(made, "password")));
    }
    return status;
}

static Status make_administrators(Init *init, Errors *errs) {
    const Str unit = arena_printf(init->arena, "%.*s-ZWB",
                                  S_FMT(v_text(v_get_lit(init->county, "region"))));
    Status status = make_office(init, unit, errs);
    for (Role r = ROLE_SYSADMIN; r <= ROLE_AUDITADMIN && status == OK; r = (Role)(r << 1)) {
        status = make_administrator(init, role_code(r), role_name(r), unit, errs);
    }
    return status;
}

// ---- the whole -------------------------------------------------------------------------------

static Status name_county(Init *init, Errors *errs) {
    Arena *a = init->arena;
    ContextBuilder input = context_make(a);
    context_put_lit(&input, "county", v_get_lit(init->county, "county"));
    context_put_lit(&input, "region", v_get_lit(init->county, "region"));
    context_put_lit(&input, "demo", v_bool(init->demo));
    Value result;
    return command(init, S("county.name"), &input, &result, errs);
}

static Status run(Init *init, Errors *errs) {
    Value report;
    Status status = name_county(init, errs);
    if (status == OK) {
        status = county_load(init->house.store, init->house.cases, init->demo, init->arena,
                             &report, errs);
    }
    if (status == OK && !init->demo) status = make_administrators(init, errs);
    return status;
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
    Str data = S(""), db = S(""), county = S("本县"), region = S("100000");
    bool demo = false;
    const Option options[] = {
        OPTION_DATA(&data),
        OPTION_DB(&db),
        {"--county", "NAME", T("县名（默认“本县”）"), &county, NULL},
        {"--region", "CODE", T("六位行政区划代码"), &region, NULL},
        {"--demo", NULL, T("装入演示县：单位、岗位、账号、日历、事项"), NULL, &demo},
    };
    CommandLine line = {
        .usage = "yizhan init [--data DIR] [--db URL] [--demo | --county NAME --region CODE]",
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
    ContextBuilder names = context_make(a);
    context_put_lit(&names, "county", v_str(county));
    context_put_lit(&names, "region", v_str(region));
    init.county = context_done(&names);
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
