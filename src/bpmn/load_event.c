// Event definitions: what an event throws or waits for. Where the standard allows which is decided
// here too (BPMN 2.0.2, tables 10.84 to 10.90).
#include "bpmn/load.h"

// Timers

static Status timer_text(Load *l, const xmlNode *t, Event *ret) {
    static const struct {
        Str name;
        TimerKind kind;
    } kinds[] = {{S_INIT("timeDuration"), TIMER_DURATION},
                 {S_INIT("timeDate"), TIMER_DATE},
                 {S_INIT("timeCycle"), TIMER_CYCLE}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (str_eq(xml_local(t), kinds[i].name)) ret->timer_kind = kinds[i].kind;
    Str source = xml_text(t, l->arena);
    Str language = xml_attribute(t, S("language"), l->arena);
    bool feel = str_find(language, S("FEEL")) >= 0 || str_find(language, S("feel")) >= 0;
    if (str_starts(source, S("=")) || (feel && !timer_parse(source, l->arena, &ret->timer)))
        return model_expression_element(l, t, &ret->expr);
    if (!timer_parse(source, l->arena, &ret->timer) || ret->timer.kind != ret->timer_kind)
        return refuse(l, t, "{1}（{2}）：时间不是 ISO 8601 的写法");
    return OK;
}

// A duration in working days of the driver's calendar: yz:workingDays="5", or FEEL after '='.
static Status timer_days(Load *l, const xmlNode *e, Str days, Event *ret) {
    ret->timer_kind = TIMER_WORKING_DAYS;
    if (str_starts(days, S("="))) return model_expression(l, e, days, &ret->expr);
    int64_t n;
    if (!str_to_int(days, &n) || n < 0 || n > 3650)
        return refuse(l, e, "{1}（{2}）：yz:workingDays 应是天数");
    ret->timer = (Timer){.kind = TIMER_WORKING_DAYS, .value = v_int(n), .repeats = 1};
    return OK;
}

static Status timer(Load *l, const xmlNode *e, Event *ret) {
    static const Str kinds[] = {S_INIT("timeDuration"), S_INIT("timeDate"), S_INIT("timeCycle")};
    Str days = model_yz(l, e, S("workingDays"));
    const xmlNode *t = NULL;
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c)) {
        if (xml_space(c->ns) != XML_BPMN) continue;
        if (model_means_nothing(xml_local(c))) continue;
        if (!IS_ONE_OF(xml_local(c), kinds) || t || days.len)
            return refuse(l, c,
                          "{1}（{2}）：计时事件只能有一个 timeDuration、timeDate、timeCycle "
                          "或 yz:workingDays");
        t = c;
    }
    if (days.len) return timer_days(l, e, days, ret);
    if (!t) return refuse(l, e, "{1}（{2}）：计时事件没有时间");
    return timer_text(l, t, ret);
}

// Messages, signals, errors, escalations

Str model_message(Load *l, const xmlNode *e) {
    Str ref = xml_unprefixed(xml_attribute(e, S("messageRef"), l->arena));
    Str operation = xml_unprefixed(xml_attribute(e, S("operationRef"), l->arena));
    const xmlNode *child = xml_child(e, XML_BPMN, S("operationRef"));
    if (child && !operation.len) operation = xml_unprefixed(xml_text(child, l->arena));
    const Named *op = model_named(l, operation, NAMED_OPERATION);
    if (!ref.len && op) ref = op->name;
    const Named *named = model_named(l, ref, NAMED_MESSAGE);
    return named ? named->name : S("");
}

static Status message(Load *l, const xmlNode *e, Event *ret) {
    ret->name = model_message(l, e);
    if (ret->name.len) return OK;
    return refuse(l, e, "{1}（{2}）：没有指明消息或信号，或者它没有声明");
}

static Status signal(Load *l, const xmlNode *e, Event *ret) {
    Str ref = xml_unprefixed(xml_attribute(e, S("signalRef"), l->arena));
    const Named *named = model_named(l, ref, NAMED_SIGNAL);
    if (!named) return refuse(l, e, "{1}（{2}）：没有指明消息或信号，或者它没有声明");
    ret->name = named->name;
    return OK;
}

// Without a reference an event that catches takes every code, one that throws has none.
static Status coded(Load *l, const xmlNode *e, Str attribute, NamedKind kind, Event *ret) {
    Str ref = xml_unprefixed(xml_attribute(e, attribute, l->arena));
    ret->any = !ref.len;
    if (!ref.len) return OK;
    const Named *named = model_named(l, ref, kind);
    if (!named) return refuse(l, e, "{1}（{2}）：所指的错误或升级没有声明");
    ret->name = named->name;
    ret->any = !named->name.len;
    return OK;
}

static Status conditional(Load *l, const xmlNode *e, Event *ret) {
    const xmlNode *condition = xml_child(e, XML_BPMN, S("condition"));
    if (!condition) return refuse(l, e, "{1}（{2}）：条件事件没有条件");
    return model_expression_element(l, condition, &ret->expr);
}

static Status compensation(Load *l, const xmlNode *e, Event *ret) {
    ret->detached = !xml_flag(e, S("waitForCompletion"), true, l->arena);
    ret->name = xml_unprefixed(xml_attribute(e, S("activityRef"), l->arena)); // see lint.c
    return OK;
}

// A link without a name is known by the ids that it and its other end refer to.
static Status link_event(Load *l, const xmlNode *e, Event *ret) {
    ret->name = xml_attribute(e, S("name"), l->arena);
    const xmlNode *target = xml_child(e, XML_BPMN, S("target"));
    if (!ret->name.len && target) ret->name = xml_unprefixed(xml_text(target, l->arena));
    if (!ret->name.len) ret->name = ret->id;
    return OK;
}

Status model_event(Load *l, const xmlNode *e, Event *ret) {
    static const struct {
        Str name;
        EventKind kind;
    } kinds[] = {
        {S_INIT("timerEventDefinition"), EVENT_TIMER},
        {S_INIT("messageEventDefinition"), EVENT_MESSAGE},
        {S_INIT("signalEventDefinition"), EVENT_SIGNAL},
        {S_INIT("conditionalEventDefinition"), EVENT_CONDITIONAL},
        {S_INIT("errorEventDefinition"), EVENT_ERROR},
        {S_INIT("escalationEventDefinition"), EVENT_ESCALATION},
        {S_INIT("compensateEventDefinition"), EVENT_COMPENSATION},
        {S_INIT("cancelEventDefinition"), EVENT_CANCEL},
        {S_INIT("terminateEventDefinition"), EVENT_TERMINATE},
        {S_INIT("linkEventDefinition"), EVENT_LINK},
    };
    *ret = (Event){.id = xml_attribute(e, S("id"), l->arena), .activity = NONE};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (str_eq(xml_local(e), kinds[i].name)) ret->kind = kinds[i].kind;
    switch (ret->kind) {
    case EVENT_TIMER: return timer(l, e, ret);
    case EVENT_MESSAGE: return message(l, e, ret);
    case EVENT_SIGNAL: return signal(l, e, ret);
    case EVENT_CONDITIONAL: return conditional(l, e, ret);
    case EVENT_ERROR: return coded(l, e, S("errorRef"), NAMED_ERROR, ret);
    case EVENT_ESCALATION: return coded(l, e, S("escalationRef"), NAMED_ESCALATION, ret);
    case EVENT_COMPENSATION: return compensation(l, e, ret);
    case EVENT_LINK: return link_event(l, e, ret);
    case EVENT_CANCEL:
    case EVENT_TERMINATE: return OK;
    default: return refuse(l, e, "{1}（{2}）：这里不支持这种事件");
    }
}

// Which events a start, an end, … may have.
static bool allowed(const Load *l, const Node *n, EventKind kind) {
    bool inside = n->parent != NONE && l->flow->nodes[n->parent].by_event;
    switch (n->kind) {
    case NODE_START:
        if (kind == EVENT_ERROR || kind == EVENT_ESCALATION || kind == EVENT_COMPENSATION)
            return inside;
        return event_is_armed(kind);
    case NODE_CATCH: return event_is_armed(kind) || kind == EVENT_LINK;
    case NODE_BOUNDARY: return kind != EVENT_TERMINATE && kind != EVENT_LINK;
    case NODE_THROW:
        return kind == EVENT_MESSAGE || kind == EVENT_SIGNAL || kind == EVENT_ESCALATION ||
               kind == EVENT_COMPENSATION || kind == EVENT_LINK;
    case NODE_END:
        return !(kind == EVENT_TIMER || kind == EVENT_CONDITIONAL || kind == EVENT_LINK);
    default: return false;
    }
}

static const xmlNode *definition_of(const Load *l, const xmlNode *c, Str *ret_why) {
    Str local = xml_local(c);
    if (xml_space(c->ns) != XML_BPMN) return NULL;
    if (str_ends(local, S("EventDefinition"))) return c;
    if (!str_eq(local, S("eventDefinitionRef"))) return NULL;
    const Named *named = model_named(l, xml_unprefixed(xml_text(c, l->arena)), NAMED_DEFINITION);
    if (!named) *ret_why = xml_text(c, l->arena);
    return named ? named->element : NULL;
}

Status model_events(Load *l, const xmlNode *e, Node *n) {
    n->events = arena_array(l->arena, Event, FLOW_DEFINITIONS_MAX);
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c)) {
        Str missing = S("");
        const xmlNode *definition = definition_of(l, c, &missing);
        if (missing.len) return refuse(l, c, "{1}（{2}）：所指的事件定义不存在");
        if (!definition) continue;
        if (n->events_count == FLOW_DEFINITIONS_MAX)
            return model_refuse(l, e, LIMIT, "{1}（{2}）：事件定义太多");
        Event *to = &n->events[n->events_count++];
        Status status = model_event(l, definition, to);
        if (status) return status;
        if (!allowed(l, n, to->kind)) return refuse(l, c, "{1}（{2}）：这里不支持这种事件");
    }
    if (n->events_count == 1) n->event = n->events[0].kind;
    if (n->events_count > 1) n->event = EVENT_MULTIPLE;
    for (uint32_t i = 0; i < n->events_count && n->events_count > 1; i++)
        if (n->events[i].kind == EVENT_LINK || n->events[i].kind == EVENT_TERMINATE ||
            n->events[i].kind == EVENT_CANCEL)
            return refuse(l, e, "{1}（{2}）：链接、终止、取消不能与别的事件定义并用");
    return OK;
}
