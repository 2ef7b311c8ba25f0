// What a driver may ask of a flow and of a state without moving anything.
#include "bpmn/state.h"

// Processes and how they begin

static Value timer_of(const Event *e, Instant now, Arena *a) {
    return e->expr ? v_null() : timer_due(&e->timer, now, a);
}

static Value start_value(const Node *n, const Event *e, EventKind kind, Instant now, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("id"), v_str(n->id));
    context_put_new(&b, S("event"), v_str(event_name(kind)));
    context_put_new(&b, S("name"), kind == EVENT_MULTIPLE ? v_null() : v_str(e->name));
    bool timer = kind == EVENT_TIMER;
    context_put_new(&b, S("timer"), timer ? timer_of(e, now, a) : v_null());
    context_put_new(&b, S("repeats"), v_int(timer && !e->expr ? e->timer.repeats : 1));
    return context_done(&b);
}

static bool after_gate(const Flow *f, const Node *n) {
    if (n->in_count != 1) return false;
    const Node *from = &f->nodes[f->edges[n->in[0]].from];
    return from->kind == NODE_EVENT_GATE && from->instantiate;
}

static Value starts_value(const Flow *f, uint32_t process, Instant now, Arena *a) {
    ListBuilder list = list_make(a);
    for (uint32_t i = process + 1; i < f->nodes_count && f->nodes[i].process == process; i++) {
        const Node *n = &f->nodes[i];
        if (n->parent != process || !n->events_count) continue;
        if (n->kind != NODE_START && !(n->kind == NODE_RECEIVE && n->instantiate) &&
            !after_gate(f, n))
            continue;
        if (n->parallel && n->events_count > 1) {
            list_add(&list, start_value(n, n->events, EVENT_MULTIPLE, now, a));
            continue;
        }
        for (uint32_t k = 0; k < n->events_count; k++)
            list_add(&list, start_value(n, &n->events[k], n->events[k].kind, now, a));
    }
    return list_done(&list);
}

Value flow_processes(const Flow *f, Instant now, Arena *a) {
    ListBuilder list = list_make(a);
    for (uint32_t i = 0; i < f->processes_count; i++) {
        const Node *n = &f->nodes[f->processes[i]];
        ContextBuilder b = context_make(a);
        context_put_new(&b, S("id"), v_str(n->id));
        context_put_new(&b, S("name"), v_str(n->name));
        context_put_new(&b, S("executable"), v_bool(f->executable[i]));
        context_put_new(&b, S("starts"), starts_value(f, f->processes[i], now, a));
        list_add(&list, context_done(&b));
    }
    return list_done(&list);
}

// States

Value flow_variables(Value state) { return v_get_lit(state, "v"); }

Str flow_process(const Flow *f, Value state) {
    Str id = v_text(v_get_lit(state, "p"));
    return id.len ? id : f->nodes[0].id;
}

static Str waits_for(const Node *n, const Token *t) {
    if (t->role == ROLE_ARM) return event_name(n->events[t->event].kind);
    if (t->role == ROLE_SCOPE) return S("adhoc");
    if (n->kind == NODE_USER || n->kind == NODE_MANUAL) return S("task");
    return n->outside ? S("service") : event_name(n->event);
}

bool flow_listens(const Flow *f) {
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        const Node *n = &f->nodes[i];
        if (n->kind != NODE_CATCH && n->kind != NODE_BOUNDARY && n->kind != NODE_RECEIVE &&
            n->kind != NODE_START)
            continue;
        for (uint32_t k = 0; k < n->events_count; k++)
            if (n->events[k].kind == EVENT_MESSAGE || n->events[k].kind == EVENT_SIGNAL)
                return true;
    }
    return false;
}

Status flow_waiting(const Flow *f, Value state, Arena *a, Value *ret, Error *err) {
    State s;
    Status status = state_read(f, state, a, &s, err);
    if (status) return status;
    ListBuilder list = list_make(a);
    for (size_t i = 0; i < s.count; i++) {
        const Token *t = &s.tokens[i];
        const Node *n = &f->nodes[t->node];
        bool adhoc = t->role == ROLE_SCOPE && n->adhoc;
        bool event = t->role == ROLE_WAIT && (n->outside || n->events_count == 1);
        if (!adhoc && !event && (t->role != ROLE_ARM || t->seen)) continue;
        Str name = S("");
        if (t->role == ROLE_ARM) name = n->events[t->event].name;
        else if (event && n->events_count == 1 && !n->outside) name = n->events->name;
        ContextBuilder b = context_make(a);
        context_put_new(&b, S("token"), v_int(t->id));
        context_put_new(&b, S("node"), v_str(n->id));
        context_put_new(&b, S("kind"), v_str(waits_for(n, t)));
        context_put_new(&b, S("name"), v_str(name));
        list_add(&list, context_done(&b));
    }
    *ret = list_done(&list);
    return OK;
}
