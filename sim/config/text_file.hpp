// Reading a configuration file as text.
#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "sim/config/diagnostic.hpp"

namespace ax::sim {

/// The whole file. Refuses what is no regular file, cannot be read, or is larger than 1 MiB.
[[nodiscard]] std::expected<std::string, ConfigError> read_text_file(const std::filesystem::path& path);

}  // namespace ax::sim
