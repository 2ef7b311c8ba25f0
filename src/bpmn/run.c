// The engine: one step from state and input to state and effects (BPMN 2.0.2, chapter 13).
//
// A step puts moves on a queue (a token about to travel an edge) and works the queue off in
// order. When it is empty, what depends on nothing moving any more is decided: inclusive joins,
// then sub-processes that have emptied. When that moves nothing either, the step is over.
//
// Invariants: tokens stand in `state.tokens` ascending by id, dead ones are only marked; the
// `inner` of a sub-process or loop counts the live tokens and queued moves that live in it; the
// input is untouched, so a step that fails has changed nothing.
//
// Limits: FLOW_STEPS_MAX moves, FLOW_TOKENS_MAX live tokens, and FLOW_WORK_MAX looks at tokens for
// joins, so that no model can hold the engine for long.
#include "bpmn/state.h"

#include <assert.h>

enum { FLOW_WORK_MAX = 5000000 };

// Instead of an edge in a move.
#define MOVE_DROPPED UINT32_MAX             // its scope has ended
#define MOVE_NEXT_INSTANCE (UINT32_MAX - 1) // the loop `scope` begins its next instance

typedef struct Move {
    uint32_t edge;
    int64_t scope;
} Move;

typedef struct Run {
    const Flow *flow;
    Arena *arena;
    Error *err;
    Instant now;
    State state;
    FeelScope facts; // of the input: seen behind the variables, never kept
    Move *moves; // [moves_at, moves_count) are still to do
    size_t moves_at, moves_count, moves_cap;
    FlowEffect *effects;
    size_t effects_count, effects_cap;
    size_t steps, work, live;
} Run;

static const Node *node_of(const Run *r, uint32_t node) { return &r->flow->nodes[node]; }

// The array with room for one more.
static void *grow(Run *r, void *items, size_t count, size_t *cap, size_t size) {
    if (count < *cap) return items;
    size_t cap_new = *cap ? *cap * 2 : 8;
    void *more = arena_alloc_n(r->arena, cap_new, size);
    if (count) memcpy(more, items, count * size);
    *cap = cap_new;
    return more;
}

static Str number_text(Run *r, int64_t n) { return arena_printf(r->arena, "%lld", (long long)n); }

// Effects

static FlowEffect *effect(Run *r, FlowEffectKind kind, uint32_t node, int64_t token) {
    r->effects = grow(r, r->effects, r->effects_count, &r->effects_cap, sizeof *r->effects);
    FlowEffect *e = &r->effects[r->effects_count++];
    *e = (FlowEffect){.kind = kind, .token = token};
    if (node != NONE) {
        e->node = node_of(r, node)->id;
        e->name = node_of(r, node)->name;
    }
    return e;
}

// Expressions

// What an expression in `scope` sees: the members of the loops it stands in, innermost first,
// then the variables of the instance, then the facts of the input. As deep as sub-processes are
// nested in the model.
static const FeelScope *scope_of(Run *r, int64_t scope) {
    FeelScope *s;
    if (scope == 0) {
        s = arena_new(r->arena, FeelScope);
        s->variables = r->state.variables;
        s->outer = r->facts.variables.kind == V_CONTEXT ? &r->facts : NULL;
        return s;
    }
    const Token *t = state_token(&r->state, scope);
    assert(t);
    const FeelScope *outer = scope_of(r, t->scope);
    if (!t->index) return outer;
    ContextBuilder b = context_make(r->arena);
    context_put(&b, S("loopCounter"), v_int(t->index));
    const Multi *multi = node_of(r, t->node)->multi;
    if (multi->item.len) context_put(&b, multi->item, t->item);
    s = arena_new(r->arena, FeelScope);
    *s = (FeelScope){.variables = context_done(&b), .outer = outer};
    return s;
}

// False: it could not be evaluated (null with a diagnostic); *ret_why then says why.
// `own`, a context or null, comes before everything else.
static bool evaluate(Run *r, const FeelExpr *e, int64_t scope, Value own, Value *ret,
                     Str *ret_why) {
    FeelScope first = {.variables = own, .outer = scope_of(r, scope)};
    FeelRun run = {
        .arena = r->arena, .now = r->now, .scope = own.kind == V_CONTEXT ? &first : first.outer};
    Value v = feel_eval(&run, e);
    *ret_why = S("");
    if (v.kind == V_NULL && run.diagnostics_count) {
        Error told = {.text = run.diagnostics[0].text};
        memcpy(told.args, run.diagnostics[0].args, sizeof told.args);
        *ret_why = error_message(&told, NULL, NULL, r->arena);
        return false;
    }
    *ret = v;
    return true;
}

static Status decide(Run *r, uint32_t edge, int64_t scope, bool *ret) {
    const Edge *e = &r->flow->edges[edge];
    if (!e->condition) {
        *ret = true;
        return OK;
    }
    Value v = v_null();
    Str why;
    bool told = evaluate(r, e->condition, scope, v_null(), &v, &why);
    if (!told || v.kind != V_BOOL)
        return error_set(r->err, INVALID, e->id, "顺序流“{1}”的条件无法判断：{2}",
                         e->name.len ? e->name : e->id, why.len ? why : S("结果既不是真也不是假"));
    *ret = v.as.boolean;
    return OK;
}

static Status attributes_of(Run *r, uint32_t node, int64_t scope, Value own, Value *ret) {
    const Node *n = node_of(r, node);
    if (n->fixed.kind == V_CONTEXT) {
        *ret = n->fixed;
        return OK;
    }
    ContextBuilder b = context_make(r->arena);
    for (uint32_t i = 0; i < n->attributes_count; i++) {
        const Attribute *at = &n->attributes[i];
        Value v = v_str(at->text);
        Str why;
        if (at->expr && !evaluate(r, at->expr, scope, own, &v, &why))
            return error_set(r->err, INVALID, n->id, "环节“{1}”的属性 {2} 无法计算：{3}",
                             n->name.len ? n->name : n->id, at->name, why);
        context_put(&b, at->name, v);
    }
    *ret = context_done(&b);
    return OK;
}

// Tokens and moves

static void scope_count(Run *r, int64_t scope, int by) {
    if (!scope) return;
    Token *t = state_token(&r->state, scope);
    assert(t && (by > 0 || t->inner > 0));
    t->inner = (uint32_t)((int64_t)t->inner + by);
}

// The pointer is good until the next token is made.
static Status token_make(Run *r, uint32_t node, TokenRole role, int64_t scope, Token **ret) {
    if (r->live >= FLOW_TOKENS_MAX)
        return error_set(r->err, LIMIT, node_of(r, node)->id, "流程同时进行的环节超过 {1} 个",
                         number_text(r, FLOW_TOKENS_MAX));
    State *s = &r->state;
    s->tokens = grow(r, s->tokens, s->count, &s->cap, sizeof *s->tokens);
    Token *t = &s->tokens[s->count++];
    *t = (Token){.id = s->next++, .scope = scope, .node = node, .role = role, .edge = NONE};
    r->live++;
    scope_count(r, scope, 1);
    *ret = t;
    return OK;
}

static void token_remove(Run *r, Token *t) {
    assert(!t->dead);
    int64_t scope = t->scope;
    t->dead = true;
    r->live--;
    scope_count(r, scope, -1);
}

static Status move_add(Run *r, uint32_t edge, int64_t scope) {
    if (r->moves_count >= FLOW_STEPS_MAX)
        return error_set(r->err, LIMIT, edge < MOVE_NEXT_INSTANCE ? r->flow->edges[edge].id : S(""),
                         "流程一步之内走过的环节超过 {1} 个，可能是没有等待的循环",
                         number_text(r, FLOW_STEPS_MAX));
    r->moves = grow(r, r->moves, r->moves_count, &r->moves_cap, sizeof *r->moves);
    r->moves[r->moves_count++] = (Move){edge, scope};
    scope_count(r, scope, 1);
    return OK;
}

static void token_kill(Run *r, Token *t);

// Everything that lives in the scope ends, newest first.
static void scope_kill(Run *r, int64_t scope) {
    for (size_t i = r->moves_at; i < r->moves_count; i++) {
        if (r->moves[i].edge == MOVE_DROPPED || r->moves[i].scope != scope) continue;
        r->moves[i].edge = MOVE_DROPPED;
        scope_count(r, scope, -1);
    }
    for (size_t i = r->state.count; i > 0; i--) {
        Token *t = &r->state.tokens[i - 1];
        if (!t->dead && t->scope == scope) token_kill(r, t);
    }
}

// What waits beside an activity or an event-based gateway for an event.
static void disarm(Run *r, int64_t host) {
    for (size_t i = r->state.count; i > 0; i--) {
        Token *t = &r->state.tokens[i - 1];
        if (!t->dead && t->role == ROLE_ARM && t->host == host) token_kill(r, t);
    }
}

static bool node_has_timer(const Node *n) { return n->event == EVENT_TIMER; }

// The driver is told to withdraw what the token stood for.
static void token_kill(Run *r, Token *t) {
    const Node *n = node_of(r, t->node);
    switch (t->role) {
    case ROLE_WAIT:
        if (node_is_completed_from_outside(n)) effect(r, FLOW_CLOSE_TASK, t->node, t->id);
        if (node_has_timer(n)) effect(r, FLOW_CLEAR_TIMER, t->node, t->id);
        break;
    case ROLE_ARM:
        if (node_has_timer(n)) effect(r, FLOW_CLEAR_TIMER, t->node, t->id);
        break;
    case ROLE_SCOPE:
    case ROLE_MULTI: scope_kill(r, t->id); break;
    case ROLE_JOIN: break;
    }
    if (n->boundary_count || n->kind == NODE_EVENT_GATE) disarm(r, t->id);
    token_remove(r, t);
}

// Leaving a node

static Status undecided(Run *r, const Node *n) {
    return error_set(r->err, INVALID, n->id, "“{1}”的出线没有一条条件成立，也没有默认出线",
                     n->name.len ? n->name : n->id);
}

// Exclusive: the first edge whose condition holds, else the default.
static Status leave_by_one(Run *r, const Node *n, int64_t scope) {
    for (uint32_t i = 0; i < n->out_count; i++) {
        if (n->out[i] == n->fallback) continue;
        bool yes = false;
        Status status = decide(r, n->out[i], scope, &yes);
        if (status) return status;
        if (yes) return move_add(r, n->out[i], scope);
    }
    if (n->fallback == NONE) return undecided(r, n);
    return move_add(r, n->fallback, scope);
}

// Every edge whose condition holds, else the default. All conditions are decided before anything
// moves, so they see the same variables.
static Status leave_by_all(Run *r, const Node *n, int64_t scope) {
    bool any = false;
    for (uint32_t i = 0; i < n->out_count; i++) {
        if (n->out[i] == n->fallback) continue;
        bool yes = false;
        Status status = decide(r, n->out[i], scope, &yes);
        if (!status && yes) status = move_add(r, n->out[i], scope);
        if (status) return status;
        any |= yes && (n->kind == NODE_INCLUSIVE || r->flow->edges[n->out[i]].condition);
        if (yes && n->fallback == NONE) any = true;
    }
    if (any) return OK;
    if (n->fallback == NONE) return undecided(r, n);
    return move_add(r, n->fallback, scope);
}

static Status leave(Run *r, uint32_t node, int64_t scope) {
    const Node *n = node_of(r, node);
    effect(r, FLOW_RECORD, node, 0);
    if (n->out_count == 0) return OK; // end events; the linter allows no others
    if (n->kind == NODE_EXCLUSIVE) return leave_by_one(r, n, scope);
    return leave_by_all(r, n, scope);
}

// Waiting for events

static Status timer_set(Run *r, uint32_t node, int64_t token, int64_t scope) {
    const Node *n = node_of(r, node);
    Value v = v_null();
    Str why;
    bool told = evaluate(r, n->timer, scope, v_null(), &v, &why);
    bool fits =
        v.kind == V_DURATION || v.kind == V_MONTHS || v.kind == V_DATE || v.kind == V_DATE_TIME;
    if (!told || !fits)
        return error_set(r->err, INVALID, n->id, "计时“{1}”算不出时长或时刻：{2}",
                         n->name.len ? n->name : n->id,
                         why.len ? why : str_z(v_kind_name((ValueKind)v.kind)));
    effect(r, FLOW_SET_TIMER, node, token)->value = v;
    return OK;
}

static Status arm(Run *r, uint32_t node, int64_t host, int64_t scope) {
    Token *t = NULL;
    Status status = token_make(r, node, ROLE_ARM, scope, &t);
    if (status) return status;
    t->host = host;
    return node_has_timer(node_of(r, node)) ? timer_set(r, node, t->id, scope) : OK;
}

static Status arm_boundary(Run *r, uint32_t node, int64_t host, int64_t scope) {
    const Node *n = node_of(r, node);
    for (uint32_t i = 0; i < n->boundary_count; i++) {
        Status status = arm(r, n->boundary[i], host, scope);
        if (status) return status;
    }
    return OK;
}

// Activities

static Status activity_begin(Run *r, uint32_t node, int64_t scope, int64_t index, Value item);

static Status multi_count(Run *r, uint32_t node, int64_t scope, Value *ret_list, int64_t *ret) {
    const Node *n = node_of(r, node);
    const FeelExpr *e = n->multi->input ? n->multi->input : n->multi->cardinality;
    Value v = v_null();
    Str why = S("");
    int64_t total = -1;
    if (evaluate(r, e, scope, v_null(), &v, &why))
        total = !n->multi->input ? v_to_int(v, -1) : v.kind == V_LIST ? (int64_t)v.len : -1;
    if (total < 0)
        return error_set(r->err, INVALID, n->id, "“{1}”要办几份算不出来：{2}",
                         n->name.len ? n->name : n->id, why);
    if (total > FLOW_TOKENS_MAX)
        return error_set(r->err, LIMIT, n->id, "“{1}”要办的份数超过 {2}",
                         n->name.len ? n->name : n->id, number_text(r, FLOW_TOKENS_MAX));
    *ret_list = v;
    *ret = total;
    return OK;
}

// One more instance of the loop `body`.
static Status multi_start(Run *r, int64_t body, Value list) {
    Token *t = state_token(&r->state, body);
    assert(t && t->role == ROLE_MULTI && t->started < t->total);
    uint32_t at = t->started++;
    return activity_begin(r, t->node, body, (int64_t)at + 1, v_at(list, at));
}

// The next instance of a sequential loop. Its list may have changed since the loop began; a place
// that is gone is null.
static Status multi_next(Run *r, int64_t body) {
    const Token *t = state_token(&r->state, body);
    assert(t);
    Value list = v_null();
    if (node_of(r, t->node)->multi->input) {
        int64_t total;
        Status status = multi_count(r, t->node, t->scope, &list, &total);
        if (status) return status;
    }
    return multi_start(r, body, list);
}

static Status activity_leave(Run *r, uint32_t node, int64_t token, int64_t scope) {
    if (node_of(r, node)->boundary_count) disarm(r, token);
    return leave(r, node, scope);
}

static Status multi_begin(Run *r, uint32_t node, int64_t scope) {
    Value list = v_null();
    int64_t total = 0;
    Status status = multi_count(r, node, scope, &list, &total);
    if (status) return status;
    const Multi *multi = node_of(r, node)->multi;
    if (multi->results.len) {
        ListBuilder b = list_make(r->arena);
        for (int64_t i = 0; i < total; i++) list_add(&b, v_null());
        r->state.variables = v_with(r->state.variables, multi->results, list_done(&b), r->arena);
    }
    if (total == 0) return leave(r, node, scope);
    Token *t = NULL;
    status = token_make(r, node, ROLE_MULTI, scope, &t);
    if (status) return status;
    t->total = (uint32_t)total;
    int64_t body = t->id;
    status = arm_boundary(r, node, body, scope);
    uint32_t first = multi->sequential ? 1 : (uint32_t)total;
    for (uint32_t i = 0; !status && i < first; i++) {
        if (!state_token(&r->state, body)) break; // completed by a condition meanwhile
        status = multi_start(r, body, list);
    }
    return status;
}

// The list with one place changed; longer when it has to be.
static Value list_with(Value list, int64_t at, Value v, Arena *a) {
    ListBuilder b = list_make(a);
    uint32_t len = list.kind == V_LIST ? list.len : 0;
    for (uint32_t i = 0; i < len || i <= (uint32_t)at; i++)
        list_add(&b, i == (uint32_t)at ? v : v_at(list, i));
    return list_done(&b);
}

// An instance of a loop is done: is the loop?
static Status multi_instance_done(Run *r, int64_t body) {
    Token *t = state_token(&r->state, body);
    assert(t && t->role == ROLE_MULTI);
    t->done++;
    uint32_t node = t->node;
    int64_t scope = t->scope;
    const Multi *multi = node_of(r, node)->multi;
    bool over = t->done == t->total;
    if (!over && multi->until) {
        ContextBuilder b = context_make(r->arena);
        context_put(&b, S("numberOfInstances"), v_int(t->total));
        context_put(&b, S("numberOfActiveInstances"), v_int((int64_t)t->started - t->done));
        context_put(&b, S("numberOfCompletedInstances"), v_int(t->done));
        Value v = v_null();
        Str why;
        if (!evaluate(r, multi->until, scope, context_done(&b), &v, &why) || v.kind != V_BOOL)
            return error_set(r->err, INVALID, node_of(r, node)->id, "“{1}”的结束条件无法判断：{2}",
                             node_of(r, node)->name, why);
        over = v.as.boolean;
    }
    if (over) {
        scope_kill(r, body);
        token_remove(r, state_token(&r->state, body));
        return activity_leave(r, node, body, scope);
    }
    // By the queue, not by recursion: instances may end as they begin.
    return multi->sequential ? move_add(r, MOVE_NEXT_INSTANCE, body) : OK;
}

// The work of the activity's token is done.
static Status activity_end(Run *r, int64_t token) {
    Token *t = state_token(&r->state, token);
    assert(t);
    uint32_t node = t->node;
    int64_t scope = t->scope, index = t->index;
    token_remove(r, t);
    if (!index) return activity_leave(r, node, token, scope);
    const Multi *multi = node_of(r, node)->multi;
    if (multi->results.len) {
        Value list = list_with(v_get(r->state.variables, multi->results), index - 1,
                               v_get(r->state.variables, multi->result), r->arena);
        r->state.variables = v_with(r->state.variables, multi->results, list, r->arena);
    }
    return multi_instance_done(r, scope);
}

static Status script_run(Run *r, uint32_t node, int64_t token) {
    const Node *n = node_of(r, node);
    Value v = v_null();
    Str why;
    bool told = evaluate(r, n->script, token, v_null(), &v, &why);
    if (!told || (!n->result.len && v.kind != V_CONTEXT))
        return error_set(r->err, INVALID, n->id, "脚本“{1}”没有算出结果：{2}",
                         n->name.len ? n->name : n->id, why);
    r->state.variables = n->result.len ? v_with(r->state.variables, n->result, v, r->arena)
                                       : v_merge(r->state.variables, v, r->arena);
    return activity_end(r, token);
}

static Status enter(Run *r, uint32_t node, int64_t scope, uint32_t edge);

static Status activity_begin(Run *r, uint32_t node, int64_t scope, int64_t index, Value item) {
    const Node *n = node_of(r, node);
    Token *t = NULL;
    Status status =
        token_make(r, node, n->kind == NODE_SUBPROCESS ? ROLE_SCOPE : ROLE_WAIT, scope, &t);
    if (status) return status;
    t->index = index;
    t->item = item;
    int64_t token = t->id;
    if (n->kind == NODE_SCRIPT) return script_run(r, node, token);
    if (node_is_completed_from_outside(n)) {
        Value attributes = v_null();
        status = attributes_of(r, node, token, v_null(), &attributes);
        if (status) return status;
        bool task = n->kind == NODE_USER || n->kind == NODE_MANUAL;
        effect(r, task ? FLOW_OPEN_TASK : FLOW_CALL_SERVICE, node, token)->attributes = attributes;
    }
    if (!index) status = arm_boundary(r, node, token, scope);
    if (status || n->kind != NODE_SUBPROCESS) return status;
    return enter(r, n->start, token, NONE);
}

// Entering a node

// Parallel: one token from each edge. False when one is missing; takes them when none is.
static bool join_parallel(Run *r, const Node *n, uint32_t node, int64_t scope) {
    State *s = &r->state;
    size_t found = 0;
    for (int take = 0; take < 2; take++) {
        for (uint32_t i = 0; i < n->in_count; i++) {
            Token *here = NULL;
            for (size_t k = 0; k < s->count && !here; k++) {
                Token *t = &s->tokens[k];
                if (!t->dead && t->role == ROLE_JOIN && t->node == node && t->scope == scope &&
                    t->edge == n->in[i])
                    here = t;
            }
            r->work += s->count;
            if (!here) return false;
            found++;
            if (take) token_remove(r, here);
        }
    }
    assert(found == 2 * (size_t)n->in_count);
    return true;
}

static Status enter_join(Run *r, uint32_t node, int64_t scope, uint32_t edge) {
    const Node *n = node_of(r, node);
    Token *t = NULL;
    Status status = token_make(r, node, ROLE_JOIN, scope, &t);
    if (status) return status;
    t->edge = edge;
    if (n->kind == NODE_INCLUSIVE || !join_parallel(r, n, node, scope)) return OK;
    return leave(r, node, scope);
}

static Status enter_event_gate(Run *r, uint32_t node, int64_t scope) {
    const Node *n = node_of(r, node);
    Token *t = NULL;
    Status status = token_make(r, node, ROLE_WAIT, scope, &t);
    int64_t host = status ? 0 : t->id;
    for (uint32_t i = 0; !status && i < n->out_count; i++)
        status = arm(r, r->flow->edges[n->out[i]].to, host, scope);
    return status;
}

static Status enter_end(Run *r, uint32_t node, int64_t scope) {
    const Node *n = node_of(r, node);
    if (scope == 0) r->state.end = node;
    effect(r, FLOW_RECORD, node, 0);
    if (n->event == EVENT_TERMINATE) scope_kill(r, scope);
    return OK;
}

static Status enter(Run *r, uint32_t node, int64_t scope, uint32_t edge) {
    const Node *n = node_of(r, node);
    Token *t = NULL;
    Status status;
    switch (n->kind) {
    case NODE_END: return enter_end(r, node, scope);
    case NODE_START:
    case NODE_THROW:
    case NODE_EXCLUSIVE: return leave(r, node, scope);
    case NODE_PARALLEL:
    case NODE_INCLUSIVE:
        if (n->in_count > 1) return enter_join(r, node, scope, edge);
        return leave(r, node, scope);
    case NODE_EVENT_GATE: return enter_event_gate(r, node, scope);
    case NODE_CATCH:
        status = token_make(r, node, ROLE_WAIT, scope, &t);
        if (status || !node_has_timer(n)) return status;
        return timer_set(r, node, t->id, scope);
    default:
        assert(node_is_activity(n));
        if (n->multi) return multi_begin(r, node, scope);
        return activity_begin(r, node, scope, 0, v_null());
    }
}

// When nothing moves

static bool node_reaches(const Node *join, uint32_t in, uint32_t node) {
    return join->reach[in][node / 64] >> (node % 64) & 1;
}

// BPMN 2.0.2, 13.4.3 (inclusive gateway): a token elsewhere holds the join back when it could
// still come by an edge on which none waits, unless it could as well come by one on which one does.
static bool inclusive_ready(Run *r, const Node *n, uint32_t node, int64_t scope,
                            const bool *waits) {
    State *s = &r->state;
    for (size_t k = 0; k < s->count; k++) {
        Token *t = &s->tokens[k];
        if (t->dead || t->scope != scope || t->role == ROLE_ARM || t->node == node) continue;
        bool to_empty = false, to_waiting = false;
        for (uint32_t i = 0; i < n->in_count; i++) {
            if (!node_reaches(n, i, t->node)) continue;
            if (waits[i]) to_waiting = true;
            else to_empty = true;
        }
        r->work += n->in_count;
        if (to_empty && !to_waiting) return false;
    }
    r->work += s->count;
    return true;
}

static Status inclusive_fire(Run *r, uint32_t node, int64_t scope, bool *ret_fired) {
    const Node *n = node_of(r, node);
    State *s = &r->state;
    bool *waits = arena_array(r->arena, bool, n->in_count);
    for (uint32_t i = 0; i < n->in_count; i++)
        for (size_t k = 0; k < s->count && !waits[i]; k++) {
            Token *t = &s->tokens[k];
            waits[i] = !t->dead && t->role == ROLE_JOIN && t->node == node && t->scope == scope &&
                       t->edge == n->in[i];
        }
    r->work += s->count * n->in_count;
    if (!inclusive_ready(r, n, node, scope, waits)) return OK;
    *ret_fired = true;
    // One token of each edge on which any waits.
    for (size_t k = 0; k < s->count; k++) {
        Token *t = &s->tokens[k];
        if (t->dead || t->role != ROLE_JOIN || t->node != node || t->scope != scope) continue;
        uint32_t i = 0;
        while (n->in[i] != t->edge) i++;
        if (!waits[i]) continue;
        waits[i] = false;
        token_remove(r, t);
    }
    return leave(r, node, scope);
}

static Status inclusive_joins(Run *r, bool *ret_fired) {
    for (size_t i = 0; i < r->state.count; i++) {
        const Token *t = &r->state.tokens[i];
        if (t->dead || t->role != ROLE_JOIN || node_of(r, t->node)->kind != NODE_INCLUSIVE)
            continue;
        Status status = inclusive_fire(r, t->node, t->scope, ret_fired);
        if (status || *ret_fired) return status;
        if (r->work > FLOW_WORK_MAX)
            return error_set(r->err, LIMIT, node_of(r, t->node)->id,
                             "流程的包容网关太复杂，超过了计算限度");
    }
    return OK;
}

static Status empty_scopes(Run *r, bool *ret_moved) {
    for (size_t i = 0; i < r->state.count; i++) {
        const Token *t = &r->state.tokens[i];
        if (t->dead || t->role != ROLE_SCOPE || t->inner) continue;
        *ret_moved = true;
        return activity_end(r, t->id);
    }
    return OK;
}

static Status run_on(Run *r) {
    for (;;) {
        while (r->moves_at < r->moves_count) {
            Move m = r->moves[r->moves_at++];
            if (m.edge == MOVE_DROPPED) continue;
            Status status = m.edge == MOVE_NEXT_INSTANCE
                                ? multi_next(r, m.scope)
                                : enter(r, r->flow->edges[m.edge].to, m.scope, m.edge);
            if (status) return status;
            // Only now: a scope is not empty while a token is on its way in it.
            if (state_token(&r->state, m.scope)) scope_count(r, m.scope, -1);
        }
        bool moved = false;
        Status status = inclusive_joins(r, &moved);
        if (!status && !moved) status = empty_scopes(r, &moved);
        if (status || !moved) return status;
    }
}

// Inputs

static Status merge(Run *r, Value values) {
    if (values.kind == V_NULL) return OK;
    if (values.kind != V_CONTEXT)
        return error_set(r->err, INVALID, S("values"), "流程变量应是一组命名的值");
    r->state.variables = v_merge(r->state.variables, values, r->arena);
    return OK;
}

static Status not_waiting(Run *r, Str what) {
    return error_set(r->err, CONFLICT, S("token"), "这个环节已经办结或撤销，不能再办：{1}", what);
}

// The event that the token waits for has happened.
static Status trigger(Run *r, Token *t) {
    uint32_t node = t->node;
    int64_t scope = t->scope, token = t->id, host = t->host;
    const Node *n = node_of(r, node);
    if (t->role == ROLE_WAIT) {
        if (n->kind == NODE_RECEIVE) return activity_end(r, token);
        token_remove(r, t);
        return leave(r, node, scope);
    }
    if (n->kind != NODE_BOUNDARY || n->interrupting) {
        // This one is over by itself; the others, and the host, are withdrawn.
        token_remove(r, t);
        token_kill(r, state_token(&r->state, host));
        if (n->kind != NODE_BOUNDARY) effect(r, FLOW_RECORD, r->flow->edges[n->in[0]].from, 0);
    } else if (node_has_timer(n)) {
        token_remove(r, t); // a timer comes once, a message as often as it is sent
    }
    return leave(r, node, scope);
}

static Status input_start(Run *r, const FlowInput *in) {
    if (r->state.started) return error_set(r->err, CONFLICT, S("state"), "流程已经启动");
    r->state.started = true;
    Status status = merge(r, in->values);
    return status ? status : enter(r, node_of(r, 0)->start, 0, NONE);
}

static Status input_complete(Run *r, const FlowInput *in) {
    Token *t = state_token(&r->state, in->token);
    if (!t || t->role != ROLE_WAIT || !node_is_completed_from_outside(node_of(r, t->node)))
        return not_waiting(r, number_text(r, in->token));
    Status status = merge(r, in->values);
    return status ? status : activity_end(r, in->token);
}

static Status input_timer(Run *r, const FlowInput *in) {
    Token *t = state_token(&r->state, in->token);
    if (!t || !node_has_timer(node_of(r, t->node)) || (t->role != ROLE_WAIT && t->role != ROLE_ARM))
        return not_waiting(r, number_text(r, in->token));
    Status status = merge(r, in->values);
    return status ? status : trigger(r, t);
}

static bool token_catches(const Run *r, const Token *t, const FlowInput *in, EventKind kind) {
    const Node *n = node_of(r, t->node);
    return !t->dead && (t->role == ROLE_WAIT || t->role == ROLE_ARM) && n->event == kind &&
           (!in->token || in->token == t->id) && str_eq(n->message, in->name);
}

// A message goes to the one that has waited longest, a signal to all who wait for it now.
static Status input_message(Run *r, const FlowInput *in) {
    EventKind kind = in->kind == FLOW_SIGNAL ? EVENT_SIGNAL : EVENT_MESSAGE;
    Status status = merge(r, in->values);
    size_t count = r->state.count, caught = 0;
    int64_t *waiting = arena_array(r->arena, int64_t, count + 1);
    for (size_t i = 0; i < count; i++) {
        if (!token_catches(r, &r->state.tokens[i], in, kind)) continue;
        waiting[caught++] = r->state.tokens[i].id;
        if (kind == EVENT_MESSAGE) break;
    }
    if (!status && !caught)
        return error_set(r->err, CONFLICT, S("name"), "没有环节在等消息“{1}”", in->name);
    for (size_t i = 0; i < caught && !status; i++) {
        Token *t = state_token(&r->state, waiting[i]);
        if (t) status = trigger(r, t); // an earlier one may have ended it
    }
    return status;
}

static Status take_input(Run *r, const FlowInput *in) {
    if (in->kind == FLOW_START) return input_start(r, in);
    if (!r->state.started) return error_set(r->err, CONFLICT, S("state"), "流程还没有启动");
    if (r->state.ended) return error_set(r->err, CONFLICT, S("state"), "流程已经结束");
    switch (in->kind) {
    case FLOW_COMPLETE: return input_complete(r, in);
    case FLOW_TIMER: return input_timer(r, in);
    case FLOW_MESSAGE:
    case FLOW_SIGNAL: return input_message(r, in);
    case FLOW_CANCEL: scope_kill(r, 0); return OK;
    case FLOW_FACTS: return merge(r, in->values);
    case FLOW_ERROR:
    case FLOW_ACTIVATE:
    case FLOW_START: break;
    }
    return error_set(r->err, INVALID, S("kind"), "不认识的流程输入");
}

// Nothing but joins is left: no input but FLOW_CANCEL can ever move it again.
static bool is_stuck(const Run *r) {
    bool any = false;
    for (size_t i = 0; i < r->state.count; i++) {
        const Token *t = &r->state.tokens[i];
        if (t->dead) continue;
        if (t->role == ROLE_WAIT || t->role == ROLE_ARM) return false;
        any = true;
    }
    return any;
}

Status flow_step(const Flow *f, Value state, const FlowInput *input, Instant now, Arena *a,
                 FlowStep *ret, Error *err) {
    Run r = {.flow = f, .arena = a, .err = err, .now = now};
    Status status = state_read(f, state, a, &r.state, err);
    if (status) return status;
    r.live = r.state.count;
    r.facts.variables = input->facts;
    status = take_input(&r, input);
    if (!status) status = run_on(&r);
    if (status) return status;
    bool ended = r.live == 0;
    if (ended && input->kind != FLOW_CANCEL) effect(&r, FLOW_ENDED, r.state.end, 0);
    *ret = (FlowStep){.state = state_write(f, &r.state, a),
                      .effects = r.effects,
                      .effects_count = r.effects_count,
                      .ended = ended,
                      .stuck = is_stuck(&r)};
    return OK;
}

Value flow_processes(const Flow *f, Instant now, Arena *a) {
    (void)now;
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("id"), v_str(f->nodes[0].id));
    context_put_new(&b, S("name"), v_str(f->nodes[0].name));
    context_put_new(&b, S("executable"), v_bool(true));
    ListBuilder none = list_make(a);
    context_put_new(&b, S("starts"), list_done(&none));
    ListBuilder list = list_make(a);
    list_add(&list, context_done(&b));
    return list_done(&list);
}

Str flow_process(const Flow *f, Value state) {
    Str id = v_text(v_get_lit(state, "p"));
    return id.len ? id : f->nodes[0].id;
}

Value flow_variables(Value state) { return v_get_lit(state, "v"); }
