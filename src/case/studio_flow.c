// See studio_flow.h.
#include "case/studio_flow.h"

#include "bpmn/check.h"

static Value finding(const FlowFinding *f, Arena *a) {
    ListBuilder args = list_make(a);
    for (size_t i = 0; i < ERROR_ARGS; i++) list_add(&args, v_str(arena_str(a, f->args[i])));
    ContextBuilder b = context_make(a);
    const bool error = f->severity == FLOW_FINDING_ERROR;
    context_put_lit(&b, "severity", error ? v_lit("error") : v_lit("warning"));
    context_put_lit(&b, "file", v_lit("flow.bpmn"));
    context_put_lit(&b, "row", v_int(f->line));
    context_put_lit(&b, "element", v_str(arena_str(a, f->element)));
    context_put_lit(&b, "text", v_str(str_z(f->text)));
    context_put_lit(&b, "args", list_done(&args));
    return context_done(&b);
}

Status studio_flow_findings(Str xml, Arena *work, Arena *a, Value *ret, bool *ret_errors,
                            Error *err) {
    FlowFindings found;
    Status st = flow_check(xml, NULL, work, &found, err);
    if (st != OK) return st;
    ListBuilder list = list_make(a);
    for (size_t i = 0; i < found.count; i++) list_add(&list, finding(&found.items[i], a));
    *ret = list_done(&list);
    *ret_errors = found.errors > 0;
    return OK;
}
