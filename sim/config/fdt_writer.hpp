// libfdt's sequential writer with strings, cells and one error for the whole tree.
#pragma once

#include <expected>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/types.hpp"

namespace ax::sim {

/// Nodes are written from the root inwards. The first error sticks; `finish` tells it.
class FdtWriter {
public:
    FdtWriter();

    void begin(const std::string& name);
    void end();
    void cell(const char* property, u32 value);
    void cells(const char* property, std::span<const u32> values);
    void cells(const char* property, std::initializer_list<u32> values) { cells(property, std::span(values)); }
    /// 64-bit numbers as two cells each.
    void wide(const char* property, std::span<const u64> values);
    void wide(const char* property, std::initializer_list<u64> values) { wide(property, std::span(values)); }
    void text(const char* property, std::string_view value);
    void texts(const char* property, std::span<const std::string> values);
    void flag(const char* property);

    [[nodiscard]] std::expected<std::vector<std::byte>, std::string> finish();

private:
    void note(int result);

    std::vector<std::byte> buffer_;
    int error_ = 0;
};

/// A node name with its unit address, as `memory@80000000`.
[[nodiscard]] std::string unit_name(std::string_view name, u64 address);

}  // namespace ax::sim
