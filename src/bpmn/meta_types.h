// The table of types behind meta.h. Private to it.
#pragma once

#include "bpmn/meta.h"

extern const MetaType meta_types[T_COUNT];
