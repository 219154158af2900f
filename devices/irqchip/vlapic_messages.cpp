// Local APICs: who is meant by a destination, and what a message does there.
#include "devices/irqchip/vlapic.hpp"

namespace ax::dev {

using namespace lapic;
using apic::DeliveryMode;

/// "Determining IPI Destination": the sender's mode gives the destination its width, the receiver's its meaning.
bool LocalApics::is_addressed(u32 cpu, const Destination& to) const {
    const Local& local = locals_[cpu];
    if (!local.is_on()) return false;
    if (to.value == (to.is_wide ? Logical::everyone_wide : Logical::everyone)) return true;
    if (!to.is_logical) return to.value == cpu;
    if (local.is_x2apic())
        return Logical::WideCluster::get(to.value) == Logical::WideCluster::get(wide_logical_id(cpu)) &&
               (Logical::WideMembers::get(to.value) & Logical::WideMembers::get(wide_logical_id(cpu))) != 0;
    if (to.value > Logical::everyone) return false;
    const u64 id = Logical::Id::get(local.ldr);
    if (Logical::Model::get(local.dfr) == Logical::flat) return (id & to.value) != 0;
    return Logical::Cluster::get(id) == Logical::Cluster::get(to.value) &&
           (Logical::Members::get(id) & Logical::Members::get(to.value)) != 0;
}

/// To one CPU; true when it accepts.
bool LocalApics::hand_over(u32 cpu, DeliveryMode mode, u8 vector, bool is_level) {
    switch (mode) {
        case DeliveryMode::Fixed:
        case DeliveryMode::LowestPriority: return accept(cpu, vector, is_level);
        case DeliveryMode::NMI: cpus_->nmi(VcpuId{cpu}); return true;
        case DeliveryMode::INIT:
            init_reset(VcpuId{cpu});
            cpus_->init(VcpuId{cpu});
            return true;
        case DeliveryMode::StartUp: cpus_->startup(VcpuId{cpu}, vector); return true;
        case DeliveryMode::ExtINT:
            locals_[cpu].ext_int = true;
            settle(cpu);
            return true;
        case DeliveryMode::SMI:
        case DeliveryMode::Reserved: return false;
    }
    return false;
}

/// "Lowest Priority Delivery Mode": candidates that could not accept do not take part.
bool LocalApics::to_lowest_priority(u64 candidates, u8 vector, bool is_level) {
    std::optional<u32> best;
    for (u32 c = 0; c < config_.vcpus; ++c) {
        if ((candidates & bit(c)) == 0 || !locals_[c].is_enabled()) continue;
        if (!best || locals_[c].processor_priority() < locals_[*best].processor_priority()) best = c;
    }
    return best && accept(*best, vector, is_level);
}

bool LocalApics::deliver(const apic::Message& message) {
    // Only an IPI carries a start-up.
    if (message.mode == DeliveryMode::StartUp) return false;
    const Destination to{message.destination, message.is_logical, false};
    u64 candidates = 0;
    for (u32 c = 0; c < config_.vcpus; ++c)
        if (is_addressed(c, to)) candidates |= bit(c);
    if (message.mode == DeliveryMode::LowestPriority) return to_lowest_priority(candidates, message.vector, message.is_level);
    bool is_taken = false;
    for (u32 c = 0; c < config_.vcpus; ++c)
        if ((candidates & bit(c)) != 0) is_taken |= hand_over(c, message.mode, message.vector, message.is_level);
    return is_taken;
}

/// "Issuing Interprocessor Interrupts". IPIs are edge-triggered whatever ICR says.
void LocalApics::send(u32 cpu, u64 icr) {
    const auto mode = static_cast<DeliveryMode>(ICR::Delivery::get(icr));
    const u8 vector = static_cast<u8>(ICR::Vector::get(icr));
    const auto shorthand = static_cast<Shorthand>(ICR::Shorthand::get(icr));
    const bool is_wide = locals_[cpu].is_x2apic();
    const Destination to{static_cast<u32>(is_wide ? ICR::WideDestination::get(icr) : ICR::Destination::get(icr)),
                         ICR::Logical::test(icr), is_wide};
    const bool is_plain = mode == DeliveryMode::Fixed || mode == DeliveryMode::LowestPriority;
    const bool is_start = mode == DeliveryMode::INIT || mode == DeliveryMode::StartUp;
    if (mode == DeliveryMode::ExtINT) return;
    // INIT level de-assert synchronised arbitration IDs once, and does nothing since.
    if (mode == DeliveryMode::INIT && ICR::Level::test(icr) && !ICR::Assert::test(icr)) return;
    if (is_plain && vector < first_vector) return note_error(cpu, ESR::SendIllegalVector::mask);

    u64 candidates = 0;
    for (u32 c = 0; c < config_.vcpus; ++c) {
        const bool is_self = c == cpu;
        bool is_meant = false;
        switch (shorthand) {
            case Shorthand::None: is_meant = is_addressed(c, to); break;
            case Shorthand::Self: is_meant = is_self; break;
            case Shorthand::All: is_meant = locals_[c].is_on(); break;
            case Shorthand::AllButSelf: is_meant = !is_self && locals_[c].is_on(); break;
        }
        if (is_meant && !(is_start && is_self)) candidates |= bit(c);
    }
    if (mode == DeliveryMode::LowestPriority) {
        to_lowest_priority(candidates, vector, false);
        return;
    }
    for (u32 c = 0; c < config_.vcpus; ++c)
        if ((candidates & bit(c)) != 0) hand_over(c, mode, vector, false);
}

}  // namespace ax::dev
