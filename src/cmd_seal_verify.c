// yizhan seal: seals what is committed (serve does it by itself). yizhan verify: checks the whole
// trail, or one archive package offline.
#include "house.h"

#include "base/file.h"
#include "case/archive.h"

#include <stdio.h>
#include <unistd.h>

enum { VERIFY_MEMORY_MAX = 512 << 20, FAULTS_PRINTED_MAX = 100,
       CHECKPOINT_FILE_MAX = 16 << 10 };

int cmd_seal(int argc, char **argv) {
    Str data = S(""), db = S("");
    const Option options[] = {OPTION_DATA(&data), OPTION_DB(&db)};
    CommandLine line = {.usage = "yizhan seal [--data DIR] [--db URL]",
                        .about = T("把已提交的留痕封入日志并签署检查点（serve 会自动封存）。"),
                        .options = options,
                        .options_count = sizeof options / sizeof options[0]};
    const int code = options_parse(&line, argc, argv);
    if (code != OPTIONS_GO) return code;
    House house;
    Error err = {0};
    Status status = house_open(&(HouseOptions){.data = data, .db = db}, &house, &err);
    if (status != OK) return cli_error(&err);
    uint64_t size = 0;
    status = trail_seal(house.store, house.key, clock_now(), &size, &err);
    if (status == OK) {
        cli_say(T("日志已封存，共 {1} 条留痕"),
                arena_printf(house.arena, "%llu", (unsigned long long)size));
    }
    house_close(&house);
    return status == OK ? EXIT_DONE : cli_error(&err);
}

// ---- verify ----------------------------------------------------------------------------------

typedef struct Faults {
    int64_t count;
} Faults;

static void found(void *ctx, Str where, Str what) {
    Faults *f = ctx;
    if (++f->count > FAULTS_PRINTED_MAX) return;
    fprintf(stderr, "%.*s: %.*s\n", S_FMT(where), S_FMT(what));
}

static void progress(void *ctx, int64_t done, int64_t all) {
    (void)ctx;
    if (isatty(STDERR_FILENO)) fprintf(stderr, "\r%lld / %lld ", (long long)done, (long long)all);
}

// `witness`: a checkpoint kept outside, or empty.
static int verify_trail(Str data, Str db_url, Str key, Str witness) {
    House house;
    Error err = {0};
    Status status = house_open(&(HouseOptions){.data = data, .db = db_url, .no_writer = true},
                               &house, &err);
    if (status != OK) return cli_error(&err);
    Db *db = NULL;
    Faults faults = {0};
    int64_t events = 0, wrong = 0;
    const Str public_key = key.len ? key : trail_public_key(house.key, house.arena);
    status = store_read(house.store, &db, &err);
    if (status == OK) {
        status = trail_verify(db, public_key, found, progress, &faults, &events, &wrong, &err);
        int64_t against = 0;
        if (status == OK && witness.len) {
            status = trail_verify_witness(db, public_key, witness, found, &faults, &against, &err);
        }
        wrong += against;
        store_release(db);
    }
    if (isatty(STDERR_FILENO)) fprintf(stderr, "\r");
    if (status == OK) {
        cli_say(T("核对了 {1} 条留痕，发现 {2} 处问题"),
                arena_printf(house.arena, "%lld", (long long)events),
                arena_printf(house.arena, "%lld", (long long)wrong));
    }
    house_close(&house);
    if (status != OK) return cli_error(&err);
    return wrong ? EXIT_FAILED : EXIT_DONE;
}

static int verify_package(Str path, Str key) {
    ARENA_AUTO a = arena_create(VERIFY_MEMORY_MAX);
    Error err = {0};
    Faults faults = {0};
    int64_t wrong = 0;
    Value report = v_null();
    Status status = archive_verify(path, key, found, &faults, a, &report, &wrong, &err);
    if (status != OK) return cli_error(&err);
    Buf out = buf_make(a, 4096, 16 << 20);
    json_write_pretty(&out, report);
    printf("%.*s\n", S_FMT(buf_view(&out)));
    if (wrong) cli_complain(T("归档包 {1} 有问题"), path);
    else cli_say(T("归档包 {1} 完整、未被改动"), path);
    return wrong ? EXIT_FAILED : EXIT_DONE;
}

int cmd_verify(int argc, char **argv) {
    Str data = S(""), db = S(""), key_file = S(""), kept = S(""), words[1];
    const Option options[] = {
        OPTION_DATA(&data),
        OPTION_DB(&db),
        {"--checkpoint", "FILE", T("留存在别处的检查点：核对日志没有被整体回退或改写"), &kept, NULL},
        {"--key", "FILE", T("公钥文件 trail.pub（默认数据目录里的）"), &key_file, NULL},
    };
    CommandLine line = {
        .usage = "yizhan verify [--data DIR] [--db URL] [--key FILE] [--checkpoint FILE] [PACKAGE]",
        .about = T("重新计算全部留痕、日志和检查点，核对账目；给出 PACKAGE 时离线核对一个归档包。"),
        .options = options,
        .options_count = sizeof options / sizeof options[0],
        .words = words,
        .words_max = 1};
    const int code = options_parse(&line, argc, argv);
    if (code != OPTIONS_GO) return code;
    ARENA_AUTO a = arena_create(1 << 20);
    Error err = {0};
    Str key = S("");
    if (key_file.len == 0 && line.words_count) {
        const Str own = path_join(a, data.len ? data : S("data"), S("keys/trail.pub"));
        if (file_exists(own, a)) key_file = own;
    }
    if (key_file.len && file_read(key_file, 4096, a, &key, &err) != OK) return cli_error(&err);
    key = str_trim(key);
    Str witness = S("");
    if (kept.len && file_read(kept, CHECKPOINT_FILE_MAX, a, &witness, &err) != OK) {
        return cli_error(&err);
    }
    return line.words_count ? verify_package(words[0], key)
                            : verify_trail(data, db, key, witness);
}
