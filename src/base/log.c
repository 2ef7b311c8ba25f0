// Log: each line is made on the stack and written by one write(2), so lines of several threads do
// not mix and logging can't run out of memory.
// Limits: LINE_SIZE bytes; longer texts are cut at a code point and end in "…", and fields that
// have no room at all are left out. A line that can't be written is lost: nobody is there to tell.
#include "base/log.h"

#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_SIZE = 4096, TEXT_MAX = 1024, TAIL = 16 };

typedef struct Line {
    char bytes[LINE_SIZE];
    size_t len;
} Line;

static _Atomic int level_min = LOG_INFO;

void log_set_level(LogLevel level) { atomic_store(&level_min, (int)level); }

// All of s or nothing, leaving room for the end of the line.
static bool put(Line *line, Str s) {
    if (s.len > LINE_SIZE - TAIL - line->len) return false;
    memcpy(line->bytes + line->len, s.ptr, s.len);
    line->len += s.len;
    return true;
}

// A JSON string; malformed UTF-8 becomes U+FFFD, so a line is always JSON.
static bool put_string(Line *line, Str s) {
    if (!put(line, S("\""))) return false;
    for (size_t at = 0; at < s.len;) {
        if (at >= TEXT_MAX) {
            if (!put(line, S("…"))) return false;
            break;
        }
        size_t from = at;
        int32_t c = str_utf8_next(s, &at);
        char escaped[8];
        Str piece = str_of(s.ptr + from, at - from);
        if (c < 0) piece = S("\xEF\xBF\xBD");
        else if (c == '"') piece = S("\\\"");
        else if (c == '\\') piece = S("\\\\");
        else if (c < 0x20 || c == 0x7F) {
            piece = str_of(escaped, (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", c));
        }
        if (!put(line, piece)) return false;
    }
    return put(line, S("\""));
}

static bool put_field(Line *line, const LogField *field) {
    char number[24];
    if (!put(line, S(",")) || !put_string(line, str_z(field->name)) || !put(line, S(":"))) {
        return false;
    }
    if (!field->is_number) return put_string(line, field->text);
    int n = snprintf(number, sizeof number, "%lld", (long long)field->number);
    return put(line, str_of(number, (size_t)n));
}

void log_write(LogLevel level, const char *message, const LogField *fields, size_t n) {
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if ((int)level < atomic_load(&level_min)) return;
    Line line = {.len = 0};
    Instant now = clock_now();
    Civil c = day_to_civil(instant_day(now));
    int64_t of_day = (now + (int64_t)CHINA_OFFSET_S * 1000) % DAY_MS;
    line.len = (size_t)snprintf(
        line.bytes, LINE_SIZE,
        "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03d+08:00\",\"level\":\"%s\"", c.year,
        c.month, c.day, (int)(of_day / 3600000), (int)(of_day / 60000 % 60),
        (int)(of_day / 1000 % 60), (int)(of_day % 1000), names[level]);
    LogField text = LOG_S("message", str_z(message));
    for (size_t i = 0; i <= n; i++) {
        size_t before = line.len;
        // A field that does not fit is taken back whole.
        if (!put_field(&line, i == 0 ? &text : &fields[i - 1])) line.len = before;
    }
    memcpy(line.bytes + line.len, "}\n", 2);
    line.len += 2;
    ssize_t written = write(STDERR_FILENO, line.bytes, line.len);
    (void)written;
}
