// Between the files that draw. Private to this room.
//
//   draw.c        the whole: pools, lanes, edges, artifacts, what it tells
//   draw_shape.c  nodes with their symbols, as the notation has them (BPMN 2.0.2, annex B)
#pragma once

#include "bpmn/state.h"

enum {
    DRAWING_SIZE_MAX = 8 << 20,
    MARGIN = 20,
    LABEL_LINES_MAX = 12,
    LABEL_UNITS = 14, // of a name that stands beside its shape
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
// Where a name stands: the middle of its lines is at x, their first at y or, with `middle`, their
// middle. `units`: half Chinese characters in a line.
typedef struct Label {
    int32_t x, y;
    int units;
    uint32_t lines;
    bool middle;
} Label;
void draw_label(Draw *d, Str name, Label at);
// Where the file puts the name; below the shape when it does not say.
Label label_beside(const Box *label, const Box *shape);
// In the middle of the shape, moved down by `down`.
Label label_inside(const Box *shape, int32_t down);
void draw_node(Draw *d, uint32_t node);
