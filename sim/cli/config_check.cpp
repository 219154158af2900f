// axsim config check
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "sim/cli/commands.hpp"
#include "sim/cli/config_commands.hpp"
#include "sim/config/check_files.hpp"

namespace ax::sim::cli {

namespace {

struct CheckSettings {
    std::vector<std::string> files;
    std::string platform;
    bool json = false;
    bool deny_warnings = false;
};

std::string count_text(std::size_t count, const char* noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

bool has(const CheckReport& report, FileKind kind) {
    return std::ranges::any_of(report.files, [&](const CheckedFile& file) { return file.kind == kind; });
}

/// Says that rules were left out, and why.
void print_note(const CheckReport& report, bool names_platform) {
    if (report.platform || !has(report, FileKind::Vm)) return;
    const bool is_given = names_platform || has(report, FileKind::Platform);
    std::fprintf(stderr, "axsim: note: %s the rules over VMs on a board were not applied\n",
                 is_given ? "the platform file was not accepted, so that" : "without --platform");
}

void print_text(const CheckReport& report) {
    for (const Diagnostic& finding : report.findings) std::fputs(finding.to_text().c_str(), stdout);
    std::printf("%s: %s, %s\n", count_text(report.files.size(), "file").c_str(), count_text(report.errors(), "error").c_str(),
                count_text(report.warnings(), "warning").c_str());
}

void print_json(const CheckReport& report) {
    nlohmann::ordered_json json;
    json["files"] = nlohmann::ordered_json::array();
    for (const CheckedFile& file : report.files) {
        nlohmann::ordered_json entry{{"file", file.path.string()}, {"kind", to_text(file.kind)}};
        if (file.vm) {
            entry["id"] = file.vm->config.base.id;
            entry["name"] = file.vm->config.base.name.view();
        }
        if (file.platform) entry["name"] = file.platform->config.platform.view();
        json["files"].push_back(std::move(entry));
    }
    json["findings"] = nlohmann::ordered_json::array();
    for (const Diagnostic& d : report.findings)
        json["findings"].push_back({{"file", d.file},
                                    {"line", d.at.line},
                                    {"column", d.at.column},
                                    {"severity", d.severity == config::Severity::Error ? "error" : "warning"},
                                    {"key", d.key},
                                    {"value", report.value_of(d)},
                                    {"rule", d.rule},
                                    {"what", d.what},
                                    {"why", d.why},
                                    {"fix", d.hint}});
    json["errors"] = report.errors();
    json["warnings"] = report.warnings();
    // Keys come from files that may hold any bytes.
    std::printf("%s\n", json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
}

int check(const CheckSettings& settings) {
    const std::vector<std::filesystem::path> paths(settings.files.begin(), settings.files.end());
    const CheckReport report =
        check_files(paths, settings.platform.empty() ? std::nullopt : std::optional<std::filesystem::path>(settings.platform));
    if (settings.json)
        print_json(report);
    else
        print_text(report);
    print_note(report, !settings.platform.empty());
    if (report.errors() != 0) return bad_input;
    return settings.deny_warnings && report.warnings() != 0 ? failed : success;
}

}  // namespace

void add_config_check(CLI::App& config, Action& action) {
    const auto settings = std::make_shared<CheckSettings>();
    CLI::App* check_app = config.add_subcommand("check", "Report everything that is wrong with VM and platform files, all at once");
    check_app->add_option("FILE", settings->files, "VM files, platform files, defconfig.toml")->required()->expected(1, 64);
    check_app->add_option("--platform", settings->platform, "The board that the VMs shall run on; else the first platform file given");
    check_app->add_flag("--json", settings->json, "Print one JSON object on standard output");
    check_app->add_flag("--deny-warnings", settings->deny_warnings, "Exit status 1 for warnings too");
    check_app->callback([settings, &action] { action = [settings] { return check(*settings); }; });
}

}  // namespace ax::sim::cli
