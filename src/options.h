// Options of the command line, the same for every command, and the few words a command prints.
//
//   --data DIR   database, files and keys (made by `yizhan init`)    --db URL   PostgreSQL
//   --help       what the command does and takes
//
// Exit codes: 0 done · 1 the command failed or found faults, said on standard error · 2 it was
// called wrongly · 3 this build lacks the command.
//
// Texts are Chinese templates marked T("…{1}…"); they are printed in English when the locale
// (YIZHAN_LANG, LC_ALL, LC_MESSAGES, LANG: the first that is set) starts with "en".
#pragma once

#include "base/error.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_LACKING = 3, OPTIONS_GO = -1 };

typedef struct Option {
    const char *name;  // "--listen"
    const char *value; // "ADDRESS:PORT"; NULL: a flag
    const char *help;  // T("…")
    Str *text;         // receives the value
    bool *flag;        // or the flag
} Option;

typedef struct CommandLine {
    const char *usage; // "yizhan load [--data DIR] PACK…"
    const char *about; // T("…")
    const Option *options;
    size_t options_count;
    Str *words; // what is not an option, in order; at most words_max
    size_t words_max;
    size_t words_count; // out
} CommandLine;

// The value of an option stands after it or behind '='. "--" ends the options. Returns OPTIONS_GO,
// or the exit code with which the command must end now (help was printed, or what is wrong).
// The texts point into argv.
int options_parse(CommandLine *c, int argc, char **argv);

// The options every command has: for `Option all[] = {OPTION_DATA(&data), OPTION_DB(&db), …}`.
#define OPTION_DATA(p) \
    {"--data", "DIR", T("数据目录：数据库、文件和密钥（默认 data）"), (p), NULL}
#define OPTION_DB(p) \
    {"--db", "URL", T("PostgreSQL 地址 postgres://…（默认用数据目录里的 SQLite）"), (p), NULL}

#ifndef T
#define T(text) ("" text) // see web/app.h
#endif

// Prints a text in the user's language with its arguments and a line's end; to standard output
// (cli_say) or standard error behind "yizhan: " (cli_complain).
#define cli_say(text, ...) cli_print(false, (text), (Str[ERROR_ARGS]){__VA_ARGS__})
#define cli_complain(text, ...) cli_print(true, (text), (Str[ERROR_ARGS]){__VA_ARGS__})
void cli_print(bool is_error, const char *text, const Str args[ERROR_ARGS]);
// Prints the error, "where: message", and returns EXIT_FAILED.
int cli_error(const Error *e);
int cli_errors(const Errors *es);
bool cli_english(void);
// The text in the user's language.
Str cli_text(const char *text);
