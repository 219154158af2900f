#include "core/mm/address_space.hpp"

#include <algorithm>

#include "core/base/bits.hpp"

namespace ax::mm {

namespace {

constexpr u64 size_2m = u64{2} << 20;
constexpr u64 size_1g = u64{1} << 30;

constexpr bool allows(Permissions permissions, Access access) {
    switch (access) {
        case Access::Read: return permissions.read;
        case Access::Write: return permissions.write;
        case Access::Execute: return permissions.execute;
    }
    return false;
}

constexpr u64 largest_piece(FrameSize size) {
    switch (size) {
        case FrameSize::Auto: return size_1g;
        case FrameSize::Size4K: return page_size;
        case FrameSize::Size2M: return size_2m;
    }
    return page_size;
}

constexpr u64 next_smaller(u64 piece) { return piece == size_1g ? size_2m : page_size; }

/// The largest piece up to `limit` that may begin at `gpa` with `left` bytes to go.
constexpr u64 piece_at(Gpa gpa, u64 left, u64 limit) {
    u64 piece = limit;
    while (piece > page_size && (!gpa.is_aligned(piece) || left < piece)) piece = next_smaller(piece);
    return piece;
}

std::unexpected<SpaceError> refuse(SpaceProblem problem, const GpaRange& region, const GpaRange& other = {}) {
    return std::unexpected(SpaceError{.problem = problem, .region = region, .other = other});
}

std::unexpected<SpaceError> refuse(MapError error, const GpaRange& region) {
    return std::unexpected(SpaceError{.problem = SpaceProblem::NotMappable, .region = region, .map_error = error});
}

}  // namespace

std::expected<void, SpaceError> AddressSpace::add_alloc(GpaRange range, Permissions permissions, AllocOptions options) {
    if (Status valid = check(range); !valid) return valid;
    Region region{.range = range,
                  .kind = RegionKind::Allocated,
                  .permissions = permissions,
                  .population = options.population,
                  .is_owned = true};
    if (options.population == Population::Eager) {
        if (Status populated = populate(range, permissions, options.frame_size); !populated) return populated;
        region.populated_frames = range.size / page_size;
    }
    insert(region);
    return {};
}

std::expected<HostMemory, SpaceError> AddressSpace::add_identical(GpaRange range, Permissions permissions) {
    if (const Status valid = check(range); !valid) return std::unexpected(valid.error());
    const Hpa hpa{range.start.value()};
    const u64 frames = range.size / page_size;
    const bool is_owned = frames_->allocate_at(hpa, frames);
    const Status added =
        add_linear({.range = range, .hpa = hpa, .kind = RegionKind::Identical, .permissions = permissions, .is_owned = is_owned});
    if (!added) {
        if (is_owned) frames_->free(hpa, frames);
        return std::unexpected(added.error());
    }
    return is_owned ? HostMemory::Owned : HostMemory::Borrowed;
}

std::expected<void, SpaceError> AddressSpace::add_reserved(GpaRange range, Permissions permissions) {
    if (Status valid = check(range); !valid) return valid;
    return add_linear(
        {.range = range, .hpa = Hpa{range.start.value()}, .kind = RegionKind::Reserved, .permissions = permissions});
}

std::expected<void, SpaceError> AddressSpace::add_passthrough(GpaRange range, Hpa hpa, Permissions permissions) {
    if (range.size == 0) return refuse(SpaceProblem::Empty, range);
    if (range.wraps() || range.start.value() + (range.size - 1) > ~u64{0} - page_size)
        return refuse(SpaceProblem::OutOfRange, range);
    if (range.start.page_offset() != hpa.page_offset()) return refuse(SpaceProblem::Unaligned, range);

    const u64 bytes = align_up(range.start.page_offset() + range.size, page_size);
    const GpaRange pages{range.start.page_base(), bytes};
    const GpaRange rest = without_shared_pages(pages, hpa.page_base(), permissions);
    if (rest.size == 0) return {};
    if (Status valid = check(rest); !valid) return valid;
    return add_linear({.range = rest,
                       .hpa = hpa.page_base() + (rest.start - pages.start),
                       .kind = RegionKind::Passthrough,
                       .permissions = permissions});
}

FaultResult AddressSpace::handle_fault(Gpa gpa, Access access) {
    const std::size_t after = position_after(gpa);
    if (after == 0 || !regions_[after - 1].range.contains(gpa)) return FaultResult::NotBacked;
    Region& region = regions_[after - 1];
    if (!allows(region.permissions, access)) return FaultResult::NotAllowed;
    // Also so when another vCPU touched the page first, or the fault came from a stale translation.
    if (region.population == Population::Eager || mapper_->translate(gpa)) return FaultResult::Mapped;

    Hpa frame;
    if (!frames_->allocate(1, page_size, frame)) return FaultResult::OutOfMemory;
    if (!mapper_->map(gpa.page_base(), frame, page_size, region.permissions)) {
        frames_->free(frame, 1);
        return FaultResult::OutOfMemory;
    }
    ++region.populated_frames;
    return FaultResult::Mapped;
}

const Region* AddressSpace::region_of(Gpa gpa) const {
    const std::size_t after = position_after(gpa);
    return after > 0 && regions_[after - 1].range.contains(gpa) ? &regions_[after - 1] : nullptr;
}

void AddressSpace::clear() {
    for (const Region& region : regions_) release(region);
    regions_.clear();
}

/// Position of the first region that begins above `gpa`.
std::size_t AddressSpace::position_after(Gpa gpa) const {
    const auto above =
        std::upper_bound(regions_.begin(), regions_.end(), gpa, [](Gpa a, const Region& r) { return a < r.range.start; });
    return static_cast<std::size_t>(above - regions_.begin());
}

/// What every region must satisfy, and that there is room for one more.
AddressSpace::Status AddressSpace::check(const GpaRange& range) const {
    if (range.size == 0) return refuse(SpaceProblem::Empty, range);
    if (!range.start.is_aligned(page_size) || range.size % page_size != 0) return refuse(SpaceProblem::Unaligned, range);
    const u64 limit = u64{1} << mapper_->gpa_bits();
    if (range.start.value() >= limit || range.size > limit - range.start.value()) return refuse(SpaceProblem::OutOfRange, range);
    for (const Region& region : regions_) {
        if (region.range.overlaps(range)) return refuse(SpaceProblem::Overlaps, range, region.range);
    }
    if (regions_.is_full()) return refuse(SpaceProblem::TooManyRegions, range);
    return {};
}

AddressSpace::Status AddressSpace::add_linear(const Region& region) {
    const auto mapped = mapper_->map(region.range.start, region.hpa, region.range.size, region.permissions);
    if (!mapped) return refuse(mapped.error(), region.range);
    insert(region);
    return {};
}

AddressSpace::Status AddressSpace::populate(const GpaRange& range, Permissions permissions, FrameSize largest) {
    u64 limit = largest_piece(largest);
    u64 done = 0;
    const auto give_up = [&](std::unexpected<SpaceError> why) -> Status {
        free_mapped({range.start, done}, done / page_size);
        return why;
    };
    while (done < range.size) {
        const Gpa gpa = range.start + done;
        const u64 piece = piece_at(gpa, range.size - done, limit);
        Hpa hpa;
        if (!frames_->allocate(piece / page_size, piece, hpa)) {
            if (piece == page_size) return give_up(refuse(SpaceProblem::NoHostMemory, range));
            limit = next_smaller(piece);
            continue;
        }
        if (const auto mapped = mapper_->map(gpa, hpa, piece, permissions); !mapped) {
            frames_->free(hpa, piece / page_size);
            return give_up(refuse(mapped.error(), range));
        }
        done += piece;
    }
    return {};
}

/// Whole pages without those at either end that another passthrough region maps alike.
GpaRange AddressSpace::without_shared_pages(GpaRange range, Hpa hpa, Permissions permissions) const {
    const u64 distance = hpa.value() - range.start.value();
    const auto covering = [&](Gpa page) -> const Region* {
        const Region* region = region_of(page);
        const bool is_alike = region != nullptr && region->kind == RegionKind::Passthrough &&
                              region->hpa.value() - region->range.start.value() == distance && region->permissions == permissions;
        return is_alike ? region : nullptr;
    };
    while (range.size != 0) {
        const Region* first = covering(range.start);
        if (first == nullptr) break;
        const u64 shared = std::min(range.size, first->range.end() - range.start);
        range = {range.start + shared, range.size - shared};
    }
    while (range.size != 0) {
        const Region* last = covering(range.end() - 1);
        if (last == nullptr) break;
        range.size -= std::min(range.size, range.end() - last->range.start);
    }
    return range;
}

void AddressSpace::insert(const Region& region) {
    expect(regions_.insert(position_after(region.range.start), region), "room for the region was checked before");
}

void AddressSpace::release(const Region& region) {
    if (region.kind == RegionKind::Allocated) {
        free_mapped(region.range, region.populated_frames);
        return;
    }
    expect(mapper_->unmap(region.range.start, region.range.size).has_value(), "a region is unmapped as it was mapped");
    if (region.is_owned) frames_->free(region.hpa, region.range.size / page_size);
}

/// Unmaps and frees the `frames` frames that are mapped somewhere in the range.
void AddressSpace::free_mapped(const GpaRange& range, u64 frames) {
    for (u64 done = 0; frames > 0 && done < range.size;) {
        const Gpa gpa = range.start + done;
        const std::optional<Translation> found = mapper_->translate(gpa);
        if (!found) {
            done += page_size;
            continue;
        }
        const u64 size = std::min(found->size, range.size - done);
        expect(mapper_->unmap(gpa, size).has_value(), "mapped pages can be unmapped");
        frames_->free(found->hpa, size / page_size);
        frames -= std::min(frames, size / page_size);
        done += size;
    }
}

}  // namespace ax::mm
