// room: case
// The project's calendar against one that nobody here wrote: FOLDER holds workdays-2022-2026.csv, a
// line "2022-01-04,1" for each day. Prints each day that differs and ends in
// "N passed, N failed, N skipped".
//   calendar_suite FOLDER [--verbose]
#include "base/embed.h"
#include "base/file.h"
#include "case/calendar.h"

#include <stdio.h>
#include <unistd.h>

enum { SUITE_MEMORY_MAX = 64 << 20, FILE_MAX = 1 << 20 };

static bool verbose; // --verbose: what passed is named too

static Status load_all(Tx *tx, void *arg, Errors *errs) {
    (void)arg;
    for (size_t i = 0; i < embed_count(); i++) {
        const EmbeddedFile *f = embed_at(i);
        Value year;
        Error e;
        if (!str_starts(f->path, S("county/calendar/"))) continue;
        if (json_parse(f->data, JSON_STRICT, (JsonLimits){0}, tx_arena(tx), &year, &e) != OK) {
            return errors_push(errs, &e);
        }
        Status st = calendar_load(tx, year, errs);
        if (st != OK) return st;
    }
    return OK;
}

static int complain(const Error *e, Arena *a) {
    Str text = error_message(e, NULL, NULL, a);
    (void)fprintf(stderr, "%.*s: %.*s\n", S_FMT(e->where), S_FMT(text));
    return 2;
}

static int compare(const Calendar *c, Str csv) {
    int passed = 0, failed = 0;
    (void)str_cut(&csv, '\n'); // the header
    while (csv.ptr) {
        Str line = str_trim(str_cut(&csv, '\n'));
        Str date = str_cut(&line, ',');
        Day day;
        if (date.len == 0) continue;
        if (!day_parse(date, &day)) {
            (void)printf("not ok %.*s - no date\n", S_FMT(date));
            failed++;
        } else if (calendar_is_workday(c, day) != str_eq(line, S("1"))) {
            (void)printf("not ok %.*s - should be %.*s\n", S_FMT(date), S_FMT(line));
            failed++;
        } else {
            if (verbose) (void)printf("ok %.*s\n", S_FMT(date));
            passed++;
        }
    }
    (void)printf("%d passed, %d failed, 0 skipped\n", passed, failed);
    return failed > 0 || passed == 0;
}

int main(int argc, char **argv) {
    verbose = argc == 3 && strcmp(argv[2], "--verbose") == 0;
    if (argc != 2 + verbose) return 2;
    ARENA_AUTO a = arena_create(SUITE_MEMORY_MAX);
    char folder[] = "/tmp/yizhan-calendar-XXXXXX";
    if (!mkdtemp(folder)) return 2;
    Error e = {.status = OK};
    Errors errs = errors_make(a);
    Store *store = NULL;
    StoreOptions options = {.data_dir = str_z(folder), .create = true};
    Str csv;
    Str path = path_join(a, str_z(argv[1]), S("workdays-2022-2026.csv"));
    if (file_read(path, FILE_MAX, a, &csv, &e) != OK) return complain(&e, a);
    if (store_open(&options, &store, &e) != OK) return complain(&e, a);
    if (store_write(store, load_all, NULL, a, 0, &errs) != OK) return complain(&errs.items[0], a);
    Db *db = NULL;
    const Calendar *calendar = NULL;
    if (store_read(store, &db, &e) != OK) return complain(&e, a);
    Status st = calendar_read(db, a, &calendar, &e);
    store_release(db);
    store_close(store);
    const char *remove = arena_cstr(a, arena_printf(a, "rm -rf '%s'", folder));
    if (system(remove) != 0) return 2;
    return st == OK ? compare(calendar, csv) : complain(&e, a);
}
