// The blocks of a trace file: a head that checks itself and its payload, and the compressed payload.
#pragma once

#include <zstd.h>

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/base/types.hpp"

namespace ax::sim::block {

inline constexpr u32 magic = 0x5254'5841;  // "AXTR"
/// Raised whenever a reader of the version before would misread a trace.
inline constexpr u16 format_version = 2;
/// An event block is written when its raw payload has come to this.
inline constexpr std::size_t target_raw_bytes = 64 * 1024;
/// No block is larger; a head that says so is damaged.
inline constexpr u32 max_raw_bytes = 64 * 1024 * 1024;

enum class Type : u16 { Header = 1, Events = 2 };

/// Little endian in the file, in this order, behind the magic; its own checksum is the last word.
struct Head {
    static constexpr std::size_t size_bytes = 80;

    u16 version = format_version;
    Type type = Type::Events;
    u32 raw_size = 0;
    u32 stored_size = 0;
    u32 exits = 0;
    u32 inputs = 0;
    u32 state_hashes = 0;
    u64 sequence = 0;
    u64 first_exit = 0;     ///< number of the first exit in this block
    u64 chain_start = 0;    ///< hash chain before the first exit of this block
    u64 chain_end = 0;      ///< and behind the last
    u64 payload_check = 0;  ///< XXH64 of the stored payload
};

using HeadBytes = std::array<std::byte, Head::size_bytes>;

enum class HeadProblem : u8 { None, NoMagic, OtherVersion, Damaged };

[[nodiscard]] HeadBytes encode(const Head& head);
[[nodiscard]] HeadProblem decode(const HeadBytes& bytes, Head& head);
[[nodiscard]] u64 payload_check(std::span<const std::byte> stored);

class Compressor {
public:
    Compressor() : context_(ZSTD_createCCtx()) {}
    /// Replaces `stored` by a head's worth of space and the compressed `raw` behind it. False when the
    /// library refuses (no memory).
    [[nodiscard]] bool compress(std::span<const std::byte> raw, std::vector<std::byte>& stored);

private:
    struct Free {
        void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    };
    std::unique_ptr<ZSTD_CCtx, Free> context_;
};

class Decompressor {
public:
    Decompressor() : context_(ZSTD_createDCtx()) {}
    /// False when `stored` does not decompress to exactly `raw_size` bytes.
    [[nodiscard]] bool decompress(std::span<const std::byte> stored, std::size_t raw_size, std::vector<std::byte>& raw);

private:
    struct Free {
        void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
    };
    std::unique_ptr<ZSTD_DCtx, Free> context_;
};

}  // namespace ax::sim::block
