// Reads the diagram interchange of a file: boxes of nodes, lanes and pools, bends of edges. It is
// only a drawing: a shape for nothing, or a number that is none, is left out.
#include "bpmn/load.h"

enum { LANES_MAX = 500 };

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

static void edge_read(Flow *f, const xmlNode *e, uint32_t edge, Arena *a) {
    uint32_t count = 0;
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c))
        count += xml_is(c, XML_DI, S("waypoint"));
    if (count < 2 || count > FLOW_POINTS_MAX) return;
    Point *points = arena_array(a, Point, count);
    uint32_t n = 0;
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c)) {
        if (!xml_is(c, XML_DI, S("waypoint"))) continue;
        if (!coordinate(c, S("x"), a, &points[n].x) || !coordinate(c, S("y"), a, &points[n].y))
            return;
        n++;
    }
    f->edges[edge].points = points;
    f->edges[edge].points_count = count;
}

// Every pool and lane that the file declares; their boxes come with the shapes.
static void lanes_find(Flow *f, const xmlNode *e, Arena *a) {
    static const Str inside[] = {
        S_INIT("laneSet"),       S_INIT("lane"),       S_INIT("childLaneSet"), S_INIT("process"),
        S_INIT("collaboration"), S_INIT("subProcess"), S_INIT("participant")};
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c)) {
        if (xml_space(c->ns) != XML_BPMN) continue;
        Str local = xml_local(c);
        bool lane = str_eq(local, S("lane")) || str_eq(local, S("participant"));
        if (lane && f->decor_count < LANES_MAX)
            f->decor[f->decor_count++] =
                (Decor){.kind = DECOR_LANE,
                        .id = xml_attribute(c, S("id"), a),
                        .name = xml_attribute(c, S("name"), a)};
        for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
            if (str_eq(local, inside[i])) lanes_find(f, c, a);
    }
}

static void shape_read(Flow *f, const xmlNode *e, Arena *a) {
    Str ref = xml_unprefixed(xml_attribute(e, S("bpmnElement"), a));
    Box box;
    if (!box_read(e, a, &box)) return;
    uint32_t node = flow_node(f, ref);
    if (node != NONE && f->nodes[node].kind != NODE_PROCESS) {
        f->nodes[node].box = box;
        return;
    }
    for (uint32_t i = 0; i < f->decor_count; i++)
        if (str_eq(f->decor[i].id, ref)) f->decor[i].box = box;
}

void flow_read_drawing(Flow *f, const xmlNode *definitions, Arena *a) {
    const xmlNode *diagram = xml_child(definitions, XML_BPMN_DI, S("BPMNDiagram"));
    const xmlNode *plane = diagram ? xml_child(diagram, XML_BPMN_DI, S("BPMNPlane")) : NULL;
    if (!plane) return;
    f->decor = arena_array(a, Decor, LANES_MAX);
    lanes_find(f, definitions, a);
    for (const xmlNode *e = xml_first(plane); e; e = xml_next(e)) {
        if (xml_is(e, XML_BPMN_DI, S("BPMNShape"))) {
            shape_read(f, e, a);
        } else if (xml_is(e, XML_BPMN_DI, S("BPMNEdge"))) {
            uint32_t edge = flow_edge(f, xml_unprefixed(xml_attribute(e, S("bpmnElement"), a)));
            if (edge != NONE) edge_read(f, e, edge, a);
        }
    }
}
