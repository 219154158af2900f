// A guest of registers, code and a stage 1 of whole pages in plain memory, for tests of the arm64 layer.
#pragma once

#include <array>
#include <map>

#include "core/arch/arm64/trap.hpp"

namespace ax::arm64::testing {

/// Registers hold patterns of their number, but for those that address memory: x1 and the stack pointer point into a
/// device, x5 to x7 are indexes. x7 has bits above 31 that 32-bit indexes must not see.
class FakeGuest final : public GuestView {
public:
    static constexpr u64 device_va = 0xffff'0000'0000'3000;
    static constexpr u64 device_gpa = 0x900'0000;
    static constexpr u64 next_gpa = 0xa00'0000;  ///< of the page behind the device's
    static constexpr u64 x1 = device_va + 0x400;
    static constexpr u64 stack_pointer = device_va + 0x800;

    FakeGuest() {
        for (unsigned n = 0; n < x.size(); ++n) x[n] = pattern(n);
        x[1] = x1;
        x[5] = 0x10;
        x[6] = static_cast<u64>(i64{-8});
        x[7] = 0x1'0000'0010;
        for (unsigned n = 0; n < v.size(); ++n) v[n] = vector_pattern(n);
        pages[device_va] = Gpa{device_gpa};
        pages[device_va + page_size] = Gpa{next_gpa};
    }
    static constexpr u64 pattern(unsigned n) { return 0x8877'6655'4433'2200 + n; }
    static constexpr std::array<u64, 2> vector_pattern(unsigned n) {
        return {0xf7e6'd5c4'b3a2'9100 + n, u64{0x0fe1'd2c3'b4a5'9600} + n};
    }

    u64 gpr(unsigned n) override { return n == 31 ? 0 : x.at(n); }
    u64 sp() override { return stack; }
    std::array<u64, 2> vector(unsigned n) override { return v.at(n); }
    std::optional<u32> fetch(Gva address) override {
        ++fetches;
        const auto found = code.find(address.value());
        if (found == code.end()) return std::nullopt;
        return found->second;
    }
    std::optional<Gpa> translate(Gva va, Access /*access*/) override {
        const auto found = pages.find(va.page_base().value());
        if (found == pages.end()) return std::nullopt;
        return found->second + va.page_offset();
    }

    std::array<u64, 31> x{};
    u64 stack = stack_pointer;
    std::array<std::array<u64, 2>, 32> v{};
    std::map<u64, u32> code;   ///< by address; what is absent cannot be read
    std::map<u64, Gpa> pages;  ///< by virtual address
    unsigned fetches = 0;
};

}  // namespace ax::arm64::testing
