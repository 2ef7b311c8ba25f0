// Work beside the requests, a thread each. Stopping wakes the sleepers and waits for what runs, so
// nothing is cut off in the middle of a write.
#include "web/app.h"

#include "base/log.h"

#include <pthread.h>

typedef struct Worker {
    const char *name;
    BackgroundFn fn;
    void *ctx;
    int interval_ms;
    App *app;
    pthread_t thread;
    bool started;
} Worker;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    Worker workers[BACKGROUND_MAX];
    size_t count;
    bool stopping;
} background = {.lock = PTHREAD_MUTEX_INITIALIZER};

void app_background(App *app, const char *name, BackgroundFn fn, void *ctx, int interval_ms) {
    if (background.count >= BACKGROUND_MAX || interval_ms <= 0) abort(); // the programmer's promise
    background.workers[background.count++] =
        (Worker){.name = name, .fn = fn, .ctx = ctx, .interval_ms = interval_ms, .app = app};
}

// False when it is time to stop.
static bool sleep_ms(int ms) {
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&background.lock);
    while (!background.stopping &&
           pthread_cond_timedwait(&background.wake, &background.lock, &until) == 0) {
    }
    const bool go_on = !background.stopping;
    (void)pthread_mutex_unlock(&background.lock);
    return go_on;
}

static void *work(void *arg) {
    Worker *w = arg;
    Status before = OK;
    while (sleep_ms(w->interval_ms)) {
        Error err = {0};
        const Status status = w->fn(w->app, w->ctx, clock_now(), &err);
        // Once for each change, or a full disk would fill the log.
        if (status != before) {
            const LogLevel level = status == OK ? LOG_INFO : LOG_ERROR;
            log_line(level, status == OK ? "background work goes on" : "background work failed",
                     LOG_S("work", str_z(w->name)), LOG_I("status", (int64_t)status),
                     LOG_S("where", err.where), LOG_S("text", str_z(err.text)));
        }
        before = status;
    }
    return NULL;
}

Status app_background_start(App *app, Error *err) {
    (void)app;
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&background.wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    background.stopping = false;
    for (size_t i = 0; i < background.count; i++) {
        Worker *w = &background.workers[i];
        if (pthread_create(&w->thread, NULL, work, w) != 0) {
            app_background_stop(app);
            return error_set(err, BROKEN, S(""), "系统资源不足，无法启动");
        }
        w->started = true;
    }
    return OK;
}

void app_background_stop(App *app) {
    (void)app;
    (void)pthread_mutex_lock(&background.lock);
    background.stopping = true;
    (void)pthread_cond_broadcast(&background.wake);
    (void)pthread_mutex_unlock(&background.lock);
    for (size_t i = 0; i < background.count; i++) {
        if (background.workers[i].started) (void)pthread_join(background.workers[i].thread, NULL);
        background.workers[i].started = false;
    }
}
