// See document.h: walking, counting and comparing. Reading is in document_read.c, writing in
// document_write.c.
#include "bpmn/document.h"

static const DocumentNode *element_from(const DocumentNode *n) {
    while (n && n->kind != DOCUMENT_ELEMENT) n = n->next;
    return n;
}

const DocumentNode *document_first(const DocumentNode *n) { return element_from(n->first); }
const DocumentNode *document_next(const DocumentNode *n) { return element_from(n->next); }

// The next node in document order of any kind.
static const DocumentNode *walk_any(const DocumentNode *n, const DocumentNode *top) {
    if (n->first) return n->first;
    while (n != top && !n->next) n = n->parent;
    return n == top ? NULL : n->next;
}

const DocumentNode *document_walk(const DocumentNode *n, const DocumentNode *top) {
    do {
        n = walk_any(n, top);
    } while (n && n->kind != DOCUMENT_ELEMENT);
    return n;
}

const DocumentNode *document_child(const DocumentNode *n, MetaName name) {
    for (const DocumentNode *c = document_first(n); c; c = document_next(c))
        if (c->name == name) return c;
    return NULL;
}

static const DocumentAttribute *attribute_find(const DocumentNode *n, Str name) {
    for (size_t i = 0; i < n->attributes_count; i++)
        if (n->attributes[i].space == SPACE_NONE && str_eq(n->attributes[i].local, name))
            return &n->attributes[i];
    return NULL;
}

bool document_has(const DocumentNode *n, Str name) { return attribute_find(n, name) != NULL; }

Str document_attribute(const DocumentNode *n, Str name) {
    const DocumentAttribute *at = attribute_find(n, name);
    return at ? str_trim(at->value) : S("");
}

bool document_flag(const DocumentNode *n, Str name, bool otherwise) {
    const Str s = document_attribute(n, name);
    if (str_eq(s, S("true")) || str_eq(s, S("1"))) return true;
    if (str_eq(s, S("false")) || str_eq(s, S("0"))) return false;
    return otherwise;
}

Str document_text(const DocumentNode *n, Arena *a) {
    size_t parts = 0;
    Str only = S("");
    for (const DocumentNode *c = n->first; c; c = c->next)
        if (c->kind == DOCUMENT_TEXT || c->kind == DOCUMENT_CDATA) {
            parts++;
            only = c->text;
        }
    if (parts <= 1) return str_trim(only);
    Buf b = buf_make(a, 256, DOCUMENT_SIZE_MAX);
    for (const DocumentNode *c = n->first; c; c = c->next)
        if (c->kind == DOCUMENT_TEXT || c->kind == DOCUMENT_CDATA) buf_str(&b, c->text);
    return str_trim(buf_view(&b));
}

bool document_namespace(const DocumentNode *n, Str prefix, Str *ret) {
    for (; n; n = n->parent)
        for (size_t i = 0; i < n->namespaces_count; i++)
            if (str_eq(n->namespaces[i].prefix, prefix)) {
                *ret = n->namespaces[i].uri;
                return true;
            }
    if (str_eq(prefix, S("xml"))) {
        *ret = S("http://www.w3.org/XML/1998/namespace");
        return true;
    }
    return false;
}

FlowCounts flow_document_counts(const FlowDocument *d) {
    FlowCounts c = {0};
    for (const DocumentNode *n = d->root; n; n = document_walk(n, d->root)) {
        if (n->name == EL_NONE) continue;
        const MetaType *t = meta_element_type(n->name);
        if (t && meta_derives(t, T_FLOW_NODE) && n->name != EL_event) c.flow_nodes++;
        switch (n->name) {
        case EL_process: c.processes++; break;
        case EL_sequenceFlow: c.sequence_flows++; break;
        case EL_messageFlow: c.message_flows++; break;
        case EL_participant: c.participants++; break;
        case EL_lane: c.lanes++; break;
        case EL_BPMNShape: c.shapes++; break;
        case EL_BPMNEdge: c.edges++; break;
        default: break;
        }
    }
    return c;
}

static bool node_equal(const DocumentNode *l, const DocumentNode *r) {
    if (l->kind != r->kind || !str_eq(l->prefix, r->prefix) || !str_eq(l->local, r->local) ||
        !str_eq(l->uri, r->uri) || !str_eq(l->text, r->text) ||
        l->attributes_count != r->attributes_count || l->namespaces_count != r->namespaces_count)
        return false;
    for (size_t i = 0; i < l->attributes_count; i++) {
        const DocumentAttribute *a = &l->attributes[i], *b = &r->attributes[i];
        if (!str_eq(a->prefix, b->prefix) || !str_eq(a->local, b->local) ||
            !str_eq(a->uri, b->uri) || !str_eq(a->value, b->value))
            return false;
    }
    for (size_t i = 0; i < l->namespaces_count; i++)
        if (!str_eq(l->namespaces[i].prefix, r->namespaces[i].prefix) ||
            !str_eq(l->namespaces[i].uri, r->namespaces[i].uri))
            return false;
    return !l->first == !r->first && !l->next == !r->next;
}

bool flow_document_equal(const FlowDocument *d, const FlowDocument *e,
                         const DocumentNode **ret_left, const DocumentNode **ret_right) {
    const DocumentNode *l = d->top, *r = e->top;
    while (l && r && node_equal(l, r)) {
        l = walk_any(l, d->top);
        r = walk_any(r, e->top);
    }
    *ret_left = l;
    *ret_right = r;
    return !l && !r;
}
