// A translation as Unicorn's cache of them takes it.
#pragma once

#include "core/base/addr.hpp"

namespace ax::sim {

/// Never writable and executable at once: Unicorn's fast store path needs that (engine facts, "W^X").
struct EngineFill {
    Hpa page;
    bool read = false;
    bool write = false;
    bool execute = false;
};

}  // namespace ax::sim
