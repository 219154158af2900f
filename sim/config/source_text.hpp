// The text of a single value in a TOML file, for messages.
#pragma once

#include <string>
#include <string_view>

#include "sim/config/diagnostic.hpp"

namespace ax::sim {

/// The value that begins at `at`, as it is written: up to the comma, bracket or comment that ends it, on
/// one line, at most 80 characters. A table header gives its name. Empty when there is nothing.
[[nodiscard]] std::string value_text(std::string_view text, Position at);

}  // namespace ax::sim
