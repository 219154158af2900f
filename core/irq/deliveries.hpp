// Interrupts on their way to a vCPU through hardware: some CPUs have slots that the hypervisor fills and
// from which the guest takes interrupts without an exit.
#pragma once

#include <array>
#include <optional>

#include "core/base/types.hpp"
#include "core/irq/irq_chip.hpp"

namespace ax::irq {

/// One slot: an interrupt and what the guest has done with it so far.
struct Delivery {
    u32 number = 0;
    u8 priority = 0;          ///< lower is more urgent
    bool is_group1 = true;
    bool is_pending = false;
    bool is_active = false;   ///< acknowledged, not yet ended
    bool tells_end = false;   ///< its end shall be reported with a maintenance interrupt
    /// The host's interrupt whose active state ends when the guest ends this one.
    std::optional<u32> host_number{};

    [[nodiscard]] constexpr bool is_empty() const { return !is_pending && !is_active; }
    constexpr bool operator==(const Delivery&) const = default;
};

/// The slots of one vCPU. Between two entries of the guest all of them are empty and the controller
/// holds the whole state.
struct Deliveries {
    static constexpr std::size_t max_slots = 16;
    std::array<Delivery, max_slots> slots{};
    u32 count = 4;                ///< slots that the hardware has
    bool has_more = false;        ///< filled by the controller: more interrupts than slots, tell when slots run empty
    u32 ended_unlisted = 0;       ///< by the hardware: ends of interrupts that were in no slot
};

/// To which CPUs a guest sends an interrupt of its own.
struct IpiTargets {
    bool all_but_self = false;
    u64 base = 0;  ///< as the guest numbers its CPUs
    u64 mask = 0;  ///< bit n: CPU `base + n`
};

/// Interrupt inputs that each vCPU has for itself.
class PrivateInputs {
public:
    /// Input `number` of the vCPU. `host_number`: see `Delivery`.
    virtual void set_private(VcpuId vcpu, u32 number, bool level, std::optional<u32> host_number) = 0;

protected:
    ~PrivateInputs() = default;
};

/// An interrupt controller as the CPU side of its VM sees it.
class Presenter : public PrivateInputs {
public:
    /// The vCPU is about to enter the guest: moves what it may take next into `slots`, most urgent first.
    virtual void before_entry(VcpuId vcpu, Deliveries& slots) = 0;
    /// It has left the guest: takes back what is in `slots`, and leaves them empty.
    virtual void after_exit(VcpuId vcpu, Deliveries& slots) = 0;
    /// Priority of the most urgent interrupt that is pending and enabled for the vCPU, not counting
    /// priorities that are active; none when nothing is.
    [[nodiscard]] virtual std::optional<u8> most_urgent(VcpuId vcpu) const = 0;
    /// A CPU sends interrupt `number` (0 to 15) to others.
    virtual void send(VcpuId from, const IpiTargets& targets, u32 number, bool is_group1) = 0;

protected:
    ~Presenter() = default;
};

}  // namespace ax::irq
