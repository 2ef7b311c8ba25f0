// Calls: built-in functions (found while parsing), functions written in FEEL, and the host's.
// The kinds of a built-in's arguments are checked here by its `types`, so that the functions
// themselves only see what they can work with.
#include "feel/feel_internal.h"

enum { ARGS_INLINE = 6 };

// ---- built-in functions

static bool kind_fits(char type, Value v) {
    switch (type) {
    case 'n': return v.kind == V_NUMBER;
    case 's': return v.kind == V_STRING;
    case 'b': return v.kind == V_BOOL;
    case 'c': return v.kind == V_CONTEXT;
    case 'l': return v.kind == V_LIST;
    case 'f': return v.kind == V_FUNCTION;
    case 'd': return v.kind == V_DATE || v.kind == V_DATE_TIME;
    case 't': return v.kind == V_TIME || v.kind == V_DATE_TIME;
    default: return true;
    }
}

static const char *type_name(char type) {
    switch (type) {
    case 'n': return "数值";
    case 's': return "文字";
    case 'b': return "真假值";
    case 'c': return "上下文";
    case 'l': return "列表";
    case 'f': return "函数";
    case 'd': return "日期";
    default: return "时间";
    }
}

// A list of one is its item, and a single value a list of one (DMN 1.5, 10.3.2.9.4).
static bool coerce(Eval *ev, char type, Value *v) {
    if (kind_fits(type, *v)) return true;
    if (type == 'l' && v->kind != V_NULL) {
        Value *one = arena_new(ev->arena, Value);
        *one = *v;
        *v = (Value){.kind = V_LIST, .len = 1, .as.items = one};
        return true;
    }
    if (v->kind == V_LIST && v->len == 1 && kind_fits(type, v->as.items[0])) {
        *v = v->as.items[0];
        return true;
    }
    return false;
}

// Checks and converts `args` in place.
static bool check_args(Eval *ev, const Builtin *b, Value *args, uint32_t count) {
    const char *t = b->types;
    uint32_t i = 0;
    while (*t) {
        char mark = *t == '?' || *t == '*' || *t == '~' ? *t++ : 0;
        char type = *t;
        if (i >= count) {
            if (mark) return true; // the rest may be left out
            (void)eval_fail(ev, "函数 {1} 缺少参数", str_z(b->name));
            return false;
        }
        bool left_out = args[i].kind == V_NULL && mark &&
                        (mark == '~' || args[i].extra == VALUE_LEFT_OUT);
        if (!left_out && !coerce(ev, type, &args[i])) {
            (void)eval_fail(ev, "函数 {1} 的第 {2} 个参数应为{3}", str_z(b->name),
                            arena_printf(ev->arena, "%u", i + 1), str_z(type_name(type)));
            return false;
        }
        i++;
        if (mark != '*' || i >= count) t++;
        else t--; // once more
    }
    if (i < count) (void)eval_fail(ev, "函数 {1} 的参数过多", str_z(b->name));
    return i >= count;
}

static Value checked_call(Eval *ev, const Builtin *b, Value *args, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) eval_cost(ev, args[i]);
    return check_args(ev, b, args, count) ? eval_built(ev, b->call(ev, args, count)) : v_null();
}

Value call_builtin(Eval *ev, const Builtin *b, const Value *args, uint32_t count) {
    Value *copy = arena_array(ev->arena, Value, count);
    if (count) memcpy(copy, args, count * sizeof *args);
    return checked_call(ev, b, copy, count);
}

static Value native_call(Eval *ev, FeelNative call, void *host, const Value *args,
                         uint32_t count) {
    uint32_t outer = ev->run->depth;
    ev->run->depth = ev->depth;
    Value v = call(host, args, count, ev->arena);
    ev->run->depth = outer;
    return ev->stopped ? v_null() : v;
}

static Value builtin_named(Eval *ev, const Builtin *b, const Str *names, const Value *args,
                           uint32_t count) {
    int32_t order[BUILTIN_PARAMS_MAX];
    Value ordered[BUILTIN_PARAMS_MAX];
    uint32_t ordered_count;
    if (!builtin_arrange(b, names, count, order, &ordered_count))
        return eval_fail(ev, "函数 {1} 没有这样的参数名称", str_z(b->name));
    Str wrong;
    if (!builtin_names_fit(b, names, args, count, &wrong))
        return eval_fail(ev, "函数 {1} 的参数“{2}”不是它应有的类型", str_z(b->name), wrong);
    for (uint32_t i = 0; i < ordered_count; i++)
        ordered[i] = order[i] >= 0 ? args[order[i]] : (Value){.extra = VALUE_LEFT_OUT};
    return checked_call(ev, b, ordered, ordered_count);
}

Value eval_builtin(Eval *ev, const Node *n) {
    bool by_names = n->sub == BUILTIN_NAMED;
    const Builtin *b = by_names ? n->as.named->builtin : n->as.builtin;
    Value room[ARGS_INLINE];
    Value *args = n->count <= ARGS_INLINE ? room : arena_array(ev->arena, Value, n->count);
    for (uint32_t i = 0; i < n->count; i++) args[i] = eval_node(ev, n->kids[i]);
    ev->at = n;
    for (size_t i = 0; i < ev->run->functions_count; i++) {
        const FeelFunction *f = &ev->run->functions[i];
        if (str_eq(f->name, str_z(b->name)))
            return native_call(ev, f->call, f->host, args, n->count);
    }
    if (ev->stopped) return v_null();
    return by_names ? builtin_named(ev, b, n->as.named->names, args, n->count)
                    : checked_call(ev, b, args, n->count);
}

Value builtin_value(const Builtin *b, Arena *a) {
    Function *f = arena_new(a, Function);
    *f = (Function){.kind = FUNCTION_BUILTIN, .builtin = b};
    return (Value){.kind = V_FUNCTION, .as.function = f};
}

Value feel_function(FeelNative call, void *host, const Str *params, size_t params_count,
                    Arena *a) {
    Function *f = arena_new(a, Function);
    *f = (Function){.kind = FUNCTION_NATIVE, .native = call, .host = host, .params = params,
                    .params_count = (uint32_t)params_count};
    return (Value){.kind = V_FUNCTION, .as.function = f};
}

// ---- functions written in FEEL

// The chain lives on the C stack; a function keeps a copy.
static const Frame *frames_copy(Arena *a, const Frame *from) {
    Frame *first = NULL, **link = &first;
    Frame *last = NULL;
    for (; from; from = from->outer) {
        Frame *copy = arena_new(a, Frame);
        *copy = (Frame){NULL, from->name, from->value};
        if (last) last->outer = copy;
        else *link = copy;
        last = copy;
    }
    return first;
}

Value eval_function(Eval *ev, const Node *n, Str self) {
    Function *f = arena_new(ev->arena, Function);
    *f = (Function){.kind = FUNCTION_LITERAL, .literal = n->as.function, .expr = ev->expr,
                    .frame = frames_copy(ev->arena, ev->frame), .self = self};
    return (Value){.kind = V_FUNCTION, .as.function = f};
}

static Value literal_call(Eval *ev, Value function, const Value *args, uint32_t count) {
    const Function *f = function.as.function;
    const FunctionLiteral *literal = f->literal;
    if (literal->external) return eval_fail(ev, "外部函数不受支持");
    if (count != literal->count) return eval_fail(ev, "参数个数不符，应为 {1} 个",
                                                  arena_printf(ev->arena, "%u", literal->count));
    if (ev->calls >= FEEL_DEPTH_MAX) {
        ev->stopped = true;
        return eval_limit(ev, "函数嵌套超过 {1} 层", FEEL_DEPTH_MAX);
    }
    Frame frames[FEEL_PARAMS_MAX + 1];
    Frame *frame = &frames[0];
    *frame = (Frame){f->frame, f->self, function};
    const Frame *inner = f->self.len ? frame++ : f->frame;
    for (uint32_t i = 0; i < count; i++) {
        bool ok;
        Value v = type_convert(ev, literal->types[i], args[i], &ok);
        if (!ok) return eval_fail(ev, "参数“{1}”的类型不符", literal->params[i]);
        *frame = (Frame){inner, literal->params[i], v};
        inner = frame++;
    }
    const Frame *outer = ev->frame;
    const FeelExpr *expr = ev->expr;
    const Value *input = ev->input;
    ev->frame = inner;
    ev->expr = f->expr;
    ev->input = NULL;
    ev->calls++;
    Value v = eval_node(ev, literal->body);
    ev->calls--;
    ev->frame = outer;
    ev->expr = expr;
    ev->input = input;
    return v;
}

Value call_value(Eval *ev, Value function, const Value *args, uint32_t count) {
    if (function.kind != V_FUNCTION)
        return eval_fail(ev, "{1}不是函数，不能调用", str_z(v_kind_name(function.kind)));
    const Function *f = function.as.function;
    switch (f->kind) {
    case FUNCTION_LITERAL: return literal_call(ev, function, args, count);
    case FUNCTION_BUILTIN: return call_builtin(ev, f->builtin, args, count);
    case FUNCTION_NATIVE:
        if (f->params && count != f->params_count) return eval_fail(ev, "参数个数不符");
        return native_call(ev, f->native, f->host, args, count);
    }
    return v_null();
}

// Named arguments into the order of the parameters; false: a name that is no parameter.
static bool by_name(const Function *f, const Str *names, Value *args, uint32_t count) {
    const Str *params = f->kind == FUNCTION_LITERAL ? f->literal->params : f->params;
    uint32_t params_count = f->kind == FUNCTION_LITERAL ? f->literal->count : f->params_count;
    Value ordered[FEEL_PARAMS_MAX];
    if (!params || count != params_count || count > FEEL_PARAMS_MAX) return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = 0;
        while (at < count && !str_eq(names[at], params[i])) at++;
        if (at == count) return false;
        ordered[i] = args[at];
    }
    if (count) memcpy(args, ordered, count * sizeof *args);
    return true;
}

Value call_named(Eval *ev, Value function, const Str *names, Value *args, uint32_t count) {
    if (function.kind == V_FUNCTION && names) {
        const Function *f = function.as.function;
        if (f->kind == FUNCTION_BUILTIN) return builtin_named(ev, f->builtin, names, args, count);
        if (!by_name(f, names, args, count)) return eval_fail(ev, "函数没有这样的参数名称");
    }
    return call_value(ev, function, args, count);
}

Value eval_call(Eval *ev, const Node *n) {
    uint32_t count = n->count - 1;
    Value callee = eval_node(ev, n->kids[0]);
    // A variable that is no function doesn't hide one: with a date called date, date("…") works.
    const Builtin *b = n->kids[0]->op == N_NAME ? n->kids[0]->as.builtin : NULL;
    if (b && callee.kind != V_FUNCTION) callee = builtin_value(b, ev->arena);
    Value *args = arena_array(ev->arena, Value, count);
    for (uint32_t i = 0; i < count; i++) args[i] = eval_node(ev, n->kids[i + 1]);
    ev->at = n;
    if (ev->stopped) return v_null();
    Value v = call_named(ev, callee, n->as.names, args, count);
    ev->at = n;
    return v;
}
