// FixedString: bounded text that reports what does not fit.
#include "core/base/fixed_string.hpp"

#include <gtest/gtest.h>

namespace {

using ax::FixedString;

TEST(FixedStringTest, text_up_to_the_capacity_is_kept) {
    FixedString<4> text;
    EXPECT_TRUE(text.assign("four"));
    EXPECT_EQ(text.view(), "four");
}

TEST(FixedStringTest, text_beyond_the_capacity_changes_nothing) {
    FixedString<4> text("old");
    EXPECT_FALSE(text.assign("fives"));
    EXPECT_FALSE(text.append("er"));
    EXPECT_EQ(text.view(), "old");
}

TEST(FixedStringTest, cut_append_keeps_what_fits) {
    FixedString<6> text("ab");
    text.append_cut("cdefgh");
    EXPECT_EQ(text.view(), "abcdef");
    text.append_cut("x");
    EXPECT_EQ(text.view(), "abcdef");
}

TEST(FixedStringTest, shorter_text_leaves_no_trace_of_the_longer_one) {
    FixedString<8> a("longer");
    ASSERT_TRUE(a.assign("ab"));
    EXPECT_EQ(a, FixedString<8>("ab"));
    EXPECT_EQ(a.size(), 2u);
}

TEST(FixedStringTest, zero_bytes_are_text) {
    FixedString<4> text;
    ASSERT_TRUE(text.assign(std::string_view("a\0b", 3)));
    EXPECT_EQ(text.size(), 3u);
    EXPECT_NE(text, std::string_view("a"));
}

}  // namespace
