// Gathers the route tables. A table whose file is not in the build is left out: the declarations
// are weak, so the rooms' pages can be built apart.
#include "pages/routes.h"

#define TABLES(X) \
    X(portal) X(archive) X(public) X(account) X(apply) X(draft) \
    X(my) X(case) X(supplement) X(window) X(desk) X(cases) X(cockpit) \
    X(records) X(summary) X(catalogue) X(packs) X(studio) X(studio_act) X(studio_tools) \
    X(admin) X(audit) X(incidents) X(migrate)

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
    {"/window", T("窗口收件"), ROLE_CLERK},
    {"/window/queue", T("待受理"), ROLE_CLERK},
    {"/desk", T("待办"), ROLE_APPROVER | ROLE_SUPERVISOR},
    {"/cases", T("办件"), ROLES_OFFICIAL},
    {"/cockpit", T("驾驶舱"), ROLES_OFFICIAL},
    {"/figures", T("指标"), ROLES_OFFICIAL},
    {"/summary", T("工作总结"), ROLES_OFFICIAL},
    {"/admin/items", T("事项"), ROLE_SYSADMIN},
    {"/admin/studio", T("事项工作室"), ROLE_SYSADMIN},
    {"/admin/packs", T("上传事项包"), ROLE_SYSADMIN},
    {"/admin/incidents", T("流程异常"), ROLE_SYSADMIN},
    {"/admin/units", T("单位岗位"), ROLE_SYSADMIN},
    {"/admin/accounts", T("账号"), ROLE_SYSADMIN | ROLE_SECADMIN},
    {"/audit", T("留痕"), ROLE_AUDITADMIN},
    {"/", T("门户"), ROLE_PUBLIC},
};

const NavItem *pages_nav(size_t *ret_count) {
    *ret_count = sizeof nav / sizeof nav[0];
    return nav;
}
