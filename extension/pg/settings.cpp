#include "pg/settings.hpp"

#include "pg/pg.hpp"

namespace lockstep {

void define_seconds(const char *name, const char *description, int *value, int least) {
    DefineCustomIntVariable(name, description, nullptr, value, *value, least, INT_MAX, PGC_USERSET,
                            GUC_UNIT_S, nullptr, nullptr, nullptr);
}

void define_milliseconds(const char *name, const char *description, int *value, int least) {
    DefineCustomIntVariable(name, description, nullptr, value, *value, least, INT_MAX, PGC_USERSET,
                            GUC_UNIT_MS, nullptr, nullptr, nullptr);
}

void define_count(const char *name, const char *description, int *value, int least, int most) {
    DefineCustomIntVariable(name, description, nullptr, value, *value, least, most, PGC_USERSET, 0,
                            nullptr, nullptr, nullptr);
}

void define_limit(const char *name, const char *description, int *value, int least, int most) {
    DefineCustomIntVariable(name, description, nullptr, value, *value, least, most, PGC_SUSET, 0,
                            nullptr, nullptr, nullptr);
}

void define_flag(const char *name, const char *description, bool *value) {
    DefineCustomBoolVariable(name, description, nullptr, value, *value, PGC_USERSET, 0, nullptr,
                             nullptr, nullptr);
}

void define_number(const char *name, const char *description, double *value, double least,
                   double most) {
    DefineCustomRealVariable(name, description, nullptr, value, *value, least, most, PGC_USERSET, 0,
                             nullptr, nullptr, nullptr);
}

} // namespace lockstep
