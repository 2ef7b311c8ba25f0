// room: value
// The public JSON suite: in a folder, files whose name begins with y_ must be accepted, n_ must be
// refused, i_ may be either but must not crash. What is accepted is written and read again, and
// must be the same value. Prints each failure and ends in "N passed, N failed, N skipped".
//   json_suite FOLDER [--verbose]
#include "base/file.h"
#include "value/json.h"

#include <stdio.h>

enum { SUITE_MEMORY_MAX = 512 << 20, FILE_MAX = 64 << 20 };

static bool verbose; // --verbose: what passed is named too

typedef struct Counts {
    int passed, failed;
} Counts;

// NULL when the value survives writing and reading, else what happened.
static const char *round_trip(Value v, Arena *a) {
    Error err;
    Value again;
    Str text = json_to_str(v, a);
    if (json_parse(text, JSON_STRICT, (JsonLimits){0}, a, &again, &err) != OK) {
        return "is refused after it was written";
    }
    if (!v_equal(v, again)) return "is another value after it was written";
    if (!str_eq(json_to_str(again, a), text)) return "is written in two ways";
    Buf pretty = buf_make(a, 256, FILE_MAX);
    json_write_pretty(&pretty, v);
    if (json_parse(buf_view(&pretty), JSON_STRICT, (JsonLimits){0}, a, &again, &err) != OK ||
        !v_equal(v, again)) {
        return "is another value after it was written for people";
    }
    return NULL;
}

static const char *judge(Str name, Str text, Arena *a) {
    Error err = {0};
    Value v;
    // The suite demands that duplicate keys are accepted; see JSON_LAX.
    Status status = json_parse(text, JSON_LAX, (JsonLimits){0}, a, &v, &err);
    if (name.ptr[0] == 'y' && status != OK) return "must be accepted";
    if (name.ptr[0] == 'n' && status == OK) return "must be refused";
    if (status != OK) return err.where.len ? NULL : "is refused without a place";
    return round_trip(v, a);
}

static void run(Str folder, Str name, Counts *counts) {
    ARENA_AUTO a = arena_create(SUITE_MEMORY_MAX);
    Error err;
    Str text;
    const char *failure = "cannot be read";
    if (file_read(path_join(a, folder, name), FILE_MAX, a, &text, &err) == OK) {
        failure = judge(name, text, a);
    }
    if (failure) {
        counts->failed++;
        printf("not ok %.*s - %s\n", S_FMT(name), failure);
    } else {
        counts->passed++;
        if (verbose) printf("ok %.*s\n", S_FMT(name));
    }
}

int main(int argc, char **argv) {
    verbose = argc == 3 && strcmp(argv[2], "--verbose") == 0;
    if (argc != 2 + verbose) {
        fprintf(stderr, "usage: json_suite FOLDER [--verbose]\n");
        return 2;
    }
    ARENA_AUTO a = arena_create(SUITE_MEMORY_MAX);
    Error err;
    Str *names;
    size_t n;
    Str folder = str_z(argv[1]);
    if (dir_list(folder, a, &names, &n, &err) != OK) {
        fprintf(stderr, "%.*s\n", S_FMT(error_message(&err, NULL, NULL, a)));
        return 2;
    }
    Counts counts = {0};
    for (size_t i = 0; i < n; i++) {
        bool judged = str_starts(names[i], S("y_")) || str_starts(names[i], S("n_")) ||
                      str_starts(names[i], S("i_"));
        if (judged && str_ends(names[i], S(".json"))) run(folder, names[i], &counts);
    }
    printf("%d passed, %d failed, 0 skipped\n", counts.passed, counts.failed);
    return counts.failed || counts.passed == 0;
}
