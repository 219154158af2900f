// Registers of a local APIC: Intel SDM vol. 3, chapter "Advanced Programmable Interrupt Controller".
#pragma once

#include <optional>

#include "core/base/bits.hpp"
#include "core/base/types.hpp"

namespace ax::dev::lapic {

inline constexpr u32 max_vcpus = 64;
inline constexpr u64 window_base = 0xfee0'0000;
inline constexpr u64 window_bytes = 0x1000;
/// Vectors below belong to exceptions; a local APIC refuses them ("Valid Interrupt Vectors").
inline constexpr u8 first_vector = 16;

/// MSRs that belong to a local APIC.
inline constexpr u32 IA32_APIC_BASE = 0x1b, IA32_TSC_DEADLINE = 0x6e0, x2apic_first = 0x800, x2apic_last = 0x8ff;

/// Number of a register: its offset in the page divided by 16, and its MSR less 0x800.
enum class Register : u8 {
    ID = 0x02,
    Version = 0x03,
    TPR = 0x08,
    APR = 0x09,
    PPR = 0x0a,
    EOI = 0x0b,
    RRD = 0x0c,
    LDR = 0x0d,
    DFR = 0x0e,
    SVR = 0x0f,
    ISR = 0x10,
    TMR = 0x18,
    IRR = 0x20,
    ESR = 0x28,
    ICR = 0x30,
    ICR_high = 0x31,
    LvtTimer = 0x32,
    LvtThermal = 0x33,
    LvtPerformance = 0x34,
    LvtLint0 = 0x35,
    LvtLint1 = 0x36,
    LvtError = 0x37,
    InitialCount = 0x38,
    CurrentCount = 0x39,
    Divide = 0x3e,
    SelfIpi = 0x3f,
};
inline constexpr u64 register_bytes = 16;
inline constexpr u32 vector_words = 8;
inline constexpr u32 lvt_count = 6;

[[nodiscard]] constexpr u32 lvt_index(Register r) { return u32{index(r)} - index(Register::LvtTimer); }

struct ApicBase {
    using BSP = Bits<8>;
    using EXTD = Bits<10>;
    using EN = Bits<11>;
    using Address = Bits<51, 12>;
    static constexpr u64 flags = BSP::mask | EXTD::mask | EN::mask;
};
/// "Local APIC Version Register": version 0x14, six LVT entries, no suppression of EOI broadcasts.
inline constexpr u32 version = 0x0005'0014;

/// "Local Vector Table". `Mode` counts for the timer only.
struct Lvt {
    using Vector = Bits<7, 0>;
    using Delivery = Bits<10, 8>;
    using DeliveryStatus = Bits<12>;
    using Polarity = Bits<13>;
    using RemoteIRR = Bits<14>;
    using Level = Bits<15>;
    using Masked = Bits<16>;
    using Mode = Bits<18, 17>;
    static constexpr u64 read_only = DeliveryStatus::mask | RemoteIRR::mask;
};
enum class TimerMode : u8 { OneShot, Periodic, TscDeadline, Reserved };

/// "Spurious-Interrupt Vector Register".
struct SVR {
    using Vector = Bits<7, 0>;
    using Enabled = Bits<8>;
    using FocusDisabled = Bits<9>;
    static constexpr u64 all = Vector::mask | Enabled::mask | FocusDisabled::mask;
};
/// "Error Status Register".
struct ESR {
    using SendIllegalVector = Bits<5>;
    using ReceiveIllegalVector = Bits<6>;
    using IllegalRegister = Bits<7>;
};
/// "Interrupt Command Register (ICR)"; the destination has 8 bits, or 32 in x2APIC mode.
struct ICR {
    using Vector = Bits<7, 0>;
    using Delivery = Bits<10, 8>;
    using Logical = Bits<11>;
    using Assert = Bits<14>;
    using Level = Bits<15>;
    using Shorthand = Bits<19, 18>;
    using Destination = Bits<63, 56>;
    using WideDestination = Bits<63, 32>;
    static constexpr u64 low = Vector::mask | Delivery::mask | Logical::mask | Assert::mask | Level::mask | Shorthand::mask;
};
enum class Shorthand : u8 { None, Self, All, AllButSelf };

/// "Logical Destination Mode": the models of DFR, and how LDR divides in each.
struct Logical {
    using Model = Bits<31, 28>;
    static constexpr u64 flat = 0xf;
    using Id = Bits<31, 24>;
    using Cluster = Bits<7, 4>;      ///< of an 8-bit destination or ID
    using Members = Bits<3, 0>;
    using WideCluster = Bits<31, 16>;  ///< of x2APIC mode
    using WideMembers = Bits<15, 0>;
    static constexpr u64 everyone = 0xff;
    static constexpr u64 everyone_wide = 0xffff'ffff;
};

/// LDR of x2APIC mode follows from the APIC ID ("Deriving Logical x2APIC ID from the Local x2APIC ID").
[[nodiscard]] constexpr u32 wide_logical_id(u32 id) { return (id >> 4) << 16 | u32{1} << (id & 0xf); }

/// The bits that software may set in an LVT entry; `TscDeadline` only where the CPU has it.
[[nodiscard]] constexpr u64 lvt_bits(Register r, bool has_tsc_deadline) {
    const u64 common = Lvt::Vector::mask | Lvt::Masked::mask;
    switch (r) {
        case Register::LvtTimer: return common | (has_tsc_deadline ? Lvt::Mode::mask : bit(Lvt::Mode::low));
        case Register::LvtThermal:
        case Register::LvtPerformance: return common | Lvt::Delivery::mask;
        case Register::LvtLint0:
        case Register::LvtLint1: return common | Lvt::Delivery::mask | Lvt::Polarity::mask | Lvt::Level::mask;
        case Register::LvtError: return common;
        case Register::ID:
        case Register::Version:
        case Register::TPR:
        case Register::APR:
        case Register::PPR:
        case Register::EOI:
        case Register::RRD:
        case Register::LDR:
        case Register::DFR:
        case Register::SVR:
        case Register::ISR:
        case Register::TMR:
        case Register::IRR:
        case Register::ESR:
        case Register::ICR:
        case Register::ICR_high:
        case Register::InitialCount:
        case Register::CurrentCount:
        case Register::Divide:
        case Register::SelfIpi: return 0;
    }
    return 0;
}

[[nodiscard]] constexpr bool is_lvt(Register r) { return r >= Register::LvtTimer && r <= Register::LvtError; }
/// One of the 24 registers ISR, TMR, IRR.
[[nodiscard]] constexpr bool is_vectors(Register r) { return r >= Register::ISR && r < Register::ESR; }

/// "x2APIC Register Address Space": what RDMSR may name.
[[nodiscard]] constexpr bool is_readable_msr(Register r) {
    if (is_vectors(r) || is_lvt(r)) return true;
    return r == Register::ID || r == Register::Version || r == Register::TPR || r == Register::PPR || r == Register::LDR ||
           r == Register::SVR || r == Register::ESR || r == Register::ICR || r == Register::InitialCount ||
           r == Register::CurrentCount || r == Register::Divide;
}

inline constexpr u64 divide_bits = 0b1011;

/// What WRMSR may set in a register; none where it may not write at all.
[[nodiscard]] constexpr std::optional<u64> writable_msr_bits(Register r, bool has_tsc_deadline) {
    if (is_lvt(r)) return lvt_bits(r, has_tsc_deadline) | Lvt::read_only;
    if (r == Register::TPR || r == Register::SelfIpi) return 0xff;
    if (r == Register::EOI || r == Register::ESR) return 0;
    if (r == Register::SVR) return SVR::all;
    if (r == Register::ICR) return ICR::low | ICR::WideDestination::mask;
    if (r == Register::InitialCount) return 0xffff'ffff;
    if (r == Register::Divide) return divide_bits;
    return std::nullopt;
}

static_assert(wide_logical_id(0x25) == 0x0002'0020);
static_assert(!writable_msr_bits(Register::LDR, true) && *writable_msr_bits(Register::LvtTimer, false) == 0x3'50ff);
static_assert(Lvt::Mode::get(0x4'00ec) == index(TimerMode::TscDeadline));

}  // namespace ax::dev::lapic
