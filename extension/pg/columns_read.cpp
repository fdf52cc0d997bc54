#include "pg/columns_read.hpp"

namespace lockstep {

namespace {

struct search {
    const Node *call;
    bool is_found;
    Bitmapset *columns; // as pull_varattnos() numbers them, of every scan of the call
};

inline namespace guarded {

void look_at(const Plan *plan, search *to);

void look_at_all(const List *plans, search *to) {
    const ListCell *cell = nullptr;
    foreach (cell, plans)
        look_at(static_cast<const Plan *>(lfirst(cell)), to);
}

// The rows go through the scan's own list of columns and its conditions, and nothing else sees
// them.
void look_at_scan(const FunctionScan *scan, search *to) {
    if (list_length(scan->functions) != 1 ||
        linitial_node(RangeTblFunction, scan->functions)->funcexpr != to->call)
        return;
    to->is_found = true;
    pull_varattnos(reinterpret_cast<Node *>(scan->scan.plan.targetlist), scan->scan.scanrelid,
                   &to->columns);
    pull_varattnos(reinterpret_cast<Node *>(scan->scan.plan.qual), scan->scan.scanrelid,
                   &to->columns);
}

void look_at(const Plan *plan, search *to) {
    if (plan == nullptr)
        return;
    switch (nodeTag(plan)) {
    case T_FunctionScan: look_at_scan(reinterpret_cast<const FunctionScan *>(plan), to); return;
    case T_SubqueryScan: look_at(reinterpret_cast<const SubqueryScan *>(plan)->subplan, to); return;
    case T_Append: look_at_all(reinterpret_cast<const Append *>(plan)->appendplans, to); return;
    case T_MergeAppend:
        look_at_all(reinterpret_cast<const MergeAppend *>(plan)->mergeplans, to);
        return;
    case T_CustomScan:
        look_at_all(reinterpret_cast<const CustomScan *>(plan)->custom_plans, to);
        break;
    default: break;
    }
    look_at(plan->lefttree, to);
    look_at(plan->righttree, to);
}

bool reads(const search &found, int column) {
    return bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, found.columns) ||
           bms_is_member(column - FirstLowInvalidHeapAttributeNumber, found.columns);
}

} // namespace guarded
} // namespace

void mark_columns_read(FunctionCallInfo fcinfo, std::span<bool> read) {
    bool *const columns = read.data();
    const int count = static_cast<int>(read.size());
    pg_call([=] {
        search to{fcinfo->flinfo->fn_expr, false, nullptr};
        const auto *result = reinterpret_cast<const ReturnSetInfo *>(fcinfo->resultinfo);
        const EState *const run = result->econtext->ecxt_estate;
        if (to.call != nullptr && run != nullptr && run->es_plannedstmt != nullptr) {
            look_at(run->es_plannedstmt->planTree, &to);
            look_at_all(run->es_plannedstmt->subplans, &to);
        }
        for (int i = 0; i < count; ++i)
            columns[i] = !to.is_found || reads(to, i + 1);
        bms_free(to.columns);
    });
}

} // namespace lockstep
