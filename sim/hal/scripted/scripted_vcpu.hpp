// A vCPU without a guest: its exits come from a list or a function, and everything that the
// hypervisor does to it is written down. For tests, for replaying exits, for fuzzing.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "core/hal/vcpu.hpp"

namespace ax::sim {

/// One thing that the hypervisor did to a scripted vCPU.
struct ScriptedRun {
    u64 budget = 0;
};
struct ScriptedFlush {
    bool instruction = false;
};
using ScriptedAction = std::variant<ScriptedRun, Answer, Event, BootState, ScriptedFlush>;

class ScriptedVcpu final : public hal::Vcpu {
public:
    /// The next exit for a run of `budget` instructions; nothing when there are no more.
    using Generator = std::function<std::optional<hal::RunStop>(u64 budget)>;

    /// Appends an exit to the list, reached after `instructions`.
    void add(const VmExit& exit, u64 instructions = 1) { script_.push_back({exit, instructions}); }
    /// Asked once the list is used up. Without it, and when it has no more, the guest seems to compute
    /// for ever: every run ends with its budget.
    void set_generator(Generator generator) { generator_ = std::move(generator); }
    void set_pc(Gva pc) { pc_ = pc; }
    /// Whether a high input ends a wait; all do at first.
    void enable(EventLine line, bool is_enabled) { enabled_[index(line)] = is_enabled; }

    /// The level of an interrupt input.
    [[nodiscard]] bool line(EventLine line) const { return lines_[index(line)]; }
    /// Exits of the list that were not reached yet.
    [[nodiscard]] std::size_t remaining() const { return script_.size(); }
    /// True between an exit and its answer.
    [[nodiscard]] bool awaits_answer() const { return awaits_answer_; }
    /// Everything done to this vCPU, in order.
    [[nodiscard]] const std::vector<ScriptedAction>& log() const { return log_; }
    void clear_log() { log_.clear(); }
    /// Those of one kind, in order: `all<Answer>()`, `all<Event>()`, `all<BootState>()`.
    template <class T>
    [[nodiscard]] std::vector<T> all() const {
        std::vector<T> found;
        for (const ScriptedAction& action : log_)
            if (const T* one = std::get_if<T>(&action)) found.push_back(*one);
        return found;
    }

    /// The last exit but `BudgetEnd` must have had its answer, or the VM be stopped.
    hal::RunStop run(u64 budget) override;
    void finish(const Answer& answer) override;
    void inject(Event event) override;
    [[nodiscard]] bool has_wake_event() override;
    /// The list goes on where it is.
    void reset(const BootState& boot) override;
    void flush(bool instruction) override { log_.emplace_back(ScriptedFlush{instruction}); }
    [[nodiscard]] Gva pc() override { return pc_; }
    /// What the hypervisor can observe; the list itself is configuration.
    void fields(FieldVisitor& v) override;

private:
    [[nodiscard]] hal::RunStop next(u64 budget);

    static constexpr std::size_t line_count = 3;

    std::deque<hal::RunStop> script_;
    Generator generator_;
    std::vector<ScriptedAction> log_;
    std::array<bool, line_count> lines_{};
    std::array<bool, line_count> enabled_{true, true, true};
    Gva pc_;
    u64 runs_ = 0;
    bool awaits_answer_ = false;
};

}  // namespace ax::sim
