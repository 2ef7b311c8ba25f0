// yizhan: finds the command and runs it. A command is one file cmd_<name>.c with one function; a
// build that lacks one says so.
//
// Exit codes: see options.h.
#include "options.h"

#include <stdio.h>

#define YIZHAN_VERSION "0.1.0"

#define COMMANDS(X)                                                      \
    X(init, T("建立数据目录：数据库、密钥，可选演示县"))                 \
    X(serve, T("启动网站"))                                              \
    X(load, T("载入事项包或事项目录，发布为新版本"))                     \
    X(check, T("检查事项包并运行其中的样例"))                            \
    X(flow, T("检查、运行或画出一个流程文件"))                             \
    X(decide, T("按决策模型作出决策并说明依据"))                         \
    X(simulate, T("用同样的指令重演一段时间的全县业务"))                 \
    X(summary, T("由记录写出工作总结的政务服务部分"))                    \
    X(seal, T("把已提交的留痕封入日志并签署检查点"))                     \
    X(migrate, T("把在办件迁移到事项的另一个版本"))                      \
    X(verify, T("核对整个留痕，或核对一个归档包"))                       \
    X(archive, T("写出一个办件的归档包"))                                \
    X(backup, T("在运行中备份数据库、文件和密钥"))                       \
    X(restore, T("由备份恢复成新的数据目录"))                            \
    X(rights, T("打印每个页面和指令对每种角色的权限表"))

#define DECLARE(name, about) int __attribute__((weak)) cmd_##name(int argc, char **argv);
COMMANDS(DECLARE)

typedef struct MainCommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} MainCommand;

#define ROW(name, about) {#name, cmd_##name, about},
static const MainCommand commands[] = {COMMANDS(ROW)};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_usage(FILE *out) {
    fprintf(out, "yizhan COMMAND [--help] …\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "  %-10s %.*s\n", commands[i].name, S_FMT(cli_text(commands[i].about)));
    }
    fprintf(out, "  %-10s %.*s\n", "version", S_FMT(cli_text(T("打印版本"))));
}

int main(int argc, char **argv) {
    const Str name = argc > 1 ? str_z(argv[1]) : S("");
    if (str_eq(name, S("version")) || str_eq(name, S("--version"))) {
        printf("yizhan %s\n", YIZHAN_VERSION);
        return EXIT_DONE;
    }
    if (str_eq(name, S("help")) || str_eq(name, S("--help")) || str_eq(name, S("-h"))) {
        print_usage(stdout);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (!str_eq(name, str_z(commands[i].name))) continue;
        if (commands[i].run) return commands[i].run(argc - 1, argv + 1);
        cli_complain(T("这个版本没有指令 {1}"), name);
        return EXIT_LACKING;
    }
    if (name.len) cli_complain(T("没有指令 {1}"), name);
    print_usage(stderr);
    return EXIT_USAGE;
}
