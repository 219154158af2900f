// Memory regions of a VM as its configuration names them.
#pragma once

#include <optional>

#include "core/base/addr.hpp"
#include "core/mm/permissions.hpp"

namespace ax::config {

/// Where the host memory behind a region comes from.
enum class VmMemMappingType : u8 {
    MapAlloc = 0,      ///< taken from the host's free memory, anywhere
    MapIdentical = 1,  ///< host address equal to the guest address
    MapReserved = 2,   ///< host memory set aside by the platform at the same address; never allocated nor freed
};

/// The mapping type with this number; none for a number without a meaning.
[[nodiscard]] constexpr std::optional<VmMemMappingType> mapping_type_from(u64 number) {
    if (number > index(VmMemMappingType::MapReserved)) return std::nullopt;
    return static_cast<VmMemMappingType>(number);
}

/// Bits of `VmMemConfig::flags`, as AxVisor's MappingFlags number them.
namespace mapping_flags {
inline constexpr u64 read = 1 << 0;
inline constexpr u64 write = 1 << 1;
inline constexpr u64 execute = 1 << 2;
inline constexpr u64 user = 1 << 3;
inline constexpr u64 device = 1 << 4;
inline constexpr u64 uncached = 1 << 5;
inline constexpr u64 all = read | write | execute | user | device | uncached;
}  // namespace mapping_flags

/// One element of `kernel.memory_regions`; positional form `[gpa, size, flags, map_type]`.
struct VmMemConfig {
    u64 gpa = 0;
    u64 size = 0;  ///< bytes
    u64 flags = 0;
    VmMemMappingType map_type = VmMemMappingType::MapAlloc;

    [[nodiscard]] constexpr GpaRange range() const { return {Gpa{gpa}, size}; }
    /// What a guest may do there. `user` means nothing to a second stage.
    [[nodiscard]] constexpr mm::Permissions permissions() const {
        return {(flags & mapping_flags::read) != 0, (flags & mapping_flags::write) != 0, (flags & mapping_flags::execute) != 0,
                (flags & (mapping_flags::device | mapping_flags::uncached)) != 0};
    }
    constexpr bool operator==(const VmMemConfig&) const = default;
};

/// axsim: when the memory of MapAlloc regions is taken from the host.
enum class MemoryPopulation : u8 {
    Eager,  ///< when the VM is created
    Lazy,   ///< page by page, when the guest first touches it
};

/// axsim: the largest frame that backs a MapAlloc region.
enum class FrameSize : u8 {
    Auto,  ///< the largest that alignment and free memory allow
    Size4K,
    Size2M,
};

}  // namespace ax::config
