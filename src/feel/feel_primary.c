// The parser, second half: literals, names, parentheses, ranges, lists, contexts, if, for, some,
// every, function.
#include "feel/feel_internal.h"

static const Node *literal(Parser *p, size_t at, Value v) {
    Node *n = node_make(p, N_LITERAL, at, 0);
    n->as.value = v;
    return lex_next(p) ? n : NULL;
}

static const Node *parse_number(Parser *p) {
    Decimal d;
    if (!decimal_parse(p->tok.text, &d)) {
        // ".5" is a number of FEEL; decimal_parse may know JSON's grammar only.
        Str with_zero = arena_concat(p->arena, (Str[]){S("0"), p->tok.text}, 2);
        if (!decimal_parse(with_zero, &d)) {
            (void)lex_fail(p, p->tok.start, "数值“{1}”超出范围", p->tok.text);
            return NULL;
        }
    }
    return literal(p, p->tok.start, v_number(d));
}

static const Node *parse_at(Parser *p) {
    Value v;
    if (!time_parse_any(p->tok.text, p->arena, &v)) {
        (void)lex_fail(p, p->tok.start, "“{1}”不是日期、时间或时长", p->tok.text);
        return NULL;
    }
    return literal(p, p->tok.start, v);
}

static bool all_literal(const Node *n) {
    for (uint32_t i = 0; i < n->count; i++)
        if (n->kids[i]->op != N_LITERAL) return false;
    return true;
}

static bool ordered_kind(uint8_t kind) {
    return kind == V_NUMBER || kind == V_STRING || (kind >= V_DATE && kind <= V_MONTHS);
}

// The node of a range; of literals of one kind it is itself a literal.
static const Node *range_node(Parser *p, size_t at, const Node *low, const Node *high,
                              unsigned closed) {
    if (!low || !high || p->failed) return NULL;
    Node *n = node_make(p, N_RANGE, at, 2);
    n->kids[0] = low;
    n->kids[1] = high;
    n->sub = (uint8_t)closed;
    if (all_literal(n) && ordered_kind(low->as.value.kind) &&
        low->as.value.kind == high->as.value.kind) {
        Value *ends = arena_array(p->arena, Value, 2);
        ends[0] = low->as.value;
        ends[1] = high->as.value;
        n->op = N_LITERAL;
        n->count = 0;
        n->as.value = v_range(&ends[0], closed & RANGE_LOW_CLOSED, &ends[1],
                              closed & RANGE_HIGH_CLOSED, p->arena);
    }
    return n;
}

// The high end. A '[' behind it may begin a filter, [1..l[3]], or close the range, [1..5[: the
// filter is tried first.
static const Node *range_high(Parser *p) {
    bool outer = p->no_bracket;
    Parser saved = *p;
    p->err = NULL;
    p->no_bracket = false;
    const Node *high = parse_additive(p);
    bool closed = high && !p->failed && (p->tok.kind == TK_RBRACKET || p->tok.kind == TK_RPAREN ||
                                         p->tok.kind == TK_LBRACKET);
    p->err = saved.err;
    if (!closed) {
        parser_restore(p, &saved);
        p->no_bracket = true;
        high = parse_additive(p);
    }
    p->no_bracket = outer;
    return high;
}

// Behind `low ..`: the high end and its bracket.
static const Node *range_rest(Parser *p, size_t at, const Node *low, bool low_closed) {
    if (!lex_next(p)) return NULL; // ..
    const Node *high = range_high(p);
    if (!high) return NULL;
    unsigned closed = low_closed ? RANGE_LOW_CLOSED : 0;
    if (p->tok.kind == TK_RBRACKET) closed |= RANGE_HIGH_CLOSED;
    else if (p->tok.kind != TK_RPAREN && p->tok.kind != TK_LBRACKET) {
        (void)lex_fail(p, p->tok.start, "区间应以 ]、) 或 [ 结束", S(""));
        return NULL;
    }
    return lex_next(p) ? range_node(p, at, low, high, closed) : NULL;
}

// (< 5): a range without its other end.
static const Node *parse_half_range(Parser *p, size_t at) {
    TokenKind op = p->tok.kind;
    if (!lex_next(p)) return NULL;
    const Node *end = parse_additive(p);
    if (!end || !parser_expect(p, TK_RPAREN, ")")) return NULL;
    if (op == TK_NE) {
        (void)lex_fail(p, at, "!= 不能写成区间", S(""));
        return NULL;
    }
    const Node *none = NULL;
    if (op != TK_EQ) none = node_make(p, N_LITERAL, at, 0);
    switch (op) {
    case TK_LT: return range_node(p, at, none, end, RANGE_LOW_NONE);
    case TK_LE: return range_node(p, at, none, end, RANGE_LOW_NONE | RANGE_HIGH_CLOSED);
    case TK_GT: return range_node(p, at, end, none, RANGE_HIGH_NONE);
    case TK_GE: return range_node(p, at, end, none, RANGE_HIGH_NONE | RANGE_LOW_CLOSED);
    default: return range_node(p, at, end, end, RANGE_LOW_CLOSED | RANGE_HIGH_CLOSED);
    }
}

static const Node *parse_parentheses(Parser *p) {
    size_t at = p->tok.start;
    bool outer = p->no_bracket;
    p->no_bracket = false;
    if (!lex_next(p)) return NULL;
    if (p->tok.kind >= TK_EQ && p->tok.kind <= TK_GE) {
        const Node *n = parse_half_range(p, at);
        p->no_bracket = outer;
        return n;
    }
    const Node *inner = parse_expression(p);
    p->no_bracket = outer;
    if (!inner) return NULL;
    if (p->tok.kind == TK_DOTDOT) return range_rest(p, at, inner, false);
    return parser_expect(p, TK_RPAREN, ")") ? inner : NULL;
}

enum { LITERAL_ITEMS_MAX = 10000 };

static const Node *list_node(Parser *p, size_t at, const Node **items, uint32_t count) {
    Node *n = node_make(p, N_LIST, at, count);
    if (count) memcpy(n->kids, items, count * sizeof *items);
    if (!all_literal(n)) return n;
    ListBuilder list = list_make(p->arena);
    for (uint32_t i = 0; i < count; i++) list_add(&list, items[i]->as.value);
    n->op = N_LITERAL;
    n->count = 0;
    n->as.value = list_done(&list);
    return n;
}

static const Node *parse_list(Parser *p) {
    size_t at = p->tok.start;
    bool outer = p->no_bracket;
    p->no_bracket = false;
    const Node **items = NULL;
    uint32_t count = 0, cap = 0;
    if (!lex_next(p)) return NULL;
    bool more = p->tok.kind != TK_RBRACKET;
    while (more) {
        if (count == LITERAL_ITEMS_MAX) {
            (void)lex_limit(p, p->tok.start, "列表超过 {1} 项", LITERAL_ITEMS_MAX);
            return NULL;
        }
        if (count == cap) {
            cap = cap ? cap * 2 : 8;
            const Node **more = arena_array(p->arena, const Node *, cap);
            if (count) memcpy(more, items, count * sizeof *items);
            items = more;
        }
        items[count] = parse_expression(p);
        if (!items[count++]) return NULL;
        if (count == 1 && p->tok.kind == TK_DOTDOT) {
            p->no_bracket = outer;
            return range_rest(p, at, items[0], true);
        }
        more = p->tok.kind == TK_COMMA; // behind it a ']' begins a range: [1, ]2..3]]
        if (more && !lex_next(p)) return NULL;
    }
    p->no_bracket = outer;
    if (!parser_expect(p, TK_RBRACKET, "]")) return NULL;
    return list_node(p, at, items, count);
}

static const Node *parse_open_range(Parser *p) { // ]low..high]
    size_t at = p->tok.start;
    if (!lex_next(p)) return NULL;
    const Node *low = parse_additive(p);
    if (!low) return NULL;
    if (p->tok.kind != TK_DOTDOT) {
        (void)lex_fail(p, p->tok.start, "这里应为“{1}”", S(".."));
        return NULL;
    }
    return range_rest(p, at, low, false);
}

enum { ENTRIES_MAX = 1000 };

static bool parse_key(Parser *p, Str *ret) {
    if (p->tok.kind == TK_STRING) {
        *ret = p->tok.text;
        return lex_next(p) && parser_expect(p, TK_COLON, ":");
    }
    size_t colon;
    if (!lex_label(p, ret, &colon)) return lex_fail(p, p->tok.start, "这里应为“名称: 值”", S(""));
    lex_rewind(p, colon + 1);
    return lex_next(p);
}

// Room for one entry more; grows at 0, 4, 8, 16 …
static bool entries_room(Parser *p, Str **keys, const Node ***values, uint32_t count) {
    if (count == ENTRIES_MAX)
        return lex_limit(p, p->tok.start, "条目超过 {1} 个", ENTRIES_MAX);
    if (count != 0 && (count < 4 || (count & (count - 1)) != 0)) return true;
    uint32_t cap = count ? count * 2 : 4;
    Str *more_keys = arena_array(p->arena, Str, cap);
    const Node **more_values = arena_array(p->arena, const Node *, cap);
    if (count) {
        memcpy(more_keys, *keys, count * sizeof **keys);
        memcpy(more_values, *values, count * sizeof **values);
    }
    *keys = more_keys;
    *values = more_values;
    return true;
}

static const Node *parse_context(Parser *p) {
    size_t at = p->tok.start, mark = p->names_count;
    bool outer = p->no_bracket;
    p->no_bracket = false;
    Str *keys = NULL;
    const Node **values = NULL;
    uint32_t count = 0;
    if (!lex_next(p)) return NULL;
    bool more = p->tok.kind != TK_RBRACE;
    while (more) {
        if (!entries_room(p, &keys, &values, count)) return NULL;
        size_t key_at = p->tok.start;
        if (!parse_key(p, &keys[count])) return NULL;
        for (uint32_t i = 0; i < count; i++) {
            if (!str_eq(keys[i], keys[count])) continue;
            (void)lex_fail(p, key_at, "名称“{1}”重复", keys[count]);
            return NULL;
        }
        values[count] = parse_expression(p);
        if (!values[count]) return NULL;
        if (keys[count].len > 0 && keys[count].len <= FEEL_NAME_MAX) names_push(p, keys[count]);
        keys_push(p, keys[count]);
        count++;
        more = p->tok.kind == TK_COMMA;
        if (more && !lex_next(p)) return NULL;
    }
    p->names_count = mark;
    p->no_bracket = outer;
    if (!parser_expect(p, TK_RBRACE, "}")) return NULL;
    Node *n = node_make(p, N_CONTEXT, at, count);
    n->as.names = keys;
    if (count) memcpy(n->kids, values, count * sizeof *values);
    return n;
}

static const Node *parse_if(Parser *p) {
    Node *n = node_make(p, N_IF, p->tok.start, 3);
    if (!lex_next(p)) return NULL;
    n->kids[0] = parse_expression(p);
    if (!n->kids[0] || !parser_expect(p, TK_THEN, "then")) return NULL;
    n->kids[1] = parse_expression(p);
    if (!n->kids[1] || !parser_expect(p, TK_ELSE, "else")) return NULL;
    n->kids[2] = parse_expression(p);
    return n->kids[2] ? n : NULL;
}

enum { ITERATORS_MAX = 16 };

// `x in list` or `i in 1..n`; the name is in scope from the next iterator on.
static bool parse_iterator(Parser *p, Str *name, const Node **source, bool may_count) {
    // The name ends before " in ", whatever else is in scope.
    if (p->tok.kind != TK_NAME) return lex_fail(p, p->tok.start, "这里应为名称", S(""));
    *name = p->tok.text;
    size_t at = p->tok.start;
    if (!lex_next(p) || !parser_expect(p, TK_IN, "in")) return false;
    const Node *from = parse_expression(p);
    if (!from) return false;
    if (may_count && p->tok.kind == TK_DOTDOT) {
        if (!lex_next(p)) return false;
        Node *n = node_make(p, N_ITERATION, at, 2);
        n->kids[0] = from;
        n->kids[1] = parse_expression(p);
        if (!n->kids[1]) return false;
        from = n;
    }
    *source = from;
    names_push(p, *name);
    return true;
}

static const Node *parse_loop(Parser *p) {
    TokenKind kind = p->tok.kind;
    size_t at = p->tok.start, mark = p->names_count;
    Str *names = arena_array(p->arena, Str, ITERATORS_MAX);
    const Node *sources[ITERATORS_MAX];
    uint32_t count = 0;
    do {
        if (count == ITERATORS_MAX) {
            (void)lex_limit(p, p->tok.start, "循环变量超过 {1} 个", ITERATORS_MAX);
            return NULL;
        }
        if (!lex_next(p) || !parse_iterator(p, &names[count], &sources[count], true))
            return NULL;
        count++;
    } while (p->tok.kind == TK_COMMA);
    if (kind == TK_FOR) names_push(p, S("partial"));
    if (!parser_expect(p, kind == TK_FOR ? TK_RETURN : TK_SATISFIES,
                       kind == TK_FOR ? "return" : "satisfies"))
        return NULL;
    NodeOp op = kind == TK_FOR ? N_FOR : kind == TK_SOME ? N_SOME : N_EVERY;
    Node *n = node_make(p, op, at, count + 1);
    memcpy(n->kids, sources, count * sizeof *sources);
    n->as.names = names;
    n->kids[count] = parse_expression(p);
    p->names_count = mark;
    return n->kids[count] ? n : NULL;
}

// Behind `function`: (a: type, b) body.
static const Node *parse_function(Parser *p) {
    size_t at = p->tok.start, mark = p->names_count;
    FunctionLiteral *f = arena_new(p->arena, FunctionLiteral);
    Str *params = arena_array(p->arena, Str, FEEL_PARAMS_MAX);
    const Type **types = arena_array(p->arena, const Type *, FEEL_PARAMS_MAX);
    bool outer = p->no_bracket;
    p->no_bracket = false;
    if (!lex_next(p) || !parser_expect(p, TK_LPAREN, "(")) return NULL;
    bool more = p->tok.kind != TK_RPAREN;
    while (more) {
        size_t colon;
        if (f->count == FEEL_PARAMS_MAX) {
            (void)lex_limit(p, p->tok.start, "参数超过 {1} 个", FEEL_PARAMS_MAX);
            return NULL;
        }
        if (lex_label(p, &params[f->count], &colon)) {
            lex_rewind(p, colon + 1);
            if (!lex_next(p)) return NULL;
            types[f->count] = parse_type(p);
            if (!types[f->count]) return NULL;
        } else if (p->tok.kind == TK_NAME) {
            params[f->count] = p->tok.text;
            if (!lex_next(p)) return NULL;
        } else {
            (void)lex_fail(p, p->tok.start, "这里应为参数名称", S(""));
            return NULL;
        }
        f->count++;
        more = p->tok.kind == TK_COMMA;
        if (more && !lex_next(p)) return NULL;
    }
    f->params = params;
    f->types = types;
    for (uint32_t i = 0; i < f->count; i++)
        if (params[i].len > 0) names_push(p, params[i]);
    if (!parser_expect(p, TK_RPAREN, ")")) return NULL;
    f->external = p->tok.kind == TK_EXTERNAL;
    if (f->external && !lex_next(p)) return NULL;
    f->body = parse_expression(p);
    p->names_count = mark;
    p->no_bracket = outer;
    if (!f->body) return NULL;
    Node *n = node_make(p, N_FUNCTION, at, 0);
    n->as.function = f;
    return n;
}

static const Node *parse_name(Parser *p) {
    Node *n = node_make(p, N_NAME, p->tok.start, 0);
    n->name = p->tok.text;
    n->as.builtin = builtin_find(n->name); // looked up once; variables still come first
    return lex_next(p) ? n : NULL;
}

const Node *parse_primary(Parser *p) {
    size_t at = p->tok.start;
    switch (p->tok.kind) {
    case TK_NUMBER: return parse_number(p);
    case TK_STRING: return literal(p, at, v_str(p->tok.text));
    case TK_AT: return parse_at(p);
    case TK_TRUE: return literal(p, at, v_bool(true));
    case TK_FALSE: return literal(p, at, v_bool(false));
    case TK_NULL: return literal(p, at, v_null());
    case TK_NAME: return parse_name(p);
    case TK_INPUT: {
        Node *n = node_make(p, N_INPUT, at, 0);
        p->reads_input = true;
        return lex_next(p) ? n : NULL;
    }
    case TK_LPAREN: return parse_parentheses(p);
    case TK_LBRACKET: return parse_list(p);
    case TK_RBRACKET: return parse_open_range(p);
    case TK_LBRACE: return parse_context(p);
    case TK_IF: return parse_if(p);
    case TK_FOR:
    case TK_SOME:
    case TK_EVERY: return parse_loop(p);
    case TK_FUNCTION: return parse_function(p);
    case TK_END: (void)lex_fail(p, at, "表达式没有写完", S("")); return NULL;
    default:
        (void)lex_fail(p, at, "“{1}”不应出现在这里", str_sub(p->source, at, p->tok.end));
        return NULL;
    }
}
