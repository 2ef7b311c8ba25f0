// The state of an instance, between the Value that is stored and the tokens that run.c moves.
// Private to this room.
//
//   {"n": next token, "t": [token…], "v": {variables}}      and "e": end event, once it is over
//
// A token is a list, short because there are hundreds of thousands of them:
//   [id, node]                          waits in a task or an event of the outermost scope
//   [id, node, scope]                   the same inside the sub-process or loop `scope`
//   [id, node, scope, "w", index, item] the same, one instance of a loop
//   [id, node, scope, "s"]              a sub-process that runs; with index and item in a loop
//   [id, node, scope, "j", edge]        has come to a join by `edge` and waits for others
//   [id, node, scope, "a", host]        an event that may interrupt or follow the token `host`
//   [id, node, scope, "m", total, started, done]   a loop; its instances have it as their scope
#pragma once

#include "bpmn/model.h"

typedef enum TokenRole { ROLE_WAIT, ROLE_SCOPE, ROLE_JOIN, ROLE_ARM, ROLE_MULTI } TokenRole;

typedef struct Token {
    int64_t id;
    int64_t scope; // token of the scope it lives in; 0: the process
    int64_t host;  // ROLE_ARM
    int64_t index; // instance of a loop, from 1; 0: none
    Value item;    // its member of the list
    uint32_t node;
    uint32_t edge;                 // ROLE_JOIN
    uint32_t total, started, done; // ROLE_MULTI
    uint32_t inner;                // tokens and moves that live in this one; counted, not stored
    TokenRole role;
    bool dead;
} Token;

typedef struct State {
    Token *tokens; // ascending by id
    size_t count, cap;
    int64_t next;
    Value variables; // a context
    uint32_t end;    // end event reached last, NONE while it runs
    bool started, ended;
} State;

// BROKEN when the value is not a state of this flow.
MUST_USE Status state_read(const Flow *f, Value v, Arena *a, State *ret, Error *err);
Value state_write(const Flow *f, const State *s, Arena *a);
// The live token, or NULL.
Token *state_token(State *s, int64_t id);
