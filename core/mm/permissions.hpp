// What a mapping allows, and why one can fail.
#pragma once

#include "core/base/types.hpp"

namespace ax::mm {

/// Rights and kind of a second-stage mapping. `device` asks for uncached, ordered access.
struct Permissions {
    bool read = false;
    bool write = false;
    bool execute = false;
    bool device = false;
    constexpr bool operator==(const Permissions&) const = default;

    static constexpr Permissions rwx() { return {true, true, true, false}; }
    static constexpr Permissions rw_device() { return {true, true, false, true}; }
};

enum class MapError : u8 {
    Unaligned,      ///< an address or size is not a whole number of pages
    OutOfRange,     ///< beyond the guest physical address width of the format
    AlreadyMapped,  ///< part of the range is mapped
    NotMapped,      ///< part of the range is not mapped
    NoTableMemory,  ///< the table pool is used up
    NoFrames,       ///< the host has no memory left for the guest
    Unencodable,    ///< the format cannot express these permissions
};

constexpr const char* to_text(MapError e) {
    switch (e) {
        case MapError::Unaligned: return "not aligned to a page";
        case MapError::OutOfRange: return "outside the guest physical address space";
        case MapError::AlreadyMapped: return "already mapped";
        case MapError::NotMapped: return "not mapped";
        case MapError::NoTableMemory: return "no memory left for page tables";
        case MapError::NoFrames: return "no host memory left";
        case MapError::Unencodable: return "permissions that the page-table format cannot express";
    }
    return "unknown";
}

}  // namespace ax::mm
