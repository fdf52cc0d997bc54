#include "ledger/description.hpp"

#include "ledger/choice.hpp"
#include "ledger/distribution.hpp"
#include "ledger/journal_table.hpp"
#include "ledger/key_row_type.hpp"
#include "ledger/statements.hpp"
#include "pg/memory.hpp"
#include "pg/row_key.hpp"

#include <vector>

namespace lockstep {

void describe_ledger(ledger &made, Relation table, Relation journal, const registration &row) {
    const ledger_columns columns = checked_columns(table, row);
    const column key = key_as_one(journal, columns.key);
    const journal_layout layout = checked_journal(journal, key, row.journal_version);
    if (table->rd_rel->relpersistence == RELPERSISTENCE_PERMANENT &&
        journal->rd_rel->relpersistence != RELPERSISTENCE_PERMANENT)
        throw unusable(table, "Its journal is unlogged, and would forget its ids in a crash.",
                       "Call lockstep.register_ledger to bring the journal in line.");

    made.kind = "ledger";
    made.journal = row.journal;
    made.layout = layout;
    made.journal_owner = journal->rd_rel->relowner;

    {
        // The key's function look-ups stay with the ledger.
        const memory_scope scope{GetMemoryChunkContext(&made)};
        made.key = columns.key.size() == 1 ? key_type_of(key) : row_key_type_of(key, columns.key);
        describe_place(made, table, numbers_of(columns.key));
    }
    made.amount = amount_type_of(columns.amount);
    const auto keep = [&made](row_column which, const std::optional<column> &one) {
        if (one)
            made.columns[static_cast<int>(which)] = {one->number, one->type};
    };
    keep(row_column::amount, columns.amount);
    keep(row_column::version, columns.version);
    keep(row_column::floor, columns.floor);
    keep(row_column::ceiling, columns.ceiling);
    keep(row_column::frozen, columns.frozen);
    const auto kept = [](const std::optional<money> &bound) -> const char * {
        if (!bound)
            return nullptr;
        const std::string digits = bound->to_string();
        const char *text = digits.c_str();
        return pg_call([text] { return pstrdup(text); });
    };
    {
        const memory_scope scope{GetMemoryChunkContext(&made)};
        made.matches = match_columns_of(columns.match);
        made.match_count = static_cast<int>(columns.match.size());
    }

    made.refers_to_others = refers_to_others(table);
    made.checks_ask_the_session = checks_ask_the_session(table);
    made.is_distributed = is_distributed(made.table);
    made.not_heap_journal = why_not_heap_journal(journal, row.journal_version);
    made.not_heap = why_not_heap(table, columns, made.not_heap_journal);
    const memory_scope scope{GetMemoryChunkContext(&made)};
    made.floor = kept(row.floor);
    made.ceiling = kept(row.ceiling);
    write_statements(made, columns, table, journal);
}

} // namespace lockstep
