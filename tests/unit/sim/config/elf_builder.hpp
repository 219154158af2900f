// Makes ELF files byte by byte, for tests of who reads them.
#pragma once

#include <string>
#include <vector>

#include "core/base/types.hpp"

namespace ax::test {

struct ElfSegmentSpec {
    u64 virtual_address = 0;
    u64 physical_address = 0;
    std::string bytes;
    u64 memory_size = 0;
};

struct ElfSymbolSpec {
    std::string name;
    u64 address = 0;
    u64 size = 0;
    u8 type = 2;
};

struct ElfNoteSpec {
    std::string name;
    u32 type = 0;
    std::string contents;
};

struct ElfSpec {
    u16 machine = 243;
    bool is_64 = true;
    u64 entry = 0;
    std::vector<ElfSegmentSpec> segments;
    std::vector<ElfSymbolSpec> symbols;  ///< of 64-bit files alone
    std::vector<ElfNoteSpec> notes;      ///< in one PT_NOTE segment
};

/// Header, program headers, segment bytes, notes; then, with symbols, `.symtab`, `.strtab` and three section
/// headers.
[[nodiscard]] std::string build_elf(const ElfSpec& spec);

/// The bytes of a text.
[[nodiscard]] std::vector<std::byte> to_bytes(std::string_view text);

}  // namespace ax::test
