// What the server's catalogs say of relations: opened with a lock, their columns, indexes and
// family, and names. A name that may be put into a statement is quoted and schema-qualified, so
// that no search_path matters; those for messages say so.
#pragma once

#include "pg/boundary.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lockstep {

struct column {
    char name[NAMEDATALEN];
    AttrNumber number;
    Oid declared_type; // as declared: may be a domain
    Oid type;          // what a domain stands on, else the declared type
    int32 typmod;
    Oid collation;
    bool is_generated; // written by the server alone
};

// Whether there is such a relation, by a look without a lock.
[[nodiscard]] bool relation_exists(Oid relation);

// 42501 where the caller may not use the relation's schema.
void require_schema_usage(Oid relation);

// Opens the relation and locks it until the end of the transaction; nothing where it is gone.
[[nodiscard]] Relation open_relation(Oid relation, LOCKMODE lock);
// The same without waiting: nothing where the lock is not to be had at once, too.
[[nodiscard]] Relation open_if_free(Oid relation, LOCKMODE lock);
inline namespace guarded {
// That, for C that runs inside the guard already.
[[nodiscard]] Relation open_if_free_in_guard(Oid relation, LOCKMODE lock);
} // namespace guarded
// Lets go of the relation, and of a lock on it: without one, it stays until the end of the
// transaction.
void close_relation(Relation relation, LOCKMODE unlock = NoLock);

// The column of this name; where there is none, the one at this position (if it is not 0 or
// dropped).
[[nodiscard]] std::optional<column> find_column(Relation relation, const char *name,
                                                AttrNumber position = 0);

// The columns of the primary key, in its order; none where there is no primary key.
[[nodiscard]] std::vector<column> primary_key_columns(Relation relation);

// A unique index that is valid, immediate, without predicate, on just this column: its OID, or
// InvalidOid. Asking for it proves that a key names at most one row.
[[nodiscard]] Oid unique_index_on(Relation relation, AttrNumber number);

// The same on just these columns: one that has them in this order where there is one, else in any.
[[nodiscard]] Oid unique_index_on(Relation relation, std::span<const AttrNumber> numbers);

// By column of the index: which of these columns it is on.
void places_in_index(Oid index, std::span<const AttrNumber> numbers, std::span<int8> places);

// An index on just these two columns, in this order: its OID, or InvalidOid.
[[nodiscard]] Oid index_on(Relation relation, AttrNumber first, AttrNumber second);

// The relation and all that inherits from it, partitions too, without a lock on them: any of them
// may be gone by the time of a look. An array in the current memory context.
struct relation_family {
    Oid *members;
    int count;
};
[[nodiscard]] relation_family family_of(Relation relation);

// What the flags of pg_class only say may be so: they are cleared by VACUUM, if ever.
[[nodiscard]] bool has_rules(Relation relation);
[[nodiscard]] bool has_children_now(Relation relation);

// "schema"."name" for statements, schema.name quoted only where needed.
[[nodiscard]] std::string qualified_name(Relation relation);
[[nodiscard]] std::string qualified_name_of(Oid relation);
// As messages name it: with its schema where the search path does not find it. Asked anew for each
// message, as the path may change; `otherwise` is for a relation that is gone meanwhile.
[[nodiscard]] std::string shown_name(Relation relation);
[[nodiscard]] std::string shown_name_of(Oid relation, const char *otherwise);
inline namespace guarded {
[[nodiscard]] const char *shown_name_in_guard(Oid relation, const char *otherwise);
} // namespace guarded
// An identifier, and a text, for statements.
[[nodiscard]] std::string quoted(const char *identifier);
[[nodiscard]] std::string literal(const std::string &text);
// The type as a statement may name it: schema-qualified, but for those that the SQL standard names.
[[nodiscard]] std::string type_name(Oid type, int32 typmod = -1);
// The type for messages.
[[nodiscard]] std::string shown_type(Oid type);
// An operator as a statement may write it: OPERATOR(pg_catalog.=).
[[nodiscard]] std::string operator_name(Oid op);
// The equality of a column's values, by the default operator class of what it stands on; 42883
// where there is none.
[[nodiscard]] std::string equality_of(const column &one);
[[nodiscard]] std::string collation_name(Oid collation);
[[nodiscard]] std::string role_name(Oid role);

// The relation with this name, quoted and qualified where it has to be; none where there is none.
[[nodiscard]] Oid relation_by_name(const char *name);

// The same for a role.
[[nodiscard]] Oid role_by_name(const char *name);

// The table that holds the registrations.
[[nodiscard]] Oid registration_table();

} // namespace lockstep
