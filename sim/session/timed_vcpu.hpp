// Measures on the host how long each exit takes to be handled, from the exit to the next entry. The
// machine does not see the measurement.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "core/hal/vcpu.hpp"
#include "sim/report/exit_statistics.hpp"

namespace ax::sim {

/// Stands before a vCPU and adds to `statistics` by kind of exit.
class TimedVcpu final : public hal::Vcpu {
public:
    TimedVcpu(hal::Vcpu& inner, ExitStatistics& statistics) : inner_(inner), statistics_(statistics) {}

    hal::RunStop run(u64 budget) override {
        settle();
        hal::RunStop stop = inner_.run(budget);
        kind_ = stop.exit.index();
        left_ = Clock::now();
        return stop;
    }
    void finish(const Answer& answer) override {
        inner_.finish(answer);
        settle();
    }
    void inject(Event event) override { inner_.inject(event); }
    [[nodiscard]] bool has_wake_event() override { return inner_.has_wake_event(); }
    void reset(const BootState& boot) override { inner_.reset(boot); }
    void flush(bool instruction) override { inner_.flush(instruction); }
    [[nodiscard]] Gva pc() override { return inner_.pc(); }
    void fields(FieldVisitor& v) override { inner_.fields(v); }

private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::size_t none = 0;  ///< `BudgetEnd`, which is no exit of the guest

    void settle() {
        if (kind_ == none) return;
        const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - left_).count();
        statistics_.add(kind_, static_cast<u64>(ns));
        kind_ = none;
    }

    hal::Vcpu& inner_;
    ExitStatistics& statistics_;
    std::size_t kind_ = none;
    Clock::time_point left_;
};

/// Owns the measuring vCPUs of a machine; its `decorate` goes into the machine's options.
class HandlerTimes {
public:
    [[nodiscard]] hal::Vcpu& decorate(hal::Vcpu& inner) {
        vcpus_.push_back(std::make_unique<TimedVcpu>(inner, statistics_));
        return *vcpus_.back();
    }
    [[nodiscard]] const ExitStatistics& statistics() const { return statistics_; }

private:
    ExitStatistics statistics_;
    std::vector<std::unique_ptr<TimedVcpu>> vcpus_;
};

}  // namespace ax::sim
