// The static checks of BPMN 2.0.2: every finding of a file at once, by rule, element and line.
//
// Rules
//   XML             not well-formed, or a document type
//   XSD-Check       against the schema: unknown or misplaced elements and attributes, what is
//                   lacking, values that are not of their type, an id given twice
//   REF_EXISTENCE   a reference to nothing
//   REF_TYPE        a reference to an element of the wrong kind
//   EXT.nnn         what the text of the standard demands beyond the schema; docs/bpmn-rules.md
//                   lists them, and those that are not checked with the reason
//   FLOW.Deadlock   a join that waits for what can't come
//   FLOW.LackOfSync paths that were parted in parallel and meet without being joined
//   RUN             right by the standard, but this engine can't run it
//
// What a file imports is read too, through a callback, and checked like the file itself.
#pragma once

#include "base/error.h"

enum {
    FLOW_FINDINGS_MAX = 2000,    // then `more`
    FLOW_IMPORTS_MAX = 50,       // files read for one check
    FLOW_IMPORT_DEPTH_MAX = 10,  // imports of imports
    FLOW_CHECK_STEPS_MAX = 40000000, // elements looked at, counted as often as they are
    FLOW_SOUND_STATES_MAX = 20000, // markings looked at in one process level; see check_sound.c
    FLOW_SOUND_STEPS_MAX = 60000000, // moves tried in all levels of a check
};

typedef enum FlowSeverity {
    FLOW_FINDING_WARNING, // may be meant so; the file is taken
    FLOW_FINDING_ERROR,   // the file is refused where it is to run
} FlowSeverity;

typedef struct FlowFinding {
    Str rule;     // "EXT.101"
    FlowSeverity severity;
    Str file;     // as FlowCheckOptions.file, or as the callback named the imported one
    uint32_t line;  // of the element's start tag; 0: none
    Str element;  // id; "" when it has none
    Str kind;     // "startEvent"
    const char *text; // Chinese template with {1}…, English in ui/i18n
    Str args[ERROR_ARGS];
} FlowFinding;

typedef struct FlowFindings {
    FlowFinding *items; // by file (the checked one first), line, rule
    size_t count, cap;
    size_t errors; // of them, with severity FLOW_FINDING_ERROR
    bool more;     // FLOW_FINDINGS_MAX was passed
} FlowFindings;

typedef struct FlowCheckOptions {
    Str file; // the name findings carry; may be ""
    // The text behind a `location` that `file` names; false when there is none. `*ret_file` names
    // it: the same for the same file, whoever imports it. NULL: nothing can be imported.
    bool (*import)(void *ctx, Str location, Str file, Arena *a, Str *ret_xml, Str *ret_file);
    void *ctx;
    // For loading into the engine: rules that keep a file from being exchanged, not from running
    // here (docs/bpmn-rules.md names them), give warnings.
    bool loading;
} FlowCheckOptions;

// All findings, in `a`. A file that is not well-formed is OK with one finding XML. LIMIT when the
// file passes a maximum of document.h or one of the above. `o` may be NULL.
MUST_USE Status flow_check(Str xml, const FlowCheckOptions *o, Arena *a, FlowFindings *ret,
                           Error *err);

// What the finding says, in words.
Str flow_finding_message(const FlowFinding *f, Translate tr, void *catalog, Arena *a);

// OK when there is no error among the findings; else INVALID with the first of them: Error.where is
// "line rule element" ("12 EXT.101 start"), the text says what is wrong.
MUST_USE Status flow_refuse(const FlowFindings *findings, Error *err);
