#include "sim/hal/scripted/scripted_vcpu.hpp"

#include "core/base/expect.hpp"

namespace ax::sim {

hal::RunStop ScriptedVcpu::run(u64 budget) {
    expect(!awaits_answer_, "an exit is answered before the vCPU runs again");
    log_.emplace_back(ScriptedRun{budget});
    ++runs_;
    hal::RunStop stop = next(budget);
    awaits_answer_ = !std::holds_alternative<BudgetEnd>(stop.exit);
    return stop;
}

hal::RunStop ScriptedVcpu::next(u64 budget) {
    if (!script_.empty()) {
        const hal::RunStop stop = script_.front();
        script_.pop_front();
        return stop;
    }
    if (generator_) {
        if (const std::optional<hal::RunStop> stop = generator_(budget)) return *stop;
    }
    return {BudgetEnd{}, budget};
}

void ScriptedVcpu::finish(const Answer& answer) {
    expect(awaits_answer_, "an exit is answered once");
    awaits_answer_ = false;
    log_.emplace_back(answer);
}

void ScriptedVcpu::inject(Event event) {
    lines_[index(event.line)] = event.level;
    log_.emplace_back(event);
}

bool ScriptedVcpu::has_wake_event() {
    for (std::size_t i = 0; i < line_count; ++i)
        if (lines_[i] && enabled_[i]) return true;
    return false;
}

void ScriptedVcpu::reset(const BootState& boot) {
    log_.emplace_back(boot);
    pc_ = Gva{boot.entry.value()};
}

void ScriptedVcpu::fields(FieldVisitor& v) {
    field(v, "lines", lines_);
    field(v, "enabled", enabled_);
    field(v, "pc", pc_);
    field(v, "runs", runs_);
}

}  // namespace ax::sim
