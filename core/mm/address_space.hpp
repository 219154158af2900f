// The guest physical memory of one VM: a list of regions, which the page tables follow.
#pragma once

#include <expected>
#include <optional>

#include "core/exit/vm_exit.hpp"
#include "core/mm/frames.hpp"
#include "core/mm/mapper.hpp"
#include "core/mm/region.hpp"

namespace ax::mm {

enum class FaultResult : u8 {
    Mapped,       ///< the access works now: run the instruction again
    NotBacked,    ///< no region is there: a device's, or nobody's
    NotAllowed,   ///< the region does not permit this access
    OutOfMemory,  ///< a lazy page could not be had
};

/// Whether the host's frames at an identical region's addresses could be taken.
enum class HostMemory : u8 {
    Owned,
    Borrowed,  ///< the host does not manage that memory, or it is in use; mapped all the same
};

/// The region list is the truth; what is mapped follows from it, so a region needs no storage per
/// frame. Every `add_*` either adds the whole region or changes nothing. Frames that a region owns go
/// back to the host with it. The mapper and the frames must outlive the space.
class AddressSpace {
public:
    static constexpr std::size_t max_regions = 192;

    AddressSpace(Mapper& mapper, Frames& frames) : mapper_(&mapper), frames_(&frames) {}
    AddressSpace(const AddressSpace&) = delete;
    AddressSpace& operator=(const AddressSpace&) = delete;
    ~AddressSpace() { clear(); }

    /// Memory from the host's free frames, zeroed; not contiguous in host memory.
    [[nodiscard]] std::expected<void, SpaceError> add_alloc(GpaRange range, Permissions permissions, AllocOptions options = {});
    /// Memory whose host address is its guest address, taken from the host. When the host cannot give
    /// exactly those frames the range is mapped without owning it, as AxVisor documents, and the caller
    /// should warn: someone else may use that memory.
    [[nodiscard]] std::expected<HostMemory, SpaceError> add_identical(GpaRange range, Permissions permissions);
    /// Memory at the same host address that the platform set aside for the guest.
    [[nodiscard]] std::expected<void, SpaceError> add_reserved(GpaRange range, Permissions permissions);
    /// Maps `range` to the host addresses from `hpa`, grown at both ends to whole pages. Windows that
    /// share pages are no error when both map these alike.
    [[nodiscard]] std::expected<void, SpaceError> add_passthrough(GpaRange range, Hpa hpa, Permissions permissions);

    /// Answers a second-stage fault: populates a lazy page, or says why the access cannot work.
    [[nodiscard]] FaultResult handle_fault(Gpa gpa, Access access);

    /// Where an address is now; nothing for a lazy page that was never touched.
    [[nodiscard]] std::optional<Translation> translate(Gpa gpa) const { return mapper_->translate(gpa); }
    /// The region around an address, null when there is none. Valid until a region is added or removed.
    [[nodiscard]] const Region* region_of(Gpa gpa) const;
    /// All regions, by address.
    [[nodiscard]] const FixedVector<Region, max_regions>& regions() const { return regions_; }

    /// Unmaps everything and returns all frames.
    void clear();

    void fields(FieldVisitor& v) { field(v, "regions", regions_); }

private:
    using Status = std::expected<void, SpaceError>;

    [[nodiscard]] std::size_t position_after(Gpa gpa) const;
    [[nodiscard]] Status check(const GpaRange& range) const;
    [[nodiscard]] Status add_linear(const Region& region);
    [[nodiscard]] Status populate(const GpaRange& range, Permissions permissions, FrameSize largest);
    [[nodiscard]] GpaRange without_shared_pages(GpaRange range, Hpa hpa, Permissions permissions) const;
    void insert(const Region& region);
    void release(const Region& region);
    void free_mapped(const GpaRange& range, u64 frames);

    Mapper* mapper_;
    Frames* frames_;
    FixedVector<Region, max_regions> regions_;
};

}  // namespace ax::mm
