// room: case
// The studio: drafts are opened, changed, submitted, approved by a second person and published; on
// both databases, over the demo county.
#include "case_fixture.h"

#include "case/studio.h"
#include "case/text_diff.h"

static const char FOOD[] = "330225-SCJ-0201";

static Str replaced(County *c, Str text, const char *old, const char *new) {
    ptrdiff_t at = str_find(text, str_z(old));
    assert_true(at >= 0);
    Str parts[] = {str_sub(text, 0, (size_t)at), str_z(new),
                   str_sub(text, (size_t)at + strlen(old), text.len)};
    return arena_concat(c->a, parts, 3);
}

static bool says(const Errors *errs, Arena *a, const char *words) {
    for (size_t i = 0; i < errs->count; i++) {
        Str m = error_message(&errs->items[i], NULL, NULL, a);
        if (str_find(m, str_z(words)) >= 0) return true;
    }
    return false;
}

static Value input(County *c, const char *code, int64_t revision) {
    ContextBuilder b = context_make(c->a);
    context_put_lit(&b, "code", v_str(str_z(code)));
    context_put_lit(&b, "revision", v_int(revision));
    return context_done(&b);
}

static Value with_text(County *c, Value v, const char *key, const char *text) {
    return v_with(v, str_z(key), v_str(str_z(text)), c->a);
}

static int64_t revision_of(Value told) { return v_to_int(v_get_lit(told, "revision"), 0); }

static StudioDraft draft_now(County *c, const char *code) {
    Error e;
    StudioDraft d;
    DB_AUTO db = NULL;
    assert_int_equal(store_read(c->f->store, &db, &e), OK);
    if (studio_draft(db, str_z(code), c->a, &d, &e) != OK) fixture_fail(code, &e);
    return d;
}

static StudioItem item_now(County *c, const char *code, int64_t version) {
    Error e;
    StudioItem item;
    DB_AUTO db = NULL;
    assert_int_equal(store_read(c->f->store, &db, &e), OK);
    if (studio_item(db, str_z(code), version, c->a, &item, &e) != OK) fixture_fail(code, &e);
    return item;
}

static Value save_input(County *c, const char *code, int64_t revision, const char *path, Str text) {
    Value files = v_with(v_null(), str_z(path), v_str(text), c->a);
    return v_with(input(c, code, revision), S("files"), files, c->a);
}

// Opens a draft of `code` and changes its promised days; returns the revision.
static int64_t draft_with_days(County *c, const Actor *by, const char *code, const char *old,
                               const char *new) {
    Value told = county_do(c, "studio.open", by, input(c, code, 0));
    Str spec = v_text(v_get_lit(draft_now(c, code).files, "item.json"));
    told = county_do(c, "studio.save", by,
                     save_input(c, code, revision_of(told), "item.json",
                                replaced(c, spec, old, new)));
    return revision_of(told);
}

static int64_t submitted(County *c, const Actor *by, const char *code, int64_t revision) {
    Value in = with_text(c, input(c, code, revision), "summary", "承诺时限缩短一天");
    return revision_of(county_do(c, "studio.submit", by, in));
}

static void a_second_person_publishes(void **state) {
    County *c = *state;
    Value ret;
    Actor first = county_actor(c, "sysadmin"), second = county_actor(c, "sysadmin2");
    StudioItem before = item_now(c, FOOD, 0);
    int64_t revision =
        draft_with_days(c, &first, FOOD, "\"promised_days\": 7", "\"promised_days\": 6");
    revision = submitted(c, &first, FOOD, revision);
    assert_int_equal(county_int(c, "SELECT COUNT(*) FROM message WHERE account_id = ?1",
                                second.account_id), 1);
    assert_int_equal(county_try(c, "studio.approve", &first, input(c, FOOD, revision), &ret),
                     DENIED);
    assert_true(says(&c->errs, c->a, "作者之一"));
    assert_int_equal(item_now(c, FOOD, 0).version, before.version);
    ret = county_do(c, "studio.approve", &second, input(c, FOOD, revision));
    assert_int_equal(v_to_int(v_get_lit(ret, "version"), 0), before.version + 1);
    StudioItem after = item_now(c, FOOD, 0);
    assert_int_equal(after.version, before.version + 1);
    assert_int_equal(county_int(c, "SELECT published_by FROM item_version WHERE id = ?1",
                                after.version_id), first.account_id);
    assert_int_equal(county_int(c, "SELECT approved_by FROM item_version WHERE id = ?1",
                                after.version_id), second.account_id);
    assert_int_equal(county_try(c, "studio.approve", &second, input(c, FOOD, revision), &ret),
                     NOT_FOUND); // no open draft any more
    // Back to the older version: a draft of its own, and again a second person.
    Value back = v_with(input(c, FOOD, 0), S("version"), v_int(before.version), c->a);
    revision = revision_of(county_do(c, "studio.open", &second, back));
    assert_int_equal(county_try(c, "studio.open", &first, back, &ret), CONFLICT);
    revision = submitted(c, &second, FOOD, revision);
    assert_int_equal(county_try(c, "studio.approve", &second, input(c, FOOD, revision), &ret),
                     DENIED);
    county_do(c, "studio.approve", &first, input(c, FOOD, revision));
    after = item_now(c, FOOD, 0);
    assert_int_equal(after.version, before.version + 2);
    assert_true(str_eq(after.digest, before.digest));
}

static void a_stale_revision_is_a_conflict(void **state) {
    County *c = *state;
    Value ret;
    Actor first = county_actor(c, "sysadmin"), second = county_actor(c, "sysadmin2");
    int64_t opened = revision_of(county_do(c, "studio.open", &first, input(c, FOOD, 0)));
    int64_t again = revision_of(county_do(c, "studio.open", &second, input(c, FOOD, 0)));
    assert_int_equal(opened, again); // one draft for both
    Str spec = v_text(v_get_lit(draft_now(c, FOOD).files, "item.json"));
    Value mine = save_input(c, FOOD, opened, "item.json",
                            replaced(c, spec, "\"visits\": 0", "\"visits\": 1"));
    int64_t next = revision_of(county_do(c, "studio.save", &first, mine));
    assert_int_equal(county_try(c, "studio.save", &second, mine, &ret), CONFLICT);
    assert_true(says(&c->errs, c->a, "已被别人改到第"));
    // Both are authors once the second has changed something: neither may approve.
    Value theirs = save_input(c, FOOD, next, "README.md", S("说明"));
    next = revision_of(county_do(c, "studio.save", &second, theirs));
    next = submitted(c, &first, FOOD, next);
    assert_int_equal(county_try(c, "studio.approve", &second, input(c, FOOD, next), &ret), DENIED);
    assert_int_equal(county_try(c, "studio.save", &second,
                                save_input(c, FOOD, next, "README.md", S("改")), &ret), CONFLICT);
    next = revision_of(county_do(c, "studio.recall", &second, input(c, FOOD, next)));
    county_do(c, "studio.discard", &first, input(c, FOOD, next));
}

static void what_is_wrong_is_not_submitted(void **state) {
    County *c = *state;
    Value ret;
    Actor first = county_actor(c, "sysadmin");
    int64_t revision = revision_of(county_do(c, "studio.open", &first, input(c, FOOD, 0)));
    Value say = with_text(c, input(c, FOOD, revision), "summary", "试");
    assert_int_equal(county_try(c, "studio.submit", &first, say, &ret), CONFLICT);
    assert_true(says(&c->errs, c->a, "没有可以发布的改动"));
    Str flow = v_text(v_get_lit(draft_now(c, FOOD).files, "flow.bpmn"));
    revision = revision_of(county_do(c, "studio.save", &first,
        save_input(c, FOOD, revision, "flow.bpmn",
                   replaced(c, flow, "yz:post=\"330225-SCJ-SC\"", "yz:post=\"330225-SCJ-XX\""))));
    assert_int_equal(county_try(c, "studio.submit", &first, input(c, FOOD, revision), &ret),
                     INVALID);
    assert_true(says(&c->errs, c->a, "写明改了什么"));
    say = with_text(c, input(c, FOOD, revision), "summary", "试");
    assert_int_equal(county_try(c, "studio.submit", &first, say, &ret), INVALID);
    assert_true(says(&c->errs, c->a, "没有编码为“330225-SCJ-XX”的岗位"));
    // A broken text may be kept, but not handed on.
    revision = revision_of(county_do(c, "studio.save", &first,
        save_input(c, FOOD, revision, "flow.bpmn", S("<bpmn:definitions"))));
    say = with_text(c, input(c, FOOD, revision), "summary", "试");
    assert_int_equal(county_try(c, "studio.submit", &first, say, &ret), INVALID);
    // An example that no longer comes out as it says.
    Str rules = replaced(c, flow, "yz:outcome=\"granted\"", "yz:outcome=\"refused\"");
    revision = revision_of(county_do(c, "studio.save", &first,
        save_input(c, FOOD, revision, "flow.bpmn", rules)));
    say = with_text(c, input(c, FOOD, revision), "summary", "试");
    assert_int_equal(county_try(c, "studio.submit", &first, say, &ret), INVALID);
    assert_true(says(&c->errs, c->a, "示例"));
    // Files a pack may not have, and too much of it.
    assert_int_equal(county_try(c, "studio.save", &first,
        save_input(c, FOOD, revision, "../climb", S("x")), &ret), INVALID);
    char *large = arena_alloc_raw(c->a, STUDIO_SIZE_MAX + 1);
    memset(large, 'x', STUDIO_SIZE_MAX + 1);
    assert_int_equal(county_try(c, "studio.save", &first,
        save_input(c, FOOD, revision, "README.md", str_of(large, STUDIO_SIZE_MAX + 1)), &ret),
        LIMIT);
    county_do(c, "studio.discard", &first, input(c, FOOD, revision));
}

static void rejected_goes_back_to_its_author(void **state) {
    County *c = *state;
    Value ret;
    Actor first = county_actor(c, "sysadmin"), second = county_actor(c, "sysadmin2");
    int64_t revision =
        draft_with_days(c, &first, FOOD, "\"promised_days\": 7", "\"promised_days\": 5");
    revision = submitted(c, &first, FOOD, revision);
    assert_int_equal(county_try(c, "studio.reject", &second, input(c, FOOD, revision), &ret),
                     INVALID);
    Value why = with_text(c, input(c, FOOD, revision), "note", "请与业务科室核对");
    revision = revision_of(county_do(c, "studio.reject", &second, why));
    StudioDraft d = draft_now(c, FOOD);
    assert_int_equal(d.state, STUDIO_REJECTED);
    assert_text(d.review_note, "请与业务科室核对");
    revision = revision_of(county_do(c, "studio.save", &first,
        save_input(c, FOOD, revision, "README.md", S("已与业务科室核对"))));
    assert_int_equal(draft_now(c, FOOD).state, STUDIO_EDITING);
    county_do(c, "studio.discard", &second, input(c, FOOD, revision));
}

static void a_draft_follows_what_is_published(void **state) {
    County *c = *state;
    Value ret;
    Actor first = county_actor(c, "sysadmin"), second = county_actor(c, "sysadmin2");
    StudioItem before = item_now(c, FOOD, 0);
    int64_t revision =
        draft_with_days(c, &first, FOOD, "\"promised_days\": 7", "\"promised_days\": 6");
    // The command line publishes another meanwhile.
    Value files = before.files;
    Str spec = replaced(c, v_text(v_get_lit(files, "item.json")), "\"visits\": 0", "\"visits\": 1");
    files = v_with(files, S("item.json"), v_str(spec), c->a);
    files = v_with(files, S("README.md"), v_lit("新的说明"), c->a);
    ListBuilder packs = list_make(c->a);
    list_add(&packs, files);
    county_do(c, "item.publish", &actor_system,
              v_with(v_null(), S("packs"), list_done(&packs), c->a));
    Value say = with_text(c, input(c, FOOD, revision), "summary", "试");
    assert_int_equal(county_try(c, "studio.submit", &first, say, &ret), CONFLICT);
    assert_true(says(&c->errs, c->a, "请先接上现行版本"));
    assert_int_equal(county_try(c, "studio.rebase", &first, input(c, FOOD, revision), &ret),
                     CONFLICT);
    assert_true(says(&c->errs, c->a, "“item.json”两边都改了"));
    Value take = v_with(v_null(), S("item.json"), v_lit("mine"), c->a);
    ret = county_do(c, "studio.rebase", &first,
                    v_with(input(c, FOOD, revision), S("take"), take, c->a));
    StudioDraft d = draft_now(c, FOOD);
    assert_int_equal(d.base_version, before.version + 1);
    assert_true(str_find(v_text(v_get_lit(d.files, "item.json")), S("\"promised_days\": 6")) >= 0);
    assert_text(v_text(v_get_lit(d.files, "README.md")), "新的说明");
    // Withdrawn meanwhile: publishing would offer it again, so it has to be meant.
    revision = submitted(c, &first, FOOD, revision_of(ret));
    county_do(c, "item.withdraw", &first,
              with_text(c, v_with(v_null(), S("code"), v_str(str_z(FOOD)), c->a), "reason", "整改"));
    assert_int_equal(county_try(c, "studio.approve", &second, input(c, FOOD, revision), &ret),
                     CONFLICT);
    assert_true(says(&c->errs, c->a, "停办"));
    revision = revision_of(county_do(c, "studio.recall", &first, input(c, FOOD, revision)));
    revision = revision_of(county_do(c, "studio.rebase", &first, input(c, FOOD, revision)));
    revision = submitted(c, &first, FOOD, revision);
    county_do(c, "studio.approve", &second, input(c, FOOD, revision));
    assert_false(item_now(c, FOOD, 0).withdrawn);
    // As it was, for the other tests.
    ListBuilder old = list_make(c->a);
    list_add(&old, before.files);
    county_do(c, "item.publish", &actor_system,
              v_with(v_null(), S("packs"), list_done(&old), c->a));
}

static void an_upload_is_a_draft(void **state) {
    County *c = *state;
    Value ret;
    Actor first = county_actor(c, "sysadmin"), second = county_actor(c, "sysadmin2");
    Value files = item_now(c, FOOD, 0).files;
    Value same = v_with(v_null(), S("files"), files, c->a);
    assert_int_equal(county_try(c, "studio.upload", &first, same, &ret), CONFLICT);
    Str spec = replaced(c, v_text(v_get_lit(files, "item.json")), FOOD, "330225-SCJ-9999");
    Value fresh = v_with(files, S("item.json"), v_str(spec), c->a);
    ret = county_do(c, "studio.upload", &first, v_with(v_null(), S("files"), fresh, c->a));
    assert_text(v_text(v_get_lit(ret, "code")), "330225-SCJ-9999");
    int64_t revision = submitted(c, &first, "330225-SCJ-9999", revision_of(ret));
    assert_int_equal(county_try(c, "studio.approve", &first, input(c, "330225-SCJ-9999", revision),
                                &ret), DENIED);
    ret = county_do(c, "studio.approve", &second, input(c, "330225-SCJ-9999", revision));
    assert_int_equal(v_to_int(v_get_lit(ret, "version"), 0), 1);
    assert_int_equal(county_try(c, "item.publish", &second, v_null(), &ret), DENIED);
}

static void an_imported_item_gets_its_own(void **state) {
    County *c = *state;
    Error e;
    Actor first = county_actor(c, "sysadmin"), second = county_actor(c, "sysadmin2");
    Str code = S("");
    {
        DB_AUTO db = NULL;
        assert_int_equal(store_read(c->f->store, &db, &e), OK);
        Query *q = query(db, "SELECT i.code FROM item i JOIN item_version v ON v.id = i.version_id"
                             " WHERE v.pack_json LIKE '{\"base\"%' ORDER BY i.id LIMIT 1");
        assert_true(query_next(q));
        code = query_col_keep(q, 0, c->a);
        assert_int_equal(query_done(q, &e), OK);
    }
    const char *z = arena_cstr(c->a, code);
    StudioItem before = item_now(c, z, 0);
    assert_true(before.shares);
    int64_t revision = revision_of(county_do(c, "studio.open", &first, input(c, z, 0)));
    {
        DB_AUTO db = NULL;
        Value impact;
        StudioDraft d = draft_now(c, z);
        assert_int_equal(store_read(c->f->store, &db, &e), OK);
        assert_int_equal(studio_impact(db, code, before.files, d.files, c->a, &impact, &e), OK);
        assert_true(v_to_int(v_get_lit(impact, "shares"), 0) > 1);
        assert_int_equal(v_get_lit(impact, "files").len, 0);
    }
    revision = revision_of(county_do(c, "studio.save", &first,
                                     save_input(c, z, revision, "README.md", S("自己的一份"))));
    revision = submitted(c, &first, z, revision);
    county_do(c, "studio.approve", &second, input(c, z, revision));
    StudioItem after = item_now(c, z, 0);
    assert_false(after.shares);
    assert_true(str_eq(after.name, before.name));
}

static void impact_and_findings(void **state) {
    County *c = *state;
    Error e;
    Value impact, findings, report;
    bool compiled = false;
    StudioItem item = item_now(c, FOOD, 0);
    Str spec = replaced(c, v_text(v_get_lit(item.files, "item.json")), "\"promised_days\": 7",
                        "\"promised_days\": 6");
    spec = replaced(c, spec, "\"code\": \"lease\"", "\"code\": \"tenancy\"");
    Value files = v_with(item.files, S("item.json"), v_str(spec), c->a);
    DB_AUTO db = NULL;
    assert_int_equal(store_read(c->f->store, &db, &e), OK);
    assert_int_equal(studio_impact(db, str_z(FOOD), item.files, files, c->a, &impact, &e), OK);
    assert_int_equal(v_get_lit(impact, "files").len, 1);
    assert_int_equal(v_get_lit(impact, "applicants").len, 3); // days, one come, one gone
    assert_int_equal(studio_findings(db, str_z(FOOD), files, c->a, &findings, &e), OK);
    assert_true(findings.len > 0); // the guide still names the old code
    assert_text(v_text(v_path(findings, S("0.file"))), "guide.dmn");
    assert_int_equal(studio_findings(db, str_z(FOOD), item.files, c->a, &findings, &e), OK);
    for (uint32_t i = 0; i < findings.len; i++) {
        assert_text(v_text(v_get_lit(v_at(findings, i), "severity")), "warning");
    }
    files = v_with(item.files, S("flow.bpmn"), v_str(S("<bpmn:definitions")), c->a);
    assert_int_equal(studio_findings(db, str_z(FOOD), files, c->a, &findings, &e), OK);
    assert_text(v_text(v_path(findings, S("0.file"))), "flow.bpmn");
    assert_text(v_text(v_path(findings, S("0.severity"))), "error");
    assert_int_equal(studio_examples(item.files, c->now, c->a, &report, &compiled), OK);
    assert_true(compiled && report.len > 5);
    for (uint32_t i = 0; i < report.len; i++) {
        Value one = v_at(report, i);
        assert_true(v_true(v_get_lit(one, "ok")));
        if (!str_eq(v_text(v_get_lit(one, "state")), S("decided"))) continue;
        assert_true(v_get_lit(one, "path").len > 2);
        assert_true(v_get_lit(one, "rules").len > 0);
        assert_true(v_path(one, S("rules.0.trace.0.rules")).kind == V_LIST);
    }
}

// A diff applied to the old text gives the new one, whatever the texts.
static Str applied(Arena *a, Str before, Value diff) {
    Buf out = buf_make(a, 256, 1 << 20);
    Str rest = before;
    int64_t at = 1;
    Value hunks = v_get_lit(diff, "hunks");
    for (uint32_t i = 0; i < hunks.len; i++) {
        int64_t from = v_to_int(v_get_lit(v_at(hunks, i), "old"), 0);
        for (; at < from; at++) {
            buf_str(&out, str_cut(&rest, '\n'));
            buf_char(&out, '\n');
        }
        Value lines = v_get_lit(v_at(hunks, i), "lines");
        for (uint32_t k = 0; k < lines.len; k++) {
            Str kind = v_text(v_get_lit(v_at(lines, k), "kind"));
            if (!str_eq(kind, S("added"))) {
                (void)str_cut(&rest, '\n');
                at++;
            }
            if (str_eq(kind, S("removed"))) continue;
            buf_str(&out, v_text(v_get_lit(v_at(lines, k), "value")));
            buf_char(&out, '\n');
        }
    }
    if (rest.ptr) buf_str(&out, rest);
    return buf_view(&out);
}

static uint32_t next_random(uint32_t *seed) { return *seed = *seed * 1664525u + 1013904223u; }

static void differences_lead_from_one_to_the_other(void **state) {
    County *c = *state;
    uint32_t seed = 7;
    for (int round = 0; round < 400; round++) {
        Buf texts[2] = {buf_make(c->a, 64, 1 << 16), buf_make(c->a, 64, 1 << 16)};
        for (int side = 0; side < 2; side++) {
            uint32_t lines = next_random(&seed) >> 28;
            for (uint32_t i = 0; i < lines; i++) {
                buf_char(&texts[side], (char)('a' + (next_random(&seed) >> 30)));
                buf_char(&texts[side], '\n');
            }
        }
        Value diff;
        Error e;
        Str old = buf_view(&texts[0]), new = buf_view(&texts[1]);
        assert_int_equal(text_diff(old, new, c->a, &diff, &e), OK);
        Str got = applied(c->a, old, diff);
        if (!str_eq(got, new)) fail_msg("%.*s -> %.*s: %.*s", S_FMT(old), S_FMT(new), S_FMT(got));
    }
    Value diff;
    Error e;
    assert_int_equal(text_diff(S("a\nb\nc\n"), S("a\nx\nc\n"), c->a, &diff, &e), OK);
    assert_int_equal(v_to_int(v_get_lit(diff, "added"), 0), 1);
    assert_int_equal(v_to_int(v_get_lit(diff, "removed"), 0), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        EACH(a_second_person_publishes),
        EACH(a_stale_revision_is_a_conflict),
        EACH(what_is_wrong_is_not_submitted),
        EACH(rejected_goes_back_to_its_author),
        EACH(a_draft_follows_what_is_published),
        EACH(an_upload_is_a_draft),
        EACH(an_imported_item_gets_its_own),
        EACH(impact_and_findings),
        EACH(differences_lead_from_one_to_the_other),
    };
    return COUNTY_RUN("studio", tests, county_up_sqlite, county_up_postgres);
}
