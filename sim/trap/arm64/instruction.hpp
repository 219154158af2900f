// What the model must know of A64 instructions: which memory a load or store accesses, what its
// syndrome says, and which instructions use the floating-point unit.
// Source: Arm ARM DDI 0487, "A64 Instruction Set Encoding", "Loads and Stores".
#pragma once

#include <optional>

#include "core/base/addr.hpp"
#include "core/base/types.hpp"

namespace ax::sim::arm64 {

/// The registers that address computation reads.
class RegisterReader {
public:
    /// X0 to X30; 31 is the stack pointer.
    [[nodiscard]] virtual u64 base(unsigned n) = 0;
    /// X0 to X30; 31 is zero.
    [[nodiscard]] virtual u64 index(unsigned n) = 0;
    [[nodiscard]] virtual Gva pc() = 0;

protected:
    ~RegisterReader() = default;
};

/// One memory instruction, before it changes any register.
struct MemoryInstruction {
    Gva start;                      ///< lowest address that it accesses
    u32 bytes = 0;                  ///< how many from there
    bool is_store = false;          ///< WnR of its abort; atomics that write count as stores
    bool is_unprivileged = false;   ///< LDTR, STTR: checked as EL0
    bool is_cache_maintenance = false;
    /// "ISS encoding for an exception from a Data Abort": the fields from SAS to AR say something.
    bool has_syndrome = false;
    u8 size_log2 = 0;               ///< SAS
    bool sign_extends = false;      ///< SSE
    u8 rt = 0;                      ///< SRT
    bool is_64 = false;             ///< SF
    bool is_ordered = false;        ///< AR
};

/// None for what accesses no memory.
[[nodiscard]] std::optional<MemoryInstruction> decode_memory(u32 word, RegisterReader& registers);
/// LDTR, STTR and their kin, without looking at registers.
[[nodiscard]] bool is_unprivileged(u32 word);

/// Uses the floating-point or SIMD unit, as CPACR_EL1.FPEN understands it.
[[nodiscard]] constexpr bool is_fp(u32 word) {
    const bool is_data_processing = (word & 0x0e00'0000) == 0x0e00'0000;
    const bool is_memory = (word & 0x0e00'0000) == 0x0c00'0000;
    const bool is_control = (word & 0xffdf'ffc0) == 0xd51b'4400;  // MRS and MSR of FPCR and FPSR
    return is_data_processing || is_memory || is_control;
}
static_assert(is_fp(0x1e60'4020));   // fmov d0, d1
static_assert(is_fp(0x3dc0'0020));   // ldr q0, [x1]
static_assert(is_fp(0xd53b'4420));   // mrs x0, fpsr
static_assert(!is_fp(0xf940'0041) && !is_fp(0xd280'0020));  // ldr x1, [x2]; mov x0, #1

inline constexpr u32 wfi = 0xd503'207f;
inline constexpr u32 wfe = 0xd503'205f;
inline constexpr u32 eret = 0xd69f'03e0;
/// MSR DAIFSet, #imm and MSR DAIFClr, #imm.
[[nodiscard]] constexpr bool is_daif_immediate(u32 word) { return (word & 0xffff'f0df) == 0xd503'40df; }
static_assert(is_daif_immediate(0xd503'41df) && is_daif_immediate(0xd503'4fff) && !is_daif_immediate(0xd500'40bf));

}  // namespace ax::sim::arm64
