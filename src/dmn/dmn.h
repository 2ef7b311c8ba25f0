// Decision models (OMG DMN 1.5; XML of 1.1 to 1.5): decision tables, boxed expressions, business
// knowledge models, decision services, item definitions and imports, over FEEL. Pure: model and
// input give result, trace and diagnostics; no clock, no files, no database.
//
// Memory: everything a call returns lives in the arena it is given and points into the model's.
// Threads: a model is immutable once loaded; any number of threads may decide with it at a time,
// each with an arena of its own. Errors: a Status, and an Error that says what and where; a fault
// inside a decision is never a Status but null with a diagnostic.
#pragma once

#include "feel/feel.h"

typedef struct DmnModel DmnModel;

enum {
    DMN_SIZE_MAX = 8 << 20, // bytes of one file
    DMN_FILES_MAX = 100,    // files of one model
    DMN_RULES_MAX = 20000,  // rules of all tables of one model
    DMN_DECISIONS_MAX = 2000, // inputs, decisions, knowledge models and services of one file
};

typedef struct DmnFile {
    Str name; // for errors: "name:line"; may be empty
    Str xml;
} DmnFile;

// An expression that can't be read: STRICT refuses the model; DEFERRED lets it yield null with a
// diagnostic when it is evaluated, as the conformance suite wants it. Packs are loaded strictly.
typedef enum DmnMode { DMN_STRICT, DMN_DEFERRED } DmnMode;

// Error.where is the line in the XML. A model that imports others needs dmn_load_files.
MUST_USE Status dmn_load(Str xml, Arena *a, const DmnModel **ret, Error *err);
// The first file is the model; the others are there to be imported, found by their namespace.
// Error.where is "name:line".
MUST_USE Status dmn_load_files(const DmnFile *files, size_t count, DmnMode mode, Arena *a,
                               const DmnModel **ret, Error *err);
size_t dmn_decision_count(const DmnModel *m);
Str dmn_decision_name(const DmnModel *m, size_t i);
// Input data the model names, for checking a guide against its questions.
size_t dmn_input_count(const DmnModel *m);
Str dmn_input_name(const DmnModel *m, size_t i);
size_t dmn_service_count(const DmnModel *m);
Str dmn_service_name(const DmnModel *m, size_t i);

typedef struct DmnResult {
    Value value;
    // What was decided, in the order in which it was, and why; what a case keeps as the reason of
    // a decision. A list of {decision, rules, value, tables}: `rules` are the numbers (from 1) of
    // the rows that gave the value when the decision is a table; `tables` tells of each table that
    // was looked at (at most 200): {policy, inputs: [{column, value}], rules: [{rule, tests,
    // note}]} with `tests` the texts that held, one for each column, `note` the annotation if
    // there is one, and `in` the knowledge model or service the table stands in, if it does.
    Value trace;
    // What yielded null and why: a list of {decision, line, column, text}.
    Value diagnostics;
} DmnResult;

// Evaluates one decision and those it requires. `input`: a context of input data by name (of an
// imported model by "namespace#name", else by name alone); what is missing is null. Text is read
// as a date, time or duration where the input's type says so (JSON has none). NOT_FOUND: no such
// decision. What the model computes can't be replaced by the input.
MUST_USE Status dmn_decide(const DmnModel *m, Str decision, Value input, Instant now, Arena *a,
                           DmnResult *ret, Error *err);
// The same, but a required decision that `given` names is not evaluated: its value is the one
// given. For tests and what-if questions; never give it what a user typed.
MUST_USE Status dmn_decide_given(const DmnModel *m, Str decision, Value input, Value given,
                                 Instant now, Arena *a, DmnResult *ret, Error *err);
// Calls a decision service with its input data and input decisions by name. One output decision:
// its value; several: a context of them.
MUST_USE Status dmn_service(const DmnModel *m, Str service, Value input, Instant now, Arena *a,
                            DmnResult *ret, Error *err);

// Everything that is wrong or doubtful in a model, for who edits it: a list of {line, column,
// element, text, template, args, severity}: `text` is `template` with `args` filled in (the first
// may be {text, args} in its turn), severity "error" (dmn_load would refuse it, or it can never
// work) or "warning". `element` is the name of the decision, knowledge model, input or type it
// stands in, or "". Covers: broken XML, elements and references that aren't there, circles,
// expressions that can't be read, names an expression reads that nothing gives it (and whether a
// requirement is missing), unknown types; of tables with tests of literals also rows that overlap
// (UNIQUE, ANY with different results), rows that can never fire, and inputs no row covers. OK
// however bad the model; `ret` has at most 500 findings, the errors first.
MUST_USE Status dmn_check(Str xml, Arena *a, Value *ret, Error *err);
