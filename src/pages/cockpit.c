// The cockpit (数据驾驶舱, X1): the hall's screen. Everything on it comes from the copy the
// background keeps (figures/cockpit.h), so ten thousand screens cost no more than one. A chart's
// title says what it shows to be so, every bar and tile is a link to its records, and behind each
// chart is its table.
#include "base/embed.h"
#include "pages/workplace.h"

enum { UNITS_SHOWN = 10, ITEMS_SHOWN = 6, LEVELS = 5, TILE_LINES_MAX = 12 };

typedef struct Wall {
    Request *rq;
    const Figures *figures;
    FigureScope scope;
    Value model; // of cockpit_model
    ContextBuilder out;
} Wall;

static Value member(const Wall *w, const char *list) { return v_get(w->model, str_z(list)); }

static Str words(const Wall *w, const char *text, Value a, Value b) {
    ListBuilder args = list_make(w->rq->arena);
    list_add(&args, a);
    list_add(&args, b);
    return page_fill(request_tr(w->rq, text), list_done(&args), w->rq->arena);
}

static Value grouped(const Wall *w, int64_t n) {
    Arena *a = w->rq->arena;
    Buf out = buf_make(a, 32, 64);
    Str digits = arena_printf(a, "%lld", (long long)n);
    for (size_t i = 0; i < digits.len; i++) {
        if (i && (digits.len - i) % 3 == 0 && digits.ptr[i - 1] != '-') buf_char(&out, ',');
        buf_char(&out, digits.ptr[i]);
    }
    return v_str(buf_view(&out));
}

static Str scoped_href(const Wall *w, Str path, Str name, Str value) {
    ContextBuilder q = context_make(w->rq->arena);
    context_put_lit(&q, "from", v_str(day_format(w->scope.from, w->rq->arena)));
    context_put_lit(&q, "to", v_str(day_format(w->scope.to, w->rq->arena)));
    context_put_lit(&q, "unit", v_str(w->scope.unit));
    context_put_lit(&q, "town", v_str(w->scope.town));
    return page_href(w->rq->arena, path, work_with(w->rq, context_done(&q), name, value));
}

// part of all, as a percentage with one digit.
static Value percent_of(const Wall *w, int64_t part, int64_t all) {
    Decimal d;
    if (all <= 0 || !decimal_div(decimal_from_int(part * 100), decimal_from_int(all), &d)) {
        return v_str(S("0"));
    }
    return v_str(v_to_str(v_number(decimal_round(d, 1, ROUND_HALF_UP)), w->rq->arena));
}

// ---- the large figures -----------------------------------------------------------------------

static Value large_figure(const Wall *w, Str code) {
    const Request *rq = w->rq;
    Value about = figure_about(w->figures, code, rq->arena),
          value = v_get(member(w, "figures"), code);
    bool en = str_eq(rq->lang, S("en")), money = v_true(v_get_lit(about, "money"));
    Str unit_en = v_text(v_get_lit(about, "unit_en"));
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "code", v_str(code));
    context_put_lit(&b, "figure_name", page_named(rq, about, S("name"), S("name_en")));
    context_put_lit(&b, "text", v_str(figure_print(w->figures, code, value, rq->lang, rq->arena)));
    context_put_lit(&b, "unit_label",
                    money               ? v_lit("")
                    : en && unit_en.len ? v_str(unit_en)
                                        : v_get_lit(about, "unit"));
    Str path = arena_printf(rq->arena, "/figures/%.*s", S_FMT(code));
    context_put_lit(&b, "href", v_str(scoped_href(w, path, S(""), S(""))));
    return context_done(&b);
}

static void put_large(Wall *w) {
    static const Str codes[] = {
        S_INIT("cases_accepted"),       S_INIT("cases_completed"), S_INIT("online_rate_percent"),
        S_INIT("satisfaction_percent"), S_INIT("on_time_percent"), S_INIT("hard_to_employ_subsidy"),
    };
    ListBuilder list = list_make(w->rq->arena);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        list_add(&list, large_figure(w, codes[i]));
    }
    context_put_lit(&w->out, "large_figures", list_done(&list));
}

// ---- series ----------------------------------------------------------------------------------

static int64_t largest(Value rows) {
    int64_t max = 0;
    for (uint32_t i = 0; rows.kind == V_LIST && i < rows.len; i++) {
        int64_t n = v_to_int(v_get_lit(v_at(rows, i), "value"), 0);
        if (n > max) max = n;
    }
    return max;
}

static Value bar(const Wall *w, Value row, int64_t max, Str href) {
    int64_t n = v_to_int(v_get_lit(row, "value"), 0);
    ContextBuilder b = context_make(w->rq->arena);
    context_put_lit(&b, "key", v_get_lit(row, "key"));
    context_put_lit(&b, "label", page_named(w->rq, row, S("name"), S("name_en")));
    context_put_lit(&b, "value", v_int(n));
    context_put_lit(&b, "text", grouped(w, n));
    context_put_lit(&b, "width", percent_of(w, n, max));
    context_put_lit(&b, "href", v_str(href));
    return context_done(&b);
}

static void put_units(Wall *w) {
    Value rows = member(w, "units");
    int64_t max = largest(rows),
            all = v_to_int(v_get_lit(member(w, "figures"), "cases_accepted"), 0);
    ListBuilder list = list_make(w->rq->arena);
    for (uint32_t i = 0; rows.kind == V_LIST && i < rows.len; i++) {
        Value row = v_at(rows, i);
        Str href =
            scoped_href(w, S("/figures/cases_accepted"), S("unit"), v_text(v_get_lit(row, "key")));
        list_add(&list,
                 v_with(bar(w, row, max, href), S("shown"), v_bool(i < UNITS_SHOWN), w->rq->arena));
    }
    context_put_lit(&w->out, "unit_bars", list_done(&list));
    Value top = v_at(rows, 0);
    Str title = words(w, T("各部门还没有受理办件"), v_null(), v_null());
    if (!v_is_null(top)) {
        title =
            words(w, T("{1}受理最多，占全县 {2}%"), page_named(w->rq, top, S("name"), S("name_en")),
                  percent_of(w, v_to_int(v_get_lit(top, "value"), 0), all));
    }
    context_put_lit(&w->out, "units_title", v_str(title));
}

static void put_items(Wall *w) {
    Value rows = member(w, "items");
    int64_t max = largest(rows);
    ListBuilder list = list_make(w->rq->arena);
    for (uint32_t i = 0; rows.kind == V_LIST && i < rows.len; i++) {
        Value row = v_at(rows, i);
        Str href = scoped_href(w, S("/cases"), S("item"), v_text(v_get_lit(row, "key")));
        list_add(&list,
                 v_with(bar(w, row, max, href), S("shown"), v_bool(i < ITEMS_SHOWN), w->rq->arena));
    }
    context_put_lit(&w->out, "item_bars", list_done(&list));
    Value top = v_at(rows, 0);
    context_put_lit(&w->out, "items_title",
                    v_str(v_is_null(top)
                              ? words(w, T("还没有办过的事项"), v_null(), v_null())
                              : words(w, T("办得最多：{1}"),
                                      page_named(w->rq, top, S("name"), S("name_en")), v_null())));
}

// Both lines over the days on which something was accepted: a county's office is closed on the
// others.
static void put_trend(Wall *w) {
    Arena *a = w->rq->arena;
    Value days = member(w, "days"), completed = member(w, "days_completed");
    ContextBuilder done = context_make(a);
    for (uint32_t i = 0; completed.kind == V_LIST && i < completed.len; i++) {
        Value row = v_at(completed, i);
        context_put(&done, v_to_str(v_get_lit(row, "key"), a), v_get_lit(row, "value"));
    }
    Value by_day = context_done(&done);
    ListBuilder list = list_make(a);
    Value peak = v_null();
    for (uint32_t i = 0; days.kind == V_LIST && i < days.len; i++) {
        Value row = v_at(days, i);
        Str day = v_to_str(v_get_lit(row, "key"), a);
        int64_t n = v_to_int(v_get_lit(row, "value"), 0);
        ContextBuilder b = context_make(a);
        context_put_lit(&b, "day", v_str(day));
        context_put_lit(&b, "accepted", v_int(n));
        context_put_lit(&b, "completed", v_int(v_to_int(v_get(by_day, day), 0)));
        list_add(&list, context_done(&b));
        if (v_is_null(peak) || n > v_to_int(v_get_lit(peak, "value"), 0)) peak = row;
    }
    context_put_lit(&w->out, "trend", list_done(&list));
    Str title = words(w, T("这段时间没有受理办件"), v_null(), v_null());
    if (!v_is_null(peak)) {
        title =
            words(w, T("受理最多的一天是 {1}，{2} 件"), v_str(v_to_str(v_get_lit(peak, "key"), a)),
                  grouped(w, v_to_int(v_get_lit(peak, "value"), 0)));
    }
    context_put_lit(&w->out, "trend_title", v_str(title));
}

// ---- the map ---------------------------------------------------------------------------------

static Value find_key(Value rows, Str key) {
    for (uint32_t i = 0; rows.kind == V_LIST && i < rows.len; i++) {
        if (str_eq(v_text(v_get_lit(v_at(rows, i), "key")), key)) return v_at(rows, i);
    }
    return v_null();
}

static Value tile(const Wall *w, Value place, Value unit, int64_t n, int64_t max) {
    Arena *a = w->rq->arena;
    Str code = v_text(v_get_lit(place, "town"));
    int64_t row = v_to_int(v_get_lit(place, "row"), 1),
            column = v_to_int(v_get_lit(place, "column"), 1);
    int64_t level = n == 0 || max == 0 ? 0 : 1 + n * (LEVELS - 1) / max;
    if (row < 1 || row > TILE_LINES_MAX || column < 1 || column > TILE_LINES_MAX) row = column = 1;
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "place",
                    v_str(arena_printf(a, "r%d c%d level%d", (int)row, (int)column, (int)level)));
    context_put_lit(&b, "row", v_int(row));
    context_put_lit(&b, "column", v_int(column));
    context_put_lit(&b, "label", page_named(w->rq, unit, S("name"), S("name_en")));
    context_put_lit(&b, "value", v_int(n));
    context_put_lit(&b, "text", grouped(w, n));
    context_put_lit(&b, "href",
                    v_str(scoped_href(w, S("/figures/cases_accepted"), S("town"), code)));
    return context_done(&b);
}

// Every town of the county's tiles (county/tiles.json), with or without cases.
static Status put_towns(Wall *w, Error *err) {
    Arena *a = w->rq->arena;
    Value rows = member(w, "towns"), file = v_null(), units;
    const EmbeddedFile *embedded = embed_find(S("county/tiles.json"));
    Status st = unit_list(w->rq->db, a, &units, err);
    if (st == OK && embedded) {
        st = json_parse(embedded->data, JSON_STRICT, (JsonLimits){0}, a, &file, err);
    }
    if (st != OK) return st;
    Value places = v_get_lit(file, "tiles");
    int64_t max = largest(rows);
    ListBuilder list = list_make(a);
    for (uint32_t i = 0; places.kind == V_LIST && i < places.len; i++) {
        Value place = v_at(places, i);
        Str code = v_text(v_get_lit(place, "town"));
        int64_t n = v_to_int(v_get_lit(find_key(rows, code), "value"), 0);
        for (uint32_t k = 0; k < units.len; k++) {
            Value unit = v_at(units, k);
            if (!str_eq(v_text(v_get_lit(unit, "code")), code)) continue;
            list_add(&list, tile(w, place, unit, n, max));
        }
    }
    context_put_lit(&w->out, "town_tiles", list_done(&list));
    Value top = v_at(rows, 0);
    Str title = v_is_null(top) ? words(w, T("镇乡（街道）还没有受理办件"), v_null(), v_null())
                               : words(w, T("镇乡（街道）中{1}受理最多：{2} 件"),
                                       page_named(w->rq, top, S("name"), S("name_en")),
                                       grouped(w, v_to_int(v_get_lit(top, "value"), 0)));
    context_put_lit(&w->out, "towns_title", v_str(title));
    return OK;
}

// ---- two-part bars and lights ----------------------------------------------------------------

static Value part(const Wall *w, const char *label, Str code, int64_t n, int64_t all) {
    ContextBuilder b = context_make(w->rq->arena);
    Str path = arena_printf(w->rq->arena, "/figures/%.*s", S_FMT(code));
    context_put_lit(&b, "label", v_str(request_tr(w->rq, label)));
    context_put_lit(&b, "value", v_int(n));
    context_put_lit(&b, "text", grouped(w, n));
    context_put_lit(&b, "width", percent_of(w, n, all));
    context_put_lit(&b, "href", v_str(scoped_href(w, path, S(""), S(""))));
    return context_done(&b);
}

static int64_t figure_int(const Wall *w, const char *code) {
    return v_to_int(v_get(member(w, "figures"), str_z(code)), 0);
}

static void put_parts(Wall *w) {
    Arena *a = w->rq->arena;
    int64_t all = figure_int(w, "handlings"), online = figure_int(w, "online_handlings");
    int64_t ratings = figure_int(w, "ratings"), bad = figure_int(w, "ratings_bad");
    ListBuilder channels = list_make(a), grades = list_make(a);
    list_add(&channels, part(w, T("网上办理件次"), S("online_handlings"), online, all));
    list_add(&channels, part(w, T("全部办理件次"), S("handlings"), all, all));
    list_add(&grades, part(w, T("基本满意及以上"), S("ratings_satisfied"),
                           figure_int(w, "ratings_satisfied"), ratings));
    list_add(&grades, part(w, T("差评"), S("ratings_bad"), bad, ratings));
    context_put_lit(&w->out, "channel_bars", list_done(&channels));
    context_put_lit(&w->out, "grade_bars", list_done(&grades));
    context_put_lit(
        &w->out, "channels_title",
        v_str(words(w, T("每 100 件次中 {1} 件次在网上办"), percent_of(w, online, all), v_null())));
    context_put_lit(
        &w->out, "grades_title",
        v_str(ratings == 0 ? words(w, T("还没有评价"), v_null(), v_null())
              : bad ? words(w, T("{1} 次评价中有 {2} 次差评"), grouped(w, ratings), grouped(w, bad))
                    : words(w, T("{1} 次评价，没有差评"), grouped(w, ratings), v_null())));
}

static void put_lights(Wall *w) {
    static const struct {
        const char *code, *label;
    } lights[] = {{"red", T("已超期")}, {"yellow", T("快到期")}, {"green", T("在期限内")}};
    Arena *a = w->rq->arena;
    ListBuilder list = list_make(a);
    for (size_t i = 0; i < 3; i++) {
        int64_t n = v_to_int(v_get(member(w, "lights"), str_z(lights[i].code)), 0);
        ContextBuilder q = context_make(a), b = context_make(a);
        context_put_lit(&q, "light", v_str(str_z(lights[i].code)));
        context_put_lit(&q, "unit", v_str(w->scope.unit));
        context_put_lit(&b, "code", v_str(str_z(lights[i].code)));
        context_put_lit(&b, "label", v_str(request_tr(w->rq, lights[i].label)));
        context_put_lit(&b, "value", v_int(n));
        context_put_lit(&b, "text", grouped(w, n));
        context_put_lit(&b, "href", v_str(page_href(a, S("/cases"), context_done(&q))));
        list_add(&list, context_done(&b));
    }
    int64_t red = v_to_int(v_get_lit(member(w, "lights"), "red"), 0);
    context_put_lit(&w->out, "light_counts", list_done(&list));
    context_put_lit(&w->out, "lights_title",
                    v_str(red ? words(w, T("在办的办件中有 {1} 件超期"), grouped(w, red), v_null())
                              : words(w, T("在办的办件没有一件超期"), v_null(), v_null())));
}

// ---- the page --------------------------------------------------------------------------------

static Status wall_scope(Request *rq, FigureScope *ret, Errors *errs) {
    bool given = false;
    Day from, to;
    PAGE_TRY(errs, work_default_days(rq, &from, &to, &e));
    Status st = work_period(rq, from, to, ret, &given, errs);
    if (st == OK && !given) ret->from = ret->to = 0; // the year of the newest case, moving with it
    return st;
}

static Status cockpit(Request *rq, Reply *reply, Errors *errs) {
    Cockpit *c;
    Wall w = {.rq = rq, .out = context_make(rq->arena)};
    Status st = wall_scope(rq, &w.scope, errs);
    if (st != OK) return st;
    PAGE_TRY(errs, pages_cockpit(rq->app, &c, &e));
    PAGE_TRY(errs, pages_figures(rq->app, &w.figures, &e));
    PAGE_TRY(errs, cockpit_model(c, &w.scope, rq->now, rq->arena, &w.model, &e));
    bool moving = w.scope.from == 0;
    if (!v_to_day(v_get_lit(w.model, "from"), &w.scope.from) ||
        !v_to_day(v_get_lit(w.model, "to"), &w.scope.to)) {
        return errors_add(errs, BROKEN, S("cockpit"), "驾驶舱没有数据");
    }
    put_large(&w);
    put_units(&w);
    put_items(&w);
    put_trend(&w);
    PAGE_TRY(errs, put_towns(&w, &e));
    put_parts(&w);
    put_lights(&w);
    context_put_lit(&w.out, "moving", v_bool(moving));
    context_put_lit(&w.out, "presets", work_presets(rq, S("/cockpit"), &w.scope, w.scope.to));
    context_put_lit(&w.out, "all_href", v_str(scoped_href(&w, S("/figures"), S(""), S(""))));
    context_put_lit(&w.out, "summary_href", v_str(scoped_href(&w, S("/summary"), S(""), S(""))));
    reply->template_name = S("work/cockpit");
    reply->model = v_merge(w.model, context_done(&w.out), rq->arena);
    return OK;
}

const Route cockpit_routes[] = {
    {METHOD_GET, "/cockpit", ROLES_OFFICIAL, cockpit, NULL, false},
};
const size_t cockpit_routes_count = sizeof cockpit_routes / sizeof *cockpit_routes;
