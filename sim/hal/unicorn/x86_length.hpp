// How long an x86 instruction is, and whether Unicorn may execute it: as much decoding as counting instructions takes. Every
// block of code passes here, so it is tables and no library; the tests compare it with Capstone.
#pragma once

#include <span>

#include "core/base/types.hpp"

namespace ax::sim {

/// The size of code: the D and L bits of CS.
enum class X86Mode : u8 { Code16, Code32, Code64 };

enum class X86Class : u8 {
    Plain,
    Site,  ///< the model executes it: port accesses, of which Unicorn checks nothing, and what the guest's processor lacks
           ///< while Unicorn has it (XGETBV, XSETBV, RDRAND, RDSEED, everything with a VEX or EVEX prefix)
    Far,   ///< what follows may be of another mode: far transfers, IRET, SYSRET, SYSEXIT
};

struct X86Length {
    u8 bytes = 0;
    X86Class kind = X86Class::Plain;
};

/// Most bytes that an instruction may have: SDM vol. 2, "Instruction Format".
inline constexpr std::size_t x86_max_length = 15;

/// The instruction at the start of `code`; 0 bytes when it does not end within `code` or 15 bytes. Undefined opcodes have some
/// length. SDM vol. 2, "Instruction Format" and appendix A, "Opcode Map". Where processors differ (0x66 before a near branch
/// in 64-bit mode) it is as Unicorn decodes.
[[nodiscard]] X86Length x86_length(std::span<const u8> code, X86Mode mode);

}  // namespace ax::sim
