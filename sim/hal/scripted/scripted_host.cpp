#include "sim/hal/scripted/scripted_host.hpp"

#include <algorithm>

#include "core/base/expect.hpp"

namespace ax::sim {

ScriptedHost::ScriptedHost(HpaRange ram) : ram_(ram), content_(ram.size), is_taken_(ram.size / page_size) {
    expect(ram.start.is_aligned(page_size) && ram.size % page_size == 0, "the RAM of a scripted host is whole pages");
}

bool ScriptedHost::allocate(u64 count, u64 alignment, Hpa& frames) {
    for (u64 first = 0; first + count <= is_taken_.size(); ++first) {
        const Hpa start = ram_.start + first * page_size;
        if (!start.is_aligned(alignment) || !is_free(first, count)) continue;
        take(first, count);
        frames = start;
        return true;
    }
    return false;
}

bool ScriptedHost::allocate_at(Hpa start, u64 count) {
    if (!start.is_aligned(page_size) || count > is_taken_.size() || !ram_.contains(start, count * page_size)) return false;
    if (!is_free(number(start), count)) return false;
    take(number(start), count);
    return true;
}

void ScriptedHost::free(Hpa start, u64 count) {
    expect(ram_.contains(start, count * page_size), "only RAM is freed");
    for (u64 i = number(start); i < number(start) + count; ++i) {
        expect(is_taken_[i] != 0, "a frame is freed once");
        is_taken_[i] = 0;
    }
}

bool ScriptedHost::read(Hpa from, std::span<std::byte> to) {
    if (to.empty()) return true;
    if (!ram_.contains(from, to.size())) return false;
    std::ranges::copy(bytes(from, to.size()), to.begin());
    return true;
}

bool ScriptedHost::write(Hpa to, std::span<const std::byte> from) {
    if (from.empty()) return true;
    if (!ram_.contains(to, from.size())) return false;
    std::ranges::copy(from, bytes(to, from.size()).begin());
    return true;
}

u64 ScriptedHost::free_frames() const { return static_cast<u64>(std::ranges::count(is_taken_, u8{0})); }

void ScriptedHost::arm_timer(u64 deadline_ns) {
    deadline_ns_ = deadline_ns;
    ++arms_;
}

bool ScriptedHost::take_timer() {
    if (deadline_ns_ == timer::never || deadline_ns_ > now_ns_) return false;
    deadline_ns_ = timer::never;
    return true;
}

std::string ScriptedHost::console(VmId vm) const {
    const auto found = console_.find(vm);
    return found == console_.end() ? std::string() : found->second;
}

void ScriptedHost::fields(FieldVisitor& v) {
    v.bytes("ram", content_);
    v.bytes("taken", std::as_writable_bytes(std::span(is_taken_)));
    field(v, "now_ns", now_ns_);
    field(v, "deadline_ns", deadline_ns_);
}

bool ScriptedHost::is_free(u64 first, u64 count) const {
    const auto begin = is_taken_.begin() + static_cast<std::ptrdiff_t>(first);
    return std::none_of(begin, begin + static_cast<std::ptrdiff_t>(count), [](u8 taken) { return taken != 0; });
}

void ScriptedHost::take(u64 first, u64 count) {
    std::fill_n(is_taken_.begin() + static_cast<std::ptrdiff_t>(first), count, u8{1});
    std::ranges::fill(bytes(ram_.start + first * page_size, count * page_size), std::byte{0});
}

std::span<std::byte> ScriptedHost::bytes(Hpa start, u64 size) { return std::span(content_).subspan(start - ram_.start, size); }

}  // namespace ax::sim
