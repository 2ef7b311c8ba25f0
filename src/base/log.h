// The log: one line of JSON to standard error for each request and each notable event. Only main,
// web and the background workers write it; lower rooms return errors instead. Never pass secrets
// or personal data.
#pragma once

#include "base/str.h"

typedef enum LogLevel { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR } LogLevel;
typedef struct LogField {
    const char *name; // literal
    Str text;         // used when name_int is false
    int64_t number;
    bool is_number;
} LogField;

#define LOG_S(n, s) ((LogField){.name = (n), .text = (s)})
#define LOG_I(n, i) ((LogField){.name = (n), .number = (i), .is_number = true})
#define log_line(level, message, ...)                                      \
    log_write((level), (message), (const LogField[]){__VA_ARGS__ __VA_OPT__(, ) {0}}, \
              sizeof((const LogField[]){__VA_ARGS__ __VA_OPT__(, ) {0}}) / sizeof(LogField) - 1)
void log_write(LogLevel level, const char *message, const LogField *fields, size_t n);
void log_set_level(LogLevel level);
