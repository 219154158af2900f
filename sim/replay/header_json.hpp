// The header block of a trace is JSON text, so that other tools can read it.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "sim/replay/record.hpp"

namespace ax::sim {

/// Bytes that are not UTF-8 (a path may hold any) are replaced.
[[nodiscard]] std::string to_json_text(const TraceHeader& header);
/// The error text names the member that is missing or of the wrong type.
[[nodiscard]] std::expected<TraceHeader, std::string> header_from_json(std::string_view text);

}  // namespace ax::sim
