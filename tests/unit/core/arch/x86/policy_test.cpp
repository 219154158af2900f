// What CPUID and MSRs tell a guest.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/arch/x86/cpuid.hpp"
#include "core/arch/x86/msrs.hpp"

namespace ax::x86 {
namespace {

std::string text(std::initializer_list<u32> words) {
    std::string s;
    for (const u32 word : words)
        for (unsigned i = 0; i < 4; ++i) s += static_cast<char>(word >> (8 * i));
    return s;
}

// SDM vol. 2, "CPUID—CPU Identification", the leaf's table; values of reference/engine-x86_64.md, section 7 and 10.A4.
TEST(X86Cpuid, leaves_are_those_that_kernels_were_seen_to_need) {
    const CpuidPolicy policy{.apic_id = 3};
    const CpuidResult vendor = cpuid(policy, 0, 0);
    EXPECT_EQ(vendor.eax, 7U);
    EXPECT_EQ(text({vendor.ebx, vendor.edx, vendor.ecx}), "GenuineIntel");
    EXPECT_EQ(cpuid(policy, 1, 0), (CpuidResult{0x306a9, 0x0301'0800, 0x8398'2203, 0x0789'b379}));
    EXPECT_EQ(cpuid(policy, 7, 0), CpuidResult{});
    const CpuidResult hypervisor = cpuid(policy, 0x4000'0000, 0);
    EXPECT_EQ(text({hypervisor.ebx, hypervisor.ecx, hypervisor.edx}), "axsimaxsimax");
    EXPECT_EQ(cpuid(policy, 0x8000'0000, 0).eax, 0x8000'0008U);
    EXPECT_EQ(cpuid(policy, 0x8000'0001, 0), (CpuidResult{0, 0, 1, 0x2810'0800}));
    const CpuidResult brand = cpuid(policy, 0x8000'0002, 0);
    EXPECT_EQ(text({brand.eax, brand.ebx, brand.ecx, brand.edx}), "axsim virtual CP");
    EXPECT_EQ(cpuid(policy, 0x8000'0007, 0).edx, 0x100U);
    EXPECT_EQ(cpuid(policy, 0x8000'0008, 0).eax, 0x3028U);
}

TEST(X86Cpuid, each_choice_is_its_bit) {
    const CpuidPolicy all{.has_tsc_deadline = true, .has_x2apic = true, .has_1gib_pages = true};
    const CpuidPolicy none{.has_tsc_deadline = false, .has_x2apic = false, .has_1gib_pages = false};
    EXPECT_EQ(cpuid(all, 1, 0).ecx ^ cpuid(none, 1, 0).ecx, (1U << 24) | (1U << 21));
    EXPECT_EQ(cpuid(all, 0x8000'0001, 0).edx ^ cpuid(none, 0x8000'0001, 0).edx, 1U << 26);
}

/// SDM vol. 2, "CPUID—CPU Identification", leaf 7; vol. 4, "Architectural MSRs", IA32_ARCH_CAPABILITIES.
TEST(X86Cpuid, a_cpu_says_which_flaws_it_does_not_have) {
    constexpr u64 value = msr::ArchCapabilities::no_flaw;
    EXPECT_EQ(value, 0x4000'0000'0d10'e171U);
    const CpuidPolicy policy{.arch_capabilities = value};
    EXPECT_EQ(cpuid(policy, 7, 0), (CpuidResult{0, 0, 0, 1U << 29}));
    EXPECT_EQ(cpuid(policy, 7, 1), CpuidResult{});
    const MsrRule rule = msr_rule({.arch_capabilities = value}, 0x10a);
    EXPECT_EQ(rule.action, MsrAction::Fixed);
    EXPECT_EQ(rule.value, value);
    EXPECT_FALSE(rule.is_accepted(0)) << "it is read-only";
    EXPECT_EQ(msr_rule({}, 0x10a).action, MsrAction::Unknown);
}

TEST(X86Cpuid, what_the_engine_must_not_show_is_hidden) {
    const CpuidResult f = cpuid({}, 1, 0);
    for (const unsigned n : {3u, 5u, 12u, 17u, 26u, 27u, 28u, 30u}) EXPECT_EQ(f.ecx & (1U << n), 0U) << "ecx " << n;
    for (const unsigned n : {1u, 2u, 7u, 11u, 14u, 28u}) EXPECT_EQ(f.edx & (1U << n), 0U) << "edx " << n;
}

TEST(X86Msrs, rules_are_by_index) {
    struct Case {
        u32 index;
        MsrAction action;
    };
    for (const Case& c : {Case{0x10, MsrAction::TimeStamp}, Case{0x1b, MsrAction::LocalApic}, Case{0x6e0, MsrAction::LocalApic},
                          Case{0x802, MsrAction::Unknown}, Case{0x1a0, MsrAction::Fixed}, Case{0xc000'0080, MsrAction::Passed},
                          Case{0xc000'0102, MsrAction::Passed}, Case{0x480, MsrAction::Unknown}, Case{0xfe, MsrAction::MemoryType},
                          Case{0x20f, MsrAction::MemoryType}, Case{0x210, MsrAction::Unknown}, Case{0x250, MsrAction::MemoryType},
                          Case{0x277, MsrAction::Passed}, Case{0x2ff, MsrAction::MemoryType},
                          Case{0xdead'beef, MsrAction::Unknown}, Case{0xc001'1029, MsrAction::Fixed}})
        EXPECT_EQ(msr_rule({}, c.index).action, c.action) << std::hex << c.index;
    EXPECT_EQ(msr_rule({.has_tsc_deadline = false}, 0x6e0).action, MsrAction::Unknown);
    EXPECT_EQ(msr_rule({.has_x2apic = true}, 0x8ff).action, MsrAction::LocalApic);
    EXPECT_EQ(msr_rule({.has_x2apic = true}, 0x900).action, MsrAction::Unknown);
}

TEST(X86Msrs, fixed_registers_refuse_what_they_cannot_hold) {
    EXPECT_TRUE(msr_rule({}, 0x3a).is_accepted(1));
    EXPECT_FALSE(msr_rule({}, 0x3a).is_accepted(5));
    EXPECT_TRUE(msr_rule({}, 0x8b).is_accepted(0x1234));
    EXPECT_TRUE(msr_rule({}, 0x140).is_accepted(0));
    EXPECT_FALSE(msr_rule({}, 0x140).is_accepted(1));
    EXPECT_EQ(msr_rule({}, 0x1a0).value, 1U);
}

/// SDM vol. 3, "MSR-Bitmap Address": read low, read high, write low, write high, 1 KiB each.
TEST(X86Msrs, bitmap_passes_the_guests_own_registers_alone) {
    const auto bitmap = std::make_unique<std::array<u8, msr_bitmap_bytes>>();
    fill_msr_bitmap({}, *bitmap);
    const auto exits = [&](u32 index, bool is_write) {
        const u32 number = index & 0x1fff;
        const std::size_t at = (is_write ? 0x800U : 0U) + (index >= 0xc000'0000 ? 0x400U : 0U) + number / 8;
        return ((*bitmap)[at] >> (number % 8) & 1) != 0;
    };
    unsigned reads = 0, writes = 0;
    for (u32 n = 0; n < 0x4000; ++n) {
        const u32 index = n < 0x2000 ? n : 0xc000'0000 + (n - 0x2000);
        const MsrAction action = msr_rule({}, index).action;
        ASSERT_EQ(exits(index, false), action != MsrAction::Passed && action != MsrAction::TimeStamp) << std::hex << index;
        ASSERT_EQ(exits(index, true), action != MsrAction::Passed) << std::hex << index;
        reads += exits(index, false) ? 0 : 1;
        writes += exits(index, true) ? 0 : 1;
    }
    EXPECT_EQ(reads, 14U);
    EXPECT_EQ(writes, 13U);
}

}  // namespace
}  // namespace ax::x86
