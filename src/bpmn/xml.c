// See xml.h. A document type is refused as soon as the parser meets one, so no entity is ever
// declared and none can grow. Elements are counted while parsing, before a tree is built of them.
// Nesting is limited by libxml2 itself (256).
#include "bpmn/xml.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

typedef struct Reading {
    size_t elements;
    bool doctype;
    bool too_many;
} Reading;

static Reading *reading_of(void *context) { return ((xmlParserCtxt *)context)->_private; }

static void on_doctype(void *context, const xmlChar *name, const xmlChar *external,
                       const xmlChar *system) {
    (void)name, (void)external, (void)system;
    reading_of(context)->doctype = true;
    xmlStopParser(context);
}

static void on_element(void *context, const xmlChar *local, const xmlChar *prefix,
                       const xmlChar *uri, int namespaces_count, const xmlChar **namespaces,
                       int attributes_count, int defaulted_count, const xmlChar **attributes) {
    if (++reading_of(context)->elements > FLOW_XML_ELEMENTS_MAX) {
        reading_of(context)->too_many = true;
        xmlStopParser(context);
        return;
    }
    xmlSAX2StartElementNs(context, local, prefix, uri, namespaces_count, namespaces,
                          attributes_count, defaulted_count, attributes);
}

// libxml2 prints some errors (of encodings) although it was told not to; lower rooms never log.
static void say_nothing(void *context, xmlErrorPtr error) { (void)context, (void)error; }

static Status refuse(const xmlParserCtxt *context, const Reading *reading, Error *err) {
    const xmlError *told = &context->lastError;
    char line[24] = "1";
    if (told->line > 0) (void)snprintf(line, sizeof line, "%d", told->line);
    if (reading->doctype)
        return error_set(err, INVALID, str_z(line), "流程文件不得含有文档类型声明（DOCTYPE）");
    if (reading->too_many) return error_set(err, LIMIT, str_z(line), "流程文件的元素太多");
    Str message = str_z(told->message); // further lines show bytes of the file
    message = str_trim(str_cut(&message, '\n'));
    return error_set(err, INVALID, str_z(line), "流程文件不是合法的 XML：{1}", message);
}

Status xml_read(Str text, xmlDoc **ret, Error *err) {
    xmlInitParser();
    if (text.len > FLOW_SIZE_MAX) return error_set(err, LIMIT, S(""), "流程文件超过 8 MB");
    xmlParserCtxt *context = xmlNewParserCtxt();
    if (!context) return error_set(err, BUSY, S(""), "内存不足，请稍后再试");
    Reading reading = {0};
    context->_private = &reading;
    context->sax->internalSubset = on_doctype;
    context->sax->startElementNs = on_element;
    xmlStructuredErrorFunc told = xmlStructuredError; // these are per thread
    void *told_context = xmlStructuredErrorContext;
    xmlSetStructuredErrorFunc(NULL, say_nothing);
    xmlDoc *doc = xmlCtxtReadMemory(context, text.ptr ? text.ptr : "", (int)text.len, NULL, NULL,
                                    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                        XML_PARSE_BIG_LINES);
    xmlSetStructuredErrorFunc(told_context, told);
    Status status = OK;
    if (!doc || reading.doctype || reading.too_many || !xmlDocGetRootElement(doc)) {
        status = refuse(context, &reading, err);
        xmlFreeDoc(doc);
        doc = NULL;
    }
    xmlFreeParserCtxt(context);
    if (!status) *ret = doc;
    return status;
}

XmlSpace xml_space(const xmlNs *ns) {
    static const struct {
        Str uri;
        XmlSpace space;
    } known[] = {
        {S_INIT("http://www.omg.org/spec/BPMN/20100524/MODEL"), XML_BPMN},
        {S_INIT("http://www.omg.org/spec/BPMN/20100524/DI"), XML_BPMN_DI},
        {S_INIT("http://www.omg.org/spec/DD/20100524/DI"), XML_DI},
        {S_INIT("http://www.omg.org/spec/DD/20100524/DC"), XML_DC},
        {S_INIT("urn:yizhan:flow:1"), XML_YZ},
    };
    if (!ns || !ns->href) return XML_OTHER;
    Str uri = str_z((const char *)ns->href);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_eq(uri, known[i].uri)) return known[i].space;
    return XML_OTHER;
}

Str xml_local(const xmlNode *e) { return str_z((const char *)e->name); }

uint32_t xml_line(const xmlNode *e) {
    long line = xmlGetLineNo(e);
    return line > 0 ? (uint32_t)line : 0;
}

static xmlNode *element_from(xmlNode *n) {
    while (n && n->type != XML_ELEMENT_NODE) n = n->next;
    return n;
}

xmlNode *xml_first(const xmlNode *e) { return element_from(e->children); }
xmlNode *xml_next(const xmlNode *e) { return element_from(e->next); }

xmlNode *xml_child(const xmlNode *e, XmlSpace space, Str local) {
    for (xmlNode *c = xml_first(e); c; c = xml_next(c))
        if (xml_is(c, space, local)) return c;
    return NULL;
}

static Str text_of(const xmlNode *first, Arena *a) {
    Buf b = buf_make(a, 64, FLOW_SIZE_MAX);
    for (const xmlNode *n = first; n; n = n->next)
        if ((n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE) && n->content)
            buf_str(&b, str_z((const char *)n->content));
    return str_trim(buf_view(&b));
}

Str xml_attribute_value(const xmlAttr *at, Arena *a) { return text_of(at->children, a); }

static const xmlAttr *attribute_find(const xmlNode *e, Str name) {
    for (const xmlAttr *at = e->properties; at; at = at->next)
        if (!at->ns && str_eq(str_z((const char *)at->name), name)) return at;
    return NULL;
}

bool xml_has(const xmlNode *e, Str name) { return attribute_find(e, name) != NULL; }

Str xml_attribute(const xmlNode *e, Str name, Arena *a) {
    const xmlAttr *at = attribute_find(e, name);
    return at ? xml_attribute_value(at, a) : S("");
}

bool xml_flag(const xmlNode *e, Str name, bool otherwise, Arena *a) {
    Str s = xml_attribute(e, name, a);
    if (str_eq(s, S("true")) || str_eq(s, S("1"))) return true;
    if (str_eq(s, S("false")) || str_eq(s, S("0"))) return false;
    return otherwise;
}

Str xml_text(const xmlNode *e, Arena *a) { return text_of(e->children, a); }

Str xml_unprefixed(Str qname) {
    ptrdiff_t colon = str_find(qname, S(":"));
    return colon < 0 ? qname : str_sub(qname, (size_t)colon + 1, qname.len);
}
