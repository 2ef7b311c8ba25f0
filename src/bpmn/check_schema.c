// XSD-Check: a file against the metamodel, as a validator of the schema would judge it. What lies
// in extensionElements, in documentation and in scripts is somebody else's and is let be.
#include "bpmn/check_rules.h"

// ---- values ----------------------------------------------------------------------------------

static bool name_start(int32_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0xC0;
}

static bool name_char(int32_t c) {
    return name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == 0xB7;
}

static bool is_ncname(Str s) {
    size_t at = 0;
    if (!s.len || !name_start(str_utf8_next(s, &at))) return false;
    while (at < s.len)
        if (!name_char(str_utf8_next(s, &at))) return false;
    return true;
}

static bool is_qname(Str s) {
    const ptrdiff_t colon = str_find(s, S(":"));
    if (colon < 0) return is_ncname(s);
    return is_ncname(str_sub(s, 0, (size_t)colon)) &&
           is_ncname(str_sub(s, (size_t)colon + 1, s.len));
}

static bool is_boolean(Str s) {
    return str_eq(s, S("true")) || str_eq(s, S("false")) || str_eq(s, S("1")) ||
           str_eq(s, S("0"));
}

// Digits with a sign; xsd:integer has no end.
static bool is_integer(Str s) {
    size_t i = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+') ? 1 : 0;
    if (i == s.len) return false;
    for (; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
    return true;
}

static bool is_int(Str s) {
    int64_t n = 0;
    if (s.len && s.ptr[0] == '+') s = str_sub(s, 1, s.len);
    return is_integer(s) && str_to_int(s, &n) && n >= INT32_MIN && n <= INT32_MAX;
}

static bool digits(Str s, size_t *at) {
    const size_t from = *at;
    while (*at < s.len && s.ptr[*at] >= '0' && s.ptr[*at] <= '9') ++*at;
    return *at > from;
}

static bool is_double(Str s) {
    if (str_eq(s, S("INF")) || str_eq(s, S("-INF")) || str_eq(s, S("NaN"))) return true;
    size_t at = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+') ? 1 : 0;
    bool some = digits(s, &at);
    if (at < s.len && s.ptr[at] == '.') {
        at++;
        if (digits(s, &at)) some = true;
    }
    if (!some) return false;
    if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
        at++;
        if (at < s.len && (s.ptr[at] == '-' || s.ptr[at] == '+')) at++;
        if (!digits(s, &at)) return false;
    }
    return at == s.len;
}

static bool is_one_of(Str s, Str choices) {
    while (choices.ptr)
        if (str_eq(s, str_cut(&choices, ' '))) return true;
    return false;
}

static bool value_fits(const MetaAttribute *m, Str raw) {
    const Str s = str_trim(raw);
    switch (m->lexical) {
    case LEX_ID:
    case LEX_IDREF: return is_ncname(s);
    case LEX_QNAME: return is_qname(s);
    case LEX_BOOLEAN: return is_boolean(s);
    case LEX_INTEGER: return is_integer(s);
    case LEX_INT: return is_int(s);
    case LEX_DOUBLE: return is_double(s);
    case LEX_CHOICE: return is_one_of(raw, m->choices);
    case LEX_STRING:
    case LEX_URI: return true;
    }
    return true;
}

// ---- attributes ------------------------------------------------------------------------------

static const MetaAttribute *attribute_of(const MetaType *t, Str name) {
    for (; t; t = meta_type(t->base))
        for (size_t i = 0; i < t->attributes_count; i++)
            if (str_eq(t->attributes[i].name, name)) return &t->attributes[i];
    return NULL;
}

static bool takes_other_attributes(const MetaType *t) {
    for (; t; t = meta_type(t->base))
        if (t->other_attribute) return true;
    return false;
}

// A prefix of a QName must be declared where it stands.
static void check_prefix(Check *c, const DocumentNode *n, Str qname) {
    Str space;
    const ptrdiff_t colon = str_find(qname, S(":"));
    if (colon > 0 && !check_namespace(c, n, str_sub(qname, 0, (size_t)colon), &space))
        check_error(c, n, "XSD-Check", "{1} 的前缀没有声明命名空间", qname);
}

static void check_attributes(Check *c, const DocumentNode *n, const MetaType *type) {
    for (size_t i = 0; i < n->attributes_count; i++) {
        const DocumentAttribute *at = &n->attributes[i];
        if (at->space == SPACE_XSI) continue;
        if (at->space != SPACE_NONE) {
            // The attributes of BPMN have no namespace, whatever its elements are written with.
            const bool own = str_eq(at->uri, n->uri);
            if (own || (!takes_other_attributes(type) && !str_eq(at->prefix, S("xml"))))
                check_error(c, n, "XSD-Check", "{1} 不允许有属性 {2}", n->local, at->local);
            continue;
        }
        const MetaAttribute *m = attribute_of(type, at->local);
        if (!m) {
            check_error(c, n, "XSD-Check", "{1} 不允许有属性 {2}", n->local, at->local);
        } else if (!value_fits(m, at->value)) {
            check_error(c, n, "XSD-Check", "属性 {1} 的值 {2} 不合格式", at->local, at->value);
        } else if (m->lexical == LEX_QNAME) {
            check_prefix(c, n, str_trim(at->value));
        }
    }
    for (const MetaType *t = type; t; t = meta_type(t->base))
        for (size_t i = 0; i < t->attributes_count; i++)
            if (t->attributes[i].required && !document_has(n, t->attributes[i].name))
                check_error(c, n, "XSD-Check", "{1} 缺少属性 {2}", n->local,
                            t->attributes[i].name);
}

// ---- content ---------------------------------------------------------------------------------

enum { CHILDREN_MAX = 32, TYPE_DEPTH_MAX = 8 };

// All children a type may have, its bases' first.
typedef struct Content {
    const MetaChild *children[CHILDREN_MAX];
    size_t count;
    bool mixed, any_child, other_child;
} Content;

static void content_of(const MetaType *type, Content *ret) {
    const MetaType *line[TYPE_DEPTH_MAX];
    size_t depth = 0;
    for (const MetaType *t = type; t && depth < TYPE_DEPTH_MAX; t = meta_type(t->base))
        line[depth++] = t;
    while (depth--) {
        const MetaType *t = line[depth];
        ret->mixed |= t->mixed;
        ret->any_child |= t->any_child;
        ret->other_child |= t->other_child;
        for (size_t i = 0; i < t->children_count && ret->count < CHILDREN_MAX; i++)
            ret->children[ret->count++] = &t->children[i];
    }
}

static bool fits(const MetaChild *m, const DocumentNode *n) {
    if (n->name == EL_NONE) return false;
    if (m->type == T_NONE) return meta_substitutes(n->name, (MetaName)m->name);
    return n->name == (MetaName)m->name;
}

static void check_element(Check *c, const DocumentNode *n, const MetaType *type);

static void check_reference_text(Check *c, const DocumentNode *n, MetaTypeId kind) {
    const Str text = document_text(n, c->arena);
    const bool right = kind == T_IDREF_CONTENT ? is_ncname(text) : is_qname(text);
    if (!right || document_first(n))
        check_error(c, n, "XSD-Check", "{1} 的内容 {2} 不合格式", n->local, text);
    else if (kind == T_QNAME_CONTENT) check_prefix(c, n, text);
    for (size_t i = 0; i < n->attributes_count; i++)
        if (n->attributes[i].space != SPACE_XSI)
            check_error(c, n, "XSD-Check", "{1} 不允许有属性 {2}", n->local,
                        n->attributes[i].local);
}

static void check_child(Check *c, const DocumentNode *n, const MetaChild *m) {
    if (m->type == T_QNAME_CONTENT || m->type == T_IDREF_CONTENT) {
        check_reference_text(c, n, (MetaTypeId)m->type);
        return;
    }
    const MetaType *declared = m->type ? meta_type((MetaTypeId)m->type)
                                       : meta_element_type(n->name);
    const MetaType *type = declared;
    for (size_t i = 0; i < n->attributes_count; i++) {
        const DocumentAttribute *at = &n->attributes[i];
        if (at->space != SPACE_XSI || !str_eq(at->local, S("type"))) continue;
        check_prefix(c, n, str_trim(at->value));
        Str name = str_trim(at->value);
        const ptrdiff_t colon = str_find(name, S(":"));
        if (colon >= 0) name = str_sub(name, (size_t)colon + 1, name.len);
        type = meta_type_named(name);
        if (!type || !meta_derives(type, declared->id)) {
            check_error(c, n, "XSD-Check", "{1} 不能是 xsi:type {2}", n->local, at->value);
            type = declared;
        }
    }
    if (type->abstract || (type == declared && !m->type && meta_element_abstract(n->name)))
        check_error(c, n, "XSD-Check", "{1} 是抽象元素，不能直接使用", n->local);
    check_element(c, n, type);
}

static void misplaced(Check *c, const DocumentNode *n, const Content *content, size_t upto) {
    for (size_t i = 0; i < upto; i++)
        if (fits(content->children[i], n)) {
            // The order says nothing that running depends on.
            const FlowSeverity severity =
                c->options->loading ? FLOW_FINDING_WARNING : FLOW_FINDING_ERROR;
            check_add(c, n, S("XSD-Check"), severity, "{1} 的位置不对，应当写在前面",
                      (Str[ERROR_ARGS]){n->local});
            check_child(c, n, content->children[i]);
            return;
        }
    check_error(c, n, "XSD-Check", "{1} 不允许出现在 {2} 里", n->local, n->parent->local);
}

// Children that end here must have come often enough; what is lacking is said of the parent.
static void passed(Check *c, const DocumentNode *n, const MetaChild *m, int32_t times) {
    if (times < m->least)
        check_error(c, n, "XSD-Check", "{1} 里缺少 {2}", n->local,
                    meta_name_text((MetaName)m->name));
}

static void check_content(Check *c, const DocumentNode *n, const Content *content) {
    size_t at = 0;      // the child of the type now being filled
    int32_t times = 0;  // how often it has come
    uint8_t choice = 0;
    for (const DocumentNode *e = document_first(n); e; e = document_next(e)) {
        if (content->any_child) continue;
        const bool other = e->space == SPACE_OTHER;
        if (content->other_child && (other || !str_eq(e->uri, n->uri)) && e->name == EL_NONE &&
            e->space != SPACE_NONE && e->space != SPACE_BPMN)
            continue;
        size_t to = at;
        while (to < content->count && !fits(content->children[to], e)) to++;
        if (to == content->count) {
            misplaced(c, e, content, at);
            continue;
        }
        const MetaChild *m = content->children[to];
        for (; at < to; at++, times = 0) passed(c, n, content->children[at], times);
        if (++times > m->most)
            check_error(c, e, "XSD-Check", "{1} 在 {2} 里出现的次数太多", e->local, n->local);
        if (m->choice && choice && m->choice != choice)
            check_error(c, e, "XSD-Check", "{1} 不能与前面的元素同时出现", e->local);
        if (m->choice) choice = m->choice;
        check_child(c, e, m);
    }
    for (; at < content->count; at++, times = 0) passed(c, n, content->children[at], times);
}

static bool blank(Str s) { return str_trim(s).len == 0; }

static void check_element(Check *c, const DocumentNode *n, const MetaType *type) {
    Content content = {0};
    content_of(type, &content);
    check_attributes(c, n, type);
    if (!content.mixed)
        for (const DocumentNode *t = n->first; t; t = t->next)
            if ((t->kind == DOCUMENT_TEXT || t->kind == DOCUMENT_CDATA) && !blank(t->text)) {
                check_error(c, n, "XSD-Check", "{1} 里不允许有文字", n->local);
                break;
            }
    check_content(c, n, &content);
}

void check_schema(Check *c) {
    const DocumentNode *root = c->file->root;
    if (root->name != EL_definitions) {
        check_error(c, root, "XSD-Check", "根元素不是 BPMN 2.0 的 definitions");
        return;
    }
    check_element(c, root, meta_type(T_DEFINITIONS));
}
