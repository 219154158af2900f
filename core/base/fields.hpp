// One description of state: a stateful type lists its fields once, in
//     void fields(FieldVisitor& v) { field(v, "divisor", divisor); ... }
// and hashing, saving, restoring, dumping and comparing are visitors over that list.
#pragma once

#include <array>
#include <concepts>
#include <span>
#include <string_view>
#include <type_traits>

#include "core/base/addr.hpp"
#include "core/base/fixed_vector.hpp"
#include "core/base/types.hpp"

namespace ax {

/// Sees every field of a state, in the order of its list. A visitor may replace the value it is
/// shown (restore) or only look at it (hash, save, dump).
class FieldVisitor {
public:
    /// A number of `bits` bits; a replacement is truncated to them.
    virtual void word(std::string_view name, u64& value, unsigned bits) = 0;
    /// Raw bytes, for example a FIFO or a register file; the length is part of the description.
    virtual void bytes(std::string_view name, std::span<std::byte> data) = 0;
    /// What follows until `leave` belongs to `name`; `position` numbers the elements of a sequence.
    virtual void enter(std::string_view name, std::size_t position) = 0;
    virtual void leave() = 0;

protected:
    ~FieldVisitor() = default;
};

template <class T>
concept HasFields = requires(T& value, FieldVisitor& v) { value.fields(v); };

namespace detail {
template <class T>
inline constexpr bool is_address = false;
template <class S>
inline constexpr bool is_address<Address<S>> = true;
}  // namespace detail

template <class T>
    requires std::integral<T> || std::is_enum_v<T>
void field(FieldVisitor& v, std::string_view name, T& value) {
    u64 word = static_cast<u64>(value);
    v.word(name, word, std::is_same_v<T, bool> ? 1 : 8 * sizeof(T));
    value = static_cast<T>(word);
}

template <class T>
    requires detail::is_address<T>
void field(FieldVisitor& v, std::string_view name, T& value) {
    u64 word = value.value();
    v.word(name, word, 64);
    value = T{word};
}

template <HasFields T>
void field(FieldVisitor& v, std::string_view name, T& value) {
    v.enter(name, 0);
    value.fields(v);
    v.leave();
}

template <class T, std::size_t N>
void field(FieldVisitor& v, std::string_view name, std::array<T, N>& values) {
    if constexpr (std::same_as<T, u8> || std::same_as<T, std::byte>) {
        v.bytes(name, std::as_writable_bytes(std::span(values)));
    } else {
        for (std::size_t i = 0; i < N; ++i) {
            v.enter(name, i);
            field(v, "", values[i]);
            v.leave();
        }
    }
}

template <class T, std::size_t N>
void field(FieldVisitor& v, std::string_view name, FixedVector<T, N>& values) {
    u64 size = values.size();
    v.enter(name, 0);
    v.word("size", size, 32);
    v.leave();
    // A damaged saved state may name more elements than fit; it is then cut, and its hash differs.
    if (!values.resize(size)) static_cast<void>(values.resize(N));
    for (std::size_t i = 0; i < values.size(); ++i) {
        v.enter(name, i);
        field(v, "", values[i]);
        v.leave();
    }
}

}  // namespace ax
