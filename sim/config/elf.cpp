#include "sim/config/elf.hpp"

#include "core/base/bits.hpp"
#include "sim/config/byte_view.hpp"

namespace ax::sim {

bool is_elf(std::span<const std::byte> file) { return ByteView(file).number<u32>(0) == 0x464c'457fu; }

namespace {

// System V ABI, "Object Files" and ELF-64 Object File Format: file offsets of the fields used here.
constexpr u64 ident_class = 4;
constexpr u64 ident_data = 5;
constexpr u64 ehdr_type = 16;
constexpr u64 ehdr_machine = 18;
constexpr u64 ehdr_shoff = 40;
constexpr u64 ehdr_shentsize = 58;
constexpr u64 ehdr_shnum = 60;
constexpr u64 shdr_size = 64;
constexpr u64 sym_size = 24;

/// What differs between the two classes. Words are 4 or 8 bytes.
struct Layout {
    bool is_64;
    u64 ehdr_size, ehdr_entry, ehdr_phoff, ehdr_phentsize, ehdr_phnum;
    u64 phdr_size, offset, vaddr, paddr, filesz, memsz;

    [[nodiscard]] std::optional<u64> word(const ByteView& view, u64 at) const {
        if (is_64) return view.number<u64>(at);
        return view.number<u32>(at);
    }
};
constexpr Layout layout_64 = {true, 64, 24, 32, 54, 56, 56, 8, 16, 24, 32, 40};
constexpr Layout layout_32 = {false, 52, 24, 28, 42, 44, 32, 4, 8, 12, 16, 20};

constexpr u8 class_32 = 1;
constexpr u8 class_64 = 2;
constexpr u8 data_little = 1;
constexpr u16 type_exec = 2;
constexpr u16 type_dyn = 3;
constexpr u32 pt_load = 1;
constexpr u32 pt_note = 4;
constexpr u32 sht_symtab = 2;
constexpr u32 sht_dynsym = 11;
constexpr u8 stt_func = 2;

struct Section {
    u32 type = 0;
    u64 offset = 0;
    u64 size = 0;
    u32 link = 0;
};

std::expected<ElfSegment, std::string> parse_segment(const ByteView& view, const Layout& at, u64 header, std::size_t i) {
    const auto offset = at.word(view, header + at.offset);
    const auto file_size = at.word(view, header + at.filesz);
    ElfSegment segment;
    segment.virtual_address = at.word(view, header + at.vaddr).value_or(0);
    segment.physical_address = at.word(view, header + at.paddr).value_or(0);
    segment.memory_size = at.word(view, header + at.memsz).value_or(0);
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

/// The program headers: where they begin, and how many. The error says what is damaged.
struct ProgramHeaders {
    const Layout& layout;
    u64 table = 0;
    u64 count = 0;

    [[nodiscard]] u64 at(u64 i) const { return table + i * layout.phdr_size; }
};

std::expected<ProgramHeaders, std::string> find_headers(std::span<const std::byte> file) {
    const ByteView view(file);
    if (!is_elf(file)) return std::unexpected("it is no ELF file");
    if (file.size() < layout_32.ehdr_size) return std::unexpected("its header is cut");
    const u8 elf_class = *view.number<u8>(ident_class);
    if (elf_class != class_32 && elf_class != class_64) return std::unexpected("it is neither of 32 nor of 64 bits");
    const Layout& layout = elf_class == class_64 ? layout_64 : layout_32;
    if (file.size() < layout.ehdr_size) return std::unexpected("its header is cut");
    if (*view.number<u8>(ident_data) != data_little) return std::unexpected("it is not little-endian");
    const u16 type = *view.number<u16>(ehdr_type);
    if (type != type_exec && type != type_dyn) return std::unexpected("it is no executable, but perhaps an object file");
    const u64 count = *view.number<u16>(layout.ehdr_phnum);
    if (count == 0) return std::unexpected("it has no program headers");
    if (*view.number<u16>(layout.ehdr_phentsize) != layout.phdr_size) return std::unexpected("its program headers have an unknown size");
    const u64 table = *layout.word(view, layout.ehdr_phoff);
    if (!view.slice(table, count * layout.phdr_size)) return std::unexpected("its program headers lie beyond the end of the file");
    return ProgramHeaders{layout, table, count};
}

/// The note in `notes`, which are aligned to 4 bytes.
std::optional<std::span<const std::byte>> find_note(std::span<const std::byte> notes, std::string_view name, u32 type) {
    constexpr u64 header_bytes = 12, alignment = 4;
    const ByteView view(notes);
    for (u64 at = 0; view.slice(at, header_bytes);) {
        const u64 name_bytes = *view.number<u32>(at), desc_bytes = *view.number<u32>(at + 4);
        const u64 desc = at + header_bytes + align_up(name_bytes, alignment);
        const auto contents = view.slice(desc, desc_bytes);
        if (!contents) return std::nullopt;
        if (*view.number<u32>(at + 8) == type && name_bytes == name.size() + 1 && view.text(at + header_bytes) == name) return contents;
        at = desc + align_up(desc_bytes, alignment);
    }
    return std::nullopt;
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

bool is_elf_of_32_bits(std::span<const std::byte> file) { return is_elf(file) && ByteView(file).number<u8>(ident_class) == class_32; }

std::expected<ElfFile, std::string> parse_elf(std::span<const std::byte> file) {
    const auto headers = find_headers(file);
    if (!headers) return std::unexpected(headers.error());
    const ByteView view(file);
    const Layout& layout = headers->layout;
    ElfFile elf{*view.number<u16>(ehdr_machine), layout.is_64, *layout.word(view, layout.ehdr_entry), {}};
    for (std::size_t i = 0; i < headers->count; ++i) {
        const u64 header = headers->at(i);
        if (view.number<u32>(header) != pt_load || layout.word(view, header + layout.memsz) == 0u) continue;
        const auto segment = parse_segment(view, layout, header, i);
        if (!segment) return std::unexpected(segment.error());
        elf.segments.push_back(*segment);
    }
    if (elf.segments.empty()) return std::unexpected("it has nothing to load");
    return elf;
}

std::optional<std::span<const std::byte>> elf_note(std::span<const std::byte> file, std::string_view name, u32 type) {
    const auto headers = find_headers(file);
    if (!headers) return std::nullopt;
    const ByteView view(file);
    for (std::size_t i = 0; i < headers->count; ++i) {
        const u64 header = headers->at(i);
        if (view.number<u32>(header) != pt_note) continue;
        const auto notes = view.slice(*headers->layout.word(view, header + headers->layout.offset),
                                      *headers->layout.word(view, header + headers->layout.filesz));
        if (!notes) continue;
        if (const auto found = find_note(*notes, name, type)) return found;
    }
    return std::nullopt;
}

std::vector<ElfSymbol> elf_symbols(std::span<const std::byte> file) {
    const ByteView view(file);
    if (!is_elf(file) || view.number<u8>(ident_class) != class_64 || view.number<u16>(ehdr_shentsize) != shdr_size) return {};
    std::vector<ElfSymbol> symbols = symbols_of(view, sht_symtab);
    return symbols.empty() ? symbols_of(view, sht_dynsym) : symbols;
}

}  // namespace ax::sim
