// How many list pages of 20 real rows a second? Takes the model a running program gave for its page
// of cases (JSON, a file) and renders it with the program's own template and frame, as app_render
// does for a browser, on one thread and on two. Prints one line of JSON.
//
//   list_bench MODEL.json SCRATCH-FOLDER
//
// Not measured: reading the rows and sending the page (http_load_bench measures the whole way).
#include "base/file.h"
#include "pages/routes.h"
#include "people/people.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS_MAX = 2, SECOND_US = 1000000, RUN_SECONDS = 3, ROUNDS = 50, MEMORY_MAX = 64 << 20 };

typedef struct Job {
    App *app;
    Str model;
    int64_t until;
    uint64_t pages, bytes;
} Job;

static _Noreturn void die(const Error *err) {
    ARENA_AUTO a = arena_create(1 << 20);
    Str said = error_message(err, NULL, NULL, a);
    (void)fprintf(stderr, "list_bench: %.*s: %.*s\n", S_FMT(err->where), S_FMT(said));
    exit(1);
}

static void *work(void *context) {
    Job *job = context;
    ARENA_AUTO own = arena_create(MEMORY_MAX);
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    Error err = {.status = OK};
    Value model;
    if (json_parse(job->model, JSON_STRICT, (JsonLimits){0}, own, &model, &err) != OK) die(&err);
    while (clock_monotonic_us() < job->until) {
        for (int i = 0; i < ROUNDS; i++) {
            arena_reset(a);
            Request rq = {.arena = a, .method = METHOD_GET, .path = S("/cases"),
                          .target = S("/cases"),
                          .query = v_null(), .input = v_null(), .lang = S("zh"), .app = job->app,
                          .csrf = S("c3JmLXRva2Vu"), .host = S("http://localhost"),
                          .actor = {.account_id = 1, .name = S("郑督查"), .roles = ROLE_SUPERVISOR},
                          .now = INT64_C(1685494800000)};
            Buf out = buf_make(a, 64 << 10, PAGE_OUTPUT_MAX);
            if (app_render(job->app, &rq, S("work/cases"), model, &out, &err) != OK) die(&err);
            job->bytes = out.len;
        }
        job->pages += ROUNDS;
    }
    return NULL;
}

static uint64_t measure(App *app, Str model, int threads, uint64_t *ret_bytes) {
    Job jobs[THREADS_MAX] = {{0}};
    pthread_t ids[THREADS_MAX];
    int64_t start = clock_monotonic_us();
    for (int i = 0; i < threads; i++) {
        jobs[i] = (Job){.app = app, .model = model, .until = start + RUN_SECONDS * SECOND_US};
        if (pthread_create(&ids[i], NULL, work, &jobs[i]) != 0) abort();
    }
    uint64_t pages = 0;
    for (int i = 0; i < threads; i++) {
        (void)pthread_join(ids[i], NULL);
        pages += jobs[i].pages;
        *ret_bytes = jobs[i].bytes;
    }
    return pages * SECOND_US / (uint64_t)(clock_monotonic_us() - start);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        (void)fprintf(stderr, "usage: list_bench MODEL.json SCRATCH-FOLDER\n");
        return 2;
    }
    ARENA_AUTO a = arena_create(256 << 20);
    Error err = {.status = OK};
    Str model;
    size_t nav_count = 0;
    const NavItem *nav = pages_nav(&nav_count);
    App app = {.data_dir = str_z(argv[2]), .county = S("象山县"), .nav = nav, .nav_count = nav_count};
    if (file_read(str_z(argv[1]), 8 << 20, a, &model, &err) != OK) die(&err);
    if (app_load_templates(&app, a, &err) != OK) die(&err);
    if (app_prepare(&app, a, &err) != OK) die(&err);
    uint64_t bytes = 0;
    uint64_t one = measure(&app, model, 1, &bytes), two = measure(&app, model, 2, &bytes);
    printf("{\"rows\":20,\"bytes\":%llu,\"pages_per_second_1_thread\":%llu,"
           "\"pages_per_second_2_threads\":%llu}\n",
           (unsigned long long)bytes, (unsigned long long)one, (unsigned long long)two);
    app_release(&app);
    return 0;
}
