// Rules of gateways (BPMN 2.0.2, chapter 10.6).
#include "bpmn/check_rules.h"

static void direction(Check *c, const DocumentNode *n, size_t ins, size_t outs) {
    const Str d = document_attribute(n, S("gatewayDirection"));
    if (str_eq(d, S("Converging")) && outs > 1)
        check_error(c, n, "EXT.017", "汇合网关不能有多条流出");
    if (str_eq(d, S("Diverging")) && ins > 1)
        check_error(c, n, "EXT.018", "分支网关不能有多条流入");
    if (str_eq(d, S("Mixed")) && (ins < 2 || outs < 2))
        check_error(c, n, "EXT.019", "混合网关要有多条流入和多条流出");
    if (ins < 2 && outs < 2)
        check_error(c, n, "EXT.135", "网关要有多条流入或多条流出");
}

// ---- event-based -----------------------------------------------------------------------------

static void event_target(Check *c, const DocumentNode *flow, const DocumentNode *n) {
    const unsigned allowed = DEF_MESSAGE | DEF_TIMER | DEF_CONDITIONAL | DEF_SIGNAL;
    const unsigned has = n->name == EL_intermediateCatchEvent ? check_definitions(c, n) : 0;
    if (n->name != EL_receiveTask && (!has || (has & ~allowed)))
        check_error(c, flow, "EXT.138",
                    "基于事件的网关只能连到接收任务，或消息、信号、定时、条件捕获事件");
    if (n->name == EL_receiveTask && check_info(c, n)->boundary)
        check_error(c, n, "EXT.140", "基于事件的网关后面的接收任务不能附有边界事件");
    if (check_ins(c, n) > 1)
        check_error(c, n, "EXT.141", "基于事件的网关的目标不能有别的流入");
}

static void event_based(Check *c, const DocumentNode *n, size_t ins, size_t outs) {
    if (outs < 2) check_error(c, n, "EXT.136", "基于事件的网关要有两条或更多流出");
    if (ins && document_flag(n, S("instantiate"), false))
        check_error(c, n, "EXT.142", "启动流程的基于事件的网关不能有流入");
    bool messages = false, tasks = false;
    for (uint32_t i = check_info(c, n)->first_out; i != CHECK_NO_EDGE;
         i = c->file->edges[i].next_out) {
        const CheckEdge *e = &c->file->edges[i];
        if (!e->target) continue;
        event_target(c, e->flow, e->target);
        tasks |= e->target->name == EL_receiveTask;
        messages |= e->target->name == EL_intermediateCatchEvent &&
                    (check_definitions(c, e->target) & DEF_MESSAGE);
    }
    if (messages && tasks)
        check_error(c, n, "EXT.139", "基于事件的网关后面不能同时有消息事件和接收任务");
}

void check_gateways(Check *c, const DocumentNode *n) {
    if (!check_is(n, T_GATEWAY)) return;
    const size_t ins = check_ins(c, n), outs = check_outs(c, n);
    direction(c, n, ins, outs);
    if (n->name == EL_eventBasedGateway) event_based(c, n, ins, outs);
}
