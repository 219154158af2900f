// What one exit costs, from the engine's stop to its next start, handler included.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "sim/session/setup.hpp"

namespace {

using namespace ax;
using namespace ax::sim;

/// A machine of one vCPU that runs `code` (raw, at 0x8020_0000) for ever.
std::unique_ptr<Machine> machine_with(std::span<const u32> code, const char* name) {
    const std::filesystem::path image = std::filesystem::temp_directory_path() / (std::string("axsim_bench_") + name + ".bin");
    std::ofstream(image, std::ios::binary).write(reinterpret_cast<const char*>(code.data()), static_cast<std::streamsize>(code.size_bytes()));
    const std::string text = R"(
[base]
id = 1
name = "bench"
vm_type = 1
cpu_num = 1
[kernel]
entry_point = 0x8020_0000
kernel_path = ")" + image.string() + R"("
kernel_load_addr = 0x8020_0000
image_location = "fs"
memory_regions = [[0x8000_0000, 0x100_0000, 0x7, 0]]
[devices]
interrupt_mode = "emu"
emu_devices = [
  ["plic", 0x0c00_0000, 0x60_0000, 0, 0x30, [2]],
  ["uart", 0x1000_0000, 0x1000, 10, 0x2, []],
]
passthrough_devices = []
)";
    Setup setup;
    auto platform = read_platform_text(built_in_platform(), "built-in");
    setup.platform = std::move(*platform);
    auto vm = read_vm_text(text, "bench.toml");
    if (!vm) std::fprintf(stderr, "%s\n", vm.error().to_text().c_str());
    setup.vms.push_back(std::move(*vm));
    auto guest = load_guest(setup.vms.front(), setup.platform);
    if (!guest) std::fprintf(stderr, "%s\n", guest.error().to_text().c_str());
    setup.guests.push_back(std::move(*guest));
    auto machine = build(setup);
    std::filesystem::remove(image);
    return std::move(*machine);
}

void run_exits(benchmark::State& state, std::span<const u32> code, const char* name) {
    const auto machine = machine_with(code, name);
    constexpr u64 batch = 10'000;
    for (auto _ : state) benchmark::DoNotOptimize(machine->run({~u64{0}, machine->exits() + batch}));
    const i64 exits = state.iterations() * static_cast<i64>(batch);
    state.SetItemsProcessed(exits);
    state.counters["ns_per_exit"] =
        benchmark::Counter(static_cast<double>(exits) * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

constexpr std::array<u32, 4> uart_write_loop = {
    0x1000'0537,  // lui a0, 0x10000
    0x0780'0593,  // addi a1, zero, 'x'
    0x00b5'0023,  // sb a1, 0(a0)
    0xffdf'f06f,  // j -4
};
constexpr std::array<u32, 3> uart_read_loop = {
    0x1000'0537,  // lui a0, 0x10000
    0x0055'4583,  // lbu a1, 5(a0)
    0xffdf'f06f,  // j -4
};
constexpr std::array<u32, 4> sbi_base_loop = {
    0x0100'0893,  // addi a7, zero, 0x10
    0x0000'0813,  // addi a6, zero, 0
    0x0000'0073,  // ecall
    0xffdf'f06f,  // j -4
};

void uart_write(benchmark::State& state) { run_exits(state, uart_write_loop, "uart_write"); }
void uart_read(benchmark::State& state) { run_exits(state, uart_read_loop, "uart_read"); }
void sbi_get_spec_version(benchmark::State& state) { run_exits(state, sbi_base_loop, "sbi"); }

BENCHMARK(uart_write)->Unit(benchmark::kMillisecond);
BENCHMARK(uart_read)->Unit(benchmark::kMillisecond);
BENCHMARK(sbi_get_spec_version)->Unit(benchmark::kMillisecond);

}  // namespace
