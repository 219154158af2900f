#include "sim/config/check_together.hpp"

#include <deque>

#include "core/config/check_platform.hpp"
#include "sim/config/rule_sink.hpp"

namespace ax::sim {

namespace {

config::BoardFacts facts_of(const PlatformFile& platform) {
    return {platform.config, platform.sim.has_cpus ? std::optional(platform.sim.cpus) : std::nullopt, platform.memory()};
}

/// A file that was read before, open again for findings.
struct Reopened {
    explicit Reopened(const VmFile& file) : diagnostics(file.name, file.text), root(parse_toml(file.text).value_or(TomlNode{})) {}

    Diagnostics diagnostics;
    TomlNode root;
    RuleSink sink{root, diagnostics};
};

}  // namespace

std::vector<Diagnostic> check_on_platform(const VmFile& vm, const PlatformFile& platform) {
    Reopened file(vm);
    config::check_on_board(vm.config, facts_of(platform), file.sink);
    return file.diagnostics.take();
}

std::vector<Diagnostic> check_together(std::span<const VmFile> vms, const PlatformFile* platform) {
    std::deque<Reopened> files;
    std::vector<const config::AxVMCrateConfig*> configs;
    std::vector<config::FindingSink*> sinks;
    for (const VmFile& vm : vms) {
        configs.push_back(&vm.config);
        sinks.push_back(&files.emplace_back(vm).sink);
    }
    if (platform != nullptr) {
        const config::BoardFacts facts = facts_of(*platform);
        config::check_together(configs, &facts, sinks);
    } else {
        config::check_together(configs, nullptr, sinks);
    }
    std::vector<Diagnostic> found;
    for (Reopened& file : files)
        for (Diagnostic& diagnostic : file.diagnostics.take()) found.push_back(std::move(diagnostic));
    return found;
}

}  // namespace ax::sim
