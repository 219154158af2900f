// All alarms of a machine, in the order in which they go off.
#pragma once

#include "core/base/fields.hpp"
#include "core/timer/clock.hpp"

namespace ax::timer {

/// Alarms go off by deadline, and at equal deadlines in the order in which they were set. A client is
/// attached before its first alarm and detached before it dies; its slot number stands for it in
/// saved states, so clients must be attached in the same order before a state is restored.
class TimerQueue final : public Alarms {
public:
    static constexpr std::size_t max_clients = 256;

    /// Gives the client the lowest free slot; false when there is none. Attaching twice changes nothing.
    [[nodiscard]] bool attach(AlarmClient& client);
    /// Cancels the client's alarm and frees its slot.
    void detach(AlarmClient& client);

    /// The client must be attached. An alarm in the past goes off at the next `run_due`.
    void set_alarm(AlarmClient& client, u64 deadline_ns) override;

    /// When the next alarm goes off, `never` when none is set.
    [[nodiscard]] u64 next_deadline() const;
    /// Lets every alarm go off whose deadline is `now_ns` or earlier, those that clients set meanwhile
    /// included, and returns their number. Each is cancelled before its client is told.
    u64 run_due(u64 now_ns);

    void fields(FieldVisitor& v);

private:
    struct Slot {
        AlarmClient* client = nullptr;
        u64 deadline_ns = never;
        u64 sequence = 0;  ///< of the last `set_alarm`
    };

    [[nodiscard]] std::size_t find(const AlarmClient* client) const;
    [[nodiscard]] bool goes_before(std::size_t a, std::size_t b) const;
    void enqueue(std::size_t slot);
    void dequeue(std::size_t slot);

    std::array<Slot, max_clients> slots_{};
    u64 next_sequence_ = 0;
    /// Slots with an alarm, the next one to go off last.
    FixedVector<std::size_t, max_clients> queue_;
};

}  // namespace ax::timer
