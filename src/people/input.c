// Reading the members of a command's input: trimmed, bounded, well-formed, or an error at the
// field.
#include "people/people_impl.h"

Status input_text(Value input, const TextRule *rule, Str *ret, Errors *errs) {
    Str label = str_z(rule->label);
    Value v = v_get(input, rule->key);
    if (!v_is_null(v) && v.kind != V_STRING) {
        return errors_add(errs, INVALID, rule->key, "{1}应是文字", label);
    }
    Str s = str_trim(v_text(v));
    if (s.len == 0 && rule->required) {
        return errors_add(errs, INVALID, rule->key, "请填写{1}", label);
    }
    if (!str_utf8_valid(s)) {
        return errors_add(errs, INVALID, rule->key, "{1}含有不能识别的字符", label);
    }
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f) {
            return errors_add(errs, INVALID, rule->key, "{1}含有不能识别的字符", label);
        }
    }
    if (str_utf8_len(s) > rule->max) {
        return errors_add(errs, LIMIT, rule->key, "{1}太长", label);
    }
    *ret = s;
    return OK;
}

static bool code_char(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
}

Status input_code(Value input, Str key, const char *label, bool required, Str *ret, Errors *errs) {
    Str s;
    TextRule rule = {.key = key, .label = label, .max = CODE_MAX, .required = required};
    Status status = input_text(input, &rule, &s, errs);
    if (status != OK) return status;
    for (size_t i = 0; i < s.len; i++) {
        if (!code_char(s.ptr[i])) {
            return errors_add(errs, INVALID, key, "{1}只能用字母、数字、点、横线和下划线",
                              str_z(label));
        }
    }
    *ret = s;
    return OK;
}

Status input_login(Value input, Str *ret, Errors *errs) {
    return input_code(input, S("login"), "用户名", true, ret, errs);
}
