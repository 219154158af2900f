// Compiled here once, and so checked for every target without an operating system.
#include "core/backend/arm64/vm.hpp"

template class ax::hal::TableVm<ax::mm::Vmsav8Stage2, ax::arm64::Cpu>;
