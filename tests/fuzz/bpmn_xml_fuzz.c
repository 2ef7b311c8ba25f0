// room: bpmn
// Reads the input as a flow file of any tool, writes it, reads that again and checks it. What must
// hold whatever the file is: nothing crashes or hangs, what is refused says where, what was read
// is equal after it was written, in one way, and the check finds the same in both.
#include "bpmn/check.h"
#include "bpmn/document.h"

#include <stdlib.h>

enum { FUZZ_MEMORY = 512 << 20, FUZZ_SIZE_MAX = 64 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool what) {
    if (!what) abort();
}

static const FlowDocument *read_again(Str text, Arena *a) {
    const FlowDocument *d = NULL;
    Error err = {0};
    must(flow_document_read(text, a, &d, &err) == OK);
    return d;
}

// A file that imports anything imports itself under another name, and so on to the limits.
static bool import(void *ctx, Str location, Str file, Arena *a, Str *ret_xml, Str *ret_file) {
    if (location.len % 3 == 0) return false;
    *ret_xml = *(const Str *)ctx;
    *ret_file = arena_printf(a, "%.*s/%.*s", S_FMT(str_sub(file, 0, 1000)),
                             S_FMT(str_sub(location, 0, 20)));
    return true;
}

static FlowFindings check(Str text, Arena *a) {
    const FlowCheckOptions o = {.file = S("f"), .import = import, .ctx = &text};
    FlowFindings fs = {0};
    Error err = {0};
    const Status status = flow_check(text, &o, a, &fs, &err);
    if (status != OK) {
        must(status == LIMIT && err.text);
        return (FlowFindings){0};
    }
    size_t errors = 0;
    must(fs.count <= FLOW_FINDINGS_MAX);
    for (size_t i = 0; i < fs.count; i++) {
        errors += fs.items[i].severity == FLOW_FINDING_ERROR;
        must(fs.items[i].rule.len && flow_finding_message(&fs.items[i], NULL, NULL, a).len);
    }
    must(errors == fs.errors && (flow_refuse(&fs, &err) == OK) == (errors == 0));
    return fs;
}

static void run(Str xml, Arena *a) {
    const FlowDocument *d = NULL;
    Error err = {0};
    const Status status = flow_document_read(xml, a, &d, &err);
    if (status != OK) {
        must((status == INVALID || status == LIMIT) && err.text && err.where.len);
        return;
    }
    Str text, again_text;
    const DocumentNode *l, *r;
    must(flow_document_write(d, a, &text, &err) == OK);
    const FlowDocument *again = read_again(text, a);
    must(flow_document_equal(d, again, &l, &r));
    must(flow_document_write(again, a, &again_text, &err) == OK && str_eq(text, again_text));
    const FlowCounts c = flow_document_counts(d), e = flow_document_counts(again);
    must(c.flow_nodes == e.flow_nodes && c.sequence_flows == e.sequence_flows &&
         c.shapes == e.shapes);
    const FlowFindings before = check(xml, a), after = check(text, a);
    must(before.count == after.count && before.errors == after.errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > FUZZ_SIZE_MAX) return 0;
    Arena *a = arena_create(FUZZ_MEMORY);
    jmp_buf env;
    if (!setjmp(env)) { // a full arena is a refusal
        (void)arena_on_limit(a, &env);
        run((Str){(const char *)data, size}, a);
    }
    arena_free(a);
    return 0;
}
