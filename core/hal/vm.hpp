// The HAL line for one VM: its second-stage address space.
#pragma once

#include "core/mm/mapper.hpp"

namespace ax::hal {

class Vm : public mm::Mapper {
protected:
    ~Vm() = default;
};

}  // namespace ax::hal
