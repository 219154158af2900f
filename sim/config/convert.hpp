// VM files of former years in today's form.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "sim/config/diagnostic.hpp"

namespace ax::sim {

struct Conversion {
    std::string text;                ///< the file in today's form; the input where nothing had to change
    bool is_changed = false;
    std::vector<Diagnostic> notes;   ///< what was changed and is more than a move, in the order of the input
};

/// Converts a file to the tables [base], [kernel] and [devices].
/// The flat form of 2024 and early 2025: keys move into their tables, memory regions get map_type 0, device
/// memory among them (flag 0x10) becomes `passthrough_devices`, and `cpu_set` becomes `phys_cpu_sets`.
/// Comments are not kept, but name the devices. Image paths stay as written.
/// Today's form: `cpu_set` and regions without map_type are brought up to date in place; all else stays.
/// Refuses what is neither, and what has unknown keys, wrong types or missing keys, all at their places in the
/// input. The rules over what the values mean are not applied.
[[nodiscard]] std::expected<Conversion, ConfigError> convert_vm(std::string_view text, const std::string& name);

}  // namespace ax::sim
