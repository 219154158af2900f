#include "sim/trap/x86/event.hpp"

namespace ax::sim::x86 {

namespace {

using namespace ax::x86;

enum class FaultClass : u8 { Benign, Contributory, PageFault, DoubleFault };

FaultClass class_of(const Event& event) {
    if (event.type != EventType::HardwareException) return FaultClass::Benign;
    switch (Vector{event.vector}) {
        case Vector::DE:
        case Vector::TS:
        case Vector::NP:
        case Vector::SS:
        case Vector::GP:
        case Vector::CP: return FaultClass::Contributory;
        case Vector::PF:
        case Vector::VE: return FaultClass::PageFault;
        case Vector::DF: return FaultClass::DoubleFault;
        case Vector::DB:
        case Vector::NMI:
        case Vector::BP:
        case Vector::OF:
        case Vector::BR:
        case Vector::UD:
        case Vector::NM:
        case Vector::MF:
        case Vector::AC:
        case Vector::MC:
        case Vector::XM: return FaultClass::Benign;
    }
    return FaultClass::Benign;
}

bool has_error_code(Vector vector) {
    return vector == Vector::DF || vector == Vector::TS || vector == Vector::NP || vector == Vector::SS || vector == Vector::GP ||
           vector == Vector::PF || vector == Vector::AC || vector == Vector::CP;
}

}  // namespace

u32 Event::word() const {
    return static_cast<u32>(EventWord::Valid::mask | EventWord::VectorNumber::of(vector) | EventWord::Type::of(index(type)) |
                            EventWord::DeliverErrorCode::of(has_error_code));
}

Event exception(Vector vector, u32 error_code, u64 payload) {
    const bool has_code = sim::x86::has_error_code(vector);
    return {.vector = index(vector), .has_error_code = has_code, .error_code = has_code ? error_code : 0, .payload = payload};
}

std::optional<Event> injected_event(const Vmcs& vmcs) {
    const u32 word = vmcs.VM_ENTRY_INTERRUPTION_INFO;
    if (!EventWord::Valid::test(word)) return std::nullopt;
    Event event;
    event.type = static_cast<EventType>(EventWord::Type::get(word));
    event.vector = static_cast<u8>(EventWord::VectorNumber::get(word));
    event.has_error_code = EventWord::DeliverErrorCode::test(word);
    event.keeps_rf = true;
    if (event.has_error_code) event.error_code = vmcs.VM_ENTRY_EXCEPTION_ERROR_CODE;
    if (event.is_software() || event.type == EventType::PrivilegedSoftwareException)
        event.instruction_length = static_cast<u8>(vmcs.VM_ENTRY_INSTRUCTION_LENGTH);
    return event;
}

std::optional<Event> combine(const Event& first, const Event& second) {
    const FaultClass a = class_of(first), b = class_of(second);
    const bool is_serious = b == FaultClass::Contributory || b == FaultClass::PageFault;
    const bool is_pair =
        (a == FaultClass::Contributory && b == FaultClass::Contributory) || (a == FaultClass::PageFault && is_serious);
    if (a == FaultClass::DoubleFault && is_serious) return std::nullopt;
    return is_pair ? exception(Vector::DF) : second;
}

void apply_payload(CpuState& cpu, const Event& event) {
    if (event.is_exception(Vector::PF)) cpu.cr2 = event.payload;
    if (!event.is_exception(Vector::DB)) return;
    constexpr u64 lbr_and_btf = 3;
    // B3 to B0 show this exception alone; the others are for software to clear.
    cpu.dr6 = (cpu.dr6 & ~Dr6::B::mask) | event.payload;
    cpu.dr7 &= ~Dr7::GD::mask;
    cpu.debugctl &= ~lbr_and_btf;
}

}  // namespace ax::sim::x86
