#include "sim/config/generate_board.hpp"

#include "core/base/expect.hpp"
#include "core/config/gic_layout.hpp"

namespace ax::sim {

namespace {

using config::EmulatedDeviceType;

// Addresses and interrupts are those of QEMU's boards "virt" (hw/riscv/virt.c, hw/arm/virt.c) and "q35", which the
// family's platform files describe.
constexpr GuestBoard riscv64_board = {"riscv64",
                                      0x8000'0000,
                                      0x100'0000'0000,
                                      0x8020'0000,
                                      "earlycon=sbi console=ttyS0",
                                      "Devices of QEMU's virt board, all emulated.",
                                      true};
constexpr GuestBoard aarch64_board = {"aarch64",
                                      0x4000'0000,
                                      0x40'0000'0000,
                                      0x4020'0000,
                                      "console=ttyAMA0",
                                      "Devices of QEMU's virt board, all emulated: GICv3, PL011, PL031.",
                                      true};
constexpr GuestBoard x86_64_board = {"x86_64",
                                     0,
                                     0xc000'0000,
                                     0x100'0000,
                                     "console=ttyS0",
                                     "A PC's devices, all emulated; those that are not named are always there.",
                                     false};

config::EmulatedDeviceConfig emulated(const config::DeviceName& name, Gpa base, u64 length, u64 irq, EmulatedDeviceType type,
                                      std::initializer_list<u64> settings) {
    config::EmulatedDeviceConfig device{name, base.value(), length, irq, type, {}};
    for (const u64 setting : settings) expect(device.cfg_list.push_back(setting), "a board's device has few settings");
    return device;
}

/// The devices of a VM, of which no board has many.
class DeviceAdder {
public:
    explicit DeviceAdder(config::DeviceConfig& devices) : devices_(devices) {}
    void add(const config::EmulatedDeviceConfig& device) {
        expect(devices_.emu_devices.push_back(device), "a board has few emulated devices");
    }

private:
    config::DeviceConfig& devices_;
};

void add_riscv64(u64 cpu_num, config::DeviceConfig& devices) {
    devices.interrupt_mode = config::VMInterruptMode::Emulated;
    DeviceAdder to(devices);
    to.add(emulated("plic", Gpa{0x0c00'0000}, 0x60'0000, 0, EmulatedDeviceType::PPPTGlobal, {2 * cpu_num}));
    to.add(emulated("uart", Gpa{0x1000'0000}, 0x1000, 10, EmulatedDeviceType::Console, {}));
    to.add(emulated("rtc", Gpa{0x0010'1000}, 0x1000, 11, EmulatedDeviceType::Rtc, {}));
}

void add_aarch64(config::DeviceConfig& devices) {
    devices.interrupt_mode = config::VMInterruptMode::Emulated;
    DeviceAdder to(devices);
    to.add(emulated("gic", Gpa{0x0800'0000}, config::gic_frame, 0, EmulatedDeviceType::InterruptController, {3}));
    to.add(emulated("uart", Gpa{0x0900'0000}, 0x1000, config::first_spi + 1, EmulatedDeviceType::Console, {}));
    to.add(emulated("rtc", Gpa{0x0901'0000}, 0x1000, config::first_spi + 2, EmulatedDeviceType::Rtc, {}));
}

void add_x86_64(config::DeviceConfig& devices) {
    devices.interrupt_mode = config::VMInterruptMode::Emulated;
    DeviceAdder to(devices);
    to.add(emulated("ioapic", Gpa{0xfec0'0000}, 0x1000, 0, EmulatedDeviceType::X86IoApic, {}));
    to.add(emulated("com1", Gpa{0x3f8}, 8, 4, EmulatedDeviceType::Console, {}));
}

}  // namespace

const GuestBoard& guest_board(config::Arch arch) {
    switch (arch) {
        case config::Arch::X86_64: return x86_64_board;
        case config::Arch::Aarch64: return aarch64_board;
        case config::Arch::Riscv64: return riscv64_board;
    }
    return riscv64_board;
}

u64 cpu_number(config::Arch arch, u64 vcpu) {
    if (arch != config::Arch::Aarch64) return vcpu;
    // MPIDR_EL1: affinity 1 counts clusters, and affinity 0 what is in one.
    constexpr unsigned affinity_bits = 8;
    return (vcpu / config::gicv3_cluster << affinity_bits) | vcpu % config::gicv3_cluster;
}

void add_board_devices(config::Arch arch, u64 cpu_num, config::DeviceConfig& devices) {
    switch (arch) {
        case config::Arch::X86_64: add_x86_64(devices); break;
        case config::Arch::Aarch64: add_aarch64(devices); break;
        case config::Arch::Riscv64: add_riscv64(cpu_num, devices); break;
    }
}

}  // namespace ax::sim
