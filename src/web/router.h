// Router: from method and path to a route. Made once from the route tables, immutable.
#pragma once

#include "web/http.h"

enum { ROUTE_PARAMS_MAX = 4, ROUTE_PARTS_MAX = 12, METHOD_COUNT = METHOD_DELETE + 1 };

typedef struct Router Router;

typedef struct RouteMatch {
    const Route *route; // NULL: none for this method
    Str params[ROUTE_PARAMS_MAX]; // slices of the path
    unsigned methods;   // bits 1 << Method that the path answers to; 0: no such path
} RouteMatch;

Router *router_create(Arena *a);
// BROKEN when a pattern is malformed or the same method and pattern were added before.
MUST_USE Status router_add(Router *r, const Route *route, Error *err);
// `path` must come from path_decode. HEAD finds the GET route.
RouteMatch router_find(const Router *r, Method method, Str path);
size_t router_count(const Router *r);
const Route *router_at(const Router *r, size_t i); // in the order of adding

Str method_name(Method m);
MUST_USE bool method_parse(Str name, Method *ret);
// The names of the parameters of a pattern, in order; returns how many.
size_t pattern_params(const char *pattern, Str ret_names[ROUTE_PARAMS_MAX]);
