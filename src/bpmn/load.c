// From BPMN XML to nodes and edges. Every element of the BPMN namespace inside a process is either
// run, or known to mean nothing when it runs (documentation, lanes, annotations), or refused:
// nothing is skipped over. Extensions of other namespaces are left alone, as BPMN 2.0.2 (8.2.3)
// has it.
//
// Loading happens in strides: what is declared outside of the flow is noted by id; elements of the
// executable processes, and of those they call, are read in document order with their references
// as text; references are resolved; lint.c checks the whole and prepares it for running.
#include "bpmn/load.h"

#include "bpmn/load_check.h"

#include <setjmp.h>

enum { NAMED_MAX = 20000, PROCESSES_MAX = 500 };

typedef enum LoadMode { LOAD_PLAIN, LOAD_CHECKED, LOAD_DRAWING } LoadMode;

// `text` has the element's name as {1} and its id as {2}.
static Status tell(Load *l, const xmlNode *e, Status status, const char *text) {
    char line[16];
    (void)snprintf(line, sizeof line, "%u", xml_line(e));
    Str id = xml_attribute(e, S("id"), l->arena);
    return error_fill(l->err, status, str_z(line), text, (Str[ERROR_ARGS]){xml_local(e), id});
}

Status model_refuse(Load *l, const xmlNode *e, Status status, const char *text) {
    return l->drawing && status == INVALID ? OK : tell(l, e, status, text);
}

bool model_one_of(Str s, const Str *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (str_eq(s, names[i])) return true;
    return false;
}

static void *array_room(Arena *a, void *items, uint32_t count, uint32_t *cap, size_t size) {
    if (count < *cap) return items;
    uint32_t cap_new = *cap ? *cap * 2 : 16;
    void *more = arena_alloc_n(a, cap_new, size);
    if (count) memcpy(more, items, count * size);
    *cap = cap_new;
    return more;
}

// Expressions and attributes

Status model_expression(Load *l, const xmlNode *e, Str source, const FeelExpr **ret) {
    if (str_starts(source, S("="))) source = str_sub(source, 1, source.len);
    if (l->drawing) source = S("null");
    Error told;
    Status status = feel_parse(source, NULL, 0, l->arena, ret, &told);
    if (!status) return OK;
    char line[16];
    (void)snprintf(line, sizeof line, "%u", xml_line(e));
    return error_set(l->err, status, str_z(line), "{1}（{2}）的表达式有误：{3}", xml_local(e),
                     xml_attribute(xml_has(e, S("id")) ? e : e->parent, S("id"), l->arena),
                     error_message(&told, NULL, NULL, l->arena));
}

Status model_expression_element(Load *l, const xmlNode *e, const FeelExpr **ret) {
    Str language = xml_attribute(e, S("language"), l->arena);
    bool feel = str_find(language, S("FEEL")) >= 0 || str_find(language, S("feel")) >= 0;
    if (language.len && !feel && !l->drawing)
        return refuse(l, e, "{1}（{2}）的表达式语言只能是 FEEL");
    return model_expression(l, e, xml_text(e, l->arena), ret);
}

Str model_yz(Load *l, const xmlNode *e, Str name) {
    for (const xmlAttr *at = e->properties; at; at = at->next)
        if (xml_space(at->ns) == XML_YZ && str_eq(str_z((const char *)at->name), name))
            return xml_attribute_value(at, l->arena);
    return S("");
}

Status model_number(Load *l, const xmlNode *e, Str name, int64_t low, int64_t high,
                   int64_t otherwise, int64_t *ret) {
    int64_t n = otherwise;
    if (xml_has(e, name) && (!str_to_int(xml_attribute(e, name, l->arena), &n) || n < low ||
                             n > high)) {
        *ret = otherwise;
        if (l->drawing) return OK;
        char line[16];
        (void)snprintf(line, sizeof line, "%u", xml_line(e));
        return error_set(l->err, INVALID, str_z(line), "{1}（{2}）的属性 {3} 超出范围",
                         xml_local(e), xml_attribute(e, S("id"), l->arena), name);
    }
    *ret = n;
    return OK;
}

// Declarations

static Status named_add(Load *l, const xmlNode *e, NamedKind kind) {
    static const Str codes[] = {[NAMED_ERROR] = S_INIT("errorCode"),
                                [NAMED_ESCALATION] = S_INIT("escalationCode")};
    if (l->named_count == NAMED_MAX)
        return model_refuse(l, e, LIMIT, "{1}（{2}）：声明太多");
    l->named = array_room(l->arena, l->named, l->named_count, &l->named_cap, sizeof *l->named);
    Named *named = &l->named[l->named_count++];
    *named = (Named){.kind = kind, .element = e, .id = xml_attribute(e, S("id"), l->arena)};
    if (kind == NAMED_OPERATION) {
        const xmlNode *message = xml_child(e, XML_BPMN, S("inMessageRef"));
        if (message) named->name = xml_unprefixed(xml_text(message, l->arena));
        return OK;
    }
    bool coded = kind == NAMED_ERROR || kind == NAMED_ESCALATION;
    named->name = xml_attribute(e, coded ? codes[kind] : S("name"), l->arena);
    if (!named->name.len && kind != NAMED_DATA) named->name = named->id;
    return OK;
}

static bool named_kind(Str local, NamedKind *ret) {
    static const struct {
        Str name;
        NamedKind kind;
    } kinds[] = {
        {S_INIT("message"), NAMED_MESSAGE},
        {S_INIT("signal"), NAMED_SIGNAL},
        {S_INIT("error"), NAMED_ERROR},
        {S_INIT("escalation"), NAMED_ESCALATION},
        {S_INIT("operation"), NAMED_OPERATION},
        {S_INIT("dataObject"), NAMED_DATA},
        {S_INIT("dataObjectReference"), NAMED_DATA},
        {S_INIT("dataStore"), NAMED_DATA},
        {S_INIT("dataStoreReference"), NAMED_DATA},
        {S_INIT("property"), NAMED_DATA},
        {S_INIT("dataInput"), NAMED_DATA},
        {S_INIT("dataOutput"), NAMED_DATA},
        {S_INIT("globalTask"), NAMED_GLOBAL},
        {S_INIT("globalUserTask"), NAMED_GLOBAL},
        {S_INIT("globalManualTask"), NAMED_GLOBAL},
        {S_INIT("globalScriptTask"), NAMED_GLOBAL},
        {S_INIT("globalBusinessRuleTask"), NAMED_GLOBAL},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!str_eq(local, kinds[i].name)) continue;
        *ret = kinds[i].kind;
        return true;
    }
    *ret = NAMED_DEFINITION;
    return str_ends(local, S("EventDefinition"));
}

// Anywhere in the file: at the top, in processes and in tasks. As deep as the XML may be.
static Status declarations_read(Load *l, const xmlNode *e) {
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c)) {
        NamedKind kind;
        if (xml_space(c->ns) != XML_BPMN) continue;
        Status status = named_kind(xml_local(c), &kind) ? named_add(l, c, kind) : OK;
        if (!status) status = declarations_read(l, c);
        if (status) return status;
    }
    return OK;
}

static uint32_t *slots_make(Arena *a, uint32_t count, uint32_t *ret_mask) {
    uint32_t size = 16;
    while (size < 2 * count) size *= 2;
    uint32_t *slots = arena_alloc_n(a, size, sizeof *slots);
    memset(slots, 0xff, size * sizeof *slots);
    *ret_mask = size - 1;
    return slots;
}

static void named_index(Load *l) {
    l->named_slots = slots_make(l->arena, l->named_count, &l->named_mask);
    for (uint32_t i = 0; i < l->named_count; i++) {
        uint32_t at = (uint32_t)str_hash(l->named[i].id) & l->named_mask;
        while (l->named_slots[at] != NONE) at = (at + 1) & l->named_mask;
        l->named_slots[at] = i;
    }
}

const Named *model_named(const Load *l, Str id, NamedKind kind) {
    if (!id.len) return NULL;
    for (uint32_t at = (uint32_t)str_hash(id) & l->named_mask;; at = (at + 1) & l->named_mask) {
        if (l->named_slots[at] == NONE) return NULL;
        const Named *named = &l->named[l->named_slots[at]];
        if (named->kind == kind && str_eq(named->id, id)) return named;
    }
}

// Data is known by the name of the object, else of the first reference to it, else by its id.
Str model_data_name(const Load *l, Str ref) {
    const Named *named = model_named(l, ref, NAMED_DATA);
    if (!named) return ref;
    static const Str objects[] = {S_INIT("dataObjectRef"), S_INIT("dataStoreRef")};
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        Str object = xml_unprefixed(xml_attribute(named->element, objects[i], l->arena));
        if (!object.len || str_eq(object, ref)) continue;
        const Named *to = model_named(l, object, NAMED_DATA);
        if (to && to->name.len) return to->name;
    }
    return named->name.len ? named->name : ref;
}

// A data object without a name takes that of the first reference to it.
static void data_names(Load *l) {
    for (uint32_t i = 0; i < l->named_count; i++) {
        const Named *named = &l->named[i];
        Str object = xml_unprefixed(xml_attribute(named->element, S("dataObjectRef"), l->arena));
        if (named->kind != NAMED_DATA || !object.len || str_eq(object, named->id)) continue;
        const Named *to = model_named(l, object, NAMED_DATA);
        if (to && !to->name.len) l->named[to - l->named].name = named->name;
        if (to && !l->named[to - l->named].name.len) l->named[to - l->named].name = named->id;
    }
}

// Elements of a process or sub-process

static Node *node_new(Load *l, const xmlNode *e, NodeKind kind, uint32_t parent) {
    Flow *f = l->flow;
    if (f->nodes_count == l->nodes_cap) {
        uint32_t cap = l->nodes_cap;
        f->nodes = array_room(l->arena, f->nodes, f->nodes_count, &l->nodes_cap, sizeof *f->nodes);
        l->node_refs =
            array_room(l->arena, l->node_refs, f->nodes_count, &cap, sizeof *l->node_refs);
    }
    l->node_refs[f->nodes_count] = (NodeRefs){.element = e};
    Node *n = &f->nodes[f->nodes_count++];
    *n = (Node){.kind = kind,
                .parent = parent,
                .process = l->process,
                .line = xml_line(e),
                .host = NONE,
                .start = NONE,
                .fallback = NONE,
                .link = NONE,
                .call = NONE,
                .handler = NONE,
                .start_quantity = 1,
                .completion_quantity = 1};
    return n;
}

static Status node_read(Load *l, const xmlNode *e, NodeKind kind, uint32_t parent) {
    if (l->flow->nodes_count >= FLOW_NODES_MAX)
        return model_refuse(l, e, LIMIT, "{1}（{2}）：流程的环节太多");
    Node *n = node_new(l, e, kind, parent);
    return model_node(l, e, n, &l->node_refs[l->flow->nodes_count - 1]);
}

static Status edge_read(Load *l, const xmlNode *e) {
    Flow *f = l->flow;
    if (f->edges_count >= FLOW_EDGES_MAX)
        return model_refuse(l, e, LIMIT, "{1}（{2}）：流程的顺序流太多");
    if (f->edges_count == l->edges_cap) {
        uint32_t cap = l->edges_cap;
        f->edges = array_room(l->arena, f->edges, f->edges_count, &l->edges_cap, sizeof *f->edges);
        l->edge_refs =
            array_room(l->arena, l->edge_refs, f->edges_count, &cap, sizeof *l->edge_refs);
    }
    Edge *edge = &f->edges[f->edges_count];
    EdgeRefs *refs = &l->edge_refs[f->edges_count++];
    *edge = (Edge){.line = xml_line(e), .from = NONE, .to = NONE};
    refs->from = xml_unprefixed(xml_attribute(e, S("sourceRef"), l->arena));
    refs->to = xml_unprefixed(xml_attribute(e, S("targetRef"), l->arena));
    edge->name_en = model_yz(l, e, S("name_en"));
    Status status = model_id(l, e, &edge->id, &edge->name);
    for (const xmlNode *c = xml_first(e); c && !status; c = xml_next(c)) {
        if (xml_space(c->ns) != XML_BPMN || model_means_nothing(xml_local(c))) continue;
        if (!str_eq(xml_local(c), S("conditionExpression")) || edge->condition)
            return refuse(l, c, "{1}（{2}）：不支持这个元素");
        status = model_expression_element(l, c, &edge->condition);
    }
    return status;
}

static bool part_means_nothing(Str local) {
    static const Str names[] = {
        S_INIT("laneSet"),
        S_INIT("textAnnotation"),
        S_INIT("association"), // of compensation: see compensation_resolve
        S_INIT("group"),
        S_INIT("dataObject"),
        S_INIT("dataObjectReference"),
        S_INIT("dataStoreReference"),
        S_INIT("supports"),
    };
    return IS_ONE_OF(local, names) || model_means_nothing(local);
}

static Status part_read(Load *l, const xmlNode *e, uint32_t parent) {
    Str local = xml_local(e);
    NodeKind kind = model_kind(local);
    if (kind != NODE_KINDS) return node_read(l, e, kind, parent);
    if (str_eq(local, S("sequenceFlow"))) return edge_read(l, e);
    if (part_means_nothing(local)) return OK;
    // Read with the sub-process itself.
    if (l->flow->nodes[parent].kind == NODE_SUBPROCESS) return OK;
    return refuse(l, e, "{1}（{2}）：不支持这个元素");
}

// As deep as the XML may be.
static Status parts_read(Load *l, const xmlNode *e, uint32_t parent) {
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c)) {
        if (xml_space(c->ns) != XML_BPMN) continue;
        uint32_t before = l->flow->nodes_count;
        Status status = part_read(l, c, parent);
        if (!status && l->flow->nodes_count > before &&
            l->flow->nodes[before].kind == NODE_SUBPROCESS)
            status = parts_read(l, c, before);
        if (status) return status;
    }
    return OK;
}

// References

uint32_t flow_node(const Flow *f, Str id) {
    for (uint32_t at = (uint32_t)str_hash(id) & f->slots_mask;; at = (at + 1) & f->slots_mask) {
        uint32_t node = f->slots[at];
        if (node == NONE || str_eq(f->nodes[node].id, id)) return node;
    }
}

uint32_t flow_edge(const Flow *f, Str id) {
    for (uint32_t at = (uint32_t)str_hash(id) & f->edge_slots_mask;;
         at = (at + 1) & f->edge_slots_mask) {
        uint32_t edge = f->edge_slots[at];
        if (edge == NONE || str_eq(f->edges[edge].id, id)) return edge;
    }
}

#define refuse_at(l, line, text, ...) \
    refuse_line((l), (line), "" text, (Str[ERROR_ARGS]){__VA_ARGS__})
static Status refuse_line(Load *l, uint32_t at, const char *text, const Str args[ERROR_ARGS]) {
    if (l->drawing) return OK;
    char line[16];
    (void)snprintf(line, sizeof line, "%u", at);
    return error_fill(l->err, INVALID, str_z(line), text, args);
}

static Status index_make(Load *l) {
    Flow *f = l->flow;
    f->slots = slots_make(l->arena, f->nodes_count, &f->slots_mask);
    f->edge_slots = slots_make(l->arena, f->edges_count, &f->edge_slots_mask);
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        Node *n = &f->nodes[i];
        if (flow_node(f, n->id) != NONE) {
            Status status = refuse_at(l, n->line, "id {1} 重复", n->id);
            if (status) return status;
            continue;
        }
        uint32_t at = (uint32_t)str_hash(n->id) & f->slots_mask;
        while (f->slots[at] != NONE) at = (at + 1) & f->slots_mask;
        f->slots[at] = i;
    }
    for (uint32_t i = 0; i < f->edges_count; i++) {
        Edge *e = &f->edges[i];
        if (flow_edge(f, e->id) != NONE || flow_node(f, e->id) != NONE) {
            Status status = refuse_at(l, e->line, "id {1} 重复", e->id);
            if (status) return status;
            continue;
        }
        uint32_t at = (uint32_t)str_hash(e->id) & f->edge_slots_mask;
        while (f->edge_slots[at] != NONE) at = (at + 1) & f->edge_slots_mask;
        f->edge_slots[at] = i;
    }
    return OK;
}

static bool joins_nodes(const Flow *f, uint32_t from, uint32_t to) {
    return from != NONE && to != NONE && f->nodes[from].kind != NODE_PROCESS &&
           f->nodes[to].kind != NODE_PROCESS && f->nodes[from].parent == f->nodes[to].parent;
}

// For a drawing: an edge that joins no two nodes of one scope is a line and no more (drawing.c).
static Status edges_sift(Load *l) {
    Flow *f = l->flow;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < f->edges_count; i++) {
        uint32_t from = flow_node(f, l->edge_refs[i].from), to = flow_node(f, l->edge_refs[i].to);
        if (!joins_nodes(f, from, to)) continue;
        f->edges[kept] = f->edges[i];
        l->edge_refs[kept++] = l->edge_refs[i];
    }
    if (kept == f->edges_count) return OK;
    f->edges_count = kept;
    return index_make(l);
}

static Status edges_resolve(Load *l) {
    Flow *f = l->flow;
    for (uint32_t i = 0; i < f->edges_count; i++) {
        Edge *e = &f->edges[i];
        e->from = flow_node(f, l->edge_refs[i].from);
        e->to = flow_node(f, l->edge_refs[i].to);
        if (e->from == NONE || f->nodes[e->from].kind == NODE_PROCESS)
            return refuse_at(l, e->line, "顺序流 {1} 的起点 {2} 不存在", e->id,
                             l->edge_refs[i].from);
        if (e->to == NONE || f->nodes[e->to].kind == NODE_PROCESS)
            return refuse_at(l, e->line, "顺序流 {1} 的终点 {2} 不存在", e->id, l->edge_refs[i].to);
        if (f->nodes[e->from].parent != f->nodes[e->to].parent)
            return refuse_at(l, e->line, "顺序流 {1} 跨越了子流程的边界", e->id);
        f->nodes[e->from].out_count++;
        f->nodes[e->to].in_count++;
    }
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        Node *n = &f->nodes[i];
        n->in = arena_array(l->arena, uint32_t, n->in_count);
        n->out = arena_array(l->arena, uint32_t, n->out_count);
        n->in_count = n->out_count = 0;
    }
    for (uint32_t i = 0; i < f->edges_count; i++) {
        Node *from = &f->nodes[f->edges[i].from], *to = &f->nodes[f->edges[i].to];
        from->out[from->out_count++] = i;
        to->in[to->in_count++] = i;
    }
    return OK;
}

static Status boundary_resolve(Load *l, uint32_t node) {
    Flow *f = l->flow;
    Node *n = &f->nodes[node];
    uint32_t host = flow_node(f, l->node_refs[node].host);
    if (host == NONE || !node_is_activity(&f->nodes[host]) ||
        f->nodes[host].parent != n->parent) {
        n->kind = NODE_CATCH; // in a drawing
        return refuse_at(l, n->line, "边界事件 {1} 没有依附在同一层的任务或子流程上", n->id);
    }
    n->host = host;
    f->nodes[host].boundary_count++;
    return OK;
}

// A called element is a process or a global task of this file; another one the driver may know by
// yz:service.
static Status call_resolve(Load *l, uint32_t node) {
    Flow *f = l->flow;
    Node *n = &f->nodes[node];
    Str called = l->node_refs[node].call;
    uint32_t process = flow_node(f, called);
    if (process != NONE && f->nodes[process].kind == NODE_PROCESS) {
        n->call = process;
        n->isolated = n->inputs_count || n->outputs_count;
        return OK;
    }
    const Named *global = model_named(l, called, NAMED_GLOBAL);
    if (global) return model_global(l, global, n);
    if (model_yz(l, l->node_refs[node].element, S("service")).len) {
        n->kind = NODE_SERVICE;
        n->outside = true;
        return OK;
    }
    return refuse_at(l, n->line, "调用活动 {1} 所调用的 {2} 不在这个文件里", n->id, called);
}

// <incoming> and <outgoing> may be left out, but must not contradict the sequence flows.
static Status ends_check(Load *l, uint32_t node) {
    Flow *f = l->flow;
    for (const xmlNode *c = xml_first(l->node_refs[node].element); c; c = xml_next(c)) {
        bool in = xml_is(c, XML_BPMN, S("incoming"));
        if (!in && !xml_is(c, XML_BPMN, S("outgoing"))) continue;
        uint32_t edge = flow_edge(f, xml_unprefixed(xml_text(c, l->arena)));
        if (edge == NONE || (in ? f->edges[edge].to : f->edges[edge].from) != node)
            return refuse_at(l, xml_line(c), "{1} 的 incoming 或 outgoing 与顺序流不一致",
                             f->nodes[node].id);
    }
    return OK;
}

static Status nodes_resolve(Load *l) {
    Flow *f = l->flow;
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        Node *n = &f->nodes[i];
        if (n->kind == NODE_PROCESS) continue;
        Status status = n->kind == NODE_BOUNDARY ? boundary_resolve(l, i) : OK;
        if (!status && n->kind == NODE_CALL) status = call_resolve(l, i);
        if (!status) status = ends_check(l, i);
        if (status) return status;
        if (!l->node_refs[i].fallback.len) continue;
        n->fallback = flow_edge(f, l->node_refs[i].fallback);
        if (n->fallback != NONE && f->edges[n->fallback].from == i) continue;
        n->fallback = NONE;
        status = refuse_at(l, n->line, "{1} 的默认出线 {2} 不是从它出发的", n->id,
                           l->node_refs[i].fallback);
        if (status) return status;
    }
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        Node *n = &f->nodes[i];
        n->boundary = arena_array(l->arena, uint32_t, n->boundary_count);
        n->boundary_count = 0;
    }
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        if (f->nodes[i].kind != NODE_BOUNDARY) continue;
        Node *host = &f->nodes[f->nodes[i].host];
        host->boundary[host->boundary_count++] = i;
    }
    return OK;
}

// An association from a compensation boundary event leads to the activity that compensates.
static void compensation_resolve(Load *l, const xmlNode *e) {
    Flow *f = l->flow;
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c)) {
        if (xml_space(c->ns) != XML_BPMN) continue;
        compensation_resolve(l, c);
        if (!str_eq(xml_local(c), S("association"))) continue;
        uint32_t from = flow_node(f, xml_unprefixed(xml_attribute(c, S("sourceRef"), l->arena)));
        uint32_t to = flow_node(f, xml_unprefixed(xml_attribute(c, S("targetRef"), l->arena)));
        if (from == NONE || to == NONE) continue;
        if (f->nodes[to].kind == NODE_BOUNDARY) {
            uint32_t other = from;
            from = to;
            to = other;
        }
        const Node *boundary = &f->nodes[from];
        if (boundary->kind == NODE_BOUNDARY && boundary->event == EVENT_COMPENSATION &&
            node_is_activity(&f->nodes[to]) && f->nodes[to].for_compensation)
            f->nodes[boundary->host].handler = to;
    }
}

// The whole

// The processes of the file and which of them are loaded.
typedef struct Choice {
    const xmlNode *element[PROCESSES_MAX];
    Str id[PROCESSES_MAX];
    bool executable[PROCESSES_MAX], chosen[PROCESSES_MAX];
    uint32_t queue[PROCESSES_MAX];
    uint32_t count, queued;
} Choice;

static void choose(Choice *c, uint32_t i) {
    if (c->chosen[i]) return;
    c->chosen[i] = true;
    c->queue[c->queued++] = i;
}

static void choose_called(Load *l, Choice *choice, const xmlNode *e) {
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c)) {
        if (xml_space(c->ns) != XML_BPMN) continue;
        choose_called(l, choice, c);
        if (!str_eq(xml_local(c), S("callActivity"))) continue;
        Str id = xml_unprefixed(xml_attribute(c, S("calledElement"), l->arena));
        for (uint32_t i = 0; i < choice->count; i++)
            if (str_eq(choice->id[i], id)) choose(choice, i);
    }
}

// Every executable process, and those that they call; for a drawing all.
static Status processes_choose(Load *l, const xmlNode *definitions, Choice *choice) {
    for (const xmlNode *c = xml_first(definitions); c; c = xml_next(c)) {
        if (!xml_is(c, XML_BPMN, S("process"))) continue;
        uint32_t i = choice->count;
        if (i == PROCESSES_MAX) return model_refuse(l, c, LIMIT, "{1}（{2}）：流程太多");
        choice->element[i] = c;
        choice->id[i] = xml_attribute(c, S("id"), l->arena);
        choice->executable[i] = xml_flag(c, S("isExecutable"), false, l->arena);
        choice->count++;
        if (choice->executable[i] || l->drawing) choose(choice, i);
    }
    for (uint32_t at = 0; at < choice->queued; at++)
        choose_called(l, choice, choice->element[choice->queue[at]]);
    return OK;
}

static Status process_read(Load *l, const xmlNode *e, bool executable) {
    Flow *f = l->flow;
    uint32_t node = f->nodes_count;
    l->process = node;
    Node *n = node_new(l, e, NODE_PROCESS, node ? NONE : 0);
    f->executable[f->processes_count] = executable;
    f->processes[f->processes_count++] = node;
    Status status = model_id(l, e, &n->id, &n->name);
    if (!status) status = model_attributes(l, e, n);
    if (!status) status = model_locals(l, e, n);
    if (!status) status = parts_read(l, e, node);
    return status;
}

static Status processes_read(Load *l, const xmlNode *definitions) {
    Choice *choice = arena_new(l->arena, Choice);
    Flow *f = l->flow;
    f->processes = arena_array(l->arena, uint32_t, PROCESSES_MAX);
    f->executable = arena_array(l->arena, bool, PROCESSES_MAX);
    Status status = processes_choose(l, definitions, choice);
    if (!status && !choice->queued) {
        status = refuse(l, definitions, "{1}：没有可执行的流程（isExecutable=\"true\"）");
        if (!status) (void)node_new(l, definitions, NODE_PROCESS, 0); // nothing but a collaboration
    }
    // In document order; those that are only called come after the executable ones.
    for (uint32_t i = 0; i < choice->queued && !status; i++) {
        uint32_t k = choice->queue[i];
        status = process_read(l, choice->element[k], choice->executable[k]);
    }
    return status;
}

static Status imports_check(Load *l, const xmlNode *definitions) {
    for (const xmlNode *c = xml_first(definitions); c; c = xml_next(c)) {
        if (!xml_is(c, XML_BPMN, S("import"))) continue;
        // Types and services described elsewhere mean nothing to the engine; flows do.
        Str type = xml_attribute(c, S("importType"), l->arena);
        if (!type.len || str_find(type, S("BPMN")) >= 0)
            return refuse(l, c, "{1}（{2}）：不支持引入别的文件");
    }
    return OK;
}

static Status model_read(Load *l, const xmlDoc *doc) {
    const xmlNode *definitions = xmlDocGetRootElement(doc);
    if (!xml_is(definitions, XML_BPMN, S("definitions")))
        return tell(l, definitions, INVALID, "{1}：不是 BPMN 2.0 的 definitions");
    Status status = imports_check(l, definitions);
    if (!status) status = declarations_read(l, definitions);
    if (status) return status;
    named_index(l);
    data_names(l);
    status = processes_read(l, definitions);
    if (!status) status = index_make(l);
    if (!status && l->drawing) status = edges_sift(l);
    if (!status) status = edges_resolve(l);
    if (!status) status = nodes_resolve(l);
    if (status) return status;
    compensation_resolve(l, definitions);
    if (!l->drawing) status = flow_lint(l->flow, l->err);
    if (status) return status;
    flow_read_drawing(l->flow, definitions, l->drawing, l->arena);
    flow_layout(l->flow);
    return OK;
}

// A full arena jumps; the document is not in it and must be freed first.
static Status model_read_guarded(Load *l, const xmlDoc *doc, Str xml, LoadMode mode) {
    jmp_buf env;
    jmp_buf *outer = arena_on_limit(l->arena, &env);
    Status status;
    if (setjmp(env)) {
        status = error_set(l->err, LIMIT, S(""), "流程文件太大，超过了内存限度");
    } else {
        status = model_read(l, doc);
        if (!status && mode == LOAD_CHECKED) status = load_check(xml, l->arena, l->err);
    }
    (void)arena_on_limit(l->arena, outer);
    return status;
}

static Status load(Str xml, LoadMode mode, Arena *a, const Flow **ret, Error *err) {
    xmlDoc *doc = NULL;
    Status status = xml_read(xml, &doc, err);
    if (status) return status;
    Load l = {.flow = arena_new(a, Flow), .arena = a, .err = err, .drawing = mode == LOAD_DRAWING};
    l.flow->arena = a;
    status = model_read_guarded(&l, doc, xml, mode);
    xmlFreeDoc(doc);
    if (status) return status;
    *ret = l.flow;
    return OK;
}

Status flow_load(Str xml, Arena *a, const Flow **ret, Error *err) {
    return load(xml, LOAD_PLAIN, a, ret, err);
}

Status flow_load_checked(Str xml, Arena *a, const Flow **ret, Error *err) {
    return load(xml, LOAD_CHECKED, a, ret, err);
}

Status flow_load_drawing(Str xml, Arena *a, const Flow **ret, Error *err) {
    return load(xml, LOAD_DRAWING, a, ret, err);
}
