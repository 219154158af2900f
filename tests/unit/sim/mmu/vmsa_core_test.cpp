// Written apart from the walker: what the core maps in VMSAv8-64 stage 2, the simulated hardware must find.
#include <gtest/gtest.h>

#include "core/mm/stage2.hpp"
#include "core/mm/vmsav8_s2.hpp"
#include "sim/mmu/vmsa_walker.hpp"
#include "sim/phys/frame_allocator.hpp"
#include "tests/unit/core/mm/random.hpp"

namespace ax::sim::arm64 {
namespace {

using mm::test::Random;

constexpr u64 ram = 0x8000'0000;

class SimulatedFrames final : public mm::Frames {
public:
    explicit SimulatedFrames(PhysMemory& memory) : memory_(memory), frames_(memory) {}
    bool allocate(u64 count, u64 alignment, Hpa& at) override { return frames_.allocate(count, alignment, at); }
    bool allocate_at(Hpa start, u64 count) override { return frames_.allocate_at(start, count); }
    void free(Hpa start, u64 count) override { frames_.free(start, count); }
    bool read(Hpa from, std::span<std::byte> to) override { return memory_.read(from, to); }
    bool write(Hpa to, std::span<const std::byte> from) override { return memory_.write(to, from); }

private:
    PhysMemory& memory_;
    FrameAllocator frames_;
};

/// Random maps of `format`; what the core built, the simulated hardware must find.
void compare_with_core(mm::Vmsav8Stage2 format, u64 vtcr) {
    PhysMemory memory = std::move(*PhysMemory::create(Hpa{ram}, 1024 * page_size));
    SimulatedFrames frames(memory);
    mm::TableMemory tables(frames, 512);
    auto space = mm::Stage2<mm::Vmsav8Stage2, mm::TableMemory>::create(tables, format);
    ASSERT_TRUE(space.has_value());
    VmsaContext context;
    context.hcr = 1;
    context.vtcr = vtcr;
    context.vttbr = space->root().value() | (u64{3} << 48);
    Random random(format.ipa_bits);
    constexpr mm::Permissions rights[] = {
        {true, true, true, false}, {true, false, false, false}, {true, false, true, false}, {true, true, false, true}};
    const u64 unit[] = {page_size, u64{2} << 20, u64{1} << 30};
    u64 hits = 0;
    for (int round = 0; round < 400; ++round) {
        const u64 size = unit[random.below(3)] * (1 + random.below(3));
        const u64 place = unit[random.below(3)];
        const Gpa gpa{random.below((u64{4} << 30) / place) * place + (random.one_in(4) ? bit(format.ipa_bits - 1) : 0)};
        const Hpa hpa{random.below(1 << 9) * place};
        switch (random.below(4)) {
            case 0: (void)space->unmap(gpa, size); break;
            case 1: (void)space->protect(gpa, size, rights[random.below(4)]); break;
            default: (void)space->map(gpa, hpa, size, rights[random.below(4)]); break;
        }
        for (const u64 offset : {u64{0}, size / 2, size - 1, size, random.below(u64{1} << 32)}) {
            const Gpa at = gpa + offset;
            const auto expected = space->translate(at);
            for (const Access access : {Access::Read, Access::Write, Access::Execute}) {
                const auto found = walk(memory, Gva{at.value()}, {access, false, false}, context);
                const bool allowed = expected && (access == Access::Read    ? expected->permissions.read
                                                  : access == Access::Write ? expected->permissions.write
                                                                            : expected->permissions.execute);
                ASSERT_EQ(found.has_value(), allowed) << std::hex << at.value();
                if (!found) continue;
                ASSERT_EQ(found->page, expected->hpa.page_base());
                ++hits;
            }
        }
    }
    EXPECT_GT(hits, 300U);
}

TEST(VmsaWalkerAndCore, agree_on_random_maps) {
    compare_with_core({39, 40}, 25 | (1 << 6) | (u64{2} << 16));
    compare_with_core({40, 40}, 24 | (1 << 6) | (u64{2} << 16));
    compare_with_core({43, 44}, 21 | (1 << 6) | (u64{4} << 16));
    compare_with_core({48, 48}, 16 | (2 << 6) | (u64{5} << 16));
}

}  // namespace
}  // namespace ax::sim::arm64
