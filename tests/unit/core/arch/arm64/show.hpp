// Exits, completions and effects as one line of text, which tests compare and print.
#pragma once

#include <sstream>
#include <string>

#include "core/arch/arm64/trap.hpp"

namespace ax::arm64::testing {

[[nodiscard]] inline std::string hex(u64 value) {
    std::ostringstream out;
    out << "0x" << std::hex << value;
    return out.str();
}

[[nodiscard]] inline std::string show_fields(const VmExit& exit) {
    static constexpr std::array accesses = {" read", " write", " execute"};
    static constexpr std::array power_ops = {" on", " off", " status", " suspend", " system-off", " system-reset"};
    return std::visit(Overloaded{
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
                          [](const SendIpi& e) {
                              const std::string who =
                                  e.all_but_self ? "others" : "base " + hex(e.targets.base) + " mask " + hex(e.targets.mask);
                              return " " + std::to_string(e.number) + " to " + who + (e.is_group1 ? " group 1" : " group 0");
                          },
                          [](const Handled& e) { return " " + hex(e.code) + " told " + hex(e.value); },
                          [](const UndefinedInstruction& e) { return " " + hex(e.bits); },
                          [](const Unhandled& e) { return " " + hex(e.cause) + " " + hex(e.detail); },
                          [](const auto&) { return std::string(); },
                      },
                      exit);
}

/// The exit's name as in statistics and its fields: "mmio-read 0x9000400 size 1".
[[nodiscard]] inline std::string show(const VmExit& exit) { return vm_exit_names.at(exit.index()) + show_fields(exit); }

/// "x3.0:4@0x9000400": four bytes from byte 0 of x3.
[[nodiscard]] inline std::string show(const Part& p) {
    return (p.is_vector ? "v" : "x") + std::to_string(p.reg) + "." + std::to_string(p.offset) + ":" + std::to_string(p.size) +
           "@" + hex(p.gpa.value());
}

[[nodiscard]] inline std::string show_kind(const Completion& c) {
    std::string text;
    switch (c.kind) {
        case CompletionKind::None: return "none";
        case CompletionKind::Abort: return "abort";
        case CompletionKind::Skip: return "skip";
        case CompletionKind::Hypercall: return "hypercall";
        case CompletionKind::Register: return "register x" + std::to_string(c.rt);
        case CompletionKind::Call:
            if (c.is_answered) return "call = " + std::to_string(static_cast<i64>(c.value));
            return c.gives_power_state ? "call for power state" : "call";
        case CompletionKind::Memory: break;
    }
    text = c.is_load ? "load" : "store";
    for (const Part& part : c.parts) text += " " + show(part);
    if (c.is_signed) text += c.is_64 ? " signed 64" : " signed 32";
    if (c.base) text += (*c.base == 31 ? " sp" : " x" + std::to_string(*c.base)) + "=" + hex(c.base_value);
    return text;
}

/// What is done with the answer, and what the guest gets without one.
[[nodiscard]] inline std::string show(const Completion& c) {
    std::string text = show_kind(c);
    if (c.kind != CompletionKind::None && c.kind != CompletionKind::Abort) text += " +" + std::to_string(c.length);
    if (c.far != Gva{} || c.is_fetch || !c.has_far)
        text += std::string(c.is_fetch   ? " fetch"
                            : c.is_write ? " write"
                                         : " read") +
                " fault " + hex(c.fault_status) + " at " + (c.has_far ? hex(c.far.value()) : "nowhere");
    return text;
}

[[nodiscard]] inline std::string show(const Decoded& d) {
    std::string text = show(d.exit) + "; " + show(d.completion);
    if (d.sysreg) {
        const SysReg r = d.sysreg->reg;
        text += std::string("; serve ") + (d.sysreg->is_read ? "mrs s" : "msr s") + std::to_string(r.op0) + "_" +
                std::to_string(r.op1) + "_c" + std::to_string(r.crn) + "_c" + std::to_string(r.crm) + "_" +
                std::to_string(r.op2) + " x" + std::to_string(d.sysreg->rt);
    }
    return text;
}

/// "x3=0x1 v2=0x0'0x1 +4" or "exception 0x92000010 far 0xffff"; "nothing" without effect, "more" before the last part.
[[nodiscard]] inline std::string show(const std::optional<Effects>& effects) {
    if (!effects) return "more";
    std::string text;
    const auto add = [&](const std::string& part) { text += (text.empty() ? "" : " ") + part; };
    for (const GprWrite& w : effects->gprs) add((w.rd == 31 ? "sp" : "x" + std::to_string(w.rd)) + "=" + hex(w.value));
    for (const VectorWrite& w : effects->vectors) add("v" + std::to_string(w.rd) + "=" + hex(w.value[1]) + "'" + hex(w.value[0]));
    if (effects->advance != 0) add("+" + std::to_string(effects->advance));
    if (effects->exception) {
        add("exception " + hex(effects->exception->esr));
        if (effects->exception->far) add("far " + hex(effects->exception->far->value()));
    }
    return text.empty() ? "nothing" : text;
}

}  // namespace ax::arm64::testing
