// Objects with destructors inside the guard: an ERROR would jump over them.
#include "pg/boundary.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {

namespace {

struct counted {
    ~counted() { --count; }
    int count = 0;
};

std::string name_of(Oid relation);
std::size_t length_of(std::string text);

template <class Held>
int twice(int number) {
    const Held held{};
    return number * (held.count + 2);
} // refused: counted

inline namespace guarded {

int deeper(int number) {
    const std::unique_ptr<int> held;
    CHECK_FOR_INTERRUPTS();
    return number;
} // refused: std::unique_ptr<int>

int deep(int number) {
    return deeper(number) + twice<counted>(number);
}

} // namespace guarded

std::optional<std::string> maybe(int number) {
    return number > 0 ? std::optional<std::string>{"a"} : std::nullopt; // refused: may throw
}

} // namespace

extern "C" {
// The server calls it: pg_call is above it somewhere.
static int compare(const void *a, const void *b) {
    const std::vector<int> values(1); // refused: std::vector<int>
    return memcmp(a, b, values.size());
}
}

int everything(int number, int *many, Oid relation) {
    pg_call([=] {
        const std::string text{get_rel_name(relation)}; // refused: std::string
        return text.size();
    });
    pg_call([=] { return name_of(relation).size(); });   // refused: std::string
    pg_call([=] { return length_of("a longer text"); }); // refused: std::string
    pg_call([=] { return maybe(number).has_value(); });  // refused: std::optional<std::string>
    pg_call([=] {
        const error_context item{"item", 3}; // refused: error_context
        CHECK_FOR_INTERRUPTS();
    });
    pg_call([=] { qsort(many, 4, sizeof(int), compare); });
    return pg_call([=] { return deep(number); });
}

} // namespace lockstep
