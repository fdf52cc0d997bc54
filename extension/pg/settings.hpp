// Settings of the module. Each is defined once, when the module is loaded.
#pragma once

namespace lockstep {

// A length of time in seconds, from `least` on; anybody may set it.
void define_seconds(const char *name, const char *description, int *value, int least);

// A length of time in milliseconds, from `least` on; anybody may set it.
void define_milliseconds(const char *name, const char *description, int *value, int least);

// A whole number from `least` to `most`; anybody may set it.
void define_count(const char *name, const char *description, int *value, int least, int most);

// The same for superusers: a limit that others are held to.
void define_limit(const char *name, const char *description, int *value, int least, int most);

// A switch; anybody may set it.
void define_flag(const char *name, const char *description, bool *value);

// A number from `least` to `most` that need not be whole; anybody may set it.
void define_number(const char *name, const char *description, double *value, double least,
                   double most);

} // namespace lockstep
