// An x86 VM with EPT at the HAL line.
#pragma once

#include "core/backend/x86/cpu.hpp"
#include "core/hal/table_vm.hpp"
#include "core/mm/ept.hpp"

namespace ax::x86 {

using Vm = hal::TableVm<mm::Ept, Cpu>;

}  // namespace ax::x86

extern template class ax::hal::TableVm<ax::mm::Ept, ax::x86::Cpu>;
