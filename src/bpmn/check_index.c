// The structure of a file, found once before the rules look at it: which sequence and message flows
// lead where, and the small questions many rules ask.
#include "bpmn/check_rules.h"

static size_t count_elements(const CheckFile *f, MetaName name) {
    size_t n = 0;
    for (const DocumentNode *e = f->root; e; e = document_walk(e, f->root)) n += e->name == name;
    return n;
}

static void index_edge(CheckFile *f, const DocumentNode *flow) {
    const uint32_t i = (uint32_t)f->edges_count++;
    CheckEdge *e = &f->edges[i];
    e->flow = flow;
    e->source = check_id(f, document_attribute(flow, S("sourceRef")));
    e->target = check_id(f, document_attribute(flow, S("targetRef")));
    e->next_out = e->next_in = CHECK_NO_EDGE;
    if (e->source) {
        CheckInfo *info = &f->infos[e->source->order];
        e->next_out = info->first_out;
        info->first_out = i;
        info->outs++;
    }
    if (e->target) {
        CheckInfo *info = &f->infos[e->target->order];
        e->next_in = info->first_in;
        info->first_in = i;
        info->ins++;
    }
}

// The ends of a message flow may lie in another file; only those in this one are noted with it.
static void index_message(Check *c, CheckFile *f, const DocumentNode *flow) {
    CheckEdge *e = &f->messages[f->messages_count++];
    const CheckFile *source_file = NULL, *target_file = NULL;
    *e = (CheckEdge){.flow = flow};
    if (check_resolve(c, flow, document_attribute(flow, S("sourceRef")), &e->source,
                      &source_file) == CHECK_FOUND) {
        CheckInfo *info = &source_file->infos[e->source->order];
        if (!info->message_out) info->message_out = flow;
    }
    if (check_resolve(c, flow, document_attribute(flow, S("targetRef")), &e->target,
                      &target_file) == CHECK_FOUND) {
        CheckInfo *info = &target_file->infos[e->target->order];
        if (!info->message_in) info->message_in = flow;
    }
}

static void index_tie(Check *c, CheckFile *f, const DocumentNode *n) {
    f->ties[f->ties_count++] = (CheckEdge){
        .flow = n,
        .source = check_ref_attribute(c, n, S("sourceRef")),
        .target = check_ref_attribute(c, n, S("targetRef")),
    };
}

static void index_other(Check *c, CheckFile *f, const DocumentNode *n) {
    if (n->name == EL_linkEventDefinition) f->links[f->links_count++] = n;
    if (n->name == EL_boundaryEvent) {
        const CheckFile *file = NULL;
        const DocumentNode *host = NULL;
        if (check_resolve(c, n, document_attribute(n, S("attachedToRef")), &host, &file) ==
                CHECK_FOUND &&
            !file->infos[host->order].boundary)
            file->infos[host->order].boundary = n;
    }
    if (n->name == EL_eventDefinitionRef) {
        const DocumentNode *to = NULL;
        const CheckFile *file = NULL;
        if (check_resolve(c, n, document_text(n, c->arena), &to, &file) == CHECK_FOUND)
            file->infos[to->order].thrown_elsewhere = true;
    }
}

void check_index(Check *c, CheckFile *f) {
    c->file = f;
    f->ties = arena_array(c->arena, CheckEdge, count_elements(f, EL_association));
    f->links = arena_array(c->arena, const DocumentNode *,
                           count_elements(f, EL_linkEventDefinition));
    f->edges = arena_array(c->arena, CheckEdge, count_elements(f, EL_sequenceFlow));
    f->messages = arena_array(c->arena, CheckEdge, count_elements(f, EL_messageFlow));
    for (size_t i = 0; i < f->document->elements; i++)
        f->infos[i].first_out = f->infos[i].first_in = CHECK_NO_EDGE;
    for (const DocumentNode *n = f->root; n; n = document_walk(n, f->root)) {
        if (n->name == EL_sequenceFlow) index_edge(f, n);
        if (n->name == EL_messageFlow) index_message(c, f, n);
        if (n->name == EL_association) index_tie(c, f, n);
        index_other(c, f, n);
    }
}

size_t check_children(const Check *c, const DocumentNode *n, MetaName name) {
    size_t count = 0;
    for (const DocumentNode *e = document_first(n); e && check_spend(c, 1); e = document_next(e))
        count += e->name == name;
    return count;
}

bool check_lists(const Check *c, const DocumentNode *n, MetaName child, Str text) {
    for (const DocumentNode *e = document_first(n); e && check_spend(c, 1); e = document_next(e))
        if (e->name == child && str_eq(document_text(e, c->arena), text)) return true;
    return false;
}

static size_t most(size_t a, size_t b) { return a > b ? a : b; }

size_t check_ins(const Check *c, const DocumentNode *n) {
    return most(check_info(c, n)->ins, check_children(c, n, EL_incoming));
}

size_t check_outs(const Check *c, const DocumentNode *n) {
    return most(check_info(c, n)->outs, check_children(c, n, EL_outgoing));
}

static unsigned definition_kind(const DocumentNode *n) {
    switch (n->name) {
    case EL_messageEventDefinition: return DEF_MESSAGE;
    case EL_timerEventDefinition: return DEF_TIMER;
    case EL_conditionalEventDefinition: return DEF_CONDITIONAL;
    case EL_signalEventDefinition: return DEF_SIGNAL;
    case EL_errorEventDefinition: return DEF_ERROR;
    case EL_escalationEventDefinition: return DEF_ESCALATION;
    case EL_cancelEventDefinition: return DEF_CANCEL;
    case EL_compensateEventDefinition: return DEF_COMPENSATE;
    case EL_linkEventDefinition: return DEF_LINK;
    case EL_terminateEventDefinition: return DEF_TERMINATE;
    default: return 0;
    }
}

unsigned check_definitions(const Check *c, const DocumentNode *event) {
    unsigned kinds = 0;
    for (const DocumentNode *e = document_first(event); e && check_spend(c, 1);
         e = document_next(e)) {
        if (e->name == EL_eventDefinitionRef) {
            const DocumentNode *to = check_ref(c, e, document_text(e, c->arena));
            if (to) kinds |= definition_kind(to);
        } else {
            kinds |= definition_kind(e);
        }
    }
    return kinds;
}

const DocumentNode *check_process(const DocumentNode *n) {
    while (n && n->name != EL_process) n = n->parent;
    return n;
}

bool check_executable(const DocumentNode *n) {
    const DocumentNode *p = check_process(n);
    return p && document_flag(p, S("isExecutable"), false);
}

bool check_is_informal(const DocumentNode *expression) {
    return expression && check_type(expression) == meta_type(T_EXPRESSION);
}

const DocumentNode *check_item(const Check *c, const DocumentNode *n) {
    if (!n) return NULL;
    if (n->name == EL_itemDefinition) return n;
    Str attribute = S("itemSubjectRef");
    if (n->name == EL_message) attribute = S("itemRef");
    if (n->name == EL_signal || n->name == EL_error || n->name == EL_escalation)
        attribute = S("structureRef");
    const DocumentNode *item = check_ref_attribute(c, n, attribute);
    if (!item && n->name == EL_dataObjectReference)
        return check_item(c, check_id(c->file, document_attribute(n, S("dataObjectRef"))));
    if (!item && n->name == EL_dataStoreReference)
        return check_item(c, check_ref_attribute(c, n, S("dataStoreRef")));
    return item && item->name == EL_itemDefinition ? item : NULL;
}

bool check_items_equal(const DocumentNode *l, const DocumentNode *r) {
    if (!l || !r) return false;
    if (l == r) return true;
    const Str structure = document_attribute(l, S("structureRef"));
    return structure.len && str_eq(structure, document_attribute(r, S("structureRef"))) &&
           document_flag(l, S("isCollection"), false) ==
               document_flag(r, S("isCollection"), false);
}
