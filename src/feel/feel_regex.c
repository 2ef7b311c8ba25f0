// Regular expressions: XPath's (DMN 1.5 points to XQuery 1.0 and XPath 2.0 Functions, 7.6), run by
// PCRE2 with a limit on its steps and its heap. What the two write differently is rewritten first:
// the x flag takes white space out of the pattern, [a-z-[aeiou]] subtracts a class. Everything
// PCRE2 takes comes from the arena, so nothing is left behind whatever happens.
#include "feel/feel_internal.h"

static void *regex_alloc(PCRE2_SIZE size, void *arena) { return arena_alloc_raw(arena, size); }
static void regex_free(void *block, void *arena) {
    (void)block;
    (void)arena; // goes with the arena
}

enum { FLAG_BLANKS = 1 }; // x
enum { COMPILE_STEPS = 200, MATCH_STEPS = 20 }; // what they count for

// Flags of XPath: s dot matches all, m lines, i any case, x ignore blanks, q literal.
static bool regex_flags(Str flags, uint32_t *ret, unsigned *ret_own) {
    uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
    *ret_own = 0;
    for (size_t i = 0; i < flags.len; i++) {
        switch (flags.ptr[i]) {
        case 's': options |= PCRE2_DOTALL; break;
        case 'm': options |= PCRE2_MULTILINE; break;
        case 'i': options |= PCRE2_CASELESS; break;
        case 'x': *ret_own |= FLAG_BLANKS; break;
        case 'q': options |= PCRE2_LITERAL; break;
        default: return false;
        }
    }
    if (options & PCRE2_LITERAL) options &= PCRE2_UTF | PCRE2_LITERAL | PCRE2_CASELESS;
    *ret = options;
    return true;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The end of the class that begins at `at` ('['), behind its ']'; 0 when it doesn't end.
static size_t class_end(Str s, size_t at) {
    int depth = 0;
    for (size_t i = at; i < s.len; i++) {
        if (s.ptr[i] == '\\') i++;
        else if (s.ptr[i] == '[') depth++;
        else if (s.ptr[i] == ']' && --depth == 0) return i + 1;
    }
    return 0;
}

// A class as PCRE2 writes it: [a-z-[aeiou]] is (?![aeiou])[a-z]. A digit behind a backslash
// (a back-reference) can't stand in a class.
static bool rewrite_class(Buf *out, Str class, int depth) {
    size_t minus = 0;
    if (depth > 10) return false;
    for (size_t i = 1; i + 1 < class.len; i++) {
        if (class.ptr[i] == '\\') {
            i++;
            if (class.ptr[i] >= '0' && class.ptr[i] <= '9') return false;
        } else if (class.ptr[i] == '[') {
            if (class.ptr[i - 1] != '-' || i < 2) return false;
            minus = i - 1;
            break;
        }
    }
    if (minus == 0) {
        buf_str(out, class);
        return true;
    }
    buf_lit(out, "(?:(?!");
    if (!rewrite_class(out, str_sub(class, minus + 1, class.len - 1), depth + 1)) return false;
    buf_char(out, ')');
    buf_str(out, str_sub(class, 0, minus));
    buf_lit(out, "])");
    return true;
}

static bool rewrite(Str pattern, unsigned own, Arena *a, Str *ret) {
    if (own & FLAG_BLANKS) {
        Buf dense = buf_make(a, pattern.len + 1, FEEL_PATTERN_MAX + 1);
        for (size_t i = 0; i < pattern.len; i++) {
            if (pattern.ptr[i] == '[') { // white space in a class stands for itself
                size_t end = class_end(pattern, i);
                if (end == 0) return false;
                buf_str(&dense, str_sub(pattern, i, end));
                i = end - 1;
            } else if (!is_blank(pattern.ptr[i])) {
                buf_char(&dense, pattern.ptr[i]);
            }
        }
        pattern = buf_view(&dense);
    }
    Buf out = buf_make(a, pattern.len + 64, 4 * FEEL_PATTERN_MAX);
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.ptr[i] == '\\' && i + 1 < pattern.len) {
            buf_char(&out, pattern.ptr[i++]);
            buf_char(&out, pattern.ptr[i]);
        } else if (pattern.ptr[i] == '[') {
            size_t end = class_end(pattern, i);
            if (end == 0 || !rewrite_class(&out, str_sub(pattern, i, end), 0)) return false;
            i = end - 1;
        } else {
            buf_char(&out, pattern.ptr[i]);
        }
    }
    *ret = buf_view(&out);
    return !out.full;
}

bool regex_make(Eval *ev, Str pattern, Str flags, Regex *ret) {
    uint32_t options;
    unsigned own;
    int error = 0;
    PCRE2_SIZE at = 0;
    Str written = pattern;
    ev->run->steps += COMPILE_STEPS;
    if (pattern.len > FEEL_PATTERN_MAX) {
        (void)eval_fail(ev, "正则表达式过长");
        return false;
    }
    if (!regex_flags(flags, &options, &own)) {
        (void)eval_fail(ev, "正则表达式的选项“{1}”不存在", flags);
        return false;
    }
    if (!(options & PCRE2_LITERAL) && !rewrite(pattern, own, ev->arena, &written)) {
        (void)eval_fail(ev, "正则表达式“{1}”有误", pattern);
        return false;
    }
    pcre2_general_context *general =
        pcre2_general_context_create(regex_alloc, regex_free, ev->arena);
    pcre2_compile_context *compile = pcre2_compile_context_create(general);
    pcre2_set_parens_nest_limit(compile, 50);
    pcre2_set_newline(compile, PCRE2_NEWLINE_ANYCRLF); // a dot matches neither \n nor \r
    Regex r = {.code = pcre2_compile((PCRE2_SPTR)written.ptr, written.len, options, &error, &at,
                                     compile)};
    if (!r.code) {
        (void)eval_fail(ev, "正则表达式“{1}”有误", pattern);
        return false;
    }
    r.data = pcre2_match_data_create_from_pattern(r.code, general);
    r.context = pcre2_match_context_create(general);
    pcre2_set_match_limit(r.context, FEEL_MATCH_LIMIT);
    pcre2_set_heap_limit(r.context, 2048); // KiB
    *ret = r;
    return true;
}

// 1 a match from `from`, 0 none, -1 given up (with a diagnostic).
int regex_match(Eval *ev, const Regex *r, Str s, size_t from, uint32_t options) {
    ev->run->steps += MATCH_STEPS;
    int n = pcre2_match(r->code, (PCRE2_SPTR)(s.ptr ? s.ptr : ""), s.len, from, options, r->data,
                        r->context);
    if (n >= 0) return 1;
    if (n == PCRE2_ERROR_NOMATCH) return 0;
    (void)eval_fail(ev, "正则表达式匹配的步数超过上限");
    return -1;
}
