// Exits, completions and effects as one line of text, which tests compare and print.
#pragma once

#include <sstream>
#include <string>

#include "core/arch/riscv/trap.hpp"

namespace ax::riscv::testing {

[[nodiscard]] inline std::string hex(u64 value) {
    std::ostringstream out;
    out << "0x" << std::hex << value;
    return out.str();
}

[[nodiscard]] inline std::string show(const CpuSet& set) {
    return set.all ? std::string("all") : "base " + std::to_string(set.base) + " mask " + hex(set.mask);
}

[[nodiscard]] inline std::string show_fields(const VmExit& exit) {
    static constexpr std::array accesses = {" read", " write", " execute"};
    static constexpr std::array power_ops = {" on", " off", " status", " suspend", " system-off", " system-reset"};
    static constexpr std::array console_ops = {" put", " get", " write", " read"};
    static constexpr std::array interrupts = {" timer", " external", " software"};
    return std::visit(
        Overloaded{
            [](const BudgetEnd&) { return std::string(); },
            [](const MmioRead& e) { return " " + hex(e.gpa.value()) + " size " + std::to_string(e.size); },
            [](const MmioWrite& e) {
                return " " + hex(e.gpa.value()) + " size " + std::to_string(e.size) + " value " + hex(e.value);
            },
            [](const Stage2Fault& e) {
                return " " + hex(e.gpa.value()) + accesses.at(index(e.access)) + (e.by_walk ? " by walk" : "");
            },
            [](const Hypercall& e) {
                std::string text = " " + std::to_string(e.number);
                for (const u64 arg : e.args) text += " " + hex(arg);
                return text;
            },
            [](const PowerCall& e) {
                return power_ops.at(index(e.op)) + (" target " + hex(e.target)) + " entry " + hex(e.entry.value()) +
                       " argument " + hex(e.argument) + (e.loses_state ? " loses state" : "");
            },
            [](const SetTimer& e) { return " " + hex(e.deadline_ticks); },
            [](const SendIpi& e) { return " " + show(e.targets); },
            [](const RemoteFence& e) { return " " + show(e.targets) + (e.instruction ? " instruction" : " translation"); },
            [](const ConsoleCall& e) {
                return console_ops.at(index(e.op)) + (" value " + hex(e.value)) + " buffer " + hex(e.buffer.value()) +
                       " length " + hex(e.length);
            },
            [](const WaitForInterrupt&) { return std::string(); },
            [](const SpinHint&) { return std::string(); },
            [](const Handled& e) { return " " + hex(e.code) + " told " + hex(e.value); },
            [](const UndefinedInstruction& e) { return " " + hex(e.bits); },
            [](const HostInterrupt& e) { return std::string(interrupts.at(index(e.kind))); },
            [](const Unhandled& e) { return " " + hex(e.cause) + " " + hex(e.detail); },
            [](const EntryFailure& e) { return " " + hex(e.reason); },
            [](const PortRead&) { return std::string(); },
            [](const PortWrite&) { return std::string(); },
            [](const CpuShutdown&) { return std::string(); },
        },
        exit);
}

/// The exit's name as in statistics and its fields: "mmio-read 0x10000005 size 1".
[[nodiscard]] inline std::string show(const VmExit& exit) { return vm_exit_names.at(exit.index()) + show_fields(exit); }

/// "load x10 signed 1 +4 fault 5 0xffff"; fields that mean nothing for the kind are left out.
[[nodiscard]] inline std::string show(const Completion& c) {
    static constexpr std::array kinds = {"none", "load", "store", "sbi", "legacy", "vendor", "skip"};
    std::string text = kinds.at(index(c.kind));
    if (c.kind == CompletionKind::Load)
        text += " x" + std::to_string(c.rd) + (c.is_signed ? " signed " : " unsigned ") + std::to_string(c.size);
    text += " +" + std::to_string(c.length);
    if (c.fault_value != 0 || c.fault != Cause::LoadAccess)
        text += " fault " + std::to_string(index(c.fault)) + " " + hex(c.fault_value);
    if (c.bits != 0) text += " bits " + hex(c.bits);
    if (c.call_error != 0 || c.call_value != 0) text += " answer " + std::to_string(c.call_error) + " " + hex(c.call_value);
    return text;
}

[[nodiscard]] inline std::string show(const Decoded& d) { return show(d.exit) + "; " + show(d.completion); }

/// "x10=0x1 x11=0x2 +4" or "exception 5 0xffff"; "nothing" without effect.
[[nodiscard]] inline std::string show(const Effects& e) {
    std::string text;
    const auto add = [&](const std::string& part) { text += (text.empty() ? "" : " ") + part; };
    if (e.first) add("x" + std::to_string(e.first->rd) + "=" + hex(e.first->value));
    if (e.second) add("x" + std::to_string(e.second->rd) + "=" + hex(e.second->value));
    if (e.advance != 0) add("+" + std::to_string(e.advance));
    if (e.exception) add("exception " + std::to_string(index(e.exception->cause)) + " " + hex(e.exception->tval));
    return text.empty() ? "nothing" : text;
}

}  // namespace ax::riscv::testing
