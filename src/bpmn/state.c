// Reads and writes the stored form of an instance (see state.h). What is read was written by
// state_write, but it has been in a database since: everything is checked, and a state that does
// not fit its flow is BROKEN, never guessed at.
#include "bpmn/state.h"

enum { TOKEN_FIELDS_MAX = 10 };

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

// Reading

static bool read_count(Value list, size_t at, uint32_t *ret) {
    int64_t n = at < list.len ? v_to_int(v_at(list, at), -1) : 0;
    if (n < 0 || n > FLOW_STEPS_MAX) return false;
    *ret = (uint32_t)n;
    return true;
}

static int64_t read_int(Value list, size_t at) {
    return at < list.len ? v_to_int(v_at(list, at), -1) : 0;
}

static bool read_flag(Value list, size_t at, bool *ret) {
    int64_t n = read_int(list, at);
    *ret = n == 1;
    return n == 0 || n == 1;
}

static bool read_local(Value list, size_t at, Token *t) {
    t->local = v_at(list, at);
    return t->local.kind == V_NULL || t->local.kind == V_CONTEXT;
}

static bool node_can_wait(const Node *n) {
    return n->outside || n->kind == NODE_RECEIVE || n->kind == NODE_CATCH ||
           n->kind == NODE_EVENT_GATE || (n->kind == NODE_START && n->parallel);
}

static bool read_scope(const Node *node, Value v, Token *t) {
    t->role = ROLE_SCOPE;
    t->index = read_int(v, 4);
    t->item = v_at(v, 5);
    t->host = read_int(v, 8);
    return node_is_scope(node) && node->kind != NODE_PROCESS && t->index >= 0 &&
           read_local(v, 6, t) && read_count(v, 7, &t->started) && t->host >= 0 &&
           read_flag(v, 9, &t->closing) && (!t->host || node->by_event);
}

static bool read_arm(const Node *node, Value v, Token *t) {
    t->role = ROLE_ARM;
    t->host = read_int(v, 4);
    t->left = v.len > 7 ? v_to_int(v_at(v, 7), -2) : 0;
    if (t->host < 0 || t->left < -1 || !read_count(v, 5, &t->event) || !read_flag(v, 6, &t->seen))
        return false;
    return t->event < node->events_count && event_is_armed(node->events[t->event].kind);
}

static bool read_compensation(const Flow *f, Value v, Token *t) {
    t->role = ROLE_COMPENSATE;
    t->target = read_int(v, 4);
    t->only = v_is_null(v_at(v, 5)) ? NONE : flow_node(f, v_text(v_at(v, 5)));
    t->host = read_int(v, 6);
    const Node *n = &f->nodes[t->node];
    return t->target >= 0 && t->host >= 0 && read_flag(v, 7, &t->detached) &&
           (v_is_null(v_at(v, 5)) || t->only != NONE) &&
           (n->kind == NODE_THROW || n->kind == NODE_END || node_is_activity(n));
}

// Its edges lead to the gateway, and there are not more than it has.
static bool read_reset(const Flow *f, Value v, Token *t) {
    t->role = ROLE_RESET;
    t->item = v_at(v, 4);
    const Node *n = &f->nodes[t->node];
    if (n->kind != NODE_COMPLEX || n->in_count < 2 || t->item.kind != V_LIST || t->item.len >
        n->in_count)
        return false;
    for (uint32_t i = 0; i < t->item.len; i++) {
        uint32_t edge = flow_edge(f, v_text(v_at(t->item, i)));
        if (edge == NONE || f->edges[edge].to != t->node) return false;
    }
    return true;
}

static bool read_done(const Node *node, Value v, Token *t) {
    t->role = ROLE_DONE;
    t->order = v_to_int(v_at(v, 4), 0);
    t->index = read_int(v, 5);
    t->item = v_at(v, 6);
    return t->order != 0 && t->index >= 0 && read_local(v, 7, t) && node_is_activity(node);
}

static bool node_joins(const Node *n) {
    return n->in_count > 1 && (n->kind == NODE_PARALLEL || n->kind == NODE_INCLUSIVE ||
                               n->kind == NODE_COMPLEX);
}

// What follows the role letter.
static bool read_role(const Flow *f, Value v, Token *t) {
    const Node *node = &f->nodes[t->node];
    Str role = v.len > 3 ? v_text(v_at(v, 3)) : S("w");
    if (role.len != 1) return false;
    switch (role.ptr[0]) {
    case 'w':
        t->role = ROLE_WAIT;
        t->index = read_int(v, 4);
        t->item = v_at(v, 5);
        return t->index >= 0 && node_can_wait(node);
    case 's': return read_scope(node, v, t);
    case 'j':
        t->role = ROLE_JOIN;
        t->edge = flow_edge(f, v_text(v_at(v, 4)));
        return t->edge != NONE && f->edges[t->edge].to == t->node &&
               (node_joins(node) || node->start_quantity > 1);
    case 'a': return read_arm(node, v, t);
    case 'm':
        t->role = ROLE_MULTI;
        return node->multi && read_count(v, 4, &t->total) && read_count(v, 5, &t->started) &&
               read_count(v, 6, &t->done) && t->done <= t->started &&
               (node->multi->standard || t->started <= t->total);
    case 'd': return read_done(node, v, t);
    case 'c': return read_compensation(f, v, t);
    case 'g': return read_reset(f, v, t);
    default: return false;
    }
}

static bool read_token(const Flow *f, Value v, Token *t) {
    if (v.kind != V_LIST || v.len < 2 || v.len > TOKEN_FIELDS_MAX) return false;
    token_clear(t);
    t->id = v_to_int(v.as.items[0], 0);
    t->node = flow_node(f, v_text(v.as.items[1]));
    if (v.len > 2) t->scope = v_to_int(v_at(v, 2), -1);
    if (t->id < 1 || t->node == NONE || t->scope < 0) return false;
    if (f->nodes[t->node].kind == NODE_PROCESS) return false;
    return read_role(f, v, t);
}

// May a token of this node and role live in that scope?
static bool scope_fits(const Flow *f, State *s, Token *t) {
    const Node *node = &f->nodes[t->node];
    bool compensates = t->role == ROLE_COMPENSATE;
    bool throws = node->kind == NODE_THROW || node->kind == NODE_END;
    if (t->scope == 0) {
        if (token_keeps(t)) s->inner++;
        return node->parent == s->process && !t->index && (!compensates || throws);
    }
    Token *scope = t->scope < t->id ? state_token(s, t->scope) : NULL;
    if (!scope) return false;
    if (token_keeps(t)) scope->inner++;
    const Node *of = &f->nodes[scope->node];
    switch (scope->role) {
    case ROLE_MULTI:
        return scope->node == t->node && t->index && t->index <= scope->started &&
               (t->role == ROLE_WAIT || t->role == ROLE_SCOPE || t->role == ROLE_DONE);
    case ROLE_SCOPE:
        if (compensates && t->node == scope->node) return node->transaction;
        if (compensates && !throws) return false;
        return node->parent == node_inside(f, scope->node) && !t->index;
    case ROLE_COMPENSATE:
        if (compensates) return node_is_activity(node) && t->target;
        return !t->index && (t->role == ROLE_WAIT || t->role == ROLE_MULTI ||
                             t->role == ROLE_SCOPE || t->role == ROLE_JOIN)
                   ? node->for_compensation || (node->by_event && t->host)
                   : false;
    case ROLE_DONE:
        if (of->multi && !scope->index) return scope->node == t->node && t->role == ROLE_DONE;
        return t->role == ROLE_DONE && node->parent == node_inside(f, scope->node);
    default: return false;
    }
}

// Whom an armed event waits beside.
static bool host_fits(const Flow *f, State *s, const Token *t) {
    const Node *node = &f->nodes[t->node];
    if (node->kind == NODE_START && !t->host) {
        const Node *sub = &f->nodes[node->parent];
        uint32_t outer = s->process;
        const Token *scope = t->scope ? state_token(s, t->scope) : NULL;
        if (scope) outer = node_inside(f, scope->node);
        return sub->by_event && sub->parent == outer;
    }
    const Token *host = t->host && t->host < t->id ? state_token(s, t->host) : NULL;
    if (!host || host->scope != t->scope) return false;
    if (node->kind == NODE_BOUNDARY) return node->host == host->node;
    return host->role == ROLE_WAIT &&
           (host->node == t->node || f->nodes[host->node].kind == NODE_EVENT_GATE);
}

static bool compensation_fits(State *s, const Token *t) {
    if (t->target >= t->id) return false;
    const Token *target = t->target ? state_token(s, t->target) : NULL;
    const Token *host = t->host ? state_token(s, t->host) : NULL;
    if (t->target && (!target || (target->role != ROLE_SCOPE && target->role != ROLE_DONE &&
                                  target->role != ROLE_MULTI)))
        return false;
    return !t->host || (host && host->role == ROLE_DONE && host->order < 0 &&
                        host->scope == t->target);
}

// Scopes and hosts must exist, fit the model and be older than what points to them.
static bool links_fit(const Flow *f, State *s) {
    for (size_t i = 0; i < s->count; i++) {
        Token *t = &s->tokens[i];
        if (t->role == ROLE_ARM && f->nodes[t->node].kind == NODE_START && !t->host) {
            const Token *scope = t->scope && t->scope < t->id ? state_token(s, t->scope) : NULL;
            if (t->scope && (!scope || scope->role != ROLE_SCOPE)) return false;
        } else if (!scope_fits(f, s, t)) {
            return false;
        }
        if (t->role == ROLE_ARM && !host_fits(f, s, t)) return false;
        if (t->role == ROLE_COMPENSATE && !compensation_fits(s, t)) return false;
        if (t->role != ROLE_SCOPE || !t->host) continue;
        const Token *record = t->host < t->id ? state_token(s, t->host) : NULL;
        if (!record || record->role != ROLE_DONE) return false;
    }
    for (size_t i = 0; i < s->count; i++) {
        const Token *t = &s->tokens[i];
        if (t->role == ROLE_MULTI && t->inner + t->done > t->started) return false;
    }
    return true;
}

static Status read_tokens(const Flow *f, Value tokens, Arena *a, State *s, Error *err) {
    // Room for what one step usually adds.
    s->cap = (size_t)tokens.len + 8;
    s->tokens = arena_alloc_raw(a, s->cap * sizeof *s->tokens);
    for (uint32_t i = 0; i < tokens.len; i++) {
        Token *t = &s->tokens[s->count];
        if (!read_token(f, tokens.as.items[i], t) || t->id >= s->next ||
            (i > 0 && t->id <= s->tokens[i - 1].id))
            return broken(err, S("t"));
        s->count++;
    }
    return links_fit(f, s) ? OK : broken(err, S("t"));
}

Status state_read(const Flow *f, Value v, Arena *a, State *ret, Error *err) {
    State s = {.next = 1, .end = NONE};
    if (v_is_null(v)) {
        ContextBuilder nothing = context_make(a);
        s.variables = context_done(&nothing);
        *ret = s;
        return OK;
    }
    Value tokens = v_null(), process = v_null(), end = v_null(), failed = v_null();
    s.next = 0;
    for (uint32_t i = 0; v.kind == V_CONTEXT && i < v.len; i++) {
        const Entry *e = &v.as.entries[i];
        if (e->key.len != 1) continue;
        switch (e->key.ptr[0]) {
        case 'n': s.next = v_to_int(e->value, 0); break;
        case 't': tokens = e->value; break;
        case 'v': s.variables = e->value; break;
        case 'p': process = e->value; break;
        case 'e': end = e->value; break;
        case 'f': failed = e->value; break;
        default: break;
        }
    }
    if (s.next < 1 || tokens.kind != V_LIST || s.variables.kind != V_CONTEXT)
        return broken(err, S("n, t, v"));
    if (tokens.len > FLOW_TOKENS_MAX) return broken(err, S("t"));
    if (process.kind != V_NULL) s.process = flow_node(f, v_text(process));
    if (s.process == NONE || f->nodes[s.process].kind != NODE_PROCESS)
        return broken(err, S("p"));
    s.started = true;
    s.ended = tokens.len == 0;
    if (end.kind != V_NULL) s.end = flow_node(f, v_text(end));
    s.has_failed = failed.kind == V_STRING;
    s.failed = v_text(failed);
    Status status = read_tokens(f, tokens, a, &s, err);
    if (!status) *ret = s;
    return status;
}

// Writing

// Without the zeros and nulls at its end; but a zero at `item` is a member of a list.
static Value write_list(const Value *fields, size_t count, size_t item, Arena *a) {
    while (count > 2 && (fields[count - 1].kind == V_NULL ||
                         (fields[count - 1].kind == V_NUMBER && count - 1 != item &&
                          decimal_sign(fields[count - 1].as.number) == 0)))
        count--;
    Value *items = arena_alloc_raw(a, count * sizeof *items);
    uint16_t depth = 0;
    for (size_t i = 0; i < count; i++) {
        items[i] = fields[i];
        uint16_t below = v_depth(items[i]);
        if (below > depth) depth = below;
    }
    return (Value){
        .kind = V_LIST, .len = (uint32_t)count, .extra = (uint16_t)(depth + 1), .as.items = items};
}

static size_t write_role(const Flow *f, const Token *t, Value *v) {
    size_t n = 3;
    switch (t->role) {
    case ROLE_WAIT:
        if (!t->index) return n;
        v[n++] = v_lit("w");
        v[n++] = v_int(t->index);
        v[n++] = t->item;
        return n;
    case ROLE_SCOPE:
        v[n++] = v_lit("s");
        v[n++] = v_int(t->index);
        v[n++] = t->item;
        v[n++] = t->local;
        v[n++] = v_int(t->started);
        v[n++] = v_int(t->host);
        v[n++] = v_int(t->closing);
        return n;
    case ROLE_JOIN:
        v[n++] = v_lit("j");
        v[n++] = v_str(f->edges[t->edge].id);
        return n;
    case ROLE_ARM:
        v[n++] = v_lit("a");
        v[n++] = v_int(t->host);
        v[n++] = v_int(t->event);
        v[n++] = v_int(t->seen);
        v[n++] = v_int(t->left);
        return n;
    case ROLE_MULTI:
        v[n++] = v_lit("m");
        v[n++] = v_int(t->total);
        v[n++] = v_int(t->started);
        v[n++] = v_int(t->done);
        return n;
    case ROLE_DONE:
        v[n++] = v_lit("d");
        v[n++] = v_int(t->order);
        v[n++] = v_int(t->index);
        v[n++] = t->item;
        v[n++] = t->local;
        return n;
    case ROLE_COMPENSATE:
        v[n++] = v_lit("c");
        v[n++] = v_int(t->target);
        v[n++] = t->only == NONE ? v_null() : v_str(f->nodes[t->only].id);
        v[n++] = v_int(t->host);
        v[n++] = v_int(t->detached);
        return n;
    case ROLE_RESET:
        v[n++] = v_lit("g");
        v[n++] = t->item;
        return n;
    }
    return n;
}

static Value write_token(const Flow *f, const Token *t, Arena *a) {
    Value v[TOKEN_FIELDS_MAX];
    v[0] = v_int(t->id);
    v[1] = v_str(f->nodes[t->node].id);
    if (t->role == ROLE_WAIT && !t->index && !t->scope) {
        Value *items = arena_alloc_raw(a, 2 * sizeof *items);
        items[0] = v[0];
        items[1] = v[1];
        return (Value){.kind = V_LIST, .len = 2, .extra = 1, .as.items = items};
    }
    v[2] = v_int(t->scope);
    size_t count = write_role(f, t, v), item = TOKEN_FIELDS_MAX;
    if (t->role == ROLE_WAIT || t->role == ROLE_SCOPE) item = 5;
    else if (t->role == ROLE_DONE) item = 6;
    return write_list(v, count, item, a);
}

Value state_write(const Flow *f, const State *s, Arena *a) {
    size_t live = 0;
    for (size_t i = 0; i < s->count; i++) live += !s->tokens[i].dead;
    Value *items = arena_alloc_raw(a, (live ? live : 1) * sizeof *items);
    size_t n = 0;
    uint16_t depth = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (s->tokens[i].dead) continue;
        items[n] = write_token(f, &s->tokens[i], a);
        uint16_t below = v_depth(items[n++]);
        if (below > depth) depth = below;
    }
    Value tokens = {.kind = V_LIST,
                    .len = (uint32_t)n,
                    .extra = (uint16_t)(depth + 1),
                    .as.items = items};
    Entry *e = arena_alloc_raw(a, 6 * sizeof *e);
    uint32_t count = 0;
    e[count++] = (Entry){S("n"), v_int(s->next)};
    e[count++] = (Entry){S("t"), tokens};
    e[count++] = (Entry){S("v"), s->variables};
    if (s->process) e[count++] = (Entry){S("p"), v_str(f->nodes[s->process].id)};
    if (live == 0 && s->end != NONE) e[count++] = (Entry){S("e"), v_str(f->nodes[s->end].id)};
    if (s->has_failed) e[count++] = (Entry){S("f"), v_str(s->failed)};
    // data_check in run.c keeps this within VALUE_DEPTH_MAX.
    uint16_t below = v_depth(tokens) > v_depth(s->variables) ? v_depth(tokens)
                                                             : v_depth(s->variables);
    return (Value){
        .kind = V_CONTEXT, .len = count, .extra = (uint16_t)(below + 1), .as.entries = e};
}
