// A guest of registers and code in plain memory, for tests of the RISC-V layer.
#pragma once

#include <array>
#include <map>

#include "core/arch/riscv/trap.hpp"

namespace ax::riscv::testing {

/// Registers hold a pattern of their number: x10 is 0xffffffd0'0a0a0a0a. x0 holds a value too, which
/// nobody may see.
class FakeGuest final : public GuestView {
public:
    static constexpr u64 pattern_base = 0xffff'ffd0'0000'0000;

    FakeGuest() {
        for (unsigned n = 0; n < x.size(); ++n) x[n] = pattern(n);
        x[0] = 0xbad0'bad0'bad0'bad0;
    }
    static constexpr u64 pattern(unsigned n) { return pattern_base + u64{n} * 0x0101'0101; }

    /// Puts an instruction of 2 or 4 bytes, by its low bits, at `address`.
    void put(u64 address, u32 bits) {
        code[address] = static_cast<u16>(bits);
        if ((bits & 3) == 3) code[address + 2] = static_cast<u16>(bits >> 16);
    }

    u64 gpr(unsigned n) override { return x.at(n); }
    std::optional<u16> fetch(Gva address) override {
        ++fetches;
        const auto found = code.find(address.value());
        if (found == code.end()) return std::nullopt;
        return found->second;
    }

    std::array<u64, 32> x{};
    std::map<u64, u16> code;  ///< by address; what is absent cannot be read
    unsigned fetches = 0;
};

}  // namespace ax::riscv::testing
