// Everything that is wrong or doubtful in a model, for who edits it. The loader gathers what it
// would refuse; here follows what only shows when the whole is known: names that nothing gives,
// requirements that are missing or not needed. Tables are in dmn_check_table.c.
#include "dmn/dmn_internal.h"

enum { CHECK_NAMES_MAX = 2000 };

// What an expression may read where it stands.
typedef struct Scope {
    Loader *l;
    const Node *node;
    Str names[CHECK_NAMES_MAX];
    uint32_t count;
    bool *used;  // of node->needs
    bool open;   // inside a filter: members of the items are names too
} Scope;

static void see(Scope *s, Str name) {
    if (s->count < CHECK_NAMES_MAX) s->names[s->count++] = name;
    else s->open = true; // can't tell any more
}

static bool seen(const Scope *s, Str name) {
    for (uint32_t i = 0; i < s->count; i++)
        if (str_eq(s->names[i], name)) return true;
    return false;
}

static Str need_name(const Need *need) {
    return need->path_count ? need->path[0] : need->node->name;
}

static void told(Scope *s, const Text *t, const FeelName *name, const char *text) {
    Error e = {0};
    (void)error_fill(&e, INVALID, S(""), text, (Str[ERROR_ARGS]){name->name});
    finding_add(s->l, t->line + name->line - 1, name->column, "error", &e, NULL);
}

static bool imported(const Scope *s, Str name) {
    for (uint32_t i = 0; i < s->l->space->imports_count; i++)
        if (str_eq(s->l->space->imports[i].name, name)) return true;
    return false;
}

static void check_name(Scope *s, const Text *t, const FeelName *name) {
    if (s->open || seen(s, name->name) || imported(s, name->name)) return;
    for (uint32_t i = 0; i < s->l->space->nodes_count; i++) {
        if (!str_eq(s->l->space->nodes[i]->name, name->name)) continue;
        told(s, t, name, "“{1}”没有连到这里，请补上所需信息（连线）");
        return;
    }
    told(s, t, name, "没有名为“{1}”的数据");
}

static void check_text(Scope *s, const Text *t) {
    if (!t->expr) return; // told by the loader
    FeelName *needs;
    Str *reads;
    size_t count;
    feel_reads(t->expr, s->l->arena, &reads, &count);
    for (size_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < s->node->needs_count; j++)
            if (str_eq(need_name(&s->node->needs[j]), reads[i])) s->used[j] = true;
    feel_needs(t->expr, s->l->arena, &needs, &count);
    for (size_t i = 0; i < count; i++) check_name(s, t, &needs[i]);
}

static void check_cells(Scope *s, const Table *t) {
    for (uint32_t i = 0; i < t->inputs_count; i++) {
        check_text(s, &t->inputs[i].text);
        if (t->inputs[i].has_values) check_text(s, &t->inputs[i].values);
    }
    for (uint32_t i = 0; i < t->outputs_count; i++)
        if (t->outputs[i].has_otherwise) check_text(s, &t->outputs[i].otherwise);
    for (uint32_t r = 0; r < t->rules_count; r++) {
        for (uint32_t i = 0; i < t->inputs_count; i++) check_text(s, &t->rules[r].tests[i]);
        for (uint32_t i = 0; i < t->outputs_count; i++) check_text(s, &t->rules[r].outputs[i]);
    }
}

static void check_boxed(Scope *s, const Boxed *b) {
    if (!b) return;
    uint32_t mark = s->count;
    bool open = s->open;
    switch (b->kind) {
    case BOXED_TEXT: check_text(s, &b->text); return;
    case BOXED_TABLE:
        if (!b->table) return;
        check_cells(s, b->table);
        check_table(s->l, b->table, b->line);
        return;
    case BOXED_FUNCTION:
        for (uint32_t i = 1; i < b->count; i++) see(s, b->names[i]);
        if (!b->external) check_boxed(s, b->kids[0]);
        break;
    case BOXED_FOR:
    case BOXED_SOME:
    case BOXED_EVERY:
        check_boxed(s, b->kids[0]);
        see(s, b->variable);
        see(s, S("partial"));
        check_boxed(s, b->kids[1]);
        break;
    case BOXED_FILTER:
        check_boxed(s, b->kids[0]);
        s->open = true;
        check_boxed(s, b->kids[1]);
        break;
    default:
        for (uint32_t i = 0; i < b->count; i++) {
            bool function = b->kids[i] && b->kids[i]->kind == BOXED_FUNCTION;
            if (b->kind == BOXED_CONTEXT && function) see(s, b->names[i]);
            check_boxed(s, b->kids[i]);
            if (b->kind == BOXED_CONTEXT && !function && b->names[i].len) see(s, b->names[i]);
        }
        break;
    }
    s->count = mark;
    s->open = open;
}

static void check_node(Loader *l, const Node *n) {
    l->element = n->name;
    if (n->kind == NODE_DECISION && !n->logic)
        finding_plain(l, n->line, "warning", "决策没有内容，它的值要由别处给出");
    if (!n->logic) return;
    Scope *s = arena_new(l->arena, Scope);
    s->l = l;
    s->node = n;
    s->used = arena_array(l->arena, bool, n->needs_count);
    for (uint32_t i = 0; i < n->needs_count; i++) see(s, need_name(&n->needs[i]));
    if (n->kind == NODE_KNOWLEDGE) see(s, n->name);
    check_boxed(s, n->logic);
    for (uint32_t i = 0; i < n->needs_count; i++) {
        if (s->used[i]) continue;
        Error e = {0};
        (void)error_fill(&e, INVALID, S(""), "所需的“{1}”没有用到",
                         (Str[ERROR_ARGS]){n->needs[i].node->name});
        finding_add(l, n->line, 1, "warning", &e, NULL);
    }
}

// Errors before warnings, each in the order of the lines.
static Value ordered(Loader *l, const ListBuilder *found) {
    ListBuilder out = list_make(l->arena);
    for (int pass = 0; pass < 2; pass++) {
        int64_t from = -1;
        for (;;) { // the next line that is left
            int64_t next = INT64_MAX;
            for (uint32_t i = 0; i < found->len; i++) {
                int64_t line = v_to_int(v_get_lit(found->items[i], "line"), 0);
                bool error = str_eq(v_text(v_get_lit(found->items[i], "severity")), S("error"));
                if (error == (pass == 0) && line > from && line < next) next = line;
            }
            if (next == INT64_MAX) break;
            for (uint32_t i = 0; i < found->len; i++) {
                int64_t line = v_to_int(v_get_lit(found->items[i], "line"), 0);
                bool error = str_eq(v_text(v_get_lit(found->items[i], "severity")), S("error"));
                if (error == (pass == 0) && line == next) list_add(&out, found->items[i]);
            }
            from = next;
        }
    }
    return list_done(&out);
}

Status dmn_check(Str xml, Arena *a, Value *ret, Error *err) {
    ListBuilder findings = list_make(a);
    Error said = {0};
    Loader l = {.arena = a, .err = &said, .findings = &findings};
    Status status = load_set(&l, &(DmnFile){S_INIT(""), xml}, 1);
    if (status == BUSY) {
        if (err) *err = said;
        return status;
    }
    if (status != OK) { // the XML itself
        int64_t line = 1;
        if (!str_to_int(said.where, &line)) line = 1;
        finding_add(&l, (uint32_t)line, 1, "error", &said, NULL);
    }
    for (uint32_t i = 0; status == OK && i < l.space->nodes_count; i++)
        check_node(&l, l.space->nodes[i]);
    *ret = ordered(&l, &findings);
    return OK;
}
