// The two 8259A interrupt controllers of a PC, the second behind input 2 of the first.
#pragma once

#include <array>
#include <expected>
#include <string_view>

#include "core/bus/device.hpp"
#include "core/irq/irq_chip.hpp"
#include "devices/irqchip/apic_messages.hpp"

namespace ax::dev {

namespace i8259 {

inline constexpr u32 inputs = 8;
inline constexpr u32 cascade_input = 2;

/// One 8259A: Intel 8259A datasheet. Named as there.
struct Pic {
    u8 irr = 0;    ///< latched edges, and levels of level-triggered inputs
    u8 isr = 0;
    u8 imr = 0;
    u8 lines = 0;  ///< levels of the inputs
    u8 elcr = 0;   ///< bit n: input n is level-triggered
    u8 vector_base = 0;
    u8 lowest = 7;  ///< the input of lowest priority
    u8 next_icw = 0;  ///< 0: initialised; 2, 3, 4: that word comes next
    bool expects_icw4 = false;
    bool is_single = false;  ///< ICW1 SNGL: no ICW3, and no second 8259A
    bool is_level = false;   ///< ICW1 LTIM: all inputs are level-triggered
    bool has_auto_end = false;
    bool rotates_on_auto_end = false;
    bool is_fully_nested = false;  ///< ICW4 SFNM
    bool has_special_mask = false;
    bool reads_isr = false;
    bool polls = false;
    bool output = false;

    void set_input(u32 number, bool level);
    /// The input that asks and may; `inputs` when there is none.
    [[nodiscard]] u32 winner(bool is_master) const;
    /// Takes the winner's request.
    void take(u32 number);
    void initialise(u8 icw1);
    /// True when the word is the last of the sequence.
    void write_icw(u8 value);
    void write_ocw2(u8 value);
    void write_ocw3(u8 value);
    void fields(FieldVisitor& v);

private:
    [[nodiscard]] u8 level_triggered() const { return is_level ? u8{0xff} : elcr; }
    [[nodiscard]] u32 most_urgent(u8 bits) const;
};

}  // namespace i8259

class I8259Pair;

/// Which of the three windows: ports 0x20 and 0x21, 0xa0 and 0xa1, 0x4d0 and 0x4d1.
enum class I8259Window : u8 { Master, Slave, Elcr };

template <I8259Window which>
class I8259Ports : public bus::Device {
public:
    [[nodiscard]] std::string_view name() const final;
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) final;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) final;
    /// The master's does it for all. Inputs keep their level.
    void reset() final;
    /// The master's list holds all.
    void fields(FieldVisitor& v) final;

protected:
    ~I8259Ports() = default;

private:
    [[nodiscard]] I8259Pair& pair();
};

/// Intel 8259A datasheet; edge/level control registers as in the Intel 82371AB datasheet. Accesses are 1 byte wide.
///
/// Choices: MCS-80 mode does not exist; special fully nested mode of the slave counts only at the master; a poll
/// with nothing to say reads 0 in bits 7 to 0; ICW1 clears special mask, IMR, ISR and latched edges; the slave's
/// number is 2 whatever ICW3 says. An acknowledge of nothing gives input 7 of the chip without setting ISR.
class I8259Pair final : public irq::IrqChip,
                        public apic::ExtIntSource,
                        private I8259Ports<I8259Window::Master>,
                        private I8259Ports<I8259Window::Slave>,
                        private I8259Ports<I8259Window::Elcr> {
public:
    static constexpr u64 master_port = 0x20, slave_port = 0xa0, elcr_port = 0x4d0, window_bytes = 2;

    /// `output` is INTR.
    explicit I8259Pair(irq::Line output) : output_(output) {}

    [[nodiscard]] bus::Device& master() { return static_cast<I8259Ports<I8259Window::Master>&>(*this); }
    [[nodiscard]] bus::Device& slave() { return static_cast<I8259Ports<I8259Window::Slave>&>(*this); }
    [[nodiscard]] bus::Device& elcr() { return static_cast<I8259Ports<I8259Window::Elcr>&>(*this); }

    /// Inputs 0 to 15; 2 is the cascade and is ignored.
    void set_line(u32 number, bool level) override;
    [[nodiscard]] u8 peek() const override;
    u8 acknowledge() override;

    [[nodiscard]] const i8259::Pic& chip(bool is_slave) const { return chips_[is_slave ? 1 : 0]; }

private:
    template <I8259Window>
    friend class I8259Ports;

    [[nodiscard]] u8 read_port(u32 chip, u64 offset);
    void write_port(u32 chip, u64 offset, u8 value);
    [[nodiscard]] u8 poll(u32 chip);
    void reset_all();
    void visit(FieldVisitor& v);
    /// Outputs follow the chips' state.
    void settle();

    irq::Line output_;
    std::array<i8259::Pic, 2> chips_{};
};

}  // namespace ax::dev
