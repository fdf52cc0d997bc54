#include "pg/boundary.hpp"

#include "retry/parse_settings.hpp"

namespace lockstep {
inline namespace guarded {

namespace {

uint64 hash_of(const char *text) {
    if (text == nullptr)
        return 0;
    return hash_bytes_extended(reinterpret_cast<const unsigned char *>(text),
                               static_cast<int>(strlen(text)), 0);
}

bool is_part_of_word(char c) {
    return isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || IS_HIGHBIT_SET(c);
}

bool has_word(const char *text, const char *word) {
    const size_t length = strlen(word);
    for (const char *at = text; *at != '\0'; ++at)
        if ((at == text || !is_part_of_word(at[-1])) && pg_strncasecmp(at, word, length) == 0 &&
            !is_part_of_word(at[length]) && at[length] != '(')
            return true;
    return false;
}

} // namespace

parse_settings current_parse_settings() {
    parse_settings now;
    now.time_zone = session_timezone;
    now.date_style = DateStyle;
    now.date_order = DateOrder;
    now.interval_style = IntervalStyle;
    now.backslash_quote = backslash_quote;
    now.xml_option = xmloption;
    now.conforming_strings = version::strings_conform();
    now.null_equals = Transform_null_equals;
    now.array_nulls = Array_nulls;
    now.search_path = hash_of(namespace_search_path);
    now.time_zone_names = hash_of(GetConfigOption("timezone_abbreviations", true, false));
    now.money_locale = hash_of(GetConfigOption("lc_monetary", true, false));
    return now;
}

bool has_momentary_word(const char *text) {
    return has_word(text, "now") || has_word(text, "today") || has_word(text, "tomorrow") ||
           has_word(text, "yesterday");
}

} // namespace guarded
} // namespace lockstep
