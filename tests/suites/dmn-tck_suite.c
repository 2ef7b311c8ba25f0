// room: dmn
// The cases of the DMN Technology Compatibility Kit: FOLDER and the folders in it hold models
// (*.dmn) and a file of test cases (*test*.xml) that names its main model; the other models of the
// folder are there to be imported. A case passes when each of its result nodes matches; an expected
// error must have left a diagnostic. Each folder runs in a process of its own with a limit of time
// and memory, so that no model can take the others along.
//   dmn-tck_suite FOLDER [--verbose]
// Prints each failure as "not ok FOLDER/FILE/CASE/NODE - expected …, found …", what only Java
// could answer as "skip NAME - needs Java", with --verbose each case that passed as "ok NAME", and
// ends in "N passed, N failed, N skipped", counted by case.
#include "base/file.h"
#include "dmn/dmn.h"
#include "value/json.h"

#include <dirent.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    MEMORY_MAX = 1 << 30,    // of one folder
    SECONDS_MAX = 120,       // of one folder
    FILE_SIZE_MAX = 16 << 20,
    FILES_MAX = 64,          // in one folder
    CASES_MAX = 20000,       // in one file
    FOLDERS_MAX = 5000,
    SHOWN_MAX = 160,         // bytes of a value in a line
};

typedef enum Verdict { UNKNOWN, PASSED, FAILED, SKIPPED } Verdict;
typedef struct Counts {
    int passed, failed, skipped;
} Counts;

// What the process of a folder tells the one that started it.
typedef struct Shared {
    Verdict verdicts[CASES_MAX];
} Shared;

typedef struct Suite {
    Arena *arena;
    const DmnModel *model;
    Str folder;     // as shown
    bool verbose, java;
    Str load_error; // why there is no model
} Suite;

// ---- XML

static bool named(const xmlNode *n, const char *name) {
    return n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0;
}

static const xmlNode *child(const xmlNode *n, const char *name) {
    for (const xmlNode *kid = n->children; kid; kid = kid->next)
        if (named(kid, name)) return kid;
    return NULL;
}

static Str attribute(Suite *s, const xmlNode *n, const char *name) {
    xmlChar *got = xmlGetProp((xmlNode *)(uintptr_t)n, (const xmlChar *)name);
    Str text = got ? arena_str(s->arena, str_z((const char *)got)) : (Str){"", 0};
    xmlFree(got);
    return text;
}

static Str content(Suite *s, const xmlNode *n) {
    xmlChar *got = xmlNodeGetContent((xmlNode *)(uintptr_t)n);
    Str text = got ? arena_str(s->arena, str_z((const char *)got)) : (Str){"", 0};
    xmlFree(got);
    return text;
}

// ---- values of the test file

static Value by_feel(Suite *s, const char *function, Str text) {
    const FeelExpr *e;
    Buf source = buf_make(s->arena, text.len + 32, FEEL_SOURCE_MAX);
    buf_printf(&source, "%s(", function);
    json_write_str(&source, text);
    buf_lit(&source, ")");
    FeelRun run = {.arena = s->arena};
    if (feel_parse(buf_view(&source), NULL, 0, s->arena, &e, NULL) != OK) return v_null();
    return feel_eval(&run, e);
}

static Value scalar(Suite *s, const xmlNode *n) {
    Str type = attribute(s, n, "type"), text = content(s, n), prefix = str_cut(&type, ':');
    if (!type.ptr) type = prefix;
    if (str_eq(attribute(s, n, "nil"), S("true"))) return v_null();
    if (str_eq(type, S("string")) || type.len == 0) return v_str(text);
    text = str_trim(text);
    Decimal d;
    if (str_eq(type, S("boolean"))) return v_bool(str_eq(text, S("true")) || str_eq(text, S("1")));
    if (str_eq(type, S("date"))) return by_feel(s, "date", text);
    if (str_eq(type, S("time"))) return by_feel(s, "time", text);
    if (str_eq(type, S("dateTime"))) return by_feel(s, "date and time", text);
    if (str_eq(type, S("duration"))) return by_feel(s, "duration", text);
    return decimal_parse(text, &d) ? v_number(d) : v_str(text);
}

// The value in `n`: a value, components or a list.
static Value value_of(Suite *s, const xmlNode *n) {
    ContextBuilder context = context_make(s->arena);
    bool any = false;
    for (const xmlNode *kid = n->children; kid; kid = kid->next) {
        if (named(kid, "value")) return scalar(s, kid);
        if (named(kid, "list")) {
            ListBuilder list = list_make(s->arena);
            for (const xmlNode *item = kid->children; item; item = item->next)
                if (named(item, "item")) list_add(&list, value_of(s, item));
            return list_done(&list);
        }
        if (!named(kid, "component")) continue;
        any = true;
        context_put(&context, attribute(s, kid, "name"), value_of(s, kid));
    }
    return any ? context_done(&context) : v_null();
}

static bool matches(Value expected, Value found) {
    Decimal tolerance = decimal_from_parts(1, -8);
    if (expected.kind != found.kind) return false;
    switch (expected.kind) {
    case V_NUMBER:
        return decimal_cmp(decimal_abs(decimal_sub(expected.as.number, found.as.number)),
                           tolerance) < 0;
    case V_LIST:
        if (expected.len != found.len) return false;
        for (uint32_t i = 0; i < expected.len; i++)
            if (!matches(expected.as.items[i], found.as.items[i])) return false;
        return true;
    case V_CONTEXT:
        if (expected.len != found.len) return false;
        for (uint32_t i = 0; i < expected.len; i++) {
            Str key = expected.as.entries[i].key;
            if (!v_has(found, key) || !matches(expected.as.entries[i].value, v_get(found, key)))
                return false;
        }
        return true;
    default: return v_equal(expected, found);
    }
}

// ---- one case

static Str shown(Suite *s, Value v) {
    if (v.kind == V_NULL) return S("null");
    Buf out = buf_make(s->arena, 64, 1 << 20);
    if (v.kind == V_STRING) json_write_str(&out, v_text(v));
    else v_print(&out, v);
    Str text = buf_view(&out);
    if (text.len > SHOWN_MAX) {
        size_t at = 0, end = 0;
        while (at < SHOWN_MAX) {
            end = at;
            (void)str_utf8_next(text, &at);
        }
        text = arena_printf(s->arena, "%.*s…", (int)end, text.ptr);
    }
    return text;
}

static Str one_line(Suite *s, Str text) {
    char *copy = arena_alloc_raw(s->arena, text.len + 1);
    for (size_t i = 0; i < text.len; i++)
        copy[i] = text.ptr[i] == '\n' || text.ptr[i] == '\r' ? ' ' : text.ptr[i];
    return (Str){copy, text.len};
}

static Value inputs_of(Suite *s, const xmlNode *test) {
    ContextBuilder input = context_make(s->arena);
    for (const xmlNode *n = test->children; n; n = n->next) {
        if (!named(n, "inputNode")) continue;
        Str name = attribute(s, n, "name"), space = attribute(s, n, "namespace");
        if (space.len) name = arena_concat(s->arena, (Str[]){space, S("#"), name}, 3);
        context_put(&input, name, value_of(s, n));
    }
    return context_done(&input);
}

// A service gives its one output as it is, several by their names.
static Value output_of(Value result, Str service, Str node) {
    if (str_eq(service, node) || result.kind != V_CONTEXT || !v_has(result, node)) return result;
    return v_get(result, node);
}

// Empty when the node is as expected, else what is wrong.
static Str node_verdict(Suite *s, const xmlNode *node, Str service, Value input,
                        bool *ret_java) {
    Str name = attribute(s, node, "name");
    bool error = str_eq(attribute(s, node, "errorResult"), S("true"));
    const xmlNode *holder = child(node, "expected");
    Value expected = holder ? value_of(s, holder) : v_null();
    Instant now = (Instant)time(NULL) * 1000;
    DmnResult r = {0};
    Error err = {0};
    Status status = service.len
                        ? dmn_service(s->model, service, input, now, s->arena, &r, &err)
                        : dmn_decide_given(s->model, name, input, input, now, s->arena, &r,
                                           &err);
    if (status != OK)
        return arena_printf(s->arena, "expected %.*s, found no answer: %.*s",
                            S_FMT(shown(s, expected)),
                            S_FMT(error_message(&err, NULL, NULL, s->arena)));
    Value found = service.len ? output_of(r.value, service, name) : r.value;
    if (error) expected = v_null();
    bool same = matches(expected, found);
    *ret_java = s->java && !error && !same && found.kind == V_NULL;
    if (same && !(error && r.diagnostics.len == 0)) return S("");
    Str said = r.diagnostics.len ? v_text(v_get_lit(v_at(r.diagnostics, 0), "text")) : S("");
    return arena_printf(s->arena, "expected %.*s%s, found %.*s%s%.*s%s",
                        S_FMT(shown(s, expected)), error ? " and a diagnostic" : "",
                        S_FMT(shown(s, found)), said.len ? " (" : " without one",
                        S_FMT(said), said.len ? ")" : "");
}

static Verdict run_case(Suite *s, const xmlNode *test, Str file) {
    Str id = attribute(s, test, "id"), service = S("");
    if (str_eq(attribute(s, test, "type"), S("decisionService")))
        service = attribute(s, test, "invocableName");
    Value input = inputs_of(s, test);
    Str name = arena_printf(s->arena, "%.*s/%.*s/%.*s", S_FMT(s->folder), S_FMT(file), S_FMT(id));
    Verdict verdict = PASSED;
    for (const xmlNode *n = test->children; n; n = n->next) {
        if (!named(n, "resultNode")) continue;
        bool java = false;
        Str wrong = s->model ? node_verdict(s, n, service, input, &java) : s->load_error;
        if (wrong.len == 0) continue;
        if (java) {
            printf("skip %.*s - needs Java\n", S_FMT(name));
            return SKIPPED;
        }
        printf("%s %.*s/%.*s - %.*s\n", verdict == FAILED ? "#  also" : "not ok", S_FMT(name),
               S_FMT(attribute(s, n, "name")), S_FMT(one_line(s, wrong)));
        verdict = FAILED;
    }
    if (verdict == PASSED && s->verbose) printf("ok %.*s\n", S_FMT(name));
    return verdict;
}

// ---- one folder

static bool ends(const char *name, const char *end) { return str_ends(str_z(name), str_z(end)); }

static void load_model(Suite *s, const char *path, Str main_name, char **names, size_t count) {
    DmnFile files[FILES_MAX];
    size_t n = 0;
    s->model = NULL;
    s->load_error = S("the main model isn't there");
    for (size_t pass = 0; pass < 2; pass++) { // the main model first
        for (size_t i = 0; i < count && n < FILES_MAX; i++) {
            bool is_main = str_eq(str_z(names[i]), main_name);
            if (!ends(names[i], ".dmn") || is_main != (pass == 0)) continue;
            Error err = {0};
            Str file = arena_printf(s->arena, "%s/%s", path, names[i]);
            files[n].name = arena_str(s->arena, str_z(names[i]));
            if (file_read(file, FILE_SIZE_MAX, s->arena, &files[n].xml, &err) == OK) n++;
        }
        if (n == 0) return;
    }
    Error err = {0};
    if (dmn_load_files(files, n, DMN_DEFERRED, s->arena, &s->model, &err) == OK) return;
    s->model = NULL;
    s->load_error = arena_printf(s->arena, "the model does not load: %.*s %.*s", S_FMT(err.where),
                                 S_FMT(error_message(&err, NULL, NULL, s->arena)));
}

static void run_file(Suite *s, const char *path, const char *file, const xmlNode *root,
                     char **names, size_t count, Shared *shared) {
    const xmlNode *model = child(root, "modelName");
    load_model(s, path, model ? str_trim(content(s, model)) : S(""), names, count);
    Str stem = str_sub(str_z(file), 0, strlen(file) - 4);
    size_t i = 0;
    for (const xmlNode *n = root->children; n && i < CASES_MAX; n = n->next)
        if (named(n, "testCase")) {
            shared->verdicts[i++] = run_case(s, n, stem);
            (void)fflush(stdout);
        }
}

// Runs the cases of one file in a process of its own and counts what it told.
static void run_apart(Suite *s, const char *path, const char *file, const xmlNode *root,
                      char **names, size_t count, Counts *counts) {
    Shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        jmp_buf env;
        (void)alarm(SECONDS_MAX);
        s->arena = arena_create(MEMORY_MAX);
        (void)arena_on_limit(s->arena, &env);
        if (setjmp(env) == 0) run_file(s, path, file, root, names, count, shared);
        (void)fflush(stdout);
        _exit(0);
    }
    int status = 0;
    (void)waitpid(pid, &status, 0);
    size_t i = 0;
    for (const xmlNode *n = root->children; n && i < CASES_MAX; n = n->next) {
        if (!named(n, "testCase")) continue;
        switch (shared->verdicts[i++]) {
        case PASSED: counts->passed++; break;
        case SKIPPED: counts->skipped++; break;
        case FAILED: counts->failed++; break;
        case UNKNOWN:
            counts->failed++;
            printf("not ok %.*s/%.*s/%.*s - the process ended: %s %d\n", S_FMT(s->folder),
                   (int)strlen(file) - 4, file, S_FMT(attribute(s, n, "id")),
                   WIFSIGNALED(status) ? "signal" : "out of memory, exit",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        }
    }
    (void)munmap(shared, sizeof *shared);
}

static void run_folder(const char *path, Str shown_as, bool verbose, char **names, size_t count,
                       Counts *counts) {
    for (size_t i = 0; i < count; i++) {
        if (!ends(names[i], ".xml") || !strstr(names[i], "test")) continue;
        ARENA_AUTO arena = arena_create(MEMORY_MAX);
        Suite s = {.arena = arena, .folder = shown_as, .verbose = verbose,
                   .java = str_find(shown_as, S("external-java")) >= 0};
        Str file = arena_printf(arena, "%s/%s", path, names[i]);
        xmlDoc *doc = xmlReadFile(arena_cstr(arena, file), NULL, XML_PARSE_NONET);
        const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
        if (root && named(root, "testCases")) {
            run_apart(&s, path, names[i], root, names, count, counts);
        } else if (!doc) {
            counts->failed++;
            printf("not ok %.*s/%s - is no XML\n", S_FMT(shown_as), names[i]);
        }
        xmlFreeDoc(doc);
    }
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Every folder from `path` down, in the order of the names.
static void walk(const char *path, size_t root_len, bool verbose, int depth, Counts *counts) {
    DIR *dir = opendir(path);
    if (!dir) {
        (void)fprintf(stderr, "can't read %s\n", path);
        exit(2);
    }
    char *names[FOLDERS_MAX];
    size_t count = 0;
    for (struct dirent *e; count < FOLDERS_MAX && (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.') names[count++] = strdup(e->d_name);
    (void)closedir(dir);
    qsort(names, count, sizeof *names, by_name);
    size_t len = strlen(path);
    Str shown_as = len > root_len ? str_z(path + root_len + 1) : S(".");
    run_folder(path, shown_as, verbose, names, count, counts);
    for (size_t i = 0; i < count; i++) {
        char *inner = NULL;
        DIR *probe;
        if (depth < 8 && asprintf(&inner, "%s/%s", path, names[i]) > 0 &&
            (probe = opendir(inner)) != NULL) {
            (void)closedir(probe);
            walk(inner, root_len, verbose, depth + 1, counts);
        }
        free(inner);
        free(names[i]);
    }
}

int main(int argc, char **argv) {
    bool verbose = argc == 3 && strcmp(argv[2], "--verbose") == 0;
    if (argc != 2 && !verbose) {
        (void)fprintf(stderr, "usage: %s FOLDER [--verbose]\n", argv[0]);
        return 2;
    }
    size_t len = strlen(argv[1]);
    while (len > 1 && argv[1][len - 1] == '/') argv[1][--len] = 0;
    Counts counts = {0};
    walk(argv[1], len, verbose, 0, &counts);
    printf("%d passed, %d failed, %d skipped\n", counts.passed, counts.failed, counts.skipped);
    return counts.failed || counts.passed + counts.skipped == 0 ? 1 : 0;
}
