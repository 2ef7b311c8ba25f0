// Rules of activities (BPMN 2.0.2, chapter 10.3): quantities, the data of tasks that call
// operations and exchange messages, event sub-processes, ad-hoc sub-processes, call activities,
// loops.
#include "bpmn/check_rules.h"

static void quantity(Check *c, const DocumentNode *n, Str attribute, bool start) {
    int64_t number = 1;
    const Str text = document_attribute(n, attribute);
    if (!text.len || !str_to_int(text, &number) || number >= 1) return;
    if (start) check_error(c, n, "EXT.037", "startQuantity 不能小于 1");
    else check_error(c, n, "EXT.038", "completionQuantity 不能小于 1");
}

// ---- operations and messages -----------------------------------------------------------------

static void service_task(Check *c, const DocumentNode *n) {
    const DocumentNode *operation = check_ref_attribute(c, n, S("operationRef"));
    if (!operation || operation->name != EL_operation) return;
    const DocumentNode *io = document_child(n, EL_ioSpecification);
    if (!io || check_children(c, io, EL_inputSet) != 1)
        check_error(c, n, "EXT.042", "调用操作的服务任务要在 ioSpecification 里恰好有一个 inputSet");
    if (!io) return;
    if (check_children(c, io, EL_outputSet) > 1)
        check_error(c, n, "EXT.043", "调用操作的服务任务最多有一个 outputSet");
    const DocumentNode *in = check_item(c, check_ref_child(c, operation, EL_inMessageRef));
    const DocumentNode *input = document_child(io, EL_dataInput);
    if (in && !check_items_equal(in, check_item(c, input)))
        check_error(c, n, "EXT.044", "dataInput 的数据定义与操作的输入消息不同");
    const DocumentNode *out = check_item(c, check_ref_child(c, operation, EL_outMessageRef));
    const DocumentNode *output = document_child(io, EL_dataOutput);
    if (out && !check_items_equal(out, check_item(c, output)))
        check_error(c, n, "EXT.045", "dataOutput 的数据定义与操作的输出消息不同");
}

static bool all_items_are(const Check *c, const DocumentNode *io, MetaName name,
                          const DocumentNode *item) {
    for (const DocumentNode *e = document_first(io); e; e = document_next(e))
        if (e->name == name && !check_items_equal(item, check_item(c, e))) return false;
    return true;
}

static void send_task(Check *c, const DocumentNode *n, const DocumentNode *message,
                      const DocumentNode *io) {
    if (check_children(c, io, EL_inputSet) > 1)
        check_error(c, n, "EXT.046", "发送消息的任务最多有一个 inputSet");
    if (check_children(c, io, EL_dataInput) > 1)
        check_error(c, n, "EXT.047", "发送消息的任务最多有一个 dataInput");
    const DocumentNode *item = check_item(c, message);
    if (item && !all_items_are(c, io, EL_dataInput, item))
        check_error(c, n, "EXT.048", "dataInput 的数据定义与消息的不同");
}

static void receive_task(Check *c, const DocumentNode *n, const DocumentNode *message,
                         const DocumentNode *io) {
    if (check_children(c, io, EL_outputSet) > 1)
        check_error(c, n, "EXT.050", "接收消息的任务最多有一个 outputSet");
    if (check_children(c, io, EL_dataOutput) > 1)
        check_error(c, n, "EXT.051", "接收消息的任务最多有一个 dataOutput");
    const DocumentNode *item = check_item(c, message);
    if (item && !all_items_are(c, io, EL_dataOutput, item))
        check_error(c, n, "EXT.052", "dataOutput 的数据定义与消息的不同");
}

static void task(Check *c, const DocumentNode *n) {
    const DocumentNode *io = document_child(n, EL_ioSpecification);
    const DocumentNode *message = check_ref_attribute(c, n, S("messageRef"));
    if (n->name == EL_serviceTask) service_task(c, n);
    if (n->name == EL_sendTask && message && io) send_task(c, n, message, io);
    if (n->name == EL_receiveTask) {
        if (message && io) receive_task(c, n, message, io);
        if (document_flag(n, S("instantiate"), false) && check_ins(c, n))
            check_error(c, n, "EXT.049", "启动流程的接收任务不能有流入");
    }
    if (n->name == EL_scriptTask && document_child(n, EL_script) &&
        !document_attribute(n, S("scriptFormat")).len)
        check_error(c, n, "EXT.053", "有脚本就要写明 scriptFormat");
}

// ---- sub-processes ---------------------------------------------------------------------------

static bool is_choreography_activity(const DocumentNode *n) {
    return check_is(n, T_CHOREOGRAPHY_ACTIVITY);
}

static bool holds_choreography(const DocumentNode *n) {
    for (const DocumentNode *e = document_first(n); e; e = document_next(e))
        if (e->space == SPACE_BPMN && is_choreography_activity(e)) return true;
    return false;
}

static void event_subprocess(Check *c, const DocumentNode *n) {
    if (check_ins(c, n) || check_outs(c, n))
        check_error(c, n, "EXT.057", "事件子流程不能有流入或流出");
    if (check_children(c, n, EL_startEvent) != 1)
        check_error(c, n, "EXT.058", "事件子流程要恰好有一个开始事件");
    for (const DocumentNode *e = document_first(n); e; e = document_next(e)) {
        if (e->name != EL_startEvent) continue;
        unsigned allowed = DEF_MESSAGE | DEF_ESCALATION | DEF_CONDITIONAL | DEF_SIGNAL | DEF_TIMER;
        if (document_flag(e, S("isInterrupting"), true)) allowed |= DEF_ERROR | DEF_COMPENSATE;
        const unsigned has = check_definitions(c, e);
        if (!has)
            check_error(c, e, "EXT.059", "事件子流程的开始事件要有触发它的事件定义");
        else if (has & ~allowed)
            check_error(c, e, "EXT.059", "事件子流程的开始事件不能用这种事件定义");
    }
}

static void ad_hoc(Check *c, const DocumentNode *n) {
    bool some = false;
    for (const DocumentNode *e = document_first(n); e; e = document_next(e)) {
        if (e->space != SPACE_BPMN) continue;
        some |= check_is(e, T_ACTIVITY);
        const bool wrong = e->name == EL_startEvent || e->name == EL_endEvent ||
                           check_is(e, T_CONVERSATION_NODE) ||
                           check_is(e, T_CONVERSATION_LINK) || is_choreography_activity(e);
        if (wrong) check_error(c, n, "EXT.062", "特别子流程里不能有 {1}", e->local);
    }
    if (!some) check_error(c, n, "EXT.061", "特别子流程里至少要有一个活动");
}

static void sub_process(Check *c, const DocumentNode *n) {
    if (holds_choreography(n)) check_error(c, n, "EXT.056", "子流程里不能有编排活动");
    if (document_child(n, EL_ioSpecification))
        check_error(c, n, "EXT.079", "子流程不能有 ioSpecification");
    if (check_is_event_subprocess(n)) event_subprocess(c, n);
    if (n->name == EL_adHocSubProcess) ad_hoc(c, n);
}

// ---- call activities -------------------------------------------------------------------------

static bool has_item(const Check *c, const DocumentNode *io, MetaName name,
                     const DocumentNode *item) {
    for (const DocumentNode *e = document_first(io); e && check_spend(c, 1);
         e = document_next(e))
        if (e->name == name) {
            const DocumentNode *other = check_item(c, e);
            if (other == item || check_items_equal(item, other)) return true;
        }
    return false;
}

// Whether two sets refer to data of equal items, in any order.
static bool sets_match(const Check *c, const DocumentNode *l, const DocumentNode *r,
                       MetaName refs) {
    if (check_children(c, l, refs) != check_children(c, r, refs)) return false;
    for (const DocumentNode *e = document_first(l); e; e = document_next(e)) {
        if (e->name != refs) continue;
        const DocumentNode *item = check_item(c, check_ref(c, e, document_text(e, c->arena)));
        bool found = false;
        for (const DocumentNode *o = document_first(r); o && !found && check_spend(c, 1);
             o = document_next(o)) {
            if (o->name != refs) continue;
            const DocumentNode *other = check_item(c, check_ref(c, o, document_text(o, c->arena)));
            found = item == other || check_items_equal(item, other);
        }
        if (!found) return false;
    }
    return true;
}

static bool has_set(const Check *c, const DocumentNode *io, const DocumentNode *set,
                    MetaName refs) {
    for (const DocumentNode *e = document_first(io); e; e = document_next(e))
        if (e->name == set->name && sets_match(c, set, e, refs)) return true;
    return false;
}

static void call_data(Check *c, const DocumentNode *n, const DocumentNode *called) {
    static const MetaName kinds[] = {EL_dataInput, EL_dataOutput, EL_inputSet, EL_outputSet};
    const DocumentNode *mine = document_child(n, EL_ioSpecification);
    const DocumentNode *theirs = document_child(called, EL_ioSpecification);
    if (!mine && !theirs) return;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const size_t here = mine ? check_children(c, mine, kinds[i]) : 0;
        const size_t there = theirs ? check_children(c, theirs, kinds[i]) : 0;
        if (here == there || (i >= 2 && (!mine || !theirs))) continue;
        check_error(c, n, "EXT.063", "调用活动的数据与被调用者 {1} 的对不上：{2} 的个数不同",
                    check_text_id(called), meta_name_text(kinds[i]));
        return;
    }
    if (!mine || !theirs) return;
    for (const DocumentNode *e = document_first(mine); e; e = document_next(e)) {
        const bool data = e->name == EL_dataInput || e->name == EL_dataOutput;
        const MetaName refs = e->name == EL_inputSet ? EL_dataInputRefs : EL_dataOutputRefs;
        const bool set = e->name == EL_inputSet || e->name == EL_outputSet;
        if ((data && !has_item(c, theirs, e->name, check_item(c, e))) ||
            (set && !has_set(c, theirs, e, refs)))
            check_error(c, e, "EXT.063", "被调用者 {1} 没有与这个 {2} 相应的", check_text_id(called),
                        e->local);
    }
}

static bool has_none_start(const Check *c, const DocumentNode *process) {
    for (const DocumentNode *e = document_first(process); e; e = document_next(e))
        if (e->name == EL_startEvent && !check_definitions(c, e) &&
            !document_child(e, EL_eventDefinitionRef))
            return true;
    return false;
}

static void call_activity(Check *c, const DocumentNode *n) {
    const DocumentNode *called = NULL;
    const CheckFile *file = NULL, *here = c->file;
    const Str name = document_attribute(n, S("calledElement"));
    if (!name.len || check_resolve(c, n, name, &called, &file) != CHECK_FOUND) return;
    if (called->name == EL_process && !has_none_start(c, called)) {
        c->file = file;
        check_error(c, called, "EXT.099", "被调用的流程要有一个没有事件定义的开始事件");
        c->file = here;
    }
    if (check_is(called, T_CALLABLE_ELEMENT) && file == here) call_data(c, n, called);
}

// ---- loops -----------------------------------------------------------------------------------

// `one` must be what a collection `many` is made of.
static bool is_scalar_of(const Check *c, const DocumentNode *one, const DocumentNode *many) {
    const DocumentNode *item = check_item(c, one), *items = check_item(c, many);
    if (!item || !items) return true;
    return str_eq(document_attribute(item, S("structureRef")),
                  document_attribute(items, S("structureRef"))) &&
           document_flag(items, S("isCollection"), false) &&
           !document_flag(item, S("isCollection"), false);
}

static void multi_instance(Check *c, const DocumentNode *n) {
    const DocumentNode *activity = n->parent;
    const DocumentNode *in = document_child(n, EL_loopDataInputRef);
    const DocumentNode *input = check_ref_child(c, n, EL_loopDataInputRef);
    if (check_executable(n) && !in && !document_child(n, EL_loopCardinality))
        check_error(c, n, "EXT.067", "多实例要写明 loopCardinality 或 loopDataInputRef");
    if (check_executable(n) && in && check_is(activity, T_TASK)) {
        const DocumentNode *io = document_child(activity, EL_ioSpecification);
        if (!input || input->name != EL_dataInput || !io || input->parent != io)
            check_error(c, n, "EXT.068", "loopDataInputRef 要指向本任务 ioSpecification 的 dataInput");
    }
    const DocumentNode *output = check_ref_child(c, n, EL_loopDataOutputRef);
    const DocumentNode *one_out = document_child(n, EL_outputDataItem);
    const DocumentNode *one_in = document_child(n, EL_inputDataItem);
    if (output && one_out && !is_scalar_of(c, one_out, output))
        check_error(c, n, "EXT.069", "outputDataItem 的类型要是 loopDataOutputRef 的元素类型");
    if (input && one_in && !is_scalar_of(c, one_in, input))
        check_error(c, n, "EXT.070", "inputDataItem 的类型要是 loopDataInputRef 的元素类型");
}

void check_activities(Check *c, const DocumentNode *n) {
    if (n->name == EL_multiInstanceLoopCharacteristics) multi_instance(c, n);
    if (n->name == EL_globalScriptTask && document_child(n, EL_script) &&
        !document_attribute(n, S("scriptLanguage")).len)
        check_error(c, n, "EXT.053", "有脚本就要写明 scriptLanguage");
    if (!check_is(n, T_ACTIVITY)) return;
    quantity(c, n, S("startQuantity"), true);
    quantity(c, n, S("completionQuantity"), false);
    if (check_is(n, T_TASK)) task(c, n);
    if (check_is(n, T_SUB_PROCESS)) sub_process(c, n);
    if (n->name == EL_callActivity) call_activity(c, n);
}
