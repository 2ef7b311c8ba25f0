// The people of a simulation: made from their index alone, so nothing is stored for them. Numbers
// carry right check characters (GB 11643, GB 32100); birth dates and serials are chosen so that no
// two people share a number.
#include "sim.h"

enum { BIRTH_DAYS = 18000, OLDER_DAYS = 1400 };

static uint64_t mix(uint64_t index) {
    uint64_t state = index * 0x2545f4914f6cdd1du + 0x9e3779b97f4a7c15u;
    return sim_random(&state);
}

static Str code_point_at(Str s, uint64_t n) {
    size_t at = 0, count = str_utf8_len(s);
    for (uint64_t i = n % (count ? count : 1); i > 0; i--) (void)str_utf8_next(s, &at);
    size_t from = at;
    (void)str_utf8_next(s, &at);
    return str_sub(s, from, at);
}

static Str person_name(const Scenario *s, uint32_t index, bool male, Arena *a) {
    uint64_t r = mix(index);
    Str given = v_text(v_get(s->raw, male ? S("given_male") : S("given_female")));
    Str parts[] = {code_point_at(v_text(v_get_lit(s->raw, "surnames")), r % 997),
                   code_point_at(given, (r >> 16) % 991), code_point_at(given, (r >> 32) % 983)};
    return arena_concat(a, parts, (r >> 48) % 5 ? 3 : 2);
}

// The 18th character by GB 11643-1999.
static char citizen_check(const char *digits) {
    static const int weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0;
    for (int i = 0; i < 17; i++) sum += (digits[i] - '0') * weights[i];
    return "10X98765432"[sum % 11];
}

static Str citizen_number(Day birth, int serial, Arena *a) {
    Civil c = day_to_civil(birth);
    Str body = arena_printf(a, "330225%04d%02d%02d%03d", c.year, c.month, c.day, serial);
    return arena_printf(a, "%.*s%c", S_FMT(body), citizen_check(body.ptr));
}

// The 18th character by GB 32100-2015.
static Str credit_code(uint32_t index, Arena *a) {
    static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    static const int weights[] = {1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28};
    char code[18];
    memcpy(code, "91330225MA", 10);
    for (int i = 16; i >= 10; i--) {
        code[i] = alphabet[index % 31];
        index /= 31;
    }
    int sum = 0;
    for (int i = 0; i < 17; i++) {
        sum += (int)(strchr(alphabet, code[i]) - alphabet) * weights[i];
    }
    code[17] = alphabet[(31 - sum % 31) % 31];
    return arena_str(a, str_of(code, 18));
}

static Value party_value(Str kind, Str name, Str number, Str phone, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("kind"), v_str(kind));
    context_put_new(&b, S("name"), v_str(name));
    context_put_new(&b, S("id_number"), v_str(number));
    context_put_new(&b, S("phone"), v_str(phone));
    if (str_eq(kind, S("legal"))) context_put_new(&b, S("contact"), v_str(name));
    return context_done(&b);
}

Value sim_party(const Scenario *s, uint32_t index, bool bundle, Arena *a) {
    Str phone = arena_printf(a, "139%08u", (unsigned)(mix(index + 7u) % 100000000u));
    if (!bundle && index >= s->people) {
        Str trades[] = {S("贸易"), S("建材"), S("水产"), S("餐饮"),
                        S("科技"), S("机械"), S("物流")};
        uint64_t r = mix(index);
        Str given = v_text(v_get_lit(s->raw, "given_male"));
        Str parts[] = {S("象山"), code_point_at(given, r % 997),
                       code_point_at(given, (r >> 16) % 991), trades[(r >> 32) % 7], S("有限公司")};
        return party_value(S("legal"), arena_concat(a, parts, 5), credit_code(index, a), phone, a);
    }
    bool male = mix(index) % 2;
    Day birth;
    int serial;
    if (bundle) { // women of 45 to 48 and men of 55 to 58 on the scenario's first day
        Civil first = day_to_civil(s->from);
        first.year -= male ? 59 : 49;
        birth = day_from_civil(first) + (Day)(index % OLDER_DAYS);
        serial = 801 + (int)(index / OLDER_DAYS) * 2;
    } else {
        birth = day_from_civil((Civil){1948, 1, 1}) + (Day)((uint64_t)index * 7919 % BIRTH_DAYS);
        serial = 301 + (int)(index / BIRTH_DAYS) * 2; // the demo county's people have lower ones
    }
    if (!male) serial++;
    uint32_t name = bundle ? index + 50000000u : index;
    return party_value(S("natural"), person_name(s, name, male, a),
                       citizen_number(birth, serial, a), phone, a);
}

// ---- answers ----

static Str month_day(Day today, bool last, Arena *a) { // of the month before
    Civil c = day_to_civil(today);
    c.day = 1;
    Day first = day_from_civil(c);
    if (last) return day_format(first - 1, a);
    Civil before = day_to_civil(first - 1);
    before.day = 1;
    return day_format(day_from_civil(before), a);
}

static Str fill_text(Str text, const SimCase *c, const Scenario *s, Value party, Day today,
                     Arena *a) {
    if (str_eq(text, S("@name"))) return v_text(v_get_lit(party, "name"));
    if (str_eq(text, S("@id"))) return v_text(v_get_lit(party, "id_number"));
    if (str_eq(text, S("@phone"))) return v_text(v_get_lit(party, "phone"));
    if (str_eq(text, S("@today"))) return day_format(today, a);
    if (str_eq(text, S("@month-first"))) return month_day(today, false, a);
    if (str_eq(text, S("@month-last"))) return month_day(today, true, a);
    if (str_eq(text, S("@town"))) return s->towns[c->town ? c->town - 1 : 0];
    if (str_eq(text, S("@paid"))) {
        return arena_printf(a, "%d.%02d", c->paid_fen / 100, c->paid_fen % 100);
    }
    if (str_starts(text, S("@town"))) return S("示例村");
    return text;
}

Value sim_fill(Value sample, const SimCase *c, const Scenario *s, Value party, Day today,
               Arena *a) {
    if (sample.kind == V_STRING) {
        Str t = v_text(sample);
        return t.len && t.ptr[0] == '@' ? v_str(fill_text(t, c, s, party, today, a)) : sample;
    }
    if (sample.kind == V_LIST) {
        ListBuilder b = list_make(a);
        for (size_t i = 0; i < sample.len; i++) {
            list_add(&b, sim_fill(v_at(sample, i), c, s, party, today, a));
        }
        return list_done(&b);
    }
    if (sample.kind != V_CONTEXT) return sample;
    ContextBuilder b = context_make(a);
    for (size_t i = 0; i < sample.len; i++) {
        const Entry *e = &sample.as.entries[i];
        context_put_new(&b, e->key, sim_fill(e->value, c, s, party, today, a));
    }
    return context_done(&b);
}
