// Deciding: the value of inputs, decisions, knowledge models and services, each made once in an
// evaluation. A node sees what it requires under the names it has in its file, and nothing else.
#include "dmn/dmn_internal.h"

// ---- inputs

// An input of an imported model may be given as "namespace#name".
static Value input_given(const Session *s, const Node *n) {
    if (n->space != s->model->spaces[0]) {
        Str full = arena_concat(s->arena, (Str[]){n->space->uri, S("#"), n->name}, 3);
        if (v_has(s->input, full)) return v_get(s->input, full);
    }
    return v_get(s->input, n->name);
}

static Value input_value(Session *s, const Node *n) {
    const Node *outer = s->node;
    s->node = n;
    Value v = item_convert(s, n->type, item_read(s, n->type, input_given(s, n)), n->line, n->name);
    s->node = outer;
    return v;
}

// ---- what a node sees

// Puts a value at the end of a path of imports.
static Value put_at(Session *s, Value context, const Str *path, uint32_t count, Str name, Value v) {
    if (context.kind != V_CONTEXT) context = (Value){.kind = V_CONTEXT};
    if (count == 0) return v_with(context, name, v, s->arena);
    Value inner = put_at(s, v_get(context, path[0]), path + 1, count - 1, name, v);
    return v_with(context, path[0], inner, s->arena);
}

static const FeelScope *scope_of(Session *s, const Node *n) {
    Entry *entries = arena_array(s->arena, Entry, n->needs_count);
    Value seen = {.kind = V_CONTEXT, .as.entries = entries};
    bool imported = false;
    for (uint32_t i = 0; i < n->needs_count; i++) {
        const Need *need = &n->needs[i];
        imported |= need->path_count > 0;
        Value v = node_value(s, need->node);
        if (need->path_count == 0) entries[seen.len++] = (Entry){need->node->name, v};
    }
    for (uint32_t i = 0; imported && i < n->needs_count; i++) {
        const Need *need = &n->needs[i];
        if (need->path_count)
            seen = put_at(s, seen, need->path, need->path_count, need->node->name,
                          node_value(s, need->node));
    }
    return scope_with(s, NULL, seen);
}

// ---- decisions

static void trace_add(Session *s, const Node *n, const ListBuilder *rules,
                      const ListBuilder *tables, Value v) {
    Entry *e = arena_array(s->arena, Entry, 4);
    e[0] = (Entry){S("decision"), v_str(n->name)};
    e[1] = (Entry){S("rules"), list_done(rules)};
    e[2] = (Entry){S("value"), v};
    e[3] = (Entry){S("tables"), list_done(tables)};
    uint16_t depth = v_depth(v) > v_depth(e[3].value) ? v_depth(v) : v_depth(e[3].value);
    list_add(&s->trace, (Value){.kind = V_CONTEXT, .len = tables->len ? 4 : 3,
                                .extra = (uint16_t)(depth + 1), .as.entries = e});
}

static Value decision_logic(Session *s, const Node *n, const FeelScope *scope) {
    if (n->logic) return boxed_eval(s, n->logic, scope);
    // A decision without logic is made elsewhere: its value may come with the input.
    if (v_has(s->input, n->name)) return item_read(s, n->type, v_get(s->input, n->name));
    return session_fail(s, n->line, "决策没有内容", S(""), S(""), S(""));
}

static Value decision_value(Session *s, const Node *n) {
    const FeelScope *scope = scope_of(s, n);
    const Node *outer = s->node;
    ListBuilder *outer_rules = s->rules, *outer_tables = s->tables;
    ListBuilder rules = list_make(s->arena), tables = list_make(s->arena);
    Str inside = s->inside;
    s->node = n;
    s->rules = &rules;
    s->tables = &tables;
    s->inside = S("");
    Value v = item_convert(s, n->type, decision_logic(s, n, scope), n->line, n->name);
    s->node = outer;
    s->rules = outer_rules;
    s->tables = outer_tables;
    s->inside = inside;
    trace_add(s, n, &rules, &tables, v);
    return v;
}

// ---- knowledge models and services

static Value knowledge_value(Session *s, const Node *n) {
    if (!n->logic) return v_null();
    return function_value(s, n->logic, scope_of(s, n), n->name);
}

typedef struct Service {
    Session *s;
    const Node *node;
} Service;

static Value service_output(Session *s, const Node *n) {
    if (n->outputs_count == 1) return node_value(s, n->outputs[0]);
    ContextBuilder c = context_make(s->arena);
    for (uint32_t i = 0; i < n->outputs_count; i++)
        context_put(&c, n->outputs[i]->name, node_value(s, n->outputs[i]));
    return context_done(&c);
}

// Nothing decided outside is seen inside, and the other way round.
static Value service_run(Session *s, const Node *n, const Value *args) {
    Value *values = s->values, input = s->input, given = s->given;
    bool *done = s->done;
    if (s->calls >= DMN_CALLS_MAX || s->steps > FEEL_STEPS_MAX)
        return session_fail(s, n->line, "函数嵌套过深", S(""), S(""), S(""));
    s->values = arena_array(s->arena, Value, s->model->nodes_count);
    s->done = arena_array(s->arena, bool, s->model->nodes_count);
    s->input = s->given = (Value){.kind = V_CONTEXT};
    s->calls++;
    s->steps += s->model->nodes_count;
    bool ok = true;
    for (uint32_t i = 0; i < n->params_count && ok; i++) {
        const Node *param = n->params[i];
        Value v = item_convert(s, param->type, args[i], n->line, param->name);
        ok = v.kind != V_NULL || args[i].kind == V_NULL;
        s->values[param->index] = v;
        s->done[param->index] = true;
    }
    Value v = ok ? service_output(s, n) : v_null();
    s->calls--;
    s->values = values;
    s->done = done;
    s->input = input;
    s->given = given;
    return item_convert(s, n->type, v, n->line, n->name);
}

static Value call_service(void *host, const Value *args, size_t count, Arena *a) {
    const Service *service = host;
    (void)a; // the session's
    if (count != service->node->params_count)
        return session_fail(service->s, service->node->line, "参数个数不符", S(""), S(""), S(""));
    return service_run(service->s, service->node, args);
}

static Value service_value(Session *s, const Node *n) {
    Service *service = arena_new(s->arena, Service);
    *service = (Service){s, n};
    return feel_function(call_service, service, n->param_names, n->params_count, s->arena);
}

Value node_value(Session *s, const Node *n) {
    if (s->done[n->index]) return s->values[n->index];
    Value v = v_null();
    switch (n->kind) {
    case NODE_INPUT: v = input_value(s, n); break;
    case NODE_DECISION:
        if (n != s->top && v_has(s->given, n->name))
            v = item_convert(s, n->type, v_get(s->given, n->name), n->line, n->name);
        else
            v = decision_value(s, n);
        break;
    case NODE_KNOWLEDGE: v = knowledge_value(s, n); break;
    case NODE_SERVICE: v = service_value(s, n); break;
    }
    s->values[n->index] = v;
    s->done[n->index] = true;
    return v;
}

// ---- entry

// In the arena, for functions among the results keep it.
static Session *session_make(const DmnModel *m, Value input, Value given, Instant now, Arena *a) {
    Session *s = arena_new(a, Session);
    *s = (Session){.model = m, .input = input, .given = given, .now = now, .arena = a,
                   .values = arena_array(a, Value, m->nodes_count),
                   .done = arena_array(a, bool, m->nodes_count), .trace = list_make(a),
                   .diagnostics = list_make(a)};
    return s;
}

static Status check_input(Value input, Error *err) {
    if (input.kind == V_CONTEXT || input.kind == V_NULL) return OK;
    return error_set(err, INVALID, S(""), "决策的输入应为上下文");
}

Status dmn_decide_given(const DmnModel *m, Str decision, Value input, Value given, Instant now,
                        Arena *a, DmnResult *ret, Error *err) {
    const Node *n = node_find(m, NODE_DECISION, decision);
    if (!n) return error_set(err, NOT_FOUND, S(""), "没有名为“{1}”的决策", decision);
    Status status = check_input(input, err);
    if (status != OK) return status;
    Session *s = session_make(m, input, given, now, a);
    s->top = n;
    Value v = node_value(s, n);
    *ret = (DmnResult){v, list_done(&s->trace), list_done(&s->diagnostics)};
    return OK;
}

Status dmn_decide(const DmnModel *m, Str decision, Value input, Instant now, Arena *a,
                  DmnResult *ret, Error *err) {
    return dmn_decide_given(m, decision, input, v_null(), now, a, ret, err);
}

Status dmn_service(const DmnModel *m, Str service, Value input, Instant now, Arena *a,
                   DmnResult *ret, Error *err) {
    const Node *n = node_find(m, NODE_SERVICE, service);
    if (!n) return error_set(err, NOT_FOUND, S(""), "没有名为“{1}”的决策服务", service);
    Status status = check_input(input, err);
    if (status != OK) return status;
    Session *s = session_make(m, input, v_null(), now, a);
    Value *args = arena_array(a, Value, n->params_count);
    for (uint32_t i = 0; i < n->params_count; i++)
        args[i] = item_read(s, n->params[i]->type, input_given(s, n->params[i]));
    Value v = service_run(s, n, args);
    *ret = (DmnResult){v, list_done(&s->trace), list_done(&s->diagnostics)};
    return OK;
}
