#include "sim/mmu/vmsa_tables.hpp"

#include <bit>
#include <cstring>

namespace ax::sim::arm64 {

std::expected<u64, VmsaFault> load_descriptor(const PhysMemory& memory, Hpa at, bool is_big_endian, VmsaFault otherwise) {
    u64 word = 0;
    if (!memory.contains(at, sizeof word)) return std::unexpected(otherwise);
    std::memcpy(&word, memory.pointer(at), sizeof word);
    return is_big_endian ? std::byteswap(word) : word;
}

}  // namespace ax::sim::arm64
