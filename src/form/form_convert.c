// One answer: from what a browser or a client sent to the value that is kept, and back to text.
//
// What is kept: text as text (trimmed, line ends \n, no control characters; HTML is text and is
// escaped when shown), number as an integer, money as fen, date as a date, choice as the option's
// value, choices as a list of them in the form's order, yesno as true or false, identifiers in
// upper case without blanks. Strings are taken as a person types them (full-width digits, commas
// in amounts, 2023/5/31); numbers, booleans and dates that are typed already are taken as they
// are, so that kept answers pass again (money: fen).
#include "form/form_internal.h"

bool answer_missing(Value raw) {
    if (raw.kind == V_STRING) return str_trim(v_text(raw)).len == 0;
    return raw.kind == V_NULL || (raw.kind == V_LIST && raw.len == 0);
}

static const Str NOWHERE = S_INIT("");

// Full-width forms (U+FF01 … U+FF5E) and the ideographic blank become ASCII.
static Str narrow(Str s, Arena *a) {
    Buf out = buf_make(a, s.len + 1, s.len + 1);
    for (size_t at = 0; at < s.len;) {
        size_t from = at;
        int32_t c = str_utf8_next(s, &at);
        if (c >= 0xFF01 && c <= 0xFF5E) buf_char(&out, (char)(c - 0xFF01 + '!'));
        else if (c == 0x3000) buf_char(&out, ' ');
        else buf_str(&out, str_sub(s, from, at));
    }
    return str_trim(buf_view(&out));
}

static Str without(Str s, const char *drop, Arena *a) {
    Buf out = buf_make(a, s.len + 1, s.len + 1);
    for (size_t i = 0; i < s.len; i++)
        if (!s.ptr[i] || !strchr(drop, s.ptr[i])) buf_char(&out, s.ptr[i]);
    return buf_view(&out);
}

// ---- text

static Status convert_text(const Field *f, Value raw, Arena *a, Value *ret, Error *err) {
    bool lines = f->type == FIELD_LONGTEXT;
    if (raw.kind != V_STRING) return error_set(err, INVALID, NOWHERE, "{1}应为文字", f->label);
    Str s = v_text(raw);
    if (!str_utf8_valid(s))
        return error_set(err, INVALID, NOWHERE, "{1}里有无法识别的字符，请重新填写", f->label);
    Buf out = buf_make(a, s.len + 1, s.len + 1);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '\r') {
            if (i + 1 < s.len && s.ptr[i + 1] == '\n') continue;
            c = '\n';
        }
        if ((c < 0x20 && !(lines && (c == '\n' || c == '\t'))) || c == 0x7F)
            return error_set(err, INVALID, NOWHERE, "{1}里有不可见的控制字符，请删除后重新填写", f->label);
        buf_char(&out, (char)c);
    }
    Str text = str_trim(buf_view(&out));
    size_t length = str_utf8_len(text);
    if (length > f->max_length)
        return error_set(err, INVALID, NOWHERE, "{1}最多 {2} 个字，现在有 {3} 个字", f->label,
                         arena_printf(a, "%u", f->max_length), arena_printf(a, "%zu", length));
    *ret = v_str(text);
    return OK;
}

static Status convert_email(const Field *f, Value raw, Arena *a, Value *ret, Error *err) {
    Value v;
    Status status = convert_text(f, raw, a, &v, err);
    if (status != OK) return status;
    Str s = narrow(v_text(v), a);
    ptrdiff_t at = str_find(s, S("@"));
    Str host = at < 0 ? S("") : str_sub(s, (size_t)at + 1, s.len);
    ptrdiff_t dot = str_find(host, S("."));
    bool ok = at > 0 && dot > 0 && !str_ends(host, S(".")) && str_find(host, S("@")) < 0 &&
              str_find(host, S("..")) < 0;
    for (size_t i = 0; i < s.len && ok; i++)
        ok = !strchr(" <>()[],;:\\\"", s.ptr[i]) && (unsigned char)s.ptr[i] < 0x80;
    if (!ok) return error_set(err, INVALID, NOWHERE, "邮箱应像 name@example.com 这样，请核对");
    *ret = v_str(s);
    return OK;
}

// ---- numbers and dates

static Status convert_number(const Field *f, Value raw, Arena *a, Value *ret, Error *err) {
    int64_t n;
    bool ok = raw.kind == V_NUMBER ? decimal_to_int(raw.as.number, &n)
                                   : str_to_int(without(narrow(v_text(raw), a), ",", a), &n);
    if (!ok) return error_set(err, INVALID, NOWHERE, "{1}应为整数，如 12", f->label);
    *ret = v_int(n);
    return OK;
}

static Status convert_money(const Field *f, Value raw, Arena *a, Value *ret, Error *err) {
    Decimal yuan, fen;
    int64_t n;
    if (raw.kind == V_NUMBER) { // fen already
        if (!decimal_to_int(raw.as.number, &n))
            return error_set(err, INVALID, NOWHERE, "{1}应为以分为单位的整数", f->label);
        *ret = v_int(n);
        return OK;
    }
    Str s = without(narrow(v_text(raw), a), ", ", a);
    if (str_starts(s, S("¥"))) s = str_sub(s, sizeof "¥" - 1, s.len);
    if (str_ends(s, S("元"))) s = str_sub(s, 0, s.len - (sizeof "元" - 1));
    bool plain = s.len > 0;
    for (size_t i = 0; i < s.len; i++)
        if (!strchr("0123456789.-", s.ptr[i]) || !s.ptr[i]) plain = false;
    if (!plain || !decimal_parse(s, &yuan))
        return error_set(err, INVALID, NOWHERE, "{1}应为金额，如 1234.50", f->label);
    fen = decimal_mul(yuan, decimal_from_int(100));
    if (!decimal_is_integer(fen))
        return error_set(err, INVALID, NOWHERE, "{1}最多到分，即小数点后两位", f->label);
    if (!decimal_to_int(fen, &n)) return error_set(err, INVALID, NOWHERE, "{1}过大，请核对", f->label);
    *ret = v_int(n);
    return OK;
}

// Three numbers with anything of "-/.年月日 " between them.
static bool date_parts(Str s, Civil *ret) {
    int64_t part[3] = {0, 0, 0};
    int count = 0;
    for (size_t at = 0; at < s.len;) {
        size_t from = at;
        int32_t c = str_utf8_next(s, &at);
        if (c >= '0' && c <= '9') {
            int64_t n = c - '0';
            size_t digits = 1;
            while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9' && digits++ < 5)
                n = n * 10 + (s.ptr[at++] - '0');
            if (count == 3) return false;
            part[count++] = n;
        } else if (c != '-' && c != '/' && c != '.' && c != ' ' && c != 0x5E74 && c != 0x6708 &&
                   c != 0x65E5) {
            return false;
        }
        (void)from;
    }
    *ret = (Civil){(int32_t)part[0], (int32_t)part[1], (int32_t)part[2]};
    return count == 3;
}

static Status convert_date(const Field *f, Value raw, Arena *a, Value *ret, Error *err) {
    enum { YEAR_MIN = 1800, YEAR_MAX = 2999 };
    Civil c;
    if (raw.kind == V_DATE) {
        *ret = raw;
        return OK;
    }
    Str s = narrow(v_text(raw), a);
    if (s.len == 8 && str_utf8_len(s) == 8 && str_find(s, S("-")) < 0) // 20230531
        s = arena_printf(a, "%.*s-%.*s-%.*s", 4, s.ptr, 2, s.ptr + 4, 2, s.ptr + 6);
    if (raw.kind != V_STRING || !date_parts(s, &c))
        return error_set(err, INVALID, NOWHERE, "{1}应为日期，如 2023-05-31", f->label);
    if (c.year < YEAR_MIN || c.year > YEAR_MAX || !civil_valid(c))
        return error_set(err, INVALID, NOWHERE, "没有 {1} 这一天，请核对{2}", s, f->label);
    *ret = v_day(day_from_civil(c));
    return OK;
}

// ---- choices

static const Option *option_of(const Field *f, Value v, Arena *a) {
    Str s = v.kind == V_STRING ? str_trim(v_text(v)) : v_to_str(v, a);
    for (uint32_t i = 0; i < f->options_count; i++)
        if (str_eq(f->options[i].value, s)) return &f->options[i];
    return NULL;
}

static Status convert_choice(const Field *f, Value raw, Arena *a, Value *ret, Error *err) {
    if (raw.kind == V_LIST && raw.len == 1) raw = raw.as.items[0];
    const Option *o = raw.kind == V_LIST || raw.kind == V_CONTEXT ? NULL : option_of(f, raw, a);
    if (!o) return error_set(err, INVALID, NOWHERE, "请在{1}的选项中选择一个", f->label);
    *ret = v_str(o->value);
    return OK;
}

static Status convert_choices(const Field *f, Value raw, Arena *a, Value *ret, Error *err) {
    Value one = raw;
    if (raw.kind != V_LIST) raw = (Value){.kind = V_LIST, .len = 1, .as.items = &one};
    bool *chosen = arena_array(a, bool, f->options_count);
    for (uint32_t i = 0; i < raw.len; i++) {
        Value item = raw.as.items[i];
        const Option *o = item.kind == V_LIST || item.kind == V_CONTEXT ? NULL
                                                                        : option_of(f, item, a);
        if (!o) return error_set(err, INVALID, NOWHERE, "请在{1}的选项中选择", f->label);
        chosen[o - f->options] = true;
    }
    ListBuilder list = list_make(a);
    for (uint32_t i = 0; i < f->options_count; i++)
        if (chosen[i]) list_add(&list, v_str(f->options[i].value));
    *ret = list_done(&list);
    return OK;
}

static Status convert_yesno(const Field *f, Value raw, Arena *a, Value *ret, Error *err) {
    static const char *const YES[] = {"yes", "true", "on", "1", "是"};
    static const char *const NO[] = {"no", "false", "off", "0", "否"};
    (void)a;
    if (raw.kind == V_BOOL) {
        *ret = raw;
        return OK;
    }
    Str s = str_trim(v_text(raw));
    for (size_t i = 0; i < sizeof YES / sizeof *YES; i++) {
        bool yes = str_eq(s, str_z(YES[i]));
        if (!yes && !str_eq(s, str_z(NO[i]))) continue;
        *ret = v_bool(yes);
        return OK;
    }
    return error_set(err, INVALID, NOWHERE, "{1}请选择“是”或“否”", f->label);
}

// ---- identifiers

static Str upper(Str s, Arena *a) {
    char *out = arena_alloc_raw(a, s.len);
    for (size_t i = 0; i < s.len; i++)
        out[i] = s.ptr[i] >= 'a' && s.ptr[i] <= 'z' ? (char)(s.ptr[i] - 32) : s.ptr[i];
    return (Str){out, s.len};
}

// Which of the two was meant: only digits but the last is a citizen's.
static Status any_id_check(Str s, Error *err) {
    bool digits = s.len == 18;
    for (size_t i = 0; i + 1 < s.len && digits; i++) digits = s.ptr[i] >= '0' && s.ptr[i] <= '9';
    if (citizen_id_check(s, NULL) == OK || credit_code_check(s, NULL) == OK) return OK;
    if (s.len != 18)
        return error_set(err, INVALID, NOWHERE, "身份证号或统一社会信用代码应为 18 位，请核对");
    return digits ? citizen_id_check(s, err) : credit_code_check(s, err);
}

static Status convert_id(const Field *f, Value raw, Arena *a, Value *ret, Error *err) {
    Status status;
    if (raw.kind != V_STRING || !str_utf8_valid(v_text(raw)))
        return error_set(err, INVALID, NOWHERE, "{1}应为文字", f->label);
    Str s = without(narrow(v_text(raw), a), " ", a);
    if (f->type != FIELD_PHONE) s = upper(s, a);
    switch (f->type) {
    case FIELD_CITIZEN_ID: status = citizen_id_check(s, err); break;
    case FIELD_CREDIT_CODE: status = credit_code_check(s, err); break;
    case FIELD_PHONE: status = phone_check(s, err); break;
    case FIELD_REGION: {
        bool digits = s.len == 6 || s.len == 9 || s.len == 12;
        for (size_t i = 0; i < s.len; i++) digits = digits && s.ptr[i] >= '0' && s.ptr[i] <= '9';
        status = digits ? OK
                        : error_set(err, INVALID, NOWHERE, "行政区划代码应为 6、9 或 12 位数字，如 330225");
        break;
    }
    default: status = any_id_check(s, err); break;
    }
    if (status == OK) *ret = v_str(s);
    return status;
}

Status answer_convert(const Field *f, Value raw, Arena *a, Value *ret, Error *err) {
    if (raw.kind == V_STRING && v_text(raw).len > FORM_TEXT_MAX * 4)
        return error_set(err, INVALID, NOWHERE, "{1}过长", f->label);
    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_LONGTEXT: return convert_text(f, raw, a, ret, err);
    case FIELD_EMAIL: return convert_email(f, raw, a, ret, err);
    case FIELD_NUMBER: return convert_number(f, raw, a, ret, err);
    case FIELD_MONEY: return convert_money(f, raw, a, ret, err);
    case FIELD_DATE: return convert_date(f, raw, a, ret, err);
    case FIELD_CHOICE: return convert_choice(f, raw, a, ret, err);
    case FIELD_CHOICES: return convert_choices(f, raw, a, ret, err);
    case FIELD_YESNO: return convert_yesno(f, raw, a, ret, err);
    default: return convert_id(f, raw, a, ret, err);
    }
}

// ---- back to text

static Str money_text(Value v, bool grouped, Arena *a) {
    int64_t fen = v_to_int(v, 0);
    uint64_t size = fen < 0 ? 0 - (uint64_t)fen : (uint64_t)fen, yuan = size / 100;
    Str digits = arena_printf(a, "%llu", (unsigned long long)yuan);
    Buf out = buf_make(a, 48, 64);
    if (fen < 0) buf_char(&out, '-');
    if (grouped) buf_lit(&out, "¥");
    for (size_t i = 0; i < digits.len; i++) {
        if (grouped && i > 0 && (digits.len - i) % 3 == 0) buf_char(&out, ',');
        buf_char(&out, digits.ptr[i]);
    }
    buf_printf(&out, ".%02u", (unsigned)(size % 100));
    return buf_view(&out);
}

Str answer_input(const Field *f, Value v, Arena *a) {
    if (v.kind == V_STRING) return v_text(v);
    if (v.kind == V_BOOL) return v.as.boolean ? S("yes") : S("no");
    if (f->type == FIELD_MONEY && v.kind == V_NUMBER) return money_text(v, false, a);
    return v.kind == V_NULL ? S("") : v_to_str(v, a);
}

static Str option_label(const Field *f, Value v, bool english, Arena *a) {
    const Option *o = option_of(f, v, a);
    if (!o) return answer_input(f, v, a);
    return english && o->label_en.len ? o->label_en : o->label;
}

Str answer_display(const Field *f, Value v, Str lang, Arena *a) {
    bool english = str_eq(lang, S("en"));
    if (v.kind == V_NULL) return S("");
    switch (f->type) {
    case FIELD_MONEY: return v.kind == V_NUMBER ? money_text(v, true, a) : v_text(v);
    case FIELD_YESNO:
        if (v.kind != V_BOOL) return v_text(v);
        return english ? (v.as.boolean ? S("Yes") : S("No")) : v.as.boolean ? S("是") : S("否");
    case FIELD_CHOICE: return option_label(f, v, english, a);
    case FIELD_CHOICES: {
        Buf out = buf_make(a, 64, FORM_TEXT_MAX * 16);
        if (v.kind != V_LIST) return option_label(f, v, english, a);
        for (uint32_t i = 0; i < v.len; i++) {
            if (i) buf_str(&out, english ? S(", ") : S("、"));
            buf_str(&out, option_label(f, v.as.items[i], english, a));
        }
        return buf_view(&out);
    }
    default: return answer_input(f, v, a);
    }
}
