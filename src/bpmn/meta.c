// See meta.h. meta_types.c has the table of types.
#include "bpmn/meta_types.h"

#include "bpmn/document.h"

typedef struct NameRow {
    Str text;
    uint8_t space;
} NameRow;

#define NAME_ROW(name, space) {S_INIT(#name), space},
static const NameRow names[EL_COUNT] = {{{"", 0}, SPACE_NONE}, META_NAMES(NAME_ROW)};

MetaName meta_name(int space, Str local) {
    size_t from = 1, to = EL_COUNT;
    while (from < to) {
        const size_t middle = (from + to) / 2;
        const int order = str_cmp(local, names[middle].text);
        if (order == 0) return names[middle].space == space ? (MetaName)middle : EL_NONE;
        if (order < 0) to = middle;
        else from = middle + 1;
    }
    return EL_NONE;
}

Str meta_name_text(MetaName name) { return names[name].text; }

// Elements that stand by themselves: type, and the head of the substitution group.
typedef struct ElementRow {
    uint8_t type;
    uint16_t head;
    bool abstract;
} ElementRow;

#define ROW(name, type) [EL_##name] = {type, EL_NONE, false}
#define FLOW(name, type) [EL_##name] = {type, EL_flowElement, false}
#define ROOT(name, type) [EL_##name] = {type, EL_rootElement, false}
#define OF(name, head, type) [EL_##name] = {type, EL_##head, false}
static const ElementRow elements[EL_COUNT] = {
    ROW(activity, T_ACTIVITY), FLOW(adHocSubProcess, T_AD_HOC_SUB_PROCESS),
    ROW(artifact, T_ARTIFACT), ROW(assignment, T_ASSIGNMENT),
    OF(association, artifact, T_ASSOCIATION), ROW(auditing, T_AUDITING),
    ROW(baseElement, T_BASE_ELEMENT), FLOW(boundaryEvent, T_BOUNDARY_EVENT),
    FLOW(businessRuleTask, T_BUSINESS_RULE_TASK), ROW(callableElement, T_CALLABLE_ELEMENT),
    FLOW(callActivity, T_CALL_ACTIVITY), FLOW(callChoreography, T_CALL_CHOREOGRAPHY),
    OF(callConversation, conversationNode, T_CALL_CONVERSATION),
    OF(cancelEventDefinition, eventDefinition, T_CANCEL_DEFINITION),
    ROW(catchEvent, T_CATCH_EVENT), ROOT(category, T_CATEGORY),
    ROW(categoryValue, T_CATEGORY_VALUE), OF(choreography, collaboration, T_CHOREOGRAPHY),
    ROW(choreographyActivity, T_CHOREOGRAPHY_ACTIVITY),
    FLOW(choreographyTask, T_CHOREOGRAPHY_TASK), ROOT(collaboration, T_COLLABORATION),
    OF(compensateEventDefinition, eventDefinition, T_COMPENSATE_DEFINITION),
    ROW(complexBehaviorDefinition, T_COMPLEX_BEHAVIOR), FLOW(complexGateway, T_COMPLEX_GATEWAY),
    OF(conditionalEventDefinition, eventDefinition, T_CONDITIONAL_DEFINITION),
    OF(conversation, conversationNode, T_CONVERSATION),
    ROW(conversationAssociation, T_CONVERSATION_ASSOCIATION),
    ROW(conversationLink, T_CONVERSATION_LINK), ROW(conversationNode, T_CONVERSATION_NODE),
    ROW(correlationKey, T_CORRELATION_KEY), ROOT(correlationProperty, T_CORRELATION_PROPERTY),
    ROW(correlationPropertyBinding, T_CORRELATION_BINDING),
    ROW(correlationPropertyRetrievalExpression, T_CORRELATION_RETRIEVAL),
    ROW(correlationSubscription, T_CORRELATION_SUBSCRIPTION),
    ROW(dataAssociation, T_DATA_ASSOCIATION), ROW(dataInput, T_DATA_INPUT),
    ROW(dataInputAssociation, T_DATA_INPUT_ASSOCIATION), FLOW(dataObject, T_DATA_OBJECT),
    FLOW(dataObjectReference, T_DATA_OBJECT_REFERENCE), ROW(dataOutput, T_DATA_OUTPUT),
    ROW(dataOutputAssociation, T_DATA_OUTPUT_ASSOCIATION), ROW(dataState, T_DATA_STATE),
    ROOT(dataStore, T_DATA_STORE), FLOW(dataStoreReference, T_DATA_STORE_REFERENCE),
    ROW(definitions, T_DEFINITIONS), ROW(documentation, T_DOCUMENTATION),
    FLOW(endEvent, T_END_EVENT), ROOT(endPoint, T_END_POINT), ROOT(error, T_ERROR),
    OF(errorEventDefinition, eventDefinition, T_ERROR_DEFINITION),
    ROOT(escalation, T_ESCALATION),
    OF(escalationEventDefinition, eventDefinition, T_ESCALATION_DEFINITION),
    FLOW(event, T_EVENT), FLOW(eventBasedGateway, T_EVENT_BASED_GATEWAY),
    ROOT(eventDefinition, T_EVENT_DEFINITION), FLOW(exclusiveGateway, T_EXCLUSIVE_GATEWAY),
    ROW(expression, T_EXPRESSION), ROW(extension, T_EXTENSION),
    ROW(extensionElements, T_EXTENSION_ELEMENTS), ROW(flowElement, T_FLOW_ELEMENT),
    ROW(flowNode, T_FLOW_NODE), OF(formalExpression, expression, T_FORMAL_EXPRESSION),
    [EL_gateway] = {T_GATEWAY, EL_NONE, true},
    ROOT(globalBusinessRuleTask, T_GLOBAL_BUSINESS_RULE_TASK),
    OF(globalChoreographyTask, choreography, T_GLOBAL_CHOREOGRAPHY_TASK),
    OF(globalConversation, collaboration, T_GLOBAL_CONVERSATION),
    ROOT(globalManualTask, T_GLOBAL_MANUAL_TASK), ROOT(globalScriptTask, T_GLOBAL_SCRIPT_TASK),
    ROOT(globalTask, T_GLOBAL_TASK), ROOT(globalUserTask, T_GLOBAL_USER_TASK),
    OF(group, artifact, T_GROUP), OF(humanPerformer, performer, T_HUMAN_PERFORMER),
    FLOW(implicitThrowEvent, T_IMPLICIT_THROW_EVENT), ROW(import, T_IMPORT),
    FLOW(inclusiveGateway, T_INCLUSIVE_GATEWAY), ROW(inputSet, T_INPUT_SET),
    ROOT(interface, T_INTERFACE), FLOW(intermediateCatchEvent, T_INTERMEDIATE_CATCH_EVENT),
    FLOW(intermediateThrowEvent, T_INTERMEDIATE_THROW_EVENT), ROW(ioBinding, T_IO_BINDING),
    ROW(ioSpecification, T_IO_SPECIFICATION), ROOT(itemDefinition, T_ITEM_DEFINITION),
    ROW(lane, T_LANE), ROW(laneSet, T_LANE_SET),
    OF(linkEventDefinition, eventDefinition, T_LINK_DEFINITION),
    ROW(loopCharacteristics, T_LOOP_CHARACTERISTICS), FLOW(manualTask, T_MANUAL_TASK),
    ROOT(message, T_MESSAGE), OF(messageEventDefinition, eventDefinition, T_MESSAGE_DEFINITION),
    ROW(messageFlow, T_MESSAGE_FLOW),
    ROW(messageFlowAssociation, T_MESSAGE_FLOW_ASSOCIATION), ROW(monitoring, T_MONITORING),
    OF(multiInstanceLoopCharacteristics, loopCharacteristics, T_MULTI_INSTANCE),
    ROW(operation, T_OPERATION), ROW(outputSet, T_OUTPUT_SET),
    FLOW(parallelGateway, T_PARALLEL_GATEWAY), ROW(participant, T_PARTICIPANT),
    ROW(participantAssociation, T_PARTICIPANT_ASSOCIATION),
    ROW(participantMultiplicity, T_PARTICIPANT_MULTIPLICITY),
    ROOT(partnerEntity, T_PARTNER_ENTITY), ROOT(partnerRole, T_PARTNER_ROLE),
    OF(performer, resourceRole, T_PERFORMER),
    OF(potentialOwner, performer, T_POTENTIAL_OWNER), ROOT(process, T_PROCESS),
    ROW(property, T_PROPERTY), FLOW(receiveTask, T_RECEIVE_TASK),
    ROW(relationship, T_RELATIONSHIP), ROW(rendering, T_RENDERING), ROOT(resource, T_RESOURCE),
    ROW(resourceAssignmentExpression, T_RESOURCE_ASSIGNMENT),
    ROW(resourceParameter, T_RESOURCE_PARAMETER),
    ROW(resourceParameterBinding, T_RESOURCE_BINDING), ROW(resourceRole, T_RESOURCE_ROLE),
    ROW(rootElement, T_ROOT_ELEMENT), FLOW(scriptTask, T_SCRIPT_TASK), ROW(script, T_ANY_TEXT),
    FLOW(sendTask, T_SEND_TASK), FLOW(sequenceFlow, T_SEQUENCE_FLOW),
    FLOW(serviceTask, T_SERVICE_TASK), ROOT(signal, T_SIGNAL),
    OF(signalEventDefinition, eventDefinition, T_SIGNAL_DEFINITION),
    OF(standardLoopCharacteristics, loopCharacteristics, T_STANDARD_LOOP),
    FLOW(startEvent, T_START_EVENT), FLOW(subChoreography, T_SUB_CHOREOGRAPHY),
    OF(subConversation, conversationNode, T_SUB_CONVERSATION),
    FLOW(subProcess, T_SUB_PROCESS), FLOW(task, T_TASK),
    OF(terminateEventDefinition, eventDefinition, T_TERMINATE_DEFINITION),
    OF(textAnnotation, artifact, T_TEXT_ANNOTATION), ROW(text, T_ANY_TEXT),
    ROW(throwEvent, T_THROW_EVENT),
    OF(timerEventDefinition, eventDefinition, T_TIMER_DEFINITION),
    FLOW(transaction, T_TRANSACTION), FLOW(userTask, T_USER_TASK),
    ROW(BPMNDiagram, T_DIAGRAM), ROW(BPMNPlane, T_PLANE), ROW(BPMNShape, T_SHAPE),
    // A plane holds shapes and edges in any order.
    OF(BPMNEdge, BPMNShape, T_EDGE), ROW(BPMNLabel, T_LABEL), ROW(BPMNLabelStyle, T_LABEL_STYLE),
    ROW(Bounds, T_BOUNDS), ROW(waypoint, T_POINT), ROW(Font, T_FONT),
    // Those that exist within another only, of a type that has children.
    ROW(activationCondition, T_EXPRESSION), ROW(childLaneSet, T_LANE_SET),
    ROW(completionCondition, T_EXPRESSION), ROW(condition, T_EXPRESSION),
    ROW(conditionExpression, T_EXPRESSION), ROW(dataPath, T_FORMAL_EXPRESSION),
    ROW(from, T_EXPRESSION), ROW(inputDataItem, T_DATA_INPUT),
    ROW(loopCardinality, T_EXPRESSION), ROW(loopCondition, T_EXPRESSION),
    ROW(messagePath, T_FORMAL_EXPRESSION), ROW(outputDataItem, T_DATA_OUTPUT),
    ROW(partitionElement, T_BASE_ELEMENT), ROW(timeCycle, T_EXPRESSION),
    ROW(timeDate, T_EXPRESSION), ROW(timeDuration, T_EXPRESSION), ROW(to, T_EXPRESSION),
    ROW(transformation, T_FORMAL_EXPRESSION),
};

const MetaType *meta_type(MetaTypeId id) {
    return id > T_NONE && id < T_COUNT ? &meta_types[id] : NULL;
}

const MetaType *meta_type_named(Str name) {
    for (size_t i = 1; i < T_COUNT; i++)
        if (name.len && str_eq(meta_types[i].name, name)) return &meta_types[i];
    return NULL;
}

const MetaType *meta_element_type(MetaName name) { return meta_type(elements[name].type); }

bool meta_element_abstract(MetaName name) {
    const MetaType *t = meta_element_type(name);
    return elements[name].abstract || (t && t->abstract);
}

bool meta_derives(const MetaType *t, MetaTypeId from) {
    for (; t; t = meta_type(t->base))
        if (t->id == from) return true;
    return false;
}

bool meta_substitutes(MetaName name, MetaName head) {
    while (name != EL_NONE && name != head) name = (MetaName)elements[name].head;
    return name == head;
}
