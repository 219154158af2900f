#include "sim/config/elf.hpp"

#include "sim/config/byte_view.hpp"

namespace ax::sim {

namespace {

// System V ABI, ELF-64 Object File Format: file offsets of the fields used here.
constexpr u64 ident_class = 4;
constexpr u64 ident_data = 5;
constexpr u64 ehdr_type = 16;
constexpr u64 ehdr_machine = 18;
constexpr u64 ehdr_entry = 24;
constexpr u64 ehdr_phoff = 32;
constexpr u64 ehdr_shoff = 40;
constexpr u64 ehdr_phentsize = 54;
constexpr u64 ehdr_phnum = 56;
constexpr u64 ehdr_shentsize = 58;
constexpr u64 ehdr_shnum = 60;
constexpr u64 ehdr_size = 64;
constexpr u64 phdr_size = 56;
constexpr u64 shdr_size = 64;
constexpr u64 sym_size = 24;

constexpr u8 class_64 = 2;
constexpr u8 data_little = 1;
constexpr u16 type_exec = 2;
constexpr u16 type_dyn = 3;
constexpr u32 pt_load = 1;
constexpr u32 sht_symtab = 2;
constexpr u32 sht_dynsym = 11;
constexpr u8 stt_func = 2;

struct Section {
    u32 type = 0;
    u64 offset = 0;
    u64 size = 0;
    u32 link = 0;
};

std::expected<ElfSegment, std::string> parse_segment(const ByteView& view, u64 header, std::size_t i) {
    const auto offset = view.number<u64>(header + 8);
    const auto file_size = view.number<u64>(header + 32);
    ElfSegment segment;
    segment.virtual_address = view.number<u64>(header + 16).value_or(0);
    segment.physical_address = view.number<u64>(header + 24).value_or(0);
    segment.memory_size = view.number<u64>(header + 40).value_or(0);
    const std::string name = "program header " + std::to_string(i);
    const auto bytes = view.slice(offset.value_or(0), file_size.value_or(0));
    if (!bytes) return std::unexpected(name + " names bytes beyond the end of the file");
    segment.bytes = *bytes;
    if (segment.memory_size < bytes->size()) return std::unexpected(name + " is larger in the file than in memory");
    if (segment.physical_address + segment.memory_size < segment.physical_address ||
        segment.virtual_address + segment.memory_size < segment.virtual_address)
        return std::unexpected(name + " runs past the end of the 64-bit address space");
    return segment;
}

std::optional<Section> section_at(const ByteView& view, u64 index) {
    const u64 table = view.number<u64>(ehdr_shoff).value_or(0);
    const u64 count = view.number<u16>(ehdr_shnum).value_or(0);
    if (table == 0 || table > view.size() || index >= count) return std::nullopt;
    const auto header = view.slice(table + index * shdr_size, shdr_size);
    if (!header) return std::nullopt;
    const ByteView fields(*header);
    return Section{*fields.number<u32>(4), *fields.number<u64>(24), *fields.number<u64>(32), *fields.number<u32>(40)};
}

bool is_place(const ElfSymbol& symbol, u8 type) {
    // Mapping symbols ($x, $d) and local labels (.L) say nothing to a reader.
    return type <= stt_func && !symbol.name.empty() && symbol.name.front() != '$' && !symbol.name.starts_with(".L");
}

std::vector<ElfSymbol> symbols_of(const ByteView& view, u32 section_type) {
    std::vector<ElfSymbol> symbols;
    const u64 count = view.number<u16>(ehdr_shnum).value_or(0);
    for (u64 i = 0; i < count; ++i) {
        const auto section = section_at(view, i);
        if (!section || section->type != section_type) continue;
        const auto table = view.slice(section->offset, section->size);
        const auto names = section_at(view, section->link);
        const auto name_bytes = names ? view.slice(names->offset, names->size) : std::nullopt;
        if (!table || !name_bytes) continue;
        const ByteView entries(*table);
        const ByteView strings(*name_bytes);
        for (u64 at = 0; at + sym_size <= table->size(); at += sym_size) {
            const u8 symbol_type = *entries.number<u8>(at + 4) & 0xf;
            const bool is_defined = *entries.number<u16>(at + 6) != 0;
            const ElfSymbol symbol{*entries.number<u64>(at + 8), *entries.number<u64>(at + 16),
                                   strings.text(*entries.number<u32>(at)).value_or(std::string_view{})};
            if (is_defined && is_place(symbol, symbol_type)) symbols.push_back(symbol);
        }
        break;
    }
    return symbols;
}

}  // namespace

bool is_elf(std::span<const std::byte> file) { return ByteView(file).number<u32>(0) == 0x464c'457fu; }

std::expected<ElfFile, std::string> parse_elf(std::span<const std::byte> file) {
    const ByteView view(file);
    if (!is_elf(file)) return std::unexpected("it is no ELF file");
    if (file.size() < ehdr_size) return std::unexpected("its header is cut");
    if (*view.number<u8>(ident_class) != class_64) return std::unexpected("it is not of 64 bits");
    if (*view.number<u8>(ident_data) != data_little) return std::unexpected("it is not little-endian");
    const u16 type = *view.number<u16>(ehdr_type);
    if (type != type_exec && type != type_dyn) return std::unexpected("it is no executable, but perhaps an object file");
    const u64 count = *view.number<u16>(ehdr_phnum);
    if (count == 0) return std::unexpected("it has no program headers");
    if (*view.number<u16>(ehdr_phentsize) != phdr_size) return std::unexpected("its program headers have an unknown size");
    const u64 table = *view.number<u64>(ehdr_phoff);
    if (!view.slice(table, count * phdr_size)) return std::unexpected("its program headers lie beyond the end of the file");

    ElfFile elf{*view.number<u16>(ehdr_machine), *view.number<u64>(ehdr_entry), {}};
    for (std::size_t i = 0; i < count; ++i) {
        const u64 header = table + i * phdr_size;
        if (view.number<u32>(header) != pt_load || view.number<u64>(header + 40) == 0u) continue;
        const auto segment = parse_segment(view, header, i);
        if (!segment) return std::unexpected(segment.error());
        elf.segments.push_back(*segment);
    }
    if (elf.segments.empty()) return std::unexpected("it has nothing to load");
    return elf;
}

std::vector<ElfSymbol> elf_symbols(std::span<const std::byte> file) {
    const ByteView view(file);
    if (!is_elf(file) || view.number<u16>(ehdr_shentsize) != shdr_size) return {};
    std::vector<ElfSymbol> symbols = symbols_of(view, sht_symtab);
    return symbols.empty() ? symbols_of(view, sht_dynsym) : symbols;
}

}  // namespace ax::sim
