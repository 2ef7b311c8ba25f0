// yizhan migrate: running cases of one version of an item move to another, or what would happen.
#include "house.h"

#include "base/file.h"
#include "people/people.h"

#include <stdio.h>

enum { MIGRATE_MEMORY_MAX = 512 << 20, MAP_FILE_MAX = 1 << 20, BATCH = 200 };

typedef struct Wanted {
    Str item, from, to, map, reason;
    bool again, dry;
} Wanted;

static Status request_of(const Wanted *w, Arena *a, Value *ret, Error *err) {
    int64_t from = 0, to = 0;
    if (str_empty(w->item) || !str_to_int(w->from, &from) || !str_to_int(w->to, &to)) {
        return error_set(err, INVALID, S("--item"), "请用 --item、--from、--to 写明事项和两个版本");
    }
    Value mapping = v_null();
    if (!str_empty(w->map)) {
        Str text;
        Status st = file_read(w->map, MAP_FILE_MAX, a, &text, err);
        if (st == OK) st = json_parse(text, JSON_STRICT, (JsonLimits){0}, a, &mapping, err);
        if (st != OK) {
            error_at(err, w->map);
            return st;
        }
    }
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "item", v_str(w->item));
    context_put_lit(&b, "from", v_int(from));
    context_put_lit(&b, "to", v_int(to));
    context_put_lit(&b, "mapping", mapping);
    context_put_lit(&b, "timers_again", v_bool(w->again));
    context_put_lit(&b, "reason", v_str(w->reason));
    *ret = context_done(&b);
    return OK;
}

static void print_refusals(Value refusals, Arena *a) {
    for (uint32_t i = 0; i < refusals.len; i++) {
        Value one = v_at(refusals, i), args = v_get_lit(one, "args");
        Error e = {.text = arena_cstr(a, v_text(v_get_lit(one, "text")))};
        for (uint32_t k = 0; k < args.len && k < ERROR_ARGS; k++) {
            e.args[k] = cli_text(arena_cstr(a, v_text(v_at(args, k))));
        }
        cli_print(false, e.text, e.args);
    }
}

static void print_plan(Value plan, Arena *a) {
    Value groups = v_get_lit(plan, "groups");
    for (uint32_t i = 0; i < groups.len; i++) {
        Value g = v_at(groups, i), nodes = v_get_lit(g, "nodes");
        Buf names = buf_make(a, 256, 64 << 10);
        for (uint32_t k = 0; k < nodes.len; k++) {
            if (k) buf_str(&names, S(", "));
            buf_str(&names, v_text(v_get_lit(v_at(nodes, k), "id")));
        }
        Str count = v_to_str(v_get_lit(g, "count"), a);
        if (v_true(v_get_lit(g, "able"))) {
            cli_say(T("可迁移 {1} 件，停在：{2}"), count, buf_view(&names));
        } else {
            cli_say(T("不能迁移 {1} 件，停在：{2}，例如 {3}"), count, buf_view(&names),
                    v_text(v_get_lit(g, "number")));
            print_refusals(v_get_lit(g, "refusals"), a);
        }
    }
    cli_say(T("共 {1} 件，可迁移 {2} 件"), v_to_str(v_get_lit(plan, "total"), a),
            v_to_str(v_get_lit(plan, "able"), a));
}

static Status dry_run(House *h, Value request, Arena *a, Errors *errs) {
    Error err = {.status = OK};
    Value plan;
    DB_AUTO db = NULL;
    if (store_read(h->store, &db, &err) != OK) return errors_push(errs, &err);
    Status st = migrate_plan(h->cases, db, request, clock_now(), a, &plan, errs);
    if (st == OK) print_plan(plan, a);
    return st;
}

static Status next_batch(House *h, Value request, int64_t after, int64_t *ids, size_t *n, Arena *a,
                         Errors *errs) {
    Error err = {.status = OK};
    DB_AUTO db = NULL;
    if (store_read(h->store, &db, &err) != OK) return errors_push(errs, &err);
    return migrate_cases(h->cases, db, request, after, ids, BATCH, n, a, errs);
}

// Each case by itself: one that is refused stops none of the others.
static Status run(House *h, Value request, Arena *a, Errors *errs, int64_t *ret_refused) {
    int64_t ids[BATCH], after = 0, moved = 0;
    size_t n = BATCH;
    ARENA_AUTO own = arena_create(MIGRATE_MEMORY_MAX / 4);
    while (n == BATCH) {
        Status st = next_batch(h, request, after, ids, &n, a, errs);
        if (st != OK) return st;
        for (size_t i = 0; i < n; i++) {
            Value out;
            Errors each = errors_make(own);
            Value input = v_with(request, S("id"), v_int(ids[i]), own);
            st = command_run(h->store, command_find(S("item.migrate")), &actor_system, input, 0,
                             own, &out, &each);
            moved += st == OK;
            *ret_refused += st != OK;
            if (st != OK) {
                cli_complain(T("办件（内部编号 {1}）没有迁移"), v_to_str(v_int(ids[i]), own));
                (void)cli_errors(&each);
            }
            arena_reset(own);
        }
        if (n) after = ids[n - 1];
    }
    cli_say(T("已迁移 {1} 件，{2} 件没有迁移"), v_to_str(v_int(moved), a),
            v_to_str(v_int(*ret_refused), a));
    return OK;
}

static int in_house(House *h, const Wanted *w, Arena *a) {
    Error err = {.status = OK};
    Errors errs = errors_make(a);
    Value request;
    int64_t refused = 0;
    if (request_of(w, a, &request, &err) != OK) return cli_error(&err);
    Status st = w->dry ? dry_run(h, request, a, &errs) : run(h, request, a, &errs, &refused);
    if (st != OK) return cli_errors(&errs);
    return refused ? EXIT_FAILED : EXIT_DONE;
}

int cmd_migrate(int argc, char **argv) {
    HouseOptions o = {0};
    Wanted w = {0};
    const Option options[] = {
        OPTION_DATA(&o.data),
        OPTION_DB(&o.db),
        {"--item", "CODE", T("事项编码"), &w.item, NULL},
        {"--from", "N", T("在办件现在的版本"), &w.from, NULL},
        {"--to", "M", T("迁移到的版本"), &w.to, NULL},
        {"--map", "FILE", T("环节对应表：JSON，{原环节: 新环节}"), &w.map, NULL},
        {"--reason", "TEXT", T("写入每件留痕的说明"), &w.reason, NULL},
        {"--timers-again", NULL, T("计时从现在重新推算（默认照旧）"), NULL, &w.again},
        {"--dry-run", NULL, T("只说明会怎样，不迁移"), NULL, &w.dry},
    };
    CommandLine line = {.usage = "yizhan migrate [--data DIR] --item CODE --from N --to M",
                        .about = T("把在办件迁移到事项的另一个版本"),
                        .options = options,
                        .options_count = sizeof options / sizeof *options};
    int code = options_parse(&line, argc, argv);
    if (code != OPTIONS_GO) return code;
    House h = {0};
    Error err = {.status = OK};
    o.no_writer = w.dry;
    if (house_open(&o, &h, &err) != OK) return cli_error(&err);
    Arena *a = arena_create(MIGRATE_MEMORY_MAX);
    code = in_house(&h, &w, a);
    arena_free(a);
    house_close(&h);
    return code;
}
