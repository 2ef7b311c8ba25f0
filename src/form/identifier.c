// Identifiers of China: citizen number (GB 11643-1999), unified social credit code (GB 32100-2015),
// telephone numbers; and masking them for eyes that need not see them.
#include "form/form.h"

enum { ID_LEN = 18 };

static bool all_digits(Str s) {
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
    return s.len > 0;
}

static int two_digits(Str s, size_t at) { return (s.ptr[at] - '0') * 10 + (s.ptr[at + 1] - '0'); }

// GB/T 2260: the first two digits are a province's.
static bool province_valid(int code) {
    static const uint8_t CODES[] = {11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41,
                                    42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71,
                                    81, 82, 83};
    for (size_t i = 0; i < sizeof CODES; i++)
        if (CODES[i] == code) return true;
    return false;
}

Status citizen_id_check(Str s, Error *err) {
    static const int WEIGHTS[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    static const char CHECK[] = "10X98765432";
    if (s.len != ID_LEN) return error_set(err, INVALID, S(""), "身份证号应为 18 位，请核对");
    if (!all_digits(str_sub(s, 0, ID_LEN - 1)))
        return error_set(err, INVALID, S(""), "身份证号前 17 位应为数字，请核对");
    if (!province_valid(two_digits(s, 0)))
        return error_set(err, INVALID, S(""), "身份证号前 6 位不是行政区划代码，请核对");
    Civil birth = {two_digits(s, 6) * 100 + two_digits(s, 8), two_digits(s, 10), two_digits(s, 12)};
    if (birth.year < 1800 || !civil_valid(birth))
        return error_set(err, INVALID, S(""), "身份证号第 7 至 14 位应为出生日期，请核对");
    int sum = 0;
    for (size_t i = 0; i < ID_LEN - 1; i++) sum += (s.ptr[i] - '0') * WEIGHTS[i];
    char expected = CHECK[sum % 11];
    char given = s.ptr[ID_LEN - 1] == 'x' ? 'X' : s.ptr[ID_LEN - 1];
    if (given == expected) return OK;
    return error_set(err, INVALID, S(""), "身份证号第 18 位应为 {1}，请核对", str_of(&expected, 1));
}

static const char CREDIT_ALPHABET[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";

static int credit_value(char c) {
    if (c >= 'a' && c <= 'z') c = (char)(c - 32);
    const char *at = c ? strchr(CREDIT_ALPHABET, c) : NULL;
    return at ? (int)(at - CREDIT_ALPHABET) : -1;
}

Status credit_code_check(Str s, Error *err) {
    // 3^(i-1) mod 31
    static const int WEIGHTS[] = {1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28};
    if (s.len != ID_LEN) return error_set(err, INVALID, S(""), "统一社会信用代码应为 18 位，请核对");
    int sum = 0;
    for (size_t i = 0; i < ID_LEN; i++) {
        int value = credit_value(s.ptr[i]);
        if (value < 0)
            return error_set(err, INVALID, S(""),
                             "统一社会信用代码由数字和大写字母组成，不含 I、O、Z、S、V，请核对");
        if (i < ID_LEN - 1) sum += value * WEIGHTS[i];
    }
    char expected = CREDIT_ALPHABET[(31 - sum % 31) % 31];
    if (credit_value(s.ptr[ID_LEN - 1]) == credit_value(expected)) return OK;
    return error_set(err, INVALID, S(""), "统一社会信用代码第 18 位应为 {1}，请核对",
                     str_of(&expected, 1));
}

// Mobile: 1, then 3 to 9, then nine digits. Fixed: 0, area code of 2 or 3 digits, 7 or 8 digits,
// with or without hyphen. Service numbers: 400/800 and seven digits.
Status phone_check(Str s, Error *err) {
    char digits[16];
    size_t n = 0;
    if (str_starts(s, S("+86"))) s = str_sub(s, 3, s.len);
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '-' || c == ' ') continue;
        if (c < '0' || c > '9' || n == sizeof digits) {
            n = 0;
            break;
        }
        digits[n++] = c;
    }
    bool mobile = n == 11 && digits[0] == '1' && digits[1] >= '3';
    bool fixed = n >= 10 && n <= 12 && digits[0] == '0' && digits[1] != '0';
    bool service = n == 10 && (digits[0] == '4' || digits[0] == '8') && digits[1] == '0' &&
                   digits[2] == '0';
    if (mobile || fixed || service) return OK;
    return error_set(err, INVALID, S(""), "电话应为 11 位手机号，或者区号加号码，如 0574-65712345");
}

// ---- masking

static Str masked(Str s, size_t head, size_t tail, Arena *a) {
    size_t count = str_utf8_len(s), at = 0, from, to;
    if (count <= head + tail) { // too short to show both ends
        head = count > 1 ? 1 : 0;
        tail = 0;
    }
    for (size_t i = 0; i < head; i++) (void)str_utf8_next(s, &at);
    from = at;
    for (size_t i = head; i < count - tail; i++) (void)str_utf8_next(s, &at);
    to = at;
    Buf out = buf_make(a, s.len + 1, s.len + count + 1);
    buf_str(&out, str_sub(s, 0, from));
    for (size_t i = head; i < count - tail; i++) buf_char(&out, '*');
    buf_str(&out, str_sub(s, to, s.len));
    return buf_view(&out);
}

Str mask_id(Str s, Arena *a) { return masked(s, 6, 4, a); }
Str mask_phone(Str s, Arena *a) { return masked(s, 3, 4, a); }
Str mask_name(Str s, Arena *a) { return masked(s, 1, 0, a); }
