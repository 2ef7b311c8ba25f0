// room: bpmn
// The models that keep or break the rules of BPMN 2.0, by expected.csv:
// - an invalid file: each rule it was written for must be reported, and each finding that
//   expected.csv gives with a line must be reported at that line;
// - a valid file: no error of any EXT rule and none of the schema. Files of the families REF and
//   FLOW are judged by findings of that family only;
// - a rule in `warnings` must be reported as a warning.
// Ends in "N passed, N failed, N skipped".
//   bpmn-lint_suite FOLDER [--verbose]
#include "bpmn/check.h"
#include "suite_table.h"

// "a/b/../c/x" -> "a/c/x", so that a file has one name whoever imports it.
static Str tidy(Str path, Arena *a) {
    Str parts[64];
    size_t n = 0;
    const bool absolute = str_starts(path, S("/"));
    while (path.ptr) {
        const Str part = str_cut(&path, '/');
        if (!part.len || str_eq(part, S("."))) continue;
        if (str_eq(part, S("..")) && n && !str_eq(parts[n - 1], S(".."))) n--;
        else if (n < 64) parts[n++] = part;
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
    return n ? str_sub(path, 0, n - 1) : S(".");
}

static bool import(void *ctx, Str location, Str file, Arena *a, Str *ret_xml, Str *ret_file) {
    (void)ctx;
    Error err;
    if (str_find(location, S("://")) >= 0) return false;
    const Str path = tidy(path_join(a, folder_of(file), location), a);
    if (file_read(path, SUITE_FILE_MAX, a, ret_xml, &err) != OK) return false;
    *ret_file = path;
    return true;
}

static bool reported(const FlowFindings *fs, Str rule, int64_t line, FlowSeverity severity) {
    for (size_t i = 0; i < fs->count; i++)
        if (str_eq(fs->items[i].rule, rule) && fs->items[i].severity == severity &&
            (line < 0 || fs->items[i].line == line))
            return true;
    return false;
}

static Str list(const FlowFindings *fs, Arena *a) {
    Buf b = buf_make(a, 256, 1 << 20);
    for (size_t i = 0; i < fs->count; i++) {
        const FlowFinding *f = &fs->items[i];
        buf_printf(&b, "%s%.*s@%u%s", i ? ";" : "", S_FMT(f->rule), f->line,
                   f->severity == FLOW_FINDING_WARNING ? "(warning)" : "");
        if (str_starts(f->rule, S("XSD")))
            buf_printf(&b, "[%.*s]", S_FMT(flow_finding_message(f, NULL, NULL, a)));
    }
    return b.len ? buf_view(&b) : S("nothing");
}

// Every "rule@line" or "rule" of a list separated by ';' must be there.
static Str missing(Str all, const FlowFindings *fs, FlowSeverity severity, Arena *a) {
    while (all.len) {
        const Str one = str_cut(&all, ';');
        Str line_text = one;
        const Str rule = str_cut(&line_text, '@');
        int64_t line = -1;
        if (line_text.len && !str_to_int(line_text, &line)) return S("expected.csv is wrong");
        if (!reported(fs, rule, line, severity))
            return arena_printf(a, "expected %.*s, found %.*s", S_FMT(one), S_FMT(list(fs, a)));
    }
    return S("");
}

static Str judge_valid(Str rule, const FlowFindings *fs, Arena *a) {
    const bool flow = str_starts(rule, S("FLOW")), ref = str_starts(rule, S("REF"));
    for (size_t i = 0; i < fs->count; i++) {
        const FlowFinding *f = &fs->items[i];
        if (f->severity != FLOW_FINDING_ERROR) continue;
        const bool counts = flow ? str_starts(f->rule, S("FLOW"))
                            : ref ? str_starts(f->rule, S("REF"))
                                  : str_starts(f->rule, S("EXT")) ||
                                        str_starts(f->rule, S("XSD")) ||
                                        str_starts(f->rule, S("XML"));
        if (counts) return arena_printf(a, "expected none, found %.*s", S_FMT(list(fs, a)));
    }
    return S("");
}

static Str judge(const Csv *row, Str path, Str xml, Arena *a) {
    const FlowCheckOptions o = {.file = tidy(path, a), .import = import};
    FlowFindings fs = {0};
    Error err = {0};
    if (flow_check(xml, &o, a, &fs, &err) != OK)
        return arena_printf(a, "is refused: %.*s", S_FMT(error_message(&err, NULL, NULL, a)));
    const Str rule = csv_get(row, S("rule"));
    Str wrong = S("");
    if (str_eq(csv_get(row, S("verdict")), S("invalid"))) {
        wrong = missing(rule, &fs, FLOW_FINDING_ERROR, a);
        if (!wrong.len) wrong = missing(csv_get(row, S("findings")), &fs, FLOW_FINDING_ERROR, a);
    } else {
        wrong = judge_valid(rule, &fs, a);
    }
    return wrong.len ? wrong : missing(csv_get(row, S("warnings")), &fs, FLOW_FINDING_WARNING, a);
}

int main(int argc, char **argv) {
    const SuiteTable suite = {"bpmn-lint_suite", S_INIT("expected.csv"), judge};
    return suite_table_main(&suite, argc, argv);
}
