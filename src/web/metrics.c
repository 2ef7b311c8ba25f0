// /health and /metrics: whether the program can do its work, and what it has done (Prometheus
// text).
#include "web/exchange.h"
#include "web/gate_recv.h"

static Status get_health(Request *rq, Reply *reply, Errors *errs) {
    (void)errs;
    Error err;
    const Status status = store_health(rq->app->store, &err);
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "status", status == OK ? v_lit("ok") : v_lit("failing"));
    if (status != OK) {
        const bool english = str_eq(rq->lang, S("en"));
        context_put_lit(&b, "reason",
                        v_str(error_message(&err, english ? rq->app->translate : NULL,
                                            rq->app->english, rq->arena)));
    }
    context_put_lit(&b, "version", v_str(rq->app->version));
    Buf out = buf_make(rq->arena, 256, 4096);
    json_write(&out, context_done(&b));
    reply->status = status == OK ? 200 : 503;
    reply->type = S("application/json; charset=utf-8");
    reply->body = buf_view(&out);
    return OK;
}

static unsigned long long load(const atomic_uint_least64_t *n) {
    return (unsigned long long)atomic_load_explicit(n, memory_order_relaxed);
}

static void write_requests(const Metrics *m, Buf *out) {
    static const char *const limits_s[METRIC_BUCKETS] = {
        "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05",
        "0.1",   "0.25",   "0.5",   "1",    "2.5",   "+Inf"};
    buf_lit(out, "# HELP yizhan_requests_total Requests answered, by HTTP status.\n"
                 "# TYPE yizhan_requests_total counter\n");
    for (int i = 0; i < METRIC_STATUS_MAX; i++) {
        const unsigned long long n = load(&m->by_status[i]);
        if (n) buf_printf(out, "yizhan_requests_total{status=\"%d\"} %llu\n", i, n);
    }
    buf_lit(out,
            "# HELP yizhan_request_seconds Time from the head of a request to its answer's end.\n"
            "# TYPE yizhan_request_seconds histogram\n");
    unsigned long long sum = 0;
    for (int i = 0; i < METRIC_BUCKETS; i++) {
        sum += load(&m->buckets[i]);
        buf_printf(out, "yizhan_request_seconds_bucket{le=\"%s\"} %llu\n", limits_s[i], sum);
    }
    const unsigned long long us = load(&m->us_sum);
    buf_printf(out, "yizhan_request_seconds_sum %llu.%06llu\nyizhan_request_seconds_count %llu\n",
               us / 1000000, us % 1000000, sum);
}

static void write_one(Buf *out, const char *name, const char *kind, const char *help,
                      unsigned long long value) {
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, kind, name, value);
}

static Status get_metrics(Request *rq, Reply *reply, Errors *errs) {
    const Metrics *m = &rq->app->web->metrics;
    Buf out = buf_make(rq->arena, 4096, 256 << 10);
    write_requests(m, &out);
    write_one(&out, "yizhan_reply_bytes_total", "counter", "Bytes of bodies sent.",
              load(&m->bytes_sum));
    write_one(&out, "yizhan_commands_committed_total", "counter",
              "Commands of the web that were committed.", load(&m->commands_ok));
    write_one(&out, "yizhan_commands_refused_total", "counter", "Commands that were refused.",
              load(&m->commands_refused));
    write_one(&out, "yizhan_requests_waiting", "gauge", "Requests waiting for a thread.",
              load(&m->queue_len));
    write_one(&out, "yizhan_requests_active", "gauge", "Requests begun and not yet answered.",
              load(&m->active));
    write_one(&out, "yizhan_gate_refused_total", "counter",
              "Connections closed for malformed requests.", gate_refused_count());
    Error err = {0};
    if (rq->app->gauges && rq->app->gauges(rq->db, &out, &err) != OK) {
        return errors_push(errs, &err);
    }
    reply->type = S("text/plain; version=0.0.4; charset=utf-8");
    reply->body = buf_view(&out);
    return OK;
}

const Route web_routes[] = {
    {.method = METHOD_GET, .pattern = "/health", .roles = ROLE_PUBLIC, .handler = get_health},
    // Besides, whoever asks from the machine itself and not through a proxy (exchange.c).
    {.method = METHOD_GET, .pattern = "/metrics", .roles = ROLE_SYSADMIN, .handler = get_metrics},
};
const size_t web_routes_count = sizeof web_routes / sizeof web_routes[0];
