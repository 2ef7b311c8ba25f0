// Tokens of FEEL. The difficulty is names: they may hold blanks and even operators ("Monthly
// Salary", "pre-bureau risk"), so what a name is depends on which names are in scope. At each
// name the longest name in scope that stands there wins; then the longest built-in function
// followed by '('; else the single word.
//
// White space and name characters are those of the grammar (DMN 1.5, 10.3.1.2, rules 27-31, 61,
// 62) with every letter of Unicode beyond ASCII allowed, full-width punctuation not.
#include "feel/feel_internal.h"

bool lex_fail(Parser *p, size_t at, const char *text, Str arg) {
    if (p->failed) return false;
    p->failed = true;
    uint32_t line, column;
    feel_line_column(p->source, at, &line, &column);
    Str where = arena_printf(p->arena, "%u:%u", line, column);
    (void)error_fill(p->err, INVALID, where, text, (Str[ERROR_ARGS]){arg});
    return false;
}

bool lex_limit(Parser *p, size_t at, const char *text, int64_t max) {
    return lex_fail(p, at, text, arena_printf(p->arena, "%lld", (long long)max));
}

void feel_line_column(Str source, size_t offset, uint32_t *line, uint32_t *column) {
    uint32_t l = 1, c = 1;
    size_t at = 0;
    while (at < offset && at < source.len) {
        if (source.ptr[at] == '\n') {
            l++;
            c = 0;
        }
        (void)str_utf8_next(source, &at);
        c++;
    }
    *line = l;
    *column = c;
}

static void push(Arena *a, Str **items, size_t *count, size_t *cap, Str s) {
    if (*count == *cap) {
        size_t more = *cap ? *cap * 2 : 16;
        Str *grown = arena_array(a, Str, more);
        if (*count) memcpy(grown, *items, *count * sizeof *grown);
        *items = grown;
        *cap = more;
    }
    (*items)[(*count)++] = s;
}

void names_push(Parser *p, Str name) {
    push(p->arena, &p->names, &p->names_count, &p->names_cap, name);
}

static bool is_space(int32_t c) {
    return c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           c == 0x180E || (c >= 0x2000 && c <= 0x200B) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

static bool is_name_start(int32_t c) {
    if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (is_space(c)) return false;
    if (c < 0xC0) return c == 0xAA || c == 0xB5 || c == 0xBA;
    if (c == 0xD7 || c == 0xF7) return false;
    if (c >= 0x2010 && c <= 0x206F) return c == 0x203F || c == 0x2040;
    if (c >= 0x2190 && c <= 0x2BFF) return false;         // arrows, operators, boxes
    if (c >= 0x3001 && c <= 0x3004) return false;         // 、。〃
    if (c >= 0x3008 && c <= 0x3020) return false;         // 《》【】
    if (c >= 0xFF01 && c <= 0xFF0F) return false;         // full-width punctuation
    if (c >= 0xFF1A && c <= 0xFF20) return false;
    if (c >= 0xFF3B && c <= 0xFF40 && c != 0xFF3F) return false;
    if (c >= 0xFF5B && c <= 0xFF65) return false;
    return c <= 0x10FFFF && !(c >= 0xFFF0 && c <= 0xFFFF);
}

static bool is_name_part(int32_t c) { return is_name_start(c) || (c >= '0' && c <= '9'); }

void keys_push(Parser *p, Str key) {
    bool plain = true;
    for (size_t at = 0; at < key.len && plain;) plain = is_name_part(str_utf8_next(key, &at));
    if (plain || key.len > FEEL_NAME_MAX) return;
    push(p->arena, &p->keys, &p->keys_count, &p->keys_cap, key);
}

static int32_t peek(Str s, size_t at) {
    if (at >= s.len) return 0;
    return str_utf8_next(s, &at);
}

static size_t skip_blanks(Str s, size_t at) {
    while (at < s.len) {
        size_t next = at;
        if (!is_space(str_utf8_next(s, &next))) break;
        at = next;
    }
    return at;
}

void lex_skip_space(Parser *p) {
    Str s = p->source;
    for (;;) {
        p->pos = skip_blanks(s, p->pos);
        if (p->pos + 1 >= s.len || s.ptr[p->pos] != '/') return;
        if (s.ptr[p->pos + 1] == '/') {
            while (p->pos < s.len && s.ptr[p->pos] != '\n') p->pos++;
        } else if (s.ptr[p->pos + 1] == '*') {
            ptrdiff_t end = str_find(str_sub(s, p->pos + 2, s.len), S("*/"));
            if (end < 0) {
                (void)lex_fail(p, p->pos, "注释没有结束，请补上 */", S(""));
                return;
            }
            p->pos += 2 + (size_t)end + 2;
        } else {
            return;
        }
    }
}

size_t lex_match_name(Str s, size_t at, Str name) {
    size_t from = at;
    for (size_t i = 0; i < name.len;) {
        if (name.ptr[i] == ' ') {
            size_t next = skip_blanks(s, at);
            if (next == at) return 0;
            at = next;
            i++;
        } else if (at < s.len && s.ptr[at] == name.ptr[i]) {
            at++;
            i++;
        } else {
            return 0;
        }
    }
    // The name must end where a word ends, unless its own last character is a symbol.
    size_t last = name.len;
    while (last > 0 && ((unsigned char)name.ptr[last - 1] & 0xC0) == 0x80) last--;
    if (last > 0) last--;
    if (is_name_part(peek(name, last)) && at < s.len && is_name_part(peek(s, at))) return 0;
    return at - from;
}

static size_t word_end(Str s, size_t at) {
    while (at < s.len) {
        size_t next = at;
        if (!is_name_part(str_utf8_next(s, &next))) break;
        at = next;
    }
    return at;
}

static const struct {
    const char *word;
    TokenKind kind;
} KEYWORDS[] = {
    {"if", TK_IF},         {"then", TK_THEN},       {"else", TK_ELSE},
    {"for", TK_FOR},       {"in", TK_IN},           {"return", TK_RETURN},
    {"some", TK_SOME},     {"every", TK_EVERY},     {"satisfies", TK_SATISFIES},
    {"and", TK_AND},       {"or", TK_OR},           {"between", TK_BETWEEN},
    {"function", TK_FUNCTION}, {"external", TK_EXTERNAL}, {"true", TK_TRUE},
    {"false", TK_FALSE},   {"null", TK_NULL},
};

static TokenKind keyword(Str word) {
    for (size_t i = 0; i < sizeof KEYWORDS / sizeof *KEYWORDS; i++)
        if (str_eq(word, str_z(KEYWORDS[i].word))) return KEYWORDS[i].kind;
    return TK_NAME;
}

// Properties whose names have a blank, known after any dot.
static const char *const PROPERTIES[] = {"time offset", "start included", "end included"};

static size_t longest_known(const Parser *p, size_t at) {
    size_t best = 0;
    for (size_t i = p->names_count; i-- > 0;) {
        Str name = p->names[i];
        if (name.len <= best || name.ptr[0] != p->source.ptr[at]) continue;
        size_t n = lex_match_name(p->source, at, name);
        if (n > best) best = n;
    }
    if (p->after_dot) {
        for (size_t i = 0; i < p->keys_count; i++) {
            size_t n = lex_match_name(p->source, at, p->keys[i]);
            if (n > best) best = n;
        }
        for (size_t i = 0; i < sizeof PROPERTIES / sizeof *PROPERTIES; i++) {
            size_t n = lex_match_name(p->source, at, str_z(PROPERTIES[i]));
            if (n > best) best = n;
        }
    } else {
        size_t n = builtin_match(p->source, at);
        if (n > best) best = n;
    }
    return best;
}

// Runs of white space become one blank.
static Str normal_name(Parser *p, Str raw) {
    bool plain = true;
    for (size_t i = 0; i < raw.len && plain;) {
        size_t next = i;
        int32_t c = str_utf8_next(raw, &next);
        if (is_space(c) && (c != ' ' || raw.ptr[i - 1] == ' ')) plain = false;
        i = next;
    }
    if (plain) return raw;
    char *out = arena_alloc_raw(p->arena, raw.len);
    size_t n = 0;
    for (size_t i = 0; i < raw.len;) {
        size_t next = i;
        if (is_space(str_utf8_next(raw, &next))) {
            if (n > 0 && out[n - 1] != ' ') out[n++] = ' ';
        } else {
            memcpy(out + n, raw.ptr + i, next - i);
            n += next - i;
        }
        i = next;
    }
    return (Str){out, n};
}

static bool lex_name(Parser *p) {
    Str s = p->source;
    size_t at = p->pos, single = word_end(s, at), known = longest_known(p, at);
    Str word = str_sub(s, at, single);
    size_t end = at + known > single ? at + known : single;
    if (end == single && !p->after_dot) {
        TokenKind kind = keyword(word);
        if (str_eq(word, S("instance"))) {
            size_t of = skip_blanks(s, single), of_end = word_end(s, of);
            if (str_eq(str_sub(s, of, of_end), S("of"))) {
                kind = TK_INSTANCE_OF;
                end = of_end;
            }
        }
        if (kind != TK_NAME) {
            p->tok.kind = kind;
            p->tok.text = word;
            p->pos = end;
            return true;
        }
    }
    // Words side by side are one name that nobody declared ("Monthly Salary").
    while (end == single) {
        size_t next = skip_blanks(s, end);
        if (next == end || next >= s.len || !is_name_start(peek(s, next))) break;
        size_t next_end = word_end(s, next);
        Str more = str_sub(s, next, next_end);
        if (keyword(more) != TK_NAME || str_eq(more, S("instance"))) break;
        end = single = next_end;
    }
    if (end - at > FEEL_NAME_MAX) {
        return lex_limit(p, at, "名称超过 {1} 字节", FEEL_NAME_MAX);
    }
    p->tok.kind = TK_NAME;
    p->tok.text = normal_name(p, str_sub(s, at, end));
    p->pos = end;
    return true;
}

static bool is_digit(Str s, size_t at) {
    return at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9';
}

static bool lex_number(Parser *p) {
    Str s = p->source;
    size_t at = p->pos;
    while (is_digit(s, at)) at++;
    if (at < s.len && s.ptr[at] == '.' && is_digit(s, at + 1)) {
        at++;
        while (is_digit(s, at)) at++;
    }
    if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
        size_t e = at + 1;
        if (e < s.len && (s.ptr[e] == '+' || s.ptr[e] == '-')) e++;
        if (is_digit(s, e)) {
            while (is_digit(s, e)) e++;
            at = e;
        }
    }
    p->tok.kind = TK_NUMBER;
    p->tok.text = str_sub(s, p->pos, at);
    p->pos = at;
    return true;
}

static bool hex_code(Str s, size_t at, size_t digits, uint32_t *ret) {
    uint32_t code = 0;
    if (at + digits > s.len) return false;
    for (size_t i = at; i < at + digits; i++) {
        char c = s.ptr[i];
        uint32_t d = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                     : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                            : 16;
        if (d == 16) return false;
        code = code * 16 + d;
    }
    *ret = code;
    return true;
}

// One escape at `at` (behind the backslash); returns the bytes read, 0 when it is none.
static size_t lex_escape(Str s, size_t at, Buf *out) {
    static const char FROM[] = "ntr\"'\\", TO[] = "\n\t\r\"'\\";
    if (at >= s.len) return 0;
    char c = s.ptr[at];
    const char *simple = c ? strchr(FROM, c) : NULL;
    if (simple) {
        buf_char(out, TO[simple - FROM]);
        return 1;
    }
    uint32_t code = 0, low = 0;
    size_t digits = c == 'u' ? 4 : c == 'U' ? 6 : 0, used;
    if (!digits || !hex_code(s, at + 1, digits, &code)) return 0;
    used = 1 + digits;
    if (code >= 0xD800 && code <= 0xDBFF) {
        if (at + used + 1 >= s.len || s.ptr[at + used] != '\\' || s.ptr[at + used + 1] != 'u' ||
            !hex_code(s, at + used + 2, 4, &low) || low < 0xDC00 || low > 0xDFFF)
            return 0;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        used += 6;
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return 0;
    buf_utf8(out, code);
    return used;
}

// The quoted text at p->pos into p->tok.text.
static bool lex_quoted(Parser *p) {
    Str s = p->source;
    size_t at = p->pos + 1, end = at;
    while (end < s.len && s.ptr[end] != '"' && s.ptr[end] != '\\') end++;
    if (end < s.len && s.ptr[end] == '"') {
        p->tok.text = str_sub(s, at, end);
        p->pos = end + 1;
        return true;
    }
    Buf out = buf_make(p->arena, end - at + 64, FEEL_SOURCE_MAX);
    while (at < s.len && s.ptr[at] != '"') {
        if (s.ptr[at] != '\\') {
            buf_char(&out, s.ptr[at++]);
            continue;
        }
        size_t n = lex_escape(s, at + 1, &out);
        if (!n) { // an unknown escape stands for itself, as in \d
            buf_char(&out, '\\');
            at++;
        } else {
            at += 1 + n;
        }
    }
    if (at >= s.len) return lex_fail(p, p->pos, "文字没有结束，请补上双引号", S(""));
    p->tok.text = buf_view(&out);
    p->pos = at + 1;
    return true;
}

static const struct {
    char text[4];
    TokenKind kind;
} SYMBOLS[] = {
    // longer ones first
    {"**", TK_POWER},  {"..", TK_DOTDOT},  {"!=", TK_NE},      {"<=", TK_LE},    {">=", TK_GE},
    {"->", TK_ARROW},  {"+", TK_PLUS},     {"-", TK_MINUS},    {"*", TK_STAR},   {"/", TK_SLASH},
    {"=", TK_EQ},      {"<", TK_LT},       {">", TK_GT},       {"(", TK_LPAREN}, {")", TK_RPAREN},
    {"[", TK_LBRACKET}, {"]", TK_RBRACKET}, {"{", TK_LBRACE},  {"}", TK_RBRACE}, {",", TK_COMMA},
    {":", TK_COLON},   {".", TK_DOT},      {"?", TK_INPUT},
};

bool lex_next(Parser *p) {
    lex_skip_space(p);
    if (p->failed) return false;
    Str s = p->source;
    p->tok = (Token){.kind = TK_END, .start = (uint32_t)p->pos, .end = (uint32_t)p->pos};
    if (p->pos >= s.len) return true;
    char c = s.ptr[p->pos];
    bool ok = true;
    if (is_digit(s, p->pos) || (c == '.' && is_digit(s, p->pos + 1))) {
        ok = lex_number(p);
    } else if (c == '"') {
        p->tok.kind = TK_STRING;
        ok = lex_quoted(p);
    } else if (c == '@') {
        p->tok.kind = TK_AT;
        p->pos++;
        lex_skip_space(p);
        if (p->pos >= s.len || s.ptr[p->pos] != '"')
            return lex_fail(p, p->pos, "@ 后面应为双引号中的日期、时间或时长", S(""));
        ok = lex_quoted(p);
    } else if (is_name_start(peek(s, p->pos))) {
        ok = lex_name(p);
    } else {
        size_t i = 0, count = sizeof SYMBOLS / sizeof *SYMBOLS;
        while (i < count && !str_starts(str_sub(s, p->pos, s.len), str_z(SYMBOLS[i].text))) i++;
        if (i == count) {
            size_t next = p->pos;
            (void)str_utf8_next(s, &next);
            return lex_fail(p, p->pos, "不认识的符号“{1}”", str_sub(s, p->pos, next));
        }
        p->tok.kind = SYMBOLS[i].kind;
        p->pos += strlen(SYMBOLS[i].text);
    }
    p->tok.end = (uint32_t)p->pos;
    p->after_dot = false;
    return ok;
}

void lex_rewind(Parser *p, size_t at) { p->pos = at; }

bool lex_label(const Parser *p, Str *ret_label, size_t *ret_colon) {
    static const char SYMBOL[] = "'-+*/.";
    Str s = p->source;
    size_t from = p->tok.start, at = from;
    if (!is_name_start(peek(s, at))) return false;
    while (at < s.len) {
        size_t next = at;
        int32_t c = str_utf8_next(s, &next);
        if (c == ':') break;
        if (!is_name_part(c) && !is_space(c) && !(c < 0x80 && c > 0 && strchr(SYMBOL, (char)c)))
            return false;
        at = next;
    }
    if (at >= s.len || at - from > FEEL_NAME_MAX) return false;
    *ret_colon = at;
    size_t end = at;
    while (end > from && s.ptr[end - 1] == ' ') end--;
    Parser *mutable_parser = (Parser *)p; // normal_name only takes memory from its arena
    *ret_label = str_trim(normal_name(mutable_parser, str_trim(str_sub(s, from, end))));
    return true;
}
