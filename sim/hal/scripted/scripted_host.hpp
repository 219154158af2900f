// A host for a hypervisor that runs by itself: some RAM, a clock that stands until it is moved, one
// timer, and a console that keeps what it is given.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/base/fields.hpp"
#include "core/hal/host.hpp"

namespace ax::sim {

class ScriptedHost final : public hal::Host {
public:
    /// RAM is all of `ram`, whole pages.
    explicit ScriptedHost(HpaRange ram);

    [[nodiscard]] bool allocate(u64 count, u64 alignment, Hpa& frames) override;
    [[nodiscard]] bool allocate_at(Hpa start, u64 count) override;
    void free(Hpa start, u64 count) override;
    [[nodiscard]] bool read(Hpa from, std::span<std::byte> to) override;
    [[nodiscard]] bool write(Hpa to, std::span<const std::byte> from) override;
    [[nodiscard]] u64 free_frames() const;

    [[nodiscard]] u64 now_ns() override { return now_ns_; }
    /// Time goes on; the timer does not go off by itself.
    void advance(u64 ns) { now_ns_ += ns; }

    void arm_timer(u64 deadline_ns) override;
    [[nodiscard]] u64 timer_deadline_ns() const { return deadline_ns_; }
    /// How often the timer was set.
    [[nodiscard]] u64 timer_arms() const { return arms_; }
    /// True once when the timer's time has come: its interrupt is pending.
    [[nodiscard]] bool take_timer();

    void kick(PcpuId pcpu) override { kicks_.push_back(pcpu); }
    [[nodiscard]] const std::vector<PcpuId>& kicks() const { return kicks_; }

    void console_put(VmId vm, u8 byte) override { console_[vm] += static_cast<char>(byte); }
    /// All output of a VM so far.
    [[nodiscard]] std::string console(VmId vm) const;

    void fields(FieldVisitor& v);

private:
    [[nodiscard]] u64 number(Hpa frame) const { return (frame - ram_.start) / page_size; }
    [[nodiscard]] bool is_free(u64 first, u64 count) const;
    void take(u64 first, u64 count);
    [[nodiscard]] std::span<std::byte> bytes(Hpa start, u64 size);

    HpaRange ram_;
    std::vector<std::byte> content_;
    std::vector<u8> is_taken_;
    u64 now_ns_ = 0;
    u64 deadline_ns_ = timer::never;
    u64 arms_ = 0;
    std::vector<PcpuId> kicks_;
    std::map<VmId, std::string> console_;
};

}  // namespace ax::sim
