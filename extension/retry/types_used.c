#include "pg/version.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "tcop/utility.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "retry/types_used.h"

typedef struct used_type {
    Oid type;
    uint64 layout; /* of a row type; else 0 */
} used_type;

static uint64 layout_of(Oid type) {
    return get_typtype(type) == TYPTYPE_COMPOSITE
               ? lookup_type_cache(type, TYPECACHE_TUPDESC)->tupDesc_identifier
               : 0;
}

static void add(List **used, Oid type) {
    ListCell *cell;
    used_type *one;

    if (type < FirstNormalObjectId)
        return;
    foreach (cell, *used)
        if (((used_type *)lfirst(cell))->type == type)
            return;
    one = palloc(sizeof(used_type));
    one->type = type;
    one->layout = layout_of(type);
    *used = lappend(*used, one);
}

/* Results of functions and columns of tables are not looked at: a change of them is seen. */
static bool collect(Node *node, void *used) {
    if (node == NULL)
        return false;
    switch (nodeTag(node)) {
    case T_Query: return query_tree_walker((Query *)node, collect, used, 0);
    case T_Const:
    case T_Param:
    case T_SubscriptingRef:
    case T_FieldSelect:
    case T_FieldStore:
    case T_RelabelType:
    case T_CoerceViaIO:
    case T_ArrayCoerceExpr:
    case T_ConvertRowtypeExpr:
    case T_ArrayExpr:
    case T_RowExpr:
    case T_CoerceToDomain: add(used, exprType(node)); break;
    default: break;
    }
    return expression_tree_walker(node, collect, used);
}

/* A utility may have a query in it, or a call. */
static void collect_statement(Query *query, List **used) {
    while (query->commandType == CMD_UTILITY) {
        Node *const utility = query->utilityStmt;

        if (IsA(utility, CallStmt)) {
            (void)collect((Node *)((CallStmt *)utility)->funcexpr, used);
            return;
        }
        query = UtilityContainsQuery(utility);
        if (query == NULL)
            return;
    }
    (void)collect((Node *)query, used);
}

List *lockstep_types_used(SPIPlanPtr plan) {
    List *used = NIL;
    ListCell *source;
    ListCell *query;

    foreach (source, SPI_plan_get_plan_sources(plan))
        foreach (query, ((CachedPlanSource *)lfirst(source))->query_list)
            collect_statement(lfirst_node(Query, query), &used);
    return used;
}

bool lockstep_types_are_the_same(const List *used) {
    ListCell *cell;

    foreach (cell, used) {
        const used_type *const one = lfirst(cell);

        if (!SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(one->type)) ||
            layout_of(one->type) != one->layout)
            return false;
    }
    return true;
}
