// The generated device tree, read back with libfdt, and the patched one.
#include "sim/config/guest_dtb.hpp"

#include <gtest/gtest.h>

#include <random>

extern "C" {
#include <libfdt.h>
}

namespace {

using namespace ax;
using Tree = std::vector<std::byte>;

sim::GuestDtbInput sample(std::size_t vcpus) {
    sim::GuestDtbInput input;
    input.memory = {{Gpa{0x8000'0000}, 0x1000'0000}, {Gpa{0x1'0000'0000}, 0x2'0000'0000}};
    for (u64 i = 0; i < vcpus; ++i) input.hart_ids.push_back(i + 4);
    input.plic = GpaRange{Gpa{0x0c00'0000}, 0x60'0000};
    input.uart = sim::DtbDevice{{Gpa{0x1000'0000}, 0x100}, 10};
    input.rtc = sim::DtbDevice{{Gpa{0x10'1000}, 0x1000}, 11};
    input.bootargs = "console=ttyS0";
    input.initrd = GpaRange{Gpa{0x8800'0000}, 0x1234};
    return input;
}

/// The bytes of a property; an empty string with a failure when there is none.
std::string property(const Tree& tree, const char* path, const char* name) {
    const int node = fdt_path_offset(tree.data(), path);
    int length = 0;
    const void* value = node < 0 ? nullptr : fdt_getprop(tree.data(), node, name, &length);
    if (value == nullptr) {
        ADD_FAILURE() << path << " has no " << name;
        return {};
    }
    return {static_cast<const char*>(value), static_cast<std::size_t>(length)};
}

bool has(const Tree& tree, const char* path, const char* name) {
    const int node = fdt_path_offset(tree.data(), path);
    return node >= 0 && fdt_getprop(tree.data(), node, name, nullptr) != nullptr;
}

std::vector<u32> cells(const Tree& tree, const char* path, const char* name) {
    const std::string bytes = property(tree, path, name);
    EXPECT_EQ(bytes.size() % 4, 0u);
    std::vector<u32> result;
    for (std::size_t i = 0; i + 3 < bytes.size(); i += 4) {
        u32 value = 0;
        for (std::size_t j = 0; j < 4; ++j) value = (value << 8) | static_cast<u8>(bytes[i + j]);
        result.push_back(value);
    }
    return result;
}

using Cells = std::vector<u32>;
using namespace std::string_literals;

TEST(GuestDtbTest, the_tree_is_well_formed_for_1_to_64_harts) {
    for (const std::size_t vcpus : {1u, 2u, 4u, 64u}) {
        const auto tree = sim::make_guest_dtb(sample(vcpus));
        ASSERT_TRUE(tree);
        EXPECT_EQ(fdt_check_full(tree->data(), tree->size()), 0);
        EXPECT_EQ(fdt_totalsize(tree->data()), tree->size());
    }
}

TEST(GuestDtbTest, memory_nodes_hold_64_bit_ranges) {
    const auto tree = *sim::make_guest_dtb(sample(1));
    EXPECT_EQ(property(tree, "/memory@80000000", "device_type"), "memory\0"s);
    EXPECT_EQ(cells(tree, "/memory@80000000", "reg"), (Cells{0, 0x8000'0000, 0, 0x1000'0000}));
    EXPECT_EQ(cells(tree, "/memory@100000000", "reg"), (Cells{1, 0, 2, 0}));
}

TEST(GuestDtbTest, each_hart_has_its_id_isa_and_interrupt_controller) {
    sim::GuestDtbInput input = sample(2);
    input.isa.extensions = {"i", "m"};
    const auto tree = *sim::make_guest_dtb(input);
    EXPECT_EQ(cells(tree, "/cpus", "timebase-frequency"), Cells{10'000'000});
    EXPECT_EQ(cells(tree, "/cpus/cpu@5", "reg"), Cells{5});
    EXPECT_EQ(property(tree, "/cpus/cpu@4", "riscv,isa"), "rv64imafdc_zicsr_zifencei_svadu\0"s);
    EXPECT_EQ(property(tree, "/cpus/cpu@4", "riscv,isa-base"), "rv64i\0"s);
    EXPECT_EQ(property(tree, "/cpus/cpu@4", "riscv,isa-extensions"), "i\0m\0"s);
    EXPECT_EQ(property(tree, "/cpus/cpu@4", "mmu-type"), "riscv,sv39\0"s);
    EXPECT_EQ(property(tree, "/cpus/cpu@5/interrupt-controller", "compatible"), "riscv,cpu-intc\0"s);
}

TEST(GuestDtbTest, plic_contexts_alternate_machine_and_supervisor_of_each_hart) {
    const auto tree = *sim::make_guest_dtb(sample(2));
    const u32 first = cells(tree, "/cpus/cpu@4/interrupt-controller", "phandle")[0];
    const u32 second = cells(tree, "/cpus/cpu@5/interrupt-controller", "phandle")[0];
    EXPECT_NE(first, second);
    EXPECT_EQ(cells(tree, "/soc/plic@c000000", "interrupts-extended"),
              (Cells{first, 0xffff'ffff, first, 9, second, 0xffff'ffff, second, 9}));
    EXPECT_EQ(property(tree, "/soc/plic@c000000", "compatible"), "sifive,plic-1.0.0\0riscv,plic0\0"s);
    EXPECT_EQ(cells(tree, "/soc/plic@c000000", "riscv,ndev"), Cells{95});
}

TEST(GuestDtbTest, devices_name_their_windows_and_interrupts) {
    const auto tree = *sim::make_guest_dtb(sample(1));
    const u32 plic = cells(tree, "/soc/plic@c000000", "phandle")[0];
    EXPECT_EQ(cells(tree, "/soc/serial@10000000", "reg"), (Cells{0, 0x1000'0000, 0, 0x100}));
    EXPECT_EQ(cells(tree, "/soc/serial@10000000", "interrupts"), Cells{10});
    EXPECT_EQ(cells(tree, "/soc/serial@10000000", "interrupt-parent"), Cells{plic});
    EXPECT_EQ(cells(tree, "/soc/serial@10000000", "clock-frequency"), Cells{3'686'400});
    EXPECT_EQ(property(tree, "/soc/rtc@101000", "compatible"), "google,goldfish-rtc\0"s);
}

TEST(GuestDtbTest, chosen_has_arguments_console_and_initrd) {
    const auto tree = *sim::make_guest_dtb(sample(1));
    EXPECT_EQ(property(tree, "/chosen", "bootargs"), "console=ttyS0\0"s);
    EXPECT_EQ(property(tree, "/chosen", "stdout-path"), "/soc/serial@10000000:115200n8\0"s);
    EXPECT_EQ(cells(tree, "/chosen", "linux,initrd-start"), (Cells{0, 0x8800'0000}));
    EXPECT_EQ(cells(tree, "/chosen", "linux,initrd-end"), (Cells{0, 0x8800'1234}));
}

TEST(GuestDtbTest, what_the_vm_lacks_is_not_in_the_tree) {
    sim::GuestDtbInput input = sample(1);
    input.plic.reset();
    input.rtc.reset();
    input.initrd.reset();
    input.bootargs.clear();
    const auto tree = *sim::make_guest_dtb(input);
    EXPECT_LT(fdt_path_offset(tree.data(), "/soc/plic@c000000"), 0);
    EXPECT_LT(fdt_path_offset(tree.data(), "/soc/rtc@101000"), 0);
    EXPECT_FALSE(has(tree, "/chosen", "bootargs"));
    EXPECT_FALSE(has(tree, "/chosen", "linux,initrd-start"));
    EXPECT_FALSE(has(tree, "/soc/serial@10000000", "interrupts")) << "without a PLIC there is nobody to interrupt";
}

TEST(GuestDtbTest, equal_inputs_give_equal_bytes) { EXPECT_EQ(sim::make_guest_dtb(sample(4)), sim::make_guest_dtb(sample(4))); }

TEST(GuestDtbTest, numbers_that_have_no_place_are_refused) {
    sim::GuestDtbInput frequency = sample(1);
    frequency.timebase_frequency = u64{1} << 32;
    EXPECT_FALSE(sim::make_guest_dtb(frequency));
    sim::GuestDtbInput hart = sample(1);
    hart.hart_ids[0] = u64{1} << 32;
    EXPECT_FALSE(sim::make_guest_dtb(hart));
    sim::GuestDtbInput endless = sample(1);
    endless.bootargs.assign(300'000, 'a');
    EXPECT_FALSE(sim::make_guest_dtb(endless));
}

TEST(GuestDtbPatchTest, chosen_changes_and_the_rest_stays) {
    const auto tree = *sim::make_guest_dtb(sample(2));
    const auto patched =
        sim::patch_guest_dtb(tree, {"a much longer command line than the one before", GpaRange{Gpa{0x9000'0000}, 0x10}});
    ASSERT_TRUE(patched) << patched.error();
    EXPECT_EQ(fdt_check_full(patched->data(), patched->size()), 0);
    EXPECT_EQ(property(*patched, "/chosen", "bootargs"), "a much longer command line than the one before\0"s);
    EXPECT_EQ(cells(*patched, "/chosen", "linux,initrd-end"), (Cells{0, 0x9000'0010}));
    EXPECT_EQ(cells(*patched, "/cpus/cpu@5", "reg"), Cells{5});
}

TEST(GuestDtbPatchTest, an_empty_patch_keeps_every_byte) {
    const auto tree = *sim::make_guest_dtb(sample(2));
    EXPECT_EQ(sim::patch_guest_dtb(tree, {}), tree);
}

TEST(GuestDtbPatchTest, a_tree_without_chosen_gets_one) {
    Tree tree = *sim::make_guest_dtb(sample(1));
    ASSERT_EQ(fdt_del_node(tree.data(), fdt_path_offset(tree.data(), "/chosen")), 0);
    const auto patched = sim::patch_guest_dtb(tree, {"quiet", std::nullopt});
    ASSERT_TRUE(patched) << patched.error();
    EXPECT_EQ(property(*patched, "/chosen", "bootargs"), "quiet\0"s);
}

TEST(GuestDtbPatchTest, what_is_no_tree_is_refused_with_a_reason) {
    const auto tree = *sim::make_guest_dtb(sample(1));
    EXPECT_NE(sim::patch_guest_dtb(Tree{}, {}).error().find("too short"), std::string::npos);
    Tree other = tree;
    other[0] = std::byte{0};
    EXPECT_NE(sim::patch_guest_dtb(other, {}).error().find("magic"), std::string::npos);
    const Tree cut(tree.begin(), tree.end() - 1);
    EXPECT_NE(sim::patch_guest_dtb(cut, {}).error().find("but the file has"), std::string::npos);
}

TEST(GuestDtbPatchTest, cut_anywhere_a_tree_is_refused) {
    const auto tree = *sim::make_guest_dtb(sample(1));
    for (std::size_t length = 0; length < tree.size(); ++length) {
        const Tree cut(tree.begin(), tree.begin() + static_cast<std::ptrdiff_t>(length));
        EXPECT_FALSE(sim::patch_guest_dtb(cut, {"x", std::nullopt})) << length;
    }
}

TEST(GuestDtbPatchTest, garbled_trees_never_crash) {
    const auto tree = *sim::make_guest_dtb(sample(2));
    std::mt19937 random(0xd00dfeed);
    for (int round = 0; round < 20'000; ++round) {
        Tree garbled = tree;
        const auto changes = 1 + random() % 4;
        for (unsigned i = 0; i < changes; ++i) {
            // The header, where sizes and offsets are, is hit as often as all the rest.
            const std::size_t at = random() % (random() % 2 == 0 ? 40 : garbled.size());
            garbled[at] = static_cast<std::byte>(random());
        }
        static_cast<void>(sim::patch_guest_dtb(garbled, {"changed", GpaRange{Gpa{0x8800'0000}, 1}}));
    }
}

}  // namespace
