// JSON Schemas of configuration files, for editors (`#:schema`) and other tools.
#pragma once

#include <string>

namespace ax::sim {

/// JSON Schema 2020-12 of a VM file, made from the key table; ends with a newline. It holds what a schema can
/// say: keys, types, bounds, words, both forms of every element. Rules over several values are left to
/// `axsim config check`.
[[nodiscard]] std::string vm_schema();
/// The same for a platform file, and for a defconfig, whose keys stand at its top.
[[nodiscard]] std::string platform_schema();

}  // namespace ax::sim
