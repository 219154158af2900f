// What one local APIC holds.
#pragma once

#include <array>
#include <optional>

#include "core/base/fields.hpp"
#include "devices/irqchip/vlapic_regs.hpp"
#include "devices/irqchip/vlapic_timer.hpp"

namespace ax::dev::lapic {

/// One bit per vector: ISR, TMR or IRR.
struct Vectors {
    std::array<u32, vector_words> words{};

    [[nodiscard]] constexpr bool test(u8 vector) const { return (words[vector / 32] >> vector % 32 & 1) != 0; }
    constexpr void set(u8 vector, bool value) {
        const u32 flag = u32{1} << vector % 32;
        u32& word = words[vector / 32];
        word = value ? word | flag : word & ~flag;
    }
    /// The highest vector; none when there is none.
    [[nodiscard]] std::optional<u8> highest() const;
    void fields(FieldVisitor& v);
};

/// A local APIC, except its ID, which is the number of its vCPU.
struct Local {
    u64 base = 0;  ///< IA32_APIC_BASE
    u32 tpr = 0;
    u32 ldr = 0;
    u32 dfr = 0xffff'ffff;
    u32 svr = 0xff;
    u32 esr = 0;
    u32 errors = 0;  ///< since software last wrote ESR
    u64 icr = 0;
    std::array<u32, lvt_count> lvt{};
    Vectors isr;
    Vectors tmr;
    Vectors irr;
    Timer timer;
    u64 tsc_offset = 0;    ///< the CPU's TSC less the clock
    bool ext_int = false;  ///< an ExtINT message has come and no acknowledge since
    bool line = false;     ///< the CPU's interrupt input

    [[nodiscard]] constexpr bool is_on() const { return ApicBase::EN::test(base); }
    [[nodiscard]] constexpr bool is_x2apic() const { return ApicBase::EXTD::test(base); }
    /// By software, and by IA32_APIC_BASE.
    [[nodiscard]] constexpr bool is_enabled() const { return is_on() && SVR::Enabled::test(svr); }
    /// "Task and Processor Priorities".
    [[nodiscard]] u8 processor_priority() const;
    /// Pending, and above the processor's priority class.
    [[nodiscard]] std::optional<u8> deliverable() const;
    /// Power-on state, or the state after INIT, which is the same but for IA32_APIC_BASE. What lies outside the
    /// APIC stays: base, TSC, and the level of the output.
    void reset();
    void fields(FieldVisitor& v);
};

}  // namespace ax::dev::lapic
