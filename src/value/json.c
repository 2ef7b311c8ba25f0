// JSON: a parser by recursive descent whose depth is bounded, so no input can overflow the stack,
// and a writer. Numbers stay decimals, strings without escapes stay where they are in the text.
//
// Invariants: what json_parse accepts is exactly RFC 8259 (and well-formed UTF-8 without lone
// surrogates); what json_write gives is always accepted, even when a string holds malformed bytes
// (they become U+FFFD).
// Limits: JsonLimits; VALUE_ITEMS_MAX items of one list or object.
#include "value/json.h"

typedef struct Parser {
    const char *at, *end;
    const char *begin; // of the text, for "line:column"
    Arena *arena;
    Error *err;
    JsonMode mode;
    uint32_t depth, depth_max;
} Parser;

// Most lists and objects are small: they are gathered on the stack and copied once, exactly.
enum { LOCAL_ITEMS = 16 };

// --- errors

// "line:column" of p, both from 1, columns in characters.
static Str place_of(const Parser *p, const char *at) {
    size_t line = 1;
    const char *line_begin = p->begin;
    for (const char *c = p->begin; c < at; c++) {
        if (*c == '\n') {
            line++;
            line_begin = c + 1;
        }
    }
    size_t column = str_utf8_len(str_of(line_begin, (size_t)(at - line_begin))) + 1;
    return arena_printf(p->arena, "%zu:%zu", line, column);
}

typedef enum Expected { A_VALUE, A_DIGIT, A_KEY, A_COLON, LIST_END, OBJECT_END } Expected;

static Status fail_expected(const Parser *p, Expected expected) {
    Str place = place_of(p, p->at);
    if (p->at == p->end) return error_set(p->err, INVALID, place, "内容没有写完");
    Str found = str_of(p->at, (size_t)(p->end - p->at));
    size_t len = 0;
    if (str_utf8_next(found, &len) < 0) {
        return error_set(p->err, INVALID, place, "编码不是正确的 UTF-8");
    }
    found.len = len;
    switch (expected) {
    case A_VALUE: break;
    case A_DIGIT:
        return error_set(p->err, INVALID, place, "这里应有数字，而不是“{1}”", found);
    case A_KEY:
        return error_set(p->err, INVALID, place, "这里应有带引号的名称，而不是“{1}”", found);
    case A_COLON: return error_set(p->err, INVALID, place, "这里应有冒号，而不是“{1}”", found);
    case LIST_END:
        return error_set(p->err, INVALID, place, "这里应有逗号或“]”，而不是“{1}”", found);
    case OBJECT_END:
        return error_set(p->err, INVALID, place, "这里应有逗号或“}”，而不是“{1}”", found);
    }
    return error_set(p->err, INVALID, place, "这里应有一个值，而不是“{1}”", found);
}

// --- scanning

static inline void skip_space(Parser *p) {
    while (p->at < p->end &&
           (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t')) {
        p->at++;
    }
}

static inline bool is_digit(const Parser *p, const char *at) {
    return at < p->end && *at >= '0' && *at <= '9';
}

static Status parse_number(Parser *p, Value *ret) {
    const char *from = p->at, *at = from;
    bool negative = *at == '-';
    at += negative;
    if (!is_digit(p, at)) {
        p->at = at;
        return fail_expected(p, A_DIGIT);
    }
    const char *digits = at;
    int64_t small = 0;
    if (*at == '0') {
        at++;
    } else {
        for (; is_digit(p, at); at++) {
            if (at - digits < 18) small = small * 10 + (*at - '0');
        }
    }
    bool more = at < p->end && (*at == '.' || *at == 'e' || *at == 'E');
    if (!more && at - digits <= 18) {
        p->at = at;
        *ret = v_int(negative ? -small : small);
        return OK;
    }
    if (at < p->end && *at == '.') {
        at++;
        if (!is_digit(p, at)) {
            p->at = at;
            return fail_expected(p, A_DIGIT);
        }
        while (is_digit(p, at)) at++;
    }
    if (at < p->end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < p->end && (*at == '+' || *at == '-')) at++;
        if (!is_digit(p, at)) {
            p->at = at;
            return fail_expected(p, A_DIGIT);
        }
        while (is_digit(p, at)) at++;
    }
    Decimal d;
    if (!decimal_parse(str_of(from, (size_t)(at - from)), &d)) {
        return error_set(p->err, INVALID, place_of(p, p->at), "数字太大或太小，超出可表示的范围");
    }
    p->at = at;
    *ret = v_number(d);
    return OK;
}

// Nonzero when one of eight bytes is a quote, a backslash, a control character or not ASCII.
static inline uint64_t special_among(uint64_t eight) {
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t quote = eight ^ ones * '"', slash = eight ^ ones * '\\';
    return ((quote - ones) | (slash - ones) | (eight - ones * 0x20) | eight) & highs;
}

// The end of the string that begins at p->at (behind the quote): *ret_end is its closing quote.
static Status scan_string(Parser *p, const char **ret_end, bool *ret_escaped) {
    const char *at = p->at;
    for (;;) {
        while (p->end - at >= 8) {
            uint64_t eight;
            memcpy(&eight, at, 8);
            if (special_among(eight)) break;
            at += 8;
        }
        if (at == p->end) {
            p->at = at;
            return error_set(p->err, INVALID, place_of(p, p->at), "字符串没有结束的引号");
        }
        unsigned char c = (unsigned char)*at;
        if (c == '"') break;
        if (c == '\\') {
            *ret_escaped = true;
            at += p->end - at > 1 ? 2 : 1; // what is escaped is looked at when it is decoded
        } else if (c < 0x20) {
            return error_set(p->err, INVALID, place_of(p, at), "字符串里的控制字符须写成转义形式");
        } else if (c < 0x80) {
            at++;
        } else {
            size_t len = 0;
            Str rest = str_of(at, (size_t)(p->end - at));
            if (str_utf8_next(rest, &len) < 0) {
                return error_set(p->err, INVALID, place_of(p, at), "编码不是正确的 UTF-8");
            }
            at += len;
        }
    }
    *ret_end = at;
    return OK;
}

// Four hex digits at `at`, -1 when they aren't.
static int32_t four_hex(const char *at, const char *end) {
    if (end - at < 4) return -1;
    int32_t n = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return -1;
        n = n << 4 | digit;
    }
    return n;
}

// The \u escape whose 'u' is at `at`, with its other half when it is a surrogate. -1: malformed.
// Moves *at behind it.
static int32_t unicode_escape(const char **at, const char *end) {
    int32_t c = four_hex(*at + 1, end);
    if (c < 0 || (c >= 0xDC00 && c <= 0xDFFF)) return -1;
    *at += 5;
    if (c < 0xD800 || c > 0xDBFF) return c;
    if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u') return -1;
    int32_t low = four_hex(*at + 2, end);
    if (low < 0xDC00 || low > 0xDFFF) return -1;
    *at += 6;
    return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
}

// Text with escapes, decoded. No escape is shorter than what it stands for.
static Status decode_string(Parser *p, const char *end, Str *ret) {
    size_t size = (size_t)(end - p->at);
    Buf out = buf_make(p->arena, size, size);
    for (const char *at = p->at; at < end;) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        if (!slash) slash = end;
        buf_bytes(&out, at, (size_t)(slash - at));
        at = slash;
        if (at == end) break;
        at++; // scan_string saw to it that something stands behind
        switch (*at) {
        case '"':
        case '\\':
        case '/': buf_char(&out, *at++); break;
        case 'b': buf_char(&out, '\b'), at++; break;
        case 'f': buf_char(&out, '\f'), at++; break;
        case 'n': buf_char(&out, '\n'), at++; break;
        case 'r': buf_char(&out, '\r'), at++; break;
        case 't': buf_char(&out, '\t'), at++; break;
        case 'u': {
            int32_t c = unicode_escape(&at, end);
            if (c < 0) {
                return error_set(p->err, INVALID, place_of(p, slash),
                                 "不正确的 \\u 转义（须成对的代理码）");
            }
            buf_utf8(&out, (uint32_t)c);
            break;
        }
        default: return error_set(p->err, INVALID, place_of(p, slash), "不认识的转义字符");
        }
    }
    *ret = buf_view(&out);
    return OK;
}

// At the opening quote.
static Status parse_string(Parser *p, Str *ret) {
    p->at++;
    const char *end = NULL;
    bool escaped = false;
    Status status = scan_string(p, &end, &escaped);
    if (status != OK) return status;
    if (escaped) {
        status = decode_string(p, end, ret);
        if (status != OK) return status;
    } else {
        *ret = str_of(p->at, (size_t)(end - p->at));
    }
    p->at = end + 1;
    return OK;
}

// --- values

static Status parse_value(Parser *p, Value *ret);

static Status enter(Parser *p) {
    if (p->depth == p->depth_max) {
        return error_set(p->err, LIMIT, place_of(p, p->at), "嵌套超过 {1} 层的上限",
                         arena_printf(p->arena, "%u", p->depth_max));
    }
    p->depth++;
    p->at++;
    skip_space(p);
    return OK;
}

static Status too_many(const Parser *p) {
    return error_set(p->err, LIMIT, place_of(p, p->at), "一个列表或对象里的内容超过 {1} 项的上限",
                     arena_printf(p->arena, "%d", VALUE_ITEMS_MAX));
}

// Behind an item: whether another follows. *ret_more false: `close` was there and is behind us.
static Status item_end(Parser *p, char close, Expected expected, bool *ret_more) {
    skip_space(p);
    if (p->at == p->end || (*p->at != ',' && *p->at != close)) {
        return fail_expected(p, expected);
    }
    *ret_more = *p->at == ',';
    p->at++;
    if (*ret_more) skip_space(p);
    return OK;
}

static Status parse_list(Parser *p, Value *ret) {
    Value local[LOCAL_ITEMS];
    ListBuilder b = {.arena = p->arena, .items = local, .cap = LOCAL_ITEMS};
    Status status = enter(p);
    if (status != OK) return status;
    bool more = !(p->at < p->end && *p->at == ']');
    if (!more) p->at++;
    while (more) {
        Value item;
        status = parse_value(p, &item);
        if (status != OK) return status;
        list_add(&b, item);
        if (b.full) return too_many(p);
        status = item_end(p, ']', LIST_END, &more);
        if (status != OK) return status;
    }
    if (b.items == local) {
        b.items = arena_alloc_raw(p->arena, b.len * sizeof *local);
        if (b.len) memcpy(b.items, local, b.len * sizeof *local);
    }
    p->depth--;
    *ret = list_done(&b);
    return OK;
}

static Status parse_entry(Parser *p, ContextBuilder *b) {
    if (p->at == p->end || *p->at != '"') return fail_expected(p, A_KEY);
    const char *key_at = p->at;
    Str key;
    Status status = parse_string(p, &key);
    if (status != OK) return status;
    skip_space(p);
    if (p->at == p->end || *p->at != ':') return fail_expected(p, A_COLON);
    p->at++;
    skip_space(p);
    Value value;
    status = parse_value(p, &value);
    if (status != OK) return status;
    if (p->mode == JSON_LAX) context_put(b, key, value);
    else if (!context_put_once(b, key, value)) {
        return error_set(p->err, INVALID, place_of(p, key_at), "名称“{1}”重复", key);
    }
    return b->full ? too_many(p) : OK;
}

static Status parse_object(Parser *p, Value *ret) {
    Entry local[LOCAL_ITEMS];
    ContextBuilder b = {.arena = p->arena, .entries = local, .cap = LOCAL_ITEMS};
    Status status = enter(p);
    if (status != OK) return status;
    bool more = !(p->at < p->end && *p->at == '}');
    if (!more) p->at++;
    while (more) {
        status = parse_entry(p, &b);
        if (status != OK) return status;
        status = item_end(p, '}', OBJECT_END, &more);
        if (status != OK) return status;
    }
    if (b.entries == local) {
        b.entries = arena_alloc_raw(p->arena, b.len * sizeof *local);
        if (b.len) memcpy(b.entries, local, b.len * sizeof *local);
    }
    p->depth--;
    *ret = context_done(&b);
    return OK;
}

static Status parse_word(Parser *p, Str word, Value v, Value *ret) {
    if (!str_starts(str_of(p->at, (size_t)(p->end - p->at)), word)) {
        return fail_expected(p, A_VALUE);
    }
    p->at += word.len;
    *ret = v;
    return OK;
}

static Status parse_value(Parser *p, Value *ret) {
    if (p->at == p->end) return fail_expected(p, A_VALUE);
    switch (*p->at) {
    case '{': return parse_object(p, ret);
    case '[': return parse_list(p, ret);
    case '"': {
        Str text;
        Status status = parse_string(p, &text);
        if (status == OK) *ret = v_str(text);
        return status;
    }
    case 't': return parse_word(p, S("true"), v_bool(true), ret);
    case 'f': return parse_word(p, S("false"), v_bool(false), ret);
    case 'n': return parse_word(p, S("null"), v_null(), ret);
    default:
        if (*p->at == '-' || is_digit(p, p->at)) return parse_number(p, ret);
        return fail_expected(p, A_VALUE);
    }
}

Status json_parse(Str text, JsonMode mode, JsonLimits limits, Arena *a, Value *ret, Error *err) {
    size_t size_max = limits.size_max ? limits.size_max : VALUE_STRING_MAX;
    uint32_t depth_max = limits.depth_max ? limits.depth_max : VALUE_DEPTH_MAX;
    if (depth_max > VALUE_DEPTH_MAX) depth_max = VALUE_DEPTH_MAX; // no Value is deeper
    if (text.len > size_max || text.len > UINT32_MAX) {
        return error_set(err, LIMIT, S("1:1"), "内容超过 {1} 字节的上限",
                         arena_printf(a, "%zu", size_max));
    }
    if (!text.ptr) text = S("");
    Parser p = {.at = text.ptr, .end = text.ptr + text.len, .begin = text.ptr, .arena = a,
                .err = err, .mode = mode, .depth_max = depth_max};
    skip_space(&p);
    Value v;
    Status status = parse_value(&p, &v);
    if (status != OK) return status;
    skip_space(&p);
    if (p.at != p.end) {
        return error_set(err, INVALID, place_of(&p, p.at), "内容之后还有多余的字符");
    }
    *ret = v;
    return OK;
}

// --- writing

static void write_escaped(Buf *out, unsigned char c) {
    switch (c) {
    case '"': buf_lit(out, "\\\""); break;
    case '\\': buf_lit(out, "\\\\"); break;
    case '\b': buf_lit(out, "\\b"); break;
    case '\f': buf_lit(out, "\\f"); break;
    case '\n': buf_lit(out, "\\n"); break;
    case '\r': buf_lit(out, "\\r"); break;
    case '\t': buf_lit(out, "\\t"); break;
    default:
        buf_lit(out, "\\u00");
        buf_hex(out, &c, 1);
    }
}

void json_write_str(Buf *out, Str s) {
    if (s.len == 0) s = S("");
    buf_char(out, '"');
    size_t from = 0, at = 0; // [from, at) goes out as it is
    while (at < s.len) {
        if (s.len - at >= 8) {
            uint64_t eight;
            memcpy(&eight, s.ptr + at, 8);
            if (!special_among(eight)) {
                at += 8;
                continue;
            }
        }
        unsigned char c = (unsigned char)s.ptr[at];
        if (c >= 0x80) {
            size_t before = at;
            if (str_utf8_next(s, &at) >= 0) continue;
            buf_bytes(out, s.ptr + from, before - from);
            buf_utf8(out, 0xFFFD);
            from = at;
        } else if (c < 0x20 || c == '"' || c == '\\') {
            buf_bytes(out, s.ptr + from, at - from);
            write_escaped(out, c);
            from = ++at;
        } else {
            at++;
        }
    }
    buf_bytes(out, s.ptr + from, s.len - from);
    buf_char(out, '"');
}

enum { COMPACT = -1, INDENT = 2 };

// A new line and its indentation when people are to read it.
static void line(Buf *out, int indent) {
    if (indent == COMPACT) return;
    buf_char(out, '\n');
    for (int i = 0; i < indent * INDENT; i++) buf_char(out, ' ');
}

static void write_at(Buf *out, Value v, int indent, int depth);

static void write_items(Buf *out, Value v, int indent, int depth) {
    bool list = v.kind == V_LIST;
    int inner = indent == COMPACT ? COMPACT : indent + 1;
    buf_char(out, list ? '[' : '{');
    for (uint32_t i = 0; i < v.len && !out->full; i++) {
        if (i) buf_char(out, ',');
        line(out, inner);
        if (!list) {
            json_write_str(out, v.as.entries[i].key);
            if (indent == COMPACT) buf_char(out, ':');
            else buf_lit(out, ": ");
        }
        write_at(out, list ? v.as.items[i] : v.as.entries[i].value, inner, depth + 1);
    }
    if (v.len) line(out, indent);
    buf_char(out, list ? ']' : '}');
}

static void write_at(Buf *out, Value v, int indent, int depth) {
    if (depth > VALUE_RECURSION_MAX) {
        out->full = true; // only a Value not made by a builder is so deep
        return;
    }
    switch ((ValueKind)v.kind) {
    case V_NULL:
    case V_FUNCTION: buf_lit(out, "null"); break;
    case V_STRING: json_write_str(out, v_text(v)); break;
    case V_BOOL:
    case V_NUMBER: v_print(out, v); break;
    case V_LIST:
    case V_CONTEXT: write_items(out, v, indent, depth); break;
    case V_RANGE: {
        // Its ends may be strings, whose quotes must be escaped in turn.
        Buf text = buf_make(out->arena, 64, VALUE_STRING_MAX);
        v_print(&text, v);
        if (text.full) out->full = true;
        json_write_str(out, buf_view(&text));
        break;
    }
    default: // dates, times and durations hold nothing that needs escaping
        buf_char(out, '"');
        v_print(out, v);
        buf_char(out, '"');
    }
}

void json_write(Buf *out, Value v) { write_at(out, v, COMPACT, 0); }

void json_write_pretty(Buf *out, Value v) { write_at(out, v, 0, 0); }

Str json_to_str(Value v, Arena *a) {
    Buf out = buf_make(a, 256, SIZE_MAX / 4);
    json_write(&out, v);
    return buf_view(&out);
}
