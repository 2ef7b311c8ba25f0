// The case room: what its commands share, the case row, and small readers of command input.
//
// A command loads the row, checks who and in what state, changes the struct, and writes it back
// with case_save, which counts `revision` up: two commands that both read revision 7 cannot both
// write 8. Every command ends in case_event in the same transaction (law 1).
#include "base/crypto.h"
#include "base/file.h"
#include "case/case_internal.h"

CaseRoom *case_room;

enum { ROOM_MEMORY_MAX = 256 << 20, CALENDAR_MEMORY_MAX = 16 << 20, LINK_KEY_BYTES = 32 };

Str case_state_name(CaseState s) {
    static const Str names[CASE_STATE_COUNT] = {
        [CASE_RECEIVED] = S_INIT("已收件"),      [CASE_CORRECTING] = S_INIT("待补正"),
        [CASE_APPROVAL] = S_INIT("办理中"),      [CASE_DECIDED] = S_INIT("已办结"),
        [CASE_DELIVERED] = S_INIT("已送达"),     [CASE_NOT_ACCEPTED] = S_INIT("不予受理"),
        [CASE_WITHDRAWN] = S_INIT("申请人撤回"), [CASE_TERMINATED] = S_INIT("终止办理"),
    };
    return s > 0 && s < CASE_STATE_COUNT ? names[s] : S("");
}

Str outcome_name(CaseOutcome o) {
    return o == OUTCOME_GRANTED ? S("准予") : o == OUTCOME_REFUSED ? S("不予") : S("");
}

// Rating links are derived from a secret of this installation, not stored.
static Status link_key_open(CaseRoom *r, Error *err) {
    Arena *a = r->arena;
    Str path = path_join(a, r->data_dir, S("keys/link.key"));
    if (!file_exists(path, a)) {
        Status st = dir_make(path_join(a, r->data_dir, S("keys")), 0700, a, err);
        if (st != OK) return st;
        st = file_write(path, random_token(LINK_KEY_BYTES, a), 0600, a, err);
        if (st != OK) return st;
    }
    return file_read(path, 4096, a, &r->link_key, err);
}

// How often days of the calendar have been loaded, by whatever process.
static Status calendar_loads(Db *db, int64_t *ret, Error *err) {
    Query *q = query(db, "SELECT COALESCE(MAX(value), 0) FROM counter WHERE name = 'calendar'");
    return query_one_int(q, ret, err);
}

// Reads the calendar again, after its days were loaded. The old one stays: a reader may hold it.
static Status calendar_refresh(CaseRoom *r, Db *db, Error *err) {
    if (r->calendar_arenas_count == CALENDARS_MAX) {
        return error_set(err, LIMIT, S("calendar"), "日历重新载入次数过多，请重启程序");
    }
    Arena *a = arena_create(CALENDAR_MEMORY_MAX);
    const Calendar *fresh;
    int64_t loaded = 0;
    Status st = calendar_loads(db, &loaded, err); // first: days loaded meanwhile are read again
    if (st == OK) st = calendar_read(db, a, &fresh, err);
    if (st != OK) {
        arena_free(a);
        return st;
    }
    r->calendar_arenas[r->calendar_arenas_count++] = a;
    __atomic_store_n(&r->calendar, fresh, __ATOMIC_RELEASE);
    __atomic_store_n(&r->calendar_seen, loaded, __ATOMIC_RELEASE);
    return OK;
}

Status case_calendar_notice(CaseRoom *r, Store *s, bool *ret_changed, Error *err) {
    DB_AUTO db = NULL;
    int64_t loaded = 0;
    Status st = store_read(s, &db, err);
    if (st == OK) st = calendar_loads(db, &loaded, err);
    *ret_changed = st == OK && loaded != __atomic_load_n(&r->calendar_seen, __ATOMIC_ACQUIRE);
    return *ret_changed ? calendar_refresh(r, db, err) : st;
}

Status case_calendar_refresh(CaseRoom *r, Db *db, Error *err) {
    return calendar_refresh(r, db, err);
}

Status case_room_create(Store *s, Str data_dir, Str county, Str region, Str public_url,
                        CaseRoom **ret, Error *err) {
    Arena *a = arena_create(ROOM_MEMORY_MAX);
    CaseRoom *r = arena_new(a, CaseRoom);
    r->arena = a;
    r->store = s;
    r->items = items_create();
    r->data_dir = arena_str(a, data_dir);
    r->county = arena_str(a, county);
    r->region = arena_str(a, region);
    r->public_url = arena_str(a, public_url);
    Db *db = NULL;
    Status st = link_key_open(r, err);
    if (st == OK) st = store_read(s, &db, err);
    if (st == OK) {
        st = calendar_refresh(r, db, err);
        store_release(db);
    }
    if (st != OK) {
        case_room_free(r);
        return st;
    }
    *ret = r;
    return OK;
}

void case_room_free(CaseRoom *r) {
    if (!r) return;
    items_free(r->items);
    for (size_t i = 0; i < r->calendar_arenas_count; i++) arena_free(r->calendar_arenas[i]);
    if (case_room == r) case_room = NULL;
    arena_free(r->arena);
}

Items *case_items(CaseRoom *r) { return r->items; }
const Calendar *case_calendar(CaseRoom *r) {
    return __atomic_load_n(&r->calendar, __ATOMIC_ACQUIRE);
}

void case_register(CaseRoom *r) {
    static const Command table[] = {
        {S_INIT("case.submit"), ROLES_APPLICANT | ROLE_CLERK | ROLE_SYSTEM, cmd_submit},
        {S_INIT("case.accept"), ROLE_CLERK | ROLE_SYSTEM, cmd_accept},
        {S_INIT("case.correct"), ROLE_CLERK, cmd_correct},
        {S_INIT("case.refuse"), ROLE_CLERK, cmd_refuse},
        {S_INIT("case.supplement"), ROLES_APPLICANT | ROLE_CLERK, cmd_supplement},
        {S_INIT("case.withdraw"), ROLES_APPLICANT | ROLE_CLERK, cmd_withdraw},
        {S_INIT("case.pause"), ROLE_APPROVER, cmd_pause},
        {S_INIT("case.resume"), ROLE_APPROVER, cmd_resume},
        {S_INIT("case.extend"), ROLE_LEADER, cmd_extend},
        {S_INIT("case.deliver"), ROLES_APPLICANT | ROLE_CLERK, cmd_deliver},
        {S_INIT("case.remark"), ROLES_OFFICIAL, cmd_remark},
        {S_INIT("case.message"), ROLE_CLERK | ROLE_APPROVER | ROLE_SYSTEM, cmd_message},
        {S_INIT("case.look"), ROLE_CLERK | ROLE_APPROVER, cmd_look},
        {S_INIT("case.open_file"), ROLES_OFFICIAL, cmd_open_file},
        {S_INIT("archive.export"), ROLE_CITIZEN | ROLE_AUDITADMIN, cmd_export},
        {S_INIT("case.archive"), ROLE_CLERK | ROLE_SYSTEM, cmd_case_archive},
        {S_INIT("task.claim"), ROLE_APPROVER | ROLE_SUPERVISOR, cmd_task_claim},
        {S_INIT("task.release"), ROLE_APPROVER | ROLE_SUPERVISOR, cmd_task_release},
        {S_INIT("task.delegate"), ROLE_APPROVER | ROLE_SUPERVISOR, cmd_task_delegate},
        {S_INIT("task.return"), ROLE_APPROVER | ROLE_SUPERVISOR, cmd_task_return},
        {S_INIT("task.complete"), ROLE_APPROVER | ROLE_SUPERVISOR, cmd_task_complete},
        {S_INIT("rating.give"), ROLE_PUBLIC | ROLES_ALL_ACCOUNTS, cmd_rate},
        {S_INIT("rating.revisit"), ROLE_SUPERVISOR, cmd_revisit},
        {S_INIT("message.read"), ROLES_ALL_ACCOUNTS, cmd_message_read},
        {S_INIT("draft.save"), ROLE_PUBLIC | ROLES_APPLICANT, cmd_draft_save},
        {S_INIT("item.migrate"), ROLE_SYSADMIN | ROLE_SYSTEM, cmd_case_migrate},
        {S_INIT("incident.retry"), ROLE_SYSADMIN, cmd_incident_retry},
        {S_INIT("incident.skip"), ROLE_SYSADMIN, cmd_incident_skip},
        {S_INIT("incident.error"), ROLE_SYSADMIN, cmd_incident_error},
        {S_INIT("timer.fire"), ROLE_SYSTEM, cmd_timer},
        {S_INIT("timer.deem"), ROLE_SYSTEM, cmd_deem},
        {S_INIT("clock.derive"), ROLE_SYSTEM, cmd_derive},
    };
    static bool registered;
    case_room = r;
    if (!registered) commands_register(table, sizeof table / sizeof *table);
    registered = true;
}

// ---- command input ----

int64_t input_int(Value input, Str name) {
    Value v = v_get(input, name);
    int64_t n = 0;
    if (v.kind == V_STRING) return str_to_int(str_trim(v_text(v)), &n) ? n : 0;
    return v_to_int(v, 0);
}

bool input_bool(Value input, Str name) {
    Value v = v_get(input, name);
    Str s = v_text(v);
    return v_true(v) || str_eq(s, S("true")) || str_eq(s, S("on")) || str_eq(s, S("1")) ||
           str_eq(s, S("yes"));
}

// A form with one ticked box sends a string, with several a list.
Value input_list(Value input, Str name, Arena *a) {
    Value v = v_get(input, name);
    if (v.kind == V_LIST) return v;
    ListBuilder list = list_make(a);
    if (v.kind == V_CONTEXT || (v.kind == V_STRING && v.len > 0)) list_add(&list, v);
    return list_done(&list);
}

Status text_of_input(Value input, Str name, Str label, bool required, Str *ret, Errors *errs) {
    Value v = v_get(input, name);
    if (v.kind != V_STRING && v.kind != V_NULL) {
        return errors_add(errs, INVALID, name, "{1}应为文字", label);
    }
    Str s = str_trim(v_text(v));
    if (required && str_empty(s)) return errors_add(errs, INVALID, name, "请填写{1}", label);
    if (s.len > NOTE_MAX) {
        return errors_add(errs, LIMIT, name, "{1}过长，请缩短到 600 字以内", label);
    }
    if (!str_utf8_valid(s) || memchr(s.ptr ? s.ptr : "", 0, s.len)) {
        return errors_add(errs, INVALID, name, "{1}含有不能识别的字符，请重新输入", label);
    }
    *ret = s;
    return OK;
}

// ---- the row ----

#define CASE_COLUMNS                                                                          \
    "id, number, item_id, item_version_id, unit_id, town_id, party_id, applicant_account_id," \
    " parent_id, channel, state, outcome, handler_id, received_at, accepted_at, decided_at,"  \
    " delivered_at, closed_at, promised_due_day, statutory_due_day, warn_day, paused,"        \
    " overdue, revision, answers_json, flow_json, clock_json"

static Status json_column(Query *q, int col, Arena *a, Value *ret, Error *err) {
    return json_parse(query_col_keep(q, col, a), JSON_LAX, (JsonLimits){0}, a, ret, err);
}

static Status row_read(Query *q, Arena *a, CaseRow *c, Error *err) {
    int i = 0;
    c->id = query_col_int(q, i++);
    c->number = query_col_keep(q, i++, a);
    int64_t *const refs[] = {&c->item_id,  &c->item_version_id,      &c->unit_id,  &c->town_id,
                             &c->party_id, &c->applicant_account_id, &c->parent_id};
    for (size_t k = 0; k < sizeof refs / sizeof *refs; k++) *refs[k] = query_col_int(q, i++);
    c->channel = (Handling)query_col_int(q, i++);
    c->state = (CaseState)query_col_int(q, i++);
    c->outcome = (CaseOutcome)query_col_int(q, i++);
    int64_t *const times[] = {&c->handler_id,       &c->received_at,       &c->accepted_at,
                              &c->decided_at,       &c->delivered_at,      &c->closed_at,
                              &c->promised_due_day, &c->statutory_due_day, &c->warn_day};
    for (size_t k = 0; k < sizeof times / sizeof *times; k++) *times[k] = query_col_int(q, i++);
    c->paused = query_col_int(q, i++) != 0;
    c->overdue = query_col_int(q, i++) != 0;
    c->revision = query_col_int(q, i++);
    Status st = json_column(q, i++, a, &c->answers, err);
    if (st == OK) st = json_column(q, i++, a, &c->flow, err);
    if (st == OK) st = json_column(q, i, a, &c->clock, err);
    return st;
}

static Status load_with(Query *q, Db *db, Arena *a, CaseRow *ret, Errors *errs) {
    CaseRow c = {0};
    Error e = {.status = OK};
    bool found = query_next(q);
    Status read = found ? row_read(q, a, &c, &e) : OK;
    Error done = {.status = OK};
    if (query_done(q, &done) != OK) return errors_push(errs, &done);
    if (read != OK) return errors_push(errs, &e);
    if (!found) return errors_add(errs, NOT_FOUND, S("number"), "没有这个办件，请核对办件编号");
    TRY_E(errs, item_get(case_room->items, db, c.item_version_id, &c.item, &e));
    case_is_stored(&c);
    *ret = c;
    return OK;
}

Status case_load(Db *db, int64_t id, Arena *a, CaseRow *ret, Errors *errs) {
    Query *q = query(db, "SELECT " CASE_COLUMNS " FROM cases WHERE id = ?1");
    query_int(q, 1, id);
    return load_with(q, db, a, ret, errs);
}

Status case_load_number(Db *db, Str number, Arena *a, CaseRow *ret, Errors *errs) {
    Query *q = query(db, "SELECT " CASE_COLUMNS " FROM cases WHERE number = ?1");
    query_str(q, 1, number);
    return load_with(q, db, a, ret, errs);
}

Status case_load_input(Tx *tx, Value input, CaseRow *ret, Errors *errs) {
    int64_t id = input_int(input, S("id"));
    if (id) {
        TRY_S(case_load(tx_db(tx), id, tx_arena(tx), ret, errs));
    } else {
        Str number = v_text(v_get_lit(input, "number"));
        TRY_S(case_load_number(tx_db(tx), number, tx_arena(tx), ret, errs));
    }
    int64_t revision = input_int(input, S("revision"));
    if (revision && revision != ret->revision) {
        return errors_add(errs, CONFLICT, S("revision"),
                          "该办件刚刚被其他人员处理过，请刷新页面后再操作");
    }
    return OK;
}

static const struct {
    const char *set;
    bool optional; // 0 is NULL
} saved[CASE_SAVED_COLUMNS] = {
    {", state = ?", false},           {", outcome = ?", false},
    {", paused = ?", false},          {", overdue = ?", false},
    {", handler_id = ?", true},       {", accepted_at = ?", true},
    {", decided_at = ?", true},       {", delivered_at = ?", true},
    {", closed_at = ?", true},        {", promised_due_day = ?", true},
    {", statutory_due_day = ?", true}, {", warn_day = ?", true},
};

static void columns_of(const CaseRow *c, int64_t ret[CASE_SAVED_COLUMNS]) {
    const int64_t values[CASE_SAVED_COLUMNS] = {
        c->state,      c->outcome,      c->paused,    c->overdue,          c->handler_id,
        c->accepted_at, c->decided_at,  c->delivered_at, c->closed_at,     c->promised_due_day,
        c->statutory_due_day, c->warn_day};
    memcpy(ret, values, sizeof values);
}

void case_is_stored(CaseRow *c) {
    columns_of(c, c->stored);
    c->stored_answers = c->answers;
}

static bool same_value(Value a, Value b) { // the same one, not one like it
    return a.kind == V_CONTEXT && b.kind == V_CONTEXT && a.len == b.len &&
           a.as.entries == b.as.entries;
}

// A column that is set is taken out of its indexes and put in again, changed or not, and a case has
// many: so only what changed is set. The texts of the statement are few, for acts are.
static Query *save_query(Db *db, const CaseRow *c, Arena *a) {
    int64_t now[CASE_SAVED_COLUMNS];
    columns_of(c, now);
    bool answers = !same_value(c->answers, c->stored_answers);
    Buf sql = buf_make(a, 512, 2048);
    buf_lit(&sql, "UPDATE cases SET flow_json = ?3, clock_json = ?4, revision = revision + 1");
    int n = 4;
    if (answers) {
        buf_lit(&sql, ", answers_json = ?");
        buf_int(&sql, ++n);
    }
    for (size_t i = 0; i < CASE_SAVED_COLUMNS; i++) {
        if (now[i] == c->stored[i]) continue;
        buf_str(&sql, str_z(saved[i].set));
        buf_int(&sql, ++n);
    }
    buf_lit(&sql, " WHERE id = ?1 AND revision = ?2");
    Query *q = query(db, arena_cstr(a, buf_view(&sql)));
    query_int(q, 1, c->id);
    query_int(q, 2, c->revision);
    query_str(q, 3, json_to_str(c->flow, a));
    query_str(q, 4, json_to_str(c->clock, a));
    n = 4;
    if (answers) query_str(q, ++n, json_to_str(c->answers, a));
    for (size_t i = 0; i < CASE_SAVED_COLUMNS; i++) {
        if (now[i] == c->stored[i]) continue;
        if (saved[i].optional) query_int_or_null(q, ++n, now[i]);
        else query_int(q, ++n, now[i]);
    }
    return q;
}

Status case_save(Tx *tx, CaseRow *c, Errors *errs) {
    int64_t changed = 0;
    TRY_E(errs, query_run(save_query(tx_db(tx), c, tx_arena(tx)), &changed, &e));
    if (changed != 1) {
        return errors_add(errs, CONFLICT, S("revision"),
                          "该办件刚刚被其他人员处理过，请刷新页面后再操作");
    }
    c->revision++;
    case_is_stored(c);
    return OK;
}

Status case_event(Tx *tx, const CaseRow *c, const Actor *actor, Str kind, Handling handling,
                  Value data, Errors *errs) {
    Event e = {.case_id = c->id,
               .kind = kind,
               .actor_id = actor->account_id,
               .handling = handling,
               .data = data};
    return event_append(tx, &e, errs);
}

bool case_is_own(const CaseRow *c, const Actor *actor) {
    if (!actor_has(actor, ROLES_APPLICANT)) return false;
    return (actor->party_id && actor->party_id == c->party_id) ||
           (actor->account_id && actor->account_id == c->applicant_account_id);
}

bool case_is_self(const CaseRow *c, const Actor *actor) {
    return case_is_own(c, actor) && actor->party_id == c->party_id;
}

Handling actor_channel(const Actor *actor) {
    return actor_has(actor, ROLES_APPLICANT | ROLE_PUBLIC) ? HANDLING_ONLINE : HANDLING_WINDOW;
}

Status case_expect(const CaseRow *c, unsigned states, Errors *errs) {
    if (states & (1u << c->state)) return OK;
    return errors_add(errs, CONFLICT, S("state"), "办件当前状态为“{1}”，不能进行此操作",
                      case_state_name(c->state));
}

// ISO 7064 MOD 11,10 over digits.
static char check_digit(Str digits) {
    int p = 10;
    for (size_t i = 0; i < digits.len; i++) {
        int s = (p + digits.ptr[i] - '0') % 10;
        p = (s ? s : 10) * 2 % 11;
    }
    return (char)('0' + (11 - p) % 10);
}

static char *put_digits(char *at, uint64_t n, int width) {
    for (int i = width - 1; i >= 0; i--, n /= 10) at[i] = (char)('0' + n % 10);
    return at + width;
}

// Region (6), day (8), the last six digits of the id, check digit.
Str case_number_make(Str region, Day day, int64_t id, Arena *a) {
    Civil c = day_to_civil(day);
    char *number = arena_alloc(a, region.len + 15), *at = number + region.len;
    if (region.len) memcpy(number, region.ptr, region.len);
    at = put_digits(at, (uint64_t)c.year, 4);
    at = put_digits(at, (uint64_t)c.month, 2);
    at = put_digits(at, (uint64_t)c.day, 2);
    at = put_digits(at, (uint64_t)(id % 1000000), 6);
    size_t len = (size_t)(at - number);
    *at = check_digit(str_of(number, len));
    return str_of(number, len + 1);
}

bool case_number_valid(Str number) {
    if (number.len != 21) return false;
    for (size_t i = 0; i < number.len; i++) {
        if (number.ptr[i] < '0' || number.ptr[i] > '9') return false;
    }
    return check_digit(str_sub(number, 0, 20)) == number.ptr[20];
}

Status message_to_applicant(Tx *tx, const CaseRow *c, const char *text, const Str *args, size_t n,
                            Errors *errs) {
    if (!c->applicant_account_id) return OK;
    Arena *a = tx_arena(tx);
    ListBuilder list = list_make(a);
    for (size_t i = 0; i < n; i++) list_add(&list, v_str(args[i]));
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "text", v_str(str_z(text)));
    context_put_lit(&b, "args", list_done(&list));
    Query *q = query(tx_db(tx), "INSERT INTO message (account_id, case_id, text_json, created_at)"
                                " VALUES (?1, ?2, ?3, ?4)");
    query_int(q, 1, c->applicant_account_id);
    query_int(q, 2, c->id);
    query_str(q, 3, json_to_str(context_done(&b), a));
    query_int(q, 4, tx_now(tx));
    TRY_E(errs, query_run(q, NULL, &e));
    return OK;
}

// {up_to}: what has been seen; without it, all. An event only when something was unread.
Status cmd_message_read(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    int64_t up_to = input_int(input, S("up_to")), read = 0;
    Query *q = query(tx_db(tx), "UPDATE message SET read_at = ?1 WHERE account_id = ?2"
                                " AND read_at IS NULL AND id <= ?3");
    query_int(q, 1, tx_now(tx));
    query_int(q, 2, actor->account_id);
    query_int(q, 3, up_to > 0 ? up_to : INT64_MAX);
    TRY_E(errs, query_run(q, &read, &e));
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_new(&b, S("read"), v_int(read));
    *ret = context_done(&b);
    if (read == 0) return OK;
    Event ev = {.kind = S("message.read"), .actor_id = actor->account_id, .data = *ret};
    return event_append(tx, &ev, errs);
}
