// The portal's front: home, search and lists of items, the guide of one item (办事指南). Public, and
// the same for everybody.
#include "base/embed.h"
#include "pages/page_tools.h"

enum { HOME_ITEMS = 8, HOME_RECENT_CASES = 2000, SUGGESTIONS = 8, TOPICS_MEMORY_MAX = 1 << 20 };

// ---- topics (life events) --------------------------------------------------------------------

static Status topics(const Request *rq, Value *ret, Error *err) {
    const EmbeddedFile *file = embed_find(S("county/topics.json"));
    Value all = v_null();
    ListBuilder list = list_make(rq->arena);
    if (!file) {
        *ret = list_done(&list);
        return OK;
    }
    Status st = json_parse(file->data, JSON_STRICT, (JsonLimits){0}, rq->arena, &all, err);
    if (st != OK) return st;
    all = v_get_lit(all, "topics");
    for (size_t i = 0; i < all.len; i++) {
        Value t = v_at(all, i);
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "code", v_get_lit(t, "code"));
        context_put_lit(&b, "name", page_named(rq, t, S("name"), S("name_en")));
        context_put_lit(&b, "icon", v_get_lit(t, "icon"));
        context_put_lit(&b, "audience", v_get_lit(t, "audience"));
        list_add(&list, context_done(&b));
    }
    *ret = list_done(&list);
    return OK;
}

static Value topics_of(const Request *rq, Value all, Str audience) {
    ListBuilder list = list_make(rq->arena);
    for (size_t i = 0; i < all.len; i++) {
        Str has = v_text(v_get_lit(v_at(all, i), "audience"));
        if (str_eq(has, audience) || str_eq(has, S("both"))) list_add(&list, v_at(all, i));
    }
    return list_done(&list);
}

static Value topic_name(Value all, Str code) {
    for (size_t i = 0; i < all.len; i++) {
        Value t = v_at(all, i);
        if (str_eq(v_text(v_get_lit(t, "code")), code)) return v_get_lit(t, "name");
    }
    return v_null();
}

// ---- items -----------------------------------------------------------------------------------

static const char *kind_name(int64_t kind) {
    switch (kind) {
    case 1: return T("即办件");
    case 3: return T("联办件");
    case 4: return T("上报件");
    default: return T("承诺件");
    }
}

static Value audience_names(const Request *rq, int64_t bits) {
    ListBuilder list = list_make(rq->arena);
    if (bits & 1) list_add(&list, v_str(request_tr(rq, T("个人"))));
    if (bits & 2) list_add(&list, v_str(request_tr(rq, T("企业和其他组织"))));
    return list_done(&list);
}

static Value item_row(const Request *rq, Value row) {
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "code", v_get_lit(row, "code"));
    context_put_lit(&b, "name", page_named(rq, row, S("name"), S("name_en")));
    context_put_lit(&b, "unit", v_get_lit(row, "unit"));
    context_put_lit(&b, "unit_name", page_named(rq, row, S("unit_name"), S("unit_name_en")));
    context_put_lit(&b, "power", v_get_lit(row, "power"));
    int64_t kind = v_to_int(v_get_lit(row, "kind"), 2);
    context_put_lit(&b, "kind", v_int(kind));
    context_put_lit(&b, "kind_name", v_str(str_z(kind_name(kind))));
    context_put_lit(&b, "bundle", v_bool(v_to_int(v_get_lit(row, "bundle"), 0) != 0));
    context_put_lit(&b, "who", audience_names(rq, v_to_int(v_get_lit(row, "audience"), 3)));
    return context_done(&b);
}

static Value item_rows(const Request *rq, Value rows) {
    ListBuilder list = list_make(rq->arena);
    for (size_t i = 0; i < rows.len; i++) list_add(&list, item_row(rq, v_at(rows, i)));
    return list_done(&list);
}

static Status search(const Request *rq, Value filter, Value *ret, Error *err) {
    Status st = item_search(rq->db, filter, rq->arena, ret, err);
    if (st != OK) return st;
    *ret = v_with(*ret, S("rows"), item_rows(rq, v_get_lit(*ret, "rows")), rq->arena);
    return OK;
}

// What people applied for most among the latest cases; a fresh county shows the first
// item of each of its units.
static Status popular(const Request *rq, Value *ret, Error *err) {
    Query *q = query(rq->db,
                     "SELECT i.code, i.name, i.name_en, u.code AS unit, u.name AS unit_name,"
                     " u.name_en AS unit_name_en, i.power, i.case_kind AS kind, i.audience,"
                     " i.is_bundle AS bundle FROM (SELECT item_id, COUNT(*) AS n FROM"
                     " (SELECT item_id FROM cases ORDER BY id DESC LIMIT ?1) AS latest"
                     " GROUP BY item_id) AS most JOIN item i ON i.id = most.item_id"
                     " JOIN unit u ON u.id = i.unit_id WHERE i.state = 1 AND i.audience > 0"
                     " ORDER BY most.n DESC, i.sort, i.id LIMIT ?2");
    query_int(q, 1, HOME_RECENT_CASES);
    query_int(q, 2, HOME_ITEMS);
    Value rows;
    Status st = query_rows(q, rq->arena, &rows, err);
    if (st != OK) return st;
    if (rows.len >= HOME_ITEMS / 2) {
        *ret = item_rows(rq, rows);
        return OK;
    }
    q = query(rq->db, "SELECT i.code, i.name, i.name_en, u.code AS unit, u.name AS unit_name,"
                      " u.name_en AS unit_name_en, i.power, i.case_kind AS kind, i.audience,"
                      " i.is_bundle AS bundle FROM item i JOIN unit u ON u.id = i.unit_id"
                      " WHERE i.id IN (SELECT MIN(id) FROM item WHERE state = 1 AND audience > 0"
                      " GROUP BY unit_id)"
                      " ORDER BY i.id LIMIT ?1");
    query_int(q, 1, HOME_ITEMS);
    st = query_rows(q, rq->arena, &rows, err);
    if (st == OK) *ret = item_rows(rq, rows);
    return st;
}

static Status bundles(const Request *rq, Value *ret, Error *err) {
    ContextBuilder filter = context_make(rq->arena);
    context_put_lit(&filter, "bundle", v_bool(true));
    context_put_lit(&filter, "page_size", v_int(HOME_ITEMS));
    Value found;
    Status st = search(rq, context_done(&filter), &found, err);
    if (st == OK) *ret = v_get_lit(found, "rows");
    return st;
}

// Departments and towns that have items of their own.
static Status units(const Request *rq, Str kind, Value *ret, Error *err) {
    Query *q = query(rq->db, "SELECT u.code, u.name, u.name_en, COUNT(i.id) AS count FROM unit u"
                             " JOIN item i ON i.unit_id = u.id AND i.state = 1 AND i.audience > 0"
                             " WHERE (?1 = 'town' AND u.kind = 'town') OR"
                             " (?1 <> 'town' AND u.kind <> 'town')"
                             " GROUP BY u.id, u.code, u.name, u.name_en, u.sort"
                             " ORDER BY u.sort, u.id");
    query_str(q, 1, kind);
    Value rows;
    Status st = query_rows(q, rq->arena, &rows, err);
    if (st != OK) return st;
    ListBuilder list = list_make(rq->arena);
    for (size_t i = 0; i < rows.len; i++) {
        Value row = v_at(rows, i);
        list_add(&list, v_with(row, S("name"), page_named(rq, row, S("name"), S("name_en")),
                               rq->arena));
    }
    *ret = list_done(&list);
    return OK;
}

// ---- pages -----------------------------------------------------------------------------------

static Status home(Request *rq, Reply *reply, Errors *errs) {
    Value all, items, things, departments, towns;
    PAGE_TRY(errs, topics(rq, &all, &e));
    PAGE_TRY(errs, popular(rq, &items, &e));
    PAGE_TRY(errs, bundles(rq, &things, &e));
    PAGE_TRY(errs, units(rq, S("department"), &departments, &e));
    PAGE_TRY(errs, units(rq, S("town"), &towns, &e));
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "popular", items);
    context_put_lit(&b, "bundles", things);
    context_put_lit(&b, "topics_natural", topics_of(rq, all, S("natural")));
    context_put_lit(&b, "topics_legal", topics_of(rq, all, S("legal")));
    context_put_lit(&b, "departments", departments);
    context_put_lit(&b, "towns", towns);
    reply_page(rq, reply, "portal", context_done(&b));
    return OK;
}

static const char *const filter_names[] = {"q", "unit", "audience", "life_event", "kind", "bundle"};

// The filter of the address, for the search and for making addresses of it.
static Value filter_of(const Request *rq, bool with_page) {
    ContextBuilder b = context_make(rq->arena);
    for (size_t i = 0; i < sizeof filter_names / sizeof *filter_names; i++) {
        Str text = request_query(rq, str_z(filter_names[i]));
        if (text.len) context_put_new(&b, str_z(filter_names[i]), v_str(text));
    }
    Str page = request_query(rq, S("page"));
    if (with_page && page.len) context_put_lit(&b, "page", v_str(page));
    return context_done(&b);
}

static void put_pages(const Request *rq, ContextBuilder *b, Value filter, Value found) {
    int64_t page = v_to_int(v_get_lit(found, "page"), 1);
    int64_t pages = v_to_int(v_get_lit(found, "pages"), 1);
    if (page > 1) {
        Value to = v_with(filter, S("page"), v_int(page - 1), rq->arena);
        context_put_lit(b, "prev_href", v_str(page_href(rq->arena, S("/items"), to)));
    }
    if (page < pages) {
        Value to = v_with(filter, S("page"), v_int(page + 1), rq->arena);
        context_put_lit(b, "next_href", v_str(page_href(rq->arena, S("/items"), to)));
    }
}

static void mark_selected(const Request *rq, Value *list, Str code) {
    ListBuilder out = list_make(rq->arena);
    for (size_t i = 0; i < list->len; i++) {
        Value one = v_at(*list, i);
        bool is = code.len && str_eq(v_text(v_get_lit(one, "code")), code);
        list_add(&out, v_with(one, S("selected"), v_bool(is), rq->arena));
    }
    *list = list_done(&out);
}

static Status items(Request *rq, Reply *reply, Errors *errs) {
    Value found, all, departments, filter = filter_of(rq, false);
    PAGE_TRY(errs, search(rq, filter_of(rq, true), &found, &e));
    PAGE_TRY(errs, topics(rq, &all, &e));
    PAGE_TRY(errs, units(rq, S("department"), &departments, &e));
    Str unit = request_query(rq, S("unit")), event = request_query(rq, S("life_event"));
    Value topic = topic_name(all, event);
    mark_selected(rq, &departments, unit);
    mark_selected(rq, &all, event);
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "filter", filter);
    context_put_lit(&b, "topic", topic);
    context_put_lit(&b, "topics", all);
    context_put_lit(&b, "departments", departments);
    put_pages(rq, &b, filter, found);
    Value model = v_merge(found, context_done(&b), rq->arena);
    // Typing in the search field asks for the list alone.
    reply_page(rq, reply, rq->htmx ? "items_list" : "items", model);
    return OK;
}

// ---- the guide of one item -------------------------------------------------------------------

static void put_text(const Request *rq, ContextBuilder *b, Value spec, const char *zh,
                     const char *en) {
    Value v = page_named(rq, spec, str_z(zh), str_z(en));
    context_put(b, str_z(zh), v);
}

static Value guide_materials(const Request *rq, const Item *item) {
    ListBuilder list = list_make(rq->arena);
    for (size_t i = 0; i < item->materials_count; i++) {
        Value m = item->materials[i].spec;
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "code", v_get_lit(m, "code"));
        put_text(rq, &b, m, "name", "name_en");
        put_text(rq, &b, m, "form", "form_en");
        put_text(rq, &b, m, "source", "source_en");
        put_text(rq, &b, m, "standard", "standard_en");
        put_text(rq, &b, m, "waived_by", "waived_by_en");
        context_put_lit(&b, "legal_basis", v_get_lit(m, "legal_basis"));
        context_put_lit(&b, "copies", v_get_lit(m, "copies"));
        context_put_lit(&b, "accept", v_get_lit(m, "accept"));
        // With a guide, what is needed depends on the answers.
        context_put_lit(&b, "required", v_bool(item->materials[i].required && !item->guide));
        context_put_lit(&b, "tolerable", v_bool(item->materials[i].tolerable));
        context_put_lit(&b, "waivable", v_bool(item->materials[i].waivable));
        list_add(&list, context_done(&b));
    }
    return list_done(&list);
}

static Status guide_units(const Request *rq, const Item *item, ContextBuilder *b, Error *err) {
    Query *q = query(rq->db, "SELECT code, name, name_en FROM unit WHERE id = ?1");
    query_int(q, 1, item->unit_id);
    Value row;
    Status st = query_row(q, rq->arena, &row, err);
    if (st != OK) return st;
    context_put_lit(b, "unit", v_get_lit(row, "code"));
    context_put_lit(b, "unit_name", page_named(rq, row, S("name"), S("name_en")));
    Value joint = v_get_lit(item->spec, "joint_units");
    ListBuilder list = list_make(rq->arena);
    for (size_t i = 0; joint.kind == V_LIST && i < joint.len; i++) {
        q = query(rq->db, "SELECT code, name, name_en FROM unit WHERE code = ?1");
        query_str(q, 1, v_text(v_at(joint, i)));
        Value rows;
        st = query_rows(q, rq->arena, &rows, err);
        if (st != OK) return st;
        if (rows.len) list_add(&list, page_named(rq, v_at(rows, 0), S("name"), S("name_en")));
    }
    context_put_lit(b, "joint_unit_names", list_done(&list));
    return OK;
}

// Names of the steps in the order of the drawing, for those who can't see it.
static Value guide_steps(const Request *rq, const Item *item) {
    Value nodes = v_get_lit(flow_outline(item->flow, rq->arena), "nodes");
    ListBuilder list = list_make(rq->arena);
    for (size_t i = 0; i < nodes.len; i++) {
        Value node = v_at(nodes, i);
        Str kind = v_text(v_get_lit(node, "kind"));
        if (str_find(kind, S("ask")) < 0 || str_eq(kind, S("serviceTask"))) continue;
        Value en = v_get_lit(v_get_lit(node, "attributes"), "name_en");
        bool use = str_eq(rq->lang, S("en")) && v_text(en).len;
        list_add(&list, use ? en : v_get_lit(node, "name"));
    }
    return list_done(&list);
}

static void guide_facts(const Request *rq, const Item *item, ContextBuilder *b) {
    static const struct {
        const char *zh, *en;
    } texts[] = {
        {"name", "name_en"}, {"condition", "condition_en"}, {"fee", "fee_en"},
        {"fee_basis", "fee_basis_en"}, {"area", "area_en"},
        {"service_objects", "service_objects_en"},
    };
    Value spec = item->spec, result = v_get_lit(spec, "result");
    Value contact = v_get_lit(spec, "contact");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        put_text(rq, b, spec, texts[i].zh, texts[i].en);
    }
    static const char *const plain[] = {"code",   "basic_code", "power",    "legal_basis", "visits",
                                        "bookable", "express",  "questions", "special_procedures",
                                        "parts",  "bundle"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        context_put(b, str_z(plain[i]), v_get(spec, str_z(plain[i])));
    }
    context_put_lit(b, "version", v_int(item->version));
    context_put_lit(b, "case_kind", v_int(item->case_kind));
    context_put_lit(b, "kind_name", v_str(str_z(kind_name(item->case_kind))));
    context_put_lit(b, "statutory_days", v_int(item->statutory_days));
    context_put_lit(b, "promised_days", v_int(item->promised_days));
    context_put_lit(b, "result_name", page_named(rq, result, S("name"), S("name_en")));
    context_put_lit(b, "result_kind", v_get_lit(result, "kind"));
    context_put_lit(b, "valid_months", v_get_lit(result, "valid_months"));
    context_put_lit(b, "phone", v_get_lit(contact, "phone"));
    context_put_lit(b, "supervision", v_get_lit(contact, "supervision"));
    context_put_lit(b, "place", page_named(rq, contact, S("address"), S("address_en")));
    context_put_lit(b, "hours", page_named(rq, contact, S("hours"), S("hours_en")));
    Value audience = v_get_lit(spec, "audience");
    int64_t bits = 0;
    for (size_t i = 0; audience.kind == V_LIST && i < audience.len; i++) {
        bits |= str_eq(v_text(v_at(audience, i)), S("legal")) ? 2 : 1;
    }
    context_put_lit(b, "who", audience_names(rq, bits ? bits : 3));
}

static Value guide_parts(const Request *rq, const Item *item) {
    Value parts = v_get_lit(item->spec, "parts");
    ListBuilder list = list_make(rq->arena);
    for (size_t i = 0; parts.kind == V_LIST && i < parts.len; i++) {
        list_add(&list, page_named(rq, v_at(parts, i), S("name"), S("name_en")));
    }
    return list_done(&list);
}

static Status guide(Request *rq, Reply *reply, Errors *errs) {
    const Item *item;
    PAGE_TRY(errs, item_by_code(page_items(), rq->db, rq->params[0], &item, &e));
    if (v_true(v_get_lit(item->spec, "internal"))) {
        return errors_add(errs, NOT_FOUND, S("code"), "没有这个事项");
    }
    ContextBuilder b = context_make(rq->arena);
    guide_facts(rq, item, &b);
    PAGE_TRY(errs, guide_units(rq, item, &b, &e));
    Str svg;
    PAGE_TRY(errs, flow_draw(item->flow, v_null(), v_null(), rq->lang, rq->arena, &svg, &e));
    context_put_lit(&b, "materials", guide_materials(rq, item));
    context_put_lit(&b, "steps", guide_steps(rq, item));
    context_put(&b, S("parts"), guide_parts(rq, item));
    reply_page(rq, reply, "item", context_done(&b));
    reply->model = v_with(reply->model, S("flow_svg"), page_raw(svg), rq->arena);
    return OK;
}

const Route portal_routes[] = {
    {METHOD_GET, "/", ROLE_PUBLIC, home, NULL, false},
    {METHOD_GET, "/items", ROLE_PUBLIC, items, NULL, false},
    {METHOD_GET, "/items/:code", ROLE_PUBLIC, guide, NULL, false},
};
const size_t portal_routes_count = sizeof portal_routes / sizeof *portal_routes;
