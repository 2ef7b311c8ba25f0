// The trail for the audit administrator (X5): events with filters, the log's newest checkpoint, the
// proof that an event is in it, the key to check it with, and a verification of everything, run in
// the background with progress.
//
// Times are found by bisecting ids: events are numbered in the order of time, so a filter by date
// costs the same in a year with millions. A kind or an account is looked for in EVENTS_SCANNED_MAX
// events at a time.
#include "pages/workplace.h"

#include <pthread.h>

enum {
    EVENTS_PAGE = 50,
    EVENTS_SCANNED_MAX = 200000, // of one page with a filter that has no index; then a link goes on
    FAULTS_SHOWN = 50,
    FAULT_TEXT_MAX = 400,
    BISECT_STEPS_MAX = 64,
};

// ---- verification ----------------------------------------------------------------------------

static struct Verification {
    pthread_mutex_t lock;
    bool asked, running, ended, broken;
    int64_t done, all, events, faults;
    Instant asked_at, ended_at;
    size_t shown;
    char where[FAULTS_SHOWN][FAULT_TEXT_MAX], what[FAULTS_SHOWN][FAULT_TEXT_MAX];
    char error[FAULT_TEXT_MAX];
} verification = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void keep_text(char *into, Str s) {
    size_t n = s.len < FAULT_TEXT_MAX - 1 ? s.len : FAULT_TEXT_MAX - 1;
    while (n > 0 && n < s.len && ((unsigned char)s.ptr[n] & 0xc0) == 0x80) n--;
    memcpy(into, s.ptr, n);
    into[n] = 0;
}

static void on_found(void *ctx, Str where, Str what) {
    struct Verification *v = ctx;
    (void)pthread_mutex_lock(&v->lock);
    if (v->shown < FAULTS_SHOWN) {
        keep_text(v->where[v->shown], where);
        keep_text(v->what[v->shown++], what);
    }
    v->faults++;
    (void)pthread_mutex_unlock(&v->lock);
}

static void on_progress(void *ctx, int64_t done, int64_t all) {
    struct Verification *v = ctx;
    (void)pthread_mutex_lock(&v->lock);
    v->done = done;
    v->all = all;
    (void)pthread_mutex_unlock(&v->lock);
}

static bool verification_take(void) {
    (void)pthread_mutex_lock(&verification.lock);
    bool go = verification.asked && !verification.running;
    if (go) {
        verification.asked = false;
        verification.running = true;
    }
    (void)pthread_mutex_unlock(&verification.lock);
    return go;
}

static void verification_end(Status st, const Error *err, int64_t events, int64_t faults) {
    struct Verification *v = &verification;
    (void)pthread_mutex_lock(&v->lock);
    v->running = false;
    v->ended = true;
    v->broken = st != OK;
    v->events = events;
    if (st == OK) v->faults = faults;
    v->ended_at = clock_now();
    keep_text(v->error, st == OK || !err->text ? S("") : str_z(err->text));
    (void)pthread_mutex_unlock(&v->lock);
}

Status audit_verify_run(App *app, void *ctx, Instant now, Error *err) {
    (void)ctx;
    (void)now;
    if (!verification_take()) return OK;
    ARENA_AUTO a = arena_create(1 << 20);
    DB_AUTO db = NULL;
    int64_t events = 0, faults = 0;
    Status st = store_read(app->store, &db, err);
    if (st == OK) {
        st = trail_verify(db, trail_public_key(app->key, a), on_found, on_progress, &verification,
                          &events, &faults, err);
    }
    verification_end(st, err, events, faults);
    return st;
}

static Value verification_model(const Request *rq) {
    struct Verification *v = &verification;
    Arena *a = rq->arena;
    ContextBuilder b = context_make(a);
    ListBuilder faults = list_make(a);
    (void)pthread_mutex_lock(&v->lock);
    context_put_lit(&b, "running", v_bool(v->asked || v->running));
    context_put_lit(&b, "ended", v_bool(v->ended));
    context_put_lit(&b, "broken", v_bool(v->broken));
    context_put_lit(&b, "done", v_int(v->done));
    context_put_lit(&b, "all", v_int(v->all));
    context_put_lit(&b, "events", v_int(v->events));
    context_put_lit(&b, "faults", v_int(v->faults));
    context_put_lit(&b, "error", v_str(arena_str(a, str_z(v->error))));
    if (v->ended) context_put_lit(&b, "ended_at", v_instant(v->ended_at, a));
    if (v->asked_at) context_put_lit(&b, "asked_at", v_instant(v->asked_at, a));
    for (size_t i = 0; i < v->shown; i++) {
        ContextBuilder f = context_make(a);
        context_put_lit(&f, "where", v_str(arena_str(a, str_z(v->where[i]))));
        context_put_lit(&f, "what", v_str(arena_str(a, str_z(v->what[i]))));
        list_add(&faults, context_done(&f));
    }
    (void)pthread_mutex_unlock(&v->lock);
    context_put_lit(&b, "found", list_done(&faults));
    return context_done(&b);
}

static Status verify_post(Request *rq, Reply *reply, Errors *errs) {
    (void)errs;
    struct Verification *v = &verification;
    (void)pthread_mutex_lock(&v->lock);
    if (!v->asked && !v->running) {
        v->asked = true;
        v->ended = v->broken = false;
        v->done = v->all = v->events = v->faults = 0;
        v->shown = 0;
        v->asked_at = rq->now;
    }
    (void)pthread_mutex_unlock(&v->lock);
    if (rq->wants_json) reply->model = verification_model(rq);
    else reply_redirect(reply, S("/audit/verify"));
    return OK;
}

static Status verify_page(Request *rq, Reply *reply, Errors *errs) {
    (void)errs;
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "verification", verification_model(rq));
    reply_page(rq, reply, "work/audit_verify", context_done(&b));
    return OK;
}

// ---- events ----------------------------------------------------------------------------------

// The smallest id whose event is not before `at`; one past the newest when all are.
static Status first_id_at(Request *rq, Instant at, int64_t *ret, Error *err) {
    int64_t low = 1, high = 0;
    Status st =
        query_one_int(query(rq->db, "SELECT COALESCE(MAX(id), 0) + 1 FROM event"), &high, err);
    for (int i = 0; st == OK && low < high && i < BISECT_STEPS_MAX; i++) {
        int64_t middle = low + (high - low) / 2, then = 0, id = 0;
        Query *q = query(rq->db, "SELECT id, at FROM event WHERE id >= ?1 ORDER BY id LIMIT 1");
        query_int(q, 1, middle);
        bool found = query_next(q);
        if (found) {
            id = query_col_int(q, 0);
            then = query_col_int(q, 1);
        }
        st = query_done(q, err);
        if (found && then < at) low = id + 1;
        else high = middle;
    }
    if (st == OK) *ret = low;
    return st;
}

typedef struct EventFilter {
    Str kind, login, number;
    int64_t low, high, account, case_id; // ids: low <= id < high
    bool impossible;                     // names an account or a case that doesn't exist
} EventFilter;

static Status one_id(Query *q, Str key, int64_t *ret, bool *ret_found, Error *err) {
    query_str(q, 1, key);
    *ret_found = query_next(q);
    if (*ret_found) *ret = query_col_int(q, 0);
    return query_done(q, err);
}

static Status filter_read(Request *rq, EventFilter *f, Errors *errs) {
    *f = (EventFilter){.kind = request_query(rq, S("kind")),
                       .login = request_query(rq, S("login")),
                       .number = request_query(rq, S("number")),
                       .high = INT64_MAX,
                       .case_id = -1};
    int64_t after;
    if (str_to_int(request_query(rq, S("after")), &after)) f->high = after;
    Str names[] = {S("from"), S("to")};
    for (int i = 0; i < 2; i++) {
        Str text = request_query(rq, names[i]);
        Day day;
        int64_t id = 0;
        if (!text.len) continue;
        if (!day_parse(text, &day)) {
            return errors_add(errs, INVALID, names[i],
                              "日期应写成 2023-05-31 的样子，并且确有这一天");
        }
        PAGE_TRY(errs, first_id_at(rq, day_instant(day + i, 0), &id, &e));
        if (i == 0) f->low = id;
        else if (id < f->high) f->high = id;
    }
    bool found = true;
    if (f->login.len) {
        PAGE_TRY(errs, one_id(query(rq->db, "SELECT id FROM account WHERE login = ?1"), f->login,
                              &f->account, &found, &e));
        f->impossible = !found;
    }
    if (f->number.len) {
        PAGE_TRY(errs, one_id(query(rq->db, "SELECT id FROM cases WHERE number = ?1"), f->number,
                              &f->case_id, &found, &e));
        f->impossible = f->impossible || !found;
    }
    return OK;
}

static Str kind_name(const Request *rq, Str kind) {
    static const char *const names[][2] = {
        {"account.created", T("新建账号")},
        {"account.granted", T("授予角色")},
        {"account.locked", T("锁定账号")},
        {"account.unlocked", T("解锁账号")},
        {"account.password_changed", T("修改密码")},
        {"account.password_reset", T("重置密码")},
        {"post.assigned", T("分配岗位")},
        {"post.saved", T("保存岗位")},
        {"unit.saved", T("保存单位")},
        {"item.published", T("发布事项")},
        {"item.withdrawn", T("停办事项")},
        {"item.imported", T("导入事项目录")},
        {"county.loaded", T("导入县级数据")},
        {"session.opened", T("登录")},
        {"session.refused", T("登录失败")},
        {"session.locked", T("多次失败，暂时锁定")},
        {"session.closed", T("退出登录")},
        {"party.registered", T("注册")},
        {"party.enrolled", T("统一身份登记")},
        {"draft.created", T("暂存申请")},
        {"draft.saved", T("更新暂存")},
        {"studio.opened", T("打开修改稿")},
        {"studio.entered", T("进入修改稿")},
        {"studio.saved", T("保存修改稿")},
        {"studio.submitted", T("修改稿提交审核")},
        {"studio.recalled", T("撤回修改稿")},
        {"studio.approved", T("审核通过修改稿")},
        {"studio.rejected", T("退回修改稿")},
        {"studio.discarded", T("放弃修改稿")},
        {"studio.rebased", T("修改稿接上现行版本")},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_eq(kind, str_z(names[i][0]))) return request_tr(rq, names[i][1]);
    }
    Str name = event_kind_name(kind);
    const App *app = rq->app;
    bool en = str_eq(rq->lang, S("en")) && app->translate;
    return en ? app->translate(app->english, name) : name;
}

#define EVENT_COLUMNS                                                                         \
    "SELECT e.id, e.seq, e.at, e.kind, COALESCE(a.name, ''), COALESCE(c.number, ''), e.hash," \
    " COALESCE(p.kind, 0)"
#define EVENT_FROM                                                             \
    " FROM event e LEFT JOIN account a ON a.id = e.actor_id LEFT JOIN cases c" \
    " ON c.id = e.case_id LEFT JOIN party p ON p.id = a.party_id"

// Officials by name; who applied is masked here as everywhere.
static Value event_row(const Request *rq, Query *q) {
    Arena *a = rq->arena;
    Str by = query_col_keep(q, 4, a);
    if (query_col_int(q, 7) == 1) by = mask_name(by, a);
    ContextBuilder b = context_make(a);
    Str kind = query_col_keep(q, 3, a);
    Buf hash = buf_make(a, 80, 160);
    Str bytes = query_col_str(q, 6);
    buf_hex(&hash, (const uint8_t *)bytes.ptr, bytes.len);
    context_put_new(&b, S("id"), v_int(query_col_int(q, 0)));
    context_put_new(&b, S("seq"), v_int(query_col_int(q, 1)));
    context_put_new(&b, S("at"), v_instant(query_col_int(q, 2), a));
    context_put_new(&b, S("code"), v_str(kind));
    context_put_new(&b, S("kind_label"), v_str(kind_name(rq, kind)));
    context_put_new(&b, S("by"), v_str(by));
    context_put_new(&b, S("number"), v_str(query_col_keep(q, 5, a)));
    context_put_new(&b, S("value"), v_str(buf_view(&hash)));
    context_put_new(&b, S("display"), v_str(str_sub(buf_view(&hash), 0, 12)));
    return context_done(&b);
}

static Status events_rows(Request *rq, const EventFilter *f, ContextBuilder *out, Error *err) {
    ListBuilder rows = list_make(rq->arena);
    int64_t last = 0, low = f->low, newest = 0;
    bool more = false;
    Status st =
        query_one_int(query(rq->db, "SELECT COALESCE(MAX(id), 0) FROM event"), &newest, err);
    if (st != OK) return st;
    const int64_t high = f->high <= newest ? f->high : newest + 1;
    const bool scans = f->case_id < 0 && (f->kind.len || f->account);
    if (scans && high - EVENTS_SCANNED_MAX > low) low = high - EVENTS_SCANNED_MAX;
    // An index for each: a case's events by (case_id, seq), all others by id.
    Query *q = f->case_id >= 0
                   ? query(rq->db, EVENT_COLUMNS EVENT_FROM
                           " WHERE e.case_id = ?6 AND e.id >= ?1 AND e.id < ?2"
                           " AND (?3 = '' OR e.kind = ?3) AND (?4 = 0 OR e.actor_id = ?4)"
                           " ORDER BY e.seq DESC LIMIT ?5")
                   : query(rq->db, EVENT_COLUMNS EVENT_FROM
                           " WHERE e.id >= ?1 AND e.id < ?2 AND (?3 = '' OR e.kind = ?3)"
                           " AND (?4 = 0 OR e.actor_id = ?4) ORDER BY e.id DESC LIMIT ?5");
    query_int(q, 1, low);
    query_int(q, 2, high);
    query_str(q, 3, f->kind);
    query_int(q, 4, f->account);
    query_int(q, 5, EVENTS_PAGE + 1);
    if (f->case_id >= 0) query_int(q, 6, f->case_id);
    while (query_next(q)) {
        if (rows.len == EVENTS_PAGE) {
            more = true;
            continue;
        }
        last = query_col_int(q, 0);
        list_add(&rows, event_row(rq, q));
    }
    context_put_lit(out, "rows", list_done(&rows));
    if (!more && low > f->low &&
        low > 1) { // nothing more in this part of the log: on with the next
        last = low;
        more = true;
        context_put_lit(out, "scanned_back_to", v_int(low));
    }
    if (more) {
        Value to =
            work_with(rq, rq->query, S("after"), arena_printf(rq->arena, "%lld", (long long)last));
        context_put_lit(out, "next_href", v_str(page_href(rq->arena, S("/audit"), to)));
    }
    return query_done(q, err);
}

// Kinds to choose from, with those asked for often first; any other can be named in the address.
static Value kind_choices(const Request *rq, Str chosen) {
    static const Str kinds[] = {
        S_INIT("case.submitted"),  S_INIT("case.accepted"),  S_INIT("case.correction_asked"),
        S_INIT("case.refused"),    S_INIT("case.decided"),   S_INIT("case.delivered"),
        S_INIT("case.looked"),     S_INIT("case.rated"),     S_INIT("task.claimed"),
        S_INIT("task.completed"),  S_INIT("ledger.paid"),    S_INIT("account.created"),
        S_INIT("account.granted"), S_INIT("account.locked"), S_INIT("account.unlocked"),
        S_INIT("post.assigned"),   S_INIT("unit.saved"),     S_INIT("item.published"),
        S_INIT("item.withdrawn"),  S_INIT("item.imported"),  S_INIT("session.opened"),
        S_INIT("session.refused"),
    };
    ListBuilder list = list_make(rq->arena);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "code", v_str(kinds[i]));
        context_put_lit(&b, "label", v_str(kind_name(rq, kinds[i])));
        context_put_lit(&b, "chosen", v_bool(str_eq(kinds[i], chosen)));
        list_add(&list, context_done(&b));
    }
    return list_done(&list);
}

static Status put_log(Request *rq, ContextBuilder *b, Error *err) {
    Query *q = query(rq->db, "SELECT size, last_event_id, sealed_at FROM log_checkpoint"
                             " ORDER BY size DESC LIMIT 1");
    if (query_next(q)) {
        context_put_lit(b, "log_size", v_int(query_col_int(q, 0)));
        context_put_lit(b, "sealed_event", v_int(query_col_int(q, 1)));
        context_put_lit(b, "sealed_at", v_instant(query_col_int(q, 2), rq->arena));
    }
    Status st = query_done(q, err);
    if (st != OK) return st;
    int64_t newest = 0;
    Str note;
    st = query_one_int(query(rq->db, "SELECT COALESCE(MAX(id), 0) FROM event"), &newest, err);
    if (st == OK) st = trail_checkpoint(rq->db, rq->arena, &note, err);
    if (st != OK) return st;
    context_put_lit(b, "newest_event", v_int(newest));
    context_put_lit(b, "data", v_str(note));
    return OK;
}

static Status audit_page(Request *rq, Reply *reply, Errors *errs) {
    EventFilter f;
    ContextBuilder b = context_make(rq->arena);
    Status st = filter_read(rq, &f, errs);
    if (st != OK) return st;
    if (!f.impossible) PAGE_TRY(errs, events_rows(rq, &f, &b, &e));
    PAGE_TRY(errs, put_log(rq, &b, &e));
    static const char *const shown[] = {"login", "number", "from", "to"};
    for (size_t i = 0; i < 4; i++) {
        Str key = arena_printf(rq->arena, "f_%s", shown[i]);
        context_put_new(&b, key, v_str(request_query(rq, str_z(shown[i]))));
    }
    context_put_lit(&b, "filtered",
                    v_bool(f.kind.len || f.login.len || f.number.len ||
                           request_query(rq, S("from")).len || request_query(rq, S("to")).len));
    context_put_lit(&b, "kinds", kind_choices(rq, f.kind));
    context_put_lit(&b, "verification", verification_model(rq));
    if (request_query(rq, S("after")).len) {
        Value q = work_with(rq, rq->query, S("after"), S(""));
        context_put_lit(&b, "prev_href", v_str(page_href(rq->arena, S("/audit"), q)));
    }
    reply_page(rq, reply, "work/audit", context_done(&b));
    return OK;
}

static Status event_page(Request *rq, Reply *reply, Errors *errs) {
    int64_t id = 0;
    Value row = v_null(), proof = v_null();
    Str data = S("");
    if (!str_to_int(rq->params[0], &id))
        return errors_add(errs, NOT_FOUND, S("id"), "没有这条留痕");
    Query *q = query(rq->db, EVENT_COLUMNS ", e.data_json" EVENT_FROM " WHERE e.id = ?1");
    query_int(q, 1, id);
    if (query_next(q)) {
        row = event_row(rq, q);
        data = query_col_keep(q, 8, rq->arena);
    }
    PAGE_TRY(errs, query_done(q, &e));
    if (v_is_null(row)) return errors_add(errs, NOT_FOUND, S("id"), "没有这条留痕");
    Value parsed;
    PAGE_TRY(errs, json_parse(data, JSON_LAX, (JsonLimits){0}, rq->arena, &parsed, &e));
    Buf pretty = buf_make(rq->arena, 512, 1 << 20);
    json_write_pretty(&pretty, parsed);
    Error err = {.status = OK};
    Status st = trail_inclusion(rq->db, id, rq->arena, &proof, &err);
    if (st != OK && st != NOT_FOUND) {
        err.status = st;
        return errors_push(errs, &err);
    }
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "data", v_str(buf_view(&pretty)));
    context_put_lit(&b, "sealed", v_bool(st == OK));
    context_put_lit(&b, "args", proof); // hashes: never translated
    reply_page(rq, reply, "work/audit_event", v_merge(row, context_done(&b), rq->arena));
    return OK;
}

static Status key_file(Request *rq, Reply *reply, Errors *errs) {
    (void)errs;
    reply->body =
        arena_concat(rq->arena, (Str[]){trail_public_key(rq->app->key, rq->arena), S("\n")}, 2);
    reply->type = S("text/plain; charset=utf-8");
    reply->file_name = S("trail.pub");
    return OK;
}

static Status checkpoint_file(Request *rq, Reply *reply, Errors *errs) {
    PAGE_TRY(errs, trail_checkpoint(rq->db, rq->arena, &reply->body, &e));
    reply->type = S("text/plain; charset=utf-8");
    reply->file_name = S("checkpoint.txt");
    return OK;
}

const Route audit_routes[] = {
    {METHOD_GET, "/audit", ROLE_AUDITADMIN, audit_page, NULL, false},
    {METHOD_GET, "/audit/events/:id", ROLE_AUDITADMIN, event_page, NULL, false},
    {METHOD_GET, "/audit/key", ROLE_AUDITADMIN, key_file, NULL, false},
    {METHOD_GET, "/audit/checkpoint", ROLE_AUDITADMIN, checkpoint_file, NULL, false},
    {METHOD_GET, "/audit/verify", ROLE_AUDITADMIN, verify_page, NULL, false},
    {METHOD_POST, "/audit/verify", ROLE_AUDITADMIN, verify_post, NULL, false},
};
const size_t audit_routes_count = sizeof audit_routes / sizeof *audit_routes;
