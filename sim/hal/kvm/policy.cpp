#include "sim/hal/kvm/policy.hpp"

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <cstring>
#include <vector>

namespace ax::sim::kvm {

namespace {

/// The requests, whose numbers contain the size of the list's head: see `List`.
constexpr auto get_msrs = _IOWR(KVMIO, 0x88, u64);
constexpr auto set_msrs = _IOW(KVMIO, 0x89, u64);
constexpr auto set_cpuid2 = _IOW(KVMIO, 0x90, u64);

constexpr u32 first_extended_leaf = 0x8000'0000, first_hypervisor_leaf = 0x4000'0000;

/// One of KVM's lists: a count, four bytes of padding, and the entries. The kernel's own structures end in an array without
/// a length, which some versions of its headers place elsewhere in C++.
template <class Entry>
class List {
public:
    explicit List(const std::vector<Entry>& entries) : words_(1 + (entries.size() * sizeof(Entry)) / sizeof(u64)) {
        static_assert(sizeof(Entry) % sizeof(u64) == 0);
        words_[0] = entries.size();
        std::memcpy(words_.data() + 1, entries.data(), entries.size() * sizeof(Entry));
    }
    [[nodiscard]] void* data() { return words_.data(); }
    [[nodiscard]] Entry first() const {
        Entry entry{};
        std::memcpy(&entry, words_.data() + 1, sizeof entry);
        return entry;
    }

private:
    std::vector<u64> words_;  ///< the count in the low half of the first, on a little-endian host
};

void add_leaves(std::vector<kvm_cpuid_entry2>& entries, const ax::x86::CpuidPolicy& policy, u32 first) {
    const u32 last = ax::x86::cpuid(policy, first, 0).eax;
    for (u32 leaf = first; leaf <= last; ++leaf) {
        const ax::x86::CpuidResult result = ax::x86::cpuid(policy, leaf, 0);
        kvm_cpuid_entry2 entry{};
        entry.function = leaf;
        entry.eax = result.eax;
        entry.ebx = result.ebx;
        entry.ecx = result.ecx;
        entry.edx = result.edx;
        entries.push_back(entry);
    }
}

}  // namespace

bool set_cpuid(int vcpu, const ax::x86::CpuidPolicy& policy) {
    std::vector<kvm_cpuid_entry2> entries;
    for (const u32 first : {u32{0}, first_hypervisor_leaf, first_extended_leaf}) add_leaves(entries, policy, first);
    return ioctl(vcpu, set_cpuid2, List(entries).data()) == 0;
}

bool set_msr_filter(int vm, const ax::x86::MsrPolicy& policy) {
    constexpr std::size_t parts = 4, part_bytes = ax::x86::msr_bitmap_bytes / parts;
    constexpr u32 high_range = 0xc000'0000;
    std::array<u8, ax::x86::msr_bitmap_bytes> allowed{};
    ax::x86::fill_msr_bitmap(policy, allowed);
    for (u8& byte : allowed) byte = static_cast<u8>(~byte);
    kvm_msr_filter filter{};
    filter.flags = KVM_MSR_FILTER_DEFAULT_DENY;
    // In the order of the bitmap: reads low and high, then writes.
    for (std::size_t part = 0; part < parts; ++part) {
        kvm_msr_filter_range& range = filter.ranges[part];
        range.flags = part < 2 ? KVM_MSR_FILTER_READ : KVM_MSR_FILTER_WRITE;
        range.base = part % 2 == 0 ? 0 : high_range;
        range.nmsrs = part_bytes * 8;
        range.bitmap = allowed.data() + part * part_bytes;
    }
    return ioctl(vm, KVM_X86_SET_MSR_FILTER, &filter) == 0;
}

std::optional<u64> get_msr(int vcpu, u32 number) {
    kvm_msr_entry entry{};
    entry.index = number;
    List<kvm_msr_entry> list({entry});
    if (ioctl(vcpu, get_msrs, list.data()) != 1) return std::nullopt;
    return list.first().data;
}

bool set_msr(int vcpu, u32 number, u64 value) {
    kvm_msr_entry entry{};
    entry.index = number;
    entry.data = value;
    return ioctl(vcpu, set_msrs, List<kvm_msr_entry>({entry}).data()) == 1;
}

}  // namespace ax::sim::kvm
