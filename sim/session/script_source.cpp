#include "sim/session/script_source.hpp"

#include <algorithm>

namespace ax::sim {

ScriptSource::ScriptSource(std::vector<ScriptStep> steps, VmId vm, u64 patience_ns)
    : steps_(std::move(steps)), vm_(vm), patience_ns_(patience_ns) {}

void ScriptSource::on_console(VmId vm, u8 byte) {
    if (vm != vm_) return;
    seen_ += static_cast<char>(byte);
    advance();
    // Only as much as the longest text can still match.
    constexpr std::size_t keep = 64 * 1024;
    if (seen_.size() > 2 * keep) seen_.erase(0, seen_.size() - keep);
}

/// Passes every `expect` whose text is in what the guest has written since the last match.
void ScriptSource::advance() {
    while (at_ < steps_.size() && !steps_[at_].is_send) {
        const auto found = seen_.find(steps_[at_].text);
        if (found == std::string::npos) return;
        seen_.erase(0, found + steps_[at_].text.size());
        ++at_;
        since_ns_.reset();
    }
}

const InputRecord* ScriptSource::next(u64 slice, u64 now_ns, std::size_t room) {
    advance();
    if (const ScriptStep* step = current(); step != nullptr && step->is_send && room > 0) {
        const std::string_view rest = std::string_view(step->text).substr(sent_);
        const std::size_t part = std::min(room, rest.size());
        record_ = {slice, now_ns, index(vm_), InputKind::Console, std::string(rest.substr(0, part))};
        sent_ += part;
        if (sent_ == step->text.size()) {
            ++at_;
            sent_ = 0;
            since_ns_.reset();
        }
        return &record_;
    }
    if (const ScriptStep* step = current(); step != nullptr && !step->is_send) {
        if (!since_ns_) since_ns_ = now_ns;
        if (now_ns - *since_ns_ > patience_ns_ && !is_closed_) {
            has_failed_ = is_closed_ = true;
            record_ = {slice, now_ns, index(vm_), InputKind::Stop, "script line " + std::to_string(step->line) + " waits in vain"};
            return &record_;
        }
    }
    return nullptr;
}

u64 ScriptSource::wait(u64 /*slice*/, u64 now_ns, u64 deadline_ns) {
    const ScriptStep* step = current();
    // A guest that waits for ever while the script still expects something: time goes on until its patience ends.
    if (deadline_ns == timer::never && step != nullptr) return now_ns + patience_ns_ + 1;
    if (step == nullptr) {
        // The script is through. A guest that only idles from now on has nothing more to say.
        constexpr u64 grace_ns = 600'000'000'000;
        if (!since_ns_) since_ns_ = now_ns;
        if (now_ns - *since_ns_ > grace_ns) return timer::never;
    }
    return deadline_ns;
}

}  // namespace ax::sim
