// Archive packages (归档): one zip of a finished case: case.json (everything, canonical),
// events.json with salts, letters as PDF, files, the inclusion proofs and the checkpoint, the
// public key. `yizhan verify PACKAGE.zip` checks it without any server.
#pragma once

#include "case/case.h"
#include "trail/log.h"

MUST_USE Status archive_write(CaseRoom *r, Db *db, const TrailKey *k, Str number, Str path,
                              Instant now, Arena *a, Error *err);
// `public_key`: trusted key, or empty to use the package's own (then said so). Calls `found` for
// each fault.
MUST_USE Status archive_verify(Str path, Str public_key, TrailFound found, void *ctx, Arena *a,
                               Value *ret_report, int64_t *ret_faults, Error *err);
