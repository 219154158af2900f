// axsim run
#include <unistd.h>

#include <chrono>
#include <cstring>

#include "sim/cli/commands.hpp"
#include "sim/cli/console_output.hpp"
#include "sim/session/exit_list.hpp"
#include "sim/session/live_source.hpp"
#include "sim/session/recorder.hpp"
#include "sim/session/result.hpp"
#include "sim/session/setup.hpp"
#include "sim/session/timed_vcpu.hpp"

namespace ax::sim::cli {

namespace {

/// Virtual time that a script waits for a text: ten minutes.
constexpr u64 script_patience_ns = 600'000'000'000;

int report(const Error& error, int status) {
    std::fprintf(stderr, "%s\n", error.to_line().c_str());
    return status;
}

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using OwnedFile = std::unique_ptr<std::FILE, CloseFile>;

/// The parts of `--console`.
struct ConsoleChoice {
    std::vector<ScriptStep> script;
    bool is_script = false;
    bool reads_stdin = false;
    OwnedFile file;
};

std::expected<ConsoleChoice, Error> parse_console(const std::string& text) {
    ConsoleChoice choice;
    if (text == "stdio") {
        choice.reads_stdin = true;
    } else if (text.starts_with("file:")) {
        choice.file.reset(std::fopen(text.c_str() + 5, "wb"));
        if (!choice.file) return std::unexpected(Error{"cannot write the console file", text.substr(5), std::strerror(errno), ""});
    } else if (text.starts_with("script:")) {
        auto script = read_console_script(text.substr(7));
        if (!script) return std::unexpected(script.error());
        choice.script = std::move(*script);
        choice.is_script = true;
    } else {
        return std::unexpected(Error{"unknown console", text, "", "use stdio, file:F or script:F"});
    }
    return choice;
}

/// What the host's processor cannot give: instructions are not counted, and no run is like another.
std::expected<Backend, Error> choose_backend(const RunSettings& settings) {
    if (settings.backend != "kvm") return Backend::Simulated;
    const auto needs_simulation = [](const char* option, const char* why) {
        return std::unexpected(Error{std::string(option) + " needs the simulated backend", "", why, "leave it out, or use --backend sim"});
    };
    if (!settings.record.empty()) return needs_simulation("--record", "a run on KVM cannot be replayed");
    if (settings.state_hash_interval != 0) return needs_simulation("--state-hash-every", "a run on KVM cannot be repeated");
    if (settings.max_insns != ~u64{0}) return needs_simulation("--max-insns", "KVM counts no instructions");
    if (settings.seed != 0) return needs_simulation("--seed", "a run on KVM cannot be repeated");
    return Backend::Kvm;
}

int status_of(Outcome outcome, const RunSettings& settings) {
    switch (outcome) {
        case Outcome::PoweredOff:
        case Outcome::ResetRequested:
        case Outcome::AllIdle:
        case Outcome::InsnLimit:
        case Outcome::ExitLimit: return settings.until_text.empty() ? success : failed;
        case Outcome::Interrupted:
        case Outcome::TextSeen: return success;
        case Outcome::GuestFailed:
        case Outcome::ScriptFailed:
        case Outcome::Diverged:
        case Outcome::EndOfTrace:
        case Outcome::RecorderFailed: return failed;
    }
    return failed;
}

}  // namespace

int run(const RunSettings& settings) {
    auto console = parse_console(settings.console);
    if (!console) return report(console.error(), bad_input);
    const auto backend = choose_backend(settings);
    if (!backend) return report(backend.error(), bad_input);
    auto setup = read_setup(settings.vms, settings.platform, {settings.seed, settings.state_hash_interval, nullptr, *backend});
    if (!setup) {
        std::fprintf(stderr, "%s\n", setup.error().text.c_str());
        return bad_input;
    }
    for (const std::string& warning : setup->warnings) std::fprintf(stderr, "%s\n", warning.c_str());
    HandlerTimes times;
    if (settings.stats) setup->options.decorate_vcpu = [&](hal::Vcpu& vcpu) -> hal::Vcpu& { return times.decorate(vcpu); };
    const TraceHeader header = header_for(*setup, settings.command_line);
    auto machine = build(*setup);
    if (!machine) {
        std::fprintf(stderr, "%s\n", machine.error().text.c_str());
        return bad_input;
    }
    Machine& m = **machine;

    std::optional<Recorder> recorder;
    if (!settings.record.empty()) {
        auto writer = TraceWriter::create(settings.record, header);
        if (!writer) return report(writer.error(), bad_input);
        recorder.emplace(std::move(*writer));
        m.observe(*recorder);
    }
    std::unique_ptr<ExitList> exits;
    if (!settings.exits.empty()) {
        auto list = ExitList::create(settings.exits);
        if (!list) return report(list.error(), bad_input);
        exits = std::move(*list);
        m.observe(*exits);
    }
    std::FILE* terminal = settings.json ? stderr : stdout;
    std::FILE* output = console->file ? console->file.get() : terminal;
    ConsoleOutput console_output(m, output, settings.until_text);
    m.observe(console_output);

    LiveSource source;
    const VmId first_vm = m.vms().front()->vm().id();
    if (console->is_script) source.use_script(std::move(console->script), first_vm, script_patience_ns);
    if (console->reads_stdin) source.use_standard_input(first_vm);
    source.before_waiting([&] {
        std::fflush(output);
        if (recorder) recorder->flush();
    });
    m.set_input(source);

    const auto start = std::chrono::steady_clock::now();
    Outcome outcome = m.run({settings.max_insns, settings.max_exits});
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    const bool script_failed = source.script() != nullptr && source.script()->has_failed();
    std::fflush(output);

    RunResult result = result_of(m, script_failed ? Outcome::ScriptFailed : outcome, wall.count());
    if (script_failed)
        result.detail = "line " + std::to_string(source.script()->current()->line) + " of the script waits for a text that does not come";
    int status = status_of(result.outcome, settings);
    if (recorder) {
        const auto done = recorder->finish({to_text(outcome), result.instructions, result.virtual_ns, result.state_hash, 0, 0});
        if (!done) status = report(done.error(), failed);
        result.trace_bytes = recorder->writer().file_bytes();
    }
    if (exits)
        if (const auto done = exits->finish(); !done) status = report(done.error(), failed);
    if (outcome == Outcome::GuestFailed)
        std::fprintf(stderr, "%s", describe_failure(*m.failed_vm(), console_output.last_exits()).c_str());
    if (settings.stats) std::fprintf(stderr, "%s", times.statistics().to_table().c_str());
    if (settings.json)
        std::printf("%s\n", to_json(result).c_str());
    else
        std::fprintf(stderr, "\naxsim: %s\n", to_line(result).c_str());
    return status;
}

}  // namespace ax::sim::cli
