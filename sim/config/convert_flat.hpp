// The flat form of 2024 and early 2025 as the tree of today's form.
#pragma once

#include "sim/config/toml_tree.hpp"

namespace ax::sim {

/// Moves the keys of a flat file into the tables that they belong to now; every value keeps its place in
/// `text`. What changes is reported as a warning, an unknown key as an error.
[[nodiscard]] TomlNode from_flat_form(const TomlNode& flat, std::string_view text, Diagnostics& diagnostics);

}  // namespace ax::sim
