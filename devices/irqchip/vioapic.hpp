// The I/O APIC of an x86 guest: 24 pins, each with an entry that says what becomes of it.
#pragma once

#include <array>
#include <expected>
#include <string_view>

#include "core/bus/device.hpp"
#include "core/irq/irq_chip.hpp"
#include "devices/irqchip/apic_messages.hpp"

namespace ax::dev {

/// Intel 82093AA I/O Advanced Programmable Interrupt Controller datasheet; version 0x20 with the EOI register at 0x40
/// (Intel 6 Series Chipset datasheet, "APIC Memory-Mapped Registers").
///
/// Choices: an edge at a masked pin is lost, as the datasheet says; polarity is kept and means nothing, since inputs
/// are told as asserted or not; delivery status reads 0 (messages arrive at once); what an entry has not delivered
/// because nobody accepted it is tried again when the entry is written or the pin moves; modes other than fixed
/// and lowest priority are edges whatever the trigger mode. IOREGSEL and EOI take writes of 1, 2 and 4 bytes at their
/// address, IOWIN writes of 4; reads of 1, 2 and 4 bytes give their part; all else reads 0 and ignores writes.
class IoApic final : public bus::Device, public irq::IrqChip, public apic::EndListener {
public:
    static constexpr u64 window_base = 0xfec0'0000;
    static constexpr u64 window_bytes = 0x1000;
    static constexpr u32 pins = 24;

    struct State {
        u32 select = 0;
        u32 id = 0;
        std::array<u64, pins> entry{};
        u32 levels = 0;  ///< bit n: pin n is asserted

        void fields(FieldVisitor& v);
    };

    /// `id` is what the firmware's tables call it. `target` must outlive the device.
    IoApic(u8 id, apic::MessageTarget& target);

    [[nodiscard]] std::string_view name() const override { return "ioapic"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) override;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) override;
    /// Pins keep their level.
    void reset() override;
    void fields(FieldVisitor& v) override { state_.fields(v); }

    void set_line(u32 number, bool level) override;
    void end_of_interrupt(u8 vector) override;

    [[nodiscard]] const State& state() const { return state_; }

private:
    [[nodiscard]] u32 read_register(u32 number) const;
    void write_register(u32 number, u32 value);
    void write_entry(u32 pin, u64 value);
    /// Sends what a level-triggered pin has to say.
    void service_level(u32 pin);
    bool send(u32 pin);

    u8 initial_id_;
    apic::MessageTarget* target_;
    State state_;
};

}  // namespace ax::dev
