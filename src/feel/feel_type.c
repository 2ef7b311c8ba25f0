// Types as written in expressions: `instance of list<number>`, `function(a: date) …`.
#include "feel/feel_internal.h"

static const struct {
    const char *name;
    TypeKind kind;
} TYPES[] = {
    // longer ones first
    {"years and months duration", T_MONTHS},
    {"days and time duration", T_DURATION},
    {"date and time", T_DATE_TIME},
    {"dateTime", T_DATE_TIME},
    {"yearMonthDuration", T_MONTHS},
    {"dayTimeDuration", T_DURATION},
    {"function", T_FUNCTION},
    {"boolean", T_BOOLEAN},
    {"context", T_CONTEXT},
    {"number", T_NUMBER},
    {"string", T_STRING},
    {"range", T_RANGE},
    {"list", T_LIST},
    {"date", T_DATE},
    {"time", T_TIME},
    {"Null", T_NULL},
    {"Any", T_ANY},
};

enum { TYPE_DEPTH_MAX = 30, TYPE_MEMBERS_MAX = 100 };

static const Type *parse_type_at(Parser *p, int depth);

static bool type_bracket(Parser *p, TokenKind kind, const char *what) {
    return parser_expect(p, kind, what);
}

// list<T>, range<T>
static bool type_element(Parser *p, Type *t, int depth) {
    if (p->tok.kind != TK_LT) return true;
    if (!lex_next(p)) return false;
    t->element = parse_type_at(p, depth);
    return t->element && type_bracket(p, TK_GT, ">");
}

// context<name: T, …>
static bool type_members(Parser *p, Type *t, int depth) {
    if (p->tok.kind != TK_LT) return true;
    Str *names = arena_array(p->arena, Str, TYPE_MEMBERS_MAX);
    const Type **members = arena_array(p->arena, const Type *, TYPE_MEMBERS_MAX);
    do {
        if (!lex_next(p)) return false;
        size_t colon;
        if (t->count == TYPE_MEMBERS_MAX)
            return lex_limit(p, p->tok.start, "条目超过 {1} 个", TYPE_MEMBERS_MAX);
        if (!lex_label(p, &names[t->count], &colon))
            return lex_fail(p, p->tok.start, "这里应为“名称: 类型”", S(""));
        lex_rewind(p, colon + 1);
        if (!lex_next(p)) return false;
        members[t->count] = parse_type_at(p, depth);
        if (!members[t->count++]) return false;
    } while (p->tok.kind == TK_COMMA);
    t->names = names;
    t->members = members;
    return type_bracket(p, TK_GT, ">");
}

// function<T, …> -> T
static bool type_function(Parser *p, Type *t, int depth) {
    if (p->tok.kind != TK_LT) return true;
    const Type **members = arena_array(p->arena, const Type *, FEEL_PARAMS_MAX);
    if (!lex_next(p)) return false;
    while (p->tok.kind != TK_GT) {
        if (t->count == FEEL_PARAMS_MAX)
            return lex_limit(p, p->tok.start, "参数超过 {1} 个", FEEL_PARAMS_MAX);
        members[t->count] = parse_type_at(p, depth);
        if (!members[t->count++]) return false;
        if (p->tok.kind != TK_COMMA) break;
        if (!lex_next(p)) return false;
    }
    t->members = members;
    if (!type_bracket(p, TK_GT, ">") || !type_bracket(p, TK_ARROW, "->")) return false;
    t->element = parse_type_at(p, depth);
    return t->element != NULL;
}

// The name of a type of the host: "tPerson", "my import.tPerson".
static bool type_foreign(Parser *p, Type *t) {
    t->name = p->tok.text;
    if (!lex_next(p)) return false;
    while (p->tok.kind == TK_DOT) {
        if (!lex_next(p)) return false;
        if (p->tok.kind != TK_NAME) return lex_fail(p, p->tok.start, "这里应为类型名称", S(""));
        t->name = arena_concat(p->arena, (Str[]){t->name, S("."), p->tok.text}, 3);
        if (!lex_next(p)) return false;
    }
    return true;
}

static const Type *parse_type_at(Parser *p, int depth) {
    size_t at = p->tok.start;
    if (depth > TYPE_DEPTH_MAX) {
        (void)lex_limit(p, at, "类型嵌套超过 {1} 层", TYPE_DEPTH_MAX);
        return NULL;
    }
    if (p->tok.kind != TK_NAME && p->tok.kind != TK_FUNCTION && p->tok.kind != TK_NULL) {
        (void)lex_fail(p, at, "这里应为类型名称", S(""));
        return NULL;
    }
    Type *t = arena_new(p->arena, Type);
    t->kind = T_UNKNOWN;
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        size_t n = lex_match_name(p->source, at, str_z(TYPES[i].name));
        if (n == 0) continue;
        t->kind = TYPES[i].kind;
        lex_rewind(p, at + n);
        break;
    }
    if (t->kind == T_UNKNOWN && !type_foreign(p, t)) return NULL;
    if (t->kind != T_UNKNOWN && !lex_next(p)) return NULL;
    bool ok = true;
    if (t->kind == T_LIST || t->kind == T_RANGE) ok = type_element(p, t, depth + 1);
    if (t->kind == T_CONTEXT) ok = type_members(p, t, depth + 1);
    if (t->kind == T_FUNCTION) ok = type_function(p, t, depth + 1);
    return ok ? t : NULL;
}

const Type *parse_type(Parser *p) { return parse_type_at(p, 0); }

// Does the host know it? False too when there is no host.
static bool foreign(Eval *ev, const Type *t, Value v, bool *ret) {
    FeelTypeTest test = ev ? ev->run->type_test : NULL;
    return test && test(ev->run->type_host, t->name, v, ret);
}

bool type_known(Eval *ev, const Type *t) {
    bool holds;
    if (t->kind == T_UNKNOWN && !foreign(ev, t, v_null(), &holds)) return false;
    if (t->element && !type_known(ev, t->element)) return false;
    for (uint32_t i = 0; i < t->count; i++)
        if (!type_known(ev, t->members[i])) return false;
    return true;
}

// Inside a list, context or range null stands for any type.
static bool inner_holds(Eval *ev, const Type *t, Value v) {
    return v.kind == V_NULL || type_holds(ev, t, v);
}

static bool context_holds(Eval *ev, const Type *t, Value v) {
    for (uint32_t i = 0; i < t->count; i++)
        if (!v_has(v, t->names[i]) || !inner_holds(ev, t->members[i], v_get(v, t->names[i])))
            return false;
    return true;
}

static bool list_holds(Eval *ev, const Type *t, Value v) {
    for (uint32_t i = 0; t->element && i < v.len; i++)
        if (!inner_holds(ev, t->element, v.as.items[i])) return false;
    return true;
}

static bool range_holds(Eval *ev, const Type *t, Value v) {
    const Range *r = v.as.range;
    return !t->element || ((!r->low || type_holds(ev, t->element, *r->low)) &&
                           (!r->high || type_holds(ev, t->element, *r->high)));
}

// A type that every value of `t` is of: is it also of `wide`? (DMN 1.5, 10.3.2.9.2)
static bool type_within(const Type *t, const Type *wide) {
    if (!wide || wide->kind == T_ANY) return true;
    if (!t) return false; // anything
    if (t->kind == T_NULL) return true;
    if (t->kind != wide->kind) return false;
    switch (t->kind) {
    case T_UNKNOWN: return str_eq(t->name, wide->name);
    case T_LIST:
    case T_RANGE: return type_within(t->element, wide->element);
    case T_CONTEXT:
        for (uint32_t i = 0; i < wide->count; i++) {
            uint32_t j = 0;
            while (j < t->count && !str_eq(t->names[j], wide->names[i])) j++;
            if (j == t->count || !type_within(t->members[j], wide->members[i])) return false;
        }
        return true;
    case T_FUNCTION:
        if (t->count != wide->count) return false;
        for (uint32_t i = 0; i < t->count; i++)
            if (!type_within(wide->members[i], t->members[i])) return false;
        return type_within(t->element, wide->element);
    default: return true;
    }
}

// A function conforms by its parameters: as many, and each taking what the type says it is given.
// A parameter without a type takes anything; results have no declared types to compare.
static bool function_holds(const Type *t, Value v) {
    const Function *f = v.as.function;
    if (!t->element) return true;
    if (f->kind == FUNCTION_NATIVE) return !f->params || f->params_count == t->count;
    if (f->kind != FUNCTION_LITERAL) return true;
    if (f->literal->count != t->count) return false;
    for (uint32_t i = 0; i < t->count; i++)
        if (f->literal->types[i] && !type_within(t->members[i], f->literal->types[i])) return false;
    return true;
}

bool type_holds(Eval *ev, const Type *t, Value v) {
    static const uint8_t KIND[] = {
        [T_NULL] = V_NULL,         [T_NUMBER] = V_NUMBER,      [T_STRING] = V_STRING,
        [T_BOOLEAN] = V_BOOL,      [T_DATE] = V_DATE,          [T_TIME] = V_TIME,
        [T_DATE_TIME] = V_DATE_TIME, [T_DURATION] = V_DURATION, [T_MONTHS] = V_MONTHS,
        [T_LIST] = V_LIST,         [T_CONTEXT] = V_CONTEXT,    [T_FUNCTION] = V_FUNCTION,
        [T_RANGE] = V_RANGE,
    };
    bool holds = false;
    if (t->kind == T_ANY) return v.kind != V_NULL;
    if (t->kind == T_UNKNOWN) return foreign(ev, t, v, &holds) && holds;
    if (v.kind != KIND[t->kind]) return false;
    switch (t->kind) {
    case T_LIST: return list_holds(ev, t, v);
    case T_CONTEXT: return context_holds(ev, t, v);
    case T_RANGE: return range_holds(ev, t, v);
    case T_FUNCTION: return function_holds(t, v);
    default: return true;
    }
}

// DMN 1.5, 10.3.2.9.4: conforms; else to a list of one, from a list of one, date to date and
// time; else null.
Value type_convert(Eval *ev, const Type *t, Value v, bool *ok) {
    *ok = true;
    if (!t || t->kind == T_ANY || v.kind == V_NULL || type_holds(ev, t, v)) return v;
    if (t->kind == T_UNKNOWN && !type_known(ev, t)) return v;
    if (v.kind == V_LIST && v.len == 1 && type_holds(ev, t, v.as.items[0])) return v.as.items[0];
    if (v.kind != V_LIST && t->kind == T_LIST && (!t->element || type_holds(ev, t->element, v))) {
        Value *one = arena_new(ev->arena, Value);
        *one = v;
        return (Value){.kind = V_LIST, .len = 1, .extra = (uint16_t)(v_depth(v) + 1),
                       .as.items = one};
    }
    if (v.kind == V_DATE && t->kind == T_DATE_TIME) return feel_midnight(v, ev->arena);
    *ok = false;
    return v_null();
}

Status feel_is(Value v, Str type, Arena *a, bool *ret) {
    Parser p = {.arena = a, .source = type};
    if (!lex_next(&p)) return INVALID;
    const Type *t = parse_type(&p);
    if (!t || p.failed || p.tok.kind != TK_END || t->kind == T_UNKNOWN) return INVALID;
    *ret = type_holds(NULL, t, v);
    return OK;
}
