// The ACPI tables, read back by a reader that knows the specification and nothing of the writer.
#include "sim/config/acpi_tables.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <span>

namespace {

using namespace ax;

/// Guest memory with the tables in it, and how an operating system finds its way through them.
class Reader {
public:
    void place(u64 at, std::span<const std::byte> bytes) {
        if (memory_.size() < at + bytes.size()) memory_.resize(at + bytes.size());
        std::ranges::copy(bytes, memory_.begin() + static_cast<std::ptrdiff_t>(at));
    }
    u64 number(u64 at, unsigned size) const {
        u64 value = 0;
        for (unsigned i = size; i > 0; --i) value = value << 8 | std::to_integer<u64>(memory_.at(at + i - 1));
        return value;
    }
    std::string text(u64 at, u64 size) const {
        std::string text;
        for (u64 i = 0; i < size; ++i) text += static_cast<char>(memory_.at(at + i));
        return text;
    }
    bool sums_to_zero(u64 at, u64 length) const {
        u64 total = 0;
        for (u64 i = 0; i < length; ++i) total += number(at + i, 1);
        return total % 256 == 0;
    }
    /// Tables by signature, from the RSDP on; empty when something on the way is wrong.
    std::map<std::string, u64> tables(u64 rsdp) const {
        std::map<std::string, u64> found;
        if (text(rsdp, 8) != "RSD PTR " || !sums_to_zero(rsdp, 20) || number(rsdp + 15, 1) != 2) return {};
        if (!sums_to_zero(rsdp, number(rsdp + 20, 4))) return {};
        const u64 xsdt = number(rsdp + 24, 8);
        if (text(xsdt, 4) != "XSDT") return {};
        found["XSDT"] = xsdt;
        for (u64 at = xsdt + 36; at < xsdt + number(xsdt + 4, 4); at += 8) found[text(number(at, 8), 4)] = number(at, 8);
        if (!found.contains("FACP")) return {};
        const u64 fadt = found["FACP"];
        found["DSDT"] = number(fadt + 140, 8);
        if (number(fadt + 40, 4) != found["DSDT"]) return {};
        for (const auto& [signature, at] : found)
            if (text(at, 4) != signature || !sums_to_zero(at, number(at + 4, 4))) return {};
        found["FACS"] = number(fadt + 36, 4);
        if (text(found["FACS"], 4) != "FACS" || found["FACS"] % 64 != 0) return {};
        return found;
    }

private:
    std::vector<std::byte> memory_;
};

struct Placed {
    Reader reader;
    std::map<std::string, u64> tables;
};

constexpr u64 rsdp_at = 0xf'0000, tables_at = 0xf'0040;

Placed place(const sim::AcpiInput& input) {
    const auto made = sim::make_acpi_tables(input, Gpa{tables_at});
    EXPECT_TRUE(made);
    Placed placed;
    placed.reader.place(rsdp_at, made->rsdp);
    placed.reader.place(tables_at, made->tables);
    placed.tables = placed.reader.tables(rsdp_at);
    return placed;
}

TEST(AcpiTablesTest, chain_is_whole_and_sums_are_right) {
    for (const u32 cpus : {1u, 2u, 4u, 64u, 254u}) {
        const Placed placed = place({.cpus = cpus});
        EXPECT_EQ(placed.tables.size(), 5u) << cpus;
        EXPECT_TRUE(placed.tables.contains("APIC"));
    }
}

TEST(AcpiTablesTest, madt_lists_cpus_io_apic_overrides_and_nmi) {
    for (const u32 cpus : {1u, 3u, 64u}) {
        const Placed placed = place({.cpus = cpus});
        const u64 madt = placed.tables.at("APIC");
        const auto number = [&](u64 at, unsigned size) { return placed.reader.number(at, size); };
        EXPECT_EQ(number(madt + 36, 4), 0xfee0'0000u);
        EXPECT_EQ(number(madt + 40, 4), 1u) << "8259s are there";
        std::vector<u64> ids;
        std::map<u64, std::pair<u64, u64>> overrides;
        u32 io_apics = 0, nmis = 0;
        for (u64 at = madt + 44; at < madt + number(madt + 4, 4); at += number(at + 1, 1)) {
            ASSERT_GE(number(at + 1, 1), 6u);
            switch (number(at, 1)) {
                case 0:
                    EXPECT_EQ(number(at + 4, 4), 1u);
                    ids.push_back(number(at + 3, 1));
                    break;
                case 1:
                    ++io_apics;
                    EXPECT_EQ(number(at + 2, 1), cpus);
                    EXPECT_EQ(number(at + 4, 4), 0xfec0'0000u);
                    EXPECT_EQ(number(at + 8, 4), 0u);
                    break;
                case 2: overrides[number(at + 3, 1)] = {number(at + 4, 4), number(at + 8, 2)}; break;
                case 4:
                    ++nmis;
                    EXPECT_EQ(number(at + 2, 1), 0xffu);
                    EXPECT_EQ(number(at + 5, 1), 1u);
                    break;
                default: FAIL() << "an entry of type " << number(at, 1);
            }
        }
        ASSERT_EQ(ids.size(), cpus);
        for (u32 i = 0; i < cpus; ++i) EXPECT_EQ(ids[i], i);
        EXPECT_EQ(io_apics, 1u);
        EXPECT_EQ(nmis, 1u);
        EXPECT_EQ(overrides, (std::map<u64, std::pair<u64, u64>>{{0, {2, 0}}, {9, {9, 0xd}}}));
    }
}

TEST(AcpiTablesTest, fadt_names_the_registers) {
    const Placed placed = place({});
    const u64 fadt = placed.tables.at("FACP");
    struct Case {
        const char* name;
        u64 offset;
        unsigned size;
        u64 value;
    };
    for (const Case c : {Case{"length", 4, 4, 276},         Case{"revision", 8, 1, 6},           Case{"SCI_INT", 46, 2, 9},
                         Case{"SMI_CMD", 48, 4, 0},         Case{"PM1a_EVT_BLK", 56, 4, 0x600},  Case{"PM1a_CNT_BLK", 64, 4, 0x604},
                         Case{"PM_TMR_BLK", 76, 4, 0x608},  Case{"PM1_EVT_LEN", 88, 1, 4},       Case{"PM1_CNT_LEN", 89, 1, 2},
                         Case{"PM_TMR_LEN", 91, 1, 4},      Case{"P_LVL2_LAT", 96, 2, 101},      Case{"P_LVL3_LAT", 98, 2, 1001},
                         Case{"CENTURY", 108, 1, 0x32},     Case{"IAPC_BOOT_ARCH", 109, 2, 5},   Case{"Flags", 112, 4, 0x575},
                         Case{"RESET_REG space", 116, 1, 1}, Case{"RESET_REG", 120, 8, 0xcf9},   Case{"RESET_VALUE", 128, 1, 6},
                         Case{"X_PM1a_EVT_BLK", 152, 8, 0x600}, Case{"X_PM1a_CNT_BLK", 176, 8, 0x604}, Case{"X_PM_TMR_BLK", 212, 8, 0x608},
                         Case{"width of X_PM_TMR_BLK", 209, 1, 32}})
        EXPECT_EQ(placed.reader.number(fadt + c.offset, c.size), c.value) << c.name;
    const Placed other = place({.has_32_bit_timer = false, .has_power_button = true});
    EXPECT_EQ(other.reader.number(other.tables.at("FACP") + 112, 4), 0x465u);
}

TEST(AcpiTablesTest, dsdt_has_s5_with_the_type_that_turns_off) {
    const Placed placed = place({.sleep_type_s5 = 5});
    const u64 dsdt = placed.tables.at("DSDT");
    EXPECT_EQ(placed.reader.number(dsdt + 4, 4), 36u + 14);
    const std::string aml = placed.reader.text(dsdt + 36, 14);
    EXPECT_EQ(aml, std::string("\x08_S5_\x12\x08\x04\x0a\x05\x0a\x05\0\0", 14));
}

TEST(AcpiTablesTest, bad_input_is_refused) {
    EXPECT_FALSE(sim::make_acpi_tables({.cpus = 0}, Gpa{tables_at}));
    EXPECT_FALSE(sim::make_acpi_tables({.cpus = 255}, Gpa{tables_at}));
    EXPECT_FALSE(sim::make_acpi_tables({}, Gpa{0xf'0024}));
    EXPECT_FALSE(sim::make_acpi_tables({}, Gpa{u64{1} << 32}));
    EXPECT_TRUE(sim::make_acpi_tables({}, Gpa{0}));
}

/// Firmware: runs the commands of `etc/table-loader`.
TEST(AcpiTablesTest, table_loader_gives_what_a_direct_build_gives) {
    const auto made = sim::make_acpi_tables({.cpus = 4}, Gpa{0});
    ASSERT_TRUE(made);
    const auto script = sim::make_table_loader(*made);
    ASSERT_EQ(script.size() % 128, 0u);
    Reader commands;
    commands.place(0, script);
    std::map<std::string, std::vector<std::byte>> files = {{"etc/acpi/tables", made->tables}, {"etc/acpi/rsdp", made->rsdp}};
    std::map<std::string, u64> places;
    const auto name = [&](u64 at) { return std::string(commands.text(at, 56).c_str()); };
    u32 allocated = 0;
    for (u64 at = 0; at < script.size(); at += 128) {
        switch (commands.number(at, 4)) {
            case 1:
                places[name(at + 4)] = name(at + 4) == "etc/acpi/tables" ? 0x7ff'0000 : 0xf'5000;
                EXPECT_EQ(commands.number(at + 64, 1), name(at + 4) == "etc/acpi/tables" ? 1u : 2u);
                ++allocated;
                break;
            case 2: {
                auto& file = files.at(name(at + 4));
                const u64 offset = commands.number(at + 116, 4), size = commands.number(at + 120, 1);
                u64 value = 0;
                std::memcpy(&value, &file.at(offset), size);
                value += places.at(name(at + 60));
                std::memcpy(&file.at(offset), &value, size);
                break;
            }
            case 3: {
                auto& file = files.at(name(at + 4));
                const u64 offset = commands.number(at + 60, 4), start = commands.number(at + 64, 4), length = commands.number(at + 68, 4);
                u8 total = 0;
                file.at(offset) = std::byte{0};
                for (u64 i = 0; i < length; ++i) total = static_cast<u8>(total + std::to_integer<u8>(file.at(start + i)));
                file.at(offset) = static_cast<std::byte>(0 - total);
                break;
            }
            default: FAIL() << "command " << commands.number(at, 4);
        }
    }
    EXPECT_EQ(allocated, 2u);
    const auto direct = sim::make_acpi_tables({.cpus = 4}, Gpa{0x7ff'0000});
    EXPECT_EQ(files["etc/acpi/tables"], direct->tables);
    EXPECT_EQ(files["etc/acpi/rsdp"], direct->rsdp);
}

}  // namespace
