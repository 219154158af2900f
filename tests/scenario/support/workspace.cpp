#include "tests/scenario/support/workspace.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "sim/session/setup.hpp"

namespace ax::scenario {

namespace {

const std::filesystem::path source_dir = AXSIM_SOURCE_DIR;

const char* gic(unsigned version) {
    return version == 2 ? R"(["gic", 0x0800_0000, 0x1_0000, 0, 0x1, [2, 0x0801_0000]])"
                        : R"(["gic", 0x0800_0000, 0x1_0000, 0, 0x1, [3, 0x080a_0000]])";
}

std::string plic(unsigned vcpus) { return "0x30, [" + std::to_string(2 * vcpus) + "]]"; }

std::string with_vcpus(const Isa& isa, std::string text, unsigned vcpus) {
    for (const unsigned old : {1u, 2u, 4u}) {
        const std::string line = "\ncpu_num = " + std::to_string(old) + "\n";
        if (text.find(line) == std::string::npos) continue;
        text = replaced(text, line, "\ncpu_num = " + std::to_string(vcpus) + "\n");
        return isa.arch == config::Arch::Riscv64 ? replaced(text, plic(old), plic(vcpus)) : text;
    }
    ADD_FAILURE() << "no cpu_num in the VM file";
    return text;
}

}  // namespace

Workspace::Workspace(const Isa& isa) : isa_(isa) {
    std::string pattern = (std::filesystem::temp_directory_path() / ("axsim-scenario-" + std::string(6, 'X'))).string();  // mkdtemp fills in the last six
    if (mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "cannot make " << pattern;
    folder_ = pattern;
}

Workspace::~Workspace() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::string Workspace::write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return path(name);
}

std::string Workspace::vm(const std::string& file, const VmChanges& changes) const {
    std::string text = read_text((source_dir / "configs/vms" / file).string());
    const std::string here = "\"../../guests/";
    const std::string there = "\"" + (source_dir / "guests").string() + "/";
    for (auto at = text.find(here); at != std::string::npos; at = text.find(here, at)) text.replace(at, here.size(), there);
    if (changes.vcpus != 0) text = with_vcpus(isa_, std::move(text), changes.vcpus);
    if (!changes.cmdline.empty()) text = replaced(text, isa_.console + "\"", isa_.console + " " + changes.cmdline + "\"");
    if (changes.is_lazy) text = replaced(text, "memory_regions = [", "memory_population = \"lazy\"\nframe_size = \"4K\"\nmemory_regions = [");
    return write(file, text);
}

std::string Workspace::bare_metal(const std::string& guest, const BareMetalMachine& machine) const {
    std::string text = read_text((source_dir / "tests/guests" / isa_.name / "vm.toml.in").string());
    text = replaced(text, "@CPUS@ vCPUs", "vCPUs");
    while (text.find("@NAME@") != std::string::npos) text = replaced(text, "@NAME@", guest);
    text = replaced(text, "@CPUS@", std::to_string(machine.vcpus));
    text = replaced(text, "@ELF@", elf(guest));
    if (isa_.arch == config::Arch::Riscv64) {
        text = replaced(text, "@CONTEXTS@", std::to_string(2 * machine.vcpus));
    } else {
        text = replaced(text, "@REGIONS@", machine.regions);
        if (isa_.arch == config::Arch::Aarch64) text = replaced(text, "@GIC@", gic(machine.gic));
    }
    return write(guest + ".toml", text);
}

std::string Workspace::elf(const std::string& guest) const {
    return (std::filesystem::path(AXSIM_TEST_GUEST_DIR) / isa_.name / (guest + ".elf")).string();
}

std::string Workspace::platform(unsigned pcpus) const {
    const std::string text = replaced(std::string(sim::built_in_platform(isa_.arch)), "cpus = 4", "cpus = " + std::to_string(pcpus));
    return write("platform" + std::to_string(pcpus) + ".toml", text);
}

std::string read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) ADD_FAILURE() << "cannot read " << path;
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    if (at == std::string::npos) {
        ADD_FAILURE() << "'" << from << "' is not in the text";
        return text;
    }
    return text.replace(at, from.size(), to);
}

std::string fetched_guest(const std::string& name) { return (source_dir / "guests" / name).string(); }

std::string axsim_program() { return AXSIM_PROGRAM; }

std::string missing_guest(const std::vector<std::string>& names) {
    for (const std::string& name : names)
        if (!std::filesystem::exists(fetched_guest(name))) return "guests/" + name;
    return {};
}

bool is_ci() {
    const char* value = std::getenv("CI");
    return value != nullptr && std::string(value) == "true";
}

}  // namespace ax::scenario
