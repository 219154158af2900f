// What is known of a block of code, and for how long.
#include "sim/hal/unicorn/x86_blocks.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

namespace ax::sim {
namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
    std::vector<std::byte> out;
    for (const int value : values) out.push_back(static_cast<std::byte>(value));
    return out;
}

constexpr u32 tag = 4, other_tag = 8;

TEST(X86BlockCache, knows_plain_blocks_at_one_look_once_they_were_found) {
    X86BlockCache cache;
    const auto code = bytes({0x40, 0x90, 0xeb, 0xfc});  // inc ax; nop; jmp
    EXPECT_EQ(cache.plain_count(code.data(), 4, tag), 0);
    EXPECT_EQ(cache.find(code.data(), 4, X86Mode::Code16, tag).count, 3);
    EXPECT_EQ(cache.plain_count(code.data(), 4, tag), 3);
    EXPECT_EQ(cache.plain_count(code.data(), 2, tag), 0) << "another end";
    EXPECT_EQ(cache.plain_count(code.data() + 1, 4, tag), 0) << "another place";
    EXPECT_EQ(cache.plain_count(code.data(), 4, other_tag), 0) << "another content";
    cache.forget();
    EXPECT_EQ(cache.plain_count(code.data(), 4, tag), 0);
}

/// A port access and a far return need more than to be counted; both are known all the same.
TEST(X86BlockCache, never_calls_plain_what_is_not) {
    X86BlockCache cache;
    const auto port = bytes({0x90, 0xec, 0x90}), far = bytes({0x90, 0xcb});
    const X86Block& with_site = cache.find(port.data(), 3, X86Mode::Code32, tag);
    EXPECT_TRUE(with_site.has_site());
    EXPECT_EQ(with_site.site, 1);
    EXPECT_EQ(cache.plain_count(port.data(), 3, tag), 0);
    EXPECT_TRUE(cache.find(far.data(), 2, X86Mode::Code32, tag).ends_far);
    EXPECT_EQ(cache.plain_count(far.data(), 2, tag), 0);
    EXPECT_TRUE(cache.find(port.data(), 3, X86Mode::Code32, tag).has_site());
}

/// The tag speaks for what is at the address: under the same one the code is not looked at again, under another it is.
TEST(X86BlockCache, trusts_tags_and_nothing_else) {
    X86BlockCache cache;
    auto code = bytes({0x90, 0x90, 0x90});
    EXPECT_EQ(cache.find(code.data(), 3, X86Mode::Code64, tag).count, 3);
    code[0] = code[1] = std::byte{0x66};
    EXPECT_EQ(cache.find(code.data(), 3, X86Mode::Code64, tag).count, 3);
    EXPECT_EQ(cache.find(code.data(), 3, X86Mode::Code64, other_tag).count, 1);
    EXPECT_EQ(cache.plain_count(code.data(), 3, tag), 0);
}

TEST(X86BlockCache, a_block_in_two_frames_is_that_of_both) {
    X86BlockCache cache;
    const auto first = bytes({0x90, 0xb8}), second = bytes({1, 0, 0, 0}), third = bytes({2, 0, 0, 0});
    auto copy = bytes({0x90, 0xb8, 1, 0, 0, 0});  // nop; mov eax, 1
    const auto count = [&](const std::byte* next, u32 next_tag) {
        return cache.find_crossing(copy, X86Mode::Code64, first.data(), tag, next, next_tag).count;
    };
    EXPECT_EQ(count(second.data(), tag), 2);
    copy = bytes({0x90, 0x90, 0x90, 0x90, 0x90, 0x90});
    EXPECT_EQ(count(second.data(), tag), 2) << "as known";
    EXPECT_EQ(count(second.data(), other_tag), 6) << "the second frame's code was dropped";
    copy = bytes({0x90, 0xb8, 2, 0, 0, 0});
    EXPECT_EQ(count(third.data(), other_tag), 2) << "another frame follows";
    EXPECT_EQ(cache.plain_count(first.data(), 6, tag), 0);
}

}  // namespace
}  // namespace ax::sim
