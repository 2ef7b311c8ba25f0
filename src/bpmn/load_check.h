// Between load.c and the static checks, whose names are not the engine's. Private to this room.
#pragma once

#include "base/error.h"

MUST_USE Status load_check(Str xml, Arena *a, Error *err);
