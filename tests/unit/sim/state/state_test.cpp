#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sim/state/component_hash.hpp"
#include "sim/state/dump.hpp"
#include "sim/state/hasher.hpp"
#include "sim/state/reader.hpp"
#include "sim/state/writer.hpp"

namespace ax::sim {
namespace {

enum class Color : u8 { Red, Green };

struct Fifo {
    std::array<u8, 4> data{};
    FixedVector<u16, 3> levels;
    void fields(FieldVisitor& v) {
        field(v, "data", data);
        field(v, "levels", levels);
    }
};

struct Sample {
    u64 wide = 0x1234'5678'9abc'def0;
    u32 narrow = 7;
    bool flag = true;
    Color color = Color::Green;
    Gpa address{0x8000'0000};
    std::array<u32, 2> words{1, 2};
    std::array<Fifo, 2> fifos{};
    std::array<std::array<u32, 2>, 2> grid{};
    void fields(FieldVisitor& v) {
        field(v, "wide", wide);
        field(v, "narrow", narrow);
        field(v, "flag", flag);
        field(v, "color", color);
        field(v, "address", address);
        field(v, "words", words);
        field(v, "fifos", fifos);
        field(v, "grid", grid);
    }
};

Sample changed_sample() {
    Sample s;
    s.wide = 1;
    s.narrow = 0xffff'ffff;
    s.flag = false;
    s.color = Color::Red;
    s.address = Gpa{5};
    s.words = {8, 9};
    s.fifos[1].data = {1, 2, 3, 4};
    static_cast<void>(s.fifos[0].levels.push_back(11));
    static_cast<void>(s.fifos[1].levels.push_back(12));
    static_cast<void>(s.fifos[1].levels.push_back(13));
    s.grid[1][0] = 6;
    return s;
}

struct Renamed {
    u64 other = 0;
    void fields(FieldVisitor& v) { field(v, "other", other); }
};
struct Plain {
    u64 value = 0;
    void fields(FieldVisitor& v) { field(v, "value", value); }
};
struct Narrow {
    u32 value = 0;
    void fields(FieldVisitor& v) { field(v, "value", value); }
};
struct Longer {
    u64 value = 0;
    u64 more = 0;
    void fields(FieldVisitor& v) {
        field(v, "value", value);
        field(v, "more", more);
    }
};
struct Swapped {
    u64 value = 0;
    u64 more = 0;
    void fields(FieldVisitor& v) {
        field(v, "more", more);
        field(v, "value", value);
    }
};

TEST(SimStateHash, every_field_takes_part) {
    Sample base;
    const u64 hash = hash_of(base);
    EXPECT_EQ(hash, hash_of(base));
    const auto all = dump(base);
    // Each change below is one field; the dump proves that it is.
    const std::vector<void (*)(Sample&)> changes = {
        [](Sample& s) { s.wide ^= 1; },          [](Sample& s) { s.wide ^= u64{1} << 63; },
        [](Sample& s) { s.narrow ^= 1; },        [](Sample& s) { s.flag = false; },
        [](Sample& s) { s.color = Color::Red; }, [](Sample& s) { s.address = Gpa{0x8000'0001}; },
        [](Sample& s) { s.words[1] = 3; },       [](Sample& s) { s.fifos[1].data[3] = 1; },
        [](Sample& s) { s.grid[1][1] = 1; },
    };
    for (const auto change : changes) {
        Sample s;
        change(s);
        EXPECT_NE(hash_of(s), hash);
        EXPECT_EQ(diff(all, dump(s)).size(), 1U);
    }
}

TEST(SimStateHash, names_order_and_width_take_part) {
    Plain plain;
    Renamed renamed;
    Narrow narrow;
    Longer longer;
    Swapped swapped;
    EXPECT_NE(hash_of(plain), hash_of(renamed));
    EXPECT_NE(hash_of(plain), hash_of(narrow));
    EXPECT_NE(hash_of(longer), hash_of(swapped));
}

TEST(SimStateHash, does_not_depend_on_how_the_buffer_fills) {
    std::vector<std::byte> big(10'000, std::byte{1});
    const auto hash_with_prefix = [&](std::size_t words) {
        StateHasher hasher;
        u64 word = 3;
        for (std::size_t i = 0; i < words; ++i) hasher.word("w", word, 64);
        hasher.bytes("big", big);
        hasher.bytes("small", std::span(big).first(5));
        return hasher.digest();
    };
    EXPECT_NE(hash_with_prefix(300), hash_with_prefix(301));
    EXPECT_EQ(hash_with_prefix(300), hash_with_prefix(300));
    StateHasher hasher;
    hasher.bytes("big", big);
    const u64 before = hasher.digest();
    EXPECT_EQ(before, hasher.digest());
    big[9'999] = std::byte{2};
    StateHasher other;
    other.bytes("big", big);
    EXPECT_NE(before, other.digest());
}

TEST(SimStateHash, combined_hash_sees_names_and_order) {
    const std::vector<ComponentHash> one = {{"a", 1}, {"b", 2}};
    EXPECT_EQ(combine(one), combine({{"a", 1}, {"b", 2}}));
    EXPECT_NE(combine(one), combine({{"a", 2}, {"b", 1}}));
    EXPECT_NE(combine(one), combine({{"b", 2}, {"a", 1}}));
    EXPECT_NE(combine(one), combine({{"a", 1}, {"c", 2}}));
}

TEST(SimStateSave, restore_gives_back_every_field) {
    Sample original = changed_sample();
    const auto saved = save(original);
    Sample copy;
    ASSERT_TRUE(restore(copy, saved));
    EXPECT_EQ(dump(copy), dump(original));
    EXPECT_EQ(hash_of(copy), hash_of(original));
    EXPECT_EQ(save(copy), saved);
}

TEST(SimStateSave, restore_shrinks_a_sequence_as_well) {
    Sample empty;
    Sample full = changed_sample();
    ASSERT_TRUE(restore(full, save(empty)));
    EXPECT_EQ(full.fifos[1].levels.size(), 0U);
    EXPECT_EQ(hash_of(full), hash_of(empty));
}

template <class To, class From>
std::string restore_error(From from, To to) {
    const u64 before = hash_of(to);
    const auto result = restore(to, save(from));
    EXPECT_FALSE(result);
    EXPECT_EQ(hash_of(to), before) << "a failed restore leaves the value alone";
    return result ? "" : result.error().to_line();
}

TEST(SimStateSave, another_layout_is_an_error_that_names_the_field) {
    EXPECT_NE(restore_error(Plain{1}, Renamed{2}).find("(other)"), std::string::npos);
    EXPECT_NE(restore_error(Plain{1}, Narrow{2}).find("(value): its width"), std::string::npos);
    EXPECT_NE(restore_error(Plain{1}, Longer{2, 3}).find("(more)"), std::string::npos);
    EXPECT_NE(restore_error(Longer{1, 4}, Plain{2}).find("more fields"), std::string::npos);
    EXPECT_NE(restore_error(Longer{1, 4}, Swapped{2, 3}).find("(more)"), std::string::npos);
    EXPECT_NE(restore_error(Plain{1}, changed_sample()).find("(wide)"), std::string::npos);
}

TEST(SimStateSave, every_flipped_bit_is_an_error_and_changes_nothing) {
    Sample original = changed_sample();
    auto saved = save(original);
    Sample target;
    const u64 before = hash_of(target);
    for (std::size_t at = 0; at < saved.size() * 8; ++at) {
        saved[at / 8] ^= std::byte{1} << (at % 8);
        EXPECT_FALSE(restore(target, saved)) << "bit " << at;
        saved[at / 8] ^= std::byte{1} << (at % 8);
    }
    EXPECT_EQ(hash_of(target), before);
}

TEST(SimStateSave, every_cut_is_an_error) {
    Sample original = changed_sample();
    const auto saved = save(original);
    for (std::size_t size = 0; size < saved.size(); ++size) {
        Sample target;
        EXPECT_FALSE(restore(target, std::span(saved).first(size))) << size;
    }
}

/// A saved state whose checksum is right but whose sequence claims more elements than fit.
TEST(SimStateSave, a_sequence_beyond_its_capacity_is_an_error) {
    StateWriter writer;
    u64 size = 100;
    writer.enter("", 0);
    writer.enter("", 0);
    writer.word("size", size, 32);
    writer.leave();
    writer.leave();
    struct Holder {
        FixedVector<u16, 3> values;
        void fields(FieldVisitor& v) { field(v, "", values); }
    };
    Holder holder;
    EXPECT_FALSE(restore(holder, writer.finish()));
    EXPECT_EQ(holder.values.size(), 0U);
}

TEST(SimStateDump, paths_name_groups_and_elements) {
    Sample sample = changed_sample();
    const auto entries = dump(sample);
    const auto value_of = [&](std::string_view path) -> std::string {
        for (const auto& entry : entries)
            if (entry.path == path) return entry.value;
        return "missing";
    };
    EXPECT_EQ(value_of("narrow"), "0xffffffff");
    EXPECT_EQ(value_of("address"), "0x5");
    EXPECT_EQ(value_of("words[1]"), "0x9");
    EXPECT_EQ(value_of("fifos[1].data"), "01020304");
    EXPECT_EQ(value_of("fifos[1].levels.size"), "0x2");
    EXPECT_EQ(value_of("fifos[1].levels[1]"), "0xd");
    EXPECT_EQ(value_of("grid[1][0]"), "0x6");
}

TEST(SimStateDump, diff_names_what_differs_and_what_one_side_lacks) {
    Longer longer{1, 2};
    Plain plain{3};
    const std::vector<StateDifference> expected = {{"value", "0x1", "0x3"}, {"more", "0x2", ""}};
    EXPECT_EQ(diff(dump(longer), dump(plain)), expected);
    const std::vector<StateDifference> reverse = {{"value", "0x3", "0x1"}, {"more", "", "0x2"}};
    EXPECT_EQ(diff(dump(plain), dump(longer)), reverse);
    EXPECT_TRUE(diff(dump(plain), dump(plain)).empty());
}

TEST(SimStateDump, json_is_an_object_in_field_order) {
    Longer longer{10, 255};
    StateDump visitor;
    field(visitor, "", longer);
    EXPECT_EQ(visitor.to_json().dump(), R"({"value":"0xa","more":"0xff"})");
}

}  // namespace
}  // namespace ax::sim
