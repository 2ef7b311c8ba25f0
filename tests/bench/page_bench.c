// room: page
// How fast is a list page of 20 rows with 7 cells each (about 15 KB)? Prints renderings a second
// on one thread and on two, and nanoseconds of a few FEEL expressions. Not a test: it never fails.
#include "page/page.h"
#include "value/json.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 20, THREADS_MAX = 2, SECONDS_US = 1000000, ARENA_MAX = 64 << 20 };

static const char *const HEAD =
    "<!doctype html>\n<html lang=\"zh\"><head><meta charset=\"utf-8\"><title>{{_ 办件列表}} - "
    "{{office}}</title>\n"
    "<link rel=\"stylesheet\" href=\"/assets/app.css\"><script src=\"/assets/app.js\" "
    "defer></script></head>\n"
    "<body {{#if large}}class=\"large\"{{/if}}>\n<header class=\"navbar navbar-expand-md "
    "d-print-none\">"
    "<a class=\"navbar-brand\" href=\"/\">{{office}}</a><nav aria-label=\"{{_ 主导航}}\">\n"
    "{{#loop menu}}<a class=\"nav-link\" href=\"{{url}}\">{{title}}</a>\n{{/loop}}</nav>"
    "<form method=\"post\" action=\"/logout\"><input type=\"hidden\" name=\"csrf\" "
    "value=\"{{csrf}}\">"
    "<button class=\"btn\">{{_ 退出}}</button></form></header>\n";
static const char *const TABLE =
    "<main id=\"main\" class=\"page-body\"><h1>{{_ 办件列表}}</h1><p>{{_ 共 {1} 件 | total}}</p>\n"
    "<table class=\"table table-vcenter card-table\"><thead><tr><th scope=\"col\">{{_ "
    "办件编号}}</th>"
    "<th scope=\"col\">{{_ 事项}}</th><th scope=\"col\">{{_ 申请人}}</th><th scope=\"col\">{{_ "
    "状态}}</th>"
    "<th scope=\"col\">{{_ 受理日期}}</th><th scope=\"col\">{{_ 剩余}}</th><th scope=\"col\">{{_ "
    "金额}}</th></tr></thead>\n<tbody>\n"
    "{{#loop rows}}\n"
    "<tr class=\"case-row\" data-state=\"{{state}}\">\n"
    "<td class=\"case-number\"><a class=\"text-reset\" href=\"/desk/case/{{number}}\" "
    "data-key=\"{{index}}\">{{number}}</a></td>\n"
    "<td class=\"case-item text-wrap\"><span class=\"item-name\">{{item.item}}</span></td>\n"
    "<td class=\"case-applicant\"><span class=\"avatar avatar-sm\" "
    "aria-hidden=\"true\"></span>{{applicant.name}}</td>\n"
    "<td class=\"case-state\"><span class=\"badge badge-outline "
    "state-{{state}}\">{{state_text}}</span></td>\n"
    "<td class=\"case-date\"><time datetime=\"{{accepted}}\">{{accepted | date}}</time></td>\n"
    "<td class=\"case-clock\">{{#if overdue}}<span class=\"text-danger\">{{_ 已超期 {1} 个工作日 | "
    "days}}</span>"
    "{{else}}<span class=\"text-success\">{{_ 还剩 {1} 个工作日 | days}}</span>{{/if}}</td>\n"
    "<td class=\"case-money text-end\">{{fen | money}}</td>\n</tr>\n"
    "{{else}}\n<tr><td colspan=\"7\">{{_ 没有办件}}</td></tr>\n{{/loop}}\n</tbody></table></main>\n"
    "<footer class=\"footer\">{{office}} · {{today() | date}}</footer></body></html>\n";

static Value make_model(Arena *a) {
    Buf json = buf_make(a, 16384, 1 << 20);
    buf_lit(&json, "{\"office\":\"示范县政务服务办公室\",\"large\":false,\"csrf\":\"c3JmLXRva2Vu\","
                   "\"total\":1135,\"menu\":[");
    for (int i = 0; i < 8; i++)
        buf_printf(&json, "%s{\"url\":\"/desk/%d\",\"title\":\"栏目%d\"}", i ? "," : "", i, i);
    buf_lit(&json, "],\"rows\":[");
    for (int i = 0; i < ROWS; i++)
        buf_printf(&json,
                   "%s{\"number\":\"330225202305310%03d7\",\"item\":\"食品经营许可（新办）\","
                   "\"applicant\":"
                   "{\"name\":\"象山海风<%d>餐饮有限公司\"},\"state\":\"approval\",\"state_text\":"
                   "\"审批中\","
                   "\"accepted\":\"2023-05-%02d\",\"overdue\":%s,\"days\":%d,\"fen\":%d}",
                   i ? "," : "", i, i, i + 1, i % 5 ? "false" : "true", i + 1, 1234500 + i);
    buf_lit(&json, "]}");
    Value v;
    if (json_parse(buf_view(&json), JSON_STRICT, (JsonLimits){0}, a, &v, NULL) != OK) abort();
    return v;
}

typedef struct Job {
    const Template *page;
    uint64_t rounds, bytes;
    int64_t until;
} Job;

static void *work(void *context) {
    Job *job = context;
    ARENA_AUTO model_arena = arena_create(ARENA_MAX);
    ARENA_AUTO arena = arena_create(ARENA_MAX);
    Value model = make_model(model_arena);
    while (clock_monotonic_us() < job->until) {
        for (int i = 0; i < 100; i++) {
            arena_reset(arena);
            PageRun run = {
                .arena = arena, .model = model, .lang = S("zh"), .now = INT64_C(1685494800000)};
            Buf out = buf_make(arena, 32768, PAGE_OUTPUT_MAX);
            if (page_render(&run, job->page, &out, NULL) != OK) abort();
            job->bytes = out.len;
            job->rounds++;
        }
    }
    return NULL;
}

static void bench_page(const Template *page, int threads) {
    Job jobs[THREADS_MAX] = {{0}};
    pthread_t ids[THREADS_MAX];
    int64_t start = clock_monotonic_us();
    uint64_t rounds = 0;
    for (int i = 0; i < threads; i++) {
        jobs[i] = (Job){.page = page, .until = start + 2 * SECONDS_US};
        if (pthread_create(&ids[i], NULL, work, &jobs[i]) != 0) abort();
    }
    for (int i = 0; i < threads; i++) {
        (void)pthread_join(ids[i], NULL);
        rounds += jobs[i].rounds;
    }
    int64_t us = clock_monotonic_us() - start;
    printf("page, %d rows, %llu bytes, %d thread(s): %llu renderings/s\n", ROWS,
           (unsigned long long)jobs[0].bytes, threads,
           (unsigned long long)(rounds * SECONDS_US / (uint64_t)us));
}

static void bench_feel(const char *source) {
    enum { ROUNDS = 200000 };
    ARENA_AUTO own = arena_create(ARENA_MAX);
    ARENA_AUTO arena = arena_create(ARENA_MAX);
    const FeelExpr *e;
    Value v;
    if (json_parse(S("{\"age\":46,\"paid\":1200.50,\"person\":{\"name\":\"王芳\",\"town\":{"
                     "\"code\":\"330225\"}},\"xs\":[1,2,3]}"),
                   JSON_STRICT, (JsonLimits){0}, own, &v, NULL) != OK ||
        feel_parse(str_z(source), NULL, 0, own, &e, NULL) != OK)
        abort();
    FeelScope scope = {.variables = v};
    FeelRun *run = arena_new(own, FeelRun);
    run->arena = arena;
    run->scope = &scope;
    ArenaMark mark = arena_mark(arena);
    int64_t start = clock_monotonic_us();
    for (int i = 0; i < ROUNDS; i++) {
        (void)feel_eval(run, e);
        arena_rewind(arena, mark);
    }
    printf("feel, %s: %lld ns\n", source,
           (long long)((clock_monotonic_us() - start) * 1000 / ROUNDS));
}

int main(void) {
    ARENA_AUTO arena = arena_create(ARENA_MAX);
    Error err = {0};
    TemplateSet *set = templates_create(arena);
    Str source = arena_concat(arena, (Str[]){str_z(HEAD), str_z(TABLE)}, 2);
    if (templates_add(set, S("list"), PAGE_HTML, source, &err) != OK ||
        templates_link(set, &err) != OK) {
        Str said = error_message(&err, NULL, NULL, arena);
        fprintf(stderr, "%.*s: %.*s\n", S_FMT(err.where), S_FMT(said));
        return 1;
    }
    for (int threads = 1; threads <= THREADS_MAX; threads++)
        bench_page(templates_find(set, S("list")), threads);
    bench_feel("person.town.code");
    bench_feel("paid * 2 / 3");
    bench_feel("age >= 45 and paid > 0");
    bench_feel("sum(xs)");
    bench_feel("if age < 55 then paid else 0");
    return 0;
}
