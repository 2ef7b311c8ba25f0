// What is made once before the first request: routes, assets, the key of visitors' form tokens.
#include "web/exchange.h"

#include "base/crypto.h"
#include "base/file.h"

enum { FORM_KEY_SIZE = 32 };

// The nodes of a county share the file, so that a form opened at one may be sent to another.
static Status read_form_key(const App *app, Arena *a, Web *web, Error *err) {
    const Str folder = path_join(a, app->data_dir, S("keys"));
    const Str path = path_join(a, folder, S("web.key"));
    Str key;
    if (!file_exists(path, a)) {
        Status status = dir_make(folder, 0700, a, err);
        if (status != OK) return status;
        char fresh[FORM_KEY_SIZE];
        random_bytes(fresh, sizeof fresh);
        status = file_write(path, str_of(fresh, sizeof fresh), 0600, a, err);
        if (status != OK) return status;
    }
    Status status = file_read(path, FORM_KEY_SIZE, a, &key, err);
    if (status != OK) return status;
    if (key.len != FORM_KEY_SIZE) {
        return error_set(err, BROKEN, path, "密钥文件应为 32 字节；删除后重启会重新生成");
    }
    memcpy(web->form_key, key.ptr, FORM_KEY_SIZE);
    return OK;
}

static Status add_routes(Web *web, const Route *table, size_t n, Error *err) {
    for (size_t i = 0; i < n; i++) {
        const Route *route = &table[i];
        const Str pattern = str_z(route->pattern);
        if (!route->handler && !route->command) {
            return error_set(err, BROKEN, pattern, "路由没有处理程序");
        }
        if (route->command && !command_find(str_z(route->command))) {
            return error_set(err, BROKEN, pattern, "没有指令“{1}”", str_z(route->command));
        }
        Status status = router_add(web->router, route, err);
        if (status != OK) return status;
    }
    return OK;
}

Status app_prepare(App *app, Arena *a, Error *err) {
    Web *web = arena_new(a, Web);
    web->arena = a;
    web->router = router_create(a);
    if (app->version.len == 0) app->version = S("0.1.0");
    Status status = app->templates ? OK : app_load_templates(app, a, err);
    if (status == OK) status = read_form_key(app, a, web, err);
    if (status == OK) status = add_routes(web, web_routes, web_routes_count, err);
    for (size_t i = 0; status == OK && app->route_tables && app->route_tables[i]; i++) {
        status = add_routes(web, app->route_tables[i], app->route_counts[i], err);
    }
    if (status == OK) status = assets_load(app, a, &web->assets, &web->asset_links, err);
    if (status == OK) app->web = web;
    return status;
}

void app_release(App *app) {
    if (!app->web) return;
    assets_free(app->web->assets);
    app->web = NULL;
}
