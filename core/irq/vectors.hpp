// Interrupts that a CPU takes as vectors: from local APICs, or from a pair of 8259s behind them.
#pragma once

#include <optional>

#include "core/irq/irq_chip.hpp"

namespace ax::irq {

/// What local APICs tell the CPUs of their VM. `set_external` is the level of INTR: a vector waits that
/// the task priority does not hold back.
class CpuSignals : public CpuLines {
public:
    virtual void nmi(VcpuId vcpu) = 0;
    /// INIT: the CPU goes to its reset state and waits for a start-up message.
    virtual void init(VcpuId vcpu) = 0;
    /// Start-up: a CPU that waits for it begins in real mode at `page` * 4096. Others ignore it.
    virtual void startup(VcpuId vcpu, u8 page) = 0;

protected:
    ~CpuSignals() = default;
};

/// The interrupt controllers of a VM as its CPUs see them.
class VectorSource {
public:
    /// The vector that the CPU would be given now; none when nothing waits, or nothing urgent enough.
    [[nodiscard]] virtual std::optional<u8> pending(VcpuId vcpu) const = 0;
    /// The CPU takes what `pending` says, which was something (SDM vol. 3, "Acceptance of Interrupts"; INTA).
    virtual u8 acknowledge(VcpuId vcpu) = 0;
    /// CR8: bits 7 to 4 of the task-priority register.
    [[nodiscard]] virtual u8 task_priority(VcpuId vcpu) const = 0;
    virtual void set_task_priority(VcpuId vcpu, u8 cr8) = 0;
    /// IA32_APIC_BASE, IA32_TSC_DEADLINE and the x2APIC registers; none where the CPU raises #GP.
    [[nodiscard]] virtual std::optional<u64> read_msr(VcpuId vcpu, u32 msr) = 0;
    /// False where the CPU raises #GP.
    [[nodiscard]] virtual bool write_msr(VcpuId vcpu, u32 msr, u64 value) = 0;
    /// The CPU's time-stamp counter is the board's clock in ticks plus `offset`, modulo 2^64; its TSC deadline follows.
    virtual void set_tsc_offset(VcpuId vcpu, u64 offset) = 0;

protected:
    ~VectorSource() = default;
};

}  // namespace ax::irq
