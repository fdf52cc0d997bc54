// Points at which a test may have the session's process killed, as a crash would: the setting
// lockstep.debug_fault_point, for superusers alone.
#pragma once

namespace lockstep {

enum class fault_point : int {
    none,
    after_journal, // the journal's rows are written, the ledger's are not
};

// Defines the setting. Once, when the module is loaded.
void install_fault_setting();

// Ends this process with SIGKILL where the setting says so. The server then restarts as after any
// crash.
void reach(fault_point here);

} // namespace lockstep
