// Joins. A parallel gateway takes one token from each edge as soon as it has them. An inclusive
// gateway (BPMN 2.0.2, 13.4.3) and the reset of a complex one (13.4.5) wait for what can still
// come, which is decided when nothing else moves. An activity with a startQuantity takes the
// oldest tokens, of whatever edge.
//
// A complex gateway fires when its activationCondition holds (activationCount: tokens that are
// there; without a condition, one is enough). Then it waits for a token on each edge from which it
// has none yet and one can still come; when these are there they are taken, and it is ready again.
// A flow out of it is taken a second time only if its condition asks for waitingForStart and holds.
#include "bpmn/run.h"

static bool waits_at(const Token *t, uint32_t node, int64_t scope) {
    return !t->dead && t->role == ROLE_JOIN && t->node == node && t->scope == scope;
}

// The oldest token at the join that came by this edge (NONE: by any).
static Token *waiting(Run *r, uint32_t node, int64_t scope, uint32_t edge) {
    r->work += r->state.count;
    for (size_t i = 0; i < r->state.count; i++) {
        Token *t = &r->state.tokens[i];
        if (waits_at(t, node, scope) && (edge == NONE || t->edge == edge)) return t;
    }
    return NULL;
}

static size_t waiting_count(Run *r, uint32_t node, int64_t scope) {
    size_t n = 0;
    r->work += r->state.count;
    for (size_t i = 0; i < r->state.count; i++) n += waits_at(&r->state.tokens[i], node, scope);
    return n;
}

static Token *reset_of(Run *r, uint32_t node, int64_t scope) {
    for (size_t i = 0; i < r->state.count; i++) {
        Token *t = &r->state.tokens[i];
        if (!t->dead && t->role == ROLE_RESET && t->node == node && t->scope == scope) return t;
    }
    return NULL;
}

// Parallel: true when a token came by each edge, which are then taken.
static bool take_all(Run *r, uint32_t node, int64_t scope) {
    const Node *n = node_of(r, node);
    for (uint32_t i = 0; i < n->in_count; i++)
        if (!waiting(r, node, scope, n->in[i])) return false;
    for (uint32_t i = 0; i < n->in_count; i++)
        token_remove(r, waiting(r, node, scope, n->in[i]));
    return true;
}

// Takes one token of each edge on which any waits, and says which these are.
static Value take_each(Run *r, uint32_t node, int64_t scope) {
    const Node *n = node_of(r, node);
    ListBuilder edges = list_make(r->arena);
    for (uint32_t i = 0; i < n->in_count; i++) {
        Token *t = waiting(r, node, scope, n->in[i]);
        if (!t) continue;
        list_add(&edges, v_str(r->flow->edges[n->in[i]].id));
        token_remove(r, t);
    }
    return list_done(&edges);
}

// Fires for the first time, if its condition holds.
static Status complex_try(Run *r, uint32_t node, int64_t scope, bool *ret_fired) {
    const Node *n = node_of(r, node);
    size_t count = waiting_count(r, node, scope);
    if (!count || reset_of(r, node, scope)) return OK;
    Value v = v_bool(true);
    if (n->condition) {
        ContextBuilder b = context_make(r->arena);
        context_put_new(&b, S("activationCount"), v_int((int64_t)count));
        context_put_new(&b, S("waitingForStart"), v_bool(true));
        Str why = S("");
        if (!run_evaluate(r, n->condition, scope, context_done(&b), &v, &why) ||
            v.kind != V_BOOL)
            return error_set(r->err, INVALID, n->id, "复杂网关“{1}”的激活条件无法判断：{2}",
                             node_label(n), why);
    }
    if (!v_true(v)) return OK;
    *ret_fired = true;
    Value edges = take_each(r, node, scope);
    Token *t = NULL;
    Status status = token_make(r, node, ROLE_RESET, scope, &t);
    if (status) return status;
    t->item = edges;
    return run_leave_complex(r, node, scope, false);
}

Status run_join(Run *r, uint32_t node, int64_t scope, uint32_t edge) {
    const Node *n = node_of(r, node);
    Token *t = NULL;
    Status status = token_make(r, node, ROLE_JOIN, scope, &t);
    if (status) return status;
    t->edge = edge;
    bool fired = false;
    switch (n->kind) {
    case NODE_INCLUSIVE: return OK;
    case NODE_COMPLEX: return complex_try(r, node, scope, &fired);
    case NODE_PARALLEL: return take_all(r, node, scope) ? run_leave(r, node, scope) : OK;
    default: break;
    }
    if (waiting_count(r, node, scope) < n->start_quantity) return OK;
    for (uint32_t i = 0; i < n->start_quantity; i++)
        token_remove(r, waiting(r, node, scope, NONE));
    return run_activity(r, node, scope);
}

// When nothing moves

static bool node_reaches(const Node *join, uint32_t in, uint32_t node) {
    return join->reach[in][node / 64] >> (node % 64) & 1;
}

// A token elsewhere holds the join back when it could still come by an edge on which none waits,
// unless it could as well come by one on which one does.
static bool nothing_comes(Run *r, uint32_t node, int64_t scope, const bool *waits) {
    const Node *n = node_of(r, node);
    for (size_t k = 0; k < r->state.count; k++) {
        const Token *t = &r->state.tokens[k];
        if (t->dead || t->scope != scope || !token_keeps(t) || t->node == node) continue;
        bool to_empty = false, to_waiting = false;
        for (uint32_t i = 0; i < n->in_count; i++) {
            if (!node_reaches(n, i, t->node)) continue;
            if (waits[i]) to_waiting = true;
            else to_empty = true;
        }
        r->work += n->in_count;
        if (to_empty && !to_waiting) return false;
    }
    r->work += r->state.count;
    return true;
}

static void waits_fill(Run *r, uint32_t node, int64_t scope, bool *waits) {
    const Node *n = node_of(r, node);
    for (uint32_t i = 0; i < n->in_count; i++)
        waits[i] = waiting(r, node, scope, n->in[i]) != NULL;
}

static Status inclusive_try(Run *r, uint32_t node, int64_t scope, bool *ret_fired) {
    bool *waits = arena_array(r->arena, bool, node_of(r, node)->in_count);
    waits_fill(r, node, scope, waits);
    if (!nothing_comes(r, node, scope, waits)) return OK;
    *ret_fired = true;
    (void)take_each(r, node, scope);
    return run_leave(r, node, scope);
}

static Status reset_try(Run *r, int64_t token, bool *ret_fired) {
    const Token *t = run_token(r, token);
    uint32_t node = t->node;
    int64_t scope = t->scope;
    const Node *n = node_of(r, node);
    bool *waits = arena_array(r->arena, bool, n->in_count);
    bool *taken = arena_array(r->arena, bool, n->in_count);
    waits_fill(r, node, scope, waits);
    for (uint32_t i = 0; i < n->in_count; i++)
        for (uint32_t k = 0; k < t->item.len && !taken[i]; k++)
            taken[i] = str_eq(v_text(v_at(t->item, k)), r->flow->edges[n->in[i]].id);
    r->work += (size_t)n->in_count * t->item.len;
    for (uint32_t i = 0; i < n->in_count; i++) waits[i] |= taken[i];
    if (!nothing_comes(r, node, scope, waits)) return OK;
    *ret_fired = true;
    for (uint32_t i = 0; i < n->in_count; i++) {
        Token *w = taken[i] ? NULL : waiting(r, node, scope, n->in[i]);
        if (w) token_remove(r, w);
    }
    token_remove(r, run_token(r, token));
    Status status = run_leave_complex(r, node, scope, true);
    bool again;
    return status ? status : complex_try(r, node, scope, &again);
}

Status run_joins(Run *r, bool *ret_fired) {
    for (size_t i = 0; i < r->state.count && r->joins; i++) {
        const Token *t = &r->state.tokens[i];
        if (t->dead) continue;
        NodeKind kind = node_of(r, t->node)->kind;
        Status status = OK;
        if (t->role == ROLE_JOIN && kind == NODE_INCLUSIVE)
            status = inclusive_try(r, t->node, t->scope, ret_fired);
        else if (t->role == ROLE_RESET) status = reset_try(r, t->id, ret_fired);
        if (status || *ret_fired) return status;
        if (r->work > FLOW_WORK_MAX)
            return error_set(r->err, LIMIT, node_of(r, t->node)->id,
                             "流程的包容网关太复杂，超过了计算限度");
    }
    return OK;
}
