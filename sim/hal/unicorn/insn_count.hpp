// Counts RISC-V instructions in code bytes: an instruction whose low two bits are 11 takes two
// 16-bit parcels, every other one ("Base Instruction-Length Encoding"; 48-bit and longer do not exist here).
// On the way it notices compressed instructions that the engine may have to hand over (handed_over.hpp).
#pragma once

#include <array>
#include <bit>
#include <cstring>

#include "core/base/types.hpp"

namespace ax::sim {

class InstructionCounter {
public:
    /// Adds `bytes` bytes of code (a multiple of 2). Reads up to 15 bytes beyond them.
    void add(const std::byte* code, std::size_t bytes) {
        for (; bytes > chunk; bytes -= chunk, code += chunk) {
            const Entry e = table()[carry_][wide_parcels(code)];
            count_ += e.count;
            carry_ = e.carry;
        }
        const Entry e = table()[carry_][wide_parcels(code)];
        const auto parcels = static_cast<unsigned>(bytes / 2);
        count_ += static_cast<u64>(std::popcount(static_cast<u8>(e.starts & ((1U << parcels) - 1))));
        // Whether the last counted parcel begins a wide instruction that continues elsewhere.
        if (parcels != 0) {
            const unsigned last = parcels - 1;
            carry_ = static_cast<u8>((e.starts >> last) & (wide_parcels(code) >> last) & 1);
        }
    }
    [[nodiscard]] u64 count() const { return count_; }

    /// What is in `bytes` bytes (at least 2) of code that begin and end between instructions: the fast
    /// way, for every block that runs. Reads up to 15 bytes beyond them.
    struct Block {
        u64 count = 0;
        unsigned suspects = 0;  ///< not 0 when there is a C.FLD, C.FSD, C.FLDSP, C.FSDSP or a reserved load or store
    };
    [[nodiscard]] static Block scan_whole(const std::byte* code, std::size_t bytes) {
        Block block;
        unsigned carry = 0;
        for (; bytes > chunk; bytes -= chunk, code += chunk) {
            const unsigned kinds = parcel_kinds(code);
            const Entry e = table()[carry][kinds & 0xff];
            block.count += e.count;
            block.suspects |= e.starts & (kinds >> 8);
            carry = e.carry;
        }
        // Parcels behind the end are taken for narrow instructions, and then taken off again.
        const auto parcels = static_cast<unsigned>(bytes / 2);
        const unsigned inside = (1U << parcels) - 1;
        const unsigned kinds = parcel_kinds(code);
        const Entry e = table()[carry][kinds & inside];
        block.count += e.count - (chunk / 2 - parcels);
        block.suspects |= e.starts & (kinds >> 8) & inside;
        return block;
    }

private:
    static constexpr std::size_t chunk = 16;
    struct alignas(4) Entry {
        u8 starts = 0;  ///< parcels at which an instruction begins
        u8 count = 0;   ///< how many these are
        u8 carry = 0;   ///< 1 when the chunk's last instruction needs the next parcel
    };
    using Table = std::array<std::array<Entry, 256>, 2>;

    /// Bit n: parcel n has low bits 11.
    [[nodiscard]] static unsigned wide_parcels(const std::byte* code) { return parcel_kinds(code) & 0xff; }
    /// The same, and bit 8 + n: parcel n, if an instruction begins there, is a compressed floating-point
    /// load or store (bits 14, 13 and 0 are 010) or in the reserved row of quadrant 0 (15-13 are 100, 1-0 are 00).
    [[nodiscard]] static unsigned parcel_kinds(const std::byte* code) {
        u64 low = 0;
        u64 high = 0;
        std::memcpy(&low, code, 8);
        std::memcpy(&high, code + 8, 8);
        // Bits 0, 16, 32 and 48 of each half; one multiplication brings all sixteen together.
        constexpr u64 lowest = 0x0001'0001'0001'0001;
        const u64 wide = (low & (low >> 1) & lowest) | (high & (high >> 1) & lowest) << 4;
        const auto suspects = [](u64 x) { return ((x >> 13) | ((x >> 15) & ~(x >> 1))) & ~((x >> 14) | x) & lowest; };
        return static_cast<unsigned>(((wide | suspects(low) << 8 | suspects(high) << 12) * 0x0001'0002'0004'0008) >> 48);
    }
    [[nodiscard]] static const Table& table() {
        static constexpr Table values = [] {
            Table t{};
            for (unsigned carry = 0; carry < 2; ++carry) {
                for (unsigned wide = 0; wide < 256; ++wide) {
                    unsigned skip = carry;
                    for (unsigned parcel = 0; parcel < 8; ++parcel) {
                        if (skip != 0) {
                            skip = 0;
                            continue;
                        }
                        t[carry][wide].starts = static_cast<u8>(t[carry][wide].starts | 1U << parcel);
                        ++t[carry][wide].count;
                        skip = (wide >> parcel) & 1;
                    }
                    t[carry][wide].carry = static_cast<u8>(skip);
                }
            }
            return t;
        }();
        return values;
    }

    u64 count_ = 0;
    u8 carry_ = 0;
};

}  // namespace ax::sim
