// One x86 instruction with its operands, as the model needs them for exits; Capstone decodes. The core has a decoder of
// its own: what the simulator encodes and the core decodes shares no code.
#pragma once

#include <capstone/capstone.h>

#include <array>
#include <optional>
#include <span>

#include "sim/trap/x86/cpu_state.hpp"

namespace ax::sim {

struct X86Operand {
    enum class Kind : u8 { None, Gpr, Segment, Control, Debug, Immediate, Memory };
    Kind kind = Kind::None;
    u8 size = 0;
    u8 number = 0;  ///< Gpr, Control, Debug
    u64 value = 0;  ///< Immediate; Memory: the linear address
    ax::x86::SegmentReg segment = ax::x86::SegmentReg::DS;  ///< Memory
};

struct X86Insn {
    unsigned id = 0;  ///< Capstone's
    u8 length = 0;
    u8 address_size = 0;  ///< bytes
    bool is_repeated = false;
    std::array<X86Operand, 4> operands{};
};

class X86InsnReader {
public:
    X86InsnReader();
    ~X86InsnReader();
    X86InsnReader(const X86InsnReader&) = delete;
    X86InsnReader& operator=(const X86InsnReader&) = delete;

    /// The instruction at the start of `code`, with addresses computed from `cpu`, whose RIP is at it. None for bytes that
    /// are none, or not all there.
    [[nodiscard]] std::optional<X86Insn> read(std::span<const u8> code, const x86::CpuState& cpu);

private:
    std::array<csh, 3> handles_{};
    cs_insn* insn_ = nullptr;
};

}  // namespace ax::sim
