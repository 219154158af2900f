#include "sim/state/writer.hpp"

#include <utility>

namespace ax::sim {

StateWriter::StateWriter() {
    put(layout::magic, 4);
    put(layout::version, 4);
}

void StateWriter::word(std::string_view name, u64& value, unsigned bits) {
    put_start(layout::Tag::Word, name);
    put(bits, 1);
    put(value, layout::word_bytes(bits));
}

void StateWriter::bytes(std::string_view name, std::span<std::byte> data) {
    put_start(layout::Tag::Bytes, name);
    put(data.size(), 8);
    out_.insert(out_.end(), data.begin(), data.end());
}

void StateWriter::enter(std::string_view name, std::size_t position) {
    put_start(layout::Tag::Enter, name);
    put(position, 8);
}

void StateWriter::leave() { put(index(layout::Tag::Leave), 1); }

std::vector<std::byte> StateWriter::finish() {
    put(layout::checksum(out_), 8);
    return std::exchange(out_, {});
}

void StateWriter::put(u64 value, unsigned size_bytes) {
    for (unsigned i = 0; i < size_bytes; ++i) out_.push_back(static_cast<std::byte>(value >> (8 * i)));
}

void StateWriter::put_start(layout::Tag tag, std::string_view name) {
    put(index(tag), 1);
    put(layout::name_hash(name), 2);
}

}  // namespace ax::sim
