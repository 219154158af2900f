// The host's KVM: opened, and found to have what this backend needs. Source of all of this folder's interface: the Linux
// kernel's documentation, "The Definitive KVM (Kernel-based Virtual Machine) API Documentation".
#pragma once

#include <expected>
#include <string>

#include "core/base/types.hpp"
#include "sim/hal/kvm/descriptor.hpp"

namespace ax::sim::kvm {

class System {
public:
    /// The error is one clause that says why there is no usable KVM, beginning with the path.
    [[nodiscard]] static std::expected<System, std::string> open(const std::string& path = "/dev/kvm");

    /// A VM without in-kernel devices, whose MSRs and memory are its owner's.
    [[nodiscard]] std::expected<Descriptor, std::string> create_vm() const;
    /// Size of the memory that a vCPU shares with its owner.
    [[nodiscard]] std::size_t shared_bytes() const { return shared_bytes_; }

private:
    System(Descriptor device, std::size_t shared_bytes) : device_(std::move(device)), shared_bytes_(shared_bytes) {}

    Descriptor device_;
    std::size_t shared_bytes_;
};

/// `what: ` and the text of the last system call's error.
[[nodiscard]] std::string failure(const std::string& what);

}  // namespace ax::sim::kvm
