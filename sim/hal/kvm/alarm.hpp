// Takes a vCPU out of the guest when its time is up: KVM counts no instructions, so a budget is a time.
#pragma once

#include <ctime>
#include <expected>
#include <memory>
#include <string>

#include "core/base/types.hpp"

namespace ax::sim::kvm {

/// A timer of the host whose signal goes to the thread that made the alarm, where all vCPUs run. The signal ends the system
/// call that runs a vCPU, and by the vCPU's `immediate_exit` one that has not begun yet.
class Alarm {
public:
    /// The error says what the host refused.
    [[nodiscard]] static std::expected<std::unique_ptr<Alarm>, std::string> create();
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
    ~Alarm();

    static constexpr u64 longest_ns = 60'000'000'000;

    /// Until `leave`, a ring sets `immediate_exit`. It rings `ns`, cut to the longest, after `now_ns`, or earlier when an
    /// earlier ring is still to come: who is rung early goes on.
    void enter(u8& immediate_exit, u64 now_ns, u64 ns);
    void leave();

private:
    explicit Alarm(timer_t timer) : timer_(timer) {}

    void arm(u64 now_ns, u64 ns);

    timer_t timer_;
    u64 due_ns_ = ~u64{0};  ///< of the ring that is to come
};

}  // namespace ax::sim::kvm
