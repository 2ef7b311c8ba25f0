// Files of cases. Whoever uploads says a name; what the file is, its first bytes say, and both must
// agree. A zip, and what is made of zips (ofd, docx, xlsx), is unpacked once to nowhere: entries,
// sizes and ratios are bounded, names may not lead out of a folder, nothing may be encrypted.
//
// A file is renamed into its place after it was synced, and recorded after that: a recorded file is
// always there, a file without a record is only space.
#include "case/file_store.h"

#include "base/crypto.h"
#include "base/file.h"
#include "trail/event.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

enum { NAME_MAX_BYTES = 255, HEAD_SIZE = 64, PIXELS_MAX = 200 << 20, RATIO_FREE = 1 << 20 };

typedef enum FileType {
    TYPE_NONE, TYPE_PDF, TYPE_JPG, TYPE_PNG, TYPE_ZIP, TYPE_OFD, TYPE_DOCX, TYPE_XLSX,
} FileType;

static const Str mime_types[] = {
    [TYPE_NONE] = S_INIT(""),
    [TYPE_PDF] = S_INIT("application/pdf"),
    [TYPE_JPG] = S_INIT("image/jpeg"),
    [TYPE_PNG] = S_INIT("image/png"),
    [TYPE_ZIP] = S_INIT("application/zip"),
    [TYPE_OFD] = S_INIT("application/ofd"),
    [TYPE_DOCX] =
        S_INIT("application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    [TYPE_XLSX] = S_INIT("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
};

static const struct {
    Str ending;
    FileType type;
} endings[] = {
    {S_INIT(".pdf"), TYPE_PDF},   {S_INIT(".jpg"), TYPE_JPG}, {S_INIT(".jpeg"), TYPE_JPG},
    {S_INIT(".png"), TYPE_PNG},   {S_INIT(".zip"), TYPE_ZIP}, {S_INIT(".ofd"), TYPE_OFD},
    {S_INIT(".docx"), TYPE_DOCX}, {S_INIT(".xlsx"), TYPE_XLSX},
};

static FileType type_of_name(Str name) {
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = endings[i].ending.len;
        if (name.len > n && str_eq_nocase(str_sub(name, name.len - n, name.len),
                                          endings[i].ending)) {
            return endings[i].type;
        }
    }
    return TYPE_NONE;
}

static uint32_t big_endian(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

// By the first bytes; zips are told apart by what is in them.
static FileType type_of_head(Str head) {
    static const struct {
        Str magic;
        FileType type;
    } signatures[] = {
        {S_INIT("%PDF-"), TYPE_PDF},
        {S_INIT("\xff\xd8\xff"), TYPE_JPG},
        {S_INIT("\x89PNG\r\n\x1a\n"), TYPE_PNG},
        {S_INIT("PK\x03\x04"), TYPE_ZIP},
    };
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        if (str_starts(head, signatures[i].magic)) return signatures[i].type;
    }
    return TYPE_NONE;
}

// A picture of a size that no viewer could open.
static bool png_huge(Str head) {
    if (head.len < 24) return true;
    const uint8_t *p = (const uint8_t *)head.ptr;
    uint64_t width = big_endian(p + 16), height = big_endian(p + 20);
    return width == 0 || height == 0 || width * height > PIXELS_MAX;
}

// ---- zips ----

typedef struct Unzip {
    zip_t *zip;
    Str name; // of the file, for messages
    int64_t total;
    bool ofd, types, word, sheets;
    Errors *errs;
} Unzip;

static Status zip_refuse(const Unzip *u, const char *text) {
    return errors_fill(u->errs, INVALID, S("file"), text, (Str[ERROR_ARGS]){u->name});
}
#define ZIP_DAMAGED "压缩文件“{1}”已损坏"
#define ZIP_TOO_BIG "压缩文件“{1}”解压后过大"

static Status entry_name_check(Unzip *u, Str entry) {
    Str plain = str_ends(entry, S("/")) ? str_sub(entry, 0, entry.len - 1) : entry;
    if (!path_safe(plain)) return zip_refuse(u, "压缩文件“{1}”里有不安全的文件名");
    if (str_ends(plain, S(".zip")) || str_ends(plain, S(".ZIP"))) {
        return zip_refuse(u, "压缩文件“{1}”里还有压缩文件，请解开后再上传");
    }
    u->ofd = u->ofd || str_eq(plain, S("OFD.xml"));
    u->types = u->types || str_eq(plain, S("[Content_Types].xml"));
    u->word = u->word || str_starts(plain, S("word/"));
    u->sheets = u->sheets || str_starts(plain, S("xl/"));
    return OK;
}

// What an entry says of its size may be a lie, so it is unpacked and counted.
static Status entry_unpack(Unzip *u, zip_uint64_t index) {
    char bytes[16384];
    zip_file_t *entry = zip_fopen_index(u->zip, index, 0);
    if (!entry) return zip_refuse(u, ZIP_DAMAGED);
    zip_int64_t n = 0;
    while (u->total <= FILE_ZIP_TOTAL_MAX && (n = zip_fread(entry, bytes, sizeof bytes)) > 0) {
        u->total += n;
    }
    (void)zip_fclose(entry);
    if (u->total > FILE_ZIP_TOTAL_MAX) return zip_refuse(u, ZIP_TOO_BIG);
    return n < 0 ? zip_refuse(u, ZIP_DAMAGED) : OK;
}

static Status entry_check(Unzip *u, zip_uint64_t index) {
    zip_stat_t st;
    zip_stat_init(&st);
    const zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
    if (zip_stat_index(u->zip, index, ZIP_FL_ENC_RAW, &st) != 0 || (st.valid & needed) != needed) {
        return zip_refuse(u, ZIP_DAMAGED);
    }
    if ((st.valid & ZIP_STAT_ENCRYPTION_METHOD) && st.encryption_method != ZIP_EM_NONE) {
        return zip_refuse(u, "压缩文件“{1}”有密码，请去掉密码后再上传");
    }
    Status status = entry_name_check(u, str_z(st.name));
    if (status != OK) return status;
    // Ratios of little texts may be high without harm.
    if (st.size > (zip_uint64_t)FILE_ZIP_TOTAL_MAX ||
        (st.size > RATIO_FREE && st.size / FILE_ZIP_RATIO_MAX > st.comp_size)) {
        return zip_refuse(u, ZIP_TOO_BIG);
    }
    return entry_unpack(u, index);
}

static Status zip_check(Str path, Str name, Arena *a, FileType *ret, Errors *errs) {
    Unzip u = {.name = name, .errs = errs};
    u.zip = zip_open(arena_cstr(a, path), ZIP_RDONLY | ZIP_CHECKCONS, NULL);
    if (!u.zip) return zip_refuse(&u, ZIP_DAMAGED);
    zip_int64_t entries = zip_get_num_entries(u.zip, 0);
    Status st = OK;
    if (entries > FILE_ZIP_ENTRIES_MAX) st = zip_refuse(&u, "压缩文件“{1}”里的文件过多");
    for (zip_int64_t i = 0; st == OK && i < entries; i++) st = entry_check(&u, (zip_uint64_t)i);
    zip_discard(u.zip);
    if (st != OK) return st;
    *ret = u.ofd                ? TYPE_OFD
           : u.types && u.word   ? TYPE_DOCX
           : u.types && u.sheets ? TYPE_XLSX
                                 : TYPE_ZIP;
    return OK;
}

// ---- taking ----

static bool hash_valid(Str hash) {
    if (hash.len != 2 * SHA256_SIZE) return false;
    for (size_t i = 0; i < hash.len; i++) {
        char c = hash.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
    }
    return true;
}

static Str place_of(Str data_dir, Str hash, Arena *a, Str *ret_folder) {
    Str folder = path_join(a, path_join(a, data_dir, S("files")), str_sub(hash, 0, 2));
    *ret_folder = folder;
    return path_join(a, folder, hash);
}

static Status system_error(Errors *errs, int number) {
    if (number == ENOSPC || number == EROFS || number == EDQUOT) {
        return errors_add(errs, NO_SPACE, S("file"), "磁盘空间不足或只读，文件没有保存");
    }
    return errors_add(errs, BROKEN, S("file"), "文件没有保存：{1}", str_z(strerror(number)));
}

static Status type_check(int fd, Str temp_path, Str name, Arena *a, FileType *ret, Errors *errs) {
    char bytes[HEAD_SIZE];
    ssize_t n = pread(fd, bytes, sizeof bytes, 0);
    if (n < 0) return system_error(errs, errno);
    Str head = str_of(bytes, (size_t)n);
    FileType named = type_of_name(name), found = type_of_head(head);
    if (n == 0) return errors_add(errs, INVALID, S("file"), "文件“{1}”是空的", name);
    if (named == TYPE_NONE || found == TYPE_NONE) {
        return errors_add(errs, INVALID, S("file"),
                          "文件“{1}”的类型不能接收，请上传 PDF、JPG、PNG、OFD、DOCX、XLSX 或 ZIP", name);
    }
    if (found == TYPE_PNG && png_huge(head)) {
        return errors_add(errs, INVALID, S("file"), "图片“{1}”的尺寸过大或不对", name);
    }
    if (found == TYPE_ZIP) {
        Status st = zip_check(temp_path, name, a, &found, errs);
        if (st != OK) return st;
    }
    if (found != named) {
        return errors_add(errs, INVALID, S("file"), "文件“{1}”的内容与扩展名不符", name);
    }
    *ret = found;
    return OK;
}

// Synced, renamed, the folder synced.
static Status put_in_place(int fd, Str temp_path, Str data_dir, Str hash, Arena *a, Errors *errs) {
    Error e = {.status = OK};
    Str folder, place = place_of(data_dir, hash, a, &folder);
    if (dir_make(folder, 0700, a, &e) != OK) return errors_push(errs, &e);
    const char *from = arena_cstr(a, temp_path), *to = arena_cstr(a, place);
    if (access(to, F_OK) == 0) { // the same bytes are there already
        (void)unlink(from);
        return OK;
    }
    if (fchmod(fd, 0600) != 0 || fsync(fd) != 0 || rename(from, to) != 0) {
        return system_error(errs, errno);
    }
    FD_AUTO folder_fd = open(arena_cstr(a, folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd < 0 || fsync(folder_fd) != 0) return system_error(errs, errno);
    return OK;
}

typedef struct Record {
    Str hash, type;
    int64_t size;
} Record;

static Status record(Tx *tx, void *arg, Errors *errs) {
    const Record *r = arg;
    Error e = {.status = OK};
    int64_t changed = 0;
    Query *q = query(tx_db(tx), "INSERT INTO file (hash, size, type, created_at) "
                                "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (hash) DO NOTHING");
    query_str(q, 1, r->hash);
    query_int(q, 2, r->size);
    query_str(q, 3, r->type);
    query_int(q, 4, tx_now(tx));
    if (query_run(q, &changed, &e) != OK) return errors_push(errs, &e);
    if (changed == 0) return OK; // known
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_lit(&b, "hash", v_str(r->hash));
    context_put_lit(&b, "size", v_int(r->size));
    context_put_lit(&b, "type", v_str(r->type));
    Event event = {.kind = S("file.stored"), .data = context_done(&b)};
    return event_append(tx, &event, errs);
}

Status file_take(Store *s, Str data_dir, Str temp_path, Str name, Str hash, int64_t size,
                 Instant now, Arena *a, Value *ret, Errors *errs) {
    if (name.len == 0 || name.len > NAME_MAX_BYTES || !str_utf8_valid(name) || !path_safe(name) ||
        str_find(name, S("/")) >= 0) {
        return errors_add(errs, INVALID, S("file"), "文件名为空、过长或含有不允许的字符");
    }
    if (!hash_valid(hash)) return errors_add(errs, INVALID, S("file"), "文件的摘要不对");
    FD_AUTO fd = open(arena_cstr(a, temp_path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) return system_error(errs, errno);
    if (!S_ISREG(st.st_mode) || st.st_size != size) {
        return errors_add(errs, INVALID, S("file"), "文件没有传完，请重新上传");
    }
    FileType type = TYPE_NONE;
    Status status = type_check(fd, temp_path, name, a, &type, errs);
    if (status != OK) return status;
    status = put_in_place(fd, temp_path, data_dir, hash, a, errs);
    if (status != OK) return status;
    Record r = {.hash = hash, .type = mime_types[type], .size = size};
    status = store_write(s, record, &r, a, now, errs);
    if (status != OK) return status;
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "hash", v_str(hash));
    context_put_lit(&b, "size", v_int(size));
    context_put_lit(&b, "type", v_str(r.type));
    *ret = context_done(&b);
    return OK;
}

Status file_path(Str data_dir, Str hash, Arena *a, Str *ret, Error *err) {
    Str folder;
    if (!hash_valid(hash)) return error_set(err, NOT_FOUND, S("file"), "没有这个文件");
    Str place = place_of(data_dir, hash, a, &folder);
    if (!file_exists(place, a)) return error_set(err, NOT_FOUND, S("file"), "没有这个文件");
    *ret = place;
    return OK;
}
