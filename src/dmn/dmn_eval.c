// Deciding: evaluates boxed expressions over a chain of scopes in the arena. What is wrong yields
// null and a diagnostic that names the decision and the line. Steps are counted over the whole
// decision, calls of knowledge models are limited in depth.
#include "dmn/dmn_internal.h"

static void diagnostic(Session *s, uint32_t line, uint32_t column, const char *text,
                       const Str args[ERROR_ARGS]) {
    if (s->diagnostics.len >= DMN_DIAGNOSTICS_MAX) return;
    Error e = {0};
    (void)error_fill(&e, INVALID, S(""), text, args);
    Str said = error_message(&e, NULL, NULL, s->arena);
    if (s->diagnostics.len > 0) { // the same again, as for every row of a table, is said once
        Value last = s->diagnostics.items[s->diagnostics.len - 1];
        if (v_to_int(v_get_lit(last, "line"), 0) == line &&
            v_to_int(v_get_lit(last, "column"), 0) == column &&
            str_eq(v_text(v_get_lit(last, "text")), said))
            return;
    }
    ContextBuilder c = context_make(s->arena);
    context_put_new(&c, S("decision"), v_str(s->node ? s->node->name : S("")));
    context_put_new(&c, S("line"), v_int(line));
    context_put_new(&c, S("column"), v_int(column));
    context_put_new(&c, S("text"), v_str(said));
    list_add(&s->diagnostics, context_done(&c));
}

Value session_fail(Session *s, uint32_t line, const char *text, Str a, Str b, Str c) {
    diagnostic(s, line, 1, text, (Str[ERROR_ARGS]){a, b, c});
    return v_null();
}

static Value fail(Session *s, uint32_t line, const char *text) {
    return session_fail(s, line, text, S(""), S(""), S(""));
}

// What FEEL reported, at its place in the file.
static void take_diagnostics(Session *s, const FeelRun *run, uint32_t line) {
    for (size_t i = 0; i < run->diagnostics_count; i++) {
        const FeelDiagnostic *d = &run->diagnostics[i];
        diagnostic(s, line + d->line - 1, d->column, d->text, d->args);
    }
}

// The innermost evaluation of FEEL knows how deep the C stack is.
static const FeelRun *run_begin(Session *s, FeelRun *run, const FeelScope *scope) {
    const FeelRun *outer = s->run;
    feel_run_init(run, s->arena, scope, s->now);
    run->type_test = session_type_test;
    run->type_host = s;
    run->depth = outer ? outer->depth : 0;
    s->run = run;
    return outer;
}

static Value run_text(Session *s, const Text *t, const FeelScope *scope, const Value *input) {
    if (!t->expr) {
        diagnostic(s, t->line, t->column, "{1}", (Str[ERROR_ARGS]){t->error});
        return v_null();
    }
    if (s->steps > FEEL_STEPS_MAX) return fail(s, t->line, "运算步数超过上限");
    FeelRun run;
    const FeelRun *outer = run_begin(s, &run, scope);
    Value v = input ? feel_test(&run, t->expr, *input) : feel_eval(&run, t->expr);
    s->run = outer;
    s->steps += run.steps;
    if (run.diagnostics_count) take_diagnostics(s, &run, t->line);
    return v;
}

Value text_eval(Session *s, const Text *t, const FeelScope *scope) {
    return run_text(s, t, scope, NULL);
}

Value text_test(Session *s, const Text *t, const FeelScope *scope, Value input) {
    return run_text(s, t, scope, &input);
}

const FeelScope *scope_with(Session *s, const FeelScope *outer, Value variables) {
    FeelScope *scope = arena_new(s->arena, FeelScope);
    *scope = (FeelScope){.variables = variables, .outer = outer};
    return scope;
}

Value one_entry(Session *s, Str name, Value v) {
    Entry *e = arena_new(s->arena, Entry);
    *e = (Entry){name, v};
    return (Value){.kind = V_CONTEXT, .len = 1, .as.entries = e};
}

// ---- functions

// A call takes memory for its scopes, so it counts for more than a step.
enum { CALL_STEPS = 50 };

typedef struct Closure {
    Session *s;
    const Boxed *function;
    const FeelScope *scope;
    Str self;
} Closure;

// The parameters by their names, converted to their types; null when one is not of its type.
static bool bind(Session *s, const Boxed *f, const Value *args, Value *ret) {
    uint32_t params = f->count - 1;
    Entry *entries = arena_array(s->arena, Entry, params);
    for (uint32_t i = 0; i < params; i++) {
        Value v = item_convert(s, f->types[i + 1], args[i], f->line, f->names[i + 1]);
        if (v.kind == V_NULL && args[i].kind != V_NULL) return false;
        entries[i] = (Entry){f->names[i + 1], v};
    }
    *ret = (Value){.kind = V_CONTEXT, .len = params, .as.entries = entries};
    return true;
}

static Value call_boxed(void *host, const Value *args, size_t count, Arena *a) {
    const Closure *f = host;
    const Boxed *b = f->function;
    Session *s = f->s;
    (void)a; // the session's
    if (b->external) return fail(s, b->line, "外部函数不受支持");
    if (!b->kids[0]) return fail(s, b->line, "函数没有内容");
    if (count != b->count - 1) return fail(s, b->line, "参数个数不符");
    if (s->calls >= DMN_CALLS_MAX || s->steps > FEEL_STEPS_MAX)
        return fail(s, b->line, "函数嵌套过深");
    Value bound;
    if (!bind(s, b, args, &bound)) return v_null();
    const FeelScope *scope = f->scope;
    if (f->self.len)
        scope = scope_with(s, scope, one_entry(s, f->self, function_value(s, b, scope, f->self)));
    ListBuilder *rules = s->rules;
    Str inside = s->inside;
    s->rules = NULL; // rows of a called table are not the decision's own
    if (f->self.len) s->inside = f->self;
    s->calls++;
    s->steps += CALL_STEPS;
    Value v = boxed_eval(s, b->kids[0], scope_with(s, scope, bound));
    s->calls--;
    s->rules = rules;
    s->inside = inside;
    return item_convert(s, b->type, v, b->line, f->self);
}

Value function_value(Session *s, const Boxed *b, const FeelScope *scope, Str self) {
    Closure *f = arena_new(s->arena, Closure);
    *f = (Closure){s, b, scope, self};
    return feel_function(call_boxed, f, b->names + 1, b->count - 1, s->arena);
}

// ---- boxed expressions

static Value kid_eval(Session *s, const Boxed *b, uint32_t i, const FeelScope *scope) {
    return b->kids[i] ? boxed_eval(s, b->kids[i], scope) : v_null();
}

// Each entry sees those before it; an entry without a name is the result.
static Value context_eval(Session *s, const Boxed *b, const FeelScope *scope) {
    Entry *entries = arena_array(s->arena, Entry, b->count);
    FeelScope *own = arena_new(s->arena, FeelScope);
    *own = (FeelScope){.variables = {.kind = V_CONTEXT, .as.entries = entries}, .outer = scope};
    uint16_t depth = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        const Boxed *kid = b->kids[i];
        Value v = kid && kid->kind == BOXED_FUNCTION ? function_value(s, kid, own, b->names[i])
                                                     : kid_eval(s, b, i, own);
        if (kid) v = item_convert(s, b->types[i], v, kid->line, b->names[i]);
        if (b->names[i].len == 0) return v;
        if (v_depth(v) > depth) depth = v_depth(v);
        if (depth >= VALUE_DEPTH_MAX) return fail(s, b->line, "数据嵌套过深");
        entries[own->variables.len++] = (Entry){b->names[i], v};
        own->variables.extra = (uint16_t)(depth + 1);
    }
    return own->variables;
}

static Value invocation_eval(Session *s, const Boxed *b, const FeelScope *scope) {
    Value function = kid_eval(s, b, 0, scope);
    Value *args = arena_array(s->arena, Value, b->count);
    for (uint32_t i = 1; i < b->count; i++) {
        args[i - 1] = kid_eval(s, b, i, scope);
        if (b->kids[i])
            args[i - 1] = item_convert(s, b->types[i], args[i - 1], b->kids[i]->line, b->names[i]);
    }
    FeelRun run;
    const FeelRun *outer = run_begin(s, &run, scope);
    Value v = feel_call(&run, function, b->names + 1, args, b->count - 1);
    s->run = outer;
    s->steps += run.steps;
    take_diagnostics(s, &run, b->line);
    return v;
}

static Value list_eval(Session *s, const Boxed *b, const FeelScope *scope) {
    ListBuilder list = list_make(s->arena);
    for (uint32_t i = 0; i < b->count; i++) list_add(&list, kid_eval(s, b, i, scope));
    return list_done(&list);
}

static Value as_list(Session *s, Value v) {
    if (v.kind == V_LIST) return v;
    Value *one = arena_new(s->arena, Value);
    *one = v;
    return (Value){.kind = V_LIST, .len = v.kind != V_NULL, .extra = (uint16_t)(v_depth(v) + 1),
                   .as.items = one};
}

// What a loop goes through: a list, a range of integers or dates as FEEL counts them, a single
// value. False, with a diagnostic, for null and for what can't be counted.
static bool loop_items(Session *s, const Boxed *b, const FeelScope *scope, Value *ret) {
    const FeelExpr *count;
    Value in = kid_eval(s, b, 0, scope);
    if (in.kind == V_NULL) {
        (void)fail(s, b->line, "循环的列表是空值");
        return false;
    }
    if (in.kind == V_RANGE && feel_parse(S("for i in r return i"), NULL, 0, s->arena, &count,
                                         NULL) == OK) {
        Text text = {.expr = count, .line = b->line};
        in = text_eval(s, &text, scope_with(s, NULL, one_entry(s, S("r"), in)));
        if (in.kind == V_NULL) return false;
    }
    *ret = as_list(s, in);
    return true;
}

static Value for_eval(Session *s, const Boxed *b, const FeelScope *scope) {
    Value in;
    ListBuilder out = list_make(s->arena);
    if (!loop_items(s, b, scope, &in)) return v_null();
    for (uint32_t i = 0; i < in.len && s->steps <= FEEL_STEPS_MAX; i++) {
        ContextBuilder c = context_make(s->arena);
        context_put(&c, S("partial"), list_done(&out));
        context_put(&c, b->variable, in.as.items[i]);
        list_add(&out, kid_eval(s, b, 1, scope_with(s, scope, context_done(&c))));
    }
    if (s->steps > FEEL_STEPS_MAX) return fail(s, b->line, "运算步数超过上限");
    if (!out.full) return list_done(&out);
    Str max = arena_printf(s->arena, "%d", VALUE_ITEMS_MAX);
    return session_fail(s, b->line, "列表超过 {1} 项", max, S(""), S(""));
}

static Value quantified_eval(Session *s, const Boxed *b, const FeelScope *scope) {
    bool every = b->kind == BOXED_EVERY;
    bool wrong = false;
    Value in, answer = v_bool(every);
    if (!loop_items(s, b, scope, &in)) return v_null();
    for (uint32_t i = 0; i < in.len && s->steps <= FEEL_STEPS_MAX; i++) {
        Value v = kid_eval(s, b, 1, scope_with(s, scope, one_entry(s, b->variable,
                                                                   in.as.items[i])));
        if (v.kind != V_BOOL) wrong = true;
        else if (v.as.boolean != every) answer = v;
    }
    if (s->steps > FEEL_STEPS_MAX) return fail(s, b->line, "运算步数超过上限");
    return wrong ? fail(s, b->line, "条件应为真假值") : answer;
}

static Value item_at(Session *s, const Boxed *b, Value in, Value position) {
    int64_t at = v_to_int(position, 0);
    if (at < 0) at += (int64_t)in.len + 1;
    if (at >= 1 && at <= in.len) return in.as.items[at - 1];
    return session_fail(s, b->line, "列表没有第 {1} 项", v_to_str(position, s->arena), S(""), S(""));
}

static Value filter_eval(Session *s, const Boxed *b, const FeelScope *scope) {
    Value in = as_list(s, kid_eval(s, b, 0, scope));
    ListBuilder out = list_make(s->arena);
    for (uint32_t i = 0; i < in.len && s->steps <= FEEL_STEPS_MAX; i++) {
        Value item = in.as.items[i];
        const FeelScope *inner = scope_with(s, scope, one_entry(s, S("item"), item));
        if (item.kind == V_CONTEXT) inner = scope_with(s, inner, item);
        Value v = kid_eval(s, b, 1, inner);
        if (v.kind == V_NUMBER) return item_at(s, b, in, v);
        if (v.kind != V_BOOL && v.kind != V_NULL) return fail(s, b->line, "条件应为真假值");
        if (v_true(v)) list_add(&out, item);
    }
    if (s->steps > FEEL_STEPS_MAX) return fail(s, b->line, "运算步数超过上限");
    return list_done(&out);
}

static Value if_eval(Session *s, const Boxed *b, const FeelScope *scope) {
    Value v = kid_eval(s, b, 0, scope);
    if (v.kind != V_BOOL && v.kind != V_NULL)
        return fail(s, b->line, "条件应为真假值");
    return kid_eval(s, b, v_true(v) ? 1 : 2, scope);
}

static Value boxed_op(Session *s, const Boxed *b, const FeelScope *scope) {
    switch (b->kind) {
    case BOXED_TEXT: return text_eval(s, &b->text, scope);
    case BOXED_TABLE: return table_eval(s, b->table, scope, b->line);
    case BOXED_CONTEXT: return context_eval(s, b, scope);
    case BOXED_INVOCATION: return invocation_eval(s, b, scope);
    case BOXED_LIST: return list_eval(s, b, scope);
    case BOXED_FUNCTION: return function_value(s, b, scope, S(""));
    case BOXED_IF: return if_eval(s, b, scope);
    case BOXED_FOR: return for_eval(s, b, scope);
    case BOXED_SOME:
    case BOXED_EVERY: return quantified_eval(s, b, scope);
    case BOXED_FILTER: return filter_eval(s, b, scope);
    }
    return v_null();
}

Value boxed_eval(Session *s, const Boxed *b, const FeelScope *scope) {
    s->steps++;
    Value v = boxed_op(s, b, scope);
    // Of a function the type is that of its result.
    if (b->kind == BOXED_FUNCTION || !b->type) return v;
    return item_convert(s, b->type, v, b->line, s->node ? s->node->name : S(""));
}
