// Linear memory without translation for the tests of event delivery: pages can be made to fault.
#pragma once

#include <cstring>
#include <map>
#include <optional>
#include <vector>

#include "sim/trap/x86/system_memory.hpp"

namespace ax::sim::x86::test {

class FlatMemory final : public SystemMemory {
public:
    static constexpr u64 size = 0x2'0000;

    std::expected<u64, MemoryFault> read(Gva at, unsigned bytes, WalkAccess how) override {
        if (const auto fault = check(at, bytes, how)) return std::unexpected(*fault);
        u64 value = 0;
        std::memcpy(&value, &bytes_[at.value()], bytes);
        return value;
    }
    std::expected<void, MemoryFault> write(Gva at, u64 value, unsigned bytes, WalkAccess how) override {
        if (const auto fault = check(at, bytes, how)) return std::unexpected(*fault);
        std::memcpy(&bytes_[at.value()], &value, bytes);
        last_write = how;
        return {};
    }
    void set(u64 at, u64 value, unsigned bytes = 8) { std::memcpy(&bytes_[at], &value, bytes); }
    u64 get(u64 at, unsigned bytes = 8) const {
        u64 value = 0;
        std::memcpy(&value, &bytes_[at], bytes);
        return value;
    }

    std::map<u64, WalkFault> holes;  ///< by page number
    WalkAccess last_write;

private:
    std::optional<MemoryFault> check(Gva at, unsigned bytes, WalkAccess) const {
        if (at.value() >= size || bytes > size - at.value()) return MemoryFault{{WalkFaultKind::NonCanonical, 0, {}}, at};
        for (const u64 page : {at.page_number(), (at + bytes - 1).page_number()})
            if (const auto hole = holes.find(page); hole != holes.end()) return MemoryFault{hole->second, at};
        return std::nullopt;
    }

    std::vector<u8> bytes_ = std::vector<u8>(size + 8);
};

}  // namespace ax::sim::x86::test
