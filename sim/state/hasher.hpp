// Hash of a state, from its one list of fields.
#pragma once

#include <xxhash.h>

#include <array>
#include <memory>

#include "core/base/fields.hpp"

namespace ax::sim {

/// XXH3-64 over names, nesting, widths and values in the order of the list, so that a renamed,
/// moved or resized field is seen as well as a changed one. The same on every host.
class StateHasher final : public FieldVisitor {
public:
    StateHasher();
    StateHasher(const StateHasher&) = delete;
    StateHasher& operator=(const StateHasher&) = delete;
    ~StateHasher() = default;

    void word(std::string_view name, u64& value, unsigned bits) override;
    void bytes(std::string_view name, std::span<std::byte> data) override;
    void enter(std::string_view name, std::size_t position) override;
    void leave() override;

    /// The hash of everything seen so far; more may follow.
    [[nodiscard]] u64 digest();

private:
    void put(u64 value, unsigned size_bytes);
    void put_name(char tag, std::string_view name);
    void put_raw(const void* data, std::size_t size);
    void drain();

    struct FreeState {
        void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
    };
    std::unique_ptr<XXH3_state_t, FreeState> state_;
    std::array<unsigned char, 4096> pending_{};
    std::size_t pending_size_ = 0;
};

/// Hash of any value that `field` knows: something with `fields(v)`, or a visitable member.
template <class T>
[[nodiscard]] u64 hash_of(T& value) {
    StateHasher hasher;
    field(hasher, "", value);
    return hasher.digest();
}

}  // namespace ax::sim
