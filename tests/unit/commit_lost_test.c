// room: store A COMMIT whose answer is lost on the way. Between the store and PostgreSQL stands
// a wire that is cut either just before COMMIT arrives or just after the server has answered it;
// the store must find out which it was: never do a job twice, never report one lost that was
// done.
#include "store_fixture.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

enum { CHUNK = 65536 };

typedef enum Cut { CUT_NOTHING, CUT_BEFORE, CUT_AFTER } Cut;

static char server_host[64], server_port[16];
static atomic_int cut_mode, cuts_left, cuts_done;
static int listener = -1;

static int connect_server(void) {
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    if (getaddrinfo(server_host, server_port, &wanted, &found) != 0) return -1;
    int fd = -1;
    for (struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, SOCK_STREAM, 0);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
            (void)close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

static bool send_all(int fd, const char *bytes, ssize_t n) {
    while (n > 0) {
        ssize_t sent = send(fd, bytes, (size_t)n, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        n -= sent;
    }
    return true;
}

// Takes one of the cuts that are left; false when none is.
static bool take_cut(void) {
    int left = atomic_load(&cuts_left);
    while (left > 0 && !atomic_compare_exchange_weak(&cuts_left, &left, left - 1)) {}
    return left > 0;
}

// What the store says, to the server. False: the wire is cut.
static bool forward(int server, char *buffer, ssize_t n) {
    bool commit = memmem(buffer, (size_t)n, "COMMIT", 6) != NULL && take_cut();
    if (commit && atomic_load(&cut_mode) == CUT_BEFORE) {
        atomic_fetch_add(&cuts_done, 1);
        return false;
    }
    if (!send_all(server, buffer, n)) return false;
    if (!commit) return true;
    (void)!recv(server, buffer, CHUNK, 0); // the server has committed; nobody hears it
    atomic_fetch_add(&cuts_done, 1);
    return false;
}

static void *wire(void *arg) {
    int client = (int)(intptr_t)arg, server = connect_server();
    char *buffer = malloc(CHUNK);
    bool open = server >= 0;
    while (open) {
        struct pollfd ends[2] = {{.fd = client, .events = POLLIN},
                                 {.fd = server, .events = POLLIN}};
        if (poll(ends, 2, -1) < 0) break;
        if (ends[0].revents) {
            ssize_t n = recv(client, buffer, CHUNK, 0);
            open = n > 0 && forward(server, buffer, n);
        }
        if (open && ends[1].revents) {
            ssize_t n = recv(server, buffer, CHUNK, 0);
            open = n > 0 && send_all(client, buffer, n);
        }
    }
    free(buffer);
    if (server >= 0) (void)close(server);
    (void)close(client);
    return NULL;
}

static void *accept_all(void *arg) {
    (void)arg;
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0) return NULL;
        pthread_t thread;
        if (pthread_create(&thread, NULL, wire, (void *)(intptr_t)client) == 0) {
            pthread_detach(thread);
        }
    }
}

static pthread_t acceptor;

// The database of YIZHAN_TEST_PG behind the wire. *url has room for `size`.
static void start_wire(char *url, size_t size) {
    char user[64] = "", name[64] = "";
    PQconninfoOption *options = PQconninfoParse(getenv("YIZHAN_TEST_PG"), NULL);
    (void)snprintf(server_host, sizeof server_host, "127.0.0.1");
    (void)snprintf(server_port, sizeof server_port, "5432");
    for (PQconninfoOption *o = options; o && o->keyword; o++) {
        if (!o->val) continue;
        char *to = strcmp(o->keyword, "host") == 0     ? server_host
                   : strcmp(o->keyword, "port") == 0   ? server_port
                   : strcmp(o->keyword, "user") == 0   ? user
                   : strcmp(o->keyword, "dbname") == 0 ? name
                                                       : NULL;
        size_t room = to == server_port ? sizeof server_port : sizeof user;
        if (to) (void)snprintf(to, room, "%s", o->val);
    }
    PQconninfoFree(options);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof here;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&here, sizeof here), 0);
    assert_int_equal(listen(listener, 64), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&here, &length), 0);
    (void)snprintf(url, size, "postgres://%s@127.0.0.1:%d/%s?sslmode=disable", user,
                   (int)ntohs(here.sin_port), name);
    pthread_create(&acceptor, NULL, accept_all, NULL);
}

static int setup(void **state) {
    if (!fixture_has_postgres()) {
        *state = NULL;
        return 0;
    }
    if (fixture_setup_postgres(state) != 0) return -1;
    Fixture *f = *state;
    store_close(f->store);
    char url[256];
    start_wire(url, sizeof url);
    (void)snprintf(f->url, sizeof f->url, "%.250s&options=-csearch_path%%3D%s", url, f->schema);
    fixture_open(f);
    return 0;
}

static int teardown(void **state) {
    if (!*state) return 0;
    (void)shutdown(listener, SHUT_RDWR);
    pthread_join(acceptor, NULL);
    (void)close(listener);
    return fixture_teardown(state);
}

// Counts; done twice it would count twice.
static Status count_job(Tx *tx, void *arg, Errors *errs) {
    (void)arg;
    Error err;
    Status status = query_run(query(tx_db(tx), "INSERT INTO counter (name, value) VALUES ('n', 1)"
                                               " ON CONFLICT (name) DO UPDATE"
                                               " SET value = counter.value + 1"), NULL, &err);
    return status == OK ? OK : errors_push(errs, &err);
}

static void each_once(Fixture *f, Cut mode) {
    enum { JOBS = 12, CUTS = 6 };
    atomic_store(&cuts_done, 0);
    atomic_store(&cut_mode, mode);
    atomic_store(&cuts_left, CUTS);
    for (int i = 0; i < JOBS; i++) {
        Errors errs = errors_make(f->arena);
        Status status = store_write(f->store, count_job, NULL, f->arena, 0, &errs);
        if (status != OK) fixture_fail("count", &errs.items[0]);
        assert_int_equal(fixture_int(f, "SELECT value FROM counter WHERE name = 'n'"), i + 1);
    }
    assert_int_equal(atomic_load(&cuts_done), CUTS);
}

static void cut_after_the_commit(void **state) {
    if (!*state) skip();
    each_once(*state, CUT_AFTER);
}

static void cut_before_the_commit(void **state) {
    if (!*state) skip();
    each_once(*state, CUT_BEFORE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cut_after_the_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_before_the_commit, setup, teardown),
    };
    return cmocka_run_group_tests_name("commit_lost", tests, NULL, NULL);
}
