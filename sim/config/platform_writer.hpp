// A board's description as the text of a platform file.
#pragma once

#include <string>

#include "core/config/platform.hpp"

namespace ax::sim {

/// The TOML text of `board` with the family's type comments; reading it gives `board` again. What is absent is
/// left out, and so is [sim], which is no part of a board.
[[nodiscard]] std::string write_platform(const config::PlatformConfig& board);

}  // namespace ax::sim
