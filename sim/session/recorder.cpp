#include "sim/session/recorder.hpp"

namespace ax::sim {

std::optional<Outcome> Recorder::check() const {
    if (writer_.error()) return Outcome::RecorderFailed;
    return std::nullopt;
}

std::optional<Outcome> Recorder::on_exit(const ExitRecord& exit, u64 /*cost_ns*/) {
    writer_.add_exit(exit);
    if (++unflushed_ < flush_exits) return std::nullopt;
    unflushed_ = 0;
    flush();
    return check();
}

std::optional<Outcome> Recorder::on_state_hash(const StateHashRecord& hash) {
    writer_.add_state_hash(hash);
    flush();
    return check();
}

void Recorder::on_input(const InputRecord& input) {
    writer_.add_input(input);
    // An input cannot be computed again: it reaches the file before it takes effect.
    flush();
}

}  // namespace ax::sim
