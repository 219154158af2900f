// Names for guest addresses, from an ELF file's symbols or a System.map.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/addr.hpp"

namespace ax::sim {

class SymbolTable {
public:
    struct Match {
        std::string_view name;  ///< lives as long as the table
        u64 offset = 0;         ///< bytes behind the symbol
    };

    SymbolTable() = default;
    static SymbolTable from_elf(std::span<const std::byte> file);
    /// Lines `ADDRESS TYPE NAME`, the address in hexadecimal; other lines are skipped.
    static SymbolTable from_system_map(std::string_view text);

    /// The closest symbol at or below `address`; none when `address` is behind the symbol's known size,
    /// or 1 MiB away.
    [[nodiscard]] std::optional<Match> lookup(Gva address) const;
    /// "name+0x12", or none.
    [[nodiscard]] std::optional<std::string> describe(Gva address) const;
    /// Address of a symbol by its name.
    [[nodiscard]] std::optional<Gva> find(std::string_view name) const;
    [[nodiscard]] std::size_t size() const { return symbols_.size(); }
    [[nodiscard]] bool empty() const { return symbols_.empty(); }

private:
    struct Symbol {
        u64 address = 0;
        u64 size = 0;           ///< 0 where unknown
        std::size_t order = 0;  ///< place in the file
        std::string name;
    };
    void add(u64 address, u64 size, std::string_view name);
    void sort();

    std::vector<Symbol> symbols_;
};

}  // namespace ax::sim
