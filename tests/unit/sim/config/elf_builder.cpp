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

void put_program_header(std::string& to, bool is_64, u32 type, u64 offset, const ElfSegmentSpec& segment) {
    const unsigned word = is_64 ? 8 : 4;
    put(to, type, 4);
    if (is_64) put(to, 7, 4);
    put(to, offset, word);
    put(to, segment.virtual_address, word);
    put(to, segment.physical_address, word);
    put(to, segment.bytes.size(), word);
    put(to, segment.memory_size, word);
    if (!is_64) put(to, 7, 4);
    put(to, 0x1000, word);
}

std::string notes_of(const ElfSpec& spec) {
    std::string bytes;
    const auto align = [&] { bytes.resize((bytes.size() + 3) / 4 * 4); };
    for (const ElfNoteSpec& note : spec.notes) {
        put(bytes, note.name.size() + 1, 4);
        put(bytes, note.contents.size(), 4);
        put(bytes, note.type, 4);
        bytes += note.name + '\0';
        align();
        bytes += note.contents;
        align();
    }
    return bytes;
}

}  // namespace

std::string build_elf(const ElfSpec& spec) {
    std::string bodies;
    std::string headers;
    const bool is_64 = spec.is_64;
    const unsigned word = is_64 ? 8 : 4;
    const u64 header_bytes = is_64 ? 64 : 52, program_header_bytes = is_64 ? 56 : 32;
    const u64 count = spec.segments.size() + (spec.notes.empty() ? 0 : 1);
    const u64 body_start = header_bytes + program_header_bytes * count;
    for (const ElfSegmentSpec& segment : spec.segments) {
        put_program_header(headers, is_64, 1, body_start + bodies.size(), segment);
        bodies += segment.bytes;
    }
    if (!spec.notes.empty()) {
        const std::string notes = notes_of(spec);
        put_program_header(headers, is_64, 4, body_start + bodies.size(), {0, 0, notes, notes.size()});
        bodies += notes;
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
    if (!is_64) elf[4] = 1;
    elf.append(9, '\0');
    put(elf, 2, 2);
    put(elf, spec.machine, 2);
    put(elf, 1, 4);
    put(elf, spec.entry, word);
    put(elf, header_bytes, word);
    put(elf, has_symbols ? sections_start : 0, word);
    put(elf, 0, 4);
    put(elf, header_bytes, 2);
    put(elf, program_header_bytes, 2);
    put(elf, count, 2);
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
