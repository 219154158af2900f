// The rules over VM files on a board and beside each other, with the places that they speak of.
#pragma once

#include <span>

#include "sim/config/platform_file.hpp"
#include "sim/config/vm_file.hpp"

namespace ax::sim {

/// Rules over one VM and the platform that it shall run on. Empty when all hold.
[[nodiscard]] std::vector<Diagnostic> check_on_platform(const VmFile& vm, const PlatformFile& platform);

/// Rules over VMs that share a machine; `platform` may be null. Each finding lies in the later of two files.
[[nodiscard]] std::vector<Diagnostic> check_together(std::span<const VmFile> vms, const PlatformFile* platform);

}  // namespace ax::sim
