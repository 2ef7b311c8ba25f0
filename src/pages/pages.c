// Beside the requests: see pages.h. One program, one set of indicators.
#include "pages/pages.h"

#include "case/case.h"
#include "case/studio.h"

#include <pthread.h>

enum { PAGES_MEMORY_MAX = 8 << 20, VERIFY_INTERVAL_MS = 500 };

static struct {
    pthread_mutex_t lock;
    Arena *arena;
    const Figures *figures;
    Cockpit *cockpit;
} room = {.lock = PTHREAD_MUTEX_INITIALIZER};

static Status load(const App *app, Error *err) {
    Arena *a = arena_create(PAGES_MEMORY_MAX);
    const Figures *figures;
    Cockpit *cockpit;
    Status st = figures_load(a, &figures, err);
    if (st == OK) st = cockpit_create(figures, app->store, &cockpit, err);
    if (st != OK) {
        arena_free(a);
        return st;
    }
    room.arena = a;
    room.figures = figures;
    room.cockpit = cockpit;
    return OK;
}

static Status ready(const App *app, Error *err) {
    (void)pthread_mutex_lock(&room.lock);
    Status st = room.figures ? OK : load(app, err);
    (void)pthread_mutex_unlock(&room.lock);
    return st;
}

Status pages_figures(const App *app, const Figures **ret, Error *err) {
    Status st = ready(app, err);
    if (st == OK) *ret = room.figures;
    return st;
}

Status pages_cockpit(const App *app, Cockpit **ret, Error *err) {
    Status st = ready(app, err);
    if (st == OK) *ret = room.cockpit;
    return st;
}

static Status refresh(App *app, void *ctx, Instant now, Error *err) {
    (void)app;
    return cockpit_refresh(ctx, now, err);
}

static Status gauges(Db *db, Buf *out, Error *err) {
    int64_t retrying = 0, standing = 0;
    Status st = incident_counts(db, 0, &retrying, &standing, err);
    buf_printf(out,
               "# HELP yizhan_incidents Failed steps of flows that wait.\n"
               "# TYPE yizhan_incidents gauge\n"
               "yizhan_incidents{state=\"retrying\"} %lld\n"
               "yizhan_incidents{state=\"standing\"} %lld\n",
               (long long)retrying, (long long)standing);
    return st;
}

// What waits for a system administrator: faults not mended yet, drafts to approve.
static Status waiting(Db *db, const Actor *actor, Str href, int64_t *ret, Error *err) {
    int64_t retrying = 0, standing = 0;
    *ret = 0;
    if (!actor_has(actor, ROLE_SYSADMIN)) return OK;
    if (str_eq(href, S("/admin/incidents"))) {
        Status st = incident_counts(db, 0, &retrying, &standing, err);
        *ret = retrying + standing;
        return st;
    }
    if (!str_eq(href, S("/admin/studio"))) return OK;
    Query *q = query(db, "SELECT COUNT(*) FROM studio_draft d WHERE d.state = ?1"
                         " AND COALESCE(d.submitted_by, 0) <> ?2 AND NOT EXISTS (SELECT 1 FROM"
                         " studio_change c WHERE c.draft_id = d.id AND c.account_id = ?2)");
    query_int(q, 1, STUDIO_SUBMITTED);
    query_int(q, 2, actor->account_id);
    return query_one_int(q, ret, err);
}

Status pages_start(App *app, Arena *a, Error *err) {
    (void)a;
    Status st = ready(app, err);
    if (st != OK) return st;
    app->gauges = gauges;
    app->waiting = waiting;
    app_background(app, "cockpit", refresh, room.cockpit, COCKPIT_REFRESH_MS);
    app_background(app, "verify", audit_verify_run, NULL, VERIFY_INTERVAL_MS);
    return OK;
}

void pages_stop(void) {
    (void)pthread_mutex_lock(&room.lock);
    cockpit_free(room.cockpit);
    arena_free(room.arena);
    room.cockpit = NULL;
    room.figures = NULL;
    room.arena = NULL;
    (void)pthread_mutex_unlock(&room.lock);
}
