// The version of this axsim, as recordings and `axsim version` name it.
#pragma once

namespace ax::sim {

inline constexpr const char* version = "0.1.0";

}  // namespace ax::sim
