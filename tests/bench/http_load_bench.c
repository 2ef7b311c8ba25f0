// A load client: N keep-alive connections to 127.0.0.1, each sends its next request when the last
// was answered in full. Prints one line of JSON.
//
//   http_load_bench PORT CONNECTIONS COUNT SECONDS TOKENS REQUESTS [ANSWERS]
//
// TOKENS has a session token on each line (or "-"), connection i uses line i modulo their number;
// REQUESTS has "METHOD PATH" and, behind a tab, a JSON body on each line, taken in turn. PATH may
// end in "#html": then HTML is asked for, else JSON. It ends after COUNT answers or SECONDS,
// whichever is first. With ANSWERS the bodies of 2xx answers are kept there, one on each line.
//
// One thread and epoll: the client is not what is measured, but it shares the machine.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 1024,
    LINES_MAX = 100000,
    REQUEST_MAX = 64 << 10,
    ANSWER_MAX = 8 << 20,
    EVENTS_MAX = 256,
    WAIT_MS = 500,
};

typedef struct Lines {
    char **at;
    size_t len;
} Lines;

typedef struct Connection {
    int fd;
    const char *token;
    char *out;
    size_t out_len, out_sent;
    char *in;
    size_t in_len, in_cap;
    size_t head_len;      // 0: not yet all there
    size_t body_len;      // once the head is there, unless chunked
    bool chunked, closes;
    int status;
    double sent_at;
} Connection;

typedef struct Load {
    int port, epoll;
    size_t connections, count;
    double until;
    Lines tokens, requests;
    FILE *answers;
    size_t sent, answered, ok, refused, broken;
    uint64_t bytes;
    double *latency_ms; // of each answer
    Connection all[CONNECTIONS_MAX];
} Load;

static _Noreturn void die(const char *what) {
    (void)fprintf(stderr, "http_load_bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now_s(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static Lines read_lines(const char *path) {
    FILE *f = fopen(path, "r");
    if (!f) die(path);
    Lines lines = {.at = calloc(LINES_MAX, sizeof(char *))};
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    while (lines.at && lines.len < LINES_MAX && (n = getline(&line, &cap, f)) > 0) {
        if (line[n - 1] == '\n') line[n - 1] = 0;
        if (line[0]) lines.at[lines.len++] = strdup(line);
    }
    free(line);
    (void)fclose(f);
    if (!lines.len) die(path);
    return lines;
}

static void watch(Load *l, Connection *c, uint32_t events, int how) {
    struct epoll_event e = {.events = events, .data.ptr = c};
    if (epoll_ctl(l->epoll, how, c->fd, &e) != 0) die("epoll_ctl");
}

static bool open_connection(Load *l, Connection *c) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)l->port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0) die("socket");
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0) {
        (void)close(c->fd);
        c->fd = -1;
        return false;
    }
    int one = 1;
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
    watch(l, c, EPOLLIN, EPOLL_CTL_ADD);
    return true;
}

static bool finished(const Load *l) { return l->sent >= l->count || now_s() >= l->until; }

// ---- sending ----

static bool push(Load *l, Connection *c) {
    while (c->out_sent < c->out_len) {
        ssize_t n = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            watch(l, c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
            return true;
        }
        if (n <= 0) return false;
        c->out_sent += (size_t)n;
    }
    return true;
}

static bool send_next(Load *l, Connection *c) {
    const char *line = l->requests.at[l->sent % l->requests.len];
    const char *tab = strchr(line, '\t');
    const char *body = tab ? tab + 1 : "";
    int head = (int)(tab ? tab - line : (ptrdiff_t)strlen(line));
    bool html = head > 5 && strncmp(line + head - 5, "#html", 5) == 0;
    char session[512] = "";
    if (html) {
        head -= 5;
        if (c->token[0] != '-') {
            (void)snprintf(session, sizeof session, "Cookie: yz_session=%s\r\n", c->token);
        }
    } else if (c->token[0] != '-') {
        (void)snprintf(session, sizeof session, "Authorization: Bearer %s\r\n", c->token);
    }
    int n = snprintf(c->out, REQUEST_MAX, "%.*s HTTP/1.1\r\nHost: localhost\r\nAccept: %s\r\n%s",
                     head, line, html ? "text/html" : "application/json", session);
    if (body[0]) {
        n += snprintf(c->out + n, REQUEST_MAX - (size_t)n,
                      "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                      strlen(body), body);
    } else {
        n += snprintf(c->out + n, REQUEST_MAX - (size_t)n, "\r\n");
    }
    if (n >= REQUEST_MAX) die("a request is too long");
    c->out_len = (size_t)n;
    c->out_sent = c->in_len = c->head_len = 0;
    c->sent_at = now_s();
    l->sent++;
    return push(l, c);
}

// ---- receiving ----

static void read_head(Connection *c) {
    char *end = memmem(c->in, c->in_len, "\r\n\r\n", 4);
    if (!end) return;
    c->head_len = (size_t)(end - c->in) + 4;
    c->status = c->in_len > 12 ? (int)strtol(c->in + 9, NULL, 10) : 0;
    c->body_len = 0;
    c->chunked = c->closes = false;
    for (char *p = c->in; p && p < end; p = memmem(p, (size_t)(end - p), "\r\n", 2)) {
        if (*p == '\r') p += 2;
        if (strncasecmp(p, "content-length:", 15) == 0) c->body_len = strtoul(p + 15, NULL, 10);
        if (strncasecmp(p, "transfer-encoding: chunked", 26) == 0) c->chunked = true;
        if (strncasecmp(p, "connection: close", 17) == 0) c->closes = true;
    }
}

static bool is_complete(const Connection *c) {
    if (!c->head_len) return false;
    if (!c->chunked) return c->in_len >= c->head_len + c->body_len;
    return c->in_len >= 5 && memcmp(c->in + c->in_len - 5, "0\r\n\r\n", 5) == 0;
}

static void take_answer(Load *l, Connection *c) {
    l->latency_ms[l->answered++] = (now_s() - c->sent_at) * 1000;
    l->bytes += c->in_len;
    if (c->status >= 200 && c->status < 400) l->ok++;
    else l->refused++;
    if (l->answers && c->status < 300) {
        (void)fwrite(c->in + c->head_len, 1, c->body_len, l->answers);
        (void)fputc('\n', l->answers);
    }
    if (c->status >= 400 && l->refused == 1) {
        int shown = (int)(c->in_len < 700 ? c->in_len : 700);
        (void)fprintf(stderr, "first refusal: %.*s\n", shown, c->in);
    }
}

// False when the connection is of no more use.
static bool pull(Load *l, Connection *c) {
    for (;;) {
        if (c->in_len == c->in_cap) {
            c->in_cap *= 2;
            c->in = c->in_cap <= ANSWER_MAX ? realloc(c->in, c->in_cap) : NULL;
            if (!c->in) die("an answer is too long");
        }
        ssize_t n = recv(c->fd, c->in + c->in_len, c->in_cap - c->in_len, 0);
        if (n < 0 && errno == EAGAIN) return true;
        if (n <= 0) return false;
        c->in_len += (size_t)n;
        if (!c->head_len) read_head(c);
        if (!is_complete(c)) continue;
        take_answer(l, c);
        c->out_len = 0;
        if (finished(l)) return false;
        if (c->closes) return false;
        if (!send_next(l, c)) return false;
    }
}

static void serve_event(Load *l, Connection *c, uint32_t events, size_t *open) {
    bool good = true;
    if (events & EPOLLOUT) {
        watch(l, c, EPOLLIN, EPOLL_CTL_MOD);
        good = push(l, c);
    }
    if (good) good = pull(l, c);
    if (good) return;
    bool waiting = c->out_len > 0; // sent and never answered
    (void)close(c->fd);
    c->fd = -1;
    l->broken += waiting;
    bool again = !finished(l) && open_connection(l, c) && send_next(l, c);
    if (!again) (*open)--;
}

static void run(Load *l) {
    struct epoll_event events[EVENTS_MAX];
    size_t open = 0;
    for (size_t i = 0; i < l->connections && !finished(l); i++) {
        Connection *c = &l->all[i];
        c->token = l->tokens.at[i % l->tokens.len];
        c->out = malloc(REQUEST_MAX);
        c->in_cap = 1 << 16;
        c->in = malloc(c->in_cap);
        if (!c->out || !c->in) die("memory");
        if (!open_connection(l, c)) die("connect");
        if (!send_next(l, c)) die("send");
        open++;
    }
    double give_up = l->until + 30;
    while (open && now_s() < give_up) {
        int n = epoll_wait(l->epoll, events, EVENTS_MAX, WAIT_MS);
        for (int i = 0; i < n; i++) serve_event(l, events[i].data.ptr, events[i].events, &open);
    }
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(const Load *l, double p) {
    if (!l->answered) return 0;
    size_t i = (size_t)((double)l->answered * p);
    return l->latency_ms[i < l->answered ? i : l->answered - 1];
}

int main(int argc, char **argv) {
    if (argc < 7) {
        (void)fprintf(stderr, "usage: http_load_bench PORT CONNECTIONS COUNT SECONDS TOKENS"
                              " REQUESTS [ANSWERS]\n");
        return 2;
    }
    static Load load;
    Load *l = &load;
    l->port = (int)strtol(argv[1], NULL, 10);
    l->connections = strtoul(argv[2], NULL, 10);
    l->count = strtoul(argv[3], NULL, 10);
    if (l->connections < 1 || l->connections > CONNECTIONS_MAX || l->count < 1) die("CONNECTIONS");
    l->tokens = read_lines(argv[5]);
    l->requests = read_lines(argv[6]);
    if (argc > 7 && !(l->answers = fopen(argv[7], "w"))) die(argv[7]);
    l->latency_ms = calloc(l->count + l->connections, sizeof *l->latency_ms);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!l->latency_ms || l->epoll < 0) die("epoll");
    double began = now_s();
    l->until = began + strtod(argv[4], NULL);
    run(l);
    double seconds = now_s() - began;
    qsort(l->latency_ms, l->answered, sizeof *l->latency_ms, by_size);
    printf("{\"connections\":%zu,\"answered\":%zu,\"ok\":%zu,\"refused\":%zu,\"broken\":%zu,"
           "\"seconds\":%.2f,\"per_second\":%.0f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f,"
           "\"bytes_each\":%.0f}\n",
           l->connections, l->answered, l->ok, l->refused, l->broken, seconds,
           seconds > 0 ? (double)l->answered / seconds : 0, percentile(l, 0.5), percentile(l, 0.99),
           percentile(l, 1), l->answered ? (double)l->bytes / (double)l->answered : 0);
    if (l->answers) (void)fclose(l->answers);
    return 0;
}
