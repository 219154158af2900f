// What every PC has beside its CPUs and memory: interrupt controllers, timers, clock, power, and the ports of the board.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "devices/irqchip/i8259.hpp"
#include "devices/irqchip/vioapic.hpp"
#include "devices/irqchip/vlapic.hpp"
#include "devices/pc/acpi_pm.hpp"
#include "devices/pc/cmos.hpp"
#include "devices/pc/fw_cfg.hpp"
#include "devices/pc/i8254.hpp"
#include "devices/pc/isa_irqs.hpp"
#include "devices/pc/pci_host.hpp"
#include "devices/pc/system_ports.hpp"
#include "sim/machine/isa_vm.hpp"

namespace ax::sim {

class Pc {
public:
    struct Config {
        u32 vcpus = 1;
        const FirmwareInput* firmware = nullptr;  ///< null: the first CPU starts as a BIOS leaves it
        u64 epoch_ns = 0;
        u64 memory_below_4g = 0;
        bool has_tsc_deadline = true;
        u64 tsc_hz = dev::lapic::usual_tsc_hz;
        bool has_x2apic = false;
    };
    /// Where its parts are attached.
    struct Parts {
        irq::CpuSignals& cpus;
        dev::PowerSwitch& power;
        const bus::Initiator& initiator;
        timer::Clock& clock;
        timer::TimerQueue& timers;
        mm::GuestMemory* memory = nullptr;  ///< for fw_cfg
    };

    Pc(const Config& config, const Parts& parts);
    /// The error says what the machine has no room for.
    [[nodiscard]] std::expected<std::vector<DeviceWindow>, std::string> attach(timer::TimerQueue& timers);

    [[nodiscard]] dev::LocalApics& lapics() { return lapics_; }
    /// Inputs of the ISA bus, 0 to 15.
    [[nodiscard]] irq::Line isa(u32 number) { return {isa_, number}; }

private:
    [[nodiscard]] bool fill_fw_cfg();

    const FirmwareInput* firmware_;
    dev::LocalApics lapics_;
    dev::IoApic ioapic_;
    dev::PicOutput pic_output_;
    dev::I8259Pair pics_;
    dev::IsaIrqs isa_;
    dev::I8254 pit_;
    dev::Cmos cmos_;
    dev::AcpiPm pm_;
    dev::PciHost pci_;
    dev::Port61 port61_;
    dev::Port92 port92_;
    dev::FwCfg fw_cfg_;  ///< attached with firmware alone
};

}  // namespace ax::sim
