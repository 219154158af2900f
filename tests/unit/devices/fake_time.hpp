// A clock set by hand, with the one alarm a device may have on it.
#pragma once

#include "core/timer/clock.hpp"

namespace ax::device_test {

class FakeTime final : public timer::Clock, public timer::Alarms {
public:
    u64 now_ns() override { return now; }
    void set_alarm(timer::AlarmClient& client, u64 deadline_ns) override {
        client_ = &client;
        deadline = deadline_ns;
        ++settings;
    }
    /// Stops at every alarm on the way.
    void advance_to(u64 time_ns) {
        while (deadline <= time_ns && deadline != timer::never) {
            now = deadline > now ? deadline : now;
            deadline = timer::never;
            ++deliveries;
            client_->on_alarm();
        }
        now = time_ns;
    }
    void advance(u64 ns) { advance_to(now + ns); }
    /// Time passes and nobody is told before the end of it.
    void jump_to(u64 time_ns) {
        now = time_ns;
        if (deadline > now) return;
        deadline = timer::never;
        ++deliveries;
        client_->on_alarm();
    }
    u64 now = 0;
    u64 deadline = timer::never;
    u64 settings = 0;
    u64 deliveries = 0;

private:
    timer::AlarmClient* client_ = nullptr;
};

}  // namespace ax::device_test
