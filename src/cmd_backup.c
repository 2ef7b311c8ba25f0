// yizhan backup, yizhan restore: the whole data folder as of one moment, while the program runs.
//
// The database is copied first, the files after it: a file is stored before the record that names
// it commits, so the copy holds every file its records name. Both commands write a folder
// NAME.part and rename it at the end: the copy is whole or not there.
#include "house.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_MEMORY_MAX = 256 << 20, COPY_DEPTH_MAX = 8, COPY_PIECE = 1 << 20 };

static Status copy_failed(Str path, Error *err) {
    const Status status = errno == ENOSPC || errno == EDQUOT || errno == EROFS ? NO_SPACE : BROKEN;
    return error_set(err, status, path, "复制失败：{1}", str_z(strerror(errno)));
}

// The rest of `in`, from where it stands; false with errno.
static bool copy_by_hand(int in, int out, Arena *a) {
    ArenaMark mark = arena_mark(a);
    char *piece = arena_alloc_raw(a, COPY_PIECE);
    ssize_t n = 0;
    bool good = true;
    while (good && (n = read(in, piece, COPY_PIECE)) != 0) {
        if (n < 0 && errno == EINTR) continue;
        good = n > 0;
        for (ssize_t done = 0; good && done < n;) {
            const ssize_t w = write(out, piece + done, (size_t)(n - done));
            if (w > 0) done += w;
            else good = w < 0 && errno == EINTR;
        }
    }
    arena_rewind(a, mark);
    return good;
}

static Status copy_file(Str from, Str to, Arena *a, Error *err) {
    struct stat info;
    FD_AUTO in = open(arena_cstr(a, from), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (in < 0 || fstat(in, &info) != 0) return copy_failed(from, err);
    FD_AUTO out = open(arena_cstr(a, to), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                       info.st_mode & 0700);
    if (out < 0) return copy_failed(to, err);
    for (;;) {
        const ssize_t n = copy_file_range(in, NULL, out, NULL, COPY_PIECE, 0);
        if (n == 0) break;
        if (n > 0 || errno == EINTR) continue;
        // Not between these two file systems (a network drive, an old kernel): by hand, from here.
        if (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) {
            return copy_failed(to, err);
        }
        if (!copy_by_hand(in, out, a)) return copy_failed(to, err);
        break;
    }
    return fsync(out) == 0 ? OK : copy_failed(to, err);
}

// The database is not copied as a file (it is being written), temporary files and logs not at all.
static bool is_left_out(Str name, int depth) {
    return str_starts(name, S(".")) ||
           (depth == 0 && (str_starts(name, S("yizhan.db")) || str_eq(name, S("tmp"))));
}

static Status copy_tree(Str from, Str to, int depth, bool with_database, Arena *a, Error *err) {
    Str *names;
    size_t count;
    if (depth > COPY_DEPTH_MAX) return error_set(err, LIMIT, from, "目录层数太多");
    Status status = dir_make(to, 0700, a, err);
    if (status == OK) status = dir_list(from, a, &names, &count, err);
    for (size_t i = 0; status == OK && i < count; i++) {
        struct stat info;
        const Str source = path_join(a, from, names[i]), target = path_join(a, to, names[i]);
        const bool database = with_database && depth == 0 && str_eq(names[i], S("yizhan.db"));
        if (is_left_out(names[i], depth) && !database) continue;
        if (lstat(arena_cstr(a, source), &info) != 0) return copy_failed(source, err);
        if (S_ISDIR(info.st_mode)) {
            status = copy_tree(source, target, depth + 1, with_database, a, err);
        } else if (S_ISREG(info.st_mode)) {
            status = copy_file(source, target, a, err);
        }
    }
    return status;
}

static Status put_in_place(Str part, Str target, Arena *a, Error *err) {
    FD_AUTO folder = open(arena_cstr(a, part), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || fsync(folder) != 0) return copy_failed(part, err);
    if (rename(arena_cstr(a, part), arena_cstr(a, target)) != 0) return copy_failed(target, err);
    return OK;
}

static Status must_be_new(Str target, Arena *a, Error *err) {
    if (!file_exists(target, a)) return OK;
    return error_set(err, CONFLICT, target, "已经存在，请换一个名称");
}

static Status backup(const House *h, Str target, Arena *a, Error *err) {
    const Str part = arena_concat(a, (Str[]){target, S(".part")}, 2);
    Status status = must_be_new(target, a, err);
    if (status == OK) status = must_be_new(part, a, err);
    if (status == OK) status = dir_make(part, 0700, a, err);
    if (status == OK) status = store_backup(h->store, path_join(a, part, S("yizhan.db")), err);
    if (status == OK) status = copy_tree(h->data_dir, part, 0, false, a, err);
    return status == OK ? put_in_place(part, target, a, err) : status;
}

int cmd_backup(int argc, char **argv) {
    Str data = S(""), db = S(""), words[1];
    const Option options[] = {OPTION_DATA(&data), OPTION_DB(&db)};
    CommandLine line = {
        .usage = "yizhan backup [--data DIR] TARGET",
        .about = T("把数据库、文件和密钥备份成新目录 TARGET；服务可以继续运行。PostgreSQL 请用 pg_dump。"),
        .options = options,
        .options_count = sizeof options / sizeof options[0],
        .words = words,
        .words_max = 1};
    const int code = options_parse(&line, argc, argv);
    if (code != OPTIONS_GO) return code;
    if (line.words_count == 0) {
        cli_complain(T("请给出备份目录的名称"));
        return EXIT_USAGE;
    }
    House house;
    Error err = {0};
    Status status = house_open(&(HouseOptions){.data = data, .db = db, .no_writer = true}, &house,
                               &err);
    if (status != OK) return cli_error(&err);
    ARENA_AUTO a = arena_create(COPY_MEMORY_MAX);
    status = backup(&house, words[0], a, &err);
    house_close(&house);
    if (status != OK) return cli_error(&err);
    cli_say(T("已备份到 {1}"), words[0]);
    return EXIT_DONE;
}

static Status restore(Str source, Str target, Arena *a, Error *err) {
    const Str part = arena_concat(a, (Str[]){target, S(".part")}, 2);
    const Str database = path_join(a, source, S("yizhan.db"));
    if (!file_exists(database, a)) {
        return error_set(err, NOT_FOUND, database, "这不是 yizhan backup 做的备份");
    }
    Status status = must_be_new(target, a, err);
    if (status == OK) status = must_be_new(part, a, err);
    if (status == OK) status = copy_tree(source, part, 0, true, a, err);
    if (status != OK) return status;
    House house;
    status = house_open(&(HouseOptions){.data = part}, &house, err);
    if (status != OK) return status;
    status = store_check(house.store, err);
    house_close(&house);
    return status == OK ? put_in_place(part, target, a, err) : status;
}

int cmd_restore(int argc, char **argv) {
    Str data = S(""), words[1];
    const Option options[] = {OPTION_DATA(&data)};
    CommandLine line = {
        .usage = "yizhan restore [--data DIR] BACKUP",
        .about = T("由备份目录 BACKUP 恢复成新的数据目录并检查；随后可用 yizhan verify 核对留痕。"),
        .options = options,
        .options_count = sizeof options / sizeof options[0],
        .words = words,
        .words_max = 1};
    const int code = options_parse(&line, argc, argv);
    if (code != OPTIONS_GO) return code;
    if (line.words_count == 0) {
        cli_complain(T("请给出备份目录的名称"));
        return EXIT_USAGE;
    }
    ARENA_AUTO a = arena_create(COPY_MEMORY_MAX);
    Error err = {0};
    const Str target = data.len ? data : S("data");
    Status status = restore(words[0], target, a, &err);
    if (status != OK) return cli_error(&err);
    cli_say(T("已恢复到 {1}"), target);
    return EXIT_DONE;
}
