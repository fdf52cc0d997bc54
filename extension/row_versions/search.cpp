#include "row_versions/search.hpp"

#include "pg/scan_key.hpp"
#include "row_versions/fates.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

namespace lockstep {

namespace {

// A page as it was at one instant, and what the server said of its rows then.
struct page_copy {
    BlockNumber block; // InvalidBlockNumber: none yet
    OffsetNumber last;
    bool is_taken[MaxHeapTuplesPerPage + 1]; // by line pointer
    bool is_visible[MaxHeapTuplesPerPage + 1];
    HTSV_Result state[MaxHeapTuplesPerPage + 1];
    TransactionId ended[MaxHeapTuplesPerPage + 1];
    PGAlignedBlock bytes;
};

struct search {
    const search_place *place;
    Snapshot snapshot;
    int columns; // of the key
    page_copy *page;
    HeapTuple sample; // a version of the row, for what its key looks like; null: none was there
    found_version *found;
    int count;
    int room;
};

inline namespace guarded {

Page page_of(const search &work) {
    return static_cast<Page>(work.page->bytes.data);
}

HeapTupleData tuple_on(const search &work, Page page, OffsetNumber offset) {
    const ItemId line = PageGetItemId(page, offset);
    HeapTupleData tuple;
    tuple.t_len = ItemIdGetLength(line);
    ItemPointerSet(&tuple.t_self, work.page->block, offset);
    tuple.t_tableOid = RelationGetRelid(work.place->table);
    tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, line));
    return tuple;
}

// Asks about the rows first: what the server notes at them meanwhile (hint bits) is copied too.
void copy_page(search &work, BlockNumber block) {
    page_copy &copy = *work.page;
    copy.block = block;
    MemSet(copy.is_taken, 0, sizeof(copy.is_taken));
    const Buffer buffer = ReadBuffer(work.place->table, block);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    Page page = BufferGetPage(buffer);
    copy.last = static_cast<OffsetNumber>(
        std::min<int>(PageGetMaxOffsetNumber(page), MaxHeapTuplesPerPage));
    for (OffsetNumber offset = FirstOffsetNumber; offset <= copy.last; ++offset) {
        if (!ItemIdIsNormal(PageGetItemId(page, offset)))
            continue;
        HeapTupleData tuple = tuple_on(work, page, offset);
        copy.is_visible[offset] = HeapTupleSatisfiesVisibility(&tuple, work.snapshot, buffer);
        copy.ended[offset] = InvalidTransactionId;
        copy.state[offset] = HeapTupleSatisfiesVacuumHorizon(&tuple, buffer, &copy.ended[offset]);
    }
    memcpy(copy.bytes.data, page, BLCKSZ);
    UnlockReleaseBuffer(buffer);
}

found_version &add_line(search &work, OffsetNumber offset) {
    if (work.count == work.room) {
        work.room *= 2;
        work.found = static_cast<found_version *>(
            repalloc_huge(work.found, sizeof(found_version) * static_cast<Size>(work.room)));
    }
    found_version &added = work.found[work.count++];
    MemSet(&added, 0, sizeof(added));
    added.table = RelationGetRelid(work.place->table);
    ItemPointerSet(&added.place, work.page->block, offset);
    added.line = static_cast<int>(ItemIdGetFlags(PageGetItemId(page_of(work), offset)));
    work.page->is_taken[offset] = true;
    return added;
}

void add_version(search &work, OffsetNumber offset) {
    found_version &added = add_line(work, offset);
    HeapTupleData tuple = tuple_on(work, page_of(work), offset);
    memcpy(added.bytes, tuple.t_data, SizeofHeapTupleHeader);
    added.is_visible = work.page->is_visible[offset];
    added.state = work.page->state[offset];
    added.ended = work.page->ended[offset];
    if (work.sample == nullptr)
        work.sample = heap_copytuple(&tuple);
}

// As heap_hot_search_buffer() (heapam.c) goes, but on past what is dead or rolled back. `offset` is
// where an index leads to.
void take_chain(search &work, OffsetNumber offset) {
    Page page = page_of(work);
    bool is_start = true;
    TransactionId updater = InvalidTransactionId;
    while (offset >= FirstOffsetNumber && offset <= work.page->last &&
           !work.page->is_taken[offset]) {
        const ItemId line = PageGetItemId(page, offset);
        if (ItemIdIsDead(line))
            add_line(work, offset);
        if (ItemIdIsRedirected(line) && is_start) {
            const OffsetNumber target = ItemIdGetRedirect(line);
            found_version &added = add_line(work, offset);
            ItemPointerSet(&added.leads_to, work.page->block, target);
            offset = target;
            is_start = false;
            continue;
        }
        if (!ItemIdIsNormal(line))
            return;
        const HeapTupleHeaderData *version = tuple_on(work, page, offset).t_data;
        // No index leads into the middle of a chain, and a place may have another row by now.
        if (HeapTupleHeaderIsHeapOnly(version) == is_start ||
            (TransactionIdIsValid(updater) && updater != HeapTupleHeaderGetRawXmin(version)))
            return;
        add_version(work, offset);
        if ((version->t_infomask2 & HEAP_HOT_UPDATED) == 0 ||
            ItemPointerGetBlockNumberNoCheck(&version->t_ctid) != work.page->block)
            return;
        updater = updater_in_guard(version);
        offset = ItemPointerGetOffsetNumberNoCheck(&version->t_ctid);
        is_start = false;
    }
}

// Whether the tuple's key has the very bytes of the sample's, as all versions of a HOT chain have.
// Nothing is unpacked: what a dead one keeps elsewhere may be gone.
bool has_sample_key(const search &work, HeapTuple tuple) {
    const TupleDesc columns = RelationGetDescr(work.place->table);
    for (int i = 0; i < work.columns; ++i) {
        const AttrNumber number = work.place->columns[i];
        const Form_pg_attribute column = TupleDescAttr(columns, number - 1);
        bool nulls[2];
        const Datum wanted = heap_getattr(work.sample, number, columns, &nulls[0]);
        const Datum given = heap_getattr(tuple, number, columns, &nulls[1]);
        if (nulls[0] || nulls[1] || !datumIsEqual(wanted, given, column->attbyval, column->attlen))
            return false;
    }
    return true;
}

// Versions that no index and no other version leads to: of an update that was rolled back, or
// without their entry in the index not yet or no longer.
void take_left_over(search &work) {
    if (work.page->block == InvalidBlockNumber || work.sample == nullptr)
        return;
    Page page = page_of(work);
    for (OffsetNumber offset = FirstOffsetNumber; offset <= work.page->last; ++offset) {
        if (work.page->is_taken[offset] || !ItemIdIsNormal(PageGetItemId(page, offset)))
            continue;
        HeapTupleData tuple = tuple_on(work, page, offset);
        if (has_sample_key(work, &tuple))
            add_version(work, offset);
    }
}

void start(search &work) {
    work.page = static_cast<page_copy *>(palloc(sizeof(page_copy)));
    work.page->block = InvalidBlockNumber;
    work.room = 64;
    work.found =
        static_cast<found_version *>(palloc(sizeof(found_version) * static_cast<Size>(work.room)));
}

// Entries of one key are in the order of their places, so each page is read once.
void look_through_index(search &work, const key_type &type, Datum key) {
    ScanKeyData *wanted = look_for_equal(work.place->index, work.columns);
    look_at(wanted, type, work.place->places, key);
    IndexScanDesc scan =
        version::begin_index_scan(work.place->table, work.place->index, SnapshotAny, work.columns);
    scan->ignore_killed_tuples = false;
    index_rescan(scan, wanted, work.columns, nullptr, 0);
    while (const ItemPointer place = index_getnext_tid(scan, ForwardScanDirection)) {
        CHECK_FOR_INTERRUPTS();
        const BlockNumber block = ItemPointerGetBlockNumber(place);
        const OffsetNumber offset = ItemPointerGetOffsetNumber(place);
        if (block != work.page->block) {
            take_left_over(work);
            copy_page(work, block);
        }
        take_chain(work, offset);
    }
    index_endscan(scan);
    take_left_over(work);
}

// Where an update leads to that no version found is the end of: a version with another key, or one
// that came while the index was read, which is then added. Returns whether it is another key's.
bool follow_update(search &work, ItemPointerData place, TransactionId updater) {
    const BlockNumber block = ItemPointerGetBlockNumberNoCheck(&place);
    const OffsetNumber offset = ItemPointerGetOffsetNumberNoCheck(&place);
    CHECK_FOR_INTERRUPTS();
    if (block >= RelationGetNumberOfBlocks(work.place->table))
        return false;
    copy_page(work, block);
    if (offset < FirstOffsetNumber || offset > work.page->last ||
        !ItemIdIsNormal(PageGetItemId(page_of(work), offset)))
        return false;
    HeapTupleData tuple = tuple_on(work, page_of(work), offset);
    if (!TransactionIdEquals(HeapTupleHeaderGetRawXmin(tuple.t_data), updater))
        return false;
    if (!has_sample_key(work, &tuple))
        return true;
    // What of this page was found before is found again.
    take_chain(work, offset);
    return false;
}

} // namespace guarded

using line_place = std::pair<BlockNumber, OffsetNumber>;

line_place place_of(const ItemPointerData &tid) {
    return {ItemPointerGetBlockNumberNoCheck(&tid), ItemPointerGetOffsetNumberNoCheck(&tid)};
}

// Whether it was updated, and the next version may be anywhere.
bool leads_away(const HeapTupleHeaderData *version, const ItemPointerData &self) {
    return (version->t_infomask2 & HEAP_HOT_UPDATED) == 0 &&
           !HeapTupleHeaderIndicatesMovedPartitions(version) &&
           !HeapTupleHeaderIsSpeculative(version) && place_of(version->t_ctid) != place_of(self);
}

} // namespace

std::vector<found_version> versions_at(const search_place &place, const key_type &type, Datum key,
                                       int columns, Snapshot snapshot) {
    search work{&place, snapshot, columns, nullptr, nullptr, nullptr, 0, 0};
    search *const at_work = &work;
    const key_type *const kind = &type;
    pg_call([=] {
        start(*at_work);
        look_through_index(*at_work, *kind, key);
    });
    std::vector<found_version> versions;
    std::set<line_place> known;
    const auto take_in = [&](int first) {
        const std::span added{work.found + first, static_cast<std::size_t>(work.count - first)};
        for (const found_version &one : added)
            if (known.insert(place_of(one.place)).second)
                versions.push_back(one);
    };
    take_in(0);
    std::size_t done = 0;
    while (done < versions.size()) {
        const std::size_t i = done++;
        const found_version one = versions[i]; // others may be added
        if (!one.is_normal() || !leads_away(one.header(), one.place) ||
            known.contains(place_of(one.header()->t_ctid)))
            continue;
        const int first = work.count;
        const found_version *const last = &one;
        versions[i].has_left_its_key = pg_call([=] {
            const TransactionId updater = updater_in_guard(last->header());
            return TransactionIdIsValid(updater) &&
                   follow_update(*at_work, last->header()->t_ctid, updater);
        });
        take_in(first);
    }
    return versions;
}

} // namespace lockstep
