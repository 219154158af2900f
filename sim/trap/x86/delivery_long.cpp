// Delivery through the 16-byte gates of IA-32e mode. Intel SDM vol. 3, "Exception and Interrupt Handling in 64-bit Mode".
#include "sim/trap/x86/delivery_steps.hpp"
#include "sim/trap/x86/entry_rule.hpp"

namespace ax::sim::x86 {

using namespace ax::x86;

namespace {

template <class T>
using Result = DeliverySteps::Result<T>;

struct LongGate {
    Gate low;
    u64 offset = 0;
};

Result<LongGate> read_gate(const DeliverySteps& steps) {
    const u64 offset = u64{steps.event.vector} * 16;
    if (offset + 15 > steps.cpu.idtr.limit) return steps.raise(Vector::GP, steps.gate_code());
    const auto low = steps.read(steps.cpu.idtr.base + offset, 8);
    if (!low) return std::unexpected(low.error());
    const auto high = steps.read(steps.cpu.idtr.base + offset + 8, 8);
    if (!high) return std::unexpected(high.error());
    const Gate gate{*low};
    if (gate.type() != Gate::interrupt && gate.type() != Gate::trap) return steps.raise(Vector::GP, steps.gate_code());
    const auto checked = steps.check_gate(gate);
    if (!checked) return std::unexpected(checked.error());
    return LongGate{gate, gate.offset() | (*high << 32)};
}

/// A stack pointer of the 64-bit TSS: RSP0 to 2 for a new level, IST1 to 7 where the gate says so.
Result<u64> pointer_at(const DeliverySteps& steps, u64 offset) {
    const CpuState& cpu = steps.cpu;
    if (offset + 7 > cpu.tr.limit) return steps.raise(Vector::TS, steps.selector_code(cpu.tr.selector));
    const auto pointer = steps.read(cpu.tr.base + offset, 8);
    if (!pointer) return pointer;
    if (!is_canonical(*pointer)) return steps.raise(Vector::SS, steps.ext());
    return pointer;
}

Result<u64> stack_pointer(const DeliverySteps& steps, u64 ist, bool changes_level, u8 level) {
    constexpr u64 first_rsp = 4, first_ist = 36;
    if (ist != 0) return pointer_at(steps, first_ist + 8 * (ist - 1));
    if (changes_level) return pointer_at(steps, first_rsp + 8 * u64{level});
    return steps.cpu.rsp();
}

}  // namespace

std::expected<void, DeliveryStop> deliver_long(const DeliverySteps& steps, CpuState& next) {
    const CpuState& cpu = steps.cpu;
    const auto gate = read_gate(steps);
    if (!gate) return std::unexpected(gate.error());
    const u16 selector = gate->low.selector();
    const auto code = steps.handler_code(selector);
    if (!code) return std::unexpected(code.error());
    if (!Descriptor::L::test(code->raw) || Descriptor::DB::test(code->raw))
        return steps.raise(Vector::GP, steps.selector_code(selector));
    const bool changes_level = !code->is_conforming() && code->dpl() < cpu.cpl();
    const u8 level = changes_level ? static_cast<u8>(code->dpl()) : cpu.cpl();
    const auto top = stack_pointer(steps, Gate::Ist::get(gate->low.raw), changes_level, level);
    if (!top) return std::unexpected(top.error());
    if (!is_canonical(gate->offset)) return steps.raise(Vector::GP, steps.ext());
    const auto marked = steps.mark_accessed(selector, *code);
    if (!marked) return std::unexpected(marked.error());

    Frame frame;
    for (const u64 word : {u64{cpu.ss.selector}, cpu.rsp(), steps.pushed_rflags(), u64{cpu.cs.selector}, steps.return_rip()})
        frame.add(word);
    if (steps.event.has_error_code) frame.add(steps.event.error_code);
    constexpr u64 alignment = 16, width = 8;
    u64 rsp = align_down(*top, alignment);
    const WalkAccess how{.access = Access::Write, .is_user = level == 3, .ac = Rflags::AC::test(cpu.rflags)};
    for (std::size_t n = 0; n < frame.count; ++n) {
        rsp -= width;
        const auto pushed = steps.memory.write(Gva{rsp}, frame.words[n], width, how);
        if (!pushed) return std::unexpected(steps.refusal(pushed.error(), true));
    }
    if (changes_level)
        next.ss = {.selector = level, .access_rights = static_cast<u32>(AccessRights::null | AccessRights::DPL::of(level))};
    next.rsp() = rsp;
    next.cs = code->segment(static_cast<u16>((selector & ~Selector::RPL::mask) | level));
    next.rip = gate->offset;
    next.rflags = steps.handler_rflags(gate->low.is_interrupt());
    return {};
}

}  // namespace ax::sim::x86
