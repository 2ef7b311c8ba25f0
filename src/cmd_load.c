// yizhan load: packs, catalogues, calendar years and county files, each through its command.
//
// What a word names is told by what it is: a folder with item.json is a pack; a .csv, or a .json
// that holds a list, is a catalogue; a .json with `year` a calendar year; one with `units` a
// county. Everything is read before anything is written: people and calendar first, then the packs,
// all or none, then the catalogues.
#include "house.h"

#include "base/file.h"
#include "case/county.h"

#include <stdio.h>
#include <unistd.h>

enum { LOAD_WORDS_MAX = 200, LOAD_FILE_MAX = 32 << 20, BAD_SHOWN = 50 };

typedef struct Load {
    Loader loader;
    Str names[LOAD_WORDS_MAX]; // packs
    Value packs[LOAD_WORDS_MAX];
    size_t packs_count;
    ListBuilder years;
    Str catalogues[LOAD_WORDS_MAX];
    Str catalogue_texts[LOAD_WORDS_MAX];
    bool catalogue_json[LOAD_WORDS_MAX];
    size_t catalogues_count;
    Str county_name; // the file's
    Value county;    // null: none
    Errors errs;
} Load;

// On a terminal the line is written over and over; otherwise only the end of each is said.
static void show_progress(void *ctx, const char *what, int64_t done, int64_t all) {
    (void)ctx;
    bool terminal = isatty(STDERR_FILENO) == 1;
    if (!terminal && done < all) return;
    (void)fprintf(stderr, "%s%.*s %ld/%ld%s", terminal ? "\r" : "", S_FMT(cli_text(what)),
                  (long)done, (long)all, done < all ? "" : "\n");
}

static Status add_json(Load *l, Str word, Str text) {
    Arena *a = l->loader.arena;
    Value v;
    Error e = {.status = OK};
    if (json_parse(text, JSON_STRICT, (JsonLimits){.size_max = LOAD_FILE_MAX}, a, &v, &e) != OK) {
        error_at(&e, word);
        return errors_push(&l->errs, &e);
    }
    if (v.kind == V_LIST) {
        l->catalogues[l->catalogues_count] = word;
        l->catalogue_texts[l->catalogues_count] = text;
        l->catalogue_json[l->catalogues_count++] = true;
    } else if (v_has(v, S("year"))) {
        list_add(&l->years, v);
    } else if (v_has(v, S("units"))) {
        if (!v_is_null(l->county)) {
            return errors_add(&l->errs, INVALID, word, "一次只能载入一个县的单位文件");
        }
        l->county = v;
        l->county_name = word;
    } else {
        return errors_add(&l->errs, INVALID, word, "既不是事项目录，也不是日历年份或单位文件");
    }
    return OK;
}

static Status add_word(Load *l, Str word) {
    Arena *a = l->loader.arena;
    Error e = {.status = OK};
    bool csv = str_ends(word, S(".csv")), json = str_ends(word, S(".json"));
    if (csv || json) {
        Str text;
        if (file_read(word, LOAD_FILE_MAX, a, &text, &e) != OK) return errors_push(&l->errs, &e);
        if (json) return add_json(l, word, text);
        l->catalogues[l->catalogues_count] = word;
        l->catalogue_texts[l->catalogues_count++] = text;
        return OK;
    }
    Value files;
    if (pack_read(word, a, &files, &e) != OK) return errors_push(&l->errs, &e);
    l->names[l->packs_count] = word;
    l->packs[l->packs_count++] = files;
    return OK;
}

static void say_published(const Load *l, Value published) {
    for (uint32_t i = 0; published.kind == V_LIST && i < published.len; i++) {
        Value one = v_at(published, i);
        Str version = v_to_str(v_get_lit(one, "version"), l->loader.arena);
        if (v_true(v_get_lit(one, "unchanged"))) {
            cli_say(T("{1}（{2}）没有变化，仍是第 {3} 版"), v_text(v_get_lit(one, "name")),
                    v_text(v_get_lit(one, "code")), version);
        } else {
            cli_say(T("{1}（{2}）已发布第 {3} 版"), v_text(v_get_lit(one, "name")),
                    v_text(v_get_lit(one, "code")), version);
        }
    }
}

// The bad lines by number on standard error; the load itself went well.
static void say_catalogue(const Load *l, Str name, Value report) {
    Arena *a = l->loader.arena;
    Value bad = v_get_lit(report, "bad");
    for (uint32_t i = 0; bad.kind == V_LIST && i < bad.len && i < BAD_SHOWN; i++) {
        Value one = v_at(bad, i), args = v_get_lit(one, "args");
        Error e = {.status = INVALID,
                   .where = arena_printf(a, "%.*s:%ld", S_FMT(name),
                                         (long)v_to_int(v_get_lit(one, "line"), 0)),
                   .text = arena_cstr(a, v_text(v_get_lit(one, "text")))};
        for (uint32_t k = 0; k < ERROR_ARGS; k++) e.args[k] = v_text(v_at(args, k));
        (void)cli_error(&e);
    }
    if (bad.len > BAD_SHOWN) {
        cli_complain(T("还有 {1} 行有错"), arena_printf(a, "%u", bad.len - BAD_SHOWN));
    }
    cli_say(T("{1}：载入 {2} 个事项，{3} 个没有变化"), name,
            v_to_str(v_get_lit(report, "loaded"), a), v_to_str(v_get_lit(report, "unchanged"), a));
}

static Status run_all(Load *l) {
    Status st = OK;
    Value report = v_null();
    if (l->years.len > 0) st = load_calendar(&l->loader, list_done(&l->years), &l->errs);
    if (st == OK && !v_is_null(l->county)) {
        size_t before = l->errs.count;
        st = load_people(&l->loader, l->county, &report, &l->errs);
        for (size_t i = before; i < l->errs.count; i++) {
            error_at(&l->errs.items[i], l->county_name);
        }
    }
    if (st == OK && l->packs_count > 0) {
        st = load_packs(&l->loader, l->names, l->packs, l->packs_count, true, &report, &l->errs);
        if (st == OK) say_published(l, report);
    }
    for (size_t i = 0; st == OK && i < l->catalogues_count; i++) {
        st = load_catalogue(&l->loader, l->catalogue_texts[i], l->catalogue_json[i], &report,
                            &l->errs);
        if (st == OK) say_catalogue(l, l->catalogues[i], report);
    }
    return st;
}

int cmd_load(int argc, char **argv) {
    Str data = S(""), db = S(""), words[LOAD_WORDS_MAX];
    const Option options[] = {OPTION_DATA(&data), OPTION_DB(&db)};
    CommandLine line = {
        .usage =
            "yizhan load [--data DIR] [--db URL] PACK… | CATALOGUE.csv | YEAR.json | PEOPLE.json",
        .about = T("校验并载入：事项包目录、事项目录（CSV 或 "
                   "JSON）、日历年份、单位和账号文件。有一处错误就什么也不载入；目录里的坏行按行号"
                   "报告，其余照常载入。"),
        .options = options,
        .options_count = sizeof options / sizeof options[0],
        .words = words,
        .words_max = LOAD_WORDS_MAX};
    const int code = options_parse(&line, argc, argv);
    if (code != OPTIONS_GO) return code;
    if (line.words_count == 0) {
        cli_complain(T("请写明要载入的文件或目录"));
        return EXIT_USAGE;
    }
    ARENA_AUTO a = arena_create(LOAD_MEMORY_MAX);
    Load *l = arena_new(a, Load);
    l->loader = (Loader){.arena = a, .progress = show_progress};
    l->errs = errors_make(a);
    l->years = list_make(a);
    l->county = v_null();
    Status st = OK;
    for (size_t i = 0; i < line.words_count; i++) {
        Status one = add_word(l, words[i]);
        if (st == OK) st = one;
    }
    if (st != OK) return cli_errors(&l->errs);
    House house = {0};
    Error e = {0};
    if (house_open(&(HouseOptions){.data = data, .db = db}, &house, &e) != OK) return cli_error(&e);
    l->loader.store = house.store;
    l->loader.room = house.cases;
    st = run_all(l);
    house_close(&house);
    return st == OK ? EXIT_DONE : cli_errors(&l->errs);
}
