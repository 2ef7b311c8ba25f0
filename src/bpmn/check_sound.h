// The token flow of a process level as a graph, and the walk over its markings. Private to
// check_sound.c (builds and reduces the graph) and check_sound_walk.c.
#pragma once

#include "bpmn/check_rules.h"

enum {
    SOUND_NODES_MAX = 3000,
    SOUND_EDGES_MAX = 9000,
    SOUND_BITS_MAX = 256,         // edges left after reducing; more are not decided
    SOUND_SOME_MAX = 6,           // branches of an inclusive split that may go in any combination
    SOUND_TRANSITIONS_MAX = 8000,
};

typedef enum SoundJoin { SOUND_ANY, SOUND_EVERY, SOUND_WAITS } SoundJoin; // xor, and, or
typedef enum SoundSplit { SOUND_ONE, SOUND_ALL, SOUND_SOME } SoundSplit;

typedef struct SoundNode {
    const DocumentNode *at; // the element findings name: where paths meet
    SoundJoin join;
    SoundSplit split;
    bool ends_all; // a terminate, error or cancel end event
    bool fixed;    // exchanges messages: must not be merged with its neighbours
    bool by_event; // an event-based gateway: what comes first decides
    bool gone;
    bool told_deadlock, told_sync; // once is enough
} SoundNode;

enum { SOUND_OUTSIDE = UINT32_MAX }; // where tokens of start events come from

typedef struct SoundEdge {
    uint32_t from, to;
    bool conditional, is_default;
    bool message;  // a message on its way, not a token
    uint32_t start; // from SOUND_OUTSIDE: its number, from 1
    uint32_t exit; // 0: the normal way out; else of an interrupting boundary event, by number
    bool gone;
} SoundEdge;

typedef struct SoundGraph {
    Arena *arena;
    SoundNode *nodes;
    SoundEdge *edges;
    size_t nodes_count, edges_count, edges_cap;
    uint32_t starts_count; // edges from SOUND_OUTSIDE
    bool undecided; // a maximum was passed
    bool several;   // processes together: lack of synchronisation is told for each alone
} SoundGraph;

// Walks all markings that tokens on the starts `first` to `last` lead to. `partial`: other tokens
// may come from elsewhere, so a join that also waits for those is no deadlock.
void sound_walk(Check *c, SoundGraph *g, uint32_t first, uint32_t last, bool partial);
