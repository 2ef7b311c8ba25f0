// The XML of a flow, read with libxml2: no network, no document type, no entities but the five of
// XML itself, a bounded number of elements. Text is copied into the arena. Private to this room.
#pragma once

#include "bpmn/model.h"

#include <libxml/tree.h>

typedef enum XmlSpace {
    XML_OTHER,   // somebody's extension
    XML_BPMN,    // http://www.omg.org/spec/BPMN/20100524/MODEL
    XML_BPMN_DI, // http://www.omg.org/spec/BPMN/20100524/DI
    XML_DI,      // http://www.omg.org/spec/DD/20100524/DI
    XML_DC,      // http://www.omg.org/spec/DD/20100524/DC
    XML_YZ,      // urn:yizhan:flow:1
} XmlSpace;

// INVALID with the line when it is not well-formed or has a document type. The caller frees the
// document with xmlFreeDoc.
MUST_USE Status xml_read(Str text, xmlDoc **ret, Error *err);

XmlSpace xml_space(const xmlNs *ns);
Str xml_local(const xmlNode *e); // points into the document
static inline bool xml_is(const xmlNode *e, XmlSpace space, Str local) {
    return xml_space(e->ns) == space && str_eq(xml_local(e), local);
}
uint32_t xml_line(const xmlNode *e);

// The first child element, the next sibling element; NULL when there is none.
xmlNode *xml_first(const xmlNode *e);
xmlNode *xml_next(const xmlNode *e);
xmlNode *xml_child(const xmlNode *e, XmlSpace space, Str local);

// An attribute without namespace; empty when absent. Trimmed.
Str xml_attribute(const xmlNode *e, Str name, Arena *a);
bool xml_has(const xmlNode *e, Str name);
Str xml_attribute_value(const xmlAttr *at, Arena *a);
// xsd:boolean
bool xml_flag(const xmlNode *e, Str name, bool otherwise, Arena *a);
// The text directly in the element, trimmed.
Str xml_text(const xmlNode *e, Arena *a);
// A QName without its prefix.
Str xml_unprefixed(Str qname);
