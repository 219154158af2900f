// Emulated devices by guest physical address.
#pragma once

#include "core/bus/device.hpp"

namespace ax::bus {

enum class AttachProblem : u8 {
    Empty,     ///< a window of 0 bytes
    Wraps,     ///< the window passes the end of the address space
    Overlaps,  ///< part of the window belongs to `other`
    Full,      ///< more than `MmioBus::max_devices`
};

constexpr const char* to_text(AttachProblem p) {
    switch (p) {
        case AttachProblem::Empty: return "its window is empty";
        case AttachProblem::Wraps: return "its window passes the end of the address space";
        case AttachProblem::Overlaps: return "its window overlaps another device's";
        case AttachProblem::Full: return "the bus has no room for more devices";
    }
    return "unknown";
}

/// Which device was refused and why. Names live as long as the devices.
struct AttachError {
    AttachProblem problem = AttachProblem::Empty;
    std::string_view device;
    GpaRange range;
    std::string_view other;  ///< Overlaps: the device that is there already
    GpaRange other_range;
};

/// Devices must outlive the bus. An access that does not lie wholly inside one window is a fault, as
/// is one whose size is not 1, 2, 4 or 8.
class MmioBus {
public:
    static constexpr std::size_t max_devices = 64;

    struct Attachment {
        GpaRange range;
        Device* device = nullptr;
    };

    [[nodiscard]] std::expected<void, AttachError> attach(GpaRange range, Device& device);

    /// The value has no bits beyond `size` bytes.
    [[nodiscard]] std::expected<u64, BusFault> read(Gpa gpa, u8 size);
    /// Bits of `value` beyond `size` bytes do not reach the device.
    [[nodiscard]] std::expected<void, BusFault> write(Gpa gpa, u8 size, u64 value);

    /// The window around an address; null where no device is.
    [[nodiscard]] const Attachment* find(Gpa gpa) const;
    /// All windows, by address.
    [[nodiscard]] const FixedVector<Attachment, max_devices>& attachments() const { return attachments_; }

    /// Who accesses from now on.
    void set_initiator(VcpuId vcpu) { initiator_.vcpu = vcpu; }
    /// Lives as long as the bus.
    [[nodiscard]] const Initiator& initiator() const { return initiator_; }

    void reset();
    /// Each device under its name, by address.
    void fields(FieldVisitor& v);

private:
    [[nodiscard]] const Attachment* find_whole(Gpa gpa, u8 size) const;
    [[nodiscard]] std::size_t position_after(Gpa gpa) const;

    FixedVector<Attachment, max_devices> attachments_;
    Initiator initiator_;
    /// Position of the last hit. Only speed depends on it, so it is no state.
    mutable std::size_t last_hit_ = 0;
};

}  // namespace ax::bus
