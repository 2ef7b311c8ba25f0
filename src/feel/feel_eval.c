// The evaluator. Total: whatever the expression and the values, it returns a Value. What can't be
// computed is null and leaves a diagnostic with its place. Steps, depth and sizes are limited;
// past a limit everything unwinds as null.
//
// Memory: results and temporaries are in run->arena; frames of names are on the C stack. Reading a
// path takes no memory.
#include "feel/feel_internal.h"

// Not to be made part of eval_node, which every node goes through and whose frame must stay small.
#define APART __attribute__((noinline))

Value eval_fail_at(Eval *ev, const Node *n, const char *text, Str a, Str b, Str c) {
    FeelRun *run = ev->run;
    if (run->diagnostics_count >= FEEL_DIAGNOSTICS_MAX) return v_null();
    FeelDiagnostic *d = &run->diagnostics[run->diagnostics_count++];
    *d = (FeelDiagnostic){.text = text, .args = {a, b, c}};
    feel_line_column(ev->expr->source, n ? n->offset : 0, &d->line, &d->column);
    return v_null();
}

static Str number_text(Eval *ev, int64_t n) {
    return arena_printf(ev->arena, "%lld", (long long)n);
}

Value eval_limit(Eval *ev, const char *text, int64_t max) {
    return eval_fail_at(ev, ev->at, text, number_text(ev, max), S(""), S(""));
}

static Value stop(Eval *ev, const Node *n, const char *text, int64_t max) {
    if (!ev->stopped) (void)eval_fail_at(ev, n, text, number_text(ev, max), S(""), S(""));
    ev->stopped = true;
    return v_null();
}

Value eval_too_deep(Eval *ev) {
    return eval_limit(ev, "列表和上下文嵌套超过 {1} 层", VALUE_DEPTH_MAX);
}

Value eval_built(Eval *ev, Value v) {
    uint16_t depth = 0;
    if ((v.kind != V_LIST && v.kind != V_CONTEXT) || v.extra) return v;
    for (uint32_t i = 0; i < v.len; i++) {
        uint16_t d = v_depth(v.kind == V_LIST ? v.as.items[i] : v.as.entries[i].value);
        if (d > depth) depth = d;
    }
    if (depth >= VALUE_DEPTH_MAX) return eval_too_deep(ev);
    v.extra = (uint16_t)(depth + 1);
    return v;
}

Value eval_list_done(Eval *ev, const ListBuilder *b) {
    return b->full ? eval_too_deep(ev) : list_done(b);
}

bool eval_room(Eval *ev, size_t items) {
    if (items <= VALUE_ITEMS_MAX) return true;
    (void)stop(ev, ev->at, "列表超过 {1} 项", VALUE_ITEMS_MAX);
    return false;
}

// ---- names

static bool member_of(Value context, Str name, Value *ret) {
    const Entry *e = context.as.entries;
    for (uint32_t i = 0; i < context.len; i++) {
        if (e[i].key.len == name.len && e[i].key.ptr[0] == name.ptr[0] &&
            memcmp(e[i].key.ptr, name.ptr, name.len) == 0) {
            *ret = e[i].value;
            return true;
        }
    }
    return false;
}

bool eval_lookup(const Eval *ev, Str name, Value *ret) {
    for (const Frame *f = ev->frame; f; f = f->outer) {
        if (f->name.len == 0) {
            if (f->value.kind == V_CONTEXT && member_of(f->value, name, ret)) return true;
        } else if (str_eq(f->name, name)) {
            *ret = f->value;
            return true;
        }
    }
    for (const FeelScope *s = ev->run->scope; s; s = s->outer)
        if (s->variables.kind == V_CONTEXT && member_of(s->variables, name, ret)) return true;
    return false;
}

static Value eval_name(Eval *ev, const Node *n) {
    Value v;
    if (eval_lookup(ev, n->name, &v)) return v;
    for (size_t i = 0; i < ev->run->functions_count; i++) {
        const FeelFunction *f = &ev->run->functions[i];
        if (!str_eq(f->name, n->name)) continue;
        Function *function = arena_new(ev->arena, Function);
        *function = (Function){.kind = FUNCTION_NATIVE, .native = f->call, .host = f->host};
        return (Value){.kind = V_FUNCTION, .as.function = function};
    }
    if (n->as.builtin) return builtin_value(n->as.builtin, ev->arena);
    return eval_fail_at(ev, n, "没有名为“{1}”的数据", n->name, S(""), S(""));
}

// ---- members

static Value member_of_list(Eval *ev, Value list, Str name) {
    ListBuilder out = list_make(ev->arena);
    eval_cost(ev, list);
    for (uint32_t i = 0; i < list.len && !ev->stopped; i++)
        list_add(&out, eval_member(ev, list.as.items[i], name));
    return eval_list_done(ev, &out);
}

static bool range_property(Value range, Str name, Value *ret) {
    const Range *r = range.as.range;
    if (str_eq(name, S("start"))) *ret = r->low ? *r->low : v_null();
    else if (str_eq(name, S("end"))) *ret = r->high ? *r->high : v_null();
    else if (str_eq(name, S("start included"))) *ret = v_bool(r->low_closed);
    else if (str_eq(name, S("end included"))) *ret = v_bool(r->high_closed);
    else return false;
    return true;
}

Value eval_member(Eval *ev, Value base, Str name) {
    Value v;
    switch (base.kind) {
    case V_CONTEXT:
        if (member_of(base, name, &v)) return v;
        return eval_fail(ev, "没有名为“{1}”的成员", name);
    case V_LIST: return member_of_list(ev, base, name);
    case V_RANGE:
        if (range_property(base, name, &v)) return v;
        break;
    case V_DATE:
    case V_TIME:
    case V_DATE_TIME:
    case V_DURATION:
    case V_MONTHS:
        if (time_property(ev, base, name, &v)) return v;
        break;
    case V_NULL: return eval_fail(ev, "空值没有成员“{1}”", name);
    default: break;
    }
    return eval_fail(ev, "{1}没有成员“{2}”", str_z(v_kind_name(base.kind)), name);
}

APART static Value eval_path(Eval *ev, const Node *n) {
    Value base = eval_node(ev, n->kids[0]), v;
    if (base.kind == V_CONTEXT && member_of(base, n->name, &v)) return v;
    ev->at = n;
    return eval_member(ev, base, n->name);
}

// ---- logic

APART static Value eval_logic(Eval *ev, const Node *n) {
    bool decisive = n->op == N_OR; // true decides an or, false an and
    Value a = eval_node(ev, n->kids[0]);
    if (a.kind == V_BOOL && a.as.boolean == decisive) return a;
    Value b = eval_node(ev, n->kids[1]);
    if (b.kind == V_BOOL && b.as.boolean == decisive) return b;
    if (a.kind == V_BOOL && b.kind == V_BOOL) return v_bool(!decisive);
    Value wrong = a.kind == V_BOOL ? b : a;
    return eval_fail_at(ev, n, "and 和 or 两边应为真假值，这里有{1}", str_z(v_kind_name(wrong.kind)),
                        S(""), S(""));
}

APART static Value eval_compare(Eval *ev, const Node *n) {
    Value a = eval_node(ev, n->kids[0]), b = eval_node(ev, n->kids[1]);
    ev->at = n;
    if (n->op != N_EQ && n->op != N_NE) return op_order(ev, (NodeOp)n->op, a, b);
    Value equal = op_equal(ev, a, b);
    return n->op == N_NE && equal.kind == V_BOOL ? v_bool(!equal.as.boolean) : equal;
}

APART static Value eval_between(Eval *ev, const Node *n) {
    Value v = eval_node(ev, n->kids[0]);
    Value low = eval_node(ev, n->kids[1]), high = eval_node(ev, n->kids[2]);
    ev->at = n;
    Value from = op_order(ev, N_GE, v, low);
    Value to = from.kind == V_NULL ? from : op_order(ev, N_LE, v, high);
    return to.kind == V_NULL ? to : v_bool(v_true(from) && v_true(to));
}

APART static Value eval_if(Eval *ev, const Node *n) {
    Value condition = eval_node(ev, n->kids[0]);
    if (condition.kind != V_BOOL && condition.kind != V_NULL)
        (void)eval_fail_at(ev, n, "if 的条件应为真假值，这里是{1}", str_z(v_kind_name(condition.kind)),
                           S(""), S(""));
    return eval_node(ev, n->kids[v_true(condition) ? 1 : 2]);
}

// ---- tests

// `test` against `input`, when the test is not itself a condition on the input.
Value eval_test_value(Eval *ev, Value input, Value test) {
    if (test.kind == V_BOOL && input.kind != V_BOOL) return test;
    return op_in(ev, input, test);
}

APART static Value test_one(Eval *ev, const Node *n) {
    Value input = ev->input ? *ev->input : v_null();
    switch (n->op) {
    case N_TEST_DASH: return v_bool(true);
    case N_TEST_CMP: {
        Value end = eval_node(ev, n->kids[0]);
        ev->at = n;
        if (n->sub != N_EQ && n->sub != N_NE) return op_order(ev, (NodeOp)n->sub, input, end);
        Value equal = op_equal(ev, input, end);
        return n->sub == N_NE && equal.kind == V_BOOL ? v_bool(!equal.as.boolean) : equal;
    }
    case N_TEST_VALUE: {
        Value test = eval_node(ev, n->kids[0]);
        ev->at = n;
        if (n->reads_input && (test.kind == V_BOOL || test.kind == V_NULL)) return test;
        if (n->kids[0]->op == N_RANGE && test.kind == V_NULL) return test;
        return eval_test_value(ev, input, test);
    }
    default: return eval_node(ev, n);
    }
}

// One of the tests holds: true; else null when one could not be made; else false.
static Value test_any(Eval *ev, const Node *n, uint32_t from) {
    Value result = v_bool(false);
    for (uint32_t i = from; i < n->count && !ev->stopped; i++) {
        Value v = test_one(ev, n->kids[i]);
        if (v_true(v)) return v;
        if (v.kind != V_BOOL) result = v_null();
    }
    return result;
}

APART static Value eval_tests(Eval *ev, const Node *n) {
    Value v = test_any(ev, n, 0);
    return n->as.negated && v.kind == V_BOOL ? v_bool(!v.as.boolean) : v;
}

APART static Value eval_in(Eval *ev, const Node *n) {
    Value input = eval_node(ev, n->kids[0]);
    const Value *outer = ev->input;
    ev->input = &input;
    Value v = test_any(ev, n, 1);
    ev->input = outer;
    return v;
}

// ---- collections

APART static Value eval_list(Eval *ev, const Node *n) {
    Value *items = arena_array(ev->arena, Value, n->count);
    for (uint32_t i = 0; i < n->count; i++) items[i] = eval_node(ev, n->kids[i]);
    return eval_built(ev, (Value){.kind = V_LIST, .len = n->count, .as.items = items});
}

// Each entry sees those before it.
APART static Value eval_context(Eval *ev, const Node *n) {
    Entry *entries = arena_array(ev->arena, Entry, n->count);
    Frame frame = {ev->frame, S(""), {.kind = V_CONTEXT, .len = 0, .as.entries = entries}};
    const Frame *outer = ev->frame;
    ev->frame = &frame;
    for (uint32_t i = 0; i < n->count; i++) {
        const Node *kid = n->kids[i];
        Value v = kid->op == N_FUNCTION ? eval_function(ev, kid, n->as.names[i])
                                        : eval_node(ev, kid);
        entries[i] = (Entry){n->as.names[i], v};
        frame.value.len = i + 1;
    }
    ev->frame = outer;
    return eval_built(ev, frame.value);
}

APART static Value eval_range(Eval *ev, const Node *n) {
    Value low = eval_node(ev, n->kids[0]), high = eval_node(ev, n->kids[1]);
    bool low_open = n->sub & RANGE_LOW_NONE, high_open = n->sub & RANGE_HIGH_NONE;
    int order;
    ev->at = n;
    if (!low_open && !high_open && !v_compare(low, high, &order))
        return eval_fail(ev, "区间两端应为可以比较的同类数据，这里是{1}和{2}", str_z(v_kind_name(low.kind)),
                         str_z(v_kind_name(high.kind)));
    Value *ends = arena_array(ev->arena, Value, 2);
    ends[0] = low;
    ends[1] = high;
    return v_range(low_open ? NULL : &ends[0], n->sub & RANGE_LOW_CLOSED,
                   high_open ? NULL : &ends[1], n->sub & RANGE_HIGH_CLOSED, ev->arena);
}

APART static Value eval_arithmetic(Eval *ev, const Node *n) {
    Value a = eval_node(ev, n->kids[0]), b = eval_node(ev, n->kids[1]);
    ev->at = n;
    return op_arithmetic(ev, (NodeOp)n->op, a, b);
}

APART static Value eval_instance(Eval *ev, const Node *n) {
    Value v = eval_node(ev, n->kids[0]);
    if (!type_known(ev, n->as.type))
        return eval_fail_at(ev, n, "不认识的类型", S(""), S(""), S(""));
    return v_bool(type_holds(ev, n->as.type, v));
}

APART static Value eval_negation(Eval *ev, const Node *n) {
    Value v = eval_node(ev, n->kids[0]);
    ev->at = n;
    return op_negate(ev, v);
}

APART static Value eval_no_input(Eval *ev, const Node *n) {
    return eval_name(ev, &(Node){.op = N_NAME, .offset = n->offset, .name = S_INIT("?")});
}

static Value eval_op(Eval *ev, const Node *n) {
    switch ((NodeOp)n->op) {
    case N_LITERAL: return n->as.value;
    case N_NAME: return eval_name(ev, n);
    case N_INPUT:
        return ev->input ? *ev->input : eval_no_input(ev, n);
    case N_PATH: return eval_path(ev, n);
    case N_FILTER: return eval_filter(ev, n);
    case N_ADD:
    case N_SUB:
    case N_MUL:
    case N_DIV:
    case N_POW: return eval_arithmetic(ev, n);
    case N_NEG: return eval_negation(ev, n);
    case N_AND:
    case N_OR: return eval_logic(ev, n);
    case N_EQ:
    case N_NE:
    case N_LT:
    case N_LE:
    case N_GT:
    case N_GE: return eval_compare(ev, n);
    case N_BETWEEN: return eval_between(ev, n);
    case N_IN: return eval_in(ev, n);
    case N_INSTANCE: return eval_instance(ev, n);
    case N_IF: return eval_if(ev, n);
    case N_FOR: return eval_for(ev, n);
    case N_SOME:
    case N_EVERY: return eval_quantified(ev, n);
    case N_LIST: return eval_list(ev, n);
    case N_CONTEXT: return eval_context(ev, n);
    case N_RANGE: return eval_range(ev, n);
    case N_ITERATION: return v_null(); // only read by the loops
    case N_FUNCTION: return eval_function(ev, n, S(""));
    case N_CALL: return eval_call(ev, n);
    case N_BUILTIN: return eval_builtin(ev, n);
    case N_TEST_CMP:
    case N_TEST_VALUE:
    case N_TEST_DASH: return test_one(ev, n);
    case N_TEST_ANY: return eval_tests(ev, n);
    }
    return v_null();
}

Value eval_node(Eval *ev, const Node *n) {
    if (n->op == N_LITERAL) return n->as.value;
    if (ev->stopped) return v_null();
    if (++ev->run->steps > FEEL_STEPS_MAX) return stop(ev, n, "运算超过 {1} 步", FEEL_STEPS_MAX);
    if (ev->depth >= FEEL_EVAL_DEPTH_MAX)
        return stop(ev, n, "运算嵌套超过 {1} 层", FEEL_EVAL_DEPTH_MAX);
    ev->depth++;
    Value v = eval_op(ev, n);
    ev->depth--;
    return ev->stopped ? v_null() : v;
}

// ---- entry

Value feel_eval(FeelRun *run, const FeelExpr *e) {
    Eval ev = {.run = run, .arena = run->arena, .expr = e, .depth = run->depth};
    run->steps = 0;
    return eval_node(&ev, e->root);
}

Value feel_test(FeelRun *run, const FeelExpr *unary, Value input) {
    Eval ev = {.run = run, .arena = run->arena, .expr = unary, .input = &input,
               .depth = run->depth};
    run->steps = 0;
    Value v = eval_node(&ev, unary->root);
    return v.kind == V_BOOL ? v : v_null();
}

Value feel_call(FeelRun *run, Value function, const Str *names, const Value *args, size_t count) {
    static const FeelExpr NOWHERE = {.source = S_INIT("")};
    Eval ev = {.run = run, .arena = run->arena, .expr = &NOWHERE, .depth = run->depth};
    run->steps = 0;
    if (count > FEEL_ARGS_MAX) return eval_limit(&ev, "参数超过 {1} 个", FEEL_ARGS_MAX);
    Value *copy = arena_array(run->arena, Value, count);
    if (count) memcpy(copy, args, count * sizeof *args);
    return call_named(&ev, function, names, copy, (uint32_t)count);
}

// ---- what an expression reads

typedef struct Reads {
    Arena *arena;
    bool needs;          // without the conditions of filters
    Str *names;
    uint32_t *offsets;   // of each name
    size_t count, cap;
    Str *hidden;
    size_t hidden_count, hidden_cap;
} Reads;

static void push(Arena *a, Str **items, size_t *count, size_t *cap, Str s) {
    if (*count == *cap) {
        *cap = *cap ? *cap * 2 : 8;
        Str *more = arena_array(a, Str, *cap);
        if (*count) memcpy(more, *items, *count * sizeof **items);
        *items = more;
    }
    (*items)[(*count)++] = s;
}

static bool among(const Str *items, size_t count, Str s) {
    for (size_t i = 0; i < count; i++)
        if (str_eq(items[i], s)) return true;
    return false;
}

static void reads_add(Reads *r, Str name, uint32_t offset) {
    if (among(r->hidden, r->hidden_count, name) || among(r->names, r->count, name) ||
        builtin_find(name))
        return;
    if (r->count == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 8;
        uint32_t *more = arena_array(r->arena, uint32_t, cap);
        if (r->count) memcpy(more, r->offsets, r->count * sizeof *more);
        r->offsets = more;
    }
    r->offsets[r->count] = offset;
    push(r->arena, &r->names, &r->count, &r->cap, name);
}

static void reads_of(Reads *r, const Node *n) {
    size_t mark = r->hidden_count;
    if (n->op == N_NAME) reads_add(r, n->name, n->offset);
    if (n->op == N_FUNCTION) {
        const FunctionLiteral *f = n->as.function;
        for (uint32_t i = 0; i < f->count; i++)
            push(r->arena, &r->hidden, &r->hidden_count, &r->hidden_cap, f->params[i]);
        if (!f->external) reads_of(r, f->body);
    }
    if (n->op == N_FOR)
        push(r->arena, &r->hidden, &r->hidden_count, &r->hidden_cap, S("partial"));
    for (uint32_t i = 0; i < n->count; i++) {
        if (n->op == N_FILTER && i == 1) {
            if (r->needs) break;
            push(r->arena, &r->hidden, &r->hidden_count, &r->hidden_cap, S("item"));
        }
        // A function may call itself by the name of its entry.
        bool named = n->op == N_CONTEXT && n->kids[i]->op == N_FUNCTION;
        if (named)
            push(r->arena, &r->hidden, &r->hidden_count, &r->hidden_cap, n->as.names[i]);
        reads_of(r, n->kids[i]);
        bool binds = (n->op == N_CONTEXT && !named) ||
                     ((n->op == N_FOR || n->op == N_SOME || n->op == N_EVERY) && i + 1 < n->count);
        if (binds)
            push(r->arena, &r->hidden, &r->hidden_count, &r->hidden_cap, n->as.names[i]);
    }
    r->hidden_count = mark;
}

void feel_reads(const FeelExpr *e, Arena *a, Str **ret, size_t *ret_count) {
    Reads r = {.arena = a};
    reads_of(&r, e->root);
    *ret = r.names;
    *ret_count = r.count;
}

void feel_needs(const FeelExpr *e, Arena *a, FeelName **ret, size_t *ret_count) {
    Reads r = {.arena = a, .needs = true};
    reads_of(&r, e->root);
    FeelName *names = arena_array(a, FeelName, r.count);
    for (size_t i = 0; i < r.count; i++) {
        names[i].name = r.names[i];
        feel_line_column(e->source, r.offsets[i], &names[i].line, &names[i].column);
    }
    *ret = names;
    *ret_count = r.count;
}

size_t feel_as_path(const FeelExpr *e, Str *ret, size_t max) {
    size_t count = 1;
    const Node *n = e->root;
    for (; n->op == N_PATH; n = n->kids[0]) count++;
    if (n->op != N_NAME || count > max) return 0;
    n = e->root;
    for (size_t i = count; i-- > 0; n = n->op == N_PATH ? n->kids[0] : n) ret[i] = n->name;
    return count;
}

// ---- tests of literals

typedef struct Ranges {
    Arena *arena;
    Range *items;
    uint32_t count, cap;
} Ranges;

static bool add_range(Ranges *r, const Value *low, bool low_closed, const Value *high,
                      bool high_closed) {
    if (r->count == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 2;
        Range *more = arena_array(r->arena, Range, r->cap);
        if (r->count) memcpy(more, r->items, r->count * sizeof *more);
        r->items = more;
    }
    r->items[r->count++] = (Range){low, high, low && low_closed, high && high_closed};
    return true;
}

static bool add_literal(Ranges *r, const Value *v) {
    switch (v->kind) {
    case V_NULL: return true; // holds for null only
    case V_RANGE:
        return add_range(r, v->as.range->low, v->as.range->low_closed, v->as.range->high,
                         v->as.range->high_closed);
    case V_LIST:
        for (uint32_t i = 0; i < v->len; i++)
            if (v->as.items[i].kind == V_LIST || !add_literal(r, &v->as.items[i])) return false;
        return true;
    case V_CONTEXT:
    case V_FUNCTION: return false;
    default: return add_range(r, v, true, v, true);
    }
}

static bool add_test(Ranges *r, const Node *n) {
    if (n->op != N_TEST_CMP && n->op != N_TEST_VALUE) return false;
    const Node *kid = n->kids[0];
    if (kid->op != N_LITERAL) return false;
    const Value *v = &kid->as.value;
    if (n->op == N_TEST_VALUE) return add_literal(r, v);
    if (v->kind == V_NULL || v->kind == V_LIST || v->kind == V_RANGE || v->kind == V_BOOL)
        return false;
    switch ((NodeOp)n->sub) {
    case N_EQ: return add_range(r, v, true, v, true);
    case N_NE: return add_range(r, NULL, false, v, false) && add_range(r, v, false, NULL, false);
    case N_LT: return add_range(r, NULL, false, v, false);
    case N_LE: return add_range(r, NULL, false, v, true);
    case N_GT: return add_range(r, v, false, NULL, false);
    default: return add_range(r, v, true, NULL, false);
    }
}

bool feel_as_tests(const FeelExpr *unary, Arena *a, FeelTests *ret) {
    const Node *n = unary->root;
    Ranges ranges = {.arena = a};
    FeelTests tests = {0};
    if (n->op == N_TEST_DASH) {
        tests.any = true;
    } else {
        if (n->op != N_TEST_ANY) return false;
        tests.negated = n->as.negated;
        for (uint32_t i = 0; i < n->count; i++)
            if (!add_test(&ranges, n->kids[i])) return false;
        tests.ranges = ranges.items;
        tests.count = ranges.count;
    }
    *ret = tests;
    return true;
}
