// The plan of a simulation: who applies for what, when, and how it goes on.
#include "sim.h"

#include "base/embed.h"

#include <stdio.h>
#include <stdlib.h>

enum { INSTANT_ONLY_HOUR = 14, LAST_DAYS = 5, OVERDUE_BEFORE_DAYS = 33 };

uint64_t sim_random(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int64_t scenario_number(const Scenario *s, const char *group, const char *name) {
    Value v = group ? v_get(s->raw, str_z(group)) : s->raw;
    return v_to_int(v_get(v, str_z(name)), 0);
}

static SimSample read_sample(Value v) {
    return (SimSample){.item = v_text(v_get_lit(v, "item")),
                       .situation = v_get_lit(v, "situation"),
                       .answers = v_get_lit(v, "answers"),
                       .materials = v_get_lit(v, "materials"),
                       .tasks = v_get_lit(v, "tasks"),
                       .tolerates = v_text(v_get_lit(v, "tolerates")),
                       .people = v_true(v_get_lit(v, "people")),
                       .companies = v_true(v_get_lit(v, "companies")),
                       .share_permille = v_to_int(v_get_lit(v, "share_permille"), 0)};
}

Status scenario_read(Str name, Arena *a, Scenario *ret, Error *err) {
    Str path = arena_printf(a, "county/scenarios/%.*s.json", S_FMT(name));
    const EmbeddedFile *file = embed_find(path);
    if (!file) return error_set(err, NOT_FOUND, name, "没有名为“{1}”的情景", name);
    Scenario s = {.name = name};
    Status st = json_parse(file->data, JSON_STRICT, (JsonLimits){0}, a, &s.raw, err);
    if (st != OK) {
        error_at(err, path);
        return st;
    }
    if (!v_to_day(v_get_lit(s.raw, "from"), &s.from) || !v_to_day(v_get_lit(s.raw, "to"), &s.to)) {
        return error_set(err, INVALID, path, "情景缺少起止日期");
    }
    s.seed = (uint64_t)scenario_number(&s, NULL, "seed");
    s.people = scenario_number(&s, NULL, "people");
    s.companies = scenario_number(&s, NULL, "companies");
    s.generic = read_sample(v_get_lit(s.raw, "generic"));
    s.bundle = read_sample(v_get_lit(s.raw, "bundle"));
    Value packs = v_get_lit(s.raw, "packs"), towns = v_get_lit(s.raw, "towns");
    if (packs.len > SIM_PACKS_MAX || towns.len > SIM_TOWNS_MAX || s.people < 1 || s.companies < 1) {
        return error_set(err, LIMIT, path, "情景的规模超出限制");
    }
    for (; s.packs_count < packs.len; s.packs_count++) {
        s.packs[s.packs_count] = read_sample(v_at(packs, s.packs_count));
    }
    for (; s.towns_count < towns.len; s.towns_count++) {
        size_t i = s.towns_count;
        s.towns[i] = v_text(v_at(towns, i));
        s.town_weights[i] = v_to_int(v_at(v_get_lit(s.raw, "town_weights"), i), 1);
    }
    *ret = s;
    return OK;
}

// ---- items ----

static const SimSample *sample_of(const Scenario *s, Str code) {
    if (str_eq(code, s->bundle.item)) return &s->bundle;
    for (size_t i = 0; i < s->packs_count; i++) {
        if (str_eq(code, s->packs[i].item)) return &s->packs[i];
    }
    return NULL;
}

// Items of the catalogue share what the packs leave; a few are asked for a hundred times as often
// as most (weights 1/rank). Promised ones come first so that the end of the period can draw from
// the instant ones alone.
static Status read_items(const Scenario *s, Db *db, SimPlan *p, Arena *a, Error *err) {
    Query *q = query(db, "SELECT i.code, i.unit_id, i.case_kind, v.pack_json LIKE '%generic%'"
                         " FROM item i JOIN item_version v ON v.id = i.version_id WHERE i.state = 1"
                         " AND i.audience > 0 ORDER BY CASE WHEN i.case_kind = 1 THEN 1 ELSE 0 END,"
                         " i.code");
    p->items = arena_array(a, SimItem, SIM_ITEMS_MAX);
    uint64_t to = 0;
    int64_t instant_weight = scenario_number(s, NULL, "instant_weight");
    int64_t promised_weight = scenario_number(s, NULL, "promised_weight");
    while (query_next(q) && p->items_count < SIM_ITEMS_MAX) {
        SimItem *it = &p->items[p->items_count];
        *it = (SimItem){.code = query_col_keep(q, 0, a), .unit_id = query_col_int(q, 1)};
        it->instant = query_col_int(q, 2) == 1;
        it->sample = sample_of(s, it->code);
        if (!it->sample) {
            it->sample = &s->generic;
            uint64_t rank = 1 + str_hash(it->code) % 97;
            to += (uint64_t)(it->instant ? instant_weight : promised_weight) * 1000 / rank;
        }
        if (!it->instant) {
            p->instant_first = p->items_count + 1;
            p->promised_weight = to;
        }
        it->weight_to = to;
        p->items_count++;
    }
    p->all_weight = to;
    Status st = query_done(q, err);
    if (st == OK && (p->items_count == 0 || to == 0)) {
        return error_set(err, INVALID, S("item"), "没有可以重演的事项，请先载入事项目录");
    }
    return st;
}

static uint16_t draw_item(const SimPlan *p, uint64_t *rng, bool instant_only) {
    uint64_t low = instant_only ? p->promised_weight : 0;
    uint64_t at = low + sim_below(rng, p->all_weight - low);
    size_t lo = 0, hi = p->items_count - 1;
    while (lo < hi) { // the first whose weight_to is beyond `at`
        size_t mid = (lo + hi) / 2;
        if (p->items[mid].weight_to > at) hi = mid;
        else lo = mid + 1;
    }
    return (uint16_t)lo;
}

static bool item_index(const SimPlan *p, Str code, uint16_t *ret) {
    for (size_t i = 0; i < p->items_count; i++) {
        if (str_eq(p->items[i].code, code)) {
            *ret = (uint16_t)i;
            return true;
        }
    }
    return false;
}

// ---- arrivals ----

static uint64_t day_weight(const Scenario *s, const Calendar *cal, Day d) {
    Value weekdays = v_get_lit(s->raw, "weekday_weights"),
          months = v_get_lit(s->raw, "month_weights");
    int weekday = day_weekday(d);
    bool work = calendar_is_workday(cal, d);
    int64_t w = v_to_int(v_at(weekdays, (size_t)weekday), 1);
    if (work && weekday > 4) w = v_to_int(v_at(weekdays, 0), 1); // a make-up working day
    if (!work && weekday <= 4) w = scenario_number(s, NULL, "holiday_weight");
    char month[3];
    int n = snprintf(month, sizeof month, "%d", day_to_civil(d).month);
    int64_t m = v_to_int(v_get(months, str_of(month, (size_t)n)), 100);
    return (uint64_t)(w * m);
}

static int32_t draw_second(const Scenario *s, uint64_t *rng) {
    Value hours = v_get_lit(s->raw, "hour_weights");
    int64_t sum = 0;
    for (size_t h = 0; h < hours.len; h++) sum += v_to_int(v_at(hours, h), 0);
    int64_t at = (int64_t)sim_below(rng, (uint64_t)sum);
    int32_t hour = 0;
    while (at >= v_to_int(v_at(hours, (size_t)hour), 0))
        at -= v_to_int(v_at(hours, (size_t)hour++), 0);
    return hour * 3600 + (int32_t)sim_below(rng, 3600);
}

static int by_time(const void *a, const void *b) {
    Instant x = ((const SimCase *)a)->submit_at, y = ((const SimCase *)b)->submit_at;
    return (x > y) - (x < y);
}

// Spreads all arrivals over the days by weight; the last day takes the rounding.
static void draw_arrivals(const Scenario *s, const Calendar *cal, SimPlan *p, uint64_t *rng) {
    uint64_t all = 0, seen = 0;
    for (Day d = s->from; d <= s->to; d++) all += day_weight(s, cal, d);
    size_t n = 0;
    for (Day d = s->from; d <= s->to; d++) {
        seen += day_weight(s, cal, d);
        size_t until = (size_t)((__uint128_t)p->cases_count * seen / all);
        for (; n < until; n++) {
            int32_t second = draw_second(s, rng);
            if (d == s->to && second > 20 * 3600) second = 9 * 3600 + second % 36000;
            p->cases[n].submit_at = day_instant(d, second) + (Instant)sim_below(rng, 1000);
        }
    }
    qsort(p->cases, p->cases_count, sizeof *p->cases, by_time);
}

// ---- kinds, by exact quota ----

typedef struct Quota {
    int64_t left; // still to be given
    int64_t of;   // candidates still to come
} Quota;

static bool quota_draw(Quota *q, uint64_t *rng) {
    if (q->of <= 0) return false;
    bool yes = (int64_t)sim_below(rng, (uint64_t)q->of) < q->left;
    q->of--;
    q->left -= yes;
    return yes;
}

static bool decided_kind(const SimCase *c) {
    return c->kind == SIM_NORMAL || c->kind == SIM_CORRECTION || c->kind == SIM_TOLERATED;
}

static void draw_party(const Scenario *s, SimCase *c, const SimSample *sample, uint64_t *rng) {
    bool company = sample->companies ||
                   (!sample->people &&
                    (int64_t)sim_below(rng, 100) < scenario_number(s, NULL, "company_percent"));
    uint64_t n = company ? (uint64_t)s->people + sim_below(rng, (uint64_t)s->companies)
                         : sim_below(rng, (uint64_t)s->people);
    c->party = (uint32_t)n;
}

static void draw_town(const Scenario *s, SimCase *c, uint64_t *rng) {
    if ((int64_t)sim_below(rng, 100) >= scenario_number(s, NULL, "town_percent") && !c->bundle)
        return;
    int64_t sum = 0;
    for (size_t i = 0; i < s->towns_count; i++) sum += s->town_weights[i];
    int64_t at = (int64_t)sim_below(rng, (uint64_t)sum);
    size_t i = 0;
    while (at >= s->town_weights[i]) at -= s->town_weights[i++];
    c->town = (uint8_t)(i + 1);
}

// Items first: quotas of kinds draw from cases that can be of the kind.
static Status draw_items(const Scenario *s, SimPlan *p, uint64_t *rng, Error *err) {
    Day quiet = s->to - LAST_DAYS;
    uint16_t bundle = 0;
    if (!item_index(p, s->bundle.item, &bundle)) {
        return error_set(err, INVALID, s->bundle.item, "没有情景所需的事项“{1}”", s->bundle.item);
    }
    uint16_t pack_items[SIM_PACKS_MAX];
    for (size_t i = 0; i < s->packs_count; i++) {
        if (!item_index(p, s->packs[i].item, &pack_items[i])) {
            return error_set(err, INVALID, s->packs[i].item, "没有情景所需的事项“{1}”",
                             s->packs[i].item);
        }
    }
    Quota bundles = {.left = scenario_number(s, "targets", "bundle_people")};
    for (size_t i = 0; i < p->cases_count; i++) {
        bundles.of += instant_day(p->cases[i].submit_at) < quiet - 20;
    }
    uint32_t person = 0;
    for (size_t i = 0; i < p->cases_count; i++) {
        SimCase *c = &p->cases[i];
        Day d = instant_day(c->submit_at);
        if (d < quiet - 20 && quota_draw(&bundles, rng)) {
            c->item = bundle;
            c->bundle = true;
            c->party = person++;
        } else {
            uint64_t at = sim_below(rng, 1000), from = 0;
            bool late = d > quiet;
            c->item = draw_item(p, rng, late);
            for (size_t k = 0; k < s->packs_count; k++) {
                from += (uint64_t)s->packs[k].share_permille;
                bool fits = at < from && at + (uint64_t)s->packs[k].share_permille >= from;
                if (fits && (p->items[pack_items[k]].instant || d < quiet - 15))
                    c->item = pack_items[k];
            }
            draw_party(s, c, p->items[c->item].sample, rng);
        }
        draw_town(s, c, rng);
    }
    return OK;
}

typedef struct KindQuota {
    SimKind kind;
    const char *name;
    bool (*fits)(const SimPlan *p, const SimCase *c);
} KindQuota;

static bool fits_promised(const SimPlan *p, const SimCase *c) {
    return !p->items[c->item].instant && p->items[c->item].sample == &p->scenario->generic;
}
static bool fits_expiry(const SimPlan *p, const SimCase *c) { // ten working days must fit in
    return fits_promised(p, c) && instant_day(c->submit_at) < p->scenario->to - 20;
}
static bool fits_tolerance(const SimPlan *p, const SimCase *c) {
    return p->items[c->item].sample->tolerates.len > 0;
}
static bool fits_open(const SimPlan *p, const SimCase *c) {
    return fits_promised(p, c) && instant_day(c->submit_at) > p->scenario->to - LAST_DAYS - 4;
}

// Each kind is drawn by quota among the normal cases it fits.
static Status draw_kinds(const Scenario *s, SimPlan *p, uint64_t *rng, Error *err) {
    static const KindQuota kinds[] = {
        {SIM_OPEN, "open_at_end", fits_open},
        {SIM_BROKEN, "promise_broken", fits_tolerance},
        {SIM_TOLERATED, "tolerated", fits_tolerance},
        {SIM_EXPIRED, "correction_expired", fits_expiry},
        {SIM_REFUSED, "refused", fits_promised},
        {SIM_WITHDRAWN_BEFORE, "withdrawn_before", fits_promised},
        {SIM_WITHDRAWN_AFTER, "withdrawn_after", fits_promised},
        {SIM_CORRECTION, "correction", fits_expiry},
    };
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        Quota q = {.left = scenario_number(s, "kinds", kinds[k].name)};
        for (size_t i = 0; i < p->cases_count; i++) {
            q.of += p->cases[i].kind == SIM_NORMAL && kinds[k].fits(p, &p->cases[i]);
        }
        if (q.of < q.left) {
            return error_set(err, INVALID, str_z(kinds[k].name), "情景要求的“{1}”多于可能的办件",
                             str_z(kinds[k].name));
        }
        for (size_t i = 0; i < p->cases_count; i++) {
            SimCase *c = &p->cases[i];
            if (c->kind == SIM_NORMAL && kinds[k].fits(p, c) && quota_draw(&q, rng)) {
                c->kind = (uint8_t)kinds[k].kind;
            }
        }
    }
    return OK;
}

// A window is open on working days.
static bool fits_window(const SimCase *c, const Calendar *cal) {
    Day d = instant_day(c->submit_at);
    Instant open = day_instant(d, 9 * 3600), closed = day_instant(d, 16 * 3600);
    return c->kind == SIM_NORMAL && c->submit_at >= open && c->submit_at < closed &&
           calendar_is_workday(cal, d);
}

static void draw_window(const Scenario *s, const Calendar *cal, SimPlan *p, uint64_t *rng) {
    Quota q = {.left = scenario_number(s, "kinds", "window")};
    Quota overdue = {.left = scenario_number(s, "kinds", "overdue")};
    for (size_t i = 0; i < p->cases_count; i++) q.of += fits_window(&p->cases[i], cal);
    Day before = s->to - OVERDUE_BEFORE_DAYS;
    for (size_t i = 0; i < p->cases_count; i++) {
        SimCase *c = &p->cases[i];
        overdue.of +=
            c->kind == SIM_NORMAL && fits_promised(p, c) && instant_day(c->submit_at) < before;
    }
    for (size_t i = 0; i < p->cases_count; i++) {
        SimCase *c = &p->cases[i];
        if (c->kind != SIM_NORMAL) continue;
        if (fits_window(c, cal)) c->window = quota_draw(&q, rng);
        if (fits_promised(p, c) && instant_day(c->submit_at) < before) {
            c->overdue = quota_draw(&overdue, rng);
        }
    }
}

// What is left of the handlings after applying, completing and withdrawing is collecting and
// rating.
static Status draw_acts(const Scenario *s, SimPlan *p, uint64_t *rng, Error *err) {
    int64_t acts = 0, window = 0, decided_online = 0, decided_window = 0;
    for (size_t i = 0; i < p->cases_count; i++) {
        const SimCase *c = &p->cases[i];
        acts += 1 + (c->kind == SIM_CORRECTION) + (c->kind == SIM_TOLERATED) +
                (c->kind == SIM_WITHDRAWN_BEFORE) + (c->kind == SIM_WITHDRAWN_AFTER);
        window += c->window;
        decided_online += decided_kind(c) && !c->window;
        decided_window += decided_kind(c) && c->window;
    }
    int64_t window_delivered = scenario_number(s, "kinds", "window_delivered");
    int64_t window_rated = scenario_number(s, "kinds", "window_rated");
    int64_t ratings = scenario_number(s, "targets", "ratings");
    int64_t delivered = scenario_number(s, "targets", "handlings") - acts - ratings;
    int64_t online =
        scenario_number(s, "targets", "handlings") - window - window_delivered - window_rated;
    if (online != scenario_number(s, "targets", "online_handlings")) {
        return error_set(err, INVALID, S("targets"), "情景的网上件次与窗口件次不能相加得到总件次");
    }
    Quota d[2] = {{delivered - window_delivered, decided_online},
                  {window_delivered, decided_window}};
    Quota r[2] = {{ratings - window_rated, decided_online}, {window_rated, decided_window}};
    for (int k = 0; k < 2; k++) {
        if (d[k].left < 0 || d[k].left > d[k].of || r[k].left > r[k].of) {
            return error_set(err, INVALID, S("targets"), "情景的件次目标与办件数量不相容");
        }
    }
    Quota bad = {scenario_number(s, "targets", "ratings_bad"), ratings};
    for (size_t i = 0; i < p->cases_count; i++) {
        SimCase *c = &p->cases[i];
        if (!decided_kind(c)) continue;
        c->delivers = quota_draw(&d[c->window], rng);
        if (!quota_draw(&r[c->window], rng)) continue;
        uint64_t mood = sim_below(rng, 1000);
        c->grade = mood < 940 ? 5 : mood < 995 ? 4 : 3;
        if (quota_draw(&bad, rng)) c->grade = sim_below(rng, 3) ? 2 : 1;
    }
    return OK;
}

// Each pays 3k fen and gets 2k (two thirds); the ks add up to half the scenario's total. What one
// gets more than the mean the next gets less.
static void draw_subsidies(const Scenario *s, SimPlan *p, uint64_t *rng) {
    int64_t people = scenario_number(s, "targets", "bundle_people");
    int64_t half = scenario_number(s, "targets", "bundle_subsidy_fen") / 2;
    int64_t mean = half / people, rest = half % people, swing = 0, j = 0;
    for (size_t i = 0; i < p->cases_count; i++) {
        SimCase *c = &p->cases[i];
        if (!c->bundle) continue;
        if (j % 2 == 0) swing = j + 1 < people ? (int64_t)sim_below(rng, (uint64_t)(mean / 12)) : 0;
        int64_t k = mean + (j < rest) + (j % 2 == 0 ? swing : -swing);
        c->paid_fen = (int32_t)(3 * k);
        j++;
    }
}

Status sim_plan(const Scenario *s, Db *db, const Calendar *cal, Arena *a, SimPlan *ret,
                Error *err) {
    SimPlan p = {.scenario = s};
    uint64_t rng = s->seed;
    int64_t n = scenario_number(s, "targets", "accepted") + scenario_number(s, "kinds", "refused") +
                scenario_number(s, "kinds", "withdrawn_before") +
                scenario_number(s, "kinds", "correction_expired");
    int64_t undecided = scenario_number(s, "kinds", "withdrawn_after") +
                        scenario_number(s, "kinds", "promise_broken") +
                        scenario_number(s, "kinds", "open_at_end");
    if (n < 1 || n > SIM_CASES_MAX ||
        scenario_number(s, "targets", "accepted") - undecided !=
            scenario_number(s, "targets", "completed")) {
        return error_set(err, INVALID, S("targets"), "情景的受理数与办结数不相容");
    }
    p.cases_count = (size_t)n;
    p.cases = arena_array(a, SimCase, p.cases_count);
    Status st = read_items(s, db, &p, a, err);
    if (st != OK) return st;
    draw_arrivals(s, cal, &p, &rng);
    st = draw_items(s, &p, &rng, err);
    if (st == OK) st = draw_kinds(s, &p, &rng, err);
    if (st != OK) return st;
    draw_window(s, cal, &p, &rng);
    st = draw_acts(s, &p, &rng, err);
    if (st != OK) return st;
    draw_subsidies(s, &p, &rng);
    *ret = p;
    return OK;
}
