#include "ledger/newest_entry.hpp"

#include "pg/sequence.hpp"

#include <algorithm>

namespace lockstep {

namespace {

// The end of a journal may be pages that nobody has written yet: the server adds many at once.
constexpr BlockNumber most_pages = 1024;
// Several sessions write at its end at once, each in a page of its own.
constexpr int enough_pages = 4;

struct found_entry {
    bool exists;
    int64 entry;
};

inline namespace guarded {

void take(found_entry &newest, int64 entry) {
    newest.entry = newest.exists ? std::max(newest.entry, entry) : entry;
    newest.exists = true;
}

void take(found_entry &newest, HeapTuple tuple, Relation journal, AttrNumber column) {
    bool is_null = false;
    const Datum value = heap_getattr(tuple, column, RelationGetDescr(journal), &is_null);
    if (!is_null)
        take(newest, DatumGetInt64(value));
}

// Whether there were rows in the page.
bool look_at_page(found_entry &newest, Relation journal, BlockNumber number, AttrNumber column) {
    Buffer buffer = ReadBuffer(journal, number);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    const Page page = BufferGetPage(buffer);
    bool found = false;
    const OffsetNumber last = PageIsNew(page) ? InvalidOffsetNumber : PageGetMaxOffsetNumber(page);
    for (OffsetNumber i = FirstOffsetNumber; i <= last; ++i) {
        const ItemId item = PageGetItemId(page, i);
        if (!ItemIdIsNormal(item))
            continue;
        HeapTupleData tuple{};
        tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
        tuple.t_len = ItemIdGetLength(item);
        tuple.t_tableOid = RelationGetRelid(journal);
        take(newest, &tuple, journal, column);
        found = true;
    }
    UnlockReleaseBuffer(buffer);
    return found;
}

found_entry look_at_end(Oid oid, AttrNumber column) {
    const Relation journal = table_open(oid, AccessShareLock);
    const BlockNumber pages = RelationGetNumberOfBlocks(journal);
    const BlockNumber first = pages > most_pages ? pages - most_pages : 0;
    found_entry newest{};
    int filled = 0;
    for (BlockNumber next = pages; next > first && filled < enough_pages; --next) {
        CHECK_FOR_INTERRUPTS();
        filled += look_at_page(newest, journal, next - 1, column) ? 1 : 0;
    }
    table_close(journal, AccessShareLock);
    return newest;
}

found_entry look_at_all(Oid oid, AttrNumber column) {
    const Relation journal = table_open(oid, AccessShareLock);
    TableScanDesc scan = version::begin_table_scan(journal, SnapshotAny);
    found_entry newest{};
    while (HeapTuple tuple = heap_getnext(scan, ForwardScanDirection)) {
        CHECK_FOR_INTERRUPTS();
        take(newest, tuple, journal, column);
    }
    table_endscan(scan);
    table_close(journal, AccessShareLock);
    return newest;
}

} // namespace guarded

std::optional<std::int64_t> entry_or_none(const found_entry &found) {
    if (!found.exists)
        return std::nullopt;
    return found.entry;
}

} // namespace

std::optional<std::int64_t> newest_entry_at_end(Oid journal, const journal_layout &layout) {
    const AttrNumber column = layout.number_of(journal_column::entry);
    return entry_or_none(pg_call([=] { return look_at_end(journal, column); }));
}

std::optional<std::int64_t> newest_entry(Oid journal, const journal_layout &layout) {
    const AttrNumber column = layout.number_of(journal_column::entry);
    return entry_or_none(pg_call([=] { return look_at_all(journal, column); }));
}

void bring_sequence_in_line(Oid journal, const journal_layout &layout) {
    if (const auto newest = newest_entry(journal, layout))
        raise_sequence(layout.entry_sequence, *newest);
}

} // namespace lockstep
