#include "sim/state/reader.hpp"

#include <algorithm>
#include <utility>

namespace ax::sim {
namespace {

constexpr const char* cannot_restore = "saved state cannot be restored";

u64 get(std::span<const std::byte> from, unsigned size_bytes) {
    u64 value = 0;
    for (unsigned i = 0; i < size_bytes; ++i) value |= std::to_integer<u64>(from[i]) << (8 * i);
    return value;
}

}  // namespace

StateReader::StateReader(std::span<const std::byte> saved) {
    const char* why = nullptr;
    if (saved.size() < layout::start_bytes + layout::checksum_bytes || get(saved, 4) != layout::magic)
        why = "it is not a saved state";
    else if (get(saved.subspan(4), 4) != layout::version)
        why = "it was saved by another version of axsim";
    else if (get(saved.last(layout::checksum_bytes), 8) != layout::checksum(saved.first(saved.size() - layout::checksum_bytes)))
        why = "it is damaged: its checksum differs";
    if (why != nullptr)
        error_ = Error{cannot_restore, "", why, ""};
    else
        rest_ = saved.subspan(layout::start_bytes, saved.size() - layout::start_bytes - layout::checksum_bytes);
}

void StateReader::word(std::string_view name, u64& value, unsigned bits) {
    if (!take_start(layout::Tag::Word, name, "number")) return;
    const unsigned size = layout::word_bytes(bits);
    if (rest_.empty() || get(rest_, 1) != bits || rest_.size() < 1 + size)
        return fail(name, "its width differs from the saved one");
    static_cast<void>(take(1));
    value = take(size);
}

void StateReader::bytes(std::string_view name, std::span<std::byte> data) {
    if (!take_start(layout::Tag::Bytes, name, "bytes")) return;
    if (rest_.size() < 8 || get(rest_, 8) != data.size() || rest_.size() - 8 < data.size())
        return fail(name, "its length differs from the saved one");
    static_cast<void>(take(8));
    std::ranges::copy(rest_.first(data.size()), data.begin());
    rest_ = rest_.subspan(data.size());
}

void StateReader::enter(std::string_view name, std::size_t position) {
    if (take_start(layout::Tag::Enter, name, "group")) {
        if (rest_.size() < 8 || get(rest_, 8) != position)
            fail(name, "its position differs from the saved one");
        else
            static_cast<void>(take(8));
    }
    path_.enter(name, position);
}

void StateReader::leave() {
    path_.leave();
    if (error_) return;
    if (rest_.empty() || get(rest_, 1) != index(layout::Tag::Leave)) return fail("", "the saved state has more fields here");
    static_cast<void>(take(1));
}

std::expected<void, Error> StateReader::finish() {
    if (!error_ && !rest_.empty()) fail("", "the saved state has more fields");
    if (error_) return std::unexpected(*error_);
    return {};
}

bool StateReader::take_start(layout::Tag tag, std::string_view name, const char* kind) {
    if (error_) return false;
    if (rest_.size() < 3 || get(rest_, 1) != index(tag) || get(rest_.subspan(1), 2) != layout::name_hash(name)) {
        fail(name, std::string("the saved state has another field here, not this ") + kind);
        return false;
    }
    rest_ = rest_.subspan(3);
    return true;
}

u64 StateReader::take(unsigned size_bytes) {
    const u64 value = get(rest_, size_bytes);
    rest_ = rest_.subspan(size_bytes);
    return value;
}

void StateReader::fail(std::string_view name, std::string why) {
    error_ = Error{cannot_restore, path_.of(name), std::move(why), "use the axsim and the configuration that saved it"};
}

}  // namespace ax::sim
