// The only source of time, and alarms on it.
#pragma once

#include "core/base/types.hpp"

namespace ax::timer {

/// No deadline.
inline constexpr u64 never = ~u64{0};

class Clock {
public:
    [[nodiscard]] virtual u64 now_ns() = 0;

protected:
    ~Clock() = default;
};

/// Who is told when an alarm is due.
class AlarmClient {
public:
    virtual void on_alarm() = 0;

protected:
    ~AlarmClient() = default;
};

/// Sets alarms. One alarm per client: setting it again moves it, `never` cancels it.
class Alarms {
public:
    virtual void set_alarm(AlarmClient& client, u64 deadline_ns) = 0;

protected:
    ~Alarms() = default;
};

}  // namespace ax::timer
