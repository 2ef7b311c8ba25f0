// yizhan flow check|run|draw FILE: flows outside of any item. `run` and `draw` are in files of
// their own; a build that lacks one says so.
#include "options.h"

#include "base/file.h"
#include "bpmn/check.h"
#include "bpmn/document.h"
#include "value/json.h"

#include <stdio.h>

int __attribute__((weak)) cmd_flow_run(int argc, char **argv);
int __attribute__((weak)) cmd_flow_draw(int argc, char **argv);

enum { FLOW_MEMORY_MAX = 1 << 30, FLOW_FILES_MAX = 1000, PATH_PARTS_MAX = 64,
       JSON_OUT_MAX = 64 << 20 };

// ---- imports ---------------------------------------------------------------------------------

// "a/b/../c" -> "a/c", so that a file has one name whoever imports it.
static Str path_tidy(Str path, Arena *a) {
    Str parts[PATH_PARTS_MAX];
    size_t n = 0;
    const bool absolute = str_starts(path, S("/"));
    while (path.ptr) {
        const Str part = str_cut(&path, '/');
        if (!part.len || str_eq(part, S("."))) continue;
        if (str_eq(part, S("..")) && n && !str_eq(parts[n - 1], S(".."))) n--;
        else if (n < PATH_PARTS_MAX) parts[n++] = part;
    }
    Buf b = buf_make(a, 128, 64 << 10);
    for (size_t i = 0; i < n; i++) {
        if (i || absolute) buf_char(&b, '/');
        buf_str(&b, parts[i]);
    }
    return buf_view(&b);
}

static Str folder_of(Str path) {
    size_t n = path.len;
    while (n && path.ptr[n - 1] != '/') n--;
    return n > 1 ? str_sub(path, 0, n - 1) : n ? S("/") : S(".");
}

// Files beside the one that names them; never the network.
static bool import_file(void *ctx, Str location, Str file, Arena *a, Str *ret_xml,
                        Str *ret_file) {
    (void)ctx;
    Error err;
    if (!location.len || str_find(location, S("://")) >= 0) return false;
    const bool absolute = location.ptr[0] == '/';
    const Str path = path_tidy(absolute ? location : path_join(a, folder_of(file), location), a);
    if (file_read(path, DOCUMENT_SIZE_MAX, a, ret_xml, &err) != OK) return false;
    *ret_file = path;
    return true;
}

// ---- check -----------------------------------------------------------------------------------

// Only the finding's own words have an English; its arguments are of the file.
static Str translate(void *text, Str zh) { return zh.ptr == text ? cli_text(text) : zh; }

static Str words_of(const FlowFinding *f, Arena *a) {
    return flow_finding_message(f, translate, (void *)(uintptr_t)f->text, a);
}

static void print_findings(const FlowFindings *fs, Arena *a) {
    for (size_t i = 0; i < fs->count; i++) {
        const FlowFinding *f = &fs->items[i];
        const Str kind = cli_text(f->severity == FLOW_FINDING_ERROR ? T("错误") : T("警告"));
        printf("%.*s:%u: %.*s %.*s", S_FMT(f->file), f->line, S_FMT(kind), S_FMT(f->rule));
        if (f->kind.len) printf(" %.*s", S_FMT(f->kind));
        if (f->element.len) printf(" %.*s", S_FMT(f->element));
        printf(": %.*s\n", S_FMT(words_of(f, a)));
    }
    if (fs->more) cli_complain(T("还有更多错误，未逐一列出"));
}

static void add_json(ListBuilder *list, const FlowFindings *fs, Arena *a) {
    for (size_t i = 0; i < fs->count; i++) {
        const FlowFinding *f = &fs->items[i];
        ContextBuilder b = context_make(a);
        context_put_lit(&b, "file", v_str(f->file));
        context_put_lit(&b, "line", v_int((int64_t)f->line));
        context_put_lit(&b, "severity", f->severity == FLOW_FINDING_ERROR ? v_str(S("error"))
                                                                  : v_str(S("warning")));
        context_put_lit(&b, "rule", v_str(f->rule));
        context_put_lit(&b, "kind", v_str(f->kind));
        context_put_lit(&b, "element", v_str(f->element));
        context_put_lit(&b, "text", v_str(words_of(f, a)));
        list_add(list, context_done(&b));
    }
}

// Returns whether the file is without errors.
static bool check_one(Str path, bool loading, ListBuilder *json, Arena *json_arena) {
    ARENA_AUTO own = arena_create(FLOW_MEMORY_MAX);
    Arena *a = json ? json_arena : own;
    Error err = {0};
    Str xml;
    FlowFindings found = {0};
    const FlowCheckOptions o = {.file = path_tidy(path, a), .import = import_file,
                                .loading = loading};
    Status status = file_read(path, DOCUMENT_SIZE_MAX, a, &xml, &err);
    if (status == OK) {
        status = flow_check(xml, &o, a, &found, &err);
        if (status != OK) error_at(&err, path);
    }
    if (status != OK) {
        (void)cli_error(&err);
        return false;
    }
    if (json) add_json(json, &found, a);
    else print_findings(&found, a);
    return found.errors == 0;
}

static int flow_check_command(int argc, char **argv) {
    bool json = false, loading = false;
    static Str words[FLOW_FILES_MAX];
    const Option options[] = {
        {"--json", NULL, T("以 JSON 列出"), NULL, &json},
        {"--loading", NULL, T("按载入引擎的要求检查：只关系到与别的工具交换的规则算作警告"), NULL,
         &loading},
    };
    CommandLine line = {.usage = "yizhan flow check [--json] [--loading] FILE…",
                        .about = T("按 BPMN 2.0.2 检查流程文件，逐条列出问题、元素和行号。有错误时退出码为 1。"),
                        .options = options,
                        .options_count = sizeof options / sizeof options[0],
                        .words = words,
                        .words_max = FLOW_FILES_MAX};
    const int code = options_parse(&line, argc, argv);
    if (code != OPTIONS_GO) return code;
    if (!line.words_count) {
        cli_complain(T("请给出流程文件"));
        return EXIT_USAGE;
    }
    ARENA_AUTO a = arena_create(FLOW_MEMORY_MAX);
    ListBuilder list = list_make(a);
    bool right = true;
    for (size_t i = 0; i < line.words_count; i++)
        right &= check_one(words[i], loading, json ? &list : NULL, a);
    if (json) {
        Buf out = buf_make(a, 4096, JSON_OUT_MAX);
        json_write_pretty(&out, list_done(&list));
        printf("%.*s\n", S_FMT(buf_view(&out)));
    }
    return right ? EXIT_DONE : EXIT_FAILED;
}

// ---- dispatch --------------------------------------------------------------------------------

typedef struct FlowCommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} FlowCommand;

int cmd_flow(int argc, char **argv) {
    const FlowCommand commands[] = {
        {"check", flow_check_command, T("按标准检查流程文件")},
        {"run", cmd_flow_run, T("运行一个流程，打印经过")},
        {"draw", cmd_flow_draw, T("画出流程的 SVG 图")},
    };
    const Str name = argc > 1 ? str_z(argv[1]) : S("");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (!str_eq(name, str_z(commands[i].name))) continue;
        if (commands[i].run) return commands[i].run(argc - 1, argv + 1);
        cli_complain(T("这个版本没有指令 {1}"), name);
        return EXIT_LACKING;
    }
    const bool help = str_eq(name, S("--help")) || str_eq(name, S("-h"));
    FILE *out = help ? stdout : stderr;
    fprintf(out, "yizhan flow COMMAND [--help] …\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-8s %.*s\n", commands[i].name, S_FMT(cli_text(commands[i].about)));
    return help ? EXIT_DONE : EXIT_USAGE;
}
