// Between load.c and the file that reads the drawing. Private to this room.
#pragma once

#include "bpmn/xml.h"

// Boxes and points from the diagram interchange (BPMN 2.0.2, 12.2) where it has them. What is
// wrong in a drawing is left out: it never stops a flow from being loaded.
void flow_read_drawing(Flow *f, const xmlNode *definitions, Arena *a);
