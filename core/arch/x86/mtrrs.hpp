// The memory type range registers of a CPU. Source: Intel SDM vol. 3, "Memory Type Range Registers (MTRRs)".
#pragma once

#include <array>
#include <optional>

#include "core/arch/x86/msr_regs.hpp"
#include "core/base/fields.hpp"

namespace ax::x86 {

/// Encodings of IA32_MTRR_DEF_TYPE and of all ranges: "Memory Types That Can Be Encoded in MTRRs". Others are reserved.
enum class MemoryType : u8 { Uncacheable = 0, WriteCombining = 1, WriteThrough = 4, WriteProtected = 5, WriteBack = 6 };

/// IA32_MTRRCAP: 8 variable ranges, fixed ranges, write combining; no SMRR.
struct MtrrCap {
    using VCNT = Bits<7, 0>;
    using FIX = Bits<8>;
    using WC = Bits<10>;
};
struct MtrrDefType {
    using Type = Bits<7, 0>;
    using FE = Bits<10>;  ///< fixed ranges count
    using E = Bits<11>;   ///< any of this counts
};
/// IA32_MTRR_PHYSBASEn and IA32_MTRR_PHYSMASKn of a CPU with 40 address bits, as CPUID.80000008H tells.
struct MtrrVariable {
    using Type = Bits<7, 0>;    ///< base
    using V = Bits<11>;         ///< mask
    using Page = Bits<39, 12>;  ///< both
};

/// Registers that keep what a guest writes and refuse what a CPU refuses. Guests see no other effect: all memory is one and
/// coherent, so its type changes nothing.
class Mtrrs {
public:
    static constexpr unsigned fixed_count = 11, variable_count = 8;
    static constexpr u64 capabilities = MtrrCap::VCNT::of(variable_count) | MtrrCap::FIX::mask | MtrrCap::WC::mask;
    static_assert(capabilities == 0x508);

    /// True for the MSRs that are served here.
    [[nodiscard]] static bool has(u32 msr);

    /// None, or false, where the CPU raises #GP(0).
    [[nodiscard]] std::optional<u64> read(u32 msr) const;
    [[nodiscard]] bool write(u32 msr, u64 value);

    /// RESET: "MTRR Initialization". All are off; the bits that the manual leaves undefined are zero. An INIT changes nothing.
    void reset() { *this = {}; }
    /// As a BIOS leaves them that has found memory everywhere: on, and write-back where no range says otherwise.
    void set_by_firmware();
    /// What the first instruction of a guest finds.
    void begin(bool has_firmware) { has_firmware ? reset() : set_by_firmware(); }
    void fields(FieldVisitor& v);

private:
    u64 def_type_ = 0;
    std::array<u64, fixed_count> fixed_{};
    std::array<u64, variable_count> base_{};
    std::array<u64, variable_count> mask_{};
};

}  // namespace ax::x86
