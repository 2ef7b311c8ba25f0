// Assets: the bundled styles, scripts and fonts, out of the binary under /assets/. With the right
// ?v= they may be kept for ever. Each is compressed once, when it is first asked for.
#include "web/exchange.h"

#include "base/embed.h"
#include "base/file.h"

#include <pthread.h>

enum { ASSET_SIZE_MAX = 16 << 20, ASSET_GZIP_LEVEL = 9, ASSET_GZIP_MIN = 1024 };
#define ASSET_FOLDER "ui/dist/"

typedef struct Asset {
    const EmbeddedFile *file;
    Str gzip; // empty ptr: not made yet; length 0: not worth it
    bool made;
} Asset;

typedef struct Assets {
    pthread_mutex_t lock; // over arena and gzip
    Arena *arena;
    Asset *items;
    size_t count;
} Assets;

Str mime_of(Str path) {
    static const struct {
        const char *suffix, *type;
    } types[] = {
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".json", "application/json; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".jpg", "image/jpeg"},
        {".woff2", "font/woff2"},
        {".woff", "font/woff"},
        {".txt", "text/plain; charset=utf-8"},
        {".html", "text/html; charset=utf-8"},
        {".pdf", "application/pdf"},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (str_ends(path, str_z(types[i].suffix))) return str_z(types[i].type);
    }
    return S("application/octet-stream");
}

// "fonts/a-b.woff2" → fonts_a_b_woff2, a name FEEL can read.
static Str link_name(Str path, Arena *a) {
    char *name = arena_alloc_raw(a, path.len);
    for (size_t i = 0; i < path.len; i++) {
        const char c = path.ptr[i];
        const bool plain =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        name[i] = plain ? c : '_';
    }
    return str_of(name, path.len);
}

Status assets_load(App *app, Arena *a, struct Assets **ret, Value *ret_links, Error *err) {
    const Str folder = S(ASSET_FOLDER);
    Assets *assets = arena_new(a, Assets);
    if (pthread_mutex_init(&assets->lock, NULL) != 0) {
        return error_set(err, BROKEN, S(""), "系统资源不足，无法启动");
    }
    assets->arena = arena_create(64 << 20);
    assets->items = arena_array(a, Asset, embed_count());
    ContextBuilder links = context_make(a);
    for (size_t i = 0; i < embed_count(); i++) {
        const EmbeddedFile *file = embed_at(i);
        if (!str_starts(file->path, folder)) continue;
        assets->items[assets->count++].file = file;
        const Str path = str_sub(file->path, folder.len, file->path.len);
        const Str version = app->dev ? S("dev") : file->etag;
        context_put(&links, link_name(path, a),
                    v_str(arena_printf(a, "/assets/%.*s?v=%.*s", S_FMT(path), S_FMT(version))));
    }
    *ret = assets;
    *ret_links = context_done(&links);
    return OK;
}

void assets_free(struct Assets *assets) {
    if (!assets) return;
    arena_free(assets->arena);
    (void)pthread_mutex_destroy(&assets->lock);
}

static Asset *find(Assets *assets, Str path) {
    for (size_t i = 0; i < assets->count; i++) { // a handful
        const Str name = assets->items[i].file->path;
        if (str_eq(str_sub(name, sizeof ASSET_FOLDER - 1, name.len), path))
            return &assets->items[i];
    }
    return NULL;
}

static Str compressed(Assets *assets, Asset *asset) {
    (void)pthread_mutex_lock(&assets->lock);
    if (!asset->made) {
        asset->made = true;
        if (asset->file->data.len >= ASSET_GZIP_MIN &&
            !gzip_bytes(asset->file->data, ASSET_GZIP_LEVEL, assets->arena, &asset->gzip)) {
            asset->gzip = S("");
        }
    }
    const Str gzip = asset->gzip;
    (void)pthread_mutex_unlock(&assets->lock);
    return gzip;
}

static void answer_missing(Exchange *ex) {
    Errors errs = errors_make(ex->arena);
    (void)errors_add(&errs, NOT_FOUND, S(""), "没有这个页面，请检查地址");
    answer_errors(ex, 404, &errs);
}

static void answer_from_disk(Exchange *ex) {
    Str data;
    Error err;
    const Str path = path_join(ex->arena, S("ui/dist"), ex->asset);
    if (!path_safe(ex->asset) || file_read(path, ASSET_SIZE_MAX, ex->arena, &data, &err) != OK) {
        answer_missing(ex);
        return;
    }
    Reply reply = {.status = 200, .body = data, .type = mime_of(path)};
    answer_reply(ex, &reply);
}

void answer_asset(Exchange *ex) {
    if (ex->app->dev) {
        answer_from_disk(ex);
        return;
    }
    Asset *asset = find(ex->app->web->assets, ex->asset);
    if (!asset) {
        answer_missing(ex);
        return;
    }
    const Str version = v_text(v_get(ex->rq.query, S("v")));
    Reply reply = {.status = 200,
                   .body = asset->file->data,
                   .type = mime_of(asset->file->path),
                   .etag = asset->file->etag,
                   .cacheable_forever = str_eq(version, asset->file->etag)};
    const bool text =
        str_find(reply.type, S("charset")) >= 0 || str_find(reply.type, S("svg")) >= 0;
    const Str gzip = text && accepts_gzip(ex) ? compressed(ex->app->web->assets, asset) : S("");
    answer_reply(ex, &reply);
    if (ex->status != 200 || gzip.len == 0) return;
    answer_header(ex, S("Content-Encoding"), S("gzip"));
    ex->out_body = gzip;
    ex->out_size = (int64_t)gzip.len;
}
