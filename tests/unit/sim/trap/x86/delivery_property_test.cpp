// Random tables, segments and events: delivery ends, changes registers only with success, and leaves a state that a VM
// entry takes; and memory through real page tables.
#include <gtest/gtest.h>

#include "sim/trap/x86/entry_checks.hpp"
#include "sim/trap/x86/exit_events.hpp"
#include "tests/unit/core/mm/random.hpp"
#include "tests/unit/sim/mmu/x86_fixture.hpp"
#include "tests/unit/sim/trap/x86/delivery_fixture.hpp"
#include "tests/unit/sim/trap/x86/vmcs_samples.hpp"

namespace ax::sim::x86 {
namespace {

using namespace test;
using mm::test::Random;

Event random_event(Random& random) {
    Event event;
    constexpr EventType types[] = {EventType::ExternalInterrupt, EventType::Nmi,
                                   EventType::HardwareException, EventType::SoftwareInterrupt,
                                   EventType::SoftwareException, EventType::PrivilegedSoftwareException};
    event.type = types[random.below(6)];
    if (event.type == EventType::HardwareException)
        return exception(Vector{static_cast<u8>(random.below(32))}, static_cast<u32>(random.next()), random.next());
    event.vector = event.type == EventType::Nmi ? 2 : static_cast<u8>(random.next());
    if (event.is_software()) event.instruction_length = static_cast<u8>(random.below(16));
    return event;
}

/// Gates lead to some selector of the GDT, whose descriptors have a few bits flipped.
template <class Fixture>
void disturb(Fixture& m, Random& random) {
    for (u64 n = 0; n < 40; ++n) {
        const u64 at = gdt + 8 * random.below(12) + random.below(8);
        if (random.one_in(4)) m.memory.set(at, m.memory.get(at, 1) ^ (u64{1} << random.below(8)), 1);
    }
    const u64 width = m.cpu.is_long() ? 16 : 8;
    for (u64 n = 0; n < 64; ++n) {
        const u64 at = idt + width * random.below(64) + random.below(8);
        if (random.one_in(2)) m.memory.set(at, m.memory.get(at, 1) ^ (u64{1} << random.below(8)), 1);
    }
    for (u64 n = 0; n < 8; ++n)
        if (random.one_in(4)) m.memory.set(tss + random.below(0x68), random.next(), 2);
    if (random.one_in(8)) m.cpu.idtr.limit = static_cast<u32>(random.below(0x1000));
    if (random.one_in(8)) m.cpu.tr.limit = static_cast<u32>(random.below(0x68));
    if (random.one_in(4)) m.cpu.rsp() = random.below(0x1'0000);
    if (random.one_in(4)) {
        const u64 page = random.below(16);
        constexpr WalkFaultKind kinds[] = {WalkFaultKind::PageFault, WalkFaultKind::EptViolation,
                                           WalkFaultKind::EptMisconfigured};
        m.memory.holes[page] = {kinds[random.below(3)], random.below(16), Gpa{page << page_shift}};
    }
}

struct Tally {
    u64 delivered = 0, exits = 0, triple = 0, stopped = 0;
};

template <class Fixture>
void bring(Fixture& m, Random& random, Vmcs v, Tally& tally) {
    v.PIN_BASED_CONTROLS = 0x16;
    if (random.one_in(3)) v.EXCEPTION_BITMAP = static_cast<u32>(random.next());
    const CpuState before = m.cpu;
    const auto exit = raise(m.cpu, m.memory, v, random_event(random));
    if (exit) {
        ++tally.exits;
        tally.triple += exit->reason == ExitReason::TripleFault ? 1 : 0;
        EXPECT_EQ(m.cpu.rip, before.rip);
        EXPECT_EQ(m.cpu.rsp(), before.rsp());
        EXPECT_EQ(m.cpu.rflags, before.rflags);
        EXPECT_EQ(m.cpu.cs, before.cs);
        return;
    }
    ++tally.delivered;
    EXPECT_LE(m.cpu.cpl(), before.cpl());
    EXPECT_FALSE(m.cpu.is_v8086());
    EXPECT_EQ(m.cpu.activity, ActivityState::Active);
    // The handler's state passes the checks of a VM entry, for the segments that delivery loaded.
    save_guest(v, m.cpu, {});
    for (const EntryRule& rule : guest_segment_rules()) {
        const std::string name = rule.name;
        if (name.starts_with("CS") || name.starts_with("SS selector") || name.starts_with("SS DPL") ||
            name.starts_with("SS type")) {
            EXPECT_TRUE(rule.holds(v, {})) << name << std::hex << " cs " << v.GUEST_CS.access_rights << " ss "
                                           << v.GUEST_SS.access_rights << " base " << v.GUEST_CS.base;
        }
    }
}

TEST(X86DeliveryProperty, ends_with_a_handler_or_an_exit) {
    Random random(26);
    Tally tally;
    for (int n = 0; n < 4000 && !testing::Test::HasFailure(); ++n) {
        const u64 kind = random.below(4);
        if (kind == 0) {
            Long m;
            if (random.one_in(2)) m.at_level_3();
            disturb(m, random);
            bring(m, random, long_mode(), tally);
        } else if (kind == 3) {
            Real m;
            m.cpu.rsp() = random.below(0x1'0000);
            if (random.one_in(3)) m.cpu.ss.limit = static_cast<u32>(random.below(0x1'0000));
            if (random.one_in(3)) m.cpu.idtr.limit = static_cast<u32>(random.below(0x400));
            const auto exit = raise(m.cpu, m.memory, real_mode(),
                                    {.type = EventType::SoftwareInterrupt, .vector = static_cast<u8>(random.next())});
            EXPECT_TRUE(exit || m.cpu.rip <= 0xffff);
        } else {
            Protected m;
            if (kind == 1) m.at_level_3();
            if (random.one_in(6)) m.at_v8086();
            disturb(m, random);
            bring(m, random, restricted(), tally);
        }
    }
    EXPECT_GT(tally.delivered, 1000U);
    EXPECT_GT(tally.exits, 100U);
    EXPECT_GT(tally.triple, 20U);
}

class GuestMemory final : public TranslatedMemory {
public:
    using TranslatedMemory::TranslatedMemory;
    std::vector<Hpa> stores;

private:
    void before_store(Hpa at) override { stores.push_back(at); }
};

struct Paged : Tables {
    X86Tlb tlb;
    GuestMemory guest{memory, tlb, context};

    Paged() {
        set(4, 5, frame(40) | p | rw);
        set(4, 6, frame(45) | p | rw);
        set(4, 7, frame(46) | p | rw | us);
        set(4, 9, frame(47) | p);
    }
};

constexpr WalkAccess load{.access = Access::Read, .is_implicit = true}, store{.access = Access::Write};

TEST(X86TranslatedMemory, crosses_pages) {
    Paged m;
    ASSERT_TRUE(m.guest.write(Gva{0x5ffb}, 0x1122'3344'5566'7788, 8, store));
    EXPECT_EQ(m.guest.read(Gva{0x5ffb}, 8, load), 0x1122'3344'5566'7788U);
    EXPECT_EQ(m.guest.read(Gva{0x6000}, 2, load), 0x2233U);
    EXPECT_EQ(m.get(45, 0), 0x11'2233U);
    EXPECT_EQ(m.guest.stores, (std::vector{Hpa{m.frame(40) + 0xffb}, Hpa{m.frame(45)}}));
    EXPECT_EQ(m.tlb.walks(), 2U) << "the reads found entries";
}

TEST(X86TranslatedMemory, writes_nothing_when_the_second_page_faults) {
    Paged m;
    const auto done = m.guest.write(Gva{0x7ffc}, ~u64{0}, 8, store);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error(), (MemoryFault{{WalkFaultKind::PageFault, 2, {}}, Gva{0x8000}}));
    EXPECT_EQ(m.get(46, 511), 0U);
    EXPECT_EQ(m.guest.write(Gva{0x9000}, 0, 1, store).error().fault.code, 3U);
}

TEST(X86TranslatedMemory, rights_are_looked_at_in_the_tlb_too) {
    Paged m;
    m.context.cr4 |= bit(21);
    ASSERT_TRUE(m.guest.read(Gva{0x7000}, 4, {.access = Access::Read, .is_user = true}));
    EXPECT_EQ(m.guest.read(Gva{0x7000}, 4, load).error().fault.code, 1U) << "SMAP";
    EXPECT_FALSE(m.guest.has_overflowed());
}

TEST(X86TranslatedMemory, what_is_not_ram_reads_as_ones) {
    Paged m;
    m.set(19, 40, 0x10'0000 | erwx | wb);
    EXPECT_EQ(m.guest.read(Gva{0x5000}, 4, load), 0xffff'ffffU);
    EXPECT_TRUE(m.guest.write(Gva{0x5000}, 1, 4, store));
    EXPECT_TRUE(m.guest.stores.empty());
}

}  // namespace
}  // namespace ax::sim::x86
