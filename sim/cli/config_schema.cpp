// axsim config schema
#include <cstdio>
#include <memory>

#include "sim/cli/commands.hpp"
#include "sim/cli/config_commands.hpp"
#include "sim/config/schema.hpp"

namespace ax::sim::cli {

void add_config_schema(CLI::App& config, Action& action) {
    const auto is_platform = std::make_shared<bool>(false);
    CLI::App* schema = config.add_subcommand("schema", "Print the JSON Schema (2020-12) of VM files, for editors");
    schema->add_flag("--platform", *is_platform, "That of platform files instead");
    schema->callback([is_platform, &action] {
        action = [is_platform] {
            std::fputs((*is_platform ? platform_schema() : vm_schema()).c_str(), stdout);
            return success;
        };
    });
}

}  // namespace ax::sim::cli
