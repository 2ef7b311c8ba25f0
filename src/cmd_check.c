// yizhan check: validates packs and runs their examples. Needs no data folder: what only a database
// knows (departments, posts, parts of a bundle) is checked by `yizhan load`.
#include "options.h"

#include "case/item.h"

#include <stdio.h>

enum { CHECK_WORDS_MAX = 200, CHECK_MEMORY_MAX = 512 << 20 };

// Says every fault and every example; false when there is one.
static bool check_one(Str folder, bool quiet) {
    ARENA_AUTO a = arena_create(CHECK_MEMORY_MAX);
    Errors errs = errors_make(a);
    Error e = {.status = OK};
    Value files, report;
    Item item;
    if (pack_read(folder, a, &files, &e) != OK) {
        (void)cli_error(&e);
        return false;
    }
    Status st = pack_compile(files, a, &item, &errs);
    if (st == OK) {
        st = pack_examples(&item, files, 0, a, &report, &errs);
        for (uint32_t i = 0; i < report.len && !quiet; i++) {
            Value one = v_at(report, i);
            bool ok = v_true(v_get_lit(one, "ok"));
            (void)printf("%s %.*s/%.*s %.*s\n", ok ? "ok" : "not ok", S_FMT(folder),
                         S_FMT(v_text(v_get_lit(one, "file"))),
                         S_FMT(v_text(v_get_lit(one, "title"))));
        }
    }
    for (size_t i = 0; i < errs.count; i++) error_at(&errs.items[i], folder);
    if (st != OK) (void)cli_errors(&errs);
    else if (!quiet) {
        cli_say(T("{1}：{2}，{3} 个示例都符合"), folder, item.name,
                arena_printf(a, "%u", report.len));
    }
    return st == OK;
}

int cmd_check(int argc, char **argv) {
    Str words[CHECK_WORDS_MAX];
    bool quiet = false;
    const Option options[] = {{"--quiet", NULL, T("只说错误"), NULL, &quiet}};
    CommandLine line = {.usage = "yizhan check [--quiet] PACK…",
                        .about = T("校验事项包并运行它的示例；逐个说明文件、位置和原因。"),
                        .options = options,
                        .options_count = sizeof options / sizeof options[0],
                        .words = words,
                        .words_max = CHECK_WORDS_MAX};
    const int code = options_parse(&line, argc, argv);
    if (code != OPTIONS_GO) return code;
    if (line.words_count == 0) {
        cli_complain(T("请写明事项包的目录"));
        return EXIT_USAGE;
    }
    bool good = true;
    for (size_t i = 0; i < line.words_count; i++) good = check_one(words[i], quiet) && good;
    return good ? EXIT_DONE : EXIT_FAILED;
}
