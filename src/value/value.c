// Value: building, looking up, comparing and copying. Printing is in value_print.c.
//
// Invariants: keys of a context are unique; a list or context knows its depth (`extra`), which the
// builders keep within VALUE_DEPTH_MAX, so everything that recurses over a Value is bounded.
// Limits: VALUE_ITEMS_MAX, VALUE_DEPTH_MAX, VALUE_STRING_MAX.
#include "value/value.h"

#include "base/crypto.h"

#include <pthread.h>

enum {
    ITEMS_FIRST = 8,
    INDEX_FROM = 24, // entries from which a hash table beats looking at each
    INDEX_FIRST = 128, // slots
    DAY_S = 86400,
};

_Static_assert((INDEX_FIRST & (INDEX_FIRST - 1)) == 0, "a slot is found by masking");

Value v_day(Day d) {
    Civil c = day_to_civil(d);
    return (Value){.kind = V_DATE,
                   .as.date = {c.year, (uint8_t)c.month, (uint8_t)c.day}};
}

Value v_instant(Instant t, Arena *a) {
    Day day = instant_day(t);
    int64_t of_day_ms = t - day_instant(day, 0);
    int32_t second = (int32_t)(of_day_ms / 1000);
    Civil c = day_to_civil(day);
    DateTime *time = arena_new(a, DateTime);
    *time = (DateTime){
        .year = c.year,
        .month = (uint8_t)c.month,
        .day = (uint8_t)c.day,
        .hour = (uint8_t)(second / 3600),
        .minute = (uint8_t)(second / 60 % 60),
        .second = (uint8_t)(second % 60),
        .has_offset = 1,
        .nanosecond = (int32_t)(of_day_ms % 1000) * 1000000,
        .offset_s = CHINA_OFFSET_S,
    };
    return (Value){.kind = V_DATE_TIME, .as.time = time};
}

Value v_range(const Value *low, bool low_closed, const Value *high, bool high_closed, Arena *a) {
    Range *range = arena_new(a, Range);
    if (low) {
        Value *end = arena_new(a, Value);
        *end = *low;
        range->low = end;
    }
    if (high) {
        Value *end = arena_new(a, Value);
        *end = *high;
        range->high = end;
    }
    range->low_closed = low && low_closed;
    range->high_closed = high && high_closed;
    return (Value){.kind = V_RANGE, .as.range = range};
}

int64_t v_to_int(Value v, int64_t otherwise) {
    int64_t n;
    return v.kind == V_NUMBER && decimal_to_int(v.as.number, &n) ? n : otherwise;
}

bool v_to_day(Value v, Day *ret) {
    if (v.kind == V_STRING) return day_parse(v_text(v), ret);
    if (v.kind != V_DATE) return false;
    Civil c = {v.as.date.year, v.as.date.month, v.as.date.day};
    if (!civil_valid(c)) return false;
    *ret = day_from_civil(c);
    return true;
}

// --- looking up

static const Value *find(Value context, Str key) {
    if (context.kind != V_CONTEXT) return NULL;
    for (uint32_t i = 0; i < context.len; i++) {
        const Entry *entry = &context.as.entries[i];
        if (str_eq(entry->key, key)) return &entry->value;
    }
    return NULL;
}

Value v_get(Value context, Str key) {
    const Value *found = find(context, key);
    return found ? *found : v_null();
}

bool v_has(Value context, Str key) { return find(context, key) != NULL; }

Value v_path(Value v, Str path) {
    for (Str rest = path; rest.ptr;) {
        Str part = str_cut(&rest, '.');
        int64_t position;
        if (v.kind != V_LIST) v = v_get(v, part);
        else if (str_to_int(part, &position) && position >= 0) v = v_at(v, (size_t)position);
        else return v_null();
    }
    return v;
}

// --- builders

// Room for one more of `size` bytes each; the new address of the array.
static void *grow(Arena *a, void *items, uint32_t len, uint32_t *cap, size_t size) {
    uint32_t more = *cap ? *cap * 2 : ITEMS_FIRST;
    void *grown = items;
    if (!arena_extend(a, items, *cap * size, more * size)) {
        grown = arena_alloc_raw(a, more * size);
        if (len) memcpy(grown, items, len * size);
    }
    *cap = more;
    return grown;
}

ListBuilder list_make(Arena *a) { return (ListBuilder){.arena = a}; }

void list_add(ListBuilder *b, Value v) {
    uint16_t depth = v_depth(v);
    if (b->len == VALUE_ITEMS_MAX || depth >= VALUE_DEPTH_MAX) b->full = true;
    if (b->full) return;
    if (b->len == b->cap) b->items = grow(b->arena, b->items, b->len, &b->cap, sizeof *b->items);
    if (depth > b->depth) b->depth = depth;
    b->items[b->len++] = v;
}

Value list_done(const ListBuilder *b) {
    if (b->full) return v_null();
    return (Value){.kind = V_LIST, .len = b->len, .extra = (uint16_t)(b->depth + 1),
                   .as.items = b->items};
}

ContextBuilder context_make(Arena *a) { return (ContextBuilder){.arena = a}; }

static uint64_t hash_seed;
static pthread_once_t hash_seed_once = PTHREAD_ONCE_INIT;

static void hash_seed_make(void) { random_bytes(&hash_seed, sizeof hash_seed); }

// Keys come from users, who must not be able to choose them so that all collide: hence a seed
// that no one knows and a multiplication whose high half is folded back in.
static uint64_t key_hash(Str key) {
    const uint64_t odd = 0x9E3779B97F4A7C15u;
    uint64_t hash = hash_seed ^ (key.len * odd);
    for (size_t at = 0; at < key.len; at += 8) {
        uint64_t chunk = 0;
        memcpy(&chunk, key.ptr + at, key.len - at < 8 ? key.len - at : 8);
        unsigned __int128 product = (unsigned __int128)(chunk ^ hash) * (hash_seed | 1);
        hash = (uint64_t)product ^ (uint64_t)(product >> 64) ^ (hash << 7);
    }
    return hash ^ (hash >> 29);
}

static void index_add(ContextBuilder *b, uint32_t position) {
    uint32_t slot = (uint32_t)key_hash(b->entries[position].key) & (b->index_cap - 1);
    while (b->index[slot]) slot = (slot + 1) & (b->index_cap - 1);
    b->index[slot] = position + 1;
}

// The table holds all entries and is at most half full.
static void index_update(ContextBuilder *b) {
    if (b->index_cap < 2 * b->len + 2) {
        (void)pthread_once(&hash_seed_once, hash_seed_make);
        uint32_t cap = INDEX_FIRST;
        while (cap < 4 * b->len) cap *= 2;
        b->index = arena_array(b->arena, uint32_t, cap);
        b->index_cap = cap;
        b->indexed = 0;
    }
    while (b->indexed < b->len) index_add(b, b->indexed++);
}

// Position of the key, or -1.
static int64_t builder_find(ContextBuilder *b, Str key) {
    if (b->len < INDEX_FROM) {
        for (uint32_t i = 0; i < b->len; i++) {
            if (str_eq(b->entries[i].key, key)) return i;
        }
        return -1;
    }
    index_update(b);
    uint32_t slot = (uint32_t)key_hash(key) & (b->index_cap - 1);
    for (; b->index[slot]; slot = (slot + 1) & (b->index_cap - 1)) {
        uint32_t position = b->index[slot] - 1;
        if (str_eq(b->entries[position].key, key)) return position;
    }
    return -1;
}

void context_put_new(ContextBuilder *b, Str key, Value v) {
    uint16_t depth = v_depth(v);
    if (b->len == VALUE_ITEMS_MAX || depth >= VALUE_DEPTH_MAX) b->full = true;
    if (b->full) return;
    if (b->len == b->cap) {
        b->entries = grow(b->arena, b->entries, b->len, &b->cap, sizeof *b->entries);
    }
    if (depth > b->depth) b->depth = depth;
    b->entries[b->len++] = (Entry){key, v};
}

bool context_put_once(ContextBuilder *b, Str key, Value v) {
    if (builder_find(b, key) >= 0) return false;
    context_put_new(b, key, v);
    return true;
}

void context_put(ContextBuilder *b, Str key, Value v) {
    int64_t position = builder_find(b, key);
    if (position < 0) {
        context_put_new(b, key, v);
        return;
    }
    uint16_t depth = v_depth(v);
    if (depth >= VALUE_DEPTH_MAX) b->full = true;
    if (b->full) return;
    if (depth > b->depth) b->depth = depth;
    b->entries[position].value = v;
}

Value context_done(const ContextBuilder *b) {
    if (b->full) return v_null();
    return (Value){.kind = V_CONTEXT, .len = b->len, .extra = (uint16_t)(b->depth + 1),
                   .as.entries = b->entries};
}

static ContextBuilder builder_of(Value context, uint32_t more, Arena *a) {
    ContextBuilder b = context_make(a);
    if (context.kind != V_CONTEXT) return b;
    b.cap = context.len + more;
    b.entries = arena_alloc_raw(a, b.cap * sizeof *b.entries);
    b.len = context.len;
    b.depth = context.extra ? (uint16_t)(context.extra - 1) : 0;
    if (b.len) memcpy(b.entries, context.as.entries, b.len * sizeof *b.entries);
    return b;
}

Value v_merge(Value base, Value over, Arena *a) {
    uint32_t more = over.kind == V_CONTEXT ? over.len : 0;
    ContextBuilder b = builder_of(base, more, a);
    for (uint32_t i = 0; i < more; i++) {
        context_put(&b, over.as.entries[i].key, over.as.entries[i].value);
    }
    return context_done(&b);
}

Value v_with(Value context, Str key, Value v, Arena *a) {
    ContextBuilder b = builder_of(context, 1, a);
    context_put(&b, key, v);
    return context_done(&b);
}

// --- comparing

// Seconds on one scale: of an instant when there is an offset, else of the local calendar.
static int64_t time_seconds(uint8_t kind, const DateTime *t) {
    int64_t day = 0;
    if (kind == V_DATE_TIME) day = civil_to_days((Civil){t->year, t->month, t->day});
    int64_t second = day * DAY_S + t->hour * 3600 + t->minute * 60 + t->second;
    return t->has_offset ? second - t->offset_s : second;
}

static int order64(int64_t a, int64_t b) { return a < b ? -1 : a > b; }

static bool time_order(uint8_t kind, const DateTime *a, const DateTime *b, int *ret) {
    if (!a->has_offset != !b->has_offset) return false;
    *ret = order64(time_seconds(kind, a), time_seconds(kind, b));
    if (*ret == 0) *ret = order64(a->nanosecond, b->nanosecond);
    return true;
}

bool v_compare(Value a, Value b, int *ret_order) {
    if (a.kind != b.kind) return false;
    int order = 0;
    switch ((ValueKind)a.kind) {
    case V_NUMBER: order = decimal_cmp(a.as.number, b.as.number); break;
    case V_STRING: order = order64(str_cmp(v_text(a), v_text(b)), 0); break;
    case V_DATE:
        order = order64(a.as.date.year, b.as.date.year);
        if (order == 0) order = order64(a.as.date.month, b.as.date.month);
        if (order == 0) order = order64(a.as.date.day, b.as.date.day);
        break;
    case V_TIME:
    case V_DATE_TIME:
        if (!time_order(a.kind, a.as.time, b.as.time, &order)) return false;
        break;
    case V_DURATION:
        order = order64(a.as.duration.seconds, b.as.duration.seconds);
        if (order == 0) order = order64(a.as.duration.nanoseconds, b.as.duration.nanoseconds);
        break;
    case V_MONTHS: order = order64(a.as.months, b.as.months); break;
    default: return false;
    }
    *ret_order = order;
    return true;
}

static bool equal_at(Value a, Value b, int depth);

static bool end_equal(const Value *a, const Value *b, int depth) {
    return a && b ? equal_at(*a, *b, depth) : a == b;
}

static bool lists_equal(Value a, Value b, int depth) {
    if (a.len != b.len) return false;
    for (uint32_t i = 0; i < a.len; i++) {
        if (!equal_at(a.as.items[i], b.as.items[i], depth)) return false;
    }
    return true;
}

// Large contexts in different order are looked up through a builder's table, in memory of its own.
static bool contexts_equal_large(Value a, Value b, int depth) {
    size_t size = b.len * (sizeof(Entry) + 8 * sizeof(uint32_t)) + 4096;
    ARENA_AUTO scratch = arena_create(size);
    ContextBuilder all = builder_of(b, 0, scratch);
    for (uint32_t i = 0; i < a.len; i++) {
        int64_t position = builder_find(&all, a.as.entries[i].key);
        if (position < 0) return false;
        if (!equal_at(a.as.entries[i].value, all.entries[position].value, depth)) return false;
    }
    return true;
}

static bool contexts_equal(Value a, Value b, int depth) {
    if (a.len != b.len) return false;
    for (uint32_t i = 0; i < a.len; i++) {
        const Entry *entry = &a.as.entries[i];
        const Value *other = NULL;
        if (str_eq(entry->key, b.as.entries[i].key)) other = &b.as.entries[i].value;
        else if (a.len >= INDEX_FROM) return contexts_equal_large(a, b, depth);
        else other = find(b, entry->key);
        if (!other || !equal_at(entry->value, *other, depth)) return false;
    }
    return true;
}

static bool equal_at(Value a, Value b, int depth) {
    if (a.kind != b.kind || depth > VALUE_RECURSION_MAX) return false;
    switch ((ValueKind)a.kind) {
    case V_NULL: return true;
    case V_BOOL: return a.as.boolean == b.as.boolean;
    case V_STRING: return str_eq(v_text(a), v_text(b));
    case V_RANGE:
        return a.as.range->low_closed == b.as.range->low_closed &&
               a.as.range->high_closed == b.as.range->high_closed &&
               end_equal(a.as.range->low, b.as.range->low, depth + 1) &&
               end_equal(a.as.range->high, b.as.range->high, depth + 1);
    case V_LIST: return lists_equal(a, b, depth + 1);
    case V_CONTEXT: return contexts_equal(a, b, depth + 1);
    case V_FUNCTION: return a.as.function == b.as.function;
    default: {
        int order;
        return v_compare(a, b, &order) && order == 0;
    }
    }
}

bool v_equal(Value a, Value b) { return equal_at(a, b, 0); }

// --- copying

static Value copy_at(Value v, Arena *a, int depth);

static const Value *end_copy(const Value *end, Arena *a, int depth) {
    if (!end) return NULL;
    Value *copy = arena_new(a, Value);
    *copy = copy_at(*end, a, depth);
    return copy;
}

static Value copy_at(Value v, Arena *a, int depth) {
    if (depth > VALUE_RECURSION_MAX) return v_null(); // only a Value that no builder made
    switch ((ValueKind)v.kind) {
    case V_STRING: v.as.text = arena_str(a, v_text(v)).ptr; break;
    case V_TIME:
    case V_DATE_TIME: {
        DateTime *time = arena_new(a, DateTime);
        *time = *v.as.time;
        time->zone = arena_str(a, time->zone);
        v.as.time = time;
        break;
    }
    case V_RANGE: {
        Range *range = arena_new(a, Range);
        *range = *v.as.range;
        range->low = end_copy(range->low, a, depth + 1);
        range->high = end_copy(range->high, a, depth + 1);
        v.as.range = range;
        break;
    }
    case V_LIST: {
        Value *items = arena_alloc_raw(a, v.len * sizeof *items);
        for (uint32_t i = 0; i < v.len; i++) items[i] = copy_at(v.as.items[i], a, depth + 1);
        v.as.items = items;
        break;
    }
    case V_CONTEXT: {
        Entry *entries = arena_alloc_raw(a, v.len * sizeof *entries);
        for (uint32_t i = 0; i < v.len; i++) {
            entries[i].key = arena_str(a, v.as.entries[i].key);
            entries[i].value = copy_at(v.as.entries[i].value, a, depth + 1);
        }
        v.as.entries = entries;
        break;
    }
    default: break; // in the Value itself; a function belongs to the room that made it
    }
    return v;
}

Value v_copy(Value v, Arena *a) { return copy_at(v, a, 0); }
