// Reads the diagram interchange of a file: boxes of nodes, bends of edges, and what is only drawn:
// pools, lanes, data, annotations, message flows, and the nodes of processes that are not run. It
// is only a drawing: a shape for nothing, or a number that is none, is left out.
#include "bpmn/load.h"

enum { DECOR_MAX = 2000 };

// A coordinate, rounded to whole pixels. False when it is no number or absurdly large.
static bool coordinate(const xmlNode *e, Str name, Arena *a, int32_t *ret) {
    Decimal d;
    int64_t n;
    if (!decimal_parse(xml_attribute(e, name, a), &d)) return false;
    if (!decimal_to_int(decimal_round(d, 0, ROUND_HALF_UP), &n)) return false;
    if (n > FLOW_COORDINATE_MAX || n < -FLOW_COORDINATE_MAX) return false;
    *ret = (int32_t)n;
    return true;
}

static bool box_read(const xmlNode *shape, Arena *a, Box *ret) {
    const xmlNode *bounds = xml_child(shape, XML_DC, S("Bounds"));
    Box b;
    if (!bounds || !coordinate(bounds, S("x"), a, &b.x) || !coordinate(bounds, S("y"), a, &b.y) ||
        !coordinate(bounds, S("width"), a, &b.w) || !coordinate(bounds, S("height"), a, &b.h))
        return false;
    if (b.w < 1 || b.h < 1) return false;
    *ret = b;
    return true;
}

// Where the name stands, if the shape or edge says so.
static Box label_read(const xmlNode *e, Arena *a) {
    const xmlNode *label = xml_child(e, XML_BPMN_DI, S("BPMNLabel"));
    Box b = {0};
    return label && box_read(label, a, &b) ? b : (Box){0};
}

static bool points_read(const xmlNode *e, Arena *a, Point **ret, uint32_t *ret_count) {
    uint32_t count = 0;
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c))
        count += xml_is(c, XML_DI, S("waypoint"));
    if (count < 2 || count > FLOW_POINTS_MAX) return false;
    Point *points = arena_array(a, Point, count);
    uint32_t n = 0;
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c)) {
        if (!xml_is(c, XML_DI, S("waypoint"))) continue;
        if (!coordinate(c, S("x"), a, &points[n].x) || !coordinate(c, S("y"), a, &points[n].y))
            return false;
        n++;
    }
    *ret = points;
    *ret_count = count;
    return true;
}

// What only drawings show

static bool decor_kind(Str local, DecorKind *ret) {
    static const struct {
        Str name;
        DecorKind kind;
    } kinds[] = {
        {S_INIT("participant"), DECOR_POOL},
        {S_INIT("lane"), DECOR_LANE},
        {S_INIT("dataObjectReference"), DECOR_DATA},
        {S_INIT("dataObject"), DECOR_DATA},
        {S_INIT("dataInput"), DECOR_DATA},
        {S_INIT("dataOutput"), DECOR_DATA},
        {S_INIT("dataStoreReference"), DECOR_STORE},
        {S_INIT("textAnnotation"), DECOR_ANNOTATION},
        {S_INIT("group"), DECOR_GROUP},
        {S_INIT("messageFlow"), DECOR_MESSAGE_FLOW},
        {S_INIT("association"), DECOR_ASSOCIATION},
        {S_INIT("dataInputAssociation"), DECOR_ASSOCIATION},
        {S_INIT("dataOutputAssociation"), DECOR_ASSOCIATION},
        {S_INIT("sequenceFlow"), DECOR_SEQUENCE_FLOW},
        {S_INIT("message"), DECOR_MESSAGE},
        {S_INIT("conversation"), DECOR_CONVERSATION},
        {S_INIT("subConversation"), DECOR_CONVERSATION},
        {S_INIT("callConversation"), DECOR_CONVERSATION},
        {S_INIT("conversationLink"), DECOR_CONVERSATION_LINK},
        {S_INIT("choreographyTask"), DECOR_ACTIVITY},
        {S_INIT("subChoreography"), DECOR_ACTIVITY},
        {S_INIT("callChoreography"), DECOR_ACTIVITY},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!str_eq(local, kinds[i].name)) continue;
        *ret = kinds[i].kind;
        return true;
    }
    NodeKind kind = model_kind(local);
    if (kind == NODE_KINDS) return false;
    *ret = kind >= NODE_EXCLUSIVE ? DECOR_GATEWAY
           : kind >= NODE_TASK    ? DECOR_ACTIVITY
                                  : DECOR_EVENT;
    return true;
}

static bool is_one(const xmlNode *e, Str name, Str value, Arena *a) {
    return str_eq(xml_attribute(e, name, a), value);
}

// The value of the category that a group stands for.
static Str group_name(const xmlNode *group, Arena *a) {
    Str id = xml_unprefixed(xml_attribute(group, S("categoryValueRef"), a));
    const xmlNode *definitions = xmlDocGetRootElement(group->doc);
    for (const xmlNode *c = xml_first(definitions); c && id.len; c = xml_next(c)) {
        if (!xml_is(c, XML_BPMN, S("category"))) continue;
        for (const xmlNode *v = xml_first(c); v; v = xml_next(v))
            if (is_one(v, S("id"), id, a)) return xml_attribute(v, S("value"), a);
    }
    return S("");
}

static void decor_read(Flow *f, const xmlNode *e, DecorKind kind, Arena *a) {
    Decor *c = &f->decor[f->decor_count++];
    Str local = xml_local(e);
    *c = (Decor){.kind = kind,
                 .id = xml_attribute(e, S("id"), a),
                 .name = xml_attribute(e, S("name"), a),
                 .horizontal = true,
                 .thick = str_eq(local, S("endEvent"))};
    if (kind == DECOR_ANNOTATION) {
        const xmlNode *text = xml_child(e, XML_BPMN, S("text"));
        if (text) c->name = xml_text(text, a);
    }
    c->many = xml_flag(e, S("isCollection"), false, a);
    if (kind == DECOR_GROUP) c->name = group_name(e, a);
    if (kind == DECOR_POOL) {
        c->closed = !xml_has(e, S("processRef"));
        const xmlNode *many = xml_child(e, XML_BPMN, S("participantMultiplicity"));
        c->many = many && !is_one(many, S("maximum"), S("1"), a);
    }
    c->arrow_back = is_one(e, S("associationDirection"), S("Both"), a);
    c->arrow = c->arrow_back || is_one(e, S("associationDirection"), S("One"), a) ||
               str_starts(local, S("data"));
}

// Everything that is no node and no edge of the flow. As deep as the XML may be.
static void decor_find(Flow *f, const xmlNode *e, Arena *a) {
    for (const xmlNode *c = xml_first(e); c && f->decor_count < DECOR_MAX; c = xml_next(c)) {
        DecorKind kind;
        if (xml_space(c->ns) != XML_BPMN) continue;
        if (decor_kind(xml_local(c), &kind)) {
            Str id = xml_attribute(c, S("id"), a);
            if (id.len && flow_node(f, id) == NONE && flow_edge(f, id) == NONE)
                decor_read(f, c, kind, a);
        }
        decor_find(f, c, a);
    }
}

// The diagram

static Decor *decor_of(Flow *f, Str id) {
    for (uint32_t i = 0; i < f->decor_count; i++)
        if (str_eq(f->decor[i].id, id)) return &f->decor[i];
    return NULL;
}

static void shape_read(Flow *f, const xmlNode *e, Arena *a) {
    Str ref = xml_unprefixed(xml_attribute(e, S("bpmnElement"), a));
    Box box;
    if (!box_read(e, a, &box)) return;
    uint32_t node = flow_node(f, ref);
    if (node != NONE && f->nodes[node].kind != NODE_PROCESS) {
        Node *n = &f->nodes[node];
        n->box = box;
        n->label = label_read(e, a);
        n->plain = xml_has(e, S("isMarkerVisible")) &&
                   !xml_flag(e, S("isMarkerVisible"), true, a);
        n->collapsed = n->kind == NODE_SUBPROCESS && xml_has(e, S("isExpanded")) &&
                       !xml_flag(e, S("isExpanded"), true, a);
        return;
    }
    Decor *c = decor_of(f, ref);
    if (!c || c->kind >= DECOR_MESSAGE_FLOW) return;
    c->box = box;
    c->label = label_read(e, a);
    c->horizontal = xml_flag(e, S("isHorizontal"), true, a);
}

static void edge_read(Flow *f, const xmlNode *e, Arena *a) {
    Str ref = xml_unprefixed(xml_attribute(e, S("bpmnElement"), a));
    Point *points;
    uint32_t count;
    if (!points_read(e, a, &points, &count)) return;
    uint32_t edge = flow_edge(f, ref);
    if (edge != NONE) {
        f->edges[edge].points = points;
        f->edges[edge].points_count = count;
        f->edges[edge].label = label_read(e, a);
        return;
    }
    Decor *c = decor_of(f, ref);
    if (!c || c->kind < DECOR_MESSAGE_FLOW) return;
    c->points = points;
    c->points_count = count;
    c->label = label_read(e, a);
}

// What the file does not draw, where it draws anything.
static void hide_undrawn(Flow *f) {
    bool any = false;
    for (uint32_t i = 1; i < f->nodes_count; i++) any = any || f->nodes[i].box.w;
    for (uint32_t i = 1; i < f->nodes_count; i++) {
        Node *n = &f->nodes[i];
        n->hidden = any && !n->box.w && n->kind != NODE_PROCESS;
    }
}

// What stands in a sub-process that is drawn folded is not drawn, wherever it lies.
static void hide_folded(Flow *f) {
    for (uint32_t i = 1; i < f->nodes_count; i++) {
        Node *n = &f->nodes[i];
        if (n->kind == NODE_PROCESS) continue;
        const Node *parent = &f->nodes[n->parent];
        n->hidden = n->hidden || parent->collapsed || parent->hidden;
    }
}

void flow_read_drawing(Flow *f, const xmlNode *definitions, bool only, Arena *a) {
    const xmlNode *diagram = xml_child(definitions, XML_BPMN_DI, S("BPMNDiagram"));
    const xmlNode *plane = diagram ? xml_child(diagram, XML_BPMN_DI, S("BPMNPlane")) : NULL;
    if (!plane) return;
    f->decor = arena_array(a, Decor, DECOR_MAX);
    decor_find(f, definitions, a);
    for (const xmlNode *e = xml_first(plane); e; e = xml_next(e)) {
        if (xml_is(e, XML_BPMN_DI, S("BPMNShape"))) shape_read(f, e, a);
        else if (xml_is(e, XML_BPMN_DI, S("BPMNEdge"))) edge_read(f, e, a);
    }
    if (only) hide_undrawn(f);
    hide_folded(f);
}
