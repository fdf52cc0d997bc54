#include "retry/script.hpp"

namespace lockstep {

namespace {

constexpr int most_kept = 64;
constexpr std::size_t longest_kept = std::size_t{64} * 1024;

// The newest use is the first. Each lives in a memory context of its own.
struct kept_script {
    script made;
    uint32 hash;
    parse_settings settings; // that it was taken apart with
    std::size_t length;
    const char *text;
    kept_script *next;
};

kept_script *newest = nullptr;

inline namespace guarded {

void tell_query(void *text) {
    const int position = geterrposition();
    if (position <= 0)
        return;
    errposition(0);
    internalerrposition(position);
    internalerrquery(static_cast<const char *>(text));
}

List *parse(const char *text) {
    ErrorContextCallback context{error_context_stack, tell_query, const_cast<char *>(text)};
    error_context_stack = &context;
    List *statements = raw_parser(text, RAW_PARSE_DEFAULT);
    error_context_stack = context.previous;
    return statements;
}

void take_apart(script &made, const char *text, List *statements, int parameters) {
    made.parameter_count = parameters;
    made.parts = static_cast<script_part *>(
        palloc0(sizeof(script_part) * static_cast<Size>(list_length(statements) + 1)));
    ListCell *cell = nullptr;
    foreach (cell, statements) {
        const RawStmt *statement = lfirst_node(RawStmt, cell);
        const char *begin = text + (statement->stmt_location > 0 ? statement->stmt_location : 0);
        script_part &part = made.parts[made.part_count++];
        part.sql = statement->stmt_len > 0 ? pnstrdup(begin, static_cast<Size>(statement->stmt_len))
                                           : pstrdup(begin);
        part.type_count = parameters;
        part.is_momentary = has_momentary_word(part.sql);
        part.needs_snapshot = analyze_requires_snapshot(lfirst_node(RawStmt, cell));
        part.types = static_cast<Oid *>(palloc0(sizeof(Oid) * static_cast<Size>(parameters + 1)));
        part.used = static_cast<bool *>(palloc0(sizeof(bool) * static_cast<Size>(parameters + 1)));
    }
}

kept_script *make(const char *text, std::size_t length, uint32 hash, int parameters) {
    // What the parser leaves is of no use afterwards.
    MemoryContext parsing =
        AllocSetContextCreate(CurrentMemoryContext, "lockstep parsing", ALLOCSET_DEFAULT_SIZES);
    MemoryContext before = MemoryContextSwitchTo(parsing);
    List *statements = parse(text);
    MemoryContext own = AllocSetContextCreate(parsing, "lockstep script", ALLOCSET_SMALL_SIZES);
    MemoryContextSwitchTo(own);
    auto *kept = static_cast<kept_script *>(palloc0(sizeof(kept_script)));
    kept->text = pnstrdup(text, length);
    kept->length = length;
    kept->hash = hash;
    kept->settings = current_parse_settings();
    take_apart(kept->made, kept->text, statements, parameters);
    MemoryContextSetParent(own, CacheMemoryContext);
    MemoryContextSwitchTo(before);
    MemoryContextDelete(parsing);
    return kept;
}

void drop(kept_script *one) {
    for (int i = 0; i < one->made.part_count; ++i)
        if (one->made.parts[i].plan != nullptr)
            SPI_freeplan(one->made.parts[i].plan);
    MemoryContextDelete(GetMemoryChunkContext(one));
}

// Takes the script out of the list; null where it is not there. What is of no more use is dropped
// on the way.
kept_script *take_out(const char *text, std::size_t length, uint32 hash, int parameters) {
    kept_script *found = nullptr;
    int kept = 0;
    const parse_settings settings = current_parse_settings();
    for (kept_script **place = &newest; *place != nullptr;) {
        kept_script *one = *place;
        const bool is_it = one->hash == hash && one->length == length &&
                           one->made.parameter_count == parameters && one->settings == settings &&
                           memcmp(one->text, text, length) == 0;
        if (!is_it && one->made.trusted && one->length <= longest_kept && ++kept < most_kept) {
            place = &one->next;
            continue;
        }
        *place = one->next;
        if (is_it && one->made.trusted)
            found = one;
        else
            drop(one);
    }
    return found;
}

kept_script *fetch(const char *text, std::size_t length, int parameters) {
    const uint32 hash =
        hash_bytes(reinterpret_cast<const unsigned char *>(text), static_cast<int>(length));
    kept_script *found = take_out(text, length, hash, parameters);
    if (found == nullptr)
        found = make(text, length, hash, parameters);
    found->next = newest;
    found->made.trusted = false;
    newest = found;
    return found;
}

} // namespace guarded
} // namespace

script &script_of(const std::string &sql, int parameters) {
    const char *text = sql.c_str();
    const std::size_t length = sql.size();
    return pg_call([=] { return fetch(text, length, parameters); })->made;
}

} // namespace lockstep
