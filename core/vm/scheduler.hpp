// Which vCPU a pCPU runs: round robin over the ready ones that may run there, by tick.
#pragma once

#include "core/vm/vm.hpp"

namespace ax::vm {

inline constexpr std::size_t max_pcpus = 64;
inline constexpr std::size_t max_vms = 16;

/// A vCPU of a machine with several VMs.
struct TaskRef {
    Vm* vm = nullptr;
    VcpuTask* task = nullptr;
    constexpr bool operator==(const TaskRef&) const = default;
};

class Scheduler {
public:
    /// False when there is no room for the VM's vCPUs.
    [[nodiscard]] bool add(Vm& vm);
    /// The vCPU that `pcpu` shall run now, kept until it blocks or `rotate` was asked for; null task: idle.
    [[nodiscard]] TaskRef pick(PcpuId pcpu);
    /// The pCPU's next `pick` prefers another vCPU.
    void rotate(PcpuId pcpu) { pcpus_[index(pcpu)].rotates = true; }
    /// Every pCPU's next `pick` prefers another vCPU: a scheduling tick.
    void rotate_all();
    /// True when some ready vCPU has no pCPU: ticks are needed.
    [[nodiscard]] bool has_waiting() const;
    /// True when `pick(pcpu)` would return a vCPU.
    [[nodiscard]] bool has_work(PcpuId pcpu) const;

    void fields(FieldVisitor& v);

private:
    static constexpr std::size_t max_tasks = 256;
    static constexpr u32 none = ~u32{0};
    struct Pcpu {
        u32 current = none;
        u32 last = 0;
        bool rotates = false;
        void fields(FieldVisitor& v);
    };

    void assign(std::size_t pcpu, u32 task);
    [[nodiscard]] bool may_run(u32 task, std::size_t pcpu) const;

    FixedVector<TaskRef, max_tasks> tasks_;
    std::array<u32, max_tasks> owner_{};  ///< pCPU number + 1 of the pCPU whose current task it is, or 0
    std::array<Pcpu, max_pcpus> pcpus_{};
};

}  // namespace ax::vm
