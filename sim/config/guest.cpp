#include "sim/config/guest.hpp"

#include <fstream>
#include <iterator>

#include "core/base/bits.hpp"
#include "core/config/check.hpp"
#include "sim/config/acpi_tables.hpp"

namespace ax::sim {

namespace {

using config::Hex;

/// Where a PC's ACPI tables lie: the area in which systems look for them ("Finding the RSDP on IA-PC Systems").
constexpr u64 acpi_rsdp = 0xf'0000, acpi_tables = 0xe'0000;

template <class... Parts>
std::string text(const Parts&... parts) {
    return std::string(config::join(parts...).view());
}

/// A segment, and the key of the file that it comes from.
struct KeyedSegment {
    std::string key;
    Segment segment;
};

/// Collects what loading finds, and keeps on after an error.
class Loader {
public:
    Loader(const VmFile& vm, const PlatformFile& platform) : vm_(vm), platform_(platform) {}

    std::expected<Guest, ConfigError> load();

private:
    void load_kernel();
    void load_plain(const std::string& role, const std::optional<std::filesystem::path>& path, std::optional<u64> address,
                    std::optional<GpaRange>& range);
    void load_device_tree();
    void check_overlap();
    void load_symbols(const ImageFile& kernel);
    std::optional<ImageFile> open(const std::string& role, const std::filesystem::path& path);
    void add_segment(const std::string& key, Segment segment);
    std::optional<Gpa> place_device_tree(u64 size);
    std::expected<std::vector<std::byte>, std::string> generate_device_tree() const;
    void check_linux_alignment(const PlacedKernel& placed);
    void load_x86();
    void start_x86(const ImageFile& kernel, const X86BootInput& input);
    void start_firmware(const ImageFile& rom, FirmwareImages images);
    void add_loaded(const std::string& role, const ImageFile& image, u64 address);
    std::optional<Gpa> add_acpi_tables();
    void report(const std::string& key, const ImageError& error);

    const VmFile& vm_;
    const PlatformFile& platform_;
    Guest guest_;
    std::vector<KeyedSegment> segments_;
    Gpa entry_;
    std::optional<GpaRange> ramdisk_;
    std::vector<Diagnostic> errors_;
};

void Loader::report(const std::string& key, const ImageError& error) {
    errors_.push_back(diagnose(vm_, {key, error.rule, error.what, error.hint}));
}

std::optional<ImageFile> Loader::open(const std::string& role, const std::filesystem::path& path) {
    auto image = load_image(path);
    if (!image) {
        report("kernel." + role + "_path", image.error());
        return std::nullopt;
    }
    guest_.images.push_back({role, path.string(), image->bytes().size(), image->digest()});
    return *std::move(image);
}

void Loader::add_segment(const std::string& key, Segment segment) {
    if (segment.range().wraps() || region_of(vm_.config.kernel, segment.gpa, segment.memory_size) == nullptr)
        report(key, {"image-memory",
                     "needs " + text(Hex{segment.memory_size}, " bytes at ", Hex{segment.gpa.value()}) +
                         ", which is not all inside one memory region",
                     "make the region larger or load it elsewhere"});
    segments_.push_back({key, std::move(segment)});
}

void Loader::load_symbols(const ImageFile& kernel) {
    SymbolTable symbols = SymbolTable::from_elf(kernel.bytes());
    if (symbols.empty()) {
        std::ifstream map(kernel.path().string() + ".map", std::ios::binary);
        const std::string lines{std::istreambuf_iterator<char>(map), std::istreambuf_iterator<char>()};
        symbols = SymbolTable::from_system_map(lines);
    }
    guest_.symbols = std::make_shared<const SymbolTable>(std::move(symbols));
}

void Loader::load_kernel() {
    guest_.symbols = std::make_shared<const SymbolTable>();
    const auto image = open("kernel", vm_.images.kernel);
    if (!image) return;
    load_symbols(*image);
    const auto placed = place_kernel(*image, vm_.config.kernel, platform_.config.arch);
    if (!placed) {
        report("kernel.kernel_path", placed.error());
        return;
    }
    entry_ = placed->entry;
    for (const Segment& segment : placed->segments) segments_.push_back({"kernel.kernel_path", segment});
    if (region_of(vm_.config.kernel, entry_, 1) == nullptr)
        report("kernel.kernel_path", {"image-entry", "starts at " + text(Hex{entry_.value()}) + ", outside the VM's memory",
                                      "name the address in entry_point"});
    check_linux_alignment(*placed);
}

/// An x86 VM starts in one of several ways, which the images choose: sim/config/x86_boot.hpp, sim/config/firmware.hpp.
void Loader::load_x86() {
    const config::KernelConfig& config = vm_.config.kernel;
    guest_.symbols = std::make_shared<const SymbolTable>();
    auto kernel = open("kernel", vm_.images.kernel);
    if (kernel) load_symbols(*kernel);
    // A path without an address was refused when the file was read.
    std::optional<ImageFile> bios, ramdisk, option_rom;
    if (vm_.images.bios && config.bios_load_addr) bios = open("bios", *vm_.images.bios);
    if (vm_.images.ramdisk && config.ramdisk_load_addr) ramdisk = open("ramdisk", *vm_.images.ramdisk);
    if (vm_.images.option_rom) option_rom = open("option_rom", *vm_.images.option_rom);
    if (config::boot_protocol_of(config) == config::BootProtocol::Uefi)
        report("kernel.boot_protocol", {"boot-firmware", "axsim has no flash memory for UEFI firmware", "use \"multiboot\" with a BIOS image in bios_path"});
    if (!errors_.empty() || !kernel) return;
    if (is_reset_rom(Gpa{config.kernel_load_addr}, kernel->bytes().size())) return start_firmware(*kernel, {{}, std::move(ramdisk), std::move(option_rom)});
    if (bios && is_reset_rom(Gpa{*config.bios_load_addr}, bios->bytes().size())) return start_firmware(*bios, {std::move(kernel), std::move(ramdisk), std::move(option_rom)});

    X86BootInput input;
    if (bios) {
        input.bios = GpaRange{Gpa{*config.bios_load_addr}, bios->bytes().size()};
        add_loaded("bios", *bios, *config.bios_load_addr);
    }
    if (ramdisk) {
        input.initrd = GpaRange{Gpa{*config.ramdisk_load_addr}, ramdisk->bytes().size()};
        add_loaded("ramdisk", *ramdisk, *config.ramdisk_load_addr);
    }
    start_x86(*kernel, input);
}

/// Without firmware; its work is done here.
void Loader::start_x86(const ImageFile& kernel, const X86BootInput& input) {
    X86BootInput with_tables = input;
    with_tables.rsdp = add_acpi_tables().value_or(Gpa{});
    auto boot = place_x86_kernel(kernel, vm_.config.kernel, with_tables);
    if (!boot) {
        report("kernel.kernel_path", boot.error());
        return;
    }
    // Code of real mode expects a PC as it comes, and may lie where the tables are.
    if (boot->start == PcStart::Real) std::erase_if(segments_, [](const KeyedSegment& s) { return s.segment.name == "acpi"; });
    entry_ = boot->entry;
    guest_.device_tree = boot->argument;
    guest_.pc_start = boot->start;
    guest_.pc_eax = boot->eax;
    for (Segment& segment : boot->segments) segments_.push_back({"kernel.kernel_path", std::move(segment)});
    if (region_of(vm_.config.kernel, entry_, 1) == nullptr)
        report("kernel.kernel_path", {"image-entry", "starts at " + text(Hex{entry_.value()}) + ", outside the VM's memory",
                                      "name the address in entry_point"});
}

/// The firmware looks for its kernel at fw_cfg; nothing but the ROM is in memory.
void Loader::start_firmware(const ImageFile& rom, FirmwareImages images) {
    const std::string key = images.kernel ? "kernel.bios_path" : "kernel.kernel_path";
    auto placed = place_rom(rom, vm_.config.kernel);
    if (!placed) report(key, placed.error());
    auto input = make_firmware_input(std::move(images), vm_.config);
    if (!input) report("kernel.kernel_path", input.error());
    if (!placed || !input) return;
    constexpr u64 reset_vector = 0xffff'fff0;
    entry_ = Gpa{reset_vector};
    guest_.pc_start = PcStart::Reset;
    guest_.firmware = std::make_unique<const FirmwareInput>(std::move(*input));
    for (Segment& segment : *placed) segments_.push_back({key, std::move(segment)});
}

void Loader::add_loaded(const std::string& role, const ImageFile& image, u64 address) {
    add_segment("kernel." + role + "_path", {role, Gpa{address}, image.bytes(), image.bytes().size(), image.storage()});
}

/// Where the RSDP is; none when the VM has no memory there.
std::optional<Gpa> Loader::add_acpi_tables() {
    const auto tables = make_acpi_tables({.cpus = static_cast<u32>(vm_.config.base.cpu_num)}, Gpa{acpi_tables});
    if (!tables) {
        report("base.cpu_num", {"acpi", "cannot make ACPI tables: " + tables.error(), "use fewer CPUs"});
        return std::nullopt;
    }
    if (region_of(vm_.config.kernel, Gpa{acpi_tables}, acpi_rsdp + tables->rsdp.size() - acpi_tables) == nullptr) return std::nullopt;
    add_segment("kernel.memory_regions", make_segment("acpi", Gpa{acpi_rsdp}, tables->rsdp));
    add_segment("kernel.memory_regions", make_segment("acpi", Gpa{acpi_tables}, tables->tables));
    return Gpa{acpi_rsdp};
}

/// Linux Documentation, "Boot requirements of RISC-V kernel" and "Booting AArch64 Linux": the kernel maps itself with
/// 2 MiB pages.
void Loader::check_linux_alignment(const PlacedKernel& placed) {
    constexpr u64 huge_page = 2 << 20;
    const u64 load = vm_.config.kernel.kernel_load_addr;
    const u64 offset = placed.text_offset % huge_page;
    if (placed.kind != KernelKind::LinuxImage || load % huge_page == offset) return;
    const u64 better = align_down(load, huge_page) + offset;
    if (platform_.config.arch == config::Arch::Riscv64)
        guest_.warnings.push_back(diagnose(
            vm_,
            {"kernel.kernel_load_addr", "linux-alignment", text(Hex{load}, " is not a multiple of 2 MiB; Linux will not start there"),
             text("use ", Hex{better})},
            config::Severity::Warning));
    else
        guest_.warnings.push_back(diagnose(
            vm_,
            {"kernel.kernel_load_addr", "linux-alignment",
             text(Hex{load}, " is not ", Hex{offset}, " beyond a multiple of 2 MiB, as the image's header asks; Linux may not start there"),
             text("use ", Hex{better})},
            config::Severity::Warning));
}

void Loader::load_plain(const std::string& role, const std::optional<std::filesystem::path>& path, std::optional<u64> address,
                        std::optional<GpaRange>& range) {
    // A path without an address was refused when the file was read.
    if (!path || !address) return;
    const auto image = open(role, *path);
    if (!image) return;
    const u64 size = image->bytes().size();
    range = GpaRange{Gpa{*address}, size};
    add_segment("kernel." + role + "_path", {role, Gpa{*address}, image->bytes(), size, image->storage()});
}

/// Where a tree without an address goes: the top of the memory that holds the kernel.
std::optional<Gpa> Loader::place_device_tree(u64 size) {
    if (vm_.config.kernel.dtb_load_addr) return Gpa{*vm_.config.kernel.dtb_load_addr};
    const config::VmMemConfig* region = region_of(vm_.config.kernel, Gpa{vm_.config.kernel.kernel_load_addr}, 1);
    if (region == nullptr || region->size < align_up(size, page_size)) return std::nullopt;
    return region->range().end() - align_up(size, page_size);
}

std::expected<std::vector<std::byte>, std::string> Loader::generate_device_tree() const {
    if (platform_.config.arch == config::Arch::Aarch64) {
        Arm64DtbInput input = arm64_dtb_input_for(vm_.config, platform_);
        input.initrd = ramdisk_;
        return make_arm64_dtb(input);
    }
    GuestDtbInput input = dtb_input_for(vm_.config, platform_);
    input.initrd = ramdisk_;
    return make_guest_dtb(input);
}

void Loader::load_device_tree() {
    std::expected<std::vector<std::byte>, std::string> tree;
    std::string key = "kernel.dtb_path";
    if (vm_.images.dtb) {
        const auto image = open("dtb", *vm_.images.dtb);
        if (!image) return;
        tree = patch_guest_dtb(image->bytes(), {std::string(vm_.config.kernel.cmdline.view()), ramdisk_});
        if (!tree) tree = std::unexpected(vm_.images.dtb->string() + " is no good device tree: " + tree.error());
    } else if (platform_.config.arch != config::Arch::X86_64) {
        tree = generate_device_tree();
        key = vm_.config.kernel.dtb_load_addr ? "kernel.dtb_load_addr" : "kernel.memory_regions";
        if (!tree) tree = std::unexpected("cannot make a device tree: " + tree.error());
    } else {
        return;
    }
    if (!tree) {
        report(key,
               {"dtb", tree.error(), vm_.images.dtb ? "rebuild it with dtc" : "change the value, or give a tree in dtb_path"});
        return;
    }
    const auto gpa = place_device_tree(tree->size());
    if (!gpa) {
        report(key, {"dtb", "no room for a device tree of " + std::to_string(tree->size()) + " bytes", "add dtb_load_addr"});
        return;
    }
    guest_.device_tree = *gpa;
    const auto storage = std::make_shared<const std::vector<std::byte>>(*std::move(tree));
    add_segment(key, {"dtb", *gpa, *storage, storage->size(), storage});
}

void Loader::check_overlap() {
    for (std::size_t i = 0; i < segments_.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const Segment& a = segments_[i].segment;
            const Segment& b = segments_[j].segment;
            if (!a.range().overlaps(b.range())) continue;
            report(segments_[i].key,
                   {"image-overlap",
                    a.name + text(" at ", Hex{a.gpa.value()}, "..", Hex{a.range().end().value()}, " overlaps ") + b.name +
                        text(" at ", Hex{b.gpa.value()}, "..", Hex{b.range().end().value()}),
                    a.name == b.name ? "rebuild the image" : "load one of them elsewhere"});
        }
    }
}

std::expected<Guest, ConfigError> Loader::load() {
    const config::KernelConfig& kernel = vm_.config.kernel;
    if (platform_.config.arch == config::Arch::X86_64) {
        load_x86();
    } else {
        std::optional<GpaRange> bios;
        load_kernel();
        load_plain("bios", vm_.images.bios, kernel.bios_load_addr, bios);
        load_plain("ramdisk", vm_.images.ramdisk, kernel.ramdisk_load_addr, ramdisk_);
    }
    load_device_tree();
    check_overlap();
    if (!errors_.empty()) return std::unexpected(ConfigError{std::move(errors_)});
    guest_.config = std::make_unique<config::AxVMConfig>(vm_.config);
    guest_.config->set_entry(entry_);
    for (KeyedSegment& keyed : segments_) guest_.segments.push_back(std::move(keyed.segment));
    return std::move(guest_);
}

}  // namespace

std::expected<Guest, ConfigError> load_guest(const VmFile& vm, const PlatformFile& platform) {
    return Loader(vm, platform).load();
}

namespace {

/// The memory that a guest may use freely: neither devices, nor what it can only read.
std::vector<GpaRange> ram_of(const config::KernelConfig& kernel) {
    std::vector<GpaRange> ram;
    for (const config::VmMemConfig& region : kernel.memory_regions)
        if (!region.permissions().device && region.permissions().write) ram.push_back(region.range());
    return ram;
}

/// The number by which the guest knows each vCPU.
std::vector<u64> cpu_ids_of(const config::BaseConfig& base) {
    std::vector<u64> numbers;
    for (u64 i = 0; i < base.cpu_num; ++i) {
        const auto& ids = base.phys_cpu_ids;
        numbers.push_back(ids && i < ids->size() ? (*ids)[i] : i);
    }
    return numbers;
}

}  // namespace

GuestDtbInput dtb_input_for(const config::AxVMCrateConfig& config, const PlatformFile& platform) {
    GuestDtbInput input;
    input.timebase_frequency = platform.timer_frequency();
    input.bootargs = std::string(config.kernel.cmdline.view());
    input.memory = ram_of(config.kernel);
    input.hart_ids = cpu_ids_of(config.base);
    for (const config::EmulatedDeviceConfig& device : config.devices.emu_devices) {
        const DtbDevice found{device.range(), static_cast<u32>(device.irq_id)};
        if (device.emu_type == config::EmulatedDeviceType::PPPTGlobal) input.plic = device.range();
        if (device.emu_type == config::EmulatedDeviceType::Console && !input.uart) input.uart = found;
        if (device.emu_type == config::EmulatedDeviceType::Rtc && !input.rtc) input.rtc = found;
    }
    return input;
}

Arm64DtbInput arm64_dtb_input_for(const config::AxVMCrateConfig& config, const PlatformFile& platform) {
    Arm64DtbInput input;
    input.bootargs = std::string(config.kernel.cmdline.view());
    input.memory = ram_of(config.kernel);
    input.cpu_ids = cpu_ids_of(config.base);
    if (!platform.config.devices.psci_method.empty()) input.psci_method = std::string(platform.config.devices.psci_method.view());
    const auto& devices = config.devices.emu_devices;
    input.gic = config::gic_layout(std::span(devices.begin(), devices.size()), config.base.cpu_num);
    for (const config::EmulatedDeviceConfig& device : devices) {
        const DtbDevice found{device.range(), static_cast<u32>(device.irq_id)};
        if (device.emu_type == config::EmulatedDeviceType::Console && !input.uart) input.uart = found;
        if (device.emu_type == config::EmulatedDeviceType::Rtc && !input.rtc) input.rtc = found;
    }
    // The family names what it passes through after the node of the board's tree, as "pl011@9000000".
    for (const config::PassThroughDeviceConfig& device : config.devices.passthrough_devices) {
        if (device.length == 0) continue;
        const DtbDevice found{device.range(), static_cast<u32>(device.irq_id)};
        if (device.name.view().starts_with("pl011@") && !input.uart) input.uart = found;
        if (device.name.view().starts_with("pl031@") && !input.rtc) input.rtc = found;
    }
    return input;
}

}  // namespace ax::sim
