// A VM's configuration as the text of its file.
#pragma once

#include <string>
#include <string_view>

#include "core/config/crate_config.hpp"

namespace ax::sim {

/// The TOML text of `config`, in the family's order and positional form. Reading it gives `config` again;
/// keys that a reader sets to the same value when they are absent are left out. Texts must be UTF-8, as
/// those of every configuration that was read are. `heading` becomes the comment at the top, line by line.
[[nodiscard]] std::string write_vm(const config::AxVMCrateConfig& config, std::string_view heading);

/// `value` as a TOML basic string with its quotes.
[[nodiscard]] std::string toml_quoted(std::string_view value);

/// `value` in hexadecimal with `_` before every four digits, `0x8020_0000`; from 2^63 on, which no TOML
/// integer reaches, as a string of the same.
[[nodiscard]] std::string hex_number(u64 value);

}  // namespace ax::sim
