// Looking at a running instance, and mending it, between two steps. See mend.h.
#include "bpmn/mend.h"

#include "bpmn/state.h"

// ---- what an expression sees: as in run.c, from a state that is only read ----

static const FeelScope *scope_of(const Flow *f, State *s, int64_t scope, const FeelScope *outermost,
                                 Arena *a) {
    if (scope == 0) return outermost;
    const Token *t = state_token(s, scope);
    if (!t) return outermost;
    const FeelScope *outer = scope_of(f, s, t->scope, outermost, a);
    if (!t->index) return outer;
    const Multi *multi = f->nodes[t->node].multi;
    ContextBuilder b = context_make(a);
    context_put(&b, S("loopCounter"), v_int(t->index));
    if (multi && multi->item.len) context_put(&b, multi->item, t->item);
    FeelScope *own = arena_new(a, FeelScope);
    *own = (FeelScope){.variables = context_done(&b), .outer = outer};
    return own;
}

static Status evaluate(const FeelRun *run, const FeelExpr *expr, const Node *n, Str what,
                       Value *ret, Error *err) {
    FeelRun own = *run;
    Value v = feel_eval(&own, expr);
    if (v.kind == V_NULL && own.diagnostics_count) {
        Error told = {.text = own.diagnostics[0].text};
        memcpy(told.args, own.diagnostics[0].args, sizeof told.args);
        return error_set(err, INVALID, n->id, "环节“{1}”的属性 {2} 无法计算：{3}",
                         n->name.len ? n->name : n->id, what,
                         error_message(&told, NULL, NULL, own.arena));
    }
    *ret = v;
    return OK;
}

static Status attributes_again(const Node *n, const FeelRun *run, Value *ret, Error *err) {
    if (n->fixed.kind == V_CONTEXT) {
        *ret = n->fixed;
        return OK;
    }
    ContextBuilder b = context_make(run->arena);
    for (uint32_t i = 0; i < n->attributes_count; i++) {
        const Attribute *at = &n->attributes[i];
        Value v = v_str(at->text);
        if (at->expr) {
            Status st = evaluate(run, at->expr, n, at->name, &v, err);
            if (st != OK) return st;
        }
        context_put(&b, at->name, v);
    }
    *ret = context_done(&b);
    return OK;
}

Status flow_effect_again(const Flow *f, Value state, int64_t token, Value facts, Instant now,
                         Arena *a, FlowEffect *ret, Error *err) {
    State s;
    Status st = state_read(f, state, a, &s, err);
    if (st != OK) return st;
    const Token *t = state_token(&s, token);
    const Node *n = t ? &f->nodes[t->node] : NULL;
    bool timer = n && n->event == EVENT_TIMER && (t->role == ROLE_WAIT || t->role == ROLE_ARM);
    if (!n || (!timer && (t->role != ROLE_WAIT || !node_is_completed_from_outside(n)))) {
        return error_set(err, CONFLICT, S("token"), "流程已不在这个环节等待");
    }
    FeelScope known = {.variables = facts};
    FeelScope variables = {.variables = s.variables,
                           .outer = facts.kind == V_CONTEXT ? &known : NULL};
    FeelRun run = {.arena = a, .now = now, .scope = scope_of(f, &s, t->scope, &variables, a)};
    FlowEffect fx = {.node = n->id, .name = n->name, .token = token};
    if (timer) {
        fx.kind = FLOW_SET_TIMER;
        st = evaluate(&run, n->timer, n, S("timer"), &fx.value, err);
    } else {
        bool person = n->kind == NODE_USER || n->kind == NODE_MANUAL;
        fx.kind = person ? FLOW_OPEN_TASK : FLOW_CALL_SERVICE;
        st = attributes_again(n, &run, &fx.attributes, err);
    }
    if (st == OK) *ret = fx;
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

bool flow_is_automatic(const Flow *f, Str node) {
    uint32_t at = flow_node(f, node);
    if (at == NONE) return false;
    NodeKind kind = f->nodes[at].kind;
    return kind == NODE_SERVICE || kind == NODE_SEND || kind == NODE_RULE;
}
