// yizhan decide: what a decision model says to an input, and why: which rows of which table held
// by which tests, and what yielded null. Needs no data folder. The trace is the one a case keeps.
#include "options.h"

#include "base/clock.h"
#include "base/file.h"
#include "dmn/dmn.h"
#include "value/json.h"

#include <stdio.h>

enum { DECIDE_MEMORY_MAX = 512 << 20, DECIDE_WORDS_MAX = 3, DECIDE_OUT_MAX = 64 << 20 };

typedef struct Asked {
    Str decision;
    DmnFile files[DMN_FILES_MAX];
    size_t files_count;
    bool json, check;
} Asked;

// Takes every "--import FILE" out of argv: the one option that may be given several times. The
// last one stays when its file is missing, so that options_parse says so.
static int imports_take(Asked *w, int argc, char **argv) {
    int kept = 0;
    for (int i = 0; i < argc; i++) {
        Str word = str_z(argv[i]), file = S("");
        if (str_eq(word, S("--")) || w->files_count == DMN_FILES_MAX) {
            for (; i < argc; i++) argv[kept++] = argv[i];
            break;
        }
        if (str_eq(word, S("--import")) && i + 1 < argc) file = str_z(argv[++i]);
        else if (str_starts(word, S("--import="))) file = str_sub(word, 9, word.len);
        if (file.len) w->files[w->files_count++].name = file;
        else argv[kept++] = argv[i];
    }
    argv[kept] = NULL;
    return kept;
}

static Status files_read(Asked *w, Str model, Arena *a, Error *err) {
    w->files[0].name = model;
    for (size_t i = 0; i < w->files_count; i++) {
        Status st = file_read(w->files[i].name, DMN_SIZE_MAX, a, &w->files[i].xml, err);
        if (st != OK) return st;
    }
    return OK;
}

static Status input_read(Str path, Arena *a, Value *ret, Error *err) {
    Str text;
    if (path.len == 0) {
        *ret = (Value){.kind = V_CONTEXT};
        return OK;
    }
    Status st = file_read(path, FILE_READ_MAX, a, &text, err);
    if (st == OK) st = json_parse(text, JSON_STRICT, (JsonLimits){0}, a, ret, err);
    if (st == INVALID) error_at(err, path);
    return st;
}

// ---- in words

static Str shown(Value v, Arena *a) {
    Buf out = buf_make(a, 64, DECIDE_OUT_MAX);
    if (v.kind == V_STRING) json_write_str(&out, v_text(v));
    else if (v.kind == V_NULL) buf_lit(&out, "null");
    else v_print(&out, v);
    return buf_view(&out);
}

static void say_table(Value table, Arena *a) {
    Value inputs = v_get_lit(table, "inputs"), rules = v_get_lit(table, "rules");
    Str in = v_text(v_get_lit(table, "in"));
    cli_say(T("    决策表（{1}）{2}"), v_text(v_get_lit(table, "policy")), in);
    for (uint32_t i = 0; i < inputs.len; i++) {
        Value column = v_at(inputs, i);
        cli_say("      {1} = {2}", v_text(v_get_lit(column, "column")),
                shown(v_get_lit(column, "value"), a));
    }
    if (rules.len == 0) cli_say(T("      没有规则成立"), S(""));
    for (uint32_t i = 0; i < rules.len; i++) {
        Value rule = v_at(rules, i), tests = v_get_lit(rule, "tests");
        Buf held = buf_make(a, 64, DECIDE_OUT_MAX);
        for (uint32_t j = 0; j < tests.len; j++) {
            if (j) buf_lit(&held, " | ");
            buf_str(&held, v_text(v_at(tests, j)));
        }
        cli_say(T("      第 {1} 条成立：{2}  {3}"), shown(v_get_lit(rule, "rule"), a),
                buf_view(&held), v_text(v_get_lit(rule, "note")));
    }
}

static void say_result(const DmnResult *r, bool whole, Arena *a) {
    uint32_t from = whole || r->trace.len == 0 ? 0 : r->trace.len - 1;
    for (uint32_t i = from; i < r->trace.len; i++) {
        Value step = v_at(r->trace, i), tables = v_get_lit(step, "tables");
        cli_say("{1} = {2}", v_text(v_get_lit(step, "decision")),
                shown(v_get_lit(step, "value"), a));
        for (uint32_t j = 0; j < tables.len; j++) say_table(v_at(tables, j), a);
    }
}

static void say_diagnostics(Value diagnostics, Arena *a) {
    for (uint32_t i = 0; i < diagnostics.len; i++) {
        Value d = v_at(diagnostics, i);
        cli_say(T("  没有结果的原因：{1}（{2}，第 {3} 行）"), v_text(v_get_lit(d, "text")),
                v_text(v_get_lit(d, "decision")), shown(v_get_lit(d, "line"), a));
    }
}

// ---- the command

static Status decide_one(const DmnModel *m, Str name, Value input, Arena *a, DmnResult *ret,
                         Error *err) {
    Status st = dmn_decide(m, name, input, clock_now(), a, ret, err);
    if (st != NOT_FOUND) return st;
    Error service = {0};
    if (dmn_service(m, name, input, clock_now(), a, ret, &service) == OK) return OK;
    return st;
}

static void print_json(Value v, Arena *a) {
    Buf out = buf_make(a, 4096, DECIDE_OUT_MAX);
    json_write_pretty(&out, v);
    (void)fwrite(out.ptr, 1, out.len, stdout);
    (void)fputc('\n', stdout);
}

// One decision or service, or every decision of the model.
static Status decide(const Asked *w, const DmnModel *m, Value input, Arena *a, Error *err) {
    ContextBuilder results = context_make(a);
    ListBuilder diagnostics = list_make(a);
    Value trace = v_null();
    size_t count = w->decision.len ? 1 : dmn_decision_count(m);
    for (size_t i = 0; i < count; i++) {
        Str name = w->decision.len ? w->decision : dmn_decision_name(m, i);
        DmnResult r;
        Status st = decide_one(m, name, input, a, &r, err);
        if (st != OK) return st;
        context_put(&results, name, r.value);
        trace = r.trace;
        for (uint32_t j = 0; j < r.diagnostics.len; j++)
            list_add(&diagnostics, v_at(r.diagnostics, j));
        if (w->json) continue;
        say_result(&r, w->decision.len > 0, a);
        say_diagnostics(r.diagnostics, a);
    }
    if (!w->json) return OK;
    ContextBuilder out = context_make(a);
    context_put_lit(&out, "results", context_done(&results));
    if (w->decision.len) context_put_lit(&out, "trace", trace);
    context_put_lit(&out, "diagnostics", list_done(&diagnostics));
    print_json(context_done(&out), a);
    return OK;
}

// What is wrong or doubtful in the model; false when there is an error.
static bool check(const Asked *w, Arena *a) {
    Value findings;
    Error err = {0};
    if (dmn_check(w->files[0].xml, a, &findings, &err) != OK) return cli_error(&err) == EXIT_DONE;
    if (w->json) print_json(findings, a);
    bool good = true;
    for (uint32_t i = 0; i < findings.len; i++) {
        Value f = v_at(findings, i);
        bool error = str_eq(v_text(v_get_lit(f, "severity")), S("error"));
        good = good && !error;
        if (w->json) continue;
        Str element = v_text(v_get_lit(f, "element"));
        Str place = arena_printf(a, "%.*s:%d", S_FMT(w->files[0].name),
                                 (int)v_to_int(v_get_lit(f, "line"), 0));
        Str what = element.len ? arena_printf(a, "%.*s: %.*s", S_FMT(element),
                                              S_FMT(v_text(v_get_lit(f, "text"))))
                               : v_text(v_get_lit(f, "text"));
        cli_say(error ? T("{1}: 错误：{2}") : T("{1}: 提醒：{2}"), place, what);
    }
    return good;
}

static int run(Asked *w, const Str *words, size_t words_count, Arena *a) {
    Error err = {0};
    const DmnModel *m;
    Value input;
    Status st = files_read(w, words[0], a, &err);
    if (st == OK && w->check) return check(w, a) ? EXIT_DONE : EXIT_FAILED;
    if (st == OK) st = dmn_load_files(w->files, w->files_count, DMN_STRICT, a, &m, &err);
    if (st == OK) st = input_read(words_count > 1 ? words[1] : S(""), a, &input, &err);
    if (st == OK) st = decide(w, m, input, a, &err);
    return st == OK ? EXIT_DONE : cli_error(&err);
}

int cmd_decide(int argc, char **argv) {
    Asked w = {.files_count = 1};
    Str words[DECIDE_WORDS_MAX], import = S("");
    const Option options[] = {
        {"--decision", "NAME", T("只作这一个决策（或决策服务）；默认逐个作出"), &w.decision, NULL},
        {"--import", "FILE", T("被引用的模型；可以写几次"), &import, NULL},
        {"--json", NULL, T("按 JSON 打印结果、依据和没有结果的原因"), NULL, &w.json},
        {"--check", NULL, T("只检查模型：逐条说明错误和可疑之处"), NULL, &w.check},
    };
    CommandLine line = {
        .usage = "yizhan decide MODEL.dmn [INPUT.json] [--decision NAME] [--import FILE]… [--json] "
                 "[--check]",
        .about = T("按决策模型对输入作出决策，并说明依据：哪张表的哪条规则因何成立。"),
        .options = options,
        .options_count = sizeof options / sizeof options[0],
        .words = words,
        .words_max = DECIDE_WORDS_MAX};
    argc = imports_take(&w, argc, argv);
    const int code = options_parse(&line, argc, argv);
    if (code != OPTIONS_GO) return code;
    if (line.words_count == 0 || line.words_count > 2) {
        cli_complain(T("请写明一个决策模型，最多一个输入文件"));
        return EXIT_USAGE;
    }
    ARENA_AUTO a = arena_create(DECIDE_MEMORY_MAX);
    jmp_buf limit;
    (void)arena_on_limit(a, &limit);
    if (setjmp(limit)) {
        cli_complain(T("内存超过上限（{1} MB）"), S("512"));
        return EXIT_FAILED;
    }
    return run(&w, words, line.words_count, a);
}
