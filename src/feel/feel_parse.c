// The parser: recursive descent over the grammar of DMN 1.5, 10.3.1.2, from `or` (weakest) down to
// `.`, `[]` and `()` (strongest); primaries are in feel_primary.c. What can be computed while
// parsing is: literals, negative numbers, lists and ranges of literals become one literal node.
//
// Limits: FEEL_SOURCE_MAX, FEEL_NODES_MAX, FEEL_DEPTH_MAX.
#include "feel/feel_internal.h"

Node *node_make(Parser *p, NodeOp op, size_t offset, uint32_t kids) {
    if (++p->nodes > FEEL_NODES_MAX)
        (void)lex_limit(p, offset, "表达式的内容超过 {1} 项，请拆成几个", FEEL_NODES_MAX);
    Node *n = arena_new(p->arena, Node);
    n->op = (uint8_t)op;
    n->offset = (uint32_t)offset;
    n->count = kids;
    n->kids = kids ? arena_array(p->arena, const Node *, kids) : NULL;
    return n;
}

// Goes back to try another reading. Nodes stay counted, so trying is bounded too.
void parser_restore(Parser *p, const Parser *saved) {
    uint32_t nodes = p->nodes;
    *p = *saved;
    p->nodes = nodes;
}

bool parser_expect(Parser *p, TokenKind kind, const char *what) {
    if (p->failed) return false;
    if (p->tok.kind == kind) return lex_next(p);
    if (p->tok.kind == TK_END) return lex_fail(p, p->tok.start, "表达式没有写完，缺少“{1}”", str_z(what));
    return lex_fail(p, p->tok.start, "这里应为“{1}”", str_z(what));
}

static const Node *binary(Parser *p, NodeOp op, size_t offset, const Node *left,
                          const Node *right) {
    if (!left || !right || p->failed) return NULL;
    Node *n = node_make(p, op, offset, 2);
    n->kids[0] = left;
    n->kids[1] = right;
    return p->failed ? NULL : n;
}

// ---- postfix: member, filter, invocation

static const Node *parse_member(Parser *p, const Node *base) {
    size_t at = p->tok.start;
    p->after_dot = true;
    if (!lex_next(p)) return NULL;
    if (p->tok.kind != TK_NAME) {
        (void)lex_fail(p, p->tok.start, "“.” 后面应为名称", S(""));
        return NULL;
    }
    Node *n = node_make(p, N_PATH, at, 1);
    n->kids[0] = base;
    n->name = p->tok.text;
    return lex_next(p) ? n : NULL;
}

static const Node *parse_filter(Parser *p, const Node *base) {
    size_t at = p->tok.start;
    bool outer = p->no_bracket;
    size_t mark = p->names_count;
    p->no_bracket = false;
    names_push(p, S("item"));
    if (!lex_next(p)) return NULL;
    const Node *condition = parse_expression(p);
    if (!condition || !parser_expect(p, TK_RBRACKET, "]")) return NULL;
    p->no_bracket = outer;
    p->names_count = mark;
    return binary(p, N_FILTER, at, base, condition);
}

enum { CALL_ARGS_MAX = 64 }; // written in one call; lists may hold more

typedef struct Arguments {
    const Node *values[CALL_ARGS_MAX];
    Str names[CALL_ARGS_MAX];
    uint32_t count;
    bool named;
} Arguments;

static bool parse_arguments(Parser *p, Arguments *args) {
    bool outer = p->no_bracket;
    p->no_bracket = false;
    args->count = 0;
    args->named = false;
    if (!lex_next(p)) return false;
    bool more = p->tok.kind != TK_RPAREN;
    while (more) {
        if (args->count == CALL_ARGS_MAX)
            return lex_limit(p, p->tok.start, "参数超过 {1} 个", CALL_ARGS_MAX);
        size_t colon;
        bool label = lex_label(p, &args->names[args->count], &colon);
        if (args->count > 0 && label != args->named)
            return lex_fail(p, p->tok.start, "按名称和按位置的参数不能混用", S(""));
        args->named = label;
        if (label) {
            lex_rewind(p, colon + 1);
            if (!lex_next(p)) return false;
        }
        args->values[args->count] = parse_expression(p);
        if (!args->values[args->count++]) return false;
        more = p->tok.kind == TK_COMMA;
        if (more && !lex_next(p)) return false;
    }
    p->no_bracket = outer;
    return parser_expect(p, TK_RPAREN, ")");
}

// Named arguments are put in order when they are there: what they are decides too.
static const Node *builtin_call(Parser *p, const Builtin *b, size_t at, const Arguments *args) {
    Node *n = node_make(p, N_BUILTIN, at, args->count);
    if (args->count) memcpy(n->kids, args->values, args->count * sizeof *n->kids);
    n->as.builtin = b;
    if (args->named) {
        NamedBuiltin *named = arena_new(p->arena, NamedBuiltin);
        *named = (NamedBuiltin){b, args->names};
        n->sub = BUILTIN_NAMED;
        n->as.named = named;
    }
    return n;
}

static bool name_declared(const Parser *p, Str name) {
    for (size_t i = p->names_count; i-- > 0;)
        if (str_eq(p->names[i], name)) return true;
    return false;
}

static const Node *parse_call(Parser *p, const Node *callee) {
    Arguments *args = arena_new(p->arena, Arguments);
    size_t at = callee->op == N_NAME ? callee->offset : p->tok.start;
    if (!parse_arguments(p, args)) return NULL;
    if (callee->op == N_NAME && !name_declared(p, callee->name)) {
        const Builtin *b = builtin_find(callee->name);
        if (b) return builtin_call(p, b, at, args);
    }
    Node *n = node_make(p, N_CALL, at, args->count + 1);
    n->kids[0] = callee;
    for (uint32_t i = 0; i < args->count; i++) n->kids[i + 1] = args->values[i];
    if (args->named) n->as.names = args->names;
    return n;
}

static const Node *parse_postfix(Parser *p) {
    const Node *n = parse_primary(p);
    while (n && !p->failed) {
        if (p->tok.kind == TK_DOT) n = parse_member(p, n);
        else if (p->tok.kind == TK_LBRACKET && !p->no_bracket) n = parse_filter(p, n);
        else if (p->tok.kind == TK_LPAREN && n->op != N_LITERAL) n = parse_call(p, n);
        else break;
    }
    return p->failed ? NULL : n;
}

static const Node *parse_instance(Parser *p) {
    const Node *left = parse_postfix(p);
    while (left && p->tok.kind == TK_INSTANCE_OF) {
        Node *n = node_make(p, N_INSTANCE, p->tok.start, 1);
        n->kids[0] = left;
        if (!lex_next(p)) return NULL;
        n->as.type = parse_type(p);
        left = n->as.type && !p->failed ? n : NULL;
    }
    return left;
}

// ---- operators

static const Node *parse_negation(Parser *p) {
    if (p->tok.kind != TK_MINUS) return parse_instance(p);
    size_t at = p->tok.start;
    if (++p->depth > FEEL_DEPTH_MAX) {
        (void)lex_limit(p, at, "表达式嵌套超过 {1} 层", FEEL_DEPTH_MAX);
        return NULL;
    }
    if (!lex_next(p)) return NULL;
    const Node *inner = parse_negation(p);
    p->depth--;
    if (!inner) return NULL;
    Node *n = node_make(p, N_NEG, at, 1);
    n->kids[0] = inner;
    if (inner->op == N_LITERAL && inner->as.value.kind == V_NUMBER) {
        n->op = N_LITERAL;
        n->count = 0;
        n->as.value = v_number(decimal_sub(decimal_from_int(0), inner->as.value.as.number));
    }
    return p->failed ? NULL : n;
}

static const Node *parse_power(Parser *p) {
    const Node *left = parse_negation(p);
    while (left && p->tok.kind == TK_POWER) {
        size_t at = p->tok.start;
        if (!lex_next(p)) return NULL;
        left = binary(p, N_POW, at, left, parse_negation(p));
    }
    return left;
}

static const Node *parse_multiplicative(Parser *p) {
    const Node *left = parse_power(p);
    while (left && (p->tok.kind == TK_STAR || p->tok.kind == TK_SLASH)) {
        NodeOp op = p->tok.kind == TK_STAR ? N_MUL : N_DIV;
        size_t at = p->tok.start;
        if (!lex_next(p)) return NULL;
        left = binary(p, op, at, left, parse_power(p));
    }
    return left;
}

const Node *parse_additive(Parser *p) {
    const Node *left = parse_multiplicative(p);
    while (left && (p->tok.kind == TK_PLUS || p->tok.kind == TK_MINUS)) {
        NodeOp op = p->tok.kind == TK_PLUS ? N_ADD : N_SUB;
        size_t at = p->tok.start;
        if (!lex_next(p)) return NULL;
        left = binary(p, op, at, left, parse_multiplicative(p));
    }
    return left;
}

static const Node *parse_between(Parser *p, const Node *left) {
    Node *n = node_make(p, N_BETWEEN, p->tok.start, 3);
    n->kids[0] = left;
    if (!lex_next(p)) return NULL;
    n->kids[1] = parse_additive(p);
    if (!n->kids[1] || !parser_expect(p, TK_AND, "and")) return NULL;
    n->kids[2] = parse_additive(p);
    return n->kids[2] ? n : NULL;
}

enum { TESTS_MAX = 1000 };

// Tests separated by commas into a node with room for `before` kids in front.
static Node *parse_tests(Parser *p, NodeOp op, size_t at, uint32_t before) {
    const Node **tests = NULL;
    uint32_t count = 0, cap = 0;
    for (;;) {
        if (count == cap) {
            uint32_t more = cap ? cap * 2 : 4;
            const Node **grown = arena_array(p->arena, const Node *, more);
            if (count) memcpy(grown, tests, count * sizeof *tests);
            tests = grown;
            cap = more;
        }
        if (count == TESTS_MAX) {
            (void)lex_limit(p, p->tok.start, "条件超过 {1} 个", TESTS_MAX);
            return NULL;
        }
        tests[count] = parse_test(p);
        if (!tests[count++]) return NULL;
        if (p->tok.kind != TK_COMMA) break;
        if (!lex_next(p)) return NULL;
    }
    Node *n = node_make(p, op, at, before + count);
    memcpy(n->kids + before, tests, count * sizeof *tests);
    return n;
}

static const Node *parse_test_of(Parser *p, const Node *(*value)(Parser *));

static const Node *parse_in(Parser *p, const Node *left) {
    size_t at = p->tok.start;
    if (!lex_next(p)) return NULL;
    Node *n = NULL;
    if (p->tok.kind == TK_LPAREN) { // (test, test) unless it turns out to be (low..high)
        Parser saved = *p;
        Error *err = p->err;
        bool outer = p->no_bracket;
        p->err = NULL;
        p->no_bracket = false;
        if (lex_next(p)) n = parse_tests(p, N_IN, at, 1);
        bool closed = n && p->tok.kind == TK_RPAREN && lex_next(p);
        p->err = err;
        if (closed) {
            p->no_bracket = outer;
        } else {
            parser_restore(p, &saved);
            n = NULL;
        }
    }
    if (!n) {
        // Without parentheses the test ends where the comparison does: x in [1..5] and y.
        n = node_make(p, N_IN, at, 2);
        n->kids[1] = parse_test_of(p, parse_additive);
        if (!n->kids[1]) return NULL;
    }
    n->kids[0] = left;
    return p->failed ? NULL : n;
}

static const Node *parse_comparison(Parser *p) {
    const Node *left = parse_additive(p);
    while (left && !p->failed) {
        TokenKind kind = p->tok.kind;
        if (kind >= TK_EQ && kind <= TK_GE) {
            size_t at = p->tok.start;
            if (!lex_next(p)) return NULL;
            left = binary(p, (NodeOp)(N_EQ + (kind - TK_EQ)), at, left, parse_additive(p));
        } else if (kind == TK_BETWEEN) {
            left = parse_between(p, left);
        } else if (kind == TK_IN) {
            left = parse_in(p, left);
        } else {
            break;
        }
    }
    return p->failed ? NULL : left;
}

static const Node *parse_and(Parser *p) {
    const Node *left = parse_comparison(p);
    while (left && p->tok.kind == TK_AND) {
        size_t at = p->tok.start;
        if (!lex_next(p)) return NULL;
        left = binary(p, N_AND, at, left, parse_comparison(p));
    }
    return left;
}

const Node *parse_expression(Parser *p) {
    if (++p->depth > FEEL_DEPTH_MAX) {
        (void)lex_limit(p, p->tok.start, "表达式嵌套超过 {1} 层", FEEL_DEPTH_MAX);
        return NULL;
    }
    const Node *left = parse_and(p);
    while (left && p->tok.kind == TK_OR) {
        size_t at = p->tok.start;
        if (!lex_next(p)) return NULL;
        left = binary(p, N_OR, at, left, parse_and(p));
    }
    p->depth--;
    return p->failed ? NULL : left;
}

// ---- unary tests

// `< 5`, `[1..3]`, a value, or a condition on `?`.
static const Node *parse_test_of(Parser *p, const Node *(*value)(Parser *)) {
    size_t at = p->tok.start;
    if (p->tok.kind >= TK_EQ && p->tok.kind <= TK_GE) {
        NodeOp op = (NodeOp)(N_EQ + (p->tok.kind - TK_EQ));
        if (!lex_next(p)) return NULL;
        Node *n = node_make(p, N_TEST_CMP, at, 1);
        n->sub = (uint8_t)op;
        n->kids[0] = parse_additive(p);
        return n->kids[0] ? n : NULL;
    }
    bool outer = p->reads_input;
    p->reads_input = false;
    Node *n = node_make(p, N_TEST_VALUE, at, 1);
    n->kids[0] = value(p);
    n->reads_input = p->reads_input;
    p->reads_input |= outer;
    return n->kids[0] ? n : NULL;
}

const Node *parse_test(Parser *p) { return parse_test_of(p, parse_expression); }

static const Node *parse_unary_tests(Parser *p) {
    size_t at = p->tok.start;
    if (p->tok.kind == TK_MINUS) {
        Parser saved = *p;
        if (!lex_next(p)) return NULL;
        if (p->tok.kind == TK_END) return node_make(p, N_TEST_DASH, at, 0);
        parser_restore(p, &saved);
    }
    if (p->tok.kind == TK_NAME && str_eq(p->tok.text, S("not"))) { // not(tests)
        Parser saved = *p;
        p->err = NULL;
        if (lex_next(p) && p->tok.kind == TK_LPAREN && lex_next(p)) {
            Node *n = parse_tests(p, N_TEST_ANY, at, 0);
            if (n && p->tok.kind == TK_RPAREN && lex_next(p) && p->tok.kind == TK_END) {
                p->err = saved.err;
                n->as.negated = true;
                return n;
            }
        }
        parser_restore(p, &saved); // not(x) and y: an expression
    }
    return parse_tests(p, N_TEST_ANY, at, 0);
}

// ---- entry

static Status parse(Str source, const Str *names, size_t names_count, Arena *a, bool unary,
                    const FeelExpr **ret, Error *err) {
    if (source.len > FEEL_SOURCE_MAX)
        return error_set(err, LIMIT, S("1:1"), "表达式超过 {1} 字节", S("65536"));
    if (!str_utf8_valid(source)) return error_set(err, INVALID, S("1:1"), "表达式不是有效的 UTF-8 文字");
    FeelExpr *e = arena_new(a, FeelExpr);
    e->source = arena_str(a, source);
    e->arena = a;
    Parser p = {.arena = a, .source = e->source, .err = err};
    for (size_t i = 0; i < names_count; i++)
        if (names[i].len > 0 && names[i].len <= FEEL_NAME_MAX)
            names_push(&p, arena_str(a, names[i]));
    if (lex_next(&p)) {
        if (p.tok.kind == TK_END) (void)lex_fail(&p, p.tok.start, "表达式是空的", S(""));
        else e->root = unary ? parse_unary_tests(&p) : parse_expression(&p);
    }
    if (!p.failed && p.tok.kind != TK_END)
        (void)lex_fail(&p, p.tok.start, "“{1}”不应出现在这里",
                       str_sub(p.source, p.tok.start, p.tok.end));
    if (p.failed || !e->root) return INVALID;
    *ret = e;
    return OK;
}

Status feel_parse(Str source, const Str *names, size_t names_count, Arena *a,
                  const FeelExpr **ret, Error *err) {
    return parse(source, names, names_count, a, false, ret, err);
}

Status feel_parse_unary(Str source, const Str *names, size_t names_count, Arena *a,
                        const FeelExpr **ret, Error *err) {
    return parse(source, names, names_count, a, true, ret, err);
}
