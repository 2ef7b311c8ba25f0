// The engines of Yizhan as a library: FEEL expressions, DMN decisions, BPMN flows. Includes all of
// its headers; each can be included alone too. docs/library.md explains how they go together.
#pragma once

#include "bpmn/bpmn.h"
#include "dmn/dmn.h"
#include "feel/feel.h"
#include "value/json.h"

// What the program was compiled with …
#define YIZHAN_ENGINES_VERSION "@version@"
// … and what it runs with.
const char *yizhan_engines_version(void);

// The English of the engines' messages, to be given to error_message:
// `error_message(&err, yizhan_engines_english, NULL, arena)`. A text it doesn't know it gives back.
Str yizhan_engines_english(void *unused, Str zh);
