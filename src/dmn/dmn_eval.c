// Deciding: evaluates boxed expressions over a chain of scopes in the arena. What is wrong yields
// null and a diagnostic that names the decision and the line. Steps are counted over the whole
// decision, calls of knowledge models are limited in depth.
#include "dmn/dmn_internal.h"

Value session_fail(Session *s, uint32_t line, const char *text, Str arg) {
    if (s->diagnostics.len >= DMN_DIAGNOSTICS_MAX) return v_null();
    Error e = {0};
    (void)error_fill(&e, INVALID, S(""), text, (Str[ERROR_ARGS]){arg});
    ContextBuilder c = context_make(s->arena);
    context_put_new(&c, S("decision"), v_str(s->node ? s->node->name : S("")));
    context_put_new(&c, S("line"), v_int(line));
    context_put_new(&c, S("text"), v_str(error_message(&e, NULL, NULL, s->arena)));
    list_add(&s->diagnostics, context_done(&c));
    return v_null();
}

static Value run_text(Session *s, const Text *t, const FeelScope *scope, const Value *input) {
    if (!t->expr) return session_fail(s, t->line, "{1}", t->error);
    if (s->steps > FEEL_STEPS_MAX) return session_fail(s, t->line, "运算步数超过上限", S(""));
    FeelRun run;
    run.arena = s->arena;
    run.scope = scope;
    run.functions = NULL;
    run.functions_count = 0;
    run.now = s->now;
    run.diagnostics_count = 0;
    run.steps = 0;
    Value v = input ? feel_test(&run, t->expr, *input) : feel_eval(&run, t->expr);
    s->steps += run.steps;
    for (size_t i = 0; i < run.diagnostics_count; i++) {
        const FeelDiagnostic *d = &run.diagnostics[i];
        Error e = {0};
        (void)error_fill(&e, INVALID, S(""), d->text, d->args);
        (void)session_fail(s, t->line + d->line - 1, "{1}",
                           error_message(&e, NULL, NULL, s->arena));
    }
    return v;
}

Value text_eval(Session *s, const Text *t, const FeelScope *scope) {
    return run_text(s, t, scope, NULL);
}

Value text_test(Session *s, const Text *t, const FeelScope *scope, Value input) {
    return run_text(s, t, scope, &input);
}

static const FeelScope *scope_with(Session *s, const FeelScope *outer, Value variables) {
    FeelScope *scope = arena_new(s->arena, FeelScope);
    *scope = (FeelScope){.variables = variables, .outer = outer};
    return scope;
}

static Value one_entry(Session *s, Str name, Value v) {
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

static Value function_value(Session *s, const Boxed *b, const FeelScope *scope, Str self);

static Value call_boxed(void *host, const Value *args, size_t count, Arena *a) {
    const Closure *f = host;
    Session *s = f->s;
    uint32_t params = f->function->count - 1;
    (void)a; // the session's
    if (f->function->external)
        return session_fail(s, f->function->line, "外部函数不受支持", S(""));
    if (!f->function->kids[0]) return session_fail(s, f->function->line, "函数没有内容", S(""));
    if (count != params) return session_fail(s, f->function->line, "参数个数不符", S(""));
    if (s->calls >= DMN_CALLS_MAX || s->steps > FEEL_STEPS_MAX)
        return session_fail(s, f->function->line, "函数嵌套过深", S(""));
    ContextBuilder c = context_make(s->arena);
    for (uint32_t i = 0; i < params; i++) context_put(&c, f->function->names[i + 1], args[i]);
    const FeelScope *scope = f->scope;
    if (f->self.len) {
        Value self = function_value(s, f->function, f->scope, f->self);
        scope = scope_with(s, scope, one_entry(s, f->self, self));
    }
    ListBuilder *rules = s->rules;
    s->rules = NULL; // rows of a called table are not the decision's own
    s->calls++;
    s->steps += CALL_STEPS;
    Value v = boxed_eval(s, f->function->kids[0], scope_with(s, scope, context_done(&c)));
    s->calls--;
    s->rules = rules;
    return v;
}

static Value function_value(Session *s, const Boxed *b, const FeelScope *scope, Str self) {
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
    for (uint32_t i = 0; i < b->count; i++) {
        const Boxed *kid = b->kids[i];
        Value v = kid && kid->kind == BOXED_FUNCTION ? function_value(s, kid, own, b->names[i])
                                                     : kid_eval(s, b, i, own);
        if (b->names[i].len == 0) return v;
        entries[own->variables.len++] = (Entry){b->names[i], v};
    }
    return own->variables;
}

// The callee is called through FEEL, so that named arguments work for every kind of function.
static Value invocation_eval(Session *s, const Boxed *b, const FeelScope *scope) {
    Buf source = buf_make(s->arena, 64, FEEL_SOURCE_MAX);
    ContextBuilder c = context_make(s->arena);
    context_put(&c, S("f"), kid_eval(s, b, 0, scope));
    buf_lit(&source, "f(");
    for (uint32_t i = 1; i < b->count; i++) {
        Str name = arena_printf(s->arena, "a%u", i);
        context_put(&c, name, kid_eval(s, b, i, scope));
        buf_printf(&source, "%s%.*s: %.*s", i > 1 ? ", " : "", S_FMT(b->names[i]), S_FMT(name));
    }
    buf_lit(&source, ")");
    const FeelExpr *call;
    if (feel_parse(buf_view(&source), b->names, b->count, s->arena, &call, NULL) != OK)
        return session_fail(s, b->line, "调用的参数名称读不懂", S(""));
    Text text = {.expr = call, .line = b->line};
    return text_eval(s, &text, scope_with(s, scope, context_done(&c)));
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
    return (Value){.kind = V_LIST, .len = v.kind != V_NULL, .as.items = one};
}

static Value for_eval(Session *s, const Boxed *b, const FeelScope *scope) {
    Value in = as_list(s, kid_eval(s, b, 0, scope));
    ListBuilder out = list_make(s->arena);
    for (uint32_t i = 0; i < in.len && s->steps <= FEEL_STEPS_MAX; i++) {
        ContextBuilder c = context_make(s->arena);
        context_put(&c, S("partial"), list_done(&out));
        context_put(&c, b->variable, in.as.items[i]);
        list_add(&out, kid_eval(s, b, 1, scope_with(s, scope, context_done(&c))));
    }
    return list_done(&out);
}

static Value quantified_eval(Session *s, const Boxed *b, const FeelScope *scope) {
    bool every = b->kind == BOXED_EVERY;
    bool wrong = false;
    Value in = kid_eval(s, b, 0, scope), answer = v_bool(every);
    if (in.kind == V_NULL) return session_fail(s, b->line, "循环的列表是空值", S(""));
    in = as_list(s, in);
    for (uint32_t i = 0; i < in.len && s->steps <= FEEL_STEPS_MAX; i++) {
        Value v = kid_eval(s, b, 1, scope_with(s, scope, one_entry(s, b->variable,
                                                                   in.as.items[i])));
        if (v.kind != V_BOOL) wrong = true;
        else if (v.as.boolean != every) answer = v;
    }
    return wrong ? session_fail(s, b->line, "条件应为真假值", S("")) : answer;
}

static Value filter_eval(Session *s, const Boxed *b, const FeelScope *scope) {
    Value in = as_list(s, kid_eval(s, b, 0, scope));
    ListBuilder out = list_make(s->arena);
    for (uint32_t i = 0; i < in.len && s->steps <= FEEL_STEPS_MAX; i++) {
        Value item = in.as.items[i];
        const FeelScope *inner = scope_with(s, scope, one_entry(s, S("item"), item));
        if (item.kind == V_CONTEXT) inner = scope_with(s, inner, item);
        Value v = kid_eval(s, b, 1, inner);
        int64_t at = v_to_int(v, 0);
        if (v.kind == V_NUMBER && at != 0) { // a position
            if (at < 0) at += (int64_t)in.len + 1;
            return at >= 1 && at <= in.len ? in.as.items[at - 1] : v_null();
        }
        if (v_true(v)) list_add(&out, item);
    }
    return list_done(&out);
}

static Value if_eval(Session *s, const Boxed *b, const FeelScope *scope) {
    Value v = kid_eval(s, b, 0, scope);
    if (v.kind != V_BOOL && v.kind != V_NULL)
        return session_fail(s, b->line, "条件应为真假值", S(""));
    return kid_eval(s, b, v_true(v) ? 1 : 2, scope);
}

Value boxed_eval(Session *s, const Boxed *b, const FeelScope *scope) {
    s->steps++;
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

// ---- decisions

// Dates and durations of JSON come as text; the input's declared type says what they are.
static Value typed(Session *s, const Node *input, Value v) {
    const DmnModel *m = s->model;
    const FeelExpr *e = str_eq(input->type, S("date"))              ? m->to_date
                        : str_eq(input->type, S("time"))            ? m->to_time
                        : str_eq(input->type, S("dateTime")) ||
                                  str_eq(input->type, S("date and time"))
                            ? m->to_date_time
                        : str_eq(input->type, S("dayTimeDuration")) ||
                                  str_eq(input->type, S("yearMonthDuration")) ||
                                  str_eq(input->type, S("days and time duration")) ||
                                  str_eq(input->type, S("years and months duration"))
                            ? m->to_duration
                            : NULL;
    if (!e || v.kind != V_STRING) return v;
    Text text = {.expr = e, .line = input->line};
    return text_eval(s, &text, scope_with(s, NULL, one_entry(s, S("v"), v)));
}

static Value decide(Session *s, const Node *d);

// Knowledge models as functions; each sees those it requires, and itself.
static void add_knowledge(Session *s, const Node *n, ContextBuilder *c) {
    for (uint32_t i = 0; i < n->knowledge_count; i++) {
        const Node *k = n->knowledge[i];
        Value *made = &s->functions[k->index]; // each once, however many require it
        if (!k->logic) continue;
        if (made->kind == V_NULL) {
            ContextBuilder inner = context_make(s->arena);
            add_knowledge(s, k, &inner);
            *made = function_value(s, k->logic, scope_with(s, NULL, context_done(&inner)),
                                   k->name);
        }
        context_put(c, k->name, *made);
    }
}

static const FeelScope *scope_of(Session *s, const Node *d) {
    ContextBuilder c = context_make(s->arena);
    for (uint32_t i = 0; i < d->inputs_count; i++)
        context_put(&c, d->inputs[i]->name,
                    typed(s, d->inputs[i], v_get(s->input, d->inputs[i]->name)));
    for (uint32_t i = 0; i < d->decisions_count; i++)
        context_put(&c, d->decisions[i]->name, decide(s, d->decisions[i]));
    add_knowledge(s, d, &c);
    return scope_with(s, NULL, context_done(&c));
}

static Value decide(Session *s, const Node *d) {
    if (s->done[d->index]) return s->values[d->index];
    const FeelScope *scope = scope_of(s, d);
    const Node *outer = s->node;
    ListBuilder *outer_rules = s->rules, rules = list_make(s->arena);
    s->node = d;
    s->rules = &rules;
    // A decision without logic is made elsewhere: its value may come with the input.
    Value v = d->logic                    ? boxed_eval(s, d->logic, scope)
              : v_has(s->input, d->name) ? v_get(s->input, d->name)
                                         : session_fail(s, d->line, "决策没有内容", S(""));
    s->node = outer;
    s->rules = outer_rules;
    ContextBuilder c = context_make(s->arena);
    context_put_new(&c, S("decision"), v_str(d->name));
    context_put_new(&c, S("rules"), list_done(&rules));
    context_put_new(&c, S("value"), v);
    list_add(&s->trace, context_done(&c));
    s->values[d->index] = v;
    s->done[d->index] = true;
    return v;
}

Status dmn_decide(const DmnModel *m, Str decision, Value input, Instant now, Arena *a,
                  DmnResult *ret, Error *err) {
    const Node *d = NULL;
    for (uint32_t i = 0; i < m->decisions_count && !d; i++)
        if (str_eq(m->decisions[i]->name, decision)) d = m->decisions[i];
    if (!d) return error_set(err, NOT_FOUND, S(""), "没有名为“{1}”的决策", decision);
    if (input.kind != V_CONTEXT && input.kind != V_NULL)
        return error_set(err, INVALID, S(""), "决策的输入应为上下文");
    Session s = {.model = m, .input = input, .now = now, .arena = a,
                 .values = arena_array(a, Value, m->decisions_count),
                 .done = arena_array(a, bool, m->decisions_count),
                 .functions = arena_array(a, Value, m->knowledge_count), .trace = list_make(a),
                 .diagnostics = list_make(a)};
    Session *session = arena_new(a, Session); // functions among the results keep it
    *session = s;
    Value v = decide(session, d);
    *ret = (DmnResult){v, list_done(&session->trace), list_done(&session->diagnostics)};
    return OK;
}
