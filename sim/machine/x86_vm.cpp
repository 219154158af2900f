#include "sim/machine/x86_vm.hpp"

#include "core/arch/x86/controls.hpp"
#include "core/arch/x86/cpuid.hpp"
#include "core/arch/x86/msrs.hpp"

namespace ax::sim {

namespace {

/// What the simulated CPU reports, as the core reads it.
ax::x86::VmxCapabilities capabilities() {
    const x86::VmxCpu cpu;
    ax::x86::VmxCapabilities reported = ax::x86::typical_capabilities;
    reported.pin = cpu.pin;
    reported.primary = cpu.primary;
    reported.secondary = cpu.secondary;
    reported.exit = cpu.exit;
    reported.entry = cpu.entry;
    reported.cr0_fixed0 = cpu.cr0_fixed0;
    reported.cr0_fixed1 = cpu.cr0_fixed1;
    reported.cr4_fixed0 = cpu.cr4_fixed0;
    reported.cr4_fixed1 = cpu.cr4_fixed1;
    return reported;
}

/// The page that says which MSRs exit.
std::expected<Hpa, std::string> make_msr_bitmap(Board& board) {
    Hpa page{};
    if (!board.allocate(1, 1, page)) return std::unexpected(std::string("the board has no memory left for the MSR bitmap"));
    std::array<u8, ax::x86::msr_bitmap_bytes> bits{};
    ax::x86::fill_msr_bitmap({}, bits);  // what is let through does not depend on the VM
    if (!board.write(page, std::as_bytes(std::span(bits)))) return std::unexpected(std::string("the MSR bitmap lies outside the board's memory"));
    return page;
}

}  // namespace

std::expected<std::unique_ptr<IsaVm>, std::string> X86Vm::create(const IsaVmParts& parts) {
    auto stage2 = ax::x86::Vm::create(parts.tables);
    if (!stage2) return std::unexpected(std::string("the board has no memory left for its page tables"));
    const auto bitmap = make_msr_bitmap(parts.board);
    if (!bitmap) return std::unexpected(bitmap.error());
    const auto controls = ax::x86::controls_for({.ept_root = stage2->root(),
                                                 .vpid = static_cast<u16>(parts.config.id() + 1),
                                                 .msr_bitmap = *bitmap,
                                                 .exits_on_pause = parts.config.cpu_num() > 1,
                                                 .guest_cr4 = ax::x86::cr4_bits()},
                                                capabilities());
    if (!controls) return std::unexpected(std::string("the CPU lacks controls that the hypervisor needs"));
    return std::unique_ptr<IsaVm>(new X86Vm(parts, std::move(*stage2), *controls));
}

X86Vm::X86Vm(const IsaVmParts& parts, ax::x86::Vm stage2, const ax::x86::Vmcs& controls)
    : PcVm(parts), stage2_(std::move(stage2)), controls_(controls) {}

hal::Vcpu* X86Vm::add_vcpu(u64 /*cpu_number*/) {
    ax::x86::VcpuSettings settings = vcpu_settings(vcpus_.empty());
    settings.controls = controls_;
    settings.arch_capabilities = X86Cpu::arch_capabilities;
    cpus_.push_back(std::make_unique<X86Cpu>(parts().board.memory(), parts().board.x86_engine(), parts().board));
    const VcpuId id{vcpu_count()};
    vcpus_.push_back(std::make_unique<ax::x86::Vcpu>(*cpus_.back(), id, settings, static_cast<irq::VectorSource&>(*this)));
    return stage2_.add_cpu(*cpus_.back()) ? vcpus_.back().get() : nullptr;
}

std::optional<u32> X86Vm::code_at(std::size_t vcpu, Gva pc) {
    std::array<u8, 4> bytes{};
    if (cpus_[vcpu]->fetch(pc, bytes) != bytes.size()) return std::nullopt;
    return static_cast<u32>(bytes[0]) | static_cast<u32>(bytes[1]) << 8 | static_cast<u32>(bytes[2]) << 16 | static_cast<u32>(bytes[3]) << 24;
}

std::optional<StuckVcpu> X86Vm::find_stuck(std::size_t vcpu) {
    X86Cpu& cpu = *cpus_[vcpu];
    if (!cpu.is_stuck()) return std::nullopt;
    return StuckVcpu{vcpus_[vcpu]->pc(), cpu.vmcs().VM_ENTRY_INTERRUPTION_INFO, cpu.regs().CR2};
}

std::string X86Vm::why_refused(std::size_t vcpu) {
    const x86::EntryRule* rule = cpus_[vcpu]->refused_by();
    return rule == nullptr ? "" : std::string(rule->name) + " (Intel SDM vol. 3, \"" + rule->section + "\")";
}

void X86Vm::move_to_new_engine() {
    for (auto& cpu : cpus_) cpu->move_to(parts().board.x86_engine());
}

}  // namespace ax::sim
