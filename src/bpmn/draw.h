// Between the files that draw. Private to this room.
//
//   draw.c        the whole: pools, lanes, edges, artifacts, what it tells
//   draw_shape.c  nodes with their symbols, as the notation has them (BPMN 2.0.2, annex B)
#pragma once

#include "bpmn/state.h"

enum {
    DRAWING_SIZE_MAX = 8 << 20,
    MARGIN = 20,
    LABEL_LINES_MAX = 4,
    FONT = 13,
    FONT_SMALL = 11,
};

typedef enum Progress { AHEAD, ACTIVE, DONE } Progress;

typedef struct Draw {
    const Flow *flow;
    Buf out;
    Progress *progress; // by node
    bool stands;        // there is a state or a record: words and signs tell the progress
    bool english;
    Arena *arena;
} Draw;

extern const char *const draw_classes[];
extern const char *const draw_strokes[];
extern const char *const draw_fills[];

Str draw_word(const Draw *d, Progress p);
// What it is called in the language of the drawing; Chinese when nobody gave it English.
Str draw_title(const Draw *d, Str name, Str name_en);
void draw_text(Buf *out, Str s); // escaped
// Lines around (x, y): the middle of the block when `middle`, else its first line.
void draw_label(Draw *d, Str name, int32_t x, int32_t y, int units, bool middle);
void draw_node(Draw *d, uint32_t node);
