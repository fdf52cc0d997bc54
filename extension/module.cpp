// The module's identity card. What it needs once per session is set up by _PG_init.
#include "age/sampling.hpp"
#include "age/settings.hpp"
#include "deadlocks/watch.h"
#include "ledger/choice.hpp"
#include "ledger/ledger_cache.hpp"
#include "ledger/ledger_counters.h"
#include "lock_graph/settings.hpp"
#include "lock_graph/wait_context.h"
#include "lock_samples/sampling.hpp"
#include "locking/order_guard.hpp"
#include "once/held_requests.hpp"
#include "pg/backoff_settings.hpp"
#include "pg/boundary.hpp"
#include "pg/call_memory.hpp"
#include "pg/fault.hpp"
#include "retry/settings.hpp"
#include "retry/statistics.h"
#include "submit/queue.h"
#include "transfer/batch.hpp"

extern "C" {
LOCKSTEP_EXPORT extern const Pg_magic_struct *PG_MAGIC_FUNCTION_NAME(void);
LOCKSTEP_MODULE_MAGIC("lockstep");

LOCKSTEP_EXPORT void _PG_init(void);
}

void _PG_init(void) {
    lockstep::ledger_cache::install();
    lockstep::install_memory_setting();
    lockstep::install_store_setting();
    lockstep::install_batch_setting();
    lockstep::install_order_guard();
    lockstep::install_held_requests();
    lockstep::install_backoff_settings();
    lockstep::install_fault_settings();
    lockstep::blocking_settings::install();
    lockstep::age_settings::install();
    lockstep_install_wait_contexts();
    lockstep::install_age_sampler();
    lockstep_install_deadlock_watch();
    lockstep::install_lock_sampler();
    lockstep_install_ledger_counters();
    lockstep_install_retry_statistics();
    lockstep::retry_settings::install();
    lockstep_install_submit_queue();
    MarkGUCPrefixReserved("lockstep");
}
