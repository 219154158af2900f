#include "tests/fuzz/config_fuzz_body.hpp"

#include <algorithm>
#include <memory>

#include "core/base/expect.hpp"
#include "core/config/vm_config.hpp"
#include "sim/config/check_together.hpp"
#include "sim/config/convert.hpp"
#include "sim/config/vm_writer.hpp"

namespace ax::test {

namespace {

using namespace ax::sim;

void check_diagnostics(const std::vector<Diagnostic>& found, std::string_view text) {
    const auto lines = static_cast<u32>(std::ranges::count(text, '\n')) + 1;
    for (const Diagnostic& d : found) {
        expect(!d.what.empty() && !d.hint.empty() && !d.rule.empty(), "a diagnostic says what, what to do, and which rule");
        expect(d.at.line <= lines, "a diagnostic's line is in the file");
    }
}

template <class T>
std::string outcome(const std::expected<T, ConfigError>& file, std::string_view text) {
    if (file) {
        check_diagnostics(file->warnings, text);
        return "accepted";
    }
    const std::vector<Diagnostic>& found = file.error().diagnostics;
    check_diagnostics(found, text);
    expect(std::ranges::count(found, config::Severity::Error, &Diagnostic::severity) > 0, "what is refused has an error");
    return file.error().to_text();
}

void check_resolved(const VmFile& file) {
    const auto vm = std::make_unique<config::AxVMConfig>(file.config);
    expect(vm->get_vcpu_affinities_pcpu_ids().size() == vm->cpu_num(), "there is one affinity per vCPU");
    for (const config::VmMemConfig& region : vm->memory_regions())
        expect(vm->contains_memory_range(region.range()), "a region contains itself");
    const std::string written = write_vm(file.config, "written back");
    const auto again = read_vm_text(written, "again.toml");
    expect(again.has_value(), "what is written can be read");
    expect(write_vm(again->config, "written back") == written, "what is read back is the same");
}

/// The file when its values can be read, whatever the rules say.
std::optional<VmFile> fuzz_vm(std::string_view text) {
    auto file = read_vm_text(text, "vm.toml");
    expect(outcome(file, text) == outcome(read_vm_text(text, "vm.toml"), text), "two readings find the same");
    if (file) check_resolved(*file);
    const auto converted = convert_vm(text, "vm.toml");
    if (!converted) check_diagnostics(converted.error().diagnostics, text);
    JudgedVm judged = judge_vm_text(text, "vm.toml");
    expect(judged.is_good == file.has_value(), "judging a text and reading it agree");
    return std::move(judged.file);
}

void fuzz_vms(std::string_view text) {
    constexpr std::string_view separator = "----\n";
    constexpr std::size_t most_vms = 8;
    std::vector<VmFile> files;
    for (std::size_t i = 0; i < most_vms && !text.empty(); ++i) {
        const std::size_t end = std::min(text.find(separator), text.size());
        if (auto file = fuzz_vm(text.substr(0, end))) files.push_back(*std::move(file));
        text.remove_prefix(std::min(end + separator.size(), text.size()));
    }
    for (const Diagnostic& d : check_together(files, nullptr)) expect(!d.what.empty() && d.at.line != 0, "a joint finding has its place");
}

}  // namespace

void fuzz_config(std::string_view input) {
    constexpr std::string_view platform = "platform\n", vms = "vms\n";
    if (input.starts_with(platform)) {
        const std::string_view text = input.substr(platform.size());
        const auto file = read_platform_text(text, "board.toml");
        expect(outcome(file, text) == outcome(read_platform_text(text, "board.toml"), text), "two readings find the same");
        static_cast<void>(read_defconfig_text(text, "defconfig.toml"));
    } else if (input.starts_with(vms)) {
        fuzz_vms(input.substr(vms.size()));
    } else {
        static_cast<void>(fuzz_vm(input));
    }
}

}  // namespace ax::test
