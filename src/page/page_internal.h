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

// A loop's own names, which stand before the members of its item.
typedef enum Special {
    SPECIAL_NONE, SPECIAL_ITEM, SPECIAL_INDEX, SPECIAL_FIRST, SPECIAL_LAST,
} Special;

// A name that a template reads, prepared for comparing: its first and last eight bytes say all of
// a name of up to NAME_ENDS bytes.
typedef struct Name {
    Str text;
    uint64_t head, tail;
    uint8_t special; // Special
    bool builtin;    // FEEL has something of that name, in case nobody else has
    uint32_t hint;   // where among the members it was last; see name_hinted
} Name;

enum { NAME_ENDS = 16 };

// A constant, a plain path, or an expression.
typedef struct Operand {
    const Name *path;
    uint32_t path_len; // 0: value or expr
    bool constant;
    Value value;
    const FeelExpr *expr;
} Operand;

// The expression of a condition that is nothing but comparisons joined by one of `and`, `or`:
// decided without FEEL where all values are of kinds for which that is one step.
typedef enum Compare {
    COMPARE_BARE, COMPARE_EQ, COMPARE_NE, COMPARE_LT, COMPARE_LE, COMPARE_GT, COMPARE_GE,
} Compare;

typedef struct Comparison {
    Compare op; // BARE: left alone
    Operand left, right;
} Comparison;

enum { PAGE_COMPARISONS_MAX = 8 };

typedef struct Condition {
    bool any; // joined by `or`
    uint32_t count;
    Comparison items[PAGE_COMPARISONS_MAX];
} Condition;

// A piece of a text to translate, escaped; behind it argument number `arg`, from 1, if not 0.
typedef struct WordsPiece {
    Str text;
    uint32_t arg;
} WordsPiece;

typedef struct Words {
    const WordsPiece *pieces;
    uint32_t count;
} Words;

typedef enum OpKind {
    OP_TEXT,  // nothing but its text
    OP_VALUE, // operand, escape, format
    OP_RAW,   // operand: unescaped when made by page_raw
    OP_IF,    // operand; not true: go on at `to`
    OP_JUMP,  // to
    OP_LOOP,  // operand; empty: go on at `to` (the else part); OP_NEXT is at `end`
    OP_NEXT,  // back to `to` while there are items
    OP_WITH,  // operand
    OP_LEAVE, // end of a with
    OP_PART,  // text, part, names, args
    OP_WORDS, // text (Chinese), words (as written, and translated), args
} OpKind;

struct TemplateSet;

// What few steps have, or only the rare way of a step needs.
typedef struct OpMore {
    Str text; // PART: its name; WORDS: as written
    Operand operand;
    const Condition *condition; // OP_IF: the operand, where it is so simple
    Words words[2];             // [1] by templates_translate
    const Operand *args;
    const Str *names;
    const Entry *entries; // OP_PART whose arguments are all constants
    const Template *part; // set by templates_link
} OpMore;

// Less than a cache line: a page walks some thousands of these.
typedef struct Op {
    uint8_t kind;
    uint8_t escape;
    uint8_t format;
    uint8_t args_count;
    uint32_t to;
    Str text;         // written first: the text that stands before
    const Name *name; // the operand when it is one name; else NULL
    OpMore *more;     // NULL for a step that has none
    uint32_t line;
} Op;

struct Template {
    Str name;
    PageKind kind;
    const struct TemplateSet *set;
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
    Translate translate; // whose texts are in words[1]
    void *catalog;
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

// ---- page_condition.c
Name name_make(Str text, Arena *scratch);
// The constant that the text of an expression is: a string without escapes, an integer, true,
// false, null.
bool operand_constant(Str text, Arena *a, Value *ret);
// NULL when the expression is more than comparisons.
const Condition *condition_of(Str text, Arena *a);
// 1 true, 0 not true, -1: FEEL has to say.
typedef bool (*NameLookup)(void *context, const Name *name, Value *ret);
int condition_holds(const Condition *c, NameLookup lookup, void *context);
// A member of a context; NULL when there is none.
const Value *name_member(const Value *context, const Name *name);

static inline uint64_t bytes_at(const char *p, size_t n) {
    uint64_t word = 0;
    memcpy(&word, p, n);
    return word;
}

static inline void name_ends(Str s, uint64_t *head, uint64_t *tail) {
    *head = *tail = 0;
    if (s.len >= 8) {
        *head = bytes_at(s.ptr, 8);
        *tail = bytes_at(s.ptr + s.len - 8, 8);
    } else if (s.len >= 4) {
        *head = bytes_at(s.ptr, 4);
        *tail = bytes_at(s.ptr + s.len - 4, 4);
    } else if (s.len) {
        *head = (uint64_t)(uint8_t)s.ptr[0] | (uint64_t)(uint8_t)s.ptr[s.len / 2] << 8 |
                (uint64_t)(uint8_t)s.ptr[s.len - 1] << 16;
    }
}

static inline bool name_is(const Name *n, Str s) {
    uint64_t head, tail;
    if (s.len != n->text.len) return false;
    name_ends(s, &head, &tail);
    return head == n->head && tail == n->tail &&
           (s.len <= NAME_ENDS || memcmp(s.ptr, n->text.ptr, s.len) == 0);
}

// Rows of a list are mostly alike, so a name is mostly where it was in the row before. The hint is
// shared by all threads that render the template and may be anybody's: it is only ever a guess.
static inline const Value *name_hinted(const Value *context, const Name *n) {
    uint32_t at = __atomic_load_n(&n->hint, __ATOMIC_RELAXED);
    if (at >= context->len || !name_is(n, context->as.entries[at].key)) return NULL;
    return &context->as.entries[at].value;
}

static inline void name_found(const Value *context, const Name *n, const Value *member) {
    const Entry *e = (const Entry *)(const void *)((const char *)member - offsetof(Entry, value));
    uint32_t at = (uint32_t)(e - context->as.entries);
    if (__atomic_load_n(&n->hint, __ATOMIC_RELAXED) == at) return;
    __atomic_store_n(&((Name *)n)->hint, at, __ATOMIC_RELAXED);
}

// ---- page_compile.c
Words words_of(Str text, uint32_t args, Escape escape, Arena *a);
Status page_compile(TemplateSet *set, Template *t, Str source, Error *err);

// ---- page_format.c
void page_write(Buf *out, Value v, Format format, bool english, Escape escape, Arena *scratch);
void page_write_str(Buf *out, Str s, Escape escape);
bool page_is_raw(Value v);
