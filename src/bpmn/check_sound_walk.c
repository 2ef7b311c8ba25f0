// See check_sound.h. A marking is a set of edges that hold a token; a second token on an edge is a
// lack of synchronisation, a marking with tokens from which nothing can move is a deadlock.
#include "bpmn/check_sound.h"

enum { WORDS = SOUND_BITS_MAX / 64, STATES_FIRST = 64, TRANSITIONS_FIRST = 64 };

typedef struct Bits {
    uint64_t words[WORDS];
} Bits;

typedef struct Transition {
    Bits take, give;
    uint32_t node;
    bool waits; // an inclusive join: `take` is whatever its ways in hold
} Transition;

typedef struct Walk {
    Check *c;
    SoundGraph *g;
    uint32_t *bit; // of an edge
    uint32_t *edge_of;
    size_t bits_count;
    Transition *transitions;
    size_t transitions_count, transitions_cap;
    Bits *ins;      // by node: its ways in
    Bits *reaching; // by bit: edges from which a token can come to it without passing its node
    Bits messages;
    Bits *states;
    uint32_t *table; // index into states + 1; twice as many as states have room, a power of two
    size_t states_count, states_cap;
    bool partial;
} Walk;

static void bit_set(Bits *b, uint32_t i) { b->words[i / 64] |= (uint64_t)1 << (i % 64); }
static bool bit_has(const Bits *b, uint32_t i) { return b->words[i / 64] >> (i % 64) & 1; }

static Bits bits_and(Bits a, Bits b) {
    for (size_t i = 0; i < WORDS; i++) a.words[i] &= b.words[i];
    return a;
}

static Bits bits_or(Bits a, Bits b) {
    for (size_t i = 0; i < WORDS; i++) a.words[i] |= b.words[i];
    return a;
}

static Bits bits_without(Bits a, Bits b) {
    for (size_t i = 0; i < WORDS; i++) a.words[i] &= ~b.words[i];
    return a;
}

static bool bits_none(Bits a) {
    for (size_t i = 0; i < WORDS; i++)
        if (a.words[i]) return false;
    return true;
}

static bool bits_equal(Bits a, Bits b) { return !memcmp(&a, &b, sizeof a); }
static bool bits_within(Bits a, Bits b) { return bits_none(bits_without(a, b)); }

// ---- transitions -----------------------------------------------------------------------------

static void transition_add(Walk *w, Transition t) {
    if (w->transitions_count == SOUND_TRANSITIONS_MAX) {
        w->g->undecided = true;
        return;
    }
    if (w->transitions_count == w->transitions_cap) {
        const size_t cap = w->transitions_cap ? w->transitions_cap * 2 : TRANSITIONS_FIRST;
        Transition *more = arena_array(w->g->arena, Transition, cap);
        if (w->transitions_count)
            memcpy(more, w->transitions, w->transitions_count * sizeof *more);
        w->transitions = more;
        w->transitions_cap = cap;
    }
    w->transitions[w->transitions_count++] = t;
}

// One transition for each way in that may fire it.
static void outcome(Walk *w, uint32_t node, Bits give, Bits message) {
    const SoundNode *n = &w->g->nodes[node];
    Transition t = {.take = message, .give = give, .node = node};
    const Bits tokens = bits_without(w->ins[node], w->messages);
    if (n->join == SOUND_WAITS) t.waits = true;
    if (n->join == SOUND_EVERY) t.take = bits_or(t.take, tokens);
    if (n->join != SOUND_ANY || bits_none(tokens)) {
        if (!bits_none(tokens)) transition_add(w, t);
        return;
    }
    for (uint32_t i = 0; i < w->bits_count; i++) {
        if (!bit_has(&tokens, i)) continue;
        t.take = message;
        bit_set(&t.take, i);
        transition_add(w, t);
    }
}

// Every set of `some` (not the empty one, unless `base` has an edge) beside `base`.
static void combinations(Walk *w, uint32_t node, Bits base, const uint32_t *some, size_t count,
                         Bits message) {
    if (count > SOUND_SOME_MAX) {
        w->g->undecided = true;
        return;
    }
    for (uint32_t set = 0; set < (uint32_t)1 << count; set++) {
        Bits give = base;
        for (uint32_t i = 0; i < count; i++)
            if (set >> i & 1) bit_set(&give, some[i]);
        if (!bits_none(give)) outcome(w, node, give, message);
    }
}

typedef struct Ways {
    uint32_t all[SOUND_BITS_MAX], some[SOUND_BITS_MAX];
    size_t all_count, some_count;
    uint32_t otherwise; // the default flow's bit
    bool has_default;
} Ways;

static void compile_exits(Walk *w, uint32_t node) {
    uint32_t last = 0;
    for (uint32_t i = 0; i < w->g->edges_count; i++) {
        const SoundEdge *e = &w->g->edges[i];
        if (e->gone || e->from != node || !e->exit || e->exit == last) continue;
        Bits give = {0};
        for (uint32_t k = i; k < w->g->edges_count; k++)
            if (!w->g->edges[k].gone && w->g->edges[k].from == node &&
                w->g->edges[k].exit == e->exit)
                bit_set(&give, w->bit[k]);
        last = e->exit;
        outcome(w, node, give, (Bits){0});
    }
}

static void ways_of(const Walk *w, uint32_t node, Ways *ret, Bits *ret_messages) {
    for (uint32_t i = 0; i < w->g->edges_count; i++) {
        const SoundEdge *e = &w->g->edges[i];
        if (e->gone || e->from != node || e->exit) continue;
        if (e->message) {
            bit_set(ret_messages, w->bit[i]);
        } else if (e->is_default) {
            ret->has_default = true;
            ret->otherwise = w->bit[i];
        } else if (e->conditional) {
            ret->some[ret->some_count++] = w->bit[i];
        } else {
            ret->all[ret->all_count++] = w->bit[i];
        }
    }
}

// The message its target waits for, when the node is decided by what comes first.
static Bits awaited(const Walk *w, uint32_t bit) {
    const uint32_t to = w->g->edges[w->edge_of[bit]].to;
    return bits_and(w->ins[to], w->messages);
}

static void compile_normal(Walk *w, uint32_t node, Bits message) {
    const SoundNode *n = &w->g->nodes[node];
    Ways *ways = arena_new(w->g->arena, Ways);
    Bits sent = {0};
    ways_of(w, node, ways, &sent);
    if (ways->has_default && n->split != SOUND_ALL)
        ways->all[ways->all_count++] = ways->otherwise;
    if (n->split == SOUND_ONE && ways->all_count) {
        for (size_t i = 0; i < ways->all_count; i++) {
            Bits give = sent;
            bit_set(&give, ways->all[i]);
            Transition probe = {0};
            if (n->by_event) probe.take = awaited(w, ways->all[i]);
            // The message stays for its target to take.
            if (!bits_none(probe.take)) give = bits_or(give, probe.take);
            outcome(w, node, give, bits_or(message, probe.take));
        }
        return;
    }
    if (n->split == SOUND_SOME && ways->all_count) {
        combinations(w, node, sent, ways->all, ways->all_count, message);
        return;
    }
    Bits give = sent;
    for (size_t i = 0; i < ways->all_count; i++) bit_set(&give, ways->all[i]);
    if (ways->some_count) combinations(w, node, give, ways->some, ways->some_count, message);
    if (ways->has_default) bit_set(&give, ways->otherwise);
    if (!ways->some_count || ways->has_default) outcome(w, node, give, message);
}

static void compile(Walk *w) {
    for (uint32_t node = 0; node < w->g->nodes_count; node++) {
        if (w->g->nodes[node].gone) continue;
        compile_normal(w, node, bits_and(w->ins[node], w->messages));
        compile_exits(w, node);
    }
}

// ---- inclusive joins -------------------------------------------------------------------------

// Backwards from a way into `node` over all edges whose path does not go through `node`.
static void reach_back(Walk *w, uint32_t node, uint32_t bit) {
    uint32_t *queue = arena_array(w->g->arena, uint32_t, w->bits_count);
    size_t head = 0, tail = 0;
    Bits *seen = &w->reaching[bit];
    bit_set(seen, bit);
    queue[tail++] = bit;
    while (head < tail) {
        const uint32_t from = w->g->edges[w->edge_of[queue[head++]]].from;
        if (from == SOUND_OUTSIDE || from == node) continue;
        for (uint32_t i = 0; i < w->bits_count; i++) {
            if (bit_has(seen, i) || w->g->edges[w->edge_of[i]].to != from) continue;
            bit_set(seen, i);
            queue[tail++] = i;
        }
    }
}

// BPMN 2.0.2, 13.4.3: no token elsewhere may still come to a way in that holds none, unless it can
// also come to one that does.
static bool may_go_on(const Walk *w, uint32_t node, Bits state, Bits *ret_take) {
    const Bits held = bits_and(w->ins[node], state);
    if (bits_none(held)) return false;
    Bits fed = {0};
    for (uint32_t i = 0; i < w->bits_count; i++)
        if (bit_has(&held, i)) fed = bits_or(fed, w->reaching[i]);
    for (uint32_t i = 0; i < w->bits_count; i++) {
        if (!bit_has(&w->ins[node], i) || bit_has(&held, i)) continue;
        const Bits coming = bits_and(w->reaching[i], bits_without(state, held));
        if (!bits_within(coming, fed)) return false;
    }
    *ret_take = held;
    return true;
}

// ---- markings --------------------------------------------------------------------------------

static size_t place_of(const Walk *w, Bits state) {
    uint64_t hash = 1469598103934665603u;
    for (size_t i = 0; i < WORDS; i++) hash = (hash ^ state.words[i]) * 1099511628211u;
    hash ^= hash >> 29;
    const size_t mask = w->states_cap * 2 - 1;
    size_t at = (size_t)hash & mask;
    while (w->table[at] && !bits_equal(w->states[w->table[at] - 1], state)) at = (at + 1) & mask;
    return at;
}

static void states_grow(Walk *w) {
    const size_t cap = w->states_cap ? w->states_cap * 2 : STATES_FIRST;
    Bits *more = arena_array(w->g->arena, Bits, cap);
    if (w->states_count) memcpy(more, w->states, w->states_count * sizeof *more);
    w->states = more;
    w->states_cap = cap;
    w->table = arena_array(w->g->arena, uint32_t, cap * 2);
    for (size_t i = 0; i < w->states_count; i++)
        w->table[place_of(w, more[i])] = (uint32_t)(i + 1);
}

static void state_add(Walk *w, Bits state) {
    if (w->states_count == w->states_cap) states_grow(w);
    const size_t at = place_of(w, state);
    if (w->table[at]) return;
    if (w->states_count == FLOW_SOUND_STATES_MAX) {
        w->g->undecided = true;
        return;
    }
    w->states[w->states_count++] = state;
    w->table[at] = (uint32_t)w->states_count;
}

static void tell_sync(Walk *w, uint32_t node) {
    SoundNode *n = &w->g->nodes[node];
    if (n->told_sync || w->g->several) return;
    n->told_sync = true;
    const DocumentNode *at = n->at;
    check_error(w->c, at, "FLOW.LackOfSync", "并行的分支没有先汇合：{1} 之后会同时有两个令牌",
                check_text_id(at));
}

// `ever`: what can get a token from the starts of this walk at all; see `partial`.
static void tell_deadlock(Walk *w, Bits state, const Bits *ever) {
    for (uint32_t node = 0; node < w->g->nodes_count; node++) {
        SoundNode *n = &w->g->nodes[node];
        const Bits held = bits_without(bits_and(w->ins[node], state), w->messages);
        if (n->gone || bits_none(held) || n->told_deadlock) continue;
        if (w->partial && !bits_within(w->ins[node], *ever)) continue;
        if (w->g->several && bits_none(bits_and(w->ins[node], w->messages))) continue;
        n->told_deadlock = true;
        check_error(w->c, n->at, "FLOW.Deadlock", "流程会停在 {1}：它还在等的令牌不会再来",
                    check_text_id(n->at));
    }
}

static bool fire(Walk *w, Bits state) {
    bool moved = false;
    for (size_t i = 0; i < w->transitions_count; i++) {
        const Transition *t = &w->transitions[i];
        Bits take = t->take;
        if (t->waits) {
            if (!may_go_on(w, t->node, state, &take)) continue;
        } else if (!bits_within(take, state)) {
            continue;
        }
        moved = true;
        if (w->g->nodes[t->node].ends_all) continue; // nothing is left
        const Bits rest = bits_without(state, take);
        if (!bits_none(bits_without(bits_and(rest, t->give), w->messages))) {
            tell_sync(w, t->node);
            continue;
        }
        state_add(w, bits_or(rest, t->give));
    }
    return moved;
}

// What tokens can ever hold, all joins let through: for `partial`.
static Bits ever_marked(const Walk *w, Bits start) {
    Bits seen = start;
    bool more = true;
    while (more) {
        more = false;
        for (size_t i = 0; i < w->transitions_count; i++) {
            const Transition *t = &w->transitions[i];
            if (bits_none(bits_and(w->ins[t->node], seen)) || bits_within(t->give, seen)) continue;
            seen = bits_or(seen, t->give);
            more = true;
        }
    }
    return seen;
}

static bool number_edges(Walk *w) {
    for (uint32_t i = 0; i < w->g->edges_count; i++) {
        const SoundEdge *e = &w->g->edges[i];
        if (e->gone) continue;
        if (w->bits_count == SOUND_BITS_MAX) return false;
        w->bit[i] = (uint32_t)w->bits_count;
        w->edge_of[w->bits_count++] = i;
        bit_set(&w->ins[e->to], w->bit[i]);
        if (e->message) bit_set(&w->messages, w->bit[i]);
    }
    return true;
}

static void walk_make(Walk *w, Check *c, SoundGraph *g) {
    Arena *a = g->arena;
    *w = (Walk){.c = c, .g = g};
    w->bit = arena_array(a, uint32_t, g->edges_count);
    w->edge_of = arena_array(a, uint32_t, SOUND_BITS_MAX);
    w->ins = arena_array(a, Bits, g->nodes_count);
}

void sound_walk(Check *c, SoundGraph *g, uint32_t first, uint32_t last, bool partial) {
    Walk w;
    walk_make(&w, c, g);
    w.partial = partial;
    if (!number_edges(&w)) return;
    Arena *a = g->arena;
    w.reaching = arena_array(a, Bits, w.bits_count);
    for (uint32_t i = 0; i < w.bits_count; i++) {
        const uint32_t to = g->edges[w.edge_of[i]].to;
        if (g->nodes[to].join == SOUND_WAITS) reach_back(&w, to, i);
    }
    compile(&w);
    if (g->undecided) return;
    Bits start = {0};
    for (size_t i = 0; i < g->edges_count; i++)
        if (!g->edges[i].gone && g->edges[i].start >= first && g->edges[i].start <= last)
            bit_set(&start, w.bit[i]);
    const Bits ever = partial ? ever_marked(&w, start) : (Bits){0};
    state_add(&w, start);
    for (size_t i = 0; i < w.states_count; i++) {
        c->work->sound_steps += w.transitions_count + 1;
        if (c->work->sound_steps > FLOW_SOUND_STEPS_MAX) break;
        const Bits state = w.states[i];
        if (!fire(&w, state) && !bits_none(bits_without(state, w.messages)))
            tell_deadlock(&w, state, &ever);
    }
    g->undecided = false; // of this walk only
}
