// Events thrown (BPMN 2.0.2, 10.5.4 and 13.5): messages and signals go out, errors and escalations
// look outwards for who catches them.
//
// Decided here where the standard leaves it open: a signal is thrown when nothing else moves, so
// that branches that run at the same time have begun to wait for it. Of what catches an error or
// escalation at the same place, an event sub-process comes before a boundary event, one with the
// code before one without, and then document order. An event sub-process does not catch what is
// thrown by itself or by another of the same scope.
#include "bpmn/run.h"

// Who catches

static bool event_matches(const Node *n, EventKind kind, Str code, bool any) {
    for (uint32_t i = 0; i < n->events_count; i++) {
        const Event *e = &n->events[i];
        if (e->kind != kind) continue;
        if (any ? e->any : !e->any && str_eq(e->name, code)) return true;
    }
    return false;
}

// Among `nodes`; NONE when nobody does.
static uint32_t catcher(const Run *r, const uint32_t *nodes, uint32_t count, EventKind kind,
                        Str code) {
    for (int any = 0; any < 2; any++)
        for (uint32_t i = 0; i < count; i++)
            if (event_matches(node_of(r, nodes[i]), kind, code, any)) return nodes[i];
    return NONE;
}

static Status catch_boundary(Run *r, uint32_t boundary, int64_t host, EventKind kind,
                             Value values) {
    const Node *b = node_of(r, boundary);
    Token *t = run_token(r, host);
    int64_t scope = t->scope;
    if (b->interrupting || kind == EVENT_ERROR) token_kill(r, t);
    Status status = OK;
    if (values.kind != V_NULL || b->outputs_count) status = run_outputs(r, boundary, scope, values);
    return status ? status : run_leave(r, boundary, scope);
}

static Status catch_handler(Run *r, uint32_t start, int64_t scope, EventKind kind, Value values) {
    const Node *n = node_of(r, start);
    if (n->interrupting || kind == EVENT_ERROR) scope_kill(r, scope, true);
    Status status = OK;
    if (values.kind != V_NULL || n->outputs_count) status = run_outputs(r, start, scope, values);
    return status ? status : run_handler(r, start, scope, 0);
}

// From `scope` outwards, having come out of the token `child` (0: none).
static Status raise(Run *r, EventKind kind, Str code, int64_t scope, int64_t child, Value values,
                    bool *ret_caught) {
    *ret_caught = true;
    for (;;) {
        const Token *c = child ? run_token(r, child) : NULL;
        bool handler = c && c->role == ROLE_SCOPE && node_of(r, c->node)->by_event;
        if (c && c->role != ROLE_COMPENSATE && (!c->index || c->role == ROLE_MULTI)) {
            const Node *n = node_of(r, c->node);
            uint32_t b = catcher(r, n->boundary, n->boundary_count, kind, code);
            if (b != NONE) return catch_boundary(r, b, child, kind, values);
        }
        const Token *s = scope ? run_token(r, scope) : NULL;
        if ((!s || s->role == ROLE_SCOPE) && !handler) {
            uint32_t inside = s ? node_inside(r->flow, s->node) : r->state.process;
            const Node *n = node_of(r, inside);
            uint32_t start = catcher(r, n->handlers, n->handlers_count, kind, code);
            if (start != NONE) return catch_handler(r, start, scope, kind, values);
        }
        if (!s) break;
        child = scope;
        scope = s->scope;
    }
    *ret_caught = false;
    return OK;
}

// Nobody caught the error: the instance is over.
static void fail(Run *r, uint32_t node, Str code) {
    scope_kill(r, 0, false);
    r->state.has_failed = true;
    r->state.failed = code;
    r->state.end = node;
    FlowEffect *e = run_effect(r, FLOW_FAILED, node, 0);
    e->name = code;
}

Status run_error(Run *r, int64_t token, Str code, Value values) {
    Token *t = run_token(r, token);
    uint32_t node = t->node;
    t->told = true;
    bool caught;
    Status status = raise(r, EVENT_ERROR, code, t->scope, token, values, &caught);
    if (!status && !caught) fail(r, node, code);
    return status;
}

static Status escalate(Run *r, uint32_t node, const Event *e, int64_t scope, int64_t child) {
    bool caught;
    Status status = raise(r, EVENT_ESCALATION, e->name, scope, child, v_null(), &caught);
    if (status || caught) return status;
    run_effect(r, FLOW_ESCALATED, node, 0)->name = e->name;
    return OK;
}

// Messages and signals

static Status throw_out(Run *r, FlowEffectKind kind, uint32_t node, int64_t scope, Str name) {
    Value values = v_null();
    Status status = node_of(r, node)->inputs_count ? run_inputs(r, node, scope, &values) : OK;
    if (status) return status;
    FlowEffect *e = run_effect(r, kind, node, 0);
    e->name = name;
    e->value = values;
    if (kind == FLOW_THROW_MESSAGE) return OK;
    size_t caught;
    return run_deliver(r, EVENT_SIGNAL, name, 0, values, &caught);
}

Status run_throw_message(Run *r, uint32_t node, int64_t scope, Str name) {
    return throw_out(r, FLOW_THROW_MESSAGE, node, scope, name);
}

Status run_throw_behavior(Run *r, const Event *e, int64_t body) {
    const Token *t = run_token(r, body);
    uint32_t node = t->node;
    int64_t scope = t->scope;
    switch (e->kind) {
    case EVENT_MESSAGE: return throw_out(r, FLOW_THROW_MESSAGE, node, body, e->name);
    case EVENT_SIGNAL: return throw_out(r, FLOW_THROW_SIGNAL, node, body, e->name);
    case EVENT_ESCALATION: return escalate(r, node, e, scope, body);
    case EVENT_ERROR: return run_error(r, body, e->name, v_null());
    default: return OK;
    }
}

// Throwing events and ends

static bool throws_signal(const Node *n) {
    for (uint32_t i = 0; i < n->events_count; i++)
        if (n->events[i].kind == EVENT_SIGNAL) return true;
    return false;
}

Status run_throw(Run *r, uint32_t node, int64_t scope) {
    const Node *n = node_of(r, node);
    if (!n->events_count) return run_leave(r, node, scope);
    if (n->event == EVENT_LINK) {
        run_effect(r, FLOW_RECORD, node, 0);
        return run_leave(r, n->link, scope);
    }
    if (throws_signal(n)) return run_move(r, &r->throws, MOVE_THROW, node, scope);
    return run_throw_now(r, node, scope);
}

static void end_record(Run *r, uint32_t node, int64_t scope) {
    if (scope == 0) r->state.end = node;
    run_effect(r, FLOW_RECORD, node, 0);
}

Status run_end(Run *r, uint32_t node, int64_t scope) {
    const Node *n = node_of(r, node);
    if (n->event == EVENT_NONE || n->event == EVENT_TERMINATE) {
        end_record(r, node, scope);
        if (n->event == EVENT_TERMINATE) scope_kill(r, scope, true);
        return OK;
    }
    if (throws_signal(n)) return run_move(r, &r->throws, MOVE_THROW, node, scope);
    return run_throw_now(r, node, scope);
}

// All but compensation, errors and cancelling, which come last. A token stands for the throwing
// branch: what it throws may end it.
static Status throw_first(Run *r, uint32_t node, int64_t scope, int64_t token) {
    const Node *n = node_of(r, node);
    for (uint32_t i = 0; i < n->events_count && run_token(r, token); i++) {
        const Event *e = &n->events[i];
        Status status = OK;
        if (e->kind == EVENT_MESSAGE)
            status = throw_out(r, FLOW_THROW_MESSAGE, node, scope, e->name);
        else if (e->kind == EVENT_SIGNAL)
            status = throw_out(r, FLOW_THROW_SIGNAL, node, scope, e->name);
        else if (e->kind == EVENT_ESCALATION) status = escalate(r, node, e, scope, 0);
        if (status) return status;
    }
    return OK;
}

Status run_throw_now(Run *r, uint32_t node, int64_t scope) {
    const Node *n = node_of(r, node);
    Token *t = NULL;
    Status status = token_make(r, node, ROLE_WAIT, scope, &t);
    int64_t token = status ? 0 : t->id;
    if (!status && n->kind == NODE_END) end_record(r, node, scope);
    if (!status) status = throw_first(r, node, scope, token);
    t = run_token(r, token);
    if (status || !t) return status;
    for (uint32_t i = 0; i < n->events_count; i++) {
        const Event *e = &n->events[i];
        if (e->kind == EVENT_ERROR) return run_error(r, token, e->name, v_null());
        if (e->kind == EVENT_COMPENSATION) {
            token_remove(r, t);
            return run_compensate(r, node, scope, e);
        }
    }
    token_remove(r, t);
    if (n->event == EVENT_CANCEL) return run_cancel(r, node, scope);
    return n->kind == NODE_END ? OK : run_leave(r, node, scope);
}
