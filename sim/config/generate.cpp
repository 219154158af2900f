#include "sim/config/generate.hpp"

#include <algorithm>
#include <memory>

#include "core/base/bits.hpp"
#include "core/base/expect.hpp"
#include "sim/config/elf.hpp"
#include "sim/config/generate_board.hpp"
#include "sim/config/kernel.hpp"
#include "sim/config/vm_file.hpp"
#include "sim/config/vm_writer.hpp"

namespace ax::sim {

namespace {

using config::Hex;

constexpr u64 mib = 1 << 20;
/// Linux maps itself with pages of this size and takes no larger device tree.
constexpr u64 huge_page = 2 * mib;
/// What a guest needs besides its images, to start at all.
constexpr u64 least_room = 16 * mib;
constexpr u64 usual_memory = 256 * mib;

std::string hex(u64 value) { return std::string(config::join(Hex{value}).view()); }

/// Makes one file. Every step fills in what it is named after.
class Generator {
public:
    explicit Generator(const GenerateRequest& request)
        : request_(request), board_(guest_board(request.arch)), config_(std::make_unique<config::AxVMCrateConfig>()) {}

    std::expected<GeneratedVm, Error> run();

private:
    using Step = std::expected<void, Error>;

    Step set_base();
    Step open_images();
    Step place_kernel();
    Step place_rest();
    Step set_texts();
    Step check(const std::string& text) const;
    [[nodiscard]] u64 choose_load_addr() const;
    [[nodiscard]] std::string written_path(const std::filesystem::path& path) const;

    const GenerateRequest& request_;
    const GuestBoard& board_;
    std::unique_ptr<config::AxVMCrateConfig> config_;
    std::optional<ImageFile> kernel_;
    u64 ramdisk_bytes_ = 0;
    u64 memory_base_ = 0;
    u64 kernel_end_ = 0;
    GeneratedVm result_;
};

std::expected<void, Error> too_long(std::string_view what, std::size_t most) {
    return std::unexpected(
        Error{std::string(what) + " is too long", "", "", "use at most " + std::to_string(most) + " characters"});
}

std::expected<void, Error> Generator::set_base() {
    config::BaseConfig& base = config_->base;
    base.id = request_.id;
    const std::string name = request_.name + "-" + std::string(board_.arch);
    if (!base.name.assign(name)) return too_long("the name " + name, config::Name::capacity());
    base.vm_type = index(config::vm_type_from(request_.vm_type));
    if (base.vm_type != request_.vm_type)
        result_.warnings.push_back("VM type " + std::to_string(request_.vm_type) +
                                   " has no meaning and became 1, an RTOS; use 0 (host VM), 1 (RTOS) or 2 (Linux)");
    if (request_.cpu_num < 1 || request_.cpu_num > config::max_vcpus)
        return std::unexpected(Error{"a VM cannot have " + std::to_string(request_.cpu_num) + " vCPUs", "--cpu-num", "",
                                     "use a number from 1 to 64"});
    base.cpu_num = request_.cpu_num;
    base.phys_cpu_ids.emplace();
    for (u64 i = 0; i < base.cpu_num; ++i) expect(base.phys_cpu_ids->push_back(cpu_number(request_.arch, i)), "there is room for an id of every vCPU");
    return {};
}

std::expected<void, Error> Generator::open_images() {
    auto kernel = load_image(request_.kernel_path);
    if (kernel) {
        kernel_ = *std::move(kernel);
    } else if (request_.image_location == config::ImageLocation::Memory && !std::filesystem::exists(request_.kernel_path)) {
        result_.warnings.push_back("the kernel " + request_.kernel_path.string() +
                                   " is not there, so that nothing could be checked against it; memory is laid out for 64 MiB");
    } else {
        return std::unexpected(Error{kernel.error().what, "--kernel-path", "", kernel.error().hint});
    }
    if (request_.ramdisk_path.empty()) return {};
    const auto ramdisk = load_image(request_.ramdisk_path);
    if (!ramdisk) return std::unexpected(Error{ramdisk.error().what, "--ramdisk-path", "", ramdisk.error().hint});
    ramdisk_bytes_ = ramdisk->bytes().size();
    return {};
}

u64 Generator::choose_load_addr() const {
    if (request_.kernel_load_addr) return *request_.kernel_load_addr;
    if (kernel_ && is_elf(kernel_->bytes())) {
        const auto elf = parse_elf(kernel_->bytes());
        if (elf && !elf->segments.empty()) {
            const u64 lowest = std::ranges::min(elf->segments, {}, &ElfSegment::physical_address).physical_address;
            if (lowest >= board_.memory_base && lowest < board_.memory_end) return lowest;
        }
    }
    return board_.kernel_load_addr;
}

std::expected<void, Error> Generator::place_kernel() {
    config::KernelConfig& kernel = config_->kernel;
    kernel.kernel_load_addr = choose_load_addr();
    const u64 load = kernel.kernel_load_addr;
    if (load < board_.memory_base || load >= board_.memory_end)
        return std::unexpected(Error{hex(load) + " is no memory of the board", "--kernel-load-addr",
                                     "memory lies in " + hex(board_.memory_base) + ".." + hex(board_.memory_end),
                                     "use " + hex(board_.kernel_load_addr)});
    memory_base_ = std::max(board_.memory_base, align_down(load, usual_memory));
    kernel.entry_point = request_.entry_point;
    kernel_end_ = load + 64 * mib;
    if (!kernel_) {
        if (kernel.entry_point == 0) kernel.entry_point = load;
        return {};
    }
    // All that the board could give, to see how much of it the kernel wants.
    expect(kernel.memory_regions.push_back({memory_base_, board_.memory_end - memory_base_, 0x7, {}}), "the first region fits");
    const auto placed = sim::place_kernel(*kernel_, kernel, request_.arch);
    if (!placed)
        return std::unexpected(
            Error{placed.error().what, "--kernel-path", "the VM shall be " + std::string(board_.arch),
                  placed.error().rule == "image-machine" ? placed.error().hint + ", or another --arch" : placed.error().hint});
    kernel_end_ = 0;
    for (const Segment& segment : placed->segments) kernel_end_ = std::max(kernel_end_, segment.range().end().value());
    if (kernel.entry_point == 0) kernel.entry_point = placed->entry.value();
    // Linux Documentation, "Booting AArch64 Linux" and "Boot image header in RISC-V Linux", text_offset.
    const u64 text_offset = placed->text_offset % huge_page;
    if (placed->kind == KernelKind::LinuxImage && load % huge_page != text_offset)
        return std::unexpected(
            Error{"Linux will not start at " + hex(load), "--kernel-load-addr",
                  "this image must lie at a multiple of 2 MiB" + (text_offset == 0 ? std::string() : " plus " + hex(text_offset)),
                  "use " + hex(align_down(load, huge_page) + text_offset)});
    return {};
}

/// Device tree and ramdisk in the middle of the memory: clear of the kernel below, and of boot loaders such
/// as U-Boot, which move themselves to the top.
std::expected<void, Error> Generator::place_rest() {
    config::KernelConfig& kernel = config_->kernel;
    const u64 behind_kernel = align_up(kernel_end_, huge_page);
    const u64 least = behind_kernel + huge_page + align_up(ramdisk_bytes_, huge_page) + least_room - memory_base_;
    // A compressed ramdisk unpacks to several times its size while it is still there.
    const u64 usual = std::max(usual_memory, align_up(2 * (behind_kernel - memory_base_) + 8 * ramdisk_bytes_, 64 * mib));
    const u64 size = request_.memory_bytes.value_or(usual);
    if (size % page_size != 0)
        return std::unexpected(
            Error{hex(size) + " is no whole number of pages", "--memory", "", "use " + hex(align_up(size, page_size))});
    if (size < least)
        return std::unexpected(
            Error{hex(size) + " bytes of memory are too few for the images", "--memory", "", "use at least " + hex(least)});
    if (size > board_.memory_end - memory_base_)
        return std::unexpected(Error{hex(size) + " bytes are more than the board has room for", "--memory", "",
                                     "use at most " + hex(board_.memory_end - memory_base_)});
    kernel.memory_regions.clear();
    expect(kernel.memory_regions.push_back({memory_base_, size, 0x7, {}}), "the first region fits");
    const u64 end = memory_base_ + size - least_room;
    u64 at = align_up(std::max(behind_kernel, memory_base_ + size / 2), huge_page);
    if (at + huge_page + ramdisk_bytes_ > end) at = behind_kernel;
    if (board_.has_device_tree) kernel.dtb_load_addr = at;
    if (!request_.ramdisk_path.empty()) kernel.ramdisk_load_addr = at + huge_page;
    return {};
}

std::string Generator::written_path(const std::filesystem::path& path) const {
    std::error_code error;
    const std::filesystem::path absolute = std::filesystem::absolute(path, error).lexically_normal();
    if (request_.output.empty()) return absolute.string();
    const std::filesystem::path directory = std::filesystem::absolute(request_.output, error).parent_path();
    const std::filesystem::path relative = std::filesystem::relative(absolute, directory, error);
    return error || relative.empty() ? absolute.string() : relative.string();
}

std::expected<void, Error> Generator::set_texts() {
    config::KernelConfig& kernel = config_->kernel;
    kernel.image_location = request_.image_location;
    if (!kernel.kernel_path.assign(written_path(request_.kernel_path)))
        return too_long("the kernel's path", config::Path::capacity());
    if (!request_.ramdisk_path.empty() && !kernel.ramdisk_path.assign(written_path(request_.ramdisk_path)))
        return too_long("the ramdisk's path", config::Path::capacity());
    if (!kernel.cmdline.assign(request_.cmdline ? std::string_view(*request_.cmdline) : board_.cmdline))
        return too_long("the command line", config::Cmdline::capacity());
    return {};
}

/// The same reader and rules that `run` and `config check` apply, so that no file is written which they refuse.
std::expected<void, Error> Generator::check(const std::string& text) const {
    const auto file = read_vm_text(text, request_.output.empty() ? std::string("generated") : request_.output.string());
    if (!file) {
        const Diagnostic& first = file.error().first();
        return std::unexpected(Error{"the file would not be valid", first.key,
                                     first.what + (first.why.empty() ? "" : ": " + first.why), first.hint});
    }
    expect(write_vm(file->config, {}) == write_vm(*config_, {}), "a generated VM file reads back as what was written");
    return {};
}

std::expected<GeneratedVm, Error> Generator::run() {
    for (const auto step :
         {&Generator::set_base, &Generator::open_images, &Generator::place_kernel, &Generator::place_rest, &Generator::set_texts})
        if (const Step done = (this->*step)(); !done) return std::unexpected(done.error());
    add_board_devices(request_.arch, request_.cpu_num, config_->devices);
    std::string heading(request_.arch == config::Arch::Riscv64 ? "A " : "An ");
    heading.append(board_.arch).append(" VM for ").append(request_.kernel_path.filename().string());
    heading.append(", made by axsim config generate.\n").append(board_.comment);
    // A file name may hold what a comment may not.
    for (char& c : heading)
        if ((static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f) c = '?';
    result_.text = write_vm(*config_, heading);
    if (const Step done = check(result_.text); !done) return std::unexpected(done.error());
    return std::move(result_);
}

}  // namespace

std::expected<GeneratedVm, Error> generate_vm(const GenerateRequest& request) { return Generator(request).run(); }

}  // namespace ax::sim
