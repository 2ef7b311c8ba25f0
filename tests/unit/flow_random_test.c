// room: bpmn
// Random flows against an oracle, and small flows walked in every order.
//
// A flow is made as a tree of blocks: tasks one after another, parallel, exclusive or inclusive
// branches, loops, sub-processes, tasks with a boundary event, event-based choices. The oracle
// knows the tree, nothing of the engine: it says which tasks are open and what completing one (or
// an event) makes of it. Then, for flows without structure (any gateways, any edges), the oracle is
// a token game of its own on the graph, with the rule of 13.4.3 computed by brute force.
//
// After every step the state goes through JSON text, and through it twice; both must be the same.
#include "bpmn_fixture.h"

enum {
    DEPTH_MAX = 3,
    NODES_MAX = 120,
    TREES = 2000,
    WALKED = 200,      // trees walked in every order
    ORDERS_MAX = 2000, // steps of one of them
    GRAPHS = 4000,
    GRAPH_NODES = 14,
    WALK_MAX = 60, // steps of one flow
};

static uint64_t seed;

static uint32_t pick(uint32_t below) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % below);
}

// ---- trees of blocks

typedef enum BlockKind { TASK, SEQUENCE, PARALLEL, EXCLUSIVE, INCLUSIVE, LOOP, SUB, BOUNDARY, CHOICE
    } BlockKind;

typedef struct Block {
    BlockKind kind;
    uint32_t id;
    uint32_t count; // parts
    uint32_t parts[3];
    bool chosen[3]; // branches whose condition holds
    uint32_t rounds; // LOOP: how often its part runs
    bool interrupting;
    // where it stands
    bool active;
    uint32_t at, left; // SEQUENCE: part; PARALLEL, INCLUSIVE: parts still running; LOOP: round
    uint32_t beside;   // BOUNDARY that does not interrupt: tasks it set off that are open
} Block;

typedef struct Tree {
    Block blocks[NODES_MAX];
    uint32_t count;
    Buf xml;
    uint32_t edges;
    uint32_t loops;
} Tree;

static uint32_t grow_block(Tree *t, int depth) {
    uint32_t id = t->count++;
    Block *b = &t->blocks[id];
    *b = (Block){.id = id, .kind = TASK};
    if (depth == 0 || t->count > NODES_MAX - 20) return id;
    b->kind = (BlockKind)pick(9);
    b->count = b->kind == TASK || b->kind == BOUNDARY || b->kind == CHOICE ? 0
               : b->kind == LOOP || b->kind == SUB                         ? 1
                                                                           : 2 + pick(2);
    b->interrupting = pick(2);
    b->rounds = 1 + pick(3);
    for (uint32_t i = 0; i < b->count; i++) t->blocks[id].parts[i] = grow_block(t, depth - 1);
    b = &t->blocks[id];
    uint32_t one = pick(b->count ? b->count : 1);
    for (uint32_t i = 0; i < b->count; i++)
        b->chosen[i] = b->kind == PARALLEL || i == one || (b->kind == INCLUSIVE && pick(2));
    return id;
}

// Writing: each block has an entry and an exit node.

static void edge(Tree *t, const char *from, const char *to, const char *condition) {
    buf_printf(&t->xml, "<sequenceFlow id=\"f%u\" sourceRef=\"%s\" targetRef=\"%s\">", t->edges++,
               from, to);
    if (condition)
        buf_printf(&t->xml,
                   "<conditionExpression xsi:type=\"tFormalExpression\">%s</conditionExpression>",
                   condition);
    buf_lit(&t->xml, "</sequenceFlow>\n");
}

typedef struct Ends {
    char in[16], out[16];
} Ends;

static Ends name_both(char letter, uint32_t id) {
    Ends e;
    (void)snprintf(e.in, sizeof e.in, "%c%u", letter, id);
    (void)snprintf(e.out, sizeof e.out, "%c%u", letter, id);
    return e;
}

static Ends write_block(Tree *t, uint32_t id);

static const char *gate_name(BlockKind kind) {
    return kind == PARALLEL ? "parallelGateway" : kind == INCLUSIVE ? "inclusiveGateway" :
        "exclusiveGateway";
}

static Ends write_split(Tree *t, const Block *b) {
    Ends e = name_both('g', b->id);
    e.out[0] = 'j';
    buf_printf(&t->xml, "<%s id=\"%s\"/><%s id=\"%s\"/>\n", gate_name(b->kind), e.in,
               gate_name(b->kind), e.out);
    for (uint32_t i = 0; i < b->count; i++) {
        Ends part = write_block(t, b->parts[i]);
        edge(t, e.in, part.in, b->kind == PARALLEL ? NULL : b->chosen[i] ? "true" : "false");
        edge(t, part.out, e.out, NULL);
    }
    return e;
}

// A loop in the flow: runs its part while a script has not counted far enough.
static Ends write_loop(Tree *t, const Block *b) {
    Ends e = name_both('m', b->id), part = write_block(t, b->parts[0]);
    char script[16], check[16], condition[40];
    (void)snprintf(script, sizeof script, "k%u", b->id);
    (void)snprintf(check, sizeof check, "x%u", b->id);
    (void)snprintf(condition, sizeof condition, "c%u mod %u != 0", b->id, b->rounds);
    buf_printf(&t->xml,
               "<exclusiveGateway id=\"%s\"/><scriptTask id=\"%s\" yz:result=\"c%u\"><script>"
               "c%u + 1</script></scriptTask><exclusiveGateway id=\"%s\" default=\"f%u\"/>\n",
               e.in, script, b->id, b->id, check, t->edges);
    (void)snprintf(e.out, sizeof e.out, "y%u", b->id);
    buf_printf(&t->xml, "<exclusiveGateway id=\"%s\"/>\n", e.out);
    edge(t, check, e.out, NULL);
    // "mod" is a function in FEEL
    (void)snprintf(condition, sizeof condition, "modulo(c%u, %u) != 0", b->id, b->rounds);
    edge(t, check, e.in, condition);
    edge(t, e.in, part.in, NULL);
    edge(t, part.out, script, NULL);
    edge(t, script, check, NULL);
    return e;
}

static Ends write_boundary(Tree *t, const Block *b) {
    Ends e = name_both('t', b->id);
    char boundary[16], other[16];
    (void)snprintf(boundary, sizeof boundary, "b%u", b->id);
    (void)snprintf(other, sizeof other, "o%u", b->id);
    buf_printf(&t->xml,
               "<userTask id=\"%s\"/><userTask id=\"%s\"/><boundaryEvent id=\"%s\" "
               "attachedToRef=\"%s\" cancelActivity=\"%s\"><signalEventDefinition "
               "signalRef=\"sig%u\"/></boundaryEvent>\n",
               e.in, other, boundary, e.in, b->interrupting ? "true" : "false", b->id);
    edge(t, boundary, other, NULL);
    if (!b->interrupting) return e; // what it sets off ends by itself
    (void)snprintf(e.out, sizeof e.out, "y%u", b->id);
    buf_printf(&t->xml, "<exclusiveGateway id=\"%s\"/>\n", e.out);
    edge(t, e.in, e.out, NULL);
    edge(t, other, e.out, NULL);
    return e;
}

static Ends write_choice(Tree *t, const Block *b) {
    Ends e = name_both('g', b->id);
    (void)snprintf(e.out, sizeof e.out, "y%u", b->id);
    buf_printf(&t->xml, "<eventBasedGateway id=\"%s\"/><exclusiveGateway id=\"%s\"/>\n", e.in,
        e.out);
    for (int i = 0; i < 2; i++) {
        char event[20];
        (void)snprintf(event, sizeof event, "e%u_%d", b->id, i);
        buf_printf(&t->xml,
                   "<intermediateCatchEvent id=\"%s\">"
                   "<signalEventDefinition signalRef=\"sig%u%s\"/>"
                   "</intermediateCatchEvent>\n",
                   event, b->id, i ? "x" : "");
        edge(t, e.in, event, NULL);
        edge(t, event, e.out, NULL);
    }
    return e;
}

static Ends write_block(Tree *t, uint32_t id) {
    const Block *b = &t->blocks[id];
    Ends e = name_both('t', id), part;
    switch (b->kind) {
    case TASK: buf_printf(&t->xml, "<userTask id=\"t%u\"/>\n", id); return e;
    case SEQUENCE:
        e = write_block(t, b->parts[0]);
        for (uint32_t i = 1; i < b->count; i++) {
            part = write_block(t, b->parts[i]);
            edge(t, e.out, part.in, NULL);
            memcpy(e.out, part.out, sizeof e.out);
        }
        return e;
    case PARALLEL:
    case EXCLUSIVE:
    case INCLUSIVE: return write_split(t, b);
    case LOOP: return write_loop(t, b);
    case SUB:
        e = name_both('p', id);
        buf_printf(&t->xml, "<subProcess id=\"%s\"><startEvent id=\"s%u\"/>\n", e.in, id);
        part = write_block(t, b->parts[0]);
        (void)snprintf(e.out, sizeof e.out, "s%u", id);
        edge(t, e.out, part.in, NULL);
        buf_lit(&t->xml, "</subProcess>\n");
        return name_both('p', id);
    case BOUNDARY: return write_boundary(t, b);
    case CHOICE: return write_choice(t, b);
    }
    return e;
}

static Str write_tree(Tree *t, Arena *a) {
    t->xml = buf_make(a, 4096, 1 << 20);
    buf_lit(&t->xml, "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" "
                     "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
                     "xmlns:yz=\"urn:yizhan:flow:1\" targetNamespace=\"urn:test\">");
    for (uint32_t i = 0; i < t->count; i++)
        if (t->blocks[i].kind >= BOUNDARY)
            buf_printf(&t->xml, "<signal id=\"sig%u\"/><signal id=\"sig%ux\"/>", i, i);
    buf_lit(&t->xml, "<process id=\"p\" isExecutable=\"true\"><startEvent id=\"s\"/>"
                     "<endEvent id=\"e\"/>\n");
    Ends all = write_block(t, 0);
    edge(t, "s", all.in, NULL);
    edge(t, all.out, "e", NULL);
    buf_lit(&t->xml, "</process></definitions>");
    return buf_view(&t->xml);
}

// ---- the oracle of trees

static void begin(Tree *t, uint32_t id);
// True when the block is over because a part of it is.
static bool part_over(Tree *t, Block *b) {
    switch (b->kind) {
    case SEQUENCE:
        if (++b->at == b->count) return true;
        begin(t, b->parts[b->at]);
        return false; // every block waits for something at least once
    case LOOP:
        if (++b->at == b->rounds) return true;
        begin(t, b->parts[0]);
        return false;
    case PARALLEL:
    case INCLUSIVE: return --b->left == 0;
    default: return true;
    }
}

static void begin(Tree *t, uint32_t id) {
    Block *b = &t->blocks[id];
    b->active = true;
    b->at = 0;
    b->left = 0;
    switch (b->kind) {
    case TASK:
    case BOUNDARY:
    case CHOICE: return;
    case SEQUENCE:
    case LOOP:
    case SUB: begin(t, b->parts[0]); return;
    case PARALLEL:
    case INCLUSIVE:
    case EXCLUSIVE:
        for (uint32_t i = 0; i < b->count; i++) {
            if (!b->chosen[i]) continue;
            b->left++;
            begin(t, b->parts[i]);
        }
    }
}

static uint32_t parent_of(const Tree *t, uint32_t id) {
    for (uint32_t i = 0; i < id; i++)
        for (uint32_t k = 0; k < t->blocks[i].count; k++)
            if (t->blocks[i].parts[k] == id) return i;
    return UINT32_MAX;
}

// A sub-process is over only when what boundary events set off inside of it is.
static uint32_t beside_in(const Tree *t, uint32_t id) {
    const Block *b = &t->blocks[id];
    uint32_t n = b->kind == BOUNDARY && !b->interrupting ? b->beside : 0;
    for (uint32_t i = 0; i < b->count; i++) n += beside_in(t, b->parts[i]);
    return n;
}

static void over(Tree *t, uint32_t id) {
    t->blocks[id].active = false;
    uint32_t up = parent_of(t, id);
    if (up == UINT32_MAX) return;
    Block *b = &t->blocks[up];
    if (b->kind == SUB && beside_in(t, up)) return; // waits
    if (part_over(t, b)) over(t, up);
}

// What is left beside ended: is a sub-process around it over now?
static void beside_over(Tree *t, uint32_t id) {
    for (uint32_t up = parent_of(t, id); up != UINT32_MAX; up = parent_of(t, up)) {
        Block *b = &t->blocks[up];
        if (b->kind != SUB || !b->active) continue;
        bool inner = t->blocks[b->parts[0]].active;
        if (!inner && !beside_in(t, up)) over(t, up);
        return;
    }
}

static bool opens(const Tree *t, uint32_t id) {
    const Block *b = &t->blocks[id];
    return b->active && (b->kind == TASK || (b->kind == BOUNDARY && b->at == 0));
}

// ---- comparing

// The state, through text and back, must be the state.
static void same_through_text(Drive *d) {
    if (!d->state.len) return;
    Str once = json_to_str(drive_json(d->arena, d->state), d->arena);
    if (!str_eq(once, d->state)) fail_msg("another state: %.*s", S_FMT(once));
}

static size_t expected_open(const Tree *t) {
    size_t n = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        const Block *b = &t->blocks[i];
        n += opens(t, i) + b->beside;
        if (b->active && b->kind == BOUNDARY && b->at == 1) n++; // the other task
    }
    return n;
}

static void compare(const Tree *t, Drive *d, uint64_t number) {
    same_through_text(d);
    size_t open = expected_open(t);
    for (uint32_t i = 0; i < t->count; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "t%u", i);
        if (opens(t, i) != drive_is_open(d, name))
            fail_msg("seed %llu: %s should%s be open: %.*s", (unsigned long long)number, name,
                     opens(t, i) ? "" : " not", S_FMT(d->state));
    }
    if (open != d->open_count)
        fail_msg("seed %llu: %zu open, not %zu: %.*s", (unsigned long long)number, d->open_count,
                 open, S_FMT(d->state));
    bool over_all = !t->blocks[0].active && open == 0;
    if (d->ended != over_all) fail_msg("seed %llu: over or not", (unsigned long long)number);
}

// The k-th thing that can happen to a block: its task done, its event, a task beside it done.
// False: there is no such thing. Both the engine and the oracle are told.
static bool happen(Tree *t, Drive *d, uint32_t id, uint32_t k) {
    char name[20];
    Block *b = &t->blocks[id];
    if (b->kind == BOUNDARY && b->beside && k == 2) {
        (void)snprintf(name, sizeof name, "o%u", id);
        assert_int_equal(drive_done(d, name, S("")), OK);
        b->beside--;
        beside_over(t, id);
        return true;
    }
    if (!b->active || k == 2) return false;
    if (b->kind == CHOICE) {
        (void)snprintf(name, sizeof name, "sig%u%s", id, k ? "x" : "");
        assert_int_equal(drive_signal(d, str_z(name), S("")), OK);
        over(t, id);
        return true;
    }
    if (b->kind == BOUNDARY && k == 1) {
        if (b->at || (!b->interrupting && b->beside > 1)) return false;
        (void)snprintf(name, sizeof name, "sig%u", id);
        assert_int_equal(drive_signal(d, str_z(name), S("")), OK);
        if (b->interrupting) b->at = 1;
        else b->beside++;
        return true;
    }
    if (k || (b->kind != TASK && b->kind != BOUNDARY)) return false;
    (void)snprintf(name, sizeof name, "%c%u", b->kind == BOUNDARY && b->at ? 'o' : 't', id);
    assert_int_equal(drive_done(d, name, S("")), OK);
    over(t, id);
    return true;
}

static Str loop_variables(const Tree *t, Arena *a) {
    Buf b = buf_make(a, 64, 1 << 16);
    buf_lit(&b, "{\"-\":0");
    for (uint32_t i = 0; i < t->count; i++)
        if (t->blocks[i].kind == LOOP) buf_printf(&b, ",\"c%u\":0", i);
    buf_lit(&b, "}");
    return buf_view(&b);
}

static void trees(void **unused) {
    (void)unused;
    for (uint64_t number = 1; number <= TREES; number++) {
        seed = number * 977;
        Arena *a = arena_create(TEST_MEMORY);
        Tree *t = arena_new(a, Tree);
        (void)grow_block(t, DEPTH_MAX);
        Drive d = drive_make(write_tree(t, a));
        assert_int_equal(drive_start(&d, loop_variables(t, a)), OK);
        begin(t, 0);
        compare(t, &d, number);
        for (int i = 0; i < WALK_MAX && !d.ended; i++) {
            d.records_count = 0;
            while (!happen(t, &d, pick(t->count), pick(3))) continue;
            compare(t, &d, number);
        }
        drive_free(&d);
        arena_free(a);
    }
}

// ---- every order

typedef struct Walks {
    size_t steps, ends;
    uint64_t number;
} Walks;

static void walk_all(const Tree *t, const Drive *d, Walks *w, int depth) {
    if (d->ended) {
        w->ends++;
        return;
    }
    ArenaMark mark = arena_mark(d->arena);
    bool any = false;
    for (uint32_t id = 0; id < t->count; id++)
        for (uint32_t k = 0; k < 3; k++) {
            if (w->steps >= ORDERS_MAX || depth > WALK_MAX) return;
            Tree tree = *t;
            Drive drive = *d;
            drive.records_count = 0;
            if (!happen(&tree, &drive, id, k)) continue;
            any = true;
            w->steps++;
            compare(&tree, &drive, w->number);
            walk_all(&tree, &drive, w, depth + 1);
            arena_rewind(d->arena, mark);
        }
    if (!any) fail_msg("seed %llu: nothing can happen", (unsigned long long)w->number);
}

static void every_order(void **unused) {
    (void)unused;
    size_t whole = 0;
    for (uint64_t number = 1; number <= WALKED; number++) {
        seed = number * 7919;
        Arena *a = arena_create(TEST_MEMORY);
        Tree *t = arena_new(a, Tree);
        (void)grow_block(t, 2);
        Drive d = drive_make(write_tree(t, a));
        assert_int_equal(drive_start(&d, loop_variables(t, a)), OK);
        begin(t, 0);
        compare(t, &d, number);
        Walks w = {.number = number};
        walk_all(t, &d, &w, 0);
        whole += w.steps < ORDERS_MAX && w.ends > 0;
        drive_free(&d);
        arena_free(a);
    }
    assert_true(whole > WALKED / 2); // most were walked in every order there is
}

// ---- graphs without structure

typedef struct Graph {
    uint32_t count; // nodes; 0 is the first task
    char kind[GRAPH_NODES];        // t task, p parallel, x exclusive, o inclusive
    bool edge[GRAPH_NODES][GRAPH_NODES]; // from lower to higher only: no loops
    bool holds[GRAPH_NODES][GRAPH_NODES];
    // the oracle's tokens
    uint32_t open[GRAPH_NODES];
    uint32_t waits[GRAPH_NODES][GRAPH_NODES]; // [from][join]
} Graph;

static uint32_t incoming(const Graph *g, uint32_t to) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < to; i++) n += g->edge[i][to];
    return n;
}

static void grow_graph(Graph *g) {
    *g = (Graph){.count = 4 + pick(GRAPH_NODES - 4)};
    for (uint32_t i = 1; i < g->count; i++) {
        g->edge[pick(i)][i] = true; // everything can be come to
        for (uint32_t k = pick(3); k > 0; k--) g->edge[pick(i)][i] = true;
    }
    bool join = false;
    for (uint32_t i = 0; i < g->count; i++) {
        g->kind[i] = i == 0 ? 't' : "ttpxo"[pick(5)];
        bool joins = g->kind[i] == 'o' && incoming(g, i) > 1;
        // Of several inclusive joins the order in which they fire matters; one is enough here.
        if (joins && join) g->kind[i] = 'x';
        join |= joins;
        uint32_t chosen = NODES_MAX;
        for (uint32_t k = i + 1; k < g->count; k++) {
            if (!g->edge[i][k]) continue;
            if (chosen == NODES_MAX || pick(2)) chosen = k;
            g->holds[i][k] = pick(2);
        }
        if (chosen != NODES_MAX) g->holds[i][chosen] = true;
    }
}

static Str write_graph(const Graph *g, Arena *a) {
    Buf b = buf_make(a, 4096, 1 << 20);
    buf_lit(&b, FLOW_HEAD "<process id=\"p\" isExecutable=\"true\"><startEvent id=\"s\"/>"
                          "<sequenceFlow id=\"f\" sourceRef=\"s\" targetRef=\"n0\"/>");
    for (uint32_t i = 0; i < g->count; i++) {
        const char *kind = g->kind[i] == 't'   ? "userTask"
                           : g->kind[i] == 'p' ? "parallelGateway"
                           : g->kind[i] == 'x' ? "exclusiveGateway"
                                               : "inclusiveGateway";
        buf_printf(&b, "<%s id=\"n%u\"/>", kind, i);
        bool conditions = g->kind[i] == 'x' || g->kind[i] == 'o';
        for (uint32_t k = i + 1; k < g->count; k++) {
            if (!g->edge[i][k]) continue;
            buf_printf(&b, "<sequenceFlow id=\"f%u_%u\" sourceRef=\"n%u\" targetRef=\"n%u\">", i, k,
                       i, k);
            if (conditions)
                buf_printf(&b, "<conditionExpression>%s</conditionExpression>",
                           g->holds[i][k] ? "true" : "false");
            buf_lit(&b, "</sequenceFlow>");
        }
    }
    buf_lit(&b, "</process></definitions>");
    return buf_view(&b);
}

static void graph_leave(Graph *g, uint32_t node);

static void graph_come(Graph *g, uint32_t from, uint32_t to) {
    bool joins = (g->kind[to] == 'p' || g->kind[to] == 'o') && incoming(g, to) > 1;
    if (g->kind[to] == 't') {
        g->open[to]++;
    } else if (!joins) {
        graph_leave(g, to);
    } else {
        g->waits[from][to]++;
        if (g->kind[to] == 'o') return;
        for (uint32_t i = 0; i < to; i++)
            if (g->edge[i][to] && !g->waits[i][to]) return;
        for (uint32_t i = 0; i < to; i++)
            if (g->edge[i][to]) g->waits[i][to]--;
        graph_leave(g, to);
    }
}

static void graph_leave(Graph *g, uint32_t node) {
    for (uint32_t k = node + 1; k < g->count; k++) {
        bool chooses = g->kind[node] == 'x' || g->kind[node] == 'o';
        if (!g->edge[node][k] || (chooses && !g->holds[node][k])) continue;
        graph_come(g, node, k);
        if (g->kind[node] == 'x') return;
    }
}

// Could a token at `at` come to the join by an edge on which (`waiting`) one waits, or none does?
static bool graph_reaches(const Graph *g, uint32_t at, uint32_t join, bool waiting) {
    for (uint32_t k = at + 1; k < g->count; k++) {
        if (!g->edge[at][k]) continue;
        if (k == join ? (g->waits[at][join] > 0) == waiting : graph_reaches(g, k, join, waiting))
            return true;
    }
    return false;
}

static bool graph_holds(const Graph *g, uint32_t at) {
    if (g->open[at]) return true;
    for (uint32_t i = 0; i < at; i++)
        if (g->waits[i][at]) return true;
    return false;
}

// The inclusive join, when nothing else moves.
static void graph_settle(Graph *g) {
    for (uint32_t join = 0; join < g->count; join++) {
        if (g->kind[join] != 'o' || incoming(g, join) < 2) continue;
        for (bool fires = graph_holds(g, join); fires; fires = graph_holds(g, join)) {
            for (uint32_t at = 0; at < join && fires; at++)
                if (graph_holds(g, at) && graph_reaches(g, at, join, false) &&
                    !graph_reaches(g, at, join, true))
                    fires = false;
            if (!fires) break;
            for (uint32_t i = 0; i < join; i++)
                if (g->waits[i][join]) g->waits[i][join]--;
            graph_leave(g, join);
        }
    }
}

static void graph_compare(const Graph *g, Drive *d, uint64_t number) {
    same_through_text(d);
    size_t all = 0, waiting = 0;
    for (uint32_t i = 0; i < g->count; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "n%u", i);
        size_t open = 0;
        for (size_t k = 0; k < d->open_count; k++) open += strcmp(d->open[k].node, name) == 0;
        if (open != g->open[i])
            fail_msg("graph %llu: %s is open %zu times, not %u: %.*s", (unsigned long long)number,
                     name, open, g->open[i], S_FMT(d->state));
        all += open;
        for (uint32_t k = 0; k < i; k++) waiting += g->waits[k][i];
    }
    if (d->ended != (all + waiting == 0) || d->step.stuck != (all == 0 && waiting > 0))
        fail_msg("graph %llu: ended %d, stuck %d: %.*s", (unsigned long long)number, d->ended,
                 d->step.stuck, S_FMT(d->state));
}

static void graphs(void **unused) {
    (void)unused;
    size_t joined = 0, stuck = 0;
    for (uint64_t number = 1; number <= GRAPHS; number++) {
        seed = number * 104729;
        Arena *a = arena_create(TEST_MEMORY);
        Graph *g = arena_new(a, Graph);
        grow_graph(g);
        Drive d = drive_make(write_graph(g, a));
        assert_int_equal(drive_start(&d, S("")), OK);
        g->open[0] = 1;
        graph_compare(g, &d, number);
        for (int i = 0; i < WALK_MAX && !d.ended && d.open_count && d.open_count < 40; i++) {
            uint32_t node = pick(g->count);
            while (!g->open[node]) node = pick(g->count);
            char name[16];
            (void)snprintf(name, sizeof name, "n%u", node);
            d.records_count = 0;
            Status status = drive_done(&d, name, S(""));
            if (status) fail_msg("graph %llu: refused", (unsigned long long)number);
            g->open[node]--;
            graph_leave(g, node);
            graph_settle(g);
            graph_compare(g, &d, number);
        }
        joined += d.ended;
        stuck += d.step.stuck;
        drive_free(&d);
        arena_free(a);
    }
    assert_true(joined > GRAPHS / 4 && stuck > 10); // the generator makes both
}

int main(void) {
    const struct CMUnitTest all[] = {
        cmocka_unit_test(trees),
        cmocka_unit_test(every_order),
        cmocka_unit_test(graphs),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
