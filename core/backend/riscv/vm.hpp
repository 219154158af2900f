// A RISC-V VM with Sv39x4 tables at the HAL line.
#pragma once

#include "core/backend/riscv/cpu.hpp"
#include "core/hal/table_vm.hpp"
#include "core/mm/sv39x4.hpp"

namespace ax::riscv {

using Vm = hal::TableVm<mm::Sv39x4, Cpu>;

}  // namespace ax::riscv

extern template class ax::hal::TableVm<ax::mm::Sv39x4, ax::riscv::Cpu>;
