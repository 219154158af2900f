// The hash of a whole machine as the hashes of its named parts.
#pragma once

#include <string>
#include <vector>

#include "sim/state/hasher.hpp"

namespace ax::sim {

/// Hash of one part of a machine: `vm1/vcpu0`, `vm1/plic`, `memory`.
struct ComponentHash {
    std::string name;
    u64 hash = 0;
    bool operator==(const ComponentHash&) const = default;
};

/// One hash for all parts, in their order.
[[nodiscard]] inline u64 combine(const std::vector<ComponentHash>& components) {
    StateHasher hasher;
    for (const ComponentHash& component : components) {
        u64 hash = component.hash;
        hasher.word(component.name, hash, 64);
    }
    return hasher.digest();
}

}  // namespace ax::sim
