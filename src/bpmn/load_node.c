// A node: its attributes and its children. What is in it and neither run nor known to mean nothing
// is refused.
#include "bpmn/load.h"

NodeKind model_kind(Str local) {
    static const struct {
        Str name;
        NodeKind kind;
    } kinds[] = {
        {S_INIT("startEvent"), NODE_START},
        {S_INIT("endEvent"), NODE_END},
        {S_INIT("intermediateThrowEvent"), NODE_THROW},
        {S_INIT("intermediateCatchEvent"), NODE_CATCH},
        {S_INIT("boundaryEvent"), NODE_BOUNDARY},
        {S_INIT("task"), NODE_TASK},
        {S_INIT("userTask"), NODE_USER},
        {S_INIT("manualTask"), NODE_MANUAL},
        {S_INIT("serviceTask"), NODE_SERVICE},
        {S_INIT("sendTask"), NODE_SEND},
        {S_INIT("businessRuleTask"), NODE_RULE},
        {S_INIT("receiveTask"), NODE_RECEIVE},
        {S_INIT("scriptTask"), NODE_SCRIPT},
        {S_INIT("callActivity"), NODE_CALL},
        {S_INIT("subProcess"), NODE_SUBPROCESS},
        {S_INIT("transaction"), NODE_SUBPROCESS},
        {S_INIT("adHocSubProcess"), NODE_SUBPROCESS},
        {S_INIT("exclusiveGateway"), NODE_EXCLUSIVE},
        {S_INIT("parallelGateway"), NODE_PARALLEL},
        {S_INIT("inclusiveGateway"), NODE_INCLUSIVE},
        {S_INIT("complexGateway"), NODE_COMPLEX},
        {S_INIT("eventBasedGateway"), NODE_EVENT_GATE},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (str_eq(local, kinds[i].name)) return kinds[i].kind;
    return NODE_KINDS;
}

Str node_element(const Node *n) {
    static const Str names[NODE_KINDS] = {
        [NODE_PROCESS] = S_INIT("process"),
        [NODE_START] = S_INIT("startEvent"),
        [NODE_END] = S_INIT("endEvent"),
        [NODE_THROW] = S_INIT("intermediateThrowEvent"),
        [NODE_CATCH] = S_INIT("intermediateCatchEvent"),
        [NODE_BOUNDARY] = S_INIT("boundaryEvent"),
        [NODE_TASK] = S_INIT("task"),
        [NODE_USER] = S_INIT("userTask"),
        [NODE_MANUAL] = S_INIT("manualTask"),
        [NODE_SERVICE] = S_INIT("serviceTask"),
        [NODE_SEND] = S_INIT("sendTask"),
        [NODE_RULE] = S_INIT("businessRuleTask"),
        [NODE_RECEIVE] = S_INIT("receiveTask"),
        [NODE_SCRIPT] = S_INIT("scriptTask"),
        [NODE_CALL] = S_INIT("callActivity"),
        [NODE_SUBPROCESS] = S_INIT("subProcess"),
        [NODE_EXCLUSIVE] = S_INIT("exclusiveGateway"),
        [NODE_PARALLEL] = S_INIT("parallelGateway"),
        [NODE_INCLUSIVE] = S_INIT("inclusiveGateway"),
        [NODE_COMPLEX] = S_INIT("complexGateway"),
        [NODE_EVENT_GATE] = S_INIT("eventBasedGateway"),
    };
    if (n->called) return names[NODE_CALL];
    if (n->transaction) return S("transaction");
    return n->adhoc ? S("adHocSubProcess") : names[n->kind];
}

Str event_name(EventKind e) {
    static const Str names[EVENT_KINDS] = {
        [EVENT_NONE] = S_INIT(""),
        [EVENT_TERMINATE] = S_INIT("terminate"),
        [EVENT_TIMER] = S_INIT("timer"),
        [EVENT_MESSAGE] = S_INIT("message"),
        [EVENT_SIGNAL] = S_INIT("signal"),
        [EVENT_CONDITIONAL] = S_INIT("conditional"),
        [EVENT_ERROR] = S_INIT("error"),
        [EVENT_ESCALATION] = S_INIT("escalation"),
        [EVENT_COMPENSATION] = S_INIT("compensation"),
        [EVENT_CANCEL] = S_INIT("cancel"),
        [EVENT_LINK] = S_INIT("link"),
        [EVENT_MULTIPLE] = S_INIT("multiple"),
    };
    return names[e];
}

bool model_means_nothing(Str local) {
    static const Str names[] = {
        S_INIT("documentation"), S_INIT("extensionElements"), S_INIT("incoming"),
        S_INIT("outgoing"),      S_INIT("auditing"),          S_INIT("monitoring"),
        S_INIT("rendering"),     S_INIT("categoryValueRef"),  S_INIT("ioSpecification"),
        S_INIT("property"),      S_INIT("dataInput"),         S_INIT("dataOutput"),
        S_INIT("inputSet"),      S_INIT("outputSet"),         S_INIT("ioBinding"),
        S_INIT("supportedInterfaceRef"),
    };
    return IS_ONE_OF(local, names);
}

// Read with the node itself, not one by one.
static bool read_elsewhere(Str local) {
    static const Str names[] = {
        S_INIT("dataInputAssociation"),
        S_INIT("dataOutputAssociation"),
        S_INIT("completionCondition"),
        S_INIT("activationCondition"),
        S_INIT("eventDefinitionRef"),
    };
    return IS_ONE_OF(local, names) || str_ends(local, S("EventDefinition"));
}

static bool node_is_event(const Node *n) {
    return n->kind >= NODE_START && n->kind <= NODE_BOUNDARY;
}

static Status node_child(Load *l, const xmlNode *e, Node *n) {
    Str local = xml_local(e);
    if (model_means_nothing(local)) return OK;
    if (str_eq(local, S("script"))) return model_script(l, e, n);
    if (str_eq(local, S("multiInstanceLoopCharacteristics")) && node_is_activity(n))
        return model_multi(l, e, n);
    if (str_eq(local, S("standardLoopCharacteristics")) && node_is_activity(n))
        return model_loop(l, e, n);
    if (str_ends(local, S("otentialOwner")) || str_ends(local, S("erformer")) ||
        str_eq(local, S("resourceRole")))
        return refuse(l, e, "{1}（{2}）：由谁办理请用 yz:post 和 yz:unit 写明");
    if (str_ends(local, S("ssociation")) && (node_is_activity(n) || node_is_event(n))) return OK;
    if (str_eq(local, S("activationCondition")) && n->kind == NODE_COMPLEX)
        return model_expression_element(l, e, &n->condition);
    if (str_eq(local, S("completionCondition")) && n->adhoc)
        return model_expression_element(l, e, &n->condition);
    if (read_elsewhere(local) && node_is_event(n)) return OK;
    return refuse(l, e, "{1}（{2}）：不支持这个元素");
}

// Attributes

Status model_attributes(Load *l, const xmlNode *e, Node *n) {
    uint32_t count = 0;
    for (const xmlAttr *at = e->properties; at; at = at->next) count += xml_space(at->ns) == XML_YZ;
    if (count > FLOW_ATTRIBUTES_MAX)
        return model_refuse(l, e, LIMIT, "{1}（{2}）：yz 属性太多");
    n->attributes = arena_array(l->arena, Attribute, count);
    ContextBuilder b = context_make(l->arena);
    bool fixed = true;
    for (const xmlAttr *at = e->properties; at; at = at->next) {
        if (xml_space(at->ns) != XML_YZ) continue;
        Attribute *to = &n->attributes[n->attributes_count++];
        to->name = arena_str(l->arena, str_z((const char *)at->name));
        to->text = xml_attribute_value(at, l->arena);
        context_put(&b, to->name, v_str(to->text));
        if (str_starts(to->text, S("="))) {
            Status status = model_expression(l, e, to->text, &to->expr);
            if (status) return status;
            fixed = false;
        }
    }
    if (fixed) n->fixed = context_done(&b);
    n->result = model_yz(l, e, S("result"));
    n->name_en = model_yz(l, e, S("name_en"));
    return OK;
}

Status model_id(Load *l, const xmlNode *e, Str *ret_id, Str *ret_name) {
    *ret_id = xml_attribute(e, S("id"), l->arena);
    *ret_name = xml_attribute(e, S("name"), l->arena);
    if (!ret_id->len) return refuse(l, e, "{1}：没有 id");
    if (ret_id->len > FLOW_ID_MAX || ret_name->len > FLOW_NAME_MAX)
        return model_refuse(l, e, LIMIT, "{1}（{2}）：id 或名称太长");
    return OK;
}

static Status sub_process_read(Load *l, const xmlNode *e, Node *n) {
    Str local = xml_local(e);
    n->by_event = xml_flag(e, S("triggeredByEvent"), false, l->arena);
    n->transaction = str_eq(local, S("transaction"));
    n->adhoc = str_eq(local, S("adHocSubProcess"));
    n->ordered = str_eq(xml_attribute(e, S("ordering"), l->arena), S("Sequential"));
    n->keep_remaining = !xml_flag(e, S("cancelRemainingInstances"), true, l->arena);
    Str activation = model_yz(l, e, S("activation"));
    n->by_hand = str_eq(activation, S("manual"));
    if (activation.len && !(n->adhoc && n->by_hand))
        return refuse(l, e, "{1}（{2}）：yz:activation 只能是即席子流程的 manual");
    if (n->by_event && (n->transaction || n->adhoc))
        return refuse(l, e, "{1}（{2}）：事件子流程不能是事务或即席子流程");
    return OK;
}

static Status kind_read(Load *l, const xmlNode *e, Node *n, NodeRefs *refs) {
    switch (n->kind) {
    case NODE_BOUNDARY:
        refs->host = xml_unprefixed(xml_attribute(e, S("attachedToRef"), l->arena));
        n->interrupting = xml_flag(e, S("cancelActivity"), true, l->arena);
        break;
    case NODE_START: n->interrupting = xml_flag(e, S("isInterrupting"), true, l->arena); break;
    case NODE_CALL:
        refs->call = xml_unprefixed(xml_attribute(e, S("calledElement"), l->arena));
        n->called = true;
        break;
    case NODE_SUBPROCESS: return sub_process_read(l, e, n);
    case NODE_EVENT_GATE:
        n->instantiate = xml_flag(e, S("instantiate"), false, l->arena);
        n->parallel = str_eq(xml_attribute(e, S("eventGatewayType"), l->arena), S("Parallel"));
        if (n->parallel && !n->instantiate)
            return refuse(l, e, "{1}（{2}）：并行的事件网关只能用来启动流程");
        break;
    case NODE_RECEIVE: n->instantiate = xml_flag(e, S("instantiate"), false, l->arena); break;
    default: break;
    }
    if (node_is_event(n)) n->parallel = xml_flag(e, S("parallelMultiple"), false, l->arena);
    return OK;
}

static Status quantities_read(Load *l, const xmlNode *e, Node *n) {
    int64_t start = 1, completion = 1;
    Status status = model_number(l, e, S("startQuantity"), 1, FLOW_QUANTITY_MAX, 1, &start);
    if (!status)
        status = model_number(l, e, S("completionQuantity"), 1, FLOW_QUANTITY_MAX, 1, &completion);
    n->start_quantity = (uint32_t)start;
    n->completion_quantity = (uint32_t)completion;
    n->for_compensation = xml_flag(e, S("isForCompensation"), false, l->arena);
    return status;
}

// Messages that tasks send and receive, and who finishes a task.
static Status task_read(Load *l, const xmlNode *e, Node *n) {
    bool service = model_yz(l, e, S("service")).len > 0;
    if (n->kind == NODE_RECEIVE || (n->kind == NODE_SEND && !service)) {
        Str name = model_message(l, e);
        if (!name.len && n->kind == NODE_RECEIVE)
            return refuse(l, e, "{1}（{2}）：没有指明消息或信号，或者它没有声明");
        if (name.len) {
            n->events = arena_new(l->arena, Event);
            *n->events = (Event){.kind = EVENT_MESSAGE, .name = name, .activity = NONE};
            n->events_count = 1;
            n->event = EVENT_MESSAGE;
        }
    }
    if (n->kind == NODE_USER || n->kind == NODE_MANUAL || n->kind == NODE_SERVICE ||
        n->kind == NODE_RULE || (n->kind == NODE_SEND && !n->events_count))
        n->outside = true;
    return OK;
}

Status model_locals(Load *l, const xmlNode *e, Node *n) {
    uint32_t count = 0;
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c))
        count += xml_is(c, XML_BPMN, S("dataObject")) || xml_is(c, XML_BPMN, S("property"));
    if (count > FLOW_LINKS_MAX)
        return model_refuse(l, e, LIMIT, "{1}（{2}）：数据对象太多");
    n->locals = arena_array(l->arena, Str, count);
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c))
        if (xml_is(c, XML_BPMN, S("dataObject")) || xml_is(c, XML_BPMN, S("property")))
            n->locals[n->locals_count++] =
                model_data_name(l, xml_attribute(c, S("id"), l->arena));
    return OK;
}

static bool is_part(Str local) {
    static const Str names[] = {
        S_INIT("sequenceFlow"),       S_INIT("laneSet"),    S_INIT("textAnnotation"),
        S_INIT("association"),        S_INIT("group"),      S_INIT("dataObject"),
        S_INIT("dataObjectReference"), S_INIT("dataStoreReference"),
    };
    return model_kind(local) != NODE_KINDS || IS_ONE_OF(local, names);
}

Status model_node(Load *l, const xmlNode *e, Node *n, NodeRefs *refs) {
    Status status = model_id(l, e, &n->id, &n->name);
    if (!status) status = model_attributes(l, e, n);
    if (!status) status = kind_read(l, e, n, refs);
    if (!status) status = quantities_read(l, e, n);
    if (!status && node_is_event(n)) status = model_events(l, e, n);
    if (!status && node_is_task(n)) status = task_read(l, e, n);
    if (!status && !l->drawing) status = model_data(l, e, n);
    if (!status && n->kind == NODE_SUBPROCESS) status = model_locals(l, e, n);
    refs->fallback = xml_attribute(e, S("default"), l->arena);
    for (const xmlNode *c = xml_first(e); c && !status; c = xml_next(c))
        if (xml_space(c->ns) == XML_BPMN &&
            !(n->kind == NODE_SUBPROCESS && is_part(xml_local(c))))
            status = node_child(l, c, n);
    return status;
}

Status model_global(Load *l, const Named *global, Node *n) {
    static const struct {
        Str name;
        NodeKind kind;
    } kinds[] = {
        {S_INIT("globalTask"), NODE_TASK},
        {S_INIT("globalUserTask"), NODE_USER},
        {S_INIT("globalManualTask"), NODE_MANUAL},
        {S_INIT("globalScriptTask"), NODE_SCRIPT},
        {S_INIT("globalBusinessRuleTask"), NODE_RULE},
    };
    const xmlNode *e = global->element;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (str_eq(xml_local(e), kinds[i].name)) n->kind = kinds[i].kind;
    n->outside = n->kind == NODE_USER || n->kind == NODE_MANUAL || n->kind == NODE_RULE;
    const xmlNode *script = xml_child(e, XML_BPMN, S("script"));
    Status status = script ? model_script(l, script, n) : OK;
    if (!status && !n->attributes_count) status = model_attributes(l, e, n);
    if (!n->name.len) n->name = global->name;
    return status;
}
