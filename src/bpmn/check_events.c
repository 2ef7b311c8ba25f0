// Rules of events (BPMN 2.0.2, chapter 10.5): which triggers are allowed where (tables 10.84 to
// 10.93), their flows, what executable processes must say, links, compensation.
#include "bpmn/check_rules.h"

// ---- start and end ---------------------------------------------------------------------------

// For running, a flow that names its ends is enough; EXT.023 tells what the ends don't say.
static bool is_named_by_flow(const Check *c, size_t flows) { return c->options->loading && flows; }

static void start_event(Check *c, const DocumentNode *n) {
    const unsigned has = check_definitions(c, n);
    const DocumentNode *level = n->parent;
    if (check_ins(c, n)) check_error(c, n, "EXT.096", "开始事件不能有流入");
    if (level->name == EL_process &&
        (has & ~(unsigned)(DEF_MESSAGE | DEF_TIMER | DEF_CONDITIONAL | DEF_SIGNAL)))
        check_error(c, n, "EXT.098", "流程的开始事件只能由消息、定时、条件或信号触发");
    if (check_is(level, T_SUB_PROCESS) && !check_is_event_subprocess(level) && has)
        check_error(c, n, "EXT.100", "子流程的开始事件不能有事件定义");
    if (!document_child(n, EL_outgoing) && !is_named_by_flow(c, check_info(c, n)->outs))
        check_error(c, n, "EXT.101", "开始事件要有 outgoing");
    if (check_info(c, n)->message_in && !(has & DEF_MESSAGE))
        check_error(c, n, "EXT.103", "消息流的终点开始事件要有消息定义");
}

static void end_event(Check *c, const DocumentNode *n) {
    const unsigned has = check_definitions(c, n);
    const unsigned allowed = DEF_MESSAGE | DEF_ESCALATION | DEF_ERROR | DEF_CANCEL |
                             DEF_COMPENSATE | DEF_SIGNAL | DEF_TERMINATE;
    if (check_outs(c, n)) check_error(c, n, "EXT.104", "结束事件不能有流出");
    if ((has & DEF_CANCEL) && n->parent->name != EL_transaction)
        check_error(c, n, "EXT.106", "取消结束事件只能在事务子流程里");
    if (!document_child(n, EL_incoming) && !is_named_by_flow(c, check_info(c, n)->ins))
        check_error(c, n, "EXT.107", "结束事件要有 incoming");
    if (check_info(c, n)->message_out && !(has & DEF_MESSAGE))
        check_error(c, n, "EXT.109", "消息流的起点结束事件要有消息定义");
    if (has & ~allowed) check_error(c, n, "EXT.146", "结束事件不能用定时、条件或链接定义");
}

// ---- boundary --------------------------------------------------------------------------------

static bool is_compensation_activity(const DocumentNode *n) {
    return (check_is(n, T_TASK) || check_is(n, T_SUB_PROCESS)) &&
           document_flag(n, S("isForCompensation"), false);
}

static void compensation_boundary(Check *c, const DocumentNode *n) {
    if (check_outs(c, n))
        check_error(c, n, "EXT.114", "补偿边界事件不能有流出，要用关联连到补偿活动");
    bool connected = false;
    for (size_t i = 0; i < c->file->ties_count && check_spend(c, 1); i++) {
        const CheckEdge *e = &c->file->ties[i];
        const DocumentNode *other = e->source == n ? e->target : e->target == n ? e->source : NULL;
        if (!other || check_is(other, T_ARTIFACT)) continue;
        connected = true;
        if (!is_compensation_activity(other))
            check_error(c, n, "EXT.144", "关联的 {1} 要是标了 isForCompensation 的任务或子流程",
                        check_text_id(other));
    }
    if (!connected) check_error(c, n, "EXT.143", "补偿边界事件要用关联连到补偿活动");
}

static void boundary_event(Check *c, const DocumentNode *n) {
    const unsigned has = check_definitions(c, n);
    const bool cancels = document_flag(n, S("cancelActivity"), true);
    unsigned allowed = DEF_MESSAGE | DEF_TIMER | DEF_ESCALATION | DEF_CONDITIONAL | DEF_SIGNAL;
    if (cancels) allowed |= DEF_ERROR | DEF_CANCEL | DEF_COMPENSATE;
    if (!has) check_error(c, n, "EXT.110", "边界事件要有事件定义");
    else if (has & ~allowed) {
        if (cancels) check_error(c, n, "EXT.110", "边界事件不能用链接或终止定义");
        else
            check_error(c, n, "EXT.110",
                        "不中断活动的边界事件不能用错误、取消、补偿、链接或终止定义");
    }
    const DocumentNode *host = check_ref_attribute(c, n, S("attachedToRef"));
    if ((has & DEF_CANCEL) && host && host->name != EL_transaction)
        check_error(c, n, "EXT.111", "取消边界事件只能附在事务子流程上");
    if (check_ins(c, n)) check_error(c, n, "EXT.112", "边界事件不能有流入");
    if (has & DEF_COMPENSATE) compensation_boundary(c, n);
    else if (!check_outs(c, n)) check_error(c, n, "EXT.113", "边界事件要有流出");
}

// ---- intermediate ----------------------------------------------------------------------------

static void intermediate_event(Check *c, const DocumentNode *n) {
    const unsigned has = check_definitions(c, n);
    const bool catches = n->name == EL_intermediateCatchEvent, link = has & DEF_LINK;
    const size_t ins = check_ins(c, n), outs = check_outs(c, n);
    if (!ins && !(catches && link)) check_error(c, n, "EXT.115", "中间事件要有流入");
    if (!outs && !(!catches && link)) check_error(c, n, "EXT.116", "中间事件要有流出");
    if (link && ((catches && ins) || (!catches && outs)))
        check_error(c, n, "EXT.117", "链接事件不能既有流入又有流出");
    const CheckInfo *info = check_info(c, n);
    if (!catches && info->message_in)
        check_error(c, n, "EXT.119", "中间抛出事件不能是消息流的终点");
    if (catches && info->message_out)
        check_error(c, n, "EXT.119", "中间捕获事件不能是消息流的起点");
    if (catches && (has & DEF_COMPENSATE))
        check_error(c, n, "EXT.122", "正常流里的捕获事件不能用补偿定义");
    const unsigned caught = DEF_MESSAGE | DEF_TIMER | DEF_CONDITIONAL | DEF_LINK | DEF_SIGNAL;
    const unsigned thrown = DEF_MESSAGE | DEF_ESCALATION | DEF_COMPENSATE | DEF_LINK | DEF_SIGNAL;
    if (catches && (!has || (has & ~caught)))
        check_error(c, n, "EXT.148", "中间捕获事件要有消息、定时、条件、链接或信号定义");
    if (!catches && (has & ~thrown))
        check_error(c, n, "EXT.149", "中间抛出事件只能用消息、升级、补偿、链接或信号定义");
}

// ---- what a definition says ------------------------------------------------------------------

static void escalation(Check *c, const DocumentNode *event, const DocumentNode *definition) {
    if (!check_executable(event)) return;
    const DocumentNode *e = check_ref_attribute(c, definition, S("escalationRef"));
    if (!e || !document_attribute(e, S("escalationCode")).len)
        check_error(c, event, "EXT.011", "抛出的升级要有 escalationCode");
}

static void conditional(Check *c, const DocumentNode *n) {
    const DocumentNode *condition = document_child(n, EL_condition);
    if (check_executable(n) && (!condition || check_is_informal(condition)))
        check_error(c, n, "EXT.123", "可执行的流程里，条件要写成 FormalExpression");
}

static void message(Check *c, const DocumentNode *n) {
    if (!check_executable(n)) return;
    if (!document_has(n, S("messageRef")))
        check_error(c, n, "EXT.127", "可执行的流程里，消息事件要有 messageRef");
    if (!document_child(n, EL_operationRef))
        check_error(c, n, "EXT.128", "可执行的流程里，消息事件要有 operationRef");
}

static void definitions(Check *c, const DocumentNode *event) {
    const bool throws = check_is(event, T_THROW_EVENT);
    for (const DocumentNode *e = document_first(event); e; e = document_next(e)) {
        const DocumentNode *d = e;
        if (e->name == EL_eventDefinitionRef) d = check_ref(c, e, document_text(e, c->arena));
        if (!d) continue;
        if (d->name == EL_escalationEventDefinition && throws) escalation(c, event, d);
        if (d == e && throws && check_is(e, T_EVENT_DEFINITION) &&
            check_info(c, e)->thrown_elsewhere)
            check_error(c, e, "EXT.095", "抛出事件里的事件定义不能在别处引用");
    }
}

// ---- links -----------------------------------------------------------------------------------

static bool lists(const Check *c, const DocumentNode *n, MetaName child, const DocumentNode *to) {
    for (const DocumentNode *e = document_first(n); e && check_spend(c, 1); e = document_next(e))
        if (e->name == child && check_ref(c, e, document_text(e, c->arena)) == to) return true;
    return false;
}

typedef struct Links {
    size_t here, elsewhere; // in the same process level, in others
} Links;

// Links that pair by name, as tools write them: those of events of `kind` named like `n`.
static Links links_named(const Check *c, const DocumentNode *n, MetaName kind) {
    Links found = {0};
    const Str name = document_attribute(n, S("name"));
    if (!name.len) return found;
    for (size_t i = 0; i < c->file->links_count && check_spend(c, 1); i++) {
        const DocumentNode *e = c->file->links[i];
        if (e->parent->name != kind || !str_eq(document_attribute(e, S("name")), name)) continue;
        if (e->parent->parent == n->parent->parent) found.here++;
        else found.elsewhere++;
    }
    return found;
}

static void thrown_link(Check *c, const DocumentNode *n) {
    const DocumentNode *ref = document_child(n, EL_target);
    if (!ref) {
        const Links catches = links_named(c, n, EL_intermediateCatchEvent);
        if (!catches.here && catches.elsewhere)
            check_error(c, n, "EXT.126", "链接的目标要在同一层流程里");
        else if (catches.here != 1)
            check_error(c, n, "EXT.125", "抛出的链接要恰好有一个目标");
        return;
    }
    if (check_children(c, n, EL_target) > 1)
        check_error(c, n, "EXT.125", "抛出的链接要恰好有一个目标");
    const DocumentNode *target = check_ref(c, ref, document_text(ref, c->arena));
    if (!target || target->name != EL_linkEventDefinition) return;
    if (target->parent->parent != n->parent->parent)
        check_error(c, n, "EXT.126", "链接的目标要在同一层流程里");
    if (target->parent->name != EL_intermediateCatchEvent ||
        (document_child(target, EL_source) && !lists(c, target, EL_source, n)))
        check_error(c, n, "EXT.118", "链接的目标 {1} 没有把它列为来源", check_text_id(target));
}

static void caught_link(Check *c, const DocumentNode *n) {
    if (document_child(n, EL_source)) return;
    const Links throws = links_named(c, n, EL_intermediateThrowEvent);
    if (throws.here || throws.elsewhere) return;
    check_error(c, n, "EXT.124", "捕获的链接至少要有一个来源");
}

void check_events(Check *c, const DocumentNode *n) {
    switch (n->name) {
    case EL_startEvent: start_event(c, n); break;
    case EL_endEvent: end_event(c, n); break;
    case EL_boundaryEvent: boundary_event(c, n); break;
    case EL_intermediateCatchEvent:
    case EL_intermediateThrowEvent: intermediate_event(c, n); break;
    case EL_conditionalEventDefinition: conditional(c, n); break;
    case EL_messageEventDefinition: message(c, n); break;
    case EL_linkEventDefinition:
        if (n->parent->name == EL_intermediateThrowEvent) thrown_link(c, n);
        if (n->parent->name == EL_intermediateCatchEvent) caught_link(c, n);
        break;
    default: break;
    }
    if (check_is(n, T_EVENT)) definitions(c, n);
}
