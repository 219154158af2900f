#include "sim/machine/pc.hpp"

namespace ax::sim {

namespace {

constexpr u32 timer_irq = 0, clock_irq = 8, sci_irq = 9;

DeviceWindow ports(u64 first, u64 bytes, bus::Device& device) { return {GpaRange{Gpa{first}, bytes}, &device, true}; }

}  // namespace

Pc::Pc(const Config& config, const Parts& parts)
    : firmware_(config.firmware),
      lapics_({.vcpus = config.vcpus,
               .has_x2apic = config.has_x2apic,
               .has_tsc_deadline = config.has_tsc_deadline,
               .tsc_hz = config.tsc_hz,
               .starts_in_virtual_wire = config.firmware == nullptr},
              parts.cpus, parts.initiator, parts.clock, parts.timers),
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
      port92_(parts.power),
      fw_cfg_(parts.memory) {
    lapics_.connect(&pics_, &ioapic_);
}

std::expected<std::vector<DeviceWindow>, std::string> Pc::attach(timer::TimerQueue& timers) {
    for (timer::AlarmClient* client : std::initializer_list<timer::AlarmClient*>{&lapics_, &pit_, &cmos_, &pm_})
        if (!timers.attach(*client)) return std::unexpected(std::string("no timer is left"));
    std::vector<DeviceWindow> windows{
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
    if (firmware_ != nullptr) {
        if (!fill_fw_cfg()) return std::unexpected(std::string("fw_cfg has no room for what the firmware asks for"));
        windows.push_back(ports(dev::FwCfg::port, dev::FwCfg::window_bytes, fw_cfg_));
    }
    return windows;
}

/// QEMU documentation, "QEMU Firmware Configuration (fw_cfg) Device"; the kernel's items are what the option ROM linuxboot reads.
bool Pc::fill_fw_cfg() {
    namespace key = dev::fw_cfg_key;
    const FirmwareInput& in = *firmware_;
    bool fits = fw_cfg_.add_number(key::ram_size, in.memory_below_4g, 8) && fw_cfg_.add_number(key::cpu_count, in.cpus, 2) &&
                fw_cfg_.add_number(key::max_cpus, in.cpus, 2) && fw_cfg_.add_file("etc/e820", in.e820) &&
                fw_cfg_.add_file("etc/acpi/rsdp", in.rsdp) && fw_cfg_.add_file("etc/acpi/tables", in.tables) &&
                fw_cfg_.add_file("etc/table-loader", in.table_loader);
    if (in.images.option_rom) fits = fits && fw_cfg_.add_file("genroms/linuxboot_dma.bin", in.images.option_rom->bytes());
    if (in.images.initrd && in.kernel)
        fits = fits && fw_cfg_.add_number(key::initrd_address, in.kernel->initrd_at.value(), 4) &&
               fw_cfg_.add_number(key::initrd_size, in.images.initrd->bytes().size(), 4) && fw_cfg_.add(key::initrd_data, in.images.initrd->bytes());
    if (!in.kernel) return fits;
    const FirmwareKernel& kernel = *in.kernel;
    return fits && fw_cfg_.add_number(key::kernel_address, kernel.kernel_at.value(), 4) &&
           fw_cfg_.add_number(key::kernel_size, kernel.kernel.size(), 4) && fw_cfg_.add(key::kernel_data, kernel.kernel) &&
           fw_cfg_.add_number(key::cmdline_address, kernel.cmdline_at.value(), 4) &&
           fw_cfg_.add_number(key::cmdline_size, kernel.cmdline.size(), 4) && fw_cfg_.add(key::cmdline_data, kernel.cmdline) &&
           fw_cfg_.add_number(key::setup_address, kernel.setup_at.value(), 4) && fw_cfg_.add_number(key::setup_size, kernel.setup.size(), 4) &&
           fw_cfg_.add(key::setup_data, kernel.setup);
}

}  // namespace ax::sim
