// From the TOML tree of a VM file to core/config's types: keys, types and ranges.
#pragma once

#include "core/config/crate_config.hpp"
#include "sim/config/toml_tree.hpp"

namespace ax::sim {

/// Fills `config` and reports everything that has the wrong key, type or range.
void read_vm_tables(const TomlNode& root, config::AxVMCrateConfig& config, Diagnostics& diagnostics);

}  // namespace ax::sim
