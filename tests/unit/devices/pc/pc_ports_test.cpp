// fw_cfg, the PCI host's ports, ACPI's registers, the interrupt wires, and a 16550 at 0x3f8.
#include <gtest/gtest.h>

#include "core/bus/mmio_bus.hpp"
#include "devices/pc/acpi_pm.hpp"
#include "devices/pc/fw_cfg.hpp"
#include "devices/pc/isa_irqs.hpp"
#include "devices/pc/pci_host.hpp"
#include "devices/uart/ns16550.hpp"
#include "tests/unit/devices/pc/pc_fixture.hpp"

namespace ax::device_test {
namespace {

namespace key = dev::fw_cfg_key;

std::string take(dev::FwCfg& device, u16 item, std::size_t count) {
    EXPECT_NE(write_word(device, 0, 2, item), fault);
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += static_cast<char>(read_word(device, 1, 1));
    return text;
}
std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(FwCfgTest, items_files_and_directory) {
    dev::FwCfg device;
    EXPECT_TRUE(device.add(key::kernel_data, bytes_of("kernel bytes")));
    EXPECT_TRUE(device.add_number(key::ram_size, 0x1'2345'6789, 8));
    EXPECT_TRUE(device.add_file("etc/e820", bytes_of("map")));
    EXPECT_TRUE(device.add_file("bootorder", bytes_of("abcde")));
    EXPECT_EQ(take(device, key::signature, 4), "QEMU");
    EXPECT_EQ(take(device, key::id, 4), std::string("\1\0\0\0", 4));
    EXPECT_EQ(take(device, key::kernel_data, 15), std::string("kernel bytes\0\0\0", 15));
    EXPECT_EQ(take(device, key::ram_size, 8), std::string("\x89\x67\x45\x23\1\0\0\0", 8));
    const std::string directory = take(device, key::file_directory, 4 + 3 * 64);
    EXPECT_EQ(directory.substr(0, 4), std::string("\0\0\0\2", 4));
    EXPECT_EQ(directory.substr(4, 8), std::string("\0\0\0\3\0\x20\0\0", 8));
    EXPECT_EQ(directory.substr(12, 56), "etc/e820" + std::string(48, '\0'));
    EXPECT_EQ(directory.substr(68, 8), std::string("\0\0\0\5\0\x21\0\0", 8));
    EXPECT_EQ(directory.substr(76, 10), std::string("bootorder\0", 10));
    EXPECT_EQ(directory.substr(4 + 2 * 64), std::string(64, '\0'));
    EXPECT_EQ(take(device, 0x20, 3), "map");
    EXPECT_EQ(take(device, 0x21, 5), "abcde");
}

TEST(FwCfgTest, what_does_not_fit_is_refused) {
    dev::FwCfg device;
    EXPECT_FALSE(device.add(key::signature, {}));
    EXPECT_FALSE(device.add(key::file_directory, {}));
    EXPECT_FALSE(device.add_number(key::ram_size, 1, 9));
    EXPECT_FALSE(device.add_file(std::string(56, 'x'), {}));
    EXPECT_TRUE(device.add_file(std::string(55, 'x'), {}));
    EXPECT_FALSE(device.add_file(std::string(55, 'x'), {})) << "taken";
    u16 added = 0;
    while (device.add(static_cast<u16>(0x4000 + added), {})) ++added;
    EXPECT_EQ(added, dev::FwCfg::max_items - 3);
}

TEST(FwCfgTest, t1_to_t4) {
    dev::FwCfg device;
    EXPECT_EQ(take(device, 0x7777, 2), std::string(2, '\0'));
    EXPECT_EQ(take(device, key::signature, 1), "Q");
    const SavedState before = save(device);
    for (const u8 size : {u8{2}, u8{4}, u8{8}}) {
        EXPECT_EQ(read_word(device, 1, size), fault);
        EXPECT_EQ(read_word(device, 0, size), fault);
    }
    for (const u8 size : {u8{1}, u8{4}, u8{8}}) EXPECT_EQ(write_word(device, 0, size, 1), fault);
    EXPECT_NE(write_word(device, 1, 1, 0xff), fault);
    EXPECT_EQ(save(device), before);
    EXPECT_EQ(read_word(device, 1, 1), u64{'E'});
    Scrambler scrambler(3);
    device.fields(scrambler);
    static_cast<void>(read_word(device, 1, 1));
    device.reset();
    EXPECT_EQ(read_word(device, 1, 1), u64{'Q'});
}

struct PciBench {
    u64 config(u64 function, u64 reg, u8 size = 4) {
        EXPECT_NE(write_word(pci, 0, 4, 0x8000'0000 | function << 8 | (reg & 0xfc)), fault);
        return read_word(pci, 4 + reg % 4, size);
    }
    FakePower power;
    dev::PciHost pci{power};
};

TEST(PciHostTest, bridge_is_there_and_nothing_else) {
    PciBench bench;
    EXPECT_EQ(bench.config(0, 0), 0x1237'8086u);
    EXPECT_EQ(bench.config(0, 2, 2), 0x1237u);
    EXPECT_EQ(bench.config(0, 0x0b, 1), 0x06u) << "bridge";
    EXPECT_EQ(bench.config(0, 0x0e, 1), 0u);
    for (u64 function = 1; function < 65'536; ++function) ASSERT_EQ(bench.config(function, 0), 0xffff'ffffu);
    EXPECT_EQ(bench.config(1, 0, 2), 0xffffu);
    EXPECT_NE(write_word(bench.pci, 0, 4, 0), fault);
    EXPECT_EQ(read_word(bench.pci, 4, 4), 0xffff'ffffu) << "not enabled";
}

TEST(PciHostTest, registers_of_the_chip_set_are_kept_and_identity_is_not_written) {
    PciBench bench;
    const u64 identity = bench.config(0, 0);
    EXPECT_NE(write_word(bench.pci, 4, 4, 0xffff'ffff), fault);
    EXPECT_EQ(bench.config(0, 0), identity);
    EXPECT_EQ(bench.config(0, 0x59, 1), 0u);
    EXPECT_NE(write_word(bench.pci, 5, 1, 0x30), fault);
    EXPECT_EQ(bench.config(0, 0x58), 0x3000u);
    EXPECT_NE(write_word(bench.pci, 6, 2, 0x1234), fault);
    EXPECT_EQ(bench.config(0, 0x58), 0x1234'3000u);
    bench.pci.reset();
    EXPECT_EQ(bench.config(0, 0x58), 0u);
}

TEST(PciHostTest, t1_widths_t5_reset) {
    PciBench bench;
    EXPECT_NE(write_word(bench.pci, 0, 4, 0xffff'ffff), fault);
    EXPECT_EQ(read_word(bench.pci, 0, 4), 0x80ff'fffcu);
    const SavedState before = save(bench.pci);
    for (const auto& [offset, size] : {std::pair<u64, u8>{0, 1}, {0, 2}, {0, 8}, {1, 2}, {1, 4}, {2, 1}, {3, 1}, {2, 4}, {4, 8}, {5, 4}, {7, 2}}) {
        EXPECT_EQ(read_word(bench.pci, offset, size), fault) << offset << " " << int{size};
        EXPECT_EQ(write_word(bench.pci, offset, size, ~u64{0}), fault);
    }
    EXPECT_EQ(save(bench.pci), before);
    for (const u64 value : {0x02u, 0x06u, 0x06u, 0x00u, 0x04u}) EXPECT_NE(write_word(bench.pci, 1, 1, value), fault);
    EXPECT_EQ(bench.power.resets, 2u);
    EXPECT_EQ(read_word(bench.pci, 1, 1), 4u);
}

struct PmBench {
    explicit PmBench(bool is_wide = true) : pm({.has_32_bit_timer = is_wide}, time, time, irq::Line(sci, 9), power) {}
    FakeTime time;
    EdgeCounter sci;
    FakePower power;
    dev::AcpiPm pm;
};

TEST(AcpiPmTest, timer_counts_at_3_579545_mhz_and_wraps_at_its_width) {
    for (const bool is_wide : {true, false}) {
        PmBench bench(is_wide);
        const u64 mask = is_wide ? 0xffff'ffff : 0xff'ffff;
        for (const u64 s : {u64{0}, u64{1}, u64{5}, u64{1201}, u64{4000}}) {
            bench.time.now = s * 1'000'000'000;
            EXPECT_EQ(read_word(bench.pm, 8, 4), s * 3'579'545 & mask);
        }
        EXPECT_EQ(read_word(bench.pm, 9, 1), (u64{4000} * 3'579'545 >> 8) & 0xff);
        EXPECT_NE(write_word(bench.pm, 8, 4, 0), fault);
        EXPECT_EQ(read_word(bench.pm, 8, 4), u64{4000} * 3'579'545 & mask);
    }
}

TEST(AcpiPmTest, acpi_mode_is_on_and_s5_turns_off) {
    PmBench bench;
    EXPECT_EQ(read_word(bench.pm, 4, 2), 1u);
    EXPECT_NE(write_word(bench.pm, 4, 2, 0), fault);
    EXPECT_EQ(read_word(bench.pm, 4, 2), 1u);
    for (u64 type = 0; type < 8; ++type) {
        EXPECT_NE(write_word(bench.pm, 4, 2, type << 10), fault);
        EXPECT_EQ(read_word(bench.pm, 4, 2), type << 10 | 1);
        const u64 before = bench.power.power_offs;
        EXPECT_NE(write_word(bench.pm, 4, 2, type << 10 | 0x2000), fault);
        EXPECT_EQ(bench.power.power_offs - before, type == dev::AcpiPm::s5 ? 1u : 0u) << type;
    }
    EXPECT_NE(write_word(bench.pm, 5, 1, 0x34), fault) << "a byte does it too";
    EXPECT_EQ(bench.power.power_offs, 2u);
    EXPECT_EQ(read_word(bench.pm, 4, 2) & 0x2000, 0u) << "SLP_EN reads 0";
}

TEST(AcpiPmTest, timer_event_and_power_button_raise_sci) {
    PmBench bench(false);
    EXPECT_NE(write_word(bench.pm, 2, 2, 0x101), fault);
    EXPECT_EQ(bench.time.deadline, (u64{1} << 23) * 1'000'000'000 / 3'579'545 + 1);
    bench.time.advance_to(bench.time.deadline);
    EXPECT_TRUE(bench.sci.line);
    EXPECT_EQ(bench.time.deadline, timer::never);
    EXPECT_EQ(read_word(bench.pm, 0, 2), 1u);
    EXPECT_NE(write_word(bench.pm, 0, 2, 1), fault);
    EXPECT_FALSE(bench.sci.line);
    bench.pm.press_power_button();
    EXPECT_TRUE(bench.sci.line);
    EXPECT_EQ(read_word(bench.pm, 0, 4), 0x0101'0100u);
    EXPECT_NE(write_word(bench.pm, 1, 1, 1), fault);
    EXPECT_FALSE(bench.sci.line);
    EXPECT_NE(write_word(bench.pm, 2, 2, 0xffff), fault);
    EXPECT_EQ(read_word(bench.pm, 2, 2), 0x721u);
    const SavedState saved = save(bench.pm);
    PmBench other(false);
    other.time.now = bench.time.now;
    ASSERT_TRUE(restore(other.pm, saved));
    EXPECT_EQ(other.time.deadline, bench.time.deadline);
    bench.pm.reset();
    EXPECT_EQ(read_word(bench.pm, 0, 4), 0u);
    EXPECT_EQ(read_word(bench.pm, 0, 8), fault);
    EXPECT_EQ(read_word(bench.pm, 10, 4), fault);
}

TEST(AcpiPmTest, noise_does_no_harm) {
    for (u64 seed = 1; seed <= 20; ++seed) {
        PmBench bench;
        Lcg lcg(seed);
        Scrambler scrambler(seed);
        if (seed % 2 == 0) bench.pm.fields(scrambler);
        for (u32 i = 0; i < 2'000; ++i) {
            static_cast<void>(write_word(bench.pm, lcg.below(12), static_cast<u8>(1u << lcg.below(4)), lcg.word()));
            static_cast<void>(read_word(bench.pm, lcg.below(12), static_cast<u8>(1u << lcg.below(4))));
            bench.time.jump_to(bench.time.now + (lcg.word() >> 20));
        }
    }
}

struct Recorder final : irq::IrqChip {
    void set_line(u32 number, bool level) override { seen.emplace_back(number, level); }
    std::vector<std::pair<u32, bool>> seen;
};

TEST(IsaIrqsTest, lines_go_to_both_controllers) {
    Recorder pics, ioapic;
    dev::IsaIrqs wires(pics, ioapic);
    for (u32 n = 0; n < 24; ++n) wires.set_line(n, true);
    EXPECT_EQ(pics.seen.size(), 16u);
    EXPECT_EQ(ioapic.seen.size(), 23u);
    EXPECT_EQ(ioapic.seen[0], (std::pair<u32, bool>{2, true})) << "the timer";
    EXPECT_EQ(ioapic.seen[1], (std::pair<u32, bool>{1, true}));
    EXPECT_EQ(ioapic.seen[2], (std::pair<u32, bool>{3, true})) << "2 is the cascade";
    Recorder lapics, pins;
    dev::PicOutput output(lapics, pins);
    output.set_line(0, true);
    output.set_line(1, true);
    EXPECT_EQ(lapics.seen.size(), 1u);
    EXPECT_EQ(pins.seen.size(), 1u);
}

struct Sink final : dev::ByteSink {
    void put(u8 byte) override { text += static_cast<char>(byte); }
    std::string text;
};

// COM1: a second bus whose addresses are port numbers.
TEST(Com1Test, a_16550_works_at_port_0x3f8) {
    Sink sink;
    EdgeCounter irq;
    dev::Ns16550 uart(sink, irq::Line(irq, 4));
    bus::MmioBus ports;
    ASSERT_TRUE(ports.attach({Gpa{0x3f8}, dev::Ns16550::window_bytes}, uart));
    EXPECT_TRUE(ports.write(Gpa{0x3f8}, 1, 'x'));
    EXPECT_EQ(sink.text, "x");
    EXPECT_EQ(*ports.read(Gpa{0x3fd}, 1), 0x60u);
    EXPECT_TRUE(ports.write(Gpa{0x3f9}, 1, 2));
    EXPECT_TRUE(irq.line);
    EXPECT_EQ(*ports.read(Gpa{0x3fa}, 1), 2u);
    EXPECT_FALSE(ports.read(Gpa{0x3f8}, 2)) << "whoever owns the ports splits wide accesses";
    EXPECT_FALSE(ports.read(Gpa{0x400}, 1));
}

}  // namespace
}  // namespace ax::device_test
