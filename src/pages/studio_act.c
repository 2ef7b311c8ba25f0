// What is done to a draft from its room: saving (by its script), and the forms that hand it on,
// take it back, approve, reject, bring it up to date or give it up. A refusal shows the room again
// with what was refused, in words.
#include "pages/studio.h"

static int64_t revision_of(const Request *rq) {
    int64_t revision = v_to_int(v_get_lit(rq->input, "revision"), 0);
    Str text = request_text(rq, S("revision"));
    if (text.len && !str_to_int(text, &revision)) revision = 0;
    return revision;
}

static ContextBuilder input_of(Request *rq) {
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "code", v_str(rq->params[0]));
    context_put_lit(&b, "revision", v_int(revision_of(rq)));
    return b;
}

static Status save_post(Request *rq, Reply *reply, Errors *errs) {
    ContextBuilder b = input_of(rq);
    Value files = v_get_lit(rq->input, "files");
    Value result;
    context_put_lit(&b, "files", files.kind == V_CONTEXT ? files : v_null());
    context_put_lit(&b, "summary", v_get_lit(rq->input, "summary"));
    Status st = request_command(rq, S("studio.save"), context_done(&b), &result, errs);
    if (st != OK) return st;
    if (rq->wants_json || rq->is_json) reply->model = result;
    else reply_redirect(reply, arena_printf(rq->arena, "/admin/studio/%.*s", S_FMT(rq->params[0])));
    return OK;
}

// Runs the command; then back to the room, or to the item when there is no draft any more.
static Status act(Request *rq, Reply *reply, Str command, ContextBuilder *b, bool leaves,
                  Errors *errs) {
    Value result;
    Errors wrong = errors_make(rq->arena);
    Status st = request_command(rq, command, context_done(b), &result, &wrong);
    if (st != OK && !rq->wants_json && st != NOT_FOUND && st != BUSY && st != NO_SPACE) {
        return studio_room(rq, reply, &wrong, errs);
    }
    if (st != OK) {
        for (size_t i = 0; i < wrong.count; i++) (void)errors_push(errs, &wrong.items[i]);
        return st;
    }
    if (rq->wants_json) reply->model = result;
    else {
        reply_redirect(reply, arena_printf(rq->arena, leaves ? "/admin/items/%.*s?done=1"
                                                             : "/admin/studio/%.*s",
                                           S_FMT(rq->params[0])));
    }
    return OK;
}

static Status submit_post(Request *rq, Reply *reply, Errors *errs) {
    ContextBuilder b = input_of(rq);
    context_put_lit(&b, "summary", v_str(request_text(rq, S("summary"))));
    return act(rq, reply, S("studio.submit"), &b, false, errs);
}

static Status recall_post(Request *rq, Reply *reply, Errors *errs) {
    ContextBuilder b = input_of(rq);
    return act(rq, reply, S("studio.recall"), &b, false, errs);
}

static Status approve_post(Request *rq, Reply *reply, Errors *errs) {
    ContextBuilder b = input_of(rq);
    context_put_lit(&b, "note", v_str(request_text(rq, S("note"))));
    return act(rq, reply, S("studio.approve"), &b, true, errs);
}

static Status reject_post(Request *rq, Reply *reply, Errors *errs) {
    ContextBuilder b = input_of(rq);
    context_put_lit(&b, "note", v_str(request_text(rq, S("note"))));
    return act(rq, reply, S("studio.reject"), &b, false, errs);
}

static Status discard_post(Request *rq, Reply *reply, Errors *errs) {
    ContextBuilder b = input_of(rq);
    return act(rq, reply, S("studio.discard"), &b, true, errs);
}

// Choices come as take.PATH=mine|theirs.
static Status rebase_post(Request *rq, Reply *reply, Errors *errs) {
    ContextBuilder b = input_of(rq), take = context_make(rq->arena);
    Value given = v_get_lit(rq->input, "take");
    for (uint32_t i = 0; rq->input.kind == V_CONTEXT && i < rq->input.len; i++) {
        const Entry *e = &rq->input.as.entries[i];
        if (str_starts(e->key, S("take."))) {
            context_put(&take, str_sub(e->key, 5, e->key.len), e->value);
        }
    }
    context_put_lit(&b, "take", given.kind == V_CONTEXT ? given : context_done(&take));
    return act(rq, reply, S("studio.rebase"), &b, false, errs);
}

const Route studio_act_routes[] = {
    {METHOD_POST, "/admin/studio/:code/save", ROLE_SYSADMIN, save_post, NULL, false},
    {METHOD_POST, "/admin/studio/:code/submit", ROLE_SYSADMIN, submit_post, NULL, false},
    {METHOD_POST, "/admin/studio/:code/recall", ROLE_SYSADMIN, recall_post, NULL, false},
    {METHOD_POST, "/admin/studio/:code/approve", ROLE_SYSADMIN, approve_post, NULL, false},
    {METHOD_POST, "/admin/studio/:code/reject", ROLE_SYSADMIN, reject_post, NULL, false},
    {METHOD_POST, "/admin/studio/:code/discard", ROLE_SYSADMIN, discard_post, NULL, false},
    {METHOD_POST, "/admin/studio/:code/rebase", ROLE_SYSADMIN, rebase_post, NULL, false},
};
const size_t studio_act_routes_count = sizeof studio_act_routes / sizeof *studio_act_routes;
