// Printing values: formats for dates and money in either language, and escaping for the place.
#include "page/page_internal.h"

#include "value/json.h"

enum { RAW_MARK = 0x5261 };

Value page_raw(Str html) {
    Value v = v_str(html);
    v.extra = RAW_MARK;
    return v;
}

bool page_is_raw(Value v) { return v.kind == V_STRING && v.extra == RAW_MARK; }

// ---- escaping

// Sixteen bytes at once; both compilers make the machine's own instructions of it.
typedef uint8_t Block __attribute__((vector_size(16)));
typedef uint64_t BlockHalves __attribute__((vector_size(16)));

static inline bool block_is_plain(Block b) {
    // '&' and '\'' differ in one bit, and so do '<' and '>': 0x26 0x27, 0x3c 0x3e.
    Block found = (Block)((b | 1) == 0x27) | (Block)((b | 2) == 0x3e) | (Block)(b == 0x22);
    BlockHalves halves = (BlockHalves)found;
    return (halves[0] | halves[1]) == 0;
}

static const uint8_t MARKUP[256] = {['&'] = 1, ['<'] = 2, ['>'] = 3, ['"'] = 4, ['\''] = 5};

static void escape_bytes(Buf *out, Str s) {
    static const Str ENTITY[] = {S_INIT(""), S_INIT("&amp;"), S_INIT("&lt;"), S_INIT("&gt;"),
                                 S_INIT("&quot;"), S_INIT("&#39;")};
    const char *from = s.ptr, *end = s.ptr + s.len;
    for (const char *p = from; p < end; p++) {
        uint8_t markup = MARKUP[(unsigned char)*p];
        if (!markup) continue;
        buf_bytes(out, from, (size_t)(p - from));
        buf_str(out, ENTITY[markup]);
        from = p + 1;
    }
    if (end > from) buf_bytes(out, from, (size_t)(end - from));
}

// Overlapping ends instead of a rest byte by byte.
static bool is_plain(Str s) {
    Block b;
    if (s.len >= sizeof b) {
        for (size_t at = 0; at + sizeof b <= s.len; at += sizeof b) {
            memcpy(&b, s.ptr + at, sizeof b);
            if (!block_is_plain(b)) return false;
        }
        memcpy(&b, s.ptr + s.len - sizeof b, sizeof b);
        return block_is_plain(b);
    }
    BlockHalves ends = {0, 0};
    if (s.len >= 8) {
        ends[0] = bytes_at(s.ptr, 8);
        ends[1] = bytes_at(s.ptr + s.len - 8, 8);
    } else if (s.len >= 4) {
        ends[0] = bytes_at(s.ptr, 4);
        ends[1] = bytes_at(s.ptr + s.len - 4, 4);
    } else if (s.len) {
        ends[0] = (uint64_t)(uint8_t)s.ptr[0] | (uint64_t)(uint8_t)s.ptr[s.len / 2] << 8 |
                  (uint64_t)(uint8_t)s.ptr[s.len - 1] << 16;
    }
    return block_is_plain((Block)ends);
}

void page_escape_html(Buf *out, Str s) {
    if (is_plain(s)) buf_str(out, s);
    else escape_bytes(out, s);
}

static inline bool unreserved(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

static void escape_part(Buf *out, Str s, const char *also) {
    static const char HEX[] = "0123456789ABCDEF";
    size_t plain = 0;
    while (plain < s.len && unreserved((unsigned char)s.ptr[plain])) plain++;
    if (plain) buf_bytes(out, s.ptr, plain);
    for (size_t i = plain; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (unreserved(c) || (c && strchr(also, c))) {
            buf_char(out, (char)c);
        } else {
            buf_char(out, '%');
            buf_char(out, HEX[c >> 4]);
            buf_char(out, HEX[c & 15]);
        }
    }
}

// No scheme, or one of http, https, mailto, tel. Browsers drop blanks and control characters in
// front of and inside a scheme, so any of them before a colon is refused.
static bool url_harmless(Str s) {
    static const char *const SCHEMES[] = {"http", "https", "mailto", "tel"};
    size_t end = 0;
    while (end < s.len && !strchr("/?#:", s.ptr[end])) end++;
    if (end == s.len) return true;
    if (s.ptr[end] != ':') return s.ptr[end] != 0;
    for (size_t i = 0; i < sizeof SCHEMES / sizeof *SCHEMES; i++)
        if (str_eq_nocase(str_sub(s, 0, end), str_z(SCHEMES[i]))) return true;
    return false;
}

void page_write_str(Buf *out, Str s, Escape escape) {
    switch (escape) {
    case ESCAPE_NONE: buf_str(out, s); break;
    case ESCAPE_HTML: page_escape_html(out, s); break;
    case ESCAPE_URL:
        if (url_harmless(s)) page_escape_html(out, s);
        else buf_char(out, '#');
        break;
    case ESCAPE_PATH: escape_part(out, s, "/+@,;=!$*()"); break;
    case ESCAPE_QUERY: escape_part(out, s, ""); break;
    }
}

// ---- formats

static void digits2(Buf *out, int n) {
    buf_char(out, (char)('0' + n / 10 % 10));
    buf_char(out, (char)('0' + n % 10));
}

static void put_date(Buf *out, Civil c) {
    buf_int(out, c.year);
    buf_char(out, '-');
    digits2(out, c.month);
    buf_char(out, '-');
    digits2(out, c.day);
}

enum { DAY_NUMBER_MAX = 10000000 }; // a greater number is an Instant

// Day and second of the day of a date, a date-time, the text of one, or a number (Day or Instant).
static bool moment_of(Value v, Day *day, int32_t *second) {
    int64_t n;
    if (v.kind == V_DATE_TIME) {
        const DateTime *t = v.as.time;
        Civil c = {t->year, t->month, t->day};
        if (!civil_valid(c)) return false;
        int32_t seconds = t->hour * 3600 + t->minute * 60 + t->second;
        if (t->has_offset && t->offset_s != CHINA_OFFSET_S) {
            Instant i = day_instant(day_from_civil(c), seconds) +
                        (int64_t)(CHINA_OFFSET_S - t->offset_s) * 1000;
            *day = instant_day(i);
            *second = (int32_t)((i - day_instant(*day, 0)) / 1000);
        } else {
            *day = day_from_civil(c);
            *second = seconds;
        }
        return true;
    }
    if (v.kind == V_NUMBER && decimal_to_int(v.as.number, &n)) {
        if (n > INT64_C(100000000000000) || n < -INT64_C(100000000000000)) return false;
        bool is_day = n < DAY_NUMBER_MAX && n > -DAY_NUMBER_MAX;
        *day = is_day ? (Day)n : instant_day(n);
        *second = is_day ? 0 : (int32_t)((n - day_instant(*day, 0)) / 1000);
        return true;
    }
    Str s = v_text(v);
    if (v.kind == V_STRING && s.len >= 16 && (s.ptr[10] == 'T' || s.ptr[10] == ' ')) {
        int64_t hour, minute;
        if (!str_to_int(str_sub(s, 11, 13), &hour) || s.ptr[13] != ':' ||
            !str_to_int(str_sub(s, 14, 16), &minute) || hour < 0 || hour > 23 || minute < 0 ||
            minute > 59)
            return false;
        *second = (int32_t)(hour * 3600 + minute * 60);
        return day_parse(str_sub(s, 0, 10), day);
    }
    *second = 0;
    return v_to_day(v, day);
}

static bool put_moment(Buf *out, Value v, bool with_time, bool english) {
    static const char *const ZH[] = {"一", "二", "三", "四", "五", "六", "日"}; // i18n: data
    static const char *const EN[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    Day day;
    int32_t second;
    if (!moment_of(v, &day, &second)) return false;
    put_date(out, day_to_civil(day));
    if (with_time) {
        buf_char(out, ' ');
        digits2(out, second / 3600);
        buf_char(out, ':');
        digits2(out, second / 60 % 60);
    } else if (english) {
        buf_lit(out, " (");
        buf_str(out, str_z(EN[day_weekday(day)]));
        buf_char(out, ')');
    } else {
        buf_lit(out, "（周"); // i18n: data
        buf_str(out, str_z(ZH[day_weekday(day)]));
        buf_lit(out, "）");
    }
    return true;
}

// As letters and documents write it: 2023年5月31日, 31 May 2023.
static bool put_long_date(Buf *out, Value v, bool english) {
    static const char *const MONTHS[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    Day day;
    int32_t second;
    if (!moment_of(v, &day, &second)) return false;
    Civil c = day_to_civil(day);
    if (english) buf_printf(out, "%d %s %d", c.day, MONTHS[c.month - 1], c.year);
    else buf_printf(out, "%d年%d月%d日", c.year, c.month, c.day); // i18n: data
    return true;
}

// 1234567.5 -> 1,234,567.5; the sign is written.
static void put_grouped(Buf *out, Decimal d, Arena *scratch) {
    Buf plain = buf_make(scratch, 64, 256);
    decimal_print(&plain, d);
    Str s = buf_view(&plain);
    if (s.len && s.ptr[0] == '-') {
        buf_char(out, '-');
        s = str_sub(s, 1, s.len);
    }
    ptrdiff_t point = str_find(s, S("."));
    size_t whole = point < 0 ? s.len : (size_t)point;
    for (size_t i = 0; i < whole; i++) {
        if (i > 0 && (whole - i) % 3 == 0) buf_char(out, ',');
        buf_char(out, s.ptr[i]);
    }
    buf_str(out, str_sub(s, whole, s.len));
}

static Decimal divided(Decimal d, int64_t by, int32_t scale) {
    Decimal r;
    if (!decimal_div(d, decimal_from_int(by), &r)) return d;
    return decimal_round(r, scale, ROUND_HALF_UP);
}

// Without zeros behind the point.
static Decimal trimmed(Decimal d) {
    for (int32_t scale = 0; scale < 2; scale++) {
        Decimal cut = decimal_round(d, scale, ROUND_DOWN);
        if (decimal_cmp(cut, d) == 0) return cut;
    }
    return d;
}

static void put_wan(Buf *out, Decimal fen, bool english, Arena *scratch) {
    static const int64_t YUAN = 100, WAN = 1000000, YI = INT64_C(10000000000);
    Decimal size = decimal_abs(fen);
    if (english) {
        buf_lit(out, "CNY ");
        put_grouped(out, trimmed(divided(fen, YUAN, 2)), scratch);
    } else if (decimal_cmp(size, decimal_from_int(YI)) >= 0) {
        put_grouped(out, trimmed(divided(fen, YI, 2)), scratch);
        buf_lit(out, "亿元");
    } else if (decimal_cmp(size, decimal_from_int(WAN)) >= 0) {
        put_grouped(out, trimmed(divided(fen, WAN, 2)), scratch);
        buf_lit(out, "万元");
    } else {
        put_grouped(out, trimmed(divided(fen, YUAN, 2)), scratch);
        buf_lit(out, "元");
    }
}

static void put_money(Buf *out, Decimal fen, bool english, Arena *scratch) {
    Decimal yuan = divided(fen, 100, 2);
    if (decimal_sign(yuan) < 0) buf_char(out, '-');
    if (english) buf_lit(out, "CNY ");
    else buf_lit(out, "¥");
    put_grouped(out, decimal_abs(yuan), scratch);
}

static bool put_format(Buf *out, Value v, Format format, bool english, Arena *scratch) {
    if (format == FORMAT_LONG_DATE) return put_long_date(out, v, english);
    if (format == FORMAT_DATE || format == FORMAT_TIME)
        return put_moment(out, v, format == FORMAT_TIME, english);
    if (format == FORMAT_JSON) {
        json_write(out, v);
        return true;
    }
    Decimal d;
    if (v.kind == V_STRING) { // numbers that came as text
        if (!decimal_parse(v_text(v), &d)) return false;
    } else if (v.kind == V_NUMBER) {
        d = v.as.number;
    } else {
        return false;
    }
    switch (format) {
    case FORMAT_MONEY: put_money(out, d, english, scratch); break;
    case FORMAT_WAN: put_wan(out, d, english, scratch); break;
    case FORMAT_INT: put_grouped(out, decimal_round(d, 0, ROUND_HALF_UP), scratch); break;
    default: // percent
        d = decimal_round(decimal_mul(d, decimal_from_int(100)), 2, ROUND_HALF_UP);
        put_grouped(out, trimmed(d), scratch);
        buf_char(out, '%');
        break;
    }
    return true;
}

void page_write(Buf *out, Value v, Format format, bool english, Escape escape, Arena *scratch) {
    if (v.kind == V_STRING && format == FORMAT_PLAIN) {
        page_write_str(out, v_text(v), escape);
        return;
    }
    if (v.kind == V_NULL && format != FORMAT_JSON) return;
    if (v.kind == V_NUMBER && format == FORMAT_PLAIN) { // digits need no escaping
        decimal_print(out, v.as.number);
        return;
    }
    if (v.kind == V_DATE && format == FORMAT_PLAIN && v.as.date.year >= 1000 &&
        v.as.date.year <= 9999) {
        put_date(out, (Civil){v.as.date.year, v.as.date.month, v.as.date.day});
        return;
    }
    Buf text = buf_make(scratch, 64, PAGE_OUTPUT_MAX);
    if (format == FORMAT_PLAIN || !put_format(&text, v, format, english, scratch))
        v_print(&text, v);
    if (text.full) out->full = true;
    page_write_str(out, buf_view(&text), escape);
}
