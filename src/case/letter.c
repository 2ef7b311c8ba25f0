// Letters: issued within the command that decides something, printed whenever somebody looks.
//
// What is stored is the kind, the number and the model the template was given; the template itself
// belongs to the item's version, which never changes. So a letter says the same for ever.
//
// The number is built from the case's own: 政务受〔2023〕330225202301050000018号; a second letter of
// the kind gets 之2. No counter is shared by all letters, so issuing one waits for nobody.
#include "case/letter.h"

#include "base/crypto.h"

enum {
    CODE_SECRET_BYTES = 12,
    CODE_TIME_LEN = 5, // digits of 32: the seconds come round after 388 days, and nothing minds
    LETTER_MODEL_MAX = 256 << 10,
    LETTER_TEXT_MAX = 1 << 20,
};

typedef struct LetterKind {
    Str kind, mark;
    bool plain; // no red head: given from hand to hand, not an act of an office
} LetterKind;

static const LetterKind kinds[] = {
    {S_INIT("receipt"), S_INIT("收"), true},
    {S_INIT("acceptance"), S_INIT("受"), false},
    {S_INIT("refusal-of-acceptance"), S_INIT("不受"), false},
    {S_INIT("correction"), S_INIT("补"), false},
    {S_INIT("tolerance"), S_INIT("容"), false},
    {S_INIT("promise"), S_INIT("诺"), true},
    {S_INIT("pause"), S_INIT("特"), false},
    {S_INIT("resume"), S_INIT("续"), false},
    {S_INIT("withdrawal"), S_INIT("撤"), false},
    {S_INIT("tolerance-broken"), S_INIT("终容"), false},
    {S_INIT("correction-expired"), S_INIT("终补"), false},
    {S_INIT("grant"), S_INIT("准"), false},
    {S_INIT("denial"), S_INIT("不准"), false},
    {S_INIT("result"), S_INIT("结"), false},
    {S_INIT("rectification"), S_INIT("整"), false},
};

static const LetterKind *kind_find(Str kind) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (str_eq(kinds[i].kind, kind)) return &kinds[i];
    }
    return NULL;
}

// ---- issuing ----

// How many letters of the kind the case has, and its number when the model doesn't say it.
static Status same_kind(Tx *tx, int64_t case_id, Str kind, int64_t *ret, Errors *errs) {
    Error e = {.status = OK};
    Query *q = query(tx_db(tx), "SELECT COUNT(*) FROM letter WHERE case_id = ?1 AND kind = ?2");
    query_int(q, 1, case_id);
    query_str(q, 2, kind);
    return query_one_int(q, ret, &e) == OK ? OK : errors_push(errs, &e);
}

static Str number_make(Tx *tx, int64_t case_id, Str kind, Value model, int64_t before) {
    Arena *a = tx_arena(tx);
    const LetterKind *k = kind_find(kind);
    Buf out = buf_make(a, 96, 512);
    buf_str(&out, S("政务"));
    buf_str(&out, k ? k->mark : kind); // a pack's own kind: its name keeps the number unique
    buf_str(&out, S("〔"));
    buf_int(&out, day_to_civil(tx_day(tx)).year);
    buf_str(&out, S("〕"));
    Str number = v_text(v_path(model, S("case.number")));
    if (number.len > 0) buf_str(&out, number);
    else buf_int(&out, case_id);
    buf_str(&out, S("号"));
    if (before > 0) {
        buf_str(&out, S("之"));
        buf_int(&out, before + 1);
    }
    return buf_view(&out);
}

static Str code_make(Instant now, Arena *a) {
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv"; // in the order of their bytes
    char time[CODE_TIME_LEN];
    uint64_t seconds = (uint64_t)now / 1000;
    for (size_t i = CODE_TIME_LEN; i > 0; i--, seconds /= 32) time[i - 1] = digits[seconds % 32];
    Str secret = random_token(CODE_SECRET_BYTES, a);
    return arena_concat(a, (Str[]){str_of(time, CODE_TIME_LEN), secret}, 2);
}

static Str digest_of(Str kind, Str number, Str model_json, Arena *a) {
    Hash h = sha256_parts((Str[]){kind, S("\n"), number, S("\n"), model_json}, 5);
    return hash_hex(&h, a);
}

Status letter_issue(Tx *tx, const Item *item, int64_t case_id, Str kind, Value model, int64_t by,
                    Value *ret, Errors *errs) {
    Arena *a = tx_arena(tx);
    Error e = {.status = OK};
    if (!templates_find(item->letters, kind)) {
        return errors_add(errs, BROKEN, S("letter"), "没有文书模板 letters/{1}.txt", kind);
    }
    int64_t before = 0;
    Status st = same_kind(tx, case_id, kind, &before, errs);
    if (st != OK) return st;
    Str number = number_make(tx, case_id, kind, model, before);
    Str text = json_to_str(model, a), code = code_make(tx_now(tx), a);
    if (text.len > LETTER_MODEL_MAX) {
        return errors_add(errs, LIMIT, S("letter"), "文书内容过长");
    }
    Str digest = digest_of(kind, number, text, a);
    Query *q = query(tx_db(tx),
        "INSERT INTO letter (case_id, kind, number, code, model_json, digest, created_at, "
        "created_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    query_int(q, 1, case_id);
    query_str(q, 2, kind);
    query_str(q, 3, number);
    query_str(q, 4, code);
    query_str(q, 5, text);
    query_str(q, 6, digest);
    query_int(q, 7, tx_now(tx));
    query_int_or_null(q, 8, by);
    if (query_run(q, NULL, &e) != OK) return errors_push(errs, &e);
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("number"), v_str(number));
    context_put_new(&b, S("code"), v_str(code));
    context_put_new(&b, S("kind"), v_str(kind));
    context_put_new(&b, S("digest"), v_str(digest));
    *ret = context_done(&b);
    return OK;
}

// ---- looking ----

typedef struct LetterRow {
    Str kind, number, model_json, digest, case_number, party_name;
    Instant created_at;
    int64_t version_id;
} LetterRow;

static Status row_read(Db *db, Str code, Arena *a, LetterRow *ret, Error *err) {
    LetterRow row = {.version_id = 0};
    bool found = false;
    Query *q = query(db,
        "SELECT l.kind, l.number, l.model_json, l.digest, l.created_at, c.item_version_id, "
        "c.number, p.name FROM letter l JOIN cases c ON c.id = l.case_id "
        "JOIN party p ON p.id = c.party_id WHERE l.code = ?1");
    query_str(q, 1, code);
    if (query_next(q)) {
        found = true;
        row.kind = query_col_keep(q, 0, a);
        row.number = query_col_keep(q, 1, a);
        row.model_json = query_col_keep(q, 2, a);
        row.digest = query_col_keep(q, 3, a);
        row.created_at = query_col_int(q, 4);
        row.version_id = query_col_int(q, 5);
        row.case_number = query_col_keep(q, 6, a);
        row.party_name = query_col_keep(q, 7, a);
    }
    Status st = query_done(q, err);
    if (st != OK) return st;
    if (!found) return error_set(err, NOT_FOUND, S("code"), "没有这份文书，请核对核验码");
    *ret = row;
    return OK;
}

// A line of a derivation {text, args} as text.
static Value line_text(Value line, Arena *a) {
    if (line.kind != V_CONTEXT) return line;
    Error e = {.status = OK, .text = arena_cstr(a, v_text(v_get_lit(line, "text")))};
    Value args = v_get_lit(line, "args");
    for (uint32_t i = 0; i < ERROR_ARGS; i++) {
        e.args[i] = v_to_str(v_at(args, i), a);
    }
    return v_str(error_message(&e, NULL, NULL, a));
}

// What the template is given: the stored model, its derivation as lines of text, its number.
static Value model_for(const LetterRow *row, Str code, Value model, Arena *a) {
    Value clock = v_get_lit(model, "clock");
    if (clock.kind == V_CONTEXT && v_has(clock, S("derivation"))) {
        clock = v_get_lit(clock, "derivation");
    }
    if (clock.kind == V_LIST) {
        ListBuilder lines = list_make(a);
        for (uint32_t i = 0; i < clock.len; i++) list_add(&lines, line_text(v_at(clock, i), a));
        model = v_with(model, S("clock"), list_done(&lines), a);
    }
    Value url = v_str(arena_concat(a, (Str[]){S("/verify/"), code}, 2));
    model = v_with(model, S("verify_url"), url, a);
    return v_with(model, S("number"), v_str(row->number), a);
}

static Status render(const LetterRow *row, const Item *item, Value model, Arena *a, Str *ret,
                     Error *err) {
    const Template *t = templates_find(item->letters, row->kind);
    if (!t) return error_set(err, BROKEN, S("letter"), "没有文书模板 letters/{1}.txt", row->kind);
    PageRun run = {.arena = a, .model = model, .now = row->created_at, .lang = S("zh")};
    Buf out = buf_make(a, 4096, LETTER_TEXT_MAX);
    Status st = page_render(&run, t, &out, err);
    if (st != OK) return st;
    if (out.full) return error_set(err, LIMIT, S("letter"), "文书内容过长");
    *ret = buf_view(&out);
    return OK;
}

Status letter_view(Db *db, Items *items, Str code, Arena *a, Value *ret, Error *err) {
    LetterRow row = {0};
    const Item *item = NULL;
    Value model = v_null();
    Str text = S("");
    Status st = row_read(db, code, a, &row, err);
    if (st == OK) st = item_get(items, db, row.version_id, &item, err);
    if (st == OK) {
        JsonLimits limits = {.size_max = LETTER_MODEL_MAX};
        st = json_parse(row.model_json, JSON_STRICT, limits, a, &model, err);
    }
    if (st == OK) {
        model = model_for(&row, code, model, a);
        st = render(&row, item, model, a, &text, err);
    }
    if (st != OK) return st;
    Str rest = text, title = str_trim(str_cut(&rest, '\n'));
    bool titled = str_starts(title, S("# "));
    const LetterKind *kind = kind_find(row.kind);
    Str digest = digest_of(row.kind, row.number, row.model_json, a);
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("kind"), v_str(row.kind));
    context_put_new(&b, S("title"), v_str(titled ? str_sub(title, 2, title.len) : item->name));
    context_put_new(&b, S("number"), v_str(row.number));
    context_put_new(&b, S("code"), v_str(code));
    context_put_new(&b, S("text"), v_str(titled && rest.ptr ? rest : text));
    context_put_new(&b, S("created"), v_instant(row.created_at, a));
    context_put_new(&b, S("created_at"), v_int(row.created_at));
    context_put_new(&b, S("unit"), v_get_lit(model, "unit"));
    context_put_new(&b, S("date"), v_get_lit(model, "date"));
    context_put_new(&b, S("case"), v_str(row.case_number));
    context_put_new(&b, S("item"), v_str(item->name));
    context_put_new(&b, S("item_en"), v_str(item->name_en));
    context_put_new(&b, S("applicant"), v_str(mask_name(row.party_name, a)));
    context_put_new(&b, S("verify_url"), v_get_lit(model, "verify_url"));
    context_put_new(&b, S("digest"), v_str(row.digest));
    context_put_new(&b, S("intact"), v_bool(str_eq(digest, row.digest)));
    context_put_new(&b, S("red_head"), v_bool(!kind || !kind->plain));
    *ret = context_done(&b);
    return OK;
}
