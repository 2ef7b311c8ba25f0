// /case/:number/archive.zip: the archive package of a finished case. It holds whole numbers and the
// rating, and the rater is confidential: so it is for the applicant himself and the auditor, and
// taking it is an event. An agent may know less of the applicant than the package tells.
#include "pages/page_tools.h"

#include "base/crypto.h"
#include "base/file.h"
#include "case/archive.h"

enum { ARCHIVE_ROLES = ROLE_CITIZEN | ROLE_AUDITADMIN };

static Status archive_zip(Request *rq, Reply *reply, Errors *errs) {
    Value taken;
    const Str number = rq->params[0];
    Value input = v_with(v_null(), S("number"), v_str(number), rq->arena);
    Status st = request_command(rq, S("archive.export"), input, &taken, errs);
    if (st != OK) return st;
    uint64_t size = 0;
    PAGE_TRY(errs, trail_seal(rq->app->store, rq->app->key, rq->now, &size, &e));
    const Str folder = path_join(rq->arena, rq->app->data_dir, S("tmp"));
    PAGE_TRY(errs, dir_make(folder, 0700, rq->arena, &e));
    const Str path = path_join(rq->arena, folder, random_token(16, rq->arena));
    PAGE_TRY(errs, archive_write(page_cases(), rq->db, rq->app->key, number, path, rq->now,
                                 rq->arena, &e));
    reply->path = path;
    reply->path_temporary = true;
    reply->type = S("application/zip");
    reply->file_name = arena_printf(rq->arena, "%.*s.zip", S_FMT(number));
    return OK;
}

const Route archive_routes[] = {
    {METHOD_GET, "/case/:number/archive.zip", ARCHIVE_ROLES, archive_zip, NULL, false},
};
const size_t archive_routes_count = sizeof archive_routes / sizeof *archive_routes;
