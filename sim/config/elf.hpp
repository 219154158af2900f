// The parts of an ELF file that loading and symbolising need; every offset in it is distrusted.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/types.hpp"

namespace ax::sim {

/// e_machine values (System V ABI, processor supplements).
enum class ElfMachine : u16 { I386 = 3, X86_64 = 62, Aarch64 = 183, Riscv = 243 };

/// A program header of type PT_LOAD; `bytes` lie in the file.
struct ElfSegment {
    u64 virtual_address = 0;
    u64 physical_address = 0;
    u64 memory_size = 0;  ///< what lies beyond the bytes is zero
    std::span<const std::byte> bytes;
};

struct ElfSymbol {
    u64 address = 0;
    u64 size = 0;
    std::string_view name;  ///< lies in the file
};

struct ElfFile {
    u16 machine = 0;
    bool is_64 = true;  ///< else of 32 bits
    u64 entry = 0;  ///< virtual
    std::vector<ElfSegment> segments;
};

/// True when the bytes begin as an ELF file does.
[[nodiscard]] bool is_elf(std::span<const std::byte> file);
[[nodiscard]] bool is_elf_of_32_bits(std::span<const std::byte> file);

/// An executable or shared object, little-endian. The error says what is damaged. What is
/// returned refers to `file`.
[[nodiscard]] std::expected<ElfFile, std::string> parse_elf(std::span<const std::byte> file);

/// The contents of the first note of this name and type in a segment of notes ("Note Section"); none when there is none, or the
/// file is damaged.
[[nodiscard]] std::optional<std::span<const std::byte>> elf_note(std::span<const std::byte> file, std::string_view name, u32 type);

/// Functions and other named places of `.symtab`, or of `.dynsym` in a stripped file, in file order;
/// empty when it has none, is damaged, or is not of 64 bits.
[[nodiscard]] std::vector<ElfSymbol> elf_symbols(std::span<const std::byte> file);

}  // namespace ax::sim
