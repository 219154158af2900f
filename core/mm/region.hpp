// One region of a guest physical address space, and why one cannot be added.
#pragma once

#include "core/base/fields.hpp"
#include "core/mm/permissions.hpp"

namespace ax::mm {

/// Where the host memory behind a region comes from.
enum class RegionKind : u8 {
    Allocated,    ///< the host's free memory, in pieces anywhere
    Identical,    ///< host address equal to the guest address
    Reserved,     ///< as Identical, of memory that the platform set aside: never taken nor freed
    Passthrough,  ///< registers of a physical device, or other host addresses that are not the VM's own
};

/// When the frames of an allocated region are taken.
enum class Population : u8 {
    Eager,  ///< when the region is added
    Lazy,   ///< one 4 KiB frame when a page is first touched
};

/// The largest piece of contiguous host memory that an allocated region asks for.
enum class FrameSize : u8 {
    Auto,  ///< the largest that alignment and free memory allow
    Size4K,
    Size2M,
};

struct AllocOptions {
    Population population = Population::Eager;
    FrameSize frame_size = FrameSize::Auto;
};

struct Region {
    GpaRange range{};
    Hpa hpa{};  ///< what `range.start` maps to; nothing for Allocated
    RegionKind kind = RegionKind::Allocated;
    Permissions permissions{};
    Population population = Population::Eager;
    bool is_owned = false;     ///< its frames go back to the host with the region
    u64 populated_frames = 0;  ///< Lazy: how many are taken

    void fields(FieldVisitor& v) {
        field(v, "start", range.start);
        field(v, "size", range.size);
        field(v, "hpa", hpa);
        field(v, "kind", kind);
        field(v, "read", permissions.read);
        field(v, "write", permissions.write);
        field(v, "execute", permissions.execute);
        field(v, "device", permissions.device);
        field(v, "population", population);
        field(v, "is_owned", is_owned);
        field(v, "populated_frames", populated_frames);
    }
};

enum class SpaceProblem : u8 {
    Empty,           ///< size 0
    Unaligned,       ///< not whole pages; a passthrough window whose page offsets differ
    OutOfRange,      ///< wraps, or beyond the guest physical address space
    Overlaps,        ///< shares pages with `other`
    TooManyRegions,  ///< more than `AddressSpace::max_regions`
    NoHostMemory,    ///< the host has not enough free memory
    NotMappable,     ///< the page tables refuse it: `map_error` tells why
};

constexpr const char* to_text(SpaceProblem p) {
    switch (p) {
        case SpaceProblem::Empty: return "its size is 0";
        case SpaceProblem::Unaligned: return "it is not aligned to pages of 4096 bytes";
        case SpaceProblem::OutOfRange: return "it does not fit into the guest physical address space";
        case SpaceProblem::Overlaps: return "it overlaps another region";
        case SpaceProblem::TooManyRegions: return "there are too many regions";
        case SpaceProblem::NoHostMemory: return "the host has not enough free memory";
        case SpaceProblem::NotMappable: return "it cannot be mapped";
    }
    return "unknown";
}

/// Which region was refused and why; nothing was taken or mapped for it.
struct SpaceError {
    SpaceProblem problem = SpaceProblem::Empty;
    GpaRange region{};
    GpaRange other{};                          ///< Overlaps: the region that is there already
    MapError map_error = MapError::Unaligned;  ///< NotMappable
};

}  // namespace ax::mm
