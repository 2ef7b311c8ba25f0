// The state of an instance, between the Value that is stored and the tokens that run*.c move.
// Private to this room.
//
//   {"n": next token, "t": [token…], "v": {variables}}
//   and "p": id of the process when it is not the main one, "e": the end event reached last, once
//   it is over, "f": the error code it failed with
//
// A token is a list, short because there are hundreds of thousands of them; what is 0 or null at
// its end is left out:
//   [id, node]                          waits in a task or an event of the outermost scope
//   [id, node, scope]                   the same inside the sub-process or loop `scope`
//   [id, node, scope, "w", index, item] the same, one instance of a loop
//   [id, node, scope, "s", index, item, local, started, host, closing]
//                                       a sub-process or call that runs, with its own data; ad-hoc:
//                                       how many activities were begun, and that no more will be;
//                                       compensating another sub-process, `host`: what that one
//                                       left behind
//   [id, node, scope, "j", edge]        has come to a join by `edge` and waits for others
//   [id, node, scope, "a", host, event, seen, left]
//                                       waits for the event beside the token `host` (0: for an
//                                       event sub-process); seen: a condition that held already, or
//                                       one of several that came; left: how often a cycle fires
//   [id, node, scope, "m", total, started, done]
//                                       a loop; its instances have it as their scope
//   [id, node, scope, "d", order, index, item, local]
//                                       is done and may be compensated, the highest order first;
//                                       below 0 while it is
//   [id, node, scope, "c", target, only, host, detached]
//                                       compensates what is done in the scope `target`, or of it
//                                       only the activity `only`; at work on `host`
//   [id, node, scope, "g", edges]       a complex gateway that fired and waits for the others;
//                                       list of the edges from which it took
#pragma once

#include "bpmn/model.h"

typedef enum TokenRole {
    ROLE_WAIT,
    ROLE_SCOPE,
    ROLE_JOIN,
    ROLE_ARM,
    ROLE_MULTI,
    ROLE_DONE,
    ROLE_COMPENSATE,
    ROLE_RESET,
} TokenRole;

typedef struct Token {
    int64_t id;
    int64_t scope;  // token of the scope it lives in; 0: the process
    int64_t host;   // ROLE_ARM, ROLE_SCOPE, ROLE_COMPENSATE
    int64_t index;  // instance of a loop, from 1; 0: none
    int64_t order;  // ROLE_DONE
    int64_t target; // ROLE_COMPENSATE
    int64_t left;   // ROLE_ARM: a timer's cycle; -1: without end
    Value item;     // its member of the list; ROLE_RESET: the edges
    Value local;    // data of its own, a context or null
    uint32_t node;
    uint32_t edge;                 // ROLE_JOIN
    uint32_t event;                // ROLE_ARM: place among the node's events
    uint32_t only;                 // ROLE_COMPENSATE
    uint32_t total, started, done; // ROLE_MULTI; started: ad-hoc too
    uint32_t inner;                // what keeps this scope alive; counted, not stored
    TokenRole role;
    bool seen;     // ROLE_ARM
    bool detached; // ROLE_COMPENSATE
    bool closing;  // ROLE_SCOPE, ad-hoc
    bool told;     // the driver knows that it is over; not stored
    bool dead;
} Token;

typedef struct State {
    Token *tokens; // ascending by id
    size_t count, cap;
    int64_t next;
    Value variables;  // a context
    uint32_t process; // its node
    uint32_t inner;   // what keeps the process alive
    uint32_t end;     // end event reached last, NONE while it runs
    Str failed;       // error code
    bool started, ended, has_failed;
} State;

// Does the token keep its scope from being over?
static inline bool token_keeps(const Token *t) {
    return t->role != ROLE_ARM && t->role != ROLE_DONE && t->role != ROLE_RESET;
}

// A token with nothing set. Field by field: tokens and effects are what a step makes most of, and
// clearing them as a block (`rep stos`) takes as long as all the rest of it.
static inline void token_clear(Token *t) {
    t->id = t->scope = t->host = t->index = t->order = t->target = t->left = 0;
    t->item = t->local = v_null();
    t->node = t->event = t->total = t->started = t->done = t->inner = 0;
    t->edge = t->only = NONE;
    t->role = ROLE_WAIT;
    t->seen = t->detached = t->closing = t->told = t->dead = false;
}

// BROKEN when the value is not a state of this flow.
MUST_USE Status state_read(const Flow *f, Value v, Arena *a, State *ret, Error *err);
Value state_write(const Flow *f, const State *s, Arena *a);
// The live token, or NULL.
Token *state_token(State *s, int64_t id);
