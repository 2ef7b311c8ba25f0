// room: form
// Loading schemas and refusing bad ones; checking answers of every type, right and wrong; what is
// asked and what is dropped; the model in both languages.
#include "form/form.h"
#include "value/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static Arena *arena;
static const Instant NOW = INT64_C(1685494800000); // 2023-05-31 09:00 in China

static const char *const SCHEMA =
    "{\"title\":\"申请表\",\"title_en\":\"Application\",\"steps\":["
    "{\"id\":\"who\",\"title\":\"您是谁\",\"fields\":["
    "{\"name\":\"name\",\"label\":\"姓名\",\"label_en\":\"Name\",\"type\":\"text\",\"required\":"
    "true,\"max_length\":5,\"personal\":true,\"autocomplete\":\"name\"},"
    "{\"name\":\"id_number\",\"label\":\"身份证号\",\"type\":\"citizen_id\",\"required\":true,"
    "\"personal\":true,\"from\":\"applicant.id\"},"
    "{\"name\":\"phone\",\"label\":\"电话\",\"type\":\"phone\"},"
    "{\"name\":\"mail\",\"label\":\"邮箱\",\"type\":\"email\"},"
    "{\"name\":\"born\",\"label\":\"出生日期\",\"type\":\"date\",\"min\":\"1900-01-01\",\"max\":"
    "\"today()\"},"
    "{\"name\":\"age\",\"label\":\"年龄\",\"type\":\"number\",\"min\":16,\"max\":\"60\"}]},"
    "{\"id\":\"what\",\"title\":\"情形\",\"when\":\"name != \\\"无\\\"\",\"fields\":["
    "{\"name\":\"kind\",\"label\":\"情形\",\"label_en\":\"Case\",\"type\":\"choice\",\"required\":"
    "true,\"options\":[{\"value\":\"a\",\"label\":\"甲\",\"label_en\":\"A\"},{\"value\":\"b\","
    "\"label\":\"乙\"}]},"
    "{\"name\":\"why\",\"label\":\"原因\",\"type\":\"longtext\",\"when\":\"kind = "
    "\\\"b\\\"\",\"required\":true},"
    "{\"name\":\"tags\",\"label\":\"标签\",\"type\":\"choices\",\"options\":[{\"value\":\"x\","
    "\"label\":\"一\"},{\"value\":\"y\",\"label\":\"二\"}]},"
    "{\"name\":\"paid\",\"label\":\"已缴金额\",\"label_en\":\"Paid\",\"type\":\"money\",\"min\":1,"
    "\"check\":\"? <= 1000000\",\"check_text\":\"金额太大\",\"check_text_en\":\"Too much\"},"
    "{\"name\":\"work\",\"label\":\"是否就业\",\"type\":\"yesno\"},"
    "{\"name\":\"firm\",\"label\":\"单位\",\"type\":\"any_id\",\"required\":\"work\"},"
    "{\"name\":\"town\",\"label\":\"乡镇\",\"type\":\"region\"},"
    "{\"name\":\"staff\",\"label\":\"人员\",\"type\":\"table\",\"rows_max\":3,\"columns\":["
    "{\"name\":\"name\",\"label\":\"姓名\",\"type\":\"text\",\"required\":true},"
    "{\"name\":\"cert\",\"label\":\"健康证到期\",\"type\":\"date\",\"check\":\"? > "
    "today()\",\"check_text\":\"健康证已到期\"}]}]}]}";

static Value json(const char *text) {
    Value v;
    assert_int_equal(json_parse(str_z(text), JSON_STRICT, (JsonLimits){0}, arena, &v, NULL), OK);
    return v;
}

static const Form *form(void) {
    const Form *f;
    Error err = {0};
    if (form_load(json(SCHEMA), arena, &f, &err) != OK)
        print_error("%.*s %.*s\n", S_FMT(err.where), S_FMT(error_message(&err, NULL, NULL, arena)));
    assert_int_equal(form_load(json(SCHEMA), arena, &f, NULL), OK);
    return f;
}

// The answers as JSON, or "where: message; …".
static Str checked_with(const char *raw, const char *known, bool partial) {
    Errors errs = errors_make(arena);
    Value answers = v_null();
    Status status =
        form_check(form(), json(raw), json(known), partial, NOW, arena, &answers, &errs);
    if (status == OK) return json_to_str(answers, arena);
    Buf out = buf_make(arena, 64, 1 << 20);
    for (size_t i = 0; i < errs.count; i++)
        buf_printf(&out, "%s%.*s: %.*s", i ? "; " : "", S_FMT(errs.items[i].where),
                   S_FMT(error_message(&errs.items[i], NULL, NULL, arena)));
    return buf_view(&out);
}

static size_t wrong;
static void expect(const char *raw, const char *expected) {
    Str got = checked_with(raw, "{\"applicant\":{\"id\":\"11010519491231002X\"}}", true);
    if (str_eq(got, str_z(expected))) return;
    print_error("%s\n  gave     %.*s\n  expected %s\n", raw, S_FMT(got), expected);
    wrong++;
}

#define KNOWN "\"id_number\":\"11010519491231002X\""

static void types(void **state) {
    (void)state;
    wrong = 0;
    expect("{\"name\":\"  王芳 \",\"extra\":1}", "{\"name\":\"王芳\"," KNOWN "}");
    expect("{\"name\":\"<b>\"}", "{\"name\":\"<b>\"," KNOWN "}");
    expect("{\"name\":\"一二三四五六\"}", "name: 姓名最多 5 个字，现在有 6 个字");
    expect("{\"name\":\"a\\u0007\"}", "name: 姓名里有不可见的控制字符，请删除后重新填写");
    expect("{\"name\":7}", "name: 姓名应为文字");
    expect("{\"name\":{\"a\":1}}", "name: 姓名应为文字");
    expect("{\"phone\":\"138 0013 8000\"}", "{" KNOWN ",\"phone\":\"13800138000\"}");
    expect("{\"phone\":\"１３８００１３８０００\"}", "{" KNOWN ",\"phone\":\"13800138000\"}");
    expect("{\"phone\":\"12\"}", "phone: 电话应为 11 位手机号，或者区号加号码，如 0574-65712345");
    expect("{\"mail\":\"a@b.cn\"}", "{" KNOWN ",\"mail\":\"a@b.cn\"}");
    expect("{\"mail\":\"a@b\"}", "mail: 邮箱应像 name@example.com 这样，请核对");
    expect("{\"mail\":\"<a@b.c>\"}", "mail: 邮箱应像 name@example.com 这样，请核对");
    expect("{\"born\":\"1990-02-28\"}", "{" KNOWN ",\"born\":\"1990-02-28\"}");
    expect("{\"born\":\"1990年2月8日\"}", "{" KNOWN ",\"born\":\"1990-02-08\"}");
    expect("{\"born\":\"19900208\"}", "{" KNOWN ",\"born\":\"1990-02-08\"}");
    expect("{\"born.year\":\"1990\",\"born.month\":\"2\",\"born.day\":\"8\"}",
           "{" KNOWN ",\"born\":\"1990-02-08\"}");
    expect("{\"born.year\":\"1990\",\"born.month\":\"\",\"born.day\":\"8\"}",
           "born: 出生日期应为日期，如 2023-05-31");
    expect("{\"born\":\"2023-02-30\"}", "born: 没有 2023-02-30 这一天，请核对出生日期");
    expect("{\"born\":\"2023-06-01\"}", "born: 出生日期不能晚于 2023-05-31");
    expect("{\"born\":\"1899-12-31\"}", "born: 出生日期不能早于 1900-01-01");
    expect("{\"born\":\"yesterday\"}", "born: 出生日期应为日期，如 2023-05-31");
    expect("{\"age\":\"45\"}", "{" KNOWN ",\"age\":45}");
    expect("{\"age\":45.0}", "{" KNOWN ",\"age\":45}");
    expect("{\"age\":\"4.5\"}", "age: 年龄应为整数，如 12");
    expect("{\"age\":\"99999999999999999999\"}", "age: 年龄应为整数，如 12");
    expect("{\"age\":\"15\"}", "age: 年龄不能小于 16");
    expect("{\"age\":61}", "age: 年龄不能大于 60");
    expect("{\"kind\":\"a\"}", "{" KNOWN ",\"kind\":\"a\"}");
    expect("{\"kind\":\"c\"}", "kind: 请在情形的选项中选择一个");
    expect("{\"tags\":[\"y\",\"x\",\"y\"]}", "{" KNOWN ",\"tags\":[\"x\",\"y\"]}");
    expect("{\"tags\":\"y\"}", "{" KNOWN ",\"tags\":[\"y\"]}");
    expect("{\"tags\":[\"z\"]}", "tags: 请在标签的选项中选择");
    expect("{\"tags\":[[\"x\"]]}", "tags: 请在标签的选项中选择");
    expect("{\"paid\":\"1,234.5\"}", "{" KNOWN ",\"paid\":123450}");
    expect("{\"paid\":\"¥12元\"}", "{" KNOWN ",\"paid\":1200}");
    expect("{\"paid\":123450}", "{" KNOWN ",\"paid\":123450}");
    expect("{\"paid\":\"1.234\"}", "paid: 已缴金额最多到分，即小数点后两位");
    expect("{\"paid\":\"1e3\"}", "paid: 已缴金额应为金额，如 1234.50");
    expect("{\"paid\":\"0\"}", "paid: 已缴金额不能小于 0.01");
    expect("{\"paid\":\"10000.01\"}", "paid: 金额太大");
    expect("{\"work\":\"no\"}", "{" KNOWN ",\"work\":false}");
    expect("{\"work\":\"maybe\"}", "work: 是否就业请选择“是”或“否”");
    expect("{\"firm\":\"91350100m000100y43\"}", "{" KNOWN ",\"firm\":\"91350100M000100Y43\"}");
    expect("{\"firm\":\"11010519491231002x\"}", "{" KNOWN ",\"firm\":\"11010519491231002X\"}");
    expect("{\"firm\":\"110105194912310021\"}", "firm: 身份证号第 18 位应为 X，请核对");
    expect("{\"firm\":\"91350100M000100Y44\"}", "firm: 统一社会信用代码第 18 位应为 3，请核对");
    expect("{\"town\":\"330225100\"}", "{" KNOWN ",\"town\":\"330225100\"}");
    expect("{\"town\":\"3302\"}", "town: 行政区划代码应为 6、9 或 12 位数字，如 330225");
    expect("[]", ": 答案应为 JSON 对象");
    assert_int_equal(wrong, 0);
    // malformed UTF-8 can't come through JSON, but from a form post it can
    ContextBuilder raw = context_make(arena);
    context_put(&raw, S("name"), v_str(S("\xff\xfe")));
    Errors errs = errors_make(arena);
    Value answers = v_int(1);
    assert_int_equal(
        form_check(form(), context_done(&raw), v_null(), true, NOW, arena, &answers, &errs),
        INVALID);
    assert_int_equal(v_to_int(answers, 0), 1); // untouched
}

static void asking(void **state) {
    (void)state;
    wrong = 0;
    // The answer to what is not asked is dropped; so is what is known already.
    expect("{\"kind\":\"a\",\"why\":\"x\"}", "{" KNOWN ",\"kind\":\"a\"}");
    expect("{\"kind\":\"b\",\"why\":\"x\\r\\ny\"}", "{" KNOWN ",\"kind\":\"b\",\"why\":\"x\\ny\"}");
    expect("{\"id_number\":\"440524188001010014\"}", "{" KNOWN "}");
    expect("{\"name\":\"无\",\"kind\":\"b\"}", "{\"name\":\"无\"," KNOWN "}");
    assert_int_equal(wrong, 0);
    Str got = checked_with("{\"work\":true}", "{}", false);
    assert_true(str_eq(
        got, S("name: 请填写姓名; id_number: 请填写身份证号; kind: 请选择情形; firm: 请填写单位")));
    got = checked_with("{\"name\":\"王\",\"id_number\":\"11010519491231002X\",\"kind\":\"a\"}",
                       "{}", false);
    assert_true(str_eq(got, S("{\"name\":\"王\"," KNOWN ",\"kind\":\"a\"}")));
}

static void tables(void **state) {
    (void)state;
    wrong = 0;
    const char *kept =
        "{" KNOWN ",\"staff\":[{\"name\":\"甲\",\"cert\":\"2024-01-01\"},{\"name\":\"乙\"}]}";
    expect("{\"staff\":[{\"name\":\"甲\",\"cert\":\"2024-01-01\"},{\"name\":\"\"},{\"name\":\"乙\","
           "\"x\":1}]}",
           kept);
    expect("{\"staff.10.name\":\"乙\",\"staff.2.name\":\"甲\",\"staff.2.cert\":\"2024/1/"
           "1\",\"staff.3.name\":\" \"}",
           kept);
    expect(kept, kept);
    expect("{\"staff.5.cert\":\"2022-02-30\"}",
           "staff.0.cert: 没有 2022-02-30 这一天，请核对健康证到期");
    expect("{\"staff\":[{\"name\":\"甲\",\"cert\":\"2023-05-31\"}]}", "staff.0.cert: 健康证已到期");
    expect("{\"staff\":[{\"name\":\"1\"},{\"name\":\"2\"},{\"name\":\"3\"},{\"name\":\"4\"}]}",
           "staff: 人员最多 3 行");
    expect("{\"staff\":\"x\"}", "staff: 人员应为若干行");
    expect("{\"staff\":[1]}", "staff: 人员应为若干行");
    expect("{\"staff.x.name\":\"甲\",\"staff.-1.name\":\"甲\",\"staff.\":\"甲\"}", "{" KNOWN "}");
    assert_int_equal(wrong, 0);
    Str got = checked_with("{\"name\":\"王\",\"id_number\":\"11010519491231002X\",\"kind\":\"a\","
                           "\"staff.0.cert\":\"2024-01-01\"}",
                           "{}", false);
    assert_true(str_eq(got, S("staff.0.name: 请填写姓名")));
}

static void refusals(void **state) {
    (void)state;
    static const char *const CASES[][2] = {
        {"[]", ""},
        {"{\"title\":\"t\"}", "steps"},
        {"{\"steps\":[]}", "steps"},
        {"{\"title\":\"t\",\"steps\":[{\"id\":\"a\",\"title\":\"b\"}]}", "steps.0.fields"},
        {"{\"title\":\"t\",\"steps\":[{\"id\":\"a\",\"title\":\"b\",\"fields\":[{\"name\":\"n\","
         "\"label\":\"l\",\"type\":\"txt\"}]}]}",
         "steps.0.fields.0.type"},
        {"{\"title\":\"t\",\"steps\":[{\"id\":\"a\",\"title\":\"b\",\"fields\":[{\"name\":\"n.x\","
         "\"label\":\"l\",\"type\":\"text\"}]}]}",
         "steps.0.fields.0.name"},
        {"{\"title\":\"t\",\"steps\":[{\"id\":\"a\",\"title\":\"b\",\"fields\":[{\"name\":\"n\","
         "\"label\":\"l\",\"type\":\"text\",\"when\":\"a +\"}]}]}",
         "steps.0.fields.0.when"},
        {"{\"title\":\"t\",\"steps\":[{\"id\":\"a\",\"title\":\"b\",\"fields\":[{\"name\":\"n\","
         "\"label\":\"l\",\"type\":\"choice\"}]}]}",
         "steps.0.fields.0.options"},
        {"{\"title\":\"t\",\"steps\":[{\"id\":\"a\",\"title\":\"b\",\"fields\":[{\"name\":\"n\","
         "\"label\":\"l\",\"type\":\"text\"},{\"name\":\"n\",\"label\":\"l\",\"type\":\"text\"}]}]"
         "}",
         "steps.0.fields.1.name"},
        {"{\"title\":\"t\",\"steps\":[{\"id\":\"a\",\"title\":\"b\",\"fields\":[{\"name\":\"n\","
         "\"label\":\"l\",\"type\":\"text\",\"min\":1}]}]}",
         "steps.0.fields.0.min"},
        {"{\"title\":\"t\",\"steps\":[{\"id\":\"a\",\"title\":\"b\",\"fields\":[{\"name\":\"n\","
         "\"label\":\"l\",\"type\":\"text\",\"max_length\":100000}]}]}",
         "steps.0.fields.0.max_length"},
        {"{\"title\":\"t\",\"steps\":[{\"id\":\"a\",\"title\":\"b\",\"fields\":[{\"name\":\"n\","
         "\"label\":\"l\",\"type\":\"table\"}]}]}",
         "steps.0.fields.0.columns"},
        {"{\"title\":\"t\",\"steps\":[{\"id\":\"a\",\"title\":\"b\",\"fields\":[{\"name\":\"n\","
         "\"label\":5,\"type\":\"text\"}]}]}",
         "steps.0.fields.0.label"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const Form *f = NULL;
        Error err = {0};
        assert_true(form_load(json(CASES[i][0]), arena, &f, &err) != OK);
        if (!str_eq(err.where, str_z(CASES[i][1])))
            print_error("%s: %.*s\n", CASES[i][0], S_FMT(err.where));
        assert_true(str_eq(err.where, str_z(CASES[i][1])));
        assert_null(f);
    }
}

static Str translate(void *catalog, Str zh) {
    (void)catalog;
    return str_eq(zh, S("请填写{1}")) ? S("Enter {1}") : zh;
}

static void models(void **state) {
    (void)state;
    Errors errs = errors_make(arena);
    Value answers, raw = json("{\"paid\":\"99999\",\"kind\":\"a\",\"born\":\"x\",\"staff.0.name\":"
                              "\"甲\",\"tags\":[\"x\",\"y\"]}");
    Value known = json("{\"applicant\":{\"id\":\"11010519491231002X\"}}");
    assert_int_equal(form_check(form(), raw, known, false, NOW, arena, &answers, &errs), INVALID);
    Value m = form_model(form(), raw, known, S("en"), NOW, &errs, translate, NULL, arena);
    assert_true(str_eq(v_text(v_path(m, S("title"))), S("Application")));
    assert_true(str_eq(v_text(v_path(m, S("steps.0.fields.0.label"))), S("Name")));
    assert_true(str_eq(v_text(v_path(m, S("steps.0.fields.0.error"))), S("Enter Name")));
    assert_true(str_eq(v_text(v_path(m, S("steps.0.known.0.name"))), S("id_number")));
    assert_true(str_eq(v_text(v_path(m, S("steps.0.fields.3.name"))), S("born")));
    assert_true(str_eq(v_text(v_path(m, S("steps.0.fields.3.value"))), S("x")));
    assert_int_equal(v_path(m, S("steps.0.fields.3.error")).kind, V_STRING);
    assert_true(str_eq(v_text(v_path(m, S("steps.1.fields.0.display"))), S("A")));
    assert_true(v_true(v_path(m, S("steps.1.fields.0.options.0.selected"))));
    assert_false(v_true(v_path(m, S("steps.1.fields.0.options.1.selected"))));
    // "why" is not asked; the amount was converted and found too large
    assert_true(str_eq(v_text(v_path(m, S("steps.1.fields.1.name"))), S("tags")));
    assert_true(str_eq(v_text(v_path(m, S("steps.1.fields.1.display"))), S("一, 二")));
    assert_true(str_eq(v_text(v_path(m, S("steps.1.fields.2.error"))), S("Too much")));
    assert_true(str_eq(v_text(v_path(m, S("steps.1.fields.2.value"))), S("99999")));
    assert_true(str_eq(v_text(v_path(m, S("steps.1.fields.2.display"))), S("¥99,999.00")));
    assert_true(
        str_eq(v_text(v_path(m, S("steps.1.fields.6.rows.0.fields.0.name"))), S("staff.0.name")));
    assert_true(str_eq(v_text(v_path(m, S("steps.1.fields.6.rows.0.fields.0.value"))), S("甲")));
    assert_true(str_eq(v_text(v_path(m, S("steps.1.fields.6.columns.1.label"))), S("健康证到期")));
    assert_int_equal(v_get_lit(m, "errors").len, errs.count);
    assert_true(str_eq(v_text(v_path(m, S("errors.0.field"))), S("name")));

    // kept answers show as inputs do
    m = form_model(form(), json("{\"kind\":\"b\",\"paid\":123450,\"work\":true}"), v_null(),
                   S("zh"), NOW, NULL, NULL, NULL, arena);
    assert_true(str_eq(v_text(v_path(m, S("steps.1.fields.1.name"))), S("why")));
    assert_true(str_eq(v_text(v_path(m, S("steps.1.fields.3.value"))), S("1234.50")));
    assert_true(str_eq(v_text(v_path(m, S("steps.1.fields.3.display"))), S("¥1,234.50")));
    assert_true(str_eq(v_text(v_path(m, S("steps.1.fields.4.value"))), S("yes")));
    assert_true(str_eq(v_text(v_path(m, S("steps.1.fields.4.display"))), S("是")));
    assert_true(v_true(v_path(m, S("steps.1.fields.5.required"))));
}

static void names(void **state) {
    (void)state;
    Str *list;
    size_t count;
    form_names(form(), arena, &list, &count);
    assert_int_equal(count, 16);
    assert_true(str_eq(list[15], S("staff.cert")));
    assert_true(form_personal(form(), S("name")));
    assert_false(form_personal(form(), S("staff.2.name")));
    assert_false(form_personal(form(), S("none")));
}

static int setup(void **state) {
    (void)state;
    arena = arena_create(256 << 20);
    return 0;
}
static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(types),    T(asking), T(tables),
                                       T(refusals), T(models), T(names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
