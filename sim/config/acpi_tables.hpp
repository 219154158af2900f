// The ACPI tables of an x86 guest: what tells an operating system of its CPUs, interrupt controllers and power.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "core/base/addr.hpp"

namespace ax::sim {

/// Where the tables say that things are. The defaults are those of the PC that axsim builds (devices/pc, devices/irqchip).
struct AcpiInput {
    u32 cpus = 1;  ///< APIC IDs 0 to `cpus` - 1; the I/O APIC has the next one
    Gpa lapic{0xfee0'0000};
    Gpa ioapic{0xfec0'0000};
    u16 pm_event_port = 0x600;
    u16 pm_control_port = 0x604;
    u16 pm_timer_port = 0x608;
    bool has_32_bit_timer = true;
    u16 reset_port = 0xcf9;
    u8 reset_value = 6;
    u8 sleep_type_s5 = 5;  ///< SLP_TYP that turns the machine off
    u8 sci = 9;            ///< level-triggered, active high
    /// The power button is one of PM1's events; else there is none.
    bool has_power_button = false;
};

/// A number in the tables that holds an address within them, at `offset`, little-endian.
struct AcpiPointer {
    u64 offset = 0;
    u8 size = 0;
};
/// A byte, at `offset`, that makes the bytes of `[start, start + length)` add up to 0.
struct AcpiChecksum {
    u64 offset = 0;
    u64 start = 0;
    u64 length = 0;
};

struct AcpiTables {
    std::vector<std::byte> rsdp;
    std::vector<std::byte> tables;  ///< FACS, DSDT, FADT, MADT, XSDT; the FACS at their start
    u64 xsdt = 0;                   ///< offset in `tables`
    std::vector<AcpiPointer> pointers;
    std::vector<AcpiChecksum> checksums;
};

/// ACPI specification 6.3, chapter "ACPI Software Programming Model": RSDP (revision 2), XSDT, FADT (revision 6), FACS, MADT
/// and a DSDT with `_S5` alone, for tables that lie at `at`. ISA interrupts go to the I/O APIC's pin of their number, but
/// 0 to 2; NMI is at every LINT1. `at` is a multiple of 64 below 4 GiB. Refuses 0 CPUs and more than 254, and a
/// bad `at`.
[[nodiscard]] std::expected<AcpiTables, std::string> make_acpi_tables(const AcpiInput& input, Gpa at);

/// What firmware behind fw_cfg makes of the tables: the file `etc/table-loader`, whose commands place `etc/acpi/tables` and
/// `etc/acpi/rsdp`, add addresses, and sum up. `tables` were made for address 0. Layout: QEMU, hw/acpi/bios-linker-loader.
[[nodiscard]] std::vector<std::byte> make_table_loader(const AcpiTables& tables);

}  // namespace ax::sim
