// axsim: the command line.
#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <functional>

#include "core/base/expect.hpp"
#include "sim/base/error.hpp"
#include "sim/cli/commands.hpp"
#include "sim/cli/config_commands.hpp"
#include "sim/hal/unicorn/riscv_engine.hpp"
#include "sim/session/version.hpp"

namespace {

using namespace ax::sim;

/// A count: digits, with groups as in TOML (1_000_000), that fit into 64 bits. CLI11 alone would wrap
/// what is negative or too large.
std::string check_count(std::string& text) {
    std::erase(text, '_');
    ax::u64 value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed == std::errc{} && end == text.data() + text.size()) return {};
    return "'" + text + "' is not a whole number from 0 to 18446744073709551615";
}
const CLI::Validator is_count(check_count, "COUNT");

void add_run(CLI::App& app, cli::RunSettings& s, std::function<int()>& action) {
    CLI::App* run = app.add_subcommand("run", "Run VMs on a simulated machine");
    run->add_option("VM", s.vms, "VM configuration files (TOML)")->required()->expected(1, 16);
    run->add_option("--platform", s.platform, "Platform file; without it, a built-in riscv64-qemu-virt with 4 CPUs");
    run->add_option("--record", s.record, "Record the run into this trace file");
    run->add_option("--backend", s.backend, "sim (default): the simulated CPUs; kvm: the host's processor, for x86_64, without recording")
        ->check(CLI::IsMember({"sim", "kvm"}));
    run->add_option("--exits", s.exits, "List every exit in this file, one line each");
    run->add_option("--console", s.console,
                    "stdio (default), file:F (output only), or script:F (lines: expect \"TEXT\", send \"TEXT\")");
    run->add_option("--until-text", s.until_text, "End the run when a guest has written this text");
    run->add_option("--max-insns", s.max_insns, "End the run at the first block boundary after this many instructions")
        ->transform(is_count);
    run->add_option("--max-exits", s.max_exits, "End the run after this many exits")->transform(is_count);
    run->add_option("--seed", s.seed, "Vary the slices of the vCPUs as this seed says: another interleaving for each (0, the default: none)")->transform(is_count);
    run->add_option("--state-hash-every", s.state_hash_interval,
                    "Hash the whole machine every so many instructions, into the trace")
        ->transform(is_count);
    run->add_flag("--stats", s.stats, "Print exit statistics on standard error");
    run->add_flag("--json", s.json, "Print one JSON object on standard output; the console goes to standard error");
    run->callback([&] { action = [&] { return cli::run(s); }; });
}

void add_replay(CLI::App& app, cli::ReplaySettings& s, std::function<int()>& action) {
    CLI::App* replay = app.add_subcommand("replay", "Run a recording again and compare every exit");
    replay->add_option("TRACE", s.trace, "The recording")->required();
    replay->add_option("--until", s.until, "Stop at insn:N or exit:N and show the machine there");
    replay->add_flag("--stats", s.stats, "Print exit statistics on standard error");
    replay->add_flag("--json", s.json, "Print one JSON object on standard output");
    replay->callback([&] { action = [&] { return cli::replay(s); }; });
}

struct TraceSettings {
    cli::ExitsSettings exits;
    std::string first;
    std::string second;
    bool json = false;
};

void add_trace(CLI::App& app, TraceSettings& s, std::function<int()>& action) {
    CLI::App* trace = app.add_subcommand("trace", "Look into recordings");
    trace->require_subcommand(1);
    CLI::App* info = trace->add_subcommand("info", "What was run, counts and sizes");
    info->add_option("TRACE", s.first)->required();
    info->add_flag("--json", s.json, "Print one JSON object on standard output");
    info->callback([&] { action = [&] { return cli::trace_info(s.first, s.json); }; });
    CLI::App* exits = trace->add_subcommand("exits", "One line per exit");
    exits->add_option("TRACE", s.exits.trace)->required();
    exits->add_option("--first", s.exits.first, "Number of the first exit to show")->transform(is_count);
    exits->add_option("--count", s.exits.count, "How many to show")->transform(is_count);
    exits->callback([&] { action = [&] { return cli::trace_exits(s.exits); }; });
    CLI::App* verify = trace->add_subcommand("verify", "Check blocks, checksums and the hash chain");
    verify->add_option("TRACE", s.first)->required();
    verify->callback([&] { action = [&] { return cli::trace_verify(s.first); }; });
    CLI::App* diff = trace->add_subcommand("diff", "The first difference of two recordings");
    diff->add_option("FIRST", s.first)->required();
    diff->add_option("SECOND", s.second)->required();
    diff->callback([&] { action = [&] { return cli::trace_diff(s.first, s.second); }; });
}

}  // namespace

int main(int argc, char** argv) {
    ax::set_panic_sink([](const char* what) {
        std::fprintf(stderr, "axsim: internal error: it does not hold that %s; please report this with the command line\n", what);
    });
    CLI::App app("axsim: a deterministic full-system simulator for hypervisors");
    app.require_subcommand(1);
    std::function<int()> action;
    cli::RunSettings run;
    cli::ReplaySettings replay;
    TraceSettings trace;
    run.command_line.assign(argv, argv + argc);
    add_run(app, run, action);
    add_replay(app, replay, action);
    add_trace(app, trace, action);
    cli::add_config(app, action);
    app.add_subcommand("version", "Print the versions of axsim and its engine")->callback([&] {
        action = [] {
            std::printf("axsim %s (unicorn %s)\n", version, RiscvEngine::version().c_str());
            return cli::success;
        };
    });
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == 0) {
            app.exit(e);  // --help
            return cli::success;
        }
        // An unknown command is an argument left over, which CLI11 reports only after what is missing.
        const auto unknown = app.remaining(e.get_name() == "RequiredError");
        const bool is_command = !unknown.empty() && !unknown.front().starts_with('-');
        const std::string what = is_command ? "unknown command '" + unknown.front() + "'" : e.what();
        std::fprintf(stderr, "%s\n",
                     Error{"bad command line", "", what, "axsim --help and axsim COMMAND --help tell more"}.to_line().c_str());
        return cli::bad_input;
    }
    const int status = action();
    // A full disk shows up when the last of the output is written.
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
    std::fprintf(stderr, "%s\n", Error{"cannot write to standard output", "", "", "make room, or choose another place"}.to_line().c_str());
    return status == cli::success ? cli::bad_input : status;
}
