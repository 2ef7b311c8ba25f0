// The findings of a flow's own checks (bpmn/check.h) as a list. In a file of its own because
// bpmn/check.h and bpmn/bpmn.h can't stand in one.
#pragma once

#include "value/value.h"

// [{severity, file: "flow.bpmn", row, element, text, args}] in `a`; *ret_errors: one of them is an
// error. Works in `work`.
MUST_USE Status studio_flow_findings(Str xml, Arena *work, Arena *a, Value *ret, bool *ret_errors,
                                     Error *err);
