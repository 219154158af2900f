// An arm64 VM with VMSAv8 stage 2 tables at the HAL line.
#pragma once

#include "core/backend/arm64/cpu.hpp"
#include "core/hal/table_vm.hpp"
#include "core/mm/vmsav8_s2.hpp"

namespace ax::arm64 {

using Vm = hal::TableVm<mm::Vmsav8Stage2, Cpu>;

}  // namespace ax::arm64

extern template class ax::hal::TableVm<ax::mm::Vmsav8Stage2, ax::arm64::Cpu>;
