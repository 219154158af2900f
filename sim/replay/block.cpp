#include "sim/replay/block.hpp"

#include <xxhash.h>

#include <algorithm>

#include "sim/replay/byte_stream.hpp"

namespace ax::sim::block {
namespace {

constexpr int compression_level = 1;
constexpr std::size_t checksum_bytes = 8;

u64 checksum(std::span<const std::byte> data) { return XXH64(data.data(), data.size(), 0); }

}  // namespace

HeadBytes encode(const Head& head) {
    ByteSink out;
    out.make_room(Head::size_bytes);
    out.put_fixed(magic, 4);
    out.put_fixed(head.version, 2);
    out.put_fixed(index(head.type), 2);
    for (const u32 word : {head.raw_size, head.stored_size, head.exits, head.inputs, head.state_hashes, u32{0}})
        out.put_fixed(word, 4);
    for (const u64 word : {head.sequence, head.first_exit, head.chain_start, head.chain_end, head.payload_check})
        out.put_fixed(word, 8);
    out.put_fixed(checksum(out.data()), checksum_bytes);
    HeadBytes bytes{};
    std::ranges::copy(out.data(), bytes.begin());
    return bytes;
}

HeadProblem decode(const HeadBytes& bytes, Head& head) {
    ByteSource in(bytes);
    if (in.take_fixed(4) != magic) return HeadProblem::NoMagic;
    const std::span<const std::byte> all(bytes);
    ByteSource check(all.last(checksum_bytes));
    if (check.take_fixed(8) != checksum(all.first(Head::size_bytes - checksum_bytes))) return HeadProblem::Damaged;
    head.version = static_cast<u16>(in.take_fixed(2));
    if (head.version != format_version) return HeadProblem::OtherVersion;
    const u64 type = in.take_fixed(2);
    if (type != index(Type::Header) && type != index(Type::Events)) return HeadProblem::Damaged;
    head.type = static_cast<Type>(type);
    for (u32* word : {&head.raw_size, &head.stored_size, &head.exits, &head.inputs, &head.state_hashes})
        *word = static_cast<u32>(in.take_fixed(4));
    static_cast<void>(in.take_fixed(4));
    for (u64* word : {&head.sequence, &head.first_exit, &head.chain_start, &head.chain_end, &head.payload_check})
        *word = in.take_fixed(8);
    const bool is_sane = head.raw_size <= max_raw_bytes && head.stored_size <= ZSTD_COMPRESSBOUND(std::size_t{max_raw_bytes});
    return is_sane ? HeadProblem::None : HeadProblem::Damaged;
}

u64 payload_check(std::span<const std::byte> stored) { return checksum(stored); }

bool Compressor::compress(std::span<const std::byte> raw, std::vector<std::byte>& stored) {
    stored.resize(Head::size_bytes + ZSTD_compressBound(raw.size()));
    if (context_ == nullptr) return false;
    const std::size_t size = ZSTD_compressCCtx(context_.get(), stored.data() + Head::size_bytes, stored.size() - Head::size_bytes,
                                               raw.data(), raw.size(), compression_level);
    if (ZSTD_isError(size) != 0) return false;
    stored.resize(Head::size_bytes + size);
    return true;
}

bool Decompressor::decompress(std::span<const std::byte> stored, std::size_t raw_size, std::vector<std::byte>& raw) {
    raw.resize(raw_size);
    if (context_ == nullptr) return false;
    const std::size_t size = ZSTD_decompressDCtx(context_.get(), raw.data(), raw.size(), stored.data(), stored.size());
    return ZSTD_isError(size) == 0 && size == raw_size;
}

}  // namespace ax::sim::block
