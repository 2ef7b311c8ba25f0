// What the pages keep beside the requests: the indicators, the cockpit's copies and the
// verification of the trail that an auditor starts. Made once by pages_start.
#pragma once

#include "figures/cockpit.h"
#include "figures/summary.h"
#include "web/app.h"

// Call after app_prepare and before app_background_start: loads the indicators into `a`, makes the
// cockpit and registers the work in the background.
MUST_USE Status pages_start(App *app, Arena *a, Error *err);
// After app_background_stop.
void pages_stop(void);

// Loaded on the first question when pages_start was not called (tests, the table of rights).
MUST_USE Status pages_figures(const App *app, const Figures **ret, Error *err);
MUST_USE Status pages_cockpit(const App *app, Cockpit **ret, Error *err);

// Runs the verification that an auditor asked for (audit.c).
Status audit_verify_run(App *app, void *ctx, Instant now, Error *err);
