#include "sim/machine/pc.hpp"

namespace ax::sim {

namespace {

constexpr u32 timer_irq = 0, clock_irq = 8, sci_irq = 9;

DeviceWindow ports(u64 first, u64 bytes, bus::Device& device) { return {GpaRange{Gpa{first}, bytes}, &device, true}; }

}  // namespace

Pc::Pc(const Config& config, const Parts& parts)
    : lapics_({.vcpus = config.vcpus, .starts_in_virtual_wire = !config.has_firmware}, parts.cpus, parts.initiator, parts.clock, parts.timers),
      ioapic_(static_cast<u8>(config.vcpus), lapics_),
      pic_output_(lapics_, ioapic_),
      pics_(irq::Line(pic_output_, 0)),
      isa_(pics_, ioapic_),
      pit_(parts.clock, parts.timers, irq::Line(isa_, timer_irq)),
      cmos_({.epoch_ns = config.epoch_ns, .memory_below_4g = config.memory_below_4g, .vcpus = config.vcpus}, parts.clock, parts.timers,
            irq::Line(isa_, clock_irq)),
      pm_({}, parts.clock, parts.timers, irq::Line(isa_, sci_irq), parts.power),
      pci_(parts.power),
      port61_(pit_, parts.clock),
      port92_(parts.power) {
    lapics_.connect(&pics_, &ioapic_);
}

std::expected<std::vector<DeviceWindow>, std::string> Pc::attach(timer::TimerQueue& timers) {
    for (timer::AlarmClient* client : std::initializer_list<timer::AlarmClient*>{&lapics_, &pit_, &cmos_, &pm_})
        if (!timers.attach(*client)) return std::unexpected(std::string("no timer is left"));
    return std::vector<DeviceWindow>{
        {GpaRange{Gpa{dev::lapic::window_base}, dev::lapic::window_bytes}, &lapics_},
        {GpaRange{Gpa{dev::IoApic::window_base}, dev::IoApic::window_bytes}, &ioapic_},
        ports(0x20, 2, pics_.master()),
        ports(dev::I8254::port, dev::I8254::window_bytes, pit_),
        ports(dev::Port61::port, dev::Port61::window_bytes, port61_),
        ports(dev::Cmos::port, dev::Cmos::window_bytes, cmos_),
        ports(dev::Port92::port, dev::Port92::window_bytes, port92_),
        ports(0xa0, 2, pics_.slave()),
        ports(0x4d0, 2, pics_.elcr()),
        ports(dev::AcpiPm::port, dev::AcpiPm::window_bytes, pm_),
        ports(dev::PciHost::port, dev::PciHost::window_bytes, pci_),
    };
}

}  // namespace ax::sim
