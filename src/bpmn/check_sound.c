// FLOW.Deadlock, FLOW.LackOfSync: soundness of the token flow, for every process level by itself
// (a sub-process is one node of the level around it), and for processes that exchange messages.
//
// A level becomes a graph of joins and splits. It is made smaller by rules that keep soundness
// (van der Aalst, van Hee et al., "Soundness of workflow nets", 2011): a node with one way out and
// its successor with one way in are merged, equal edges between a split and its matching join are
// one, an exclusive loop of one node is dropped. What structure leaves is walked marking by marking
// (check_sound_walk.c). Data is not looked at: every condition may come out either way.
//
// Not decided, and so without a finding: levels with more than SOUND_NODES_MAX nodes,
// SOUND_BITS_MAX edges after reducing or FLOW_SOUND_STATES_MAX markings; ad-hoc sub-processes,
// which have no flow. Boundary events that do not interrupt are walked as starts of their own.
#include "bpmn/check_sound.h"

// ---- building --------------------------------------------------------------------------------

typedef struct Build {
    Check *c;
    SoundGraph g;
    uint32_t *index; // node by DocumentNode.order, + 1
    bool implicit_start; // no start event: all that has no way in begins at once
    uint32_t exits;
} Build;

static uint32_t edge_add(Build *b, uint32_t from, uint32_t to) {
    SoundGraph *g = &b->g;
    if (g->edges_count == g->edges_cap) {
        g->undecided = true;
        return 0;
    }
    g->edges[g->edges_count] = (SoundEdge){.from = from, .to = to};
    if (from == SOUND_OUTSIDE) g->edges[g->edges_count].start = ++g->starts_count;
    return (uint32_t)g->edges_count++;
}

static uint32_t node_of(const Build *b, const DocumentNode *n) {
    return n ? b->index[n->order] - 1 : SOUND_OUTSIDE;
}

static bool ends_all(const Check *c, const DocumentNode *n) {
    return n->name == EL_endEvent &&
           (check_definitions(c, n) & (DEF_TERMINATE | DEF_ERROR | DEF_CANCEL));
}

static void node_add(Build *b, const DocumentNode *n) {
    SoundNode node = {.at = n, .split = SOUND_ALL, .ends_all = ends_all(b->c, n)};
    switch (n->name) {
    case EL_exclusiveGateway: node.split = SOUND_ONE; break;
    case EL_eventBasedGateway:
        node.by_event = !str_eq(document_attribute(n, S("eventGatewayType")), S("Parallel"));
        if (node.by_event) node.split = SOUND_ONE;
        break;
    case EL_parallelGateway: node.join = SOUND_EVERY; break;
    case EL_inclusiveGateway:
    case EL_complexGateway:
        node.join = SOUND_WAITS;
        node.split = SOUND_SOME;
        break;
    default: break;
    }
    b->g.nodes[b->g.nodes_count++] = node;
    b->index[n->order] = (uint32_t)b->g.nodes_count;
}

static bool is_node(const DocumentNode *n) {
    return n->space == SPACE_BPMN && check_is(n, T_FLOW_NODE) && n->name != EL_boundaryEvent &&
           !check_is_event_subprocess(n) && !document_flag(n, S("isForCompensation"), false);
}

static void flow_add(Build *b, const CheckEdge *e, uint32_t from, uint32_t exit) {
    const uint32_t to = node_of(b, e->target);
    if (to == SOUND_OUTSIDE) return;
    const uint32_t i = edge_add(b, from, to);
    SoundEdge *edge = &b->g.edges[i];
    edge->exit = exit;
    if (exit || !check_is(e->source, T_ACTIVITY)) return;
    edge->conditional = document_child(e->flow, EL_conditionExpression) != NULL;
    const Str id = document_attribute(e->flow, S("id"));
    edge->is_default = id.len && str_eq(document_attribute(e->source, S("default")), id);
}

static void outs_add(Build *b, const DocumentNode *n, uint32_t from, uint32_t exit) {
    const CheckFile *f = b->c->file;
    for (uint32_t i = check_info(b->c, n)->first_out; i != CHECK_NO_EDGE; i = f->edges[i].next_out)
        if (f->edges[i].target && f->edges[i].target->parent == n->parent)
            flow_add(b, &f->edges[i], from, exit);
}

static const DocumentNode *link_of(const DocumentNode *event) {
    return document_child(event, EL_linkEventDefinition);
}

// A link is an edge: to the event that the throwing one names, or that has its name.
static void link_add(Build *b, const DocumentNode *n) {
    const DocumentNode *link = link_of(n);
    const DocumentNode *to = check_ref_child(b->c, link, EL_target);
    if (to && node_of(b, to->parent) != SOUND_OUTSIDE) {
        (void)edge_add(b, node_of(b, n), node_of(b, to->parent));
        return;
    }
    for (const DocumentNode *e = document_first(n->parent); e; e = document_next(e)) {
        if (e->name != EL_intermediateCatchEvent || !link_of(e)) continue;
        if (!str_eq(document_attribute(link_of(e), S("name")),
                    document_attribute(link, S("name"))))
            continue;
        (void)edge_add(b, node_of(b, n), node_of(b, e));
        return;
    }
}

// The ways out of a boundary event are ways out of its activity.
static void boundary_add(Build *b, const DocumentNode *n) {
    const DocumentNode *host = check_ref_attribute(b->c, n, S("attachedToRef"));
    const uint32_t from = node_of(b, host);
    if (!host || from == SOUND_OUTSIDE || (check_definitions(b->c, n) & DEF_COMPENSATE)) return;
    if (document_flag(n, S("cancelActivity"), true)) outs_add(b, n, from, ++b->exits);
}

static bool has_ins(const Build *b, uint32_t node) {
    for (size_t i = 0; i < b->g.edges_count; i++)
        if (b->g.edges[i].to == node) return true;
    return false;
}

static bool begins(const DocumentNode *n) {
    return n->name == EL_startEvent ||
           ((n->name == EL_receiveTask || n->name == EL_eventBasedGateway) &&
            document_flag(n, S("instantiate"), false));
}

static void starts_add(Build *b, const DocumentNode *level) {
    for (const DocumentNode *n = document_first(level); n; n = document_next(n))
        if (is_node(n) && begins(n))
            (void)edge_add(b, SOUND_OUTSIDE, node_of(b, n));
    if (b->g.starts_count) return;
    b->implicit_start = true;
    for (const DocumentNode *n = document_first(level); n; n = document_next(n))
        if (is_node(n) && !has_ins(b, node_of(b, n)))
            (void)edge_add(b, SOUND_OUTSIDE, node_of(b, n));
}

static size_t count_nodes(const DocumentNode *level) {
    size_t count = 0;
    for (const DocumentNode *n = document_first(level); n; n = document_next(n))
        count += n->space == SPACE_BPMN && check_is(n, T_FLOW_NODE);
    return count;
}

static void level_add(Build *b, const DocumentNode *level) {
    for (const DocumentNode *n = document_first(level); n; n = document_next(n))
        if (is_node(n)) node_add(b, n);
    for (const DocumentNode *n = document_first(level); n; n = document_next(n)) {
        if (is_node(n)) outs_add(b, n, node_of(b, n), 0);
        if (n->name == EL_intermediateThrowEvent && link_of(n)) link_add(b, n);
        if (n->name == EL_boundaryEvent) boundary_add(b, n);
    }
}

// Ways out of a level's nodes, with room for starts and links.
static size_t count_edges(const Check *c, const DocumentNode *level) {
    size_t count = 0;
    for (const DocumentNode *n = document_first(level); n; n = document_next(n))
        if (n->space == SPACE_BPMN) count += 2 * (size_t)check_info(c, n)->outs + 2;
    return count;
}

// `index`: zeros, one for each element of the file.
static Build build_make(Check *c, uint32_t *index, size_t nodes, size_t edges) {
    Build b = {.c = c, .g = {.arena = c->arena}, .index = index};
    b.g.nodes = arena_array(c->arena, SoundNode, nodes);
    b.g.edges = arena_array(c->arena, SoundEdge, edges);
    b.g.edges_cap = edges;
    return b;
}

static void index_clear(Build *b, const DocumentNode *level) {
    for (const DocumentNode *n = document_first(level); n; n = document_next(n))
        b->index[n->order] = 0;
}

// ---- reducing --------------------------------------------------------------------------------

typedef struct Degree {
    uint32_t ins, outs;
} Degree;

static void degrees(const SoundGraph *g, Degree *ret) {
    memset(ret, 0, g->nodes_count * sizeof *ret);
    for (uint32_t i = 0; i < g->edges_count; i++) {
        const SoundEdge *e = &g->edges[i];
        if (e->gone) continue;
        if (e->from != SOUND_OUTSIDE) ret[e->from].outs++;
        ret[e->to].ins++;
    }
}

// `e` is the only way out of its node and the only way into the next: they become one, that joins
// as the first and splits as the second.
static bool merge(SoundGraph *g, Degree *d, uint32_t i) {
    SoundEdge *e = &g->edges[i];
    if (e->gone || e->from == SOUND_OUTSIDE || e->from == e->to || e->exit || e->conditional)
        return false;
    SoundNode *a = &g->nodes[e->from], *b = &g->nodes[e->to];
    if (d[e->from].outs != 1 || d[e->to].ins != 1 || d[e->to].outs == 0 || a->fixed || b->fixed)
        return false;
    // Two tokens must not pass unseen: what joins here is what findings name.
    a->split = b->split;
    a->by_event = b->by_event;
    if (d[e->from].ins == 1) {
        a->at = b->at;
        a->join = SOUND_ANY;
    }
    b->gone = e->gone = true;
    d[e->from].outs = d[e->to].outs;
    for (size_t k = 0; k < g->edges_count; k++)
        if (!g->edges[k].gone && g->edges[k].from == e->to) g->edges[k].from = e->from;
    return true;
}

static bool same_way(const SoundEdge *x, const SoundEdge *y) {
    return x->from == y->from && x->to == y->to && x->exit == y->exit && !x->conditional &&
           !y->conditional && !x->message && !y->message;
}

static bool drop_twin(Check *c, SoundGraph *g, const Degree *d, uint32_t i) {
    SoundEdge *e = &g->edges[i];
    if (e->gone || e->from == SOUND_OUTSIDE || d[e->from].outs < 2 || d[e->to].ins < 2)
        return false;
    c->work->sound_steps += g->edges_count / 4;
    const SoundNode *from = &g->nodes[e->from], *to = &g->nodes[e->to];
    if (e->from == e->to) {
        size_t others = 0;
        for (size_t k = 0; k < g->edges_count; k++)
            others += !g->edges[k].gone && g->edges[k].from == e->from && k != i;
        if (from->join != SOUND_ANY || from->split != SOUND_ONE || !others || from->fixed)
            return false;
        return e->gone = true;
    }
    const bool matching = (from->split == SOUND_ALL && to->join == SOUND_EVERY) ||
                          (from->split == SOUND_ONE && to->join == SOUND_ANY) ||
                          (from->split == SOUND_SOME && to->join == SOUND_WAITS);
    if (!matching || from->fixed || to->fixed) return false;
    for (uint32_t k = 0; k < i; k++)
        if (!g->edges[k].gone && same_way(&g->edges[k], e)) return e->gone = true;
    return false;
}

static bool can_go_on(const Check *c) {
    return c->work->sound_steps <= FLOW_SOUND_STEPS_MAX;
}

static void edges_pack(SoundGraph *g) {
    size_t kept = 0;
    for (size_t i = 0; i < g->edges_count; i++)
        if (!g->edges[i].gone) g->edges[kept++] = g->edges[i];
    g->edges_count = kept;
}

// Every round removes an edge, so it ends.
static void reduce(Check *c, SoundGraph *g) {
    Degree *d = arena_array(g->arena, Degree, g->nodes_count);
    bool changed = true;
    while (changed && !g->undecided) {
        changed = false;
        degrees(g, d);
        for (uint32_t i = 0; i < g->edges_count && can_go_on(c); i++)
            changed |= drop_twin(c, g, d, i);
        degrees(g, d);
        for (uint32_t i = 0; i < g->edges_count && can_go_on(c); i++) {
            if (!merge(g, d, i)) continue;
            c->work->sound_steps += g->edges_count / 4;
            changed = true;
        }
        if (!can_go_on(c)) g->undecided = true;
        edges_pack(g);
    }
}

// Where no paths meet, nothing can wait and nothing can come twice.
static bool has_joins(const SoundGraph *g) {
    Degree *d = arena_array(g->arena, Degree, g->nodes_count);
    degrees(g, d);
    for (size_t i = 0; i < g->nodes_count; i++)
        if (!g->nodes[i].gone && d[i].ins > 1) return true;
    return false;
}

// ---- a level ---------------------------------------------------------------------------------

// Boundary events that do not interrupt begin a path of their own beside the normal flow.
static void beside_add(Build *b, const DocumentNode *level) {
    for (const DocumentNode *n = document_first(level); n; n = document_next(n)) {
        if (n->name != EL_boundaryEvent || document_flag(n, S("cancelActivity"), true)) continue;
        const CheckFile *f = b->c->file;
        for (uint32_t i = check_info(b->c, n)->first_out; i != CHECK_NO_EDGE;
             i = f->edges[i].next_out) {
            const uint32_t to = node_of(b, f->edges[i].target);
            if (to != SOUND_OUTSIDE) (void)edge_add(b, SOUND_OUTSIDE, to);
        }
    }
}

static void walk_all(Build *b, uint32_t starts) {
    const uint32_t all = b->g.starts_count;
    const bool partial = all > starts || (starts > 1 && !b->implicit_start);
    if (b->implicit_start) sound_walk(b->c, &b->g, 1, starts, partial);
    for (uint32_t i = b->implicit_start ? starts + 1 : 1; i <= all; i++)
        sound_walk(b->c, &b->g, i, i, partial);
}

static void level(Check *c, uint32_t *index, const DocumentNode *n) {
    const size_t nodes = count_nodes(n), edges = count_edges(c, n);
    if (!nodes || nodes > SOUND_NODES_MAX || edges > 3 * SOUND_EDGES_MAX || !can_go_on(c)) return;
    const ArenaMark mark = arena_mark(c->arena);
    const size_t before = c->findings->count;
    Build b = build_make(c, index, nodes, edges);
    level_add(&b, n);
    starts_add(&b, n);
    const uint32_t starts = b.g.starts_count;
    beside_add(&b, n);
    if (!b.g.undecided) reduce(c, &b.g);
    if (!b.g.undecided && has_joins(&b.g)) walk_all(&b, starts);
    index_clear(&b, n);
    // Findings live in the arena: what was needed to find none is given back.
    if (c->findings->count == before) arena_rewind(c->arena, mark);
}

// ---- processes that exchange messages --------------------------------------------------------

// A process that is there once, and whose messages are known.
static bool takes_part(const Check *c, const DocumentNode *process) {
    const DocumentNode *root = c->file->root;
    if (process->name != EL_process) return false;
    for (const DocumentNode *n = document_first(root); n; n = document_next(n)) {
        if (n->name != EL_collaboration) continue;
        for (const DocumentNode *p = document_first(n); p && check_spend(c, 1);
             p = document_next(p)) {
            if (p->name != EL_participant ||
                check_ref_attribute(c, p, S("processRef")) != process)
                continue;
            const DocumentNode *many = document_child(p, EL_participantMultiplicity);
            int64_t most = 1;
            const Str text = many ? document_attribute(many, S("maximum")) : S("");
            if (text.len && (!str_to_int(text, &most) || most > 1)) return false;
        }
    }
    return true;
}

// Whether `n` waits for a message, of nodes in the graph only, and of one. A message flow to any
// other activity says that it takes the message, not that it waits for it.
static bool waits_for_one(const Build *b, const DocumentNode *n) {
    const CheckFile *f = b->c->file;
    size_t count = 0;
    if (n->name != EL_receiveTask && n->name != EL_startEvent &&
        n->name != EL_intermediateCatchEvent)
        return false;
    for (size_t i = 0; i < f->messages_count && check_spend(b->c, 1); i++) {
        if (f->messages[i].target != n) continue;
        if (!f->messages[i].source || node_of(b, f->messages[i].source) == SOUND_OUTSIDE)
            return false;
        count++;
    }
    return count == 1;
}

static void messages_add(Build *b) {
    const CheckFile *f = b->c->file;
    for (size_t i = 0; i < f->messages_count; i++) {
        const CheckEdge *m = &f->messages[i];
        // The ends may lie in another file, whose elements are numbered by themselves.
        if (!m->source || !m->target || check_id(f, document_attribute(m->source, S("id"))) !=
            m->source || check_id(f, document_attribute(m->target, S("id"))) != m->target)
            continue;
        const uint32_t from = node_of(b, m->source), to = node_of(b, m->target);
        if (from == SOUND_OUTSIDE || to == SOUND_OUTSIDE || !waits_for_one(b, m->target)) continue;
        b->g.edges[edge_add(b, from, to)].message = true;
        b->g.nodes[from].fixed = b->g.nodes[to].fixed = true;
    }
}

static bool has_message_in(const Build *b, uint32_t node) {
    for (size_t i = 0; i < b->g.edges_count; i++)
        if (b->g.edges[i].message && b->g.edges[i].to == node) return true;
    return false;
}

// Every process begins by itself, or when its message comes. False when it has several ways to.
static bool process_starts_add(Build *b, const DocumentNode *process) {
    size_t starts = 0;
    for (const DocumentNode *n = document_first(process); n; n = document_next(n)) {
        if (!is_node(n) || !begins(n)) continue;
        if (++starts > 1) return false;
        if (!has_message_in(b, node_of(b, n)))
            (void)edge_add(b, SOUND_OUTSIDE, node_of(b, n));
    }
    return starts == 1;
}

// One walk over all processes of the file that take part, message by message.
static void together(Check *c, uint32_t *index) {
    const DocumentNode *root = c->file->root;
    size_t nodes = 0, edges = c->file->messages_count, processes = 0;
    for (const DocumentNode *n = document_first(root); n; n = document_next(n)) {
        if (!takes_part(c, n)) continue;
        nodes += count_nodes(n);
        edges += count_edges(c, n);
        processes++;
    }
    if (processes < 2 || nodes > SOUND_NODES_MAX || edges > 3 * SOUND_EDGES_MAX || !can_go_on(c))
        return;
    const ArenaMark mark = arena_mark(c->arena);
    const size_t before = c->findings->count;
    Build b = build_make(c, index, nodes, edges);
    b.g.several = true;
    bool clear = true;
    for (const DocumentNode *n = document_first(root); n; n = document_next(n))
        if (takes_part(c, n)) level_add(&b, n);
    messages_add(&b);
    for (const DocumentNode *n = document_first(root); n && clear; n = document_next(n))
        if (takes_part(c, n) && count_nodes(n)) clear = process_starts_add(&b, n);
    if (clear && !b.g.undecided) {
        reduce(c, &b.g);
        if (!b.g.undecided) sound_walk(c, &b.g, 1, b.g.starts_count, false);
    }
    if (c->findings->count == before) arena_rewind(c->arena, mark);
}

void check_soundness(Check *c) {
    const DocumentNode *root = c->file->root;
    uint32_t *index = arena_array(c->arena, uint32_t, c->file->document->elements);
    for (const DocumentNode *n = root; n; n = document_walk(n, root)) {
        const bool ordered = n->name == EL_process || n->name == EL_subProcess ||
                             n->name == EL_transaction;
        if (ordered) level(c, index, n);
    }
    if (c->file->messages_count) together(c, index);
}
