// Inside page/: the compiled form of a template, and what its files share.
#pragma once

#include "page/page.h"

enum {
    PAGE_PATH_MAX = 12,     // names of one plain path
    PAGE_ARGS_MAX = 20,     // arguments of a part or a translated text
    PAGE_OPS_MAX = 200000,  // steps of one template
    PAGE_TEMPLATES_MAX = 2000,
};

typedef enum Escape {
    ESCAPE_NONE, // TEXT templates
    ESCAPE_HTML, // text, and quoted attributes
    ESCAPE_URL,  // a whole address: its scheme is checked
    ESCAPE_PATH, // a part of an address before '?'
    ESCAPE_QUERY,
} Escape;

typedef enum Format {
    FORMAT_PLAIN, FORMAT_DATE, FORMAT_TIME, FORMAT_MONEY, FORMAT_WAN, FORMAT_INT, FORMAT_JSON,
    FORMAT_PERCENT, FORMAT_LONG_DATE,
} Format;

// A plain path (segments) or an expression.
typedef struct Operand {
    const Str *path;
    uint32_t path_len; // 0: expr
    const FeelExpr *expr;
} Operand;

typedef enum OpKind {
    OP_TEXT,  // text
    OP_VALUE, // operand, escape, format
    OP_RAW,   // operand: unescaped when made by page_raw
    OP_IF,    // operand; not true: go on at `to`
    OP_JUMP,  // to
    OP_LOOP,  // operand; empty: go on at `to` (the else part); OP_NEXT is at `end`
    OP_NEXT,  // back to `to` while there are items
    OP_WITH,  // operand
    OP_LEAVE, // end of a with
    OP_PART,  // part, names, args
    OP_WORDS, // text (Chinese), words (escaped), args
} OpKind;

struct TemplateSet;

typedef struct Op {
    uint8_t kind;
    uint8_t escape;
    uint8_t format;
    uint8_t args_count;
    uint32_t to;
    uint32_t line;
    Str text;
    Str words;
    Operand operand;
    const Operand *args;
    const Str *names;
    const Template *part; // set by templates_link
} Op;

struct Template {
    Str name;
    PageKind kind;
    Op *ops;
    uint32_t ops_count;
    uint8_t mark; // templates_link's walk
    struct Template *next;
};

struct TemplateSet {
    Arena *arena;
    Template **items;
    uint32_t count, cap;
    bool linked;
};

// ---- page_html.c: where in the HTML are we?
typedef enum HtmlState {
    H_TEXT, H_RCDATA, H_RAW, H_TAG_OPEN, H_TAG_NAME, H_END_NAME, H_IN_TAG, H_ATTR_NAME,
    H_AFTER_NAME, H_BEFORE_VALUE, H_VALUE, H_VALUE_SINGLE, H_VALUE_BARE, H_COMMENT, H_DECLARATION,
    H_BROKEN,
} HtmlState;

typedef enum AttrKind { ATTR_PLAIN, ATTR_URL, ATTR_FORBIDDEN } AttrKind;
typedef enum UrlPart { URL_START, URL_HOLE, URL_PATH, URL_QUERY } UrlPart;

enum { HTML_NAME_MAX = 24 };

typedef struct Html {
    HtmlState state;
    AttrKind attr;
    UrlPart url;
    char name[HTML_NAME_MAX]; // the tag or attribute being read; the element whose raw text it is
    char element[HTML_NAME_MAX];
    uint8_t name_len, element_len;
    bool glued;    // an attribute's name ended at a block: a blank must follow
    uint8_t match; // characters of "</element" or "-->" seen
} Html;

// Reads static text. H_BROKEN with *ret_why when it is not HTML that can be followed.
void html_text(Html *h, Str text, const char **ret_why);
// How a hole here is escaped; NULL or why there can be none. Moves on behind the hole.
const char *html_hole(Html *h, Escape *ret);
// May a block begin or end here? Settles an attribute name that is complete ("checked").
const char *html_block(Html *h);
bool html_same(const Html *a, const Html *b);

// ---- page_compile.c
Status page_compile(TemplateSet *set, Template *t, Str source, Error *err);

// ---- page_format.c
void page_write(Buf *out, Value v, Format format, bool english, Escape escape, Arena *scratch);
void page_write_str(Buf *out, Str s, Escape escape);
bool page_is_raw(Value v);
