// Rules of BPMN 2.0.2 that need the whole model, the engine's own on top of them, and what the
// engine wants prepared: where each scope starts and from where inclusive joins can be reached.
// A flow that passes can run from any state it gets into; what it may still do wrong (a join that
// waits for ever, a condition that can't be decided) flow_step says when it happens.
#include "bpmn/model.h"

enum {
    FLOW_REACH_MAX = 16 << 20, // bytes of the tables for inclusive joins
    FLOW_DAYS_MAX = 3650,
};

#define refuse(err, n, text, ...) \
    refuse_as((err), (n), INVALID, "" text, (Str[ERROR_ARGS]){(n)->id, ##__VA_ARGS__})
static Status refuse_as(Error *err, const Node *n, Status status, const char *text,
                        const Str args[ERROR_ARGS]) {
    char line[16];
    (void)snprintf(line, sizeof line, "%u", n->line);
    return error_fill(err, status, str_z(line), text, args);
}

// Ends of nodes

static Status event_lint(const Node *n, Error *err) {
    switch (n->kind) {
    case NODE_START:
        if (n->in_count) return refuse(err, n, "开始事件 {1} 不能有流入");
        break;
    case NODE_END:
        if (n->out_count) return refuse(err, n, "结束事件 {1} 不能有流出");
        break;
    case NODE_BOUNDARY:
        if (n->in_count) return refuse(err, n, "边界事件 {1} 不能有流入");
        if (n->event == EVENT_NONE) return refuse(err, n, "边界事件 {1} 没有事件定义");
        break;
    case NODE_CATCH:
        if (n->event == EVENT_NONE) return refuse(err, n, "中间捕获事件 {1} 没有事件定义");
        break;
    default: break;
    }
    return OK;
}

static Status ends_lint(const Node *n, Error *err) {
    bool first = n->kind == NODE_START || n->kind == NODE_BOUNDARY;
    if (!first && !n->in_count) return refuse(err, n, "{1} 没有流入的顺序流");
    if (n->kind != NODE_END && !n->out_count) return refuse(err, n, "{1} 没有流出的顺序流");
    if (n->kind == NODE_SCRIPT && !n->script) return refuse(err, n, "脚本任务 {1} 没有脚本");
    if (n->kind == NODE_SCRIPT && n->boundary_count)
        return refuse(err, n, "脚本任务 {1} 立即完成，不能有边界事件");
    return event_lint(n, err);
}

// Conditions and defaults

static Status conditions_lint(const Flow *f, const Node *n, Error *err) {
    bool may = node_is_activity(n) || n->kind == NODE_EXCLUSIVE || n->kind == NODE_INCLUSIVE;
    if (n->fallback != NONE && !may) return refuse(err, n, "{1} 不能有默认出线");
    for (uint32_t i = 0; i < n->out_count; i++) {
        const Edge *e = &f->edges[n->out[i]];
        if (e->condition && !may) return refuse(err, n, "{1} 的出线 {2} 不能有条件", e->id);
        if (e->condition && n->out[i] == n->fallback)
            return refuse(err, n, "{1} 的默认出线 {2} 不能有条件", e->id);
        if (n->kind == NODE_EXCLUSIVE && n->out_count > 1 && !e->condition &&
            n->out[i] != n->fallback)
            return refuse(err, n, "排他网关 {1} 的出线 {2} 既没有条件，也不是默认出线", e->id);
    }
    return OK;
}

static Status event_gate_lint(const Flow *f, const Node *n, Error *err) {
    if (n->kind != NODE_EVENT_GATE) return OK;
    if (n->out_count < 2) return refuse(err, n, "事件网关 {1} 至少要有两条出线");
    for (uint32_t i = 0; i < n->out_count; i++) {
        const Node *to = &f->nodes[f->edges[n->out[i]].to];
        bool plain = to->in_count == 1 && !to->boundary_count && !to->multi;
        if ((to->kind != NODE_CATCH && to->kind != NODE_RECEIVE) || !plain)
            return refuse(err, n, "事件网关 {1} 之后只能是专属于它的捕获事件或接收任务，{2} 不是",
                          to->id);
    }
    return OK;
}

// What the driver reads as a number or word, where it is plain text.
static Status attributes_lint(const Node *n, Error *err) {
    for (uint32_t i = 0; i < n->attributes_count; i++) {
        const Attribute *at = &n->attributes[i];
        if (at->expr) continue;
        int64_t days;
        if (str_eq(at->name, S("days")) &&
            (!str_to_int(at->text, &days) || days < 0 || days > FLOW_DAYS_MAX))
            return refuse(err, n, "{1} 的 yz:days 应是天数，不是“{2}”", at->text);
        if (str_eq(at->name, S("clock")) && !str_eq(at->text, S("stop")))
            return refuse(err, n, "{1} 的 yz:clock 只能是 stop，不是“{2}”", at->text);
    }
    return OK;
}

// Scopes

static Status starts_find(Flow *f, Error *err) {
    for (uint32_t i = 1; i < f->nodes_count; i++) {
        Node *n = &f->nodes[i];
        if (n->kind != NODE_START) continue;
        Node *scope = &f->nodes[n->parent];
        if (scope->start != NONE) return refuse(err, n, "{1}：一个流程只能有一个开始事件");
        scope->start = i;
    }
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        const Node *n = &f->nodes[i];
        bool scope = n->kind == NODE_PROCESS || n->kind == NODE_SUBPROCESS;
        if (scope && n->start == NONE) return refuse(err, n, "{1} 没有开始事件");
    }
    return OK;
}

typedef struct Walk {
    bool *seen;
    uint32_t *queue;
    uint32_t count;
} Walk;

static void walk_to(Walk *w, uint32_t node) {
    if (w->seen[node]) return;
    w->seen[node] = true;
    w->queue[w->count++] = node;
}

static void walk_forward(const Flow *f, Walk *w) {
    for (uint32_t at = 0; at < w->count; at++) {
        const Node *n = &f->nodes[w->queue[at]];
        for (uint32_t i = 0; i < n->out_count; i++) walk_to(w, f->edges[n->out[i]].to);
        for (uint32_t i = 0; i < n->boundary_count; i++) walk_to(w, n->boundary[i]);
        if (n->kind == NODE_SUBPROCESS) walk_to(w, n->start);
    }
}

// `never`: a node the walk does not pass.
static void walk_backward(const Flow *f, Walk *w, uint32_t never) {
    for (uint32_t at = 0; at < w->count; at++) {
        const Node *n = &f->nodes[w->queue[at]];
        for (uint32_t i = 0; i < n->in_count; i++)
            if (f->edges[n->in[i]].from != never) walk_to(w, f->edges[n->in[i]].from);
        if (n->kind == NODE_BOUNDARY && n->host != never) walk_to(w, n->host);
    }
}

static Walk walk_make(const Flow *f) {
    return (Walk){.seen = arena_array(f->arena, bool, f->nodes_count),
                  .queue = arena_array(f->arena, uint32_t, f->nodes_count)};
}

// Every node can be come to, and from every node its scope can end.
static Status reach_lint(const Flow *f, Error *err) {
    Walk forward = walk_make(f), backward = walk_make(f);
    walk_to(&forward, f->nodes[0].start);
    walk_forward(f, &forward);
    for (uint32_t i = 1; i < f->nodes_count; i++)
        if (f->nodes[i].kind == NODE_END) walk_to(&backward, i);
    walk_backward(f, &backward, NONE);
    for (uint32_t i = 1; i < f->nodes_count; i++) {
        const Node *n = &f->nodes[i];
        if (!forward.seen[i]) return refuse(err, n, "从开始事件走不到 {1}");
        if (!backward.seen[i]) return refuse(err, n, "从 {1} 走不到任何结束事件");
    }
    return OK;
}

// Inclusive joins

static Status reach_table(Flow *f, uint32_t node, size_t *used, Error *err) {
    Node *n = &f->nodes[node];
    size_t words = (f->nodes_count + 63) / 64;
    *used += n->in_count * words * sizeof(uint64_t);
    if (*used > FLOW_REACH_MAX)
        return refuse_as(err, n, LIMIT, "{1}：流程的包容网关太多太大", (Str[ERROR_ARGS]){n->id});
    n->reach = arena_array(f->arena, uint64_t *, n->in_count);
    for (uint32_t i = 0; i < n->in_count; i++) n->reach[i] = arena_array(f->arena, uint64_t, words);
    ArenaMark mark = arena_mark(f->arena);
    Walk w = walk_make(f);
    for (uint32_t i = 0; i < n->in_count; i++) {
        memset(w.seen, 0, f->nodes_count);
        w.count = 0;
        if (f->edges[n->in[i]].from != node) walk_to(&w, f->edges[n->in[i]].from);
        walk_backward(f, &w, node);
        for (uint32_t k = 0; k < w.count; k++)
            n->reach[i][w.queue[k] / 64] |= (uint64_t)1 << (w.queue[k] % 64);
    }
    arena_rewind(f->arena, mark);
    return OK;
}

Status flow_lint(Flow *f, Error *err) {
    Status status = starts_find(f, err);
    for (uint32_t i = 1; i < f->nodes_count && !status; i++) {
        const Node *n = &f->nodes[i];
        status = ends_lint(n, err);
        if (!status) status = conditions_lint(f, n, err);
        if (!status) status = event_gate_lint(f, n, err);
        if (!status) status = attributes_lint(n, err);
    }
    if (!status) status = reach_lint(f, err);
    size_t used = 0;
    for (uint32_t i = 1; i < f->nodes_count && !status; i++)
        if (f->nodes[i].kind == NODE_INCLUSIVE && f->nodes[i].in_count > 1)
            status = reach_table(f, i, &used, err);
    return status;
}
