// yizhan summary: writes the services section of the work summary from the records, as Markdown,
// PDF or JSON.
#include "figures/summary.h"
#include "house.h"

#include "base/file.h"

#include <stdio.h>

enum { SUMMARY_MEMORY_MAX = 256 << 20 };

typedef struct Wanted {
    Str from, to, unit, town, lang, pdf;
    bool json;
} Wanted;

static Status write_out(Value summary, const Wanted *w, Str lang, Arena *a, Error *err) {
    if (!str_empty(w->pdf)) {
        Str pdf;
        Status st = summary_pdf(summary, lang, a, &pdf, err);
        return st == OK ? file_write(w->pdf, pdf, 0644, a, err) : st;
    }
    Str text = v_text(v_get_lit(summary, "markdown"));
    if (w->json) {
        Buf b = buf_make(a, 4096, 4 << 20);
        json_write_pretty(&b, v_get_lit(summary, "figures"));
        text = buf_view(&b);
    }
    fwrite(text.ptr, 1, text.len, stdout);
    if (text.len && text.ptr[text.len - 1] != '\n') fputc('\n', stdout);
    return OK;
}

static Status summarise(House *h, const Wanted *w, Arena *a, Error *err) {
    FigureScope scope = {.unit = w->unit, .town = w->town};
    if (!day_parse(w->from, &scope.from) || !day_parse(w->to, &scope.to)) {
        return error_set(err, INVALID, S("--from"),
                         "请用 --from 和 --to 写明起止日期，例如 2023-01-01");
    }
    Str lang = str_empty(w->lang) ? S("zh") : w->lang;
    const Figures *figures;
    Value summary;
    DB_AUTO db = NULL;
    Status st = figures_load(a, &figures, err);
    if (st == OK) st = store_read(h->store, &db, err);
    if (st == OK) {
        st = summary_write(figures, db, &scope, h->county, lang, h->public_url, clock_now(), a,
                           &summary, err);
    }
    return st == OK ? write_out(summary, w, lang, a, err) : st;
}

int cmd_summary(int argc, char **argv) {
    HouseOptions o = {.no_writer = true};
    Wanted w = {0};
    const Option options[] = {
        OPTION_DATA(&o.data),
        OPTION_DB(&o.db),
        {"--from", "DATE", T("开始日期"), &w.from, NULL},
        {"--to", "DATE", T("结束日期"), &w.to, NULL},
        {"--unit", "CODE", T("只统计一个部门"), &w.unit, NULL},
        {"--town", "CODE", T("只统计一个镇乡（街道）"), &w.town, NULL},
        {"--lang", "zh|en", T("语言"), &w.lang, NULL},
        {"--pdf", "FILE", T("写成 PDF 文件"), &w.pdf, NULL},
        {"--json", NULL, T("只要指标，写成 JSON"), NULL, &w.json},
    };
    CommandLine line = {.usage = "yizhan summary [--data DIR] --from DATE --to DATE",
                        .about = T("由记录写出工作总结的政务服务部分"),
                        .options = options,
                        .options_count = sizeof options / sizeof *options};
    int code = options_parse(&line, argc, argv);
    if (code != OPTIONS_GO) return code;
    House h = {0};
    Error err = {.status = OK};
    if (house_open(&o, &h, &err) != OK) return cli_error(&err);
    Arena *a = arena_create(SUMMARY_MEMORY_MAX);
    Status st = summarise(&h, &w, a, &err);
    arena_free(a);
    house_close(&h);
    return st == OK ? EXIT_DONE : cli_error(&err);
}
