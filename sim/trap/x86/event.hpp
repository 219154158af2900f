// Interrupts and exceptions before they are delivered, and what two exceptions in a row become.
#pragma once

#include <optional>

#include "core/arch/x86/vmx_regs.hpp"
#include "sim/trap/x86/cpu_state.hpp"

namespace ax::sim::x86 {

struct Event {
    ax::x86::EventType type = ax::x86::EventType::HardwareException;
    u8 vector = 0;
    bool has_error_code = false;
    u32 error_code = 0;
    u8 instruction_length = 0;  ///< software interrupts and exceptions return behind the instruction
    bool keeps_rf = false;      ///< injected: RF is pushed as it is, whatever the exception
    u64 payload = 0;            ///< CR2 of #PF; for #DB the bits of DR6 to set

    constexpr bool operator==(const Event&) const = default;

    [[nodiscard]] constexpr bool is_exception(ax::x86::Vector which) const {
        return type == ax::x86::EventType::HardwareException && vector == index(which);
    }
    /// INT n, INT3 and INTO: gates check the privilege of these, and EXT stays clear.
    [[nodiscard]] constexpr bool is_software() const {
        return type == ax::x86::EventType::SoftwareInterrupt || type == ax::x86::EventType::SoftwareException;
    }
    /// The event in the layout of the VMCS: "VM-Entry Controls for Event Injection".
    [[nodiscard]] u32 word() const;
};

/// A hardware exception with the error code that its vector calls for.
[[nodiscard]] Event exception(ax::x86::Vector vector, u32 error_code = 0, u64 payload = 0);
/// The event that a VMCS asks a VM entry to inject, if any.
[[nodiscard]] std::optional<Event> injected_event(const ax::x86::Vmcs& vmcs);

/// What the CPU delivers after `second` came up while `first` was being delivered: `second`, #DF, or nothing, which is a
/// triple fault. Source: Intel SDM vol. 3, "Interrupt 8 - Double Fault Exception (#DF)", conditions for generating one.
[[nodiscard]] std::optional<Event> combine(const Event& first, const Event& second);

/// What an exception changes before its delivery begins, or an exit saves: CR2 of #PF; DR6, DR7.GD and IA32_DEBUGCTL of #DB.
void apply_payload(CpuState& cpu, const Event& event);

}  // namespace ax::sim::x86
