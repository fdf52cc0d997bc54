#include "pg/digest.hpp"

namespace lockstep {

std::array<std::uint8_t, 20> sha1(std::span<const std::uint8_t> first,
                                  std::span<const std::uint8_t> second) {
    std::array<std::uint8_t, 20> digest{};
    static_assert(digest.size() == SHA1_DIGEST_LENGTH);
    auto *out = digest.data();
    pg_call([=] {
        pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA1);
        if (context == nullptr || pg_cryptohash_init(context) < 0 ||
            pg_cryptohash_update(context, first.data(), first.size()) < 0 ||
            pg_cryptohash_update(context, second.data(), second.size()) < 0 ||
            pg_cryptohash_final(context, out, SHA1_DIGEST_LENGTH) < 0)
            ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("could not compute SHA-1")));
        pg_cryptohash_free(context);
    });
    return digest;
}

} // namespace lockstep
