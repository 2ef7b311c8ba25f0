// Loading a decision model: inputs, decisions, knowledge models and what requires what. Elements
// are known by their local names, so DMN 1.1 to 1.5 are read alike. What is not understood inside a
// decision is refused with its line; diagrams and extensions are passed over.
#include "dmn/dmn_internal.h"

static void name_add(Loader *l, Str name) {
    bool plain = true;
    for (size_t i = 0; i < name.len && plain; i++) plain = !strchr(" '-+*/.", name.ptr[i]);
    if (plain || name.len == 0 || l->names_count == DMN_NAMES_MAX) return;
    for (uint32_t i = 0; i < l->names_count; i++)
        if (str_eq(l->names[i], name)) return;
    if (l->names_count == l->names_cap) {
        l->names_cap = l->names_cap ? l->names_cap * 2 : 64;
        Str *names = arena_array(l->arena, Str, l->names_cap);
        if (l->names_count) memcpy(names, l->names, l->names_count * sizeof *names);
        l->names = names;
    }
    l->names[l->names_count++] = name;
}

// Every name that FEEL could meet and could not tell from an operation.
static void collect_names(Loader *l, const Element *e) {
    static const char *const NAMED[] = {"inputData", "decision", "businessKnowledgeModel",
                                        "decisionService", "variable", "formalParameter",
                                        "itemComponent", "column", "output", "parameter"};
    for (size_t i = 0; i < sizeof NAMED / sizeof *NAMED; i++)
        if (str_eq(e->name, str_z(NAMED[i]))) name_add(l, element_attr(e, "name"));
    name_add(l, element_attr(e, "iteratorVariable"));
    for (const Element *kid = e->first; kid; kid = kid->next) collect_names(l, kid);
}

static Str without_prefix(Str type) {
    ptrdiff_t colon = str_find(type, S(":"));
    return colon < 0 ? type : str_sub(type, (size_t)colon + 1, type.len);
}

static Node *node_of(Loader *l, const Element *e, uint32_t index) {
    Node *n = arena_new(l->arena, Node);
    const Element *variable = element_child(e, "variable");
    n->id = element_attr(e, "id");
    n->name = element_attr(e, "name");
    n->line = e->line;
    n->index = index;
    n->type = variable ? without_prefix(element_attr(variable, "typeRef")) : S("");
    if (n->name.len == 0) (void)load_refuse(l, INVALID, e->line, "缺少“{1}”", S("name"));
    return n;
}

typedef struct Kinds {
    Node **items;
    const Element **elements;
    uint32_t count;
} Kinds;

static Kinds nodes_of(Loader *l, const Element *root, const char *name) {
    Kinds k = {0};
    uint32_t count = 0;
    for (const Element *e = root->first; e; e = e->next) count += str_eq(e->name, str_z(name));
    if (count > DMN_DECISIONS_MAX) {
        (void)load_refuse(l, LIMIT, root->line, "决策超过 {1} 个", S("2000"));
        return k;
    }
    k.items = arena_array(l->arena, Node *, count);
    k.elements = arena_array(l->arena, const Element *, count);
    for (const Element *e = root->first; e; e = e->next) {
        if (!str_eq(e->name, str_z(name))) continue;
        Node *n = node_of(l, e, k.count);
        for (uint32_t i = 0; i < k.count; i++)
            if (str_eq(k.items[i]->name, n->name))
                (void)load_refuse(l, INVALID, e->line, "名称“{1}”重复", n->name);
        k.items[k.count] = n;
        k.elements[k.count++] = e;
    }
    return k;
}

static Node *by_href(const Kinds *k, Str href) {
    ptrdiff_t hash = str_find(href, S("#"));
    Str id = hash < 0 ? href : str_sub(href, (size_t)hash + 1, href.len);
    for (uint32_t i = 0; i < k->count; i++)
        if (str_eq(k->items[i]->id, id)) return k->items[i];
    return NULL;
}

static void require(Loader *l, Node ***list, uint32_t *count, Node *n) {
    Node **more = arena_array(l->arena, Node *, *count + 1);
    if (*count) memcpy(more, *list, *count * sizeof *more);
    more[(*count)++] = n;
    *list = more;
}

static void requirements_of(Loader *l, Node *n, const Element *e, const Kinds *inputs,
                            const Kinds *decisions, const Kinds *knowledge) {
    for (const Element *r = e->first; r; r = r->next) {
        if (!str_eq(r->name, S("informationRequirement")) &&
            !str_eq(r->name, S("knowledgeRequirement")))
            continue;
        for (const Element *kid = r->first; kid; kid = kid->next) {
            bool input = str_eq(kid->name, S("requiredInput"));
            bool decision = str_eq(kid->name, S("requiredDecision"));
            if (!input && !decision && !str_eq(kid->name, S("requiredKnowledge"))) continue;
            Str href = element_attr(kid, "href");
            Node *other = by_href(input ? inputs : decision ? decisions : knowledge, href);
            if (!other) (void)load_refuse(l, INVALID, kid->line, "引用的“{1}”不在模型里", href);
            else if (input) require(l, &n->inputs, &n->inputs_count, other);
            else if (decision) require(l, &n->decisions, &n->decisions_count, other);
            else require(l, &n->knowledge, &n->knowledge_count, other);
        }
    }
}

enum { MARK_NEW, MARK_OPEN, MARK_DONE };

// No circles, no chains that are too long.
static bool walk(Loader *l, Node *n, uint32_t depth) {
    if (n->mark == MARK_DONE) return true;
    if (n->mark == MARK_OPEN)
        return load_refuse(l, INVALID, n->line, "“{1}”的依赖绕成了圈", n->name);
    if (depth > DMN_CHAIN_MAX) return load_refuse(l, LIMIT, n->line, "决策的依赖链过长", S(""));
    n->mark = MARK_OPEN;
    for (uint32_t i = 0; i < n->decisions_count; i++)
        if (!walk(l, n->decisions[i], depth + 1)) return false;
    for (uint32_t i = 0; i < n->knowledge_count; i++)
        if (!walk(l, n->knowledge[i], depth + 1)) return false;
    n->mark = MARK_DONE;
    return true;
}

static bool conversions(DmnModel *m, Arena *a) {
    return feel_parse(S("date(v)"), NULL, 0, a, &m->to_date, NULL) == OK &&
           feel_parse(S("time(v)"), NULL, 0, a, &m->to_time, NULL) == OK &&
           feel_parse(S("date and time(v)"), NULL, 0, a, &m->to_date_time, NULL) == OK &&
           feel_parse(S("duration(v)"), NULL, 0, a, &m->to_duration, NULL) == OK;
}

static void load_model(Loader *l, const Element *root, DmnModel *m) {
    const Element *import = element_child(root, "import");
    if (!str_eq(root->name, S("definitions")))
        (void)load_refuse(l, INVALID, root->line, "不是 DMN 模型（根元素是“{1}”）", root->name);
    if (import)
        (void)load_refuse(l, INVALID, import->line, "模型引用了另一个模型，不能单独载入", S(""));
    collect_names(l, root);
    Kinds inputs = nodes_of(l, root, "inputData"), decisions = nodes_of(l, root, "decision");
    Kinds knowledge = nodes_of(l, root, "businessKnowledgeModel");
    for (uint32_t i = 0; i < decisions.count && l->status == OK; i++) {
        requirements_of(l, decisions.items[i], decisions.elements[i], &inputs, &decisions,
                        &knowledge);
        decisions.items[i]->logic = load_boxed_child(l, decisions.elements[i], 0);
    }
    for (uint32_t i = 0; i < knowledge.count && l->status == OK; i++) {
        const Element *logic = element_child(knowledge.elements[i], "encapsulatedLogic");
        requirements_of(l, knowledge.items[i], knowledge.elements[i], &inputs, &decisions,
                        &knowledge);
        if (!logic) continue;
        Element *function = arena_new(l->arena, Element);
        *function = *logic;
        function->name = S("functionDefinition");
        knowledge.items[i]->logic = load_boxed(l, function, 0);
    }
    for (uint32_t i = 0; i < decisions.count && l->status == OK; i++)
        (void)walk(l, decisions.items[i], 0);
    for (uint32_t i = 0; i < knowledge.count && l->status == OK; i++)
        (void)walk(l, knowledge.items[i], 0);
    m->inputs = inputs.items;
    m->inputs_count = inputs.count;
    m->decisions = decisions.items;
    m->decisions_count = decisions.count;
    m->knowledge = knowledge.items;
    m->knowledge_count = knowledge.count;
}

static Status load(Str xml, bool deferred, Arena *a, const DmnModel **ret, Error *err) {
    Element *root;
    Status status = dmn_xml(xml, a, &root, err);
    if (status != OK) return status;
    Loader l = {.arena = a, .err = err, .deferred = deferred};
    DmnModel *m = arena_new(a, DmnModel);
    load_model(&l, root, m);
    if (l.status == OK && !conversions(m, a))
        return error_set(err, BROKEN, S("1"), "内部错误：转换函数读不懂");
    if (l.status != OK) return l.status;
    *ret = m;
    return OK;
}

Status dmn_load(Str xml, Arena *a, const DmnModel **ret, Error *err) {
    return load(xml, false, a, ret, err);
}

Status dmn_load_deferred(Str xml, Arena *a, const DmnModel **ret, Error *err) {
    return load(xml, true, a, ret, err);
}

size_t dmn_decision_count(const DmnModel *m) { return m->decisions_count; }
Str dmn_decision_name(const DmnModel *m, size_t i) {
    return i < m->decisions_count ? m->decisions[i]->name : S("");
}
size_t dmn_input_count(const DmnModel *m) { return m->inputs_count; }
Str dmn_input_name(const DmnModel *m, size_t i) {
    return i < m->inputs_count ? m->inputs[i]->name : S("");
}
