// The cockpit (数据驾驶舱): live figures, trends, departments and towns. It is computed off the way
// of a request by a background worker and kept with the time it speaks of; a request reads the
// newest copy, so its cost does not grow with the number of cases.
#pragma once

#include "figures/figures.h"

typedef struct Cockpit Cockpit;

enum { COCKPIT_KEEP_MAX = 16, COCKPIT_REFRESH_MS = 5000 };

MUST_USE Status cockpit_create(const Figures *f, Store *s, Cockpit **ret, Error *err);
void cockpit_free(Cockpit *c);
// Computes anew what was asked for lately, if any event came since. For the background worker.
MUST_USE Status cockpit_refresh(Cockpit *c, Instant now, Error *err);
// {as_of, from, to, figures: {code: value}, days: [...], units: [...], towns: [...], channels:
// [...], grades: [...], lights: {green, yellow, red, paused}, previous: {code: value} of the period
// before}. `from`/`to` 0: from 1 January of the year of the newest case to its day. A copy in `a`.
MUST_USE Status cockpit_model(Cockpit *c, const FigureScope *scope, Instant now, Arena *a,
                              Value *ret, Error *err);
// All figures of a scope as they are now: of a copy, when nothing was committed since it was made,
// else computed.
MUST_USE Status cockpit_figures(Cockpit *c, Db *db, const FigureScope *scope, Arena *a, Value *ret,
                                Error *err);
