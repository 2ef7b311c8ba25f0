// What the rules of check.h share: the files read, search by id, references, findings. Private to
// the check_*.c.
#pragma once

#include "bpmn/check.h"
#include "bpmn/document.h"

typedef struct CheckId {
    Str id;
    const DocumentNode *node; // the first that has it
} CheckId;

typedef struct CheckFile {
    const FlowDocument *document;
    const DocumentNode *root;
    Str file;
    Str target;    // target namespace
    CheckId *ids;  // open addressing
    size_t ids_cap; // a power of two
    bool unresolved; // something it imports could not be read
} CheckFile;

typedef struct Check {
    Arena *arena;
    const FlowCheckOptions *options;
    FlowFindings *findings;
    CheckFile files[FLOW_IMPORTS_MAX]; // the checked one first
    size_t files_count;
    const CheckFile *file; // whose elements are being judged
} Check;

// `rule` and `text` are literals; up to ERROR_ARGS Str follow.
#define check_error(c, node, rule, text, ...) \
    check_add((c), (node), S(rule), FLOW_ERROR, "" text, (Str[ERROR_ARGS]){__VA_ARGS__})
#define check_warning(c, node, rule, text, ...) \
    check_add((c), (node), S(rule), FLOW_WARNING, "" text, (Str[ERROR_ARGS]){__VA_ARGS__})
void check_add(Check *c, const DocumentNode *n, Str rule, FlowSeverity severity, const char *text,
               const Str args[ERROR_ARGS]);

// The element with that id in the file; NULL when there is none.
const DocumentNode *check_id(const CheckFile *f, Str id);

typedef enum CheckFound {
    CHECK_FOUND,
    CHECK_MISSING,
    CHECK_UNKNOWN, // in a file that could not be read
} CheckFound;

// What a QName written at `at` refers to, in this file or an imported one.
CheckFound check_resolve(const Check *c, const DocumentNode *at, Str qname,
                         const DocumentNode **ret, const CheckFile **ret_file);
// The same for an IDREF or an attribute or a child; NULL when there is nothing (or no reference).
const DocumentNode *check_ref(const Check *c, const DocumentNode *at, Str qname);
const DocumentNode *check_ref_attribute(const Check *c, const DocumentNode *n, Str attribute);
const DocumentNode *check_ref_child(const Check *c, const DocumentNode *n, MetaName child);

// The type of an element, as xsi:type says or else as its name does; NULL outside of BPMN.
const MetaType *check_type(const DocumentNode *n);
static inline bool check_is(const DocumentNode *n, MetaTypeId type) {
    return n && meta_derives(check_type(n), type);
}
Str check_text_id(const DocumentNode *n); // the id, or the element's name when it has none

// The families of rules, each over c->file.
void check_schema(Check *c);
void check_references(Check *c);
void check_imports_ids(Check *c); // EXT.002, over all files at once
