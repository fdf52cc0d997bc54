// Statements that were run before in this session, taken apart and with their plans: what is called
// again and again is parsed once.
#pragma once

#include "pg/boundary.hpp"
#include "retry/parse_settings.hpp"

#include <string>

namespace lockstep {

// One statement. Its plan is made when it first runs, for what it names may be made by the
// statement before it.
struct script_part {
    const char *sql;
    SPIPlanPtr plan; // null before that
    // Of each parameter that is given: its own, or as the statement uses it; InvalidOid: not known.
    Oid *types;
    bool *used;              // which of them the statement uses
    List *path;              // the schemas that the plan's names were looked for in
    List *types_used;        // as the plan knows them: see types_used.h
    parse_settings settings; // that its constants were read with
    int type_count;          // parameters that are given
    bool is_momentary;       // has a constant that is another one at another time
    bool needs_snapshot;     // to be parsed, and to make values of its parameters
};

struct script {
    script_part *parts;
    int part_count;
    int parameter_count;
    // Whether its last run ended well. One that did not is made anew: tables may have changed, and
    // with them the types of its parameters.
    bool trusted;
};

// The script of this text, with so many parameters given; for one run, until the next call. 42601
// where the text is no SQL. Needs no transaction.
[[nodiscard]] script &script_of(const std::string &sql, int parameters);

} // namespace lockstep
