// Options and words of the command line; the contract is options.h.
#include "options.h"

#include "base/file.h"
#include "web/catalog.h"

#include <stdio.h>
#include <stdlib.h>

enum { CLI_MEMORY_MAX = 16 << 20 };

// ---- language --------------------------------------------------------------------------------

bool cli_english(void) {
    static const char *const names[] = {"YIZHAN_LANG", "LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *locale = getenv(names[i]);
        if (locale && locale[0]) return str_starts(str_z(locale), S("en"));
    }
    return false;
}

static Str cli_translate(void *catalog, Str zh) {
    return catalog ? catalog_text(catalog, zh) : zh;
}

static Arena *cli_arena; // of the catalog, as long as the process

static void cli_forget(void) { arena_free(cli_arena); }

// Loaded on first use; commands say things from one thread only.
static void *cli_catalog(void) {
    static Catalog *catalog;
    static bool tried;
    if (!tried && cli_english()) {
        Arena *arena = cli_arena = arena_create(CLI_MEMORY_MAX);
        (void)atexit(cli_forget);
        if (catalog_load(arena, &catalog, NULL) != OK) catalog = NULL;
    }
    tried = true;
    return catalog;
}

Str cli_text(const char *text) { return cli_translate(cli_catalog(), str_z(text)); }

void cli_print(bool is_error, const char *text, const Str args[ERROR_ARGS]) {
    ARENA_AUTO a = arena_create(CLI_MEMORY_MAX);
    FILE *out = is_error ? stderr : stdout;
    // Arguments of any length, so the template is filled here and not through an Error.
    Str rest = cli_text(text);
    Buf line = buf_make(a, 256, CLI_MEMORY_MAX / 4);
    for (size_t i = 0; i < rest.len; i++) {
        const char *p = rest.ptr + i;
        if (rest.len - i >= 3 && p[0] == '{' && p[1] >= '1' && p[1] <= '3' && p[2] == '}') {
            buf_str(&line, args[p[1] - '1']);
            i += 2;
        } else {
            buf_char(&line, *p);
        }
    }
    if (is_error) fputs("yizhan: ", out);
    (void)fwrite(line.ptr, 1, line.len, out);
    (void)fputc('\n', out);
    (void)fflush(out);
}

int cli_error(const Error *e) {
    ARENA_AUTO a = arena_create(CLI_MEMORY_MAX);
    Str message = error_message(e, cli_translate, cli_catalog(), a);
    fprintf(stderr, "yizhan: %.*s%s%.*s\n", S_FMT(e->where), e->where.len ? ": " : "",
            S_FMT(message));
    return EXIT_FAILED;
}

int cli_errors(const Errors *es) {
    for (size_t i = 0; i < es->count; i++) (void)cli_error(&es->items[i]);
    if (es->more) cli_complain(T("还有更多错误，未逐一列出"));
    return EXIT_FAILED;
}

// ---- options ---------------------------------------------------------------------------------

static void print_help(const CommandLine *c) {
    printf("%s\n\n%.*s\n", c->usage, S_FMT(cli_text(c->about)));
    if (c->options_count) printf("\n");
    for (size_t i = 0; i < c->options_count; i++) {
        const Option *o = &c->options[i];
        char left[64];
        (void)snprintf(left, sizeof left, "%s%s%s", o->name, o->value ? " " : "",
                       o->value ? o->value : "");
        printf("  %-24s %.*s\n", left, S_FMT(cli_text(o->help)));
    }
}

static const Option *find_option(const CommandLine *c, Str name) {
    for (size_t i = 0; i < c->options_count; i++) {
        if (str_eq(str_z(c->options[i].name), name)) return &c->options[i];
    }
    return NULL;
}

static int wrong_usage(const CommandLine *c) {
    fprintf(stderr, "%s\n", c->usage);
    return EXIT_USAGE;
}

// One word that starts with "--"; *at is moved past a value that stands after it.
static int take_option(CommandLine *c, int argc, char **argv, int *at) {
    Str rest = str_z(argv[*at]);
    Str name = str_cut(&rest, '=');
    const Option *o = find_option(c, name);
    if (!o) {
        cli_complain(T("没有选项 {1}"), name);
        return wrong_usage(c);
    }
    if (!o->value) {
        if (rest.ptr) {
            cli_complain(T("选项 {1} 不带值"), name);
            return wrong_usage(c);
        }
        *o->flag = true;
        return OPTIONS_GO;
    }
    if (!rest.ptr) {
        if (*at + 1 >= argc) {
            cli_complain(T("选项 {1} 后面缺少 {2}"), name, str_z(o->value));
            return wrong_usage(c);
        }
        rest = str_z(argv[++*at]);
    }
    *o->text = rest;
    return OPTIONS_GO;
}

int options_parse(CommandLine *c, int argc, char **argv) {
    bool only_words = false;
    c->words_count = 0;
    for (int i = 1; i < argc; i++) {
        Str word = str_z(argv[i]);
        if (!only_words && (str_eq(word, S("--help")) || str_eq(word, S("-h")))) {
            print_help(c);
            return EXIT_DONE;
        }
        if (!only_words && str_eq(word, S("--"))) {
            only_words = true;
        } else if (!only_words && str_starts(word, S("-")) && word.len > 1) {
            int code = take_option(c, argc, argv, &i);
            if (code != OPTIONS_GO) return code;
        } else if (c->words_count >= c->words_max) {
            cli_complain(T("多余的参数 {1}"), word);
            return wrong_usage(c);
        } else {
            c->words[c->words_count++] = word;
        }
    }
    return OPTIONS_GO;
}
