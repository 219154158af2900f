#include "sim/config/acpi_tables.hpp"

#include <algorithm>
#include <span>

#include "core/base/bits.hpp"
#include "sim/config/byte_writer.hpp"

namespace ax::sim {

namespace {

constexpr std::string_view oem_id = "AXSIM", oem_table_id = "AXSIMPC", creator_id = "AXSM";
constexpr u64 header_bytes = 36, length_at = 4, checksum_at = 9;
constexpr u64 facs_bytes = 64, facs_alignment = 64;
constexpr u64 rsdp_bytes = 36, rsdp_v1_bytes = 20, rsdp_v1_checksum_at = 8, rsdp_checksum_at = 32, rsdp_xsdt_at = 24;
constexpr u64 four_gib = u64{1} << 32;

/// "Fixed ACPI Description Table (FADT)": offsets of what is not zero.
struct Fadt {
    static constexpr u64 FIRMWARE_CTRL = 36, DSDT = 40, Preferred_PM_Profile = 45, SCI_INT = 46, PM1a_EVT_BLK = 56, PM1a_CNT_BLK = 64,
                         PM_TMR_BLK = 76, PM1_EVT_LEN = 88, PM1_CNT_LEN = 89, PM_TMR_LEN = 91, P_LVL2_LAT = 96, P_LVL3_LAT = 98,
                         CENTURY = 108, IAPC_BOOT_ARCH = 109, Flags = 112, RESET_REG = 116, RESET_VALUE = 128, minor = 131,
                         X_DSDT = 140, X_PM1a_EVT_BLK = 148, X_PM1a_CNT_BLK = 172, X_PM_TMR_BLK = 208, length = 276;
    static constexpr u8 revision = 6, minor_revision = 3, profile_desktop = 1;
    /// Beyond these latencies the states C2 and C3 do not exist.
    static constexpr u16 no_c2 = 101, no_c3 = 1001;
    static constexpr u8 century_register = 0x32;
    static constexpr u8 event_bytes = 4, control_bytes = 2, timer_bytes = 4;
};
struct BootArch {
    using LegacyDevices = Bits<0>;
    using NoVga = Bits<2>;
};
struct FadtFlags {
    using WBINVD = Bits<0>;
    using PROC_C1 = Bits<2>;
    using PWR_BUTTON = Bits<4>;  ///< not one of PM1's events
    using SLP_BUTTON = Bits<5>;
    using FIX_RTC = Bits<6>;  ///< the clock's alarm is not one of them either
    using TMR_VAL_EXT = Bits<8>;
    using RESET_REG_SUP = Bits<10>;
};
/// "Multiple APIC Description Table (MADT)".
enum class MadtEntry : u8 { LocalApic = 0, IoApic = 1, InterruptSourceOverride = 2, LocalApicNmi = 4 };
constexpr u32 pcat_compat = 1, lapic_enabled = 1;
constexpr u16 mps_conforming = 0, mps_level_high = 0xd;
constexpr u8 all_processors = 0xff;

/// AML of `Name (_S5, Package (4) { typ, typ, 0, 0 })` ("ACPI Machine Language (AML) Specification").
struct Aml {
    static constexpr u8 name_op = 0x08, package_op = 0x12, byte_prefix = 0x0a, zero_op = 0x00, elements = 4, package_length = 8;
};

class Builder {
public:
    Builder(const AcpiInput& input, Gpa at) : input_(input), at_(at.value()) {}

    AcpiTables build();

private:
    void facs();
    void dsdt();
    void fadt();
    void madt();
    void xsdt();
    void rsdp();
    u64 begin(std::string_view signature, u8 revision);
    void end(u64 start);
    void pointer(u64 offset, u64 target, u8 size);
    void register_address(u64 offset, u16 port, u8 bits);

    const AcpiInput& input_;
    u64 at_;
    AcpiTables result_;
    ByteWriter bytes_;
    u64 dsdt_ = 0, fadt_ = 0, madt_ = 0;
};

u8 sum(std::span<const std::byte> bytes) {
    u8 total = 0;
    for (const std::byte b : bytes) total = static_cast<u8>(total + std::to_integer<u8>(b));
    return total;
}

/// "System Description Table Header".
u64 Builder::begin(std::string_view signature, u8 revision) {
    bytes_.align(8);
    const u64 start = bytes_.size();
    bytes_.text(signature, 4);
    bytes_.number(0, 4);
    bytes_.number(revision, 1);
    bytes_.number(0, 1);
    bytes_.text(oem_id, 6);
    bytes_.text(oem_table_id, 8);
    bytes_.number(1, 4);
    bytes_.text(creator_id, 4);
    bytes_.number(1, 4);
    return start;
}

void Builder::end(u64 start) {
    const u64 length = bytes_.size() - start;
    bytes_.put(start + length_at, length, 4);
    bytes_.put(start + checksum_at, static_cast<u8>(0 - sum(std::span(bytes_.bytes()).subspan(start))), 1);
    result_.checksums.push_back({start + checksum_at, start, length});
}

void Builder::pointer(u64 offset, u64 target, u8 size) {
    bytes_.put(offset, at_ + target, size);
    result_.pointers.push_back({offset, size});
}

/// "Generic Address Structure" in system I/O space.
void Builder::register_address(u64 offset, u16 port, u8 bits) {
    constexpr u8 system_io = 1, byte_access = 1, word_access = 2, dword_access = 3;
    bytes_.put(offset, system_io, 1);
    bytes_.put(offset + 1, bits, 1);
    bytes_.put(offset + 3, bits == 8 ? byte_access : bits == 16 ? word_access : dword_access, 1);
    bytes_.put(offset + 4, port, 8);
}

/// It has no checksum.
void Builder::facs() {
    bytes_.text("FACS", 4);
    bytes_.number(facs_bytes, 4);
    bytes_.zeros(24);
    bytes_.number(2, 1);
    bytes_.zeros(facs_bytes - bytes_.size());
}

void Builder::dsdt() {
    dsdt_ = begin("DSDT", 2);
    bytes_.number(Aml::name_op, 1);
    bytes_.text("_S5_", 4);
    bytes_.number(Aml::package_op, 1);
    bytes_.number(Aml::package_length, 1);
    bytes_.number(Aml::elements, 1);
    for (u32 i = 0; i < 2; ++i) {
        bytes_.number(Aml::byte_prefix, 1);
        bytes_.number(input_.sleep_type_s5, 1);
    }
    bytes_.number(Aml::zero_op, 1);
    bytes_.number(Aml::zero_op, 1);
    end(dsdt_);
}

void Builder::fadt() {
    fadt_ = begin("FACP", Fadt::revision);
    bytes_.zeros(Fadt::length - header_bytes);
    const auto put = [&](u64 offset, u64 value, unsigned size) { bytes_.put(fadt_ + offset, value, size); };
    pointer(fadt_ + Fadt::FIRMWARE_CTRL, 0, 4);
    pointer(fadt_ + Fadt::DSDT, dsdt_, 4);
    pointer(fadt_ + Fadt::X_DSDT, dsdt_, 8);
    put(Fadt::Preferred_PM_Profile, Fadt::profile_desktop, 1);
    put(Fadt::SCI_INT, input_.sci, 2);
    put(Fadt::PM1a_EVT_BLK, input_.pm_event_port, 4);
    put(Fadt::PM1a_CNT_BLK, input_.pm_control_port, 4);
    put(Fadt::PM_TMR_BLK, input_.pm_timer_port, 4);
    put(Fadt::PM1_EVT_LEN, Fadt::event_bytes, 1);
    put(Fadt::PM1_CNT_LEN, Fadt::control_bytes, 1);
    put(Fadt::PM_TMR_LEN, Fadt::timer_bytes, 1);
    put(Fadt::P_LVL2_LAT, Fadt::no_c2, 2);
    put(Fadt::P_LVL3_LAT, Fadt::no_c3, 2);
    put(Fadt::CENTURY, Fadt::century_register, 1);
    put(Fadt::IAPC_BOOT_ARCH, BootArch::LegacyDevices::mask | BootArch::NoVga::mask, 2);
    put(Fadt::Flags,
        FadtFlags::WBINVD::mask | FadtFlags::PROC_C1::mask | FadtFlags::PWR_BUTTON::of(!input_.has_power_button) |
            FadtFlags::SLP_BUTTON::mask | FadtFlags::FIX_RTC::mask | FadtFlags::TMR_VAL_EXT::of(input_.has_32_bit_timer) |
            FadtFlags::RESET_REG_SUP::mask,
        4);
    register_address(fadt_ + Fadt::RESET_REG, input_.reset_port, 8);
    put(Fadt::RESET_VALUE, input_.reset_value, 1);
    put(Fadt::minor, Fadt::minor_revision, 1);
    register_address(fadt_ + Fadt::X_PM1a_EVT_BLK, input_.pm_event_port, 8 * Fadt::event_bytes);
    register_address(fadt_ + Fadt::X_PM1a_CNT_BLK, input_.pm_control_port, 8 * Fadt::control_bytes);
    register_address(fadt_ + Fadt::X_PM_TMR_BLK, input_.pm_timer_port, 8 * Fadt::timer_bytes);
    end(fadt_);
}

void Builder::madt() {
    madt_ = begin("APIC", 4);
    bytes_.number(input_.lapic.value(), 4);
    bytes_.number(pcat_compat, 4);
    const auto entry = [&](MadtEntry type, u8 length) {
        bytes_.number(index(type), 1);
        bytes_.number(length, 1);
    };
    for (u32 cpu = 0; cpu < input_.cpus; ++cpu) {
        entry(MadtEntry::LocalApic, 8);
        bytes_.number(cpu, 1);
        bytes_.number(cpu, 1);
        bytes_.number(lapic_enabled, 4);
    }
    entry(MadtEntry::IoApic, 12);
    bytes_.number(input_.cpus, 1);
    bytes_.number(0, 1);
    bytes_.number(input_.ioapic.value(), 4);
    bytes_.number(0, 4);
    const auto redirect = [&](u8 source, u32 pin, u16 flags) {
        entry(MadtEntry::InterruptSourceOverride, 10);
        bytes_.number(0, 1);
        bytes_.number(source, 1);
        bytes_.number(pin, 4);
        bytes_.number(flags, 2);
    };
    redirect(0, 2, mps_conforming);
    redirect(input_.sci, input_.sci, mps_level_high);
    entry(MadtEntry::LocalApicNmi, 6);
    bytes_.number(all_processors, 1);
    bytes_.number(mps_conforming, 2);
    bytes_.number(1, 1);
    end(madt_);
}

void Builder::xsdt() {
    result_.xsdt = begin("XSDT", 1);
    bytes_.zeros(16);
    pointer(result_.xsdt + header_bytes, fadt_, 8);
    pointer(result_.xsdt + header_bytes + 8, madt_, 8);
    end(result_.xsdt);
}

/// "Root System Description Pointer (RSDP) Structure".
void Builder::rsdp() {
    ByteWriter writer;
    writer.text("RSD PTR ", 8);
    writer.number(0, 1);
    writer.text(oem_id, 6);
    writer.number(2, 1);
    writer.number(0, 4);
    writer.number(rsdp_bytes, 4);
    writer.number(at_ + result_.xsdt, 8);
    writer.zeros(4);
    writer.put(rsdp_v1_checksum_at, static_cast<u8>(0 - sum(std::span(writer.bytes()).first(rsdp_v1_bytes))), 1);
    writer.put(rsdp_checksum_at, static_cast<u8>(0 - sum(writer.bytes())), 1);
    result_.rsdp = std::move(writer.bytes());
}

AcpiTables Builder::build() {
    facs();
    dsdt();
    fadt();
    madt();
    xsdt();
    rsdp();
    result_.tables = std::move(bytes_.bytes());
    return std::move(result_);
}

/// Commands of the loader; each has 128 bytes, and file names 56.
enum class LoaderCommand : u8 { Allocate = 1, AddPointer = 2, AddChecksum = 3 };
enum class LoaderZone : u8 { High = 1, FSegment = 2 };
constexpr std::size_t command_bytes = 128, file_name_bytes = 56;
constexpr std::string_view tables_file = "etc/acpi/tables", rsdp_file = "etc/acpi/rsdp";

class LoaderWriter {
public:
    void allocate(std::string_view file, u32 alignment, LoaderZone zone) {
        begin(LoaderCommand::Allocate);
        writer_.text(file, file_name_bytes);
        writer_.number(alignment, 4);
        writer_.number(index(zone), 1);
    }
    void add_pointer(std::string_view in, u64 offset, u8 size) {
        begin(LoaderCommand::AddPointer);
        writer_.text(in, file_name_bytes);
        writer_.text(tables_file, file_name_bytes);
        writer_.number(offset, 4);
        writer_.number(size, 1);
    }
    void add_checksum(std::string_view in, const AcpiChecksum& checksum) {
        begin(LoaderCommand::AddChecksum);
        writer_.text(in, file_name_bytes);
        writer_.number(checksum.offset, 4);
        writer_.number(checksum.start, 4);
        writer_.number(checksum.length, 4);
    }
    std::vector<std::byte> finish() {
        writer_.align(command_bytes);
        return std::move(writer_.bytes());
    }

private:
    void begin(LoaderCommand command) {
        writer_.align(command_bytes);
        writer_.number(index(command), 4);
    }
    ByteWriter writer_;
};

}  // namespace

std::expected<AcpiTables, std::string> make_acpi_tables(const AcpiInput& input, Gpa at) {
    constexpr u32 max_cpus = 254;
    constexpr u64 room = 64 * 1024;
    if (input.cpus == 0 || input.cpus > max_cpus)
        return std::unexpected("ACPI tables are for 1 to 254 CPUs, not " + std::to_string(input.cpus));
    if (!at.is_aligned(facs_alignment) || at.value() > four_gib - room)
        return std::unexpected(std::string("ACPI tables lie at a multiple of 64 below 4 GiB"));
    return Builder(input, at).build();
}

std::vector<std::byte> make_table_loader(const AcpiTables& tables) {
    LoaderWriter loader;
    loader.allocate(tables_file, facs_alignment, LoaderZone::High);
    loader.allocate(rsdp_file, 16, LoaderZone::FSegment);
    for (const AcpiPointer& pointer : tables.pointers) loader.add_pointer(tables_file, pointer.offset, pointer.size);
    loader.add_pointer(rsdp_file, rsdp_xsdt_at, 8);
    for (const AcpiChecksum& checksum : tables.checksums) loader.add_checksum(tables_file, checksum);
    loader.add_checksum(rsdp_file, {rsdp_v1_checksum_at, 0, rsdp_v1_bytes});
    loader.add_checksum(rsdp_file, {rsdp_checksum_at, 0, rsdp_bytes});
    return loader.finish();
}

}  // namespace ax::sim
