// Compiled here once, and so checked for every target without an operating system.
#include "core/backend/riscv/vm.hpp"

template class ax::hal::TableVm<ax::mm::Sv39x4, ax::riscv::Cpu>;
