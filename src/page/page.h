// Templates: text with FEEL in it. Pages, letters and mails use the same language.
//
//   {{expr}}        value, escaped for where it stands (HTML text, attribute, URL)
//   {{{expr}}}      only for a value made by page_raw (a part rendered before); else escaped
//   {{#if expr}}…{{else if expr}}…{{else}}…{{/if}}     null, false, 0, "", [] and {} are not true
//   {{#loop expr}}…{{else}}…{{/loop}}   list; inside, an entry's members are names, `item` the
//                   entry, `index` from 1, `first`, `last`; an empty list shows the else part
//   {{#with expr}}…{{/with}}    a context's members as names; nothing when it is no context
//   {{> part}} {{> part name=expr other=expr}}   another template, with more names; a comparison
//                   with = goes in parentheses: {{> row on=(a = b)}}
//   {{_ 受理}} {{_ 还剩 {1} 个工作日 | days}}   translated text, arguments after `|` separated by `;`
//   {{! comment}}
//   formats: {{expr | date}} 2023-05-31（周三）, {{expr | time}} 2023-05-31 09:30,
//            {{expr | money}} ¥1,234,567.00 from fen, {{expr | wan}} 万元/亿元 from fen,
//            {{expr | int}} 1,234,567, {{expr | percent}} 98.5% from 0.985, {{expr | json}},
//            {{expr | longdate}} 2023年5月31日, 31 May 2023
//
// date and time take dates, date-times, the texts of them, and numbers (an Instant; below ten
// million a Day). A line that holds nothing but a block's tag, a part or a comment goes away whole.
//
// Addresses (href, src, action …): a hole at the start of the value is a whole address, shown as
// "#" unless it is relative, http, https, mailto or tel; a hole behind text is percent-encoded as
// a part of the path, behind '?' as a part of the query.
//
// A Template is compiled once, immutable, shared by threads. Rendering a path costs no FEEL
// evaluation. Escaping is decided at compile time by an HTML tokenizer; a hole inside a script,
// a style, an event-handler attribute or an unquoted attribute is refused when compiling, so
// nothing unescaped can be written by accident (law 3). In TEXT templates nothing is escaped.
#pragma once

#include "feel/feel.h"

typedef enum PageKind { PAGE_HTML, PAGE_TEXT } PageKind;
typedef struct Template Template;
typedef struct TemplateSet TemplateSet; // named templates that include one another

enum {
    PAGE_SOURCE_MAX = 1 << 20,
    PAGE_DEPTH_MAX = 40,         // nested blocks and included parts
    PAGE_OUTPUT_MAX = 32 << 20,  // bytes one rendering may write
    PAGE_LOOP_MAX = 200000,      // rounds of all loops in one rendering
};

TemplateSet *templates_create(Arena *a); // set and templates live in `a`
// `name` as used by {{> name}}. Error.where is "name:line".
MUST_USE Status templates_add(TemplateSet *set, Str name, PageKind kind, Str source, Error *err);
// After the last add: every {{> part}} must exist, no part may include itself. Freezes the set.
MUST_USE Status templates_link(TemplateSet *set, Error *err);
const Template *templates_find(const TemplateSet *set, Str name); // NULL when absent
// After linking: prepares all {{_ }} in the words of one translator. A run with the same one then
// looks nothing up; other runs are served as well, a word at a time.
void templates_translate(TemplateSet *set, Translate translate, void *catalog);

typedef struct PageRun {
    Arena *arena;
    Value model;            // a context
    Instant now;
    Str lang;               // "zh" or "en": dates, money and {{_ }} follow it
    Translate translate;    // NULL: as written
    void *catalog;
    const FeelFunction *functions; // host functions for expressions
    size_t functions_count;
} PageRun;

// Appends to `out`. LIMIT when a maximum was passed (out is then cut and useless).
MUST_USE Status page_render(PageRun *run, const Template *t, Buf *out, Error *err);
// The texts of all {{_ }} in the template, for the check that each has a translation.
void template_texts(const Template *t, Arena *a, Str **ret, size_t *ret_count);
// A string that {{{ }}} writes as it is: HTML or SVG made by our own writers (flow_draw, qr_svg),
// never anything a user sent. The mark is in Value.flags and is lost by v_copy and JSON: safe by
// default.
Value page_raw(Str html);
void page_escape_html(Buf *out, Str s);
