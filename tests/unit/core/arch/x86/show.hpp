// Questions, completions and pending events as one line of text, which tests compare and print.
#pragma once

#include "core/arch/x86/decode.hpp"
#include "tests/unit/core/arch/x86/show_insn.hpp"

namespace ax::x86::testing {

[[nodiscard]] inline std::string show_fields(const VmExit& exit) {
    static constexpr std::array accesses = {" read", " write", " execute"};
    static constexpr std::array interrupts = {" timer", " external", " software", " guest-timer", " maintenance"};
    return std::visit(Overloaded{
                          [](const MmioRead& e) { return " " + hex(e.gpa.value()) + " size " + std::to_string(e.size); },
                          [](const MmioWrite& e) {
                              return " " + hex(e.gpa.value()) + " size " + std::to_string(e.size) + " value " + hex(e.value);
                          },
                          [](const PortRead& e) { return " " + hex(e.port) + " size " + std::to_string(e.size); },
                          [](const PortWrite& e) {
                              return " " + hex(e.port) + " size " + std::to_string(e.size) + " value " + hex(e.value);
                          },
                          [](const Stage2Fault& e) {
                              return " " + hex(e.gpa.value()) + accesses.at(index(e.access)) + (e.by_walk ? " by walk" : "");
                          },
                          [](const Hypercall& e) {
                              std::string text = " " + hex(e.number);
                              for (const u64 arg : e.args) text += " " + hex(arg);
                              return text;
                          },
                          [](const HostInterrupt& e) { return std::string(interrupts.at(index(e.kind))); },
                          [](const Handled& e) { return " " + std::to_string(e.code) + " " + hex(e.value); },
                          [](const Unhandled& e) { return " " + hex(e.cause) + " " + hex(e.detail); },
                          [](const EntryFailure& e) { return " " + hex(e.reason); },
                          [](const auto&) { return std::string(); },
                      },
                      exit);
}

[[nodiscard]] inline std::string show(const Request& request) {
    return std::visit(Overloaded{
                          [](const CpuidRead& r) { return "cpuid " + hex(r.leaf) + " " + hex(r.subleaf); },
                          [](const MsrRead& r) { return "rdmsr " + hex(r.index); },
                          [](const MsrWrite& r) { return "wrmsr " + hex(r.index) + " value " + hex(r.value); },
                          [](const TimeStampRead&) { return std::string("rdtsc"); },
                          [](const TaskPriorityRead&) { return std::string("read cr8"); },
                          [](const TaskPriorityWrite& r) { return "cr8 = " + std::to_string(r.value); },
                          [](const WindowOpened& r) { return std::string(r.is_nmi ? "nmi window" : "interrupt window"); },
                          [](const TripleFault&) { return std::string("triple fault"); },
                          [](const StartupIpi& r) { return "sipi " + hex(r.vector); },
                      },
                      request);
}

/// "mmio-read 0xfee00020 size 4", "port-read 0x3fd size 1".
[[nodiscard]] inline std::string show(const Question& q) {
    if (q.request) return show(*q.request);
    return vm_exit_names.at(q.exit.index()) + show_fields(q.exit);
}
[[nodiscard]] inline std::string show(const std::optional<Question>& q) { return q ? show(*q) : "done"; }

/// "#14 code 0x2", "nmi", "interrupt 0x30"; empty without an event for the next entry.
[[nodiscard]] inline std::string show_event(const Vmcs& v) {
    const u64 word = v.VM_ENTRY_INTERRUPTION_INFO;
    if (!EventWord::Valid::test(word)) return "";
    const u64 vector = EventWord::VectorNumber::get(word);
    const std::string length =
        v.VM_ENTRY_INSTRUCTION_LENGTH != 0 ? " length " + std::to_string(v.VM_ENTRY_INSTRUCTION_LENGTH) : "";
    switch (static_cast<EventType>(EventWord::Type::get(word))) {
        case EventType::ExternalInterrupt: return "interrupt " + hex(vector);
        case EventType::Nmi: return "nmi";
        case EventType::HardwareException: break;
        case EventType::SoftwareInterrupt: return "int " + hex(vector) + length;
        case EventType::PrivilegedSoftwareException: return "icebp" + length;
        case EventType::SoftwareException: return "software #" + std::to_string(vector) + length;
        case EventType::Other: return "other";
    }
    return "#" + std::to_string(vector) +
           (EventWord::DeliverErrorCode::test(word) ? " code " + hex(v.VM_ENTRY_EXCEPTION_ERROR_CODE) : "");
}

[[nodiscard]] inline std::string show(const Completion& c) {
    switch (c.kind) {
        case CompletionKind::None: return "none";
        case CompletionKind::Skip: return "skip " + std::to_string(c.length);
        case CompletionKind::Transfer: return "transfer " + std::to_string(c.length);
        case CompletionKind::Cpuid: return "cpuid " + std::to_string(c.length);
        case CompletionKind::Msr: return c.is_read ? "msr read" : "msr write";
        case CompletionKind::TimeStamp: return c.has_aux ? "time and aux" : "time";
        case CompletionKind::TaskPriority: return c.is_read ? "priority to " + show(c.reg, 8) : "priority";
        case CompletionKind::Hypercall: return "hypercall";
        case CompletionKind::Shutdown: return "shutdown";
        case CompletionKind::Fault: break;
    }
    return "fault #" + std::to_string(index(c.fault.vector)) + (c.fault.error_code ? " code " + hex(*c.fault.error_code) : "");
}

/// What is asked, what is done with the answer, and what the guest gets at the next entry.
[[nodiscard]] inline std::string show(const Decoded& d, const Vmcs& vmcs) {
    const std::string event = show_event(vmcs);
    return show(d.question) + "; " + show(d.completion) + (event.empty() ? "" : "; " + event);
}

}  // namespace ax::x86::testing
