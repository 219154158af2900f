#include "sim/hal/kvm/alarm.hpp"

#include <csignal>
#include <unistd.h>

#include <atomic>

#include "sim/hal/kvm/system.hpp"

namespace ax::sim::kvm {

namespace {

constexpr u64 ns_per_second = 1'000'000'000;

/// Of the vCPU that is in the guest, for the handler; null when none is.
std::atomic<u8*> entered{nullptr};
static_assert(std::atomic<u8*>::is_always_lock_free);

int ring_signal() { return SIGRTMIN; }

void on_ring(int /*signal*/) {
    if (u8* flag = entered.load(std::memory_order_relaxed)) *static_cast<volatile u8*>(flag) = 1;
}

}  // namespace

std::expected<std::unique_ptr<Alarm>, std::string> Alarm::create() {
    struct sigaction action {};
    action.sa_handler = on_ring;
    sigemptyset(&action.sa_mask);
    if (sigaction(ring_signal(), &action, nullptr) != 0) return std::unexpected(failure("the host gives no signal"));
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = ring_signal();
    event._sigev_un._tid = gettid();
    timer_t timer{};
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) return std::unexpected(failure("the host gives no timer"));
    return std::unique_ptr<Alarm>(new Alarm(timer));
}

Alarm::~Alarm() { timer_delete(timer_); }

void Alarm::arm(u64 now_ns, u64 ns) {
    const bool is_set = due_ns_ > now_ns && due_ns_ != ~u64{0};
    if (is_set && due_ns_ <= now_ns + ns) return;
    due_ns_ = now_ns + ns;
    // A time of zero would stop the timer.
    if (ns == 0) ns = 1;
    itimerspec at{};
    at.it_value.tv_sec = static_cast<time_t>(ns / ns_per_second);
    at.it_value.tv_nsec = static_cast<long>(ns % ns_per_second);
    timer_settime(timer_, 0, &at, nullptr);
}

void Alarm::enter(u8& immediate_exit, u64 now_ns, u64 ns) {
    // First, so that no ring falls between.
    entered.store(&immediate_exit, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    arm(now_ns, ns < longest_ns ? ns : longest_ns);
}

void Alarm::leave() { entered.store(nullptr, std::memory_order_relaxed); }

}  // namespace ax::sim::kvm
