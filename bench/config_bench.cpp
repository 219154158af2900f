// Reading and validating configurations: eight VMs and their board, by stages.
#include <benchmark/benchmark.h>

#include "core/config/check.hpp"
#include "sim/config/check_together.hpp"
#include "sim/config/toml_tree.hpp"

namespace {

using namespace ax;
using namespace ax::sim;

constexpr unsigned vm_count = 8;

/// A VM as large as the family's real files: comments, several regions, a dozen devices.
std::string vm_text(unsigned n) {
    const std::string id = std::to_string(n + 1);
    const std::string digit = std::to_string(n);
    std::string text = "# VM " + id + "\n#\n# Base\n#\n[base]\n# Its number.\nid = " + id + "\n# Its name.\nname = \"guest" + id +
                       "\"\nvm_type = 2\ncpu_num = 4\nphys_cpu_ids = [0x0, 0x100, 0x200, 0x300]\nphys_cpu_sets = [1, 2, 4, 8]\n"
                       "#\n# Kernel\n#\n[kernel]\nentry_point = 0x8020_0000\nimage_location = \"fs\"\nkernel_path = \"Image\"\n"
                       "kernel_load_addr = 0x8020_0000\ndtb_load_addr = 0x8f00_0000\ncmdline = \"earlycon=sbi console=ttyS0 root=/dev/vda\"\n"
                       "memory_regions = [\n    [0x8000_0000, 0x1000_0000, 0x7, 0], # System RAM\n"
                       "    [0x9000_0000, 0x10_0000, 0x7, 0],\n]\n#\n# Devices\n#\n[devices]\ninterrupt_mode = \"emu\"\nemu_devices = [\n"
                       "    [\"plic\", 0x0c00_0000, 0x60_0000, 0, 0x30, [8]],\n    [\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []],\n"
                       "    [\"rtc\", 0x10_1000, 0x1000, 11, 0x40, []],\n]\npassthrough_devices = [\n";
    for (int i = 0; i < 10; ++i) {
        const std::string window = "0x2" + digit + "00_" + std::to_string(i) + "000";
        text += "    [\"device@2" + digit + "00" + std::to_string(i) + "000\", " + window + ", " + window + ", 0x1000, 0x1],\n";
    }
    return text + "]\n";
}

constexpr std::string_view board_text = R"(arch = "riscv64"
platform = "riscv64-qemu-virt"
[plat]
phys-memory-base = 0x8000_0000
phys-memory-size = 0x1_0000_0000
kernel-base-paddr = 0x8020_0000
[devices]
mmio-regions = [[0x0010_1000, 0x1000], [0x0c00_0000, 0x60_0000], [0x1000_0000, 0x1000], [0x2000_0000, 0x1000_0000]]
timer-frequency = 10_000_000
[sim]
cpus = 4
)";

std::vector<std::string> texts() {
    std::vector<std::string> result;
    for (unsigned n = 0; n < vm_count; ++n) result.push_back(vm_text(n));
    return result;
}

void parse_toml_of_8_vms(benchmark::State& state) {
    const auto all = texts();
    for (auto _ : state)
        for (const std::string& text : all) benchmark::DoNotOptimize(parse_toml(text));
    u64 bytes = 0;
    for (const std::string& text : all) bytes += text.size();
    state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(parse_toml_of_8_vms)->Unit(benchmark::kMillisecond);

void read_8_vms(benchmark::State& state) {
    const auto all = texts();
    for (auto _ : state)
        for (const std::string& text : all) benchmark::DoNotOptimize(parse_vm_text(text, "vm.toml"));
}
BENCHMARK(read_8_vms)->Unit(benchmark::kMillisecond);

/// What `axsim config check` does with eight VMs and a platform, but for opening files. Goal: 10 ms.
void read_and_validate_8_vms(benchmark::State& state) {
    const auto all = texts();
    for (auto _ : state) {
        const auto board = read_platform_text(board_text, "board.toml");
        std::vector<VmFile> files;
        std::size_t findings = 0;
        for (const std::string& text : all) {
            auto file = read_vm_text(text, "vm.toml");
            if (!file || !board) {
                state.SkipWithError("the benchmark's own configuration is refused");
                return;
            }
            findings += check_on_platform(*file, *board).size() + file->warnings.size();
            files.push_back(*std::move(file));
        }
        findings += check_together(files, &*board).size();
        if (findings != 0) {
            state.SkipWithError("the benchmark's own configuration has findings");
            return;
        }
    }
}
BENCHMARK(read_and_validate_8_vms)->Unit(benchmark::kMillisecond);

}  // namespace
