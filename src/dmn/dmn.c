// Loading a decision model: the files, what they import, their inputs, decisions, knowledge models
// and services, and what requires what. Elements are known by their local names, so DMN 1.1 to 1.5
// are read alike. What is not understood inside a decision is refused with its line; diagrams and
// extensions are passed over.
#include "dmn/dmn_internal.h"

static Value error_args(const Error *e, Value first, Arena *a) {
    ListBuilder args = list_make(a);
    for (int i = 0; i < ERROR_ARGS; i++) {
        list_add(&args, i == 0 && !v_is_null(first) ? first : v_str(arena_str(a, e->args[i])));
    }
    return list_done(&args);
}

void finding_add(Loader *l, uint32_t line, uint32_t column, const char *severity, const Error *e,
                 const Error *why) {
    if (!l->findings || l->findings->len >= DMN_FINDINGS_MAX) return;
    Value inner = v_null();
    if (why) {
        ContextBuilder w = context_make(l->arena);
        context_put_new(&w, S("text"), v_str(str_z(why->text)));
        context_put_new(&w, S("args"), error_args(why, v_null(), l->arena));
        inner = context_done(&w);
    }
    ContextBuilder c = context_make(l->arena);
    context_put_new(&c, S("line"), v_int(line));
    context_put_new(&c, S("column"), v_int(column));
    context_put_new(&c, S("element"), v_str(l->element));
    context_put_new(&c, S("text"), v_str(error_message(e, NULL, NULL, l->arena)));
    context_put_new(&c, S("template"), v_str(str_z(e->text)));
    context_put_new(&c, S("args"), error_args(e, inner, l->arena));
    context_put_new(&c, S("severity"), v_str(str_z(severity)));
    list_add(l->findings, context_done(&c));
}

void finding_plain(Loader *l, uint32_t line, const char *severity, const char *text) {
    finding_add(l, line, 1, severity, &(Error){.status = INVALID, .text = text}, NULL);
}

bool load_refuse(Loader *l, Status status, uint32_t line, const char *text, Str arg) {
    if (l->findings) {
        Error e = {0};
        (void)error_fill(&e, status, S(""), text, (Str[ERROR_ARGS]){arg});
        finding_add(l, line, 1, "error", &e, NULL);
        return false;
    }
    if (l->status != OK) return false;
    Str file = l->space ? l->space->file : S("");
    Str where = arena_printf(l->arena, "%.*s%s%u", S_FMT(file), file.len ? ":" : "", line);
    l->status = error_fill(l->err, status, where, text, (Str[ERROR_ARGS]){arg});
    return false;
}

Str load_number(Loader *l, int64_t n) {
    return arena_printf(l->arena, "%lld", (long long)n);
}

// ---- names

// A name that FEEL would read right without being told of it, and that hides no function.
static bool name_plain(Str name) {
    for (size_t i = 0; i < name.len; i++)
        if (strchr(" '-+*/.", name.ptr[i])) return false;
    return !feel_is_function(name);
}

static void name_add(Loader *l, Str name) {
    if (name.len == 0 || name_plain(name) || l->names_count == DMN_NAMES_MAX) return;
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
                                        "itemComponent", "column", "output", "parameter",
                                        "import"};
    for (size_t i = 0; i < sizeof NAMED / sizeof *NAMED; i++)
        if (str_eq(e->name, str_z(NAMED[i]))) name_add(l, element_attr(e, "name"));
    name_add(l, element_attr(e, "iteratorVariable"));
    for (const Element *kid = e->first; kid; kid = kid->next) collect_names(l, kid);
}

// ---- nodes

static bool node_kind(const Element *e, NodeKind *ret) {
    static const char *const KINDS[] = {"inputData", "decision", "businessKnowledgeModel",
                                        "decisionService"};
    for (unsigned i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (!str_eq(e->name, str_z(KINDS[i]))) continue;
        *ret = (NodeKind)i;
        return true;
    }
    return false;
}

static Str shown_name(const Element *e) {
    Str name = element_attr(e, "name");
    return name.len ? name : element_attr(e, "id");
}

static Node *node_of(Loader *l, const Element *e, NodeKind kind) {
    Node *n = arena_new(l->arena, Node);
    const Element *variable = element_child(e, "variable");
    l->element = shown_name(e);
    n->kind = kind;
    n->id = element_attr(e, "id");
    n->name = element_attr(e, "name");
    n->line = e->line;
    n->space = l->space;
    n->index = l->model->nodes_count++;
    if (variable) n->type = type_of_ref(l, element_attr(variable, "typeRef"), variable->line);
    if (n->name.len == 0) (void)load_refuse(l, INVALID, e->line, "缺少“{1}”", S("name"));
    for (uint32_t i = 0; i < l->space->nodes_count; i++)
        if (n->name.len && str_eq(l->space->nodes[i]->name, n->name))
            (void)load_refuse(l, INVALID, e->line, "名称“{1}”重复", n->name);
    return n;
}

static void load_nodes(Loader *l, Space *space) {
    uint32_t count = 0;
    NodeKind kind;
    for (const Element *e = space->root->first; e; e = e->next) count += node_kind(e, &kind);
    if (count > DMN_DECISIONS_MAX) {
        (void)load_refuse(l, LIMIT, space->root->line, "决策超过 {1} 个",
                          load_number(l, DMN_DECISIONS_MAX));
        return;
    }
    space->nodes = arena_array(l->arena, Node *, count);
    for (const Element *e = space->root->first; e && l->status == OK; e = e->next) {
        if (!node_kind(e, &kind)) continue;
        Node *n = node_of(l, e, kind);
        space->nodes[space->nodes_count++] = n;
    }
}

static Space *space_of(const DmnModel *m, Str uri) {
    for (uint32_t i = 0; i < m->spaces_count; i++)
        if (str_eq(m->spaces[i]->uri, uri)) return m->spaces[i];
    return NULL;
}

static Node *node_by_id(const Space *space, Str id) {
    for (uint32_t i = 0; i < space->nodes_count; i++)
        if (str_eq(space->nodes[i]->id, id)) return space->nodes[i];
    return NULL;
}

// What "namespace#id" points to; NULL: nothing of these files.
static Node *by_href(const Loader *l, Str href) {
    const Space *space = l->space;
    ptrdiff_t hash = str_find(href, S("#"));
    Str id = hash < 0 ? href : str_sub(href, (size_t)hash + 1, href.len);
    if (hash > 0) {
        Str uri = str_sub(href, 0, (size_t)hash);
        Node *own = str_eq(uri, space->uri) ? node_by_id(space, id) : NULL;
        if (own) return own;
        space = space_of(l->model, uri);
    }
    return space ? node_by_id(space, id) : NULL;
}

enum { IMPORT_CHAIN_MAX = 8 };

// The names of imports that lead from one file to another, into `ret`; 0: none do.
static uint32_t import_path(const Space *from, const Space *to, Str *ret, uint32_t depth) {
    if (depth == IMPORT_CHAIN_MAX) return 0;
    for (uint32_t i = 0; i < from->imports_count; i++) {
        if (from->imports[i].space != to) continue;
        ret[depth] = from->imports[i].name;
        return depth + 1;
    }
    for (uint32_t i = 0; i < from->imports_count; i++) {
        if (!from->imports[i].space) continue;
        ret[depth] = from->imports[i].name;
        uint32_t n = import_path(from->imports[i].space, to, ret, depth + 1);
        if (n) return n;
    }
    return 0;
}

static void require(Loader *l, Node *n, Node *other) {
    Need *more = arena_array(l->arena, Need, n->needs_count + 1);
    if (n->needs_count) memcpy(more, n->needs, n->needs_count * sizeof *more);
    Need *need = &more[n->needs_count++];
    *need = (Need){.node = other};
    if (other->space != n->space) {
        Str path[IMPORT_CHAIN_MAX];
        need->path_count = import_path(n->space, other->space, path, 0);
        // An import without a name puts what it brings among the model's own.
        uint32_t kept = 0;
        for (uint32_t i = 0; i < need->path_count; i++)
            if (path[i].len) path[kept++] = path[i];
        need->path_count = kept;
        Str *copy = arena_array(l->arena, Str, kept);
        if (kept) memcpy(copy, path, kept * sizeof *path);
        need->path = copy;
    }
    n->needs = more;
}

// The node `e` refers to, of one of two kinds; NULL after the refusal.
static Node *referred(Loader *l, const Element *e, NodeKind kind, NodeKind or_kind) {
    Str href = element_attr(e, "href");
    Node *other = by_href(l, href);
    if (other && (other->kind == kind || other->kind == or_kind)) return other;
    ptrdiff_t hash = str_find(href, S("#"));
    bool elsewhere = hash > 0 && !str_eq(str_sub(href, 0, (size_t)hash), l->space->uri);
    if (l->findings && elsewhere && !other) return NULL; // an import that isn't looked at
    (void)load_refuse(l, INVALID, e->line, "引用的“{1}”不在模型里", href);
    return NULL;
}

static void load_requirements(Loader *l, Node *n, const Element *e) {
    for (const Element *r = e->first; r; r = r->next) {
        if (!str_eq(r->name, S("informationRequirement")) &&
            !str_eq(r->name, S("knowledgeRequirement")))
            continue;
        for (const Element *kid = r->first; kid; kid = kid->next) {
            Node *other = NULL;
            if (str_eq(kid->name, S("requiredInput")))
                other = referred(l, kid, NODE_INPUT, NODE_INPUT);
            else if (str_eq(kid->name, S("requiredDecision")))
                other = referred(l, kid, NODE_DECISION, NODE_DECISION);
            else if (str_eq(kid->name, S("requiredKnowledge")))
                other = referred(l, kid, NODE_KNOWLEDGE, NODE_SERVICE);
            if (other) require(l, n, other);
        }
    }
}

// Parameters in the order of the standard: input data, then input decisions.
static void load_service(Loader *l, Node *n, const Element *e) {
    static const char *const PARTS[] = {"inputData", "inputDecision"};
    uint32_t count = element_count(e, PARTS[0]) + element_count(e, PARTS[1]);
    n->outputs = arena_array(l->arena, Node *, element_count(e, "outputDecision"));
    n->params = arena_array(l->arena, Node *, count);
    Str *names = arena_array(l->arena, Str, count);
    for (const Element *kid = e->first; kid; kid = kid->next) {
        if (!str_eq(kid->name, S("outputDecision"))) continue;
        Node *other = referred(l, kid, NODE_DECISION, NODE_DECISION);
        if (other) n->outputs[n->outputs_count++] = other;
    }
    for (unsigned part = 0; part < 2; part++) {
        for (const Element *kid = e->first; kid; kid = kid->next) {
            if (!str_eq(kid->name, str_z(PARTS[part]))) continue;
            NodeKind kind = part == 0 ? NODE_INPUT : NODE_DECISION;
            Node *other = referred(l, kid, kind, kind);
            if (!other) continue;
            names[n->params_count] = other->name;
            n->params[n->params_count++] = other;
        }
    }
    n->param_names = names;
    if (n->outputs_count == 0)
        (void)load_refuse(l, INVALID, e->line, "决策服务“{1}”没有输出", n->name);
}

static void load_knowledge(Loader *l, Node *n, const Element *e) {
    const Element *logic = element_child(e, "encapsulatedLogic");
    if (!logic) return;
    Element *function = arena_new(l->arena, Element);
    *function = *logic;
    function->name = S("functionDefinition");
    n->logic = load_boxed(l, function, 0);
}

static void load_logic(Loader *l, Space *space) {
    NodeKind kind;
    uint32_t i = 0;
    for (const Element *e = space->root->first; e && l->status == OK; e = e->next) {
        if (!node_kind(e, &kind) || i >= space->nodes_count) continue;
        Node *n = space->nodes[i++];
        l->element = n->name;
        load_requirements(l, n, e);
        if (kind == NODE_DECISION) n->logic = load_boxed_child(l, e, 0);
        if (kind == NODE_KNOWLEDGE) load_knowledge(l, n, e);
        if (kind == NODE_SERVICE) load_service(l, n, e);
    }
}

enum { MARK_NEW, MARK_OPEN, MARK_DONE };

// No circles, no chains that are too long. A service hides what is inside it.
static bool walk(Loader *l, Node *n, uint32_t depth) {
    if (n->mark == MARK_DONE) return true;
    l->element = n->name;
    if (n->mark == MARK_OPEN)
        return load_refuse(l, INVALID, n->line, "“{1}”的依赖绕成了圈", n->name);
    if (depth > DMN_CHAIN_MAX)
        return load_refuse(l, LIMIT, n->line, "决策的依赖链超过 {1} 个", load_number(l, DMN_CHAIN_MAX));
    n->mark = MARK_OPEN;
    for (uint32_t i = 0; i < n->needs_count; i++)
        if (!walk(l, n->needs[i].node, depth + 1)) return false;
    for (uint32_t i = 0; i < n->outputs_count; i++)
        if (!walk(l, n->outputs[i], depth + 1)) return false;
    n->mark = MARK_DONE;
    return true;
}

// ---- files

static void load_imports(Loader *l, Space *space) {
    space->imports = arena_array(l->arena, Import, element_count(space->root, "import"));
    for (const Element *e = space->root->first; e; e = e->next) {
        if (!str_eq(e->name, S("import"))) continue;
        Import *import = &space->imports[space->imports_count++];
        *import = (Import){.name = element_attr(e, "name"), .uri = element_attr(e, "namespace"),
                           .line = e->line};
        import->space = space_of(l->model, import->uri);
        if (import->space == space) import->space = NULL;
        Str type = element_attr(e, "importType");
        bool model = type.len == 0 || str_find(type, S("DMN")) >= 0;
        if (import->space || !model) continue; // PMML is only met when a function calls it
        if (l->findings)
            finding_plain(l, e->line, "warning", "引用了另一个模型，检查时没有它的内容");
        else if (l->model->spaces_count == 1)
            (void)load_refuse(l, INVALID, e->line, "模型引用了另一个模型，不能单独载入", S(""));
        else
            (void)load_refuse(l, INVALID, e->line, "引用的模型“{1}”不在文件里", import->uri);
    }
}

static Status load_file(Loader *l, const DmnFile *file) {
    Element *root;
    Status status = dmn_xml(file->xml, l->arena, &root, l->err);
    if (status != OK) {
        if (file->name.len && l->err) error_at(l->err, file->name);
        return status;
    }
    Space *space = arena_new(l->arena, Space);
    *space = (Space){.file = arena_str(l->arena, file->name), .root = root,
                     .uri = element_attr(root, "namespace"), .name = element_attr(root, "name")};
    l->space = space;
    if (!str_eq(root->name, S("definitions")))
        (void)load_refuse(l, INVALID, root->line, "不是 DMN 模型（根元素是“{1}”）", root->name);
    l->model->spaces[l->model->spaces_count++] = space;
    collect_names(l, root);
    return OK;
}

Status load_set(Loader *l, const DmnFile *files, size_t count) {
    DmnModel *m = l->model = arena_new(l->arena, DmnModel);
    if (count == 0 || count > DMN_FILES_MAX)
        return error_set(l->err, LIMIT, S(""), "模型的文件应为 1 到 {1} 个", S("100"));
    m->spaces = arena_array(l->arena, Space *, count);
    for (size_t i = 0; i < count; i++) {
        Status status = load_file(l, &files[i]);
        if (status != OK) return status;
    }
    // Each step over all files: what one file imports must be known when another refers to it.
    void (*const steps[])(Loader *, Space *) = {load_imports, load_types, resolve_types,
                                                load_nodes, load_logic};
    for (size_t step = 0; step < sizeof steps / sizeof *steps; step++) {
        for (uint32_t i = 0; i < m->spaces_count && l->status == OK; i++) {
            l->space = m->spaces[i];
            l->element = S("");
            steps[step](l, l->space);
        }
    }
    for (uint32_t i = 0; i < m->spaces_count; i++) {
        l->space = m->spaces[i];
        for (uint32_t j = 0; j < l->space->nodes_count && l->status == OK; j++)
            (void)walk(l, l->space->nodes[j], 0);
    }
    return l->status;
}

Status dmn_load_files(const DmnFile *files, size_t count, DmnMode mode, Arena *a,
                      const DmnModel **ret, Error *err) {
    Loader l = {.arena = a, .err = err, .deferred = mode == DMN_DEFERRED};
    Status status = load_set(&l, files, count);
    if (status == OK) *ret = l.model;
    return status;
}

Status dmn_load(Str xml, Arena *a, const DmnModel **ret, Error *err) {
    return dmn_load_files(&(DmnFile){S_INIT(""), xml}, 1, DMN_STRICT, a, ret, err);
}

// ---- asking

Node *node_find(const DmnModel *m, NodeKind kind, Str name) {
    const Space *space = m->spaces[0];
    for (uint32_t i = 0; i < space->nodes_count; i++)
        if (space->nodes[i]->kind == kind && str_eq(space->nodes[i]->name, name))
            return space->nodes[i];
    return NULL;
}

static size_t count_kind(const DmnModel *m, NodeKind kind) {
    size_t count = 0;
    for (uint32_t i = 0; i < m->spaces[0]->nodes_count; i++)
        count += m->spaces[0]->nodes[i]->kind == kind;
    return count;
}

static Str name_of_kind(const DmnModel *m, NodeKind kind, size_t at) {
    for (uint32_t i = 0; i < m->spaces[0]->nodes_count; i++)
        if (m->spaces[0]->nodes[i]->kind == kind && at-- == 0) return m->spaces[0]->nodes[i]->name;
    return S("");
}

size_t dmn_decision_count(const DmnModel *m) { return count_kind(m, NODE_DECISION); }
Str dmn_decision_name(const DmnModel *m, size_t i) { return name_of_kind(m, NODE_DECISION, i); }
size_t dmn_input_count(const DmnModel *m) { return count_kind(m, NODE_INPUT); }
Str dmn_input_name(const DmnModel *m, size_t i) { return name_of_kind(m, NODE_INPUT, i); }
size_t dmn_service_count(const DmnModel *m) { return count_kind(m, NODE_SERVICE); }
Str dmn_service_name(const DmnModel *m, size_t i) { return name_of_kind(m, NODE_SERVICE, i); }
