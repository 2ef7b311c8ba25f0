// yizhan simulate: plays a scenario through the county's own commands.
#include "sim.h"

#include <stdio.h>

enum { SIM_MEMORY_MAX = 512 << 20 };

static Status refuse_used(Db *db, Error *err) {
    int64_t n = 0;
    Status st = query_one_int(query(db, "SELECT COUNT(*) FROM cases"), &n, err);
    if (st == OK && n > 0) {
        return error_set(err, CONFLICT, S("simulate"),
                         "数据目录里已有办件；重演只能在没有办件的目录里进行，请另建一个：yizhan "
                         "init --data 目录 --demo");
    }
    return st;
}

static Status simulate(House *h, Str name, bool quiet, Arena *a, SimResult *ret, Error *err) {
    Scenario s;
    SimPlan plan;
    DB_AUTO db = NULL;
    Status st = scenario_read(name, a, &s, err);
    if (st == OK) st = store_read(h->store, &db, err);
    if (st == OK) st = refuse_used(db, err);
    if (st == OK) st = sim_plan(&s, db, case_calendar(h->cases), a, &plan, err);
    if (st != OK) return st;
    store_release(db);
    db = NULL;
    return sim_run(h, &plan, quiet, ret, err);
}

static void say(const SimResult *r, bool json) {
    double rate = r->seconds > 0 ? (double)r->cases / r->seconds : 0;
    if (json) {
        printf("{\"cases\":%lld,\"commands\":%lld,\"seconds\":%.2f,\"cases_per_second\":%.0f,"
               "\"first_tenth_per_second\":%.0f,\"last_tenth_per_second\":%.0f,"
               "\"first_tenth_commands_per_second\":%.0f,"
               "\"last_tenth_commands_per_second\":%.0f,\"first_tenth_command_cpu_us\":%.1f,"
               "\"last_tenth_command_cpu_us\":%.1f,\"memory_peak_kb\":%lld}\n",
               (long long)r->cases, (long long)r->commands, r->seconds, rate, r->first_tenth,
               r->last_tenth, r->first_tenth_commands, r->last_tenth_commands,
               r->first_tenth_command_cpu_us, r->last_tenth_command_cpu_us,
               (long long)r->memory_peak_kb);
        return;
    }
    printf("%lld cases, %lld commands, %.1f s, %.0f cases/s (first tenth %.0f, last tenth %.0f), "
           "peak memory %lld MB\n",
           (long long)r->cases, (long long)r->commands, r->seconds, rate, r->first_tenth,
           r->last_tenth, (long long)r->memory_peak_kb / 1024);
}

int cmd_simulate(int argc, char **argv) {
    HouseOptions o = {0};
    bool json = false, quiet = false;
    Str words[1];
    const Option options[] = {
        OPTION_DATA(&o.data),
        OPTION_DB(&o.db),
        {"--json", NULL, T("结果写成一行 JSON"), NULL, &json},
        {"--quiet", NULL, T("不显示进度"), NULL, &quiet},
    };
    CommandLine line = {.usage = "yizhan simulate [--data DIR] [--db URL] half-year-2023",
                        .about = T("用同样的指令重演一段时间的全县业务"),
                        .options = options,
                        .options_count = sizeof options / sizeof *options,
                        .words = words,
                        .words_max = 1};
    int code = options_parse(&line, argc, argv);
    if (code != OPTIONS_GO) return code;
    if (line.words_count != 1) {
        cli_complain(T("请指定情景，例如 {1}"), S("half-year-2023"));
        return EXIT_USAGE;
    }
    House h = {0};
    Error err = {.status = OK};
    if (house_open(&o, &h, &err) != OK) return cli_error(&err);
    Arena *a = arena_create(SIM_MEMORY_MAX);
    SimResult r = {0};
    Status st = simulate(&h, words[0], quiet, a, &r, &err);
    if (st == OK) say(&r, json);
    arena_free(a);
    house_close(&h);
    return st == OK ? EXIT_DONE : cli_error(&err);
}
