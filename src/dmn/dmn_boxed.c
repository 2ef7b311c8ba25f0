// Reading boxed expressions: literal expressions, tables, contexts, invocations, lists, relations,
// functions, conditionals, iterators and filters (DMN 1.5, chapter 10.2).
#include "dmn/dmn_internal.h"

enum { SHOWN_MAX = 80 }; // bytes of an expression in a message

// `source` as it begins at `line` of the file; an empty test is "-".
bool load_source(Loader *l, Str source, uint32_t line, bool unary, Text *ret) {
    Error err = {0};
    *ret = (Text){.line = line, .column = 1, .source = source};
    if (unary && source.len == 0) source = ret->source = S("-");
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
    int64_t inside = 1, column = 1;
    if (!str_to_int(str_cut(&place, ':'), &inside)) inside = 1;
    if (!place.ptr || !str_to_int(place, &column)) column = 1;
    ret->expr = NULL;
    ret->line = line + (uint32_t)(inside > 0 ? inside - 1 : 0);
    ret->column = (uint32_t)(column > 0 ? column : 1);
    Str said = error_message(&err, NULL, NULL, l->arena);
    size_t shown = 0, next = 0;
    while (next < source.len && next < SHOWN_MAX) {
        (void)str_utf8_next(source, &next);
        shown = next;
    }
    Error e = {0};
    Str at = arena_printf(l->arena, "%u", ret->column);
    (void)error_fill(&e, INVALID, S(""), "{1}（“{2}”第 {3} 字）",
                     (Str[ERROR_ARGS]){said, str_sub(source, 0, shown), at});
    ret->error = error_message(&e, NULL, NULL, l->arena);
    if (l->findings) finding_add(l, ret->line, ret->column, "error", &e, &err);
    if (l->findings || l->deferred) return true;
    return load_refuse(l, INVALID, ret->line, "{1}", ret->error);
}

// The FEEL in the <text> of `e`.
bool load_text(Loader *l, const Element *e, bool unary, Text *ret) {
    const Element *text = element_child(e, "text");
    return load_source(l, text ? text->text : S(""), text ? text->text_line : e->line, unary, ret);
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

static Boxed *make(Loader *l, const Element *e, BoxedKind kind, uint32_t count) {
    Boxed *b = arena_new(l->arena, Boxed);
    b->kind = kind;
    b->line = e->line;
    b->count = count;
    b->kids = arena_array(l->arena, const Boxed *, count);
    b->names = arena_array(l->arena, Str, count);
    b->types = arena_array(l->arena, const ItemType *, count);
    b->type = type_of_ref(l, element_attr(e, "typeRef"), e->line);
    b->space = l->space;
    return b;
}

static const Boxed *load_context(Loader *l, const Element *e, uint32_t depth) {
    Boxed *b = make(l, e, BOXED_CONTEXT, element_count(e, "contextEntry"));
    uint32_t i = 0;
    for (const Element *kid = e->first; kid; kid = kid->next) {
        if (!str_eq(kid->name, S("contextEntry"))) continue;
        const Element *variable = element_child(kid, "variable");
        b->names[i] = variable ? element_attr(variable, "name") : S("");
        if (variable)
            b->types[i] = type_of_ref(l, element_attr(variable, "typeRef"), variable->line);
        for (uint32_t j = 0; !l->deferred && b->names[i].len && j < i; j++)
            if (str_eq(b->names[j], b->names[i]))
                (void)load_refuse(l, INVALID, kid->line, "名称“{1}”重复", b->names[i]);
        b->kids[i++] = load_boxed_child(l, kid, depth);
    }
    return b;
}

static const Boxed *load_invocation(Loader *l, const Element *e, uint32_t depth) {
    Boxed *b = make(l, e, BOXED_INVOCATION, element_count(e, "binding") + 1);
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
    uint32_t columns = element_count(e, "column"), row = 0, i = 0;
    Str *names = arena_array(l->arena, Str, columns);
    for (const Element *kid = e->first; kid; kid = kid->next)
        if (str_eq(kid->name, S("column"))) names[i++] = element_attr(kid, "name");
    Boxed *b = make(l, e, BOXED_LIST, element_count(e, "row"));
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
    Boxed *b = make(l, e, BOXED_FUNCTION, element_count(e, "formalParameter") + 1);
    Str kind = element_attr(e, "kind");
    uint32_t i = 1;
    b->external = kind.len && !str_eq(kind, S("FEEL"));
    for (const Element *kid = e->first; kid; kid = kid->next) {
        if (!str_eq(kid->name, S("formalParameter"))) continue;
        b->types[i] = type_of_ref(l, element_attr(kid, "typeRef"), kid->line);
        b->names[i++] = element_attr(kid, "name");
    }
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
        (void)load_refuse(l, LIMIT, e->line, "表达式嵌套超过 {1} 层",
                          load_number(l, DMN_DEPTH_MAX));
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
