// Keys of VM files.
#include "core/config/crate_config.hpp"
#include "sim/config/choices.hpp"
#include "sim/config/file_keys.hpp"

namespace ax::sim {

namespace {

using namespace config;
using enum KeyKind;

constexpr bool required = true, optional = false, own = true, familys = false;
constexpr u64 any = ~u64{0};
constexpr u64 ids = 0xffff'ffff;
/// Linux, the largest user of the longest key, takes no more either.
constexpr u64 path_length = Path::capacity(), cmdline_length = Cmdline::capacity(), name_length = Name::capacity();

constexpr auto image_locations = choices::words_of(choices::image_locations);
constexpr auto boot_protocols = choices::words_of(choices::boot_protocols);
constexpr auto interrupt_modes = choices::words_of(choices::interrupt_modes);
constexpr auto policies = choices::words_of(choices::address_space_policies);
constexpr auto lapic_timers = choices::words_of(choices::lapic_timers);
constexpr auto lapic_modes = choices::words_of(choices::lapic_modes);
constexpr auto populations = choices::words_of(choices::memory_populations);
constexpr auto frame_sizes = choices::words_of(choices::frame_sizes);

constexpr KeyInfo number(std::string_view table, std::string_view key, bool is_required, std::string_view doc, u64 min = 0, u64 max = any) {
    return {table, key, Number, is_required, familys, min, max, {}, nullptr, doc};
}
constexpr KeyInfo text(std::string_view table, std::string_view key, bool is_required, u64 length, std::string_view doc) {
    return {table, key, Text, is_required, familys, 0, length, {}, nullptr, doc};
}
constexpr KeyInfo choice(std::string_view table, std::string_view key, std::span<const std::string_view> words, bool is_own,
                         std::string_view doc) {
    return {table, key, Choice, optional, is_own, 0, any, words, nullptr, doc};
}
constexpr KeyInfo list(std::string_view table, std::string_view key, bool is_required, const ElementLayout& layout, u64 length,
                       std::string_view doc) {
    return {table, key, Elements, is_required, familys, 0, length, {}, &layout, doc};
}

constexpr auto keys = std::to_array<KeyInfo>({
    number("base", "id", required, "Number of the VM, different from that of every other VM of the machine.", 0, ids),
    text("base", "name", required, name_length, "Name of the VM, for messages and traces."),
    number("base", "vm_type", required, "Kind of guest: 0 host VM, 1 RTOS, 2 Linux. Another number is taken for 1, with a warning."),
    number("base", "cpu_num", required, "Number of vCPUs.", 1, max_vcpus),
    {"base", "phys_cpu_ids", Numbers, optional, familys, 0, max_vcpus, {}, nullptr,
     "For each vCPU the number by which the guest knows it: hart id, MPIDR affinity or APIC id. Without it, 0, 1, 2 and so on."},
    {"base", "phys_cpu_sets", Numbers, optional, familys, 0, max_vcpus, {}, nullptr,
     "For each vCPU a mask of the pCPUs that may run it, bit n for pCPU n. Without it, any pCPU."},

    number("kernel", "entry_point", optional, "Guest physical address where the vCPUs start. 0, or no such key: where the kernel image says."),
    text("kernel", "kernel_path", required, path_length, "Kernel image: ELF, Linux Image or raw. Relative paths count from this file."),
    number("kernel", "kernel_load_addr", required, "Guest physical address of the kernel image; Linux wants a multiple of 2 MiB."),
    text("kernel", "bios_path", optional, path_length, "Firmware image; needs bios_load_addr."),
    number("kernel", "bios_load_addr", optional, "Guest physical address of the firmware image."),
    text("kernel", "dtb_path", optional, path_length, "Device tree; needs dtb_load_addr. Without it, axsim generates one."),
    number("kernel", "dtb_load_addr", optional, "Guest physical address of the device tree, a multiple of 8. Without it, the top of the kernel's memory region."),
    text("kernel", "ramdisk_path", optional, path_length, "Initial RAM disk; needs ramdisk_load_addr."),
    number("kernel", "ramdisk_load_addr", optional, "Guest physical address of the RAM disk."),
    choice("kernel", "image_location", image_locations, familys,
           "Where the images come from: files (fs), or built into the hypervisor (memory). axsim reads files either way."),
    text("kernel", "cmdline", optional, cmdline_length, "Command line of the kernel; goes into the device tree."),
    text("kernel", "disk_path", optional, path_length, "Disk image. Read and kept, but used by no device yet."),
    {"kernel", "enable_bios", Boolean, optional, familys, 0, any, {}, nullptr, "Starts the guest through its firmware: boot_protocol \"multiboot\" when none is named."},
    choice("kernel", "boot_protocol", boot_protocols, familys, "How the guest is started; \"direct\" unless enable_bios says otherwise."),
    text("kernel", "uefi_firmware_path", optional, path_length, "UEFI firmware image, for boot_protocol \"uefi\"."),
    {"kernel", "option_rom_path", Text, optional, own, 0, path_length, {}, nullptr, "x86: a ROM that the firmware finds through fw_cfg and runs; linuxboot_dma.bin starts the kernel."},
    choice("kernel", "memory_population", populations, own, "When memory of map_type 0 is taken from the host: when the VM is created, or page by page at its first use."),
    choice("kernel", "frame_size", frame_sizes, own, "The largest frame that backs memory of map_type 0."),
    list("kernel", "memory_regions", required, memory_region_layout, max_memory_regions, "The guest's RAM; at least one region."),

    list("devices", "emu_devices", required, emu_device_layout, max_emu_devices, "Devices that the hypervisor emulates."),
    list("devices", "passthrough_devices", required, passthrough_device_layout, max_pass_through_devices, "Devices of the board that the guest gets; a name that is a device-tree path needs nothing else."),
    choice("devices", "interrupt_mode", interrupt_modes, familys, "How interrupts reach the guest: not at all, by an emulated controller, or from the board's."),
    {"devices", "excluded_devices", PathLists, optional, familys, 0, max_excluded_devices, {}, nullptr, "Device-tree paths left out of what is passed through, in lists that are joined."},
    list("devices", "passthrough_addresses", optional, passthrough_address_layout, max_pass_through_addresses, "Windows of the board mapped at their own addresses."),
    list("devices", "passthrough_ports", optional, passthrough_port_layout, max_pass_through_ports, "I/O ports of an x86 board that the guest gets."),
    choice("devices", "address_space_policy", policies, familys, "What lies where the file names nothing: no memory, or the board's own."),
    choice("devices", "lapic_timer", lapic_timers, own, "x86: the best mode of the local APICs' timers that guests are told of."),
    choice("devices", "lapic_mode", lapic_modes, own, "x86: whether guests are told of x2APIC."),

    number("memory_regions", "gpa", required, "First guest physical address, a multiple of 0x1000."),
    number("memory_regions", "size", required, "Bytes, a multiple of 0x1000."),
    number("memory_regions", "flags", required, "Sum of read 0x1, write 0x2, execute 0x4, user 0x8, device 0x10, uncached 0x20.", 1, mapping_flags::all),
    number("memory_regions", "map_type", required, "0: taken from free memory. 1: at the same host address. 2: reserved by the platform at the same address.", 0, 2),

    text("emu_devices", "name", required, DeviceName::capacity(), "Name of the device, for messages."),
    number("emu_devices", "base_gpa", required, "First guest physical address of its window."),
    number("emu_devices", "length", required, "Bytes of its window."),
    number("emu_devices", "irq_id", required, "Input of the VM's interrupt controller as that numbers it, on a GIC 32 + n for SPI n; 0 for none.", 0, 1023),
    number("emu_devices", "emu_type", required, "Type of the device; configs/README.md lists the numbers.", 0, 0xff),
    {"emu_devices", "cfg_list", Numbers, required, familys, 0, max_cfg_list, {}, nullptr, "Settings, by type: a PLIC takes its number of contexts, a GIC its version and perhaps its second address, a GICv3 redistributor its vCPUs, stride and first pCPU."},

    text("passthrough_devices", "name", required, DeviceName::capacity(), "Name of the device, or its path in the device tree."),
    number("passthrough_devices", "base_gpa", optional, "First guest physical address of its window."),
    number("passthrough_devices", "base_hpa", optional, "First address of its window on the board."),
    number("passthrough_devices", "length", optional, "Bytes of its window; 0 for a device-tree path."),
    number("passthrough_devices", "irq_id", optional, "Interrupt of the board that it raises; the family writes 1 for none."),

    number("passthrough_addresses", "base_gpa", optional, "First address, the same for guest and board."),
    number("passthrough_addresses", "length", optional, "Bytes."),

    number("passthrough_ports", "base", required, "First port.", 0, 0xffff),
    number("passthrough_ports", "length", required, "Number of ports.", 1, 0xffff),
});

}  // namespace

std::span<const KeyInfo> vm_key_table() { return keys; }

}  // namespace ax::sim
