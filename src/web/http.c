// HTTP/1.1 over libmicrohttpd; the only file that knows it (with gate_recv.c, which stands before
// it).
//
// A few epoll threads of the library read and write sockets and feed bodies to the Exchange. When
// a request is complete its connection is suspended and the request handed to a pool of threads
// that may wait for the database; the pool prepares the response and resumes the connection. So a
// slow commit holds a thread of the pool and never the sockets.
//
// Limits: HTTP_CONNECTIONS_MAX connections, so the queue of the pool, which holds at most one
// request of each, needs none of its own. Stopping: nothing new is accepted, what runs is
// answered, and once the pool is closed no connection is suspended any more, as the library
// demands.
#include "web/exchange.h"
#include "web/gate_recv.h"

#include "base/file.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    POOL_THREADS_DEFAULT = 64,
    POOL_THREADS_MAX = 512,
    EPOLL_THREADS_MIN = 2,
    EPOLL_THREADS_MAX = 8,
    PROXIES_MAX = 16,
    LISTEN_BACKLOG = 1024,
    CONNECTION_MEMORY = 32 << 10, // zeroed for each request; holds GATE_HEAD_MAX and the answer's
    DRAIN_BYTES_MAX = 256 << 20, // of a refused body, read away so that the answer arrives
    SPARE_ARENAS_MAX = 256,
    LEFTOVER_AGE_S = 3600,
};

typedef enum Stage { STAGE_NEW, STAGE_CHECKING, STAGE_BODY, STAGE_RUNNING } Stage;

typedef struct Conn { // one request of a connection
    Exchange ex;
    Http *http;
    Arena *arena;
    struct MHD_Connection *connection;
    Stage stage;
    bool begun;
    int64_t drained;
    struct MHD_Response *response;
    struct Conn *next; // in the pool's queue
} Conn;


struct Http {
    App *app;
    struct MHD_Daemon *daemon;
    int listen_fd;
    uint16_t port;
    Arena *arena;
    Str proxies[PROXIES_MAX];
    size_t proxies_count;
    pthread_mutex_t lock; // over what follows
    pthread_cond_t work;
    Conn *first, **last;
    bool closed;   // no request is taken in any more
    bool quitting; // threads of the pool end when the queue is empty
    atomic_bool draining;
    Arena *spare[SPARE_ARENAS_MAX];
    size_t spare_count;
    pthread_t *threads;
    unsigned threads_count;
};

// ---- memory of a request ---------------------------------------------------------------------

static Arena *take_arena(Http *h) {
    Arena *a = NULL;
    (void)pthread_mutex_lock(&h->lock);
    if (h->spare_count) a = h->spare[--h->spare_count];
    (void)pthread_mutex_unlock(&h->lock);
    return a ? a : arena_create(HTTP_REQUEST_MEMORY_MAX);
}

static void give_arena(Http *h, Arena *a) {
    arena_reset(a);
    (void)pthread_mutex_lock(&h->lock);
    const bool keep = h->spare_count < SPARE_ARENAS_MAX;
    if (keep) h->spare[h->spare_count++] = a;
    (void)pthread_mutex_unlock(&h->lock);
    if (!keep) arena_free(a);
}

// ---- pool ------------------------------------------------------------------------------------

static struct MHD_Response *make_response(Conn *c) {
    Exchange *ex = &c->ex;
    struct MHD_Response *r =
        ex->out_fd >= 0
            ? MHD_create_response_from_fd64((uint64_t)ex->out_size, ex->out_fd)
            : MHD_create_response_from_buffer(ex->out_body.len, (void *)(uintptr_t)ex->out_body.ptr,
                                              MHD_RESPMEM_PERSISTENT);
    if (!r) return NULL;
    for (size_t i = 0; i < ex->out_count; i++) {
        (void)MHD_add_response_header(r, arena_cstr(c->arena, ex->out[i].name),
                                      arena_cstr(c->arena, ex->out[i].value));
    }
    if (ex->close || atomic_load(&c->http->draining)) {
        (void)MHD_add_response_header(r, "Connection", "close");
    }
    return r;
}

static void run(Conn *c) {
    exchange_run(&c->ex);
    jmp_buf env;
    if (setjmp(env)) { // not even the headers fitted: the connection is closed without an answer
        c->response = NULL;
        (void)arena_on_limit(c->arena, NULL);
        return;
    }
    (void)arena_on_limit(c->arena, &env);
    c->response = make_response(c);
    (void)arena_on_limit(c->arena, NULL);
}

static void *pool_thread(void *arg) {
    Http *h = arg;
    for (;;) {
        (void)pthread_mutex_lock(&h->lock);
        while (!h->first && !h->quitting) (void)pthread_cond_wait(&h->work, &h->lock);
        Conn *c = h->first;
        if (c) {
            h->first = c->next;
            if (!h->first) h->last = &h->first;
        }
        (void)pthread_mutex_unlock(&h->lock);
        if (!c) return NULL;
        atomic_fetch_sub(&h->app->web->metrics.queue_len, 1);
        if (c->stage == STAGE_CHECKING) exchange_check(&c->ex);
        else run(c);
        MHD_resume_connection(c->connection);
    }
}

// Suspends the connection and hands the request to the pool; false when the pool is closed.
static bool hand_over(Conn *c, Stage stage) {
    Http *h = c->http;
    (void)pthread_mutex_lock(&h->lock);
    const bool open = !h->closed;
    if (open) {
        c->stage = stage;
        c->next = NULL;
        MHD_suspend_connection(c->connection);
        *h->last = c;
        h->last = &c->next;
        atomic_fetch_add(&h->app->web->metrics.queue_len, 1);
    }
    (void)pthread_mutex_unlock(&h->lock);
    if (open) (void)pthread_cond_signal(&h->work); // who wakes finds the lock free
    return open;
}

// ---- callbacks of the library ----------------------------------------------------------------

static void *on_target(void *cls, const char *uri, struct MHD_Connection *connection) {
    Http *h = cls;
    Arena *a = take_arena(h);
    Conn *c = arena_new(a, Conn);
    *c = (Conn){.http = h, .arena = a, .connection = connection};
    exchange_init(&c->ex, h->app, a);
    c->ex.target = arena_str(a, str_z(uri));
    atomic_fetch_add(&h->app->web->metrics.active, 1);
    return c;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                 const char *value) {
    (void)kind;
    Conn *c = cls;
    Exchange *ex = &c->ex;
    if (ex->headers_count >= EXCHANGE_HEADERS_MAX) return MHD_NO;
    ex->headers[ex->headers_count++] =
        (HttpHeader){arena_str(c->arena, str_z(name)), arena_str(c->arena, str_z(value))};
    return MHD_YES;
}

static Str peer_of(struct MHD_Connection *connection, Arena *a) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char text[INET6_ADDRSTRLEN] = "";
    if (!info || !info->client_addr) return S("");
    if (info->client_addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)info->client_addr;
        (void)inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
    } else {
        const struct sockaddr_in *in4 = (const void *)info->client_addr;
        (void)inet_ntop(AF_INET, &in4->sin_addr, text, sizeof text);
    }
    const Str address = str_z(text);
    return arena_str(a, str_starts(address, S("::ffff:")) ? str_sub(address, 7, address.len)
                                                          : address);
}

static enum MHD_Result begin(Conn *c, const char *method) {
    Exchange *ex = &c->ex;
    ex->method_text = arena_str(c->arena, str_z(method));
    ex->proxies = c->http->proxies;
    ex->proxies_count = c->http->proxies_count;
    ex->peer = peer_of(c->connection, c->arena);
    (void)MHD_get_connection_values(c->connection, MHD_HEADER_KIND, on_header, c);
    int64_t length = 0;
    const Str said = exchange_header(ex, S("Content-Length"));
    if (said.len) (void)!str_to_int(said, &length); // digits: the gate saw to it
    if (exchange_header(ex, S("Transfer-Encoding")).len) length = -1;
    exchange_begin(ex, length);
    c->begun = true;
    if (length > DRAIN_BYTES_MAX) {
        ex->close = true;
        return hand_over(c, STAGE_RUNNING) ? MHD_YES : MHD_NO;
    }
    // Files are taken in only from who may send them.
    if (exchange_wants_body(ex) && ex->body_kind == BODY_MULTIPART) {
        return hand_over(c, STAGE_CHECKING) ? MHD_YES : MHD_NO;
    }
    c->stage = STAGE_BODY;
    return MHD_YES;
}

static enum MHD_Result respond(Conn *c) {
    if (!c->response) return MHD_NO;
    const enum MHD_Result result =
        MHD_queue_response(c->connection, (unsigned)c->ex.status, c->response);
    MHD_destroy_response(c->response);
    c->response = NULL;
    return result;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload_data,
                                  size_t *upload_data_size, void **con_cls) {
    (void)cls;
    (void)connection;
    (void)url;
    (void)version;
    Conn *c = *con_cls;
    if (!c) return MHD_NO;
    switch (c->stage) {
    case STAGE_NEW: return begin(c, method);
    case STAGE_CHECKING: // resumed: the library repeats its first call
        c->stage = STAGE_BODY;
        return MHD_YES;
    case STAGE_BODY:
        if (*upload_data_size == 0) return hand_over(c, STAGE_RUNNING) ? MHD_YES : MHD_NO;
        c->drained += (int64_t)*upload_data_size;
        exchange_body(&c->ex, str_of(upload_data, *upload_data_size));
        *upload_data_size = 0;
        return c->drained > DRAIN_BYTES_MAX ? MHD_NO : MHD_YES;
    case STAGE_RUNNING: return respond(c);
    }
    return MHD_NO;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode code) {
    (void)connection;
    (void)code;
    Http *h = cls;
    Conn *c = *con_cls;
    if (!c) return;
    *con_cls = NULL;
    if (c->begun) exchange_end(&c->ex);
    if (c->response) MHD_destroy_response(c->response);
    Arena *a = c->arena; // c itself lives in it
    give_arena(h, a);
    atomic_fetch_sub(&h->app->web->metrics.active, 1);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code) {
    (void)cls;
    (void)socket_context;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (!info) return;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) gate_unwatch(info->connect_fd);
    else if (!gate_watch(info->connect_fd)) (void)shutdown(info->connect_fd, SHUT_RDWR);
}

// ---- start -----------------------------------------------------------------------------------

static Status cannot_listen(Str address, uint16_t port, Arena *a, Error *err) {
    return error_set(err, BROKEN, S("--listen"), "无法监听 {1}:{2}：{3}", address,
                     arena_printf(a, "%u", (unsigned)port), str_z(strerror(errno)));
}

static Status open_socket(Http *h, Str address, uint16_t port, Error *err) {
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    const char *text = arena_cstr(h->arena, address);
    const bool four = inet_pton(AF_INET, text, &in4.sin_addr) == 1;
    if (!four && inet_pton(AF_INET6, text, &in6.sin6_addr) != 1) {
        return error_set(err, INVALID, S("--listen"), "“{1}”不是 IP 地址", address);
    }
    const struct sockaddr *at = four ? (const void *)&in4 : (const void *)&in6;
    const socklen_t size = four ? sizeof in4 : sizeof in6;
    h->listen_fd = socket(four ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    if (h->listen_fd < 0 ||
        setsockopt(h->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(h->listen_fd, at, size) != 0 || listen(h->listen_fd, LISTEN_BACKLOG) != 0) {
        return cannot_listen(address, port, h->arena, err);
    }
    struct sockaddr_storage bound;
    socklen_t bound_size = sizeof bound;
    if (getsockname(h->listen_fd, (void *)&bound, &bound_size) != 0) {
        return cannot_listen(address, port, h->arena, err);
    }
    h->port = four ? ntohs(((struct sockaddr_in *)(void *)&bound)->sin_port)
                   : ntohs(((struct sockaddr_in6 *)(void *)&bound)->sin6_port);
    return OK;
}

static void read_proxies(Http *h, Str list) {
    Str rest = arena_str(h->arena, list);
    while (rest.ptr && rest.len && h->proxies_count < PROXIES_MAX) {
        const Str one = str_trim(str_cut(&rest, ','));
        if (one.len) h->proxies[h->proxies_count++] = one;
    }
}

// Uploads that a crash left behind.
static Status sweep_tmp(App *app, Arena *a, Error *err) {
    const Str folder = path_join(a, app->data_dir, S("tmp"));
    Str *names;
    size_t count;
    Status status = dir_make(folder, 0700, a, err);
    if (status == OK) status = dir_list(folder, a, &names, &count, err);
    for (size_t i = 0; status == OK && i < count; i++) {
        struct stat info;
        const char *path = arena_cstr(a, path_join(a, folder, names[i]));
        if (str_starts(names[i], S("up-")) && stat(path, &info) == 0 &&
            clock_now() / 1000 - info.st_mtime > LEFTOVER_AGE_S) {
            (void)unlink(path);
        }
    }
    return status;
}

static Status start_pool(Http *h, unsigned count, Error *err) {
    if (count == 0) count = POOL_THREADS_DEFAULT;
    if (count > POOL_THREADS_MAX) count = POOL_THREADS_MAX;
    h->threads = arena_array(h->arena, pthread_t, count);
    while (h->threads_count < count) {
        if (pthread_create(&h->threads[h->threads_count], NULL, pool_thread, h) != 0) {
            return error_set(err, BROKEN, S(""), "系统资源不足，无法启动");
        }
        h->threads_count++;
    }
    return OK;
}

static Status start_daemon(Http *h, Error *err) {
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = cores > EPOLL_THREADS_MAX * 2 ? EPOLL_THREADS_MAX : (unsigned)cores / 2;
    if (threads < EPOLL_THREADS_MIN) threads = EPOLL_THREADS_MIN;
    h->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, h,
        MHD_OPTION_LISTEN_SOCKET, h->listen_fd,
        MHD_OPTION_THREAD_POOL_SIZE, threads,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, h,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_END);
    return h->daemon ? OK : error_set(err, BROKEN, S(""), "系统资源不足，无法启动");
}

static void free_http(Http *h) {
    while (h->spare_count) arena_free(h->spare[--h->spare_count]);
    if (h->listen_fd >= 0) (void)close(h->listen_fd);
    (void)pthread_mutex_destroy(&h->lock);
    (void)pthread_cond_destroy(&h->work);
    arena_free(h->arena);
    free(h);
}

static void close_pool(Http *h) {
    (void)pthread_mutex_lock(&h->lock);
    h->closed = h->quitting = true;
    (void)pthread_cond_broadcast(&h->work);
    (void)pthread_mutex_unlock(&h->lock);
    for (unsigned i = 0; i < h->threads_count; i++) (void)pthread_join(h->threads[i], NULL);
}

Status http_start(App *app, const HttpOptions *o, Http **ret, Error *err) {
    Http *h = calloc(1, sizeof *h);
    if (!h) return error_set(err, BROKEN, S(""), "系统资源不足，无法启动");
    *h = (Http){.app = app, .listen_fd = -1, .arena = arena_create(1 << 20)};
    (void)pthread_mutex_init(&h->lock, NULL);
    (void)pthread_cond_init(&h->work, NULL);
    h->last = &h->first;
    read_proxies(h, o->trusted_proxies);
    Status status = sweep_tmp(app, h->arena, err);
    if (status == OK) status = open_socket(h, o->address, o->port, err);
    if (status == OK) status = start_pool(h, o->pool_threads, err);
    if (status == OK) status = start_daemon(h, err);
    if (status != OK) {
        close_pool(h);
        free_http(h);
        return status;
    }
    *ret = h;
    return OK;
}

uint16_t http_port(const Http *h) { return h->port; }

void http_stop(Http *h, int grace_ms) {
    atomic_store(&h->draining, true);
    const int fd = MHD_quiesce_daemon(h->daemon);
    if (fd >= 0) (void)close(fd);
    h->listen_fd = -1;
    const int64_t until = clock_monotonic_us() + (int64_t)grace_ms * 1000;
    while (atomic_load(&h->app->web->metrics.active) && clock_monotonic_us() < until) {
        (void)usleep(5000);
    }
    close_pool(h); // what it holds is finished and its connections resumed
    MHD_stop_daemon(h->daemon);
    free_http(h);
}
