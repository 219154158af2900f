// From the TOML tree of a platform file to its types.
#pragma once

#include "sim/config/platform_file.hpp"
#include "sim/config/toml_tree.hpp"

namespace ax::sim {

/// Fills `file` and reports everything that has the wrong key, type or range.
void read_platform_tables(const TomlNode& root, PlatformFile& file, Diagnostics& diagnostics);

/// The same for a defconfig.
void read_defconfig_keys(const TomlNode& root, Defconfig& defconfig, Diagnostics& diagnostics);

}  // namespace ax::sim
