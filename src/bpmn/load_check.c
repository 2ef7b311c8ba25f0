// What the engine can run is still held to the standard: the findings of check.h, but for those
// that keep a file only from being exchanged, refuse it too, by line, element and rule.
#include "bpmn/load_check.h"

#include "bpmn/check.h"

#include <stdio.h>

Status load_check(Str xml, Arena *a, Error *err) {
    ArenaMark mark = arena_mark(a);
    FlowFindings found;
    FlowCheckOptions options = {.loading = true};
    Status status = flow_check(xml, &options, a, &found, err);
    for (size_t i = 0; i < found.count && !status; i++) {
        const FlowFinding *f = &found.items[i];
        if (f->severity != FLOW_FINDING_ERROR) continue;
        char line[16];
        (void)snprintf(line, sizeof line, "%u", f->line);
        Str what = f->element.len ? f->element : f->kind;
        status = error_set(err, INVALID, str_z(line), "{1} 不合 BPMN 规则 {2}：{3}", what, f->rule,
                           flow_finding_message(f, NULL, NULL, a));
    }
    arena_rewind(a, mark);
    return status;
}
