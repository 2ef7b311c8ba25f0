// See migrate.h. Two passes: every token is put where it belongs in the new flow, which is then
// read as any stored state is, so that nothing comes through that the engine would not have made;
// then what has to wait beside the tokens and does not yet is armed.
#include "bpmn/migrate.h"

#include "bpmn/run.h"

#define T(text) ("" text)

typedef struct Migrate {
    const Flow *from, *to;
    Value mapping;
    bool timers_again;
    Arena *arena;
    Errors *errs;
    State old;
    State moved;    // first pass
    bool *withdrawn; // by node of `to`: an event there was withdrawn, so it waits anew
    bool *known;     // by node of `to`: some node of `from` becomes it
    Run run;         // second pass
    ListBuilder told;
} Migrate;

// Whether one may become the other

static uint32_t map_node(const Migrate *m, uint32_t node) {
    const Node *n = &m->from->nodes[node];
    Str id = v_text(v_get(m->mapping, n->id));
    uint32_t at = flow_node(m->to, id.len ? id : n->id);
    if (at == NONE && node == 0) return 0; // the main process, whatever it is called
    return at;
}

static bool is_person(const Node *n) { return n->kind == NODE_USER || n->kind == NODE_MANUAL; }

static bool kinds_fit(const Node *a, const Node *b) {
    if (a->kind == b->kind) return a->outside == b->outside;
    if (is_person(a) || is_person(b)) return is_person(a) && is_person(b);
    return a->outside && b->outside;
}

static bool multi_fits(const Node *a, const Node *b) {
    if (!a->multi || !b->multi) return a->multi == b->multi;
    return a->multi->standard == b->multi->standard && a->multi->sequential == b->multi->sequential;
}

static bool events_fit(const Node *a, const Node *b) {
    if (a->event != b->event || a->parallel != b->parallel) return false;
    if (a->event != EVENT_MULTIPLE) return true;
    if (a->events_count != b->events_count) return false;
    for (uint32_t i = 0; i < a->events_count; i++)
        if (a->events[i].kind != b->events[i].kind) return false;
    return true;
}

// NULL: it does.
static const char *misfit(const Node *a, const Node *b) {
    if (!kinds_fit(a, b)) return T("新版本里它是另一种环节");
    if (!events_fit(a, b)) return T("新版本里它等的是另一种事件");
    if (!multi_fits(a, b)) return T("新版本里它办几份的方式不同");
    if (a->by_event != b->by_event || a->transaction != b->transaction || a->adhoc != b->adhoc)
        return T("新版本里它是另一种子流程");
    return NULL;
}

static void refuse(Migrate *m, const Node *n, const char *why) {
    (void)errors_add(m->errs, INVALID, n->id, "环节“{1}”不能迁移：{2}", node_label(n), str_z(why));
}

// First pass: tokens

static const char *role_word(const Node *n, const Token *t) {
    if (t->role == ROLE_SCOPE || t->role == ROLE_MULTI) return "scope";
    if (t->role == ROLE_JOIN) return "join";
    if (is_person(n)) return "task";
    return n->outside ? "service" : "event";
}

static void tell(Migrate *m, const Token *t, const Node *was, const Node *is) {
    if (t->role == ROLE_DONE || t->role == ROLE_COMPENSATE || t->role == ROLE_RESET) return;
    ContextBuilder b = context_make(m->arena);
    context_put_new(&b, S("token"), v_int(t->id));
    context_put_new(&b, S("role"), v_str(str_z(role_word(was, t))));
    context_put_new(&b, S("from"), v_str(was->id));
    context_put_new(&b, S("to"), v_str(is->id));
    list_add(&m->told, context_done(&b));
}

// The process or sub-process of the new flow in which tokens of that scope live; NONE: its own
// place is refused already, or it is no sub-process.
static uint32_t inside_of(Migrate *m, int64_t scope) {
    if (!scope) return m->moved.process;
    const Token *t = state_token(&m->old, scope);
    if (!t || t->role != ROLE_SCOPE) return NONE;
    uint32_t at = map_node(m, t->node);
    return at == NONE || !node_is_scope(&m->to->nodes[at]) ? NONE : node_inside(m->to, at);
}

static const char *place_of(Migrate *m, const Token *t, uint32_t at) {
    const Node *was = &m->from->nodes[t->node], *is = &m->to->nodes[at];
    const char *why = misfit(was, is);
    if (why) return why;
    uint32_t inside = inside_of(m, t->scope);
    if (inside != NONE && is->parent != inside) return T("新版本里它在另一个子流程中");
    if (was->kind != NODE_CALL) return NULL;
    uint32_t called = map_node(m, was->call);
    return called == is->call ? NULL : T("新版本里它调用另一个流程");
}

// The way by which a token came to a join, or a complex gateway took one.
static uint32_t map_edge(const Migrate *m, uint32_t edge, uint32_t to) {
    const Edge *was = &m->from->edges[edge];
    uint32_t same = flow_edge(m->to, was->id);
    if (same != NONE && m->to->edges[same].to == to) return same;
    uint32_t from = map_node(m, was->from);
    const Node *n = &m->to->nodes[to];
    for (uint32_t i = 0; i < n->in_count; i++)
        if (m->to->edges[n->in[i]].from == from) return n->in[i];
    return NONE;
}

static bool move_edges(Migrate *m, Token *t) {
    ListBuilder list = list_make(m->arena);
    for (uint32_t i = 0; i < t->item.len; i++) {
        uint32_t edge = flow_edge(m->from, v_text(v_at(t->item, i)));
        edge = edge == NONE ? NONE : map_edge(m, edge, t->node);
        if (edge == NONE) return false;
        list_add(&list, v_str(m->to->edges[edge].id));
    }
    t->item = list_done(&list);
    return true;
}

static void keep(Migrate *m, const Token *t) { m->moved.tokens[m->moved.count++] = *t; }

static void move_token(Migrate *m, const Token *old) {
    const Node *was = &m->from->nodes[old->node];
    uint32_t at = map_node(m, old->node);
    const char *why = at == NONE ? T("新版本没有对应的环节") : place_of(m, old, at);
    Token t = *old;
    if (!why) {
        t.node = at;
        if (t.role == ROLE_JOIN) t.edge = map_edge(m, old->edge, at);
        if (t.role == ROLE_COMPENSATE && old->only != NONE) t.only = map_node(m, old->only);
        bool lost = (t.role == ROLE_JOIN && t.edge == NONE) ||
                    (t.role == ROLE_COMPENSATE && old->only != NONE && t.only == NONE) ||
                    (t.role == ROLE_RESET && !move_edges(m, &t));
        if (lost) why = T("新版本没有它走来的那条路");
    }
    if (why) {
        refuse(m, was, why);
        return;
    }
    keep(m, &t);
    tell(m, old, was, &m->to->nodes[at]);
}

// What waits beside a token is withdrawn when it has no place any more; that loses nothing.
static void move_arm(Migrate *m, const Token *old) {
    const Node *was = &m->from->nodes[old->node];
    const Event *event = &was->events[old->event];
    uint32_t at = map_node(m, old->node);
    const Node *is = at == NONE ? NULL : &m->to->nodes[at];
    bool stays = is && is->kind == was->kind && events_fit(was, is) &&
                 old->event < is->events_count && is->events[old->event].kind == event->kind;
    const Token *host = old->host ? state_token(&m->old, old->host) : NULL;
    if (stays && is->kind == NODE_BOUNDARY) stays = host && map_node(m, host->node) == is->host;
    if (stays && !host) { // an event sub-process
        const Node *sub = &m->to->nodes[is->parent];
        stays = sub->by_event && sub->parent == inside_of(m, old->scope);
    }
    bool timer = event->kind == EVENT_TIMER && !old->seen;
    if (stays && !(timer && m->timers_again)) {
        Token t = *old;
        t.node = at;
        keep(m, &t);
        return;
    }
    if (is) m->withdrawn[at] = true;
    if (!timer) return;
    FlowEffect *e = run_effect(&m->run, FLOW_CLEAR_TIMER, NONE, old->id);
    e->node = was->id;
    e->name = was->name;
}

static Status move_all(Migrate *m, Error *err) {
    m->moved = m->old;
    m->moved.process = map_node(m, m->old.process);
    m->moved.tokens = arena_array(m->arena, Token, m->old.count + 1);
    m->moved.count = 0;
    if (m->moved.process == NONE || m->to->nodes[m->moved.process].kind != NODE_PROCESS)
        return errors_add(m->errs, INVALID, m->from->nodes[m->old.process].id,
                          "新版本没有办件所走的流程“{1}”", m->from->nodes[m->old.process].id);
    size_t before = m->errs->count;
    for (size_t i = 0; i < m->old.count; i++) {
        const Token *t = &m->old.tokens[i];
        if (t->role == ROLE_ARM) move_arm(m, t);
        else move_token(m, t);
    }
    if (m->errs->count > before) return INVALID;
    Value written = state_write(m->to, &m->moved, m->arena);
    return state_read(m->to, written, m->arena, &m->run.state, err);
}

// Second pass: what waits beside them

static bool is_armed(const Migrate *m, uint32_t node, int64_t host, int64_t scope) {
    const State *s = &m->run.state;
    for (size_t i = 0; i < s->count; i++) {
        const Token *t = &s->tokens[i];
        if (t->role == ROLE_ARM && t->node == node && t->host == host && t->scope == scope)
            return true;
    }
    return false;
}

// One that the old version had too and that does not wait is over: it has fired.
static Status arm_new(Migrate *m, uint32_t node, int64_t host, int64_t scope) {
    const Node *n = &m->to->nodes[node];
    if ((m->known[node] && !m->withdrawn[node]) || is_armed(m, node, host, scope)) return OK;
    for (uint32_t i = 0; i < n->events_count; i++) {
        if (!event_is_armed(n->events[i].kind)) continue;
        Token *t = NULL;
        Status st = token_make(&m->run, node, ROLE_ARM, scope, &t);
        if (st != OK) return st;
        t->host = host;
        t->event = i;
        if (n->events[i].kind != EVENT_TIMER) continue;
        int64_t id = t->id, left = 0;
        st = run_timer(&m->run, node, i, id, scope, &left);
        if (st != OK) return st;
        run_token(&m->run, id)->left = left == 1 ? 0 : left;
    }
    return OK;
}

// Is an event sub-process at work in the scope? Then what it interrupted does not wait any more.
static bool is_handling(const Migrate *m, int64_t scope) {
    const State *s = &m->run.state;
    for (size_t i = 0; i < s->count; i++) {
        const Token *t = &s->tokens[i];
        if (t->role == ROLE_SCOPE && t->scope == scope && m->to->nodes[t->node].by_event)
            return true;
    }
    return false;
}

static Status arm_handlers(Migrate *m, uint32_t inside, int64_t scope) {
    const Node *n = &m->to->nodes[inside];
    if (is_handling(m, scope)) return OK;
    Status st = OK;
    for (uint32_t i = 0; st == OK && i < n->handlers_count; i++)
        st = arm_new(m, n->handlers[i], 0, scope);
    return st;
}

static Status arm_beside(Migrate *m, Token t) {
    const Node *n = &m->to->nodes[t.node];
    Status st = OK;
    bool hosts = t.role == ROLE_WAIT || t.role == ROLE_SCOPE || t.role == ROLE_MULTI;
    for (uint32_t i = 0; st == OK && hosts && !t.index && i < n->boundary_count; i++)
        st = arm_new(m, n->boundary[i], t.id, t.scope);
    bool gate = t.role == ROLE_WAIT && n->kind == NODE_EVENT_GATE;
    for (uint32_t i = 0; st == OK && gate && i < n->out_count; i++)
        st = arm_new(m, m->to->edges[n->out[i]].to, t.id, t.scope);
    if (st == OK && t.role == ROLE_WAIT && n->kind == NODE_CATCH && n->events_count > 1)
        st = arm_new(m, t.node, t.id, t.scope);
    if (st == OK && t.role == ROLE_SCOPE) st = arm_handlers(m, node_inside(m->to, t.node), t.id);
    int64_t left;
    if (st == OK && m->timers_again && t.role == ROLE_WAIT && n->event == EVENT_TIMER)
        st = run_timer(&m->run, t.node, 0, t.id, t.scope, &left);
    return st;
}

static Status arm_all(Migrate *m) {
    m->run.live = m->run.state.count;
    size_t count = m->run.state.count;
    Status st = arm_handlers(m, m->run.state.process, 0);
    for (size_t i = 0; st == OK && i < count; i++) st = arm_beside(m, m->run.state.tokens[i]);
    return st;
}

Status flow_migrate(const Flow *from, Value state, const Flow *to, Value mapping,
                    bool timers_again, Value facts, Instant now, Arena *a, FlowMigrated *ret,
                    Errors *errs) {
    Error err = {.status = OK};
    Migrate m = {.from = from,
                 .to = to,
                 .mapping = mapping,
                 .timers_again = timers_again,
                 .arena = a,
                 .errs = errs,
                 .told = list_make(a)};
    m.run = (Run){.flow = to, .arena = a, .err = &err, .now = now, .facts.variables = facts};
    Status st = state_read(from, state, a, &m.old, &err);
    if (st == OK && (!m.old.started || m.old.ended)) {
        *ret = (FlowMigrated){.state = state, .moved = list_done(&m.told)};
        return OK;
    }
    m.withdrawn = arena_array(a, bool, to->nodes_count);
    m.known = arena_array(a, bool, to->nodes_count);
    for (uint32_t i = 0; st == OK && i < from->nodes_count; i++) {
        uint32_t at = map_node(&m, i);
        if (at != NONE) m.known[at] = true;
    }
    size_t before = errs->count;
    if (st == OK) st = move_all(&m, &err);
    if (st == OK) st = arm_all(&m);
    if (st != OK) return errs->count > before ? st : errors_push(errs, &err);
    *ret = (FlowMigrated){.state = state_write(to, &m.run.state, a),
                          .effects = m.run.effects,
                          .effects_count = m.run.effects_count,
                          .moved = list_done(&m.told)};
    return OK;
}

// Proposing a mapping

static bool can_stand(const Node *n) {
    return node_is_activity(n) || node_is_gateway(n) || n->kind == NODE_CATCH;
}

static Value proposal(const Flow *from, const Node *n, const Flow *to, Arena *a) {
    ListBuilder choices = list_make(a);
    const Node *named = NULL;
    bool one = true;
    uint32_t same = flow_node(to, n->id);
    for (uint32_t i = 1; i < to->nodes_count; i++) {
        const Node *is = &to->nodes[i];
        if (!can_stand(is) || misfit(n, is)) continue;
        ContextBuilder c = context_make(a);
        context_put_new(&c, S("id"), v_str(is->id));
        context_put_new(&c, S("name"), v_str(node_label(is)));
        list_add(&choices, context_done(&c));
        // of the same name, and of no old node's id
        if (!n->name.len || !str_eq(is->name, n->name) || flow_node(from, is->id) != NONE) continue;
        one = !named;
        named = is;
    }
    bool fits = same != NONE && !misfit(n, &to->nodes[same]);
    Str taken = fits ? n->id : named && one ? named->id : S("");
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("from"), v_str(n->id));
    context_put_new(&b, S("name"), v_str(node_label(n)));
    context_put_new(&b, S("kind"), v_str(node_element(n)));
    context_put_new(&b, S("to"), v_str(taken));
    context_put_new(&b, S("same"), v_bool(fits));
    context_put_new(&b, S("choices"), list_done(&choices));
    return context_done(&b);
}

Value flow_mapping(const Flow *from, const Flow *to, Arena *a) {
    ListBuilder list = list_make(a);
    for (uint32_t i = 1; i < from->nodes_count; i++) {
        if (can_stand(&from->nodes[i])) {
            list_add(&list, proposal(from, &from->nodes[i], to, a));
        }
    }
    return list_done(&list);
}
