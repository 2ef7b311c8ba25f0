// Reading boxed expressions: literal expressions, tables, contexts, invocations, lists, relations,
// functions, conditionals, iterators and filters (DMN 1.5, chapter 10.2).
#include "dmn/dmn_internal.h"

bool load_refuse(Loader *l, Status status, uint32_t line, const char *text, Str arg) {
    if (l->status != OK) return false;
    Str where = arena_printf(l->arena, "%u", line);
    l->status = error_fill(l->err, status, where, text, (Str[ERROR_ARGS]){arg});
    return false;
}

// The FEEL in the <text> of `e`; an empty test is "-".
bool load_text(Loader *l, const Element *e, bool unary, Text *ret) {
    const Element *text = element_child(e, "text");
    Str source = text ? text->text : S("");
    Error err = {0};
    uint32_t line = text ? text->line : e->line;
    *ret = (Text){.line = line};
    if (unary && source.len == 0) source = S("-");
    if (source.len == 0) {
        ret->error = S("表达式是空的");
        return l->deferred || load_refuse(l, INVALID, line, "{1}", ret->error);
    }
    Status status = unary ? feel_parse_unary(source, l->names, l->names_count, l->arena,
                                             &ret->expr, &err)
                          : feel_parse(source, l->names, l->names_count, l->arena, &ret->expr,
                                       &err);
    if (status == OK) return true;
    // The place inside the expression is counted on in the file.
    Str place = err.where;
    int64_t inside = 1;
    if (!str_to_int(str_cut(&place, ':'), &inside)) inside = 1;
    ret->expr = NULL;
    ret->line = line + (uint32_t)(inside > 0 ? inside - 1 : 0);
    Str said = error_message(&err, NULL, NULL, l->arena);
    ret->error = arena_printf(l->arena, "%.*s（%.*s）", S_FMT(said),
                              (int)(source.len < 80 ? source.len : 80), source.ptr);
    return l->deferred || load_refuse(l, INVALID, ret->line, "{1}", ret->error);
}

static const char *const KINDS[] = {"literalExpression", "decisionTable", "context", "invocation",
                                    "list", "relation", "functionDefinition", "conditional", "for",
                                    "some", "every", "filter"};

bool is_boxed(const Element *e) {
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (str_eq(e->name, str_z(KINDS[i]))) return true;
    return false;
}

const Boxed *load_boxed_child(Loader *l, const Element *e, uint32_t depth) {
    for (const Element *kid = e->first; kid; kid = kid->next)
        if (is_boxed(kid)) return load_boxed(l, kid, depth + 1);
    return NULL;
}

static uint32_t count_of(const Element *e, const char *name) {
    uint32_t n = 0;
    for (const Element *kid = e->first; kid; kid = kid->next)
        if (!name || str_eq(kid->name, str_z(name))) n++;
    return n;
}

static Boxed *make(Loader *l, const Element *e, BoxedKind kind, uint32_t count) {
    Boxed *b = arena_new(l->arena, Boxed);
    b->kind = kind;
    b->line = e->line;
    b->count = count;
    b->kids = arena_array(l->arena, const Boxed *, count);
    b->names = arena_array(l->arena, Str, count);
    return b;
}

static const Boxed *load_context(Loader *l, const Element *e, uint32_t depth) {
    Boxed *b = make(l, e, BOXED_CONTEXT, count_of(e, "contextEntry"));
    uint32_t i = 0;
    for (const Element *kid = e->first; kid; kid = kid->next) {
        if (!str_eq(kid->name, S("contextEntry"))) continue;
        const Element *variable = element_child(kid, "variable");
        b->names[i] = variable ? element_attr(variable, "name") : S("");
        b->kids[i++] = load_boxed_child(l, kid, depth);
    }
    return b;
}

static const Boxed *load_invocation(Loader *l, const Element *e, uint32_t depth) {
    Boxed *b = make(l, e, BOXED_INVOCATION, count_of(e, "binding") + 1);
    uint32_t i = 1;
    b->kids[0] = load_boxed_child(l, e, depth);
    for (const Element *kid = e->first; kid; kid = kid->next) {
        if (!str_eq(kid->name, S("binding"))) continue;
        const Element *parameter = element_child(kid, "parameter");
        b->names[i] = parameter ? element_attr(parameter, "name") : S("");
        b->kids[i++] = load_boxed_child(l, kid, depth);
    }
    if (!b->kids[0]) (void)load_refuse(l, INVALID, e->line, "调用缺少被调用的函数", S(""));
    return b;
}

static const Boxed *load_list(Loader *l, const Element *e, uint32_t depth) {
    uint32_t count = 0, i = 0;
    for (const Element *kid = e->first; kid; kid = kid->next) count += is_boxed(kid);
    Boxed *b = make(l, e, BOXED_LIST, count);
    for (const Element *kid = e->first; kid; kid = kid->next)
        if (is_boxed(kid)) b->kids[i++] = load_boxed(l, kid, depth + 1);
    return b;
}

// A relation is a list of contexts.
static const Boxed *load_relation(Loader *l, const Element *e, uint32_t depth) {
    uint32_t columns = count_of(e, "column"), row = 0, i = 0;
    Str *names = arena_array(l->arena, Str, columns);
    for (const Element *kid = e->first; kid; kid = kid->next)
        if (str_eq(kid->name, S("column"))) names[i++] = element_attr(kid, "name");
    Boxed *b = make(l, e, BOXED_LIST, count_of(e, "row"));
    for (const Element *kid = e->first; kid; kid = kid->next) {
        if (!str_eq(kid->name, S("row"))) continue;
        Boxed *context = make(l, kid, BOXED_CONTEXT, columns);
        context->names = names;
        i = 0;
        for (const Element *cell = kid->first; cell && i < columns; cell = cell->next)
            if (is_boxed(cell)) context->kids[i++] = load_boxed(l, cell, depth + 1);
        b->kids[row++] = context;
    }
    return b;
}

static const Boxed *load_function(Loader *l, const Element *e, uint32_t depth) {
    Boxed *b = make(l, e, BOXED_FUNCTION, count_of(e, "formalParameter") + 1);
    Str kind = element_attr(e, "kind");
    uint32_t i = 1;
    b->external = kind.len && !str_eq(kind, S("FEEL"));
    for (const Element *kid = e->first; kid; kid = kid->next)
        if (str_eq(kid->name, S("formalParameter"))) b->names[i++] = element_attr(kid, "name");
    b->kids[0] = load_boxed_child(l, e, depth);
    return b;
}

// Kids by the names of their elements ("if", "then", "else").
static const Boxed *load_parts(Loader *l, const Element *e, BoxedKind kind,
                               const char *const *parts, uint32_t count, uint32_t depth) {
    Boxed *b = make(l, e, kind, count);
    b->variable = element_attr(e, "iteratorVariable");
    for (uint32_t i = 0; i < count; i++) {
        const Element *part = element_child(e, parts[i]);
        b->kids[i] = part ? load_boxed_child(l, part, depth) : NULL;
        if (!b->kids[i]) (void)load_refuse(l, INVALID, e->line, "缺少“{1}”", str_z(parts[i]));
    }
    return b;
}

const Boxed *load_boxed(Loader *l, const Element *e, uint32_t depth) {
    static const char *const IF[] = {"if", "then", "else"}, *const FOR[] = {"in", "return"};
    static const char *const TEST[] = {"in", "satisfies"}, *const FILTER[] = {"in", "match"};
    if (depth > DMN_DEPTH_MAX) {
        (void)load_refuse(l, LIMIT, e->line, "表达式嵌套过深", S(""));
        return NULL;
    }
    if (l->status != OK) return NULL;
    if (str_eq(e->name, S("decisionTable"))) {
        Boxed *b = make(l, e, BOXED_TABLE, 0);
        b->table = load_table(l, e);
        return b;
    }
    if (str_eq(e->name, S("context"))) return load_context(l, e, depth);
    if (str_eq(e->name, S("invocation"))) return load_invocation(l, e, depth);
    if (str_eq(e->name, S("list"))) return load_list(l, e, depth);
    if (str_eq(e->name, S("relation"))) return load_relation(l, e, depth);
    if (str_eq(e->name, S("functionDefinition"))) return load_function(l, e, depth);
    if (str_eq(e->name, S("conditional"))) return load_parts(l, e, BOXED_IF, IF, 3, depth);
    if (str_eq(e->name, S("for"))) return load_parts(l, e, BOXED_FOR, FOR, 2, depth);
    if (str_eq(e->name, S("some"))) return load_parts(l, e, BOXED_SOME, TEST, 2, depth);
    if (str_eq(e->name, S("every"))) return load_parts(l, e, BOXED_EVERY, TEST, 2, depth);
    if (str_eq(e->name, S("filter"))) return load_parts(l, e, BOXED_FILTER, FILTER, 2, depth);
    Boxed *b = make(l, e, BOXED_TEXT, 0);
    (void)load_text(l, e, false, &b->text);
    return b;
}
