// Marks what the client's shared library exports: what public headers declare, and nothing else of
// it. The server's module and a static library have lists of their own, or none.
#pragma once

#if defined(__GNUC__)
#define LOCKSTEP_EXPORT __attribute__((visibility("default")))
#else
#define LOCKSTEP_EXPORT
#endif
