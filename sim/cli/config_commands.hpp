// `axsim config ...`: commands over configuration files that start no machine.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace ax::sim::cli {

/// What the chosen command will do; returns the exit status.
using Action = std::function<int()>;

/// Adds `config` and its commands to the program. Each command keeps its settings in storage that its
/// callbacks share, and sets `action` when it was chosen.
void add_config(CLI::App& app, Action& action);

void add_config_check(CLI::App& config, Action& action);
void add_config_show(CLI::App& config, Action& action);
void add_config_schema(CLI::App& config, Action& action);
void add_config_generate(CLI::App& config, Action& action);
void add_config_convert(CLI::App& config, Action& action);

}  // namespace ax::sim::cli
