// axsim replay
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>

#include "sim/cli/commands.hpp"
#include "sim/cli/console_output.hpp"
#include "sim/report/progress_line.hpp"
#include "sim/report/record_text.hpp"
#include "sim/session/replayer.hpp"
#include "sim/session/result.hpp"
#include "sim/session/setup.hpp"
#include "sim/session/timed_vcpu.hpp"

namespace ax::sim::cli {

namespace {

volatile std::sig_atomic_t is_interrupted = 0;

/// Instructions between two looks at Ctrl-C and the progress line.
constexpr u64 chunk_insns = 50'000'000;

std::optional<RunLimits> parse_until(const std::string& text) {
    if (text.empty()) return RunLimits{};
    RunLimits limits;
    u64* target = text.starts_with("insn:") ? &limits.max_insns : text.starts_with("exit:") ? &limits.max_exits : nullptr;
    if (target == nullptr) return std::nullopt;
    const auto [end, bad] = std::from_chars(text.data() + 5, text.data() + text.size(), *target);
    if (bad != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return limits;
}

Outcome run_in_chunks(Machine& machine, const RunLimits& limits, std::chrono::steady_clock::time_point start) {
    ProgressLine progress(std::cerr, isatty(STDERR_FILENO) != 0);
    while (true) {
        const u64 end = std::min(limits.max_insns, machine.icount() + chunk_insns);
        const Outcome outcome = machine.run({end, limits.max_exits});
        if (outcome != Outcome::InsnLimit || machine.icount() >= limits.max_insns) return outcome;
        if (is_interrupted != 0) return Outcome::Interrupted;
        const auto wall = std::chrono::steady_clock::now() - start;
        progress.show(to_text(Progress{machine.icount(), machine.exits(), machine.virtual_ns(),
                                       static_cast<u64>(std::chrono::duration_cast<std::chrono::nanoseconds>(wall).count())}));
    }
}

void show_machine(Machine& machine, ConsoleOutput& output) {
    const auto& exits = output.last_exits();
    for (const ExitRecord& exit : exits) std::printf("  %s\n", to_line(exit).c_str());
    for (auto& vm : machine.vms())
        for (vm::VcpuTask& task : vm->vm().vcpus()) {
            const Gva pc = task.hal().pc();
            const auto symbol = vm->guest().symbols ? vm->guest().symbols->describe(pc) : std::nullopt;
            std::printf("%s vcpu%u: %s, pc %#llx%s%s\n", std::string(vm->name()).c_str(), index(task.id()), vm::to_text(task.state()),
                        static_cast<unsigned long long>(pc.value()), symbol ? " " : "", symbol ? symbol->c_str() : "");
        }
}

}  // namespace

int replay(const ReplaySettings& settings) {
    const auto limits = parse_until(settings.until);
    if (!limits) {
        std::fprintf(stderr, "%s\n", Error{"bad --until", settings.until, "", "use insn:N or exit:N"}.to_line().c_str());
        return bad_input;
    }
    auto source = ReplaySource::open(settings.trace);
    if (!source) {
        std::fprintf(stderr, "%s\n", source.error().to_line().c_str());
        return bad_input;
    }
    auto setup = setup_from(source->header());
    if (!setup) {
        std::fprintf(stderr, "%s\n", setup.error().text.c_str());
        return bad_input;
    }
    for (const std::string& warning : setup->warnings) std::fprintf(stderr, "%s\n", warning.c_str());
    HandlerTimes times;
    if (settings.stats) setup->options.decorate_vcpu = [&](hal::Vcpu& vcpu) -> hal::Vcpu& { return times.decorate(vcpu); };
    auto machine = build(*setup);
    if (!machine) {
        std::fprintf(stderr, "%s\n", machine.error().text.c_str());
        return bad_input;
    }
    Machine& m = **machine;
    Replayer replayer(std::move(*source));
    m.observe(replayer);
    m.set_input(replayer);
    ConsoleOutput console_output(m, nullptr, "");
    m.observe(console_output);
    std::signal(SIGINT, [](int) { is_interrupted = 1; });

    const auto start = std::chrono::steady_clock::now();
    const auto recorded_end = Replayer::recorded_end(settings.trace);
    const RunLimits recorded = Replayer::limits_for(recorded_end);
    const RunLimits bounded{std::min(limits->max_insns, recorded.max_insns), std::min(limits->max_exits, recorded.max_exits)};
    const Outcome outcome = run_in_chunks(m, bounded, start);
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;

    RunResult result = result_of(m, outcome, wall.count());
    // A limit that the recorded run had as well is its end; one that the user set now is not.
    const bool same_limit = is_resumable(outcome) && recorded_end && recorded_end->icount == m.icount() && recorded_end->exits == m.exits();
    const bool was_interrupted = outcome == Outcome::Interrupted && is_interrupted != 0;
    const bool reached_end = same_limit || (!is_resumable(outcome) && !was_interrupted && outcome != Outcome::Diverged);
    if (reached_end && outcome != Outcome::EndOfTrace) {
        const std::string name = same_limit ? recorded_end->outcome : to_text(outcome);
        replayer.check_end({name, result.instructions, result.virtual_ns, result.state_hash, m.exits(), 0});
    }
    const auto& difference = replayer.source().difference();
    result.differences = difference ? 1 : 0;
    result.state_hashes_checked = replayer.source().state_hashes_checked();
    int status = success;
    if (difference) {
        status = failed;
        std::fprintf(stderr, "%s\n", describe_difference(*difference, settings.trace).c_str());
    }
    if (const auto& error = replayer.source().error()) {
        status = failed;
        result.detail = error->what + ": " + error->why;
        std::fprintf(stderr, "%s\n", error->to_line().c_str());
    }
    if (settings.stats) std::fprintf(stderr, "%s", times.statistics().to_table().c_str());
    if (!settings.until.empty() && !settings.json) show_machine(m, console_output);
    if (settings.json)
        std::printf("%s\n", to_json(result).c_str());
    else
        std::printf("axsim: replay %s\n", to_line(result).c_str());
    return status;
}

}  // namespace ax::sim::cli
