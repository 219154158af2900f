// A state as a list of named values, to be read and compared by people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/base/fields.hpp"
#include "sim/state/path.hpp"

namespace ax::sim {

/// One field: its dotted path and its value as text (`0x1f`, or bytes as hexadecimal digit pairs).
struct StateEntry {
    std::string path;
    std::string value;
    bool operator==(const StateEntry&) const = default;
};

/// Lists the fields it is shown, in their order.
class StateDump final : public FieldVisitor {
public:
    void word(std::string_view name, u64& value, unsigned bits) override;
    void bytes(std::string_view name, std::span<std::byte> data) override;
    void enter(std::string_view name, std::size_t position) override;
    void leave() override;

    [[nodiscard]] const std::vector<StateEntry>& entries() const { return entries_; }
    /// One object, path to value, in the order of the fields.
    [[nodiscard]] nlohmann::ordered_json to_json() const;

private:
    StatePath path_;
    std::vector<StateEntry> entries_;
};

/// The named values of any state that `field` knows.
template <class T>
[[nodiscard]] std::vector<StateEntry> dump(T& value) {
    StateDump visitor;
    field(visitor, "", value);
    return visitor.entries();
}

/// A field that two dumps show differently; a side that lacks the field is empty.
struct StateDifference {
    std::string path;
    std::string first;
    std::string second;
    bool operator==(const StateDifference&) const = default;
};

/// Every field that differs, in the order of `a`, then the fields that only `b` has.
[[nodiscard]] std::vector<StateDifference> diff(const std::vector<StateEntry>& a, const std::vector<StateEntry>& b);

}  // namespace ax::sim
