// The guest states that a vCPU begins in: reset, INIT, start-up IPI, and what boot protocols promise a kernel.
#pragma once

#include "core/arch/x86/vmcs.hpp"
#include "core/base/addr.hpp"

namespace ax::x86 {

/// Guest state after a power-up or RESET: "Processor State After Reset". Controls and host state stay as they are in `vmcs`.
/// Returns the general registers; RSP and RIP are the VMCS's.
Gprs start_at_reset(Vmcs& vmcs, u32 processor_signature);

/// Real mode at `vector` * 4 KiB: "Typical AP Initialization Sequence" and vol. 3, "Interrupt Command Register", start-up.
Gprs start_at_sipi(Vmcs& vmcs, u8 vector, u32 processor_signature);

/// Real mode at a physical address below 1 MiB: CS is its paragraph as far as 64 KiB code segments reach, IP the rest.
Gprs start_in_real_mode(Vmcs& vmcs, Gpa entry);

/// 32-bit code with flat segments, paging off, interrupts off: what PVH ("x86/HVM direct boot ABI": EBX has the start info) and
/// Multiboot ("Machine state": EAX magic, EBX information) promise. The kernel loads its own tables.
Gprs start_in_protected_mode(Vmcs& vmcs, Gpa entry, u32 eax, u32 ebx);

/// 64-bit code with identity-mapped memory, as the Linux boot protocol's 64-bit entry promises ("64-bit boot protocol": CS 0x10,
/// others 0x18, RSI has boot_params). The page tables at `page_tables` and the GDT are whoever loads the kernel.
struct LongModeStart {
    Gpa entry{};
    Gpa page_tables{};
    Gpa gdt{};
    u16 gdt_limit = 0;
    u64 rsi = 0;
};
Gprs start_in_long_mode(Vmcs& vmcs, const LongModeStart& start);

/// The state after an INIT, before the start-up IPI: as after reset, but waiting.
Gprs start_waiting(Vmcs& vmcs, u32 processor_signature);

}  // namespace ax::x86
