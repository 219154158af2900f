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

std::string with_vcpus(std::string text, unsigned vcpus) {
    for (const char* old : {"1", "2", "4"}) {
        const std::string line = "\ncpu_num = " + std::string(old) + "\n";
        if (text.find(line) != std::string::npos) {
            const std::string contexts = "0x30, [" + std::to_string(2 * std::stoul(old)) + "]]";
            text = replaced(text, line, "\ncpu_num = " + std::to_string(vcpus) + "\n");
            return replaced(text, contexts, "0x30, [" + std::to_string(2 * vcpus) + "]]");
        }
    }
    ADD_FAILURE() << "no cpu_num in the VM file";
    return text;
}

}  // namespace

Workspace::Workspace() {
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
    if (changes.vcpus != 0) text = with_vcpus(std::move(text), changes.vcpus);
    if (!changes.cmdline.empty()) text = replaced(text, "console=ttyS0\"", "console=ttyS0 " + changes.cmdline + "\"");
    return write(file, text);
}

std::string Workspace::bare_metal(const std::string& guest, unsigned vcpus) const {
    std::string text = read_text((source_dir / "tests/guests/riscv64/vm.toml.in").string());
    text = replaced(text, "@CPUS@ vCPUs", "vCPUs");
    text = replaced(text, "@NAME@", guest);
    text = replaced(text, "@CPUS@", std::to_string(vcpus));
    text = replaced(text, "@CONTEXTS@", std::to_string(2 * vcpus));
    text = replaced(text, "@ELF@", bare_metal_elf(guest));
    return write(guest + ".toml", text);
}

std::string Workspace::platform(unsigned pcpus) const {
    const std::string text = replaced(std::string(sim::built_in_platform()), "cpus = 4", "cpus = " + std::to_string(pcpus));
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

std::string bare_metal_elf(const std::string& name) { return std::string(AXSIM_TEST_GUEST_DIR) + "/" + name + ".elf"; }

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
