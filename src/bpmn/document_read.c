// See document.h. The parser's events become nodes in the arena. Every maximum is checked in the
// event, before memory is taken, and stops the parser.
#include "bpmn/document.h"
#include "bpmn/document_guard.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

typedef struct Reader {
    Arena *arena;
    xmlParserCtxt *context;
    FlowDocument *document;
    DocumentNode *top, *open; // the element whose end tag is awaited
    size_t depth, nodes, attributes;
    Buf text; // of the text node being read: the parser gives a long one in parts
    uint32_t text_line;
    const char *limit; // what was passed
    bool doctype;
    bool unbound; // a prefix that is not declared
} Reader;

static Reader *reader_of(void *context) { return ((xmlParserCtxt *)context)->_private; }

static void stop(Reader *r, const char *limit) {
    r->limit = limit;
    xmlStopParser(r->context);
}

static Str copy(Reader *r, const xmlChar *z) {
    return z ? arena_str(r->arena, str_z((const char *)z)) : S("");
}

static uint32_t line_now(const Reader *r) {
    const int line = r->context->input ? r->context->input->line : 0;
    return line > 0 ? (uint32_t)line : 0;
}

static DocumentNode *append_bare(Reader *r, DocumentKind kind) {
    if (r->limit) return NULL;
    if (++r->nodes > DOCUMENT_NODES_MAX) {
        stop(r, "流程文件的内容太多（最多 1500000 个节点）");
        return NULL;
    }
    DocumentNode *n = arena_new(r->arena, DocumentNode);
    n->kind = kind;
    n->line = line_now(r);
    n->parent = r->open;
    if (r->open->last) r->open->last->next = n;
    else r->open->first = n;
    r->open->last = n;
    return n;
}

static void end_text(Reader *r) {
    if (!r->text.len) return;
    DocumentNode *n = append_bare(r, DOCUMENT_TEXT);
    if (n) {
        n->line = r->text_line;
        n->text = arena_str(r->arena, buf_view(&r->text));
    }
    r->text.len = 0;
}

static DocumentNode *append(Reader *r, DocumentKind kind) {
    end_text(r);
    return append_bare(r, kind);
}

static void on_doctype(void *context, const xmlChar *name, const xmlChar *external,
                       const xmlChar *system) {
    (void)name, (void)external, (void)system;
    Reader *r = reader_of(context);
    r->doctype = true;
    xmlStopParser(r->context);
}

static const struct {
    Str uri;
    DocumentSpace space;
} spaces[] = {
    {S_INIT("http://www.omg.org/spec/BPMN/20100524/MODEL"), SPACE_BPMN},
    {S_INIT("http://www.omg.org/spec/BPMN/20100524/DI"), SPACE_BPMNDI},
    {S_INIT("http://www.omg.org/spec/DD/20100524/DI"), SPACE_DI},
    {S_INIT("http://www.omg.org/spec/DD/20100524/DC"), SPACE_DC},
    {S_INIT("http://www.w3.org/2001/XMLSchema-instance"), SPACE_XSI},
};

static DocumentSpace space_of(Str uri) {
    if (!uri.len) return SPACE_NONE;
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        if (str_eq(uri, spaces[i].uri)) return spaces[i].space;
    return SPACE_OTHER;
}

// The parser stands at the end of the start tag; no `<` can be in one, so the last is its own.
static uint32_t start_line(const Reader *r, uint32_t line) {
    const xmlParserInput *in = r->context->input;
    const xmlChar *at = in->cur;
    uint32_t breaks = 0;
    while (at > in->base) {
        at--;
        if (*at == '<') return breaks < line ? line - breaks : line;
        if (*at == '\n') breaks++;
    }
    return line;
}

static void put_attributes(Reader *r, DocumentNode *n, const xmlChar **attributes, size_t count) {
    DocumentAttribute *list = arena_array(r->arena, DocumentAttribute, count);
    for (size_t i = 0; i < count; i++) {
        const xmlChar **from = attributes + i * 5; // local, prefix, URI, value, its end
        DocumentAttribute *at = &list[i];
        at->local = copy(r, from[0]);
        at->prefix = copy(r, from[1]);
        at->uri = copy(r, from[2]);
        at->space = space_of(at->uri);
        at->value = arena_str(r->arena, str_of((const char *)from[3], (size_t)(from[4] - from[3])));
        if (at->prefix.len && !at->uri.len) r->unbound = true;
    }
    n->attributes = list;
    n->attributes_count = (uint32_t)count;
}

static void put_namespaces(Reader *r, DocumentNode *n, const xmlChar **namespaces, size_t count) {
    DocumentNamespace *list = arena_array(r->arena, DocumentNamespace, count);
    for (size_t i = 0; i < count; i++) {
        list[i].prefix = copy(r, namespaces[2 * i]);
        list[i].uri = copy(r, namespaces[2 * i + 1]);
    }
    n->namespaces = list;
    n->namespaces_count = (uint32_t)count;
}

static void on_element(void *context, const xmlChar *local, const xmlChar *prefix,
                       const xmlChar *uri, int namespaces_count, const xmlChar **namespaces,
                       int attributes_count, int defaulted_count, const xmlChar **attributes) {
    (void)defaulted_count;
    Reader *r = reader_of(context);
    if (r->limit) return;
    const size_t more = (size_t)attributes_count + (size_t)namespaces_count;
    if (r->attributes + more > DOCUMENT_ATTRIBUTES_MAX) {
        stop(r, "流程文件的属性太多（最多 2000000 个）");
        return;
    }
    if (++r->depth > DOCUMENT_DEPTH_MAX) {
        stop(r, "流程文件的元素嵌套太深（最多 200 层）");
        return;
    }
    if (++r->document->elements > DOCUMENT_ELEMENTS_MAX) {
        stop(r, "流程文件的元素太多（最多 400000 个）");
        return;
    }
    r->attributes += more;
    DocumentNode *n = append(r, DOCUMENT_ELEMENT);
    if (!n) return;
    n->order = (uint32_t)r->document->elements - 1;
    n->line = start_line(r, n->line);
    n->local = copy(r, local);
    n->prefix = copy(r, prefix);
    n->uri = copy(r, uri);
    n->space = space_of(n->uri);
    if (n->prefix.len && !n->uri.len) r->unbound = true;
    bool foreign = n->space == SPACE_OTHER || n->space == SPACE_NONE;
    n->name = foreign ? EL_NONE : meta_name((int)n->space, n->local);
    put_namespaces(r, n, namespaces, (size_t)namespaces_count);
    put_attributes(r, n, attributes, (size_t)attributes_count);
    if (!r->document->root) r->document->root = n;
    r->open = n;
}

static void on_end(void *context, const xmlChar *local, const xmlChar *prefix,
                   const xmlChar *uri) {
    (void)local, (void)prefix, (void)uri;
    Reader *r = reader_of(context);
    end_text(r);
    if (r->limit || r->open == r->top) return;
    r->depth--;
    r->open = r->open->parent;
}

static void on_text(void *context, const xmlChar *text, int len) {
    Reader *r = reader_of(context);
    if (r->limit || r->open == r->top || len <= 0) return;
    if (!r->text.len) r->text_line = line_now(r);
    buf_bytes(&r->text, (const char *)text, (size_t)len);
}

static void on_cdata(void *context, const xmlChar *text, int len) {
    Reader *r = reader_of(context);
    DocumentNode *n = append(r, DOCUMENT_CDATA);
    if (n) n->text = arena_str(r->arena, str_of((const char *)text, len > 0 ? (size_t)len : 0));
}

static void on_comment(void *context, const xmlChar *text) {
    Reader *r = reader_of(context);
    DocumentNode *n = append(r, DOCUMENT_COMMENT);
    if (n) n->text = copy(r, text);
}

static void on_instruction(void *context, const xmlChar *target, const xmlChar *text) {
    Reader *r = reader_of(context);
    DocumentNode *n = append(r, DOCUMENT_INSTRUCTION);
    if (!n) return;
    n->local = copy(r, target);
    n->text = copy(r, text);
}

// libxml2 prints some errors (of encodings) although it was told not to; lower rooms never log.
static void say_nothing(void *context, xmlErrorPtr error) { (void)context, (void)error; }

static Status refuse(Reader *r, Error *err) {
    const xmlError *told = &r->context->lastError;
    char place[40];
    int line = told->line, column = told->int2;
    if (line <= 0 || r->doctype || r->limit) {
        line = (int)line_now(r);
        column = r->context->input ? r->context->input->col : 1;
    }
    (void)snprintf(place, sizeof place, "%d:%d", line > 0 ? line : 1, column > 0 ? column : 1);
    const Str where = str_z(place);
    if (r->doctype)
        return error_set(err, INVALID, where, "流程文件不得含有文档类型声明（DOCTYPE）");
    if (r->limit) return error_fill(err, LIMIT, where, r->limit, (Str[ERROR_ARGS]){{0}});
    Str message = str_z(told->message); // further lines show bytes of the file
    message = str_trim(str_cut(&message, '\n'));
    if (!message.len) message = S("no element");
    return error_set(err, INVALID, where, "流程文件不是合法的 XML：{1}", message);
}

// XML's names for the callbacks that are wanted; all others stay unset.
static xmlSAXHandler handler_make(void) {
    xmlSAXHandler h = {.initialized = XML_SAX2_MAGIC,
                       .internalSubset = on_doctype,
                       .startElementNs = on_element,
                       .endElementNs = on_end,
                       .characters = on_text,
                       .ignorableWhitespace = on_text,
                       .cdataBlock = on_cdata,
                       .comment = on_comment,
                       .processingInstruction = on_instruction,
                       .serror = say_nothing};
    return h;
}

static Status parse(Reader *r, Str xml, Error *err) {
    xmlParserCtxt *context = r->context;
    xmlSAXHandler handler = handler_make();
    *context->sax = handler;
    context->_private = r;
    // Entities are put in as text: the five of XML itself and numbers, as there are no others.
    (void)xmlCtxtUseOptions(context, XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_BIG_LINES |
                                         XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    xmlParserInputBuffer *buffer = xmlParserInputBufferCreateMem(
        xml.len ? xml.ptr : "", (int)xml.len, XML_CHAR_ENCODING_NONE);
    xmlParserInput *input =
        buffer ? xmlNewIOInputStream(context, buffer, XML_CHAR_ENCODING_NONE) : NULL;
    if (!input) {
        xmlFreeParserInputBuffer(buffer);
        return error_set(err, BUSY, S(""), "内存不足，请稍后再试");
    }
    (void)inputPush(context, input);
    (void)xmlParseDocument(context);
    if (!context->wellFormed || r->doctype || r->limit || r->unbound || !r->document->root)
        return refuse(r, err);
    // No declaration at all and "1.0" look the same; both are written with one.
    r->document->version = copy(r, context->version);
    r->document->standalone = context->standalone;
    return OK;
}

static Status guard(Str xml, Error *err) {
    Str encoding;
    uint32_t line = 0;
    if (xml.len > DOCUMENT_SIZE_MAX)
        return error_set(err, LIMIT, S("1:1"), "流程文件超过 32 MB");
    if (!guard_encoding(xml, &encoding))
        return error_set(err, INVALID, S("1:1"), "不认识流程文件的编码 {1}", encoding);
    if (guard_attributes(xml, DOCUMENT_TAG_ATTRIBUTES_MAX, &line)) return OK;
    char place[40];
    (void)snprintf(place, sizeof place, "%u:1", line);
    return error_set(err, LIMIT, str_z(place), "一个元素的属性太多（最多 1000 个）");
}

Status flow_document_read(Str xml, Arena *a, const FlowDocument **ret, Error *err) {
    const Status guarded = guard(xml, err);
    if (guarded != OK) return guarded;
    xmlInitParser();
    FlowDocument *d = arena_new(a, FlowDocument);
    Reader r = {.arena = a, .document = d, .text = buf_make(a, 1024, DOCUMENT_SIZE_MAX)};
    r.top = r.open = arena_new(a, DocumentNode);
    d->top = r.top;
    r.context = xmlNewParserCtxt();
    if (!r.context) return error_set(err, BUSY, S(""), "内存不足，请稍后再试");
    xmlStructuredErrorFunc told = xmlStructuredError; // these are per thread
    void *told_context = xmlStructuredErrorContext;
    xmlSetStructuredErrorFunc(NULL, say_nothing);
    // A full arena jumps: the parser is freed on the way out.
    jmp_buf env;
    jmp_buf *outer = arena_on_limit(a, &env);
    volatile bool full = false;
    Status status = BROKEN;
    if (setjmp(env)) full = true;
    else status = parse(&r, xml, err);
    (void)arena_on_limit(a, outer);
    xmlSetStructuredErrorFunc(told_context, told);
    // A broken document type makes the parser begin a tree by itself.
    xmlFreeDoc(r.context->myDoc);
    r.context->myDoc = NULL;
    xmlFreeParserCtxt(r.context);
    if (full) {
        if (outer) longjmp(*outer, 1);
        return error_set(err, LIMIT, S(""), "流程文件太大，读它要的内存超过上限");
    }
    if (!status) *ret = d;
    return status;
}
