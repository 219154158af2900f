// A raw RISC-V trap with the exit and completion it must decode to, and the check of a table of them.
#pragma once

#include <gtest/gtest.h>

#include "core/arch/riscv/decode.hpp"
#include "tests/unit/core/arch/riscv/fake_guest.hpp"
#include "tests/unit/core/arch/riscv/show.hpp"

namespace ax::riscv::testing {

/// Titles in the RISC-V manuals (unprivileged and privileged) that a vector follows from.
namespace section {
inline constexpr const char* address_offset = "Transformed Instruction or Pseudoinstruction for mtinst or htinst, Addr. Offset";
inline constexpr const char* atomic = "Extension for Atomic Instructions";
inline constexpr const char* cache_block = "Cache-Block Zero Instructions";
inline constexpr const char* changed_code = "Zifencei Extension for Instruction-Fetch Fence";
inline constexpr const char* compressed = "Compressed Load and Store Instructions";
inline constexpr const char* exception_codes = "Supervisor Cause Register (scause), exception codes";
inline constexpr const char* floating = "Double-Precision Load and Store Instructions";
inline constexpr const char* htval = "Hypervisor Trap Value Register (htval)";
inline constexpr const char* illegal_instruction = "Supervisor Trap Value Register (stval), illegal-instruction exceptions";
inline constexpr const char* interrupts = "Supervisor Cause Register (scause), interrupts";
inline constexpr const char* load_store = "Load and Store Instructions";
inline constexpr const char* transformed = "Transformed Instruction or Pseudoinstruction for mtinst or htinst";
inline constexpr const char* virtual_instruction = "Trap Cause Codes, virtual-instruction exception";
inline constexpr const char* virtual_machine = "Hypervisor Virtual-Machine Load and Store Instructions";
}  // namespace section

/// Code at sepc that cannot be fetched, or only its first two bytes (of a 4-byte instruction).
inline constexpr u32 unreadable = 0xffff'ffff;
inline constexpr u32 half_readable = 0x0000'ffff;

struct TrapVector {
    const char* section;
    const char* what;
    u64 scause;
    u64 stval;
    u64 htval;
    u64 htinst;
    u32 code;              ///< at sepc
    const char* expected;  ///< as `show(Decoded)` prints it
};

/// Decodes each vector as from VS-mode in a `FakeGuest`, whose registers hold their pattern.
template <std::size_t N>
void check_vectors(const std::array<TrapVector, N>& vectors) {
    constexpr u64 sepc = 0xffff'ffff'8000'1000;
    for (const TrapVector& vector : vectors) {
        FakeGuest guest;
        if (vector.code != unreadable) guest.put(sepc, vector.code);
        if (vector.code == half_readable) guest.code.erase(sepc + 2);
        const Trap trap{vector.scause, vector.stval, vector.htval, vector.htinst, 0, Sstatus::SPP::of(1), sepc};
        EXPECT_EQ(show(decode(trap, guest)), vector.expected) << vector.section << ": " << vector.what;
    }
}

}  // namespace ax::riscv::testing
