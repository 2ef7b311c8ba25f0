// What writing and checking of archive packages share. Nothing outside src/case includes this.
#pragma once

#include "base/str.h"

#define ARCHIVE_FORMAT S("yizhan-archive/1")
enum {
    ARCHIVE_ENTRIES_MAX = 2000,
    ARCHIVE_JSON_MAX = 64 << 20,      // one of the package's own files
    ARCHIVE_TOTAL_MAX = 1 << 30,      // all of it, unpacked
};
