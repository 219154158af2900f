// Saves a state to bytes, from its one list of fields.
#pragma once

#include <vector>

#include "core/base/fields.hpp"
#include "sim/state/layout.hpp"

namespace ax::sim {

/// Collects the fields it is shown; the layout is in layout.hpp.
class StateWriter final : public FieldVisitor {
public:
    StateWriter();

    void word(std::string_view name, u64& value, unsigned bits) override;
    void bytes(std::string_view name, std::span<std::byte> data) override;
    void enter(std::string_view name, std::size_t position) override;
    void leave() override;

    /// The saved state with its checksum. The writer is empty afterwards.
    [[nodiscard]] std::vector<std::byte> finish();

private:
    void put(u64 value, unsigned size_bytes);
    void put_start(layout::Tag tag, std::string_view name);

    std::vector<std::byte> out_;
};

/// The bytes from which `restore` makes the same state again.
template <class T>
[[nodiscard]] std::vector<std::byte> save(T& value) {
    StateWriter writer;
    field(writer, "", value);
    return writer.finish();
}

}  // namespace ax::sim
