// How large a configuration can be: every list and text of it is bounded.
#pragma once

#include "core/base/fixed_string.hpp"
#include "core/base/fixed_vector.hpp"

namespace ax::config {

inline constexpr std::size_t max_vcpus = 64;
inline constexpr std::size_t max_memory_regions = 32;
inline constexpr std::size_t max_emu_devices = 32;
inline constexpr std::size_t max_cfg_list = 16;
inline constexpr std::size_t max_pass_through_devices = 64;
inline constexpr std::size_t max_pass_through_addresses = 64;
inline constexpr std::size_t max_pass_through_ports = 32;
inline constexpr std::size_t max_excluded_devices = 64;
inline constexpr std::size_t max_spis = 64;

using Name = FixedString<63>;
/// Name of a device, or its path in a device tree.
using DeviceName = FixedString<127>;
using Path = FixedString<511>;
/// Linux takes 1023 (riscv) or 2047 (arm64, x86) characters.
using Cmdline = FixedString<2047>;
/// One number per vCPU.
using PerVcpu = FixedVector<u64, max_vcpus>;

}  // namespace ax::config
