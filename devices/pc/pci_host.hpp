// PCI configuration mechanism 1 with a host bridge and nothing else, and the reset register among its ports.
#pragma once

#include <array>
#include <expected>
#include <string_view>

#include "core/bus/device.hpp"
#include "devices/pc/power_switch.hpp"

namespace ax::dev {

/// PCI Local Bus Specification, "Configuration Space Access Mechanism #1": CONFIG_ADDRESS at port 0xcf8 (4 bytes only),
/// CONFIG_DATA at 0xcfc (1, 2 or 4 bytes). Bus 0, device 0, function 0 is an Intel 82441FX host bridge (8086:1237); its
/// registers from 0x50 on are kept and mean nothing. Other functions read all ones. Port 0xcf9 is the reset control
/// register (Intel 82371AB datasheet). Other accesses to the window are refused.
class PciHost final : public bus::Device {
public:
    static constexpr u64 port = 0xcf8, window_bytes = 8;
    static constexpr std::size_t config_bytes = 256;

    /// `power` outlives the device.
    explicit PciHost(PowerSwitch& power) : power_(&power) { reset(); }

    [[nodiscard]] std::string_view name() const override { return "pci-host"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) override;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) override;
    void reset() override;
    void fields(FieldVisitor& v) override;

private:
    /// The register that an access of the data port means.
    [[nodiscard]] u64 register_at(u64 offset) const;
    [[nodiscard]] bool is_bridge() const;

    PowerSwitch* power_;
    u32 address_ = 0;
    u8 reset_control_ = 0;
    std::array<u8, config_bytes> config_{};
};

}  // namespace ax::dev
