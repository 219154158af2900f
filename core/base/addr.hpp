// Addresses that cannot be mixed up: guest virtual, guest physical, host physical.
#pragma once

#include <compare>

#include "core/base/types.hpp"

namespace ax {

inline constexpr u64 page_size = 4096;
inline constexpr u64 page_shift = 12;

template <class Space>
class Address {
public:
    constexpr Address() = default;
    constexpr explicit Address(u64 value) : value_(value) {}

    [[nodiscard]] constexpr u64 value() const { return value_; }
    [[nodiscard]] constexpr u64 page_offset() const { return value_ & (page_size - 1); }
    [[nodiscard]] constexpr u64 page_number() const { return value_ >> page_shift; }
    [[nodiscard]] constexpr Address page_base() const { return Address(value_ & ~(page_size - 1)); }
    /// True when the address is a multiple of `alignment`, a power of two.
    [[nodiscard]] constexpr bool is_aligned(u64 alignment) const { return (value_ & (alignment - 1)) == 0; }

    constexpr auto operator<=>(const Address&) const = default;
    friend constexpr Address operator+(Address a, u64 offset) { return Address(a.value_ + offset); }
    friend constexpr Address operator-(Address a, u64 offset) { return Address(a.value_ - offset); }
    /// Distance in bytes, modulo 2^64.
    friend constexpr u64 operator-(Address a, Address b) { return a.value_ - b.value_; }

private:
    u64 value_ = 0;
};

/// Guest virtual address.
using Gva = Address<struct GuestVirtual>;
/// Guest physical address (the AxVisor family's IPA).
using Gpa = Address<struct GuestPhysical>;
/// Host physical address: real RAM on metal, simulated RAM in the simulator.
using Hpa = Address<struct HostPhysical>;

/// `size` bytes from `start`. A range never wraps: `make` refuses one that would.
template <class A>
struct AddressRange {
    A start{};
    u64 size = 0;

    /// First address behind the range; meaningful only for a range that does not wrap.
    [[nodiscard]] constexpr A end() const { return start + size; }
    [[nodiscard]] constexpr bool wraps() const { return size != 0 && start.value() + (size - 1) < start.value(); }
    [[nodiscard]] constexpr bool contains(A a) const { return a >= start && a - start < size; }
    /// True when all of `[a, a + length)` lies inside; an empty range lies nowhere.
    [[nodiscard]] constexpr bool contains(A a, u64 length) const {
        return length != 0 && contains(a) && length <= size - (a - start);
    }
    [[nodiscard]] constexpr bool overlaps(const AddressRange& other) const {
        return size != 0 && other.size != 0 && (contains(other.start) || other.contains(start));
    }
    constexpr bool operator==(const AddressRange&) const = default;
};

using GpaRange = AddressRange<Gpa>;
using HpaRange = AddressRange<Hpa>;

static_assert(GpaRange{Gpa{0x1000}, 0x1000}.contains(Gpa{0x1fff}));
static_assert(!GpaRange{Gpa{0x1000}, 0x1000}.contains(Gpa{0x1ffd}, 4));
static_assert(GpaRange{Gpa{~u64{0}}, 2}.wraps());

}  // namespace ax
