// yizhan init: makes the data folder, database and keys; with --demo the demo county of the binary:
// units, posts, accounts, calendar, items and catalogue.
//
// Without --demo the three administrators (系统, 安全, 审计) are made with passwords that are printed once.
#include "house.h"

#include "base/crypto.h"
#include "base/embed.h"
#include "base/file.h"
#include "case/county.h"
#include "value/json.h"

#include <unistd.h>

enum { INIT_MEMORY_MAX = 512 << 20, ADMIN_PASSWORD_BYTES = 12 };

typedef struct Init {
    Arena *arena;
    House house;
    Value county; // county/people.json
    bool demo;
} Init;

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

static Status name_county(Init *init, Errors *errs) {
    Arena *a = init->arena;
    ContextBuilder input = context_make(a);
    context_put_lit(&input, "county", v_get_lit(init->county, "county"));
    context_put_lit(&input, "region", v_get_lit(init->county, "region"));
    context_put_lit(&input, "demo", v_bool(true));
    Value result;
    return command_run(init->house.store, command_find(S("county.name")), &actor_system,
                       context_done(&input), 0, a, &result, errs);
}

static Status run(Init *init, Errors *errs) {
    Value report;
    Status status = init->demo ? name_county(init, errs) : OK;
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
