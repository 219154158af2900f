#include "core/bus/mmio_bus.hpp"

#include <algorithm>

#include "core/base/bits.hpp"

namespace ax::bus {

std::expected<void, AttachError> MmioBus::attach(GpaRange range, Device& device) {
    const auto refuse = [&](AttachProblem problem, const Attachment* other) {
        AttachError error{.problem = problem, .device = device.name(), .range = range, .other = {}, .other_range = {}};
        if (other != nullptr) {
            error.other = other->device->name();
            error.other_range = other->range;
        }
        return std::unexpected(error);
    };
    if (range.size == 0) return refuse(AttachProblem::Empty, nullptr);
    if (range.wraps()) return refuse(AttachProblem::Wraps, nullptr);
    for (const Attachment& there : attachments_) {
        if (there.range.overlaps(range)) return refuse(AttachProblem::Overlaps, &there);
    }
    if (!attachments_.insert(position_after(range.start), {range, &device})) return refuse(AttachProblem::Full, nullptr);
    return {};
}

std::expected<u64, BusFault> MmioBus::read(Gpa gpa, u8 size) {
    const Attachment* there = find_whole(gpa, size);
    if (there == nullptr) return std::unexpected(BusFault{});
    const std::expected<u64, BusFault> value = there->device->read(gpa - there->range.start, size);
    if (!value) return value;
    return zero_extend(*value, size);
}

std::expected<void, BusFault> MmioBus::write(Gpa gpa, u8 size, u64 value) {
    const Attachment* there = find_whole(gpa, size);
    if (there == nullptr) return std::unexpected(BusFault{});
    return there->device->write(gpa - there->range.start, size, zero_extend(value, size));
}

const MmioBus::Attachment* MmioBus::find(Gpa gpa) const {
    if (last_hit_ < attachments_.size() && attachments_[last_hit_].range.contains(gpa)) return &attachments_[last_hit_];
    const std::size_t after = position_after(gpa);
    if (after == 0 || !attachments_[after - 1].range.contains(gpa)) return nullptr;
    last_hit_ = after - 1;
    return &attachments_[last_hit_];
}

void MmioBus::reset() {
    for (const Attachment& there : attachments_) there.device->reset();
}

void MmioBus::fields(FieldVisitor& v) {
    for (std::size_t i = 0; i < attachments_.size(); ++i) {
        v.enter(attachments_[i].device->name(), i);
        attachments_[i].device->fields(v);
        v.leave();
    }
}

const MmioBus::Attachment* MmioBus::find_whole(Gpa gpa, u8 size) const {
    const bool is_access_size = size == 1 || size == 2 || size == 4 || size == 8;
    if (!is_access_size) return nullptr;
    const Attachment* there = find(gpa);
    return there != nullptr && there->range.contains(gpa, size) ? there : nullptr;
}

/// Position of the first window that begins above `gpa`.
std::size_t MmioBus::position_after(Gpa gpa) const {
    const auto above = std::upper_bound(attachments_.begin(), attachments_.end(), gpa,
                                        [](Gpa a, const Attachment& there) { return a < there.range.start; });
    return static_cast<std::size_t>(above - attachments_.begin());
}

}  // namespace ax::bus
