// Instructions that Unicorn executes by itself and must not: it answers rdcycle and rdinstret with
// the host's cycle counter, and takes compressed floating-point loads and stores for no-operations
// while vsstatus.FS is Off. The engine stops before them, found anew in every block that runs, so
// that nothing depends on what is translated when.
#pragma once

#include <cstring>
#include <optional>
#include <span>

#include "core/arch/riscv/regs.hpp"
#include "core/base/bits.hpp"
#include "core/base/types.hpp"

namespace ax::sim {

/// What the last four bytes of a block may be: Unicorn ends a block behind every CSR instruction.
[[nodiscard]] constexpr bool may_be_system(u32 word) { return Bits<6, 0>::get(word) == 0x73; }

/// An instruction that names a CSR (Zicsr), as far as the engine cares.
struct CsrInstruction {
    using Opcode = Bits<6, 0>;
    using Function = Bits<13, 12>;
    using Csr = Bits<31, 20>;

    [[nodiscard]] static constexpr bool is_one(u32 word) { return may_be_system(word) && Function::test(word); }
    /// Names vsstatus, and so may switch floating point on or off.
    [[nodiscard]] static constexpr bool names_status(u32 word) { return is_one(word) && Csr::get(word) == sstatus; }
    /// Reads a counter that Unicorn does not hand over: all of "Unprivileged Counter/Timers" but time.
    [[nodiscard]] static constexpr bool reads_counter(u32 word) {
        const u64 csr = Csr::get(word);
        return is_one(word) && csr >= ax::riscv::CsrNumber::cycle && csr <= last_counter && csr != ax::riscv::CsrNumber::time;
    }

    static constexpr u64 sstatus = 0x100;
    static constexpr u64 last_counter = 0xc1f;  ///< hpmcounter31
};
static_assert(CsrInstruction::reads_counter(0xc000'2573));   // rdcycle a0
static_assert(CsrInstruction::reads_counter(0xc020'2573));   // rdinstret a0
static_assert(!CsrInstruction::reads_counter(0xc010'2573));  // rdtime a0
static_assert(CsrInstruction::names_status(0x1000'9073));    // csrw sstatus, ra

/// C.FLD, C.FSD, C.FLDSP, C.FSDSP ("RVC Instruction Set Listings": quadrants 0 and 2, funct3 x01).
[[nodiscard]] constexpr bool is_compressed_fp(u16 parcel) { return (parcel & 0x6001) == 0x2000; }
static_assert(is_compressed_fp(0x2108) && is_compressed_fp(0xa10a) && !is_compressed_fp(0x6108));

/// The row of quadrant 0 that is reserved without Zcb (funct3 100), which Unicorn executes as something else.
[[nodiscard]] constexpr bool is_reserved_compressed(u16 parcel) { return (parcel & 0xe003) == 0x8000; }
static_assert(is_reserved_compressed(0x8000) && !is_reserved_compressed(0x8082));  // not c.jr ra

/// Offset of the first instruction in a block's `code` that must be handed over; `is_fp_off`: FS is Off.
[[nodiscard]] inline std::optional<u64> find_handed_over(std::span<const std::byte> code, bool is_fp_off) {
    for (std::size_t at = 0; at + 2 <= code.size();) {
        u16 parcel = 0;
        std::memcpy(&parcel, code.data() + at, sizeof parcel);
        if ((parcel & 3) != 3) {
            if ((is_fp_off && is_compressed_fp(parcel)) || is_reserved_compressed(parcel)) return at;
            at += 2;
            continue;
        }
        if (at + 4 > code.size()) break;
        u32 word = 0;
        std::memcpy(&word, code.data() + at, sizeof word);
        if (CsrInstruction::reads_counter(word)) return at;
        at += 4;
    }
    return std::nullopt;
}

}  // namespace ax::sim
