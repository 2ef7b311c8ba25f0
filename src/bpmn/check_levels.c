// Rules of a process level as a whole (BPMN 2.0.2, 10.5.2, 10.5.3): once it has start events, or
// end events, every flow node must be reached, or lead on.
#include "bpmn/check_rules.h"

static bool starts(const DocumentNode *n) {
    return n->name == EL_startEvent ||
           ((n->name == EL_receiveTask || n->name == EL_eventBasedGateway) &&
            document_flag(n, S("instantiate"), false));
}

// Events have rules of their own for their flows; compensation is reached by an association.
static bool must_be_joined(const DocumentNode *n) {
    if (check_is_event_subprocess(n)) return false;
    if (check_is(n, T_ACTIVITY)) return !document_flag(n, S("isForCompensation"), false);
    return check_is(n, T_GATEWAY) || check_is(n, T_CHOREOGRAPHY_ACTIVITY);
}

static void level(Check *c, const DocumentNode *top) {
    bool has_start_event = false, has_start = false, has_end = false;
    for (const DocumentNode *n = document_first(top); n; n = document_next(n)) {
        if (n->space != SPACE_BPMN) continue;
        has_start_event |= n->name == EL_startEvent;
        has_start |= starts(n);
        has_end |= n->name == EL_endEvent;
    }
    for (const DocumentNode *n = document_first(top); n; n = document_next(n)) {
        if (n->space != SPACE_BPMN) continue;
        if (n->name == EL_endEvent && !has_start)
            check_error(c, n, "EXT.097", "有结束事件的流程也要有开始事件");
        if (n->name == EL_startEvent && !has_end)
            check_error(c, n, "EXT.105", "有开始事件的流程也要有结束事件");
        if (!must_be_joined(n)) continue;
        if (has_start_event && !starts(n) && !check_ins(c, n))
            check_error(c, n, "EXT.150", "流程有开始事件，{1} 就要有流入", n->local);
        if (has_end && !check_outs(c, n))
            check_error(c, n, "EXT.151", "流程有结束事件，{1} 就要有流出", n->local);
    }
}

void check_levels(Check *c, const DocumentNode *n) {
    const bool ordered = n->name == EL_process || n->name == EL_subProcess ||
                         n->name == EL_transaction;
    if (ordered) level(c, n);
}
