// The outline of a flow as data: its nodes and edges in document order, for pages and checks.
#include "bpmn/model.h"

static Value points_value(const Point *points, uint32_t count, Arena *a) {
    ListBuilder list = list_make(a);
    for (uint32_t i = 0; i < count; i++) {
        ContextBuilder p = context_make(a);
        context_put_new(&p, S("x"), v_int(points[i].x));
        context_put_new(&p, S("y"), v_int(points[i].y));
        list_add(&list, context_done(&p));
    }
    return list_done(&list);
}

static Value box_value(const Box *box, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("x"), v_int(box->x));
    context_put_new(&b, S("y"), v_int(box->y));
    context_put_new(&b, S("w"), v_int(box->w));
    context_put_new(&b, S("h"), v_int(box->h));
    return context_done(&b);
}

static Value node_value(const Flow *f, const Node *n, Arena *a) {
    ContextBuilder attributes = context_make(a);
    for (uint32_t i = 0; i < n->attributes_count; i++)
        context_put(&attributes, n->attributes[i].name, v_str(n->attributes[i].text));
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("id"), v_str(n->id));
    context_put_new(&b, S("name"), v_str(n->name));
    context_put_new(&b, S("kind"), v_str(node_element(n)));
    context_put_new(&b, S("event"), v_str(event_name(n->event)));
    context_put_new(&b, S("message"), v_str(n->events_count ? n->events->name : S("")));
    const Node *parent = &f->nodes[n->parent];
    bool inner = parent->kind != NODE_PROCESS;
    if (n->process) context_put_new(&b, S("process"), v_str(f->nodes[n->process].id));
    context_put_new(&b, S("parent"), inner ? v_str(parent->id) : v_null());
    context_put_new(&b, S("attributes"), context_done(&attributes));
    context_put_new(&b, S("bounds"), box_value(&n->box, a));
    return context_done(&b);
}

// Names the flow declares or writes: its data objects and properties, what associations and scripts
// write, members and results of loops.
static Value variables_value(const Flow *f, Arena *a) {
    ContextBuilder names = context_make(a); // each once
    for (uint32_t i = 0; i < f->nodes_count; i++) {
        const Node *n = &f->nodes[i];
        for (uint32_t k = 0; k < n->locals_count; k++)
            context_put(&names, n->locals[k], v_bool(true));
        for (uint32_t k = 0; k < n->outputs_count; k++)
            context_put(&names, n->outputs[k].target, v_bool(true));
        if (n->result.len) context_put(&names, n->result, v_bool(true));
        Str of_loop[] = {n->multi ? n->multi->item : S(""), n->multi ? n->multi->results : S("")};
        for (size_t k = 0; k < 2; k++)
            if (of_loop[k].len) context_put(&names, of_loop[k], v_bool(true));
    }
    Value all = context_done(&names);
    ListBuilder list = list_make(a);
    for (uint32_t i = 0; i < all.len; i++) list_add(&list, v_str(all.as.entries[i].key));
    return list_done(&list);
}

Value flow_outline(const Flow *f, Arena *a) {
    ListBuilder nodes = list_make(a), edges = list_make(a);
    for (uint32_t i = 1; i < f->nodes_count; i++)
        if (f->nodes[i].kind != NODE_PROCESS) list_add(&nodes, node_value(f, &f->nodes[i], a));
    for (uint32_t i = 0; i < f->edges_count; i++) {
        const Edge *e = &f->edges[i];
        ContextBuilder b = context_make(a);
        context_put_new(&b, S("id"), v_str(e->id));
        context_put_new(&b, S("name"), v_str(e->name));
        context_put_new(&b, S("from"), v_str(f->nodes[e->from].id));
        context_put_new(&b, S("to"), v_str(f->nodes[e->to].id));
        context_put_new(&b, S("points"), points_value(e->points, e->points_count, a));
        list_add(&edges, context_done(&b));
    }
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("id"), v_str(f->nodes[0].id));
    context_put_new(&b, S("name"), v_str(f->nodes[0].name));
    context_put_new(&b, S("nodes"), list_done(&nodes));
    context_put_new(&b, S("edges"), list_done(&edges));
    context_put_new(&b, S("variables"), variables_value(f, a));
    return context_done(&b);
}
