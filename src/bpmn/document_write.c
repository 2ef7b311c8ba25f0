// See document.h. What the reader would change on the way back is written as a reference: in an
// attribute every white space but the blank, in text a carriage return.
#include "bpmn/document.h"

static void put_escaped(Buf *b, Str s, bool attribute) {
    size_t from = 0;
    for (size_t i = 0; i < s.len; i++) {
        Str put;
        switch (s.ptr[i]) {
        case '&': put = S("&amp;"); break;
        case '<': put = S("&lt;"); break;
        case '>': put = S("&gt;"); break; // "]]>" must not stand in text
        case '\r': put = S("&#13;"); break;
        case '"': put = attribute ? S("&quot;") : S("\""); break;
        case '\n': put = attribute ? S("&#10;") : S("\n"); break;
        case '\t': put = attribute ? S("&#9;") : S("\t"); break;
        default: continue;
        }
        buf_bytes(b, s.ptr + from, i - from);
        buf_str(b, put);
        from = i + 1;
    }
    if (s.len) buf_bytes(b, s.ptr + from, s.len - from);
}

static void put_name(Buf *b, Str prefix, Str local) {
    if (prefix.len) {
        buf_str(b, prefix);
        buf_char(b, ':');
    }
    buf_str(b, local);
}

static void put_start(Buf *b, const DocumentNode *n) {
    buf_char(b, '<');
    put_name(b, n->prefix, n->local);
    for (size_t i = 0; i < n->namespaces_count; i++) {
        buf_lit(b, " xmlns");
        if (n->namespaces[i].prefix.len) buf_char(b, ':');
        buf_str(b, n->namespaces[i].prefix);
        buf_lit(b, "=\"");
        put_escaped(b, n->namespaces[i].uri, true);
        buf_char(b, '"');
    }
    for (size_t i = 0; i < n->attributes_count; i++) {
        buf_char(b, ' ');
        put_name(b, n->attributes[i].prefix, n->attributes[i].local);
        buf_lit(b, "=\"");
        put_escaped(b, n->attributes[i].value, true);
        buf_char(b, '"');
    }
    if (!n->first) buf_char(b, '/');
    buf_char(b, '>');
}

static void put_end(Buf *b, const DocumentNode *n) {
    if (!n->first) return;
    buf_lit(b, "</");
    put_name(b, n->prefix, n->local);
    buf_char(b, '>');
}

static void put_other(Buf *b, const DocumentNode *n) {
    switch (n->kind) {
    case DOCUMENT_TEXT: put_escaped(b, n->text, false); break;
    case DOCUMENT_CDATA:
        buf_lit(b, "<![CDATA[");
        buf_str(b, n->text);
        buf_lit(b, "]]>");
        break;
    case DOCUMENT_COMMENT:
        buf_lit(b, "<!--");
        buf_str(b, n->text);
        buf_lit(b, "-->");
        break;
    case DOCUMENT_INSTRUCTION:
        buf_lit(b, "<?");
        buf_str(b, n->local);
        if (n->text.len) buf_char(b, ' ');
        buf_str(b, n->text);
        buf_lit(b, "?>");
        break;
    case DOCUMENT_ROOT:
    case DOCUMENT_ELEMENT: break;
    }
}

// A node and, when it has children, everything up to its end: without recursion.
static void put_tree(Buf *b, const DocumentNode *top) {
    const DocumentNode *n = top;
    while (true) {
        if (n->kind == DOCUMENT_ELEMENT) put_start(b, n);
        else put_other(b, n);
        if (n->first) {
            n = n->first;
            continue;
        }
        while (n != top && !n->next) {
            n = n->parent;
            put_end(b, n);
        }
        if (n == top) return;
        n = n->next;
    }
}

Status flow_document_write(const FlowDocument *d, Arena *a, Str *ret, Error *err) {
    Buf b = buf_make(a, 4096, DOCUMENT_WRITTEN_MAX);
    buf_lit(&b, "<?xml version=\"");
    buf_str(&b, d->version.len ? d->version : S("1.0"));
    buf_lit(&b, "\" encoding=\"UTF-8\"");
    if (d->standalone == 1) buf_lit(&b, " standalone=\"yes\"");
    if (d->standalone == 0) buf_lit(&b, " standalone=\"no\"");
    buf_lit(&b, "?>\n");
    for (const DocumentNode *n = d->top->first; n; n = n->next) {
        put_tree(&b, n);
        buf_char(&b, '\n');
    }
    if (b.full) return error_set(err, LIMIT, S(""), "写出的流程文件超过 128 MB");
    *ret = buf_view(&b);
    return OK;
}
