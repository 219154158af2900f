// The console of a run, played by a script: what it sends is a pure function of what the guest writes.
#pragma once

#include <optional>

#include "sim/machine/observer.hpp"
#include "sim/session/console_script.hpp"

namespace ax::sim {

class ScriptSource final : public InputSource {
public:
    /// Plays `steps` to the console of `vm`. A text that does not come within `patience_ns` of virtual
    /// time ends the run.
    ScriptSource(std::vector<ScriptStep> steps, VmId vm, u64 patience_ns);

    const InputRecord* next(u64 slice, u64 now_ns, std::size_t room) override;
    u64 wait(u64 slice, u64 now_ns, u64 deadline_ns) override;
    void on_console(VmId vm, u8 byte) override;

    /// The step that the script stands at; null when it is through.
    [[nodiscard]] const ScriptStep* current() const { return at_ < steps_.size() ? &steps_[at_] : nullptr; }
    /// True when the script gave up waiting.
    [[nodiscard]] bool has_failed() const { return has_failed_; }

private:
    void advance();

    std::vector<ScriptStep> steps_;
    VmId vm_;
    u64 patience_ns_;
    std::size_t at_ = 0;
    std::size_t sent_ = 0;         ///< bytes of the current send step that are out
    std::string seen_;             ///< tail of the guest's output, not yet matched
    std::optional<u64> since_ns_;  ///< when the current wait began
    bool has_failed_ = false;
    bool is_closed_ = false;
    InputRecord record_;
};

}  // namespace ax::sim
