// What the device tests share: a seeded generator, save and restore over the field list, and fakes
// that remember what a device did to its surroundings.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/fields.hpp"
#include "core/bus/device.hpp"
#include "core/irq/irq_chip.hpp"

namespace ax::device_test {

/// Knuth's MMIX linear congruential generator; the low bits are poor, so the high ones are used.
class Lcg {
public:
    explicit Lcg(u64 seed) : state_(seed) {}
    /// A number below `bound`, which is at most 2^32.
    u64 below(u64 bound) { return (next32() * bound) >> 32; }
    u64 word() { return next32() << 32 | next32(); }

private:
    u64 next32() {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return state_ >> 32;
    }
    u64 state_;
};

/// One visited field under its full path.
struct SavedField {
    std::string path;
    std::vector<std::byte> data;
    bool operator==(const SavedField&) const = default;
};
using SavedState = std::vector<SavedField>;

/// Walks paths; the subclasses decide what happens at a field.
class PathVisitor : public FieldVisitor {
public:
    void enter(std::string_view name, std::size_t position) override {
        path_.push_back(std::string(name) + "[" + std::to_string(position) + "]");
    }
    void leave() override { path_.pop_back(); }
    /// True when every `enter` was left again.
    [[nodiscard]] bool is_balanced() const { return path_.empty(); }

protected:
    ~PathVisitor() = default;
    [[nodiscard]] std::string path_of(std::string_view name) const {
        std::string path;
        for (const std::string& part : path_) path += part + ".";
        return path + std::string(name);
    }

private:
    std::vector<std::string> path_;
};

class Saver final : public PathVisitor {
public:
    void word(std::string_view name, u64& value, unsigned) override { bytes(name, std::as_writable_bytes(std::span(&value, 1))); }
    void bytes(std::string_view name, std::span<std::byte> data) override {
        saved.push_back({path_of(name), {data.begin(), data.end()}});
    }
    SavedState saved;
};

class Restorer final : public PathVisitor {
public:
    explicit Restorer(const SavedState& saved) : saved_(saved) {}
    void word(std::string_view name, u64& value, unsigned bits) override {
        bytes(name, std::as_writable_bytes(std::span(&value, 1)));
        if (bits < 64) value &= (u64{1} << bits) - 1;
    }
    void bytes(std::string_view name, std::span<std::byte> data) override {
        const bool fits =
            next_ < saved_.size() && saved_[next_].path == path_of(name) && saved_[next_].data.size() == data.size();
        if (!fits) {
            matches = false;
            return;
        }
        std::ranges::copy(saved_[next_++].data, data.begin());
    }
    bool matches = true;

private:
    const SavedState& saved_;
    std::size_t next_ = 0;
};

/// A fast copy of a state, without names: `take` fills it, `put_back` returns a device to it.
class Snapshot {
public:
    void take(bus::Device& device) {
        words_.clear();
        Taker taker(words_);
        device.fields(taker);
    }
    void put_back(bus::Device& device) const {
        Putter putter(words_);
        device.fields(putter);
    }

private:
    class Taker final : public FieldVisitor {
    public:
        explicit Taker(std::vector<u64>& words) : words_(words) {}
        void word(std::string_view, u64& value, unsigned) override { words_.push_back(value); }
        void bytes(std::string_view, std::span<std::byte> data) override {
            for (const std::byte b : data) words_.push_back(static_cast<u64>(b));
        }
        void enter(std::string_view, std::size_t) override {}
        void leave() override {}

    private:
        std::vector<u64>& words_;
    };
    class Putter final : public FieldVisitor {
    public:
        explicit Putter(const std::vector<u64>& words) : words_(words) {}
        void word(std::string_view, u64& value, unsigned) override { value = words_.at(next_++); }
        void bytes(std::string_view, std::span<std::byte> data) override {
            for (std::byte& b : data) b = static_cast<std::byte>(words_.at(next_++));
        }
        void enter(std::string_view, std::size_t) override {}
        void leave() override {}

    private:
        const std::vector<u64>& words_;
        std::size_t next_ = 0;
    };
    std::vector<u64> words_;
};

/// Replaces every field by generated noise: what a damaged file may do to a device.
class Scrambler final : public PathVisitor {
public:
    explicit Scrambler(u64 seed) : lcg_(seed) {}
    void word(std::string_view, u64& value, unsigned bits) override {
        value = lcg_.word();
        if (bits < 64) value &= (u64{1} << bits) - 1;
    }
    void bytes(std::string_view, std::span<std::byte> data) override {
        for (std::byte& b : data) b = static_cast<std::byte>(lcg_.below(256));
    }

private:
    Lcg lcg_;
};

inline SavedState save(bus::Device& device) {
    Saver saver;
    device.fields(saver);
    return saver.saved;
}

/// True when the device visited exactly the fields that were saved.
inline bool restore(bus::Device& device, const SavedState& saved) {
    Restorer restorer(saved);
    device.fields(restorer);
    return restorer.matches && restorer.is_balanced();
}

/// Remembers every change of its inputs.
class FakeIrqChip final : public irq::IrqChip {
public:
    void set_line(u32 number, bool level) override {
        last_number = number;
        line = level;
        ++changes;
    }
    u32 last_number = 0;
    bool line = false;
    u64 changes = 0;
};

/// A read or write turned into one word that also tells a fault from every value a narrow register holds.
inline constexpr u64 fault = ~u64{0} - 0xfa17;

inline u64 read_word(bus::Device& device, u64 offset, u8 size) { return device.read(offset, size).value_or(fault); }
inline u64 write_word(bus::Device& device, u64 offset, u8 size, u64 value) {
    return device.write(offset, size, value).has_value() ? 0 : fault;
}

}  // namespace ax::device_test
