// The steps of an instruction that accesses devices.
#include "core/arch/x86/transfer.hpp"

#include "core/arch/x86/guest.hpp"
#include "core/arch/x86/inject.hpp"

namespace ax::x86 {

namespace {

using Kind = Place::Kind;

constexpr u64 all_ones = ~u64{0};

bool crosses(const Place& place, unsigned size) { return place.kind == Kind::Memory && place.first_bytes < size; }

u8 bytes_before_page_end(u64 address, unsigned size) {
    const u64 left = page_size - (address & (page_size - 1));
    return static_cast<u8>(left < size ? left : size);
}

Gpa byte_of(const Place& place, unsigned n) {
    return n < place.first_bytes ? place.gpa + n : place.second + (n - place.first_bytes);
}

/// Of an access that crosses a page, bytes that no memory backs read as ones and are not written.
std::optional<u64> load(const Place& place, u8 size, Guest& g) {
    if (!crosses(place, size)) return g.memory.load(place.gpa, size);
    u64 value = 0;
    for (unsigned n = 0; n < size; ++n) value |= (g.memory.load(byte_of(place, n), 1).value_or(0xff) & 0xff) << (8 * n);
    return value;
}

bool store(const Place& place, u8 size, u64 value, Guest& g) {
    if (!crosses(place, size)) return g.memory.store(place.gpa, size, value);
    for (unsigned n = 0; n < size; ++n) static_cast<void>(g.memory.store(byte_of(place, n), 1, (value >> (8 * n)) & 0xff));
    return true;
}

/// The other end of a string: checked and translated as hardware would, or the exception that it gives.
std::expected<Place, GuestException> place_of(SegmentReg segment, u64 offset, u8 size, Access access, Guest& g) {
    if (!is_accessible(g.vmcs, segment, offset, size))
        return std::unexpected(GuestException{segment == SegmentReg::SS ? Vector::SS : Vector::GP, 0, std::nullopt});
    const Gva linear = linear_address(g.vmcs, segment, offset);
    Place place{.kind = Kind::Memory, .first_bytes = bytes_before_page_end(linear.value(), size)};
    const auto gpa = g.memory.translate(linear, access);
    if (!gpa) return std::unexpected(gpa.error());
    place.gpa = *gpa;
    if (place.first_bytes == size) return place;
    const auto second = g.memory.translate(linear + place.first_bytes, access);
    if (!second) return std::unexpected(second.error());
    place.second = *second;
    return place;
}

u64 source_offset(const Completion& c, const Guest& g) { return zero_extend(read_gpr(g, Gpr::RSI), c.insn.address_size); }
u64 target_offset(const Completion& c, const Guest& g) { return zero_extend(read_gpr(g, Gpr::RDI), c.insn.address_size); }
u64 repetitions(const Completion& c, const Guest& g) { return zero_extend(read_gpr(g, Gpr::RCX), c.insn.address_size); }

/// The exception takes the place of the instruction.
Question raise(const GuestException& e, Completion& c, Guest& g) {
    c = {};
    if (inject_exception(g, e) == Injection::TripleFault) return {Handled{index(ExitReason::TripleFault), 0}, TripleFault{}};
    return {Handled{ExitReasonWord::Basic::get(g.vmcs.EXIT_REASON), index(e.vector)}, std::nullopt};
}

/// A port where nothing answers reads as ones.
Question ask_read(const Completion& c) {
    if (c.source.kind == Kind::Port) return {PortRead{c.source.port, c.insn.size}, std::nullopt};
    return {MmioRead{c.source.gpa, c.insn.size}, std::nullopt};
}

Question ask_write(const Completion& c) {
    if (c.target.kind == Kind::Port) return {PortWrite{c.target.port, c.insn.size, u64{static_cast<u32>(*c.outcome.memory)}}, std::nullopt};
    return {MmioWrite{c.target.gpa, c.insn.size, *c.outcome.memory}, std::nullopt};
}

void compute(Completion& c, const Guest& g) {
    Operands o;
    o.memory = c.loaded;
    if (c.insn.reg) o.other = read_operand(g, *c.insn.reg, c.insn.size);
    if (c.insn.immediate) o.other = *c.insn.immediate;
    o.accumulator = read_gpr(g, Gpr::RAX);
    o.rflags = g.vmcs.GUEST_RFLAGS;
    c.outcome = execute(c.insn, o);
}

/// Vol. 1, "String Operations": rSI and rDI go up, or down with DF.
void step_pointer(Guest& g, Gpr reg, const Completion& c) {
    const bool is_down = Rflags::DF::test(g.vmcs.GUEST_RFLAGS);
    const u64 old = read_gpr(g, reg);
    write_operand(g, {reg, false}, c.insn.address_size, is_down ? old - c.insn.size : old + c.insn.size);
}

/// True when the instruction has more elements and stays where it is.
bool finish_element(Completion& c, Guest& g) {
    if (!is_string(c.insn.operation)) return false;
    if (c.insn.operation != Operation::Stos && c.source.kind == Kind::Memory) step_pointer(g, Gpr::RSI, c);
    if (c.insn.operation != Operation::Lods && c.target.kind == Kind::Memory) step_pointer(g, Gpr::RDI, c);
    if (!c.insn.is_repeated) return false;
    write_operand(g, {Gpr::RCX, false}, c.insn.address_size, repetitions(c, g) - 1);
    return repetitions(c, g) != 0;
}

/// Writes registers and flags; true when a string goes on.
bool commit(Completion& c, Guest& g) {
    if (c.outcome.reg && c.insn.reg) write_operand(g, *c.insn.reg, c.insn.register_size, *c.outcome.reg);
    if (c.outcome.accumulator) write_operand(g, {Gpr::RAX, false}, c.insn.size, *c.outcome.accumulator);
    g.vmcs.GUEST_RFLAGS = c.outcome.rflags;
    if (finish_element(c, g)) return true;
    step_over(g.vmcs, c.length);
    return false;
}

/// A port string translates its next element; none when the guest must run it, for the fault that it takes, or for its
/// interrupts.
bool begin_next_element(Completion& c, Guest& g) {
    const bool is_port = c.source.kind == Kind::Port || c.target.kind == Kind::Port;
    if (!is_port || c.elements_left == 0) return false;
    --c.elements_left;
    const bool is_in = c.source.kind == Kind::Port;
    const auto place = is_in ? place_of(SegmentReg::ES, target_offset(c, g), c.insn.size, Access::Write, g)
                             : place_of(c.insn.memory.segment, source_offset(c, g), c.insn.size, Access::Read, g);
    if (!place || crosses(*place, c.insn.size)) return false;
    (is_in ? c.target : c.source) = *place;
    c.step = TransferStep::Read;
    c.is_answered = c.was_retried = false;
    return true;
}

/// An access across a page must find memory behind both halves before it begins, or it would lose what one of them gets.
std::optional<Question> ask_for_halves(const Place& place, unsigned size, Access access, Guest& g) {
    if (!crosses(place, size)) return std::nullopt;
    for (const Gpa half : {place.gpa, place.second})
        if (!g.memory.load(half, 1)) return Question{Stage2Fault{half, access, false}, std::nullopt};
    return std::nullopt;
}

std::optional<Question> begin(Completion& c, Guest& g) {
    c.kind = CompletionKind::Transfer;
    c.length = c.insn.length;
    c.step = TransferStep::Read;
    auto question = ask_for_halves(c.source, c.insn.size, Access::Read, g);
    if (!question) question = ask_for_halves(c.target, c.insn.size, Access::Write, g);
    c.waits_for_halves = question.has_value();
    return question ? question : advance(c, g);
}

/// One or two pages from the linear address `start`, of which one faulted at the address in the VMCS.
std::expected<Place, GuestException> faulted_place(Gva start, u8 size, Access access, Guest& g) {
    const Gva faulted{g.vmcs.GUEST_LINEAR_ADDRESS};
    const Gpa gpa{g.vmcs.GUEST_PHYSICAL_ADDRESS};
    Place place{.kind = Kind::Memory, .first_bytes = bytes_before_page_end(start.value(), size)};
    if (place.first_bytes == size) {
        place.gpa = gpa.page_base() + start.page_offset();
        return place;
    }
    const bool is_first = faulted.page_base() == start.page_base();
    const auto other = g.memory.translate(is_first ? start + place.first_bytes : start, access);
    if (!other) return std::unexpected(other.error());
    place.gpa = is_first ? gpa.page_base() + start.page_offset() : *other;
    place.second = is_first ? *other : gpa.page_base();
    return place;
}

bool covers(Gva start, u8 size, Gva address) { return address - start < size || start.page_base() == address.page_base(); }

std::optional<Question> begin_movs(Completion& c, Guest& g) {
    const Gva faulted{g.vmcs.GUEST_LINEAR_ADDRESS};
    const Gva from = linear_address(g.vmcs, c.insn.memory.segment, source_offset(c, g));
    const Gva to = linear_address(g.vmcs, SegmentReg::ES, target_offset(c, g));
    const bool is_write = EptViolationQualification::Write::test(g.vmcs.EXIT_QUALIFICATION);
    const u8 size = c.insn.size;
    if (!covers(is_write ? to : from, size, faulted)) return std::nullopt;
    const auto source = is_write ? place_of(c.insn.memory.segment, source_offset(c, g), size, Access::Read, g)
                                 : faulted_place(from, size, Access::Read, g);
    if (!source) return raise(source.error(), c, g);
    const auto target = is_write ? faulted_place(to, size, Access::Write, g)
                                 : place_of(SegmentReg::ES, target_offset(c, g), size, Access::Write, g);
    if (!target) return raise(target.error(), c, g);
    c.source = *source;
    c.target = *target;
    return begin(c, g);
}

}  // namespace

std::optional<Question> begin_memory(Completion& c, const Insn& insn, Guest& g) {
    c.insn = insn;
    if (insn.is_repeated && repetitions(c, g) == 0) return std::nullopt;
    if (insn.operation == Operation::Movs) return begin_movs(c, g);
    const SegmentReg segment = insn.memory.segment;
    const Gva start = linear_address(g.vmcs, segment, effective_address(g, insn));
    if (!covers(start, insn.size, Gva{g.vmcs.GUEST_LINEAR_ADDRESS})) return std::nullopt;
    const auto place = faulted_place(start, insn.size, writes_memory(insn) ? Access::Write : Access::Read, g);
    if (!place) return raise(place.error(), c, g);
    if (reads_memory(insn)) c.source = *place;
    if (writes_memory(insn)) c.target = *place;
    return begin(c, g);
}

std::optional<Question> begin_port(Completion& c, Guest& g) {
    using Q = IoQualification;
    const u64 q = g.vmcs.EXIT_QUALIFICATION;
    const bool is_in = Q::In::test(q);
    const Place port{.kind = Kind::Port, .port = static_cast<u16>(Q::Port::get(q))};
    c.insn.length = static_cast<u8>(g.vmcs.VM_EXIT_INSTRUCTION_LENGTH);
    c.insn.size = c.insn.register_size = static_cast<u8>(Q::SizeMinus1::get(q) + 1);
    (is_in ? c.source : c.target) = port;
    if (!Q::String::test(q)) {
        c.insn.is_load = is_in;
        c.insn.reg = RegisterOperand{};
        return begin(c, g);
    }
    // "VM-Exit Instruction-Information Field as Used for INS and OUTS".
    using AddressSize = Bits<9, 7>;
    using Segment = Bits<17, 15>;
    c.insn.operation = Operation::Movs;
    c.insn.is_repeated = Q::Rep::test(q);
    c.insn.address_size = static_cast<u8>(2U << (AddressSize::get(g.vmcs.VM_EXIT_INSTRUCTION_INFO) & 3));
    const u64 segment = Segment::get(g.vmcs.VM_EXIT_INSTRUCTION_INFO);
    if (!is_in && segment <= index(SegmentReg::GS)) c.insn.memory.segment = static_cast<SegmentReg>(segment);
    if (c.insn.is_repeated && repetitions(c, g) == 0) return std::nullopt;
    c.elements_left = max_port_elements;
    const auto place = is_in ? place_of(SegmentReg::ES, target_offset(c, g), c.insn.size, Access::Write, g)
                             : place_of(c.insn.memory.segment, source_offset(c, g), c.insn.size, Access::Read, g);
    if (!place) return raise(place.error(), c, g);
    (is_in ? c.target : c.source) = *place;
    return begin(c, g);
}

bool can_advance(const Completion& c) {
    const auto is_width = [](u8 bytes) { return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8; };
    const auto is_place = [&](const Place& p) {
        return p.kind == Kind::None || (p.kind == Kind::Port && c.insn.size <= 4) ||
               (p.kind == Kind::Memory && p.first_bytes > 0 && p.first_bytes <= c.insn.size &&
                p.gpa.page_offset() + p.first_bytes <= page_size);
    };
    const Insn& i = c.insn;
    // What is asked is the source's data, or the target's that has been computed.
    const bool is_asked = (c.step == TransferStep::Read && c.source.kind != Kind::None) ||
                          (c.step == TransferStep::Write && c.target.kind != Kind::None && c.outcome.memory);
    return is_asked && is_width(i.size) && is_width(i.register_size) && is_width(i.address_size) && i.address_size > 1 &&
           i.operation <= Operation::Btc && (!i.reg || i.reg->reg <= Gpr::R15) && i.memory.segment <= SegmentReg::GS &&
           is_place(c.source) && is_place(c.target);
}

std::optional<Question> advance(Completion& c, Guest& g) {
    // Ends: each round of a string takes one of its elements, of which there are `elements_left` at most.
    for (;;) {
        switch (c.step) {
            case TransferStep::Read: {
                c.step = TransferStep::Compute;
                if (c.source.kind == Kind::None) break;
                const auto found = c.source.kind == Kind::Memory ? load(c.source, c.insn.size, g) : std::nullopt;
                if (!found) {
                    c.step = TransferStep::Read;
                    return ask_read(c);
                }
                c.loaded = *found;
                break;
            }
            case TransferStep::Compute:
                compute(c, g);
                c.step = c.outcome.memory && c.target.kind != Kind::None ? TransferStep::Write : TransferStep::Commit;
                break;
            case TransferStep::Write:
                if (c.target.kind != Kind::Memory || !store(c.target, c.insn.size, *c.outcome.memory, g)) return ask_write(c);
                c.step = TransferStep::Commit;
                break;
            case TransferStep::Commit:
                if (!commit(c, g) || !begin_next_element(c, g)) return std::nullopt;
                break;
        }
    }
}

std::optional<Question> advance_with(Completion& c, u64 value, Guest& g) {
    c.is_answered = true;
    if (c.step == TransferStep::Read) {
        c.loaded = zero_extend(value, c.insn.size);
        c.step = TransferStep::Compute;
    } else {
        c.step = TransferStep::Commit;
    }
    return advance(c, g);
}

std::optional<Question> advance_again(Completion& c, Guest& g) {
    // What a device has given already it would give a second time: the write goes on instead, and is lost if it fails again.
    if (!c.is_answered) return std::nullopt;
    if (c.was_retried) return advance_with(c, all_ones, g);
    c.was_retried = true;
    return advance(c, g);
}

}  // namespace ax::x86
