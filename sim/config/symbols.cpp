#include "sim/config/symbols.hpp"

#include <algorithm>
#include <charconv>

#include "sim/config/elf.hpp"

namespace ax::sim {

namespace {
constexpr u64 max_offset = 1 << 20;
}

SymbolTable SymbolTable::from_elf(std::span<const std::byte> file) {
    SymbolTable table;
    for (const ElfSymbol& symbol : elf_symbols(file)) table.add(symbol.address, symbol.size, symbol.name);
    table.sort();
    return table;
}

SymbolTable SymbolTable::from_system_map(std::string_view text) {
    SymbolTable table;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        u64 address = 0;
        const auto parsed = std::from_chars(line.data(), line.data() + line.size(), address, 16);
        if (parsed.ec != std::errc{}) continue;
        std::string_view rest = line.substr(static_cast<std::size_t>(parsed.ptr - line.data()));
        // What follows is " T name", in modules " T name [module]".
        if (rest.size() < 4 || rest[0] != ' ' || rest[2] != ' ') continue;
        rest.remove_prefix(3);
        rest = rest.substr(0, rest.find_first_of(" \t\r"));
        if (!rest.empty() && rest.front() != '$' && !rest.starts_with(".L")) table.add(address, 0, rest);
    }
    table.sort();
    return table;
}

void SymbolTable::add(u64 address, u64 size, std::string_view name) {
    symbols_.push_back({address, size, symbols_.size(), std::string(name)});
}

void SymbolTable::sort() {
    std::ranges::sort(symbols_, {}, [](const Symbol& s) { return std::pair(s.address, s.order); });
}

std::optional<SymbolTable::Match> SymbolTable::lookup(Gva address) const {
    const auto above = std::ranges::upper_bound(symbols_, address.value(), {}, &Symbol::address);
    if (above == symbols_.begin()) return std::nullopt;
    // Of several names for one address the first of the file is the one people know.
    const auto below = std::ranges::lower_bound(symbols_, std::prev(above)->address, {}, &Symbol::address);
    const u64 offset = address.value() - below->address;
    if (offset > max_offset || (below->size != 0 && offset >= below->size)) return std::nullopt;
    return Match{below->name, offset};
}

std::optional<std::string> SymbolTable::describe(Gva address) const {
    const auto match = lookup(address);
    if (!match) return std::nullopt;
    std::string text(match->name);
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof digits, match->offset, 16).ptr;
    if (match->offset != 0) text += "+0x" + std::string(digits, end);
    return text;
}

std::optional<Gva> SymbolTable::find(std::string_view name) const {
    const auto found = std::ranges::find(symbols_, name, &Symbol::name);
    if (found == symbols_.end()) return std::nullopt;
    return Gva{found->address};
}

}  // namespace ax::sim
