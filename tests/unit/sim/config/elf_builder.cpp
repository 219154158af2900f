#include "tests/unit/sim/config/elf_builder.hpp"

namespace ax::test {

namespace {

void put(std::string& to, u64 value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) to.push_back(i < 8 ? static_cast<char>(value >> (8 * i)) : char{0});
}

void put_section(std::string& to, u32 type, u64 offset, u64 size, u32 link) {
    put(to, 0, 4);
    put(to, type, 4);
    put(to, 0, 16);
    put(to, offset, 8);
    put(to, size, 8);
    put(to, link, 4);
    put(to, 0, 4 + 8 + 8);
}

}  // namespace

std::string build_elf(const ElfSpec& spec) {
    std::string bodies;
    std::string headers;
    const u64 body_start = 64 + 56 * spec.segments.size();
    for (const ElfSegmentSpec& segment : spec.segments) {
        put(headers, 1, 4);
        put(headers, 7, 4);
        put(headers, body_start + bodies.size(), 8);
        put(headers, segment.virtual_address, 8);
        put(headers, segment.physical_address, 8);
        put(headers, segment.bytes.size(), 8);
        put(headers, segment.memory_size, 8);
        put(headers, 0x1000, 8);
        bodies += segment.bytes;
    }
    std::string names(1, '\0');
    std::string table(24, '\0');
    for (const ElfSymbolSpec& symbol : spec.symbols) {
        put(table, names.size(), 4);
        put(table, symbol.type, 1);
        put(table, 0, 1);
        put(table, 1, 2);
        put(table, symbol.address, 8);
        put(table, symbol.size, 8);
        names += symbol.name + '\0';
    }
    const u64 table_start = body_start + bodies.size();
    const u64 sections_start = table_start + table.size() + names.size();
    const bool has_symbols = !spec.symbols.empty();

    std::string elf(
        "\x7f"
        "ELF\x02\x01\x01",
        7);
    elf.append(9, '\0');
    put(elf, 2, 2);
    put(elf, spec.machine, 2);
    put(elf, 1, 4);
    put(elf, spec.entry, 8);
    put(elf, 64, 8);
    put(elf, has_symbols ? sections_start : 0, 8);
    put(elf, 0, 4);
    put(elf, 64, 2);
    put(elf, 56, 2);
    put(elf, spec.segments.size(), 2);
    put(elf, 64, 2);
    put(elf, has_symbols ? 3 : 0, 2);
    put(elf, 0, 2);
    elf += headers + bodies;
    if (!has_symbols) return elf;
    elf += table + names;
    put_section(elf, 0, 0, 0, 0);
    put_section(elf, 2, table_start, table.size(), 2);
    put_section(elf, 3, table_start + table.size(), names.size(), 0);
    return elf;
}

std::vector<std::byte> to_bytes(std::string_view text) {
    std::vector<std::byte> bytes;
    for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
    return bytes;
}

}  // namespace ax::test
