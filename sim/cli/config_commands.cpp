#include "sim/cli/config_commands.hpp"

namespace ax::sim::cli {

void add_config(CLI::App& app, Action& action) {
    CLI::App* config = app.add_subcommand("config", "Check, show, make and convert configuration files");
    config->require_subcommand(1);
    add_config_check(*config, action);
    add_config_show(*config, action);
    add_config_schema(*config, action);
    add_config_generate(*config, action);
    add_config_convert(*config, action);
}

}  // namespace ax::sim::cli
