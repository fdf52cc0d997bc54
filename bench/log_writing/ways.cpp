#include "log_writing/ways.hpp"

#include <fmt/format.h>

#include <array>

namespace lockstep::bench {
namespace {

constexpr const char *payload = R"({"user": 4711, "page": "/shop/lamp", "took": 12})";

// Leads with its place, as a UUID of version 7 leads with the time.
std::string id_of(std::size_t number) {
    return fmt::format("{:08x}-{:04x}-7000-8000-000000000000", number >> 16U, number & 0xffffU);
}

} // namespace

std::vector<way> all_ways() {
    return {way::each_committed, way::each_in_batch,   way::arrays,
            way::copy_directly,  way::copy_and_insert, way::sent_again};
}

std::string label_of(way how) {
    switch (how) {
    case way::each_committed: return "INSERT, each row committed";
    case way::each_in_batch: return "INSERT, a commit a thousand";
    case way::arrays: return "one INSERT of arrays";
    case way::copy_directly: return "COPY into the table";
    case way::copy_and_insert: return "COPY, then INSERT";
    case way::sent_again: return "the same, sent again";
    }
    return {};
}

std::string name_of(way how) {
    switch (how) {
    case way::each_committed: return "each_committed";
    case way::each_in_batch: return "each_in_batch";
    case way::arrays: return "arrays";
    case way::copy_directly: return "copy_directly";
    case way::copy_and_insert: return "copy_and_insert";
    case way::sent_again: return "sent_again";
    }
    return {};
}

void writer::begin(way how) {
    how_ = how;
    written_ = 0;
    link_.run("DROP TABLE IF EXISTS events");
    link_.run("CREATE TABLE events (id uuid NOT NULL, at timestamptz NOT NULL, kind text NOT NULL,"
              " payload jsonb NOT NULL, xact xid8 NOT NULL DEFAULT pg_current_xact_id(),"
              " PRIMARY KEY (id, at)) PARTITION BY RANGE (at)");
    link_.run("CREATE INDEX ON events (xact)");
    link_.run("CREATE TABLE events_today PARTITION OF events FOR VALUES"
              " FROM ('2026-11-26 00:00+00') TO ('2026-11-27 00:00+00')");
    link_.run("CREATE TEMP TABLE IF NOT EXISTS batch (id uuid, at timestamptz, kind text,"
              " payload jsonb) ON COMMIT DELETE ROWS");
    link_.run("DEALLOCATE ALL");
    link_.prepare("one", "INSERT INTO events (id, at, kind, payload) VALUES ($1,"
                         " '2026-11-26 09:00:00+00', 'click', $2) ON CONFLICT DO NOTHING");
    link_.prepare("arrays", "INSERT INTO events (id, at, kind, payload)"
                            " SELECT id, '2026-11-26 09:00:00+00', 'click', payload"
                            " FROM unnest($1::uuid[], $2::jsonb[]) AS e(id, payload)"
                            " ON CONFLICT (id, at) DO NOTHING");
    link_.run("CHECKPOINT");
    if (how_ == way::sent_again)
        copy_and_insert();
}

std::size_t writer::write() {
    switch (how_) {
    case way::each_committed: insert_each(1); return 1;
    case way::each_in_batch:
        link_.run("BEGIN");
        insert_each(rows_of_batch);
        link_.run("COMMIT");
        break;
    case way::arrays: insert_arrays(); break;
    case way::copy_directly: copy("events (id, at, kind, payload)"); break;
    case way::copy_and_insert: copy_and_insert(); break;
    case way::sent_again:
        written_ -= rows_of_batch;
        copy_and_insert();
        break;
    }
    return rows_of_batch;
}

std::string writer::check() {
    const auto found = link_.run("SELECT count(*) FROM events");
    if (const auto count = std::stoull(found.text(0, 0)); count != written_)
        return fmt::format("{} rows are there, and {} were written", count, written_);
    return {};
}

void writer::insert_each(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::array<value, 2> values{{{id_of(written_++)}, {payload}}};
        link_.run_prepared("one", values);
    }
}

void writer::insert_arrays() {
    std::string ids;
    std::string payloads;
    std::string quoted;
    for (const char one : std::string{payload})
        quoted += one == '"' ? std::string{"\\\""} : std::string{one};
    for (std::size_t i = 0; i < rows_of_batch; ++i) {
        ids += (i == 0 ? "{" : ",") + id_of(written_++);
        payloads += (i == 0 ? "{\"" : ",\"") + quoted + "\"";
    }
    const std::array<value, 2> values{{{ids + "}"}, {payloads + "}"}}};
    link_.run_prepared("arrays", values);
}

void writer::copy(const char *table) {
    std::string lines;
    for (std::size_t i = 0; i < rows_of_batch; ++i)
        lines += fmt::format("{}\t2026-11-26 09:00:00+00\tclick\t{}\n", id_of(written_++), payload);
    link_.copy(fmt::format("COPY {} FROM STDIN", table), lines);
}

void writer::copy_and_insert() {
    link_.run("BEGIN");
    copy("batch");
    link_.run("INSERT INTO events SELECT * FROM batch ORDER BY id, at"
              " ON CONFLICT (id, at) DO NOTHING");
    link_.run("COMMIT");
}

} // namespace lockstep::bench
