// The body of a request; the contract is body.h. Files are opened O_TMPFILE-less, by an unguessable
// name in DATA/tmp, because a command takes one over by renaming it. What a crash leaves there is
// swept when the server starts (http.c).
#include "web/body.h"

#include "base/crypto.h"
#include "base/file.h"
#include "value/json.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

struct Body {
    Arena *arena;
    BodyKind kind;
    Str data_dir;
    Buf text;           // form, JSON, or the field being read
    size_t text_bytes;  // of all fields
    int64_t file_bytes; // of all files
    FieldSet fields;
    Multipart *multipart;
    Upload uploads[HTTP_UPLOADS_MAX];
    size_t uploads_count;
    bool in_file;
    Str field; // name of the part being read
    int fd;
    EVP_MD_CTX *digest;
};

bool body_kind(Str content_type, BodyKind *ret, Str *ret_boundary) {
    Str rest = content_type;
    const Str type = str_trim(str_cut(&rest, ';'));
    if (str_eq_nocase(type, S("application/x-www-form-urlencoded"))) *ret = BODY_FORM;
    else if (str_eq_nocase(type, S("application/json"))) *ret = BODY_JSON;
    else if (multipart_boundary(content_type, ret_boundary)) *ret = BODY_MULTIPART;
    else return false;
    return true;
}

// ---- parts of a multipart body ---------------------------------------------------------------

static Status disk_error(Error *err) {
    if (errno == ENOSPC || errno == EDQUOT || errno == EROFS) {
        return error_set(err, NO_SPACE, S(""), "磁盘空间不足或只读，文件没有保存，请稍后再试");
    }
    return error_set(err, BROKEN, S(""), "文件没有保存成功：{1}", str_z(strerror(errno)));
}

static Status begin_file(Body *b, const MultipartPart *part, Error *err) {
    if (b->uploads_count >= HTTP_UPLOADS_MAX) {
        return error_set(err, LIMIT, b->field, "一次上传的文件太多，最多 20 个");
    }
    const Str folder = path_join(b->arena, b->data_dir, S("tmp"));
    const Str path = path_join(
        b->arena, folder, arena_printf(b->arena, "up-%.*s", S_FMT(random_token(16, b->arena))));
    b->fd = open(arena_cstr(b->arena, path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (b->fd < 0) return disk_error(err);
    b->uploads[b->uploads_count++] = (Upload){
        .field = b->field,
        .file_name = arena_str(b->arena, part->file_name),
        .path = path,
        .type = arena_str(b->arena, part->type),
    };
    b->digest = EVP_MD_CTX_new();
    if (!b->digest || EVP_DigestInit_ex(b->digest, EVP_sha256(), NULL) != 1) {
        return error_set(err, BROKEN, b->field, "无法计算文件的摘要");
    }
    return OK;
}

static Status part_begin(void *ctx, const MultipartPart *part, Error *err) {
    Body *b = ctx;
    b->field = arena_str(b->arena, part->name);
    // A browser sends an empty, nameless file for a file input that was left empty.
    b->in_file = part->is_file && part->file_name.len > 0;
    if (b->in_file) return begin_file(b, part, err);
    b->text = buf_make(b->arena, 64, HTTP_BODY_MAX);
    return OK;
}

static Status write_file(Body *b, Str bytes, Error *err) {
    Upload *u = &b->uploads[b->uploads_count - 1];
    u->size += (int64_t)bytes.len;
    b->file_bytes += (int64_t)bytes.len;
    if (u->size > HTTP_UPLOAD_MAX) {
        return error_set(err, LIMIT, b->field, "文件太大，每个文件最大 50 MB");
    }
    if (b->file_bytes > HTTP_UPLOADS_BYTES_MAX) {
        return error_set(err, LIMIT, b->field, "一次上传的文件合计太大，最大 200 MB");
    }
    if (EVP_DigestUpdate(b->digest, bytes.ptr, bytes.len) != 1) {
        return error_set(err, BROKEN, b->field, "无法计算文件的摘要");
    }
    while (bytes.len) {
        const ssize_t n = write(b->fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return disk_error(err);
        bytes = str_sub(bytes, (size_t)n, bytes.len);
    }
    return OK;
}

static Status add_text(Body *b, Str bytes, Error *err) {
    b->text_bytes += bytes.len;
    if (b->text_bytes > HTTP_BODY_MAX) {
        return error_set(err, LIMIT, S(""), "提交的内容太大，最大 1 MB（文件除外）");
    }
    buf_str(&b->text, bytes);
    return OK;
}

static Status part_data(void *ctx, Str bytes, Error *err) {
    Body *b = ctx;
    return b->in_file ? write_file(b, bytes, err) : add_text(b, bytes, err);
}

static Status end_file(Body *b, Error *err) {
    Upload *u = &b->uploads[b->uploads_count - 1];
    Hash hash;
    unsigned size = 0;
    const bool hashed = EVP_DigestFinal_ex(b->digest, hash.bytes, &size) == 1;
    EVP_MD_CTX_free(b->digest);
    b->digest = NULL;
    const int closed = close(b->fd);
    b->fd = -1;
    if (!hashed) return error_set(err, BROKEN, b->field, "无法计算文件的摘要");
    if (closed != 0) return disk_error(err);
    u->hash = hash_hex(&hash, b->arena);
    return OK;
}

static Status part_end(void *ctx, Error *err) {
    Body *b = ctx;
    if (b->in_file) return end_file(b, err);
    return fieldset_add(&b->fields, b->field, buf_view(&b->text), err);
}

// ---- the whole -------------------------------------------------------------------------------

Body *body_create(BodyKind kind, Str boundary, Str data_dir, Arena *a) {
    Body *b = arena_new(a, Body);
    *b = (Body){.arena = a, .kind = kind, .data_dir = data_dir, .fd = -1};
    b->fields = fieldset_make(a);
    if (kind == BODY_MULTIPART) {
        b->multipart = arena_new(a, Multipart);
        multipart_init(b->multipart, boundary,
                       (MultipartSink){b, part_begin, part_data, part_end});
    } else {
        b->text = buf_make(a, 1024, HTTP_BODY_MAX);
    }
    return b;
}

Status body_feed(Body *b, Str bytes, Error *err) {
    if (b->kind == BODY_MULTIPART) return multipart_feed(b->multipart, bytes, err);
    return add_text(b, bytes, err);
}

static Status finish_json(Body *b, Value *ret, Error *err) {
    Value v;
    Status status = json_parse(buf_view(&b->text), JSON_STRICT, (JsonLimits){0}, b->arena, &v, err);
    if (status != OK) return status;
    if (v.kind != V_CONTEXT) return error_set(err, INVALID, S(""), "JSON 的最外层应是对象");
    *ret = v;
    return OK;
}

Status body_finish(Body *b, Value *ret_input, Upload **ret_uploads, size_t *ret_count,
                   Error *err) {
    Status status = OK;
    Value input = v_null();
    if (b->kind == BODY_JSON) {
        status = finish_json(b, &input, err);
    } else if (b->kind == BODY_FORM) {
        status = urlencoded_parse(buf_view(&b->text), b->arena, &input, err);
    } else if (b->kind == BODY_MULTIPART) {
        status = multipart_finish(b->multipart, err);
        input = fieldset_done(&b->fields);
    }
    if (status != OK) return status;
    *ret_input = input;
    *ret_uploads = b->uploads;
    *ret_count = b->uploads_count;
    return OK;
}

void body_discard(Body *b) {
    if (b->fd >= 0) (void)close(b->fd);
    b->fd = -1;
    EVP_MD_CTX_free(b->digest);
    b->digest = NULL;
    for (size_t i = 0; i < b->uploads_count; i++) {
        (void)unlink(arena_cstr(b->arena, b->uploads[i].path)); // gone already when it was taken
    }
    b->uploads_count = 0;
}
