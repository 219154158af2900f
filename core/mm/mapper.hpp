// What a second-stage address space is built with; each HAL backend has one per VM.
#pragma once

#include <expected>
#include <optional>

#include "core/base/addr.hpp"
#include "core/mm/permissions.hpp"

namespace ax::mm {

/// What a guest physical address is mapped to: `size` bytes from it on are contiguous in host
/// physical memory and share the permissions. More may follow under the next address.
struct Translation {
    Hpa hpa;
    u64 size = 0;
    Permissions permissions;
    constexpr bool operator==(const Translation&) const = default;
};

class Mapper {
public:
    /// Width of the guest physical address space.
    [[nodiscard]] virtual unsigned gpa_bits() const = 0;
    /// Maps `size` bytes (whole pages) of guest physical space to host physical memory and drops the
    /// cached translations that this makes stale. On an error nothing of the range is mapped.
    [[nodiscard]] virtual std::expected<void, MapError> map(Gpa gpa, Hpa hpa, u64 size, Permissions permissions) = 0;
    /// Removes mappings; all of the range must be mapped. On an error nothing is removed. Removing what
    /// `translate` reports whole, or what one call of `map` made, needs no memory and does not fail.
    [[nodiscard]] virtual std::expected<void, MapError> unmap(Gpa gpa, u64 size) = 0;
    /// Changes what a range allows; all of it must be mapped. On an error nothing is changed.
    [[nodiscard]] virtual std::expected<void, MapError> protect(Gpa gpa, u64 size, Permissions permissions) = 0;
    /// What the tables say now; nothing for an unmapped address.
    [[nodiscard]] virtual std::optional<Translation> translate(Gpa gpa) const = 0;

protected:
    ~Mapper() = default;
};

}  // namespace ax::mm
