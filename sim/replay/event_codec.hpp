// The rarer records of a trace as bytes: inputs, state hashes, the end.
#pragma once

#include "sim/replay/byte_stream.hpp"
#include "sim/replay/record.hpp"

namespace ax::sim {

/// First byte of a record that is not an exit; an exit's first byte has its high bit clear.
enum class RecordTag : u8 { Input = 0x81, StateHash = 0x82, End = 0x83 };

/// At least the bytes that the record takes.
[[nodiscard]] std::size_t size_bound(const InputRecord& input);
[[nodiscard]] std::size_t size_bound(const StateHashRecord& hash);
[[nodiscard]] std::size_t size_bound(const EndRecord& end);

/// `out` must have room for `size_bound`.
void encode(const InputRecord& input, ByteSink& out);
void encode(const StateHashRecord& hash, ByteSink& out);
void encode(const EndRecord& end, ByteSink& out);

/// The record behind its tag; `in` is not good afterwards when the bytes are none.
[[nodiscard]] InputRecord decode_input(ByteSource& in);
[[nodiscard]] StateHashRecord decode_state_hash(ByteSource& in);
[[nodiscard]] EndRecord decode_end(ByteSource& in);

}  // namespace ax::sim
