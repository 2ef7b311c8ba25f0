// Value in words, as FEEL's string() says: dates and durations in ISO 8601, numbers plain, strings
// bare by themselves and quoted inside something. JSON takes dates, times, durations and ranges
// from here too.
// Invariants: the same Value always gives the same bytes. Limits: the Buf's; VALUE_DEPTH_MAX.
#include "value/json.h"
#include "value/value.h"

enum { NANO_DIGITS = 9, HOUR_S = 3600, DAY_S = 86400 };

static void print_padded(Buf *out, int64_t n, int width) {
    int digits = 1;
    for (int64_t rest = n / 10; rest; rest /= 10) digits++;
    for (; digits < width; digits++) buf_char(out, '0');
    buf_int(out, n);
}

static void print_date(Buf *out, int32_t year, int month, int day) {
    if (year < 0) buf_char(out, '-');
    print_padded(out, year < 0 ? -(int64_t)year : year, 4);
    buf_char(out, '-');
    print_padded(out, month, 2);
    buf_char(out, '-');
    print_padded(out, day, 2);
}

// ".5", ".000000001", nothing for zero.
static void print_nanoseconds(Buf *out, int32_t nanoseconds) {
    if (nanoseconds <= 0) return;
    int width = NANO_DIGITS;
    while (nanoseconds % 10 == 0) {
        nanoseconds /= 10;
        width--;
    }
    buf_char(out, '.');
    print_padded(out, nanoseconds, width);
}

static void print_offset(Buf *out, int32_t offset) {
    if (offset == 0) {
        buf_char(out, 'Z');
        return;
    }
    buf_char(out, offset < 0 ? '-' : '+');
    int32_t size = offset < 0 ? -offset : offset;
    print_padded(out, size / HOUR_S, 2);
    buf_char(out, ':');
    print_padded(out, size / 60 % 60, 2);
    if (size % 60) {
        buf_char(out, ':');
        print_padded(out, size % 60, 2);
    }
}

static void print_time(Buf *out, const DateTime *t) {
    print_padded(out, t->hour, 2);
    buf_char(out, ':');
    print_padded(out, t->minute, 2);
    buf_char(out, ':');
    print_padded(out, t->second, 2);
    print_nanoseconds(out, t->nanosecond);
    if (t->has_offset == 1) {
        print_offset(out, t->offset_s);
    } else if (t->has_offset == 2) {
        buf_char(out, '@');
        buf_str(out, t->zone);
    }
}

static void print_unit(Buf *out, uint64_t n, char unit) {
    if (n == 0) return;
    buf_int(out, (int64_t)n);
    buf_char(out, unit);
}

static uint64_t size_of(int64_t n) { return n < 0 ? 0 - (uint64_t)n : (uint64_t)n; }

static void print_duration(Buf *out, int64_t seconds, int32_t nanoseconds) {
    if (seconds == 0 && nanoseconds == 0) {
        buf_lit(out, "PT0S");
        return;
    }
    if (seconds < 0 || nanoseconds < 0) buf_char(out, '-');
    uint64_t size = size_of(seconds);
    int32_t nanos = nanoseconds < 0 ? -nanoseconds : nanoseconds;
    buf_char(out, 'P');
    print_unit(out, size / DAY_S, 'D');
    if (size % DAY_S == 0 && nanos == 0) return;
    buf_char(out, 'T');
    print_unit(out, size % DAY_S / HOUR_S, 'H');
    print_unit(out, size % HOUR_S / 60, 'M');
    if (size % 60 == 0 && nanos == 0) return;
    buf_int(out, (int64_t)(size % 60));
    print_nanoseconds(out, nanos);
    buf_char(out, 'S');
}

static void print_months(Buf *out, int64_t months) {
    if (months == 0) {
        buf_lit(out, "P0M");
        return;
    }
    if (months < 0) buf_char(out, '-');
    buf_char(out, 'P');
    print_unit(out, size_of(months) / 12, 'Y');
    print_unit(out, size_of(months) % 12, 'M');
}

static void print_at(Buf *out, Value v, int depth);

static void print_range(Buf *out, const Range *r, int depth) {
    buf_char(out, r->low_closed ? '[' : '(');
    if (r->low) print_at(out, *r->low, depth);
    buf_lit(out, "..");
    if (r->high) print_at(out, *r->high, depth);
    buf_char(out, r->high_closed ? ']' : ')');
}

static void print_list(Buf *out, Value v, int depth) {
    buf_char(out, '[');
    for (uint32_t i = 0; i < v.len && !out->full; i++) {
        if (i) buf_lit(out, ", ");
        print_at(out, v.as.items[i], depth);
    }
    buf_char(out, ']');
}

// A key that FEEL could read as a name stands bare.
static bool key_is_name(Str key) {
    if (key.len == 0 || (key.ptr[0] >= '0' && key.ptr[0] <= '9')) return false;
    for (size_t i = 0; i < key.len; i++) {
        unsigned char c = (unsigned char)key.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
        if (!letter && c != '_' && c != ' ' && !(c >= '0' && c <= '9')) return false;
    }
    return true;
}

static void print_context(Buf *out, Value v, int depth) {
    buf_char(out, '{');
    for (uint32_t i = 0; i < v.len && !out->full; i++) {
        const Entry *entry = &v.as.entries[i];
        if (i) buf_lit(out, ", ");
        if (key_is_name(entry->key)) buf_str(out, entry->key);
        else json_write_str(out, entry->key);
        buf_lit(out, ": ");
        print_at(out, entry->value, depth);
    }
    buf_char(out, '}');
}

// depth 0 is the value itself; deeper ones are inside something.
static void print_at(Buf *out, Value v, int depth) {
    if (depth > VALUE_RECURSION_MAX) {
        out->full = true;
        return;
    }
    switch ((ValueKind)v.kind) {
    case V_NULL:
        if (depth > 0) buf_lit(out, "null");
        break;
    case V_BOOL:
        if (v.as.boolean) buf_lit(out, "true");
        else buf_lit(out, "false");
        break;
    case V_NUMBER: decimal_print(out, v.as.number); break;
    case V_STRING:
        if (depth > 0) json_write_str(out, v_text(v));
        else buf_str(out, v_text(v));
        break;
    case V_DATE: print_date(out, v.as.date.year, v.as.date.month, v.as.date.day); break;
    case V_TIME: print_time(out, v.as.time); break;
    case V_DATE_TIME:
        print_date(out, v.as.time->year, v.as.time->month, v.as.time->day);
        buf_char(out, 'T');
        print_time(out, v.as.time);
        break;
    case V_DURATION: print_duration(out, v.as.duration.seconds, v.as.duration.nanoseconds); break;
    case V_MONTHS: print_months(out, v.as.months); break;
    case V_RANGE: print_range(out, v.as.range, depth + 1); break;
    case V_LIST: print_list(out, v, depth + 1); break;
    case V_CONTEXT: print_context(out, v, depth + 1); break;
    case V_FUNCTION: buf_lit(out, "function"); break;
    }
}

void v_print(Buf *out, Value v) { print_at(out, v, 0); }

Str v_to_str(Value v, Arena *a) {
    if (v.kind == V_STRING) return v_text(v);
    Buf out = buf_make(a, 32, SIZE_MAX / 4);
    v_print(&out, v);
    return buf_view(&out);
}

const char *v_kind_name(ValueKind k) {
    static const char *const names[] = {
        [V_NULL] = "null",
        [V_BOOL] = "boolean",
        [V_NUMBER] = "number",
        [V_STRING] = "string",
        [V_DATE] = "date",
        [V_TIME] = "time",
        [V_DATE_TIME] = "date and time",
        [V_DURATION] = "days and time duration",
        [V_MONTHS] = "years and months duration",
        [V_RANGE] = "range",
        [V_LIST] = "list",
        [V_CONTEXT] = "context",
        [V_FUNCTION] = "function",
    };
    return (size_t)k < sizeof names / sizeof *names ? names[k] : "unknown";
}
