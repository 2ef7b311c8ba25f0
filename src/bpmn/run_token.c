// Tokens and scopes: making, removing, withdrawing. The only place where what keeps a scope alive
// is counted.
#include "bpmn/run.h"

void *run_grow(Run *r, void *items, size_t count, size_t *cap, size_t size) {
    if (count < *cap) return items;
    size_t cap_new = *cap ? *cap * 2 : 8;
    void *more = arena_alloc_raw(r->arena, cap_new * size);
    if (count) memcpy(more, items, count * size);
    *cap = cap_new;
    return more;
}

Str run_number(Run *r, int64_t n) { return arena_printf(r->arena, "%lld", (long long)n); }

FlowEffect *run_effect(Run *r, FlowEffectKind kind, uint32_t node, int64_t token) {
    r->effects = run_grow(r, r->effects, r->effects_count, &r->effects_cap, sizeof *r->effects);
    FlowEffect *e = &r->effects[r->effects_count++];
    e->kind = kind; // field by field: see token_clear
    e->node = node == NONE ? S("") : node_of(r, node)->id;
    e->name = node == NONE ? S("") : node_of(r, node)->name;
    e->token = token;
    e->attributes = e->value = v_null();
    return e;
}

static void scope_count(Run *r, int64_t scope, int by) {
    uint32_t *inner = &r->state.inner;
    if (scope) {
        Token *t = run_token(r, scope);
        assert(t);
        inner = &t->inner;
    }
    assert(by > 0 || *inner > 0);
    *inner = (uint32_t)((int64_t)*inner + by);
    if (!*inner) r->emptied = true;
}

static bool token_joins(const Run *r, const Token *t) {
    NodeKind kind = node_of(r, t->node)->kind;
    return (t->role == ROLE_JOIN && (kind == NODE_INCLUSIVE || kind == NODE_COMPLEX)) ||
           t->role == ROLE_RESET;
}

Status token_make(Run *r, uint32_t node, TokenRole role, int64_t scope, Token **ret) {
    if (r->live >= FLOW_TOKENS_MAX)
        return error_set(r->err, LIMIT, node_of(r, node)->id, "流程同时进行的环节超过 {1} 个",
                         run_number(r, FLOW_TOKENS_MAX));
    State *s = &r->state;
    s->tokens = run_grow(r, s->tokens, s->count, &s->cap, sizeof *s->tokens);
    Token *t = &s->tokens[s->count++];
    token_clear(t);
    t->id = s->next++;
    t->scope = scope;
    t->node = node;
    t->role = role;
    r->live++;
    if (token_joins(r, t)) r->joins++;
    if (token_keeps(t)) scope_count(r, scope, 1);
    *ret = t;
    return OK;
}

void token_remove(Run *r, Token *t) {
    assert(!t->dead);
    int64_t scope = t->scope;
    bool keeps = token_keeps(t);
    if (token_joins(r, t)) r->joins--;
    const Node *n = node_of(r, t->node);
    bool armed = t->role == ROLE_ARM && n->events[t->event].kind == EVENT_CONDITIONAL;
    bool waits = t->role == ROLE_WAIT && n->event == EVENT_CONDITIONAL;
    if (armed || waits) r->conditions--;
    t->dead = true;
    r->live--;
    if (keeps) scope_count(r, scope, -1);
}

void token_done(Run *r, Token *t) {
    assert(token_keeps(t) && t->role != ROLE_JOIN);
    int64_t scope = t->scope;
    t->role = ROLE_DONE;
    t->order = r->state.next++;
    t->host = 0;
    scope_count(r, scope, -1);
}

Status run_move(Run *r, Queue *q, MoveKind kind, uint32_t at, int64_t scope) {
    if (++r->steps > FLOW_STEPS_MAX)
        return error_set(r->err, LIMIT, kind == MOVE_EDGE ? r->flow->edges[at].id : S(""),
                         "流程一步之内走过的环节超过 {1} 个，可能是没有等待的循环",
                         run_number(r, FLOW_STEPS_MAX));
    if (q->at == q->count) q->at = q->count = 0;
    q->moves = run_grow(r, q->moves, q->count, &q->cap, sizeof *q->moves);
    q->moves[q->count++] = (Move){kind, at, scope};
    scope_count(r, scope, 1);
    return OK;
}

void token_moved(Run *r, int64_t scope) {
    // A scope that ended meanwhile took its moves with it.
    if (!scope || run_token(r, scope)) scope_count(r, scope, -1);
}

static void moves_drop(Run *r, Queue *q, int64_t scope) {
    for (size_t i = q->at; i < q->count; i++) {
        if (q->moves[i].kind == MOVE_DROPPED || q->moves[i].scope != scope) continue;
        q->moves[i].kind = MOVE_DROPPED;
        scope_count(r, scope, -1);
    }
}

void scope_kill(Run *r, int64_t scope, bool keep_done) {
    moves_drop(r, &r->moves, scope);
    moves_drop(r, &r->throws, scope);
    r->work += r->state.count;
    for (size_t i = r->state.count; i > 0; i--) {
        Token *t = &r->state.tokens[i - 1];
        if (!t->dead && t->scope == scope && !(keep_done && t->role == ROLE_DONE))
            token_kill(r, t);
    }
}

void token_disarm(Run *r, int64_t host) {
    r->work += r->state.count;
    for (size_t i = r->state.count; i > 0; i--) {
        Token *t = &r->state.tokens[i - 1];
        if (!t->dead && t->role == ROLE_ARM && t->host == host) token_kill(r, t);
    }
}

void token_kill(Run *r, Token *t) {
    const Node *n = node_of(r, t->node);
    bool hosts = n->arms || n->kind == NODE_EVENT_GATE || n->events_count > 1;
    switch (t->role) {
    case ROLE_WAIT:
        if (n->outside && !t->told) run_effect(r, FLOW_CLOSE_TASK, t->node, t->id);
        if (n->event == EVENT_TIMER) run_effect(r, FLOW_CLEAR_TIMER, t->node, t->id);
        break;
    case ROLE_ARM:
        if (n->events[t->event].kind == EVENT_TIMER && !t->seen)
            run_effect(r, FLOW_CLEAR_TIMER, t->node, t->id);
        break;
    case ROLE_SCOPE:
        if (n->by_hand && !t->told) run_effect(r, FLOW_CLOSE_TASK, t->node, t->id);
        scope_kill(r, t->id, false);
        break;
    case ROLE_MULTI:
    case ROLE_DONE:
    case ROLE_COMPENSATE: scope_kill(r, t->id, false); break;
    case ROLE_JOIN:
    case ROLE_RESET: break;
    }
    if (hosts && t->role != ROLE_ARM) token_disarm(r, t->id);
    token_remove(r, t);
}
