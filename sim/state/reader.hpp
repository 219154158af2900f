// Restores a state from saved bytes, through its one list of fields.
#pragma once

#include <expected>
#include <optional>

#include "core/base/fields.hpp"
#include "sim/base/error.hpp"
#include "sim/state/path.hpp"
#include "sim/state/writer.hpp"

namespace ax::sim {

/// Gives each field it is shown the saved value. From the first field that does not fit on, fields
/// keep their values and `finish` tells the reason.
class StateReader final : public FieldVisitor {
public:
    /// `saved` must outlive the reader.
    explicit StateReader(std::span<const std::byte> saved);

    void word(std::string_view name, u64& value, unsigned bits) override;
    void bytes(std::string_view name, std::span<std::byte> data) override;
    void enter(std::string_view name, std::size_t position) override;
    void leave() override;

    /// An error when the bytes are damaged, are from another version, or describe other fields than
    /// were shown; it names the first such field.
    [[nodiscard]] std::expected<void, Error> finish();

private:
    bool take_start(layout::Tag tag, std::string_view name, const char* kind);
    u64 take(unsigned size_bytes);
    void fail(std::string_view name, std::string why);

    std::span<const std::byte> rest_;
    StatePath path_;
    std::optional<Error> error_;
};

/// Makes `value` what it was when `save` made `saved`. On an error `value` is as it was before.
template <class T>
[[nodiscard]] std::expected<void, Error> restore(T& value, std::span<const std::byte> saved) {
    const std::vector<std::byte> before = save(value);
    StateReader reader(saved);
    field(reader, "", value);
    auto result = reader.finish();
    if (!result) {
        StateReader undo(before);
        field(undo, "", value);
    }
    return result;
}

}  // namespace ax::sim
