#include "sim/hal/kvm/space.hpp"

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "sim/hal/kvm/policy.hpp"

namespace ax::sim::kvm {

namespace {

/// As CPUID tells the guest.
constexpr unsigned physical_bits = 40;
/// Four pages that KVM wants for itself on processors without unrestricted guests: below where firmware lies, and no RAM.
constexpr u64 identity_map = 0xfeff'c000, task_state = identity_map + page_size;

}  // namespace

Space::Space(Descriptor vm, PhysMemory& memory) : vm_(std::move(vm)), memory_(&memory), runs_(physical_bits) {}

std::expected<Space, std::string> Space::create(const System& system, PhysMemory& memory, const ax::x86::MsrPolicy& policy) {
    auto vm = system.create_vm();
    if (!vm) return std::unexpected(vm.error());
    u64 identity = identity_map;
    if (ioctl(vm->get(), KVM_SET_IDENTITY_MAP_ADDR, &identity) != 0 || ioctl(vm->get(), KVM_SET_TSS_ADDR, task_state) != 0)
        return std::unexpected(failure("KVM takes no pages for real mode"));
    kvm_enable_cap msrs{};
    msrs.cap = KVM_CAP_X86_USER_SPACE_MSR;
    msrs.args[0] = KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_FILTER;
    if (ioctl(vm->get(), KVM_ENABLE_CAP, &msrs) != 0) return std::unexpected(failure("KVM does not hand over MSRs"));
    if (!set_msr_filter(vm->get(), policy)) return std::unexpected(failure("KVM does not take the MSR policy"));
    return Space(std::move(*vm), memory);
}

std::expected<void, mm::MapError> Space::map(Gpa gpa, Hpa hpa, u64 size, mm::Permissions permissions) {
    if (!memory_->contains(hpa, size)) return std::unexpected(mm::MapError::OutOfRange);
    has_changed_ = true;
    return runs_.map(gpa, hpa, size, permissions);
}

std::expected<void, mm::MapError> Space::unmap(Gpa gpa, u64 size) {
    has_changed_ = true;
    return runs_.unmap(gpa, size);
}

std::expected<void, mm::MapError> Space::protect(Gpa gpa, u64 size, mm::Permissions permissions) {
    has_changed_ = true;
    return runs_.protect(gpa, size, permissions);
}

bool Space::set_slot(const Slot& slot, u64 size) {
    kvm_userspace_memory_region region{};
    region.slot = slot.number;
    region.flags = slot.run.permissions.write ? 0 : KVM_MEM_READONLY;
    region.guest_phys_addr = slot.run.range.start.value();
    region.memory_size = size;
    region.userspace_addr = std::bit_cast<u64>(memory_->pointer(slot.run.hpa));
    return ioctl(vm_.get(), KVM_SET_USER_MEMORY_REGION, &region) == 0;
}

bool Space::install() {
    if (!has_changed_) return true;
    std::vector<GpaRun> wanted;
    std::ranges::copy_if(runs_.all(), std::back_inserter(wanted), [](const GpaRun& run) { return run.permissions.read; });
    const SlotChanges changes = plan_slots(slots_, wanted);
    for (const Slot& slot : changes.removed)
        if (!set_slot(slot, 0)) return false;
    for (const Slot& slot : changes.added)
        if (!set_slot(slot, slot.run.range.size)) return false;
    slots_ = after(slots_, changes);
    has_changed_ = false;
    return true;
}

bool Space::read(Gpa from, std::span<std::byte> to) const {
    while (!to.empty()) {
        const auto at = runs_.translate(from);
        if (!at) return false;
        const std::size_t part = std::min<u64>(at->size, to.size());
        if (!memory_->read(at->hpa, to.first(part))) return false;
        from = from + part;
        to = to.subspan(part);
    }
    return true;
}

}  // namespace ax::sim::kvm
