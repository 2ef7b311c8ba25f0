// Writes the work summary: the template of figures/summary.md (or .en.md) is rendered with every
// figure as a Markdown link, and the Markdown is then taken apart into blocks for the page, which
// so needs no HTML of its own.
#include "base/embed.h"
#include "case/letter.h"
#include "figures/summary.h"

enum { SUMMARY_MAX = 1 << 20 };

static Str scope_query(const FigureScope *scope, Arena *a) {
    Buf b = buf_make(a, 128, 1024);
    buf_lit(&b, "from=");
    buf_str(&b, day_format(scope->from, a));
    buf_lit(&b, "&to=");
    buf_str(&b, day_format(scope->to, a));
    if (!str_empty(scope->unit)) {
        buf_lit(&b, "&unit=");
        buf_str(&b, scope->unit);
    }
    if (!str_empty(scope->town)) {
        buf_lit(&b, "&town=");
        buf_str(&b, scope->town);
    }
    return buf_view(&b);
}

static Str figure_href(Str base, Str code, const FigureScope *scope, Arena *a) {
    return arena_printf(a, "%.*s/figures/%.*s?%.*s", S_FMT(base), S_FMT(code),
                        S_FMT(scope_query(scope, a)));
}

// {code: "[123,456](/figures/cases_accepted?…)"} for the template and {code: {…}} for the reader.
static void figure_views(const Figures *f, Value values, const FigureScope *scope, Str lang,
                         Str base, Arena *a, Value *ret_links, Value *ret_views) {
    ContextBuilder links = context_make(a), views = context_make(a);
    for (size_t i = 0; i < figures_count(f); i++) {
        Str code = figure_code(f, i);
        Value value = v_get(values, code);
        Str text = figure_print(f, code, value, lang, a), href = figure_href(base, code, scope, a);
        Str parts[] = {S("["), text, S("]("), href, S(")")};
        context_put(&links, code, v_str(arena_concat(a, parts, 5)));
        Value about = figure_about(f, code, a);
        Value name = v_get(about, str_eq(lang, S("en")) ? S("name_en") : S("name"));
        ContextBuilder one = context_make(a);
        context_put_new(&one, S("code"), v_str(code));
        context_put_new(&one, S("name"), name);
        context_put_new(&one, S("value"), value);
        context_put_new(&one, S("text"), v_str(text));
        Value unit = v_get(about, str_eq(lang, S("en")) && v_has(about, S("unit_en")) ? S("unit_en")
                                                                                      : S("unit"));
        context_put_new(&one, S("unit"), unit);
        context_put_new(&one, S("href"), v_str(href));
        context_put(&views, code, context_done(&one));
    }
    *ret_links = context_done(&links);
    *ret_views = context_done(&views);
}

static Status render(Value model, Str lang, Instant now, Arena *a, Str *ret, Error *err) {
    bool en = str_eq(lang, S("en"));
    const EmbeddedFile *file =
        embed_find(en ? S("figures/summary.en.md") : S("figures/summary.md"));
    if (!file) return error_set(err, BROKEN, S("summary"), "程序中缺少总结模板");
    TemplateSet *set = templates_create(a);
    Status st = templates_add(set, S("summary"), PAGE_TEXT, file->data, err);
    if (st == OK) st = templates_link(set, err);
    if (st != OK) return st;
    PageRun run = {.arena = a, .model = model, .now = now, .lang = lang};
    Buf out = buf_make(a, 4096, SUMMARY_MAX);
    st = page_render(&run, templates_find(set, S("summary")), &out, err);
    if (st == OK) *ret = buf_view(&out);
    return st;
}

static Value text_span(Str text, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("text"), v_str(text));
    return context_done(&b);
}

// "…[123,456](/figures/cases_accepted?…)…" → spans.
static Value line_spans(Str line, Arena *a) {
    ListBuilder list = list_make(a);
    while (line.len) {
        ptrdiff_t open = str_find(line, S("["));
        Str rest = open < 0 ? (Str){0} : str_sub(line, (size_t)open + 1, line.len);
        ptrdiff_t middle = open < 0 ? -1 : str_find(rest, S("]("));
        ptrdiff_t close = middle < 0 ? -1 : str_find(rest, S(")"));
        if (close < 0) {
            list_add(&list, text_span(line, a));
            break;
        }
        if (open > 0) list_add(&list, text_span(str_sub(line, 0, (size_t)open), a));
        Str href = str_sub(rest, (size_t)middle + 2, (size_t)close);
        ContextBuilder b = context_make(a);
        context_put_new(&b, S("text"), v_str(str_sub(rest, 0, (size_t)middle)));
        context_put_new(&b, S("href"), v_str(href));
        list_add(&list, context_done(&b));
        line = str_sub(rest, (size_t)close + 1, rest.len);
    }
    return list_done(&list);
}

static Value markdown_blocks(Str text, Str *ret_title, Arena *a) {
    ListBuilder blocks = list_make(a);
    Str rest = text;
    while (rest.ptr) {
        Str line = str_trim(str_cut(&rest, '\n'));
        if (str_empty(line)) continue;
        ContextBuilder b = context_make(a);
        if (str_starts(line, S("## "))) {
            context_put_new(&b, S("heading"), v_str(str_sub(line, 3, line.len)));
        } else if (str_starts(line, S("# "))) {
            *ret_title = str_sub(line, 2, line.len);
            continue;
        } else {
            context_put_new(&b, S("spans"), line_spans(line, a));
        }
        list_add(&blocks, context_done(&b));
    }
    return list_done(&blocks);
}

Status summary_write(const Figures *f, Db *db, const FigureScope *scope, Str county, Str lang,
                     Str base, Instant now, Arena *a, Value *ret, Error *err) {
    if (scope->to < scope->from) {
        return error_set(err, INVALID, S("to"), "结束日期不能早于开始日期");
    }
    Value values = v_null();
    Status st = figures_compute(f, db, scope, a, &values, err);
    return st == OK ? summary_of(f, values, scope, county, lang, base, now, a, ret, err) : st;
}

Status summary_of(const Figures *f, Value values, const FigureScope *scope, Str county, Str lang,
                  Str base, Instant now, Arena *a, Value *ret, Error *err) {
    Value links, views;
    figure_views(f, values, scope, lang, base, a, &links, &views);
    ContextBuilder model = context_make(a);
    context_put_new(&model, S("county"), v_str(county));
    context_put_new(&model, S("from"), v_day(scope->from));
    context_put_new(&model, S("to"), v_day(scope->to));
    context_put_new(&model, S("f"), links);
    Str markdown = S(""), title = S("");
    Status st = render(context_done(&model), lang, now, a, &markdown, err);
    if (st != OK) return st;
    Value blocks = markdown_blocks(markdown, &title, a);
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("title"), v_str(title));
    context_put_new(&b, S("from"), v_day(scope->from));
    context_put_new(&b, S("to"), v_day(scope->to));
    context_put_new(&b, S("blocks"), blocks);
    context_put_new(&b, S("markdown"), v_str(markdown));
    context_put_new(&b, S("figures"), views);
    *ret = context_done(&b);
    return OK;
}

// A link cannot be followed on paper: the numbers stand plain, and a table at the end names each.
Status summary_pdf(Value summary, Str lang, Arena *a, Str *ret, Error *err) {
    Buf b = buf_make(a, 8192, SUMMARY_MAX);
    Value blocks = v_get_lit(summary, "blocks"), figures = v_get_lit(summary, "figures");
    for (size_t i = 0; i < blocks.len; i++) {
        Value block = v_at(blocks, i), spans = v_get_lit(block, "spans");
        if (v_has(block, S("heading"))) {
            buf_lit(&b, "## ");
            buf_str(&b, v_text(v_get_lit(block, "heading")));
        }
        for (size_t k = 0; k < spans.len && spans.kind == V_LIST; k++) {
            buf_str(&b, v_text(v_get_lit(v_at(spans, k), "text")));
        }
        buf_lit(&b, "\n\n");
    }
    bool en = str_eq(lang, S("en"));
    buf_str(&b, en ? S("## Figures\n\n| Figure | Value | Code |\n")
                   : S("## 附：指标来源\n\n| 指标 | 数值 | 编码 |\n"));
    for (size_t i = 0; i < figures.len && figures.kind == V_CONTEXT; i++) {
        Value one = figures.as.entries[i].value;
        buf_lit(&b, "| ");
        buf_str(&b, v_text(v_get_lit(one, "name")));
        buf_lit(&b, " | ");
        buf_str(&b, v_text(v_get_lit(one, "text")));
        buf_lit(&b, " | ");
        buf_str(&b, v_text(v_get_lit(one, "code")));
        buf_lit(&b, " |\n");
    }
    return text_pdf(v_text(v_get_lit(summary, "title")), buf_view(&b), a, ret, err);
}
