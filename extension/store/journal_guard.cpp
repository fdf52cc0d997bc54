#include "store/journal_guard.hpp"

namespace lockstep {

namespace {

journal_writing *innermost = nullptr;

} // namespace

journal_writing::journal_writing(Oid journal, AttrNumber id_column,
                                 std::span<const uuid_bytes> ids) noexcept
    : journal_(journal), id_column_(id_column), ids_(ids), before_(innermost) {
    innermost = this;
}

journal_writing::~journal_writing() {
    innermost = before_;
}

bool journal_writing::take(const uuid_bytes &id) noexcept {
    if (ids_.empty() || ids_.front() != id)
        return false;
    ids_ = ids_.subspan(1);
    return true;
}

journal_writing *being_written(Oid journal) noexcept {
    return innermost != nullptr && innermost->journal() == journal ? innermost : nullptr;
}

} // namespace lockstep
