// The guest physical address space of a VM as a list of what is where, and as a table to read.
#pragma once

#include <string>
#include <vector>

#include "sim/config/vm_file.hpp"

namespace ax::sim {

enum class MapEntryKind : u8 { Memory, Image, Emulated, PassThrough };

/// "memory", "image", "emulated" or "passed through".
[[nodiscard]] std::string_view to_text(MapEntryKind kind);

struct MapEntry {
    MapEntryKind kind = MapEntryKind::Memory;
    GpaRange range;
    std::string name;
    std::string detail;  ///< rights and mapping, type and interrupt, or the host's address
};

/// All of it by address; an image follows the memory that it lies in. Images whose file cannot be read take one
/// byte.
[[nodiscard]] std::vector<MapEntry> memory_map_of(const VmFile& vm);

/// One line per entry, images indented, and one per hole between them.
[[nodiscard]] std::string draw(const std::vector<MapEntry>& map);

/// 4096 as "4 KiB": the largest unit that divides it, or bytes.
[[nodiscard]] std::string size_text(u64 bytes);

}  // namespace ax::sim
