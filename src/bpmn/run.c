// The engine: one step from state and input to state and effects (BPMN 2.0.2, chapter 13).
//
// A step puts moves on a queue (a token about to travel an edge) and works the queue off in order.
// After each, conditional events are decided again if data changed. When the queue is empty, what
// depends on nothing moving any more comes, one thing at a time and always in this order: signals
// that were thrown, joins that wait for what can still come, scopes that have emptied. When that
// moves nothing either, the step is over. Among equals the older token comes first. So the same
// state and input always give the same result.
//
// Invariants: tokens stand in `state.tokens` ascending by id, dead ones are only marked; the
// `inner` of a scope counts the live tokens that keep it alive and the queued moves in it; the
// input is untouched, so a step that fails has changed nothing.
//
// Limits: FLOW_STEPS_MAX moves, FLOW_TOKENS_MAX live tokens, FLOW_STATE_MAX for the data, and
// FLOW_WORK_MAX looks at tokens, so that no model can hold the engine for long.
#include "bpmn/run.h"

enum { FLOW_DEPTH_MAX = VALUE_DEPTH_MAX - 8 }; // of data, inside the state

// Leaving a node

static Status undecided(Run *r, const Node *n) {
    return error_set(r->err, INVALID, n->id, "“{1}”的出线没有一条条件成立，也没有默认出线",
                     node_label(n));
}

// Exclusive: the first edge whose condition holds, else the default.
static Status leave_by_one(Run *r, const Node *n, int64_t scope) {
    for (uint32_t i = 0; i < n->out_count; i++) {
        if (n->out[i] == n->fallback) continue;
        bool yes = false;
        Status status = run_decide(r, n->out[i], scope, v_null(), &yes);
        if (status) return status;
        if (yes) return run_move(r, &r->moves, MOVE_EDGE, n->out[i], scope);
    }
    if (n->fallback == NONE) return undecided(r, n);
    return run_move(r, &r->moves, MOVE_EDGE, n->fallback, scope);
}

// Every edge whose condition holds, else the default. All conditions are decided before anything
// moves, so they see the same variables.
static Status leave_by_all(Run *r, const Node *n, int64_t scope, Value own) {
    bool any = false, split = n->kind == NODE_INCLUSIVE || n->kind == NODE_COMPLEX;
    for (uint32_t i = 0; i < n->out_count; i++) {
        if (n->out[i] == n->fallback) continue;
        bool yes = false;
        Status status = run_decide(r, n->out[i], scope, own, &yes);
        for (uint32_t k = 0; !status && yes && k < n->completion_quantity; k++)
            status = run_move(r, &r->moves, MOVE_EDGE, n->out[i], scope);
        if (status) return status;
        any |= yes && (split || r->flow->edges[n->out[i]].condition);
        if (yes && n->fallback == NONE) any = true;
    }
    if (any) return OK;
    if (n->fallback == NONE) return undecided(r, n);
    Status status = OK;
    for (uint32_t k = 0; !status && k < n->completion_quantity; k++)
        status = run_move(r, &r->moves, MOVE_EDGE, n->fallback, scope);
    return status;
}

Status run_leave(Run *r, uint32_t node, int64_t scope) {
    const Node *n = node_of(r, node);
    run_effect(r, FLOW_RECORD, node, 0);
    if (n->out_count == 0) return OK; // an end, said or not
    if (n->kind == NODE_EXCLUSIVE) return leave_by_one(r, n, scope);
    if (n->kind == NODE_COMPLEX) return run_leave_complex(r, node, scope, false);
    return leave_by_all(r, n, scope, v_null());
}

Status run_leave_complex(Run *r, uint32_t node, int64_t scope, bool again) {
    const Node *n = node_of(r, node);
    ContextBuilder b = context_make(r->arena);
    context_put_new(&b, S("waitingForStart"), v_bool(!again));
    Value own = context_done(&b);
    if (!again) {
        if (n->in_count > 1) run_effect(r, FLOW_RECORD, node, 0);
        return n->out_count ? leave_by_all(r, n, scope, own) : OK;
    }
    for (uint32_t i = 0; i < n->out_count; i++) {
        if (!r->flow->edges[n->out[i]].second) continue;
        bool yes = false;
        Status status = run_decide(r, n->out[i], scope, own, &yes);
        if (!status && yes) status = run_move(r, &r->moves, MOVE_EDGE, n->out[i], scope);
        if (status) return status;
    }
    return OK;
}

// Entering a node

Status run_enter(Run *r, uint32_t node, int64_t scope, uint32_t edge) {
    const Node *n = node_of(r, node);
    switch (n->kind) {
    case NODE_END: return run_end(r, node, scope);
    case NODE_THROW: return run_throw(r, node, scope);
    case NODE_START:
    case NODE_EXCLUSIVE: return run_leave(r, node, scope);
    case NODE_PARALLEL:
    case NODE_INCLUSIVE:
    case NODE_COMPLEX:
        if (n->in_count > 1) return run_join(r, node, scope, edge);
        return run_leave(r, node, scope);
    case NODE_EVENT_GATE: return run_event_gate(r, node, scope);
    case NODE_CATCH:
        if (n->event == EVENT_LINK) return run_leave(r, node, scope);
        return run_catch(r, node, scope);
    default:
        assert(node_is_activity(n));
        if (n->start_quantity > 1 && edge != NONE) return run_join(r, node, scope, edge);
        return run_activity(r, node, scope);
    }
}

// The queue

static Status move_one(Run *r, Queue *q) {
    Move m = q->moves[q->at++];
    if (m.kind == MOVE_DROPPED) return OK;
    Status status = OK;
    switch (m.kind) {
    case MOVE_EDGE: status = run_enter(r, r->flow->edges[m.at].to, m.scope, m.at); break;
    case MOVE_ENTER: status = run_enter(r, m.at, m.scope, NONE); break;
    case MOVE_NEXT: status = run_next_instance(r, m.scope); break;
    case MOVE_THROW: status = run_throw_now(r, m.at, m.scope); break;
    case MOVE_DROPPED: break;
    }
    if (status) return status;
    token_moved(r, m.scope);
    if (r->dirty) status = run_conditions(r);
    if (!status && r->work > FLOW_WORK_MAX)
        return error_set(r->err, LIMIT, S(""), "流程一步之内要看的环节太多，超过了计算限度");
    return status;
}

static Status run_on(Run *r) {
    Status status = r->dirty ? run_conditions(r) : OK;
    while (!status) {
        bool moved = false;
        if (r->moves.at < r->moves.count) {
            status = move_one(r, &r->moves);
            continue;
        }
        if (r->throws.at < r->throws.count) {
            status = move_one(r, &r->throws);
            continue;
        }
        if (r->joins) status = run_joins(r, &moved);
        if (!status && !moved) status = run_empty(r, &moved);
        if (!status && !moved) return OK;
        if (!status && r->dirty) status = run_conditions(r);
    }
    return status;
}

// Inputs

static Status not_waiting(Run *r, int64_t token) {
    return error_set(r->err, CONFLICT, S("token"), "这个环节已经办结或撤销，不能再办：{1}",
                     run_number(r, token));
}

static Token *task_waiting(Run *r, int64_t token) {
    Token *t = run_token(r, token);
    return t && t->role == ROLE_WAIT && node_of(r, t->node)->outside ? t : NULL;
}

static Status input_complete(Run *r, const FlowInput *in) {
    Token *t = run_token(r, in->token);
    if (t && t->role == ROLE_SCOPE && node_of(r, t->node)->adhoc) {
        t->told = true;
        scope_kill(r, in->token, true);
        return run_activity_end(r, in->token, in->values);
    }
    if (!task_waiting(r, in->token)) return not_waiting(r, in->token);
    return run_activity_end(r, in->token, in->values);
}

static Status input_timer(Run *r, const FlowInput *in) {
    const Token *t = run_token(r, in->token);
    if (!t || (t->role != ROLE_WAIT && t->role != ROLE_ARM)) return not_waiting(r, in->token);
    const Node *n = node_of(r, t->node);
    bool single = t->role == ROLE_WAIT && n->event == EVENT_TIMER;
    bool armed = t->role == ROLE_ARM && n->events[t->event].kind == EVENT_TIMER && !t->seen;
    if (!single && !armed) return not_waiting(r, in->token);
    return run_trigger(r, in->token, in->values);
}

static Status input_event(Run *r, const FlowInput *in, EventKind kind) {
    size_t caught = 0;
    Status status = run_deliver(r, kind, in->name, in->token, in->values, &caught);
    if (!status && !caught)
        return error_set(r->err, CONFLICT, S("name"), "没有环节在等消息“{1}”", in->name);
    return status;
}

static Status take_input(Run *r, const FlowInput *in) {
    if (in->kind == FLOW_START) return run_start(r, in);
    if (!r->state.started) return error_set(r->err, CONFLICT, S("state"), "流程还没有启动");
    if (r->state.ended) return error_set(r->err, CONFLICT, S("state"), "流程已经结束");
    switch (in->kind) {
    case FLOW_COMPLETE: return input_complete(r, in);
    case FLOW_TIMER: return input_timer(r, in);
    case FLOW_MESSAGE: return input_event(r, in, EVENT_MESSAGE);
    case FLOW_SIGNAL: return input_event(r, in, EVENT_SIGNAL);
    case FLOW_CANCEL: scope_kill(r, 0, false); return OK;
    case FLOW_ERROR:
        if (!task_waiting(r, in->token)) return not_waiting(r, in->token);
        return run_error(r, in->token, in->name, in->values);
    case FLOW_FACTS: r->dirty = true; return run_merge(r, 0, in->values);
    case FLOW_ACTIVATE: return run_activate(r, in);
    case FLOW_START: break;
    }
    return error_set(r->err, INVALID, S("kind"), "不认识的流程输入");
}

// The state it comes to

// An ad-hoc sub-process in which nothing runs waits for the driver.
static bool token_waits(const Run *r, const Token *t) {
    if (t->role == ROLE_WAIT || t->role == ROLE_ARM) return true;
    return t->role == ROLE_SCOPE && !t->inner && node_of(r, t->node)->adhoc;
}

// Nothing but joins is left: no input but FLOW_CANCEL can ever move it again.
static bool is_stuck(const Run *r) {
    for (size_t i = 0; i < r->state.count; i++)
        if (!r->state.tokens[i].dead && token_waits(r, &r->state.tokens[i])) return false;
    return r->live > 0;
}

// Bytes of a value as text, about; counting stops past the maximum.
static size_t size_of(Value v, size_t so_far) {
    if (so_far > FLOW_STATE_MAX) return so_far;
    switch (v.kind) {
    case V_STRING: return so_far + v.len + 3;
    case V_LIST:
        so_far += 2;
        for (uint32_t i = 0; i < v.len && so_far <= FLOW_STATE_MAX; i++)
            so_far = size_of(v.as.items[i], so_far);
        return so_far;
    case V_CONTEXT:
        so_far += 2;
        for (uint32_t i = 0; i < v.len && so_far <= FLOW_STATE_MAX; i++)
            so_far = size_of(v.as.entries[i].value, so_far + v.as.entries[i].key.len + 4);
        return so_far;
    default: return so_far + 8;
    }
}

// Functions and ranges have no place in a state that is stored as JSON.
static Status data_check(Run *r) {
    size_t size = size_of(r->state.variables, 0);
    uint16_t depth = v_depth(r->state.variables);
    for (size_t i = 0; i < r->state.count && size <= FLOW_STATE_MAX; i++) {
        const Token *t = &r->state.tokens[i];
        if (t->dead) continue;
        if (v_depth(t->local) > depth) depth = v_depth(t->local);
        if (v_depth(t->item) > depth) depth = v_depth(t->item);
        size = size_of(t->item, size_of(t->local, size));
    }
    if (depth > FLOW_DEPTH_MAX)
        return error_set(r->err, LIMIT, S("values"), "流程的数据一层套一层超过 {1} 层",
                         run_number(r, FLOW_DEPTH_MAX));
    if (size <= FLOW_STATE_MAX) return OK;
    return error_set(r->err, LIMIT, S("values"), "流程的数据超过 {1} 字节",
                     run_number(r, FLOW_STATE_MAX));
}

static void tally(Run *r) {
    r->live = r->state.count;
    for (size_t i = 0; i < r->state.count; i++) {
        const Token *t = &r->state.tokens[i];
        const Node *n = node_of(r, t->node);
        if (t->role == ROLE_RESET ||
            (t->role == ROLE_JOIN && (n->kind == NODE_INCLUSIVE || n->kind == NODE_COMPLEX)))
            r->joins++;
        if (t->role == ROLE_ARM) r->conditions += n->events[t->event].kind == EVENT_CONDITIONAL;
        if (t->role == ROLE_WAIT) r->conditions += n->event == EVENT_CONDITIONAL;
    }
}

Status flow_step(const Flow *f, Value state, const FlowInput *input, Instant now, Arena *a,
                 FlowStep *ret, Error *err) {
    Run r = {.flow = f, .arena = a, .err = err, .now = now, .emptied = true};
    Status status = state_read(f, state, a, &r.state, err);
    if (status) return status;
    tally(&r);
    r.facts.variables = input->facts;
    status = take_input(&r, input);
    if (!status) status = run_on(&r);
    if (!status && (r.changed || input->kind == FLOW_START)) status = data_check(&r);
    if (status) return status;
    bool ended = r.state.inner == 0, failed = r.state.has_failed;
    if (ended && r.live) scope_kill(&r, 0, false); // what waited for events, and records
    if (ended && !failed && input->kind != FLOW_CANCEL)
        run_effect(&r, FLOW_ENDED, r.state.end, 0);
    *ret = (FlowStep){.state = state_write(f, &r.state, a),
                      .effects = r.effects,
                      .effects_count = r.effects_count,
                      .ended = ended,
                      .failed = failed,
                      .stuck = !ended && is_stuck(&r)};
    return OK;
}
