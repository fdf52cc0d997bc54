#include "store/journal_guard.hpp"

namespace lockstep {

namespace {

Oid being_written = InvalidOid;

} // namespace

journal_writing::journal_writing(Oid journal) noexcept : before_(being_written) {
    being_written = journal;
}

journal_writing::~journal_writing() {
    being_written = before_;
}

bool is_being_written(Oid journal) noexcept {
    return being_written == journal;
}

} // namespace lockstep
