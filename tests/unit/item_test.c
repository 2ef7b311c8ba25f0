// room: case
// Items: packs published and kept as versions, catalogues imported, items found, guides asked,
// letters read back; on both databases, over the demo county.
#include "case_fixture.h"

#include "case/letter.h"

#include <pthread.h>

static Value pack_files(County *c, const char *folder) {
    Error e;
    Value files = v_null();
    if (pack_read(str_z(folder), c->a, &files, &e) != OK) fixture_fail(folder, &e);
    return files;
}

// The pack with a text of one file replaced.
static Value with_change(County *c, Value files, const char *path, const char *old,
                         const char *new) {
    Str text = v_text(v_get(files, str_z(path)));
    ptrdiff_t at = str_find(text, str_z(old));
    assert_true(at >= 0);
    Str parts[] = {str_sub(text, 0, (size_t)at), str_z(new),
                   str_sub(text, (size_t)at + strlen(old), text.len)};
    return v_with(files, str_z(path), v_str(arena_concat(c->a, parts, 3)), c->a);
}

static Value publish_input(County *c, const Value *packs, size_t n) {
    ListBuilder list = list_make(c->a);
    for (size_t i = 0; i < n; i++) list_add(&list, packs[i]);
    return v_with(v_null(), S("packs"), list_done(&list), c->a);
}

static const Item *by_code(County *c, const char *code) {
    Error e;
    const Item *item = NULL;
    DB_AUTO db = NULL;
    assert_int_equal(store_read(c->f->store, &db, &e), OK);
    if (item_by_code(case_items(c->room), db, str_z(code), &item, &e) != OK) fixture_fail(code, &e);
    return item;
}

static bool says(const Errors *errs, Arena *a, const char *words) {
    for (size_t i = 0; i < errs->count; i++) {
        Str m = error_message(&errs->items[i], NULL, NULL, a);
        if (str_find(m, str_z(words)) >= 0) return true;
    }
    return false;
}

static const char FOOD[] = "330225-SCJ-0201";

static void publishing_again_changes_nothing(void **state) {
    County *c = *state;
    Value files = pack_files(c, "packs/food-license");
    int64_t before = county_int(c, "SELECT COUNT(*) FROM item_version WHERE ?1 = 1", 1);
    Value done = county_do(c, "item.publish", &actor_system, publish_input(c, &files, 1));
    assert_true(v_true(v_path(done, S("published.0.unchanged"))));
    assert_int_equal(county_int(c, "SELECT COUNT(*) FROM item_version WHERE ?1 = 1", 1), before);
}

static void versions_are_kept(void **state) {
    County *c = *state;
    Error e;
    const Item *old = by_code(c, FOOD), *still = NULL;
    Value changed = with_change(c, pack_files(c, "packs/food-license"), "item.json",
                                "\"name\": \"食品经营许可\"", "\"name\": \"食品经营许可（新）\"");
    Value done = county_do(c, "item.publish", &actor_system, publish_input(c, &changed, 1));
    assert_false(v_true(v_path(done, S("published.0.unchanged"))));
    assert_int_equal(v_to_int(v_path(done, S("published.0.version")), 0), old->version + 1);
    const Item *fresh = by_code(c, FOOD);
    assert_text(fresh->name, "食品经营许可（新）");
    assert_int_equal(fresh->version, old->version + 1);
    DB_AUTO db = NULL;
    assert_int_equal(store_read(c->f->store, &db, &e), OK);
    assert_int_equal(item_get(case_items(c->room), db, old->version_id, &still, &e), OK);
    assert_ptr_equal(still, old); // compiled once
    assert_text(still->name, "食品经营许可");
    Value files = pack_files(c, "packs/food-license"); // back, for the other tests
    county_do(c, "item.publish", &actor_system, publish_input(c, &files, 1));
}

static void one_fault_publishes_nothing(void **state) {
    County *c = *state;
    int64_t before = county_int(c, "SELECT COUNT(*) FROM item_version WHERE ?1 = 1", 1);
    int64_t events = county_int(c, "SELECT COUNT(*) FROM event WHERE ?1 = 1", 1);
    Value packs[2], ret = v_null();
    packs[0] = with_change(c, pack_files(c, "packs/food-license"), "item.json",
                           "\"name\": \"食品经营许可\"", "\"name\": \"改过的\"");
    packs[1] = with_change(c, pack_files(c, "packs/social-insurance-certificate"), "item.json",
                           "\"case_kind\": 1", "\"case_kind\": 9");
    assert_int_equal(county_try(c, "item.publish", &actor_system, publish_input(c, packs, 2), &ret),
                     INVALID);
    assert_true(says(&c->errs, c->a, "1 至 4"));
    assert_true(str_find(c->errs.items[0].where, S("item.json:case_kind")) >= 0);
    packs[1] = with_change(c, pack_files(c, "packs/food-license"), "item.json",
                           "\"unit\": \"330225-SCJ\"", "\"unit\": \"330225-NONE\"");
    assert_int_equal(county_try(c, "item.publish", &actor_system, publish_input(c, packs, 2), &ret),
                     INVALID);
    assert_true(says(&c->errs, c->a, "没有编码为“330225-NONE”的单位"));
    packs[1] = with_change(c, pack_files(c, "packs/hard-to-employ"), "flow.bpmn",
                           "yz:post=\"330225-RSJ-SP\"", "yz:post=\"330225-RSJ-XX\"");
    assert_int_equal(county_try(c, "item.publish", &actor_system, publish_input(c, packs, 2), &ret),
                     INVALID);
    assert_true(says(&c->errs, c->a, "没有编码为“330225-RSJ-XX”的岗位"));
    assert_int_equal(county_int(c, "SELECT COUNT(*) FROM item_version WHERE ?1 = 1", 1), before);
    assert_int_equal(county_int(c, "SELECT COUNT(*) FROM event WHERE ?1 = 1", 1), events);
}

static void faults_come_all_at_once(void **state) {
    County *c = *state;
    Value files = pack_files(c, "packs/food-license");
    files = with_change(c, files, "item.json", "\"power\"", "\"powr\"");
    files = with_change(c, files, "flow.bpmn", "</bpmn:process>", "");
    files = v_with(files, S("letters/acceptance.txt"), v_lit("# 题\n{{#if x}}"), c->a);
    files = v_with(files, S("../climb"), v_lit("x"), c->a);
    Errors errs = errors_make(c->a);
    Item item;
    assert_int_equal(pack_compile(files, c->a, &item, &errs), INVALID);
    assert_true(says(&errs, c->a, "不应有这个文件"));
    ContextBuilder rest = context_make(c->a);
    for (uint32_t i = 0; i < files.len; i++) {
        if (!str_eq(files.as.entries[i].key, S("../climb"))) {
            context_put(&rest, files.as.entries[i].key, files.as.entries[i].value);
        }
    }
    errs = errors_make(c->a);
    assert_int_equal(pack_compile(context_done(&rest), c->a, &item, &errs), INVALID);
    bool spec = false, flow = false, letter = false;
    for (size_t i = 0; i < errs.count; i++) {
        spec = spec || str_starts(errs.items[i].where, S("item.json"));
        flow = flow || str_starts(errs.items[i].where, S("flow.bpmn"));
        letter = letter || str_starts(errs.items[i].where, S("letters/"));
    }
    assert_true(spec && flow && letter);
}

static void a_way_without_decision_is_refused(void **state) {
    County *c = *state;
    Value files = with_change(c, pack_files(c, "packs/generic"), "flow.bpmn",
                              "yz:service=\"decide\"\n        yz:outcome=\"refused\"",
                              "yz:service=\"letter\" yz:letter=\"denial\"");
    Errors errs = errors_make(c->a);
    Item item;
    assert_int_equal(pack_compile(files, c->a, &item, &errs), INVALID);
    assert_true(says(&errs, c->a, "不经过决定"));
    files = with_change(c, pack_files(c, "packs/generic"), "flow.bpmn", "=item.unit + ",
                        "=itm.unit + ");
    errs = errors_make(c->a);
    assert_int_equal(pack_compile(files, c->a, &item, &errs), INVALID);
    assert_true(says(&errs, c->a, "“itm”"));
}

static Value import_lines(County *c, const char *json) {
    ContextBuilder b = context_make(c->a);
    context_put_lit(&b, "lines", county_json(c, json));
    context_put_lit(&b, "region", v_lit("330225"));
    return context_done(&b);
}

static void imported_items_share_a_pack(void **state) {
    County *c = *state;
    Value done = county_do(
        c, "item.import", &actor_system,
        import_lines(
            c,
            "[{'line':2,'department':'从来没有的局','name':'新事项一','item_code':'T-1','task_type'"
            ":'1',"
            "'dept_code':''},{'line':3,'department':'从来没有的局','name':'新事项二','item_code':'"
            "T-2',"
            "'task_type':'20','dept_code':''},{'line':4,'department':'名字不同','name':'新事项三',"
            "'item_code':'T-3','task_type':'7','dept_code':'11330225MD99000294'}]"));
    assert_int_equal(v_to_int(v_get_lit(done, "loaded"), 0), 3);
    assert_int_equal(v_to_int(v_get_lit(done, "units_made"), 0), 1);
    const Item *one = by_code(c, "T-1"), *two = by_code(c, "T-2"), *three = by_code(c, "T-3");
    assert_ptr_equal(one->form, two->form);
    assert_ptr_equal(one->flow, three->flow);
    assert_ptr_equal(one->materials, two->materials);
    assert_text(one->power, "行政许可");
    assert_int_equal(one->promised_days, 10);
    assert_int_equal(two->case_kind, 1);
    assert_int_equal(two->promised_days, 0);
    assert_int_equal(one->unit_id, two->unit_id);
    assert_int_equal(county_int(c, "SELECT COUNT(*) FROM post WHERE unit_id = ?1", one->unit_id),
                     5);
    // found by its social credit code, whatever the line calls it
    assert_int_equal(county_int(c,
                                "SELECT COUNT(*) FROM unit WHERE id = ?1 AND code = '330225-FGJ'",
                                three->unit_id),
                     1);
    done = county_do(c, "item.import", &actor_system,
                     import_lines(c, "[{'line':2,'department':'从来没有的局','name':'新事项一','"
                                     "item_code':'T-1','task_type':'1',"
                                     "'dept_code':''}]"));
    assert_int_equal(v_to_int(v_get_lit(done, "unchanged"), 0), 1);
}

static void bad_lines_are_told_by_number(void **state) {
    County *c = *state;
    Value done = county_do(
        c, "item.import", &actor_system,
        import_lines(
            c, "[{'line':10,'department':'县局','name':'好','item_code':'U-1','task_type':'1'},"
               "{'line':11,'department':'县局','name':'罚款','item_code':'U-2','task_type':'2'},"
               "{'line':12,'department':'县局','name':'坏编码','item_code':'U 3','task_type':'1'},"
               "{'line':13,'department':'县局','name':'又来','item_code':'U-1','task_type':'1'},"
               "{'line':14,'department':'','name':'无部门','item_code':'U-4','task_type':'1'}]"));
    assert_int_equal(v_to_int(v_get_lit(done, "loaded"), 0), 1);
    Value bad = v_get_lit(done, "bad");
    static const int lines[] = {11, 12, 13, 14};
    assert_int_equal(bad.len, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(v_to_int(v_get_lit(v_at(bad, i), "line"), 0), lines[i]);
    }
}

static Value search(County *c, const char *filter) {
    Error e;
    Value found = v_null();
    DB_AUTO db = NULL;
    assert_int_equal(store_read(c->f->store, &db, &e), OK);
    if (item_search(db, county_json(c, filter), c->a, &found, &e) != OK) fixture_fail(filter, &e);
    return found;
}

static int64_t total(Value found) { return v_to_int(v_get_lit(found, "total"), -1); }
static Str name_at(Value found, uint32_t i) {
    return v_text(v_get_lit(v_at(v_get_lit(found, "rows"), i), "name"));
}

static void items_are_found(void **state) {
    County *c = *state;
    county_do(
        c, "item.import", &actor_system,
        import_lines(
            c, "[{'line':1,'department':'搜索局','name':'蓝鲸捕捞证','item_code':'S-1','task_type':"
               "'1',"
               "'name_en':'Blue Whale Permit'},"
               "{'line':2,'department':'搜索局','name':'换发蓝鲸捕捞证','item_code':'S-2','task_"
               "type':'20'},"
               "{'line':3,'department':'搜索局','name':'蓝鲸捕捞证100%补贴_特','item_code':'S-3',"
               "'task_type':'20'}]"));
    Value found = search(c, "{'q':'鲸捕'}");
    assert_int_equal(total(found), 3);
    found = search(c, "{'q':'蓝鲸捕捞证'}");
    assert_text(name_at(found, 0), "蓝鲸捕捞证"); // exact, beginning, fragment
    assert_text(name_at(found, 1), "蓝鲸捕捞证100%补贴_特");
    assert_text(name_at(found, 2), "换发蓝鲸捕捞证");
    assert_int_equal(total(search(c, "{'q':'BLUE whale'}")), 1);
    assert_int_equal(total(search(c, "{'q':'s-2'}")), 1);
    assert_int_equal(total(search(c, "{'q':'捕捞 换发'}")), 1);
    assert_int_equal(total(search(c, "{'q':'捕捞　蓝鲸'}")), 3); // the wide blank
    assert_int_equal(total(search(c, "{'q':'100%'}")), 1);
    assert_int_equal(total(search(c, "{'q':'%鲸'}")), 0); // no wildcard
    assert_int_equal(total(search(c, "{'q':'蓝_捕'}")), 0);
    assert_int_equal(total(search(c, "{'q':'!'}")), 0);
    assert_int_equal(total(search(c, "{'q':'\\u0027 OR 1=1 --'}")), 0);
    assert_int_equal(total(search(c, "{'q':'蓝鲸','kind':1}")), 2);
    assert_int_equal(total(search(c, "{'q':'蓝鲸','power':'行政许可'}")), 1);
    found = search(c, "{'page_size':10,'page':2}");
    assert_int_equal(v_get_lit(found, "rows").len, 10);
    assert_int_equal(total(search(c, "{'page':'x','page_size':'-3'}")), total(found));
    assert_int_equal(total(search(c, "{'unit':'330225-SCJ','q':'食品经营许可'}")), 1);
    assert_int_equal(total(search(c, "{'unit':'330225-FGJ','q':'食品经营许可'}")), 0);
    assert_true(total(search(c, "{'bundle':1}")) >= 1);
    // What only an office opens isn't shown, except to the administration.
    assert_int_equal(total(search(c, "{'q':'差评整改'}")), 0);
    assert_int_equal(total(search(c, "{'q':'差评整改','withdrawn':true}")), 1);
}

static void withdrawn_items(void **state) {
    County *c = *state;
    Error e;
    Value ret;
    const Item *item;
    county_do(c, "item.import", &actor_system,
              import_lines(c, "[{'line':1,'department':'停办局','name':'旧事项','item_code':'W-1','"
                              "task_type':'1'}]"));
    assert_int_equal(
        county_try(c, "item.withdraw", &actor_system, county_json(c, "{'code':'W-1'}"), &ret),
        INVALID); // no reason
    county_do(c, "item.withdraw", &actor_system, county_json(c, "{'code':'W-1','reason':'取消'}"));
    DB_AUTO db = NULL;
    assert_int_equal(store_read(c->f->store, &db, &e), OK);
    assert_int_equal(item_by_code(case_items(c->room), db, S("W-1"), &item, &e), NOT_FOUND);
    assert_int_equal(total(search(c, "{'q':'旧事项'}")), 0);
    assert_int_equal(county_try(c, "item.withdraw", &actor_system,
                                county_json(c, "{'code':'W-1','reason':'取消'}"), &ret),
                     NOT_FOUND);
    Actor citizen = county_actor(c, "citizen");
    assert_int_equal(county_try(c, "item.withdraw", &citizen,
                                county_json(c, "{'code':'W-1','reason':'x'}"), &ret),
                     DENIED);
}

static Status guide(County *c, const char *code, const char *situation, Value *ret, Error *e) {
    return item_guide(by_code(c, code), county_json(c, situation), c->now, c->a, ret, e);
}

static int needed(Value guide_result) {
    Value materials = v_get_lit(guide_result, "materials");
    int n = 0;
    for (uint32_t i = 0; i < materials.len; i++) {
        n += v_true(v_get_lit(v_at(materials, i), "needed"));
    }
    return n;
}

static void guides_are_asked(void **state) {
    County *c = *state;
    Error e;
    Value result = v_lit("untouched");
    static const char BUNDLE[] = "330225-YJS-0001";
    assert_int_equal(guide(c, BUNDLE,
                           "{'recognised':'no','category':'older','registered':'no',"
                           "'pay':'self'}",
                           &result, &e),
                     OK);
    assert_true(v_true(v_get_lit(result, "eligible")));
    assert_int_equal(needed(result), 4);
    // the category isn't asked of those who are recognised already; what was sent is dropped
    assert_int_equal(guide(c, BUNDLE,
                           "{'recognised':'yes','category':'older','registered':'yes',"
                           "'pay':'self','junk':[1]}",
                           &result, &e),
                     OK);
    assert_false(v_has(v_get_lit(result, "situation"), S("category")));
    assert_false(v_has(v_get_lit(result, "situation"), S("junk")));
    result = v_lit("untouched");
    assert_int_equal(guide(c, BUNDLE, "{'recognised':'maybe'}", &result, &e), INVALID);
    assert_text(e.where, "situation.recognised");
    assert_int_equal(guide(c, BUNDLE, "{}", &result, &e), INVALID);
    assert_text(v_text(result), "untouched");
}

// ---- letters of a case ----

static Status view_letter(County *c, Str code, Value *ret, Error *e) {
    DB_AUTO db = NULL;
    assert_int_equal(store_read(c->f->store, &db, e), OK);
    return letter_view(db, case_items(c->room), code, c->a, ret, e);
}

static void letters_are_read_back(void **state) {
    County *c = *state;
    Error e;
    Actor citizen = county_actor(c, "citizen"), clerk = county_actor(c, "clerk");
    Value submitted = county_do(c, "case.submit", &citizen,
                                county_json(c, "{'item':'330225-FGJ-XK002','situation':{},'answers'"
                                               ":{'matter':'申请。','truthful':'true',"
                                               "'name':'张三','id_number':'330225197706151027','"
                                               "phone':'13800000001'},'materials':[]}"));
    Value id = v_get_lit(submitted, "id");
    county_do(c, "case.accept", &clerk, v_with(v_null(), S("id"), id, c->a));
    DB_AUTO db = NULL;
    assert_int_equal(store_read(c->f->store, &db, &e), OK);
    Query *q = query(db, "SELECT code FROM letter WHERE case_id = ?1 AND kind = 'acceptance'");
    query_int(q, 1, v_to_int(id, 0));
    assert_true(query_next(q));
    Str code = query_col_keep(q, 0, c->a);
    assert_int_equal(query_done(q, &e), OK);
    Value letter = v_null(), again = v_null();
    if (view_letter(c, code, &letter, &e) != OK) fixture_fail("letter_view", &e);
    assert_text(v_text(v_get_lit(letter, "title")), "受理通知书");
    assert_true(v_true(v_get_lit(letter, "intact")));
    Str number = v_text(v_get_lit(letter, "number"));
    Str wanted = arena_concat(
        c->a, (Str[]){S("政务受〔2023〕"), v_text(v_get_lit(submitted, "number")), S("号")}, 3);
    assert_true(str_eq(number, wanted));
    Str text = v_text(v_get_lit(letter, "text"));
    assert_true(str_find(text, S("政府投资项目建议书审批")) >= 0);
    assert_true(str_find(text, S("{{")) < 0);
    assert_true(str_find(text, S("330225197706151027")) < 0); // masked
    assert_int_equal(view_letter(c, code, &again, &e), OK);
    assert_true(v_equal(letter, again));
    assert_int_equal(view_letter(c, S("nothing"), &again, &e), NOT_FOUND);
    char sql[200];
    (void)snprintf(sql, sizeof sql,
                   "UPDATE letter SET model_json = REPLACE(model_json, '政府', '私人')"
                   " WHERE case_id = %ld",
                   (long)v_to_int(id, 0));
    fixture_do(c->f, sql);
    assert_int_equal(view_letter(c, code, &again, &e), OK);
    assert_false(v_true(v_get_lit(again, "intact")));
}

// ---- threads ----

typedef struct Reader {
    County *c;
    const Item *items[20];
} Reader;

static void *read_items(void *arg) {
    Reader *r = arg;
    for (int64_t i = 0; i < 20; i++) {
        Error e;
        Db *db;
        if (store_read(r->c->f->store, &db, &e) != OK) return NULL;
        if (item_get(case_items(r->c->room), db, 40 + i, &r->items[i], &e) != OK) return NULL;
        store_release(db);
    }
    return NULL;
}

static void threads_get_the_same_items(void **state) {
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    Reader readers[THREADS] = {0};
    for (int i = 0; i < THREADS; i++) {
        readers[i].c = *state;
        assert_int_equal(pthread_create(&threads[i], NULL, read_items, &readers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) (void)pthread_join(threads[i], NULL);
    for (int i = 0; i < 20; i++) {
        assert_non_null(readers[0].items[i]);
        for (int k = 1; k < THREADS; k++) {
            assert_ptr_equal(readers[0].items[i], readers[k].items[i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        EACH(publishing_again_changes_nothing),
        EACH(versions_are_kept),
        EACH(one_fault_publishes_nothing),
        EACH(faults_come_all_at_once),
        EACH(a_way_without_decision_is_refused),
        EACH(imported_items_share_a_pack),
        EACH(bad_lines_are_told_by_number),
        EACH(items_are_found),
        EACH(withdrawn_items),
        EACH(guides_are_asked),
        EACH(letters_are_read_back),
        EACH(threads_get_the_same_items),
    };
    return COUNTY_RUN("item", tests, county_up_sqlite, county_up_postgres);
}
