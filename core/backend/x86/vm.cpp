// Compiled here once, and so checked for every target without an operating system.
#include "core/backend/x86/vm.hpp"

template class ax::hal::TableVm<ax::mm::Ept, ax::x86::Cpu>;
