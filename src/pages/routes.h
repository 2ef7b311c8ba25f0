// All routes of the pages, and the main navigation. A file of this room adds its table by one line
// in routes.c: X(portal) for `const Route portal_routes[]` and `const size_t portal_routes_count`.
#pragma once

#include "web/app.h"

const Route *const *pages_route_tables(void); // NULL-terminated
const size_t *pages_route_counts(void);
const NavItem *pages_nav(size_t *ret_count);
