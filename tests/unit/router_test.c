// room: web
// Routes: literal before parameter, methods gathered, tables that contradict themselves refused.
#include "web/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static Arena *arena;
static Router *router;

static const Route table[] = {
    {.method = METHOD_GET, .pattern = "/"},
    {.method = METHOD_GET, .pattern = "/case/new"},
    {.method = METHOD_GET, .pattern = "/case/:number"},
    {.method = METHOD_POST, .pattern = "/case/:number"},
    {.method = METHOD_POST, .pattern = "/case/:number/letters/:code"},
    {.method = METHOD_GET, .pattern = "/case/new/:step/x"},
    {.method = METHOD_GET, .pattern = "/:any/letters"},
};

static int setup(void **state) {
    (void)state;
    arena = arena_create(1 << 20);
    router = router_create(arena);
    Error err;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (router_add(router, &table[i], &err) != OK) return 1;
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

static void finds(Method method, const char *path, const char *pattern, const char *first) {
    const RouteMatch m = router_find(router, method, str_z(path));
    if (!m.route) fail_msg("nothing found for %s", path);
    assert_string_equal(m.route->pattern, pattern);
    if (first) assert_true(str_eq(m.params[0], str_z(first)));
}

static void test_finding(void **state) {
    (void)state;
    finds(METHOD_GET, "/", "/", NULL);
    finds(METHOD_HEAD, "/", "/", NULL);
    finds(METHOD_GET, "/case/new", "/case/new", NULL);
    finds(METHOD_GET, "/case/7", "/case/:number", "7");
    finds(METHOD_POST, "/case/new", "/case/:number", "new");
    finds(METHOD_POST, "/case/7/letters/ab", "/case/:number/letters/:code", "7");
    finds(METHOD_GET, "/case/letters", "/case/:number", "letters");
    finds(METHOD_GET, "/other/letters", "/:any/letters", "other");
    const RouteMatch m = router_find(router, METHOD_POST, S("/case/7/letters/ab"));
    assert_true(str_eq(m.params[1], S("ab")));
}

static void test_nothing(void **state) {
    (void)state;
    RouteMatch m = router_find(router, METHOD_GET, S("/nowhere"));
    assert_null(m.route);
    assert_int_equal(m.methods, 0);
    m = router_find(router, METHOD_DELETE, S("/case/7"));
    assert_null(m.route);
    assert_int_equal(m.methods, 1u << METHOD_GET | 1u << METHOD_HEAD | 1u << METHOD_POST);
    m = router_find(router, METHOD_GET, S("/case/7/letters/a/b"));
    assert_int_equal(m.methods, 0);
    m = router_find(router, METHOD_GET, S("/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p"));
    assert_null(m.route);
}

static void test_bad_tables(void **state) {
    (void)state;
    static const Route bad[] = {
        {.method = METHOD_GET, .pattern = "/case/:other"},
        {.method = METHOD_GET, .pattern = "case"},
        {.method = METHOD_GET, .pattern = "/a//b"},
        {.method = METHOD_HEAD, .pattern = "/a"},
        {.method = METHOD_GET, .pattern = "/:a/:b/:c/:d/:e"},
        {.method = METHOD_GET, .pattern = "/a/b/c/d/e/f/g/h/i/j/k/l/m"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        Error err;
        assert_int_equal(router_add(router, &bad[i], &err), BROKEN);
    }
}

static void test_parameter_names(void **state) {
    (void)state;
    Str names[ROUTE_PARAMS_MAX];
    assert_int_equal(pattern_params("/case/:number/letters/:code", names), 2);
    assert_true(str_eq(names[0], S("number")));
    assert_true(str_eq(names[1], S("code")));
    assert_int_equal(pattern_params("/", names), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finding), cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_bad_tables), cmocka_unit_test(test_parameter_names),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
