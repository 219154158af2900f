#include "tests/scenario/support/session.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/session/recorder.hpp"
#include "sim/session/replayer.hpp"
#include "sim/session/result.hpp"
#include "sim/session/script_source.hpp"
#include "sim/session/setup.hpp"

namespace ax::scenario {

namespace {

using sim::Outcome;

/// Virtual time that a script waits for a text: two minutes.
constexpr u64 patience_ns = 120'000'000'000;

class Watcher final : public sim::RunObserver {
public:
    explicit Watcher(RunReport& report) : report_(report) {}
    std::optional<Outcome> on_exit(const sim::ExitRecord& /*exit*/, u64 /*cost_ns*/) override { return std::nullopt; }
    std::optional<Outcome> on_state_hash(const sim::StateHashRecord& hash) override {
        report_.state_hashes.push_back(hash);
        return std::nullopt;
    }
    void on_console(VmId vm, u8 byte) override {
        report_.console += static_cast<char>(byte);
        report_.vm_consoles[vm] += static_cast<char>(byte);
    }

private:
    RunReport& report_;
};

void fill(RunReport& report, sim::Machine& machine, Outcome outcome) {
    report.outcome = outcome;
    report.instructions = machine.icount();
    report.exits = machine.exits();
    report.virtual_ns = machine.virtual_ns();
    report.components = machine.component_hashes();
    report.state_hash = machine.state_hash();
    if (outcome == Outcome::GuestFailed) report.failure = sim::describe_failure(*machine.failed_vm(), {});
}

Outcome run_with_stops(sim::Machine& machine, const RunSpec& spec, RunReport& report) {
    while (true) {
        sim::RunLimits limits = spec.limits;
        if (spec.next_stop) limits.max_insns = std::min(limits.max_insns, spec.next_stop(machine.icount()));
        const Outcome outcome = machine.run(limits);
        if (outcome != Outcome::InsnLimit || machine.icount() >= spec.limits.max_insns) return outcome;
        ++report.stops;
        if (spec.at_stop) spec.at_stop(machine);
    }
}

}  // namespace

RunReport run(const RunSpec& spec) {
    RunReport report;
    std::vector<std::string> vms{spec.vm};
    vms.insert(vms.end(), spec.other_vms.begin(), spec.other_vms.end());
    auto setup = sim::read_setup(vms, spec.platform, {0, spec.state_hash_interval});
    if (!setup) {
        ADD_FAILURE() << setup.error().text;
        return report;
    }
    const sim::TraceHeader header = sim::header_for(*setup, {"scenario_tests"});
    auto machine = sim::build(*setup);
    if (!machine) {
        ADD_FAILURE() << machine.error().text;
        return report;
    }
    std::optional<sim::Recorder> recorder;
    if (!spec.record.empty()) {
        auto writer = sim::TraceWriter::create(spec.record, header);
        if (!writer) {
            ADD_FAILURE() << writer.error().to_line();
            return report;
        }
        recorder.emplace(std::move(*writer));
        (*machine)->observe(*recorder);
    }
    Watcher watcher(report);
    (*machine)->observe(watcher);
    auto steps = sim::parse_console_script(spec.script, "script");
    if (!steps) {
        ADD_FAILURE() << steps.error().to_line();
        return report;
    }
    sim::ScriptSource source(std::move(*steps), (*machine)->vms().front()->vm().id(), patience_ns);
    if (!spec.script.empty()) (*machine)->set_input(source);
    fill(report, **machine, run_with_stops(**machine, spec, report));
    report.script_failed = source.has_failed() || source.current() != nullptr;
    if (recorder) {
        const auto done =
            recorder->finish({to_text(report.outcome), report.instructions, report.virtual_ns, report.state_hash, 0, 0});
        if (!done) ADD_FAILURE() << done.error().to_line();
    }
    return report;
}

ReplayReport replay(const ReplaySpec& spec) {
    ReplayReport report;
    auto source = sim::ReplaySource::open(spec.trace);
    if (!source) {
        report.error = source.error().to_line();
        return report;
    }
    auto setup = sim::setup_from(source->header());
    if (!setup) {
        report.error = setup.error().text;
        return report;
    }
    auto machine = sim::build(*setup);
    if (!machine) {
        report.error = machine.error().text;
        return report;
    }
    sim::Replayer replayer(std::move(*source));
    Watcher watcher(report.run);
    (*machine)->observe(replayer);
    (*machine)->observe(watcher);
    (*machine)->set_input(replayer);
    Outcome outcome = Outcome::InsnLimit;
    if (spec.stop) {
        outcome = (*machine)->run({*spec.stop, ~u64{0}});
        if (outcome == Outcome::InsnLimit) spec.at_stop(**machine);
    }
    // A limit that the recorded run had is its end.
    const sim::RunLimits limits = sim::Replayer::limits_for(sim::Replayer::recorded_end(spec.trace));
    if (outcome == Outcome::InsnLimit) outcome = (*machine)->run(limits);
    fill(report.run, **machine, outcome);
    if (outcome != Outcome::Diverged && outcome != Outcome::EndOfTrace)
        replayer.check_end({to_text(outcome), report.run.instructions, report.run.virtual_ns, report.run.state_hash, 0, 0});
    report.difference = replayer.source().difference();
    if (report.difference) report.text = sim::describe_difference(*report.difference, spec.trace);
    if (const auto& error = replayer.source().error()) report.error = error->to_line();
    report.exits_checked = replayer.source().exits_checked();
    report.state_hashes_checked = replayer.source().state_hashes_checked();
    return report;
}

void expect_same(const RunReport& expected, const RunReport& got) {
    EXPECT_STREQ(to_text(expected.outcome), to_text(got.outcome));
    EXPECT_EQ(expected.instructions, got.instructions);
    EXPECT_EQ(expected.exits, got.exits);
    EXPECT_EQ(expected.virtual_ns, got.virtual_ns);
    EXPECT_EQ(expected.console, got.console);
    EXPECT_EQ(expected.vm_consoles, got.vm_consoles);
    ASSERT_EQ(expected.state_hashes.size(), got.state_hashes.size());
    for (std::size_t i = 0; i < expected.state_hashes.size(); ++i) {
        const auto difference = sim::first_difference(expected.state_hashes[i], got.state_hashes[i]);
        ASSERT_FALSE(difference) << "periodic hash " << i << " at icount " << expected.state_hashes[i].icount << ": "
                                 << difference->field << " was " << difference->recorded << " and is now "
                                 << difference->replayed;
    }
    ASSERT_EQ(expected.components.size(), got.components.size());
    for (std::size_t i = 0; i < expected.components.size(); ++i)
        EXPECT_EQ(expected.components[i].hash, got.components[i].hash) << "final hash of " << expected.components[i].name;
    EXPECT_EQ(expected.state_hash, got.state_hash);
}

void expect_replays(const std::string& trace, const RunReport& recorded) {
    const ReplayReport replayed = replay({.trace = trace});
    EXPECT_EQ(replayed.error, "");
    EXPECT_FALSE(replayed.difference) << replayed.text;
    EXPECT_EQ(replayed.exits_checked, recorded.exits);
    EXPECT_EQ(replayed.state_hashes_checked, recorded.state_hashes.size());
    expect_same(recorded, replayed.run);
}

}  // namespace ax::scenario
