#include "core/mm/guest_memory.hpp"

#include <algorithm>

namespace ax::mm {

namespace {

std::unexpected<GuestMemoryError> fail(GuestMemoryProblem problem, Gpa gpa) {
    return std::unexpected(GuestMemoryError{problem, gpa});
}

/// An access that the region permits, so that the fault handler looks only at population.
constexpr Access permitted_access(Permissions permissions) {
    if (permissions.read) return Access::Read;
    return permissions.execute ? Access::Execute : Access::Write;
}

}  // namespace

std::expected<void, GuestMemoryError> GuestMemory::read(Gpa from, std::span<std::byte> to) {
    if (Status ready = prepare(from, to.size(), Purpose::Read); !ready) return ready;
    while (!to.empty()) {
        const std::optional<Translation> piece = space_->translate(from);
        if (!piece) return fail(GuestMemoryProblem::Unmapped, from);
        const u64 size = std::min<u64>(to.size(), piece->size);
        if (!frames_->read(piece->hpa, to.first(size))) return fail(GuestMemoryProblem::Unmapped, from);
        from = from + size;
        to = to.subspan(size);
    }
    return {};
}

std::expected<void, GuestMemoryError> GuestMemory::write(Gpa to, std::span<const std::byte> from) {
    return store(to, from, Purpose::Write);
}

std::expected<void, GuestMemoryError> GuestMemory::load(Gpa to, std::span<const std::byte> from) {
    return store(to, from, Purpose::Load);
}

GuestMemory::Status GuestMemory::store(Gpa to, std::span<const std::byte> from, Purpose purpose) {
    if (Status ready = prepare(to, from.size(), purpose); !ready) return ready;
    while (!from.empty()) {
        const std::optional<Translation> piece = space_->translate(to);
        if (!piece) return fail(GuestMemoryProblem::Unmapped, to);
        const u64 size = std::min<u64>(from.size(), piece->size);
        if (!frames_->write(piece->hpa, from.first(size))) return fail(GuestMemoryProblem::Unmapped, to);
        to = to + size;
        from = from.subspan(size);
    }
    return {};
}

/// Makes all of a range present. Regions end below 2^64, so a range that wraps meets an address
/// without a region before it does.
GuestMemory::Status GuestMemory::prepare(Gpa gpa, u64 size, Purpose purpose) {
    while (size > 0) {
        if (Status ready = prepare_page(gpa, purpose); !ready) return ready;
        const u64 step = std::min(size, page_size - gpa.page_offset());
        gpa = gpa + step;
        size -= step;
    }
    return {};
}

GuestMemory::Status GuestMemory::prepare_page(Gpa gpa, Purpose purpose) {
    const Region* region = space_->region_of(gpa);
    if (region == nullptr || region->permissions.device) return fail(GuestMemoryProblem::Unmapped, gpa);
    if (purpose == Purpose::Read && !region->permissions.read) return fail(GuestMemoryProblem::NotReadable, gpa);
    if (purpose == Purpose::Write && !region->permissions.write) return fail(GuestMemoryProblem::NotWritable, gpa);
    switch (space_->handle_fault(gpa, permitted_access(region->permissions))) {
        case FaultResult::Mapped: return {};
        case FaultResult::NotBacked: return fail(GuestMemoryProblem::Unmapped, gpa);
        case FaultResult::NotAllowed: return fail(GuestMemoryProblem::NotReadable, gpa);
        case FaultResult::OutOfMemory: return fail(GuestMemoryProblem::OutOfMemory, gpa);
    }
    return fail(GuestMemoryProblem::Unmapped, gpa);
}

}  // namespace ax::mm
