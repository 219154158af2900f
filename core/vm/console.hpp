// A VM's console: bytes out go to the host, bytes in wait here until the guest's serial port or its
// firmware calls fetch them.
#pragma once

#include <array>

#include "core/base/fields.hpp"
#include "core/hal/host.hpp"

namespace ax::vm {

class Console {
public:
    static constexpr std::size_t capacity = 4096;

    Console(hal::Host& host, VmId vm) : host_(host), vm_(vm) {}

    void put(u8 byte) { host_.console_put(vm_, byte); }

    [[nodiscard]] std::size_t room() const { return capacity - size_; }
    /// Queues input; false, and the byte is not taken, when the queue is full.
    [[nodiscard]] bool queue(u8 byte) {
        if (size_ == capacity) return false;
        ring_[(head_ + size_++) % capacity] = byte;
        return true;
    }
    /// The oldest byte waiting; false when there is none.
    [[nodiscard]] bool take(u8& byte) {
        if (size_ == 0) return false;
        byte = ring_[head_];
        ring_[head_] = 0;
        head_ = static_cast<u32>((head_ + 1) % capacity);
        --size_;
        return true;
    }
    [[nodiscard]] bool has_input() const { return size_ != 0; }
    /// Bytes waiting, and the n-th of them (below `waiting`), which stays.
    [[nodiscard]] std::size_t waiting() const { return size_; }
    [[nodiscard]] u8 peek(std::size_t n) const { return ring_[(head_ + n) % capacity]; }

    void fields(FieldVisitor& v) {
        field(v, "ring", ring_);
        field(v, "head", head_);
        field(v, "size", size_);
    }

private:
    hal::Host& host_;
    VmId vm_;
    std::array<u8, capacity> ring_{};
    u32 head_ = 0;
    u32 size_ = 0;
};

}  // namespace ax::vm
