#include "sim/hal/kvm/system.hpp"

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ax::sim::kvm {

namespace {

struct Capability {
    int number;
    int bits;  ///< that the answer must have
    const char* name;
};

constexpr int any_bit = 0;
constexpr Capability needed[] = {
    {KVM_CAP_USER_MEMORY, any_bit, "user memory"},
    {KVM_CAP_READONLY_MEM, any_bit, "read-only memory"},
    {KVM_CAP_IMMEDIATE_EXIT, any_bit, "immediate exit"},
    {KVM_CAP_VCPU_EVENTS, any_bit, "vCPU events"},
    {KVM_CAP_USER_NMI, any_bit, "NMIs from user space"},
    {KVM_CAP_X86_USER_SPACE_MSR, any_bit, "MSRs in user space"},
    {KVM_CAP_X86_MSR_FILTER, any_bit, "an MSR filter"},
    {KVM_CAP_SYNC_REGS, KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS, "shared registers"},
};

}  // namespace

Descriptor::~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

std::string failure(const std::string& what) { return what + ": " + std::strerror(errno); }

std::expected<System, std::string> System::open(const std::string& path) {
    Descriptor device(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!device.is_open()) return std::unexpected(failure(path));
    const int api = ioctl(device.get(), KVM_GET_API_VERSION, 0);
    if (api < 0) return std::unexpected(path + ": this is no KVM device");
    if (api != KVM_API_VERSION)
        return std::unexpected(path + ": KVM API version " + std::to_string(api) + " instead of " + std::to_string(KVM_API_VERSION));
    for (const Capability& capability : needed) {
        const int has = ioctl(device.get(), KVM_CHECK_EXTENSION, capability.number);
        if (has <= 0 || (has & capability.bits) != capability.bits)
            return std::unexpected(path + ": this KVM lacks " + capability.name);
    }
    const int shared = ioctl(device.get(), KVM_GET_VCPU_MMAP_SIZE, 0);
    if (shared < static_cast<int>(sizeof(kvm_run))) return std::unexpected(path + ": this KVM shares too little of a vCPU");
    System system(std::move(device), static_cast<std::size_t>(shared));
    // A device that can be opened may still refuse VMs.
    if (const auto vm = system.create_vm(); !vm) return std::unexpected(path + ": " + vm.error());
    return system;
}

std::expected<Descriptor, std::string> System::create_vm() const {
    Descriptor vm(ioctl(device_.get(), KVM_CREATE_VM, 0));
    if (!vm.is_open()) return std::unexpected(failure("it creates no VM"));
    return vm;
}

}  // namespace ax::sim::kvm
