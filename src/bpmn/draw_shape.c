// Nodes with their symbols. Events that throw have theirs filled, those that catch have it open; a
// border of dashes does not interrupt, a double one stands in the middle of the flow, a thick one
// ends it or calls.
#include "bpmn/draw.h"

// Common attributes of a shape.
static void paint(Draw *d, Progress p, int width, const char *dash) {
    buf_printf(&d->out, " class=\"flow-shape\" fill=\"%s\" stroke=\"%s\" stroke-width=\"%d\"",
               draw_fills[p], draw_strokes[p], p == ACTIVE ? width + 1 : width);
    if (dash) buf_printf(&d->out, " stroke-dasharray=\"%s\"", dash);
    buf_lit(&d->out, "/>");
}

static void sign(Draw *d, Progress p, const char *path, int32_t x, int32_t y, bool filled) {
    buf_printf(&d->out,
               "<path class=\"flow-mark\" transform=\"translate(%d %d)\" d=\"%s\" fill=\"%s\" "
               "stroke=\"%s\" stroke-width=\"%s\" stroke-linejoin=\"round\"/>",
               x, y, path, filled ? draw_strokes[p] : "none", draw_strokes[p],
               filled ? "1" : "1.5");
}

// A tick for done, an arrow head for active, at the upper right.
static void badge(Draw *d, Progress p, int32_t x, int32_t y) {
    if (p == AHEAD) return;
    buf_printf(&d->out, "<circle class=\"flow-badge\" cx=\"%d\" cy=\"%d\" r=\"9\" fill=\"%s\"/>", x,
               y, draw_strokes[p]);
    buf_printf(&d->out,
               "<path class=\"flow-badge-mark\" transform=\"translate(%d %d)\" d=\"%s\" "
               "fill=\"%s\" stroke=\"#ffffff\" stroke-width=\"2\"/>",
               x, y, p == DONE ? "M-4 0 L-1 3 L4 -3" : "M-2 -4 L4 0 L-2 4 Z",
               p == DONE ? "none" : "#ffffff");
}

// Symbols in a box of 18 around the middle. An envelope that is filled loses its flap, so it is
// drawn in two parts.
static const char *event_sign(const Node *n, bool filled) {
    switch (n->event) {
    case EVENT_TIMER:
        return "M-8 0 a8 8 0 1 0 16 0 a8 8 0 1 0 -16 0 M0 -5 L0 0 L4 2 M0 -8 V-6 M0 8 V6 M-8 0 H-6 "
               "M8 0 H6";
    case EVENT_MESSAGE:
        return filled ? "M-8 -6 H8 L0 -1 Z M-8 -4 L0 1 L8 -4 V6 H-8 Z"
                      : "M-8 -6 H8 V6 H-8 Z M-8 -6 L0 1 L8 -6";
    case EVENT_SIGNAL: return "M0 -8 L8 6 H-8 Z";
    case EVENT_CONDITIONAL: return "M-6 -8 H6 V8 H-6 Z M-4 -5 H4 M-4 -2 H4 M-4 1 H4 M-4 4 H4";
    case EVENT_ERROR: return "M-8 7 L-3 -7 L3 1 L8 -7 L3 7 L-3 -1 Z";
    case EVENT_ESCALATION: return "M0 -8 L6 7 L0 1 L-6 7 Z";
    case EVENT_COMPENSATION: return "M0 -6 V6 L-8 0 Z M8 -6 V6 L0 0 Z";
    case EVENT_CANCEL:
        return "M-7 -4 L-4 -7 L0 -3 L4 -7 L7 -4 L3 0 L7 4 L4 7 L0 3 L-4 7 L-7 4 L-3 0 Z";
    case EVENT_LINK: return "M-8 -3 H2 V-7 L8 0 L2 7 V3 H-8 Z";
    case EVENT_TERMINATE: return "M-8 0 a8 8 0 1 0 16 0 a8 8 0 1 0 -16 0";
    case EVENT_MULTIPLE:
        return n->parallel ? "M-2 -8 H2 V-2 H8 V2 H2 V8 H-2 V2 H-8 V-2 H-2 Z"
                           : "M0 -8 L8 -2 L5 7 H-5 L-8 -2 Z";
    default: return NULL;
    }
}

static const char *task_sign(NodeKind kind) {
    switch (kind) {
    case NODE_USER:
        return
            "M-3 -4 a3.5 3.5 0 1 0 6 0 a3.5 3.5 0 1 0 -6 0 M-7 7 V4 a4 4 0 0 1 4 -4 H3 a4 4 0 0 1 "
               "4 4 V7 Z";
    case NODE_MANUAL: return "M-7 -2 L-3 -6 H1 L-2 -3 H7 V-1 H1 M7 1 H1 M6 3 H1 M5 5 H-4 L-7 2 Z";
    case NODE_SERVICE:
        return
            "M-2 -7 H2 L3 -4 L6 -5 L7 -2 L5 0 L7 2 L6 5 L3 4 L2 7 H-2 L-3 4 L-6 5 L-7 2 L-5 0 L-7 "
               "-2 L-6 -5 L-3 -4 Z M-2 0 a2 2 0 1 0 4 0 a2 2 0 1 0 -4 0";
    case NODE_SEND: return "M-8 -5 H8 L0 0 Z M-8 -3 L0 2 L8 -3 V6 H-8 Z";
    case NODE_RECEIVE: return "M-8 -5 H8 V6 H-8 Z M-8 -5 L0 1 L8 -5";
    case NODE_RULE: return "M-8 -6 H8 V6 H-8 Z M-8 -2 H8 M-8 2 H8 M-3 -2 V6";
    case NODE_SCRIPT: return
        "M-3 -7 H7 C3 -3 3 -1 5 1 C7 4 5 6 3 7 H-7 C-4 4 -5 2 -6 0 C-8 -3 -6 -6 -3 -7 "
                             "M-3 -3 H2 M-3 0 H3 M-2 3 H3";
    default: return NULL;
    }
}

static const char *gate_sign(const Node *n) {
    switch (n->kind) {
    case NODE_EXCLUSIVE:
        if (n->plain) return NULL;
        return "M-7 -7 L7 7 M7 -7 L-7 7";
    case NODE_PARALLEL: return "M0 -10 V10 M-10 0 H10";
    case NODE_INCLUSIVE: return "M-9 0 a9 9 0 1 0 18 0 a9 9 0 1 0 -18 0";
    case NODE_COMPLEX: return "M0 -10 V10 M-10 0 H10 M-7 -7 L7 7 M7 -7 L-7 7";
    case NODE_EVENT_GATE:
        if (n->parallel)
            return
                "M-12 0 a12 12 0 1 0 24 0 a12 12 0 1 0 -24 0 M-2 -7 H2 V-2 H7 V2 H2 V7 H-2 V2 H-7 "
                   "V-2 H-2 Z";
        if (n->instantiate)
            return "M-12 0 a12 12 0 1 0 24 0 a12 12 0 1 0 -24 0 M0 -7 L7 -1 L4 6 H-4 L-7 -1 Z";
        return "M-12 0 a12 12 0 1 0 24 0 a12 12 0 1 0 -24 0 M-9 0 a9 9 0 1 0 18 0 a9 9 0 1 0 -18 0 "
               "M0 -6 L6 -1 L4 5 H-4 L-6 -1 Z";
    default: return NULL;
    }
}

// Loop, multi-instance, compensation, ad-hoc and folded, in a row at the bottom. Are there any?
static bool markers(Draw *d, const Node *n, Progress p) {
    const char *paths[4];
    bool filled[4] = {false};
    int count = 0;
    bool folded = n->collapsed || (n->called && n->kind == NODE_CALL);
    if (n->multi)
        paths[count++] = n->multi->standard     ? "M-2 6 H-6 V2 M-5 5 a6.5 6.5 0 1 1 5 2"
                         : n->multi->sequential ? "M-6 -4 H6 M-6 0 H6 M-6 4 H6"
                                                : "M-4 -6 V6 M0 -6 V6 M4 -6 V6";
    if (n->for_compensation) {
        filled[count] = true;
        paths[count++] = "M0 -5 V5 L-7 0 Z M7 -5 V5 L0 0 Z";
    }
    if (folded) paths[count++] = "M-7 -7 H7 V7 H-7 Z M0 -4 V4 M-4 0 H4";
    if (n->adhoc) paths[count++] = "M-7 2 C-4 -6 -1 -3 0 0 C1 3 4 6 7 -2";
    int32_t x = n->box.x + n->box.w / 2 - (count - 1) * 10, y = n->box.y + n->box.h - 12;
    for (int i = 0; i < count; i++) sign(d, p, paths[i], x + i * 20, y, filled[i]);
    return count > 0;
}

static void activity_border(Draw *d, const Node *n, Progress p) {
    const Box *b = &n->box;
    buf_printf(&d->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"10\"", b->x, b->y,
               b->w, b->h);
    paint(d, p, n->called ? 4 : 2, n->by_event ? "2 4" : NULL);
    if (!n->transaction || b->w < 12 || b->h < 12) return;
    buf_printf(&d->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"7\"", b->x + 4,
               b->y + 4, b->w - 8, b->h - 8);
    paint(d, p, 1, NULL);
}

static void draw_activity(Draw *d, const Node *n, Progress p) {
    const Box *b = &n->box;
    activity_border(d, n, p);
    const char *path = task_sign(n->kind);
    if (path) sign(d, p, path, b->x + 15, b->y + 15, n->kind == NODE_SEND);
    bool marked = markers(d, n, p);
    bool open = n->kind == NODE_SUBPROCESS && !n->collapsed;
    Str name = draw_title(d, n->name, n->name_en);
    if (open)
        draw_label(d, name, (Label){b->x + b->w / 2, b->y + 20, 2 * (b->w - 10) / FONT, 1, false});
    else draw_label(d, name, label_inside(b, (d->stands ? 8 : 4) - (marked ? 8 : 0)));
    if (!d->stands) return;
    buf_printf(&d->out, "<text class=\"flow-word\" x=\"%d\" y=\"%d\" font-size=\"%d\" fill=\"%s\">",
               b->x + (path ? 30 : 10), b->y + 18, FONT_SMALL, draw_strokes[p]);
    draw_text(&d->out, draw_word(d, p));
    buf_lit(&d->out, "</text>");
    badge(d, p, b->x + b->w - 4, b->y + 4);
}

static void draw_event(Draw *d, const Node *n, Progress p) {
    const Box *b = &n->box;
    int32_t x = b->x + b->w / 2, y = b->y + b->h / 2, r = b->w / 2;
    bool inside = d->flow->nodes[n->parent].by_event;
    bool goes_on = (n->kind == NODE_BOUNDARY || (n->kind == NODE_START && inside)) &&
                   !n->interrupting && n->event != EVENT_COMPENSATION;
    const char *dash = goes_on ? "5 3" : NULL;
    buf_printf(&d->out, "<circle cx=\"%d\" cy=\"%d\" r=\"%d\"", x, y, r);
    paint(d, p, n->kind == NODE_END ? 4 : 2, dash);
    if (n->kind == NODE_CATCH || n->kind == NODE_THROW || n->kind == NODE_BOUNDARY) {
        buf_printf(&d->out, "<circle cx=\"%d\" cy=\"%d\" r=\"%d\"", x, y, r > 6 ? r - 4 : r);
        paint(d, p, 1, dash);
    }
    bool filled = n->kind == NODE_THROW || n->kind == NODE_END;
    const char *path = event_sign(n, filled);
    if (path) sign(d, p, path, x, y, filled);
    badge(d, p, b->x + b->w, b->y);
    draw_label(d, draw_title(d, n->name, n->name_en), label_beside(&n->label, b));
}

static void draw_gate(Draw *d, const Node *n, Progress p) {
    const Box *b = &n->box;
    int32_t x = b->x + b->w / 2, y = b->y + b->h / 2;
    buf_printf(&d->out, "<polygon points=\"%d,%d %d,%d %d,%d %d,%d\"", x, b->y, b->x + b->w, y, x,
               b->y + b->h, b->x, y);
    paint(d, p, 2, NULL);
    const char *path = gate_sign(n);
    if (path)
        buf_printf(&d->out,
                   "<path class=\"flow-mark\" transform=\"translate(%d %d)\" d=\"%s\" "
                   "fill=\"none\" stroke=\"%s\" stroke-width=\"%s\"/>",
                   x, y, path, draw_strokes[p], n->kind == NODE_EVENT_GATE ? "1.5" : "3");
    badge(d, p, b->x + b->w - 6, b->y + 6);
    draw_label(d, draw_title(d, n->name, n->name_en), label_beside(&n->label, b));
}

void draw_node(Draw *d, uint32_t node) {
    const Node *n = &d->flow->nodes[node];
    if (n->hidden || n->kind == NODE_PROCESS) return;
    Progress p = d->progress[node];
    buf_printf(&d->out, "<g class=\"flow-node %s\" data-node=\"", draw_classes[p]);
    draw_text(&d->out, n->id);
    buf_lit(&d->out, "\"><title>");
    draw_text(&d->out, draw_title(d, n->name.len ? n->name : n->id, n->name_en));
    buf_str(&d->out, d->english ? S(": ") : S("："));
    draw_text(&d->out, draw_word(d, p));
    buf_lit(&d->out, "</title>");
    if (node_is_activity(n)) draw_activity(d, n, p);
    else if (node_is_gateway(n)) draw_gate(d, n, p);
    else draw_event(d, n, p);
    buf_lit(&d->out, "</g>");
}
