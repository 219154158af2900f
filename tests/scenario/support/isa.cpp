#include "tests/scenario/support/isa.hpp"

namespace ax::scenario {

const Isa riscv64{
    .arch = config::Arch::Riscv64,
    .name = "riscv64",
    .board = "riscv64-qemu-virt",
    .linux_image = "linux-riscv64",
    .initrd = "initrd-riscv64.cpio",
    .uboot = "uboot-riscv64.elf",
    .console = "console=ttyS0",
    .bare_metal_memory = 0x8000'0000,
    .bare_metal_load = "0x80200000",
    .nowhere = "pc 0x0000000008001000",
    .uart_irq = "irq 10",
    .uboot_commands = R"(send "bdinfo\n"
expect "boot_params"
expect "0x0000000010000000"
expect "=> "
send "sbi\n"
expect "SBI 2.0"
expect "Timer Extension"
expect "IPI Extension"
expect "RFENCE Extension"
expect "Hart State Management Extension"
expect "System Reset Extension"
expect "=> "
)",
    .pokes = {{"plic", {0x0c00'0028, 4, 3}}, {"ns16550", {0x1000'0007, 1, 0x5a}}},
    // The scratch register is not what stops it: loopback is.
    .uart_gone = {{0x1000'0007, 1, 0}, {0x1000'0004, 1, 0x10}},
};

const Isa aarch64{
    .arch = config::Arch::Aarch64,
    .name = "aarch64",
    .board = "aarch64-qemu-virt-hv",
    .linux_image = "linux-arm64",
    .initrd = "initrd-arm64.cpio",
    .uboot = "uboot-arm64.elf",
    .console = "console=ttyAMA0",
    .bare_metal_memory = 0x4000'0000,
    .bare_metal_load = "0x40080000",
    .nowhere = "pc 0x000000000b001200",
    .uart_irq = "irq 33",
    .uboot_commands = R"(send "bdinfo\n"
expect "boot_params"
expect "0x0000000040000000"
expect "0x0000000010000000"
expect "Build       = 64-bit"
expect "=> "
send "fdt addr -c\n"
expect "Control fdt: "
expect "=> "
send "fdt addr $fdtcontroladdr\n"
expect "=> "
send "fdt print /psci\n"
expect "arm,psci-1.0"
expect "method = \"smc\""
expect "=> "
)",
    // The priority of interrupt 40, which no guest uses, and the UART's baud rate.
    .pokes = {{"gicd", {0x0800'0428, 1, 0x50}}, {"pl011", {0x0900'0024, 4, 0x5a}}},
    .uart_gone = {{0x0900'0038, 4, 0}},
};

const Isa x86_64{
    .arch = config::Arch::X86_64,
    .name = "x86_64",
    .board = "x86_64-qemu-q35",
    .linux_image = "linux-amd64",
    .initrd = "initrd-amd64.cpio",
    .uboot = "uboot-i386.rom",
    .console = "console=ttyS0",
    .bare_metal_memory = 0,
    .bare_metal_load = "0x100000",
    .nowhere = "pc 0x00000000d0001000",
    .uart_irq = "0x3f8, 8 of them, uart",
    .uboot_commands = R"(send "bdinfo\n"
expect "boot_params"
expect "=> "
)",
    .uboot_poweroff = "iow.w 604 3400",
    .has_device_tree = false,
    // The index of the I/O APIC, which every access writes first, and COM1's scratch register.
    .pokes = {{"ioapic", {0xfec0'0000, 4, 0x3f}}, {"ns16550", {0x3ff, 1, 0x5a, true}}},
    .uart_gone = {{0x3fc, 1, 0x10, true}},
};

const std::vector<const Isa*> isas{&riscv64, &aarch64, &x86_64};

}  // namespace ax::scenario
