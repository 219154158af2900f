// A raw VM exit with what it must decode to, and the check of a table of them.
#pragma once

#include <gtest/gtest.h>

#include "tests/unit/core/arch/x86/fake_guest.hpp"
#include "tests/unit/core/arch/x86/show.hpp"

namespace ax::x86::testing {

/// Titles of the Intel SDM, vol. 3, that a vector follows from.
namespace section {
inline constexpr const char* reasons = "VMX Basic Exit Reasons";
inline constexpr const char* vectored = "Information for VM Exits Due to Vectored Events";
inline constexpr const char* delivery = "Information for VM Exits That Occur During Event Delivery";
inline constexpr const char* sipi = "Basic VM-Exit Information, start-up IPI";
inline constexpr const char* task = "Exit Qualification for Task Switches";
inline constexpr const char* unconditional = "Instructions That Cause VM Exits Unconditionally";
inline constexpr const char* conditional = "Instructions That Cause VM Exits Conditionally";
inline constexpr const char* entry = "VM-Entry Failures During or After Loading Guest State";
inline constexpr const char* dr = "Exit Qualification for MOV DR";
inline constexpr const char* cr = "Exit Qualification for Control-Register Accesses";
inline constexpr const char* msr = "RDMSR and WRMSR: Instructions That Cause VM Exits Conditionally";
inline constexpr const char* io = "Exit Qualification for I/O Instructions";
inline constexpr const char* ept = "Exit Qualification for EPT Violations";
inline constexpr const char* mmio = "EPT Violations";
}  // namespace section

/// A field of the VMCS, or a general register, that the exit left with a value.
struct Setting {
    std::optional<VmcsField> field;
    Gpr reg = Gpr::RAX;
    u64 value = 0;

    constexpr Setting(VmcsField f, u64 v) : field(f), value(v) {}
    constexpr Setting(Gpr r, u64 v) : reg(r), value(v) {}
};

struct ExitVector {
    const char* section;
    const char* what;
    std::vector<Setting> settings;
    std::vector<u8> code;  ///< at RIP
    const char* expected;  ///< as `show(Decoded, Vmcs)` prints it
};

/// Decodes each vector in the 64-bit `FakeGuest`.
inline void check_vectors(const std::vector<ExitVector>& vectors) {
    for (const ExitVector& vector : vectors) {
        FakeGuest fake;
        fake.code = vector.code;
        for (const Setting& s : vector.settings) {
            if (!s.field) fake.regs.gprs[s.reg] = s.value;
            const bool is_known = !s.field || fake.vmcs.write(*s.field, s.value);
            EXPECT_TRUE(is_known) << vector.what;
        }
        Guest guest = fake.guest();
        const Decoded decoded = decode(guest);
        EXPECT_EQ(show(decoded, fake.vmcs), vector.expected) << vector.section << ": " << vector.what;
    }
}

}  // namespace ax::x86::testing
