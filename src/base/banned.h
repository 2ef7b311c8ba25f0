// Functions that don't belong here, made not to compile. Put before every source file by the build
// (-include), so nobody has to remember it.
//
//   strcpy strcat sprintf vsprintf gets     write past a buffer: use Buf, arena_printf, snprintf
//   strncpy strncat                         forget the NUL: use Str, memcpy
//   strtok                                  hidden state: use str_cut
//   atoi atol atoll atof                    can't tell wrong from 0: use str_to_int, decimal_parse
//   gmtime localtime ctime asctime          shared memory behind the back, and the machine's time
//                                           zone: use the date functions of value/
#pragma once

// Their own declarations must be read before the names are taken away.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(name) the_function_##name##_is_banned_see_base_banned_h

#undef strcpy
#define strcpy(...) BANNED(strcpy)
#undef strcat
#define strcat(...) BANNED(strcat)
#undef strncpy
#define strncpy(...) BANNED(strncpy)
#undef strncat
#define strncat(...) BANNED(strncat)
#undef strtok
#define strtok(...) BANNED(strtok)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef gets
#define gets(...) BANNED(gets)
#undef atoi
#define atoi(...) BANNED(atoi)
#undef atol
#define atol(...) BANNED(atol)
#undef atoll
#define atoll(...) BANNED(atoll)
#undef atof
#define atof(...) BANNED(atof)
#undef gmtime
#define gmtime(...) BANNED(gmtime)
#undef localtime
#define localtime(...) BANNED(localtime)
#undef ctime
#define ctime(...) BANNED(ctime)
#undef asctime
#define asctime(...) BANNED(asctime)
