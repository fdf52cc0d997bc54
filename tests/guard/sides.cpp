// The right thing on the wrong side of the wall.
#include "pg/boundary.hpp"

#include <string>

namespace lockstep {

int of_another_file(int number);

inline namespace guarded {

int guarded_of_another_file(int number);

Datum named(Oid relation) {
    return PointerGetDatum(get_rel_name(relation));
}

void interrupt() {
    CHECK_FOR_INTERRUPTS();
}

} // namespace guarded

namespace {

Datum unmarked(Oid relation) {
    return PointerGetDatum(get_rel_name(relation));
}

} // namespace

std::string everything(Oid relation, HeapTuple row) {
    std::string text = "an object that an ERROR would jump over";
    pg_call([=] { return unmarked(relation); }); // refused: unmarked(unsigned int), which is not
    pg_call([=] { return of_another_file(3); }); // refused: of_another_file(int), which is not
    pg_call([=] { return guarded_of_another_file(3); });
    pg_call(&interrupt);                      // refused: something else than a lambda
    text += DatumGetCString(named(relation)); // refused: named, which is guarded
    text += get_rel_name(relation);           // refused: get_rel_name outside of pg_call
    // By a macro of the server, and an inline function of its.
    if (heap_attisnull(row, 1, nullptr)) // refused: heap_attisnull outside
        text += "null";
    return text + std::to_string(GetCurrentTransactionNestLevel());
}

} // namespace lockstep
