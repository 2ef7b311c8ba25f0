// Decision models (OMG DMN 1.3 to 1.5 XML): decisions as tables, literal expressions and contexts
// over FEEL. Pure: model + input → result + trace. A model is immutable after loading and may be
// shared by threads.
#pragma once

#include "feel/feel.h"

typedef struct DmnModel DmnModel;

enum { DMN_SIZE_MAX = 8 << 20, DMN_RULES_MAX = 20000, DMN_DECISIONS_MAX = 2000 };

// Error.where is the line in the XML.
MUST_USE Status dmn_load(Str xml, Arena *a, const DmnModel **ret, Error *err);
// The same, but an expression that can't be read is no refusal: it yields null and a diagnostic
// when it is evaluated, as the conformance suite wants it. Packs are loaded with dmn_load.
MUST_USE Status dmn_load_deferred(Str xml, Arena *a, const DmnModel **ret, Error *err);
size_t dmn_decision_count(const DmnModel *m);
Str dmn_decision_name(const DmnModel *m, size_t i);
// Input data the model names, for checking a guide against its questions.
size_t dmn_input_count(const DmnModel *m);
Str dmn_input_name(const DmnModel *m, size_t i);

typedef struct DmnResult {
    Value value;
    // A list of {decision, rules: [row numbers from 1], value}: which rules fired and why; what a
    // case keeps as the reason of a decision.
    Value trace;
    // A list of {decision, line, text}: what yielded null, and why.
    Value diagnostics;
} DmnResult;

// Evaluates one decision and those it requires. `input`: a context of input data by name; what is
// missing is null. Text is read as a date, time or duration where the input's type says so (JSON
// has none). NOT_FOUND: no such decision.
MUST_USE Status dmn_decide(const DmnModel *m, Str decision, Value input, Instant now, Arena *a,
                           DmnResult *ret, Error *err);
