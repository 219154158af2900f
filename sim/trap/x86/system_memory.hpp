// Memory by linear address, as event delivery reads tables from it and pushes to it.
#pragma once

#include <expected>

#include "sim/mmu/x86_tlb.hpp"
#include "sim/phys/memory.hpp"

namespace ax::sim::x86 {

/// An access that did not happen; `address` is the first byte of the page that has no translation, or of the access.
struct MemoryFault {
    WalkFault fault;
    Gva address;

    constexpr bool operator==(const MemoryFault&) const = default;
};

class SystemMemory {
public:
    /// `bytes` is 1 to 8. Implicit supervisor-mode accesses are those to descriptor tables and TSSs; pushes are accesses of
    /// the new privilege level.
    virtual std::expected<u64, MemoryFault> read(Gva at, unsigned bytes, WalkAccess how) = 0;
    virtual std::expected<void, MemoryFault> write(Gva at, u64 value, unsigned bytes, WalkAccess how) = 0;

protected:
    ~SystemMemory() = default;
};

/// Through a vCPU's TLB and tables. Reads of what is no RAM give ones; writes to it go nowhere.
class TranslatedMemory : public SystemMemory {
public:
    TranslatedMemory(PhysMemory& memory, X86Tlb& tlb, const PagingContext& context)
        : memory_(memory), tlb_(tlb), context_(context) {}

    std::expected<u64, MemoryFault> read(Gva at, unsigned bytes, WalkAccess how) override;
    std::expected<void, MemoryFault> write(Gva at, u64 value, unsigned bytes, WalkAccess how) override;

    /// The TLB has forgotten everything meanwhile; its caches must do so before the guest goes on.
    [[nodiscard]] bool has_overflowed() const { return has_overflowed_; }

protected:
    ~TranslatedMemory() = default;
    /// Bytes of the page of `at` are about to change; whoever caches code from it must let go of it.
    virtual void before_store(Hpa) {}

private:
    [[nodiscard]] std::expected<Hpa, MemoryFault> translate(Gva at, WalkAccess how);

    PhysMemory& memory_;
    X86Tlb& tlb_;
    const PagingContext& context_;
    bool has_overflowed_ = false;
};

}  // namespace ax::sim::x86
