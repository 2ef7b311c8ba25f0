// My cases: what the person who is logged in has applied for, newest first.
#include "pages/page_tools.h"

static Value localized_row(const Request *rq, Value row) {
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "item_name", page_named(rq, row, S("item"), S("item_en")));
    context_put_lit(&b, "unit_name", page_named(rq, row, S("unit"), S("unit_en")));
    return v_merge(row, context_done(&b), rq->arena);
}

static Status my(Request *rq, Reply *reply, Errors *errs) {
    ContextBuilder filter = context_make(rq->arena);
    context_put_lit(&filter, "mine", v_bool(true));
    Str after = request_query(rq, S("after")), state = request_query(rq, S("state"));
    if (after.len) context_put_lit(&filter, "after", v_str(after));
    if (state.len) context_put_lit(&filter, "state", v_str(state));
    Value found;
    PAGE_TRY(errs, case_list(page_cases(), rq->db, &rq->actor, context_done(&filter), rq->now,
                             rq->arena, &found, &e));
    Value rows = v_get_lit(found, "rows");
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < rows.len; i++) list_add(&list, localized_row(rq, v_at(rows, i)));
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "rows", list_done(&list));
    context_put_lit(&b, "state", v_str(state));
    int64_t next = v_to_int(v_get_lit(found, "next"), 0);
    if (next) {
        ContextBuilder to = context_make(rq->arena);
        context_put_lit(&to, "state", v_str(state));
        context_put_lit(&to, "after", v_int(next));
        context_put_lit(&b, "next_href",
                        v_str(page_href(rq->arena, S("/my"), context_done(&to))));
    }
    reply_page(rq, reply, "my", v_merge(found, context_done(&b), rq->arena));
    return OK;
}

const Route my_routes[] = {
    {METHOD_GET, "/my", ROLES_APPLICANT, my, NULL, false},
};
const size_t my_routes_count = sizeof my_routes / sizeof *my_routes;
