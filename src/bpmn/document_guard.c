// See document_guard.h. libxml2 compares every attribute of a start tag with every other, so a tag
// with a hundred thousand of them would take minutes before anyone could refuse it; and it reads
// encodings in which a `<` is not the byte 0x3C, where such a tag could not be seen from here.
#include "bpmn/document_guard.h"

#include <libxml/encoding.h>

// ---- the encoding ----------------------------------------------------------------------------

// Those in which ASCII is ASCII and no part of another character looks like markup.
static const Str plain_encodings[] = {
    S_INIT("utf-8"),   S_INIT("utf8"),    S_INIT("utf-16"),  S_INIT("us-ascii"),
    S_INIT("ascii"),   S_INIT("iso-8859-"), S_INIT("iso8859-"), S_INIT("iso_8859-"),
    S_INIT("latin1"),  S_INIT("windows-12"), S_INIT("cp12"), S_INIT("gbk"),
    S_INIT("gb2312"),  S_INIT("gb18030"), S_INIT("big5"),    S_INIT("shift_jis"),
    S_INIT("euc-"),
};

enum { DECLARATION_MAX = 400 }; // bytes in which an encoding is looked for

// The name in the XML declaration; "" when there is none.
static Str declared_encoding(Str xml) {
    Str head = str_sub(xml, 0, DECLARATION_MAX);
    if (str_starts(head, S("\xef\xbb\xbf"))) head = str_sub(head, 3, head.len);
    const ptrdiff_t end = str_find(head, S("?>"));
    if (!str_starts(head, S("<?xml")) || end < 0) return S("");
    head = str_sub(head, 0, (size_t)end);
    const ptrdiff_t at = str_find(head, S("encoding"));
    if (at < 0) return S("");
    Str rest = str_trim(str_sub(head, (size_t)at + S("encoding").len, head.len));
    if (!str_starts(rest, S("="))) return S("");
    rest = str_trim(str_sub(rest, 1, rest.len));
    if (!rest.len) return S("");
    const char quote = rest.ptr[0];
    rest = str_sub(rest, 1, rest.len);
    return str_cut(&rest, quote);
}

bool guard_encoding(Str xml, Str *ret) {
    const xmlCharEncoding seen =
        xml.len < 4 ? XML_CHAR_ENCODING_NONE
                    : xmlDetectCharEncoding((const unsigned char *)xml.ptr, (int)xml.len);
    *ret = declared_encoding(xml);
    if (seen == XML_CHAR_ENCODING_UTF16LE || seen == XML_CHAR_ENCODING_UTF16BE) return true;
    if (seen != XML_CHAR_ENCODING_NONE && seen != XML_CHAR_ENCODING_UTF8) return false;
    if (!ret->len) return true;
    for (size_t i = 0; i < sizeof plain_encodings / sizeof *plain_encodings; i++)
        if (str_eq_nocase(str_sub(*ret, 0, plain_encodings[i].len), plain_encodings[i]))
            return true;
    return false;
}

// ---- start tags ------------------------------------------------------------------------------

typedef enum GuardState { IN_TEXT, AFTER_OPEN, IN_BANG, IN_COMMENT, IN_CDATA, IN_PI, IN_TAG,
                          IN_VALUE } GuardState;

typedef struct Guard {
    GuardState state;
    uint64_t last; // the last characters, the newest in the lowest byte
    char quote;
    size_t values; // of this tag
} Guard;

static bool ends_in(uint64_t last, const char *what, size_t n) {
    uint64_t want = 0, mask = 0;
    for (size_t i = 0; i < n; i++) {
        want = want << 8 | (unsigned char)what[i];
        mask = mask << 8 | 0xff;
    }
    return (last & mask) == want;
}

static GuardState after_bang(const Guard *g, char c) {
    if (ends_in(g->last, "<!--", 4)) return IN_COMMENT;
    if (ends_in(g->last, "[CDATA[", 7)) return IN_CDATA;
    return c == '>' ? IN_TEXT : IN_BANG;
}

static void guard_step(Guard *g, char c) {
    g->last = g->last << 8 | (unsigned char)c;
    switch (g->state) {
    case IN_TEXT:
        if (c == '<') g->state = AFTER_OPEN;
        break;
    case AFTER_OPEN:
        g->state = c == '!' ? IN_BANG : c == '?' ? IN_PI : c == '>' ? IN_TEXT : IN_TAG;
        g->values = 0;
        break;
    case IN_BANG: g->state = after_bang(g, c); break;
    case IN_COMMENT:
        if (ends_in(g->last, "-->", 3)) g->state = IN_TEXT;
        break;
    case IN_CDATA:
        if (ends_in(g->last, "]]>", 3)) g->state = IN_TEXT;
        break;
    case IN_PI:
        if (ends_in(g->last, "?>", 2)) g->state = IN_TEXT;
        break;
    case IN_TAG:
        if (c == '>') g->state = IN_TEXT;
        if (c != '"' && c != '\'') break;
        g->quote = c;
        g->values++;
        g->state = IN_VALUE;
        break;
    case IN_VALUE:
        if (c == g->quote) g->state = IN_TAG;
        break;
    }
}

bool guard_attributes(Str xml, size_t most, uint32_t *ret_line) {
    Guard g = {0};
    uint32_t line = 1;
    size_t wide = 0; // 1: the low byte of each pair is the second, 2: the first
    if (xml.len >= 2 && (str_starts(xml, S("\xfe\xff")) || !xml.ptr[0])) wide = 1;
    else if (xml.len >= 2 && (str_starts(xml, S("\xff\xfe")) || !xml.ptr[1])) wide = 2;
    for (size_t i = 0; i < xml.len; i += wide ? 2 : 1) {
        char c = xml.ptr[i];
        if (wide) {
            if (i + 1 == xml.len) break;
            const char high = wide == 1 ? c : xml.ptr[i + 1];
            c = high ? 'x' : wide == 1 ? xml.ptr[i + 1] : c;
        }
        if (c == '\n') line++;
        guard_step(&g, c);
        if (g.values <= most) continue;
        *ret_line = line;
        return false;
    }
    return true;
}
