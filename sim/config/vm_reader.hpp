// From the TOML tree of a VM file to core/config's types: keys, types and ranges.
#pragma once

#include "core/config/crate_config.hpp"
#include "sim/config/toml_tree.hpp"

namespace ax::sim {

/// Fills `config` and reports everything that has the wrong key, type or range.
void read_vm_tables(const TomlNode& root, config::AxVMCrateConfig& config, Diagnostics& diagnostics);

/// True for a file of 2024 or early 2025, which has its keys at the top instead of in the three tables.
[[nodiscard]] bool is_flat_form(const TomlNode& root);

/// The table that `key` belongs to: "base", "kernel" or "devices"; empty for an unknown key.
[[nodiscard]] std::string_view table_of(std::string_view key);

/// Every key of the three tables.
[[nodiscard]] std::vector<std::string_view> vm_keys();

}  // namespace ax::sim
