// Cases of the rules that only aarch64 has, as rule_cases.hpp.
#pragma once

#include "tests/unit/sim/config/rule_cases.hpp"

namespace ax::test {

/// Changes of `good_arm_vm` alone.
inline constexpr auto arm_alone_cases = std::to_array<GoldenCase>({
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [1]]",
     "vm.toml:20:45: error: devices.emu_devices[0].cfg_list: there is no GIC of version 1 here; use [2] or [2, address of the CPU interface] for a GICv2, [3] or [3, address of the redistributors] for a GICv3 [device-config]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [4]]",
     "vm.toml:20:45: error: devices.emu_devices[0].cfg_list: there is no GIC of version 4 here; use [2] or [2, address of the CPU interface] for a GICv2, [3] or [3, address of the redistributors] for a GICv3 [device-config]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3, 0x080a_0000, 1]]",
     "vm.toml:20:45: error: devices.emu_devices[0].cfg_list: this device (interrupt controller) takes at most 2 numbers, not 3; use [2] or [2, address of the CPU interface] for a GICv2, [3] or [3, address of the redistributors] for a GICv3 [device-config]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gic\", 0x0800_0000, 0x1000, 25, 0x1, [3]]",
     "vm.toml:20:26: error: devices.emu_devices[0].length: a GIC's distributor has 0x10000 bytes, not 0x1000; use 0x10000; cfg_list says where its other window is [device-length]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gic\", 0x0800_0000, 0x2_0000, 25, 0x1, [2]]",
     "vm.toml:20:26: error: devices.emu_devices[0].length: a GIC's distributor has 0x10000 bytes, not 0x20000; use 0x10000; cfg_list says where its other window is [device-length]\n"
     "vm.toml:20:45: error: devices.emu_devices[0].cfg_list: the window at 0x8010000 overlaps the distributor at 0x8000000; move one of them [device-overlap]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gic\", 0x0800_1000, 0x1_0000, 25, 0x1, [3]]",
     "vm.toml:20:13: error: devices.emu_devices[0].base_gpa: a window of a GICv3 cannot lie at 0x8001000; use a multiple of 0x10000 [gic-alignment]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gic\", 0x0800_0800, 0x1_0000, 25, 0x1, [2]]",
     "vm.toml:20:13: error: devices.emu_devices[0].base_gpa: a window of a GICv2 cannot lie at 0x8000800; use a multiple of 0x1000 [gic-alignment]\n"
     "vm.toml:20:45: error: devices.emu_devices[0].cfg_list: a window of a GICv2 cannot lie at 0x8010800; use a multiple of 0x1000 [gic-alignment]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3, 0x080a_1000]]",
     "vm.toml:20:45: error: devices.emu_devices[0].cfg_list: a window of a GICv3 cannot lie at 0x80a1000; use a multiple of 0x10000 [gic-alignment]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [2, 0x0801_0800]]",
     "vm.toml:20:45: error: devices.emu_devices[0].cfg_list: a window of a GICv2 cannot lie at 0x8010800; use a multiple of 0x1000 [gic-alignment]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [2, 0x0800_8000]]",
     "vm.toml:20:45: error: devices.emu_devices[0].cfg_list: the window at 0x8008000 overlaps the distributor at 0x8000000; move one of them [device-overlap]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3, \"0xffff_ffff_ffff_0000\"]]",
     "vm.toml:20:45: error: devices.emu_devices[0].cfg_list: the window from 0xffffffffffff0000 runs past the end of the 64-bit address space; move it down [device-wrap]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3, 0x08ff_0000]]",
     "vm.toml:21:5: error: devices.emu_devices[1]: 0x9000000..0x9001000 overlaps emu_devices[0], 0x8ff0000..0x9030000; move one of them [device-overlap]\n"
     "vm.toml:22:5: error: devices.emu_devices[2]: 0x9010000..0x9011000 overlaps emu_devices[0], 0x8ff0000..0x9030000; move one of them [device-overlap]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [2, 0x0900_0000]]",
     "vm.toml:21:5: error: devices.emu_devices[1]: 0x9000000..0x9001000 overlaps emu_devices[0], 0x9000000..0x9010000; move one of them [device-overlap]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3, 0x4000_0000]]",
     "vm.toml:20:5: error: devices.emu_devices[0]: 0x40000000..0x40040000 overlaps memory_regions[0], 0x40000000..0x50000000; move the device out of the VM's memory [device-memory-overlap]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gicd\", 0x0800_0000, 0x1_0000, 0, 0x21, []], [\"gicr\", 0x080a_0000, 0x2_0000, 0, 0x20, [2, 0xf7_0000, 0]]",
     "vm.toml:21:5: error: devices.emu_devices[2]: 0x9000000..0x9001000 overlaps emu_devices[1], 0x80a0000..0x9030000; move one of them [device-overlap]\n"
     "vm.toml:22:5: error: devices.emu_devices[3]: 0x9010000..0x9011000 overlaps emu_devices[1], 0x80a0000..0x9030000; move one of them [device-overlap]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gicd\", 0x0800_0000, 0x1_0000, 0, 0x21, []], [\"gicr\", \"0xffff_ffff_fff0_0000\", 0x2_0000, 0, 0x20, [2, 0xf7_0000, 0]]",
     "vm.toml:20:104: error: devices.emu_devices[1].cfg_list: 2 redistributors from 0xfffffffffff00000 on run past the end of the 64-bit address space; move them down [device-wrap]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]], [\"gicd\", 0x0a00_0000, 0x1_0000, 0, 0x21, []]",
     "vm.toml:20:86: error: devices.emu_devices[1].emu_type: a second interrupt controller; emu_devices[0] is the first; a VM has one [interrupt-controllers]\n"},
    {"[\"uart\", 0x0900_0000, 0x1000, 33, 0x2, []]", "[\"uart\", 0x0900_0000, 0x1000, 31, 0x2, []]",
     "vm.toml:21:35: error: devices.emu_devices[1].irq_id: a GIC's interrupt 31 is private to one vCPU, and no device can raise it; use 32 + n for the shared peripheral interrupt n; 32 to 1019 [irq-range]\n"},
    {"[\"uart\", 0x0900_0000, 0x1000, 33, 0x2, []]", "[\"uart\", 0x0900_0000, 0x1000, 27, 0x2, []]",
     "vm.toml:21:35: error: devices.emu_devices[1].irq_id: a GIC's interrupt 27 is private to one vCPU, and no device can raise it; use 32 + n for the shared peripheral interrupt n; 32 to 1019 [irq-range]\n"},
    {"[\"uart\", 0x0900_0000, 0x1000, 33, 0x2, []]", "[\"uart\", 0x0900_0000, 0x1000, 1, 0x2, []]",
     "vm.toml:21:35: error: devices.emu_devices[1].irq_id: a GIC's interrupt 1 is private to one vCPU, and no device can raise it; use 32 + n for the shared peripheral interrupt n; 32 to 1019 [irq-range]\n"},
    {"[\"uart\", 0x0900_0000, 0x1000, 33, 0x2, []]", "[\"uart\", 0x0900_0000, 0x1000, 1020, 0x2, []]",
     "vm.toml:21:35: error: devices.emu_devices[1].irq_id: 1020 is no input of the interrupt controller; use a number from 32 to 1019 [irq-range]\n"},
    {"[\"uart\", 0x0900_0000, 0x1000, 33, 0x2, []]", "[\"uart\", 0x0900_0000, 0x1000, 34, 0x2, []]",
     "vm.toml:22:34: error: devices.emu_devices[2].irq_id: interrupt 34 is used by emu_devices[1] already; give each device its own interrupt [irq-shared]\n"},
});

/// Changes of `good_arm_vm` on `good_arm_platform`.
inline constexpr auto arm_board_cases = std::to_array<GoldenCase>({
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"plic\", 0x0c00_0000, 0x60_0000, 0, 0x30, [4]]",
     "vm.toml:20:41: error: devices.emu_devices[0].emu_type: aarch64 has no plic partial passthrough global; aarch64 has 0x1 (GICv2 or GICv3) and 0x20 to 0x22 (GICv3, partly passed through) [device-arch]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]],\n    ", "",
     "vm.toml:18:18: error: devices.interrupt_mode: \"emu\" needs an interrupt controller, and emu_devices has none; add one, for example [\"gic\", 0x0800_0000, 0x1_0000, 0, 0x1, [3]] [gic-missing]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gicd\", 0x0800_0000, 0x1_0000, 0, 0x21, []], [\"gicr\", 0x080a_0000, 0x2_0000, 0, 0x20, [1, 0x2_0000, 0]]",
     "vm.toml:20:40: error: devices.emu_devices[0].emu_type: a GICv3 needs a redistributor for each vCPU; there are 1 for 2; name the vCPUs in the first number of cfg_list of a device of type 0x20 [gic-parts]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]], [\"gicr\", 0x080f_0000, 0x2_0000, 0, 0x20, [2, 0x2_0000, 0]]",
     "vm.toml:20:86: error: devices.emu_devices[1].emu_type: a gic partial passthrough redistributor belongs to a distributor of type 0x21, and there is none; add the distributor [gic-parts]\n"},
    {"[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]]", "[\"gic\", 0x0800_0000, 0x1_0000, 25, 0x1, [3]], [\"its\", 0x0808_0000, 0x2_0000, 0, 0x22, [0x0808_0000]]",
     "vm.toml:20:85: error: devices.emu_devices[1].emu_type: a gic partial passthrough its belongs to a distributor of type 0x21, and there is none; add the distributor [gic-parts]\n"},
    {"[\"uart\", 0x0900_0000, 0x1000, 33, 0x2, []]", "[\"uart\", 0x0900_0000, 0x100, 33, 0x2, []]",
     "vm.toml:21:27: error: devices.emu_devices[1].length: 0x100 bytes are too few for a PL011, aarch64's console; use 0x1000 [device-length]\n"},
    {"[\"rtc\", 0x0901_0000, 0x1000, 34, 0x40, []]", "[\"rtc\", 0x0901_0000, 0x20, 34, 0x40, []]",
     "vm.toml:22:26: error: devices.emu_devices[2].length: 0x20 bytes are too few for a PL031, aarch64's clock; use 0x1000 [device-length]\n"},
    {"phys_cpu_ids = [0, 1]", "phys_cpu_ids = [0, 16]",
     "vm.toml:6:20: error: base.phys_cpu_ids[1]: no software interrupt of a GICv3 reaches an affinity 0 beyond 0xf, and that of 0x10 is 0x10; use clusters of 16: 0x0 to 0xf, 0x100 to 0x10f, and so on [cpu-affinity]\n"},
    {"phys_cpu_ids = [0, 1]", "phys_cpu_ids = [0, 0x8000_0001]",
     "vm.toml:6:20: error: base.phys_cpu_ids[1]: 0x80000001 is no MPIDR affinity; bits 0x80000000 are not part of one; use 0xAA00BBCCDD with affinity levels 3 (AA) to 0 (DD) [cpu-affinity]\n"},
    {"cpu_num = 2\nphys_cpu_ids = [0, 1]\n", "cpu_num = 17\n",
     "vm.toml:5:11: error: base.cpu_num: without phys_cpu_ids the guest knows vCPU 16 as 0x10, and no software interrupt of a GICv3 reaches an affinity 0 beyond 0xf; add phys_cpu_ids with clusters of 16: 0x0 to 0xf, 0x100 to 0x10f, and so on [cpu-affinity]\n"},
});

}  // namespace ax::test
