// The metamodel of BPMN 2.0.2 as its XML schema states it: which elements there are, of which type,
// what each may hold in which order, its attributes with their lexical types, and which attributes
// and children are references to what kind of element. Tables only; checks read them.
//
// A type derives from another (an exclusive gateway is a gateway, a flow node, a flow element, a
// base element); it has what its base has, the base's first. An element may stand for the head of
// its substitution group: any flow element where the schema says `flowElement`.
#pragma once

#include "base/str.h"
#include "bpmn/meta_names.h"

enum { META_TARGETS_MAX = 6, META_MANY = 0x7fffffff };

typedef enum MetaName {
    EL_NONE,
#define META_ENUM(name, space) EL_##name,
    META_NAMES(META_ENUM)
#undef META_ENUM
    EL_COUNT,
} MetaName;

typedef enum MetaTypeId {
    T_NONE, // of a child: an element of its own, look its type up
    T_BASE_ELEMENT, T_MIXED, T_ROOT_ELEMENT, T_FLOW_ELEMENT, T_FLOW_NODE, T_ARTIFACT,
    T_CALLABLE_ELEMENT, T_DEFINITIONS, T_IMPORT, T_EXTENSION, T_DOCUMENTATION,
    T_EXTENSION_ELEMENTS, T_ANY_TEXT, T_EXPRESSION, T_FORMAL_EXPRESSION, T_ASSIGNMENT,
    T_ASSOCIATION, T_GROUP, T_TEXT_ANNOTATION, T_CATEGORY, T_CATEGORY_VALUE, T_RELATIONSHIP,
    T_ITEM_AWARE, T_DATA_INPUT, T_DATA_OUTPUT, T_PROPERTY, T_DATA_STATE, T_DATA_OBJECT,
    T_DATA_OBJECT_REFERENCE, T_DATA_STORE, T_DATA_STORE_REFERENCE, T_DATA_ASSOCIATION,
    T_DATA_INPUT_ASSOCIATION, T_DATA_OUTPUT_ASSOCIATION,
    T_INPUT_SET, T_OUTPUT_SET, T_IO_SPECIFICATION, T_IO_BINDING, T_ITEM_DEFINITION,
    T_ACTIVITY, T_TASK, T_BUSINESS_RULE_TASK, T_MANUAL_TASK, T_RECEIVE_TASK, T_SCRIPT_TASK,
    T_SEND_TASK, T_SERVICE_TASK, T_USER_TASK, T_CALL_ACTIVITY, T_SUB_PROCESS, T_TRANSACTION,
    T_AD_HOC_SUB_PROCESS, T_EVENT, T_CATCH_EVENT, T_THROW_EVENT, T_START_EVENT, T_END_EVENT,
    T_BOUNDARY_EVENT, T_INTERMEDIATE_CATCH_EVENT, T_INTERMEDIATE_THROW_EVENT,
    T_IMPLICIT_THROW_EVENT, T_EVENT_DEFINITION, T_CANCEL_DEFINITION, T_COMPENSATE_DEFINITION,
    T_CONDITIONAL_DEFINITION, T_ERROR_DEFINITION, T_ESCALATION_DEFINITION, T_LINK_DEFINITION,
    T_MESSAGE_DEFINITION, T_SIGNAL_DEFINITION, T_TERMINATE_DEFINITION, T_TIMER_DEFINITION,
    T_GATEWAY, T_COMPLEX_GATEWAY, T_EVENT_BASED_GATEWAY, T_EXCLUSIVE_GATEWAY,
    T_INCLUSIVE_GATEWAY, T_PARALLEL_GATEWAY, T_SEQUENCE_FLOW, T_LANE, T_LANE_SET,
    T_LOOP_CHARACTERISTICS, T_STANDARD_LOOP, T_MULTI_INSTANCE, T_COMPLEX_BEHAVIOR,
    T_PROCESS, T_GLOBAL_TASK, T_GLOBAL_BUSINESS_RULE_TASK, T_GLOBAL_MANUAL_TASK,
    T_GLOBAL_SCRIPT_TASK, T_GLOBAL_USER_TASK, T_AUDITING, T_MONITORING, T_RENDERING,
    T_RESOURCE, T_RESOURCE_PARAMETER, T_RESOURCE_ROLE, T_PERFORMER, T_HUMAN_PERFORMER,
    T_POTENTIAL_OWNER, T_RESOURCE_ASSIGNMENT, T_RESOURCE_BINDING,
    T_COLLABORATION, T_CHOREOGRAPHY, T_GLOBAL_CHOREOGRAPHY_TASK, T_GLOBAL_CONVERSATION,
    T_PARTICIPANT, T_PARTICIPANT_ASSOCIATION, T_PARTICIPANT_MULTIPLICITY, T_PARTNER_ENTITY,
    T_PARTNER_ROLE, T_MESSAGE_FLOW, T_MESSAGE_FLOW_ASSOCIATION, T_CONVERSATION_NODE,
    T_CONVERSATION, T_CALL_CONVERSATION, T_SUB_CONVERSATION, T_CONVERSATION_ASSOCIATION,
    T_CONVERSATION_LINK, T_CHOREOGRAPHY_ACTIVITY, T_CHOREOGRAPHY_TASK, T_CALL_CHOREOGRAPHY,
    T_SUB_CHOREOGRAPHY, T_CORRELATION_KEY, T_CORRELATION_PROPERTY, T_CORRELATION_BINDING,
    T_CORRELATION_RETRIEVAL, T_CORRELATION_SUBSCRIPTION, T_MESSAGE, T_SIGNAL, T_ERROR,
    T_ESCALATION, T_END_POINT, T_INTERFACE, T_OPERATION,
    T_DIAGRAM, T_PLANE, T_DIAGRAM_ELEMENT, T_SHAPE, T_EDGE, T_LABEL, T_LABEL_STYLE, T_BOUNDS,
    T_POINT, T_FONT,
    T_QNAME_CONTENT, // a child whose text is a QName or an IDREF
    T_IDREF_CONTENT,
    T_COUNT,
} MetaTypeId;

typedef enum MetaLexical {
    LEX_STRING,
    LEX_ID,
    LEX_IDREF,
    LEX_QNAME,
    LEX_BOOLEAN,
    LEX_INTEGER,
    LEX_INT,
    LEX_DOUBLE,
    LEX_URI,
    LEX_CHOICE, // one of `choices`
} MetaLexical;

// The kinds an element referred to may be of; none: not to an element of BPMN (a type of some
// schema, say), nothing can be checked.
typedef struct MetaTargets {
    uint8_t types[META_TARGETS_MAX]; // MetaTypeId, T_NONE ends
} MetaTargets;

typedef struct MetaAttribute {
    Str name;
    MetaLexical lexical;
    bool required;
    Str choices; // separated by blanks
    MetaTargets targets;
} MetaAttribute;

typedef struct MetaChild {
    uint16_t name; // MetaName
    uint8_t type;  // MetaTypeId
    uint8_t choice; // not 0: children of another choice can't stand beside it
    int32_t least, most;
    MetaTargets targets; // of T_QNAME_CONTENT, T_IDREF_CONTENT
} MetaChild;

typedef struct MetaType {
    MetaTypeId id;
    Str name; // "tSequenceFlow"; "" for what the schema does not name
    MetaTypeId base;
    bool abstract;
    bool mixed;        // text is allowed beside children
    bool any_child;    // children of every kind
    bool other_child;  // children of other namespaces
    bool other_attribute; // attributes of other namespaces; inherited
    const MetaChild *children; // its own, not its base's
    const MetaAttribute *attributes;
    size_t children_count, attributes_count;
} MetaType;

// The name in that namespace (a DocumentSpace), EL_NONE when it has none such.
MetaName meta_name(int space, Str local);
Str meta_name_text(MetaName name);
const MetaType *meta_type(MetaTypeId id); // NULL for T_NONE
const MetaType *meta_type_named(Str name); // "tExpression"; NULL when there is none
// The type an element has unless xsi:type says another; NULL for EL_NONE and for what is only a
// reference (`incoming`).
const MetaType *meta_element_type(MetaName name);
bool meta_element_abstract(MetaName name);
bool meta_derives(const MetaType *t, MetaTypeId from);
// Whether `name` is `head` or may stand for it.
bool meta_substitutes(MetaName name, MetaName head);
