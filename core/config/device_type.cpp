#include "core/config/device_type.hpp"

#include <array>

namespace ax::config {

namespace {

using enum EmulatedDeviceType;

struct Row {
    EmulatedDeviceType type;
    std::string_view text;
    bool removable;
};

constexpr std::array rows = {
    Row{Dummy, "meta device", false},
    Row{InterruptController, "interrupt controller", true},
    Row{Console, "console", false},
    Row{FwCfg, "firmware configuration", false},
    Row{IVCChannel, "ivc channel", false},
    Row{GPPTRedistributor, "gic partial passthrough redistributor", true},
    Row{GPPTDistributor, "gic partial passthrough distributor", false},
    Row{GPPTITS, "gic partial passthrough its", false},
    Row{X86IoApic, "x86 io apic", false},
    Row{X86Pit, "x86 pit", false},
    Row{LoongArchPchPic, "loongarch pch pic", false},
    Row{PPPTGlobal, "plic partial passthrough global", false},
    Row{Rtc, "real-time clock", false},
    Row{VirtioBlk, "virtio block", true},
    Row{VirtioNet, "virtio net", true},
    Row{VirtioConsole, "virtio console", true},
};

const Row* row_of(u64 number) {
    for (const Row& row : rows)
        if (index(row.type) == number) return &row;
    return nullptr;
}

}  // namespace

std::optional<EmulatedDeviceType> emulated_device_type_from(u64 number) {
    const Row* row = row_of(number);
    if (row == nullptr) return std::nullopt;
    return row->type;
}

std::string_view to_text(EmulatedDeviceType type) {
    const Row* row = row_of(index(type));
    return row == nullptr ? "unknown device" : row->text;
}

bool removable(EmulatedDeviceType type) {
    const Row* row = row_of(index(type));
    return row != nullptr && row->removable;
}

bool is_interrupt_controller(EmulatedDeviceType type) {
    return type == InterruptController || type == GPPTDistributor || type == X86IoApic || type == LoongArchPchPic ||
           type == PPPTGlobal;
}

}  // namespace ax::config
