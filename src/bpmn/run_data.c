// Expressions and data: what is seen from where, and where what is written goes.
//
// The variables of the instance are one context. A sub-process or called process that declares
// data of its own has a context for it, and a call activity with data associations has one for
// everything. Names are looked up from the inside outwards: the members of loops, own data, the
// variables, then the facts of the input; what is written goes to the innermost that has the name,
// else to the variables.
#include "bpmn/run.h"

// Where the data outside of a token's own is.
static int64_t outer_of(const Token *t) {
    if (t->role == ROLE_COMPENSATE) return t->target;
    return t->role == ROLE_SCOPE && t->host ? t->host : t->scope;
}

static const FeelScope *process_scope(Run *r, Value own) {
    FeelScope *s = arena_new(r->arena, FeelScope);
    s->variables = own;
    s->outer = r->facts.variables.kind == V_CONTEXT ? &r->facts : NULL;
    return s;
}

// As deep as sub-processes are nested in the instance.
static const FeelScope *scope_of(Run *r, int64_t scope) {
    const Token *t = scope ? run_token(r, scope) : NULL;
    if (!t) return process_scope(r, r->state.variables);
    const Node *n = node_of(r, t->node);
    bool isolated = n->isolated && t->local.kind == V_CONTEXT;
    const FeelScope *outer = isolated ? NULL : scope_of(r, outer_of(t));
    FeelScope *s;
    if (t->index) {
        ContextBuilder b = context_make(r->arena);
        context_put(&b, S("loopCounter"), v_int(t->index));
        if (n->multi && n->multi->item.len) context_put(&b, n->multi->item, t->item);
        s = arena_new(r->arena, FeelScope);
        *s = (FeelScope){.variables = context_done(&b), .outer = outer};
        outer = s;
    }
    if (t->local.kind != V_CONTEXT) return outer;
    if (isolated) return process_scope(r, t->local);
    s = arena_new(r->arena, FeelScope);
    *s = (FeelScope){.variables = t->local, .outer = outer};
    return s;
}

bool run_evaluate(Run *r, const FeelExpr *e, int64_t scope, Value own, Value *ret, Str *ret_why) {
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

Status run_decide(Run *r, uint32_t edge, int64_t scope, Value own, bool *ret) {
    const Edge *e = &r->flow->edges[edge];
    if (!e->condition) {
        *ret = true;
        return OK;
    }
    Value v = v_null();
    Str why;
    bool told = run_evaluate(r, e->condition, scope, own, &v, &why);
    if (!told || v.kind != V_BOOL)
        return error_set(r->err, INVALID, e->id, "顺序流“{1}”的条件无法判断：{2}",
                         e->name.len ? e->name : e->id, why.len ? why : S("结果既不是真也不是假"));
    *ret = v.as.boolean;
    return OK;
}

bool run_holds(Run *r, const FeelExpr *e, int64_t scope) {
    Value v = v_null();
    Str why;
    return run_evaluate(r, e, scope, v_null(), &v, &why) && v_true(v);
}

Status run_attributes(Run *r, uint32_t node, int64_t scope, Value *ret) {
    const Node *n = node_of(r, node);
    ContextBuilder b = context_make(r->arena);
    for (uint32_t i = 0; i < n->attributes_count && n->fixed.kind != V_CONTEXT; i++) {
        const Attribute *at = &n->attributes[i];
        Value v = v_str(at->text);
        Str why;
        if (at->expr && !run_evaluate(r, at->expr, scope, v_null(), &v, &why))
            return error_set(r->err, INVALID, n->id, "环节“{1}”的属性 {2} 无法计算：{3}",
                             node_label(n), at->name, why);
        context_put(&b, at->name, v);
    }
    Value v = n->fixed.kind == V_CONTEXT ? n->fixed : context_done(&b);
    if (n->script_format.len) {
        v = v_with(v, S("script"), v_str(n->script_text), r->arena);
        v = v_with(v, S("format"), v_str(n->script_format), r->arena);
    }
    *ret = v;
    return OK;
}

Value run_get(Run *r, int64_t scope, Str name) {
    for (const FeelScope *s = scope_of(r, scope); s; s = s->outer)
        if (v_has(s->variables, name)) return v_get(s->variables, name);
    return v_null();
}

// Writing

void run_set(Run *r, int64_t scope, Str name, Value v) {
    r->dirty = r->changed = true;
    for (int64_t at = r->flow->has_locals ? scope : 0; at;) {
        Token *t = run_token(r, at);
        if (!t) break;
        bool isolated = node_of(r, t->node)->isolated;
        if (t->local.kind == V_CONTEXT && (isolated || v_has(t->local, name))) {
            t->local = v_with(t->local, name, v, r->arena);
            return;
        }
        at = outer_of(t);
    }
    r->state.variables = v_with(r->state.variables, name, v, r->arena);
}

Status run_merge(Run *r, int64_t scope, Value values) {
    if (values.kind == V_NULL) return OK;
    if (values.kind != V_CONTEXT)
        return error_set(r->err, INVALID, S("values"), "流程变量应是一组命名的值");
    if (!values.len) return OK;
    r->dirty = r->changed = true;
    if (!r->flow->has_locals || !scope) {
        r->state.variables = v_merge(r->state.variables, values, r->arena);
        return OK;
    }
    for (uint32_t i = 0; i < values.len; i++)
        run_set(r, scope, values.as.entries[i].key, values.as.entries[i].value);
    return OK;
}

// Data associations

// The value with the member at `path` (a.b.c) set; empty: the value itself.
static Value with_path(Run *r, Value whole, Str path, Value v) {
    if (!path.len) return v;
    Str rest = path;
    Str first = str_cut(&rest, '.');
    Value inner = with_path(r, v_get(whole, first), rest, v);
    if (whole.kind == V_CONTEXT) return v_with(whole, first, inner, r->arena);
    ContextBuilder b = context_make(r->arena);
    context_put_new(&b, first, inner);
    return context_done(&b);
}

// What the association gives, put into what its target holds now.
static Status link_value(Run *r, const Node *n, const DataLink *link, int64_t scope, Value own,
                         Value target, Value *ret) {
    Str why = S("");
    Value v = v_null();
    if (link->source.len) {
        v = v_has(own, link->source) ? v_get(own, link->source) : run_get(r, scope, link->source);
    }
    if (link->transformation && !run_evaluate(r, link->transformation, scope, own, &v, &why))
        return error_set(r->err, INVALID, n->id, "环节“{1}”的数据“{2}”算不出来：{3}", node_label(n),
                         link->target, why);
    bool whole = link->source.len || link->transformation;
    if (!whole) v = target;
    for (uint32_t i = 0; i < link->assigns_count; i++) {
        Value part = v_null();
        if (!run_evaluate(r, link->assigns[i].from, scope, own, &part, &why))
            return error_set(r->err, INVALID, n->id, "环节“{1}”的数据“{2}”算不出来：{3}",
                             node_label(n), link->target, why);
        Str path = link->assigns[i].to, rest = path;
        if (str_eq(str_cut(&rest, '.'), link->target)) path = rest;
        v = with_path(r, v, path, part);
    }
    *ret = v;
    return OK;
}

Status run_inputs(Run *r, uint32_t node, int64_t scope, Value *ret) {
    const Node *n = node_of(r, node);
    Value inputs = v_null();
    for (uint32_t i = 0; i < n->inputs_count; i++) {
        Value v = v_null();
        const DataLink *link = &n->inputs[i];
        Status status =
            link_value(r, n, link, scope, v_null(), v_get(inputs, link->target), &v);
        if (status) return status;
        ContextBuilder nothing = context_make(r->arena);
        if (inputs.kind != V_CONTEXT) inputs = context_done(&nothing);
        inputs = v_with(inputs, link->target, v, r->arena);
    }
    *ret = inputs;
    return OK;
}

Status run_outputs(Run *r, uint32_t node, int64_t scope, Value values) {
    const Node *n = node_of(r, node);
    if (values.kind != V_NULL && values.kind != V_CONTEXT)
        return error_set(r->err, INVALID, S("values"), "流程变量应是一组命名的值");
    if (!n->outputs_count) return run_merge(r, scope, values);
    for (uint32_t i = 0; i < n->outputs_count; i++) {
        const DataLink *link = &n->outputs[i];
        Value target = run_get(r, scope, link->target), v = v_null();
        Status status = link_value(r, n, link, scope, values, target, &v);
        if (status) return status;
        run_set(r, scope, link->target, v);
    }
    return OK;
}
