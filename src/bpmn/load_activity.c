// What makes an activity: loops, scripts, and the data it takes and gives.
#include "bpmn/load.h"

enum { PATH_DEPTH_MAX = 20 }; // of what an assignment is written to

// Loops

static Str name_or_id(Load *l, const xmlNode *e) {
    Str name = xml_attribute(e, S("name"), l->arena);
    return name.len ? name : xml_attribute(e, S("id"), l->arena);
}

// Names may hold what FEEL would read as operators, so a collection is read by name, not parsed
// as an expression, when it is data of the flow.
static Status collection(Load *l, const xmlNode *e, Multi *multi) {
    return model_expression(l, e, model_data_name(l, xml_unprefixed(xml_text(e, l->arena))),
                           &multi->input);
}

static Status behavior_event(Load *l, const xmlNode *e, Str attribute, Event *ret) {
    const Named *named =
        model_named(l, xml_unprefixed(xml_attribute(e, attribute, l->arena)), NAMED_DEFINITION);
    if (!named) return refuse(l, e, "{1}（{2}）：behavior 所指的事件定义不存在");
    return model_event(l, named->element, ret);
}

static bool behavior_fits(EventKind kind) {
    return kind == EVENT_SIGNAL || kind == EVENT_MESSAGE || kind == EVENT_ESCALATION ||
           kind == EVENT_ERROR;
}

static Status complex_read(Load *l, const xmlNode *e, Multi *multi) {
    if (multi->complex_count == FLOW_DEFINITIONS_MAX)
        return model_refuse(l, e, LIMIT, "{1}（{2}）：事件定义太多");
    if (!multi->complex) multi->complex = arena_array(l->arena, Complex, FLOW_DEFINITIONS_MAX);
    Complex *to = &multi->complex[multi->complex_count++];
    const xmlNode *condition = xml_child(e, XML_BPMN, S("condition"));
    const xmlNode *event = xml_child(e, XML_BPMN, S("event"));
    if (!condition) return refuse(l, e, "{1}（{2}）：没有条件");
    Status status = model_expression_element(l, condition, &to->condition);
    const xmlNode *definition = NULL;
    for (const xmlNode *c = event ? xml_first(event) : NULL; c; c = xml_next(c)) {
        if (xml_space(c->ns) != XML_BPMN || str_find(xml_local(c), S("ventDefinition")) < 0)
            continue;
        definition = c;
        if (!str_eq(xml_local(c), S("eventDefinitionRef"))) continue;
        const Named *named =
            model_named(l, xml_unprefixed(xml_text(c, l->arena)), NAMED_DEFINITION);
        definition = named ? named->element : NULL;
    }
    if (status || !definition) return status;
    status = model_event(l, definition, &to->event);
    if (!status && !behavior_fits(to->event.kind))
        return refuse(l, e, "{1}（{2}）：多实例不能抛出这种事件");
    return status;
}

static Status multi_child(Load *l, const xmlNode *e, Multi *multi) {
    Str local = xml_local(e);
    if (str_eq(local, S("loopCardinality")))
        return model_expression_element(l, e, &multi->cardinality);
    if (str_eq(local, S("completionCondition")))
        return model_expression_element(l, e, &multi->until);
    if (str_eq(local, S("loopDataInputRef"))) return collection(l, e, multi);
    if (str_eq(local, S("complexBehaviorDefinition"))) return complex_read(l, e, multi);
    if (str_eq(local, S("loopDataOutputRef")))
        multi->results = model_data_name(l, xml_unprefixed(xml_text(e, l->arena)));
    else if (str_eq(local, S("inputDataItem"))) multi->item = name_or_id(l, e);
    else if (str_eq(local, S("outputDataItem"))) multi->result = name_or_id(l, e);
    else if (!model_means_nothing(local))
        return refuse(l, e, "{1}（{2}）：多实例中不支持这个元素");
    return OK;
}

static Status behavior_read(Load *l, const xmlNode *e, Multi *multi) {
    Str behavior = xml_attribute(e, S("behavior"), l->arena);
    Status status = OK;
    if (str_eq(behavior, S("None"))) {
        multi->behavior = BEHAVIOR_NONE;
        status = behavior_event(l, e, S("noneBehaviorEventRef"), &multi->event);
    } else if (str_eq(behavior, S("One"))) {
        multi->behavior = BEHAVIOR_ONE;
        status = behavior_event(l, e, S("oneBehaviorEventRef"), &multi->event);
    } else if (str_eq(behavior, S("Complex"))) {
        multi->behavior = BEHAVIOR_COMPLEX;
    } else if (behavior.len && !str_eq(behavior, S("All"))) {
        return refuse(l, e, "{1}（{2}）：behavior 只能是 None、One、All 或 Complex");
    }
    if (!status && multi->event.kind && !behavior_fits(multi->event.kind))
        return refuse(l, e, "{1}（{2}）：多实例不能抛出这种事件");
    return status;
}

// yz:items, yz:item, yz:result, yz:results are short forms.
static Status multi_short(Load *l, const xmlNode *e, Multi *multi) {
    Str items = model_yz(l, e, S("items"));
    if (items.len) {
        Status status = model_expression(l, e, items, &multi->input);
        if (status) return status;
    }
    const struct {
        Str name, *to;
    } names[] = {
        {S("item"), &multi->item}, {S("result"), &multi->result}, {S("results"), &multi->results}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        Str given = model_yz(l, e, names[i].name);
        if (given.len) *names[i].to = given;
    }
    return OK;
}

Status model_multi(Load *l, const xmlNode *e, Node *n) {
    if (n->multi) return refuse(l, e, "{1}（{2}）：只能有一个循环");
    Multi *multi = arena_new(l->arena, Multi);
    n->multi = multi;
    multi->sequential = xml_flag(e, S("isSequential"), false, l->arena);
    Status status = behavior_read(l, e, multi);
    for (const xmlNode *c = xml_first(e); c && !status; c = xml_next(c))
        if (xml_space(c->ns) == XML_BPMN) status = multi_child(l, c, multi);
    if (!status) status = multi_short(l, e, multi);
    if (status) return status;
    if (!multi->cardinality == !multi->input)
        return refuse(l, e, "{1}（{2}）：多实例要么给出个数，要么给出列表");
    if (!multi->result.len != !multi->results.len)
        return refuse(l, e, "{1}（{2}）：结果变量和结果列表要一起给出");
    return OK;
}

Status model_loop(Load *l, const xmlNode *e, Node *n) {
    if (n->multi) return refuse(l, e, "{1}（{2}）：只能有一个循环");
    Multi *multi = arena_new(l->arena, Multi);
    n->multi = multi;
    multi->standard = multi->sequential = true;
    multi->test_before = xml_flag(e, S("testBefore"), false, l->arena);
    Status status =
        model_number(l, e, S("loopMaximum"), 0, FLOW_STEPS_MAX, -1, &multi->maximum);
    const xmlNode *condition = xml_child(e, XML_BPMN, S("loopCondition"));
    if (!status && condition) status = model_expression_element(l, condition, &multi->condition);
    if (!status && !condition && multi->maximum < 0)
        return refuse(l, e, "{1}（{2}）：循环既没有条件，也没有次数");
    return status;
}

// Scripts

Status model_script(Load *l, const xmlNode *e, Node *n) {
    if (n->kind != NODE_SCRIPT) return refuse(l, e, "{1}（{2}）：只有脚本任务才有脚本");
    Str format = xml_attribute(e->parent, S("scriptFormat"), l->arena);
    if (!format.len) format = xml_attribute(e->parent, S("scriptLanguage"), l->arena);
    Str text = xml_text(e, l->arena);
    if (format.len && str_find(format, S("FEEL")) < 0 && str_find(format, S("feel")) < 0) {
        n->script_text = text;
        n->script_format = format;
        n->outside = true;
        return OK;
    }
    return model_expression(l, e, text, &n->script);
}

// Data

static Status assignment(Load *l, const xmlNode *e, Str target, Assign *ret) {
    const xmlNode *from = xml_child(e, XML_BPMN, S("from"));
    const xmlNode *to = xml_child(e, XML_BPMN, S("to"));
    if (!from || !to) return refuse(l, e, "{1}（{2}）：赋值要有 from 和 to");
    Str path = xml_text(to, l->arena);
    if (str_starts(path, S("="))) path = str_trim(str_sub(path, 1, path.len));
    // "target" is the target itself, "target.a.b" a member of it, another name that name.
    if (str_eq(path, target)) path = S("");
    size_t depth = 0;
    for (size_t i = 0; i < path.len; i++) depth += path.ptr[i] == '.';
    if (depth > PATH_DEPTH_MAX) return model_refuse(l, to, LIMIT, "{1}（{2}）：路径太深");
    ret->to = path;
    return model_expression_element(l, from, &ret->from);
}

static Status association(Load *l, const xmlNode *e, DataLink *ret) {
    const xmlNode *source = xml_child(e, XML_BPMN, S("sourceRef"));
    const xmlNode *target = xml_child(e, XML_BPMN, S("targetRef"));
    if (source) ret->source = model_data_name(l, xml_unprefixed(xml_text(source, l->arena)));
    if (target) ret->target = model_data_name(l, xml_unprefixed(xml_text(target, l->arena)));
    uint32_t count = 0;
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c))
        count += xml_is(c, XML_BPMN, S("assignment"));
    if (count > FLOW_LINKS_MAX) return model_refuse(l, e, LIMIT, "{1}（{2}）：赋值太多");
    ret->assigns = arena_array(l->arena, Assign, count);
    Status status = OK;
    for (const xmlNode *c = xml_first(e); c && !status; c = xml_next(c)) {
        if (xml_is(c, XML_BPMN, S("transformation")))
            status = model_expression_element(l, c, &ret->transformation);
        else if (xml_is(c, XML_BPMN, S("assignment")))
            status = assignment(l, c, ret->target, &ret->assigns[ret->assigns_count++]);
    }
    if (!status && !ret->source.len && !ret->transformation && !count)
        return refuse(l, e, "{1}（{2}）：数据关联没有来源");
    if (!status && !ret->target.len) return refuse(l, e, "{1}（{2}）：数据关联没有去处");
    return status;
}

static Status data_read(Load *l, const xmlNode *e, Str local, DataLink **ret, uint32_t *ret_count) {
    uint32_t count = 0;
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c)) count += xml_is(c, XML_BPMN, local);
    if (count > FLOW_LINKS_MAX) return model_refuse(l, e, LIMIT, "{1}（{2}）：数据关联太多");
    if (!count) return OK;
    *ret = arena_array(l->arena, DataLink, count);
    Status status = OK;
    for (const xmlNode *c = xml_first(e); c && !status; c = xml_next(c))
        if (xml_is(c, XML_BPMN, local)) status = association(l, c, &(*ret)[(*ret_count)++]);
    return status;
}

Status model_data(Load *l, const xmlNode *e, Node *n) {
    Status status = data_read(l, e, S("dataInputAssociation"), &n->inputs, &n->inputs_count);
    if (!status)
        status = data_read(l, e, S("dataOutputAssociation"), &n->outputs, &n->outputs_count);
    return status;
}
