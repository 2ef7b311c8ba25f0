// A small HTML tokenizer that follows a template's static text, so that each hole is known to
// stand in text, in a quoted attribute, or in an address, and is refused anywhere else: inside a
// tag's name, an unquoted or single-quoted attribute, a comment, a script, a style, an event
// handler. It knows the tokenizer states of the HTML standard (13.2.5) that templates need.
#include "page/page_internal.h"

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static void name_start(Html *h) { h->name_len = 0; }
static void name_add(Html *h, char c) {
    if (h->name_len < HTML_NAME_MAX) h->name[h->name_len] = lower(c);
    if (h->name_len < UINT8_MAX) h->name_len++;
}
// Longer names are none of those that matter.
static Str name_of(const Html *h) {
    return h->name_len <= HTML_NAME_MAX ? str_of(h->name, h->name_len) : S("");
}

static bool one_of(Str name, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (str_eq(name, str_z(names[i]))) return true;
    return false;
}
#define ONE_OF(name, list) one_of((name), (list), sizeof(list) / sizeof *(list))

static AttrKind attr_kind(Str name) {
    static const char *const URLS[] = {"href", "src", "action", "formaction", "poster", "cite",
                                       "data", "background", "xlink:href", "hx-get", "hx-post",
                                       "hx-put", "hx-patch", "hx-delete", "hx-push-url",
                                       "hx-replace-url", "manifest", "ping"};
    static const char *const FORBIDDEN[] = {"style", "srcdoc", "srcset", "hx-vals", "hx-vars",
                                            "hx-headers", "hx-request", "hx-trigger",
                                            "http-equiv"};
    if (ONE_OF(name, URLS)) return ATTR_URL;
    if (name.len == 0 || str_starts(name, S("on")) || str_starts(name, S("hx-on")) ||
        ONE_OF(name, FORBIDDEN))
        return ATTR_FORBIDDEN;
    return ATTR_PLAIN;
}

// Behind '>' of a start tag.
static void tag_done(Html *h) {
    static const char *const RAW[] = {"script", "style", "xmp", "iframe", "noembed", "noframes",
                                      "plaintext"};
    static const char *const RCDATA[] = {"title", "textarea"};
    Str element = str_of(h->element, h->element_len);
    h->match = 0;
    h->state = ONE_OF(element, RAW) ? H_RAW : ONE_OF(element, RCDATA) ? H_RCDATA : H_TEXT;
}

static void attr_begin(Html *h, char c) {
    h->state = H_ATTR_NAME;
    name_start(h);
    name_add(h, c);
}

static void value_begin(Html *h, HtmlState state) {
    h->state = state;
    h->attr = attr_kind(name_of(h));
    h->url = URL_START;
}

// Text of a raw element until its end tag "</name".
static void raw_char(Html *h, char c) {
    if (h->match == 0) h->match = c == '<';
    else if (h->match == 1) h->match = c == '/' ? 2 : c == '<' ? 1 : 0;
    else if (h->match < 2 + h->element_len) {
        if (lower(c) == h->element[h->match - 2]) h->match++;
        else h->match = c == '<' ? 1 : 0;
    } else if (c == '>') {
        h->element_len = 0;
        h->state = H_TEXT;
    } else if (is_space(c) || c == '/') {
        h->element_len = 0;
        h->state = H_IN_TAG;
    } else {
        h->match = c == '<' ? 1 : 0;
    }
}

static const char *url_char(Html *h, char c) {
    if (h->attr != ATTR_URL) return NULL;
    if (c == '?' || c == '#') h->url = URL_QUERY;
    else if (h->url == URL_START) h->url = URL_PATH;
    else if (h->url == URL_HOLE) {
        if (c == ':') return "地址的协议不能由变量拼成";
        h->url = URL_PATH;
    }
    return NULL;
}

static const char *tag_char(Html *h, char c) {
    switch (h->state) {
    case H_IN_TAG:
        if (c == '>') tag_done(h);
        else if (c == '=') return "属性名不能以 = 开始";
        else if (!is_space(c) && c != '/') {
            if (h->glued) return "属性名不能由条件拼成，中间要有空格";
            attr_begin(h, c);
        }
        h->glued = false;
        return NULL;
    case H_ATTR_NAME:
    case H_AFTER_NAME:
        if (c == '>') tag_done(h);
        else if (c == '=') h->state = H_BEFORE_VALUE;
        else if (c == '/') h->state = H_IN_TAG;
        else if (is_space(c)) h->state = H_AFTER_NAME;
        else if (h->state == H_AFTER_NAME) attr_begin(h, c);
        else name_add(h, c);
        return NULL;
    case H_BEFORE_VALUE:
        if (c == '"') value_begin(h, H_VALUE);
        else if (c == '\'') value_begin(h, H_VALUE_SINGLE);
        else if (c == '>') return "属性缺少值";
        else if (!is_space(c)) value_begin(h, H_VALUE_BARE);
        return NULL;
    case H_VALUE:
        if (c == '"') h->state = H_IN_TAG;
        else return url_char(h, c);
        return NULL;
    case H_VALUE_SINGLE:
        if (c == '\'') h->state = H_IN_TAG;
        return NULL;
    default: // H_VALUE_BARE
        if (c == '>') tag_done(h);
        else if (is_space(c)) h->state = H_IN_TAG;
        return NULL;
    }
}

static void open_char(Html *h, char c) {
    if (c == '/') {
        h->state = H_END_NAME;
        name_start(h);
    } else if (c == '!') {
        h->state = H_DECLARATION;
        h->match = 0;
    } else if (is_letter(c)) {
        h->state = H_TAG_NAME;
        name_start(h);
        name_add(h, c);
    } else {
        h->state = H_TEXT;
    }
}

static void name_char(Html *h, char c) {
    if (!is_space(c) && c != '>' && c != '/') {
        name_add(h, c);
        return;
    }
    bool end = h->state == H_END_NAME;
    Str name = end ? S("") : name_of(h);
    memcpy(h->element, name.ptr, name.len);
    h->element_len = (uint8_t)name.len;
    if (c == '>') tag_done(h);
    else h->state = H_IN_TAG;
}

static void declaration_char(Html *h, char c) { // <!-- or <!doctype
    if (h->match < 2 && c == '-') {
        if (++h->match == 2) {
            h->state = H_COMMENT;
            h->match = 0;
        }
        return;
    }
    h->match = 3;
    if (c == '>') h->state = H_TEXT;
}

static void comment_char(Html *h, char c) {
    if (c == '-') h->match = h->match < 2 ? (uint8_t)(h->match + 1) : 2;
    else if (c == '>' && h->match == 2) h->state = H_TEXT;
    else h->match = 0;
}

void html_text(Html *h, Str text, const char **ret_why) {
    const char *why = NULL;
    for (size_t i = 0; i < text.len && !why; i++) {
        char c = text.ptr[i];
        switch (h->state) {
        case H_TEXT:
            if (c == '<') h->state = H_TAG_OPEN;
            break;
        case H_RCDATA:
        case H_RAW: raw_char(h, c); break;
        case H_TAG_OPEN: open_char(h, c); break;
        case H_TAG_NAME:
        case H_END_NAME: name_char(h, c); break;
        case H_COMMENT: comment_char(h, c); break;
        case H_DECLARATION: declaration_char(h, c); break;
        case H_BROKEN: break;
        default: why = tag_char(h, c); break;
        }
    }
    if (why) {
        h->state = H_BROKEN;
        *ret_why = why;
    }
}

const char *html_hole(Html *h, Escape *ret) {
    *ret = ESCAPE_HTML;
    switch (h->state) {
    case H_TEXT: return NULL;
    case H_RCDATA:
        h->match = 0;
        return NULL;
    case H_VALUE:
        if (h->attr == ATTR_FORBIDDEN) return "样式、事件等属性里不能有变量";
        if (h->attr == ATTR_URL) {
            *ret = h->url == URL_START   ? ESCAPE_URL
                   : h->url == URL_QUERY ? ESCAPE_QUERY
                                         : ESCAPE_PATH;
            if (h->url == URL_START) h->url = URL_HOLE;
        }
        return NULL;
    case H_RAW: return "脚本和样式里不能有变量";
    case H_COMMENT:
    case H_DECLARATION: return "注释里不能有变量";
    case H_VALUE_SINGLE:
    case H_BEFORE_VALUE:
    case H_VALUE_BARE: return "有变量的属性值要用双引号括起来";
    default: return "标签和属性的名称不能是变量";
    }
}

const char *html_block(Html *h) {
    if (h->state == H_ATTR_NAME) h->glued = true;
    if (h->state == H_ATTR_NAME || h->state == H_AFTER_NAME) h->state = H_IN_TAG;
    if (h->state == H_RCDATA) h->match = 0;
    if (h->state == H_TEXT || h->state == H_RCDATA || h->state == H_IN_TAG || h->state == H_VALUE)
        return NULL;
    return "这里不能有条件或循环";
}

bool html_same(const Html *a, const Html *b) {
    if (a->state != b->state) return false;
    if (a->state == H_TEXT) return true;
    if (a->element_len != b->element_len || memcmp(a->element, b->element, a->element_len) != 0)
        return false;
    return a->state != H_VALUE || (a->attr == b->attr && (a->attr != ATTR_URL || a->url == b->url));
}
