// A raw arm64 trap with the exit and completion it must decode to, and the check of a table of them.
#pragma once

#include <gtest/gtest.h>

#include "core/arch/arm64/decode.hpp"
#include "tests/unit/core/arch/arm64/fake_guest.hpp"
#include "tests/unit/core/arch/arm64/show.hpp"

namespace ax::arm64::testing {

/// Titles in the Arm ARM (DDI 0487), PSCI (DEN 0022) and SMCCC (DEN 0028) that a vector follows from.
namespace section {
inline constexpr const char* data_abort = "ESR_EL2, ISS encoding for an exception from a Data Abort";
inline constexpr const char* fetch_abort = "ESR_EL2, ISS encoding for an exception from an Instruction Abort";
inline constexpr const char* fault_status = "ESR_EL2, ISS encoding for an exception from a Data Abort, DFSC";
inline constexpr const char* walk = "ESR_EL2, ISS encoding for an exception from a Data Abort, S1PTW";
inline constexpr const char* maintenance = "ESR_EL2, ISS encoding for an exception from a Data Abort, CM";
inline constexpr const char* hpfar = "HPFAR_EL2, Hypervisor IPA Fault Address Register";
inline constexpr const char* tagging = "Address tagging";
inline constexpr const char* il = "ESR_EL2, IL";
inline constexpr const char* classes = "ESR_EL2, EC";
inline constexpr const char* wait = "ESR_EL2, ISS encoding for an exception from a WF* instruction";
inline constexpr const char* system =
    "ESR_EL2, ISS encoding for an exception from MSR, MRS, or System instruction execution in AArch64 state";
inline constexpr const char* immediate = "Load/store register (immediate post-indexed, pre-indexed, unscaled, unsigned)";
inline constexpr const char* reg_offset = "Load/store register (register offset)";
inline constexpr const char* pair = "Load/store register pair";
inline constexpr const char* literal = "Load register (literal)";
inline constexpr const char* unprivileged = "Load/store register (unprivileged)";
inline constexpr const char* ordered = "Load/store ordered";
inline constexpr const char* exclusive = "Load/store exclusive register";
inline constexpr const char* atomic = "Atomic memory operations";
inline constexpr const char* structure = "Advanced SIMD load/store multiple structures";
inline constexpr const char* prefetch = "PRFM (immediate)";
inline constexpr const char* zeroing = "DC ZVA, Data Cache Zero by VA";
inline constexpr const char* sgi = "ICC_SGI1R_EL1, Interrupt Controller Software Generated Interrupt Group 1 Register";
inline constexpr const char* call = "SMCCC, Function Identifiers";
inline constexpr const char* psci = "PSCI, Function prototypes";
}  // namespace section

/// Code at ELR that cannot be fetched.
inline constexpr u32 unreadable = 0xffff'ffff;

struct TrapVector {
    const char* section;
    const char* what;
    u64 esr;
    u64 far;
    u64 hpfar;
    u32 code;              ///< at ELR
    const char* expected;  ///< as `show(Decoded)` prints it
};

inline constexpr u64 vector_elr = 0xffff'0000'0000'1000;

/// Decodes each vector as from EL1 (or as `pstate` says) in a `FakeGuest`, whose registers hold their pattern.
template <std::size_t N>
void check_vectors(const std::array<TrapVector, N>& vectors, u64 pstate = Spsr::el1h) {
    for (const TrapVector& vector : vectors) {
        FakeGuest guest;
        if (vector.code != unreadable) guest.code[vector_elr] = vector.code;
        EXPECT_EQ(show(decode({vector.esr, vector.far, vector.hpfar, vector_elr, pstate}, guest)), vector.expected)
            << vector.section << ": " << vector.what;
    }
}

}  // namespace ax::arm64::testing
