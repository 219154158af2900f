// axsim config convert
#include <cstdio>
#include <memory>

#include "sim/cli/commands.hpp"
#include "sim/cli/config_commands.hpp"
#include "sim/config/convert.hpp"
#include "sim/config/text_file.hpp"
#include "sim/config/text_output.hpp"

namespace ax::sim::cli {

namespace {

struct ConvertSettings {
    std::string file;
    std::string output;
    bool force = false;
};

int convert(const ConvertSettings& settings) {
    const auto text = read_text_file(settings.file);
    const auto conversion = text ? convert_vm(*text, settings.file) : std::unexpected(text.error());
    if (!conversion) {
        std::fputs(conversion.error().to_text().c_str(), stderr);
        return bad_input;
    }
    for (const Diagnostic& note : conversion->notes) std::fprintf(stderr, "%s\n", note.one_line().c_str());
    if (!conversion->is_changed) std::fprintf(stderr, "axsim: note: %s is in today's form already\n", settings.file.c_str());
    if (settings.output.empty()) {
        std::fputs(conversion->text.c_str(), stdout);
        return success;
    }
    const auto written =
        write_text_file(settings.output, conversion->text, settings.force ? Existing::Replace : Existing::Refuse);
    if (written) return success;
    std::fprintf(stderr, "%s\n", written.error().to_line().c_str());
    return bad_input;
}

}  // namespace

void add_config_convert(CLI::App& config, Action& action) {
    const auto settings = std::make_shared<ConvertSettings>();
    CLI::App* app = config.add_subcommand("convert", "Write a VM file of 2024 or early 2025 in today's form");
    app->add_option("FILE", settings->file, "The VM file")->required();
    app->add_option("-O,--output", settings->output, "The file to write, else standard output");
    app->add_flag("--force", settings->force, "Replace the output file if it exists");
    app->callback([settings, &action] { action = [settings] { return convert(*settings); }; });
}

}  // namespace ax::sim::cli
