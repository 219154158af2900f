// RISC-V instructions that make exits, as assembler text; for a Capstone without RISC-V (before 5).
#pragma once

#include <span>
#include <string>

#include "core/base/types.hpp"

namespace ax::sim {

/// Loads, stores, atomics, CSR accesses, fences and calls in the assembler's words, compressed loads
/// and stores too; any other instruction as `.2byte 0x…` or `.4byte 0x…`. Empty without enough bytes.
[[nodiscard]] std::string disassemble_riscv(std::span<const std::byte> code);

}  // namespace ax::sim
