// The outline of a flow as data, and its drawing as SVG.
//
// Where a case stands is told three times, never by colour alone: a word in each task, a shape
// (tick, arrow head, dashed border) and the classes flow-done, flow-active and flow-todo for the
// style sheet. There are no style attributes (the pages' content security policy forbids them);
// presentation attributes give the drawing a look of its own where there is no style sheet, as on
// paper. Everything from the file is escaped.
#include "bpmn/state.h"

#include <stdlib.h>

enum {
    DRAWING_SIZE_MAX = 8 << 20,
    MARGIN = 20,
    LABEL_LINES_MAX = 4,
    FONT = 13,
    FONT_SMALL = 11,
};

typedef enum Progress { AHEAD, ACTIVE, DONE } Progress;

// Outline

static Value points_value(const Point *points, uint32_t count, Arena *a) {
    ListBuilder list = list_make(a);
    for (uint32_t i = 0; i < count; i++) {
        ContextBuilder p = context_make(a);
        context_put_new(&p, S("x"), v_int(points[i].x));
        context_put_new(&p, S("y"), v_int(points[i].y));
        list_add(&list, context_done(&p));
    }
    return list_done(&list);
}

static Value box_value(const Box *box, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("x"), v_int(box->x));
    context_put_new(&b, S("y"), v_int(box->y));
    context_put_new(&b, S("w"), v_int(box->w));
    context_put_new(&b, S("h"), v_int(box->h));
    return context_done(&b);
}

static Value node_value(const Flow *f, const Node *n, Arena *a) {
    ContextBuilder attributes = context_make(a);
    for (uint32_t i = 0; i < n->attributes_count; i++)
        context_put(&attributes, n->attributes[i].name, v_str(n->attributes[i].text));
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("id"), v_str(n->id));
    context_put_new(&b, S("name"), v_str(n->name));
    context_put_new(&b, S("kind"), v_str(node_element(n)));
    context_put_new(&b, S("event"), v_str(event_name(n->event)));
    context_put_new(&b, S("message"), v_str(n->events_count ? n->events->name : S("")));
    const Node *parent = &f->nodes[n->parent];
    bool inner = parent->kind != NODE_PROCESS;
    if (n->process) context_put_new(&b, S("process"), v_str(f->nodes[n->process].id));
    context_put_new(&b, S("parent"), inner ? v_str(parent->id) : v_null());
    context_put_new(&b, S("attributes"), context_done(&attributes));
    context_put_new(&b, S("bounds"), box_value(&n->box, a));
    return context_done(&b);
}

Value flow_outline(const Flow *f, Arena *a) {
    ListBuilder nodes = list_make(a), edges = list_make(a);
    for (uint32_t i = 1; i < f->nodes_count; i++)
        if (f->nodes[i].kind != NODE_PROCESS) list_add(&nodes, node_value(f, &f->nodes[i], a));
    for (uint32_t i = 0; i < f->edges_count; i++) {
        const Edge *e = &f->edges[i];
        ContextBuilder b = context_make(a);
        context_put_new(&b, S("id"), v_str(e->id));
        context_put_new(&b, S("name"), v_str(e->name));
        context_put_new(&b, S("from"), v_str(f->nodes[e->from].id));
        context_put_new(&b, S("to"), v_str(f->nodes[e->to].id));
        context_put_new(&b, S("points"), points_value(e->points, e->points_count, a));
        list_add(&edges, context_done(&b));
    }
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("id"), v_str(f->nodes[0].id));
    context_put_new(&b, S("name"), v_str(f->nodes[0].name));
    context_put_new(&b, S("nodes"), list_done(&nodes));
    context_put_new(&b, S("edges"), list_done(&edges));
    return context_done(&b);
}

// Drawing

typedef struct Draw {
    const Flow *flow;
    Buf out;
    Progress *progress; // by node
    bool english;
    Arena *arena;
} Draw;

static const char *const class_names[] = {
    [AHEAD] = "flow-todo", [ACTIVE] = "flow-active", [DONE] = "flow-done"};
static const char *const strokes[] = {
    [AHEAD] = "#667085", [ACTIVE] = "#1d5fbf", [DONE] = "#1a7f4b"};
static const char *const fills[] = {[AHEAD] = "#ffffff", [ACTIVE] = "#e3edfd", [DONE] = "#e9f6ee"};

static Str word(const Draw *d, Progress p) {
    static const Str zh[] = {
        [AHEAD] = S_INIT("待办理"), [ACTIVE] = S_INIT("进行中"), [DONE] = S_INIT("已完成")};
    static const Str en[] = {
        [AHEAD] = S_INIT("To do"), [ACTIVE] = S_INIT("In progress"), [DONE] = S_INIT("Done")};
    return d->english ? en[p] : zh[p];
}

// What it is called in the language of the drawing; Chinese when nobody gave it English.
static Str title(const Draw *d, Str name, Str name_en) {
    return d->english && name_en.len ? name_en : name;
}
static Str node_title(const Draw *d, const Node *n) {
    return title(d, n->name.len ? n->name : n->id, n->name_en);
}

static void text(Buf *out, Str s) {
    for (size_t i = 0; i < s.len; i++) {
        switch (s.ptr[i]) {
        case '&': buf_lit(out, "&amp;"); break;
        case '<': buf_lit(out, "&lt;"); break;
        case '>': buf_lit(out, "&gt;"); break;
        case '"': buf_lit(out, "&quot;"); break;
        case '\'': buf_lit(out, "&#39;"); break;
        default: buf_char(out, s.ptr[i]);
        }
    }
}

// Half the width of a Chinese character is 1.
static int width_of(int32_t code) { return code < 0x1100 ? 1 : 2; }

// The name in lines of at most `units`, broken between characters as Chinese is; what does not
// fit into the lines ends in an ellipsis.
static uint32_t wrap(Str s, int units, uint32_t lines_max, Str *lines) {
    uint32_t count = 0;
    size_t at = 0;
    while (at < s.len && count < lines_max) {
        size_t from = at, space = 0;
        int used = 0;
        while (at < s.len) {
            size_t next = at;
            int w = width_of(str_utf8_next(s, &next));
            if (used + w > units && at > from) break;
            used += w;
            if (s.ptr[at] == ' ') space = at;
            at = next;
        }
        if (at < s.len && space > from && (uint8_t)s.ptr[at] < 0x80) at = space + 1;
        lines[count++] = str_trim(str_sub(s, from, at));
    }
    if (at < s.len) lines[count] = S("…");
    return count + (at < s.len);
}

// Lines around (x, y): the middle of the block when `middle`, else its first line.
static void label(Draw *d, Str name, int32_t x, int32_t y, int units, bool middle) {
    Str lines[LABEL_LINES_MAX + 1];
    uint32_t count = wrap(name, units, LABEL_LINES_MAX - 1, lines);
    if (!count) return;
    int32_t step = FONT + 3;
    int32_t first = middle ? y - ((int32_t)count - 1) * step / 2 + FONT / 3 : y;
    buf_printf(&d->out,
               "<text class=\"flow-label\" x=\"%d\" y=\"%d\" text-anchor=\"middle\" "
               "font-size=\"%d\" fill=\"#1d2939\">",
               x, first, FONT);
    for (uint32_t i = 0; i < count; i++) {
        buf_printf(&d->out, "<tspan x=\"%d\" y=\"%d\">", x, first + (int32_t)i * step);
        text(&d->out, lines[i]);
        buf_lit(&d->out, "</tspan>");
    }
    buf_lit(&d->out, "</text>");
}

// Common attributes of a shape.
static void paint(Draw *d, Progress p, int width) {
    buf_printf(&d->out, " class=\"flow-shape\" fill=\"%s\" stroke=\"%s\" stroke-width=\"%d\"%s/>",
               fills[p], strokes[p], p == ACTIVE ? width + 1 : width,
               p == AHEAD ? " stroke-dasharray=\"5 3\"" : "");
}

static void line_path(Draw *d, Progress p, const char *path, int32_t x, int32_t y) {
    buf_printf(&d->out,
               "<path class=\"flow-mark\" transform=\"translate(%d %d)\" d=\"%s\" fill=\"none\" "
               "stroke=\"%s\" stroke-width=\"2\"/>",
               x, y, path, strokes[p]);
}

// A tick for done, an arrow head for active, at the upper right.
static void badge(Draw *d, Progress p, int32_t x, int32_t y) {
    if (p == AHEAD) return;
    buf_printf(&d->out, "<circle class=\"flow-badge\" cx=\"%d\" cy=\"%d\" r=\"9\" fill=\"%s\"/>", x,
               y, strokes[p]);
    buf_printf(&d->out,
               "<path class=\"flow-badge-mark\" transform=\"translate(%d %d)\" d=\"%s\" "
               "fill=\"%s\" stroke=\"#ffffff\" stroke-width=\"2\"/>",
               x, y, p == DONE ? "M-4 0 L-1 3 L4 -3" : "M-2 -4 L4 0 L-2 4 Z",
               p == DONE ? "none" : "#ffffff");
}

// Small signs that tell kinds apart, in a box of 16 around the middle.
static const char *sign_of(const Node *n) {
    switch (n->event) {
    case EVENT_TIMER: return "M-7 0 a7 7 0 1 0 14 0 a7 7 0 1 0 -14 0 M0 -4 L0 0 L3 2";
    case EVENT_MESSAGE: return "M-7 -5 H7 V5 H-7 Z M-7 -5 L0 1 L7 -5";
    case EVENT_SIGNAL: return "M0 -6 L7 5 H-7 Z";
    case EVENT_TERMINATE: return "M-6 0 a6 6 0 1 0 12 0 a6 6 0 1 0 -12 0 M-3 0 H3";
    default: break;
    }
    switch (n->kind) {
    case NODE_USER: return "M-3 -3 a3 3 0 1 0 6 0 a3 3 0 1 0 -6 0 M-6 7 a6 6 0 0 1 12 0 Z";
    case NODE_MANUAL: return "M-6 3 V-2 H4 M-6 3 L-3 6 H4 V-2 M-2 -2 V-6 H1 V-2";
    case NODE_SERVICE:
        return "M-4 0 a4 4 0 1 0 8 0 a4 4 0 1 0 -8 0 M0 -7 V-4 M0 4 V7 M-7 0 H-4 M4 0 H7";
    case NODE_SEND: return "M-7 -5 H7 V5 H-7 Z M-7 -5 L0 1 L7 -5";
    case NODE_RULE: return "M-7 -5 H7 V5 H-7 Z M-7 -1 H7 M-2 -5 V5";
    case NODE_SCRIPT: return "M-5 -6 H5 V6 H-5 Z M-2 -2 H2 M-2 2 H2";
    case NODE_EXCLUSIVE: return "M-7 -7 L7 7 M7 -7 L-7 7";
    case NODE_PARALLEL: return "M0 -10 V10 M-10 0 H10";
    case NODE_INCLUSIVE: return "M-9 0 a9 9 0 1 0 18 0 a9 9 0 1 0 -18 0";
    case NODE_EVENT_GATE: return "M0 -9 L9 -2 L5 8 H-5 L-9 -2 Z";
    default: return NULL;
    }
}

static void draw_task(Draw *d, const Node *n, Progress p) {
    const Box *b = &n->box;
    bool sub = n->kind == NODE_SUBPROCESS;
    buf_printf(&d->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\"", b->x, b->y,
               b->w, b->h);
    paint(d, p, 2);
    const char *sign = sign_of(n);
    if (sign) line_path(d, p, sign, b->x + 14, b->y + 14);
    if (n->multi)
        line_path(d, p, "M-4 -5 V5 M0 -5 V5 M4 -5 V5", b->x + b->w - 14, b->y + b->h - 12);
    int units = 2 * (b->w - 10) / FONT;
    if (sub) label(d, title(d, n->name, n->name_en), b->x + b->w / 2, b->y + 18, units, false);
    else label(d, title(d, n->name, n->name_en), b->x + b->w / 2, b->y + b->h / 2 + 8, units, true);
    buf_printf(&d->out, "<text class=\"flow-word\" x=\"%d\" y=\"%d\" font-size=\"%d\" fill=\"%s\">",
               b->x + (sign ? 28 : 10), b->y + 18, FONT_SMALL, strokes[p]);
    text(&d->out, word(d, p));
    buf_lit(&d->out, "</text>");
    badge(d, p, b->x + b->w - 4, b->y + 4);
}

static void draw_event(Draw *d, const Node *n, Progress p) {
    const Box *b = &n->box;
    int32_t x = b->x + b->w / 2, y = b->y + b->h / 2, r = b->w / 2;
    buf_printf(&d->out, "<circle cx=\"%d\" cy=\"%d\" r=\"%d\"", x, y, r);
    paint(d, p, n->kind == NODE_END ? 4 : 2);
    if (n->kind == NODE_CATCH || n->kind == NODE_THROW || n->kind == NODE_BOUNDARY) {
        buf_printf(&d->out, "<circle cx=\"%d\" cy=\"%d\" r=\"%d\"", x, y, r > 6 ? r - 4 : r);
        paint(d, p, 1);
    }
    const char *sign = sign_of(n);
    if (sign) line_path(d, p, sign, x, y);
    badge(d, p, b->x + b->w, b->y);
    label(d, title(d, n->name, n->name_en), x, b->y + b->h + FONT + 4, 14, false);
}

static void draw_gate(Draw *d, const Node *n, Progress p) {
    const Box *b = &n->box;
    int32_t x = b->x + b->w / 2, y = b->y + b->h / 2;
    buf_printf(&d->out, "<polygon points=\"%d,%d %d,%d %d,%d %d,%d\"", x, b->y, b->x + b->w, y, x,
               b->y + b->h, b->x, y);
    paint(d, p, 2);
    const char *sign = sign_of(n);
    if (sign) line_path(d, p, sign, x, y);
    badge(d, p, b->x + b->w - 6, b->y + 6);
    label(d, title(d, n->name, n->name_en), x, b->y + b->h + FONT + 4, 14, false);
}

static void draw_node(Draw *d, uint32_t node) {
    const Node *n = &d->flow->nodes[node];
    Progress p = d->progress[node];
    buf_printf(&d->out, "<g class=\"flow-node %s\" data-node=\"", class_names[p]);
    text(&d->out, n->id);
    buf_lit(&d->out, "\"><title>");
    text(&d->out, node_title(d, n));
    buf_str(&d->out, d->english ? S(": ") : S("："));
    text(&d->out, word(d, p));
    buf_lit(&d->out, "</title>");
    if (node_is_activity(n)) draw_task(d, n, p);
    else if (node_is_gateway(n)) draw_gate(d, n, p);
    else draw_event(d, n, p);
    buf_lit(&d->out, "</g>");
}

static void draw_edge(Draw *d, uint32_t edge) {
    const Edge *e = &d->flow->edges[edge];
    bool passed = d->progress[e->from] == DONE && d->progress[e->to] != AHEAD;
    Progress p = passed ? DONE : AHEAD;
    buf_printf(&d->out, "<polyline class=\"flow-edge %s\" points=\"", class_names[p]);
    for (uint32_t i = 0; i < e->points_count; i++)
        buf_printf(&d->out, "%s%d,%d", i ? " " : "", e->points[i].x, e->points[i].y);
    buf_printf(&d->out,
               "\" fill=\"none\" stroke=\"%s\" stroke-width=\"%d\" marker-end=\"url(#flow-%s)\"/>",
               strokes[p], passed ? 2 : 1, passed ? "arrow-done" : "arrow");
    if (!e->name.len || e->points_count < 2) return;
    // Above its longest level stretch, where there is most room for it.
    uint32_t best = 0;
    int32_t length = -1;
    for (uint32_t i = 0; i + 1 < e->points_count; i++) {
        int32_t level = abs(e->points[i + 1].x - e->points[i].x);
        if (abs(e->points[i + 1].y - e->points[i].y) > 2 || level <= length) continue;
        length = level;
        best = i;
    }
    Point from = e->points[best], to = e->points[best + 1];
    Str name = title(d, e->name, e->name_en);
    label(d, name, (from.x + to.x) / 2, (from.y + to.y) / 2 - 5, 14, false);
}

static void draw_lane(Draw *d, const Decor *lane) {
    const Box *b = &lane->box;
    if (!b->w) return;
    buf_printf(&d->out,
               "<g class=\"flow-lane\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
               "fill=\"none\" stroke=\"#98a2b3\" stroke-width=\"1\"/>",
               b->x, b->y, b->w, b->h);
    int32_t x = b->x + FONT + 2, y = b->y + b->h / 2;
    buf_printf(&d->out,
               "<text class=\"flow-label\" x=\"%d\" y=\"%d\" text-anchor=\"middle\" "
               "font-size=\"%d\" fill=\"#1d2939\" transform=\"rotate(-90 %d %d)\">",
               x, y, FONT, x, y);
    text(&d->out, lane->name);
    buf_lit(&d->out, "</text></g>");
}

// Which tasks are done, in progress and to come, in words.
static void describe(Draw *d) {
    static const Progress order[] = {ACTIVE, DONE, AHEAD};
    for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
        bool any = false;
        for (uint32_t i = 1; i < d->flow->nodes_count; i++) {
            const Node *n = &d->flow->nodes[i];
            if (!node_is_task(n) || d->progress[i] != order[k]) continue;
            if (!any) {
                text(&d->out, word(d, order[k]));
                buf_str(&d->out, d->english ? S(": ") : S("："));
            } else {
                buf_str(&d->out, d->english ? S(", ") : S("、"));
            }
            any = true;
            text(&d->out, node_title(d, n));
        }
        if (any) buf_str(&d->out, d->english ? S(". ") : S("。"));
    }
}

static void extend(Box *all, int32_t x0, int32_t y0, int32_t x1, int32_t y1) {
    if (x0 < all->x) all->x = x0;
    if (y0 < all->y) all->y = y0;
    if (x1 > all->w) all->w = x1; // right and bottom until the end
    if (y1 > all->h) all->h = y1;
}

static Box bounds_of(const Flow *f) {
    Box all = {INT32_MAX, INT32_MAX, INT32_MIN, INT32_MIN};
    for (uint32_t i = 1; i < f->nodes_count; i++) {
        const Node *n = &f->nodes[i];
        int32_t below = node_is_activity(n) || !n->name.len ? 0 : 2 * FONT + 8;
        extend(&all, n->box.x, n->box.y, n->box.x + n->box.w, n->box.y + n->box.h + below);
    }
    for (uint32_t i = 0; i < f->edges_count; i++)
        for (uint32_t k = 0; k < f->edges[i].points_count; k++) {
            Point p = f->edges[i].points[k];
            extend(&all, p.x, p.y, p.x, p.y);
        }
    for (uint32_t i = 0; i < f->decor_count; i++) {
        const Box *b = &f->decor[i].box;
        if (b->w) extend(&all, b->x, b->y, b->x + b->w, b->y + b->h);
    }
    return (Box){all.x - MARGIN, all.y - MARGIN, all.w - all.x + 2 * MARGIN,
                 all.h - all.y + 2 * MARGIN};
}

static void draw_head(Draw *d) {
    Box all = bounds_of(d->flow);
    buf_printf(&d->out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"flow\" role=\"img\" "
               "aria-labelledby=\"flow-title flow-desc\" viewBox=\"%d %d %d %d\" width=\"%d\" "
               "height=\"%d\"><title id=\"flow-title\">",
               all.x, all.y, all.w, all.h, all.w, all.h);
    const Node *process = &d->flow->nodes[0];
    Str name = title(d, process->name, process->name_en);
    if (name.len) text(&d->out, name);
    else buf_str(&d->out, d->english ? S("Flow") : S("办理流程"));
    buf_lit(&d->out, "</title><desc id=\"flow-desc\">");
    describe(d);
    buf_lit(&d->out, "</desc><defs>");
    for (int i = 0; i < 2; i++)
        buf_printf(&d->out,
                   "<marker id=\"flow-%s\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" "
                   "markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" "
                   "orient=\"auto\"><path d=\"M0 0 L10 5 L0 10 Z\" fill=\"%s\"/></marker>",
                   i ? "arrow-done" : "arrow", strokes[i ? DONE : AHEAD]);
    buf_lit(&d->out, "</defs>");
}

static void progress_find(Draw *d, const State *state, Value records) {
    for (uint32_t i = 0; records.kind == V_LIST && i < records.len; i++) {
        uint32_t node = flow_node(d->flow, v_text(v_at(records, i)));
        if (node != NONE) d->progress[node] = DONE;
    }
    for (size_t i = 0; i < state->count; i++) {
        const Token *t = &state->tokens[i];
        if (t->role != ROLE_ARM && t->role != ROLE_DONE) d->progress[t->node] = ACTIVE;
    }
}

Status flow_draw(const Flow *f, Value state, Value records, Str lang, Arena *a, Str *ret,
                 Error *err) {
    State s;
    Status status = state_read(f, state, a, &s, err);
    if (status) return status;
    Draw d = {.flow = f,
              .arena = a,
              .english = str_starts(lang, S("en")),
              .out = buf_make(a, 16 << 10, DRAWING_SIZE_MAX),
              .progress = arena_array(a, Progress, f->nodes_count)};
    progress_find(&d, &s, records);
    draw_head(&d);
    for (uint32_t i = 0; i < f->decor_count; i++) draw_lane(&d, &f->decor[i]);
    // Sub-processes first, so that what is in them lies on top; edges over them.
    for (uint32_t i = 1; i < f->nodes_count; i++)
        if (f->nodes[i].kind == NODE_SUBPROCESS) draw_node(&d, i);
    for (uint32_t i = 0; i < f->edges_count; i++) draw_edge(&d, i);
    for (uint32_t i = 1; i < f->nodes_count; i++) {
        NodeKind kind = f->nodes[i].kind;
        if (kind != NODE_SUBPROCESS && kind != NODE_BOUNDARY && kind != NODE_PROCESS)
            draw_node(&d, i);
    }
    for (uint32_t i = 1; i < f->nodes_count; i++) // on the border of what they belong to
        if (f->nodes[i].kind == NODE_BOUNDARY) draw_node(&d, i);
    buf_lit(&d.out, "</svg>");
    if (d.out.full) return error_set(err, LIMIT, S(""), "流程图太大，画不出来");
    *ret = buf_view(&d.out);
    return OK;
}
