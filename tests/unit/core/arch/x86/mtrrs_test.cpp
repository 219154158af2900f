// The memory type range registers. Source of every row: Intel SDM vol. 3, "Memory Type Range Registers (MTRRs)", the section
// named with it.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/arch/x86/mtrrs.hpp"
#include "tests/unit/core/arch/x86/random.hpp"

namespace ax::x86 {
namespace {

constexpr u32 cap = 0xfe, def_type = 0x2ff;

/// "Fixed Range MTRRs", table "Address Mapping for Fixed-Range MTRRs"; "Variable Range MTRRs", eight pairs.
std::set<u32> numbers() {
    std::set<u32> all = {cap, def_type, 0x250, 0x258, 0x259};
    for (u32 n = 0x268; n <= 0x26f; ++n) all.insert(n);
    for (u32 n = 0x200; n <= 0x20f; ++n) all.insert(n);
    return all;
}

/// Every register's value, in the order of its list of fields.
std::map<u32, u64> contents(const Mtrrs& mtrrs) {
    std::map<u32, u64> values;
    for (const u32 msr : numbers()) values[msr] = mtrrs.read(msr).value();
    return values;
}

TEST(X86Mtrrs, those_that_are_there_are_those_of_the_manual) {
    const std::set<u32> wanted = numbers();
    EXPECT_EQ(wanted.size(), 1U + 1U + 11U + 16U);
    Mtrrs mtrrs;
    for (u32 msr = 0; msr < 0x1'0000; ++msr) {
        ASSERT_EQ(Mtrrs::has(msr), wanted.contains(msr)) << std::hex << msr;
        ASSERT_EQ(mtrrs.read(msr).has_value(), wanted.contains(msr)) << std::hex << msr;
    }
    for (const u32 msr : {0xffff'ffffU, 0xc000'0200U, 0x8000'0250U}) EXPECT_FALSE(Mtrrs::has(msr)) << std::hex << msr;
}

struct Case {
    const char* section;
    u32 msr;
    u64 value;
    bool is_taken;
};
constexpr Case cases[] = {
    // T1
    {"IA32_MTRR_DEF_TYPE MSR", def_type, 0, true},
    {"IA32_MTRR_DEF_TYPE MSR", def_type, 0xc06, true},
    {"IA32_MTRR_DEF_TYPE MSR", def_type, 0x801, true},
    {"IA32_MTRR_DEF_TYPE MSR", def_type, 0x404, true},
    {"IA32_MTRR_DEF_TYPE MSR", def_type, 0xc05, true},
    {"IA32_MTRR_DEF_TYPE MSR", def_type, 0xc02, false},
    {"IA32_MTRR_DEF_TYPE MSR", def_type, 0xc03, false},
    {"IA32_MTRR_DEF_TYPE MSR", def_type, 0xc07, false},
    {"IA32_MTRR_DEF_TYPE MSR", def_type, 0xc46, false},
    {"IA32_MTRR_DEF_TYPE MSR", def_type, 0x8ff, false},
    {"Fixed Range MTRRs", 0x250, 0x0606'0606'0606'0606, true},
    {"Fixed Range MTRRs", 0x26f, 0x0605'0401'0006'0504, true},
    {"Fixed Range MTRRs", 0x258, 0x0606'0606'0606'0602, false},
    {"Fixed Range MTRRs", 0x259, 0x0706'0606'0606'0606, false},
    {"Fixed Range MTRRs", 0x26b, 0x0606'0603'0606'0606, false},
    {"Fixed Range MTRRs", 0x268, 0x0606'8606'0606'0606, false},
    {"Variable Range MTRRs", 0x200, 0xc000'0006, true},
    {"Variable Range MTRRs", 0x20e, 0xff'ffff'f001, true},
    {"Variable Range MTRRs", 0x202, 0xc000'0002, false},
    {"Variable Range MTRRs", 0x202, 0xc000'0007, false},
    // T2
    {"IA32_MTRR_DEF_TYPE MSR", def_type, 0x906, false},
    {"IA32_MTRR_DEF_TYPE MSR", def_type, 0xe06, false},
    {"IA32_MTRR_DEF_TYPE MSR", def_type, 0x1c06, false},
    {"IA32_MTRR_DEF_TYPE MSR", def_type, 0x8000'0000'0000'0c06, false},
    {"Variable Range MTRRs", 0x200, 0xc000'0106, false},
    {"Variable Range MTRRs", 0x200, 0xc000'0806, false},
    {"Variable Range MTRRs", 0x200, 0x100'0000'0006, false},
    {"Variable Range MTRRs", 0x201, 0xff'c000'0800, true},
    {"Variable Range MTRRs", 0x20f, 0xff'ffff'f000, true},
    {"Variable Range MTRRs", 0x201, 0xff'c000'0400, false},
    {"Variable Range MTRRs", 0x201, 0xff'c000'0801, false},
    {"Variable Range MTRRs", 0x20f, 0x1ff'c000'0800, false},
    // T3
    {"IA32_MTRRCAP Register", cap, 0x508, false},
    {"IA32_MTRRCAP Register", cap, 0, false},
    // T4
    {"Fixed Range MTRRs", 0x251, 0, false},
    {"Fixed Range MTRRs", 0x257, 0, false},
    {"Fixed Range MTRRs", 0x25a, 0, false},
    {"Fixed Range MTRRs", 0x267, 0, false},
    {"Fixed Range MTRRs", 0x270, 0, false},
    {"IA32_MTRRCAP Register, VCNT", 0x210, 0, false},
    {"IA32_MTRRCAP Register, VCNT", 0x211, 0, false},
    {"IA32_MTRRCAP Register, VCNT", 0x1ff, 0, false},
    // T5
    {"Variable Range MTRRs", 0x201, 0x55'5555'5800, true},
};

TEST(X86Mtrrs, t1_to_t5_a_write_is_kept_or_changes_nothing) {
    for (const Case& c : cases) {
        Mtrrs mtrrs;
        mtrrs.set_by_firmware();
        auto wanted = contents(mtrrs);
        EXPECT_EQ(mtrrs.write(c.msr, c.value), c.is_taken) << c.section << ", " << std::hex << c.msr << " " << c.value;
        if (c.is_taken) wanted[c.msr] = c.value;
        EXPECT_EQ(contents(mtrrs), wanted) << c.section << ", " << std::hex << c.msr << " " << c.value;
    }
}

/// "Memory Types That Can Be Encoded in MTRRs": each of 256 bytes, in each place that holds a type.
TEST(X86Mtrrs, five_types_are_valid_wherever_a_type_is_written) {
    const std::set<u64> valid = {0, 1, 4, 5, 6};
    Mtrrs mtrrs;
    for (u64 type = 0; type < 0x100; ++type) {
        EXPECT_EQ(mtrrs.write(def_type, type), valid.contains(type)) << type;
        for (u32 n = 0; n < 8; ++n) EXPECT_EQ(mtrrs.write(0x200 + 2 * n, 0x1000 | type), valid.contains(type)) << type;
        for (const u32 msr : {0x250U, 0x258U, 0x259U, 0x268U, 0x26fU})
            for (unsigned place = 0; place < 8; ++place) EXPECT_EQ(mtrrs.write(msr, type << (8 * place)), valid.contains(type)) << type;
    }
}

// "IA32_MTRRCAP Register": 8 variable ranges, fixed ranges, write combining.
TEST(X86Mtrrs, capabilities_say_what_is_there) { EXPECT_EQ(Mtrrs().read(cap), 0x508U); }

// "MTRR Initialization".
TEST(X86Mtrrs, reset_turns_all_off) {
    Mtrrs mtrrs;
    ASSERT_TRUE(mtrrs.write(def_type, 0xc06) && mtrrs.write(0x201, 0x800) && mtrrs.write(0x250, 0x06) && mtrrs.write(0x204, 0x1006));
    mtrrs.reset();
    for (const auto& [msr, value] : contents(mtrrs)) EXPECT_EQ(value, msr == cap ? 0x508U : 0U) << std::hex << msr;
}

TEST(X86Mtrrs, firmware_leaves_all_memory_write_back) {
    Mtrrs mtrrs;
    ASSERT_TRUE(mtrrs.write(0x201, 0x800));
    mtrrs.set_by_firmware();
    for (const auto& [msr, value] : contents(mtrrs)) EXPECT_EQ(value, msr == cap ? 0x508U : msr == def_type ? 0x806U : 0U) << std::hex << msr;
}

/// Counts the words that a state has, and gives each a value of its own.
class Numberer final : public FieldVisitor {
public:
    void word(std::string_view, u64& value, unsigned bits) override {
        EXPECT_EQ(bits, 64U);
        value = ++count;
    }
    void bytes(std::string_view, std::span<std::byte>) override { ADD_FAILURE(); }
    void enter(std::string_view, std::size_t) override {}
    void leave() override {}
    u64 count = 0;
};

TEST(X86Mtrrs, fields_are_all_registers_but_the_capabilities) {
    Mtrrs mtrrs;
    Numberer numberer;
    mtrrs.fields(numberer);
    EXPECT_EQ(numberer.count, numbers().size() - 1);
    std::set<u64> seen;
    for (const auto& [msr, value] : contents(mtrrs))
        if (msr != cap) seen.insert(value);
    EXPECT_EQ(seen.size(), numberer.count);
    EXPECT_EQ(*seen.begin(), 1U);
    EXPECT_EQ(*seen.rbegin(), numberer.count);
}

/// Whatever is written, each register holds what its own rule allows.
TEST(X86Mtrrs, no_sequence_of_writes_leaves_a_reserved_bit) {
    constexpr u64 page = 0xff'ffff'f000;
    testing::Random random(7);
    Mtrrs mtrrs;
    u64 taken = 0;
    for (unsigned n = 0; n < 200'000; ++n) {
        const u32 msr = static_cast<u32>(0x1f0 + random.below(0x120));
        // Mostly zeros, so that some are valid.
        u64 value = random.next() & random.next() & random.next();
        if (random.below(2) == 0) value &= page | 0xc07;
        taken += mtrrs.write(msr, value) ? 1 : 0;
        if (n % 1000 != 0) continue;
        for (const auto& [number, held] : contents(mtrrs)) {
            if (number == cap) continue;
            const bool is_fixed = number >= 0x250 && number < 0x270;
            const bool is_mask = number < 0x210 && number % 2 == 1;
            const u64 bits = is_fixed ? 0x0707'0707'0707'0707 : is_mask ? page | 0x800 : number == def_type ? 0xc07 : page | 0x07;
            ASSERT_EQ(held & ~bits, 0U) << std::hex << number << " " << held;
        }
    }
    EXPECT_GT(taken, 1000U);
}

}  // namespace
}  // namespace ax::x86
