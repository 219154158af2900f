#include "sim/replay/event_codec.hpp"

namespace ax::sim {
namespace {

constexpr std::size_t numbers_bound = 8 * ByteSink::max_varint_bytes;
constexpr unsigned hash_bytes = 8;

}  // namespace

std::size_t size_bound(const InputRecord& input) { return numbers_bound + input.data.size(); }

std::size_t size_bound(const StateHashRecord& hash) {
    std::size_t bound = numbers_bound;
    for (const ComponentHash& component : hash.components)
        bound += ByteSink::max_varint_bytes + component.name.size() + hash_bytes;
    return bound;
}

std::size_t size_bound(const EndRecord& end) { return numbers_bound + end.outcome.size(); }

void encode(const InputRecord& input, ByteSink& out) {
    out.put_byte(index(RecordTag::Input));
    out.put_varint(input.slice);
    out.put_varint(input.virtual_ns);
    out.put_varint(input.vm);
    out.put_byte(index(input.kind));
    out.put_text(input.data);
}

void encode(const StateHashRecord& hash, ByteSink& out) {
    out.put_byte(index(RecordTag::StateHash));
    out.put_varint(hash.icount);
    out.put_varint(hash.virtual_ns);
    out.put_fixed(hash.total, hash_bytes);
    out.put_varint(hash.components.size());
    for (const ComponentHash& component : hash.components) {
        out.put_text(component.name);
        out.put_fixed(component.hash, hash_bytes);
    }
}

void encode(const EndRecord& end, ByteSink& out) {
    out.put_byte(index(RecordTag::End));
    out.put_varint(end.icount);
    out.put_varint(end.virtual_ns);
    out.put_varint(end.exits);
    out.put_fixed(end.state_hash, hash_bytes);
    out.put_fixed(end.chain, hash_bytes);
    out.put_text(end.outcome);
}

InputRecord decode_input(ByteSource& in) {
    InputRecord input;
    input.slice = in.take_varint();
    input.virtual_ns = in.take_varint();
    input.vm = in.take_u32();
    const u8 kind = in.take_byte();
    if (kind > index(InputKind::Stop)) in.fail();
    input.kind = static_cast<InputKind>(kind);
    input.data = in.take_text();
    return input;
}

StateHashRecord decode_state_hash(ByteSource& in) {
    StateHashRecord hash;
    hash.icount = in.take_varint();
    hash.virtual_ns = in.take_varint();
    hash.total = in.take_fixed(hash_bytes);
    const u64 count = in.take_varint();
    for (u64 i = 0; i < count && in.is_good(); ++i) {
        ComponentHash component;
        component.name = in.take_text();
        component.hash = in.take_fixed(hash_bytes);
        hash.components.push_back(std::move(component));
    }
    return hash;
}

EndRecord decode_end(ByteSource& in) {
    EndRecord end;
    end.icount = in.take_varint();
    end.virtual_ns = in.take_varint();
    end.exits = in.take_varint();
    end.state_hash = in.take_fixed(hash_bytes);
    end.chain = in.take_fixed(hash_bytes);
    end.outcome = in.take_text();
    return end;
}

}  // namespace ax::sim
