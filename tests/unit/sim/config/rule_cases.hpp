// One case per rule over configurations: a change to a good file, and exactly what is then said of it.
#pragma once

#include <array>
#include <string_view>

namespace ax::test {

/// `from` is replaced by `to`; `found` is the one-line text of every finding.
struct GoldenCase {
    std::string_view from;
    std::string_view to;
    std::string_view found;
};

/// A command line of 1024 characters.
inline constexpr std::string_view long_cmdline =
    "cmdline = \""
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "\"";

/// Changes of `good_vm` alone.
inline constexpr auto alone_cases = std::to_array<GoldenCase>({
    {"id = 1", "id = 0x1_0000_0000",
     "vm.toml:2:6: error: base.id: 0x100000000 is more than 32 bits; number VMs from 1 [id-range]\n"},
    {"vm_type = 2", "vm_type = 7",
     "vm.toml:4:11: warning: base.vm_type: 7 names no type of VM; it is taken for an RTOS; use 0 (host VM), 1 (RTOS) or 2 (Linux) [vm-type]\n"},
    {"cpu_num = 2", "cpu_num = 0",
     "vm.toml:5:11: error: base.cpu_num: a VM cannot have 0 vCPUs; use a number from 1 to 64 [cpu-num]\n"
     "vm.toml:6:16: error: base.phys_cpu_ids: has 2 elements, but the VM has 0 vCPUs; give one element per vCPU, or leave the key out [per-vcpu-length]\n"
     "vm.toml:7:17: error: base.phys_cpu_sets: has 2 elements, but the VM has 0 vCPUs; give one element per vCPU, or leave the key out [per-vcpu-length]\n"},
    {"cpu_num = 2", "cpu_num = 65",
     "vm.toml:5:11: error: base.cpu_num: a VM cannot have 65 vCPUs; use a number from 1 to 64 [cpu-num]\n"
     "vm.toml:6:16: error: base.phys_cpu_ids: has 2 elements, but the VM has 65 vCPUs; give one element per vCPU, or leave the key out [per-vcpu-length]\n"
     "vm.toml:7:17: error: base.phys_cpu_sets: has 2 elements, but the VM has 65 vCPUs; give one element per vCPU, or leave the key out [per-vcpu-length]\n"
     "vm.toml:24:47: error: devices.emu_devices[0].cfg_list: 4 PLIC contexts are too few for 65 vCPUs; use [130]: two contexts per vCPU [device-config]\n"},
    {"phys_cpu_ids = [0, 1]", "phys_cpu_ids = [0]",
     "vm.toml:6:16: error: base.phys_cpu_ids: has 1 element, but the VM has 2 vCPUs; give one element per vCPU, or leave the key out [per-vcpu-length]\n"},
    {"phys_cpu_ids = [0, 1]", "phys_cpu_ids = [3, 3]",
     "vm.toml:6:20: error: base.phys_cpu_ids[1]: 0x3 is the id of vCPU 0 already; give each vCPU its own id [duplicate-cpu-id]\n"},
    {"phys_cpu_sets = [1, 3]", "phys_cpu_sets = [1, 3, 1]",
     "vm.toml:7:17: error: base.phys_cpu_sets: has 3 elements, but the VM has 2 vCPUs; give one element per vCPU, or leave the key out [per-vcpu-length]\n"},
    {"phys_cpu_sets = [1, 3]", "phys_cpu_sets = [1, 0]",
     "vm.toml:7:21: error: base.phys_cpu_sets[1]: vCPU 1 may run on no pCPU; set bit n to allow pCPU n, for example 0x3 for pCPUs 0 and 1 [empty-cpu-set]\n"},
    {"    [0x8000_0000, 0x1000_0000, 0x7, 0],\n    [0x9000_0000, 0x20_0000, 0x7, 1],\n", "",
     "vm.toml:16:18: error: kernel.memory_regions: the VM has no memory; add a region, for example [0x8000_0000, 0x1000_0000, 0x7, 0] [no-memory]\n"},
    {"[0x9000_0000, 0x20_0000", "[0x9000_0800, 0x20_0000",
     "vm.toml:18:6: error: kernel.memory_regions[1].gpa: 0x90000800 is not a multiple of the page size 0x1000; use 0x90000000 [region-alignment]\n"},
    {"0x9000_0000, 0x20_0000", "0x9000_0000, 0",
     "vm.toml:18:19: error: kernel.memory_regions[1].size: the region is empty; give its size in bytes, or remove the region [region-size]\n"},
    {"0x9000_0000, 0x20_0000", "0x9000_0000, 0x20_0001",
     "vm.toml:18:19: error: kernel.memory_regions[1].size: 0x200001 is not a multiple of the page size 0x1000; use a whole number of pages [region-size]\n"},
    {"[0x9000_0000, 0x20_0000", "[\"0xffff_ffff_ffff_f000\", 0x20_0000",
     "vm.toml:18:31: error: kernel.memory_regions[1].size: the region from 0xfffffffffffff000 runs past the end of the 64-bit address space; make it smaller or move it down [region-wrap]\n"},
    {"0x20_0000, 0x7, 1", "0x20_0000, 0x47, 1",
     "vm.toml:18:30: error: kernel.memory_regions[1].flags: bits 0x40 of 0x47 have no meaning; add up read 0x1, write 0x2, execute 0x4, user 0x8, device 0x10, uncached 0x20 [region-flags]\n"},
    {"0x20_0000, 0x7, 1", "0x20_0000, 0x8, 1",
     "vm.toml:18:30: error: kernel.memory_regions[1].flags: flags 0x8 let the guest neither read, write nor execute; use 0x7 for plain memory [region-flags]\n"},
    {"0x20_0000, 0x7, 1", "0x20_0000, 0x17, 1",
     "vm.toml:18:30: warning: kernel.memory_regions[1].flags: flags 0x17 ask for device memory, which is no RAM; describe it in devices.passthrough_devices [region-device]\n"},
    {"[0x9000_0000", "[0x8fff_f000",
     "vm.toml:18:5: error: kernel.memory_regions[1]: 0x8ffff000..0x901ff000 overlaps memory_regions[0], 0x80000000..0x90000000; move one of them, or make it smaller [region-overlap]\n"},
    {"entry_point = 0x8020_0000", "entry_point = 0x1000",
     "vm.toml:10:15: error: kernel.entry_point: 0x1000 lies in none of the memory regions; use an address in one of them, or 0 for the entry that the kernel image names [entry-point]\n"},
    {"0x1000_0000, 0x7, 0]", "0x1000_0000, 0x3, 0]",
     "vm.toml:10:15: error: kernel.entry_point: 0x80200000 lies in a region that is not executable, flags 0x3; add 0x4 to the region's flags [entry-point]\n"},
    {"kernel_load_addr = 0x8020_0000", "kernel_load_addr = 0x1000",
     "vm.toml:13:20: error: kernel.kernel_load_addr: 0x1000 lies in none of the memory regions; use an address in one of them [load-address]\n"},
    {"dtb_load_addr = 0x8f00_0000", "dtb_load_addr = 0x8f00_0004",
     "vm.toml:14:17: error: kernel.dtb_load_addr: 0x8f000004 is not a multiple of 8, as a device tree must be; use 0x8f000000 [load-address]\n"},
    {"dtb_load_addr = 0x8f00_0000", "ramdisk_path = \"rd\"",
     "vm.toml:14:16: error: kernel.ramdisk_path: there is no ramdisk_load_addr to say where it goes; add ramdisk_load_addr [image-address]\n"},
    {"kernel_path = \"Image\"", "kernel_path = \"\"",
     "vm.toml:12:15: error: kernel.kernel_path: the path is empty; name the kernel image [image-path]\n"},
    {"[kernel]\n", "[kernel]\nenable_bios = true\nboot_protocol = \"direct\"\n",
     "vm.toml:11:17: error: kernel.boot_protocol: \"direct\" contradicts enable_bios = true, which starts the guest through its firmware; remove one of the two keys [boot-protocol]\n"},
    {"[kernel]\n", "[kernel]\nboot_protocol = \"uefi\"\nuefi_firmware_path = \"OVMF.fd\"\nbios_load_addr = 0x8000_0000\n",
     "vm.toml:10:17: error: kernel.boot_protocol: \"uefi\" starts the guest through its firmware, which enable_bios does not switch on; add enable_bios = true [boot-protocol]\n"},
    {"[kernel]\n", "[kernel]\nboot_protocol = \"uefi\"\nenable_bios = true\nuefi_firmware_path = \"OVMF.fd\"\nbios_load_addr = 0x8000_0000\n", ""},
    {"[kernel]\n", "[kernel]\nboot_protocol = \"uefi\"\nenable_bios = true\n",
     "vm.toml:10:17: error: kernel.boot_protocol: \"uefi\" needs a firmware image, and none is named; add uefi_firmware_path [boot-firmware]\n"
     "vm.toml:10:17: error: kernel.boot_protocol: \"uefi\" needs the address of its firmware; add bios_load_addr [boot-firmware]\n"},
    {"[kernel]\n", "[kernel]\nboot_protocol = \"uefi\"\nenable_bios = true\nuefi_firmware_path = \"OVMF.fd\"\n",
     "vm.toml:10:17: error: kernel.boot_protocol: \"uefi\" needs the address of its firmware; add bios_load_addr [boot-firmware]\n"},
    {"[devices]\n", "[devices]\nexcluded_devices = [[\"/timer\"]]\n",
     "vm.toml:22:20: warning: devices.excluded_devices: \"/timer\" excludes nothing: no device-tree path in passthrough_devices covers it; remove it, or pass through a node above it, as [\"/\"] [excluded-nothing]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"uart\", 0x1000_0000, 0, 10, 0x2, []]",
     "vm.toml:25:27: error: devices.emu_devices[1].length: the device has no addresses; give the length of its window in bytes [device-length]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"uart\", \"0xffff_ffff_ffff_f000\", 0x2000, 10, 0x2, []]",
     "vm.toml:25:39: error: devices.emu_devices[1].length: the window from 0xfffffffffffff000 runs past the end of the 64-bit address space; make it smaller or move it down [device-wrap]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"uart\", 0x1000_0000, 4, 10, 0x2, []]",
     "vm.toml:25:27: error: devices.emu_devices[1].length: 0x4 bytes are too few for this device (console); use at least 0x8 [device-length]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, [1]]",
     "vm.toml:25:44: warning: devices.emu_devices[1].cfg_list: this device (console) has no settings, and what is given has no effect; use [] [device-config]\n"},
    {"[\"plic\", 0x0c00_0000, 0x60_0000, 0, 0x30, [4]]", "[\"plic\", 0x0c00_0000, 0x60_0000, 0, 0x30, []]",
     "vm.toml:24:47: error: devices.emu_devices[0].cfg_list: this device (plic partial passthrough global) takes 1 number, not 0; use [contexts] [device-config]\n"},
    {"[\"plic\", 0x0c00_0000, 0x60_0000, 0, 0x30, [4]]", "[\"plic\", 0x0c00_0000, 0x60_0000, 0, 0x30, [2]]",
     "vm.toml:24:47: error: devices.emu_devices[0].cfg_list: 2 PLIC contexts are too few for 2 vCPUs; use [4]: two contexts per vCPU [device-config]\n"},
    {"[\"plic\", 0x0c00_0000, 0x60_0000, 0, 0x30, [4]]", "[\"plic\", 0x0c00_0000, 0x20_0000, 0, 0x30, [4]]",
     "vm.toml:24:27: error: devices.emu_devices[0].length: 0x200000 bytes hold 0 PLIC contexts, not 4; context n needs 0x1000 bytes at 0x200000 + n * 0x1000; QEMU's virt board has 0x600000 [device-length]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"gicr\", 0x080a_0000, 0x2_0000, 0, 0x20, [2]]",
     "vm.toml:25:46: error: devices.emu_devices[1].cfg_list: this device (gic partial passthrough redistributor) takes 3 numbers, not 1; use [vCPUs, stride, first pCPU] [device-config]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"gicr\", 0x080a_0000, 0x2_0000, 0, 0x20, [3, 0x2_0000, 0]]",
     "vm.toml:25:46: error: devices.emu_devices[1].cfg_list: redistributors for 3 vCPUs, but the VM has 2; use a number from 1 to 2 [device-config]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"gicr\", 0x080a_0000, 0x2_0000, 0, 0x20, [2, 0x1000, 0]]",
     "vm.toml:25:46: error: devices.emu_devices[1].cfg_list: the stride 0x1000 does not hold the two frames of 64 KiB of a redistributor; use a multiple of 0x10000 from 0x20000 on [device-config]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"gicr\", 0x080a_0000, 0x1000, 0, 0x20, [2, 0x2_0000, 0]]",
     "vm.toml:25:27: error: devices.emu_devices[1].length: 0x1000 bytes are too few for this device (gic partial passthrough redistributor); use at least 0x20000 [device-length]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"ivc\", 0xd000_0800, 0x1_0000, 0, 0xa, []]",
     "vm.toml:25:13: error: devices.emu_devices[1].base_gpa: channels are handed out by the page, and this range is not made of whole pages; use multiples of 0x1000 [ivc-alignment]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"ivc\", 0xd000_0000, 0x1800, 0, 0xa, []]",
     "vm.toml:25:26: error: devices.emu_devices[1].length: channels are handed out by the page, and this range is not made of whole pages; use multiples of 0x1000 [ivc-alignment]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"ivc\", 0xd000_0000, 0x1000, 0, 0xa, []], [\"ivc2\", 0xd100_0000, 0x1000, 0, 0xa, []]",
     "vm.toml:25:80: error: devices.emu_devices[2].emu_type: a second range for inter-VM channels; emu_devices[1] is the first; a VM has one; make that one larger [ivc-regions]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"uart\", 0x0c10_0000, 0x1000, 10, 0x2, []]",
     "vm.toml:25:5: error: devices.emu_devices[1]: 0xc100000..0xc101000 overlaps emu_devices[0], 0xc000000..0xc600000; move one of them [device-overlap]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"uart\", 0x2000_0000, 0x1000, 10, 0x2, []]",
     "vm.toml:25:5: error: devices.emu_devices[1]: 0x20000000..0x20001000 overlaps passthrough_devices[0], 0x20000000..0x20001000; a window is either emulated or passed through; remove one [device-overlap]\n"},
    {"[devices]\n", "[devices]\npassthrough_addresses = [[0x1000_0000, 0x1000]]\n",
     "vm.toml:26:5: error: devices.emu_devices[1]: 0x10000000..0x10001000 overlaps passthrough_addresses[0], 0x10000000..0x10001000; a window is either emulated or passed through; remove one [device-overlap]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"uart\", 0x8000_0000, 0x1000, 10, 0x2, []]",
     "vm.toml:25:5: error: devices.emu_devices[1]: 0x80000000..0x80001000 overlaps memory_regions[0], 0x80000000..0x90000000; move the device out of the VM's memory [device-memory-overlap]\n"},
    {"[\"eth\", 0x2000_0000, 0x3000_0000, 0x1000, 0x1]", "[\"eth\", 0x8000_0000, 0x3000_0000, 0x1000, 0x1]",
     "vm.toml:28:5: error: devices.passthrough_devices[0]: 0x80000000..0x80001000 overlaps memory_regions[0], 0x80000000..0x90000000; move the device out of the VM's memory [device-memory-overlap]\n"},
    {"[devices]\n", "[devices]\npassthrough_addresses = [[0x8000_0000, 0x1000]]\n",
     "vm.toml:22:26: error: devices.passthrough_addresses[0]: 0x80000000..0x80001000 overlaps memory_regions[0], 0x80000000..0x90000000; move the device out of the VM's memory [device-memory-overlap]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"uart\", 0x1000_0000, 0x1000, 96, 0x2, []]",
     "vm.toml:25:35: error: devices.emu_devices[1].irq_id: 96 is no input of the interrupt controller; use a number from 1 to 95 [irq-range]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []], [\"rtc\", 0x10_1000, 0x1000, 10, 0x40, []]",
     "vm.toml:25:76: error: devices.emu_devices[2].irq_id: interrupt 10 is used by emu_devices[1] already; give each device its own interrupt [irq-shared]\n"},
    {"0x1000, 0x1]", "0x1000, 4000]",
     "vm.toml:28:47: error: devices.passthrough_devices[0].irq_id: 4000 is no input of an interrupt controller; use a number up to 1023 [irq-range]\n"},
    {"0x1000, 0x1]", "0x1000, 40], [\"b\", 0x2001_0000, 0x3001_0000, 0x1000, 40]",
     "vm.toml:28:92: warning: devices.passthrough_devices[1].irq_id: interrupt 40 is that of passthrough_devices[0] too; give each device its own interrupt, or 0 where it has none [irq-shared]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"disk\", 0x1000_0000, 0x80, 10, 0xe1, [1]]",
     "vm.toml:25:27: error: devices.emu_devices[1].length: 0x80 bytes are too few for this device (virtio block); use at least 0x100 [device-length]\n"
     "vm.toml:25:43: warning: devices.emu_devices[1].cfg_list: this device (virtio block) has no settings, and what is given has no effect; use [] [device-config]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"pit\", 0xfff0, 0x22, 0, 0x24, []]",
     "vm.toml:25:13: error: devices.emu_devices[1].base_gpa: its ports from 0xfff0 run past port 0xffff; use 0x40, where the PIT of a PC is [port-range]\n"},
    // I/O ports are no memory.
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"com1\", 0x3f8, 8, 0, 0x2, []], [\"pit\", 0x40, 0x22, 0, 0x24, []], [\"disk\", 0, 0x1000, 9, 0xe1, []]", ""},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"com1\", 0x3f8, 8, 0, 0x2, []], [\"pit\", 0x3f0, 0x22, 0, 0x24, []]",
     "vm.toml:25:37: error: devices.emu_devices[2]: 0x3f0..0x412 overlaps emu_devices[1], 0x3f8..0x400; move one of them [device-overlap]\n"},
    {"0x1000, 0x1]", "0x1000, 10]",
     "vm.toml:25:35: warning: devices.emu_devices[1].irq_id: interrupt 10 is that of passthrough_devices[0] too; give each device its own interrupt [irq-shared]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"plic2\", 0x1800_0000, 0x60_0000, 0, 0x30, [4]]",
     "vm.toml:25:42: error: devices.emu_devices[1].emu_type: a second interrupt controller; emu_devices[0] is the first; a VM has one [interrupt-controllers]\n"},
    {"[\"eth\", 0x2000_0000, 0x3000_0000, 0x1000, 0x1]", "[\"eth\", 0x2000_0000, 0x3000_0000, 0, 0x1]",
     "vm.toml:28:5: error: devices.passthrough_devices[0]: the device has no addresses; give its length in bytes, or name it by its device-tree path, which begins with / [device-length]\n"},
    {"[\"eth\", 0x2000_0000, 0x3000_0000, 0x1000, 0x1]", "[\"eth\", \"0xffff_ffff_ffff_f000\", 0x3000_0000, 0x2000, 0x1]",
     "vm.toml:28:5: error: devices.passthrough_devices[0]: the window runs past the end of the 64-bit address space; make it smaller or move it down [device-wrap]\n"},
    {"[\"eth\", 0x2000_0000, 0x3000_0000, 0x1000, 0x1]", "[\"eth\", 0x2000_0000, 0x3000_0800, 0x1000, 0x1]",
     "vm.toml:28:5: error: devices.passthrough_devices[0]: 0x20000000 and 0x30000800 differ within their page, and only pages can be mapped; let the last three hexadecimal digits agree [pass-through-alignment]\n"},
    {"[\"eth\", 0x2000_0000, 0x3000_0000, 0x1000, 0x1]", "[\"eth\", 0x2000_0100, 0x3000_0100, 0x100, 0x1]",
     "vm.toml:28:5: warning: devices.passthrough_devices[0]: pages are passed through whole: the guest gets all that lies around 0x20000100..0x20000200 too; use multiples of 0x1000 [pass-through-alignment]\n"},
    {"[\"eth\", 0x2000_0000, 0x3000_0000, 0x1000, 0x1]", "[\"eth\", 0x2000_0000, 0x3000_0000, 0x1000, 0x1], [\"eth2\", 0x2000_0000, 0x3100_0000, 0x1000, 0x1]",
     "vm.toml:28:53: error: devices.passthrough_devices[1]: passthrough_devices[0] maps part of 0x20000000..0x20001000 to another host address; let overlapping windows agree on the host address [pass-through-conflict]\n"},
    {"[devices]\n", "[devices]\npassthrough_addresses = [[0x4000_0000, 0]]\n",
     "vm.toml:22:26: error: devices.passthrough_addresses[0]: the window is empty; give a length in bytes that fits [device-length]\n"},
    {"[devices]\n", "[devices]\npassthrough_addresses = [[\"0xffff_ffff_ffff_f000\", 0x2000]]\n",
     "vm.toml:22:26: error: devices.passthrough_addresses[0]: the window runs past the end of the 64-bit address space; give a length in bytes that fits [device-length]\n"},
    {"[devices]\n", "[devices]\npassthrough_addresses = [[0x4000_0000, 0x2000], [0x4000_1000, 0x1000]]\n",
     "vm.toml:22:49: warning: devices.passthrough_addresses[1]: 0x40001000..0x40002000 overlaps passthrough_addresses[0]; name each address once [pass-through-overlap]\n"},
    {"[devices]\n", "[devices]\npassthrough_ports = [[0x3f8, 0]]\n",
     "vm.toml:22:22: error: devices.passthrough_ports[0]: the port range is empty; give the number of ports [port-range]\n"},
    {"[devices]\n", "[devices]\npassthrough_ports = [[0xfff8, 16]]\n",
     "vm.toml:22:22: error: devices.passthrough_ports[0]: the port range from 0xfff8 runs past port 0xffff; make it smaller [port-range]\n"},
    {"[devices]\n", "[devices]\npassthrough_ports = [[0x3f8, 8], [0x3fc, 8]]\n",
     "vm.toml:22:34: warning: devices.passthrough_ports[1]: overlaps passthrough_ports[0]; name each port once [port-overlap]\n"},
});

/// Changes of `good_vm` on `golden_board`.
inline constexpr auto board_cases = std::to_array<GoldenCase>({
    {"phys_cpu_sets = [1, 3]", "phys_cpu_sets = [1, 16]",
     "vm.toml:7:21: error: base.phys_cpu_sets[1]: 0x10 names no pCPU that the platform has; it has 4; use a mask within 0xf [cpu-set-platform]\n"},
    {"phys_cpu_sets = [1, 3]", "phys_cpu_sets = [1, 17]",
     "vm.toml:7:21: warning: base.phys_cpu_sets[1]: bits 0x10 of 0x11 name pCPUs that the platform lacks; it has 4; use a mask within 0xf [cpu-set-platform]\n"},
    {"[\"plic\", 0x0c00_0000, 0x60_0000, 0, 0x30, [4]]", "[\"its\", 0x0808_0000, 0x2_0000, 0, 0x22, [0x0808_0000]]",
     "vm.toml:24:39: error: devices.emu_devices[0].emu_type: riscv64 has no gic partial passthrough its; riscv64 has 0x30 (PLIC) [device-arch]\n"},
    {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]", "[\"pit\", 0x40, 0x22, 0, 0x24, []]",
     "vm.toml:25:28: error: devices.emu_devices[1].emu_type: riscv64 has no x86 pit; riscv64 has 0x30 (PLIC) [device-arch]\n"},
    {"[\"plic\", 0x0c00_0000, 0x60_0000, 0, 0x30, [4]]", "[\"pch\", 0x0c00_0000, 8, 0, 0x25, []]",
     "vm.toml:24:32: error: devices.emu_devices[0].emu_type: riscv64 has no loongarch pch pic; riscv64 has 0x30 (PLIC) [device-arch]\n"},
    {"[devices]\n", "[devices]\npassthrough_ports = [[0x3f8, 8]]\n",
     "vm.toml:22:22: error: devices.passthrough_ports[0]: I/O ports do not exist on riscv64; remove it [device-arch]\n"},
    {"[kernel]\n", "[kernel]\nenable_bios = true\n",
     "vm.toml:10:15: error: kernel.enable_bios: \"multiboot\" does not exist on riscv64; use \"direct\" [boot-arch]\n"},
    {"[kernel]\n", "[kernel]\nboot_protocol = \"uefi\"\nenable_bios = true\nuefi_firmware_path = \"OVMF.fd\"\nbios_load_addr = 0x8000_0000\n",
     "vm.toml:10:17: error: kernel.boot_protocol: \"uefi\" does not exist on riscv64; use \"direct\" [boot-arch]\n"},
    {"cmdline = \"console=ttyS0\"", long_cmdline,
     "vm.toml:15:11: warning: kernel.cmdline: 1024 characters; Linux on riscv64 reads the first 1023 and drops the rest; make it shorter [cmdline-length]\n"},
    {"[0x9000_0000, 0x20_0000, 0x7, 1]", "[0x1_0000_0000, 0x20_0000, 0x7, 1]",
     "vm.toml:18:5: error: kernel.memory_regions[1]: is mapped identically, but lies outside the platform's memory, 0x80000000..0xc0000000; move it there, or use map_type 0 [identical-memory]\n"},
    {"[0x8000_0000, 0x1000_0000, 0x7, 0]", "[0x8000_0000, 0x1000_0000, 0x7, 1]",
     "vm.toml:17:5: error: kernel.memory_regions[0]: is mapped identically over the hypervisor itself, which starts at 0x80200000; move it, or use map_type 0 [identical-hypervisor]\n"},
    {"[0x8000_0000, 0x1000_0000, 0x7, 0]", "[0x8000_0000, 0x1000_0000, 0x7, 0], [0x1_0000_0000, 0x4000_0000, 0x7, 0]",
     "vm.toml:17:57: error: kernel.memory_regions[1].size: the VM needs more memory than the platform has, 0x40000000 bytes; make it smaller, or raise memory in [sim] of the platform file [memory-platform]\n"},
    {"[\"eth\", 0x2000_0000, 0x3000_0000, 0x1000, 0x1]", "[\"eth\", 0x2000_0000, 0xa000_0000, 0x1000, 0x1]",
     "vm.toml:28:5: error: devices.passthrough_devices[0]: 0xa0000000..0xa0001000 is memory of the board, which is no device; give memory in kernel.memory_regions [pass-through-memory]\n"},
    {"[\"eth\", 0x2000_0000, 0x3000_0000, 0x1000, 0x1]", "[\"eth\", 0x2000_0000, 0x4100_0000, 0x1000, 0x1]",
     "vm.toml:28:5: warning: devices.passthrough_devices[0]: 0x41000000..0x41001000 is not all within the device regions that the platform names; check the address, or add it to mmio-regions of the platform file [pass-through-platform]\n"},
    {"[devices]\n", "[devices]\npassthrough_addresses = [[0x4000_0000, 0x1000]]\n",
     "vm.toml:22:26: warning: devices.passthrough_addresses[0]: 0x40000000..0x40001000 is not all within the device regions that the platform names; check the address, or add it to mmio-regions of the platform file [pass-through-platform]\n"},
});

/// Changes of `golden_second_vm` beside `golden_first_vm` on `golden_board`.
inline constexpr auto together_cases = std::to_array<GoldenCase>({
    {"id = 2", "id = 1",
     "vm.toml:2:6: error: base.id: 1 is the id of VM 1 (\"linux\") already; ids name VMs in traces and hypercalls: give each its own [duplicate-vm-id]\n"},
    {"\"other\"", "\"linux\"",
     "vm.toml:3:8: warning: base.name: \"linux\" is the name of VM 1 too; give each its own name [duplicate-vm-name]\n"},
    {"[0xa000_0000", "[0x9010_0000",
     "vm.toml:18:5: error: kernel.memory_regions[1]: 0x90100000..0x90300000 of the host belongs to VM 1 (\"linux\") already, by kernel.memory_regions[1]; move one of them, or use map_type 0 [memory-shared]\n"},
    {"0x3100_0000", "0x3000_0000",
     "vm.toml:28:5: error: devices.passthrough_devices[0]: 0x30000000..0x30001000 of the host belongs to VM 1 (\"linux\") already, by devices.passthrough_devices[0]; pass each device through to one VM [pass-through-shared]\n"},
    {"[devices]\n", "[devices]\npassthrough_addresses = [[0x3000_0000, 0x1000]]\n",
     "vm.toml:22:26: error: devices.passthrough_addresses[0]: 0x30000000..0x30001000 of the host belongs to VM 1 (\"linux\") already, by devices.passthrough_devices[0]; pass each device through to one VM [pass-through-shared]\n"},
    {"0x1000, 0x1]", "0x1000, 40]",
     "vm.toml:28:47: error: devices.passthrough_devices[0].irq_id: interrupt 40 belongs to VM 1 (\"linux\") already; pass each device through to one VM [pass-through-shared]\n"},
    {"[devices]\n", "[devices]\npassthrough_ports = [[0x3fc, 8]]\n",
     "vm.toml:22:22: error: devices.passthrough_ports[0]: I/O ports do not exist on riscv64; remove it [device-arch]\n"
     "vm.toml:22:22: error: devices.passthrough_ports[0]: ports from 0x3fc belong to VM 1 (\"linux\") already, by passthrough_ports[0]; pass each port through to one VM [pass-through-shared]\n"},
    {"[\"eth\", 0x2000_0000, 0x3100_0000, 0x1000, 0x1]", "[\"/soc/eth\"]",
     "vm.toml:28:5: error: devices.passthrough_devices[0]: \"/soc/eth\" of the device tree belongs to VM 1 (\"linux\") already, by passthrough_devices[1]; pass each device through to one VM; excluded_devices leaves out the other's [pass-through-shared]\n"},
    {"[\"eth\", 0x2000_0000, 0x3100_0000, 0x1000, 0x1]", "[\"/socket\"]", ""},
    {"0x8000_0000, 0x1000_0000, 0x7, 0]", "0x6000_0000, 0x3fff_0000, 0x7, 0]",
     "vm.toml:16:18: error: kernel.memory_regions: needs 0x3fff0000 bytes, but the VMs before it leave 0x30000000 of the platform's 0x40000000; make the VMs smaller, populate one lazily, or raise memory in [sim] of the platform file [memory-together]\n"},
});

}  // namespace ax::test
