// yizhan rights: the table of every route and every command against every role, made from the very
// tables that decide: what is not granted there is denied. docs/rights.md is its output, and a test
// asks each route and command as each role whether the table is what happens.
#include "house.h"

#include "pages/routes.h"
#include "web/exchange.h"

#include <stdio.h>

static void print_row(const char *first, Str second, unsigned roles, bool visitors_too) {
    printf("| %s | `%.*s` |", first, S_FMT(second));
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        const bool yes = (roles & (1u << i)) || (visitors_too && (roles & ROLE_PUBLIC));
        printf(" %s |", yes ? "✓" : "·");
    }
    printf("\n");
}

static void print_head(const char *first, const char *second, unsigned last_role) {
    printf("| %s | %s |", first, second);
    for (unsigned i = 0; i < last_role; i++) {
        printf(" %.*s |", S_FMT(role_code((Role)(1u << i))));
    }
    printf("\n|---|---|");
    for (unsigned i = 0; i < last_role; i++) printf(":-:|");
    printf("\n");
}

static int by_pattern(const void *a, const void *b) {
    const Route *x = *(const Route *const *)a, *y = *(const Route *const *)b;
    const int order = str_cmp(str_z(x->pattern), str_z(y->pattern));
    return order ? order : (int)x->method - (int)y->method;
}

enum { ROUTES_MAX = 2000 };

static size_t gather(const Route *all[ROUTES_MAX]) {
    size_t n = 0;
    for (size_t i = 0; i < web_routes_count; i++) all[n++] = &web_routes[i];
    const Route *const *tables = pages_route_tables();
    const size_t *counts = pages_route_counts();
    for (size_t t = 0; tables[t]; t++) {
        for (size_t i = 0; i < counts[t] && n < ROUTES_MAX; i++) all[n++] = &tables[t][i];
    }
    qsort(all, n, sizeof(all[0]), by_pattern);
    return n;
}

int cmd_rights(int argc, char **argv) {
    CommandLine line = {.usage = "yizhan rights",
                        .about = T("打印每个页面和指令对每种角色的权限表（Markdown）。未列出的一律拒绝。")};
    const int code = options_parse(&line, argc, argv);
    if (code != OPTIONS_GO) return code;
    static const Route *all[ROUTES_MAX];
    house_register(NULL);
    const size_t n = gather(all);
    printf("# Rights\n\nMade by `yizhan rights`. What is not granted (·) is denied: 401 to who is "
           "not logged in, "
           "403 to who is. Finer rules (whose\ncase, which post) come on top. `/metrics` is also "
           "open to the "
           "machine itself.\n\n## Routes\n\n");
    print_head("method", "route", ROLE_COUNT);
    for (size_t i = 0; i < n; i++) {
        print_row(method_name(all[i]->method).ptr, str_z(all[i]->pattern), all[i]->roles, true);
    }
    printf("\n## Commands\n\n");
    print_head("", "command", ROLE_COUNT);
    for (size_t i = 0; i < command_count(); i++) {
        print_row("", command_at(i)->name, command_at(i)->roles, false);
    }
    return EXIT_DONE;
}
