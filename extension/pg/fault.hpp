// Points at which a test may have something happen to the session: the settings
// lockstep.debug_fault_point and lockstep.debug_fault, for superusers alone.
#pragma once

namespace lockstep {

enum class fault_point : int {
    none,
    after_journal,    // the journal's rows are written, the ledger's are not
    submit_joined,    // its call is in the queue; its first transaction has not ended
    submit_waits,     // it has ended, and the session has not slept yet
    submit_leads,     // it is to lead those who wait, and has not begun
    submit_taken,     // it has taken its group, and done nothing
    submit_booked,    // the group is booked, and not committed
    submit_committed, // it is committed, the others are told, its own caller is not
    submit_told,      // another session has done the call and told this one
    deadlock_slot,    // a deadlock is half written down
};

// What happens there. kill: SIGKILL, as a crash; the server then restarts as after any. terminate
// and cancel: as by pg_terminate_backend and pg_cancel_backend, so wherever the session looks for
// them next. stop: SIGSTOP, until somebody continues it. error: an internal one (XX000).
enum class fault : int { kill, terminate, cancel, stop, error };

// Defines the settings. Once, when the module is loaded.
void install_fault_settings();

// Does what the settings say, where they mean this point.
void reach(fault_point here);

} // namespace lockstep
