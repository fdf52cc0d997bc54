// What else than its text decides what a statement means. The parser makes values of the constants
// in it: a time is one of the time zone that was set then. So a statement that is kept is kept
// together with this.
#pragma once

#include "pg/pg.hpp"

namespace lockstep {
inline namespace guarded {

struct parse_settings {
    const pg_tz *time_zone;
    int date_style;
    int date_order;
    int interval_style;
    int backslash_quote;
    int xml_option;
    bool conforming_strings;
    bool null_equals;
    bool array_nulls;
    uint64 search_path; // a hash, as of the two below
    uint64 time_zone_names;
    uint64 money_locale;

    bool operator==(const parse_settings &) const = default;
};

[[nodiscard]] parse_settings current_parse_settings();

// Whether the text has one of the words that are a time of their own as a constant: now, today,
// tomorrow, yesterday. now() is none.
[[nodiscard]] bool has_momentary_word(const char *text);

} // namespace guarded
} // namespace lockstep
