#include "lock_graph/places.hpp"

#include "core/words.hpp"

namespace lockstep {

namespace {

std::string number(std::uint64_t value) {
    return std::to_string(value);
}

// A relation of another database has no name here.
std::string relation_text(Oid database, Oid relation, catalogs &names) {
    if (catalogs::is_ours(database))
        return names.relation_name(database, relation);
    return "relation " + number(relation) + " of database " + number(database);
}

// One bigint, or two integers, as the advisory lock functions were given them.
std::string advisory_key(const lock_object &lock) {
    if (lock.field4 == 1)
        return std::to_string(
            static_cast<std::int64_t>(static_cast<std::uint64_t>(lock.field2) << 32 | lock.field3));
    const std::string two = std::to_string(static_cast<std::int32_t>(lock.field2)) + ", " +
                            std::to_string(static_cast<std::int32_t>(lock.field3));
    // Extensions have kinds of their own beside these two.
    return lock.field4 == 2 ? two : two + ", " + number(lock.field4);
}

ItemPointerData row_of(std::uint32_t block, std::uint16_t offset) {
    ItemPointerData row;
    ItemPointerSet(&row, block, offset);
    return row;
}

} // namespace

std::string row_text(Oid database, Oid relation, const ItemPointerData &row, const char *key,
                     catalogs &names) {
    const std::string table = relation_text(database, relation, names);
    if (key != nullptr)
        return "row " + std::string{key} + " of " + table;
    return "row (" + number(ItemPointerGetBlockNumberNoCheck(&row)) + ',' +
           number(ItemPointerGetOffsetNumberNoCheck(&row)) + ") of " + table;
}

lock_place place_of(const lock_object &lock, catalogs &names) {
    lock_place place;
    place.type = GetLockNameFromTagType(lock.type);
    const auto on_relation = [&] {
        place.database = lock.field1;
        place.relation = lock.field2;
        return relation_text(lock.field1, lock.field2, names);
    };
    switch (lock.type) {
    case LOCKTAG_RELATION:
        place.text = on_relation();
        if (catalogs::is_ours(lock.field1))
            place.text = "relation " + place.text;
        break;
    case LOCKTAG_RELATION_EXTEND: place.text = "extension of " + on_relation(); break;
    case LOCKTAG_DATABASE_FROZEN_IDS:
        place.database = lock.field1;
        place.text = "frozen ids of database " + number(lock.field1);
        break;
    case LOCKTAG_PAGE: place.text = "page " + number(lock.field3) + " of " + on_relation(); break;
    case LOCKTAG_TUPLE:
        static_cast<void>(on_relation());
        place.row = row_of(lock.field3, lock.field4);
        place.text = row_text(lock.field1, lock.field2, *place.row, nullptr, names);
        break;
    case LOCKTAG_TRANSACTION:
        place.xid = lock.field1;
        place.text = "transaction " + number(lock.field1);
        break;
    case LOCKTAG_VIRTUALTRANSACTION:
        place.vxid = vxid_text(static_cast<std::int32_t>(lock.field1), lock.field2);
        place.text = "virtual transaction " + place.vxid;
        break;
    case LOCKTAG_SPECULATIVE_TOKEN:
        place.xid = lock.field1;
        place.text = "insertion " + number(lock.field2) + " of transaction " + number(lock.field1);
        break;
    case LOCKTAG_OBJECT:
        place.database = lock.field1;
        place.object = number(lock.field2) + '/' + number(lock.field3) + '/' + number(lock.field4);
        place.text =
            "object " + number(lock.field3) + " of " + names.relation_name(InvalidOid, lock.field2);
        break;
    case LOCKTAG_ADVISORY:
        place.database = lock.field1;
        place.advisory_key = advisory_key(lock);
        place.text = "advisory lock (" + place.advisory_key + ')';
        break;
    default:
        place.database = lock.field1;
        place.object = number(lock.field2) + '/' + number(lock.field3) + '/' + number(lock.field4);
        place.text = std::string{place.type} + ' ' + number(lock.field1) + '/' + place.object;
        break;
    }
    return place;
}

wanted_place wanted_at(const lock_object &lock, const row_line &line, catalogs &names) {
    wanted_place wanted{place_of(lock, names), {}, InvalidOid, InvalidOid};
    if (line.relation != InvalidOid) {
        wanted.row = row_of(line.block, line.offset);
        wanted.database = line.database;
        wanted.relation = line.relation;
        return wanted;
    }
    wanted.row = wanted.lock.row;
    wanted.database = wanted.lock.database.value_or(InvalidOid);
    wanted.relation = wanted.lock.relation.value_or(InvalidOid);
    return wanted;
}

std::string mode_names(std::uint8_t method, std::uint32_t modes) {
    std::string names;
    for (int mode = 1; mode < LOCKSTEP_LOCK_MODES; ++mode)
        if ((modes & 1U << static_cast<unsigned>(mode)) != 0)
            names += (names.empty() ? "" : ", ") + std::string{GetLockmodeName(method, mode)};
    return names;
}

} // namespace lockstep
