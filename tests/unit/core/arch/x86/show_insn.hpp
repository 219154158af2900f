// A decoded instruction as text in Intel syntax, as GNU objdump prints it.
#pragma once

#include <array>
#include <sstream>
#include <string>

#include "core/arch/x86/insn.hpp"

namespace ax::x86::testing {

[[nodiscard]] inline std::string hex(u64 value) {
    std::ostringstream out;
    out << "0x" << std::hex << value;
    return out.str();
}

[[nodiscard]] inline std::string show(Gpr reg, unsigned size) {
    static constexpr std::array<const char*, 8> names = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
    const unsigned n = index(reg);
    if (n >= names.size()) return "r" + std::to_string(n) + (size == 8 ? "" : size == 4 ? "d" : size == 2 ? "w" : "b");
    const std::string name = names.at(n);
    if (size == 1) return n < 4 ? name.substr(0, 1) + "l" : name + "l";
    return (size == 8 ? "r" : size == 4 ? "e" : "") + name;
}

[[nodiscard]] inline std::string show(const RegisterOperand& r, unsigned size) {
    return r.is_high_byte ? show(r.reg, 2).substr(0, 1) + "h" : show(r.reg, size);
}

/// "[rbx+rcx*4+0x10]", "fs:[rip-0x8]", "ds:0x1234".
[[nodiscard]] inline std::string show(const MemoryOperand& m, unsigned address_size) {
    static constexpr std::array segments = {"es:", "cs:", "ss:", "ds:", "fs:", "gs:"};
    const bool is_stack = m.base == Gpr::RSP || m.base == Gpr::RBP;
    const bool is_default = m.segment == (is_stack ? SegmentReg::SS : SegmentReg::DS);
    const std::string segment = segments.at(index(m.segment));
    if (!m.base && !m.index && !m.is_rip_relative) return segment + hex(zero_extend(m.displacement, address_size));
    std::string text;
    if (m.is_rip_relative) text = address_size == 8 ? "rip" : "eip";
    if (m.base) text = show(*m.base, address_size);
    if (m.index) {
        text += (text.empty() ? "" : "+") + show(*m.index, address_size);
        if (address_size != 2) text += "*" + std::to_string(1 << m.scale);
    }
    const bool is_negative = static_cast<i64>(m.displacement) < 0;
    if (m.displacement != 0) text += (is_negative ? "-" : "+") + hex(is_negative ? u64{0} - m.displacement : m.displacement);
    return (is_default ? "" : segment) + "[" + text + "]";
}

[[nodiscard]] inline std::string sized(unsigned size) {
    return size == 1 ? "BYTE PTR " : size == 2 ? "WORD PTR " : size == 4 ? "DWORD PTR " : "QWORD PTR ";
}

[[nodiscard]] inline std::string show_operands(const Insn& insn) {
    const std::string memory = sized(insn.size) + show(insn.memory, insn.address_size);
    // The segment of a string operand is always written out.
    const std::string di = sized(insn.size) + "es:[" + show(Gpr::RDI, insn.address_size) + "]";
    static constexpr std::array segments = {"es:", "cs:", "ss:", "ds:", "fs:", "gs:"};
    const std::string si =
        sized(insn.size) + segments.at(index(insn.memory.segment)) + "[" + show(Gpr::RSI, insn.address_size) + "]";
    if (insn.operation == Operation::Movs) return di + "," + si;
    if (insn.operation == Operation::Stos) return di + "," + show(*insn.reg, insn.size);
    if (insn.operation == Operation::Lods) return show(*insn.reg, insn.size) + "," + si;
    if (insn.is_load) return show(*insn.reg, insn.register_size) + "," + memory;
    if (insn.reg) return memory + "," + show(*insn.reg, insn.register_size);
    const bool is_bit_number = insn.operation >= Operation::Bt;
    if (insn.immediate) return memory + "," + hex(zero_extend(*insn.immediate, is_bit_number ? 1 : insn.size));
    return memory;
}

/// "lock and DWORD PTR [rcx],edx".
[[nodiscard]] inline std::string show(const Insn& insn) {
    static constexpr std::array names = {"add",   "or",    "adc",  "sbb",  "and",  "sub",  "xor",  "cmp",     "mov",
                                         "movzx", "movsx", "movs", "stos", "lods", "test", "xchg", "cmpxchg", "xadd",
                                         "inc",   "dec",   "not",  "neg",  "bt",   "bts",  "btr",  "btc"};
    return std::string(insn.is_locked ? "lock " : "") + (insn.is_repeated ? "rep " : "") + names.at(index(insn.operation)) + " " +
           show_operands(insn);
}

}  // namespace ax::x86::testing
