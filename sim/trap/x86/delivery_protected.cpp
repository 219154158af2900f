// Delivery through the 8-byte gates of protected mode. Intel SDM vol. 3, "Exception and Interrupt Handling in Protected
// Mode", and vol. 2, INT n, the labels INTER-PRIVILEGE-LEVEL-INTERRUPT and those next to it.
#include "sim/trap/x86/delivery_steps.hpp"

namespace ax::sim::x86 {

using namespace ax::x86;

namespace {

template <class T>
using Result = DeliverySteps::Result<T>;

struct Stack {
    VmcsSegment segment{};
    u64 pointer = 0;
    u8 privilege = 0;
    u32 fault_code = 0;  ///< of the #SS for want of room

    [[nodiscard]] u64 mask() const { return AccessRights::DB::test(segment.access_rights) ? 0xffff'ffff : 0xffff; }
    /// "Limit Checking": expand-down segments hold what lies above their limit.
    [[nodiscard]] bool has(u64 offset, u64 bytes) const {
        const u64 last = offset + bytes - 1;
        constexpr u64 expand_down = 0b0100;
        const bool is_down = (AccessRights::Type::get(segment.access_rights) & 0b1100) == expand_down;
        return is_down ? offset > segment.limit && last <= mask() : last <= segment.limit;
    }
};

Result<Gate> read_gate(const DeliverySteps& steps) {
    const u64 offset = u64{steps.event.vector} * 8;
    if (offset + 7 > steps.cpu.idtr.limit) return steps.raise(Vector::GP, steps.gate_code());
    const auto raw = steps.read(steps.cpu.idtr.base + offset, 8);
    if (!raw) return std::unexpected(raw.error());
    const Gate gate{*raw};
    const bool is_known =
        gate.type() == Gate::task || gate.is_16_bit() || gate.type() == Gate::interrupt || gate.type() == Gate::trap;
    if (!is_known) return steps.raise(Vector::GP, steps.gate_code());
    const auto checked = steps.check_gate(gate);
    if (!checked) return std::unexpected(checked.error());
    return gate;
}

/// SS and ESP for the new level from the TSS: "Stack Switching".
Result<Stack> stack_of_level(const DeliverySteps& steps, u8 level) {
    const CpuState& cpu = steps.cpu;
    const bool is_32_bit = AccessRights::Type::get(cpu.tr.access_rights) == AccessRights::tss_busy;
    const unsigned width = is_32_bit ? 4 : 2;
    const u64 at = u64{level} * 2 * width + width;
    if (at + width + 1 > cpu.tr.limit) return steps.raise(Vector::TS, steps.selector_code(cpu.tr.selector));
    const auto pointer = steps.read(cpu.tr.base + at, width);
    if (!pointer) return std::unexpected(pointer.error());
    const auto word = steps.read(cpu.tr.base + at + width, 2);
    if (!word) return std::unexpected(word.error());
    const auto selector = static_cast<u16>(*word);
    const u32 code = steps.selector_code(selector);
    if ((selector & ~Selector::RPL::mask) == 0) return steps.raise(Vector::TS, steps.ext());
    const auto descriptor = steps.descriptor(selector, Vector::TS);
    if (!descriptor) return std::unexpected(descriptor.error());
    if (Selector::RPL::get(selector) != level || descriptor->dpl() != level || !descriptor->is_writable_data())
        return steps.raise(Vector::TS, code);
    if (!descriptor->is_present()) return steps.raise(Vector::SS, code);
    const auto marked = steps.mark_accessed(selector, *descriptor);
    if (!marked) return std::unexpected(marked.error());
    return Stack{descriptor->segment(selector), *pointer, level, code};
}

Result<void> push(const DeliverySteps& steps, Stack& stack, const Frame& frame, unsigned width) {
    const auto place = [&](u64 n) { return (stack.pointer - width * (n + 1)) & stack.mask(); };
    for (u64 n = 0; n < frame.count; ++n)
        if (!stack.has(place(n), width)) return steps.raise(Vector::SS, stack.fault_code);
    const WalkAccess how{.access = Access::Write, .is_user = stack.privilege == 3, .ac = Rflags::AC::test(steps.cpu.rflags)};
    for (u64 n = 0; n < frame.count; ++n) {
        const auto pushed =
            steps.memory.write(Gva{low32(stack.segment.base + place(n))}, zero_extend(frame.words[n], width), width, how);
        if (!pushed) return std::unexpected(steps.refusal(pushed.error(), true));
    }
    const u64 pointer = (stack.pointer - width * frame.count) & stack.mask();
    stack.pointer = (stack.pointer & ~stack.mask()) | pointer;
    return {};
}

Frame frame_of(const DeliverySteps& steps, bool switches_stack) {
    const CpuState& cpu = steps.cpu;
    Frame frame;
    if (cpu.is_v8086())
        for (const VmcsSegment* segment : {&cpu.gs, &cpu.fs, &cpu.ds, &cpu.es}) frame.add(segment->selector);
    if (switches_stack) {
        frame.add(cpu.ss.selector);
        frame.add(cpu.rsp());
    }
    frame.add(steps.pushed_rflags());
    frame.add(cpu.cs.selector);
    frame.add(steps.return_rip());
    if (steps.event.has_error_code) frame.add(steps.event.error_code);
    return frame;
}

}  // namespace

std::expected<void, DeliveryStop> deliver_protected(const DeliverySteps& steps, CpuState& next) {
    const CpuState& cpu = steps.cpu;
    constexpr u64 iopl_of_v8086 = 3;
    if (cpu.is_v8086() && steps.event.type == EventType::SoftwareInterrupt && Rflags::IOPL::get(cpu.rflags) < iopl_of_v8086)
        return steps.raise(Vector::GP, 0);
    const auto gate = read_gate(steps);
    if (!gate) return std::unexpected(gate.error());
    if (gate->type() == Gate::task) return std::unexpected(DeliveryStop{TaskGate{gate->selector()}});
    const auto code = steps.handler_code(gate->selector());
    if (!code) return std::unexpected(code.error());
    const bool changes_level = !code->is_conforming() && code->dpl() < cpu.cpl();
    const u8 level = changes_level ? static_cast<u8>(code->dpl()) : cpu.cpl();
    // Virtual-8086 mode is left for level 0 alone.
    if (cpu.is_v8086() && (!changes_level || level != 0)) return steps.raise(Vector::GP, steps.selector_code(gate->selector()));

    Stack stack{cpu.ss, cpu.rsp(), level, steps.ext()};
    if (changes_level) {
        const auto found = stack_of_level(steps, level);
        if (!found) return std::unexpected(found.error());
        stack = *found;
    }
    if (gate->offset() > code->limit()) return steps.raise(Vector::GP, steps.ext());
    const auto marked = steps.mark_accessed(gate->selector(), *code);
    if (!marked) return std::unexpected(marked.error());
    const auto pushed = push(steps, stack, frame_of(steps, changes_level), gate->is_16_bit() ? 2 : 4);
    if (!pushed) return std::unexpected(pushed.error());

    if (cpu.is_v8086())
        for (VmcsSegment* segment : {&next.ds, &next.es, &next.fs, &next.gs}) *segment = {.access_rights = AccessRights::null};
    next.ss = stack.segment;
    next.rsp() = stack.pointer;
    next.cs = code->segment(static_cast<u16>((gate->selector() & ~Selector::RPL::mask) | level));
    next.rip = gate->offset();
    next.rflags = steps.handler_rflags(gate->is_interrupt());
    return {};
}

}  // namespace ax::sim::x86
