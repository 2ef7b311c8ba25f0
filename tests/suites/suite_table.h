// A suite whose cases are the rows of a table, each about one file of the folder.
#pragma once

#include "base/file.h"
#include "suite_csv.h"

#include <stdio.h>

enum { SUITE_MEMORY = 1 << 30, SUITE_FILE_MAX = 32 << 20 };

typedef struct SuiteTable {
    const char *program;
    Str table; // in the folder; its column `file` names the file of a row
    // Empty, or what is wrong. `path` and what it returns live in `a`, emptied after each row.
    Str (*judge)(const Csv *row, Str path, Str text, Arena *a);
} SuiteTable;

// The whole of a suite's main: PROGRAM FOLDER [--verbose].
static inline int suite_table_main(const SuiteTable *s, int argc, char **argv) {
    const bool verbose = argc == 3 && str_eq(str_z(argv[2]), S("--verbose"));
    if (argc < 2 || (argc == 3 && !verbose) || argc > 3) {
        fprintf(stderr, "usage: %s FOLDER [--verbose]\n", s->program);
        return 2;
    }
    ARENA_AUTO a = arena_create(SUITE_MEMORY);
    const Str folder = str_z(argv[1]);
    Str table;
    Error err = {0};
    if (file_read(path_join(a, folder, s->table), SUITE_FILE_MAX, a, &table, &err) != OK) {
        fprintf(stderr, "%.*s\n", S_FMT(error_message(&err, NULL, NULL, a)));
        return 2;
    }
    int passed = 0, failed = 0;
    Csv csv = csv_open(table, a);
    while (csv_next(&csv, a)) {
        ARENA_AUTO scratch = arena_create(SUITE_MEMORY);
        const Str name = csv_get(&csv, S("file")), path = path_join(scratch, folder, name);
        Str text, wrong = S("cannot be read from disk");
        if (file_read(path, SUITE_FILE_MAX, scratch, &text, &err) == OK)
            wrong = s->judge(&csv, path, text, scratch);
        if (wrong.len) failed++;
        else passed++;
        if (wrong.len) printf("not ok %.*s - %.*s\n", S_FMT(name), S_FMT(wrong));
        else if (verbose) printf("ok %.*s\n", S_FMT(name));
    }
    printf("%d passed, %d failed, 0 skipped\n", passed, failed);
    return failed || passed == 0;
}
