// room: all The table of rights is what happens: every route and every command is asked by every
// role. Refused by the coarse gate exactly where the table does not grant it; finer rules may
// refuse later, in other words.
#include "case/case.h"
#include "pages/routes.h"
#include "web/exchange.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW ((Instant)1685494800000)

static struct {
    Arena *arena;
    Store *store;
    CaseRoom *cases;
    App app;
    char folder[64];
} f;

static int fail_with(const char *what, const Error *err) {
    print_error("%s: %.*s %.*s\n", what, S_FMT(err->where),
                S_FMT(error_message(err, NULL, NULL, f.arena)));
    return 1;
}

static int setup(void **state) {
    (void)state;
    Error err;
    f.arena = arena_create(1u << 30);
    (void)snprintf(f.folder, sizeof f.folder, "/tmp/yz-rights-XXXXXX");
    if (!mkdtemp(f.folder)) return 1;
    const StoreOptions options = {.data_dir = str_z(f.folder), .create = true};
    if (store_open(&options, &f.store, &err) != OK) return fail_with("store", &err);
    if (case_room_create(f.store, str_z(f.folder), S("象山县"), S("330225"), S("http://a.example"),
                         &f.cases, &err) != OK) {
        return fail_with("cases", &err);
    }
    people_register();
    item_register();
    case_register(f.cases);
    f.app = (App){.store = f.store, .data_dir = str_z(f.folder), .county = S("象山县"),
                  .route_tables = pages_route_tables(), .route_counts = pages_route_counts()};
    f.app.nav = pages_nav(&f.app.nav_count);
    TrailKey *key;
    if (trail_key_open(str_z(f.folder), true, S("a.example/log"), &key, &err) != OK) {
        return fail_with("key", &err);
    }
    f.app.key = key;
    if (dir_make(path_join(f.arena, str_z(f.folder), S("tmp")), 0700, f.arena, &err) != OK ||
        app_prepare(&f.app, f.arena, &err) != OK) {
        return fail_with("app", &err);
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    app_release(&f.app);
    trail_key_free((TrailKey *)(uintptr_t)f.app.key);
    store_close(f.store);
    case_room_free(f.cases);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", f.folder);
    const int gone = system(command);
    arena_free(f.arena);
    return gone;
}

static Actor actor_of(unsigned role) {
    if (role == ROLE_PUBLIC) return actor_public;
    if (role == ROLE_SYSTEM) return actor_system;
    return (Actor){.account_id = 987654, .roles = role, .name = S("某人")};
}

// Every parameter of the pattern is "0", which names nothing.
static Str path_of(const char *pattern, Arena *a) {
    Buf path = buf_make(a, 128, 4096);
    for (const char *p = pattern; *p; p++) {
        if (*p != ':') {
            buf_char(&path, *p);
            continue;
        }
        buf_char(&path, '0');
        while (p[1] && p[1] != '/') p++;
    }
    return buf_view(&path);
}

static int ask(const Route *route, const Actor *actor, Arena *a, Str *ret_reply) {
    const bool reads = route->method == METHOD_GET;
    const Str raw = arena_printf(
        a, "%.*s %.*s HTTP/1.1\r\nHost: a.example\r\nAccept: application/json\r\n%s\r\n",
        S_FMT(method_name(route->method)), S_FMT(path_of(route->pattern, a)),
        reads ? "" : "Content-Length: 0\r\n");
    Error err;
    int64_t status = 0;
    if (exchange_simulate(&f.app, raw, S("10.0.0.9"), actor, NOW, a, ret_reply, &err) != OK) {
        fail_msg("%s", route->pattern);
    }
    assert_true(str_to_int(str_sub(*ret_reply, 9, 12), &status));
    return (int)status;
}

// What the gate itself says, told apart from what a handler refuses.
static bool refused_by_gate(int status, Str reply) {
    return (status == 401 && str_find(reply, S("\"message\":\"请先登录\"")) >= 0) ||
           (status == 403 && str_find(reply, S("您的岗位没有使用这个功能的权限")) >= 0);
}

static void test_routes(void **state) {
    (void)state;
    const Router *router = f.app.web->router;
    int asked = 0;
    for (size_t i = 0; i < router_count(router); i++) {
        const Route *route = router_at(router, i);
        for (unsigned role = ROLE_PUBLIC; role < ROLE_SYSTEM; role <<= 1) {
            Arena *a = arena_create(64 << 20);
            const Actor actor = actor_of(role);
            const bool granted = (route->roles & (role | ROLE_PUBLIC)) != 0;
            Str reply;
            const int status = ask(route, &actor, a, &reply);
            if (refused_by_gate(status, reply) == granted) {
                fail_msg("%s %s as %.*s: %d", method_name(route->method).ptr, route->pattern,
                         S_FMT(role_code((Role)role)), status);
            }
            if (status >= 500 && status != 503) {
                fail_msg("%s %s as %.*s: %d %.*s", method_name(route->method).ptr, route->pattern,
                         S_FMT(role_code((Role)role)), status, S_FMT(str_sub(reply, 0, 3000)));
            }
            arena_free(a);
            asked++;
        }
    }
    print_message("%d answers of %zu routes\n", asked, router_count(router));
}

// Always undone, whatever the command did.
typedef struct Try {
    const Command *command;
    Actor actor;
    bool refused;
} Try;

static Status try_command(Tx *tx, void *arg, Errors *errs) {
    Try *t = arg;
    Value result;
    Errors mine = errors_make(tx_arena(tx));
    const Status status = command_in_tx(tx, t->command, &t->actor, (Value){.kind = V_CONTEXT},
                                        &result, &mine);
    t->refused = status == DENIED && mine.count == 1 &&
                 str_eq(mine.items[0].where, t->command->name);
    return errors_add(errs, CONFLICT, S(""), "请填写{1}", S("x"));
}

static void test_commands(void **state) {
    (void)state;
    assert_true(command_count() > 20);
    for (size_t i = 0; i < command_count(); i++) {
        for (unsigned role = ROLE_PUBLIC; role <= ROLE_SYSTEM; role <<= 1) {
            Arena *a = arena_create(64 << 20);
            Errors errs = errors_make(a);
            Try t = {.command = command_at(i), .actor = actor_of(role)};
            assert_int_equal(store_write(f.store, try_command, &t, a, NOW, &errs), CONFLICT);
            const bool granted = (t.command->roles & role) != 0;
            if (t.refused == granted) {
                fail_msg("%.*s as %.*s: %s", S_FMT(t.command->name), S_FMT(role_code((Role)role)),
                         granted ? "refused" : "let in");
            }
            arena_free(a);
        }
    }
}

// GB/T 22239-2019: none of the three administrators can do another's work, or an official's.
static void test_administrators_are_apart(void **state) {
    (void)state;
    for (size_t i = 0; i < command_count(); i++) {
        const Command *c = command_at(i);
        const unsigned admins = c->roles & ROLES_ADMIN;
        const bool several = (admins & (admins - 1)) != 0;
        const bool everybody = (c->roles & ROLES_ALL_ACCOUNTS) == ROLES_ALL_ACCOUNTS;
        if (several && !everybody) fail_msg("%.*s", S_FMT(c->name));
        if (str_starts(c->name, S("case.")) && admins) fail_msg("%.*s", S_FMT(c->name));
        if (str_starts(c->name, S("task.")) && admins) fail_msg("%.*s", S_FMT(c->name));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_administrators_are_apart),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
