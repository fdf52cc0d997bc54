/*
 * Finds the calls that `.*` has multiplied. The parser turns (f(x)).* into (f(x)).a, (f(x)).b, ...
 * (ExpandRowReference): as many copies of the call as f's result has columns, each of which runs.
 * The copies stand in one list (of targets, of RETURNING, a row of VALUES, the arguments of ROW),
 * and they share the place in the query's text. Two calls that somebody has written do not: in one
 * text no two begin at the same place, and a list comes from one text. So nobody is refused who has
 * written the calls himself, be they equal, and be it for every column.
 *
 * Views, rules and functions with BEGIN ATOMIC are stored without places. There a list with all
 * columns of one call, one behind the other and in their order, is taken for `.*`: the server
 * itself no longer knows better, for pg_get_viewdef and pg_dump write `.*` out like that.
 *
 * A query is judged as it was written: once, before the planner has simplified its expressions.
 * What it has simplified may hold the bodies of SQL functions, whose places are those of another
 * text.
 *
 * This is C because the server's walkers of trees are.
 */
#include "postgres.h"

#include "funcapi.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "pg/expansion.h"

/* The first call of a function in an expression, subqueries included. */
typedef struct call_search {
    Oid function;
    const FuncExpr *call;
} call_search;

static bool find_call(Node *node, void *context) {
    call_search *search = context;

    if (node == NULL)
        return false;
    if (IsA(node, FuncExpr) && ((FuncExpr *)node)->funcid == search->function) {
        search->call = (FuncExpr *)node;
        return true;
    }
    if (IsA(node, Query))
        return query_tree_walker((Query *)node, find_call, context, 0);
    return expression_tree_walker(node, find_call, context);
}

/* One column of a row that a call makes: (f(x)).a, or (CASE ... f(x) ... END).a. */
typedef struct call_column {
    Expr *row;
    AttrNumber number;
    int place; /* of the call in the text, or -1 */
} call_column;

/* What an element of a list is beneath the casts that the server has put around it. */
static const FieldSelect *beneath_casts(Node *element) {
    while (element != NULL) {
        switch (nodeTag(element)) {
        case T_FieldSelect: return (FieldSelect *)element;
        case T_TargetEntry: element = (Node *)((TargetEntry *)element)->expr; break;
        case T_RelabelType: element = (Node *)((RelabelType *)element)->arg; break;
        case T_CoerceViaIO: element = (Node *)((CoerceViaIO *)element)->arg; break;
        case T_ArrayCoerceExpr: element = (Node *)((ArrayCoerceExpr *)element)->arg; break;
        case T_ConvertRowtypeExpr: element = (Node *)((ConvertRowtypeExpr *)element)->arg; break;
        case T_CoerceToDomain: element = (Node *)((CoerceToDomain *)element)->arg; break;
        case T_FuncExpr:
            if (((FuncExpr *)element)->funcformat != COERCE_IMPLICIT_CAST)
                return NULL;
            element = linitial(((FuncExpr *)element)->args);
            break;
        default: return NULL;
        }
    }
    return NULL;
}

static bool read_column(Node *element, Oid function, call_column *to) {
    const FieldSelect *const field = beneath_casts(element);
    call_search search = {function, NULL};

    if (field == NULL || !find_call((Node *)field->arg, &search))
        return false;
    to->row = field->arg;
    to->number = field->fieldnum;
    to->place = search.call->location;
    return true;
}

static bool same_call(const call_column *one, const call_column *other) {
    return one->place == other->place && equal(one->row, other->row);
}

/* How many columns of the row are in the list, wherever: a bit each. */
static Bitmapset *columns_anywhere(const List *list, const call_column *first, Oid function) {
    Bitmapset *seen = NULL;
    ListCell *cell;

    foreach (cell, list) {
        call_column other;
        if (read_column(lfirst(cell), function, &other) && same_call(first, &other))
            seen = bms_add_member(seen, other.number);
    }
    return seen;
}

/* The same from the position of the first one on, up to where the order ends. */
static Bitmapset *columns_in_order(const List *list, int position, const call_column *first,
                                   Oid function) {
    Bitmapset *seen = bms_make_singleton(first->number);
    AttrNumber last = first->number;

    for (int i = position + 1; i < list_length(list); i++) {
        call_column other;
        if (!read_column(list_nth(list, i), function, &other) || !same_call(first, &other) ||
            other.number <= last)
            break;
        last = other.number;
        seen = bms_add_member(seen, last);
    }
    return seen;
}

/* The columns that `.*` stands for; dropped ones are not among them. */
static Bitmapset *all_columns(Expr *row) {
    const TupleDesc columns = get_expr_result_tupdesc((Node *)row, true);
    Bitmapset *all = NULL;

    for (int i = 0; columns != NULL && i < columns->natts; i++) {
        if (!TupleDescAttr(columns, i)->attisdropped)
            all = bms_add_member(all, i + 1);
    }
    return all;
}

/*
 * The copies that `.*` has made in this list, or 0. `sorted`: the server may have put the list into
 * the order of a table's columns, so that the order says nothing.
 */
static int copies_in(const List *list, bool sorted, Oid function) {
    for (int i = 0; i < list_length(list); i++) {
        call_column first;
        Bitmapset *all, *seen;

        if (!read_column(list_nth(list, i), function, &first))
            continue;
        all = all_columns(first.row);
        /* Every expansion has the first column; to begin at others would be quadratic. */
        if (bms_num_members(all) < 2 || first.number != bms_next_member(all, -1))
            continue;
        seen = first.place >= 0 || sorted ? columns_anywhere(list, &first, function)
                                          : columns_in_order(list, i, &first, function);
        if (bms_equal(seen, all))
            return bms_num_members(all);
    }
    return 0;
}

typedef struct query_search {
    const Query *query;
    Oid function;
    int copies;
} query_search;

/* The rewriter sorts what is written to a table (rewriteTargetListIU), not what is read. */
static bool is_sorted(const Query *query, const List *list) {
    if (list == NIL || !IsA(linitial(list), TargetEntry) || list == query->returningList)
        return false;
    return query->commandType != CMD_SELECT || list != query->targetList;
}

static bool find_copies(Node *node, void *context) {
    query_search *search = context;

    /* Subqueries are planned by themselves, and looked at then. */
    if (node == NULL || IsA(node, Query))
        return false;
    if (IsA(node, List)) {
        List *const list = (List *)node;
        search->copies = copies_in(list, is_sorted(search->query, list), search->function);
        if (search->copies > 0)
            return true;
    }
    return expression_tree_walker(node, find_copies, context);
}

/* A query that has been looked through, for as long as the planner's memory lives. */
typedef struct seen_query {
    MemoryContextCallback forget;
    struct seen_query *next;
    const PlannerInfo *root;
    Oid function;
    int tables; /* its range table's length: it grows when a subquery is pulled up into it */
} seen_query;

static seen_query *seen_queries = NULL;

static void forget_query(void *context) {
    seen_query **link = &seen_queries;

    while (*link != NULL && *link != context)
        link = &(*link)->next;
    if (*link != NULL)
        *link = (*link)->next;
}

/* Whether it has still to be looked through; the next time it has been. */
static bool is_new_query(const PlannerInfo *root, Oid function) {
    const int tables = list_length(root->parse->rtable);
    seen_query *seen;

    for (seen = seen_queries; seen != NULL; seen = seen->next) {
        if (seen->root == root && seen->function == function)
            break;
    }
    if (seen == NULL) {
        seen = MemoryContextAllocZero(root->planner_cxt, sizeof(seen_query));
        seen->forget.func = forget_query;
        seen->forget.arg = seen;
        seen->root = root;
        seen->function = function;
        seen->next = seen_queries;
        seen_queries = seen;
        MemoryContextRegisterResetCallback(root->planner_cxt, &seen->forget);
    } else if (seen->tables == tables) {
        return false;
    }
    seen->tables = tables;
    return true;
}

call_expansion lockstep_find_expansion(struct PlannerInfo *root, Oid function) {
    /* The queries around it too: (SELECT f(x)).* multiplies a subquery. */
    for (; root != NULL; root = root->parent_root) {
        query_search search = {root->parse, function, 0};

        if (root->parse == NULL || root->planner_cxt == NULL || !is_new_query(root, function))
            continue;
        if (query_tree_walker(root->parse, find_copies, &search,
                              QTW_IGNORE_RT_SUBQUERIES | QTW_IGNORE_CTE_SUBQUERIES |
                                  QTW_IGNORE_JOINALIASES))
            return (call_expansion){get_func_name(function), search.copies};
    }
    return (call_expansion){NULL, 0};
}
