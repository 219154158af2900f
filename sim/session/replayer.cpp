#include "sim/session/replayer.hpp"

namespace ax::sim {

std::optional<EndRecord> Replayer::recorded_end(const std::string& path) {
    auto reader = TraceReader::open(path);
    if (!reader) return std::nullopt;
    while (true) {
        const auto record = reader->next();
        if (!record || *record == nullptr) return std::nullopt;
        if (const auto* end = std::get_if<EndRecord>(*record)) return *end;
    }
}

RunLimits Replayer::limits_for(const std::optional<EndRecord>& end) {
    RunLimits limits;
    if (!end) return limits;
    if (end->outcome == to_text(Outcome::InsnLimit)) limits.max_insns = end->icount;
    if (end->outcome == to_text(Outcome::ExitLimit) || end->outcome == to_text(Outcome::TextSeen)) limits.max_exits = end->exits;
    return limits;
}

std::optional<Outcome> Replayer::verdict(bool agrees) {
    if (!agrees) return source_.is_used_up() && !source_.difference() ? Outcome::EndOfTrace : Outcome::Diverged;
    if (source_.is_used_up()) return Outcome::EndOfTrace;
    return std::nullopt;
}

std::optional<Outcome> Replayer::on_exit(const ExitRecord& exit, u64 /*cost_ns*/) { return verdict(source_.check_exit(exit)); }

std::optional<Outcome> Replayer::on_state_hash(const StateHashRecord& hash) { return verdict(source_.check_state_hash(hash)); }

const InputRecord* Replayer::next(u64 slice, u64 /*now_ns*/, std::size_t /*room*/) { return source_.take_input(slice); }

u64 Replayer::wait(u64 slice, u64 /*now_ns*/, u64 deadline_ns) {
    const InputRecord* input = source_.peek_input();
    // The recorded machine was woken early by an input exactly when one stands at this slice.
    if (input != nullptr && input->slice == slice) return input->virtual_ns;
    return deadline_ns;
}

}  // namespace ax::sim
