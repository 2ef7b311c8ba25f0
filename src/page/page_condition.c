// Conditions that are nothing but comparisons: `state = 4`, `light = "red" or paused`,
// `next_href != null`. Most of a list page's are; FEEL would take them one by one through its tree.
//
// The text is taken apart here by a grammar that is a small part of FEEL's, and whatever goes
// beyond it is left to FEEL, as is, when rendering, every comparison whose sides are not both
// numbers, texts or truth values, or null. So a condition says what FEEL says (page_test.c holds
// all kinds of values against it), only sooner.
//
// Limits: PAGE_COMPARISONS_MAX comparisons, PAGE_PATH_MAX names of a path.
#include "page/page_internal.h"

// ---- names

Name name_make(Str text, Arena *scratch) {
    static const Str SPECIALS[] = {S_INIT(""), S_INIT("item"), S_INIT("index"), S_INIT("first"),
                                   S_INIT("last")};
    Name n = {.text = text, .builtin = true};
    name_ends(text, &n.head, &n.tail);
    for (uint8_t i = SPECIAL_ITEM; i <= SPECIAL_LAST; i++)
        if (str_eq(text, SPECIALS[i])) n.special = i;
    // Asked of nobody: what is not null then is FEEL's own.
    const FeelExpr *e;
    Error err;
    if (feel_parse(text, NULL, 0, scratch, &e, &err) == OK) {
        FeelRun run = {.arena = scratch};
        n.builtin = feel_eval(&run, e).kind != V_NULL;
    }
    return n;
}

const Value *name_member(const Value *context, const Name *name) {
    if (context->kind != V_CONTEXT) return NULL;
    const Value *hinted = name_hinted(context, name);
    if (hinted) return hinted;
    const Entry *e = context->as.entries, *end = e + context->len;
    for (; e < end; e++) {
        if (!name_is(name, e->key)) continue;
        name_found(context, name, &e->value);
        return &e->value;
    }
    return NULL;
}

// ---- reading

typedef struct Reader {
    Str rest;
    Arena *arena;
} Reader;

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void skip_blanks(Reader *r) {
    while (r->rest.len && is_blank(r->rest.ptr[0])) r->rest = str_sub(r->rest, 1, r->rest.len);
}

static Str take(Reader *r, size_t n) {
    Str taken = str_sub(r->rest, 0, n);
    r->rest = str_sub(r->rest, n, r->rest.len);
    skip_blanks(r);
    return taken;
}

// The bytes of a constant at the start of `s`; 0 when none stands there.
static size_t constant_length(Str s) {
    static const Str WORDS[] = {S_INIT("true"), S_INIT("false"), S_INIT("null")};
    size_t n = 0;
    if (s.len && s.ptr[0] == '"') {
        for (n = 1; n < s.len && s.ptr[n] != '"' && s.ptr[n] != '\\'; n++) continue;
        return n < s.len && s.ptr[n] == '"' ? n + 1 : 0;
    }
    while (n < s.len && n < 16 && is_digit(s.ptr[n])) n++;
    for (size_t i = 0; n == 0 && i < 3; i++)
        if (str_starts(s, WORDS[i])) n = WORDS[i].len;
    bool ends = n == s.len || (!is_letter(s.ptr[n]) && !is_digit(s.ptr[n]) && s.ptr[n] != '.' &&
                               s.ptr[n] != '(' && (unsigned char)s.ptr[n] < 0x80);
    return ends ? n : 0;
}

bool operand_constant(Str text, Arena *a, Value *ret) {
    text = str_trim(text);
    int64_t n;
    if (text.len == 0 || constant_length(text) != text.len) return false;
    if (text.ptr[0] == '"') *ret = v_str(arena_str(a, str_sub(text, 1, text.len - 1)));
    else if (str_eq(text, S("null"))) *ret = v_null();
    else if (is_letter(text.ptr[0])) *ret = v_bool(text.ptr[0] == 't');
    else if (str_to_int(text, &n)) *ret = v_int(n);
    else return false;
    return true;
}

// A path, as FEEL reads it too.
static bool read_path(Reader *r, Operand *ret) {
    size_t n = 0;
    while (n < r->rest.len && (is_letter(r->rest.ptr[n]) || is_digit(r->rest.ptr[n]) ||
                               (r->rest.ptr[n] == '.' && n > 0)))
        n++;
    if (n == 0 || is_digit(r->rest.ptr[0])) return false;
    Str text = take(r, n), path[PAGE_PATH_MAX];
    const FeelExpr *e;
    Error err;
    if (feel_parse(text, NULL, 0, r->arena, &e, &err) != OK) return false;
    size_t count = feel_as_path(e, path, PAGE_PATH_MAX), length = count;
    for (size_t i = 0; i < count; i++) length += path[i].len;
    if (count == 0 || length != text.len + 1) return false;
    Name *names = arena_array(r->arena, Name, count);
    for (size_t i = 0; i < count; i++) names[i] = name_make(path[i], r->arena);
    *ret = (Operand){.path = names, .path_len = (uint32_t)count};
    return true;
}

static bool read_side(Reader *r, Operand *ret) {
    size_t n = constant_length(r->rest);
    if (!n) return read_path(r, ret);
    *ret = (Operand){.constant = true};
    return operand_constant(take(r, n), r->arena, &ret->value);
}

static Compare read_compare(Reader *r) {
    static const struct {
        Str text;
        Compare op;
    } OPS[] = {{S_INIT("!="), COMPARE_NE}, {S_INIT("<="), COMPARE_LE}, {S_INIT(">="), COMPARE_GE},
               {S_INIT("="), COMPARE_EQ},  {S_INIT("<"), COMPARE_LT},  {S_INIT(">"), COMPARE_GT}};
    for (size_t i = 0; i < sizeof OPS / sizeof *OPS; i++) {
        if (!str_starts(r->rest, OPS[i].text)) continue;
        (void)take(r, OPS[i].text.len);
        return OPS[i].op;
    }
    return COMPARE_BARE;
}

static bool read_join(Reader *r, const char *word) {
    Str w = str_z(word);
    if (!str_starts(r->rest, w) || r->rest.len == w.len || !is_blank(r->rest.ptr[w.len]))
        return false;
    (void)take(r, w.len);
    return true;
}

const Condition *condition_of(Str text, Arena *a) {
    Reader r = {.rest = str_trim(text), .arena = a};
    Condition *c = arena_new(a, Condition);
    for (;;) {
        if (c->count == PAGE_COMPARISONS_MAX) return NULL;
        Comparison *one = &c->items[c->count++];
        if (!read_side(&r, &one->left)) return NULL;
        one->op = read_compare(&r);
        if (one->op != COMPARE_BARE && !read_side(&r, &one->right)) return NULL;
        if (r.rest.len == 0) break;
        bool any = read_join(&r, "or");
        if (!any && !read_join(&r, "and")) return NULL;
        if (c->count > 1 && any != c->any) return NULL;
        c->any = any;
    }
    // A value alone may be anything that holds; that is not for here to say.
    return c->count == 1 && c->items[0].op == COMPARE_BARE ? NULL : c;
}

// ---- deciding

static bool value_of(const Operand *o, NameLookup lookup, void *context, Value *ret) {
    if (o->constant) {
        *ret = o->value;
        return true;
    }
    if (!lookup(context, &o->path[0], ret)) {
        *ret = v_null();
        return !o->path[0].builtin;
    }
    for (uint32_t i = 1; i < o->path_len; i++) {
        if (ret->kind == V_NULL) return true;
        if (ret->kind != V_CONTEXT) return false;
        const Value *member = name_member(ret, &o->path[i]);
        *ret = member ? *member : v_null();
    }
    return true;
}

static int ordered(Compare op, int order) {
    switch (op) {
    case COMPARE_EQ: return order == 0;
    case COMPARE_NE: return order != 0;
    case COMPARE_LT: return order < 0;
    case COMPARE_LE: return order <= 0;
    case COMPARE_GT: return order > 0;
    default: return order >= 0;
    }
}

static int compared(Compare op, Value a, Value b) {
    bool equality = op == COMPARE_EQ || op == COMPARE_NE;
    if (a.kind == V_NULL || b.kind == V_NULL)
        return equality && (a.kind == b.kind) == (op == COMPARE_EQ);
    if (a.kind == V_NUMBER && b.kind == V_NUMBER)
        return ordered(op, decimal_cmp(a.as.number, b.as.number));
    if (!equality || a.kind != b.kind) return -1;
    if (a.kind == V_STRING) return str_eq(v_text(a), v_text(b)) == (op == COMPARE_EQ);
    if (a.kind == V_BOOL) return (a.as.boolean == b.as.boolean) == (op == COMPARE_EQ);
    return -1;
}

int condition_holds(const Condition *c, NameLookup lookup, void *context) {
    for (uint32_t i = 0; i < c->count; i++) {
        const Comparison *one = &c->items[i];
        Value a, b;
        int is = -1;
        if (!value_of(&one->left, lookup, context, &a)) return -1;
        if (one->op == COMPARE_BARE) {
            if (a.kind == V_BOOL || a.kind == V_NULL) is = v_true(a);
        } else {
            if (!value_of(&one->right, lookup, context, &b)) return -1;
            is = compared(one->op, a, b);
        }
        if (is < 0) return -1;
        if (is == c->any) return is; // true decides an or, what is not true an and
    }
    return !c->any;
}
