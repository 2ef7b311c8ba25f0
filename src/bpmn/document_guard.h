// What is looked at in a file's bytes before libxml2 gets them. Private to document_read.c.
#pragma once

#include "base/error.h"

// Whether the encoding, by its first bytes and its declaration, is one that is read; `*ret` names
// the declared one.
bool guard_encoding(Str xml, Str *ret);

// False when a start tag has more than `most` attributes (namespaces among them); the line is where
// it was seen.
bool guard_attributes(Str xml, size_t most, uint32_t *ret_line);
