#include "sim/state/hasher.hpp"

#include <cstring>

#include "core/base/expect.hpp"

namespace ax::sim {

StateHasher::StateHasher() : state_(XXH3_createState()) {
    expect(state_ != nullptr && XXH3_64bits_reset(state_.get()) == XXH_OK, "a hash state can be had");
}

void StateHasher::word(std::string_view name, u64& value, unsigned bits) {
    put_name('w', name);
    put(bits, 1);
    put(value, 8);
}

void StateHasher::bytes(std::string_view name, std::span<std::byte> data) {
    put_name('b', name);
    put(data.size(), 8);
    put_raw(data.data(), data.size());
}

void StateHasher::enter(std::string_view name, std::size_t position) {
    put_name('(', name);
    put(position, 8);
}

void StateHasher::leave() { put(')', 1); }

u64 StateHasher::digest() {
    drain();
    return XXH3_64bits_digest(state_.get());
}

void StateHasher::put(u64 value, unsigned size_bytes) {
    if (pending_size_ + size_bytes > pending_.size()) drain();
    for (unsigned i = 0; i < size_bytes; ++i) pending_[pending_size_++] = static_cast<unsigned char>(value >> (8 * i));
}

void StateHasher::put_name(char tag, std::string_view name) {
    put(static_cast<unsigned char>(tag), 1);
    put(name.size(), 2);
    put_raw(name.data(), name.size());
}

void StateHasher::put_raw(const void* data, std::size_t size) {
    if (size == 0) return;
    if (size > pending_.size() - pending_size_) drain();
    if (size > pending_.size()) {
        XXH3_64bits_update(state_.get(), data, size);
        return;
    }
    std::memcpy(pending_.data() + pending_size_, data, size);
    pending_size_ += size;
}

void StateHasher::drain() {
    XXH3_64bits_update(state_.get(), pending_.data(), pending_size_);
    pending_size_ = 0;
}

}  // namespace ax::sim
