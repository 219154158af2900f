// Writing a file that is either the old one or the whole new one.
#pragma once

#include <expected>
#include <filesystem>
#include <string_view>

#include "core/base/types.hpp"
#include "sim/base/error.hpp"

namespace ax::sim {

enum class Existing : u8 { Refuse, Replace };

/// Writes `text` to `path` through a file beside it that is renamed when all of it is on the disk; a failure leaves
/// `path` as it was, and nothing else behind. A symbolic link is replaced at its target. What exists and is no
/// regular file (/dev/stdout, a pipe) is written to directly with `Existing::Replace`.
[[nodiscard]] std::expected<void, Error> write_text_file(const std::filesystem::path& path, std::string_view text,
                                                         Existing existing);

}  // namespace ax::sim
