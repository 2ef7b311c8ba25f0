// Rules of data (BPMN 2.0.2, chapter 10.4): items and collections, input and output sets, data
// associations, the data of events, services behind callable elements.
#include "bpmn/check_rules.h"

static void collection(Check *c, const DocumentNode *n) {
    const DocumentNode *item = check_ref_attribute(c, n, S("itemSubjectRef"));
    if (item && item->name == EL_itemDefinition &&
        document_flag(n, S("isCollection"), false) !=
            document_flag(item, S("isCollection"), false))
        check_error(c, n, "EXT.020", "isCollection 与数据定义 {1} 的不一致", check_text_id(item));
}

// "Name of the object [its state]"; a convention, so only a warning.
static void reference_name(Check *c, const DocumentNode *n) {
    const DocumentNode *state = document_child(n, EL_dataState);
    const DocumentNode *object = check_id(c->file, document_attribute(n, S("dataObjectRef")));
    if (!state || !object) return;
    const Str wanted = arena_printf(c->arena, "%.*s [%.*s]",
                                    S_FMT(document_attribute(object, S("name"))),
                                    S_FMT(document_attribute(state, S("name"))));
    if (!str_eq(document_attribute(n, S("name")), wanted))
        check_warning(c, n, "EXT.076", "按惯例，名称写成“数据对象名 [状态]”：{1}", wanted);
}

// ---- sets ------------------------------------------------------------------------------------

typedef struct SetNames {
    MetaName data, set, refs, optional, executing, other_sets, other_refs;
} SetNames;
static const SetNames inputs = {EL_dataInput, EL_inputSet, EL_dataInputRefs,
                                EL_optionalInputRefs, EL_whileExecutingInputRefs,
                                EL_outputSetRefs, EL_inputSetRefs};
static const SetNames outputs = {EL_dataOutput, EL_outputSet, EL_dataOutputRefs,
                                 EL_optionalOutputRefs, EL_whileExecutingOutputRefs,
                                 EL_inputSetRefs, EL_outputSetRefs};

static bool in_some_set(const Check *c, const DocumentNode *data, const SetNames *names) {
    const Str id = document_attribute(data, S("id"));
    for (const DocumentNode *e = document_first(data->parent); e; e = document_next(e))
        if (e->name == names->set &&
            (check_lists(c, e, names->refs, id) || check_lists(c, e, names->optional, id) ||
             check_lists(c, e, names->executing, id)))
            return true;
    return false;
}

static void data_in_sets(Check *c, const DocumentNode *n) {
    const bool input = n->name == EL_dataInput;
    if (in_some_set(c, n, input ? &inputs : &outputs)) return;
    if (input) check_error(c, n, "EXT.084", "dataInput 要列在某个 inputSet 里");
    else check_error(c, n, "EXT.088", "dataOutput 要列在某个 outputSet 里");
}

static void listed_too(Check *c, const DocumentNode *set, const SetNames *names, MetaName refs) {
    for (const DocumentNode *e = document_first(set); e; e = document_next(e)) {
        if (e->name != refs) continue;
        const Str id = document_text(e, c->arena);
        if (check_lists(c, set, names->refs, id)) continue;
        if (refs == EL_optionalInputRefs)
            check_error(c, set, "EXT.085", "可选的输入 {1} 也要列为 dataInputRefs", id);
        else if (refs == EL_whileExecutingInputRefs)
            check_error(c, set, "EXT.086", "执行中的输入 {1} 也要列为 dataInputRefs", id);
        else if (refs == EL_optionalOutputRefs)
            check_error(c, set, "EXT.089", "可选的输出 {1} 也要列为 dataOutputRefs", id);
        else check_error(c, set, "EXT.090", "执行中的输出 {1} 也要列为 dataOutputRefs", id);
    }
}

static void set_rules(Check *c, const DocumentNode *set) {
    const SetNames *names = set->name == EL_inputSet ? &inputs : &outputs;
    listed_too(c, set, names, names->optional);
    listed_too(c, set, names, names->executing);
    const Str id = document_attribute(set, S("id"));
    for (const DocumentNode *e = document_first(set); e; e = document_next(e)) {
        if (e->name != names->other_sets) continue;
        const DocumentNode *other = check_id(c->file, document_text(e, c->arena));
        if (other && (!id.len || !check_lists(c, other, names->other_refs, id)))
            check_error(c, set, "EXT.087", "{1} 与 {2} 要互相引用", id, check_text_id(other));
    }
}

// ---- associations ----------------------------------------------------------------------------

static void association(Check *c, const DocumentNode *n) {
    if (document_child(n, EL_transformation)) return;
    if (check_children(c, n, EL_sourceRef) > 1)
        check_error(c, n, "EXT.092", "没有 transformation 的数据关联只能有一个 sourceRef");
    const DocumentNode *to = check_item(c, check_ref_child(c, n, EL_targetRef));
    for (const DocumentNode *e = document_first(n); e; e = document_next(e)) {
        if (e->name != EL_sourceRef) continue;
        const DocumentNode *from = check_item(c, check_ref(c, e, document_text(e, c->arena)));
        if (!from || !to || check_items_equal(from, to)) continue;
        check_error(c, n, "EXT.091", "数据关联两端的数据定义要相同，或者写明 transformation");
        return;
    }
}

// ---- events ----------------------------------------------------------------------------------

static const DocumentNode *definition_item(const Check *c, const DocumentNode *d) {
    switch (d->name) {
    case EL_messageEventDefinition:
        return check_item(c, check_ref_attribute(c, d, S("messageRef")));
    case EL_signalEventDefinition:
        return check_item(c, check_ref_attribute(c, d, S("signalRef")));
    case EL_errorEventDefinition:
        return check_item(c, check_ref_attribute(c, d, S("errorRef")));
    case EL_escalationEventDefinition:
        return check_item(c, check_ref_attribute(c, d, S("escalationRef")));
    default: return NULL;
    }
}

static bool is_definition(const DocumentNode *e) {
    return e->name == EL_eventDefinitionRef || check_is(e, T_EVENT_DEFINITION);
}

static void event_data(Check *c, const DocumentNode *n) {
    const bool throws = check_is(n, T_THROW_EVENT);
    const MetaName kind = throws ? EL_dataInput : EL_dataOutput;
    const DocumentNode *data = document_child(n, kind);
    size_t definitions = 0;
    if (!data) return;
    for (const DocumentNode *e = document_first(n); e; e = document_next(e))
        definitions += e->space == SPACE_BPMN && is_definition(e);
    if (check_children(c, n, kind) < definitions)
        check_error(c, n, "EXT.093", "事件有数据时，每个事件定义都要有一个 {1}",
                    meta_name_text(kind));
    for (const DocumentNode *e = document_first(n); e && data; e = document_next(e)) {
        if (e->space != SPACE_BPMN || !is_definition(e)) continue;
        const DocumentNode *d = e;
        if (e->name == EL_eventDefinitionRef) d = check_ref(c, e, document_text(e, c->arena));
        const DocumentNode *item = d ? definition_item(c, d) : NULL;
        if (item && !check_items_equal(item, check_item(c, data)))
            check_error(c, e, "EXT.094", "事件定义的数据定义与 {1} 的不同", check_text_id(data));
        do data = document_next(data);
        while (data && data->name != kind);
    }
}

// ---- services --------------------------------------------------------------------------------

// The item of a dataInput, or of the only one of an inputSet (and so for outputs).
static const DocumentNode *bound_item(const Check *c, const DocumentNode *binding,
                                      Str attribute) {
    const DocumentNode *to = check_id(c->file, document_attribute(binding, attribute));
    if (!to) return NULL;
    if (to->name == EL_inputSet) return check_item(c, check_ref_child(c, to, EL_dataInputRefs));
    if (to->name == EL_outputSet) return check_item(c, check_ref_child(c, to, EL_dataOutputRefs));
    return check_item(c, to);
}

static bool offers(const Check *c, const DocumentNode *callable, const DocumentNode *operation) {
    for (const DocumentNode *e = document_first(callable); e; e = document_next(e))
        if (e->name == EL_supportedInterfaceRef &&
            check_ref(c, e, document_text(e, c->arena)) == operation->parent)
            return true;
    return false;
}

static void callable(Check *c, const DocumentNode *n) {
    if (document_child(n, EL_supportedInterfaceRef) && !document_child(n, EL_ioBinding))
        check_error(c, n, "EXT.064", "作为服务提供的流程或任务要有 ioBinding");
    for (const DocumentNode *e = document_first(n); e; e = document_next(e)) {
        if (e->name != EL_ioBinding) continue;
        const DocumentNode *operation = check_ref_attribute(c, e, S("operationRef"));
        if (!operation || operation->name != EL_operation) continue;
        const DocumentNode *in = check_item(c, check_ref_child(c, operation, EL_inMessageRef));
        const DocumentNode *out = check_item(c, check_ref_child(c, operation, EL_outMessageRef));
        const bool right =
            offers(c, n, operation) &&
            (!in || check_items_equal(in, bound_item(c, e, S("inputDataRef")))) &&
            (!out || check_items_equal(out, bound_item(c, e, S("outputDataRef"))));
        if (!right)
            check_error(c, n, "EXT.065", "ioBinding 没有把输入和输出正确地连到操作 {1}",
                        check_text_id(operation));
    }
}

void check_data(Check *c, const DocumentNode *n) {
    switch (n->name) {
    case EL_dataInput:
    case EL_dataOutput:
        collection(c, n);
        data_in_sets(c, n);
        break;
    case EL_dataObject: collection(c, n); break;
    case EL_dataObjectReference: reference_name(c, n); break;
    case EL_inputSet:
    case EL_outputSet: set_rules(c, n); break;
    case EL_dataInputAssociation:
    case EL_dataOutputAssociation: association(c, n); break;
    default: break;
    }
    if (check_is(n, T_EVENT)) event_data(c, n);
    if (check_is(n, T_CALLABLE_ELEMENT)) callable(c, n);
}
