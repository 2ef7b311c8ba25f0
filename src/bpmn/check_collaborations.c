// Rules of collaborations, choreographies and pools (BPMN 2.0.2, chapters 9 and 11), of message
// flows (7.5.2) and of processes as a whole.
#include "bpmn/check_rules.h"

// The pool a message flow's end lies in: the process, or the participant when it has none here.
static const DocumentNode *pool_of(const Check *c, const DocumentNode *n) {
    if (n->name == EL_participant) {
        const DocumentNode *process = check_ref_attribute(c, n, S("processRef"));
        return process ? process : n;
    }
    return check_process(n);
}

static void message_flow(Check *c, const DocumentNode *n) {
    const DocumentNode *source = check_ref_attribute(c, n, S("sourceRef"));
    const DocumentNode *target = check_ref_attribute(c, n, S("targetRef"));
    if (check_is(target, T_ARTIFACT))
        check_error(c, n, "EXT.008", "附注类元素 {1} 不能是消息流的终点", check_text_id(target));
    if (check_is(source, T_ARTIFACT))
        check_error(c, n, "EXT.009", "附注类元素 {1} 不能是消息流的起点", check_text_id(source));
    if (source && source->name == EL_startEvent)
        check_error(c, n, "EXT.102", "开始事件 {1} 不能是消息流的起点", check_text_id(source));
    if (target && target->name == EL_endEvent)
        check_error(c, n, "EXT.108", "结束事件 {1} 不能是消息流的终点", check_text_id(target));
    if (!source || !target) return;
    const DocumentNode *from = pool_of(c, source), *to = pool_of(c, target);
    const bool artifacts = check_is(source, T_ARTIFACT) || check_is(target, T_ARTIFACT);
    if (from && from == to && !artifacts)
        check_error(c, n, "EXT.031", "消息流要连接不同的池");
}

static void multiplicity(Check *c, const DocumentNode *n) {
    int64_t least = 0, most = 1;
    const Str minimum = document_attribute(n, S("minimum"));
    const Str maximum = document_attribute(n, S("maximum"));
    if (minimum.len && !str_to_int(minimum, &least)) return;
    if (maximum.len && !str_to_int(maximum, &most)) return;
    if (least < 0) check_error(c, n, "EXT.029", "minimum 不能是负数");
    if (most < 1 || most < least)
        check_error(c, n, "EXT.030", "maximum 不能小于 1，也不能小于 minimum");
}

static void global_conversation(Check *c, const DocumentNode *n) {
    for (const DocumentNode *e = document_first(n); e; e = document_next(e)) {
        if (e->space != SPACE_BPMN) continue;
        const bool wrong = check_is(e, T_CONVERSATION_NODE) || check_is(e, T_ARTIFACT) ||
                           e->name == EL_participantAssociation ||
                           e->name == EL_messageFlowAssociation ||
                           e->name == EL_conversationAssociation;
        if (!wrong) continue;
        check_error(c, n, "EXT.032", "全局会话里不能有 {1}", e->local);
        return;
    }
}

static void collaboration(Check *c, const DocumentNode *n) {
    const DocumentNode *ref = document_child(n, EL_choreographyRef);
    if (ref && n->name != EL_collaboration)
        check_error(c, n, "EXT.027", "编排和全局会话不能引用编排");
    if (n->name == EL_globalConversation) global_conversation(c, n);
    const bool closed = document_flag(n, S("isClosed"), false);
    for (const DocumentNode *e = document_first(n); e; e = document_next(e)) {
        if (e->name != EL_choreographyRef) continue;
        const DocumentNode *choreography = check_ref(c, e, document_text(e, c->arena));
        if (choreography && document_flag(choreography, S("isClosed"), false) != closed)
            check_error(c, n, "EXT.033", "协作与它引用的编排 {1} 的 isClosed 要一致",
                        check_text_id(choreography));
    }
}

static void process(Check *c, const DocumentNode *n) {
    if (str_eq(document_attribute(n, S("processType")), S("Public")) && check_executable(n))
        check_error(c, n, "EXT.035", "公共流程不能标为可执行");
    for (const DocumentNode *e = document_first(n); e; e = document_next(e))
        if (e->space == SPACE_BPMN && check_is(e, T_CHOREOGRAPHY_ACTIVITY)) {
            check_error(c, n, "EXT.036", "流程里不能有编排活动");
            return;
        }
}

void check_collaborations(Check *c, const DocumentNode *n) {
    if (n->name == EL_messageFlow) message_flow(c, n);
    if (n->name == EL_participantMultiplicity) multiplicity(c, n);
    if (check_is(n, T_COLLABORATION)) collaboration(c, n);
    if (n->name == EL_process) process(c, n);
}
