// What a board's CPUs need of the host when its KVM runs them.
#pragma once

#include "sim/hal/kvm/alarm.hpp"
#include "sim/hal/kvm/system.hpp"

namespace ax::sim::kvm {

struct Engine {
    System system;
    std::unique_ptr<Alarm> alarm;

    /// The error says in one clause why there is no usable KVM.
    [[nodiscard]] static std::expected<std::unique_ptr<Engine>, std::string> create() {
        auto system = System::open();
        if (!system) return std::unexpected(system.error());
        auto alarm = Alarm::create();
        if (!alarm) return std::unexpected(alarm.error());
        return std::unique_ptr<Engine>(new Engine{std::move(*system), std::move(*alarm)});
    }
};

}  // namespace ax::sim::kvm
