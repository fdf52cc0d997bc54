// Whether two descriptions of one ledger say the same.
#include "ledger/choice.hpp"
#include "ledger/ledger.hpp"
#include "pg/row_key.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

namespace lockstep {

namespace {

bool is_same_text(const char *a, const char *b) {
    return a == b || (a != nullptr && b != nullptr && std::strcmp(a, b) == 0);
}

bool is_same_row(const key_row *a, const key_row *b);

bool is_same_key(const key_type &a, const key_type &b) {
    return a.type == b.type && a.collation == b.collation && a.length == b.length &&
           a.by_value == b.by_value && a.input_function == b.input_function &&
           a.input_parameter == b.input_parameter && a.compare.fn_oid == b.compare.fn_oid &&
           a.output.fn_oid == b.output.fn_oid && is_same_text(a.equals, b.equals) &&
           is_same_row(a.row, b.row);
}

bool is_same_row(const key_row *a, const key_row *b) {
    if (a == nullptr || b == nullptr)
        return a == b;
    if (a->count != b->count || a->relation != b->relation)
        return false;
    for (int i = 0; i < a->count; ++i)
        if (!is_same_key(a->parts[i], b->parts[i]) ||
            !is_same_text(NameStr(a->names[i]), NameStr(b->names[i])))
            return false;
    return true;
}

bool is_same_match(const match_column &a, const match_column &b) {
    return a.number == b.number && a.type == b.type && a.collation == b.collation &&
           a.equals.fn_oid == b.equals.fn_oid && a.output.fn_oid == b.output.fn_oid &&
           is_same_text(a.name, b.name);
}

std::span<const AttrNumber> key_columns_of(const ledger &target) {
    return {target.key_columns, static_cast<std::size_t>(target.key_count)};
}

// The statements name schemas, tables and columns: whatever was renamed shows here.
bool are_same_statements(const ledger &a, const ledger &b) {
    for (std::size_t i = 0; i < a.statements().size(); ++i)
        if (!is_same_text(a.statements()[i]->sql, b.statements()[i]->sql))
            return false;
    return true;
}

bool is_same_journal(journal_layout a, const journal_layout &b, bool same_index) {
    if (!same_index)
        a.unique_index = b.unique_index;
    return a == b;
}

bool is_same_but_for_indexes(const ledger &a, const ledger &b, bool same_index) {
    return a.table == b.table && a.journal == b.journal && a.journal_owner == b.journal_owner &&
           is_same_text(a.name, b.name) && is_same_journal(a.layout, b.layout, same_index) &&
           is_same_key(a.key, b.key) && std::ranges::equal(key_columns_of(a), key_columns_of(b)) &&
           a.amount == b.amount && std::ranges::equal(a.columns, b.columns) &&
           std::ranges::equal(a.match_columns(), b.match_columns(), is_same_match) &&
           is_same_text(a.floor, b.floor) && is_same_text(a.ceiling, b.ceiling) &&
           a.refers_to_others == b.refers_to_others && a.is_distributed == b.is_distributed &&
           are_same_statements(a, b);
}

} // namespace

bool is_same_for_work(const ledger &before, const ledger &now) {
    const auto may_go_on = [](const char *a, const char *b) {
        return is_same_text(a, b) || (may_come_meanwhile(a) && may_come_meanwhile(b));
    };
    return is_same_but_for_indexes(before, now, false) &&
           may_go_on(before.not_heap, now.not_heap) &&
           may_go_on(before.not_heap_journal, now.not_heap_journal);
}

bool is_same(const ledger &before, const ledger &now) {
    const auto family = [](const ledger &target) {
        return std::span{target.family.members, static_cast<std::size_t>(target.family.count)};
    };
    return is_same_but_for_indexes(before, now, true) && before.key_index == now.key_index &&
           std::ranges::equal(before.key_places, now.key_places) &&
           is_same_text(before.not_heap, now.not_heap) &&
           is_same_text(before.not_heap_journal, now.not_heap_journal) &&
           before.checks_ask_the_session == now.checks_ask_the_session &&
           std::ranges::equal(family(before), family(now));
}

} // namespace lockstep
