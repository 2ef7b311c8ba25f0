// Compensation and transactions (BPMN 2.0.2, 10.7 and 13.5.5).
//
// An activity that may be compensated leaves a record when it is done (ROLE_DONE), a sub-process
// one that keeps the records of what was done in it. A token of ROLE_COMPENSATE works through the
// records of a scope one by one, the last that was done first, each finished before the next:
//   with a compensation boundary event, the activity that it is associated with runs;
//   a sub-process with a compensation event sub-process runs that, which sees the data as it was
//   when the sub-process was done, and itself may compensate what was done in it;
//   any other sub-process, and a loop, is compensated by working through its own records.
// Thrown inside an event sub-process, the records of that are worked through first, then those of
// the scope that it belongs to.
#include "bpmn/run.h"

Status run_compensate(Run *r, uint32_t node, int64_t scope, const Event *e) {
    Token *t = NULL;
    Status status = token_make(r, node, ROLE_COMPENSATE, scope, &t);
    if (status) return status;
    t->target = scope;
    t->only = e->activity;
    t->detached = e->detached;
    r->emptied = true;
    if (!e->detached || node_of(r, node)->kind == NODE_END) return OK;
    return run_leave(r, node, scope);
}

// The transaction around: what runs in it ends, what is done in it is compensated.
Status run_cancel(Run *r, uint32_t node, int64_t scope) {
    (void)node;
    Token *t = scope ? run_token(r, scope) : NULL;
    while (t && !(t->role == ROLE_SCOPE && node_of(r, t->node)->transaction))
        t = t->scope ? run_token(r, t->scope) : NULL;
    if (!t) return OK; // called from a process that is no transaction
    int64_t transaction = t->id;
    uint32_t of = t->node;
    scope_kill(r, transaction, true);
    Token *c = NULL;
    Status status = token_make(r, of, ROLE_COMPENSATE, transaction, &c);
    if (status) return status;
    c->target = transaction;
    r->emptied = true;
    return OK;
}

// Compensated: the transaction leaves by its cancel event.
static Status cancel_finish(Run *r, int64_t token) {
    Token *t = run_token(r, token);
    Token *transaction = run_token(r, t->scope);
    uint32_t node = transaction->node;
    int64_t host = transaction->index ? transaction->scope : transaction->id;
    token_remove(r, t);
    const Node *n = node_of(r, node);
    Token *h = run_token(r, host);
    int64_t scope = h->scope;
    token_kill(r, h);
    for (uint32_t i = 0; i < n->boundary_count; i++)
        if (node_of(r, n->boundary[i])->event == EVENT_CANCEL)
            return run_leave(r, n->boundary[i], scope);
    return OK;
}

static Status finish(Run *r, int64_t token) {
    Token *t = run_token(r, token);
    const Node *n = node_of(r, t->node);
    uint32_t node = t->node;
    int64_t scope = t->scope;
    const Token *around = scope ? run_token(r, scope) : NULL;
    bool nested = around && around->role == ROLE_COMPENSATE;
    if (!nested && n->transaction) return cancel_finish(r, token);
    bool goes_on = !nested && n->kind == NODE_THROW && !t->detached;
    token_remove(r, t);
    return goes_on ? run_leave(r, node, scope) : OK;
}

// The record of `target` that was done last; `only`: of this activity.
static Token *record_find(Run *r, int64_t target, uint32_t only) {
    Token *found = NULL;
    r->work += r->state.count;
    for (size_t i = 0; i < r->state.count; i++) {
        Token *t = &r->state.tokens[i];
        if (t->dead || t->role != ROLE_DONE || t->scope != target || t->order < 0) continue;
        if (only != NONE && t->node != only) continue;
        if (!found || t->order > found->order) found = t;
    }
    return found;
}

// The scope that the event sub-process `scope` belongs to, -1 when it is none.
static int64_t scope_around(Run *r, int64_t scope) {
    const Token *t = scope ? run_token(r, scope) : NULL;
    if (!t || t->role != ROLE_SCOPE || !node_of(r, t->node)->by_event) return -1;
    return t->host ? t->host : t->scope;
}

static uint32_t compensation_start(const Run *r, const Node *inside) {
    for (uint32_t i = 0; i < inside->handlers_count; i++)
        if (node_of(r, inside->handlers[i])->event == EVENT_COMPENSATION)
            return inside->handlers[i];
    return NONE;
}

static Status record_compensate(Run *r, int64_t token, int64_t record) {
    Token *d = run_token(r, record);
    uint32_t node = d->node;
    const Node *n = node_of(r, node);
    bool loop = n->multi && !d->index;
    if (!d->index && n->handler != NONE) {
        token_kill(r, d);
        return run_activity(r, n->handler, token);
    }
    d->order = -d->order;
    run_token(r, token)->host = record;
    uint32_t start =
        loop ? NONE : compensation_start(r, node_of(r, node_inside(r->flow, node)));
    if (start != NONE) return run_handler(r, start, token, record);
    Token *c = NULL;
    Status status = token_make(r, node, ROLE_COMPENSATE, token, &c);
    if (status) return status;
    c->target = record;
    r->emptied = true;
    return OK;
}

Status run_compensate_next(Run *r, int64_t token) {
    Token *t = run_token(r, token);
    if (t->host) {
        Token *record = run_token(r, t->host);
        t->host = 0;
        if (record) token_kill(r, record);
    }
    for (;;) {
        t = run_token(r, token);
        const Token *record = record_find(r, t->target, t->only);
        if (record) return record_compensate(r, token, record->id);
        int64_t around = scope_around(r, t->target);
        if (around < 0) return finish(r, token);
        const Token *outer = around ? run_token(r, around) : NULL;
        if (outer && outer->role == ROLE_COMPENSATE) return finish(r, token);
        t->target = around;
    }
}
