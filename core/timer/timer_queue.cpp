#include "core/timer/timer_queue.hpp"

#include <algorithm>

namespace ax::timer {

bool TimerQueue::attach(AlarmClient& client) {
    if (find(&client) != max_clients) return true;
    const std::size_t slot = find(nullptr);
    if (slot == max_clients) return false;
    slots_[slot].client = &client;
    return true;
}

void TimerQueue::detach(AlarmClient& client) {
    const std::size_t slot = find(&client);
    if (slot == max_clients) return;
    dequeue(slot);
    slots_[slot] = {};
}

void TimerQueue::set_alarm(AlarmClient& client, u64 deadline_ns) {
    const std::size_t slot = find(&client);
    expect(slot != max_clients, "an alarm client is attached before it sets an alarm");
    dequeue(slot);
    slots_[slot].deadline_ns = deadline_ns;
    slots_[slot].sequence = next_sequence_++;
    enqueue(slot);
}

u64 TimerQueue::next_deadline() const { return queue_.empty() ? never : slots_[queue_[queue_.size() - 1]].deadline_ns; }

u64 TimerQueue::run_due(u64 now_ns) {
    u64 count = 0;
    // An empty queue answers `never`, and a clock may come that far.
    while (!queue_.empty() && next_deadline() <= now_ns) {
        const std::size_t slot = queue_[queue_.size() - 1];
        dequeue(slot);
        slots_[slot].client->on_alarm();
        ++count;
    }
    return count;
}

void TimerQueue::fields(FieldVisitor& v) {
    field(v, "next_sequence", next_sequence_);
    for (std::size_t i = 0; i < max_clients; ++i) {
        if (slots_[i].client == nullptr) continue;
        v.enter("alarm", i);
        field(v, "deadline_ns", slots_[i].deadline_ns);
        field(v, "sequence", slots_[i].sequence);
        v.leave();
    }
    // The order follows from the fields, whatever a visitor put there.
    queue_.clear();
    for (std::size_t i = 0; i < max_clients; ++i) {
        if (slots_[i].client != nullptr) enqueue(i);
    }
}

/// Slot of a client, or with null the first free one; `max_clients` when there is none.
std::size_t TimerQueue::find(const AlarmClient* client) const {
    const auto at = std::find_if(slots_.begin(), slots_.end(), [&](const Slot& slot) { return slot.client == client; });
    return static_cast<std::size_t>(at - slots_.begin());
}

/// The slot decides only between sequence numbers that a damaged state made equal.
bool TimerQueue::goes_before(std::size_t a, std::size_t b) const {
    if (slots_[a].deadline_ns != slots_[b].deadline_ns) return slots_[a].deadline_ns < slots_[b].deadline_ns;
    if (slots_[a].sequence != slots_[b].sequence) return slots_[a].sequence < slots_[b].sequence;
    return a < b;
}

void TimerQueue::enqueue(std::size_t slot) {
    if (slots_[slot].deadline_ns == never) return;
    const auto at = std::find_if(queue_.begin(), queue_.end(), [&](std::size_t other) { return goes_before(other, slot); });
    expect(queue_.insert(static_cast<std::size_t>(at - queue_.begin()), slot), "each slot is queued once");
}

/// Removes a slot's alarm, if it has one.
void TimerQueue::dequeue(std::size_t slot) {
    slots_[slot].deadline_ns = never;
    const auto at = std::find(queue_.begin(), queue_.end(), slot);
    if (at != queue_.end()) queue_.erase(static_cast<std::size_t>(at - queue_.begin()));
}

}  // namespace ax::timer
