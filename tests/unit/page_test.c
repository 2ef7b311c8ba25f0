// room: page
// Templates: blocks, parts, formats, and above all escaping by place and what is refused.
#include "page/page.h"
#include "value/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static Arena *arena;

static const char *const MODEL =
    "{\"title\":\"<受理> & "
    "\\\"x\\\"\",\"n\":1234567,\"yes\":true,\"no\":false,\"empty\":[],\"nothing\":null,"
    "\"zero\":0,\"url\":\"/cases/1?a=b&c=d\",\"bad\":\"javascript:alert(1)\",\"phone\":\"+86 574\","
    "\"rows\":[{\"name\":\"甲\",\"n\":1},{\"name\":\"乙<\",\"n\":2}],\"day\":\"2023-05-31\","
    "\"at\":\"2023-05-31T09:30:00+08:00\",\"fen\":123456700,\"big\":1234567890000,\"rate\":0.985,"
    "\"small\":12345,"
    "\"plain\":[\"a\",\"b\"],\"applicant\":{\"name\":\"王芳\",\"deep\":{\"er\":7}}}";

static Value model(void) {
    Value v;
    assert_int_equal(json_parse(str_z(MODEL), JSON_STRICT, (JsonLimits){0}, arena, &v, NULL), OK);
    ContextBuilder more = context_make(arena);
    context_put(&more, S("raw"), page_raw(S("<b>&amp;</b>")));
    context_put(&more, S("date"), v_day(day_from_civil((Civil){2024, 2, 29})));
    context_put(&more, S("instant"), v_instant(INT64_C(1685496600000), arena));
    context_put(&more, S("ms"), v_int(INT64_C(1685496600000)));
    return v_merge(v, context_done(&more), arena);
}

static Str translate(void *catalog, Str zh) {
    (void)catalog;
    if (str_eq(zh, S("受理"))) return S("Accept");
    if (str_eq(zh, S("还剩 {1} 个工作日"))) return S("{1} working days left <now>");
    return zh;
}

static Str render_set(TemplateSet *set, Str lang, Translate tr) {
    Error err = {0};
    Buf out = buf_make(arena, 256, 1 << 20);
    PageRun run = {.arena = arena, .model = model(), .lang = lang, .translate = tr};
    assert_int_equal(templates_link(set, &err), OK);
    assert_int_equal(page_render(&run, templates_find(set, S("t")), &out, &err), OK);
    return buf_view(&out);
}

static Str render(const char *source, PageKind kind, Str lang) {
    TemplateSet *set = templates_create(arena);
    Error err = {0};
    if (templates_add(set, S("t"), kind, str_z(source), &err) != OK) {
        print_error("%s: %.*s\n", source, S_FMT(error_message(&err, NULL, NULL, arena)));
        fail();
    }
    return render_set(set, lang, str_eq(lang, S("en")) ? translate : NULL);
}

static size_t wrong;

static void expect(const char *source, const char *expected) {
    Str got = render(source, PAGE_HTML, S("zh"));
    if (str_eq(got, str_z(expected))) return;
    print_error("%s\n  gave     %.*s\n  expected %s\n", source, S_FMT(got), expected);
    wrong++;
}

static void expect_lang(const char *source, Str lang, const char *expected) {
    Str got = render(source, PAGE_HTML, lang);
    if (str_eq(got, str_z(expected))) return;
    print_error("%s\n  gave     %.*s\n  expected %s\n", source, S_FMT(got), expected);
    wrong++;
}

static void values(void **state) {
    (void)state;
    wrong = 0;
    expect("<p>{{title}}</p>", "<p>&lt;受理&gt; &amp; &quot;x&quot;</p>");
    expect("{{n}} {{applicant.name}} {{applicant.deep.er}} {{nothing}} {{missing.path}}",
           "1234567 王芳 7  ");
    expect("{{n + 1}} {{if yes then \"是\" else \"否\"}} {{upper case(\"a<\")}}",
           "1234568 是 A&lt;");
    expect("{{{raw}}} {{raw}} {{{title}}}",
           "<b>&amp;</b> &lt;b&gt;&amp;amp;&lt;/b&gt; &lt;受理&gt; &amp; &quot;x&quot;");
    expect("{{ {a: \"}}\"}.a }}", "}}");
    expect("a{{! nothing }}b", "ab");
    expect("{{date.year}} {{today().year}}", "2024 1970");
    expect("{{rows[1].name}} {{count(rows)}} {{rows.n}}", "甲 2 [1, 2]");
    assert_int_equal(wrong, 0);
}

static void blocks(void **state) {
    (void)state;
    wrong = 0;
    expect("{{#if yes}}a{{else}}b{{/if}}{{#if no}}a{{else}}b{{/if}}", "ab");
    expect("{{#if nothing}}1{{else if n > 5}}2{{else}}3{{/if}}", "2");
    expect("{{#if empty}}1{{else if zero}}2{{else if missing}}3{{else}}4{{/if}}", "4");
    expect("{{#if title}}1{{/if}}{{#if rows}}2{{/if}}{{#if applicant}}3{{/if}}", "123");
    expect("{{#loop rows}}{{index}}.{{name}}{{item.n}}{{#if first}}f{{/if}}{{#if last}}l{{/if}} "
           "{{/loop}}",
           "1.甲1f 2.乙&lt;2l ");
    expect("{{#loop empty}}x{{else}}无{{/loop}}{{#loop nothing}}x{{else}}无{{/loop}}", "无无");
    expect("{{#loop rows}}{{name}}{{else}}无{{/loop}}。", "甲乙&lt;。");
    expect("{{#loop plain}}{{item}}{{n}};{{/loop}}", "a1234567;b1234567;");
    expect("{{#loop rows}}{{#loop plain}}{{name}}{{item}}{{index * 10 + n}} {{/loop}}{{/loop}}",
           "甲a11 甲b21 乙&lt;a12 乙&lt;b22 ");
    expect("{{#loop rows[n > 1]}}{{name}}{{/loop}}", "乙&lt;");
    expect("{{#with applicant}}{{name}}{{n}}{{/with}}{{#with nothing}}x{{/with}}", "王芳1234567");
    expect("<ul>\n  {{#loop plain}}\n  <li>{{item}}</li>\n  {{/loop}}\n</ul>\n",
           "<ul>\n  <li>a</li>\n  <li>b</li>\n</ul>\n");
    expect("x {{#if yes}}\ny\n{{/if}}\n", "x \ny\n");
    assert_int_equal(wrong, 0);
}

static void places(void **state) {
    (void)state;
    wrong = 0;
    expect("<a title=\"{{title}}\">", "<a title=\"&lt;受理&gt; &amp; &quot;x&quot;\">");
    expect("<a href=\"{{url}}\">", "<a href=\"/cases/1?a=b&amp;c=d\">");
    expect("<a href=\"{{bad}}\">", "<a href=\"#\">");
    expect("<a href=\"{{\" JavaScript:x\"}}\"><a HREF=\"{{\"java\\nscript:x\"}}\">",
           "<a href=\"#\"><a HREF=\"#\">");
    expect("<a href=\"{{\"HTTPS://a.b/c\"}}\"><a href=\"{{\"mailto:a@b.c\"}}\"><a "
           "href=\"{{\"a/b:c\"}}\"><a href=\"{{\"data:x\"}}\">",
           "<a href=\"HTTPS://a.b/c\"><a href=\"mailto:a@b.c\"><a href=\"a/b:c\"><a href=\"#\">");
    expect("<a href=\"/x/{{\"a b/?&c\"}}?q={{\"a b/&\"}}#{{\"f\"}}\">",
           "<a href=\"/x/a%20b/%3F%26c?q=a%20b%2F%26#f\">");
    expect("<a href=\"{{url}}{{bad}}\">", "<a href=\"/cases/1?a=b&amp;c=djavascript%3Aalert(1)\">");
    expect("<a href=\"j{{\"avascript:x\"}}\">", "<a href=\"javascript%3Ax\">");
    expect("<form action=\"{{bad}}\"><img src=\"{{bad}}\"><button formaction=\"{{bad}}\">",
           "<form action=\"#\"><img src=\"#\"><button formaction=\"#\">");
    expect("<a href=\"tel:{{phone}}\">", "<a href=\"tel:+86%20574\">");
    expect("<textarea name=a>{{title}}</textarea><title>{{n}}</title>",
           "<textarea name=a>&lt;受理&gt; &amp; &quot;x&quot;</textarea><title>1234567</title>");
    expect("<input {{#if yes}}checked{{/if}} {{#if no}}disabled{{else}}readonly{{/if}}>",
           "<input checked readonly>");
    expect("<input {{#if yes}}value=\"{{n}}\"{{/if}}/>", "<input value=\"1234567\"/>");
    expect("<div class=\"a{{#if yes}} b{{/if}} {{#if n > 1}}{{n}}{{/if}}\">",
           "<div class=\"a b 1234567\">");
    expect("<p>1 < 2 <- <!-- a > b -- c --><!doctype html>{{n}}",
           "<p>1 < 2 <- <!-- a > b -- c --><!doctype html>1234567");
    expect("<script src=\"/a.js\"></script>{{n}}<style>p{}</style>{{n}}",
           "<script src=\"/a.js\"></script>1234567<style>p{}</style>1234567");
    expect("<div data-rows=\"{{plain | json}}\">",
           "<div data-rows=\"[&quot;a&quot;,&quot;b&quot;]\">");
    assert_int_equal(wrong, 0);
}

static void refusals(void **state) {
    (void)state;
    static const char *const CASES[][2] = {
        {"<script>var x = {{n}}</script>", "t:1"},
        {"<style>{{n}}</style>", "t:1"},
        {"\n<a onclick=\"{{n}}\">", "t:2"},
        {"<a style=\"{{n}}\">", "t:1"},
        {"<a title={{n}}>", "t:1"},
        {"<a title='{{n}}'>", "t:1"},
        {"<{{n}}>", "t:1"},
        {"<a {{n}}=\"x\">", "t:1"},
        {"<a x{{n}}>", "t:1"},
        {"<!-- {{n}} -->", "t:1"},
        {"<a href=\"{{n}}:x\">", "t:1"},
        {"<a hx-on:click=\"{{n}}\">", "t:1"},
        {"<script>{{#if n}}{{/if}}</script>", "t:1"},
        {"<a title=\"x\" {{> p}}>", "t:1"},
        {"<a href=\"{{{n}}}\">", "t:1"},
        {"{{#if n}}<a title=\"{{else}}{{/if}}", "t:1"},
        {"{{#if n}}<b {{/if}}>", "t:1"},
        {"<p {{#loop rows}}title=\"{{/loop}}\">", "t:1"},
        {"{{#if n}}", "t:1"},
        {"a\n{{/if}}", "t:2"},
        {"{{else}}", "t:1"},
        {"{{#loop rows}}{{/if}}", "t:1"},
        {"\n\n{{n +}}", "t:3"},
        {"{{n", "t:1"},
        {"{{n | nope}}", "t:1"},
        {"{{#each x}}{{/each}}", "t:1"},
        {"<a title=\"x", "t:1"},
        {"{{}}", "t:1"},
        {"{{_ }}", "t:1"},
        {"\xff", "t:1"},
        {"{{#if a}}{{else}}{{else}}{{/if}}", "t:1"},
        {"<a {{#if n}}x{{/if}}=\"{{n}}\">", "t:1"},
        {"<p>\n{{#if n}}\n{{#loop a}}\n{{/loop}}\n", "t:2"},
        {"<input{{#if n}} x{{/if}}>", "t:1"},
        {"<a on{{#if n}} {{/if}}click=\"{{n}}\">", "t:1"},
        {"<a {{#if n}}on{{/if}}{{#if n}}click=\"{{n}}\"{{/if}}>", "t:1"},
        {"<svg><a xlink:href=\"{{n}}:x\">", "t:1"},
    };
    size_t bad = 0;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        TemplateSet *set = templates_create(arena);
        Error err = {0};
        Status status = templates_add(set, S("t"), PAGE_HTML, str_z(CASES[i][0]), &err);
        if (status == INVALID && str_eq(err.where, str_z(CASES[i][1]))) continue;
        print_error("%s: status %d at %.*s\n", CASES[i][0], status, S_FMT(err.where));
        bad++;
    }
    assert_int_equal(bad, 0);
}

static void formats(void **state) {
    (void)state;
    wrong = 0;
    Str zh = S("zh"), en = S("en");
    expect_lang("{{day | date}} {{date | date}} {{instant | date}} {{at | time}} {{ms | time}}", zh,
                "2023-05-31（周三） 2024-02-29（周四） 2023-05-31（周三） 2023-05-31 09:30 "
                "2023-05-31 09:30");
    expect_lang("{{day | date}} {{day | time}}", en, "2023-05-31 (Wed) 2023-05-31 00:00");
    expect_lang("{{day | longdate}}", zh, "2023年5月31日");
    expect_lang("{{day | longdate}}", en, "31 May 2023");
    expect_lang("{{fen | money}} {{-5 | money}} {{small | money}}", zh,
                "¥1,234,567.00 -¥0.05 ¥123.45");
    expect_lang("{{fen | money}}", en, "CNY 1,234,567.00");
    expect_lang("{{fen | wan}} {{big | wan}} {{small | wan}} {{208720000 | wan}}", zh,
                "123.46万元 123.46亿元 123.45元 208.72万元");
    expect_lang("{{n | int}} {{-1234.5 | int}} {{999 | int}} {{1000 | int}}", zh,
                "1,234,567 -1,235 999 1,000");
    expect_lang("{{rate | percent}} {{0.5 | percent}} {{1 | percent}}", zh, "98.5% 50% 100%");
    expect_lang("{{nothing | money}}{{nothing | date}}|{{title | money}}", zh,
                "|&lt;受理&gt; &amp; &quot;x&quot;");
    expect_lang("{{\"a | b\"}} {{n | int}}", zh, "a | b 1,234,567");
    assert_int_equal(wrong, 0);
}

static void translation(void **state) {
    (void)state;
    wrong = 0;
    expect_lang("{{_ 受理}} {{_ 还剩 {1} 个工作日 | n - 1234560}}", S("zh"),
                "受理 还剩 7 个工作日");
    expect_lang("{{_ 受理}} {{_ 还剩 {1} 个工作日 | 7}} {{_ 未译 <b>}}", S("en"),
                "Accept 7 working days left &lt;now&gt; 未译 &lt;b&gt;");
    expect_lang("<a title=\"{{_ 还剩 {1} 个工作日 | title; n}}\">", S("en"),
                "<a title=\"&lt;受理&gt; &amp; &quot;x&quot; working days left &lt;now&gt;\">");
    assert_int_equal(wrong, 0);
    TemplateSet *set = templates_create(arena);
    assert_int_equal(templates_add(set, S("t"), PAGE_HTML,
                                   S("{{_ 受理}}{{#if a}}{{_ 退回 {1} | a}}{{/if}}"), NULL),
                     OK);
    Str *texts;
    size_t count;
    template_texts(templates_find(set, S("t")), arena, &texts, &count);
    assert_int_equal(count, 2);
    assert_true(str_eq(texts[0], S("受理")) && str_eq(texts[1], S("退回 {1}")));
}

static void parts(void **state) {
    (void)state;
    TemplateSet *set = templates_create(arena);
    assert_int_equal(
        templates_add(set, S("row"), PAGE_HTML, S("<i>{{label}}:{{name}}{{n}}</i>"), NULL), OK);
    assert_int_equal(templates_add(set, S("t"), PAGE_HTML,
                                   S("{{#loop rows}}{{> row label=(if n = 1 then \"a b=c\" else "
                                     "\"z\") n=n * 2}}{{/loop}}{{> row}}"),
                                   NULL),
                     OK);
    assert_true(str_eq(render_set(set, S("zh"), NULL),
                       S("<i>a b=c:甲2</i><i>z:乙&lt;4</i><i>:1234567</i>")));
    assert_null(templates_find(set, S("none")));
    assert_int_equal(templates_add(set, S("late"), PAGE_HTML, S(""), NULL), CONFLICT);

    Error err = {0};
    set = templates_create(arena);
    assert_int_equal(templates_add(set, S("t"), PAGE_HTML, S("\n{{> missing}}"), NULL), OK);
    assert_int_equal(templates_link(set, &err), INVALID);
    assert_true(str_eq(err.where, S("t:2")));
    set = templates_create(arena);
    assert_int_equal(templates_add(set, S("a"), PAGE_HTML, S("{{> b}}"), NULL), OK);
    assert_int_equal(templates_add(set, S("b"), PAGE_HTML, S("{{> a}}"), NULL), OK);
    assert_int_equal(templates_add(set, S("b"), PAGE_HTML, S(""), NULL), CONFLICT);
    assert_int_equal(templates_link(set, &err), INVALID);
    set = templates_create(arena);
    assert_int_equal(templates_add(set, S("a"), PAGE_HTML, S("{{> b}}"), NULL), OK);
    assert_int_equal(templates_add(set, S("b"), PAGE_TEXT, S("x"), NULL), OK);
    assert_int_equal(templates_link(set, &err), INVALID);
}

static void text_kind(void **state) {
    (void)state;
    Str got = render("<{{title}}> {{n}}\n{{#if yes}}\n您好\n{{/if}}\n", PAGE_TEXT, S("zh"));
    assert_true(str_eq(got, S("<<受理> & \"x\"> 1234567\n您好\n")));
}

static void limits(void **state) {
    (void)state;
    Error err = {0};
    PageRun run = {.arena = arena, .model = model(), .lang = S("zh")};
    Buf out = buf_make(arena, 64, 1 << 20);
    TemplateSet *set = templates_create(arena);
    const char *loops = "{{#loop (for i in 1..1000 return i)}}{{#loop (for i in 1..1000 return "
                        "i)}}{{/loop}}{{/loop}}";
    assert_int_equal(templates_add(set, S("loops"), PAGE_TEXT, str_z(loops), NULL), OK);
    assert_int_equal(
        templates_add(
            set, S("long"), PAGE_TEXT,
            S("{{#loop (for i in 1..15000 return "
              "i)}}{{title}}{{title}}{{title}}{{title}}{{title}}{{title}}{{title}}{{/loop}}"),
            NULL),
        OK);
    assert_int_equal(page_render(&run, templates_find(set, S("loops")), &out, &err), LIMIT);
    assert_true(str_starts(err.where, S("loops:1")));
    assert_int_equal(page_render(&run, templates_find(set, S("long")), &out, &err), LIMIT);
    Buf deep = buf_make(arena, 1024, 1 << 20);
    for (int i = 0; i <= PAGE_DEPTH_MAX; i++) buf_lit(&deep, "{{#if n}}");
    assert_int_equal(templates_add(set, S("deep"), PAGE_TEXT, buf_view(&deep), &err), LIMIT);
}

// ---- the short ways say what the long way says

static Str render_with(const char *source, Value names) {
    TemplateSet *set = templates_create(arena);
    Error err = {0};
    Buf out = buf_make(arena, 256, 1 << 20);
    PageRun run = {.arena = arena, .model = names, .lang = S("zh")};
    assert_int_equal(templates_add(set, S("t"), PAGE_HTML, str_z(source), &err), OK);
    assert_int_equal(templates_link(set, &err), OK);
    assert_int_equal(page_render(&run, templates_find(set, S("t")), &out, &err), OK);
    return buf_view(&out);
}

// Every comparison of every two kinds of values, decided in the template and by FEEL.
static void conditions(void **state) {
    (void)state;
    static const char *const forms[] = {
        "x = y",           "x != y",           "x < y",          "x <= y",
        "x > y",           "x >= y",           "x = null",       "x != null",
        "x = \"a\"",       "x = 2",            "x = true",       "x or y",
        "x and y",         "x = 1 or y = 2",   "x = 1 and y = 2", "x.k = y",
        "x = y or z = 1",  "x or y = 1",       "gone = x",       "gone != x",
        "count = x",       "x = 1 or x = 2 or x = \"a\" or y",   "x.k = 1 and x.k != y",
    };
    static const char *const values[] = {
        "null",   "true", "false", "0",     "1",          "2.0", "-3", "\"a\"", "\"\"",
        "\"b\"", "[]",   "[1]",   "[1,2]", "{\"k\":1}", "{}",
    };
    enum { VALUES = sizeof values / sizeof *values };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const FeelExpr *e;
        Error err;
        assert_int_equal(feel_parse(str_z(forms[i]), NULL, 0, arena, &e, &err), OK);
        Str source = arena_printf(arena, "{{#if %s}}yes{{else}}no{{/if}}", forms[i]);
        for (size_t k = 0; k < VALUES * VALUES; k++) {
            ArenaMark mark = arena_mark(arena);
            Str json = arena_printf(arena, "{\"x\":%s,\"y\":%s}", values[k / VALUES],
                                    values[k % VALUES]);
            Value names;
            assert_int_equal(json_parse(json, JSON_STRICT, (JsonLimits){0}, arena, &names, NULL),
                             OK);
            FeelScope scope = {.variables = names};
            FeelRun run = {.arena = arena, .scope = &scope};
            bool is = v_true(feel_eval(&run, e));
            Str shown = render_with(arena_cstr(arena, source), names);
            if (!str_eq(shown, is ? S("yes") : S("no"))) {
                print_error("%s with %.*s: %.*s\n", forms[i], S_FMT(json), S_FMT(shown));
                fail();
            }
            arena_rewind(arena, mark);
        }
    }
}

// Contexts of all sizes, in loops and parts deeper than there are tables for: each name is found
// where it is, and nowhere else.
static void lookups(void **state) {
    (void)state;
    static const int sizes[] = {1, 6, 7, 8, 31, 32, 33, 100, 128, 129, 300};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        Buf source = buf_make(arena, 1024, 1 << 20), expected = buf_make(arena, 1024, 1 << 20);
        ListBuilder rows = list_make(arena);
        for (int row = 0; row < 3; row++) { // the same names, each time in another order
            ContextBuilder b = context_make(arena);
            for (int i = 0; i < sizes[s]; i++) {
                int k = (i * 7 + row) % sizes[s];
                k = sizes[s] % 7 ? k : i;
                Str name = arena_printf(arena, "name%d%s", k, k % 3 ? "" : "_and_a_long_tail");
                context_put(&b, name, v_int(k + row));
            }
            list_add(&rows, context_done(&b));
        }
        buf_lit(&source, "{{#loop rows}}");
        for (int k = 0; k < sizes[s]; k++)
            buf_printf(&source, "{{name%d%s}},", k, k % 3 ? "" : "_and_a_long_tail");
        buf_lit(&source, "{{name_not_there}}{{outside}}{{/loop}}");
        for (int row = 0; row < 3; row++) {
            for (int k = 0; k < sizes[s]; k++) buf_printf(&expected, "%d,", k + row);
            buf_lit(&expected, "o");
        }
        ContextBuilder top = context_make(arena);
        context_put(&top, S("rows"), list_done(&rows));
        context_put(&top, S("outside"), v_lit("o"));
        Str shown = render_with(arena_cstr(arena, buf_view(&source)), context_done(&top));
        assert_true(str_eq(shown, buf_view(&expected)));
    }
    Buf deep = buf_make(arena, 1024, 1 << 20);
    for (int i = 0; i < 30; i++) buf_lit(&deep, "{{#with a}}");
    buf_lit(&deep, "{{b8}} {{top}}");
    for (int i = 0; i < 30; i++) buf_lit(&deep, "{{/with}}");
    Value at = v_lit("x");
    for (int i = 0; i < 31; i++) {
        ContextBuilder b = context_make(arena);
        context_put(&b, S("a"), at);
        for (int k = 1; k < 10; k++)
            context_put(&b, arena_printf(arena, "b%d", k), v_int(i * 10 + k));
        if (i == 30) context_put(&b, S("top"), v_lit("t"));
        at = context_done(&b);
    }
    assert_true(str_eq(render_with(arena_cstr(arena, buf_view(&deep)), at), S("8 t")));
}

// A special character at every place of a text of every length up to two blocks.
static void escaping(void **state) {
    (void)state;
    static const char specials[] = "&<>\"'";
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (size_t len = 0; len < 40; len++) {
        char text[40];
        for (size_t i = 0; i < len; i++) text[i] = (char)('a' + i % 20);
        Buf plain = buf_make(arena, 64, 4096);
        page_escape_html(&plain, str_of(text, len));
        assert_true(str_eq(buf_view(&plain), str_of(text, len)));
        for (size_t at = 0; at < len; at++) {
            for (size_t k = 0; k < 5; k++) {
                char kept = text[at];
                text[at] = specials[k];
                Buf out = buf_make(arena, 64, 4096);
                page_escape_html(&out, str_of(text, len));
                Str parts[] = {str_of(text, at), str_z(entities[k]),
                               str_of(text + at + 1, len - at - 1)};
                assert_true(str_eq(buf_view(&out), arena_concat(arena, parts, 3)));
                text[at] = kept;
            }
        }
    }
    for (int c = 0; c < 256; c++) { // nothing but the five
        char byte = (char)c, text[16];
        memset(text, byte, sizeof text);
        Buf out = buf_make(arena, 64, 4096);
        page_escape_html(&out, str_of(text, sizeof text));
        assert_int_equal(out.len == sizeof text, c == 0 || !strchr(specials, c));
    }
}

// Prepared texts, texts translated while rendering, and texts of another translator.
static void prepared(void **state) {
    (void)state;
    static const char *const source =
        "<p title=\"{{_ 还剩 {1} 个工作日 | n}}\">{{_ 受理}} "
        "{{_ 还剩 {1} 个工作日 | title}} {{_ 没有 {1} {2} 译文 | n}}</p>";
    TemplateSet *set = templates_create(arena);
    Error err = {0};
    assert_int_equal(templates_add(set, S("t"), PAGE_HTML, str_z(source), &err), OK);
    Str before = render_set(set, S("en"), translate);
    templates_translate(set, translate, NULL);
    PageRun run = {.arena = arena, .model = model(), .lang = S("en"), .translate = translate};
    Buf out = buf_make(arena, 256, 1 << 20), other = buf_make(arena, 256, 1 << 20);
    assert_int_equal(page_render(&run, templates_find(set, S("t")), &out, &err), OK);
    assert_true(str_eq(buf_view(&out), before));
    assert_true(str_starts(
        before, S("<p title=\"1234567 working days left &lt;now&gt;\">Accept &lt;")));
    assert_true(str_find(before, S("没有 1234567 {2} 译文")) > 0);
    run.catalog = &run; // another catalogue: nothing of the first is shown for it
    assert_int_equal(page_render(&run, templates_find(set, S("t")), &other, &err), OK);
    assert_true(str_eq(buf_view(&other), before));
    run.translate = NULL;
    Buf zh = buf_make(arena, 256, 1 << 20);
    assert_int_equal(page_render(&run, templates_find(set, S("t")), &zh, &err), OK);
    assert_true(str_starts(buf_view(&zh), S("<p title=\"还剩 1234567 个工作日\">受理 ")));
}

static int setup(void **state) {
    (void)state;
    arena = arena_create(256 << 20);
    return 0;
}
static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(values),      T(blocks), T(places),    T(refusals), T(formats),
        T(translation), T(parts),  T(text_kind), T(limits),   T(conditions),
        T(lookups),     T(escaping), T(prepared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
