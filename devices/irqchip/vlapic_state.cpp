#include "devices/irqchip/vlapic_state.hpp"

#include <bit>

namespace ax::dev::lapic {

namespace {

using PriorityClass = Bits<7, 4>;

}  // namespace

std::optional<u8> Vectors::highest() const {
    for (u32 w = vector_words; w > 0; --w)
        if (const u32 word = words[w - 1]; word != 0)
            return static_cast<u8>((w - 1) * 32 + 31 - static_cast<u32>(std::countl_zero(word)));
    return std::nullopt;
}

void Vectors::fields(FieldVisitor& v) { field(v, "words", words); }

u8 Local::processor_priority() const {
    const u8 in_service = isr.highest().value_or(0);
    if (PriorityClass::get(tpr) >= PriorityClass::get(in_service)) return static_cast<u8>(tpr);
    return static_cast<u8>(PriorityClass::mask & in_service);
}

std::optional<u8> Local::deliverable() const {
    const auto waiting = irr.highest();
    if (!waiting || PriorityClass::get(*waiting) <= PriorityClass::get(processor_priority())) return std::nullopt;
    return waiting;
}

void Local::reset() {
    Local fresh;
    fresh.base = base;
    fresh.tsc_offset = tsc_offset;
    fresh.line = line;
    fresh.lvt.fill(static_cast<u32>(Lvt::Masked::mask));
    *this = fresh;
}

void Local::fields(FieldVisitor& v) {
    field(v, "base", base);
    field(v, "tpr", tpr);
    field(v, "ldr", ldr);
    field(v, "dfr", dfr);
    field(v, "svr", svr);
    field(v, "esr", esr);
    field(v, "errors", errors);
    field(v, "icr", icr);
    field(v, "lvt", lvt);
    field(v, "isr", isr);
    field(v, "tmr", tmr);
    field(v, "irr", irr);
    field(v, "timer", timer);
    field(v, "tsc_offset", tsc_offset);
    field(v, "ext_int", ext_int);
    field(v, "line", line);
}

}  // namespace ax::dev::lapic
