// Rules over a board's own description; those over its memory are with the reader, who knows [sim] too.
#include "core/config/check_platform.hpp"

namespace ax::config {

using namespace std::string_view_literals;

namespace {

bool holds(const RangeList& list, Hpa address) {
    for (const HpaRange& range : list)
        if (!range.wraps() && range.contains(address, 1)) return true;
    return false;
}

}  // namespace

void check_board(const PlatformConfig& platform, FindingSink& sink) {
    const PlatDevices& devices = platform.devices;
    const auto check = [&](std::string_view key, std::optional<u64> address) {
        // Boards without the device write 0.
        if (address.value_or(0) == 0 || devices.mmio_regions.empty() || holds(devices.mmio_regions, Hpa{*address})) return;
        sink.report({Severity::Warning, "device-region", key_path("devices."sv, key), join(Hex{*address}, " lies in none of mmio-regions"),
                     "add its region there"});
    };
    check("pci-ecam-base"sv, devices.pci_ecam_base);
    check("uart-paddr"sv, devices.uart_paddr);
    check("gicc-paddr"sv, devices.gicc_paddr);
    check("gicd-paddr"sv, devices.gicd_paddr);
    check("gicr-paddr"sv, devices.gicr_paddr);
    check("rtc-paddr"sv, devices.rtc_paddr);
}

}  // namespace ax::config
