// What deliveries of all modes share: error codes, tables, the frame.
#pragma once

#include <array>
#include <expected>

#include "sim/trap/x86/delivery.hpp"
#include "sim/trap/x86/descriptor.hpp"

namespace ax::sim::x86 {

/// What is pushed, in this order.
struct Frame {
    std::array<u64, 10> words{};
    std::size_t count = 0;

    constexpr void add(u64 word) { words[count++] = word; }
};

struct DeliverySteps {
    const CpuState& cpu;
    SystemMemory& memory;
    const Event& event;

    template <class T>
    using Result = std::expected<T, DeliveryStop>;

    /// EXT: the exception comes of an event from outside the program. SDM vol. 3, "Error Code".
    [[nodiscard]] u32 ext() const { return event.is_software() ? 0 : 1; }
    [[nodiscard]] u32 gate_code() const;
    [[nodiscard]] u32 selector_code(u16 selector) const;
    [[nodiscard]] std::unexpected<DeliveryStop> raise(ax::x86::Vector vector, u32 code) const;
    /// `at_stack`: an address that is not canonical is #SS instead of #GP.
    [[nodiscard]] DeliveryStop refusal(const MemoryFault& fault, bool at_stack) const;

    /// Of a system table; an implicit supervisor-mode access.
    [[nodiscard]] Result<u64> read(u64 at, unsigned bytes) const;
    /// The descriptor of a selector that is not null; `vector` is raised where there is none.
    [[nodiscard]] Result<Descriptor> descriptor(u16 selector, ax::x86::Vector vector) const;
    /// Sets A of a descriptor that is about to be loaded.
    [[nodiscard]] Result<void> mark_accessed(u16 selector, Descriptor descriptor) const;
    /// The checks that all gates have in common; then the gate is present and may be used.
    [[nodiscard]] Result<void> check_gate(Gate gate) const;
    /// The descriptor of a handler's code segment.
    [[nodiscard]] Result<Descriptor> handler_code(u16 selector) const;

    [[nodiscard]] u64 return_rip() const;
    /// RFLAGS as the frame shows them: RF is set for faults.
    [[nodiscard]] u64 pushed_rflags() const;
    /// RFLAGS that the handler begins with.
    [[nodiscard]] u64 handler_rflags(bool is_interrupt_gate) const;

private:
    [[nodiscard]] Result<u64> descriptor_address(u16 selector, ax::x86::Vector vector) const;
};

/// Linear addresses outside 64-bit mode.
[[nodiscard]] constexpr u64 low32(u64 address) { return address & 0xffff'ffff; }

/// Each works on `next`, a copy of the CPU that becomes its state when all went well.
[[nodiscard]] std::expected<void, DeliveryStop> deliver_real(const DeliverySteps& steps, CpuState& next);
[[nodiscard]] std::expected<void, DeliveryStop> deliver_protected(const DeliverySteps& steps, CpuState& next);
[[nodiscard]] std::expected<void, DeliveryStop> deliver_long(const DeliverySteps& steps, CpuState& next);

}  // namespace ax::sim::x86
