// MSRs that KVM hands over, and the TSC.
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <algorithm>

#include "core/timer/ticks.hpp"
#include "sim/hal/kvm/policy.hpp"
#include "sim/hal/kvm/vcpu.hpp"

namespace ax::sim::kvm {

using ax::x86::MsrAction;
using ax::x86::MsrRule;
namespace msr = ax::x86::msr;

/// Answers in place; an error is #GP(0).
void Vcpu::serve_msr() {
    if (run_->exit_reason == KVM_EXIT_X86_WRMSR) {
        run_->msr.error = write_msr(run_->msr.index, run_->msr.data) ? 0 : 1;
        return;
    }
    const auto value = read_msr(run_->msr.index);
    run_->msr.error = value ? 0 : 1;
    run_->msr.data = value.value_or(0);
}

std::optional<u64> Vcpu::read_msr(u32 number) {
    const MsrRule rule = msr_rule(settings_.msr_policy(), number);
    switch (rule.action) {
        case MsrAction::LocalApic: {
            const auto value = around_.vectors.read_msr(id_, number);
            if (number != msr::IA32_TSC_DEADLINE || !value || *value == 0) return value;
            return tsc_deadline_;
        }
        case MsrAction::TimeStamp: return get_msr(fd_.get(), number);
        case MsrAction::MemoryType: return mtrrs_.read(number);
        case MsrAction::Fixed: return rule.value;
        case MsrAction::Passed:
        case MsrAction::Unknown: break;
    }
    return std::nullopt;
}

bool Vcpu::write_msr(u32 number, u64 value) {
    const MsrRule rule = msr_rule(settings_.msr_policy(), number);
    switch (rule.action) {
        case MsrAction::LocalApic: {
            if (number != msr::IA32_TSC_DEADLINE) return around_.vectors.write_msr(id_, number, value);
            tsc_deadline_ = value;
            return around_.vectors.write_msr(id_, number, deadline_on_board(value));
        }
        case MsrAction::TimeStamp: return set_msr(fd_.get(), number, value) && move_deadline();
        case MsrAction::MemoryType: return mtrrs_.write(number, value);
        case MsrAction::Fixed: return rule.is_accepted(value);
        case MsrAction::Passed:
        case MsrAction::Unknown: break;
    }
    return false;
}

/// After the guest's TSC was set: what it waits for is another time on the board.
bool Vcpu::move_deadline() {
    const auto armed = around_.vectors.read_msr(id_, msr::IA32_TSC_DEADLINE);
    if (armed.value_or(0) == 0) return true;
    return around_.vectors.write_msr(id_, msr::IA32_TSC_DEADLINE, deadline_on_board(tsc_deadline_));
}

/// The guest's TSC is the host's; the local APIC's follows the board's clock.
u64 Vcpu::deadline_on_board(u64 deadline) {
    constexpr u64 hz_per_khz = 1'000, farthest_ns = u64{1} << 62;
    if (deadline == 0) return 0;
    const auto tsc = get_msr(fd_.get(), msr::IA32_TIME_STAMP_COUNTER);
    const int khz = ioctl(fd_.get(), KVM_GET_TSC_KHZ, 0);
    u64 wait_ns = 0;
    if (tsc && khz > 0 && deadline > *tsc) wait_ns = std::min(timer::ticks_to_ns(deadline - *tsc, static_cast<u64>(khz) * hz_per_khz), farthest_ns);
    return std::max<u64>(1, timer::ns_to_ticks(around_.board.now_ns() + wait_ns, around_.tsc_hz));
}

}  // namespace ax::sim::kvm
