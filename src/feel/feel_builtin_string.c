// Built-in functions on strings (DMN 1.5, 10.3.4.3). Positions and lengths count characters
// (code points), from 1. Regular expressions are in feel_regex.c.
#include "feel/feel_internal.h"

#include <unicode/ustring.h>

// Byte offset of the character `n` (from 0); s.len when there are fewer.
static size_t offset_of(Str s, size_t n) {
    size_t at = 0;
    while (n-- > 0 && at < s.len) (void)str_utf8_next(s, &at);
    return at;
}

static Value do_substring(Eval *ev, const Value *args, uint32_t count) {
    Str s = v_text(args[0]);
    int64_t start, length = INT64_MAX, len = (int64_t)str_utf8_len(s);
    if (!decimal_to_int(decimal_round(args[1].as.number, 0, ROUND_DOWN), &start) || start == 0)
        return eval_fail(ev, "起始位置应为不等于零的整数");
    if (count > 2 && args[2].kind == V_NUMBER) {
        if (!decimal_to_int(decimal_round(args[2].as.number, 0, ROUND_DOWN), &length) ||
            length < 1)
            return eval_fail(ev, "长度应为正整数");
    }
    int64_t from = start > 0 ? start - 1 : start < -len ? -1 : len + start;
    if (from < 0 || from >= len) return v_lit("");
    if (length > len - from) length = len - from;
    size_t at = offset_of(s, (size_t)from);
    Str rest = str_sub(s, at, s.len);
    return v_str(str_sub(rest, 0, offset_of(rest, (size_t)length)));
}

static Value do_length(Eval *ev, const Value *args, uint32_t count) {
    (void)ev;
    (void)count;
    return v_int((int64_t)str_utf8_len(v_text(args[0])));
}

enum { CASE_GROWTH = 3 }; // a code unit becomes at most three ("ΐ")

static Value change_case(Eval *ev, Str s, bool upper) {
    bool ascii = true;
    for (size_t i = 0; i < s.len && ascii; i++) ascii = (unsigned char)s.ptr[i] < 0x80;
    if (ascii) {
        char *out = arena_alloc_raw(ev->arena, s.len);
        for (size_t i = 0; i < s.len; i++) {
            char c = s.ptr[i];
            bool change = upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z';
            out[i] = change ? (char)(c ^ 0x20) : c;
        }
        return v_str((Str){out, s.len});
    }
    UErrorCode status = U_ZERO_ERROR;
    int32_t units = 0, changed, bytes;
    int32_t cap = (int32_t)s.len * CASE_GROWTH + 1;
    UChar *in = arena_array(ev->arena, UChar, s.len + 1);
    UChar *out = arena_array(ev->arena, UChar, (size_t)cap);
    u_strFromUTF8(in, (int32_t)s.len + 1, &units, s.ptr, (int32_t)s.len, &status);
    changed = upper ? u_strToUpper(out, cap, in, units, "", &status)
                    : u_strToLower(out, cap, in, units, "", &status);
    char *text = arena_alloc_raw(ev->arena, (size_t)cap * 3);
    u_strToUTF8(text, cap * 3, &bytes, out, changed, &status);
    if (U_FAILURE(status)) return eval_fail(ev, "文字不是有效的 UTF-8");
    return v_str((Str){text, (size_t)bytes});
}
static Value do_upper(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    return change_case(ev, v_text(args[0]), true);
}
static Value do_lower(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    return change_case(ev, v_text(args[0]), false);
}

static Value do_before(Eval *ev, const Value *args, uint32_t count) {
    (void)ev;
    (void)count;
    Str s = v_text(args[0]);
    ptrdiff_t at = str_find(s, v_text(args[1]));
    return v_str(at < 0 ? S("") : str_sub(s, 0, (size_t)at));
}

static Value do_after(Eval *ev, const Value *args, uint32_t count) {
    (void)ev;
    (void)count;
    Str s = v_text(args[0]), match = v_text(args[1]);
    ptrdiff_t at = str_find(s, match);
    return v_str(at < 0 ? S("") : str_sub(s, (size_t)at + match.len, s.len));
}

static Value do_contains(Eval *ev, const Value *args, uint32_t count) {
    (void)ev;
    (void)count;
    return v_bool(str_find(v_text(args[0]), v_text(args[1])) >= 0);
}
static Value do_starts(Eval *ev, const Value *args, uint32_t count) {
    (void)ev;
    (void)count;
    return v_bool(str_starts(v_text(args[0]), v_text(args[1])));
}
static Value do_ends(Eval *ev, const Value *args, uint32_t count) {
    (void)ev;
    (void)count;
    return v_bool(str_ends(v_text(args[0]), v_text(args[1])));
}

// ---- regular expressions

static Value do_matches(Eval *ev, const Value *args, uint32_t count) {
    Regex r;
    ArenaMark mark = arena_mark(ev->arena);
    if (!regex_make(ev, v_text(args[1]), count > 2 ? v_text(args[2]) : S(""), &r))
        return v_null();
    int found = regex_match(ev, &r, v_text(args[0]), 0, 0);
    if (found < 0) return v_null();
    arena_rewind(ev->arena, mark); // nothing of it is needed any more, and it may be called often
    return v_bool(found == 1);
}

// $1 … $9, \$ and \\ in the replacement; a group that isn't there is nothing.
static void replacement(Buf *out, Str with, Str s, const PCRE2_SIZE *groups, uint32_t count,
                        bool literal) {
    for (size_t i = 0; i < with.len; i++) {
        char c = with.ptr[i], next = i + 1 < with.len ? with.ptr[i + 1] : 0;
        if (!literal && c == '\\' && (next == '$' || next == '\\')) {
            buf_char(out, next);
            i++;
        } else if (!literal && c == '$' && next >= '0' && next <= '9') {
            uint32_t group = (uint32_t)(next - '0');
            if (group < count && groups[2 * group] != PCRE2_UNSET)
                buf_str(out, str_sub(s, groups[2 * group], groups[2 * group + 1]));
            i++;
        } else {
            buf_char(out, c);
        }
    }
}

// Calls for each match; what lies between matches goes to `out` or, for split, becomes a part.
static bool each_match(Eval *ev, Regex *r, Str s, Buf *out, Str with, bool literal,
                       ListBuilder *parts) {
    size_t at = 0, from = 0;
    uint32_t options = 0;
    while (at <= s.len) {
        ev->run->steps++;
        int found = regex_match(ev, r, s, at, options);
        if (found < 0) return false;
        if (found == 0 && options == 0) break;
        if (found == 0) { // not empty here: one character on
            options = 0;
            if (at >= s.len) break;
            (void)str_utf8_next(s, &at);
            continue;
        }
        const PCRE2_SIZE *groups = pcre2_get_ovector_pointer(r->data);
        if (groups[1] < groups[0] || groups[0] < from) return true; // \K: refuse to go back
        if (parts) {
            list_add(parts, v_str(str_sub(s, from, groups[0])));
            if (!eval_room(ev, parts->len)) return false;
        } else {
            buf_str(out, str_sub(s, from, groups[0]));
            replacement(out, with, s, groups, pcre2_get_ovector_count(r->data), literal);
        }
        from = groups[1];
        at = groups[1];
        options = groups[0] == groups[1] ? PCRE2_NOTEMPTY_ATSTART | PCRE2_ANCHORED : 0;
    }
    if (parts) list_add(parts, v_str(str_sub(s, from, s.len)));
    else buf_str(out, str_sub(s, from, s.len));
    return true;
}

// A $ must name a group and a backslash stand before one of both (XPath, 7.6.3).
static bool replacement_valid(Str with) {
    for (size_t i = 0; i < with.len; i++) {
        char c = with.ptr[i], next = i + 1 < with.len ? with.ptr[i + 1] : 0;
        if (c == '$' && !(next >= '0' && next <= '9')) return false;
        if (c != '\\') continue;
        if (next != '$' && next != '\\') return false;
        i++;
    }
    return true;
}

static Value do_replace(Eval *ev, const Value *args, uint32_t count) {
    Regex r;
    Str s = v_text(args[0]), flags = count > 3 ? v_text(args[3]) : S("");
    if (!regex_make(ev, v_text(args[1]), flags, &r)) return v_null();
    Buf out = buf_make(ev->arena, s.len + 64, VALUE_STRING_MAX);
    bool literal = flags.len && memchr(flags.ptr, 'q', flags.len) != NULL;
    if (!literal && !replacement_valid(v_text(args[2])))
        return eval_fail(ev, "替换文字“{1}”有误：$ 后面应为组号，反斜线后面应为反斜线或 $",
                         v_text(args[2]));
    int empty = regex_match(ev, &r, S(""), 0, 0);
    if (empty != 0)
        return empty < 0 ? v_null() : eval_fail(ev, "正则表达式“{1}”会匹配空文字", v_text(args[1]));
    if (!each_match(ev, &r, s, &out, v_text(args[2]), literal, NULL)) return v_null();
    return out.full ? eval_limit(ev, "文字超过 {1} 字节", VALUE_STRING_MAX) : v_str(buf_view(&out));
}

static Value do_split(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    Regex r;
    ListBuilder parts = list_make(ev->arena);
    if (!regex_make(ev, v_text(args[1]), S(""), &r) ||
        !each_match(ev, &r, v_text(args[0]), NULL, S(""), false, &parts))
        return v_null();
    return list_done(&parts);
}

// ---- joining and printing

// string join(list, delimiter, prefix, suffix); nulls are left out.
static Value do_join(Eval *ev, const Value *args, uint32_t count) {
    Str text[3] = {S(""), S(""), S("")};
    for (uint32_t i = 1; i < count && i <= 3; i++) text[i - 1] = v_text(args[i]);
    Buf out = buf_make(ev->arena, 64, VALUE_STRING_MAX);
    buf_str(&out, text[1]);
    bool first = true;
    for (uint32_t i = 0; i < args[0].len; i++) {
        Value item = args[0].as.items[i];
        if (item.kind == V_NULL) continue;
        if (item.kind != V_STRING) return eval_fail(ev, "列表的各项应为文字");
        if (!first) buf_str(&out, text[0]);
        buf_str(&out, v_text(item));
        first = false;
    }
    buf_str(&out, text[2]);
    return out.full ? eval_limit(ev, "文字超过 {1} 字节", VALUE_STRING_MAX) : v_str(buf_view(&out));
}

static Value do_string(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    if (args[0].kind == V_NULL || args[0].kind == V_STRING) return args[0];
    return v_str(v_to_str(args[0], ev->arena));
}

const Builtin builtins_string[] = {
    {"substring", "sn?n", "string,start position,length", do_substring},
    {"string length", "s", "string", do_length},
    {"upper case", "s", "string", do_upper},
    {"lower case", "s", "string", do_lower},
    {"substring before", "ss", "string,match", do_before},
    {"substring after", "ss", "string,match", do_after},
    {"contains", "ss", "string,match", do_contains},
    {"starts with", "ss", "string,match", do_starts},
    {"ends with", "ss", "string,match", do_ends},
    {"matches", "ss~s", "input,pattern,flags", do_matches},
    {"replace", "sss~s", "input,pattern,replacement,flags", do_replace},
    {"split", "ss", "string,delimiter", do_split},
    {"string join", "l~s~s~s", "list,delimiter,prefix,suffix", do_join},
    {"string", "a", "from", do_string},
};
const size_t builtins_string_count = sizeof builtins_string / sizeof *builtins_string;
