// What a second-stage address space is built with; each HAL backend has one per VM.
#pragma once

#include <expected>

#include "core/base/addr.hpp"
#include "core/mm/permissions.hpp"

namespace ax::mm {

class Mapper {
public:
    /// Maps `size` bytes (whole pages) of guest physical space to host physical memory and drops the
    /// cached translations that this makes stale. On an error nothing of the range is mapped.
    [[nodiscard]] virtual std::expected<void, MapError> map(Gpa gpa, Hpa hpa, u64 size, Permissions permissions) = 0;
    [[nodiscard]] virtual std::expected<void, MapError> unmap(Gpa gpa, u64 size) = 0;
    [[nodiscard]] virtual std::expected<void, MapError> protect(Gpa gpa, u64 size, Permissions permissions) = 0;

protected:
    ~Mapper() = default;
};

}  // namespace ax::mm
