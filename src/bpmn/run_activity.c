// Activities (BPMN 2.0.2, 13.3): tasks, loops, multi-instances, sub-processes, calls, ad-hoc.
//
// Decided here where the standard leaves it open: an ad-hoc sub-process begins what has no
// incoming flow by itself (all, or when it is sequential one after another in document order),
// unless yz:activation="manual" leaves the choice to the driver; without a completion condition it
// is over when all that was begun is.
#include "bpmn/run.h"

// Loops

static Status loop_count(Run *r, uint32_t node, int64_t scope, Value *ret_list, int64_t *ret) {
    const Node *n = node_of(r, node);
    const FeelExpr *e = n->multi->input ? n->multi->input : n->multi->cardinality;
    Value v = v_null();
    Str why = S("");
    int64_t total = -1;
    if (run_evaluate(r, e, scope, v_null(), &v, &why))
        total = !n->multi->input ? v_to_int(v, -1) : v.kind == V_LIST ? (int64_t)v.len : -1;
    if (total < 0)
        return error_set(r->err, INVALID, n->id, "“{1}”要办几份算不出来：{2}", node_label(n), why);
    if (total > FLOW_INSTANCES_MAX)
        return error_set(r->err, LIMIT, n->id, "“{1}”要办的份数超过 {2}", node_label(n),
                         run_number(r, FLOW_INSTANCES_MAX));
    *ret_list = v;
    *ret = total;
    return OK;
}

// Does a standard loop go on after `done` rounds?
static Status loop_goes_on(Run *r, uint32_t node, int64_t scope, uint32_t done, bool *ret) {
    const Multi *multi = node_of(r, node)->multi;
    *ret = multi->maximum < 0 || done < multi->maximum;
    if (!*ret || !multi->condition) return OK;
    ContextBuilder b = context_make(r->arena);
    context_put_new(&b, S("loopCounter"), v_int(done));
    Value v = v_null();
    Str why;
    if (!run_evaluate(r, multi->condition, scope, context_done(&b), &v, &why) || v.kind != V_BOOL)
        return error_set(r->err, INVALID, node_of(r, node)->id, "“{1}”的循环条件无法判断：{2}",
                         node_label(node_of(r, node)), why);
    *ret = v.as.boolean;
    return OK;
}

static Status begin(Run *r, uint32_t node, int64_t scope, int64_t index, Value item);

// One more instance of the loop `body`.
static Status loop_start(Run *r, int64_t body, Value list) {
    Token *t = run_token(r, body);
    assert(t && t->role == ROLE_MULTI);
    uint32_t at = t->started++;
    return begin(r, t->node, body, (int64_t)at + 1, v_at(list, at));
}

// Its list may have changed since the loop began; a place that is gone is null.
Status run_next_instance(Run *r, int64_t body) {
    const Token *t = run_token(r, body);
    assert(t);
    Value list = v_null();
    if (node_of(r, t->node)->multi->input) {
        int64_t total;
        Status status = loop_count(r, t->node, t->scope, &list, &total);
        if (status) return status;
    }
    return loop_start(r, body, list);
}

static Status arm_boundary(Run *r, uint32_t node, int64_t host, int64_t scope) {
    const Node *n = node_of(r, node);
    for (uint32_t i = 0; i < n->boundary_count && n->arms; i++) {
        bool fired;
        Status status = run_arm(r, n->boundary[i], host, scope, &fired);
        if (status || !run_token(r, host)) return status;
    }
    return OK;
}

static Status loop_begin(Run *r, uint32_t node, int64_t scope) {
    const Multi *multi = node_of(r, node)->multi;
    Value list = v_null();
    int64_t total = 0;
    bool any = true;
    Status status = OK;
    if (!multi->standard) {
        status = loop_count(r, node, scope, &list, &total);
        any = total > 0;
    } else if (multi->test_before) {
        status = loop_goes_on(r, node, scope, 0, &any);
    }
    if (status) return status;
    if (multi->results.len) {
        ListBuilder b = list_make(r->arena);
        for (int64_t i = 0; i < total; i++) list_add(&b, v_null());
        run_set(r, scope, multi->results, list_done(&b));
    }
    if (!any) return run_leave(r, node, scope);
    Token *t = NULL;
    status = token_make(r, node, ROLE_MULTI, scope, &t);
    if (status) return status;
    t->total = (uint32_t)total;
    int64_t body = t->id;
    status = arm_boundary(r, node, body, scope);
    int64_t first = multi->sequential ? 1 : total;
    for (int64_t i = 0; !status && i < first; i++) {
        if (!run_token(r, body)) break; // completed by a condition, or interrupted, meanwhile
        status = loop_start(r, body, list);
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

static Status loop_behavior(Run *r, int64_t body, Value counts) {
    Token *t = run_token(r, body);
    const Multi *multi = node_of(r, t->node)->multi;
    int64_t scope = t->scope;
    if (multi->behavior == BEHAVIOR_NONE || (multi->behavior == BEHAVIOR_ONE && t->done == 1))
        return run_throw_behavior(r, &multi->event, body);
    if (multi->behavior != BEHAVIOR_COMPLEX) return OK;
    for (uint32_t i = 0; i < multi->complex_count && run_token(r, body); i++) {
        Value v = v_null();
        Str why;
        (void)run_evaluate(r, multi->complex[i].condition, scope, counts, &v, &why);
        if (!v_true(v)) continue;
        Status status = run_throw_behavior(r, &multi->complex[i].event, body);
        if (status) return status;
    }
    return OK;
}

static Value loop_counts(Run *r, const Token *t) {
    ContextBuilder b = context_make(r->arena);
    context_put_new(&b, S("numberOfInstances"), v_int(t->total));
    context_put_new(&b, S("numberOfActiveInstances"), v_int((int64_t)t->started - t->done));
    context_put_new(&b, S("numberOfCompletedInstances"), v_int(t->done));
    context_put_new(&b, S("numberOfTerminatedInstances"), v_int(0));
    context_put_new(&b, S("loopCounter"), v_int(t->done));
    return context_done(&b);
}

static Status loop_is_over(Run *r, const Token *t, Value counts, bool *ret) {
    const Node *n = node_of(r, t->node);
    bool goes_on;
    if (n->multi->standard) {
        Status status = loop_goes_on(r, t->node, t->scope, t->done, &goes_on);
        *ret = !goes_on;
        return status;
    }
    *ret = t->done == t->total;
    if (*ret || !n->multi->until) return OK;
    Value v = v_null();
    Str why;
    if (!run_evaluate(r, n->multi->until, t->scope, counts, &v, &why) || v.kind != V_BOOL)
        return error_set(r->err, INVALID, n->id, "“{1}”的结束条件无法判断：{2}", node_label(n),
                         why);
    *ret = v.as.boolean;
    return OK;
}

static Status leave_activity(Run *r, uint32_t node, int64_t token, int64_t scope);

// An instance of a loop is done: is the loop?
static Status loop_instance_done(Run *r, int64_t body) {
    Token *t = run_token(r, body);
    assert(t && t->role == ROLE_MULTI);
    t->done++;
    uint32_t node = t->node;
    const Node *n = node_of(r, node);
    bool counted = n->multi->until || n->multi->behavior == BEHAVIOR_COMPLEX;
    Value counts = counted ? loop_counts(r, t) : v_null();
    Status status = loop_behavior(r, body, counts);
    t = run_token(r, body);
    if (status || !t) return status; // the event ended the loop
    bool over = false;
    status = loop_is_over(r, t, counts, &over);
    if (status) return status;
    if (over) {
        int64_t scope = t->scope;
        bool keep = n->compensable && !n->for_compensation;
        scope_kill(r, body, keep && n->handler == NONE);
        t = run_token(r, body);
        if (keep) token_done(r, t);
        else token_remove(r, t);
        return leave_activity(r, node, body, scope);
    }
    // By the queue, not by recursion: instances may end as they begin.
    return n->multi->sequential ? run_move(r, &r->moves, MOVE_NEXT, 0, body) : OK;
}

// Ad-hoc sub-processes

static Status adhoc_begin(Run *r, uint32_t node, int64_t token, Value inputs) {
    const Node *n = node_of(r, node);
    Status status = OK;
    if (n->by_hand) {
        Value attributes = v_null();
        status = run_attributes(r, node, token, &attributes);
        ListBuilder ids = list_make(r->arena);
        for (uint32_t i = 0; i < n->entries_count; i++)
            list_add(&ids, v_str(node_of(r, n->entries[i])->id));
        FlowEffect *e = run_effect(r, FLOW_OPEN_TASK, node, token);
        e->attributes = attributes;
        e->value = list_done(&ids);
        (void)inputs;
        return status;
    }
    uint32_t count = n->ordered ? 1 : n->entries_count;
    run_token(r, token)->started = count;
    for (uint32_t i = 0; i < count && !status; i++)
        status = run_move(r, &r->moves, MOVE_ENTER, n->entries[i], token);
    return status;
}

static Status adhoc_is_over(Run *r, const Token *t, bool *ret) {
    const Node *n = node_of(r, t->node);
    Value v = v_null();
    Str why = S("");
    if (!run_evaluate(r, n->condition, t->id, v_null(), &v, &why) || v.kind != V_BOOL)
        return error_set(r->err, INVALID, n->id, "“{1}”的结束条件无法判断：{2}", node_label(n),
                         why);
    *ret = v.as.boolean;
    return OK;
}

// An activity of an ad-hoc sub-process is done. `*ret_goes_on`: its token travels on.
static Status adhoc_after(Run *r, int64_t scope, bool *ret_goes_on) {
    *ret_goes_on = true;
    Token *t = scope ? run_token(r, scope) : NULL;
    if (!t || t->role != ROLE_SCOPE) return OK;
    const Node *n = node_of(r, t->node);
    if (!n->adhoc || !n->condition || t->closing) return OK;
    bool over = false;
    Status status = adhoc_is_over(r, t, &over);
    if (status || !over) return status;
    t->closing = true;
    r->emptied = true;
    if (n->keep_remaining) return OK;
    scope_kill(r, scope, true);
    *ret_goes_on = false;
    return OK;
}

// Nothing of it runs any more: the next in order, its end, or it waits for the driver.
static Status adhoc_empty(Run *r, int64_t token, bool *ret_moved) {
    Token *t = run_token(r, token);
    const Node *n = node_of(r, t->node);
    bool over = t->closing, more = n->ordered && !n->by_hand && t->started < n->entries_count;
    Status status = OK;
    if (!over && !more && !n->condition) over = !n->by_hand;
    else if (!over && !more && !n->by_hand) status = adhoc_is_over(r, t, &over);
    if (status) return status;
    *ret_moved = over || more;
    if (over) return run_activity_end(r, token, v_null());
    if (!more) return OK;
    return run_move(r, &r->moves, MOVE_ENTER, n->entries[t->started++], token);
}

Status run_activate(Run *r, const FlowInput *in) {
    Token *t = run_token(r, in->token);
    const Node *n = t ? node_of(r, t->node) : NULL;
    if (!t || t->role != ROLE_SCOPE || !n->adhoc || t->closing)
        return error_set(r->err, CONFLICT, S("token"), "这个即席子流程已经结束：{1}",
                         run_number(r, in->token));
    uint32_t node = NONE;
    for (uint32_t i = 0; i < n->entries_count; i++)
        if (str_eq(node_of(r, n->entries[i])->id, in->name)) node = n->entries[i];
    if (node == NONE)
        return error_set(r->err, INVALID, S("name"), "“{1}”里没有可以启动的活动 {2}",
                         node_label(n), in->name);
    if (n->ordered && t->inner)
        return error_set(r->err, CONFLICT, S("name"), "“{1}”一次只能办一项", node_label(n));
    Status status = run_merge(r, in->token, in->values);
    if (status) return status;
    t->started++;
    return run_enter(r, node, in->token, NONE);
}

// Scopes

Status run_scope_begin(Run *r, uint32_t node, int64_t token, Value inputs, uint32_t start) {
    const Node *n = node_of(r, node), *in = node_of(r, node_inside(r->flow, node));
    Token *t = token ? run_token(r, token) : NULL;
    if (t && (n->isolated || in->locals_count || inputs.kind == V_CONTEXT)) {
        ContextBuilder b = context_make(r->arena);
        for (uint32_t i = 0; i < in->locals_count; i++) context_put(&b, in->locals[i], v_null());
        t->local = inputs.kind == V_CONTEXT ? v_merge(context_done(&b), inputs, r->arena)
                                            : context_done(&b);
    }
    Status status = OK;
    for (uint32_t i = 0; i < in->handlers_count && !status; i++) {
        bool fired = false;
        status = run_arm(r, in->handlers[i], 0, token, &fired);
        // Set off at once, and interrupting: nothing else begins.
        if (fired && node_of(r, in->handlers[i])->interrupting) return status;
    }
    if (status) return status;
    if (n->adhoc) return adhoc_begin(r, node, token, inputs);
    if (start != NONE) status = run_leave(r, start, token);
    for (uint32_t i = 0; i < in->entries_count && !status; i++)
        status = run_move(r, &r->moves, MOVE_ENTER, in->entries[i], token);
    return status;
}

Status run_handler(Run *r, uint32_t start, int64_t scope, int64_t record) {
    uint32_t node = node_of(r, start)->parent;
    Token *t = NULL;
    Status status = token_make(r, node, ROLE_SCOPE, scope, &t);
    if (status) return status;
    t->host = record;
    return run_scope_begin(r, node, t->id, v_null(), start);
}

// Call activities inside each other.
static Status calls_check(Run *r, uint32_t node, int64_t scope) {
    size_t depth = 0;
    for (const Token *t = NULL; scope; scope = t->scope) {
        t = run_token(r, scope);
        if (t->role == ROLE_SCOPE && node_of(r, t->node)->kind == NODE_CALL) depth++;
    }
    if (depth < FLOW_CALLS_MAX) return OK;
    return error_set(r->err, LIMIT, node_of(r, node)->id, "调用活动一层套一层超过 {1} 层",
                     run_number(r, FLOW_CALLS_MAX));
}

// Beginning and ending

static Status script_run(Run *r, uint32_t node, int64_t token, Value inputs) {
    const Node *n = node_of(r, node);
    Value v = v_null();
    Str why;
    bool told = run_evaluate(r, n->script, token, inputs, &v, &why);
    bool named = n->result.len || n->outputs_count;
    if (!told || (!named && v.kind != V_CONTEXT))
        return error_set(r->err, INVALID, n->id, "脚本“{1}”没有算出结果：{2}", node_label(n), why);
    if (n->result.len) {
        ContextBuilder b = context_make(r->arena);
        context_put_new(&b, n->result, v);
        v = context_done(&b);
    } else if (v.kind != V_CONTEXT) { // for associations whose source is any output
        ContextBuilder b = context_make(r->arena);
        context_put_new(&b, n->outputs[0].source, v);
        v = context_done(&b);
    }
    return run_activity_end(r, token, v);
}

Status run_task_effect(Run *r, uint32_t node, int64_t token) {
    const Node *n = node_of(r, node);
    Value inputs = v_null(), attributes = v_null();
    Status status = n->inputs_count ? run_inputs(r, node, token, &inputs) : OK;
    if (!status) status = run_attributes(r, node, token, &attributes);
    if (status) return status;
    bool task = n->kind == NODE_USER || n->kind == NODE_MANUAL;
    FlowEffect *e = run_effect(r, task ? FLOW_OPEN_TASK : FLOW_CALL_SERVICE, node, token);
    e->attributes = attributes;
    e->value = inputs;
    return OK;
}

static Status task_begin(Run *r, uint32_t node, int64_t token) {
    const Node *n = node_of(r, node);
    if (n->outside) return run_task_effect(r, node, token);
    Value inputs = v_null();
    bool reads = n->inputs_count && n->kind == NODE_SCRIPT;
    Status status = reads ? run_inputs(r, node, token, &inputs) : OK;
    if (status) return status;
    switch (n->kind) {
    case NODE_RECEIVE: return OK;
    case NODE_SCRIPT: return script_run(r, node, token, inputs);
    case NODE_SEND:
        status = run_throw_message(r, node, token, n->events->name);
        if (status) return status;
        break;
    default: break;
    }
    return run_activity_end(r, token, v_null());
}

static Status begin(Run *r, uint32_t node, int64_t scope, int64_t index, Value item) {
    const Node *n = node_of(r, node);
    Token *t = NULL;
    Status status = n->kind == NODE_CALL ? calls_check(r, node, scope) : OK;
    if (!status)
        status = token_make(r, node, node_is_scope(n) ? ROLE_SCOPE : ROLE_WAIT, scope, &t);
    if (status) return status;
    t->index = index;
    t->item = item;
    int64_t token = t->id;
    if (!index && n->arms) {
        t->told = true; // the driver knows nothing of it yet
        status = arm_boundary(r, node, token, scope);
        t = run_token(r, token);
        if (status || !t) return status;
        t->told = false;
    }
    if (!node_is_scope(n)) return task_begin(r, node, token);
    Value inputs = v_null();
    if (n->inputs_count) status = run_inputs(r, node, token, &inputs);
    if (status) return status;
    uint32_t inside = node_inside(r->flow, node);
    return run_scope_begin(r, node, token, inputs, node_of(r, inside)->start);
}

Status run_activity(Run *r, uint32_t node, int64_t scope) {
    if (node_of(r, node)->multi) return loop_begin(r, node, scope);
    return begin(r, node, scope, 0, v_null());
}

static Status leave_activity(Run *r, uint32_t node, int64_t token, int64_t scope) {
    const Node *n = node_of(r, node);
    if (n->arms) token_disarm(r, token);
    if (n->for_compensation || n->by_event) return OK;
    bool goes_on;
    Status status = adhoc_after(r, scope, &goes_on);
    if (status || !goes_on) return status;
    return run_leave(r, node, scope);
}

// What a call or sub-process gives: its own data.
static Value given(Run *r, const Node *n, const Token *t, Value values) {
    if (t->role != ROLE_SCOPE || t->local.kind != V_CONTEXT) return values;
    if (!n->outputs_count) return values;
    return values.kind == V_CONTEXT ? v_merge(t->local, values, r->arena) : t->local;
}

Status run_activity_end(Run *r, int64_t token, Value values) {
    Token *t = run_token(r, token);
    assert(t && (t->role == ROLE_WAIT || t->role == ROLE_SCOPE));
    uint32_t node = t->node;
    const Node *n = node_of(r, node);
    int64_t scope = t->scope, index = t->index;
    Value own = given(r, n, t, values);
    if (own.kind != V_NULL || n->outputs_count) {
        Status status = run_outputs(r, node, scope, own);
        if (status) return status;
    }
    bool keep = n->compensable && !n->for_compensation && !n->by_event &&
                !(index && n->handler != NONE);
    if (t->role == ROLE_SCOPE) {
        if (n->by_hand && !t->told) run_effect(r, FLOW_CLOSE_TASK, node, token);
        scope_kill(r, token, keep && n->handler == NONE);
        t = run_token(r, token);
    }
    if (index && n->multi->results.len) {
        Value v = v_has(own, n->multi->result) ? v_get(own, n->multi->result)
                                               : run_get(r, scope, n->multi->result);
        Value list = list_with(run_get(r, scope, n->multi->results), index - 1, v, r->arena);
        run_set(r, scope, n->multi->results, list);
        t = run_token(r, token);
    }
    if (keep) token_done(r, t);
    else token_remove(r, t);
    return index ? loop_instance_done(r, scope) : leave_activity(r, node, token, scope);
}

// What runs in no scope any more: sub-processes that are over, and what compensates.
Status run_empty(Run *r, bool *ret_moved) {
    if (!r->emptied) return OK;
    for (size_t i = 0; i < r->state.count; i++) {
        const Token *t = &r->state.tokens[i];
        if (t->dead || t->inner || (t->role != ROLE_SCOPE && t->role != ROLE_COMPENSATE)) continue;
        int64_t id = t->id;
        *ret_moved = true;
        if (t->role == ROLE_COMPENSATE) return run_compensate_next(r, id);
        if (!node_of(r, t->node)->adhoc) return run_activity_end(r, id, v_null());
        *ret_moved = false;
        Status status = adhoc_empty(r, id, ret_moved);
        if (status || *ret_moved) return status;
    }
    r->emptied = false;
    return OK;
}
