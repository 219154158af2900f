// Event injection.
#include "core/arch/x86/inject.hpp"

namespace ax::x86 {

namespace {

using C = PrimaryControls;

constexpr u8 vector_nmi = static_cast<u8>(index(Vector::NMI));

/// "Interrupt 8 - Double Fault Exception", table of interrupt and exception classes.
enum class ExceptionClass : u8 { Benign, Contributory, PageFault, DoubleFault };

ExceptionClass class_of(u64 vector) {
    switch (static_cast<Vector>(vector)) {
        case Vector::DE:
        case Vector::TS:
        case Vector::NP:
        case Vector::SS:
        case Vector::GP:
        case Vector::CP: return ExceptionClass::Contributory;
        case Vector::PF:
        case Vector::VE: return ExceptionClass::PageFault;
        case Vector::DF: return ExceptionClass::DoubleFault;
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
        case Vector::XM: break;
    }
    return ExceptionClass::Benign;
}

bool makes_double_fault(ExceptionClass first, ExceptionClass second) {
    if (first == ExceptionClass::Contributory) return second == ExceptionClass::Contributory;
    if (first == ExceptionClass::PageFault) return second == ExceptionClass::Contributory || second == ExceptionClass::PageFault;
    return false;
}

void put(Vmcs& v, u32 word, u32 error_code = 0, u32 length = 0) {
    v.VM_ENTRY_INTERRUPTION_INFO = word;
    v.VM_ENTRY_EXCEPTION_ERROR_CODE = error_code;
    v.VM_ENTRY_INSTRUCTION_LENGTH = length;
}

bool is_running(const Vmcs& v) {
    return v.GUEST_ACTIVITY_STATE != index(ActivityState::Shutdown) &&
           v.GUEST_ACTIVITY_STATE != index(ActivityState::WaitForSipi);
}

bool has_instruction_length(u64 type) {
    switch (static_cast<EventType>(type)) {
        case EventType::SoftwareInterrupt:
        case EventType::PrivilegedSoftwareException:
        case EventType::SoftwareException: return true;
        case EventType::ExternalInterrupt:
        case EventType::Nmi:
        case EventType::HardwareException:
        case EventType::Other: break;
    }
    return false;
}

/// Exceptions have no error code in real mode: "Exception Handling in Real-Address Mode", and the entry check of bit 11.
bool has_error_codes(const Vmcs& v) { return Cr0::PE::test(v.GUEST_CR0); }

}  // namespace

bool can_take_interrupt(const Vmcs& v) {
    return is_running(v) && !has_event(v) && Rflags::IF::test(v.GUEST_RFLAGS) &&
           (v.GUEST_INTERRUPTIBILITY_STATE & Interruptibility::shadow) == 0;
}

bool can_take_nmi(const Vmcs& v) {
    constexpr u64 blocking = Interruptibility::shadow | Interruptibility::BlockingByNmi::mask;
    return is_running(v) && !has_event(v) && (v.GUEST_INTERRUPTIBILITY_STATE & blocking) == 0;
}

void inject_interrupt(Vmcs& v, u8 vector) { put(v, event_word(EventType::ExternalInterrupt, vector)); }

void inject_nmi(Vmcs& v) { put(v, event_word(EventType::Nmi, vector_nmi)); }

void set_interrupt_window(Vmcs& v, bool is_wanted) {
    v.PRIMARY_CONTROLS = static_cast<u32>(C::InterruptWindowExiting::set(v.PRIMARY_CONTROLS, is_wanted));
}

void set_nmi_window(Vmcs& v, bool is_wanted) {
    v.PRIMARY_CONTROLS = static_cast<u32>(C::NmiWindowExiting::set(v.PRIMARY_CONTROLS, is_wanted));
}

Injection inject_exception(Guest& g, const GuestException& e) {
    Vmcs& v = g.vmcs;
    const u64 waiting = v.VM_ENTRY_INTERRUPTION_INFO;
    const bool is_on_top = has_event(v) && EventWord::Type::get(waiting) == index(EventType::HardwareException);
    const ExceptionClass second = class_of(index(e.vector));
    if (is_on_top) {
        const ExceptionClass first = class_of(EventWord::VectorNumber::get(waiting));
        if (first == ExceptionClass::DoubleFault && second != ExceptionClass::Benign) return Injection::TripleFault;
        if (makes_double_fault(first, second)) {
            if (e.cr2) g.regs.CR2 = *e.cr2;
            put(v, event_word(EventType::HardwareException, static_cast<u8>(index(Vector::DF)), has_error_codes(v)));
            return Injection::Delivered;
        }
    }
    if (e.cr2) g.regs.CR2 = *e.cr2;
    const bool has_code = e.error_code.has_value() && has_error_codes(v);
    put(v, event_word(EventType::HardwareException, static_cast<u8>(index(e.vector)), has_code), has_code ? *e.error_code : 0);
    return Injection::Delivered;
}

Injection reflect_exception(Guest& g) {
    Vmcs& v = g.vmcs;
    const u64 info = v.VM_EXIT_INTERRUPTION_INFO;
    const u64 type = EventWord::Type::get(info);
    const auto vector = static_cast<Vector>(EventWord::VectorNumber::get(info));
    if (vector == Vector::DB) {
        // "Debug Status Register (DR6)": the conditions are added, but B0 to B3 are new. DR7.GD, LBR and BTF end with delivery.
        g.regs.DR6 = Dr6::B::set(g.regs.DR6, 0) | (v.EXIT_QUALIFICATION & DebugQualification::mask);
        v.GUEST_DR7 = Dr7::GD::set(v.GUEST_DR7, 0);
        using LbrAndBtf = Bits<1, 0>;
        v.GUEST_IA32_DEBUGCTL = LbrAndBtf::set(v.GUEST_IA32_DEBUGCTL, 0);
    }
    if (type == index(EventType::HardwareException)) {
        GuestException e{.vector = vector};
        if (EventWord::DeliverErrorCode::test(info)) e.error_code = v.VM_EXIT_INTERRUPTION_ERROR_CODE;
        if (vector == Vector::PF) e.cr2 = v.EXIT_QUALIFICATION;
        return inject_exception(g, e);
    }
    put(v, event_word(static_cast<EventType>(type), static_cast<u8>(index(vector))), 0,
        has_instruction_length(type) ? v.VM_EXIT_INSTRUCTION_LENGTH : 0);
    return Injection::Delivered;
}

void requeue_event(Vmcs& v) {
    const u64 vectoring = v.IDT_VECTORING_INFO;
    v.VM_ENTRY_INTERRUPTION_INFO = 0;
    if (EventWord::Valid::test(vectoring)) {
        const u64 type = EventWord::Type::get(vectoring);
        const u64 word = vectoring & (EventWord::Valid::mask | EventWord::DeliverErrorCode::mask | EventWord::Type::mask |
                                      EventWord::VectorNumber::mask);
        put(v, static_cast<u32>(word), EventWord::DeliverErrorCode::test(vectoring) ? v.IDT_VECTORING_ERROR_CODE : 0,
            has_instruction_length(type) ? v.VM_EXIT_INSTRUCTION_LENGTH : 0);
        // An NMI that is injected again may not find itself blocked.
        if (type == index(EventType::Nmi))
            v.GUEST_INTERRUPTIBILITY_STATE &= ~static_cast<u32>(Interruptibility::BlockingByNmi::mask);
        return;
    }
    // "Resuming Guest Software after Handling an Exception": not for a double fault.
    const u64 basic = ExitReasonWord::Basic::get(v.EXIT_REASON);
    const u64 info = v.VM_EXIT_INTERRUPTION_INFO;
    const bool is_fault = basic == index(ExitReason::ExceptionOrNmi) && EventWord::Valid::test(info) &&
                          EventWord::NmiUnblocking::test(info) && EventWord::VectorNumber::get(info) != index(Vector::DF);
    const bool is_violation =
        basic == index(ExitReason::EptViolation) && EptViolationQualification::NmiUnblocking::test(v.EXIT_QUALIFICATION);
    if (is_fault || is_violation) v.GUEST_INTERRUPTIBILITY_STATE |= Interruptibility::BlockingByNmi::mask;
}

}  // namespace ax::x86
