// Rules of sequence flows (BPMN 2.0.2, 7.5.1, 8.4.13) and of the expressions anywhere (8.4.7).
#include "bpmn/check_rules.h"

static bool is_artifact(const DocumentNode *n) { return check_is(n, T_ARTIFACT); }

// The flow nodes between which a token may go.
static bool may_be_end(const DocumentNode *n) {
    if (check_is_event_subprocess(n)) return false;
    return check_is(n, T_ACTIVITY) || check_is(n, T_GATEWAY) || check_is(n, T_EVENT);
}

// As an id, or as a QName that ends in it.
static bool names_flow(const Check *c, const DocumentNode *node, MetaName child, Str id) {
    if (check_lists(c, node, child, id)) return true;
    for (const DocumentNode *e = document_first(node); e && check_spend(c, 1);
         e = document_next(e)) {
        if (e->name != child) continue;
        const Str text = document_text(e, c->arena);
        const ptrdiff_t colon = str_find(text, S(":"));
        if (colon >= 0 && str_eq(str_sub(text, (size_t)colon + 1, text.len), id)) return true;
    }
    return false;
}

static void ends(Check *c, const DocumentNode *flow, const DocumentNode *source,
                 const DocumentNode *target) {
    const bool choreography = check_is(flow->parent, T_CHOREOGRAPHY) ||
                              check_is(flow->parent, T_SUB_CHOREOGRAPHY);
    if (target && is_artifact(target))
        check_error(c, flow, "EXT.006", "附注类元素 {1} 不能是顺序流的终点", check_text_id(target));
    if (source && is_artifact(source))
        check_error(c, flow, "EXT.007", "附注类元素 {1} 不能是顺序流的起点", check_text_id(source));
    if (source && !choreography && !may_be_end(source))
        check_error(c, source, "EXT.021", "{1} 不能是顺序流的起点", source->local);
    if (target && !choreography && !may_be_end(target))
        check_error(c, target, "EXT.022", "{1} 不能是顺序流的终点", target->local);
    const Str id = document_attribute(flow, S("id"));
    if (target && !names_flow(c, target, EL_incoming, id))
        check_error(c, flow, "EXT.023", "终点 {1} 没有用 incoming 指明这条顺序流",
                    check_text_id(target));
    if (source && !names_flow(c, source, EL_outgoing, id))
        check_error(c, flow, "EXT.023", "起点 {1} 没有用 outgoing 指明这条顺序流",
                    check_text_id(source));
    if (!source || !target) return;
    const DocumentNode *from = check_process(source), *to = check_process(target);
    if (from != to)
        check_error(c, flow, "EXT.028", "顺序流不能从一个池穿到另一个池");
    else if (source->parent != target->parent)
        check_error(c, flow, "EXT.152", "顺序流不能穿过子流程的边界");
}

static void sequence_flow(Check *c, const DocumentNode *flow) {
    const DocumentNode *source = check_id(c->file, document_attribute(flow, S("sourceRef")));
    const DocumentNode *target = check_id(c->file, document_attribute(flow, S("targetRef")));
    ends(c, flow, source, target);
    if (check_executable(flow) && !document_flag(flow, S("isImmediate"), true))
        check_error(c, flow, "EXT.024", "可执行的流程里，顺序流的 isImmediate 不能是 false");
    const bool conditional = document_child(flow, EL_conditionExpression) != NULL;
    if (conditional && check_is(source, T_ACTIVITY) && check_outs(c, source) == 1)
        check_error(c, flow, "EXT.025", "活动 {1} 只有这一条流出，它不能带条件",
                    check_text_id(source));
    if (conditional && source && source->name == EL_eventBasedGateway)
        check_error(c, flow, "EXT.137", "基于事件的网关 {1} 的流出不能带条件",
                    check_text_id(source));
}

static void default_flow(Check *c, const DocumentNode *n) {
    const Str id = document_attribute(n, S("default"));
    const DocumentNode *flow = check_id(c->file, id);
    if (flow && flow->name == EL_sequenceFlow &&
        check_id(c->file, document_attribute(flow, S("sourceRef"))) != n)
        check_error(c, n, "EXT.026", "缺省流 {1} 不是从这里流出的", id);
}

// ---- expressions -----------------------------------------------------------------------------

// Conditions of events have a rule of their own, EXT.123.
static bool is_run(const DocumentNode *n) {
    switch (n->name) {
    case EL_timeDate:
    case EL_timeDuration:
    case EL_timeCycle:
    case EL_completionCondition:
    case EL_loopCardinality:
    case EL_loopCondition:
    case EL_activationCondition:
    case EL_conditionExpression:
    case EL_from:
    case EL_to: return true;
    case EL_expression:
        return n->parent->name == EL_resourceAssignmentExpression ||
               n->parent->name == EL_resourceParameterBinding;
    default: return false;
    }
}

// Said of what holds the expressions, once.
static void informal(Check *c, const DocumentNode *n) {
    for (const DocumentNode *e = document_first(n); e; e = document_next(e)) {
        if (e->space != SPACE_BPMN || !is_run(e) || !check_is_informal(e)) continue;
        check_error(c, n, "EXT.012", "{1} 要写成 FormalExpression，否则流程不能标为可执行",
                    e->local);
        return;
    }
}

static void empty_formal(Check *c, const DocumentNode *n) {
    if (check_is(n, T_FORMAL_EXPRESSION) && !document_text(n, c->arena).len && !document_first(n))
        check_error(c, n, "EXT.013", "FormalExpression 里要有表达式");
}

void check_flows(Check *c, const DocumentNode *n) {
    if (n->name == EL_sequenceFlow) sequence_flow(c, n);
    if (document_has(n, S("default"))) default_flow(c, n);
    empty_formal(c, n);
    if (check_executable(n)) informal(c, n);
}
