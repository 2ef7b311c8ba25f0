// From BPMN XML to nodes and edges. Every element of the BPMN namespace inside the process is
// either run, or known to mean nothing when it runs (documentation, lanes, annotations, data
// declarations), or refused: nothing is skipped over. Extensions of other namespaces are left
// alone, as BPMN 2.0.2 (8.2.3) has it.
//
// Loading happens in three strides: elements are read in document order with their references as
// text; references are resolved; lint.c checks the whole and prepares it for running.
#include "bpmn/load.h"

#include <setjmp.h>

enum { NAMED_MAX = 20000 };

// A message, signal or data element: what its id stands for.
typedef struct Named {
    Str id, name;
    EventKind kind; // EVENT_NONE: data
} Named;

// References of a node, as text until all nodes are known.
typedef struct NodeRefs {
    Str host, fallback;
    const xmlNode *element;
} NodeRefs;

typedef struct EdgeRefs {
    Str from, to;
} EdgeRefs;

typedef struct Load {
    Flow *flow;
    Arena *arena;
    Error *err;
    Named *named;
    uint32_t named_count, named_cap;
    NodeRefs *node_refs;
    EdgeRefs *edge_refs;
    uint32_t nodes_cap, edges_cap;
} Load;

// `text` has the element's name as {1} and its id as {2}.
#define refuse(l, e, text) refuse_as((l), (e), INVALID, "" text)
static Status refuse_as(Load *l, const xmlNode *e, Status status, const char *text) {
    char line[16];
    (void)snprintf(line, sizeof line, "%u", xml_line(e));
    Str id = xml_attribute(e, S("id"), l->arena);
    return error_fill(l->err, status, str_z(line), text, (Str[ERROR_ARGS]){xml_local(e), id});
}

static bool is_one_of(Str s, const Str *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (str_eq(s, names[i])) return true;
    return false;
}
#define IS_ONE_OF(s, names) is_one_of((s), (names), sizeof(names) / sizeof *(names))

static void *array_room(Arena *a, void *items, uint32_t count, uint32_t *cap, size_t size) {
    if (count < *cap) return items;
    uint32_t cap_new = *cap ? *cap * 2 : 16;
    void *more = arena_alloc_n(a, cap_new, size);
    if (count) memcpy(more, items, count * size);
    *cap = cap_new;
    return more;
}

// Expressions

// FEEL, with or without a '=' before it.
static Status expression(Load *l, const xmlNode *e, Str source, const FeelExpr **ret) {
    if (str_starts(source, S("="))) source = str_sub(source, 1, source.len);
    Error told;
    Status status = feel_parse(source, NULL, 0, l->arena, ret, &told);
    if (!status) return OK;
    char line[16];
    (void)snprintf(line, sizeof line, "%u", xml_line(e));
    return error_set(l->err, status, str_z(line), "{1}（{2}）的表达式有误：{3}", xml_local(e),
                     xml_attribute(xml_has(e, S("id")) ? e : e->parent, S("id"), l->arena),
                     error_message(&told, NULL, NULL, l->arena));
}

static Status expression_element(Load *l, const xmlNode *e, const FeelExpr **ret) {
    Str language = xml_attribute(e, S("language"), l->arena);
    if (language.len && str_find(language, S("FEEL")) < 0 && str_find(language, S("feel")) < 0)
        return refuse(l, e, "{1}（{2}）的表达式语言只能是 FEEL");
    return expression(l, e, xml_text(e, l->arena), ret);
}

// ISO 8601 text, or FEEL after a '='. Plain text becomes the FEEL that reads it.
static Status timer(Load *l, const xmlNode *e, Node *n) {
    static const Str kinds[] = {S_INIT("timeDuration"), S_INIT("timeDate")};
    const xmlNode *t = NULL;
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c)) {
        if (xml_space(c->ns) != XML_BPMN) continue;
        Str local = xml_local(c);
        if (str_eq(local, S("documentation")) || str_eq(local, S("extensionElements"))) continue;
        if (!IS_ONE_OF(local, kinds) || t)
            return refuse(l, c, "{1}（{2}）：计时事件只支持一个 timeDuration 或 timeDate");
        t = c;
    }
    if (!t) return refuse(l, e, "{1}（{2}）：计时事件没有时间");
    Str source = xml_text(t, l->arena);
    if (str_starts(source, S("="))) return expression_element(l, t, &n->timer);
    for (size_t i = 0; i < source.len; i++)
        if (source.ptr[i] == '"' || source.ptr[i] == '\\')
            return refuse(l, t, "{1}（{2}）：时间不是 ISO 8601 的写法");
    bool duration = str_eq(xml_local(t), S("timeDuration"));
    Str call = duration ? S("duration(\"") : S("date and time(\"");
    Str feel = arena_concat(l->arena, (Str[]){call, source, S("\")")}, 3);
    Status status = expression(l, t, feel, &n->timer);
    if (status) return status;
    ContextBuilder nothing = context_make(l->arena);
    FeelScope scope = {.variables = context_done(&nothing)};
    FeelRun run = {.arena = l->arena, .scope = &scope};
    if (feel_eval(&run, n->timer).kind == V_NULL)
        return refuse(l, t, "{1}（{2}）：时间不是 ISO 8601 的写法");
    return OK;
}

// What is declared by id

static Status named_add(Load *l, const xmlNode *e, EventKind kind) {
    if (l->named_count == NAMED_MAX) return refuse_as(l, e, LIMIT, "{1}（{2}）：声明太多");
    l->named = array_room(l->arena, l->named, l->named_count, &l->named_cap, sizeof *l->named);
    Named *named = &l->named[l->named_count++];
    named->kind = kind;
    named->id = xml_attribute(e, S("id"), l->arena);
    named->name = xml_attribute(e, S("name"), l->arena);
    if (!named->name.len) named->name = named->id;
    return OK;
}

static const Named *named_find(const Load *l, Str id, EventKind kind) {
    for (uint32_t i = 0; i < l->named_count; i++)
        if (l->named[i].kind == kind && str_eq(l->named[i].id, id)) return &l->named[i];
    return NULL;
}

static Status message_ref(Load *l, const xmlNode *e, Str attribute, EventKind kind, Node *n) {
    Str ref = xml_unprefixed(xml_attribute(e, attribute, l->arena));
    const Named *named = named_find(l, ref, kind);
    if (!named) return refuse(l, e, "{1}（{2}）：没有指明消息或信号，或者它没有声明");
    n->message = named->name;
    n->event = kind;
    return OK;
}

// Children of nodes

static Status event_definition(Load *l, const xmlNode *e, Node *n) {
    Str local = xml_local(e);
    if (n->event != EVENT_NONE) return refuse(l, e, "{1}（{2}）：一个事件只支持一个定义");
    if (str_eq(local, S("terminateEventDefinition")) && n->kind == NODE_END) {
        n->event = EVENT_TERMINATE;
        return OK;
    }
    if (n->kind != NODE_CATCH && n->kind != NODE_BOUNDARY)
        return refuse(l, e, "{1}（{2}）：这里不支持这种事件");
    if (str_eq(local, S("timerEventDefinition"))) {
        n->event = EVENT_TIMER;
        return timer(l, e, n);
    }
    if (str_eq(local, S("messageEventDefinition")))
        return message_ref(l, e, S("messageRef"), EVENT_MESSAGE, n);
    if (str_eq(local, S("signalEventDefinition")))
        return message_ref(l, e, S("signalRef"), EVENT_SIGNAL, n);
    return refuse(l, e, "{1}（{2}）：这里不支持这种事件");
}

// An attribute yz:<name> of the element, empty when absent.
static Str yz_attribute(Load *l, const xmlNode *e, Str name) {
    for (const xmlAttr *at = e->properties; at; at = at->next)
        if (xml_space(at->ns) == XML_YZ && str_eq(str_z((const char *)at->name), name))
            return xml_attribute_value(at, l->arena);
    return S("");
}

static Str data_name(Load *l, const xmlNode *e) {
    Str ref = xml_unprefixed(xml_text(e, l->arena));
    const Named *named = named_find(l, ref, EVENT_NONE);
    return named ? named->name : ref;
}

static Str name_or_id(Load *l, const xmlNode *e) {
    Str name = xml_attribute(e, S("name"), l->arena);
    return name.len ? name : xml_attribute(e, S("id"), l->arena);
}

static Status multi_child(Load *l, const xmlNode *e, Multi *multi) {
    Str local = xml_local(e);
    if (str_eq(local, S("loopCardinality"))) return expression_element(l, e, &multi->cardinality);
    if (str_eq(local, S("completionCondition"))) return expression_element(l, e, &multi->until);
    if (str_eq(local, S("loopDataInputRef")))
        return expression(l, e, data_name(l, e), &multi->input);
    if (str_eq(local, S("loopDataOutputRef"))) multi->results = data_name(l, e);
    else if (str_eq(local, S("inputDataItem"))) multi->item = name_or_id(l, e);
    else if (str_eq(local, S("outputDataItem"))) multi->result = name_or_id(l, e);
    else if (!str_eq(local, S("documentation")) && !str_eq(local, S("extensionElements")))
        return refuse(l, e, "{1}（{2}）：多实例中不支持这个元素");
    return OK;
}

// multiInstanceLoopCharacteristics; yz:items, yz:item, yz:result, yz:results are short forms.
static Status multi_read(Load *l, const xmlNode *e, Node *n) {
    if (n->multi) return refuse(l, e, "{1}（{2}）：只能有一个循环");
    Str behavior = xml_attribute(e, S("behavior"), l->arena);
    if (behavior.len && !str_eq(behavior, S("All")))
        return refuse(l, e, "{1}（{2}）：多实例只支持 behavior=\"All\"");
    Multi *multi = arena_new(l->arena, Multi);
    multi->sequential = xml_flag(e, S("isSequential"), false, l->arena);
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c)) {
        if (xml_space(c->ns) != XML_BPMN) continue;
        Status status = multi_child(l, c, multi);
        if (status) return status;
    }
    Str items = yz_attribute(l, e, S("items"));
    if (items.len) {
        Status status = expression(l, e, items, &multi->input);
        if (status) return status;
    }
    const struct {
        Str name, *to;
    } names[] = {
        {S("item"), &multi->item}, {S("result"), &multi->result}, {S("results"), &multi->results}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        Str given = yz_attribute(l, e, names[i].name);
        if (given.len) *names[i].to = given;
    }
    if (!multi->cardinality == !multi->input)
        return refuse(l, e, "{1}（{2}）：多实例要么给出个数，要么给出列表");
    if (!multi->result.len != !multi->results.len)
        return refuse(l, e, "{1}（{2}）：结果变量和结果列表要一起给出");
    n->multi = multi;
    return OK;
}

static Status script_read(Load *l, const xmlNode *e, Node *n) {
    if (n->kind != NODE_SCRIPT) return refuse(l, e, "{1}（{2}）：只有脚本任务才有脚本");
    Str format = xml_attribute(e->parent, S("scriptFormat"), l->arena);
    if (format.len && str_find(format, S("FEEL")) < 0 && str_find(format, S("feel")) < 0)
        return refuse(l, e->parent, "{1}（{2}）：脚本语言只能是 FEEL");
    return expression(l, e, xml_text(e, l->arena), &n->script);
}

static bool child_means_nothing(Str local) {
    static const Str names[] = {
        S_INIT("documentation"),    S_INIT("extensionElements"), S_INIT("incoming"),
        S_INIT("outgoing"),         S_INIT("auditing"),          S_INIT("monitoring"),
        S_INIT("categoryValueRef"), S_INIT("ioSpecification"),   S_INIT("property"),
        S_INIT("rendering"),        S_INIT("dataInput"),         S_INIT("dataOutput"),
        S_INIT("inputSet"),         S_INIT("outputSet"),
    };
    return IS_ONE_OF(local, names);
}

static Status node_child(Load *l, const xmlNode *e, Node *n) {
    Str local = xml_local(e);
    if (child_means_nothing(local)) return OK;
    if (str_ends(local, S("EventDefinition"))) return event_definition(l, e, n);
    if (str_eq(local, S("script"))) return script_read(l, e, n);
    if (str_eq(local, S("multiInstanceLoopCharacteristics")) && node_is_activity(n))
        return multi_read(l, e, n);
    if (str_ends(local, S("otentialOwner")) || str_ends(local, S("erformer")) ||
        str_eq(local, S("resourceRole")))
        return refuse(l, e, "{1}（{2}）：由谁办理请用 yz:post 和 yz:unit 写明");
    return refuse(l, e, "{1}（{2}）：不支持这个元素");
}

// Attributes of nodes

// What changes how an element runs and is not built.
static Status attributes_refused(Load *l, const xmlNode *e) {
    static const struct {
        Str name, harmless;
    } refused[] = {
        {S_INIT("isForCompensation"), S_INIT("false")},
        {S_INIT("instantiate"), S_INIT("false")},
        {S_INIT("triggeredByEvent"), S_INIT("false")},
        {S_INIT("parallelMultiple"), S_INIT("false")},
        {S_INIT("startQuantity"), S_INIT("1")},
        {S_INIT("completionQuantity"), S_INIT("1")},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (!xml_has(e, refused[i].name)) continue;
        Str value = xml_attribute(e, refused[i].name, l->arena);
        bool harmless = str_eq(value, refused[i].harmless) ||
                        (str_eq(value, S("0")) && str_eq(refused[i].harmless, S("false")));
        if (harmless) continue;
        char line[16];
        (void)snprintf(line, sizeof line, "%u", xml_line(e));
        return error_set(l->err, INVALID, str_z(line), "{1}（{2}）：不支持属性 {3}", xml_local(e),
                         xml_attribute(e, S("id"), l->arena), refused[i].name);
    }
    if (str_eq(xml_attribute(e, S("eventGatewayType"), l->arena), S("Parallel")))
        return refuse(l, e, "{1}（{2}）：不支持并行的事件网关");
    return OK;
}

static Status attributes_read(Load *l, const xmlNode *e, Node *n) {
    uint32_t count = 0;
    for (const xmlAttr *at = e->properties; at; at = at->next) count += xml_space(at->ns) == XML_YZ;
    if (count > FLOW_ATTRIBUTES_MAX) return refuse_as(l, e, LIMIT, "{1}（{2}）：yz 属性太多");
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
            Status status = expression(l, e, to->text, &to->expr);
            if (status) return status;
            fixed = false;
        }
    }
    if (fixed) n->fixed = context_done(&b);
    n->result = yz_attribute(l, e, S("result"));
    n->name_en = yz_attribute(l, e, S("name_en"));
    return OK;
}

static Status id_read(Load *l, const xmlNode *e, Str *ret_id, Str *ret_name) {
    *ret_id = xml_attribute(e, S("id"), l->arena);
    *ret_name = xml_attribute(e, S("name"), l->arena);
    if (!ret_id->len) return refuse(l, e, "{1}：没有 id");
    if (ret_id->len > FLOW_ID_MAX || ret_name->len > FLOW_NAME_MAX)
        return refuse_as(l, e, LIMIT, "{1}（{2}）：id 或名称太长");
    return OK;
}

// Elements of a process or sub-process

static NodeKind kind_of(Str local) {
    static const struct {
        Str name;
        NodeKind kind;
    } kinds[] = {
        {S_INIT("startEvent"), NODE_START},
        {S_INIT("endEvent"), NODE_END},
        {S_INIT("intermediateThrowEvent"), NODE_THROW},
        {S_INIT("intermediateCatchEvent"), NODE_CATCH},
        {S_INIT("boundaryEvent"), NODE_BOUNDARY},
        {S_INIT("userTask"), NODE_USER},
        {S_INIT("manualTask"), NODE_MANUAL},
        {S_INIT("serviceTask"), NODE_SERVICE},
        {S_INIT("sendTask"), NODE_SEND},
        {S_INIT("businessRuleTask"), NODE_RULE},
        {S_INIT("receiveTask"), NODE_RECEIVE},
        {S_INIT("scriptTask"), NODE_SCRIPT},
        {S_INIT("subProcess"), NODE_SUBPROCESS},
        {S_INIT("exclusiveGateway"), NODE_EXCLUSIVE},
        {S_INIT("parallelGateway"), NODE_PARALLEL},
        {S_INIT("inclusiveGateway"), NODE_INCLUSIVE},
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
        [NODE_USER] = S_INIT("userTask"),
        [NODE_MANUAL] = S_INIT("manualTask"),
        [NODE_SERVICE] = S_INIT("serviceTask"),
        [NODE_SEND] = S_INIT("sendTask"),
        [NODE_RULE] = S_INIT("businessRuleTask"),
        [NODE_RECEIVE] = S_INIT("receiveTask"),
        [NODE_SCRIPT] = S_INIT("scriptTask"),
        [NODE_SUBPROCESS] = S_INIT("subProcess"),
        [NODE_EXCLUSIVE] = S_INIT("exclusiveGateway"),
        [NODE_PARALLEL] = S_INIT("parallelGateway"),
        [NODE_INCLUSIVE] = S_INIT("inclusiveGateway"),
        [NODE_EVENT_GATE] = S_INIT("eventBasedGateway"),
    };
    return names[n->kind];
}

Str event_name(EventKind e) {
    static const Str names[] = {
        [EVENT_NONE] = S_INIT(""),         [EVENT_TERMINATE] = S_INIT("terminate"),
        [EVENT_TIMER] = S_INIT("timer"),   [EVENT_MESSAGE] = S_INIT("message"),
        [EVENT_SIGNAL] = S_INIT("signal"),
    };
    return names[e];
}

static Node *node_new(Load *l, const xmlNode *e, NodeKind kind, uint32_t parent) {
    Flow *f = l->flow;
    if (f->nodes_count == l->nodes_cap) {
        uint32_t cap = l->nodes_cap;
        f->nodes = array_room(l->arena, f->nodes, f->nodes_count, &l->nodes_cap, sizeof *f->nodes);
        l->node_refs =
            array_room(l->arena, l->node_refs, f->nodes_count, &cap, sizeof *l->node_refs);
    }
    l->node_refs[f->nodes_count] = (NodeRefs){.element = e};
    Node *n = &f->nodes[f->nodes_count++];
    *n = (Node){.kind = kind,
                .parent = parent,
                .line = xml_line(e),
                .host = NONE,
                .start = NONE,
                .fallback = NONE};
    return n;
}

// Only sub-processes have parts of their own; these are read later, so that nodes stay in place.
static bool is_part(const xmlNode *e);

static Status node_read(Load *l, const xmlNode *e, NodeKind kind, uint32_t parent) {
    if (l->flow->nodes_count >= FLOW_NODES_MAX)
        return refuse_as(l, e, LIMIT, "{1}（{2}）：流程的环节太多");
    Node *n = node_new(l, e, kind, parent);
    NodeRefs *refs = &l->node_refs[l->flow->nodes_count - 1];
    Status status = id_read(l, e, &n->id, &n->name);
    if (!status) status = attributes_refused(l, e);
    if (!status) status = attributes_read(l, e, n);
    refs->fallback = xml_attribute(e, S("default"), l->arena);
    if (kind == NODE_BOUNDARY) {
        refs->host = xml_unprefixed(xml_attribute(e, S("attachedToRef"), l->arena));
        n->interrupting = xml_flag(e, S("cancelActivity"), true, l->arena);
    }
    for (const xmlNode *c = xml_first(e); c && !status; c = xml_next(c))
        if (xml_space(c->ns) == XML_BPMN && !(kind == NODE_SUBPROCESS && is_part(c)))
            status = node_child(l, c, n);
    if (!status && kind == NODE_RECEIVE)
        status = message_ref(l, e, S("messageRef"), EVENT_MESSAGE, n);
    return status;
}

static Status edge_read(Load *l, const xmlNode *e) {
    Flow *f = l->flow;
    if (f->edges_count >= FLOW_EDGES_MAX)
        return refuse_as(l, e, LIMIT, "{1}（{2}）：流程的顺序流太多");
    if (f->edges_count == l->edges_cap) {
        uint32_t cap = l->edges_cap;
        f->edges = array_room(l->arena, f->edges, f->edges_count, &l->edges_cap, sizeof *f->edges);
        l->edge_refs =
            array_room(l->arena, l->edge_refs, f->edges_count, &cap, sizeof *l->edge_refs);
    }
    Edge *edge = &f->edges[f->edges_count];
    EdgeRefs *refs = &l->edge_refs[f->edges_count++];
    *edge = (Edge){.line = xml_line(e), .from = NONE, .to = NONE};
    refs->from = xml_unprefixed(xml_attribute(e, S("sourceRef"), l->arena));
    refs->to = xml_unprefixed(xml_attribute(e, S("targetRef"), l->arena));
    edge->name_en = yz_attribute(l, e, S("name_en"));
    Status status = id_read(l, e, &edge->id, &edge->name);
    for (const xmlNode *c = xml_first(e); c && !status; c = xml_next(c)) {
        if (xml_space(c->ns) != XML_BPMN || child_means_nothing(xml_local(c))) continue;
        if (!str_eq(xml_local(c), S("conditionExpression")) || edge->condition)
            return refuse(l, c, "{1}（{2}）：不支持这个元素");
        status = expression_element(l, c, &edge->condition);
    }
    return status;
}

static bool part_means_nothing(Str local) {
    static const Str names[] = {
        S_INIT("documentation"),
        S_INIT("extensionElements"),
        S_INIT("laneSet"),
        S_INIT("textAnnotation"),
        S_INIT("association"),
        S_INIT("group"),
        S_INIT("dataObject"),
        S_INIT("dataObjectReference"),
        S_INIT("dataStoreReference"),
        S_INIT("property"),
        S_INIT("ioSpecification"),
        S_INIT("auditing"),
        S_INIT("monitoring"),
        S_INIT("supports"),
    };
    return IS_ONE_OF(local, names);
}

static bool is_part(const xmlNode *e) {
    Str local = xml_local(e);
    return kind_of(local) != NODE_KINDS || str_eq(local, S("sequenceFlow")) ||
           (part_means_nothing(local) && !child_means_nothing(local));
}

static Status part_read(Load *l, const xmlNode *e, uint32_t parent) {
    Str local = xml_local(e);
    NodeKind kind = kind_of(local);
    if (kind != NODE_KINDS) return node_read(l, e, kind, parent);
    if (str_eq(local, S("sequenceFlow"))) return edge_read(l, e);
    if (part_means_nothing(local)) return OK;
    if (parent != 0 && (child_means_nothing(local) || str_ends(local, S("Characteristics"))))
        return OK; // read with the sub-process itself
    if (str_eq(local, S("task")))
        return refuse(l, e, "{1}（{2}）：请写明任务的种类（用户、人工、服务、脚本等）");
    return refuse(l, e, "{1}（{2}）：不支持这个元素");
}

// As deep as the XML may be.
static Status parts_read(Load *l, const xmlNode *e, uint32_t parent) {
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c)) {
        if (xml_space(c->ns) != XML_BPMN) continue;
        uint32_t before = l->flow->nodes_count;
        Status status = part_read(l, c, parent);
        if (!status && l->flow->nodes_count > before &&
            l->flow->nodes[before].kind == NODE_SUBPROCESS)
            status = parts_read(l, c, before);
        if (status) return status;
    }
    return OK;
}

// Declarations anywhere: messages and signals at the top, data in processes and tasks.
static Status declarations_read(Load *l, const xmlNode *e) {
    static const Str data[] = {S_INIT("dataObject"), S_INIT("property"), S_INIT("dataInput"),
                               S_INIT("dataOutput"), S_INIT("dataObjectReference")};
    for (const xmlNode *c = xml_first(e); c; c = xml_next(c)) {
        if (xml_space(c->ns) != XML_BPMN) continue;
        Str local = xml_local(c);
        Status status = OK;
        if (str_eq(local, S("message"))) status = named_add(l, c, EVENT_MESSAGE);
        else if (str_eq(local, S("signal"))) status = named_add(l, c, EVENT_SIGNAL);
        else if (IS_ONE_OF(local, data)) status = named_add(l, c, EVENT_NONE);
        if (!status) status = declarations_read(l, c);
        if (status) return status;
    }
    return OK;
}

// References

static uint32_t *slots_make(Arena *a, uint32_t count, uint32_t *ret_mask) {
    uint32_t size = 16;
    while (size < 2 * count) size *= 2;
    uint32_t *slots = arena_alloc_n(a, size, sizeof *slots);
    memset(slots, 0xff, size * sizeof *slots);
    *ret_mask = size - 1;
    return slots;
}

uint32_t flow_node(const Flow *f, Str id) {
    for (uint32_t at = (uint32_t)str_hash(id) & f->slots_mask;; at = (at + 1) & f->slots_mask) {
        uint32_t node = f->slots[at];
        if (node == NONE || str_eq(f->nodes[node].id, id)) return node;
    }
}

uint32_t flow_edge(const Flow *f, Str id) {
    for (uint32_t at = (uint32_t)str_hash(id) & f->edge_slots_mask;;
         at = (at + 1) & f->edge_slots_mask) {
        uint32_t edge = f->edge_slots[at];
        if (edge == NONE || str_eq(f->edges[edge].id, id)) return edge;
    }
}

#define refuse_at(l, line, text, ...) \
    refuse_line((l), (line), "" text, (Str[ERROR_ARGS]){__VA_ARGS__})
static Status refuse_line(Load *l, uint32_t at, const char *text, const Str args[ERROR_ARGS]) {
    char line[16];
    (void)snprintf(line, sizeof line, "%u", at);
    return error_fill(l->err, INVALID, str_z(line), text, args);
}

static Status index_make(Load *l) {
    Flow *f = l->flow;
    f->slots = slots_make(l->arena, f->nodes_count, &f->slots_mask);
    f->edge_slots = slots_make(l->arena, f->edges_count, &f->edge_slots_mask);
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        Node *n = &f->nodes[i];
        if (flow_node(f, n->id) != NONE) return refuse_at(l, n->line, "id {1} 重复", n->id);
        uint32_t at = (uint32_t)str_hash(n->id) & f->slots_mask;
        while (f->slots[at] != NONE) at = (at + 1) & f->slots_mask;
        f->slots[at] = i;
    }
    for (uint32_t i = 0; i < f->edges_count; i++) {
        Edge *e = &f->edges[i];
        if (flow_edge(f, e->id) != NONE || flow_node(f, e->id) != NONE)
            return refuse_at(l, e->line, "id {1} 重复", e->id);
        uint32_t at = (uint32_t)str_hash(e->id) & f->edge_slots_mask;
        while (f->edge_slots[at] != NONE) at = (at + 1) & f->edge_slots_mask;
        f->edge_slots[at] = i;
    }
    return OK;
}

static Status edges_resolve(Load *l) {
    Flow *f = l->flow;
    for (uint32_t i = 0; i < f->edges_count; i++) {
        Edge *e = &f->edges[i];
        e->from = flow_node(f, l->edge_refs[i].from);
        e->to = flow_node(f, l->edge_refs[i].to);
        if (e->from == NONE || e->from == 0)
            return refuse_at(l, e->line, "顺序流 {1} 的起点 {2} 不存在", e->id,
                             l->edge_refs[i].from);
        if (e->to == NONE || e->to == 0)
            return refuse_at(l, e->line, "顺序流 {1} 的终点 {2} 不存在", e->id, l->edge_refs[i].to);
        if (f->nodes[e->from].parent != f->nodes[e->to].parent)
            return refuse_at(l, e->line, "顺序流 {1} 跨越了子流程的边界", e->id);
        f->nodes[e->from].out_count++;
        f->nodes[e->to].in_count++;
    }
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        Node *n = &f->nodes[i];
        n->in = arena_array(l->arena, uint32_t, n->in_count);
        n->out = arena_array(l->arena, uint32_t, n->out_count);
        n->in_count = n->out_count = 0;
    }
    for (uint32_t i = 0; i < f->edges_count; i++) {
        Node *from = &f->nodes[f->edges[i].from], *to = &f->nodes[f->edges[i].to];
        from->out[from->out_count++] = i;
        to->in[to->in_count++] = i;
    }
    return OK;
}

static Status boundary_resolve(Load *l, uint32_t node) {
    Flow *f = l->flow;
    Node *n = &f->nodes[node];
    uint32_t host = flow_node(f, l->node_refs[node].host);
    if (host == NONE || !node_is_activity(&f->nodes[host]) || f->nodes[host].parent != n->parent)
        return refuse_at(l, n->line, "边界事件 {1} 没有依附在同一层的任务或子流程上", n->id);
    n->host = host;
    f->nodes[host].boundary_count++;
    return OK;
}

// <incoming> and <outgoing> may be left out, but must not contradict the sequence flows.
static Status ends_check(Load *l, uint32_t node) {
    Flow *f = l->flow;
    for (const xmlNode *c = xml_first(l->node_refs[node].element); c; c = xml_next(c)) {
        bool in = xml_is(c, XML_BPMN, S("incoming"));
        if (!in && !xml_is(c, XML_BPMN, S("outgoing"))) continue;
        uint32_t edge = flow_edge(f, xml_unprefixed(xml_text(c, l->arena)));
        if (edge == NONE || (in ? f->edges[edge].to : f->edges[edge].from) != node)
            return refuse_at(l, xml_line(c), "{1} 的 incoming 或 outgoing 与顺序流不一致",
                             f->nodes[node].id);
    }
    return OK;
}

static Status nodes_resolve(Load *l) {
    Flow *f = l->flow;
    for (uint32_t i = 1; i < f->nodes_count; i++) {
        Node *n = &f->nodes[i];
        Status status = n->kind == NODE_BOUNDARY ? boundary_resolve(l, i) : OK;
        if (!status) status = ends_check(l, i);
        if (status) return status;
        if (!l->node_refs[i].fallback.len) continue;
        n->fallback = flow_edge(f, l->node_refs[i].fallback);
        if (n->fallback == NONE || f->edges[n->fallback].from != i)
            return refuse_at(l, n->line, "{1} 的默认出线 {2} 不是从它出发的", n->id,
                             l->node_refs[i].fallback);
    }
    for (uint32_t i = 1; i < f->nodes_count; i++) {
        Node *n = &f->nodes[i];
        n->boundary = arena_array(l->arena, uint32_t, n->boundary_count);
        n->boundary_count = 0;
    }
    for (uint32_t i = 1; i < f->nodes_count; i++) {
        if (f->nodes[i].kind != NODE_BOUNDARY) continue;
        Node *host = &f->nodes[f->nodes[i].host];
        host->boundary[host->boundary_count++] = i;
    }
    return OK;
}

// The whole

static const xmlNode *process_find(Load *l, const xmlNode *definitions) {
    for (const xmlNode *c = xml_first(definitions); c; c = xml_next(c))
        if (xml_is(c, XML_BPMN, S("process")) && xml_flag(c, S("isExecutable"), false, l->arena))
            return c;
    return NULL;
}

static Status model_read(Load *l, const xmlDoc *doc) {
    const xmlNode *definitions = xmlDocGetRootElement(doc);
    if (!xml_is(definitions, XML_BPMN, S("definitions")))
        return refuse(l, definitions, "{1}：不是 BPMN 2.0 的 definitions");
    const xmlNode *import = xml_child(definitions, XML_BPMN, S("import"));
    if (import) return refuse(l, import, "{1}（{2}）：不支持引入别的文件");
    const xmlNode *process = process_find(l, definitions);
    if (!process) return refuse(l, definitions, "{1}：没有可执行的流程（isExecutable=\"true\"）");
    Node *root = node_new(l, process, NODE_PROCESS, 0);
    Status status = id_read(l, process, &root->id, &root->name);
    if (!status) status = attributes_read(l, process, root);
    if (!status) status = declarations_read(l, definitions);
    if (!status) status = parts_read(l, process, 0);
    if (!status) status = index_make(l);
    if (!status) status = edges_resolve(l);
    if (!status) status = nodes_resolve(l);
    if (!status) status = flow_lint(l->flow, l->err);
    if (status) return status;
    flow_read_drawing(l->flow, definitions, l->arena);
    flow_layout(l->flow);
    return OK;
}

// A full arena jumps; the document is not in it and must be freed first.
static Status model_read_guarded(Load *l, const xmlDoc *doc) {
    jmp_buf env;
    jmp_buf *outer = arena_on_limit(l->arena, &env);
    Status status;
    if (setjmp(env)) status = error_set(l->err, LIMIT, S(""), "流程文件太大，超过了内存限度");
    else status = model_read(l, doc);
    (void)arena_on_limit(l->arena, outer);
    return status;
}

Status flow_load(Str xml, Arena *a, const Flow **ret, Error *err) {
    xmlDoc *doc = NULL;
    Status status = xml_read(xml, &doc, err);
    if (status) return status;
    Load l = {.flow = arena_new(a, Flow), .arena = a, .err = err};
    l.flow->arena = a;
    status = model_read_guarded(&l, doc);
    xmlFreeDoc(doc);
    if (status) return status;
    *ret = l.flow;
    return OK;
}
