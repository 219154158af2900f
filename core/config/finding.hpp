// What a rule says about a configuration that it does not accept.
#pragma once

#include <string_view>

#include "core/base/fixed_string.hpp"

namespace ax::config {

enum class Severity : u8 { Error, Warning };

/// A number to be written in hexadecimal.
struct Hex {
    u64 value = 0;
};

using Message = FixedString<255>;

/// One thing wrong. `key` is the path of the value in its file, as `kernel.memory_regions[2].size`.
struct Finding {
    Severity severity = Severity::Error;
    const char* rule = "";  ///< short fixed name of the rule
    FixedString<95> key;
    Message what;
    Message fix;
};

/// Who is told; every rule reports all that it finds.
class FindingSink {
public:
    virtual void report(const Finding& finding) = 0;

protected:
    ~FindingSink() = default;
};

namespace detail {

template <std::size_t N>
constexpr void add_number(FixedString<N>& text, u64 value, unsigned base) {
    char digits[20] = {};
    std::size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    text.append_cut({digits + at, sizeof digits - at});
}

template <std::size_t N>
constexpr void add(FixedString<N>& text, std::string_view part) {
    text.append_cut(part);
}
/// A literal, whose length needs no counting at run time.
template <std::size_t N, std::size_t M>
constexpr void add(FixedString<N>& text, const char (&part)[M]) {
    text.append_cut({part, M - 1});
}
template <std::size_t N>
constexpr void add(FixedString<N>& text, u64 part) {
    add_number(text, part, 10);
}
template <std::size_t N>
constexpr void add(FixedString<N>& text, Hex part) {
    text.append_cut("0x");
    add_number(text, part.value, 16);
}

}  // namespace detail

/// Joins texts, numbers (decimal) and `Hex` numbers; what does not fit is cut.
template <std::size_t N = 255, class... Parts>
constexpr FixedString<N> join(const Parts&... parts) {
    FixedString<N> text;
    (detail::add(text, parts), ...);
    return text;
}

/// A key path such as `kernel.memory_regions[2].size`.
template <class... Parts>
constexpr FixedString<95> key_path(const Parts&... parts) {
    return join<95>(parts...);
}

static_assert(join("size ", Hex{0x1000}, " of ", u64{12}) == std::string_view("size 0x1000 of 12"));

}  // namespace ax::config
