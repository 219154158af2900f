// What an instruction of the table computes: results and flags. Source: Intel SDM vol. 2, the instruction's page
// ("Operation" and "Flags Affected"), and vol. 1, "EFLAGS Register".
#pragma once

#include "core/arch/x86/insn.hpp"

namespace ax::x86 {

/// Operands of one execution, each in its low bytes; what lies above is ignored.
struct Operands {
    u64 memory = 0;
    u64 other = 0;        ///< the register, or the immediate
    u64 accumulator = 0;  ///< CMPXCHG
    u64 rflags = 0;
};

/// What is written back. Flags that the manual leaves undefined: AF of logic operations is 0, of BT nothing but CF changes.
struct Outcome {
    std::optional<u64> memory{};       ///< in the low bytes, the rest zero
    std::optional<u64> reg{};          ///< as wide as the register operand
    std::optional<u64> accumulator{};  ///< CMPXCHG that did not match
    u64 rflags = 0;

    void fields(FieldVisitor& v) {
        field(v, "memory", memory);
        field(v, "reg", reg);
        field(v, "accumulator", accumulator);
        field(v, "rflags", rflags);
    }
};

/// Executes `insn` on values. BT and its kin take the bit of the operand that `other` names modulo its width; which
/// operand that is, is a matter of the address.
[[nodiscard]] Outcome execute(const Insn& insn, const Operands& operands);

}  // namespace ax::x86
