#include "devices/irqchip/i8259.hpp"

#include "core/base/bits.hpp"

// Threats: what a hostile guest does, and what it gets. One test per row.
//
//  T1  accesses of 2, 4 or 8 bytes                        bus fault; nothing changes
//  T2  initialisation words out of order or never ended   interrupts wait until the sequence ends
//  T3  a request that goes away before its acknowledge    spurious: input 7, ISR untouched
//  T4  an end without an interrupt in service             ignored
//  T5  level-triggered mode for inputs that must not be   ELCR bits 0, 1, 2 of the first and 0, 5 of the second chip stay 0
//  T6  the cascade masked, or the second chip alone       its requests wait
//  T7  polling for ever                                   one request taken for each poll
//  T8  automatic end with a level that stays              one interrupt for each acknowledge

namespace ax::dev {

namespace i8259 {

namespace {

/// "Initialization Command Words 1 and 4".
struct ICW1 {
    using IC4 = Bits<0>;
    using SNGL = Bits<1>;
    using LTIM = Bits<3>;
    using Init = Bits<4>;
};
using VectorBase = Bits<7, 3>;
struct ICW4 {
    using AEOI = Bits<1>;
    using SFNM = Bits<4>;
};
/// "Operation Command Words".
struct OCW2 {
    using Level = Bits<2, 0>;
    using Command = Bits<7, 5>;
};
enum class Ocw2Command : u8 { ClearRotateOnAutoEnd, End, Nothing, SpecificEnd, SetRotateOnAutoEnd, RotateOnEnd, SetPriority, RotateOnSpecificEnd };
struct OCW3 {
    using RIS = Bits<0>;
    using RR = Bits<1>;
    using Poll = Bits<2>;
    using Select = Bits<3>;
    using SMM = Bits<5>;
    using ESMM = Bits<6>;
};

u8 flag(u32 number) { return static_cast<u8>(1u << number); }
u8 without(u8 bits, u32 number) { return static_cast<u8>(bits & ~flag(number)); }

}  // namespace

/// Of the set bits the one whose input comes first, counting from the one after `lowest`.
u32 Pic::most_urgent(u8 bits) const {
    for (u32 i = 1; i <= inputs; ++i) {
        const u32 number = (lowest + i) % inputs;
        if ((bits & flag(number)) != 0) return number;
    }
    return inputs;
}

void Pic::set_input(u32 number, bool level) {
    const bool was = (lines & flag(number)) != 0;
    lines = level ? static_cast<u8>(lines | flag(number)) : without(lines, number);
    const bool by_level = (level_triggered() & flag(number)) != 0;
    if (level && (by_level || !was)) irr = static_cast<u8>(irr | flag(number));
    // The input must stay high until the acknowledge, in both modes ("Edge and Level Triggered Modes").
    if (!level) irr = without(irr, number);
}

u32 Pic::winner(bool is_master) const {
    if (next_icw != 0) return inputs;
    const u32 request = most_urgent(static_cast<u8>(irr & ~imr));
    if (request == inputs) return inputs;
    // Special mask mode: what is masked holds back nothing.
    const u32 serving = most_urgent(has_special_mask ? static_cast<u8>(isr & ~imr) : isr);
    if (serving == inputs) return request;
    const u32 rank = (request + inputs - lowest - 1) % inputs;
    const u32 serving_rank = (serving + inputs - lowest - 1) % inputs;
    // "Special Fully Nested Mode": the slave may interrupt itself.
    if (is_fully_nested && is_master && request == cascade_input && rank == serving_rank) return request;
    return rank < serving_rank ? request : inputs;
}

void Pic::take(u32 number) {
    if ((level_triggered() & flag(number)) == 0) irr = without(irr, number);
    if (!has_auto_end)
        isr = static_cast<u8>(isr | flag(number));
    else if (rotates_on_auto_end)
        lowest = static_cast<u8>(number);
}

void Pic::initialise(u8 icw1) {
    const Pic before = *this;
    *this = {};
    lines = before.lines;
    elcr = before.elcr;
    output = before.output;
    vector_base = before.vector_base;
    expects_icw4 = ICW1::IC4::test(icw1);
    is_single = ICW1::SNGL::test(icw1);
    is_level = ICW1::LTIM::test(icw1);
    irr = static_cast<u8>(lines & level_triggered());
    next_icw = 2;
}

void Pic::write_icw(u8 value) {
    if (next_icw == 2) {
        vector_base = static_cast<u8>(value & VectorBase::mask);
        next_icw = !is_single ? 3 : expects_icw4 ? 4 : 0;
    } else if (next_icw == 3) {
        next_icw = expects_icw4 ? 4 : 0;
    } else {
        has_auto_end = ICW4::AEOI::test(value);
        is_fully_nested = ICW4::SFNM::test(value);
        next_icw = 0;
    }
}

void Pic::write_ocw2(u8 value) {
    const u32 named = static_cast<u32>(OCW2::Level::get(value));
    switch (static_cast<Ocw2Command>(OCW2::Command::get(value))) {
        case Ocw2Command::ClearRotateOnAutoEnd: rotates_on_auto_end = false; break;
        case Ocw2Command::SetRotateOnAutoEnd: rotates_on_auto_end = true; break;
        case Ocw2Command::Nothing: break;
        case Ocw2Command::SpecificEnd: isr = without(isr, named); break;
        case Ocw2Command::SetPriority: lowest = static_cast<u8>(named); break;
        case Ocw2Command::RotateOnSpecificEnd:
            isr = without(isr, named);
            lowest = static_cast<u8>(named);
            break;
        case Ocw2Command::End:
        case Ocw2Command::RotateOnEnd: {
            // In special mask mode what is masked is not ended so.
            const u32 number = most_urgent(has_special_mask ? static_cast<u8>(isr & ~imr) : isr);
            if (number == inputs) break;
            isr = without(isr, number);
            if (static_cast<Ocw2Command>(OCW2::Command::get(value)) == Ocw2Command::RotateOnEnd) lowest = static_cast<u8>(number);
            break;
        }
    }
}

void Pic::write_ocw3(u8 value) {
    if (OCW3::ESMM::test(value)) has_special_mask = OCW3::SMM::test(value);
    if (OCW3::Poll::test(value))
        polls = true;
    else if (OCW3::RR::test(value))
        reads_isr = OCW3::RIS::test(value);
}

void Pic::fields(FieldVisitor& v) {
    field(v, "irr", irr);
    field(v, "isr", isr);
    field(v, "imr", imr);
    field(v, "lines", lines);
    field(v, "elcr", elcr);
    field(v, "vector_base", vector_base);
    field(v, "lowest", lowest);
    field(v, "next_icw", next_icw);
    field(v, "expects_icw4", expects_icw4);
    field(v, "is_single", is_single);
    field(v, "is_level", is_level);
    field(v, "has_auto_end", has_auto_end);
    field(v, "rotates_on_auto_end", rotates_on_auto_end);
    field(v, "is_fully_nested", is_fully_nested);
    field(v, "has_special_mask", has_special_mask);
    field(v, "reads_isr", reads_isr);
    field(v, "polls", polls);
    field(v, "output", output);
    // A damaged file may say anything.
    lowest = static_cast<u8>(lowest % inputs);
    if (next_icw == 1 || next_icw > 4) next_icw = 0;
    vector_base = static_cast<u8>(vector_base & VectorBase::mask);
}

}  // namespace i8259

using namespace i8259;

namespace {

constexpr u32 master_chip = 0, slave_chip = 1;
/// The inputs that a PC's boards keep edge-triggered: timer, keyboard, cascade; clock and coprocessor.
constexpr std::array<u8, 2> elcr_writable{0xf8, 0xde};

bool is_byte(u64 offset, u8 size) { return size == 1 && offset < I8259Pair::window_bytes; }

}  // namespace

template <I8259Window which>
std::string_view I8259Ports<which>::name() const {
    if (which == I8259Window::Elcr) return "elcr";
    return which == I8259Window::Master ? "i8259-master" : "i8259-slave";
}

template <I8259Window which>
I8259Pair& I8259Ports<which>::pair() {
    return static_cast<I8259Pair&>(*this);
}

template <I8259Window which>
std::expected<u64, bus::BusFault> I8259Ports<which>::read(u64 offset, u8 size) {
    if (!is_byte(offset, size)) return std::unexpected(bus::BusFault{});
    if (which == I8259Window::Elcr) return pair().chips_[offset].elcr;
    return pair().read_port(index(which), offset);
}

template <I8259Window which>
std::expected<void, bus::BusFault> I8259Ports<which>::write(u64 offset, u8 size, u64 value) {
    if (!is_byte(offset, size)) return std::unexpected(bus::BusFault{});
    if (which == I8259Window::Elcr) {
        pair().chips_[offset].elcr = static_cast<u8>(value & elcr_writable[offset]);
        pair().settle();
    } else {
        pair().write_port(index(which), offset, static_cast<u8>(value));
    }
    return {};
}

template <I8259Window which>
void I8259Ports<which>::reset() {
    if (which == I8259Window::Master) pair().reset_all();
}

template <I8259Window which>
void I8259Ports<which>::fields(FieldVisitor& v) {
    if (which == I8259Window::Master) pair().visit(v);
}

template class I8259Ports<I8259Window::Master>;
template class I8259Ports<I8259Window::Slave>;
template class I8259Ports<I8259Window::Elcr>;

void I8259Pair::visit(FieldVisitor& v) { field(v, "chip", chips_); }

void I8259Pair::reset_all() {
    for (Pic& chip : chips_) {
        const Pic before = chip;
        chip = {};
        chip.lines = before.lines;
        chip.output = before.output;
    }
    settle();
}

u8 I8259Pair::read_port(u32 chip, u64 offset) {
    Pic& pic = chips_[chip];
    if (pic.polls) return poll(chip);
    if (offset == 1) return pic.imr;
    return pic.reads_isr ? pic.isr : pic.irr;
}

/// "Poll Command": the next read is the acknowledge.
u8 I8259Pair::poll(u32 chip) {
    Pic& pic = chips_[chip];
    pic.polls = false;
    const u32 number = pic.winner(chip == master_chip);
    if (number == inputs) return 0;
    pic.take(number);
    settle();
    constexpr u8 interrupt = 0x80;
    return static_cast<u8>(interrupt | number);
}

void I8259Pair::write_port(u32 chip, u64 offset, u8 value) {
    Pic& pic = chips_[chip];
    if (offset == 0 && ICW1::Init::test(value))
        pic.initialise(value);
    else if (offset == 0 && OCW3::Select::test(value))
        pic.write_ocw3(value);
    else if (offset == 0)
        pic.write_ocw2(value);
    else if (pic.next_icw != 0)
        pic.write_icw(value);
    else
        pic.imr = value;
    settle();
}

void I8259Pair::set_line(u32 number, bool level) {
    if (number >= 2 * inputs || number == cascade_input) return;
    chips_[number / inputs].set_input(number % inputs, level);
    settle();
}

void I8259Pair::settle() {
    Pic& first = chips_[master_chip];
    Pic& second = chips_[slave_chip];
    second.output = second.winner(false) != inputs;
    const bool cascade = (first.lines & (1u << cascade_input)) != 0;
    if (second.output != cascade) first.set_input(cascade_input, second.output);
    const bool output = first.winner(true) != inputs;
    if (output == first.output) return;
    first.output = output;
    output_.set(output);
}

u8 I8259Pair::peek() const {
    const Pic& first = chips_[master_chip];
    const u32 number = first.winner(true);
    if (number == inputs) return static_cast<u8>(first.vector_base + inputs - 1);
    if (number != cascade_input || first.is_single) return static_cast<u8>(first.vector_base + number);
    const Pic& second = chips_[slave_chip];
    const u32 behind = second.winner(false);
    return static_cast<u8>(second.vector_base + (behind == inputs ? inputs - 1 : behind));
}

u8 I8259Pair::acknowledge() {
    const u8 vector = peek();
    Pic& first = chips_[master_chip];
    const u32 number = first.winner(true);
    if (number != inputs) {
        first.take(number);
        const u32 behind = chips_[slave_chip].winner(false);
        if (number == cascade_input && !first.is_single && behind != inputs) {
            chips_[slave_chip].take(behind);
            // The slave's output falls in its acknowledge and rises again when it asks once more, which is an edge.
            first.set_input(cascade_input, false);
        }
    }
    settle();
    return vector;
}

}  // namespace ax::dev
