// What every emulated device offers to the bus and to the machine.
#pragma once

#include <expected>
#include <string_view>

#include "core/base/fields.hpp"

namespace ax::bus {

/// The device refuses the access (width, alignment or place); the guest gets an access fault.
struct BusFault {};

/// Which vCPU makes the access in progress, for devices with registers banked by CPU. Set by whoever
/// hands an exit to the bus; no state.
struct Initiator {
    VcpuId vcpu{};
};

/// A device behind a window of guest physical space. Offsets are from the start of the window and
/// the whole access lies inside it; `size` is 1, 2, 4 or 8. Never fails on a value: whatever a guest
/// writes has a defined effect.
class Device {
public:
    [[nodiscard]] virtual std::string_view name() const = 0;
    [[nodiscard]] virtual std::expected<u64, BusFault> read(u64 offset, u8 size) = 0;
    [[nodiscard]] virtual std::expected<void, BusFault> write(u64 offset, u8 size, u64 value) = 0;
    /// Power-on state; configuration stays.
    virtual void reset() = 0;
    /// All guest-visible and hidden state, for hash, save, restore and dump.
    virtual void fields(FieldVisitor& v) = 0;

protected:
    ~Device() = default;
};

}  // namespace ax::bus
