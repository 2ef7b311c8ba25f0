// XML into a small tree in the arena: elements with local names, attributes, text and lines.
// libxml2 does the reading: no network, no entities (a document with a DTD is refused), its own
// limits on depth and text stay on.
#include "dmn/dmn_internal.h"

#include <libxml/parser.h>
#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void init(void) { xmlInitParser(); }

static Status xml_error(Error *err, uint32_t line, const char *text, Str arg) {
    char where[16];
    int n = snprintf(where, sizeof where, "%u", line);
    return error_fill(err, INVALID, str_of(where, n > 0 ? (size_t)n : 0), text,
                      (Str[ERROR_ARGS]){arg});
}

static Str copy(Arena *a, const xmlChar *s) { return arena_str(a, str_z((const char *)s)); }

// A namespace of another language (BPMN's root element is called definitions too); empty when it
// has none or is DMN's, of whatever version.
static Str foreign_space(const xmlNode *root) {
    Str space = root->ns && root->ns->href ? str_z((const char *)root->ns->href) : S("");
    return str_find(space, S("/spec/DMN/")) >= 0 ? S("") : space;
}

static Element *element_of(xmlNode *node, Arena *a) {
    Element *e = arena_new(a, Element);
    e->name = copy(a, node->name);
    e->line = (uint32_t)xmlGetLineNo(node);
    for (xmlAttr *at = node->properties; at; at = at->next) e->attrs_count++;
    e->attr_names = arena_array(a, Str, e->attrs_count);
    e->attr_values = arena_array(a, Str, e->attrs_count);
    uint32_t i = 0;
    for (xmlAttr *at = node->properties; at; at = at->next, i++) {
        e->attr_names[i] = copy(a, at->name);
        if (at->children && at->children->content)
            e->attr_values[i] = copy(a, at->children->content);
    }
    Buf text = buf_make(a, 0, DMN_SIZE_MAX);
    Element **link = &e->first;
    for (xmlNode *kid = node->children; kid; kid = kid->next) {
        if (kid->type == XML_ELEMENT_NODE) {
            *link = element_of(kid, a); // libxml2 refuses more than 256 levels
            link = &(*link)->next;
        } else if ((kid->type == XML_TEXT_NODE || kid->type == XML_CDATA_SECTION_NODE) &&
                   kid->content) {
            buf_str(&text, str_z((const char *)kid->content));
        }
    }
    e->text = str_trim(buf_view(&text));
    e->text_line = e->line;
    for (const char *p = text.ptr; p && p < e->text.ptr; p++) e->text_line += *p == '\n';
    return e;
}

Status dmn_xml(Str xml, Arena *a, Element **ret, Error *err) {
    if (xml.len > DMN_SIZE_MAX) return error_set(err, LIMIT, S("1"), "文件超过 {1} 字节", S("8388608"));
    (void)pthread_once(&once, init);
    xmlParserCtxt *context = xmlNewParserCtxt();
    if (!context) return error_set(err, BUSY, S("1"), "内存不足");
    enum {
        OPTIONS = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                  XML_PARSE_BIG_LINES
    };
    xmlDoc *doc = xmlCtxtReadMemory(context, xml.ptr, (int)xml.len, NULL, NULL, OPTIONS);
    Status status = OK;
    if (!doc) {
        xmlError *last = xmlCtxtGetLastError(context);
        Str said = last && last->message ? str_trim(str_z(last->message)) : S("");
        status = xml_error(err, last ? (uint32_t)last->line : 1, "不是有效的 XML：{1}", said);
    } else if (doc->intSubset || doc->extSubset) {
        status = xml_error(err, 1, "XML 里不能有 DTD", S(""));
    } else if (foreign_space(xmlDocGetRootElement(doc)).len) {
        status = xml_error(err, 1, "不是 DMN 模型（命名空间是“{1}”）",
                           foreign_space(xmlDocGetRootElement(doc)));
    } else {
        // When the arena is full it jumps; the document must be freed on the way.
        jmp_buf env;
        jmp_buf *outer = arena_on_limit(a, &env);
        if (setjmp(env) == 0) {
            *ret = element_of(xmlDocGetRootElement(doc), a);
            (void)arena_on_limit(a, outer);
        } else {
            (void)arena_on_limit(a, outer);
            status = error_set(err, LIMIT, S("1"), "文件内容过多");
        }
    }
    if (doc) xmlFreeDoc(doc);
    xmlFreeParserCtxt(context);
    return status;
}

Str element_attr(const Element *e, const char *name) {
    for (uint32_t i = 0; i < e->attrs_count; i++)
        if (str_eq(e->attr_names[i], str_z(name))) return e->attr_values[i];
    return S("");
}

const Element *element_child(const Element *e, const char *name) {
    for (const Element *kid = e->first; kid; kid = kid->next)
        if (str_eq(kid->name, str_z(name))) return kid;
    return NULL;
}

uint32_t element_count(const Element *e, const char *name) {
    uint32_t n = 0;
    for (const Element *kid = e->first; kid; kid = kid->next) n += str_eq(kid->name, str_z(name));
    return n;
}
