// A BPMN file as its author wrote it: every element, attribute, namespace, text, CDATA section,
// comment and processing instruction in its order, known or not, the diagram included. It is read,
// counted, searched and written back with nothing lost; it is never changed in between.
//
// Read with libxml2, which touches neither network nor files here. A document type declaration is
// refused as soon as one begins, so no entity is ever declared and none can grow. What is read:
// UTF-8, UTF-16, ISO-8859-x, windows-125x and the usual Chinese, Japanese and Korean encodings,
// with a byte order mark or without. It is written as UTF-8.
//
// Tools make mistakes: references that point nowhere, missing ids, elements in the wrong order.
// All of that is read; check.h finds it.
#pragma once

#include "base/error.h"
#include "bpmn/meta.h"

enum {
    DOCUMENT_SIZE_MAX = 32 << 20,      // bytes of the file
    DOCUMENT_WRITTEN_MAX = 128 << 20,  // bytes written
    DOCUMENT_DEPTH_MAX = 200,          // elements within elements
    DOCUMENT_ELEMENTS_MAX = 400000,
    DOCUMENT_NODES_MAX = 1500000,      // elements, texts, comments, instructions
    DOCUMENT_ATTRIBUTES_MAX = 2000000, // of the whole file, namespaces among them
    DOCUMENT_TAG_ATTRIBUTES_MAX = 1000, // of one element
};

typedef enum DocumentKind {
    DOCUMENT_ROOT, // holds what stands outside the outermost element too
    DOCUMENT_ELEMENT,
    DOCUMENT_TEXT,
    DOCUMENT_CDATA,
    DOCUMENT_COMMENT,
    DOCUMENT_INSTRUCTION,
} DocumentKind;

typedef enum DocumentSpace {
    SPACE_NONE,  // no namespace
    SPACE_BPMN,  // http://www.omg.org/spec/BPMN/20100524/MODEL
    SPACE_BPMNDI,
    SPACE_DI,
    SPACE_DC,
    SPACE_XSI,
    SPACE_OTHER, // somebody's extension
} DocumentSpace;

typedef struct DocumentAttribute {
    Str prefix, local, uri;
    Str value; // normalised as XML says
    DocumentSpace space;
} DocumentAttribute;

typedef struct DocumentNamespace {
    Str prefix; // "" for the default namespace
    Str uri;    // "" takes the default away
} DocumentNamespace;

typedef struct DocumentNode DocumentNode;
struct DocumentNode {
    DocumentKind kind;
    DocumentSpace space; // elements
    MetaName name;       // EL_… of the BPMN and diagram namespaces, EL_NONE for all others
    uint32_t line;       // where it begins; the `<` of an element's start tag
    uint32_t order;  // elements: their number in document order, from 0
    Str prefix, local, uri; // elements; `local` is an instruction's target
    Str text;               // all others
    const DocumentAttribute *attributes;
    const DocumentNamespace *namespaces; // declared here
    uint32_t attributes_count, namespaces_count;
    DocumentNode *parent, *first, *last, *next;
};

typedef struct FlowDocument {
    const DocumentNode *top;  // DOCUMENT_ROOT
    const DocumentNode *root; // the outermost element
    Str version;              // of XML; "" when there is no declaration
    int standalone;           // 1 yes, 0 no, below: not said
    size_t elements;
} FlowDocument;

// INVALID when it is not well-formed (or has a document type), LIMIT when a maximum above is
// passed; Error.where is "line:column". The document lives in `a` and does not point into `xml`.
MUST_USE Status flow_document_read(Str xml, Arena *a, const FlowDocument **ret, Error *err);

// The file again, UTF-8. Reading it gives an equal document (flow_document_equal). LIMIT past
// DOCUMENT_WRITTEN_MAX.
MUST_USE Status flow_document_write(const FlowDocument *d, Arena *a, Str *ret, Error *err);

// Whether two documents have the same elements, attributes, namespaces, texts, comments and
// instructions in the same order. When not, the nodes where they part (NULL: one ends earlier).
bool flow_document_equal(const FlowDocument *d, const FlowDocument *e,
                         const DocumentNode **ret_left, const DocumentNode **ret_right);

typedef struct FlowCounts {
    int64_t processes;
    int64_t flow_nodes; // events, activities, gateways, choreography activities at all depths
    int64_t sequence_flows, message_flows, participants, lanes;
    int64_t shapes, edges; // of the diagram
} FlowCounts;
FlowCounts flow_document_counts(const FlowDocument *d);

// ---- walking ---------------------------------------------------------------------------------

const DocumentNode *document_first(const DocumentNode *n); // the first child element, or NULL
const DocumentNode *document_next(const DocumentNode *n);  // the next sibling element, or NULL
// The next element in document order within `top`, NULL after the last; start with `top` itself.
const DocumentNode *document_walk(const DocumentNode *n, const DocumentNode *top);
const DocumentNode *document_child(const DocumentNode *n, MetaName name);
// An attribute without namespace, trimmed; "" when it is absent.
Str document_attribute(const DocumentNode *n, Str name);
bool document_has(const DocumentNode *n, Str name);
// xsd:boolean
bool document_flag(const DocumentNode *n, Str name, bool otherwise);
// All text directly in the element, trimmed, in `a` when it has several parts.
Str document_text(const DocumentNode *n, Arena *a);
// The namespace a prefix means at this place; false when it is not declared.
bool document_namespace(const DocumentNode *n, Str prefix, Str *ret);
