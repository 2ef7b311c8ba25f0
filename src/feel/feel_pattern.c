// From the regular expressions of XPath (DMN 1.5 points to XQuery and XPath Functions, 7.6; the
// grammar is that of XML Schema, part 2, appendix F, with the additions of 7.6.1) to those of
// PCRE2. What the two write differently is written anew, what XPath doesn't know is refused: so
// nobody leans on what only this engine would understand.
//
//   \i \I \c \C          characters of XML names
//   \w \d \s             by Unicode, as XML Schema defines them
//   \p{IsBasicLatin}     blocks
//   [a-z-[aeiou]]        (?:(?![aeiou])[a-z])
//   \1                   only behind the end of its group
//
// Limits: FEEL_PATTERN_MAX bytes, PATTERN_DEPTH_MAX classes in each other, PATTERN_GROUPS_MAX
// groups.
#include "feel/feel_internal.h"

#include <unicode/uset.h>

enum { PATTERN_DEPTH_MAX = 10, PATTERN_GROUPS_MAX = 99, CODE_MAX = 0x10FFFF };

typedef struct Pattern {
    Str s;
    size_t at;
    Buf out;
    uint32_t opened, depth;            // groups so far, classes open
    bool closed[PATTERN_GROUPS_MAX + 1];
    uint32_t stack[PATTERN_GROUPS_MAX + 1]; // groups that are open; 0: not captured
    uint32_t stack_len;
} Pattern;

static bool more(const Pattern *p) { return p->at < p->s.len; }
static char now(const Pattern *p) { return more(p) ? p->s.ptr[p->at] : 0; }
static char behind(const Pattern *p) { return p->at + 1 < p->s.len ? p->s.ptr[p->at + 1] : 0; }

static void put_code(Buf *out, int32_t code) { buf_printf(out, "\\x{%X}", (unsigned)code); }

static void put_range(Buf *out, int32_t low, int32_t high) {
    if (low > high) return;
    put_code(out, low);
    buf_char(out, '-');
    put_code(out, high);
}

// Ranges into the inside of a class, or what they leave out. They ascend.
static void put_ranges(Buf *out, const int32_t (*ranges)[2], size_t count, bool negated) {
    int32_t next = 0;
    for (size_t i = 0; i < count; i++) {
        if (negated) put_range(out, next, ranges[i][0] - 1);
        else put_range(out, ranges[i][0], ranges[i][1]);
        next = ranges[i][1] + 1;
    }
    if (negated) put_range(out, next, CODE_MAX);
}

// XML 1.0, NameStartChar and NameChar.
static const int32_t NAME_START[][2] = {
    {':', ':'},         {'A', 'Z'},         {'_', '_'},         {'a', 'z'},
    {0xC0, 0xD6},       {0xD8, 0xF6},       {0xF8, 0x2FF},      {0x370, 0x37D},
    {0x37F, 0x1FFF},    {0x200C, 0x200D},   {0x2070, 0x218F},   {0x2C00, 0x2FEF},
    {0x3001, 0xD7FF},   {0xF900, 0xFDCF},   {0xFDF0, 0xFFFD},   {0x10000, 0xEFFFF},
};
static const int32_t NAME[][2] = {
    {'-', '.'},         {'0', ':'},         {'A', 'Z'},         {'_', '_'},
    {'a', 'z'},         {0xB7, 0xB7},       {0xC0, 0xD6},       {0xD8, 0xF6},
    {0xF8, 0x37D},      {0x37F, 0x1FFF},    {0x200C, 0x200D},   {0x203F, 0x2040},
    {0x2070, 0x218F},   {0x2C00, 0x2FEF},   {0x3001, 0xD7FF},   {0xF900, 0xFDCF},
    {0xFDF0, 0xFFFD},   {0x10000, 0xEFFFF},
};
static const int32_t SPACE[][2] = {{'\t', '\n'}, {'\r', '\r'}, {' ', ' '}};
#define COUNT(a) (sizeof(a) / sizeof *(a))

// A category of Unicode as XML Schema lists them.
static bool is_category(Str name) {
    static const char KNOWN[] = " L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po "
                                "Z Zs Zl Zp S Sm Sc Sk So C Cc Cf Co Cn ";
    if (name.len == 0 || name.len > 2) return false;
    char wanted[5] = {' ', name.ptr[0], ' ', 0, 0};
    if (name.len == 2) {
        wanted[2] = name.ptr[1];
        wanted[3] = ' ';
    }
    return strstr(KNOWN, wanted) != NULL;
}

static bool block_range(Str name, int32_t ret[2]) {
    enum { NAME_MAX_BYTES = 60 };
    char z[NAME_MAX_BYTES + 1];
    if (name.len == 0 || name.len > NAME_MAX_BYTES) return false;
    memcpy(z, name.ptr, name.len);
    z[name.len] = 0;
    int32_t block = u_getPropertyValueEnum(UCHAR_BLOCK, z);
    if (block == UCHAR_INVALID_CODE) return false;
    UErrorCode status = U_ZERO_ERROR;
    USet *set = uset_openEmpty();
    uset_applyIntPropertyValue(set, UCHAR_BLOCK, block, &status);
    UChar32 low = 0, high = 0;
    bool ok = U_SUCCESS(status) && uset_getItemCount(set) > 0 &&
              uset_getItem(set, 0, &low, &high, NULL, 0, &status) == 0 && U_SUCCESS(status);
    uset_close(set);
    ret[0] = low;
    ret[1] = high;
    return ok;
}

// \p{…} and \P{…} into the inside of a class; p->at stands behind the p.
static bool put_property(Pattern *p, bool negated) {
    if (now(p) != '{') return false;
    ptrdiff_t end = str_find(str_sub(p->s, p->at, p->s.len), S("}"));
    if (end < 0) return false;
    Str name = str_sub(p->s, p->at + 1, p->at + (size_t)end);
    p->at += (size_t)end + 1;
    if (str_starts(name, S("Is"))) {
        int32_t range[1][2];
        if (!block_range(str_sub(name, 2, name.len), range[0])) return false;
        put_ranges(&p->out, (const int32_t(*)[2])range, 1, negated);
        return true;
    }
    if (!is_category(name)) return false;
    buf_printf(&p->out, "\\%c{%.*s}", negated ? 'P' : 'p', S_FMT(name));
    return true;
}

// An escape for a set of characters, into the inside of a class. False with *ret_none: it is none.
static bool put_set(Pattern *p, bool *ret_none) {
    char c = behind(p);
    *ret_none = false;
    p->at += 2;
    switch (c) {
    case 's':
    case 'S': put_ranges(&p->out, SPACE, COUNT(SPACE), c == 'S'); return true;
    case 'i':
    case 'I': put_ranges(&p->out, NAME_START, COUNT(NAME_START), c == 'I'); return true;
    case 'c':
    case 'C': put_ranges(&p->out, NAME, COUNT(NAME), c == 'C'); return true;
    case 'd': buf_lit(&p->out, "\\p{Nd}"); return true;
    case 'D': buf_lit(&p->out, "\\P{Nd}"); return true;
    case 'w': buf_lit(&p->out, "\\p{L}\\p{M}\\p{N}\\p{S}"); return true;
    case 'W': buf_lit(&p->out, "\\p{P}\\p{Z}\\p{C}"); return true;
    case 'p':
    case 'P': return put_property(p, c == 'P');
    default:
        p->at -= 2;
        *ret_none = true;
        return false;
    }
}

// One character, plain or escaped; -1: none.
static int32_t take_char(Pattern *p) {
    static const char PLAIN[] = "\\|.?*+(){}-[]^$";
    if (now(p) != '\\') return str_utf8_next(p->s, &p->at);
    char c = behind(p);
    p->at += 2;
    if (c == 'n') return '\n';
    if (c == 'r') return '\r';
    if (c == 't') return '\t';
    return c && strchr(PLAIN, c) ? c : -1;
}

static bool put_class(Pattern *p);

// The items of a class up to its ']' or '-['; at least one.
static bool put_items(Pattern *p) {
    bool any = false;
    while (more(p)) {
        bool none = true;
        if (now(p) == ']' || (now(p) == '-' && behind(p) == '[' && any)) return any;
        if (now(p) == '[') return false;
        if (now(p) == '\\' && put_set(p, &none)) {
            any = true;
            continue;
        }
        if (!none) return false;
        bool dash = now(p) == '-';
        int32_t low = take_char(p);
        if (low < 0 || (dash && any && now(p) != ']' && now(p) != '-')) return false;
        any = true;
        if (now(p) != '-' || behind(p) == ']' || behind(p) == '[' || dash) {
            put_code(&p->out, low);
            continue;
        }
        p->at++;
        int32_t high = now(p) == '[' ? -1 : take_char(p);
        if (high < low) return false;
        put_range(&p->out, low, high);
    }
    return false;
}

// A class from its '['.
static bool put_class(Pattern *p) {
    size_t start = p->out.len;
    if (++p->depth > PATTERN_DEPTH_MAX) return false;
    p->at++;
    buf_char(&p->out, '[');
    if (now(p) == '^') {
        buf_char(&p->out, '^');
        p->at++;
    }
    if (!put_items(p)) return false;
    buf_char(&p->out, ']');
    if (now(p) == '-') { // less another class: that one must not stand here
        Buf base = p->out, whole = buf_make(p->out.arena, p->s.len + 64, 64 * FEEL_PATTERN_MAX);
        p->at++;
        p->out = buf_make(base.arena, 64, 64 * FEEL_PATTERN_MAX);
        if (now(p) != '[' || !put_class(p) || now(p) != ']') return false;
        buf_bytes(&whole, base.ptr, start);
        buf_lit(&whole, "(?:(?!");
        buf_str(&whole, buf_view(&p->out));
        buf_char(&whole, ')');
        buf_bytes(&whole, base.ptr + start, base.len - start);
        buf_char(&whole, ')');
        p->out = whole;
    }
    if (now(p) != ']') return false;
    p->at++;
    p->depth--;
    return !p->out.full;
}

// \1 … as many digits as there are groups for.
static bool put_reference(Pattern *p) {
    uint32_t group = (uint32_t)(behind(p) - '0');
    p->at += 2;
    while (now(p) >= '0' && now(p) <= '9' && group * 10 + (uint32_t)(now(p) - '0') <= p->opened)
        group = group * 10 + (uint32_t)(p->s.ptr[p->at++] - '0');
    if (group > p->opened || !p->closed[group]) return false;
    buf_printf(&p->out, "\\g{%u}", group);
    return true;
}

static bool put_escape(Pattern *p) {
    size_t start = p->out.len;
    bool none;
    if (behind(p) >= '1' && behind(p) <= '9') return put_reference(p);
    buf_char(&p->out, '[');
    if (put_set(p, &none)) {
        buf_char(&p->out, ']');
        return true;
    }
    p->out.len = start;
    if (!none) return false;
    int32_t c = take_char(p);
    if (c < 0) return false;
    put_code(&p->out, c);
    return true;
}

// A number of at most four digits; false: there is none.
static bool take_number(Pattern *p, uint32_t *ret) {
    size_t from = p->at;
    *ret = 0;
    while (now(p) >= '0' && now(p) <= '9' && p->at - from < 5)
        *ret = *ret * 10 + (uint32_t)(p->s.ptr[p->at++] - '0');
    return p->at > from && p->at - from < 5;
}

// ?, *, +, {n}, {n,}, {n,m}, each perhaps with ? behind it.
static bool put_quantifier(Pattern *p) {
    if (now(p) == '{') {
        uint32_t low, high;
        p->at++;
        if (!take_number(p, &low)) return false;
        buf_printf(&p->out, "{%u", low);
        if (now(p) == ',') {
            p->at++;
            buf_char(&p->out, ',');
            if (now(p) != '}') {
                if (!take_number(p, &high) || high < low) return false;
                buf_printf(&p->out, "%u", high);
            }
        }
        if (now(p) != '}') return false;
    }
    buf_char(&p->out, now(p));
    p->at++;
    if (now(p) == '?') {
        buf_char(&p->out, '?');
        p->at++;
    }
    return true;
}

static bool open_group(Pattern *p) {
    bool captured = behind(p) != '?';
    p->at++;
    if (!captured) {
        if (behind(p) != ':') return false; // no look-around, no flags
        p->at += 2;
        buf_lit(&p->out, "(?:");
    } else {
        buf_char(&p->out, '(');
        if (p->opened == PATTERN_GROUPS_MAX) return false;
        p->opened++;
    }
    if (p->stack_len == PATTERN_GROUPS_MAX) return false;
    p->stack[p->stack_len++] = captured ? p->opened : 0;
    return true;
}

static bool close_group(Pattern *p) {
    if (p->stack_len == 0) return false;
    p->closed[p->stack[--p->stack_len]] = true;
    buf_char(&p->out, ')');
    p->at++;
    return true;
}

static bool put_all(Pattern *p) {
    bool repeatable = false; // something stands before that a quantifier may follow
    while (more(p)) {
        char c = now(p);
        bool ok = true, next = true;
        switch (c) {
        case '\\': ok = put_escape(p); break;
        case '[': ok = put_class(p); break;
        case '(':
            ok = open_group(p);
            next = false;
            break;
        case ')': ok = close_group(p); break;
        case '?':
        case '*':
        case '+':
        case '{':
            ok = repeatable && put_quantifier(p);
            next = false;
            break;
        case ']':
        case '}': return false;
        case '|':
        case '^':
        case '$':
            buf_char(&p->out, c);
            p->at++;
            next = false;
            break;
        case '.':
            buf_char(&p->out, c);
            p->at++;
            break;
        default: put_code(&p->out, str_utf8_next(p->s, &p->at)); break;
        }
        if (!ok || p->out.full) return false;
        repeatable = next;
    }
    return p->stack_len == 0;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The x flag: white space goes, except inside a class.
static Str without_blanks(Str pattern, Arena *a) {
    Buf dense = buf_make(a, pattern.len + 1, FEEL_PATTERN_MAX + 1);
    int depth = 0;
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.ptr[i];
        if (c == '\\' && i + 1 < pattern.len) {
            buf_char(&dense, c);
            c = pattern.ptr[++i];
            if (depth == 0 && is_blank(c)) continue;
        } else if (c == '[') {
            depth++;
        } else if (c == ']' && depth > 0) {
            depth--;
        } else if (depth == 0 && is_blank(c)) {
            continue;
        }
        buf_char(&dense, c);
    }
    return buf_view(&dense);
}

bool pattern_translate(Str pattern, bool skip_blanks, Arena *a, Str *ret) {
    Pattern *p = arena_new(a, Pattern);
    p->s = skip_blanks ? without_blanks(pattern, a) : pattern;
    p->out = buf_make(a, p->s.len * 2 + 64, 64 * FEEL_PATTERN_MAX);
    p->closed[0] = false;
    if (!str_utf8_valid(p->s) || !put_all(p)) return false;
    *ret = buf_view(&p->out);
    return true;
}
