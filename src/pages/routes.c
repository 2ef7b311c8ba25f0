// Gathers the route tables. A table whose file is not in the build is left out: the declarations
// are weak, so the rooms' pages can be built apart.
#include "pages/routes.h"

#define TABLES(X)                                                                         \
    X(portal) X(public) X(account) X(apply) X(draft) X(my) X(case)                        \
    X(window) X(desk) X(cockpit) X(summary) X(catalogue) X(admin) X(audit)

#define DECLARE(name)                                             \
    extern const Route name##_routes[] __attribute__((weak));     \
    extern const size_t name##_routes_count __attribute__((weak));
TABLES(DECLARE)

typedef struct Tables {
    const Route *routes[32];
    size_t counts[32];
    size_t n;
} Tables;

static void add(Tables *t, const Route *routes, const size_t *count) {
    if (!routes || !count) return;
    t->routes[t->n] = routes;
    t->counts[t->n++] = *count;
}

// Filled before the first request, from one thread.
static const Tables *tables(void) {
    static Tables all;
    if (all.n == 0) {
#define ADD(name) add(&all, name##_routes, &name##_routes_count);
        TABLES(ADD)
    }
    return &all;
}

const Route *const *pages_route_tables(void) { return tables()->routes; }
const size_t *pages_route_counts(void) { return tables()->counts; }

static const NavItem nav[] = {
    {"/", T("首页"), ROLE_PUBLIC},
    {"/window", T("窗口"), ROLE_CLERK},
    {"/desk", T("工作台"), ROLE_CLERK | ROLE_APPROVER | ROLE_SUPERVISOR | ROLE_LEADER},
    {"/cockpit", T("驾驶舱"), ROLE_SUPERVISOR | ROLE_LEADER},
    {"/summary", T("工作总结"), ROLE_LEADER},
};

const NavItem *pages_nav(size_t *ret_count) {
    *ret_count = sizeof nav / sizeof nav[0];
    return nav;
}
