// Router: a tree with one level for each part of a path. At a level the literal part is tried
// first, then the parameter; a path has at most ROUTE_PARTS_MAX parts, so recursion is bounded.
#include "web/router.h"

typedef struct Node {
    Str part;                // literal; of a parameter node ""
    struct Node *literals;   // first child
    struct Node *parameter;  // the child that takes anything
    struct Node *next;       // sibling
    const Route *routes[METHOD_COUNT];
} Node;

struct Router {
    Arena *arena;
    Node root;
    const Route **all;
    size_t count, cap;
};

static const char *const method_names[METHOD_COUNT] = {"GET", "HEAD", "POST", "PUT", "DELETE"};

Str method_name(Method m) { return str_z(method_names[m]); }

bool method_parse(Str name, Method *ret) {
    for (int i = 0; i < METHOD_COUNT; i++) {
        if (str_eq(name, str_z(method_names[i]))) {
            *ret = (Method)i;
            return true;
        }
    }
    return false;
}

Router *router_create(Arena *a) {
    Router *r = arena_new(a, Router);
    r->arena = a;
    return r;
}

size_t router_count(const Router *r) { return r->count; }
const Route *router_at(const Router *r, size_t i) { return i < r->count ? r->all[i] : NULL; }

size_t pattern_params(const char *pattern, Str ret_names[ROUTE_PARAMS_MAX]) {
    size_t n = 0;
    Str rest = str_z(pattern);
    while (rest.ptr) {
        const Str part = str_cut(&rest, '/');
        if (str_starts(part, S(":")) && n < ROUTE_PARAMS_MAX) {
            ret_names[n++] = str_sub(part, 1, part.len);
        }
    }
    return n;
}

static Node *child_literal(const Node *node, Str part) {
    for (Node *each = node->literals; each; each = each->next) {
        if (str_eq(each->part, part)) return each;
    }
    return NULL;
}

static Node *child_make(Router *r, Node *node, Str part) {
    if (str_starts(part, S(":"))) {
        if (!node->parameter) node->parameter = arena_new(r->arena, Node);
        return node->parameter;
    }
    Node *found = child_literal(node, part);
    if (!found) {
        found = arena_new(r->arena, Node);
        found->part = part;
        found->next = node->literals;
        node->literals = found;
    }
    return found;
}

static void remember(Router *r, const Route *route) {
    if (r->count == r->cap) {
        const size_t cap = r->cap ? r->cap * 2 : 64;
        const Route **all = arena_array(r->arena, const Route *, cap);
        if (r->count) memcpy(all, r->all, r->count * sizeof(*all));
        r->all = all;
        r->cap = cap;
    }
    r->all[r->count++] = route;
}

Status router_add(Router *r, const Route *route, Error *err) {
    const Str pattern = str_z(route->pattern);
    if (!str_starts(pattern, S("/")) || route->method == METHOD_HEAD) {
        return error_set(err, BROKEN, pattern, "路由的写法有误");
    }
    Node *node = &r->root;
    size_t parts = 0, params = 0;
    Str rest = str_sub(pattern, 1, pattern.len);
    if (rest.len == 0) rest.ptr = NULL;
    while (rest.ptr) {
        const Str part = str_cut(&rest, '/');
        if (str_starts(part, S(":"))) params++;
        if (part.len == 0 || ++parts > ROUTE_PARTS_MAX || params > ROUTE_PARAMS_MAX) {
            return error_set(err, BROKEN, pattern, "路由的写法有误");
        }
        node = child_make(r, node, part);
    }
    if (node->routes[route->method]) {
        return error_set(err, BROKEN, pattern, "同一路由登记了两次");
    }
    node->routes[route->method] = route;
    remember(r, route);
    return OK;
}

// Looks below `node` for the rest of the path; the first node that answers to the method wins, the
// methods of all that match the path are gathered for "405 Method Not Allowed".
static bool find(const Node *node, Method method, Str rest, size_t params, RouteMatch *match) {
    if (!rest.ptr) {
        for (int i = 0; i < METHOD_COUNT; i++) {
            if (node->routes[i]) match->methods |= 1u << i;
        }
        match->route = node->routes[method];
        return match->route != NULL;
    }
    const Str part = str_cut(&rest, '/');
    const Node *literal = child_literal(node, part);
    if (literal && find(literal, method, rest, params, match)) return true;
    if (node->parameter && params < ROUTE_PARAMS_MAX) {
        const Str kept = match->params[params];
        match->params[params] = part;
        if (find(node->parameter, method, rest, params + 1, match)) return true;
        match->params[params] = kept;
    }
    return false;
}

RouteMatch router_find(const Router *r, Method method, Str path) {
    RouteMatch match = {0};
    Str rest = str_sub(path, 1, path.len);
    if (rest.len == 0) rest.ptr = NULL;
    (void)find(&r->root, method == METHOD_HEAD ? METHOD_GET : method, rest, 0, &match);
    if (match.methods & (1u << METHOD_GET)) match.methods |= 1u << METHOD_HEAD;
    return match;
}
