// What the tests of a PC's devices share.
#pragma once

#include "devices/pc/power_switch.hpp"
#include "tests/unit/devices/device_test_support.hpp"
#include "tests/unit/devices/fake_time.hpp"

namespace ax::device_test {

struct FakePower final : dev::PowerSwitch {
    void reset() override { ++resets; }
    void power_off() override { ++power_offs; }
    u64 resets = 0;
    u64 power_offs = 0;
};

/// Counts what a line did.
struct EdgeCounter final : irq::IrqChip {
    void set_line(u32, bool level) override {
        rises += level && !line;
        line = level;
    }
    bool line = false;
    u64 rises = 0;
};

/// True when every access of another width than 1 is refused and changes nothing.
inline bool is_byte_wide(bus::Device& device, u64 window_bytes) {
    const SavedState before = save(device);
    for (u64 offset = 0; offset < window_bytes; ++offset)
        for (const u8 size : {u8{2}, u8{4}, u8{8}})
            if (read_word(device, offset, size) != fault || write_word(device, offset, size, ~u64{0}) != fault) return false;
    return save(device) == before;
}

}  // namespace ax::device_test
