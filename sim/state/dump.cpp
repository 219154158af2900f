#include "sim/state/dump.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "sim/base/text.hpp"

namespace ax::sim {

void StateDump::word(std::string_view name, u64& value, unsigned bits) {
    static_cast<void>(bits);
    entries_.push_back({path_.of(name), hex(value)});
}

void StateDump::bytes(std::string_view name, std::span<std::byte> data) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * data.size());
    for (const std::byte b : data) {
        text += digits[std::to_integer<std::size_t>(b >> 4)];
        text += digits[std::to_integer<std::size_t>(b & std::byte{0xf})];
    }
    entries_.push_back({path_.of(name), std::move(text)});
}

void StateDump::enter(std::string_view name, std::size_t position) { path_.enter(name, position); }
void StateDump::leave() { path_.leave(); }

nlohmann::ordered_json StateDump::to_json() const {
    auto object = nlohmann::ordered_json::object();
    for (const StateEntry& entry : entries_) object[entry.path] = entry.value;
    return object;
}

std::vector<StateDifference> diff(const std::vector<StateEntry>& a, const std::vector<StateEntry>& b) {
    std::map<std::string_view, std::string_view> only_second;
    for (const StateEntry& entry : b) only_second.emplace(entry.path, entry.value);
    std::vector<StateDifference> result;
    for (const StateEntry& entry : a) {
        const auto other = only_second.find(entry.path);
        const std::string_view second = other == only_second.end() ? std::string_view{} : other->second;
        if (other == only_second.end() || second != entry.value) result.push_back({entry.path, entry.value, std::string(second)});
        if (other != only_second.end()) only_second.erase(other);
    }
    for (const StateEntry& entry : b)
        if (only_second.contains(entry.path)) result.push_back({entry.path, "", entry.value});
    return result;
}

}  // namespace ax::sim
