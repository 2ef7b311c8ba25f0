// Reads and writes the stored form of an instance (see state.h). What is read was written by
// state_write, but it has been in a database since: everything is checked, and a state that does
// not fit its flow is BROKEN, never guessed at.
#include "bpmn/state.h"

enum { TOKEN_FIELDS_MAX = 7 };

static Status broken(Error *err, Str what) {
    return error_set(err, BROKEN, S("state"), "流程状态与流程不符：{1}", what);
}

Token *state_token(State *s, int64_t id) {
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->tokens[middle].id < id) low = middle + 1;
        else high = middle;
    }
    if (low == s->count || s->tokens[low].id != id || s->tokens[low].dead) return NULL;
    return &s->tokens[low];
}

static bool read_count(Value list, size_t at, uint32_t *ret) {
    int64_t n = v_to_int(v_at(list, at), -1);
    if (n < 0 || n > FLOW_STEPS_MAX) return false;
    *ret = (uint32_t)n;
    return true;
}

static bool node_can_wait(const Node *n) {
    return node_is_completed_from_outside(n) || n->kind == NODE_RECEIVE || n->kind == NODE_CATCH ||
           n->kind == NODE_EVENT_GATE;
}

// What follows the role letter.
static bool read_role(const Flow *f, Value v, Token *t) {
    const Node *node = &f->nodes[t->node];
    Str role = v.len > 3 ? v_text(v_at(v, 3)) : S("w");
    if (role.len != 1) return false;
    switch (role.ptr[0]) {
    case 'w':
    case 's':
        t->role = role.ptr[0] == 'w' ? ROLE_WAIT : ROLE_SCOPE;
        if (v.len > 4) {
            t->index = v_to_int(v_at(v, 4), 0);
            t->item = v_at(v, 5);
            if (t->index < 1) return false;
        }
        return t->role == ROLE_SCOPE ? node->kind == NODE_SUBPROCESS : node_can_wait(node);
    case 'j':
        t->role = ROLE_JOIN;
        t->edge = flow_edge(f, v_text(v_at(v, 4)));
        return t->edge != NONE && f->edges[t->edge].to == t->node && node_is_gateway(node);
    case 'a':
        t->role = ROLE_ARM;
        t->host = v_to_int(v_at(v, 4), 0);
        return t->host > 0 && (node->kind == NODE_BOUNDARY || node->kind == NODE_CATCH ||
                               node->kind == NODE_RECEIVE);
    case 'm':
        t->role = ROLE_MULTI;
        return node->multi && read_count(v, 4, &t->total) && read_count(v, 5, &t->started) &&
               read_count(v, 6, &t->done) && t->started <= t->total && t->done <= t->started;
    default: return false;
    }
}

static bool read_token(const Flow *f, Value v, Token *ret) {
    if (v.kind != V_LIST || v.len < 2 || v.len > TOKEN_FIELDS_MAX) return false;
    Token t = {.id = v_to_int(v_at(v, 0), 0), .node = flow_node(f, v_text(v_at(v, 1)))};
    if (v.len > 2) t.scope = v_to_int(v_at(v, 2), -1);
    if (t.id < 1 || t.node == NONE || t.node == 0 || t.scope < 0) return false;
    if (!read_role(f, v, &t)) return false;
    *ret = t;
    return true;
}

// Scopes and hosts must exist, fit the model and be older than what points to them.
static bool links_fit(const Flow *f, State *s) {
    for (size_t i = 0; i < s->count; i++) {
        Token *t = &s->tokens[i];
        const Node *node = &f->nodes[t->node];
        if (t->scope == 0) {
            if (node->parent != 0 || t->index) return false;
        } else {
            Token *scope = t->scope < t->id ? state_token(s, t->scope) : NULL;
            if (!scope) return false;
            bool instance = scope->role == ROLE_MULTI;
            if (instance ? scope->node != t->node || !t->index
                         : scope->role != ROLE_SCOPE || scope->node != node->parent || t->index)
                return false;
            scope->inner++;
        }
        if (t->role == ROLE_ARM) {
            const Token *host = t->host < t->id ? state_token(s, t->host) : NULL;
            if (!host || host->scope != t->scope) return false;
            if (node->kind == NODE_BOUNDARY ? node->host != host->node
                                            : f->nodes[host->node].kind != NODE_EVENT_GATE)
                return false;
        }
    }
    return true;
}

Status state_read(const Flow *f, Value v, Arena *a, State *ret, Error *err) {
    State s = {.next = 1, .end = NONE};
    if (v_is_null(v)) {
        ContextBuilder nothing = context_make(a);
        s.variables = context_done(&nothing);
        *ret = s;
        return OK;
    }
    Value tokens = v_get_lit(v, "t");
    s.next = v_to_int(v_get_lit(v, "n"), 0);
    s.variables = v_get_lit(v, "v");
    if (s.next < 1 || tokens.kind != V_LIST || s.variables.kind != V_CONTEXT)
        return broken(err, S("n, t, v"));
    if (tokens.len > FLOW_TOKENS_MAX) return broken(err, S("t"));
    s.started = true;
    s.ended = tokens.len == 0;
    if (v_has(v, S("e"))) s.end = flow_node(f, v_text(v_get_lit(v, "e")));
    // Room for what one step usually adds.
    s.cap = (size_t)tokens.len + 8;
    s.tokens = arena_array(a, Token, s.cap);
    for (uint32_t i = 0; i < tokens.len; i++) {
        Token t;
        if (!read_token(f, v_at(tokens, i), &t) || t.id >= s.next ||
            (i > 0 && t.id <= s.tokens[i - 1].id))
            return broken(err, S("t"));
        s.tokens[s.count++] = t;
    }
    if (!links_fit(f, &s)) return broken(err, S("t"));
    *ret = s;
    return OK;
}

static Value write_list(const Value *fields, size_t count, Arena *a) {
    Value *items = arena_alloc_raw(a, count * sizeof *items);
    memcpy(items, fields, count * sizeof *items);
    return (Value){.kind = V_LIST, .len = (uint32_t)count, .as.items = items};
}

static Value write_token(const Flow *f, const Token *t, Arena *a) {
    Value v[TOKEN_FIELDS_MAX];
    size_t n = 0;
    v[n++] = v_int(t->id);
    v[n++] = v_str(f->nodes[t->node].id);
    bool plain = t->role == ROLE_WAIT && t->index == 0;
    if (plain && t->scope == 0) return write_list(v, n, a);
    v[n++] = v_int(t->scope);
    if (plain) return write_list(v, n, a);
    switch (t->role) {
    case ROLE_WAIT:
    case ROLE_SCOPE:
        v[n++] = t->role == ROLE_WAIT ? v_lit("w") : v_lit("s");
        if (t->index) {
            v[n++] = v_int(t->index);
            v[n++] = t->item;
        }
        break;
    case ROLE_JOIN:
        v[n++] = v_lit("j");
        v[n++] = v_str(f->edges[t->edge].id);
        break;
    case ROLE_ARM:
        v[n++] = v_lit("a");
        v[n++] = v_int(t->host);
        break;
    case ROLE_MULTI:
        v[n++] = v_lit("m");
        v[n++] = v_int(t->total);
        v[n++] = v_int(t->started);
        v[n++] = v_int(t->done);
        break;
    }
    return write_list(v, n, a);
}

Value state_write(const Flow *f, const State *s, Arena *a) {
    size_t live = 0;
    for (size_t i = 0; i < s->count; i++) live += !s->tokens[i].dead;
    Value *items = arena_alloc_raw(a, (live ? live : 1) * sizeof *items);
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        if (!s->tokens[i].dead) items[n++] = write_token(f, &s->tokens[i], a);
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("n"), v_int(s->next));
    context_put_new(&b, S("t"), (Value){.kind = V_LIST, .len = (uint32_t)n, .as.items = items});
    context_put_new(&b, S("v"), s->variables);
    if (live == 0 && s->end != NONE) context_put_new(&b, S("e"), v_str(f->nodes[s->end].id));
    return context_done(&b);
}
