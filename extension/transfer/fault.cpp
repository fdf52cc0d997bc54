#include "transfer/fault.hpp"

#include "pg/pg.hpp"

#include <csignal>

namespace lockstep {

namespace {

int wanted = static_cast<int>(fault_point::none);

const config_enum_entry points[] = {
    {"none", static_cast<int>(fault_point::none), false},
    {"after_journal", static_cast<int>(fault_point::after_journal), false},
    {nullptr, 0, false}};

} // namespace

void install_fault_setting() {
    DefineCustomEnumVariable("lockstep.debug_fault_point", "Where a session of a test is killed.",
                             nullptr, &wanted, static_cast<int>(fault_point::none), points,
                             PGC_SUSET, GUC_NOT_IN_SAMPLE | GUC_NO_SHOW_ALL, nullptr, nullptr,
                             nullptr);
}

void reach(fault_point here) {
    if (here != fault_point::none && static_cast<int>(here) == wanted)
        kill(MyProcPid, SIGKILL);
}

} // namespace lockstep
