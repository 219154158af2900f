// Guest instructions as assembler text: by Capstone, or by riscv_disassembly.hpp where it has no RISC-V.
#pragma once

#include <span>
#include <string>

#include "core/base/types.hpp"

namespace ax::sim {

enum class Isa : u8 { Riscv64, Arm64, X86_64 };

/// The first instruction of `code`, which is at `pc`; empty when the bytes are none that are known.
[[nodiscard]] std::string disassemble(Isa isa, std::span<const std::byte> code, u64 pc);

}  // namespace ax::sim
