// MmioBus: windows, edges, refusals, state order.
#include "core/bus/mmio_bus.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ax::bus {
namespace {

/// Answers with what it was asked, and remembers what it was told.
class ProbeDevice final : public Device {
public:
    explicit ProbeDevice(std::string_view name) : name_(name) {}
    std::string_view name() const override { return name_; }
    std::expected<u64, BusFault> read(u64 offset, u8 size) override {
        if (refuses) return std::unexpected(BusFault{});
        last_offset = offset;
        last_size = size;
        return 0xf0f1'f2f3'f4f5'f6f7;
    }
    std::expected<void, BusFault> write(u64 offset, u8 size, u64 value) override {
        if (refuses) return std::unexpected(BusFault{});
        last_offset = offset;
        last_size = size;
        last_value = value;
        return {};
    }
    void reset() override { ++resets; }
    void fields(FieldVisitor& v) override { field(v, "value", last_value); }

    bool refuses = false;
    u64 last_offset = ~u64{0};
    u8 last_size = 0;
    u64 last_value = 0;
    int resets = 0;

private:
    std::string_view name_;
};

class MmioBusTest : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(bus.attach({Gpa{0x3000}, 0x1000}, upper));
        ASSERT_TRUE(bus.attach({Gpa{0x1000}, 0x1000}, lower));
        ASSERT_TRUE(bus.attach({Gpa{0x2000}, 0x1000}, middle));
        ASSERT_TRUE(bus.attach({Gpa{~u64{0} - 0xff}, 0x100}, last));
    }
    ProbeDevice lower{"lower"}, middle{"middle"}, upper{"upper"}, last{"last"}, extra{"extra"};
    MmioBus bus;
};

struct AccessCase {
    const char* name;
    u64 gpa;
    u8 size;
    const char* device;  ///< null: a fault
    u64 offset;
};
constexpr AccessCase access_cases[] = {
    {"first byte", 0x1000, 1, "lower", 0},
    {"last byte", 0x1fff, 1, "lower", 0xfff},
    {"last double word", 0x1ff8, 8, "lower", 0xff8},
    {"straddles two devices", 0x1ffc, 8, nullptr, 0},
    {"straddles two devices by a byte", 0x1fff, 2, nullptr, 0},
    {"unaligned but inside", 0x2001, 4, "middle", 1},
    {"begins before the first", 0xfff, 2, nullptr, 0},
    {"before the first", 0x0, 4, nullptr, 0},
    {"behind a window", 0x4000, 1, nullptr, 0},
    {"runs out of a window", 0x3fff, 2, nullptr, 0},
    {"end of the address space", ~u64{0} - 7, 8, "last", 0xf8},
    {"wraps", ~u64{0} - 3, 8, nullptr, 0},
    {"size 0", 0x1000, 0, nullptr, 0},
    {"size 3", 0x1000, 3, nullptr, 0},
    {"size 16", 0x1000, 16, nullptr, 0},
};

TEST_F(MmioBusTest, access_reaches_the_one_device_that_holds_all_of_it) {
    ProbeDevice* const devices[] = {&lower, &middle, &upper, &last};
    for (const AccessCase& c : access_cases) {
        SCOPED_TRACE(c.name);
        for (ProbeDevice* d : devices) *d = ProbeDevice(d->name());
        const bool works = c.device != nullptr;
        EXPECT_EQ(bus.read(Gpa{c.gpa}, c.size).has_value(), works);
        EXPECT_EQ(bus.write(Gpa{c.gpa}, c.size, 0x1122'3344'5566'7788).has_value(), works);
        for (const ProbeDevice* d : devices) {
            const bool is_target = works && d->name() == c.device;
            EXPECT_EQ(d->last_size, is_target ? c.size : 0) << d->name();
            if (is_target) {
                EXPECT_EQ(d->last_offset, c.offset);
            }
        }
    }
}

TEST_F(MmioBusTest, values_are_cut_to_the_access_size_both_ways) {
    EXPECT_EQ(bus.read(Gpa{0x1000}, 1).value_or(0), 0xf7U);
    EXPECT_EQ(bus.read(Gpa{0x1000}, 4).value_or(0), 0xf4f5'f6f7U);
    EXPECT_EQ(bus.read(Gpa{0x1000}, 8).value_or(0), 0xf0f1'f2f3'f4f5'f6f7U);
    ASSERT_TRUE(bus.write(Gpa{0x1000}, 2, ~u64{0}));
    EXPECT_EQ(lower.last_value, 0xffffU);
}

TEST_F(MmioBusTest, refusal_of_the_device_is_a_fault) {
    middle.refuses = true;
    EXPECT_FALSE(bus.read(Gpa{0x2000}, 4).has_value());
    EXPECT_FALSE(bus.write(Gpa{0x2000}, 4, 0).has_value());
}

struct AttachCase {
    const char* name;
    u64 start, size;
    AttachProblem problem;
    const char* other;
};
constexpr AttachCase attach_cases[] = {
    {"empty", 0x8000, 0, AttachProblem::Empty, ""},
    {"wraps", ~u64{0} - 0xfff, 0x1001, AttachProblem::Wraps, ""},
    {"same window", 0x1000, 0x1000, AttachProblem::Overlaps, "lower"},
    {"one byte at its end", 0x1fff, 1, AttachProblem::Overlaps, "lower"},
    {"one byte at its start", 0xff0, 0x11, AttachProblem::Overlaps, "lower"},
    {"around several", 0x0, 0x10000, AttachProblem::Overlaps, "lower"},
};

TEST_F(MmioBusTest, attach_refuses_naming_both_devices) {
    for (const AttachCase& c : attach_cases) {
        SCOPED_TRACE(c.name);
        const auto result = bus.attach({Gpa{c.start}, c.size}, extra);
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error().problem, c.problem) << to_text(result.error().problem);
        EXPECT_EQ(result.error().device, "extra");
        EXPECT_EQ(result.error().range, (GpaRange{Gpa{c.start}, c.size}));
        EXPECT_EQ(result.error().other, c.other);
        if (c.problem == AttachProblem::Overlaps) {
            EXPECT_EQ(result.error().other_range, (GpaRange{Gpa{0x1000}, 0x1000}));
        }
        EXPECT_EQ(bus.attachments().size(), 4U);
    }
    EXPECT_TRUE(bus.attach({Gpa{0x4000}, 1}, extra)) << "next to a window is free";
}

TEST_F(MmioBusTest, full_bus_refuses) {
    for (u64 i = bus.attachments().size(); i < MmioBus::max_devices; ++i) {
        ASSERT_TRUE(bus.attach({Gpa{0x10'0000 + i * 16}, 16}, extra));
    }
    const auto result = bus.attach({Gpa{0x8000}, 16}, extra);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().problem, AttachProblem::Full);
}

TEST_F(MmioBusTest, find_is_right_after_any_hit_and_any_attach) {
    for (const u64 first : {0x1000U, 0x2000U, 0x3000U}) {
        for (const u64 second : {0x1000U, 0x2000U, 0x3000U}) {
            ASSERT_NE(bus.find(Gpa{first}), nullptr);
            EXPECT_EQ(bus.find(Gpa{second})->range.start.value(), second);
            EXPECT_EQ(bus.find(Gpa{0x4000}), nullptr);
        }
    }
    ASSERT_NE(bus.find(Gpa{0x3000}), nullptr);
    ASSERT_TRUE(bus.attach({Gpa{0x0}, 0x1000}, extra));
    EXPECT_EQ(bus.find(Gpa{0x3000})->device, &upper);
    EXPECT_EQ(bus.find(Gpa{0x0})->device, &extra);
}

TEST_F(MmioBusTest, reset_reaches_every_device) {
    bus.reset();
    for (const ProbeDevice* d : {&lower, &middle, &upper, &last}) EXPECT_EQ(d->resets, 1) << d->name();
}

TEST_F(MmioBusTest, fields_are_listed_by_name_in_address_order) {
    class Names final : public FieldVisitor {
    public:
        void word(std::string_view name, u64&, unsigned) override { seen.emplace_back(name); }
        void bytes(std::string_view, std::span<std::byte>) override {}
        void enter(std::string_view name, std::size_t position) override {
            seen.push_back(std::string(name) + "@" + std::to_string(position));
        }
        void leave() override { seen.emplace_back("leave"); }
        std::vector<std::string> seen;
    };
    Names names;
    bus.fields(names);
    const std::vector<std::string> expected = {"lower@0", "value", "leave", "middle@1", "value", "leave",
                                               "upper@2", "value", "leave", "last@3",   "value", "leave"};
    EXPECT_EQ(names.seen, expected);
}

}  // namespace
}  // namespace ax::bus
