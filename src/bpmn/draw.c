// The drawing of a flow as SVG, in the notation of BPMN: what stands in the file's own drawing
// (pools, lanes, data, annotations, message flows too), or laid out by layout.c.
//
// Where a case stands is told three times, never by colour alone: a word in each task, a sign
// (tick, arrow head) and the classes flow-done, flow-active and flow-todo for the style sheet.
// There are no style attributes (the pages' content security policy forbids them); presentation
// attributes give the drawing a look of its own where there is no style sheet, as on paper.
// Everything from the file is escaped.
#include "bpmn/draw.h"

#include <stdlib.h>

const char *const draw_classes[] = {
    [AHEAD] = "flow-todo", [ACTIVE] = "flow-active", [DONE] = "flow-done"};
const char *const draw_strokes[] = {
    [AHEAD] = "#667085", [ACTIVE] = "#1d5fbf", [DONE] = "#1a7f4b"};
const char *const draw_fills[] = {[AHEAD] = "#ffffff", [ACTIVE] = "#e3edfd", [DONE] = "#e9f6ee"};

Str draw_word(const Draw *d, Progress p) {
    static const Str zh[] = {
        [AHEAD] = S_INIT("待办理"), [ACTIVE] = S_INIT("进行中"), [DONE] = S_INIT("已完成")};
    static const Str en[] = {
        [AHEAD] = S_INIT("To do"), [ACTIVE] = S_INIT("In progress"), [DONE] = S_INIT("Done")};
    return d->english ? en[p] : zh[p];
}

// What it is called in the language of the drawing; Chinese when nobody gave it English.
Str draw_title(const Draw *d, Str name, Str name_en) {
    return d->english && name_en.len ? name_en : name;
}
void draw_text(Buf *out, Str s) {
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
        while (at < s.len && s.ptr[at] != '\n') {
            size_t next = at;
            int w = width_of(str_utf8_next(s, &next));
            if (used + w > units && at > from) break;
            used += w;
            if (s.ptr[at] == ' ') space = at;
            at = next;
        }
        bool broken = at < s.len && s.ptr[at] == '\n';
        if (at < s.len && !broken && space > from && (uint8_t)s.ptr[at] < 0x80) at = space + 1;
        lines[count++] = str_trim(str_sub(s, from, at));
        at += broken;
    }
    if (at < s.len) lines[count] = S("…");
    return count + (at < s.len);
}

Label label_beside(const Box *label, const Box *shape) {
    if (!label->w)
        return (Label){shape->x + shape->w / 2, shape->y + shape->h + FONT + 4, LABEL_UNITS, 3,
                       false};
    int units = 2 * label->w / FONT + 1;
    return (Label){label->x + label->w / 2, label->y + FONT - 1,
                   units > LABEL_UNITS ? units : LABEL_UNITS, 4, false};
}

Label label_inside(const Box *shape, int32_t down) {
    int units = 2 * (shape->w - 10) / FONT, lines = (shape->h - 10) / (FONT + 3);
    return (Label){shape->x + shape->w / 2, shape->y + shape->h / 2 + down, units > 4 ? units : 4,
                   lines > 1 ? (uint32_t)lines : 1, true};
}

void draw_label(Draw *d, Str name, Label at) {
    Str lines[LABEL_LINES_MAX + 1];
    if (at.lines > LABEL_LINES_MAX) at.lines = LABEL_LINES_MAX;
    uint32_t count = wrap(name, at.units, at.lines, lines);
    if (!count) return;
    int32_t step = FONT + 3;
    int32_t first = at.middle ? at.y - ((int32_t)count - 1) * step / 2 + FONT / 3 : at.y;
    buf_printf(&d->out,
               "<text class=\"flow-label\" x=\"%d\" y=\"%d\" text-anchor=\"middle\" "
               "font-size=\"%d\" fill=\"#1d2939\">",
               at.x, first, FONT);
    for (uint32_t i = 0; i < count; i++) {
        buf_printf(&d->out, "<tspan x=\"%d\" y=\"%d\">", at.x, first + (int32_t)i * step);
        draw_text(&d->out, lines[i]);
        buf_lit(&d->out, "</tspan>");
    }
    buf_lit(&d->out, "</text>");
}

// Lines

static void points_write(Draw *d, const Point *points, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        buf_printf(&d->out, "%s%d,%d", i ? " " : "", points[i].x, points[i].y);
}

// The name where the file puts it, else above the longest level stretch, where there is most room.
static void line_label(Draw *d, Str name, const Box *label, const Point *points, uint32_t count) {
    if (!name.len || count < 2) return;
    if (label->w) {
        draw_label(d, name, label_beside(label, label));
        return;
    }
    uint32_t best = 0;
    int32_t length = -1;
    for (uint32_t i = 0; i + 1 < count; i++) {
        int32_t level = abs(points[i + 1].x - points[i].x);
        if (abs(points[i + 1].y - points[i].y) > 2 || level <= length) continue;
        length = level;
        best = i;
    }
    Point from = points[best], to = points[best + 1];
    draw_label(d, name,
               (Label){(from.x + to.x) / 2, (from.y + to.y) / 2 - 5, LABEL_UNITS, 3, false});
}

// Near the start of a line, along it: a slash for the default flow, a diamond for a condition.
static void edge_mark(Draw *d, const Edge *e, const char *stroke) {
    const Node *from = &d->flow->nodes[e->from];
    bool fallback = from->fallback != NONE && &d->flow->edges[from->fallback] == e;
    bool condition = e->condition && node_is_activity(from);
    if (e->points_count < 2 || (!fallback && !condition)) return;
    int32_t dx = e->points[1].x - e->points[0].x, dy = e->points[1].y - e->points[0].y;
    int turn = abs(dx) >= abs(dy) ? (dx < 0 ? 180 : 0) : (dy < 0 ? 270 : 90);
    buf_printf(&d->out,
               "<path class=\"flow-mark\" transform=\"translate(%d %d) rotate(%d)\" d=\"%s\" "
               "fill=\"#ffffff\" stroke=\"%s\"/>",
               e->points[0].x, e->points[0].y, turn,
               fallback ? "M6 6 L12 -6" : "M0 0 L8 -5 L16 0 L8 5 Z", stroke);
}

static void draw_edge(Draw *d, uint32_t edge) {
    const Edge *e = &d->flow->edges[edge];
    if (d->flow->nodes[e->from].hidden || d->flow->nodes[e->to].hidden) return;
    bool passed = d->progress[e->from] == DONE && d->progress[e->to] != AHEAD;
    Progress p = passed ? DONE : AHEAD;
    if (e->points_count < 2) return;
    buf_printf(&d->out, "<polyline class=\"flow-edge %s\" data-edge=\"", draw_classes[p]);
    draw_text(&d->out, e->id);
    buf_lit(&d->out, "\" points=\"");
    points_write(d, e->points, e->points_count);
    buf_printf(&d->out,
               "\" fill=\"none\" stroke=\"%s\" stroke-width=\"%d\" stroke-linejoin=\"round\" "
               "marker-end=\"url(#flow-%s)\"/>",
               draw_strokes[p], passed ? 2 : 1, passed ? "arrow-done" : "arrow");
    edge_mark(d, e, draw_strokes[p]);
    line_label(d, draw_title(d, e->name, e->name_en), &e->label, e->points, e->points_count);
}

static void draw_line(Draw *d, const Decor *c) {
    static const char *const dashes[] = {[DECOR_MESSAGE_FLOW] = "8 5",
                                         [DECOR_ASSOCIATION] = "1 4",
                                         [DECOR_CONVERSATION_LINK] = "none",
                                         [DECOR_SEQUENCE_FLOW] = "none"};
    if (c->points_count < 2) return;
    buf_lit(&d->out, "<polyline class=\"flow-line\" data-edge=\"");
    draw_text(&d->out, c->id);
    buf_lit(&d->out, "\" points=\"");
    points_write(d, c->points, c->points_count);
    buf_printf(&d->out,
               "\" fill=\"none\" stroke=\"#667085\" stroke-width=\"1\" "
               "stroke-dasharray=\"%s\"%s",
               dashes[c->kind], c->kind == DECOR_ASSOCIATION ? " stroke-linecap=\"round\"" : "");
    if (c->kind == DECOR_MESSAGE_FLOW)
        buf_lit(&d->out, " marker-start=\"url(#flow-ball)\" marker-end=\"url(#flow-open)\"");
    else if (c->kind == DECOR_SEQUENCE_FLOW) buf_lit(&d->out, " marker-end=\"url(#flow-arrow)\"");
    else if (c->arrow) buf_lit(&d->out, " marker-end=\"url(#flow-line)\"");
    if (c->arrow_back) buf_lit(&d->out, " marker-start=\"url(#flow-line)\"");
    buf_lit(&d->out, "/>");
    line_label(d, c->name, &c->label, c->points, c->points_count);
}

// Artifacts, pools and lanes

// The name along the side of a pool or lane, in one line.
static void side_name(Draw *d, const Decor *c, int32_t x, int32_t y) {
    int32_t room = c->horizontal ? c->box.h : c->box.w;
    Str lines[2];
    if (!wrap(c->name, 2 * room / FONT, 1, lines)) return;
    bool cut = lines[0].len < c->name.len;
    buf_printf(&d->out,
               "<text class=\"flow-label\" x=\"%d\" y=\"%d\" text-anchor=\"middle\" "
               "font-size=\"%d\" fill=\"#1d2939\"",
               x, y, FONT);
    if (c->horizontal) buf_printf(&d->out, " transform=\"rotate(-90 %d %d)\"", x, y);
    buf_lit(&d->out, ">");
    draw_text(&d->out, lines[0]);
    if (cut) buf_str(&d->out, S("…"));
    buf_lit(&d->out, "</text>");
}

static void draw_pool(Draw *d, const Decor *c) {
    const Box *b = &c->box;
    bool pool = c->kind == DECOR_POOL;
    buf_lit(&d->out, "<g class=\"flow-lane\" data-node=\"");
    draw_text(&d->out, c->id);
    buf_lit(&d->out, "\">");
    buf_printf(&d->out,
               "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
               "fill=\"%s\" stroke=\"#98a2b3\" stroke-width=\"%d\"/>",
               b->x, b->y, b->w, b->h, pool ? "#fcfcfd" : "none", pool ? 2 : 1);
    int32_t x = b->x + FONT + 2, y = b->y + b->h / 2;
    bool empty = pool && c->closed; // nothing of what goes on in it is drawn
    if (empty) {
        draw_label(d, c->name, label_inside(b, 0));
    } else if (c->horizontal) {
        if (pool)
            buf_printf(&d->out, "<path d=\"M%d %d V%d\" stroke=\"#98a2b3\"/>", b->x + 30, b->y,
                       b->y + b->h);
    } else {
        x = b->x + b->w / 2;
        y = b->y + FONT + 5;
        if (pool)
            buf_printf(&d->out, "<path d=\"M%d %d H%d\" stroke=\"#98a2b3\"/>", b->x, b->y + 30,
                       b->x + b->w);
    }
    if (!empty) side_name(d, c, x, y);
    if (c->many)
        buf_printf(&d->out,
                   "<path transform=\"translate(%d %d)\" d=\"M-4 -5 V5 M0 -5 V5 M4 -5 V5\" "
                   "stroke=\"#667085\" stroke-width=\"2\"/>",
                   b->x + b->w / 2, b->y + b->h - 9);
    buf_lit(&d->out, "</g>");
}

static void artifact_shape(Draw *d, const Decor *c) {
    const Box *b = &c->box;
    int32_t x = b->x, y = b->y, w = b->w, h = b->h, fold = w / 3 < 12 ? w / 3 : 12;
    switch (c->kind) {
    case DECOR_DATA:
        buf_printf(&d->out, "<path d=\"M%d %d H%d L%d %d V%d H%d Z M%d %d V%d H%d\"", x, y,
                   x + w - fold, x + w, y + fold, y + h, x, x + w - fold, y, y + fold, x + w);
        break;
    case DECOR_STORE:
        buf_printf(&d->out,
                   "<path d=\"M%d %d a%d %d 0 0 1 %d 0 V%d a%d %d 0 0 1 -%d 0 Z m0 0 "
                   "a%d %d 0 0 0 %d 0\"",
                   x, y + h / 7, w / 2, h / 7, w, y + h - h / 7, w / 2, h / 7, w, w / 2, h / 7, w);
        break;
    case DECOR_ANNOTATION:
        buf_printf(&d->out, "<path d=\"M%d %d H%d V%d H%d\"", x + 10, y, x, y + h, x + 10);
        break;
    case DECOR_MESSAGE:
        buf_printf(&d->out, "<path d=\"M%d %d H%d V%d H%d Z L%d %d L%d %d\"", x, y, x + w, y + h,
                   x, x + w / 2, y + h / 2, x + w, y);
        break;
    case DECOR_CONVERSATION:
        buf_printf(&d->out, "<path d=\"M%d %d L%d %d H%d L%d %d L%d %d H%d Z\"", x, y + h / 2,
                   x + w / 4, y, x + w - w / 4, x + w, y + h / 2, x + w - w / 4, y + h, x + w / 4);
        break;
    case DECOR_EVENT:
        buf_printf(&d->out, "<circle cx=\"%d\" cy=\"%d\" r=\"%d\"", x + w / 2, y + h / 2, w / 2);
        break;
    case DECOR_GATEWAY:
        buf_printf(&d->out, "<path d=\"M%d %d L%d %d L%d %d L%d %d Z\"", x + w / 2, y, x + w,
                   y + h / 2, x + w / 2, y + h, x, y + h / 2);
        break;
    default:
        buf_printf(&d->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\"", x, y,
                   w, h);
    }
    bool open = c->kind == DECOR_ANNOTATION || c->kind == DECOR_GROUP;
    buf_printf(&d->out, " class=\"flow-artifact\" fill=\"%s\" stroke=\"#667085\" "
                        "stroke-width=\"%d\"%s/>",
               open ? "none" : "#ffffff", c->thick ? 3 : 1,
               c->kind == DECOR_GROUP ? " stroke-dasharray=\"9 4 2 4\"" : "");
}

static void draw_artifact(Draw *d, const Decor *c) {
    const Box *b = &c->box;
    bool inside = c->kind == DECOR_ANNOTATION || c->kind == DECOR_ACTIVITY;
    buf_lit(&d->out, "<g class=\"flow-other\" data-node=\"");
    draw_text(&d->out, c->id);
    buf_lit(&d->out, "\">");
    artifact_shape(d, c);
    if (c->kind == DECOR_GROUP)
        draw_label(d, c->name,
                   (Label){b->x + b->w / 2, b->y + 18, 2 * (b->w - 10) / FONT, 1, false});
    else draw_label(d, c->name, inside ? label_inside(b, 0) : label_beside(&c->label, b));
    if (c->kind == DECOR_DATA && c->many)
        buf_printf(&d->out,
                   "<path transform=\"translate(%d %d)\" d=\"M-4 -4 V4 M0 -4 V4 M4 -4 V4\" "
                   "stroke=\"#667085\" stroke-width=\"2\"/>",
                   b->x + b->w / 2, b->y + b->h - 8);
    buf_lit(&d->out, "</g>");
}

static bool is_line(const Decor *c) { return c->kind >= DECOR_MESSAGE_FLOW; }

static void draw_decor(Draw *d, bool below) {
    const Flow *f = d->flow;
    for (int lanes = 0; lanes < 2 && below; lanes++) // pools under their lanes
        for (uint32_t i = 0; i < f->decor_count; i++) {
            const Decor *c = &f->decor[i];
            if (c->box.w && c->kind == (lanes ? DECOR_LANE : DECOR_POOL)) draw_pool(d, c);
        }
    for (uint32_t i = 0; i < f->decor_count && !below; i++) {
        const Decor *c = &f->decor[i];
        if (is_line(c)) draw_line(d, c);
        else if (c->kind > DECOR_LANE && c->box.w) draw_artifact(d, c);
    }
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
                draw_text(&d->out, draw_word(d, order[k]));
                buf_str(&d->out, d->english ? S(": ") : S("："));
            } else {
                buf_str(&d->out, d->english ? S(", ") : S("、"));
            }
            any = true;
            draw_text(&d->out, draw_title(d, n->name.len ? n->name : n->id, n->name_en));
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

static void extend_box(Box *all, const Box *b) {
    extend(all, b->x, b->y, b->x + b->w, b->y + b->h);
}

static void extend_label(Box *all, Str name, const Box *label, const Box *shape) {
    if (!name.len) return;
    Label at = label_beside(label, shape);
    Str lines[LABEL_LINES_MAX + 1];
    int32_t height = (int32_t)wrap(name, at.units, at.lines, lines) * (FONT + 3);
    int32_t half = (name.len < (size_t)at.units ? (int32_t)name.len : at.units) * FONT / 4;
    extend(all, at.x - half, at.y - FONT, at.x + half, at.y - FONT + height);
}

static Box bounds_of(const Flow *f) {
    Box all = {INT32_MAX, INT32_MAX, INT32_MIN, INT32_MIN};
    for (uint32_t i = 1; i < f->nodes_count; i++) {
        const Node *n = &f->nodes[i];
        if (n->hidden || n->kind == NODE_PROCESS) continue;
        extend_box(&all, &n->box);
        if (!node_is_activity(n)) extend_label(&all, n->name, &n->label, &n->box);
    }
    for (uint32_t i = 0; i < f->edges_count; i++)
        for (uint32_t k = 0; k < f->edges[i].points_count; k++) {
            Point p = f->edges[i].points[k];
            if (!f->nodes[f->edges[i].from].hidden) extend(&all, p.x, p.y, p.x, p.y);
        }
    for (uint32_t i = 0; i < f->edges_count; i++)
        if (f->edges[i].label.w && f->edges[i].points_count) extend_box(&all, &f->edges[i].label);
    for (uint32_t i = 0; i < f->decor_count; i++) {
        const Decor *c = &f->decor[i];
        const Box *b = &c->box;
        bool beside = c->kind == DECOR_DATA || c->kind == DECOR_STORE;
        if (b->w) extend_box(&all, b);
        if (b->w && beside) extend_label(&all, c->name, &c->label, b);
        if (c->points_count && c->label.w) extend_box(&all, &c->label);
        for (uint32_t k = 0; k < c->points_count; k++)
            extend(&all, c->points[k].x, c->points[k].y, c->points[k].x, c->points[k].y);
    }
    if (all.x > all.w || all.y > all.h) all = (Box){0}; // there is nothing
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
    Str name = draw_title(d, process->name, process->name_en);
    if (name.len) draw_text(&d->out, name);
    else buf_str(&d->out, d->english ? S("Flow") : S("办理流程"));
    buf_lit(&d->out, "</title><desc id=\"flow-desc\">");
    describe(d);
    buf_lit(&d->out, "</desc><defs>");
    for (int i = 0; i < 2; i++)
        buf_printf(&d->out,
                   "<marker id=\"flow-%s\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" "
                   "markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" "
                   "orient=\"auto\"><path d=\"M0 0 L10 5 L0 10 Z\" fill=\"%s\"/></marker>",
                   i ? "arrow-done" : "arrow", draw_strokes[i ? DONE : AHEAD]);
    buf_lit(&d->out,
            "<marker id=\"flow-open\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" "
            "markerWidth=\"10\" markerHeight=\"10\" markerUnits=\"userSpaceOnUse\" "
            "orient=\"auto\"><path d=\"M0 0 L10 5 L0 10 Z\" fill=\"#ffffff\" stroke=\"#667085\"/>"
            "</marker><marker id=\"flow-ball\" viewBox=\"0 0 10 10\" refX=\"5\" refY=\"5\" "
            "markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\"><circle cx=\"5\" "
            "cy=\"5\" r=\"4\" fill=\"#ffffff\" stroke=\"#667085\"/></marker><marker "
            "id=\"flow-line\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"9\" "
            "markerHeight=\"9\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M1 1 L9 5 "
            "L1 9\" fill=\"none\" stroke=\"#667085\"/></marker>");
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
              .stands = s.started || (records.kind == V_LIST && records.len),
              .english = str_starts(lang, S("en")),
              .out = buf_make(a, 16 << 10, DRAWING_SIZE_MAX),
              .progress = arena_array(a, Progress, f->nodes_count)};
    progress_find(&d, &s, records);
    draw_head(&d);
    draw_decor(&d, true);
    // Sub-processes first, so that what is in them lies on top; edges over them; boundary events on
    // the border of what they belong to.
    for (uint32_t i = 1; i < f->nodes_count; i++)
        if (f->nodes[i].kind == NODE_SUBPROCESS) draw_node(&d, i);
    for (uint32_t i = 0; i < f->edges_count; i++) draw_edge(&d, i);
    for (uint32_t i = 1; i < f->nodes_count; i++)
        if (f->nodes[i].kind != NODE_SUBPROCESS && f->nodes[i].kind != NODE_BOUNDARY)
            draw_node(&d, i);
    for (uint32_t i = 1; i < f->nodes_count; i++)
        if (f->nodes[i].kind == NODE_BOUNDARY) draw_node(&d, i);
    draw_decor(&d, false);
    buf_lit(&d.out, "</svg>");
    if (d.out.full) return error_set(err, LIMIT, S(""), "流程图太大，画不出来");
    *ret = buf_view(&d.out);
    return OK;
}
