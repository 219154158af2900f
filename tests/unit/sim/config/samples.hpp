// Configuration texts that tests start from, and where the repository's own files are.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace ax::test {

inline constexpr std::string_view good_vm = R"([base]
id = 1
name = "linux"
vm_type = 2
cpu_num = 2
phys_cpu_ids = [0, 1]
phys_cpu_sets = [1, 3]

[kernel]
entry_point = 0x8020_0000
image_location = "fs"
kernel_path = "Image"
kernel_load_addr = 0x8020_0000
dtb_load_addr = 0x8f00_0000
cmdline = "console=ttyS0"
memory_regions = [
    [0x8000_0000, 0x1000_0000, 0x7, 0],
    [0x9000_0000, 0x20_0000, 0x7, 1],
]

[devices]
interrupt_mode = "emu"
emu_devices = [
    ["plic", 0x0c00_0000, 0x60_0000, 0, 0x30, [4]],
    ["uart", 0x1000_0000, 0x1000, 10, 0x2, []],
]
passthrough_devices = [
    ["eth", 0x2000_0000, 0x3000_0000, 0x1000, 0x1],
]
)";

inline constexpr std::string_view good_platform = R"(arch = "riscv64"
platform = "test-board"
[plat]
family = "test"
phys-memory-base = 0x8000_0000
phys-memory-size = 0x4000_0000
kernel-base-paddr = 0x8020_0000
kernel-base-vaddr = "0xffff_ffc0_8020_0000"
[devices]
mmio-regions = [[0x1000_0000, 0x1000]]
timer-frequency = 10_000_000
[sim]
cpus = 4
)";

inline constexpr std::string_view good_arm_vm = R"([base]
id = 1
name = "linux"
vm_type = 2
cpu_num = 2
phys_cpu_ids = [0, 1]

[kernel]
kernel_path = "Image"
kernel_load_addr = 0x4020_0000
dtb_load_addr = 0x4f00_0000
cmdline = "console=ttyAMA0"
memory_regions = [
    [0x4000_0000, 0x1000_0000, 0x7, 0],
]

[devices]
interrupt_mode = "emu"
emu_devices = [
    ["gic", 0x0800_0000, 0x1_0000, 25, 0x1, [3]],
    ["uart", 0x0900_0000, 0x1000, 33, 0x2, []],
    ["rtc", 0x0901_0000, 0x1000, 34, 0x40, []],
]
passthrough_devices = []
)";

inline constexpr std::string_view good_arm_platform = R"(arch = "aarch64"
platform = "test-board"
[plat]
phys-memory-base = 0x4000_0000
phys-memory-size = 0x4000_0000
kernel-base-paddr = 0x4008_0000
[devices]
mmio-regions = [[0x0800_0000, 0x100_0000], [0x0900_0000, 0x2_0000]]
[sim]
cpus = 4
)";

/// `text` with the first `from` replaced; `from` must be there.
inline std::string with(std::string_view text, std::string_view from, std::string_view to) {
    std::string result(text);
    const std::size_t at = result.find(from);
    if (at == std::string::npos) return "the test's own pattern is not in its text: " + std::string(from);
    return result.replace(at, from.size(), to);
}

inline std::filesystem::path repository() {
    return std::filesystem::path(__FILE__).parent_path().parent_path().parent_path().parent_path().parent_path();
}

/// A directory that lives as long as the object.
class TemporaryDirectory {
public:
    explicit TemporaryDirectory(std::string_view name)
        : path_(std::filesystem::temp_directory_path() / (std::string("axsim-") + std::string(name) + "-" + unique())) {
        std::filesystem::remove_all(path_);
        std::filesystem::create_directories(path_);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::filesystem::path write(std::string_view name, std::string_view bytes) const;

private:
    static std::string unique();
    std::filesystem::path path_;
};

}  // namespace ax::test
