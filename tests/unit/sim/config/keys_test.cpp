// Every key of the key table as the readers really treat it: present, absent, of the wrong type, out of range,
// and list elements in both forms.
#include <gtest/gtest.h>

#include <map>

#include "core/config/check_platform.hpp"
#include "sim/config/file_keys.hpp"
#include "sim/config/platform_file.hpp"
#include "sim/config/vm_file.hpp"

namespace {

using namespace ax;
using namespace ax::sim;

/// A good value for each key, by "table.key".
using Values = std::map<std::string, std::string, std::less<>>;

const Values vm_values = {
    {"base.id", "1"}, {"base.name", "\"vm\""}, {"base.vm_type", "2"}, {"base.cpu_num", "2"}, {"base.phys_cpu_ids", "[0, 1]"},
    {"base.phys_cpu_sets", "[1, 3]"},
    {"kernel.entry_point", "0x8020_0000"}, {"kernel.kernel_path", "\"Image\""}, {"kernel.kernel_load_addr", "0x8020_0000"},
    {"kernel.bios_path", "\"b\""}, {"kernel.bios_load_addr", "0x8000_0000"}, {"kernel.dtb_path", "\"d\""},
    {"kernel.dtb_load_addr", "0x8f00_0000"}, {"kernel.ramdisk_path", "\"r\""}, {"kernel.ramdisk_load_addr", "0x8800_0000"},
    {"kernel.image_location", "\"fs\""}, {"kernel.cmdline", "\"quiet\""}, {"kernel.disk_path", "\"disk\""}, {"kernel.enable_bios", "false"},
    {"kernel.boot_protocol", "\"direct\""}, {"kernel.uefi_firmware_path", "\"u\""}, {"kernel.memory_population", "\"lazy\""}, {"kernel.option_rom_path", "\"o\""},
    {"kernel.frame_size", "\"4K\""}, {"kernel.memory_regions", "[[0x8000_0000, 0x1000_0000, 0x7, 0]]"},
    {"devices.emu_devices", "[[\"uart\", 0x1000_0000, 0x100, 10, 0x2, []]]"},
    {"devices.passthrough_devices", "[[\"eth\", 0x2000_0000, 0x3000_0000, 0x1000, 1]]"}, {"devices.interrupt_mode", "\"emu\""},
    {"devices.excluded_devices", "[[]]"}, {"devices.passthrough_addresses", "[[0x4000_0000, 0x1000]]"},
    {"devices.passthrough_ports", "[[0x3f8, 8]]"}, {"devices.address_space_policy", "\"virtualized\""}, {"devices.lapic_timer", "\"one-shot\""},
    {"devices.lapic_mode", "\"x2apic\""},
    {"memory_regions.gpa", "0x8000_0000"}, {"memory_regions.size", "0x1000_0000"}, {"memory_regions.flags", "7"}, {"memory_regions.map_type", "0"},
    {"emu_devices.name", "\"uart\""}, {"emu_devices.base_gpa", "0x1000_0000"}, {"emu_devices.length", "0x100"}, {"emu_devices.irq_id", "10"},
    {"emu_devices.emu_type", "2"}, {"emu_devices.cfg_list", "[]"},
    {"passthrough_devices.name", "\"eth\""}, {"passthrough_devices.base_gpa", "0x2000_0000"}, {"passthrough_devices.base_hpa", "0x3000_0000"},
    {"passthrough_devices.length", "0x1000"}, {"passthrough_devices.irq_id", "1"},
    {"passthrough_addresses.base_gpa", "0x4000_0000"}, {"passthrough_addresses.length", "0x1000"},
    {"passthrough_ports.base", "0x3f8"}, {"passthrough_ports.length", "8"},
};

const Values platform_values = {
    {".arch", "\"riscv64\""}, {".platform", "\"board\""}, {".task-stack-size", "0x4000"}, {".ticks-per-sec", "100"}, {".smp", "2"},
    {"plat.family", "\"f\""}, {"plat.phys-memory-base", "0x8000_0000"}, {"plat.phys-memory-size", "0x1000_0000"},
    {"plat.kernel-base-paddr", "0x8020_0000"}, {"plat.kernel-base-vaddr", "\"0xffff_ffc0_8020_0000\""},
    {"plat.phys-virt-offset", "\"0xffff_ffc0_0000_0000\""}, {"plat.phys-bus-offset", "0"},
    {"plat.kernel-aspace-base", "\"0xffff_ffc0_0000_0000\""}, {"plat.kernel-aspace-size", "0x3f_ffff_f000"},
    {"devices.mmio-regions", "[[0, 0x4000_0000]]"}, {"devices.virtio-mmio-regions", "[[0x1000_1000, 0x1000]]"},
    {"devices.pci-ranges", "[[0x300_0000, 0x1_0000]]"}, {"devices.pci-ecam-base", "0x3000_0000"}, {"devices.pci-bus-end", "0xff"},
    {"devices.timer-frequency", "10_000_000"}, {"devices.uart-paddr", "0x1000_0000"}, {"devices.uart-irq", "10"},
    {"devices.gicc-paddr", "0x801_0000"}, {"devices.gicd-paddr", "0x800_0000"}, {"devices.gicr-paddr", "0x80a_0000"},
    {"devices.rtc-paddr", "0x10_1000"}, {"devices.psci-method", "\"smc\""},
    {"sim.cpus", "4"}, {"sim.ns-per-insn", "\"1/3\""}, {"sim.quantum", "20_000"}, {"sim.memory", "0x2000_0000"}, {"sim.epoch", "0"},
    {"sim.ticks-per-sec", "1000"}, {"sim.htinst", "\"zero\""},
};

enum class Kind : u8 { Vm, Platform };

bool is_table(std::string_view table) { return table.empty() || table == "base" || table == "kernel" || table == "devices" || table == "plat" || table == "sim"; }
std::string name_of(const KeyInfo& info) { return std::string(info.table).append(".").append(info.key); }

/// A whole file with these values.
std::string file_text(std::span<const KeyInfo> keys, const Values& values) {
    std::string text;
    std::string_view open;
    for (const KeyInfo& info : keys) {
        const auto value = values.find(name_of(info));
        if (!is_table(info.table) || value == values.end()) continue;
        if (info.table != open) text.append("[").append(info.table).append("]\n");
        open = info.table;
        text.append(info.key).append(" = ").append(value->second).append("\n");
    }
    return text;
}

std::vector<Diagnostic> errors_of(Kind kind, const std::string& text) {
    std::vector<Diagnostic> errors;
    const auto take = [&](const auto& file) {
        if (!file)
            for (const Diagnostic& d : file.error().diagnostics)
                if (d.severity == config::Severity::Error) errors.push_back(d);
    };
    if (kind == Kind::Vm) take(read_vm_text(text, "f.toml"));
    else take(read_platform_text(text, "f.toml"));
    return errors;
}

std::span<const KeyInfo> keys_of(Kind kind) { return kind == Kind::Vm ? vm_key_table() : platform_key_table(); }
const Values& values_of(Kind kind) { return kind == Kind::Vm ? vm_values : platform_values; }

/// The file with one key's value replaced; a field's, inside the list that it belongs to.
std::string with_value(Kind kind, const KeyInfo& info, const std::string& value) {
    Values values = values_of(kind);
    if (is_table(info.table)) {
        values[name_of(info)] = value;
    } else {
        std::string element;
        for (const KeyInfo& field : keys_of(kind))
            if (field.table == info.table)
                element.append(element.empty() ? "" : ", ").append(field.key == info.key ? value : values.at(name_of(field)));
        values[std::string(info.table == "memory_regions" ? "kernel." : "devices.").append(info.table)] = "[[" + element + "]]";
    }
    return file_text(keys_of(kind), values);
}

void expect_error_at(Kind kind, const KeyInfo& info, const std::string& value) {
    const auto errors = errors_of(kind, with_value(kind, info, value));
    bool is_named = false;
    for (const Diagnostic& d : errors) is_named = is_named || d.key.find(info.key) != std::string::npos ||
                   (!info.table.empty() && d.key.find(info.table) != std::string::npos);
    EXPECT_TRUE(is_named) << name_of(info) << " = " << value.substr(0, 60) << ": " << errors.size() << " errors"
                          << (errors.empty() ? "" : ", first: " + errors.front().one_line());
}

class KeysTest : public testing::TestWithParam<Kind> {
protected:
    template <class F>
    void for_each(F check) {
        for (const KeyInfo& info : keys_of(GetParam())) {
            SCOPED_TRACE(name_of(info));
            check(info);
        }
    }
};

TEST_P(KeysTest, every_key_has_a_value_and_a_meaning) {
    for_each([&](const KeyInfo& info) {
        EXPECT_TRUE(values_of(GetParam()).contains(name_of(info)));
        EXPECT_TRUE(info.doc.ends_with(".")) << info.doc;
    });
    const auto errors = errors_of(GetParam(), file_text(keys_of(GetParam()), values_of(GetParam())));
    EXPECT_TRUE(errors.empty()) << errors.front().one_line();
}

TEST_P(KeysTest, an_absent_key_is_an_error_when_the_table_requires_it) {
    for_each([&](const KeyInfo& info) {
        if (!is_table(info.table)) return;
        Values values = values_of(GetParam());
        values.erase(name_of(info));
        // What needs this key goes with it.
        if (info.key == "phys_cpu_sets") values.erase("base.phys_cpu_ids");
        for (const std::string_view pair : {"bios", "dtb", "ramdisk"})
            if (info.key.starts_with(pair) && info.key.ends_with("_load_addr")) values.erase(std::string("kernel.").append(pair).append("_path"));
        const auto errors = errors_of(GetParam(), file_text(keys_of(GetParam()), values));
        EXPECT_EQ(!errors.empty(), info.required) << (errors.empty() ? "" : errors.front().one_line());
        if (info.required && !errors.empty()) {
            EXPECT_EQ(errors.front().rule, "missing-key");
        }
    });
}

TEST_P(KeysTest, a_wrong_type_is_an_error_at_the_key) {
    for_each([&](const KeyInfo& info) {
        expect_error_at(GetParam(), info, info.kind == KeyKind::Boolean ? "1" : "true");
        expect_error_at(GetParam(), info, "1.5");
        expect_error_at(GetParam(), info, "2020-01-01");
        if (info.kind != KeyKind::Text && info.kind != KeyKind::Choice) expect_error_at(GetParam(), info, "\"word\"");
        if (info.kind == KeyKind::Number) expect_error_at(GetParam(), info, "[1]");
        if (info.kind == KeyKind::Numbers) expect_error_at(GetParam(), info, "[true]");
        if (info.kind == KeyKind::Elements || info.kind == KeyKind::Ranges) expect_error_at(GetParam(), info, "[1]");
    });
}

TEST_P(KeysTest, a_value_out_of_range_is_an_error_at_the_key) {
    for_each([&](const KeyInfo& info) {
        switch (info.kind) {
            case KeyKind::Number:
                expect_error_at(GetParam(), info, "-1");
                if (info.min == 1) expect_error_at(GetParam(), info, "0");
                // A controller with fewer inputs than the table allows bounds interrupts further.
                if (info.max != ~u64{0}) expect_error_at(GetParam(), info, std::to_string(info.max + 1));
                break;
            case KeyKind::Text: expect_error_at(GetParam(), info, "\"" + std::string(info.max + 1, 'x') + "\""); break;
            case KeyKind::Choice: expect_error_at(GetParam(), info, "\"nonsense\""); break;
            case KeyKind::Ratio: expect_error_at(GetParam(), info, "1_000_001"); break;
            case KeyKind::Numbers:
            case KeyKind::Elements:
            case KeyKind::Ranges: {
                std::string many = "[";
                const std::string one = info.kind == KeyKind::Numbers ? "1" : (info.kind == KeyKind::Ranges ? "[1, 1]" : "[0, 0, 0, 0]");
                for (u64 i = 0; i <= info.max; ++i) many.append(one).append(", ");
                expect_error_at(GetParam(), info, many + "]");
                break;
            }
            case KeyKind::Boolean:
            case KeyKind::PathLists: break;
        }
    });
}

TEST_P(KeysTest, every_word_of_a_choice_is_read) {
    for_each([&](const KeyInfo& info) {
        for (const std::string_view word : info.words) {
            // Words that need other keys are the rules' business.
            if (info.key == "boot_protocol" && word != "direct" && word != "kernel") continue;
            const auto errors = errors_of(GetParam(), with_value(GetParam(), info, std::string("\"").append(word).append("\"")));
            EXPECT_TRUE(errors.empty()) << word << ": " << errors.front().one_line();
        }
    });
}

TEST(KeyFormsTest, elements_read_the_same_in_both_forms) {
    for (const KeyInfo& list : vm_key_table()) {
        if (list.kind != KeyKind::Elements) continue;
        std::string table;
        for (const KeyInfo& field : vm_key_table())
            if (field.table == list.key)
                table.append(table.empty() ? "" : ", ").append(field.key).append(" = ").append(vm_values.at(name_of(field)));
        const auto positional = read_vm_text(file_text(vm_key_table(), vm_values), "f.toml");
        const auto by_name = read_vm_text(with_value(Kind::Vm, list, "[{ " + table + " }]"), "f.toml");
        ASSERT_TRUE(positional && by_name) << list.key;
        const config::AxVMCrateConfig& a = positional->config;
        const config::AxVMCrateConfig& b = by_name->config;
        EXPECT_EQ(a.kernel.memory_regions[0], b.kernel.memory_regions[0]);
        EXPECT_EQ(a.devices.emu_devices[0].base_gpa, b.devices.emu_devices[0].base_gpa);
        EXPECT_EQ(a.devices.emu_devices[0].irq_id, b.devices.emu_devices[0].irq_id);
        EXPECT_EQ(a.devices.passthrough_devices[0].base_hpa, b.devices.passthrough_devices[0].base_hpa);
        EXPECT_EQ(a.devices.passthrough_addresses[0].length, b.devices.passthrough_addresses[0].length);
        EXPECT_EQ(a.devices.passthrough_ports[0].base, b.devices.passthrough_ports[0].base);
    }
}

INSTANTIATE_TEST_SUITE_P(Files, KeysTest, testing::Values(Kind::Vm, Kind::Platform));

}  // namespace
