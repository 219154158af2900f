// Making a guest see an event: injection words, windows, exceptions on top of exceptions, events that an exit interrupted.
#pragma once

#include "core/arch/x86/trap.hpp"

namespace ax::x86 {

/// The word of an event: "VM-Entry Controls for Event Injection".
[[nodiscard]] constexpr u32 event_word(EventType type, u8 vector, bool has_error_code = false) {
    return static_cast<u32>(EventWord::Valid::of(1) | EventWord::Type::of(index(type)) | EventWord::VectorNumber::of(vector) |
                            EventWord::DeliverErrorCode::of(has_error_code));
}
static_assert(event_word(EventType::ExternalInterrupt, 0x30) == 0x8000'0030);
static_assert(event_word(EventType::Nmi, 2) == 0x8000'0202);

/// True while an event waits for the next entry already.
[[nodiscard]] constexpr bool has_event(const Vmcs& v) { return EventWord::Valid::test(v.VM_ENTRY_INTERRUPTION_INFO); }

/// True when the guest can take an external interrupt at the next entry: "Maskable Hardware Interrupts" and the shadow of STI
/// and MOV SS.
[[nodiscard]] bool can_take_interrupt(const Vmcs& vmcs);
/// The same of an NMI: "Nonmaskable Interrupt (NMI)".
[[nodiscard]] bool can_take_nmi(const Vmcs& vmcs);

/// Gives the guest an interrupt, or an NMI, at the next entry; only when it can take it.
void inject_interrupt(Vmcs& vmcs, u8 vector);
void inject_nmi(Vmcs& vmcs);

/// Asks for an exit as soon as the guest can take an interrupt, or an NMI; or takes that back.
void set_interrupt_window(Vmcs& vmcs, bool is_wanted);
void set_nmi_window(Vmcs& vmcs, bool is_wanted);

enum class Injection : u8 { Delivered, TripleFault };

/// Gives the guest an exception at the next entry. One that waits already is combined with it: "Interrupt 8 - Double Fault
/// Exception", table of conditions. Another kind of event that waits is lost, as in hardware.
[[nodiscard]] Injection inject_exception(Guest& guest, const GuestException& exception);

/// An exception that hardware reported instead of delivering it: the same to the guest, with what hardware had not done
/// (CR2, DR6).
[[nodiscard]] Injection reflect_exception(Guest& guest);

/// What an exit interrupted is delivered again at the next entry: "Information for VM Exits That Occur During Event
/// Delivery". Also repeats the blocking of NMIs that an IRET had ended before it faulted. To be called for each exit, first.
void requeue_event(Vmcs& vmcs);

}  // namespace ax::x86
