// A PLIC on fake vCPU lines, with its registers by name.
#pragma once

#include <array>
#include <bit>
#include <utility>
#include <vector>

#include "devices/irqchip/vplic.hpp"
#include "tests/unit/devices/device_test_support.hpp"

namespace ax::device_test {

/// Remembers the level of each vCPU's external line and every time it was driven.
class FakeCpuLines final : public irq::CpuLines {
public:
    void set_external(VcpuId vcpu, bool level) override {
        levels.at(index(vcpu)) = level;
        driven.emplace_back(index(vcpu), level);
    }
    std::array<bool, 4> levels{};
    std::vector<std::pair<u32, bool>> driven;
};

/// Machine-mode contexts 0 and 2 interrupt nothing; 1 and 3 are the lines of vCPUs 0 and 1.
inline dev::Vplic::Config two_harts(u32 sources) {
    dev::Vplic::Config config{.sources = sources, .contexts = {}};
    for (const std::optional<VcpuId>& target :
         {std::optional<VcpuId>{}, std::optional{VcpuId{0}}, std::optional<VcpuId>{}, std::optional{VcpuId{1}}})
        static_cast<void>(config.contexts.push_back(target));
    return config;
}

inline constexpr u64 priority_at(u32 source) { return 4 * u64{source}; }
inline constexpr u64 pending_at(u32 word) { return 0x1000 + 4 * u64{word}; }
inline constexpr u64 enable_at(u32 context, u32 word) { return 0x2000 + 0x80 * u64{context} + 4 * u64{word}; }
inline constexpr u64 threshold_at(u32 context) { return 0x20'0000 + 0x1000 * u64{context}; }
inline constexpr u64 claim_at(u32 context) { return threshold_at(context) + 4; }

struct PlicBench {
    explicit PlicBench(const dev::Vplic::Config& config = two_harts(95)) : plic(*dev::Vplic::create(config, cpus)) {}

    u64 get(u64 offset) { return read_word(plic, offset, 4); }
    void put(u64 offset, u64 value) { static_cast<void>(plic.write(offset, 4, value)); }
    void set_up(u32 context, u32 source, u64 priority) {
        put(priority_at(source), priority);
        put(enable_at(context, source / 32), get(enable_at(context, source / 32)) | u64{1} << (source % 32));
    }

    FakeCpuLines cpus;
    dev::Vplic plic;
};

}  // namespace ax::device_test
