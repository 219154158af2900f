#include "sim/trap/x86/exit_events.hpp"

namespace ax::sim::x86 {

using namespace ax::x86;

namespace {

bool is_in_bitmap(const Vmcs& vmcs, unsigned vector) { return vector < 32 && (vmcs.EXCEPTION_BITMAP & bit(vector)) != 0; }

bool exits_on_exception(const Vmcs& vmcs, const Event& event) {
    if (!event.is_exception(Vector::PF)) return is_in_bitmap(vmcs, event.vector);
    const bool matches = (event.error_code & vmcs.PAGE_FAULT_ERROR_CODE_MASK) == vmcs.PAGE_FAULT_ERROR_CODE_MATCH;
    return is_in_bitmap(vmcs, event.vector) == matches;
}

bool causes_exit(const Vmcs& vmcs, const Event& event) {
    switch (event.type) {
        case EventType::ExternalInterrupt: return PinControls::ExternalInterruptExiting::test(vmcs.PIN_BASED_CONTROLS);
        case EventType::Nmi: return PinControls::NmiExiting::test(vmcs.PIN_BASED_CONTROLS);
        case EventType::HardwareException: return exits_on_exception(vmcs, event);
        case EventType::PrivilegedSoftwareException:
        case EventType::SoftwareException: return is_in_bitmap(vmcs, event.vector);
        case EventType::SoftwareInterrupt:
        case EventType::Other: return false;
    }
    return false;
}

Exit triple_fault() { return {.reason = ExitReason::TripleFault}; }

/// What `raise` and `inject` share. `may_exit`: `event` itself is looked at.
std::optional<Exit> bring(CpuState& cpu, SystemMemory& memory, const Vmcs& vmcs, Event event, bool may_exit) {
    std::optional<Event> under;
    // Each round's event is of a graver class than the one before: benign, contributory, page fault, double fault.
    for (;; may_exit = true) {
        if (may_exit) {
            if (auto exit = event_exit(vmcs, event)) {
                // A double fault is not part of the delivery that it ends.
                if (!event.is_exception(Vector::DF)) exit->delivery = under;
                if (under && under->instruction_length != 0) exit->instruction_length = under->instruction_length;
                return exit;
            }
        }
        // "Vectored-Event Injection": CR2, DR6 and DR7 stay as they are.
        if (may_exit) apply_payload(cpu, event);
        const auto done = deliver(cpu, memory, event);
        if (done) return std::nullopt;
        if (event.type == EventType::Nmi) cpu.interruptibility |= static_cast<u32>(Interruptibility::BlockingByNmi::mask);
        if (const auto* fault = std::get_if<MemoryFault>(&done.error())) {
            Exit exit = ept_exit(*fault);
            exit.delivery = event;
            exit.instruction_length = event.instruction_length;
            return exit;
        }
        if (const auto* task = std::get_if<TaskGate>(&done.error())) {
            Exit exit = task_switch_exit(task->selector, TaskSwitchSource::Gate, event.instruction_length);
            exit.delivery = event;
            return exit;
        }
        std::optional<Event> next = combine(event, std::get<Event>(done.error()));
        if (!next) return triple_fault();
        if (!cpu.is_protected()) next->has_error_code = false;
        under = event;
        event = *next;
    }
}

}  // namespace

std::optional<Exit> event_exit(const Vmcs& vmcs, const Event& event) {
    if (!causes_exit(vmcs, event)) return std::nullopt;
    if (event.type == EventType::ExternalInterrupt) {
        Exit exit{.reason = ExitReason::ExternalInterrupt};
        if (ExitControls::AcknowledgeInterrupt::test(vmcs.VM_EXIT_CONTROLS)) exit.event = event;
        return exit;
    }
    Exit exit{.reason = ExitReason::ExceptionOrNmi, .instruction_length = event.instruction_length, .event = event};
    if (event.is_exception(Vector::PF) || event.is_exception(Vector::DB)) exit.qualification = event.payload;
    return exit;
}

std::optional<Exit> raise(CpuState& cpu, SystemMemory& memory, const Vmcs& vmcs, const Event& event) {
    return bring(cpu, memory, vmcs, event, true);
}

std::optional<Exit> inject(CpuState& cpu, SystemMemory& memory, const Vmcs& vmcs, const Event& event) {
    return bring(cpu, memory, vmcs, event, false);
}

bool may_take_interrupt(const CpuState& cpu) {
    const bool is_awake = cpu.activity == ActivityState::Active || cpu.activity == ActivityState::Hlt;
    return is_awake && Rflags::IF::test(cpu.rflags) && (cpu.interruptibility & Interruptibility::shadow) == 0;
}

bool may_take_nmi(const CpuState& cpu) {
    constexpr u64 blocking = Interruptibility::shadow | Interruptibility::BlockingByNmi::mask;
    return cpu.activity != ActivityState::WaitForSipi && (cpu.interruptibility & blocking) == 0;
}

std::optional<Exit> window_exit(const Vmcs& vmcs, const CpuState& cpu) {
    const u32 controls = vmcs.PRIMARY_CONTROLS;
    if (PrimaryControls::NmiWindowExiting::test(controls) && may_take_nmi(cpu)) return Exit{.reason = ExitReason::NmiWindow};
    if (PrimaryControls::InterruptWindowExiting::test(controls) && may_take_interrupt(cpu))
        return Exit{.reason = ExitReason::InterruptWindow};
    return std::nullopt;
}

std::optional<Exit> init_exit(const CpuState& cpu) {
    if (cpu.activity == ActivityState::WaitForSipi) return std::nullopt;
    return Exit{.reason = ExitReason::InitSignal};
}

std::optional<Exit> startup_exit(const CpuState& cpu, u8 vector) {
    if (cpu.activity != ActivityState::WaitForSipi) return std::nullopt;
    return Exit{.reason = ExitReason::StartupIpi, .qualification = vector};
}

Exit ept_exit(const MemoryFault& fault) {
    Exit exit;
    exit.reason = fault.fault.kind == WalkFaultKind::EptViolation ? ExitReason::EptViolation : ExitReason::EptMisconfiguration;
    exit.qualification = fault.fault.code;
    exit.guest_physical = fault.fault.gpa;
    if (fault.fault.kind == WalkFaultKind::EptViolation && EptViolationQualification::LinearValid::test(fault.fault.code))
        exit.guest_linear = fault.address.value();
    return exit;
}

Exit task_switch_exit(u16 selector, TaskSwitchSource source, u8 instruction_length) {
    return {.reason = ExitReason::TaskSwitch,
            .qualification = TaskSwitchQualification::Selector::of(selector) | TaskSwitchQualification::Source::of(index(source)),
            .instruction_length = instruction_length};
}

}  // namespace ax::sim::x86
