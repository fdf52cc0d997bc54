// Request ids: the bits of their versions, the order of time, and their text.
#include "core/request_id.hpp"

#include <gtest/gtest.h>

namespace {

using lockstep::uuid_version_5;
using lockstep::uuid_version_7;

TEST(request_id, version7_leads_with_the_time) {
    std::array<std::uint8_t, 10> ones{};
    ones.fill(0xff);
    const auto id = uuid_version_7(0x0123456789abULL, ones);
    const lockstep::uuid_bytes expected{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0x7f, 0xff,
                                        0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    EXPECT_EQ(id, expected);
    EXPECT_LT(uuid_version_7(1000, ones), uuid_version_7(1001, {}));
}

TEST(request_id, version5_keeps_the_digest) {
    std::array<std::uint8_t, 20> digest{};
    for (std::size_t i = 0; i < digest.size(); ++i)
        digest[i] = static_cast<std::uint8_t>(0xf0 + i);
    const auto id = uuid_version_5(digest);
    EXPECT_EQ(id[0], 0xf0);
    EXPECT_EQ(id[6], 0x56);
    EXPECT_EQ(id[8], 0xb8);
    EXPECT_EQ(id[15], 0xff);
}

TEST(request_id, has_the_text_that_the_server_writes) {
    EXPECT_EQ(lockstep::id_text(lockstep::request_id_namespace),
              "d3f0b9ae-7c52-4d0e-9a49-6c6f636b7374");
    EXPECT_EQ(lockstep::id_text({}), "00000000-0000-0000-0000-000000000000");
}

} // namespace
