// axsim config generate
#include <cstdio>
#include <memory>

#include "sim/cli/commands.hpp"
#include "sim/cli/config_commands.hpp"
#include "sim/config/generate.hpp"
#include "sim/config/generate_board.hpp"
#include "sim/config/text_output.hpp"
#include "sim/config/value_reader.hpp"

namespace ax::sim::cli {

namespace {

struct GenerateSettings {
    GenerateRequest request;
    std::string arch;
    std::string image_location = "fs";
    std::string output;
    bool force = false;
};

/// Sets `to` from text in any base, with `_` between digits.
template <class Number>
CLI::Option* add_number(CLI::App& app, const std::string& flags, Number& to, const std::string& what) {
    return app
        .add_option_function<std::string>(
            flags, [&to](const std::string& text) { to = parse_number(text).value(); }, what)
        ->type_name("NUMBER")
        ->check([](const std::string& text) {
            if (parse_number(text)) return std::string();
            return "'" + text + "' is no number of 64 bits (decimal, 0x, 0o or 0b, _ between digits)";
        });
}

void print(const char* kind, const std::string& line) { std::fprintf(stderr, "axsim: %s: %s\n", kind, line.c_str()); }

int generate(GenerateSettings settings) {
    for (const config::Arch arch : {config::Arch::X86_64, config::Arch::Aarch64, config::Arch::Riscv64})
        if (settings.arch == guest_board(arch).arch) settings.request.arch = arch;
    if (settings.image_location == "memory") settings.request.image_location = config::ImageLocation::Memory;
    settings.request.output = settings.output;
    const auto generated = generate_vm(settings.request);
    if (!generated) {
        std::fprintf(stderr, "%s\n", generated.error().to_line().c_str());
        return bad_input;
    }
    if (settings.output.empty()) {
        std::fputs(generated->text.c_str(), stdout);
    } else if (const auto written =
                   write_text_file(settings.output, generated->text, settings.force ? Existing::Replace : Existing::Refuse);
               !written) {
        std::fprintf(stderr, "%s\n", written.error().to_line().c_str());
        return bad_input;
    }
    for (const std::string& warning : generated->warnings) print("warning", warning);
    if (!settings.output.empty()) print("note", "wrote " + settings.output);
    return success;
}

}  // namespace

void add_config_generate(CLI::App& config, Action& action) {
    const auto settings = std::make_shared<GenerateSettings>();
    GenerateRequest& request = settings->request;
    CLI::App* app = config.add_subcommand("generate", "Make a VM file that boots a given kernel; axvmconfig's flags");
    app->add_option("-a,--arch", settings->arch, "Architecture of the VM")
        ->required()
        ->check(CLI::IsMember({"x86_64", "aarch64", "riscv64"}));
    add_number(*app, "-i,--id", request.id, "The VM's number (default 0)");
    app->add_option("-n,--name", request.name, "Its name, to which the architecture is added (default GuestVM)");
    add_number(*app, "-t,--vm-type", request.vm_type, "0 host VM, 1 RTOS (default), 2 Linux");
    add_number(*app, "-c,--cpu-num", request.cpu_num, "Number of vCPUs (default 1)");
    add_number(*app, "-e,--entry-point", request.entry_point, "Where the vCPUs start (default 0: where the kernel says)");
    app->add_option("-k,--kernel-path", request.kernel_path, "The kernel: a Linux Image, an ELF file, or raw code")->required();
    add_number(*app, "-l,--kernel-load-addr", request.kernel_load_addr,
               "Where the kernel goes (default: where it is linked, or the board's usual place)");
    app->add_option("--image-location", settings->image_location, "fs (default), or memory: part of the hypervisor's own image")
        ->check(CLI::IsMember({"fs", "memory"}));
    app->add_option("--cmdline", request.cmdline, "The kernel's command line (default: the board's console)");
    app->add_option("--ramdisk-path", request.ramdisk_path, "axsim's own: an initial ramdisk, loaded behind the kernel");
    add_number(*app, "--memory", request.memory_bytes, "axsim's own: bytes of memory (default: enough, at least 256 MiB)");
    app->add_option("-O,--output", settings->output, "The file to write, else standard output");
    app->add_flag("--force", settings->force, "Replace the output file if it exists");
    app->callback([settings, &action] { action = [settings] { return generate(*settings); }; });
}

}  // namespace ax::sim::cli
