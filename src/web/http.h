// HTTP as the pages see it: a Request that is complete, checked and within its limits, and a Reply.
// libmicrohttpd is behind http.c and nowhere else. Every request first passes the gate
// (gate.h), which refuses what two servers in a row could understand differently.
#pragma once

#include "people/people.h"
#include "page/page.h"

typedef struct Http Http;
typedef struct App App; // what handlers need: store, templates, keys; see web/app.h

enum {
    HTTP_HEADER_MAX = 16 << 10,       // all request headers together
    HTTP_URL_MAX = 4 << 10,
    HTTP_BODY_MAX = 1 << 20,          // forms and JSON, held in memory
    HTTP_UPLOAD_MAX = 50 << 20,       // one uploaded file, streamed to disk
    HTTP_UPLOADS_MAX = 20,            // files in one request
    HTTP_UPLOADS_BYTES_MAX = 200 << 20, // all files of one request
    HTTP_FIELDS_MAX = 2000,
    HTTP_CONNECTIONS_MAX = 4000,
    HTTP_IDLE_S = 30,
    HTTP_REQUEST_MEMORY_MAX = 64 << 20,
};

typedef enum Method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_PUT, METHOD_DELETE } Method;

typedef struct Upload {
    Str field, file_name;
    Str path;   // temporary file in DATA/tmp, removed with the request unless it was renamed
    Str type;   // MIME type as the client says: not to be trusted
    Str hash;   // SHA-256, hex, computed while streaming
    int64_t size;
} Upload;

typedef struct Request {
    Arena *arena;
    Method method;
    Str path;            // decoded, normalised: no "..", no "//", valid UTF-8
    Str target;          // as sent, for links back
    Value query;         // context of strings (repeated names: a list)
    Value input;         // body: form fields as strings (repeated: list), or the JSON context
    // the body was JSON (API client: no CSRF cookie needed if it carries a bearer session)
    bool is_json;
    Upload *uploads;
    size_t uploads_count;
    Str params[4];       // of the route, decoded: /case/:number is params[0]
    bool wants_json;     // Accept prefers application/json, or the path ends in .json
    bool htmx;           // HX-Request: a fragment is enough
    Str lang;            // "zh" | "en": ?lang=, cookie, Accept-Language
    bool large_type;     // cookie
    Str address;         // of the client, through X-Forwarded-For only from trusted proxies
    Str session_token;
    Str csrf;            // what `_csrf` of a form must carry: the session's token, or the visitor's
    Str host;            // public base, "https://host"
    Actor actor;
    Instant now;
    App *app;
    Db *db;              // a read connection, borrowed for the time of the handler. request_command
                         // gives it back while it waits and borrows another: don't keep a copy
} Request;

typedef struct Reply {
    int status;          // 200 unless set
    Str template_name;   // page for browsers; with wants_json the model itself
    Value model;         // a context; "errors" list when refused
    Str location;        // redirect 303
    Str body;            // instead of a model: bytes…
    Str type;            // …of this MIME type
    Str path;            // or a file on disk, streamed, of this MIME type
    bool path_temporary; // …removed as soon as it was opened
    Str file_name;       // Content-Disposition: attachment
    Str etag;            // If-None-Match answered with 304
    bool cacheable_forever;
    bool private_page;   // default true: Cache-Control: no-store; portal pages may set false, then
                         // browsers keep the page and ask with its ETag whether it still stands
    Str cookie[3];       // complete Set-Cookie values
} Reply;

// A handler answers by filling *reply, or returns a status with errors: web turns those into
// the error page or {"errors":[{status, where, message}]}.
typedef Status (*Handler)(Request *rq, Reply *reply, Errors *errs);

// A table row. Rights are denied unless `roles` grants them: an account needs one of the bits;
// visitors need ROLE_PUBLIC, and what visitors may do everybody may. Patterns match whole parts; a
// literal part wins over a parameter, so /case/new beside /case/:number is fine. HEAD is answered
// by the GET route.
//
// A POST with `command` and no handler runs that command with the input and the parameters by
// their names ({"number": …}); then JSON gets its result, a browser goes to its "location", else
// back to where the form was.
typedef struct Route {
    Method method;
    const char *pattern; // "/case/:number/letters/:code"
    unsigned roles;      // who may come here; ROLE_PUBLIC for everybody
    Handler handler;
    const char *command; // the command this POST runs
    bool upload;         // multipart with files is accepted
} Route;
