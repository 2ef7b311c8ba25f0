// Exchange: session, rights, form token, handler; the steps stand in exchange.h. Whatever passes
// the request's memory ends in a refusal: the arena jumps back here.
#include "web/exchange.h"

#include "base/log.h"

bool exchange_wants_body(const Exchange *ex) { return ex->body && !ex->refused; }

void exchange_body(Exchange *ex, Str bytes) {
    if (!exchange_wants_body(ex)) return; // what is refused is read and thrown away
    Error err;
    const Status status = body_feed(ex->body, bytes, &err);
    if (status == OK) return;
    body_discard(ex->body);
    exchange_refuse(ex,
                    status == LIMIT     ? 413
                    : status == INVALID ? 400
                                        : status_to_http(status, ex),
                    &err);
}

// ---- session and rights ----------------------------------------------------------------------

static bool allowed(const Route *route, const Actor *actor) {
    return (route->roles & ROLE_PUBLIC) || (actor->roles & route->roles);
}

// A scraper on the machine itself needs no account; one behind a proxy is not on the machine.
static bool local_metrics(const Exchange *ex) {
    const bool loopback = str_eq(ex->peer, S("127.0.0.1")) || str_eq(ex->peer, S("::1"));
    return loopback && str_eq(str_z(ex->route->pattern), S("/metrics")) &&
           exchange_header(ex, S("X-Forwarded-For")).len == 0 &&
           exchange_header(ex, S("Forwarded")).len == 0;
}

static void refuse_rights(Exchange *ex) {
    Error err;
    if (actor_has(&ex->rq.actor, ROLES_ALL_ACCOUNTS)) {
        (void)error_set(&err, DENIED, S(""), "您的岗位没有使用这个功能的权限");
        exchange_refuse(ex, 403, &err);
    } else {
        (void)error_set(&err, DENIED, S(""), "请先登录");
        exchange_refuse(ex, 401, &err);
    }
}

static void read_visitor(Exchange *ex) {
    const Str kept = cookie_find(exchange_header(ex, S("Cookie")),
                                 cookie_name(ex->app, "yz_form", ex->arena));
    if (form_token_valid(ex->app->web, kept)) {
        ex->rq.csrf = kept;
    } else {
        ex->rq.csrf = ex->form_cookie = form_token_make(ex->app->web, ex->arena);
    }
}

static Status read_actor(Exchange *ex, Error *err) {
    Request *rq = &ex->rq;
    if (ex->actor_given) {
        rq->actor = *ex->actor_given;
        rq->csrf = S("given");
        ex->has_session = actor_has(&rq->actor, ROLES_ALL_ACCOUNTS);
        return OK;
    }
    if (rq->session_token.len) {
        Status status = session_actor(rq->db, rq->session_token, rq->now, ex->arena, &rq->actor,
                                      &rq->csrf, err);
        if (status != OK) return status;
        ex->has_session = actor_has(&rq->actor, ROLES_ALL_ACCOUNTS);
        if (ex->has_session) {
            session_touch(ex->app->store, &rq->actor, rq->session_token, rq->now);
        }
    }
    if (!ex->has_session) {
        ex->bearer = false;
        read_visitor(ex);
    }
    return OK;
}

static void give_back(Exchange *ex) {
    if (ex->rq.db) store_release(ex->rq.db);
    ex->rq.db = NULL;
}

static void check(Exchange *ex) {
    Error err;
    if (ex->checked || ex->asset.ptr) return;
    ex->checked = true;
    // Even an error page says who is logged in, if the database can tell.
    Status status = store_read(ex->app->store, &ex->rq.db, &err);
    if (status == OK) status = read_actor(ex, &err);
    if (status != OK) {
        exchange_refuse(ex, status_to_http(status, ex), &err);
        if (ex->rq.csrf.len == 0) read_visitor(ex);
        return;
    }
    if (ex->refused) return;
    if (!allowed(ex->route, &ex->rq.actor) && !local_metrics(ex)) refuse_rights(ex);
}

// ---- handler ---------------------------------------------------------------------------------

static Value without_token(Value input, Arena *a) {
    if (!v_has(input, S("_csrf"))) return input;
    ContextBuilder b = context_make(a);
    for (uint32_t i = 0; i < input.len; i++) {
        const Entry *e = &input.as.entries[i];
        if (!str_eq(e->key, S("_csrf"))) context_put_new(&b, e->key, e->value);
    }
    return context_done(&b);
}

static bool take_input(Exchange *ex) {
    Error err;
    Request *rq = &ex->rq;
    const bool writes = rq->method != METHOD_GET && rq->method != METHOD_HEAD;
    if (ex->body) {
        Status status = body_finish(ex->body, &rq->input, &rq->uploads, &rq->uploads_count, &err);
        if (status != OK) {
            exchange_refuse(ex, status == LIMIT ? 413 : 400, &err);
            return false;
        }
    }
    if (writes && !ex->actor_given && !csrf_ok(ex, &err)) {
        exchange_refuse(ex, 403, &err);
        return false;
    }
    rq->input = without_token(rq->input, ex->arena);
    return true;
}

// Back to the page the form was on, if that was one of ours.
static Str back(const Exchange *ex) {
    const Str referer = exchange_header(ex, S("Referer"));
    const Str host = ex->rq.host;
    if (!str_starts(referer, host)) return S("/");
    const Str path = str_sub(referer, host.len, referer.len);
    return str_starts(path, S("/")) && !str_starts(path, S("//")) ? path : S("/");
}

// A route with a command and no handler.
static Status run_command(Exchange *ex, Reply *reply, Errors *errs) {
    Request *rq = &ex->rq;
    Str names[ROUTE_PARAMS_MAX];
    const size_t n = pattern_params(ex->route->pattern, names);
    Value input = rq->input.kind == V_CONTEXT ? rq->input : (Value){.kind = V_CONTEXT};
    for (size_t i = 0; i < n; i++) input = v_with(input, names[i], v_str(rq->params[i]), ex->arena);
    Value result;
    Status status = request_command(rq, str_z(ex->route->command), input, &result, errs);
    if (status != OK) return status;
    reply->model = result;
    if (!rq->wants_json) {
        const Str location = v_text(v_get(result, S("location")));
        reply->location = location.len ? location : back(ex);
    }
    return OK;
}

static void handle(Exchange *ex) {
    Reply reply = {.status = 200, .private_page = true};
    Errors errs = errors_make(ex->arena);
    Status status = ex->route->handler ? ex->route->handler(&ex->rq, &reply, &errs)
                                       : run_command(ex, &reply, &errs);
    if (status != OK && errs.count == 0) {
        status = errors_add(&errs, status, S(""), "没有办成，请稍后再试");
    }
    if (status == OK) answer_reply(ex, &reply);
    else answer_errors(ex, status_to_http(status, ex), &errs);
}

static void answer_refusal(Exchange *ex) {
    Errors errs = errors_make(ex->arena);
    (void)errors_push(&errs, &ex->refusal);
    answer_errors(ex, ex->refused, &errs);
}

static void run(Exchange *ex) {
    check(ex);
    if (!ex->refused && ex->asset.ptr) answer_asset(ex);
    else if (!ex->refused && take_input(ex)) handle(ex);
    else answer_refusal(ex);
}

static void recover(Exchange *ex) {
    store_release_all();
    ex->rq.db = NULL;
    (void)arena_on_limit(ex->arena, NULL);
    answer_plain(ex, 500, S("This request needs more memory than a request may use.\n"));
}

void exchange_check(Exchange *ex) {
    jmp_buf env;
    if (setjmp(env)) {
        recover(ex);
        return;
    }
    (void)arena_on_limit(ex->arena, &env);
    check(ex);
    (void)arena_on_limit(ex->arena, NULL);
    give_back(ex);
}

void exchange_run(Exchange *ex) {
    jmp_buf env;
    if (setjmp(env)) {
        recover(ex);
        return;
    }
    (void)arena_on_limit(ex->arena, &env);
    if (ex->checked && !ex->refused) {
        Error err;
        Status status = store_read(ex->app->store, &ex->rq.db, &err);
        if (status != OK) exchange_refuse(ex, status_to_http(status, ex), &err);
    }
    run(ex);
    (void)arena_on_limit(ex->arena, NULL);
    give_back(ex);
}

// ---- commands --------------------------------------------------------------------------------

Status request_command(Request *rq, Str command, Value input, Value *ret, Errors *errs) {
    Exchange *ex = (Exchange *)(void *)rq;
    const Command *c = command_find(command);
    if (!c) return errors_add(errs, BROKEN, S(""), "没有指令“{1}”", command);
    // Waiting with a read connection in hand would let as many write as may read.
    give_back(ex);
    Status status = command_run(ex->app->store, c, &rq->actor, input, ex->forced_now, ex->arena,
                                ret, errs);
    atomic_fetch_add(status == OK ? &ex->app->web->metrics.commands_ok
                                  : &ex->app->web->metrics.commands_refused, 1);
    Error err;
    Status again = store_read(ex->app->store, &rq->db, &err);
    if (again != OK && status == OK) {
        // Committed, but the page that tells of it can't be read: say that it stands.
        rq->db = NULL;
        return errors_add(errs, BUSY, S(""), "已经办好，但页面暂时打不开，请刷新");
    }
    return status;
}

// ---- end -------------------------------------------------------------------------------------

static void count(Exchange *ex, int64_t us) {
    static const int64_t limits_us[METRIC_BUCKETS] = {1000,   2500,   5000,    10000,   25000,
                                                      50000,  100000, 250000,  500000,  1000000,
                                                      2500000, INT64_MAX};
    Metrics *m = &ex->app->web->metrics;
    const int status = ex->status > 0 && ex->status < METRIC_STATUS_MAX ? ex->status : 0;
    atomic_fetch_add_explicit(&m->by_status[status], 1, memory_order_relaxed);
    for (int i = 0; i < METRIC_BUCKETS; i++) {
        if (us > limits_us[i]) continue;
        atomic_fetch_add_explicit(&m->buckets[i], 1, memory_order_relaxed);
        break;
    }
    atomic_fetch_add_explicit(&m->us_sum, (uint64_t)us, memory_order_relaxed);
    atomic_fetch_add_explicit(&m->bytes_sum, (uint64_t)ex->out_size, memory_order_relaxed);
}

void exchange_end(Exchange *ex) {
    if (ex->body) body_discard(ex->body);
    const int64_t us = clock_monotonic_us() - ex->started_us;
    count(ex, us);
    // The pattern, not the path: a path may name a person's case.
    const Str route = ex->asset.ptr ? S("/assets")
                      : ex->route   ? str_z(ex->route->pattern)
                                    : S("-");
    if (!ex->forced_now && ex->why.len) {
        log_line(LOG_ERROR, "request", LOG_S("method", method_name(ex->rq.method)),
                 LOG_S("route", route), LOG_I("status", ex->status), LOG_S("why", ex->why),
                 LOG_I("us", us));
    } else if (!ex->forced_now) {
        log_line(LOG_INFO, "request", LOG_S("method", method_name(ex->rq.method)),
                 LOG_S("route", route), LOG_I("status", ex->status), LOG_I("us", us),
                 LOG_I("bytes", ex->out_size));
    }
}
