// Rules of BPMN 2.0.2 that need the whole model, the engine's own on top of them, and what the
// engine wants prepared: what begins each scope, where links lead, what may be compensated, from
// where joins can be reached. A flow that passes can run from any state it gets into; what it may
// still do wrong (a join that waits for ever, a condition that can't be decided) flow_step says
// when it happens.
#include "bpmn/model.h"

enum {
    FLOW_REACH_MAX = 16 << 20, // bytes of the tables for joins
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

static const Node *scope_of(const Flow *f, const Node *n) { return &f->nodes[n->parent]; }

// Ends of nodes

static Status event_lint(const Flow *f, const Node *n, Error *err) {
    const Node *scope = scope_of(f, n);
    switch (n->kind) {
    case NODE_START:
        if (n->in_count) return refuse(err, n, "开始事件 {1} 不能有流入");
        if (!n->out_count) return refuse(err, n, "开始事件 {1} 没有流出");
        if (scope->by_event && n->event == EVENT_NONE)
            return refuse(err, n, "事件子流程的开始事件 {1} 没有事件定义");
        if (scope->kind == NODE_SUBPROCESS && !scope->by_event && n->event != EVENT_NONE)
            return refuse(err, n, "子流程的开始事件 {1} 不能有事件定义");
        break;
    case NODE_END:
        if (n->out_count) return refuse(err, n, "结束事件 {1} 不能有流出");
        if (!n->in_count) return refuse(err, n, "结束事件 {1} 没有流入");
        if (n->event != EVENT_CANCEL) break;
        while (scope->kind == NODE_SUBPROCESS && !scope->transaction) scope = scope_of(f, scope);
        if (!scope->transaction) return refuse(err, n, "取消结束事件 {1} 不在事务里");
        break;
    case NODE_BOUNDARY:
        if (n->in_count) return refuse(err, n, "边界事件 {1} 不能有流入");
        if (n->event == EVENT_NONE) return refuse(err, n, "边界事件 {1} 没有事件定义");
        if (n->event == EVENT_CANCEL && !f->nodes[n->host].transaction)
            return refuse(err, n, "取消边界事件 {1} 只能依附在事务上");
        break;
    case NODE_CATCH:
        if (n->event == EVENT_NONE) return refuse(err, n, "中间捕获事件 {1} 没有事件定义");
        if (n->event == EVENT_LINK && n->in_count)
            return refuse(err, n, "链接捕获事件 {1} 不能有流入");
        break;
    case NODE_THROW:
        if (n->event == EVENT_LINK && n->out_count)
            return refuse(err, n, "链接抛出事件 {1} 不能有流出");
        break;
    default: break;
    }
    return OK;
}

static bool node_starts_itself(const Node *n) {
    return n->kind == NODE_START || n->kind == NODE_BOUNDARY || n->by_event ||
           n->for_compensation || (n->kind == NODE_CATCH && n->event == EVENT_LINK);
}

static Status ends_lint(const Flow *f, const Node *n, Error *err) {
    if (n->kind == NODE_SCRIPT && !n->script && !n->script_format.len)
        return refuse(err, n, "脚本任务 {1} 没有脚本");
    if ((n->by_event || n->for_compensation) && (n->in_count || n->out_count))
        return refuse(err, n, "事件子流程和补偿活动 {1} 不能有顺序流");
    if (n->instantiate && n->in_count) return refuse(err, n, "启动流程的 {1} 不能有流入");
    if (node_is_gateway(n) && !n->in_count && !n->out_count)
        return refuse(err, n, "网关 {1} 没有顺序流");
    return event_lint(f, n, err);
}

// Conditions and defaults. A condition where the standard gives it no meaning is not looked at.

static Status conditions_lint(const Flow *f, const Node *n, Error *err) {
    bool may = node_is_activity(n) || n->kind == NODE_EXCLUSIVE || n->kind == NODE_INCLUSIVE ||
               n->kind == NODE_COMPLEX;
    if (n->fallback != NONE && !may) return refuse(err, n, "{1} 不能有默认出线");
    for (uint32_t i = 0; i < n->out_count; i++) {
        Edge *e = &f->edges[n->out[i]];
        if (!may) e->condition = NULL;
        if (e->condition && n->out[i] == n->fallback)
            return refuse(err, n, "{1} 的默认出线 {2} 不能有条件", e->id);
        if (n->kind == NODE_EXCLUSIVE && n->out_count > 1 && !e->condition &&
            n->out[i] != n->fallback)
            return refuse(err, n, "排他网关 {1} 的出线 {2} 既没有条件，也不是默认出线", e->id);
        if (n->kind != NODE_COMPLEX || !e->condition) continue;
        Str *names;
        size_t count;
        feel_reads(e->condition, f->arena, &names, &count);
        for (size_t k = 0; k < count; k++) e->second |= str_eq(names[k], S("waitingForStart"));
    }
    return OK;
}

static Status event_gate_lint(const Flow *f, const Node *n, Error *err) {
    if (n->kind != NODE_EVENT_GATE) return OK;
    if (n->out_count < 2) return refuse(err, n, "事件网关 {1} 至少要有两条出线");
    for (uint32_t i = 0; i < n->out_count; i++) {
        const Node *to = &f->nodes[f->edges[n->out[i]].to];
        bool plain = to->in_count == 1 && !to->boundary_count && !to->multi &&
                     to->event != EVENT_LINK && to->start_quantity == 1;
        if ((to->kind != NODE_CATCH && to->kind != NODE_RECEIVE) || !plain)
            return refuse(err, n, "事件网关 {1} 之后只能是专属于它的捕获事件或接收任务，{2} 不是",
                          to->id);
        if (n->instantiate && to->event != EVENT_MESSAGE && to->event != EVENT_SIGNAL)
            return refuse(err, n, "启动流程的事件网关 {1} 之后只能是消息或信号，{2} 不是", to->id);
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

// Scopes: what they begin with

static void list_append(Flow *f, uint32_t **list, uint32_t *count, uint32_t node) {
    if ((*count & (*count - 1)) == 0) { // a power of two: full
        uint32_t *more = arena_array(f->arena, uint32_t, *count ? 2 * (size_t)*count : 1);
        if (*count) memcpy(more, *list, *count * sizeof *more);
        *list = more;
    }
    (*list)[(*count)++] = node;
}

static void starts_find(Flow *f) {
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        Node *n = &f->nodes[i];
        if (n->kind == NODE_PROCESS) continue;
        Node *scope = &f->nodes[n->parent];
        if (n->kind == NODE_START && n->event == EVENT_NONE && scope->start == NONE)
            scope->start = i;
        if (n->kind == NODE_START && scope->by_event) {
            Node *outer = &f->nodes[scope->parent];
            list_append(f, &outer->handlers, &outer->handlers_count, i);
            outer->handles |= n->event == EVENT_COMPENSATION;
        }
        if (!n->in_count && !node_starts_itself(n) && !n->instantiate)
            list_append(f, &scope->entries, &scope->entries_count, i);
    }
}

static Status scopes_lint(const Flow *f, Error *err) {
    uint32_t *starts = arena_array(f->arena, uint32_t, f->nodes_count);
    for (uint32_t i = 0; i < f->nodes_count; i++)
        if (f->nodes[i].kind == NODE_START || f->nodes[i].instantiate) starts[f->nodes[i].parent]++;
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        const Node *n = &f->nodes[i];
        if (n->kind != NODE_PROCESS && n->kind != NODE_SUBPROCESS) continue;
        if (!starts[i] && !n->entries_count) return refuse(err, n, "{1} 没有开始事件");
        if (n->by_event && starts[i] != 1)
            return refuse(err, n, "事件子流程 {1} 要有一个开始事件，只有一个");
        if (n->adhoc && starts[i]) return refuse(err, n, "即席子流程 {1} 不能有开始事件");
    }
    // Besides a start event that the flow begins with, nothing may begin without one.
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        const Node *n = &f->nodes[i];
        if (n->kind != NODE_CALL) continue;
        const Node *called = &f->nodes[n->call];
        if (called->start == NONE && !called->entries_count)
            return refuse(err, n, "{1} 所调用的流程 {2} 只能由事件启动", called->id);
    }
    return OK;
}

// References between events

static Status link_find(Flow *f, Node *n, Error *err) {
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        const Node *to = &f->nodes[i];
        if (to->kind != NODE_CATCH || to->event != EVENT_LINK || to->parent != n->parent) continue;
        if (!str_eq(to->events->name, n->events->name) &&
            !str_eq(to->events->id, n->events->name))
            continue;
        if (n->link != NONE) return refuse(err, n, "链接 {1} 有两个去处");
        n->link = i;
    }
    if (n->link == NONE) return refuse(err, n, "链接 {1} 没有去处");
    Node *to = &f->nodes[n->link];
    list_append(f, &to->linked, &to->linked_count, (uint32_t)(n - f->nodes));
    return OK;
}

static Status activity_find(const Flow *f, const Node *n, Event *e, Error *err) {
    if (!e->name.len) return OK;
    e->activity = flow_node(f, e->name);
    if (e->activity == NONE || !node_is_activity(&f->nodes[e->activity]))
        return refuse(err, n, "{1} 要补偿的活动 {2} 不存在", e->name);
    return OK;
}

static Status events_resolve(Flow *f, Error *err) {
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        Node *n = &f->nodes[i];
        Status status = OK;
        if (n->kind == NODE_THROW && n->event == EVENT_LINK) status = link_find(f, n, err);
        bool throws = n->kind == NODE_THROW || n->kind == NODE_END;
        for (uint32_t k = 0; k < n->events_count && !status; k++)
            if (throws && n->events[k].kind == EVENT_COMPENSATION)
                status = activity_find(f, n, &n->events[k], err);
        if (status) return status;
    }
    return OK;
}

// Compensation: whose completion must be kept. Only in files in which something compensates.
static void compensation_prepare(Flow *f) {
    bool any = false;
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        const Node *n = &f->nodes[i];
        if (n->kind != NODE_THROW && n->kind != NODE_END) continue;
        for (uint32_t k = 0; k < n->events_count; k++)
            any |= n->events[k].kind == EVENT_COMPENSATION || n->events[k].kind == EVENT_CANCEL;
    }
    // Calls may call what comes before them, so until nothing changes; each round marks one.
    for (bool more = any; more;) {
        more = false;
        for (uint32_t i = f->nodes_count; i > 0; i--) {
            Node *n = &f->nodes[i - 1];
            if (n->compensable || n->for_compensation || n->by_event) continue;
            const Node *inside = &f->nodes[n->kind == NODE_CALL ? n->call : i - 1];
            n->compensable = n->handler != NONE || inside->handles ||
                             (n->kind == NODE_CALL && inside->compensable);
            more |= n->compensable;
        }
        for (uint32_t i = f->nodes_count; i > 0; i--) {
            const Node *n = &f->nodes[i - 1];
            if (!n->compensable || n->kind == NODE_PROCESS) continue;
            Node *parent = &f->nodes[n->parent];
            if (parent->compensable || parent->by_event || parent->for_compensation) continue;
            parent->compensable = more = true;
        }
    }
}

// Walks

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
        if (n->link != NONE) walk_to(w, n->link);
    }
}

// `never`: a node the walk does not pass.
static void walk_backward(const Flow *f, Walk *w, uint32_t never) {
    for (uint32_t at = 0; at < w->count; at++) {
        const Node *n = &f->nodes[w->queue[at]];
        for (uint32_t i = 0; i < n->in_count; i++)
            if (f->edges[n->in[i]].from != never) walk_to(w, f->edges[n->in[i]].from);
        if (n->kind == NODE_BOUNDARY && n->host != never) walk_to(w, n->host);
        for (uint32_t i = 0; i < n->linked_count; i++) walk_to(w, n->linked[i]);
    }
}

static Walk walk_make(const Flow *f) {
    return (Walk){.seen = arena_array(f->arena, bool, f->nodes_count),
                  .queue = arena_array(f->arena, uint32_t, f->nodes_count)};
}

// Every node can be come to, and from every node its scope can end.
static Status reach_lint(const Flow *f, Error *err) {
    Walk forward = walk_make(f), backward = walk_make(f);
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        const Node *n = &f->nodes[i];
        if (n->kind == NODE_PROCESS) continue;
        bool linked = n->kind == NODE_CATCH && n->event == EVENT_LINK;
        if (!n->in_count && n->kind != NODE_BOUNDARY && !linked) walk_to(&forward, i);
        if (!n->out_count && n->link == NONE) walk_to(&backward, i);
    }
    walk_forward(f, &forward);
    walk_backward(f, &backward, NONE);
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        const Node *n = &f->nodes[i];
        if (n->kind == NODE_PROCESS) continue;
        if (!forward.seen[i]) return refuse(err, n, "从开始事件走不到 {1}");
        if (!backward.seen[i]) return refuse(err, n, "从 {1} 走不到任何结束事件");
    }
    return OK;
}

// Joins

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

static void arms_count(Flow *f) {
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        Node *n = &f->nodes[i];
        f->has_locals |= (n->kind == NODE_SUBPROCESS && n->locals_count) || n->isolated ||
                         (n->kind == NODE_CALL && f->nodes[n->call].locals_count);
        for (uint32_t k = 0; k < n->boundary_count; k++) {
            const Node *b = &f->nodes[n->boundary[k]];
            for (uint32_t j = 0; j < b->events_count; j++)
                n->arms += event_is_armed(b->events[j].kind);
        }
    }
}

Status flow_lint(Flow *f, Error *err) {
    starts_find(f);
    arms_count(f);
    Status status = scopes_lint(f, err);
    for (uint32_t i = 0; i < f->nodes_count && !status; i++) {
        const Node *n = &f->nodes[i];
        if (n->kind == NODE_PROCESS) continue;
        status = ends_lint(f, n, err);
        if (!status) status = conditions_lint(f, n, err);
        if (!status) status = event_gate_lint(f, n, err);
        if (!status) status = attributes_lint(n, err);
    }
    if (!status) status = events_resolve(f, err);
    if (!status) status = reach_lint(f, err);
    compensation_prepare(f);
    size_t used = 0;
    for (uint32_t i = 0; i < f->nodes_count && !status; i++) {
        NodeKind kind = f->nodes[i].kind;
        if ((kind == NODE_INCLUSIVE || kind == NODE_COMPLEX) && f->nodes[i].in_count > 1)
            status = reach_table(f, i, &used, err);
    }
    return status;
}
