#include "age/audit_page.hpp"

#include "age/history.h"
#include "core/words.hpp"

#include "pg/values.hpp"

#include <algorithm>

namespace lockstep {

namespace {

void append(std::string &to, const std::string &part) {
    to += (to.empty() ? "" : "; ") + part;
}

std::string who_text(horizon_holders &seen, const holder_row &one) {
    std::string text = seen.label_of(one);
    const std::string database = seen.database_text(one.holder.database);
    std::string place;
    if (one.who.user && one.slot < 0)
        place = NameStr(*DatumGetName(*one.who.user));
    if (!database.empty())
        place += (place.empty() ? "in " : " in ") + database;
    if (!place.empty())
        text += " (" + place + ')';
    return one_line(std::move(text));
}

std::string holds_text(horizon_holders &seen, const holder_row &one) {
    std::string text;
    std::string oldest;
    for (const std::string &name : seen.oldest_names(one))
        oldest += (oldest.empty() ? "oldest for " : ", ") + name;
    if (!oldest.empty())
        append(text, oldest);
    else if (one.holder.reaches == age::reach::nothing && !one.holder.is_frozen_limit)
        append(text, "holds no horizon");
    if (one.gain > 0)
        append(text, "ending it frees " + count_text(one.gain) +
                         (one.gain == 1 ? " transaction" : " transactions"));
    if (one.blocked > 0)
        append(text, std::to_string(one.blocked) +
                         (one.blocked == 1 ? " session waits for it" : " sessions wait for it"));
    if (const age_process *process = seen.process_of(one);
        process != nullptr && one.tables < 0 && process->locks_held > 0)
        append(text, "holds " + std::to_string(process->locks_held) +
                         (process->locks_held == 1 ? " lock" : " locks"));
    if (const auto bytes = seen.wal_kept(one); bytes)
        append(text, "keeps " + bytes_text(*bytes) + " of WAL");
    return one_line(std::move(text));
}

// "15 d 3 h", or that it is too far away to count.
std::string far_text(std::int64_t microseconds) {
    constexpr std::int64_t year = INT64CONST(365) * 86400 * 1000000;
    return microseconds > 10 * year ? "more than 10 years" : duration_text(microseconds);
}

std::vector<std::string> head_of(horizon_holders &seen, const std::vector<database> &databases) {
    std::vector<std::string> lines;
    lines.push_back("transaction age at " + time_text(seen.now().taken_at) +
                    (seen.now().in_recovery ? ", on a standby" : ""));
    lines.push_back("next transaction id: " + count_text(seen.next()));
    const auto oldest =
        std::ranges::max_element(databases, {}, [](const database &one) { return one.xids.age; });
    if (oldest == databases.end())
        return lines;
    const std::string name = oldest->name.empty() ? std::to_string(oldest->oid) : oldest->name;
    lines.push_back(one_line("oldest database: " + name + ", " + count_text(oldest->xids.age) +
                             " transactions (" +
                             count_text(oldest->xids.age * 100 /
                                        std::max<std::int64_t>(seen.limits().freeze_max_age, 1)) +
                             " % of autovacuum_freeze_max_age)"));
    std::string stop =
        "until the server stops: " + count_text(std::max<std::int64_t>(oldest->xids.to_stop, 0)) +
        " transactions";
    const id_rates rates = rates_of(seen.now());
    if (const auto left = rates.until(oldest->xids.to_stop, oldest->multis.to_stop); left)
        stop += ", " + far_text(*left) + " at the present rate";
    lines.push_back(stop);
    if (!lockstep_has_history())
        lines.emplace_back("no history (shared_preload_libraries): slots and standbys are not "
                           "judged by time");
    const auto hidden = std::ranges::count_if(seen.holders(), [](const holder_row &one) {
        return one.found.level == age::severity::unknown;
    });
    if (hidden > 0)
        lines.push_back("not judged by time: " + std::to_string(hidden) +
                        (hidden == 1 ? " session" : " sessions") +
                        " (it takes pg_read_all_stats to see what others do)");
    return lines;
}

// "databases shop, other and 3 more"
std::string names_text(const std::vector<std::string> &names) {
    constexpr std::size_t most = 5;
    std::string text = names.size() == 1 ? "database " : "databases ";
    for (std::size_t i = 0; i < std::min(names.size(), most); ++i)
        text += (i == 0 ? "" : ", ") + names[i];
    if (names.size() > most)
        text += " and " + std::to_string(names.size() - most) + " more";
    return text;
}

bool is_of_multixacts(const std::string &reason) {
    return reason.find("multixacts") != std::string::npos;
}

// Databases that are as bad as each other, for the same reason, are one line; the oldest says why.
std::vector<age::audit_entry> database_entries(horizon_holders &seen,
                                               const std::vector<database> &databases) {
    std::vector<age::audit_entry> entries;
    std::vector<std::vector<std::string>> names;
    for (const database &one : databases) {
        age::audit_entry entry{one.found.level, {}, {}, one.found.reason, one.advice, {}};
        if (one.top != nullptr)
            entry.holds = "oldest holder: " + who_text(seen, *one.top);
        const auto same = std::ranges::find_if(entries, [&](const age::audit_entry &known) {
            return known.level == entry.level && known.advice == entry.advice &&
                   known.holds == entry.holds &&
                   is_of_multixacts(known.reason) == is_of_multixacts(entry.reason);
        });
        names.resize(entries.size() + 1);
        names[static_cast<std::size_t>(same - entries.begin())].push_back(
            one_line(one.name.empty() ? std::to_string(one.oid) : one.name));
        if (same == entries.end())
            entries.push_back(std::move(entry));
    }
    for (std::size_t i = 0; i < entries.size(); ++i)
        entries[i].who = names_text(names[i]);
    return entries;
}

} // namespace

age::audit_page audit_page_of(horizon_holders &seen, const std::vector<database> &databases,
                              std::size_t most) {
    age::audit_page page;
    page.most = most;
    page.head = head_of(seen, databases);
    for (const holder_row &one : seen.holders())
        page.entries.push_back({one.found.level, who_text(seen, one), holds_text(seen, one),
                                one.found.reason, one.advice, one.action});
    for (age::audit_entry &one : database_entries(seen, databases))
        page.entries.push_back(std::move(one));
    std::ranges::stable_sort(page.entries, std::greater<>{},
                             [](const age::audit_entry &one) { return one.level; });
    return page;
}

} // namespace lockstep
