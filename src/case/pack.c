// Reads packs and compiles them: item.json into an Item, form.json and forms/ into Forms,
// guide.dmn and rules.dmn into decision models, flow.bpmn into a Flow, letters/ over the county's
// letters into templates. Every fault is collected, each with its file and place.
//
// Limits: PACK_FILES_MAX files of PACK_FILE_SIZE_MAX bytes, PACK_SIZE_MAX together.
#include "base/crypto.h"
#include "base/embed.h"
#include "base/file.h"
#include "case/pack.h"

static const Str LETTERS_FOLDER = S_INIT("packs/letters/");

void pack_fault_fill(const PackFault *f, Str path, const char *text, const Str args[ERROR_ARGS]) {
    Str where = f->file;
    if (path.len > 0) where = arena_concat(f->arena, (Str[]){f->file, S(":"), path}, 3);
    (void)errors_fill(f->errs, INVALID, where, text, args);
}

Status pack_faults_since(const Errors *errs, size_t before) {
    if (errs->count > before) return errs->items[before].status;
    return errs->more ? LIMIT : OK;
}

bool pack_code_valid(Str code) {
    if (code.len == 0 || code.len > ITEM_CODE_MAX) return false;
    for (size_t i = 0; i < code.len; i++) {
        char c = code.ptr[i];
        bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    c == '-' || c == '_' || c == '.';
        if (!good) return false;
    }
    return true;
}

bool pack_name_valid(Str name) {
    if (name.len == 0 || name.len > ITEM_CODE_MAX) return false;
    if (name.ptr[0] >= '0' && name.ptr[0] <= '9') return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    c == '_';
        if (!good) return false;
    }
    return true;
}

Str pack_path_name(Str path, Str folder, Str ending) {
    if (!str_starts(path, folder) || !str_ends(path, ending) ||
        path.len <= folder.len + ending.len) {
        return S("");
    }
    Str name = str_sub(path, folder.len, path.len - ending.len);
    return str_find(name, S("/")) < 0 ? name : S("");
}

// ---- reading ----

static bool belongs(Str name) {
    return name.len > 0 && name.ptr[0] != '.' && !str_eq(name, S("README.md")) &&
           !str_ends(name, S("~"));
}

static Status read_one(Str folder, Str name, Arena *a, ContextBuilder *files, size_t *size,
                       Error *err) {
    Str text;
    Status st = file_read(path_join(a, folder, name), PACK_FILE_SIZE_MAX, a, &text, err);
    if (st != OK) return st;
    *size += text.len;
    if (files->len >= PACK_FILES_MAX || *size > PACK_SIZE_MAX) {
        return error_set(err, LIMIT, folder, "事项包的文件过多或过大");
    }
    if (!context_put_once(files, name, v_str(text))) {
        return error_set(err, INVALID, name, "事项包里文件名重复");
    }
    return OK;
}

static Status read_folder(Str folder, Arena *a, Value *ret, Error *err) {
    static const Str subfolders[] = {S_INIT("letters"), S_INIT("forms"), S_INIT("examples")};
    ContextBuilder files = context_make(a);
    size_t size = 0, count = 0;
    Str *names;
    Status st = dir_list(folder, a, &names, &count, err);
    if (st != OK) return st;
    for (size_t i = 0; i < count; i++) {
        bool is_subfolder = false;
        for (size_t k = 0; k < sizeof subfolders / sizeof *subfolders; k++) {
            is_subfolder = is_subfolder || str_eq(names[i], subfolders[k]);
        }
        if (is_subfolder || !belongs(names[i])) continue;
        st = read_one(folder, names[i], a, &files, &size, err);
        if (st != OK) return st;
    }
    for (size_t k = 0; k < sizeof subfolders / sizeof *subfolders; k++) {
        Str sub = path_join(a, folder, subfolders[k]);
        if (!file_exists(sub, a)) continue;
        st = dir_list(sub, a, &names, &count, err);
        if (st != OK) return st;
        for (size_t i = 0; i < count; i++) {
            if (!belongs(names[i])) continue;
            st = read_one(folder, path_join(a, subfolders[k], names[i]), a, &files, &size, err);
            if (st != OK) return st;
        }
    }
    *ret = context_done(&files);
    return OK;
}

Status pack_read_embedded(Str folder, Arena *a, Value *ret_files, Error *err) {
    Str prefix = arena_concat(a, (Str[]){folder, S("/")}, 2);
    ContextBuilder files = context_make(a);
    for (size_t i = 0; i < embed_count(); i++) {
        const EmbeddedFile *f = embed_at(i);
        if (!str_starts(f->path, prefix)) continue;
        context_put(&files, str_sub(f->path, prefix.len, f->path.len), v_str(f->data));
    }
    if (files.len == 0) return error_set(err, NOT_FOUND, folder, "没有这个事项包");
    *ret_files = context_done(&files);
    return OK;
}

Status pack_read(Str folder, Arena *a, Value *ret_files, Error *err) {
    while (folder.len > 1 && folder.ptr[folder.len - 1] == '/') folder.len--;
    if (file_exists(folder, a)) return read_folder(folder, a, ret_files, err);
    return pack_read_embedded(folder, a, ret_files, err);
}

Value pack_with_letters(Value files, Arena *a) {
    ContextBuilder all = context_make(a);
    for (uint32_t i = 0; files.kind == V_CONTEXT && i < files.len; i++) {
        context_put(&all, files.as.entries[i].key, files.as.entries[i].value);
    }
    for (size_t i = 0; i < embed_count(); i++) {
        const EmbeddedFile *f = embed_at(i);
        if (pack_path_name(f->path, LETTERS_FOLDER, S(".txt")).len == 0) continue;
        Str path = str_sub(f->path, strlen("packs/"), f->path.len);
        if (!v_has(files, path)) context_put(&all, path, v_str(f->data));
    }
    return context_done(&all);
}

Value pack_own_files(Value files, Arena *a) {
    ContextBuilder own = context_make(a);
    for (uint32_t i = 0; files.kind == V_CONTEXT && i < files.len; i++) {
        const Entry *f = &files.as.entries[i];
        bool county = false, letter = pack_path_name(f->key, S("letters/"), S(".txt")).len > 0;
        for (size_t k = 0; letter && k < embed_count(); k++) {
            const EmbeddedFile *e = embed_at(k);
            county = county || (str_starts(e->path, LETTERS_FOLDER) &&
                                str_eq(str_sub(e->path, strlen("packs/"), e->path.len), f->key) &&
                                str_eq(e->data, v_text(f->value)));
        }
        if (!county) context_put_new(&own, f->key, f->value);
    }
    return context_done(&own);
}

static int by_key(const void *x, const void *y) {
    const Entry *a = x, *b = y;
    return str_cmp(a->key, b->key);
}

Str pack_digest(Value files, Arena *a) {
    size_t n = files.kind == V_CONTEXT ? files.len : 0;
    Entry *sorted = arena_array(a, Entry, n);
    if (n > 0) memcpy(sorted, files.as.entries, n * sizeof *sorted);
    if (n > 1) qsort(sorted, n, sizeof *sorted, by_key);
    Str *parts = arena_array(a, Str, 4 * n);
    for (size_t i = 0; i < n; i++) {
        Str text = v_text(sorted[i].value);
        parts[4 * i] = sorted[i].key;
        parts[4 * i + 1] = arena_printf(a, "\n%zu\n", text.len);
        parts[4 * i + 2] = text;
        parts[4 * i + 3] = S("\n");
    }
    Hash h = sha256_parts(parts, 4 * n);
    return hash_hex(&h, a);
}

// ---- the parts ----

typedef struct Build {
    Value files;
    Arena *arena;
    Errors *errs;
    Item *item;
} Build;

static Str file_text(const Build *b, Str path) { return v_text(v_get(b->files, path)); }

// An error of a lower room at its place in `file`.
static void fault_of(const Build *b, Str file, Error *e) {
    error_at(e, file);
    (void)errors_push(b->errs, e);
}

static bool json_file(const Build *b, Str path, Value *ret) {
    Error e = {.status = OK};
    Str text = file_text(b, path);
    if (json_parse(text, JSON_STRICT, (JsonLimits){0}, b->arena, ret, &e) == OK) return true;
    fault_of(b, path, &e);
    return false;
}

static const Form *build_form(const Build *b, Str path) {
    Value schema;
    const Form *form = NULL;
    Error e = {.status = OK};
    if (!json_file(b, path, &schema)) return NULL;
    if (form_load(schema, b->arena, &form, &e) != OK) fault_of(b, path, &e);
    return form;
}

static void build_forms(const Build *b, PackRoom *room) {
    b->item->form = build_form(b, S("form.json"));
    room->forms = arena_array(b->arena, PackForm, b->files.len);
    for (uint32_t i = 0; i < b->files.len; i++) {
        Str path = b->files.as.entries[i].key;
        Str name = pack_path_name(path, S("forms/"), S(".json"));
        if (name.len == 0) continue;
        room->forms[room->forms_count++] = (PackForm){name, build_form(b, path)};
    }
}

static const DmnModel *build_model(const Build *b, Str path) {
    const DmnModel *model = NULL;
    Error e = {.status = OK};
    if (!v_has(b->files, path)) return NULL;
    if (dmn_load(file_text(b, path), b->arena, &model, &e) != OK) fault_of(b, path, &e);
    return model;
}

static void build_letters(const Build *b) {
    TemplateSet *set = templates_create(b->arena);
    bool good = true;
    for (uint32_t i = 0; i < b->files.len; i++) {
        const Entry *f = &b->files.as.entries[i];
        Str kind = pack_path_name(f->key, S("letters/"), S(".txt"));
        if (kind.len == 0) continue;
        Error e = {.status = OK};
        if (templates_add(set, kind, PAGE_TEXT, v_text(f->value), &e) != OK) {
            fault_of(b, S("letters/"), &e);
            good = false;
        }
    }
    Error e = {.status = OK};
    if (good && templates_link(set, &e) != OK) fault_of(b, S("letters/"), &e);
    b->item->letters = set;
}

bool pack_path_known(Str path) {
    static const Str single[] = {S_INIT("item.json"), S_INIT("form.json"), S_INIT("guide.dmn"),
                                 S_INIT("flow.bpmn"), S_INIT("rules.dmn"), S_INIT("README.md")};
    for (size_t k = 0; k < sizeof single / sizeof *single; k++) {
        if (str_eq(path, single[k])) return true;
    }
    return pack_path_name(path, S("letters/"), S(".txt")).len > 0 ||
           pack_path_name(path, S("forms/"), S(".json")).len > 0 ||
           pack_path_name(path, S("examples/"), S(".json")).len > 0;
}

static void check_files(const Build *b) {
    size_t size = 0;
    for (uint32_t i = 0; i < b->files.len; i++) {
        Str path = b->files.as.entries[i].key;
        Value text = b->files.as.entries[i].value;
        if (!pack_path_known(path)) {
            (void)errors_add(b->errs, INVALID, path, "事项包里不应有这个文件");
        } else if (text.kind != V_STRING || !str_utf8_valid(v_text(text))) {
            (void)errors_add(b->errs, INVALID, path, "文件不是 UTF-8 文本");
        } else if (text.len > PACK_FILE_SIZE_MAX) {
            (void)errors_add(b->errs, LIMIT, path, "文件过大");
        }
        size += text.kind == V_STRING ? text.len : 0;
    }
    if (size > PACK_SIZE_MAX || b->files.len > PACK_FILES_MAX) {
        (void)errors_add(b->errs, LIMIT, S("."), "事项包的文件过多或过大");
    }
    static const Str needed[] = {S_INIT("item.json"), S_INIT("form.json"), S_INIT("flow.bpmn")};
    for (size_t k = 0; k < sizeof needed / sizeof *needed; k++) {
        if (v_has(b->files, needed[k])) continue;
        (void)errors_add(b->errs, INVALID, needed[k], "缺少文件 {1}", needed[k]);
    }
}

static const Form *task_form_of(const Item *item, Str name) {
    const PackRoom *room = item->room;
    for (size_t i = 0; i < room->forms_count; i++) {
        if (str_eq(room->forms[i].name, name)) return room->forms[i].form;
    }
    return NULL;
}

Status pack_build(Value files, Arena *a, Item *ret, Errors *errs) {
    size_t faults_before = errs->count;
    if (files.kind != V_CONTEXT) return errors_add(errs, INVALID, S("."), "事项包应是一组文件");
    Item *item = arena_new(a, Item);
    Build b = {.files = files, .arena = a, .errs = errs, .item = item};
    check_files(&b);
    if (errs->count > faults_before) return pack_faults_since(errs, faults_before);
    b.files = pack_with_letters(files, a);
    PackRoom *room = arena_new(a, PackRoom);
    item->room = room;
    item->task_form = task_form_of;
    Value spec;
    if (json_file(&b, S("item.json"), &spec)) {
        // Its faults are in errs already; the other files are still worth reading.
        Status ignored = item_spec_read(spec, a, item, errs);
        (void)ignored;
    }
    build_forms(&b, room);
    item->guide = build_model(&b, S("guide.dmn"));
    item->rules = build_model(&b, S("rules.dmn"));
    Error e = {.status = OK};
    if (flow_load_checked(file_text(&b, S("flow.bpmn")), a, &item->flow, &e) != OK) {
        fault_of(&b, S("flow.bpmn"), &e);
    }
    item->flow_xml = file_text(&b, S("flow.bpmn"));
    build_letters(&b);
    Status st = pack_faults_since(errs, faults_before);
    if (st != OK) return st;
    item_guide_prepare(item, room, a);
    *ret = *item;
    return OK;
}

Status pack_compile(Value files, Arena *a, Item *ret, Errors *errs) {
    Item item;
    Status st = pack_build(files, a, &item, errs);
    if (st != OK) return st;
    st = pack_check(&item, files, a, errs);
    if (st != OK) return st;
    *ret = item;
    return OK;
}
