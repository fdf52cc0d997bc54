// The whole client in one line. See client.hpp first.
#pragma once

#include <lockstep/amount.hpp>
#include <lockstep/client.hpp>
#include <lockstep/error.hpp>
#include <lockstep/isolation.hpp>
#include <lockstep/ledger.hpp>
#include <lockstep/parameter.hpp>
#include <lockstep/pool.hpp>
#include <lockstep/request_id.hpp>
#include <lockstep/retry.hpp>
#include <lockstep/rows.hpp>
#include <lockstep/transaction.hpp>
#include <lockstep/version.hpp>
