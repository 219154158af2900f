// The bytes of a saved state, as `StateWriter` puts them and `StateReader` takes them.
//
//   magic "AXST"  u32 version   then per field:
//   'w' name-hash:u16 bits:u8  value, 1 to 8 bytes
//   'b' name-hash:u16 size:u64 bytes
//   '(' name-hash:u16 position:u64  fields  ')'
//   last: XXH3-64 of everything before. All numbers are little endian.
#pragma once

#include <xxhash.h>

#include <span>
#include <string_view>

#include "core/base/types.hpp"

namespace ax::sim::layout {

inline constexpr u32 magic = 0x5453'5841;
inline constexpr u32 version = 1;
inline constexpr std::size_t start_bytes = 8;
inline constexpr std::size_t checksum_bytes = 8;

enum class Tag : u8 { Word = 'w', Bytes = 'b', Enter = '(', Leave = ')' };

/// Bytes that hold a word of `bits` bits, 1 to 64.
[[nodiscard]] constexpr unsigned word_bytes(unsigned bits) { return (bits + 7) / 8; }

[[nodiscard]] inline u64 checksum(std::span<const std::byte> data) { return XXH3_64bits(data.data(), data.size()); }
[[nodiscard]] inline u16 name_hash(std::string_view name) { return static_cast<u16>(XXH3_64bits(name.data(), name.size())); }

}  // namespace ax::sim::layout
