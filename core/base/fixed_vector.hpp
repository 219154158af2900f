// A vector whose capacity is part of its type; it never allocates.
#pragma once

#include <array>

#include "core/base/expect.hpp"
#include "core/base/types.hpp"

namespace ax {

/// Up to `Capacity` default-constructible values. Adding to a full one is reported, not lost.
template <class T, std::size_t Capacity>
class FixedVector {
public:
    using value_type = T;
    static constexpr std::size_t capacity() { return Capacity; }

    [[nodiscard]] constexpr std::size_t size() const { return size_; }
    [[nodiscard]] constexpr bool empty() const { return size_ == 0; }
    [[nodiscard]] constexpr bool is_full() const { return size_ == Capacity; }

    /// False, and nothing changes, when the vector is full.
    [[nodiscard]] constexpr bool push_back(const T& value) { return insert(size_, value); }

    /// Inserts before position `at` (at most `size()`); false when full.
    [[nodiscard]] constexpr bool insert(std::size_t at, const T& value) {
        expect(at <= size_, "FixedVector::insert position is within the vector");
        if (is_full()) return false;
        for (std::size_t i = size_; i > at; --i) items_[i] = items_[i - 1];
        items_[at] = value;
        ++size_;
        return true;
    }
    constexpr void erase(std::size_t at) {
        expect(at < size_, "FixedVector::erase position is within the vector");
        for (std::size_t i = at; i + 1 < size_; ++i) items_[i] = items_[i + 1];
        items_[--size_] = T{};
    }
    constexpr void clear() {
        while (size_ > 0) items_[--size_] = T{};
    }
    /// Grows with default values or shrinks; false, and nothing changes, beyond the capacity.
    [[nodiscard]] constexpr bool resize(std::size_t size) {
        if (size > Capacity) return false;
        while (size_ > size) items_[--size_] = T{};
        size_ = size;
        return true;
    }

    constexpr T& operator[](std::size_t i) {
        expect(i < size_, "FixedVector index is within the vector");
        return items_[i];
    }
    constexpr const T& operator[](std::size_t i) const {
        expect(i < size_, "FixedVector index is within the vector");
        return items_[i];
    }
    constexpr T* begin() { return items_.data(); }
    constexpr T* end() { return items_.data() + size_; }
    constexpr const T* begin() const { return items_.data(); }
    constexpr const T* end() const { return items_.data() + size_; }

private:
    std::array<T, Capacity> items_{};
    std::size_t size_ = 0;
};

}  // namespace ax
