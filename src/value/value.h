// Value: the one value everything is made of: JSON, SQL rows, form answers, flow variables,
// decision inputs, page models and letters. The types are FEEL's (OMG DMN 1.5, 10.3.2). A Value
// is 24 bytes passed by value; what it points to lives in an arena and is never changed after it
// was built, so Values may be shared freely within that lifetime.
#pragma once

#include "base/clock.h"
#include "value/decimal.h"

#include <assert.h>

typedef enum ValueKind {
    V_NULL,
    V_BOOL,
    V_NUMBER,
    V_STRING,
    V_DATE,        // year, month, day
    V_TIME,        // time of day with optional offset or zone
    V_DATE_TIME,
    V_DURATION,    // days and time: milliseconds are not enough, so seconds + nanoseconds
    V_MONTHS,      // years and months duration: months
    V_RANGE,
    V_LIST,
    V_CONTEXT,
    V_FUNCTION,
} ValueKind;

typedef struct Value Value;
typedef struct Entry Entry;

typedef struct DateTime {
    int32_t year;
    uint8_t month, day, hour, minute, second;
    uint8_t has_offset; // 0 local, 1 offset_s is given, 2 `zone` is given (offset_s resolved)
    int32_t nanosecond;
    int32_t offset_s;
    Str zone; // IANA name, empty unless has_offset == 2
} DateTime;

typedef struct Range {
    const Value *low, *high; // NULL: unbounded
    bool low_closed, high_closed;
} Range;

struct Value {
    uint8_t kind;  // ValueKind
    uint8_t flags; // private to the room that made a function
    uint16_t extra; // private; of a list or context its depth, which the builders set
    uint32_t len;  // bytes of a string, items of a list, entries of a context
    union {
        bool boolean;
        Decimal number;
        const char *text;
        struct { int32_t year; uint8_t month, day; } date;
        const DateTime *time;  // V_TIME and V_DATE_TIME
        struct { int64_t seconds; int32_t nanoseconds; } duration; // same sign
        int64_t months;
        const Range *range;
        const Value *items;
        const Entry *entries; // in the order they were put; keys are unique
        const void *function; // feel/ knows
    } as;
};

struct Entry {
    Str key;
    Value value;
};

static_assert(sizeof(Value) == 24, "passed by value everywhere");

enum {
    VALUE_DEPTH_MAX = 200,        // nesting of lists and contexts
    VALUE_RECURSION_MAX = VALUE_DEPTH_MAX + 4, // ranges are not counted as depth, and shallow
    VALUE_STRING_MAX = 16 << 20,  // bytes
    VALUE_ITEMS_MAX = 1 << 20,    // items of one list or context
};

// Written so that C++ takes them too.
static inline Value v_bool(bool b) {
    Value v = {V_BOOL, 0, 0, 0, {b}};
    return v;
}
static inline Value v_null(void) {
    Value v = {V_NULL, 0, 0, 0, {false}};
    return v;
}
static inline Value v_number(Decimal d) {
    Value v = {V_NUMBER, 0, 0, 0, {false}};
    v.as.number = d;
    return v;
}
static inline Value v_int(int64_t n) { return v_number(decimal_from_int(n)); }
static inline Value v_str(Str s) {
    Value v = {V_STRING, 0, 0, (uint32_t)s.len, {false}};
    v.as.text = s.ptr;
    return v;
}
#define v_lit(literal) v_str(S(literal))
Value v_day(Day d);
Value v_instant(Instant t, Arena *a); // a date and time at +08:00
Value v_range(const Value *low, bool low_closed, const Value *high, bool high_closed, Arena *a);

static inline bool v_is_null(Value v) { return v.kind == V_NULL; }
static inline Str v_text(Value v) { // the empty string unless it is a string
    return v.kind == V_STRING ? (Str){v.as.text, v.len} : (Str){"", 0};
}
static inline bool v_true(Value v) { return v.kind == V_BOOL && v.as.boolean; }
// An integral number within int64, else `otherwise`.
int64_t v_to_int(Value v, int64_t otherwise);
// A V_DATE, or a string that is a date.
MUST_USE bool v_to_day(Value v, Day *ret);

// A member of a context; null when absent or not a context.
Value v_get(Value context, Str key);
#define v_get_lit(context, literal) v_get((context), S(literal))
bool v_has(Value context, Str key);
// "applicant.name", "materials.0.name": members and list positions (from 0).
Value v_path(Value v, Str path);
static inline Value v_at(Value list, size_t i) {
    return list.kind == V_LIST && i < list.len ? list.as.items[i] : v_null();
}

// Builders. The result is complete at *_done; the builder may then be thrown away. What would
// pass VALUE_ITEMS_MAX or VALUE_DEPTH_MAX is not added and sets `full`; a full builder's result
// is null, so nothing is ever quietly cut short. Ask `full` where null would not be noticed.
typedef struct ListBuilder {
    Arena *arena;
    Value *items;
    uint32_t len, cap;
    uint16_t depth; // of the deepest item
    bool full;
} ListBuilder;
ListBuilder list_make(Arena *a);
void list_add(ListBuilder *b, Value v);
Value list_done(const ListBuilder *b);

typedef struct ContextBuilder {
    Arena *arena;
    Entry *entries;
    uint32_t len, cap;
    uint16_t depth;
    bool full;
    uint32_t *index; // hash table of positions + 1; made when there are many entries
    uint32_t index_cap, indexed;
} ContextBuilder;
ContextBuilder context_make(Arena *a);
// Replaces an earlier value of the same key, in its place. The key is not copied.
void context_put(ContextBuilder *b, Str key, Value v);
// The same, but false, and nothing changed, when the key is there.
MUST_USE bool context_put_once(ContextBuilder *b, Str key, Value v);
// The caller knows that the key is new (literal keys, columns of a row).
void context_put_new(ContextBuilder *b, Str key, Value v);
#define context_put_lit(b, literal, v) context_put((b), S(literal), (v))
Value context_done(const ContextBuilder *b);
// 0 for what isn't a list or context, 1 for a flat one. VALUE_DEPTH_MAX at most.
static inline uint16_t v_depth(Value v) {
    return v.kind == V_LIST || v.kind == V_CONTEXT ? v.extra : 0;
}
// A new context with the entries of both; `over` wins.
Value v_merge(Value base, Value over, Arena *a);
// A context of one entry more.
Value v_with(Value context, Str key, Value v, Arena *a);

// FEEL equality; values of different kinds are not equal, contexts regardless of order. Times
// that both have an offset are compared as instants; one with and one without are not equal.
bool v_equal(Value a, Value b);
// -1, 0, 1 for two of the same ordered kind; false when they have no order.
MUST_USE bool v_compare(Value a, Value b, int *ret_order);
// A deep copy that depends on nothing outside `a`.
Value v_copy(Value v, Arena *a);
// FEEL string(): what a template prints. Numbers plain ("1234.50"), dates ISO, null "". Inside
// lists and contexts strings are quoted and null is "null".
void v_print(Buf *out, Value v);
Str v_to_str(Value v, Arena *a);
const char *v_kind_name(ValueKind k); // "number", "days and time duration", …
