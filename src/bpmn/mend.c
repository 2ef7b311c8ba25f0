// Looking at a running instance, and mending it, between two steps. See mend.h.
#include "bpmn/mend.h"

#include "bpmn/run.h"

// The timer that the token waits for; NONE when it waits for none.
static uint32_t timer_of(const Node *n, const Token *t) {
    if (t->role == ROLE_WAIT) return n->event == EVENT_TIMER ? 0 : NONE;
    if (t->role != ROLE_ARM || t->seen) return NONE;
    return n->events[t->event].kind == EVENT_TIMER ? t->event : NONE;
}

Status flow_effect_again(const Flow *f, Value state, int64_t token, Value facts, Instant now,
                         Arena *a, FlowEffect *ret, Error *err) {
    Run r = {.flow = f, .arena = a, .err = err, .now = now, .facts.variables = facts};
    Status st = state_read(f, state, a, &r.state, err);
    if (st != OK) return st;
    const Token *t = run_token(&r, token);
    const Node *n = t ? node_of(&r, t->node) : NULL;
    uint32_t timer = t ? timer_of(n, t) : NONE;
    if (!t || (timer == NONE && (t->role != ROLE_WAIT || !n->outside)))
        return error_set(err, CONFLICT, S("token"), "流程已不在这个环节等待");
    if (timer != NONE) {
        int64_t left;
        st = run_timer(&r, t->node, timer, token, t->scope, &left);
    } else {
        st = run_task_effect(&r, t->node, token);
    }
    if (st == OK) *ret = r.effects[r.effects_count - 1];
    return st;
}

Value flow_merge(Value base, Value over, Arena *a) {
    if (base.kind != V_CONTEXT || over.kind != V_CONTEXT) return over;
    ContextBuilder b = context_make(a);
    for (uint32_t i = 0; i < base.len; i++) {
        context_put(&b, base.as.entries[i].key, base.as.entries[i].value);
    }
    for (uint32_t i = 0; i < over.len; i++) { // as deep as values may be
        const Entry *e = &over.as.entries[i];
        context_put(&b, e->key, flow_merge(v_get(base, e->key), e->value, a));
    }
    return context_done(&b);
}

Value flow_with_variables(Value state, Value values, Arena *a) {
    if (v_is_null(state)) return state;
    return v_with(state, S("v"), flow_merge(flow_variables(state), values, a), a);
}

bool flow_place(const Flow *f, Str id, Str *ret_node, Str *ret_name) {
    uint32_t node = flow_node(f, id);
    if (node == NONE) {
        uint32_t edge = flow_edge(f, id);
        if (edge == NONE) return false;
        node = f->edges[edge].from;
    }
    const Node *n = &f->nodes[node];
    *ret_node = n->id;
    *ret_name = n->name.len ? n->name : n->id;
    return true;
}

Str flow_node_name(const Flow *f, Str node, Str lang) {
    uint32_t at = flow_node(f, node);
    if (at == NONE) return S("");
    const Node *n = &f->nodes[at];
    return str_eq(lang, S("en")) && n->name_en.len ? n->name_en : n->name;
}

bool flow_is_automatic(const Flow *f, Str node) {
    uint32_t at = flow_node(f, node);
    if (at == NONE) return false;
    const Node *n = &f->nodes[at];
    return n->outside && n->kind != NODE_USER && n->kind != NODE_MANUAL;
}
