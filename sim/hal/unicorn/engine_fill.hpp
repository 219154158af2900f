// A translation as Unicorn's cache of them takes it.
#pragma once

#include "core/base/addr.hpp"

namespace ax::sim {

/// Not writable and executable at once, but for what x86 code does to its own page: Unicorn's fast store path needs
/// that (engine facts, "W^X").
struct EngineFill {
    Hpa page;
    bool read = false;
    bool write = false;
    bool execute = false;
    bool may_execute = false;  ///< x86: of an entry for stores, that fetches are allowed too
};

}  // namespace ax::sim
