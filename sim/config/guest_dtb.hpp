// The device tree that tells a riscv64 guest what its VM has; and what all generated trees have in common.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/addr.hpp"
#include "core/config/devices.hpp"
#include "sim/config/fdt_writer.hpp"

namespace ax::sim {

/// Instruction set of the harts, as the riscv CPU binding names it.
struct DtbIsa {
    std::string isa = "rv64imafdc_zicsr_zifencei_svadu";
    std::string base = "rv64i";
    std::vector<std::string> extensions = {"i", "m", "a", "f", "d", "c", "zicsr", "zifencei", "svadu"};
    std::string mmu_type = "riscv,sv39";
};

/// A device window and its interrupt (input of the PLIC; 0 for none).
struct DtbDevice {
    GpaRange range;
    u32 irq = 0;
};

struct GuestDtbInput {
    std::string model = "axsim,riscv64-virt";
    std::vector<GpaRange> memory;
    std::vector<u64> hart_ids;  ///< one per vCPU, in order
    u64 timebase_frequency = 10'000'000;
    DtbIsa isa;
    std::optional<GpaRange> plic;
    u32 plic_sources = config::plic_sources;  ///< riscv,ndev
    std::optional<DtbDevice> uart;
    u32 uart_clock_hz = 3'686'400;
    std::optional<DtbDevice> rtc;
    std::string bootargs;
    std::optional<GpaRange> initrd;
};

/// The node `/chosen`: command line, console and initrd. An empty `console`, a path with its baud rate, is none.
void write_chosen(FdtWriter& fdt, const std::string& bootargs, const std::string& console, const std::optional<GpaRange>& initrd);
/// One node per range of RAM.
void write_memory(FdtWriter& fdt, std::span<const GpaRange> memory);

/// What of a given tree is replaced; the rest stays as it is.
struct DtbPatch {
    std::string bootargs;  ///< empty: the tree's own stay
    std::optional<GpaRange> initrd;
};

/// A flattened device tree, packed. Fails when the input holds what no such tree can; the text says what.
/// PLIC contexts follow QEMU's virt board: vCPU i has 2 * i (machine mode, unconnected) and 2 * i + 1
/// (supervisor external interrupt, 9).
[[nodiscard]] std::expected<std::vector<std::byte>, std::string> make_guest_dtb(const GuestDtbInput& input);

/// A copy of `tree` with its `/chosen` node changed. Fails when `tree` is no device tree, is cut, or is
/// damaged anywhere (fdt_check_full).
[[nodiscard]] std::expected<std::vector<std::byte>, std::string> patch_guest_dtb(std::span<const std::byte> tree,
                                                                                 const DtbPatch& patch);

}  // namespace ax::sim
