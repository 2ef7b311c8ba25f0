// Places for what the file does not draw: layers from left to right, in the order work flows.
//
// Each scope is laid out by itself. An edge back to where one came from (found by a depth-first
// walk) does not count; a node's layer is one more than the greatest of those before it. Within a
// layer a node wants the height of what comes before it; overlaps are pushed apart evenly. Edges
// that skip a layer with something in the way run below, edges that go back run above.
//
// Only a drawing: nothing here can fail, and nothing in running depends on it.
#include "bpmn/model.h"

enum {
    TASK_W = 120,
    TASK_H = 80,
    EVENT_SIZE = 36,
    GATE_SIZE = 50,
    GAP_X = 90,
    GAP_Y = 44, // room for labels below events and gateways
    PAD_X = 30,
    PAD_TOP = 50,
    PAD_BOTTOM = 50, // inside a sub-process
    LANE_STEP = 12,
    LANES = 6, // edges that run beside each other
    BEND = 20,
};

typedef struct Layout {
    Flow *flow;
    uint32_t *layer;
    uint32_t *order; // nodes of the scope, those before others first
    uint32_t count;
    bool *back;     // by edge
    uint8_t *seen;  // 0 not, 1 on the way, 2 done
    int32_t *x, *y; // relative to the scope
    uint32_t lanes_used;
} Layout;

// The k-th edge out of a node, those of its boundary events after its own; NONE past the last.
static uint32_t successor(const Flow *f, uint32_t node, uint32_t k) {
    const Node *n = &f->nodes[node];
    if (k < n->out_count) return n->out[k];
    k -= n->out_count;
    for (uint32_t i = 0; i < n->boundary_count; i++) {
        const Node *b = &f->nodes[n->boundary[i]];
        if (k < b->out_count) return b->out[k];
        k -= b->out_count;
    }
    return NONE;
}

static uint32_t successors(const Flow *f, uint32_t node) {
    const Node *n = &f->nodes[node];
    uint32_t count = n->out_count;
    for (uint32_t i = 0; i < n->boundary_count; i++) count += f->nodes[n->boundary[i]].out_count;
    return count;
}

// Depth-first from one node, without recursion: finds back edges and appends to `order` so that,
// read backwards, every edge but those leads onwards. The last edge is walked first; so what an
// earlier one leads to comes earlier, and the first branch of a gateway lies on top.
static void order_from(Layout *l, uint32_t start, uint32_t *stack, uint32_t *next) {
    Flow *f = l->flow;
    uint32_t depth = 0;
    if (l->seen[start]) return;
    stack[depth++] = start;
    next[start] = successors(f, start);
    l->seen[start] = 1;
    while (depth) {
        uint32_t node = stack[depth - 1];
        if (next[node] == 0) {
            l->seen[node] = 2;
            l->order[l->count++] = node;
            depth--;
            continue;
        }
        uint32_t edge = successor(f, node, --next[node]);
        uint32_t to = f->edges[edge].to;
        if (l->seen[to] == 1) l->back[edge] = true;
        if (l->seen[to]) continue;
        l->seen[to] = 1;
        next[to] = successors(f, to);
        stack[depth++] = to;
    }
}

// All nodes of a scope: from those that nothing leads to, then what is left.
static void scope_order(Layout *l, uint32_t scope, Arena *scratch) {
    Flow *f = l->flow;
    uint32_t *stack = arena_array(scratch, uint32_t, f->nodes_count);
    uint32_t *next = arena_array(scratch, uint32_t, f->nodes_count);
    l->count = 0;
    for (int rest = 0; rest < 2; rest++)
        for (uint32_t i = f->nodes_count; i > 0; i--) {
            const Node *n = &f->nodes[i - 1];
            bool inside = n->kind != NODE_PROCESS && n->parent == scope;
            if (!inside || n->kind == NODE_BOUNDARY || (n->in_count && !rest)) continue;
            order_from(l, i - 1, stack, next);
        }
    for (uint32_t i = 0; i < l->count / 2; i++) {
        uint32_t other = l->order[i];
        l->order[i] = l->order[l->count - 1 - i];
        l->order[l->count - 1 - i] = other;
    }
}

static uint32_t scope_layers(Layout *l) {
    const Flow *f = l->flow;
    uint32_t last = 0;
    for (uint32_t i = 0; i < l->count; i++) {
        uint32_t node = l->order[i], edge;
        if (l->layer[node] > last) last = l->layer[node];
        for (uint32_t k = 0; (edge = successor(f, node, k)) != NONE; k++) {
            uint32_t to = f->edges[edge].to;
            if (!l->back[edge] && l->layer[to] <= l->layer[node]) l->layer[to] = l->layer[node] + 1;
        }
    }
    return last + 1;
}

// Where a node's middle would like to be: level with what comes before it.
static int32_t wanted_y(const Layout *l, uint32_t node) {
    const Flow *f = l->flow;
    const Node *n = &f->nodes[node];
    int64_t sum = 0, count = 0;
    for (uint32_t i = 0; i < n->in_count; i++) {
        uint32_t from = f->edges[n->in[i]].from;
        if (l->back[n->in[i]]) continue;
        const Node *source = &f->nodes[from];
        bool beside = source->kind == NODE_BOUNDARY;
        if (beside) from = source->host;
        sum += l->y[from] + f->nodes[from].box.h / 2 + (beside ? TASK_H + GAP_Y : 0);
        count++;
    }
    return count ? (int32_t)(sum / count) : 0;
}

static void layer_place(Layout *l, uint32_t *nodes, int32_t *wanted, uint32_t count) {
    Flow *f = l->flow;
    for (uint32_t i = 1; i < count; i++) { // stable
        uint32_t node = nodes[i];
        int32_t want = wanted[i];
        uint32_t at = i;
        for (; at > 0 && wanted[at - 1] > want; at--) {
            nodes[at] = nodes[at - 1];
            wanted[at] = wanted[at - 1];
        }
        nodes[at] = node;
        wanted[at] = want;
    }
    int64_t drift = 0;
    int32_t free_from = INT32_MIN / 2;
    for (uint32_t i = 0; i < count; i++) {
        int32_t h = f->nodes[nodes[i]].box.h, top = wanted[i] - h / 2;
        if (top < free_from) top = free_from;
        l->y[nodes[i]] = top;
        drift += top - (wanted[i] - h / 2);
        free_from = top + h + GAP_Y;
    }
    for (uint32_t i = 0; i < count; i++) l->y[nodes[i]] -= (int32_t)(drift / count);
}

static void scope_place(Layout *l, uint32_t layers, Arena *scratch) {
    Flow *f = l->flow;
    uint32_t *nodes = arena_array(scratch, uint32_t, l->count);
    int32_t *wanted = arena_array(scratch, int32_t, l->count);
    int32_t x = 0;
    // By layers: a stable walk over `order` for each would be quadratic, so sort once by layer.
    uint32_t *begin = arena_array(scratch, uint32_t, (size_t)layers + 1);
    uint32_t *sorted = arena_array(scratch, uint32_t, l->count);
    for (uint32_t i = 0; i < l->count; i++) begin[l->layer[l->order[i]] + 1]++;
    for (uint32_t k = 0; k < layers; k++) begin[k + 1] += begin[k];
    uint32_t *at = arena_array(scratch, uint32_t, (size_t)layers + 1);
    memcpy(at, begin, (layers + 1) * sizeof *at);
    for (uint32_t i = 0; i < l->count; i++) sorted[at[l->layer[l->order[i]]]++] = l->order[i];
    for (uint32_t k = 0; k < layers; k++) {
        uint32_t count = begin[k + 1] - begin[k];
        int32_t w = 0;
        for (uint32_t i = 0; i < count; i++) {
            nodes[i] = sorted[begin[k] + i];
            wanted[i] = wanted_y(l, nodes[i]);
            if (f->nodes[nodes[i]].box.w > w) w = f->nodes[nodes[i]].box.w;
        }
        layer_place(l, nodes, wanted, count);
        for (uint32_t i = 0; i < count; i++)
            l->x[nodes[i]] = x + (w - f->nodes[nodes[i]].box.w) / 2;
        x += w + GAP_X;
    }
}

static Box size_of(const Node *n) {
    if (node_is_task(n)) return (Box){.w = TASK_W, .h = TASK_H};
    if (node_is_gateway(n)) return (Box){.w = GATE_SIZE, .h = GATE_SIZE};
    return (Box){.w = EVENT_SIZE, .h = EVENT_SIZE};
}

// The scope's nodes relative to its inside; the scope's own size around them.
static void scope_layout(Layout *l, uint32_t scope) {
    Flow *f = l->flow;
    ArenaMark mark = arena_mark(f->arena);
    scope_order(l, scope, f->arena);
    scope_place(l, scope_layers(l), f->arena);
    arena_rewind(f->arena, mark);
    int32_t top = INT32_MAX, bottom = INT32_MIN, right = 0;
    for (uint32_t i = 0; i < l->count; i++) {
        uint32_t node = l->order[i];
        const Box *b = &f->nodes[node].box;
        if (l->y[node] < top) top = l->y[node];
        if (l->y[node] + b->h > bottom) bottom = l->y[node] + b->h;
        if (l->x[node] + b->w > right) right = l->x[node] + b->w;
    }
    for (uint32_t i = 0; i < l->count; i++) {
        uint32_t node = l->order[i];
        f->nodes[node].box.x = l->x[node] + PAD_X;
        f->nodes[node].box.y = l->y[node] - top + PAD_TOP;
    }
    if (!l->count) top = bottom = 0;
    f->nodes[scope].box.w = right + 2 * PAD_X;
    f->nodes[scope].box.h = bottom - top + PAD_TOP + PAD_BOTTOM;
}

static void boundary_place(Flow *f) {
    for (uint32_t i = 1; i < f->nodes_count; i++) {
        const Node *host = &f->nodes[i];
        for (uint32_t k = 0; k < host->boundary_count; k++) {
            Box *b = &f->nodes[host->boundary[k]].box;
            *b = (Box){.w = EVENT_SIZE, .h = EVENT_SIZE};
            int32_t step = (int32_t)k * (EVENT_SIZE + 4);
            b->x = host->box.x + host->box.w - EVENT_SIZE - 8 - step;
            b->y = host->box.y + host->box.h - EVENT_SIZE / 2;
        }
    }
}

// Edges

static bool crosses(const Box *b, int32_t x0, int32_t x1, int32_t y) {
    return b->x < x1 && b->x + b->w > x0 && b->y - 4 < y && b->y + b->h + 4 > y;
}

// Does something of the scope stand in the way of a line at height y?
static bool blocked(const Flow *f, const Edge *e, int32_t x0, int32_t x1, int32_t y) {
    uint32_t scope = f->nodes[e->from].parent;
    for (uint32_t i = 1; i < f->nodes_count; i++)
        if (f->nodes[i].parent == scope && i != e->from && i != e->to &&
            crosses(&f->nodes[i].box, x0, x1, y))
            return true;
    return false;
}

// A height free of nodes between x0 and x1: below the lowest, or above the highest.
static int32_t lane_y(Layout *l, const Edge *e, int32_t x0, int32_t x1, bool below) {
    const Flow *f = l->flow;
    uint32_t scope = f->nodes[e->from].parent;
    int32_t y = below ? INT32_MIN : INT32_MAX;
    for (uint32_t i = 1; i < f->nodes_count; i++) {
        const Box *b = &f->nodes[i].box;
        if (f->nodes[i].parent != scope || b->x >= x1 || b->x + b->w <= x0) continue;
        if (below && b->y + b->h > y) y = b->y + b->h;
        if (!below && b->y < y) y = b->y;
    }
    int32_t step = (int32_t)(l->lanes_used++ % LANES) * LANE_STEP;
    return below ? y + LANE_STEP + step : y - LANE_STEP - step;
}

static void points_set(Flow *f, Edge *e, const Point *points, uint32_t count) {
    e->points = arena_array(f->arena, Point, count);
    memcpy(e->points, points, count * sizeof *points);
    e->points_count = count;
}

static void edge_route(Layout *l, Edge *e, bool back) {
    Flow *f = l->flow;
    const Box *a = &f->nodes[e->from].box, *b = &f->nodes[e->to].box;
    bool boundary = f->nodes[e->from].kind == NODE_BOUNDARY;
    Point right = {a->x + a->w, a->y + a->h / 2}, left = {b->x, b->y + b->h / 2};
    int32_t ax = a->x + a->w / 2, bx = b->x + b->w / 2;
    if (!back && boundary && left.y > a->y + a->h && left.x > ax) {
        points_set(f, e, (Point[]){{ax, a->y + a->h}, {ax, left.y}, left}, 3);
        return;
    }
    // Fans open close to a gateway and close up before what they lead to; labels need the room.
    int32_t bend = node_is_gateway(&f->nodes[e->from]) ? right.x + BEND : left.x - BEND;
    if (!back && !boundary && bend >= right.x && bend <= left.x &&
        !blocked(f, e, right.x, bend, right.y) && !blocked(f, e, bend, left.x, left.y)) {
        if (right.y == left.y) points_set(f, e, (Point[]){right, left}, 2);
        else points_set(f, e, (Point[]){right, {bend, right.y}, {bend, left.y}, left}, 4);
        return;
    }
    bool below = !back || boundary;
    int32_t x0 = a->x < b->x ? a->x : b->x;
    int32_t x1 = a->x + a->w > b->x + b->w ? a->x + a->w : b->x + b->w;
    int32_t y = lane_y(l, e, x0, x1, below);
    Point from = {ax, below ? a->y + a->h : a->y}, to = {bx, below ? b->y + b->h : b->y};
    points_set(f, e, (Point[]){from, {ax, y}, {bx, y}, to}, 4);
}

static void scopes_layout(Layout *l) {
    Flow *f = l->flow;
    for (uint32_t i = 1; i < f->nodes_count; i++) f->nodes[i].box = size_of(&f->nodes[i]);
    // A sub-process comes before what is in it: from the last to the first, its size is known
    // when it is needed.
    for (uint32_t i = f->nodes_count; i > 0; i--) {
        NodeKind kind = f->nodes[i - 1].kind;
        if (kind == NODE_PROCESS || kind == NODE_SUBPROCESS) scope_layout(l, i - 1);
    }
    // Processes lie below each other.
    int32_t top = 0;
    for (uint32_t i = 0; i < f->processes_count; i++) {
        Box *b = &f->nodes[f->processes[i]].box;
        b->x = 0;
        b->y = top;
        top += b->h + GAP_Y;
    }
    for (uint32_t i = 1; i < f->nodes_count; i++) {
        Node *n = &f->nodes[i];
        if (n->kind == NODE_PROCESS || n->kind == NODE_BOUNDARY) continue;
        n->box.x += f->nodes[n->parent].box.x;
        n->box.y += f->nodes[n->parent].box.y;
    }
    boundary_place(f);
    for (uint32_t i = 1; i < f->nodes_count; i++)
        f->nodes[i].hidden = f->nodes[i].collapsed = false;
    f->decor_count = 0; // they would not lie around their nodes any more
    for (uint32_t i = 0; i < f->edges_count; i++) f->edges[i].points_count = 0;
}

void flow_layout(Flow *f) {
    bool drawn = true;
    for (uint32_t i = 1; i < f->nodes_count; i++)
        drawn &= f->nodes[i].kind == NODE_PROCESS || f->nodes[i].box.w > 0 || f->nodes[i].hidden;
    Layout l = {.flow = f};
    l.layer = arena_array(f->arena, uint32_t, f->nodes_count);
    l.order = arena_array(f->arena, uint32_t, f->nodes_count);
    l.seen = arena_array(f->arena, uint8_t, f->nodes_count);
    l.x = arena_array(f->arena, int32_t, f->nodes_count);
    l.y = arena_array(f->arena, int32_t, f->nodes_count);
    l.back = arena_array(f->arena, bool, f->edges_count);
    if (!drawn) scopes_layout(&l);
    for (uint32_t i = 0; i < f->edges_count; i++) {
        Edge *e = &f->edges[i];
        if (e->points_count) continue;
        bool back = drawn ? f->nodes[e->to].box.x < f->nodes[e->from].box.x : l.back[i];
        edge_route(&l, e, back);
    }
}
