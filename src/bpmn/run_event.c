// Waiting for events (BPMN 2.0.2, 13.5): catching events, boundary events, event-based gateways,
// event sub-processes, and how processes begin by events.
//
// Decided here where the standard leaves it open: a condition that holds already when the event
// begins to wait sets it off at once, before what it stands at does anything; after that it must
// have been false in between. A timer that is no cycle comes once, a cycle of n comes n times. A
// catching event in the flow goes on once, however often its cycle would fire.
#include "bpmn/run.h"

// Timers

Status run_timer(Run *r, uint32_t node, uint32_t event, int64_t token, int64_t scope,
                 int64_t *ret_left) {
    const Node *n = node_of(r, node);
    const Event *e = &n->events[event];
    Timer t = e->timer;
    if (e->expr) {
        Value v = v_null();
        Str why;
        bool told = run_evaluate(r, e->expr, scope, v_null(), &v, &why);
        if (!told || !timer_from(e->timer_kind, v, r->arena, &t))
            return error_set(r->err, INVALID, n->id, "计时“{1}”算不出时长或时刻：{2}",
                             node_label(n), why.len ? why : str_z(v_kind_name((ValueKind)v.kind)));
    }
    run_effect(r, FLOW_SET_TIMER, node, token)->value = timer_due(&t, r->now, r->arena);
    *ret_left = t.repeats;
    return OK;
}

// A timer beside something fired: a cycle is set again. False in *ret_stays: it was the last time.
static Status timer_again(Run *r, Token *t, bool *ret_stays) {
    int64_t left = 0, was = t->left;
    *ret_stays = was == -1 || was > 1;
    if (!*ret_stays) return OK;
    Status status = run_timer(r, t->node, t->event, t->id, t->scope, &left);
    t->left = was == -1 ? -1 : was - 1;
    return status;
}

// Beginning to wait

static Status arm_event(Run *r, uint32_t node, uint32_t event, int64_t host, int64_t scope,
                        bool *ret_fired) {
    const Event *e = &node_of(r, node)->events[event];
    Token *t = NULL;
    Status status = token_make(r, node, ROLE_ARM, scope, &t);
    if (status) return status;
    t->host = host;
    t->event = event;
    int64_t token = t->id;
    if (e->kind == EVENT_TIMER) {
        int64_t left = 0;
        status = run_timer(r, node, event, token, scope, &left);
        t->left = left == 1 ? 0 : left;
        return status;
    }
    if (e->kind != EVENT_CONDITIONAL) return OK;
    r->conditions++;
    if (!run_holds(r, e->expr, scope)) return OK;
    t->seen = !node_of(r, node)->parallel;
    *ret_fired = true;
    return run_trigger(r, token, v_null());
}

Status run_arm(Run *r, uint32_t node, int64_t host, int64_t scope, bool *ret_fired) {
    const Node *n = node_of(r, node);
    *ret_fired = false;
    for (uint32_t i = 0; i < n->events_count; i++) {
        if (!event_is_armed(n->events[i].kind)) continue;
        Status status = arm_event(r, node, i, host, scope, ret_fired);
        if (status) return status;
        // What it stood beside is gone.
        if (*ret_fired && (n->interrupting || n->kind == NODE_CATCH)) return OK;
    }
    return OK;
}

Status run_catch(Run *r, uint32_t node, int64_t scope) {
    const Node *n = node_of(r, node);
    Token *t = NULL;
    Status status = token_make(r, node, ROLE_WAIT, scope, &t);
    if (status) return status;
    int64_t token = t->id, left;
    bool fired;
    if (n->events_count > 1) return run_arm(r, node, token, scope, &fired);
    if (n->event == EVENT_TIMER) return run_timer(r, node, 0, token, scope, &left);
    if (n->event != EVENT_CONDITIONAL) return OK;
    r->conditions++;
    return run_holds(r, n->events->expr, scope) ? run_trigger(r, token, v_null()) : OK;
}

Status run_event_gate(Run *r, uint32_t node, int64_t scope) {
    const Node *n = node_of(r, node);
    Token *t = NULL;
    Status status = token_make(r, node, ROLE_WAIT, scope, &t);
    int64_t host = status ? 0 : t->id;
    for (uint32_t i = 0; !status && i < n->out_count; i++) {
        bool fired;
        status = run_arm(r, r->flow->edges[n->out[i]].to, host, scope, &fired);
        if (!run_token(r, host)) return status;
    }
    return status;
}

// What an event sets off

static bool is_sibling(const Token *a, const Token *b) {
    return !b->dead && b->role == ROLE_ARM && a->node == b->node && a->host == b->host &&
           a->scope == b->scope;
}

// Of a parallel multiple event: has every one of its events come?
static bool all_seen(const Run *r, const Token *t) {
    for (size_t i = 0; i < r->state.count; i++)
        if (is_sibling(t, &r->state.tokens[i]) && !r->state.tokens[i].seen) return false;
    return true;
}

// A boundary event or event sub-process that does not interrupt goes on waiting.
static Status rearm(Run *r, Token *t) {
    const Node *n = node_of(r, t->node);
    bool parallel = n->parallel && n->events_count > 1;
    Token one = *t;
    for (size_t i = 0; i < r->state.count; i++) {
        Token *s = &r->state.tokens[i];
        if (parallel ? !is_sibling(&one, s) : s != t) continue;
        if (parallel) s->seen = false;
        if (n->events[s->event].kind != EVENT_TIMER) continue;
        bool stays;
        Status status = timer_again(r, s, &stays);
        if (status) return status;
        if (stays) continue;
        s->seen = true; // it fired: nothing to clear
        token_remove(r, s);
    }
    return OK;
}

static Status trigger_boundary(Run *r, Token *t) {
    uint32_t node = t->node;
    int64_t scope = t->scope, host = t->host;
    if (node_of(r, node)->interrupting) {
        // This one is over by itself; the others, and the host, are withdrawn.
        token_remove(r, t);
        token_kill(r, run_token(r, host));
    } else {
        Status status = rearm(r, t);
        if (status) return status;
    }
    return run_leave(r, node, scope);
}

static Status trigger_handler(Run *r, Token *t) {
    uint32_t node = t->node;
    int64_t scope = t->scope;
    if (node_of(r, node)->interrupting) {
        token_remove(r, t);
        scope_kill(r, scope, true);
    } else {
        Status status = rearm(r, t);
        if (status) return status;
    }
    return run_handler(r, node, scope, 0);
}

// One of the events after an event-based gateway, or of a multiple event: the others are over.
static Status trigger_choice(Run *r, Token *t, Value values) {
    uint32_t node = t->node;
    const Node *n = node_of(r, node);
    int64_t scope = t->scope;
    Token *host = run_token(r, t->host);
    bool gate = node_of(r, host->node)->kind == NODE_EVENT_GATE;
    uint32_t gateway = host->node;
    token_remove(r, t);
    token_kill(r, host);
    if (gate) run_effect(r, FLOW_RECORD, gateway, 0);
    if (n->kind != NODE_RECEIVE || !n->compensable) return run_leave(r, node, scope);
    Token *done = NULL;
    Status status = token_make(r, node, ROLE_WAIT, scope, &done);
    return status ? status : run_activity_end(r, done->id, values);
}

Status run_trigger(Run *r, int64_t token, Value values) {
    Token *t = run_token(r, token);
    assert(t);
    uint32_t node = t->node;
    const Node *n = node_of(r, node);
    int64_t scope = t->scope;
    if (t->role == ROLE_WAIT && n->kind == NODE_RECEIVE)
        return run_activity_end(r, token, values);
    Status status = OK;
    if (values.kind != V_NULL || n->outputs_count) status = run_outputs(r, node, scope, values);
    if (status) return status;
    if (t->role == ROLE_WAIT) {
        token_remove(r, t);
        return run_leave(r, node, scope);
    }
    if (n->parallel && n->events_count > 1) {
        t->seen = true;
        if (!all_seen(r, t)) return OK;
    }
    if (n->kind == NODE_BOUNDARY) return trigger_boundary(r, t);
    if (n->kind == NODE_START && !t->host) return trigger_handler(r, t);
    return trigger_choice(r, t, values);
}

// Delivery

static bool token_catches(const Run *r, const Token *t, EventKind kind, Str name, int64_t only) {
    const Node *n = node_of(r, t->node);
    if (t->dead || (only && only != t->id)) return false;
    const Event *e = NULL;
    if (t->role == ROLE_ARM && !t->seen) e = &n->events[t->event];
    if (t->role == ROLE_WAIT && n->events_count == 1 && n->kind != NODE_SEND) e = n->events;
    return e && e->kind == kind && str_eq(e->name, name);
}

Status run_deliver(Run *r, EventKind kind, Str name, int64_t only, Value values,
                   size_t *ret_caught) {
    size_t count = r->state.count, caught = 0;
    int64_t *waiting = arena_alloc_n(r->arena, count + 1, sizeof *waiting);
    r->work += count;
    for (size_t i = 0; i < count; i++) {
        if (!token_catches(r, &r->state.tokens[i], kind, name, only)) continue;
        waiting[caught++] = r->state.tokens[i].id;
        if (kind == EVENT_MESSAGE) break;
    }
    for (size_t i = 0; i < caught; i++) {
        if (!run_token(r, waiting[i])) continue; // an earlier one ended it
        Status status = run_trigger(r, waiting[i], values);
        if (status) return status;
    }
    *ret_caught = caught;
    return OK;
}

Status run_conditions(Run *r) {
    r->dirty = false;
    if (!r->conditions) return OK;
    size_t count = r->state.count;
    r->work += count;
    for (size_t i = 0; i < count; i++) {
        Token *t = &r->state.tokens[i];
        const Node *n = node_of(r, t->node);
        if (t->dead || (t->role != ROLE_ARM && t->role != ROLE_WAIT)) continue;
        if (!n->events_count) continue;
        const Event *e = &n->events[t->role == ROLE_ARM ? t->event : 0];
        bool several = t->role == ROLE_WAIT && n->events_count > 1;
        if (e->kind != EVENT_CONDITIONAL || several) continue;
        bool parallel = n->parallel && n->events_count > 1;
        bool holds = run_holds(r, e->expr, t->scope), was = t->seen;
        if (!parallel || holds) t->seen = holds;
        if (!holds || was) continue;
        Status status = run_trigger(r, t->id, v_null());
        if (status) return status;
    }
    return OK;
}

// How processes begin

static Status begin_start(Run *r, uint32_t node, Str by) {
    const Node *n = node_of(r, node);
    if (!n->parallel || n->events_count < 2) return run_leave(r, node, 0);
    // The other events are waited for.
    Token *t = NULL;
    Status status = token_make(r, node, ROLE_WAIT, 0, &t);
    int64_t host = status ? 0 : t->id;
    bool came = false, fired = false;
    for (uint32_t i = 0; i < n->events_count && !status; i++) {
        bool this = !came && (!by.len || str_eq(n->events[i].name, by));
        came |= this;
        if (!this) status = arm_event(r, node, i, host, 0, &fired);
    }
    return status;
}

// By an event after a gateway that instantiates.
static Status begin_gate(Run *r, uint32_t gate, uint32_t node) {
    const Node *g = node_of(r, gate);
    run_effect(r, FLOW_RECORD, gate, 0);
    Status status = run_leave(r, node, 0);
    for (uint32_t i = 0; i < g->out_count && g->parallel && !status; i++) {
        uint32_t to = r->flow->edges[g->out[i]].to;
        if (to != node) status = run_enter(r, to, 0, g->out[i]);
    }
    return status;
}

static uint32_t gate_before(const Run *r, const Node *n) {
    if (n->in_count != 1) return NONE;
    uint32_t from = r->flow->edges[n->in[0]].from;
    return node_of(r, from)->kind == NODE_EVENT_GATE && node_of(r, from)->instantiate ? from : NONE;
}

static bool starts_process(const Run *r, const Node *n, uint32_t process) {
    return n->parent == process && n->kind != NODE_PROCESS &&
           (n->kind == NODE_START || (n->kind == NODE_RECEIVE && n->instantiate) ||
            gate_before(r, n) != NONE);
}

static bool started_by(const Node *n, Str name) {
    if (str_eq(n->id, name)) return true;
    for (uint32_t i = 0; i < n->events_count; i++)
        if ((n->events[i].kind == EVENT_MESSAGE || n->events[i].kind == EVENT_SIGNAL) &&
            str_eq(n->events[i].name, name))
            return true;
    return false;
}

// The start event that the input means; NONE: the process begins without one.
static Status start_find(Run *r, uint32_t process, Str name, uint32_t *ret) {
    const Node *p = node_of(r, process);
    for (uint32_t i = process + 1; i < r->flow->nodes_count; i++) {
        const Node *n = node_of(r, i);
        if (n->process != process) break;
        if (!starts_process(r, n, process)) continue;
        bool conditional = n->kind == NODE_START && n->event == EVENT_CONDITIONAL;
        bool fits = name.len ? started_by(n, name) : p->start == i;
        if (!name.len && p->start == NONE && conditional) fits = true;
        if (!fits) continue;
        if (conditional && !run_holds(r, n->events->expr, 0)) {
            if (!name.len) continue;
            return error_set(r->err, CONFLICT, n->id, "“{1}”的条件还不成立", node_label(n));
        }
        *ret = i;
        return OK;
    }
    *ret = NONE;
    if (name.len)
        return error_set(r->err, INVALID, S("name"), "流程没有由“{1}”启动的开始事件", name);
    if (p->start == NONE && !p->entries_count)
        return error_set(r->err, CONFLICT, p->id, "流程“{1}”只能由事件启动", node_label(p));
    return OK;
}

Status run_start(Run *r, const FlowInput *in) {
    if (r->state.started) return error_set(r->err, CONFLICT, S("state"), "流程已经启动");
    uint32_t process = in->process.len ? flow_node(r->flow, in->process) : 0;
    if (process == NONE || node_of(r, process)->kind != NODE_PROCESS)
        return error_set(r->err, INVALID, S("process"), "没有流程“{1}”", in->process);
    r->state.started = true;
    r->state.process = process;
    uint32_t start = NONE;
    Status status = run_merge(r, 0, in->values);
    if (!status) status = start_find(r, process, in->name, &start);
    if (status) return status;
    if (start == NONE || start == node_of(r, process)->start)
        return run_scope_begin(r, process, 0, v_null(), start);
    status = run_scope_begin(r, process, 0, v_null(), NONE);
    if (status) return status;
    const Node *n = node_of(r, start);
    if (n->outputs_count) status = run_outputs(r, start, 0, in->values);
    if (status) return status;
    if (n->kind == NODE_START) return begin_start(r, start, in->name);
    uint32_t gate = gate_before(r, n);
    return gate == NONE ? run_leave(r, start, 0) : begin_gate(r, gate, start);
}
