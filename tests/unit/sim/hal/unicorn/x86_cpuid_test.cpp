// CPUID of a guest promises nothing that the engine's CPU model lacks: it would be an undefined instruction, or worse.
#include <gtest/gtest.h>
#include <unicorn/unicorn.h>

#include <array>

#include "core/arch/x86/cpuid.hpp"
#include "sim/hal/unicorn/uc_control.hpp"

namespace ax::sim {
namespace {

using ax::x86::CpuidResult;

/// CPUID as the model itself answers it.
class Model {
public:
    Model() {
        EXPECT_EQ(uc_open(UC_ARCH_X86, UC_MODE_64, &uc_), UC_ERR_OK);
        EXPECT_EQ(uc::set_cpu_model(uc_, UC_CPU_X86_OPTERON_G5), UC_ERR_OK);
        constexpr std::array<u8, 2> cpuid_code{0x0f, 0xa2};
        EXPECT_EQ(uc_mem_map(uc_, code_at, 0x1000, UC_PROT_ALL), UC_ERR_OK);
        EXPECT_EQ(uc_mem_write(uc_, code_at, cpuid_code.data(), cpuid_code.size()), UC_ERR_OK);
    }
    ~Model() { uc_close(uc_); }
    Model(const Model&) = delete;
    Model& operator=(const Model&) = delete;

    CpuidResult cpuid(u64 leaf) {
        u64 a = leaf, b = 0, c = 0, d = 0;
        uc_reg_write(uc_, UC_X86_REG_RAX, &a);
        uc_reg_write(uc_, UC_X86_REG_RCX, &c);
        EXPECT_EQ(uc_emu_start(uc_, code_at, code_at + 2, 0, 1), UC_ERR_OK);
        uc_reg_read(uc_, UC_X86_REG_RAX, &a);
        uc_reg_read(uc_, UC_X86_REG_RBX, &b);
        uc_reg_read(uc_, UC_X86_REG_RCX, &c);
        uc_reg_read(uc_, UC_X86_REG_RDX, &d);
        return {static_cast<u32>(a), static_cast<u32>(b), static_cast<u32>(c), static_cast<u32>(d)};
    }

private:
    static constexpr u64 code_at = 0x1000;
    uc_engine* uc_ = nullptr;
};

TEST(X86Cpuid, features_are_a_subset_of_the_engines) {
    using F = ax::x86::CpuidFeatures;
    Model model;
    const ax::x86::CpuidPolicy all{.has_tsc_deadline = true, .has_x2apic = true, .has_1gib_pages = true};
    // What the hypervisor emulates, whatever the model has.
    constexpr u32 emulated_ecx = static_cast<u32>(F::TSC_DEADLINE::mask | F::X2APIC::mask | F::HYPERVISOR::mask);
    constexpr u32 emulated_edx = static_cast<u32>(F::APIC::mask);
    // Unicorn's MMU is not in use: page sizes are those of sim/mmu.
    constexpr u32 page_1gib = u32{1} << 26;
    const CpuidResult ours = cpuid(all, 1, 0), engines = model.cpuid(1);
    EXPECT_EQ(ours.ecx & ~emulated_ecx & ~engines.ecx, 0U);
    EXPECT_EQ(ours.edx & ~emulated_edx & ~engines.edx, 0U);
    const CpuidResult ours7 = cpuid(all, 7, 0), engines7 = model.cpuid(7);
    EXPECT_EQ(ours7.ebx & ~engines7.ebx, 0U);
    EXPECT_EQ(ours7.ecx & ~engines7.ecx, 0U);
    EXPECT_EQ(ours7.edx & ~engines7.edx, 0U);
    const CpuidResult extended = cpuid(all, 0x8000'0001, 0), engines_extended = model.cpuid(0x8000'0001);
    EXPECT_EQ(extended.ecx & ~engines_extended.ecx, 0U);
    EXPECT_EQ(extended.edx & ~page_1gib & ~engines_extended.edx, 0U);
    EXPECT_NE(engines.edx, 0U) << "the model answered nothing";
}

/// Whatever is asked for, an answer is the same each time, and leaves that are not listed are zero.
TEST(X86Cpuid, leaves_beyond_the_list_are_zero) {
    const ax::x86::CpuidPolicy policy{.apic_id = 1};
    for (const u32 base : {0u, 0x4000'0000u, 0x8000'0000u, 0xc000'0000u}) {
        const u32 last = cpuid(policy, base, 0).eax;
        for (u32 leaf = base; leaf < base + 0x100; ++leaf) {
            const CpuidResult result = cpuid(policy, leaf, 0);
            EXPECT_EQ(result, cpuid(policy, leaf, 5)) << leaf;
            if (leaf > last || base == 0xc000'0000) {
                EXPECT_EQ(result, CpuidResult{}) << leaf;
            }
        }
    }
}

}  // namespace
}  // namespace ax::sim
