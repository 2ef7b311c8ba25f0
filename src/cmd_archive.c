// yizhan archive: writes the archive package of one finished case, which `yizhan verify` checks
// offline.
#include "case/archive.h"
#include "house.h"

enum { ARCHIVE_MEMORY_MAX = 512 << 20 };

// The package proves that its events are in the log, so what is not sealed yet is sealed first.
static Status archive(House *h, Str number, Str path, Arena *a, Error *err) {
    uint64_t size = 0;
    Instant now = clock_now();
    DB_AUTO db = NULL;
    Status status = trail_seal(h->store, h->key, now, &size, err);
    if (status == OK) status = store_read(h->store, &db, err);
    if (status == OK) status = archive_write(h->cases, db, h->key, number, path, now, a, err);
    return status;
}

int cmd_archive(int argc, char **argv) {
    HouseOptions o = {0};
    Str words[2];
    const Option options[] = {
        OPTION_DATA(&o.data),
        OPTION_DB(&o.db),
        {"--url", "URL", T("网站地址，印在文书的二维码里"), &o.public_url, NULL},
    };
    CommandLine line = {.usage = "yizhan archive [--data DIR] [--db URL] NUMBER FILE.zip",
                        .about = T("写出一个办结办件的归档包，任何人都可以离线核对"),
                        .options = options,
                        .options_count = sizeof options / sizeof *options,
                        .words = words,
                        .words_max = 2};
    int code = options_parse(&line, argc, argv);
    if (code != OPTIONS_GO) return code;
    if (line.words_count != 2) {
        cli_complain(T("请写明办件编号和要写的文件：{1}"), str_z(line.usage));
        return EXIT_USAGE;
    }
    House h = {0};
    Error err = {.status = OK};
    if (house_open(&o, &h, &err) != OK) return cli_error(&err);
    Arena *a = arena_create(ARCHIVE_MEMORY_MAX);
    Status status = archive(&h, words[0], words[1], a, &err);
    if (status == OK) cli_say(T("已写出归档包 {1}"), words[1]);
    arena_free(a);
    house_close(&h);
    return status == OK ? EXIT_DONE : cli_error(&err);
}
