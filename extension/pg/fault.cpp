#include "pg/fault.hpp"

#include "pg/pg.hpp"
#include "core/sql_error.hpp"
#include "pg/fault_points.h"

#include <csignal>

namespace lockstep {

namespace {

int wanted_point = static_cast<int>(fault_point::none);
int wanted_fault = static_cast<int>(fault::kill);

const config_enum_entry points[] = {
    {"none", static_cast<int>(fault_point::none), false},
    {"after_journal", static_cast<int>(fault_point::after_journal), false},
    {"submit_joined", static_cast<int>(fault_point::submit_joined), false},
    {"submit_waits", static_cast<int>(fault_point::submit_waits), false},
    {"submit_leads", static_cast<int>(fault_point::submit_leads), false},
    {"submit_taken", static_cast<int>(fault_point::submit_taken), false},
    {"submit_booked", static_cast<int>(fault_point::submit_booked), false},
    {"submit_committed", static_cast<int>(fault_point::submit_committed), false},
    {"submit_told", static_cast<int>(fault_point::submit_told), false},
    {"deadlock_slot", static_cast<int>(fault_point::deadlock_slot), false},
    {nullptr, 0, false}};

const config_enum_entry faults[] = {{"kill", static_cast<int>(fault::kill), false},
                                    {"terminate", static_cast<int>(fault::terminate), false},
                                    {"cancel", static_cast<int>(fault::cancel), false},
                                    {"stop", static_cast<int>(fault::stop), false},
                                    {"error", static_cast<int>(fault::error), false},
                                    {nullptr, 0, false}};

void happen() {
    switch (static_cast<fault>(wanted_fault)) {
    case fault::kill: kill(MyProcPid, SIGKILL); break;
    case fault::terminate: kill(MyProcPid, SIGTERM); break;
    case fault::cancel: kill(MyProcPid, SIGINT); break;
    case fault::stop: kill(MyProcPid, SIGSTOP); break;
    case fault::error: throw sql_error(state::internal_error, "a test wants an error here");
    }
}

} // namespace

void install_fault_settings() {
    constexpr int hidden = GUC_NOT_IN_SAMPLE | GUC_NO_SHOW_ALL;
    DefineCustomEnumVariable("lockstep.debug_fault_point",
                             "Where something happens to a session of a test.", nullptr,
                             &wanted_point, static_cast<int>(fault_point::none), points, PGC_SUSET,
                             hidden, nullptr, nullptr, nullptr);
    DefineCustomEnumVariable("lockstep.debug_fault", "What happens to it there.", nullptr,
                             &wanted_fault, static_cast<int>(fault::kill), faults, PGC_SUSET,
                             hidden, nullptr, nullptr, nullptr);
}

void reach(fault_point here) {
    if (here != fault_point::none && static_cast<int>(here) == wanted_point)
        happen();
}

} // namespace lockstep

void lockstep_reach_deadlock_slot() {
    using namespace lockstep;
    if (static_cast<int>(fault_point::deadlock_slot) != wanted_point)
        return;
    if (wanted_fault == static_cast<int>(fault::kill))
        kill(MyProcPid, SIGKILL);
    else if (wanted_fault == static_cast<int>(fault::stop))
        kill(MyProcPid, SIGSTOP);
}
