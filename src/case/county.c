// Loads a county's files through commands. Nothing here writes by itself.
#include "case/county.h"

#include "base/embed.h"
#include "case/case_internal.h"
#include "case/item_internal.h"
#include "case/studio.h"

#define T(text) ("" text)

static void progress(const Loader *l, const char *what, int64_t done, int64_t all) {
    if (l->progress) l->progress(l->ctx, what, done, all);
}

// Runs a command of the system in memory of its own; the result is copied out.
static Status run_command(const Loader *l, const char *name, Value input, Value *ret,
                          Errors *errs) {
    const Command *command = command_find(str_z(name));
    if (!command) return errors_add(errs, BROKEN, str_z(name), "没有指令“{1}”", str_z(name));
    ARENA_AUTO own = arena_create(LOAD_MEMORY_MAX);
    Errors faults = errors_make(own);
    Value result = v_null();
    Status st = command_run(l->store, command, &actor_system, input, 0, own, &result, &faults);
    for (size_t i = 0; i < faults.count; i++) (void)errors_push(errs, &faults.items[i]);
    if (st == OK) *ret = v_copy(result, l->arena);
    return st;
}

Status load_calendar(const Loader *l, Value years, Errors *errs) {
    Value ignored;
    ContextBuilder b = context_make(l->arena);
    context_put_lit(&b, "years", years);
    progress(l, T("工作日历"), 0, 1);
    Status st = run_command(l, "calendar.load", context_done(&b), &ignored, errs);
    if (st != OK) return st;
    DB_AUTO db = NULL;
    Error e = {.status = OK};
    if (store_read(l->store, &db, &e) != OK) return errors_push(errs, &e);
    if (case_calendar_refresh(l->room, db, &e) != OK) return errors_push(errs, &e);
    store_release(db);
    db = NULL;
    st = case_derive_all(l->store, 0, errs);
    if (st != OK) return st;
    progress(l, T("工作日历"), 1, 1);
    return OK;
}

Status load_people(const Loader *l, Value county, Value *ret_report, Errors *errs) {
    progress(l, T("单位、岗位和账号"), 0, 1);
    Status st = run_command(l, "county.load", county, ret_report, errs);
    if (st == OK) progress(l, T("单位、岗位和账号"), 1, 1);
    return st;
}

// ---- packs ----

static Status examples_run(Str name, Value files, Errors *errs) {
    ARENA_AUTO own = arena_create(LOAD_MEMORY_MAX);
    Errors faults = errors_make(own);
    Item item;
    Value report;
    Status st = pack_compile(files, own, &item, &faults);
    if (st == OK) {
        st = pack_examples(&item, files, 0, own, &report, &faults);
    }
    for (size_t i = 0; i < faults.count; i++) {
        error_at(&faults.items[i], name);
        (void)errors_push(errs, &faults.items[i]);
    }
    return st;
}

Status load_packs(const Loader *l, const Str *names, const Value *files, size_t count,
                  bool examples, Value *ret, Errors *errs) {
    ListBuilder packs = list_make(l->arena), places = list_make(l->arena);
    size_t before = errs->count;
    for (size_t i = 0; i < count; i++) {
        progress(l, T("事项包"), (int64_t)i, (int64_t)count);
        list_add(&packs, files[i]);
        list_add(&places, v_str(names[i]));
        if (!examples) continue;
        Status st = examples_run(names[i], files[i], errs);
        (void)st; // collected; asked below
    }
    Status st = pack_faults_since(errs, before);
    if (st != OK) return st;
    ContextBuilder b = context_make(l->arena);
    context_put_lit(&b, "packs", list_done(&packs));
    context_put_lit(&b, "names", list_done(&places));
    Value result;
    st = run_command(l, "item.publish", context_done(&b), &result, errs);
    if (st != OK) return st;
    progress(l, T("事项包"), (int64_t)count, (int64_t)count);
    *ret = v_get_lit(result, "published");
    return OK;
}

// ---- catalogue ----

static void bad_line_add(ListBuilder *bad, const Error *e) {
    Arena *a = bad->arena;
    ListBuilder args = list_make(a);
    for (size_t i = 0; i < ERROR_ARGS; i++) list_add(&args, v_str(arena_str(a, e->args[i])));
    int64_t line = 0;
    Str digits = str_starts(e->where, S("line ")) ? str_sub(e->where, 5, e->where.len) : S("");
    if (!str_to_int(digits, &line)) line = 0;
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "line", v_int(line));
    context_put_lit(&b, "where", v_str(S("")));
    context_put_lit(&b, "text", v_str(str_z(e->text)));
    context_put_lit(&b, "args", list_done(&args));
    list_add(bad, context_done(&b));
}

typedef struct Totals {
    int64_t loaded, unchanged, units_made;
    ListBuilder bad;
    Str region;
} Totals;

// The setting, which may be newer than the room: `init` writes it with the room open.
static Status region_read(const Loader *l, Str *ret, Errors *errs) {
    Error e = {.status = OK};
    DB_AUTO db = NULL;
    Str region = l->room->region;
    if (store_read(l->store, &db, &e) != OK) return errors_push(errs, &e);
    Query *q = query(db, "SELECT value FROM setting WHERE name = 'region'");
    if (query_next(q)) region = query_col_keep(q, 0, l->arena);
    if (query_done(q, &e) != OK) return errors_push(errs, &e);
    *ret = region;
    return OK;
}

static Status import_chunk(const Loader *l, Value lines, uint32_t from, Totals *t, Errors *errs) {
    ListBuilder chunk = list_make(l->arena);
    for (uint32_t i = from; i < lines.len && i < from + LOAD_CHUNK; i++) {
        list_add(&chunk, v_at(lines, i));
    }
    ContextBuilder b = context_make(l->arena);
    context_put_lit(&b, "lines", list_done(&chunk));
    context_put_lit(&b, "region", v_str(t->region));
    Value result;
    Status st = run_command(l, "item.import", context_done(&b), &result, errs);
    if (st != OK) return st;
    t->loaded += v_to_int(v_get_lit(result, "loaded"), 0);
    t->unchanged += v_to_int(v_get_lit(result, "unchanged"), 0);
    t->units_made += v_to_int(v_get_lit(result, "units_made"), 0);
    Value bad = v_get_lit(result, "bad");
    for (uint32_t i = 0; i < bad.len; i++) list_add(&t->bad, v_at(bad, i));
    return OK;
}

Status load_catalogue(const Loader *l, Str text, bool json, Value *ret, Errors *errs) {
    Errors faults = errors_make(l->arena);
    Value lines;
    Totals t = {.bad = list_make(l->arena)};
    Status st = catalogue_read(text, json, l->arena, &lines, &faults);
    if (st != OK) {
        for (size_t i = 0; i < faults.count; i++) (void)errors_push(errs, &faults.items[i]);
        return st;
    }
    for (size_t i = 0; i < faults.count; i++) bad_line_add(&t.bad, &faults.items[i]);
    st = region_read(l, &t.region, errs);
    if (st != OK) return st;
    for (uint32_t i = 0; i < lines.len; i += LOAD_CHUNK) {
        progress(l, T("事项目录"), i, lines.len);
        st = import_chunk(l, lines, i, &t, errs);
        if (st != OK) return st;
    }
    progress(l, T("事项目录"), lines.len, lines.len);
    ContextBuilder b = context_make(l->arena);
    context_put_lit(&b, "loaded", v_int(t.loaded));
    context_put_lit(&b, "unchanged", v_int(t.unchanged));
    context_put_lit(&b, "units_made", v_int(t.units_made));
    context_put_lit(&b, "bad", list_done(&t.bad));
    *ret = context_done(&b);
    return OK;
}

// ---- what stands in the binary ----

static Status embedded_json(Str path, Arena *a, Value *ret, Errors *errs) {
    const EmbeddedFile *f = embed_find(path);
    Error e = {.status = OK};
    if (!f) return errors_add(errs, NOT_FOUND, path, "程序里没有文件“{1}”", path);
    if (json_parse(f->data, JSON_STRICT, (JsonLimits){0}, a, ret, &e) == OK) return OK;
    error_at(&e, path);
    return errors_push(errs, &e);
}

static Status embedded_calendar(const Loader *l, int64_t *ret_years, Errors *errs) {
    ListBuilder years = list_make(l->arena);
    for (size_t i = 0; i < embed_count(); i++) {
        Str path = embed_at(i)->path;
        if (!str_starts(path, S("county/calendar/")) || !str_ends(path, S(".json"))) continue;
        Value year;
        Status st = embedded_json(path, l->arena, &year, errs);
        if (st != OK) return st;
        list_add(&years, year);
    }
    *ret_years = years.len;
    return years.len ? load_calendar(l, list_done(&years), errs) : OK;
}

size_t county_packs(Arena *a, Str **ret_folders) {
    Str *folders = arena_array(a, Str, embed_count());
    size_t count = 0;
    for (size_t i = 0; i < embed_count(); i++) {
        Str path = embed_at(i)->path;
        Str folder = str_sub(path, 0, path.len - (path.len < 10 ? 0 : strlen("/item.json")));
        if (!str_starts(path, S("packs/")) || !str_ends(path, S("/item.json"))) continue;
        if (str_eq(folder, S("packs/generic"))) continue;
        folders[count++] = folder;
    }
    *ret_folders = folders;
    return count;
}

static Status embedded_packs(const Loader *l, Value *ret, Errors *errs) {
    Str *folders;
    size_t count = county_packs(l->arena, &folders);
    Value *files = arena_array(l->arena, Value, count);
    for (size_t i = 0; i < count; i++) {
        Error e = {.status = OK};
        if (pack_read_embedded(folders[i], l->arena, &files[i], &e) != OK) {
            return errors_push(errs, &e);
        }
    }
    return load_packs(l, folders, files, count, false, ret, errs);
}

Status county_load(Store *s, CaseRoom *r, bool demo, Arena *a, Value *ret_report, Errors *errs) {
    Loader l = {.store = s, .room = r, .arena = a};
    int64_t years = 0;
    Status st = embedded_calendar(&l, &years, errs);
    if (st != OK) return st;
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "years", v_int(years));
    if (demo) {
        Value county, people, packs, catalogue;
        st = embedded_json(S("county/people.json"), a, &county, errs);
        if (st == OK) st = load_people(&l, county, &people, errs);
        if (st == OK) st = embedded_packs(&l, &packs, errs);
        if (st != OK) return st;
        context_put_lit(&b, "people", people);
        context_put_lit(&b, "packs", packs);
        const EmbeddedFile *list = embed_find(S("county/catalogue.csv"));
        if (list) {
            st = load_catalogue(&l, list->data, false, &catalogue, errs);
            if (st != OK) return st;
            context_put_lit(&b, "catalogue", catalogue);
        }
    }
    *ret_report = context_done(&b);
    return OK;
}

// ---- their commands ----

// input: {"years": [year files]}
static Status cmd_calendar_load(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Arena *a = tx_arena(tx);
    Value years = v_get_lit(input, "years");
    if (years.kind != V_LIST || years.len == 0) {
        return errors_add(errs, INVALID, S("years"), "请给出日历文件");
    }
    ListBuilder loaded = list_make(a);
    for (uint32_t i = 0; i < years.len; i++) {
        Value year = v_get_lit(v_at(years, i), "year");
        size_t before = errs->count;
        Status st = calendar_load(tx, v_at(years, i), errs);
        for (size_t k = before; k < errs->count; k++) error_at(&errs->items[k], v_to_str(year, a));
        if (st != OK) return st;
        list_add(&loaded, year);
    }
    Query *q = query(tx_db(tx), "INSERT INTO counter (name, value) VALUES ('calendar', 1) ON"
                                " CONFLICT (name) DO UPDATE SET value = counter.value + 1");
    TRY_E(errs, query_run(q, NULL, &e)); // other processes see that there are new days
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "years", list_done(&loaded));
    *ret = context_done(&b);
    return item_event(tx, actor, S("calendar.loaded"), *ret, errs);
}

// input: county/people.json
static Status cmd_county_load(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Status st = people_load(tx, input, ret, errs);
    if (st != OK) return st;
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_lit(&b, "county", v_get_lit(input, "county"));
    context_put_lit(&b, "units", v_int(v_get_lit(input, "units").len));
    context_put_lit(&b, "posts", v_int(v_get_lit(input, "posts").len));
    context_put_lit(&b, "accounts", v_int(v_get_lit(input, "accounts").len));
    return item_event(tx, actor, S("county.loaded"), context_done(&b), errs);
}

void item_register(void) {
    static const Command table[] = {
        {S_INIT("calendar.load"), ROLE_SYSADMIN | ROLE_SYSTEM, cmd_calendar_load},
        {S_INIT("county.load"), ROLE_SYSTEM, cmd_county_load},
        {S_INIT("item.import"), ROLE_SYSADMIN | ROLE_SYSTEM, cmd_item_import},
        {S_INIT("item.publish"), ROLE_SYSTEM, cmd_item_publish},
        {S_INIT("item.withdraw"), ROLE_SYSADMIN | ROLE_SYSTEM, cmd_item_withdraw},
    };
    commands_register(table, sizeof table / sizeof *table);
    studio_register();
}
