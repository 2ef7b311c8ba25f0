// item.json: the national data fields of an item, checked member by member against a table, and
// read into an Item. A member the table doesn't know is a fault, so that a slip of the pen in
// "tolerable" can't quietly change what applicants must bring.
#include "case/calendar.h"
#include "case/pack.h"

typedef enum MemberKind {
    MEMBER_TEXT,
    MEMBER_CODE,   // pack_code_valid
    MEMBER_INT,    // within min … max
    MEMBER_BOOL,
    MEMBER_TEXTS,  // list of strings
    MEMBER_LIST,   // of contexts, read elsewhere
    MEMBER_CONTEXT,
} MemberKind;

typedef struct Member {
    Str name;
    MemberKind kind;
    bool required;
    int32_t min, max; // MEMBER_INT
} Member;

enum { VISITS_MAX = 20, TEXT_MAX = 8000, MONTHS_MAX = 1200 };
enum { TOLERANCE_DAYS = 5, CORRECTION_DAYS = 10 }; // when item.json doesn't say

static const Member item_members[] = {
    {S_INIT("code"), MEMBER_CODE, true, 0, 0},
    {S_INIT("basic_code"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("name"), MEMBER_TEXT, true, 0, 0},
    {S_INIT("name_en"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("main_item"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("unit"), MEMBER_CODE, true, 0, 0},
    {S_INIT("joint_units"), MEMBER_TEXTS, false, 0, 0},
    {S_INIT("power"), MEMBER_TEXT, true, 0, 0},
    {S_INIT("case_kind"), MEMBER_INT, true, 1, 4},
    {S_INIT("audience"), MEMBER_TEXTS, true, 0, 0},
    {S_INIT("life_event"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("bundle"), MEMBER_BOOL, false, 0, 0},
    {S_INIT("internal"), MEMBER_BOOL, false, 0, 0},
    {S_INIT("statutory_days"), MEMBER_INT, true, 0, CALENDAR_ADD_MAX},
    {S_INIT("promised_days"), MEMBER_INT, true, 0, CALENDAR_ADD_MAX},
    {S_INIT("tolerance_days"), MEMBER_INT, false, 0, CALENDAR_ADD_MAX},
    {S_INIT("correction_days"), MEMBER_INT, false, 0, CALENDAR_ADD_MAX},
    {S_INIT("visits"), MEMBER_INT, false, 0, VISITS_MAX},
    {S_INIT("fee"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("fee_en"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("fee_basis"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("legal_basis"), MEMBER_TEXTS, false, 0, 0},
    {S_INIT("condition"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("condition_en"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("special_procedures"), MEMBER_TEXTS, false, 0, 0},
    {S_INIT("result"), MEMBER_CONTEXT, false, 0, 0},
    {S_INIT("contact"), MEMBER_CONTEXT, false, 0, 0},
    {S_INIT("area"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("area_en"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("bookable"), MEMBER_BOOL, false, 0, 0},
    {S_INIT("express"), MEMBER_BOOL, false, 0, 0},
    {S_INIT("questions"), MEMBER_LIST, false, 0, 0},
    {S_INIT("materials"), MEMBER_LIST, false, 0, 0},
    {S_INIT("parameters"), MEMBER_CONTEXT, false, 0, 0},
    {S_INIT("parts"), MEMBER_LIST, false, 0, 0},
    {S_INIT("task_types"), MEMBER_CONTEXT, false, 0, 0},
    {S_INIT("service_objects"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("service_objects_en"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("sort"), MEMBER_INT, false, 0, 100000},
};

static const Member material_members[] = {
    {S_INIT("code"), MEMBER_CODE, true, 0, 0},
    {S_INIT("name"), MEMBER_TEXT, true, 0, 0},
    {S_INIT("name_en"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("form"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("form_en"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("copies"), MEMBER_INT, false, 0, 100},
    {S_INIT("source"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("source_en"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("required"), MEMBER_BOOL, false, 0, 0},
    {S_INIT("tolerable"), MEMBER_BOOL, false, 0, 0},
    {S_INIT("waivable"), MEMBER_BOOL, false, 0, 0},
    {S_INIT("waived_by"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("waived_by_en"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("legal_basis"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("standard"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("standard_en"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("accept"), MEMBER_TEXTS, false, 0, 0},
    {S_INIT("pages_max"), MEMBER_INT, false, 1, 10000},
    {S_INIT("blank"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("sample"), MEMBER_TEXT, false, 0, 0},
};

static const Member question_members[] = {
    {S_INIT("name"), MEMBER_TEXT, true, 0, 0},
    {S_INIT("label"), MEMBER_TEXT, true, 0, 0},
    {S_INIT("label_en"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("hint"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("hint_en"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("when"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("options"), MEMBER_LIST, true, 0, 0},
};

static const Member option_members[] = {
    {S_INIT("value"), MEMBER_TEXT, true, 0, 0},
    {S_INIT("label"), MEMBER_TEXT, true, 0, 0},
    {S_INIT("label_en"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("hint"), MEMBER_TEXT, false, 0, 0},
    {S_INIT("hint_en"), MEMBER_TEXT, false, 0, 0},
};

#define MEMBERS(table) (table), sizeof(table) / sizeof *(table)

static Str join_path(Arena *a, Str at, Str name) {
    return at.len == 0 ? name : arena_concat(a, (Str[]){at, S("."), name}, 3);
}

static void member_check(const PackFault *f, Str path, const Member *m, Value v) {
    Arena *a = f->arena;
    switch (m->kind) {
    case MEMBER_TEXT:
        if (v.kind != V_STRING || v.len > TEXT_MAX || (m->required && v.len == 0)) {
            pack_fault(f, path, "应为文字，不能为空或过长");
        }
        return;
    case MEMBER_CODE:
        if (!pack_code_valid(v_text(v))) {
            pack_fault(f, path, "编码只能由字母、数字、连字符、点和下划线组成，不超过 80 个字符");
        }
        return;
    case MEMBER_INT: {
        int64_t n = v_to_int(v, INT64_MIN);
        if (n < m->min || n > m->max) {
            pack_fault(f, path, "应为 {1} 至 {2} 之间的整数", arena_printf(a, "%d", m->min),
                       arena_printf(a, "%d", m->max));
        }
        return;
    }
    case MEMBER_BOOL:
        if (v.kind != V_BOOL) pack_fault(f, path, "应为 true 或 false");
        return;
    case MEMBER_TEXTS:
        if (v.kind != V_LIST) {
            pack_fault(f, path, "应为文字的列表");
            return;
        }
        for (uint32_t i = 0; i < v.len; i++) {
            if (v_at(v, i).kind != V_STRING) {
                pack_fault(f, arena_printf(a, "%.*s.%u", S_FMT(path), i), "应为文字");
            }
        }
        return;
    case MEMBER_LIST:
        if (v.kind != V_LIST) pack_fault(f, path, "应为列表");
        return;
    case MEMBER_CONTEXT:
        if (v.kind != V_CONTEXT) pack_fault(f, path, "应为对象");
        return;
    }
}

// Checks a context against its table.
static void members_check(const PackFault *f, Str at, Value v, const Member *table, size_t n) {
    if (v.kind != V_CONTEXT) {
        pack_fault(f, at, "应为对象");
        return;
    }
    for (uint32_t i = 0; i < v.len; i++) {
        Str key = v.as.entries[i].key, path = join_path(f->arena, at, key);
        const Member *m = NULL;
        for (size_t k = 0; k < n && !m; k++) {
            if (str_eq(table[k].name, key)) m = &table[k];
        }
        if (m) member_check(f, path, m, v.as.entries[i].value);
        else pack_fault(f, path, "没有“{1}”这个成员，请核对写法", key);
    }
    for (size_t k = 0; k < n; k++) {
        if (!table[k].required || v_has(v, table[k].name)) continue;
        pack_fault(f, join_path(f->arena, at, table[k].name), "缺少“{1}”", table[k].name);
    }
}

// ---- materials ----

static bool member_true(Value v, Str name, bool otherwise) {
    Value member = v_get(v, name);
    return member.kind == V_BOOL ? member.as.boolean : otherwise;
}

static void material_read(const PackFault *f, Str path, Value v, MaterialSpec *m) {
    *m = (MaterialSpec){
        .code = v_text(v_get_lit(v, "code")),
        .name = v_text(v_get_lit(v, "name")),
        .name_en = v_text(v_get_lit(v, "name_en")),
        .form = v_text(v_get_lit(v, "form")),
        .source = v_text(v_get_lit(v, "source")),
        .standard = v_text(v_get_lit(v, "standard")),
        .legal_basis = v_text(v_get_lit(v, "legal_basis")),
        .waived_by = v_text(v_get_lit(v, "waived_by")),
        .required = member_true(v, S("required"), true),
        .tolerable = member_true(v, S("tolerable"), false),
        .waivable = member_true(v, S("waivable"), false),
        .spec = v,
    };
    static const Str types[] = {S_INIT("pdf"),  S_INIT("jpg"),  S_INIT("png"), S_INIT("ofd"),
                                S_INIT("docx"), S_INIT("xlsx"), S_INIT("zip")};
    Value accept = v_get_lit(v, "accept");
    for (uint32_t i = 0; accept.kind == V_LIST && i < accept.len; i++) {
        bool known = false;
        for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
            known = known || str_eq(types[k], v_text(v_at(accept, i)));
        }
        if (!known) {
            pack_fault(f, arena_printf(f->arena, "%.*s.accept.%u", S_FMT(path), i),
                       "只能接收 pdf、jpg、png、ofd、docx、xlsx 和 zip");
        }
    }
    if (m->waivable && m->waived_by.len == 0) {
        pack_fault(f, path, "可以免提交的材料应写明由什么数据代替（waived_by）");
    }
}

static void materials_read(const PackFault *f, Value list, Item *item) {
    if (list.kind != V_LIST) return;
    if (list.len > ITEM_MATERIALS_MAX) {
        pack_fault(f, S("materials"), "材料超过 200 种");
        return;
    }
    MaterialSpec *materials = arena_array(f->arena, MaterialSpec, list.len);
    for (uint32_t i = 0; i < list.len; i++) {
        Str path = arena_printf(f->arena, "materials.%u", i);
        members_check(f, path, v_at(list, i), MEMBERS(material_members));
        material_read(f, path, v_at(list, i), &materials[i]);
        for (uint32_t k = 0; k < i; k++) {
            if (!str_eq(materials[k].code, materials[i].code)) continue;
            pack_fault(f, path, "材料编码“{1}”重复", materials[i].code);
            break;
        }
    }
    item->materials = materials;
    item->materials_count = list.len;
}

// ---- questions ----

static void options_check(const PackFault *f, Str at, Value options) {
    if (options.kind != V_LIST) return; // said before
    if (options.len == 0 || options.len > ITEM_OPTIONS_MAX) {
        pack_fault(f, at, "选项应为 1 至 50 个");
        return;
    }
    for (uint32_t i = 0; i < options.len; i++) {
        Value option = v_at(options, i);
        Str path = arena_printf(f->arena, "%.*s.options.%u", S_FMT(at), i);
        members_check(f, path, option, MEMBERS(option_members));
        for (uint32_t k = 0; k < i; k++) {
            if (!v_equal(v_get_lit(v_at(options, k), "value"), v_get_lit(option, "value"))) {
                continue;
            }
            pack_fault(f, path, "选项“{1}”重复", v_text(v_get_lit(option, "value")));
            break;
        }
    }
}

// `when` may only read questions that were asked before.
static void when_check(const PackFault *f, Str at, Value questions, uint32_t before, Str when) {
    const FeelExpr *expr;
    Error e = {.status = OK};
    Str path = join_path(f->arena, at, S("when"));
    if (feel_parse(when, NULL, 0, f->arena, &expr, &e) != OK) {
        error_at(&e, arena_concat(f->arena, (Str[]){f->file, S(":"), path}, 3));
        (void)errors_push(f->errs, &e);
        return;
    }
    Str *names;
    size_t count = 0;
    feel_reads(expr, f->arena, &names, &count);
    for (size_t i = 0; i < count; i++) {
        bool known = false;
        for (uint32_t k = 0; k < before; k++) {
            known = known || str_eq(names[i], v_text(v_get_lit(v_at(questions, k), "name")));
        }
        if (!known) pack_fault(f, path, "“{1}”不是前面的问题", names[i]);
    }
}

static void questions_check(const PackFault *f, Value list) {
    if (list.kind != V_LIST) return;
    if (list.len > ITEM_QUESTIONS_MAX) {
        pack_fault(f, S("questions"), "问题超过 30 个");
        return;
    }
    for (uint32_t i = 0; i < list.len; i++) {
        Value question = v_at(list, i);
        Str path = arena_printf(f->arena, "questions.%u", i);
        Str name = v_text(v_get_lit(question, "name"));
        members_check(f, path, question, MEMBERS(question_members));
        if (!pack_name_valid(name)) {
            pack_fault(f, path, "问题的名字应由字母、数字和下划线组成，不以数字开头");
        }
        for (uint32_t k = 0; k < i; k++) {
            if (!str_eq(v_text(v_get_lit(v_at(list, k), "name")), name)) continue;
            pack_fault(f, path, "问题“{1}”重复", name);
            break;
        }
        options_check(f, path, v_get_lit(question, "options"));
        Str when = v_text(v_get_lit(question, "when"));
        if (when.len > 0) when_check(f, path, list, i, when);
    }
}

// ---- the whole ----

static void audience_check(const PackFault *f, Value list) {
    for (uint32_t i = 0; list.kind == V_LIST && i < list.len; i++) {
        Str who = v_text(v_at(list, i));
        if (str_eq(who, S("natural")) || str_eq(who, S("legal"))) continue;
        pack_fault(f, arena_printf(f->arena, "audience.%u", i), "服务对象应为 natural 或 legal");
    }
    if (list.kind == V_LIST && list.len == 0) pack_fault(f, S("audience"), "服务对象不能为空");
}

// Rules among the periods: an instant item has none; a promise is not longer than the law.
static void periods_check(const PackFault *f, const Item *item) {
    bool instant = item->case_kind == 1;
    if (item->name.len > ITEM_NAME_MAX) pack_fault(f, S("name"), "名称过长");
    if (!instant && item->promised_days == 0) {
        pack_fault(f, S("promised_days"), "不是即办件的事项应有承诺期限");
    }
    if (item->statutory_days > 0 && item->promised_days > item->statutory_days) {
        pack_fault(f, S("promised_days"), "承诺期限不能超过法定期限");
    }
    if (!instant && item->tolerance_days > item->promised_days) {
        pack_fault(f, S("tolerance_days"), "容缺补齐期限不能超过承诺期限");
    }
}

static int32_t member_int(Value spec, Str name, int32_t otherwise) {
    int64_t n = v_to_int(v_get(spec, name), otherwise);
    return n < 0 || n > INT32_MAX ? otherwise : (int32_t)n;
}

// The plain members, without a check.
static void spec_copy(Value spec, Arena *a, Item *item) {
    item->spec = spec;
    item->code = v_text(v_get_lit(spec, "code"));
    item->name = v_text(v_get_lit(spec, "name"));
    item->name_en = v_text(v_get_lit(spec, "name_en"));
    item->power = v_text(v_get_lit(spec, "power"));
    item->case_kind = member_int(spec, S("case_kind"), 2);
    item->statutory_days = member_int(spec, S("statutory_days"), 0);
    item->promised_days = member_int(spec, S("promised_days"), 0);
    int32_t short_of = item->promised_days < TOLERANCE_DAYS ? item->promised_days : TOLERANCE_DAYS;
    item->tolerance_days = member_int(spec, S("tolerance_days"), short_of);
    item->correction_days = member_int(spec, S("correction_days"), CORRECTION_DAYS);
    item->bundle = v_true(v_get_lit(spec, "bundle"));
    Value parameters = v_get_lit(spec, "parameters");
    ContextBuilder none = context_make(a);
    item->parameters = parameters.kind == V_CONTEXT ? parameters : context_done(&none);
}

Status item_spec_read(Value spec, Arena *a, Item *ret, Errors *errs) {
    PackFault f = {.file = S("item.json"), .errs = errs, .arena = a};
    size_t before = errs->count;
    members_check(&f, S(""), spec, MEMBERS(item_members));
    Item item = *ret;
    spec_copy(spec, a, &item);
    materials_read(&f, v_get_lit(spec, "materials"), &item);
    questions_check(&f, v_get_lit(spec, "questions"));
    audience_check(&f, v_get_lit(spec, "audience"));
    periods_check(&f, &item);
    int64_t months = v_to_int(v_get_lit(v_get_lit(spec, "result"), "valid_months"), 0);
    if (months < 0 || months > MONTHS_MAX) {
        pack_fault(&f, S("result.valid_months"), "应为 {1} 至 {2} 之间的整数", S("0"), S("1200"));
    }
    Status st = pack_faults_since(errs, before);
    if (st == OK) *ret = item;
    return st;
}

Status item_override(const Item *base, Value overrides, Arena *a, Item *ret, Errors *errs) {
    Item item = *base;
    Value spec = v_merge(base->spec, overrides, a);
    if (v_has(overrides, S("materials")) || v_has(overrides, S("questions"))) {
        Status st = item_spec_read(spec, a, &item, errs);
        if (st != OK) return st;
        PackRoom *room = arena_new(a, PackRoom);
        *room = *(const PackRoom *)base->room;
        item_guide_prepare(&item, room, a);
        item.room = room;
    } else {
        spec_copy(spec, a, &item); // materials and what is compiled stay shared
    }
    *ret = item;
    return OK;
}
