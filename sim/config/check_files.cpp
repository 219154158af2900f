#include "sim/config/check_files.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "sim/config/check_together.hpp"
#include "sim/config/guest.hpp"
#include "sim/config/source_text.hpp"
#include "sim/config/text_file.hpp"
#include "sim/config/toml_tree.hpp"

namespace ax::sim {

namespace {

FileKind kind_of(std::string_view text) {
    const auto root = parse_toml(text);
    // What is no TOML is called a VM's file: most are, and the message is the same.
    if (!root) return FileKind::Vm;
    if (root->find("plat") != nullptr || root->find("arch") != nullptr || root->find("platform") != nullptr) return FileKind::Platform;
    // One of its keys is enough: what else is there may be misspelt.
    const bool has_tables = root->find("base") != nullptr || root->find("kernel") != nullptr || root->find("devices") != nullptr;
    const bool is_defconfig = !has_tables && std::ranges::any_of(root->entries, [](const TomlEntry& entry) { return is_defconfig_key(entry.key); });
    return is_defconfig ? FileKind::Defconfig : FileKind::Vm;
}

bool is_image_missing(const Diagnostic& diagnostic) { return diagnostic.rule == "image-unreadable"; }

/// All findings over the images of a VM.
std::vector<Diagnostic> check_images(const VmFile& vm, const PlatformFile* platform) {
    std::vector<Diagnostic> found;
    if (platform != nullptr) {
        auto guest = load_guest(vm, *platform);
        found = guest ? std::move(guest->warnings) : std::move(guest.error().diagnostics);
    } else {
        const auto look = [&](const std::string& role, const std::optional<std::filesystem::path>& path) {
            if (!path) return;
            const auto image = load_image(*path);
            if (!image) found.push_back(diagnose(vm, {"kernel." + role + "_path", image.error().rule, image.error().what, image.error().hint}));
        };
        look("kernel", vm.images.kernel);
        look("bios", vm.images.bios);
        look("dtb", vm.images.dtb);
        look("ramdisk", vm.images.ramdisk);
        look("option_rom", vm.images.option_rom);
    }
    if (vm.config.kernel.image_location == config::ImageLocation::Memory)
        for (Diagnostic& diagnostic : found)
            if (is_image_missing(diagnostic)) diagnostic.severity = config::Severity::Warning;
    return found;
}

/// Collects the findings over one set of files.
class Checker {
public:
    void add(const std::filesystem::path& path);
    void use_platform(const std::filesystem::path& path);
    CheckReport finish();

private:
    void take(std::vector<Diagnostic> found) {
        for (Diagnostic& diagnostic : found) report_.findings.push_back(std::move(diagnostic));
    }
    /// The value of a file that was read; its findings are taken either way.
    template <class T>
    std::optional<T> accept(std::expected<T, ConfigError> file) {
        if (!file) {
            take(std::move(file.error().diagnostics));
            return std::nullopt;
        }
        take(std::exchange(file->warnings, {}));
        return *std::move(file);
    }

    CheckReport report_;
};

void Checker::add(const std::filesystem::path& path) {
    CheckedFile& file = report_.files.emplace_back();
    file.path = path;
    auto text = read_text_file(path);
    if (!text) {
        take(std::move(text.error().diagnostics));
        return;
    }
    file.text = *std::move(text);
    file.kind = kind_of(file.text);
    switch (file.kind) {
        case FileKind::Vm: {
            JudgedVm judged = judge_vm_text(file.text, path.string());
            take(std::move(judged.findings));
            file.vm = std::move(judged.file);
            file.is_good_vm = judged.is_good;
            break;
        }
        case FileKind::Platform: file.platform = accept(read_platform_text(file.text, path.string())); break;
        case FileKind::Defconfig:
            if (auto read = read_defconfig_text(file.text, path.string()); !read) take(std::move(read.error().diagnostics));
            break;
        case FileKind::Unreadable: break;
    }
}

void Checker::use_platform(const std::filesystem::path& path) {
    add(path);
    if (report_.files.back().kind != FileKind::Platform && report_.files.back().kind != FileKind::Unreadable) {
        Diagnostics diagnostics(path.string(), {});
        diagnostics.error({}, {"", "no-platform", "is no platform file, which --platform needs", "see configs/platforms"});
        take(diagnostics.take());
    }
}

CheckReport Checker::finish() {
    for (std::size_t i = report_.files.size(); i-- > 0;)
        if (report_.files[i].platform) report_.platform = i;
    const PlatformFile* platform = report_.platform_file();
    std::vector<VmFile> vms;
    for (const CheckedFile& file : report_.files) {
        if (!file.vm) continue;
        if (platform != nullptr) take(check_on_platform(*file.vm, *platform));
        // Images are only loaded for a machine that can be.
        take(check_images(*file.vm, file.is_good_vm ? platform : nullptr));
        vms.push_back(*file.vm);
    }
    take(check_together(vms, platform));
    const auto place = [&](const Diagnostic& d) {
        const auto file = std::ranges::find(report_.files, d.file, [](const CheckedFile& f) { return f.path.string(); });
        return std::tuple(file - report_.files.begin(), d.at.line, d.at.column, d.severity, d.rule, d.what);
    };
    std::ranges::sort(report_.findings, {}, place);
    return std::move(report_);
}

}  // namespace

std::string_view to_text(FileKind kind) {
    switch (kind) {
        case FileKind::Vm: return "vm";
        case FileKind::Platform: return "platform";
        case FileKind::Defconfig: return "defconfig";
        case FileKind::Unreadable: return "unreadable";
    }
    return "unknown";
}

std::size_t CheckReport::errors() const {
    return static_cast<std::size_t>(std::ranges::count(findings, config::Severity::Error, &Diagnostic::severity));
}

std::string CheckReport::value_of(const Diagnostic& finding) const {
    // The line is at hand, unless it is a long one.
    if (finding.at.column < 256 && finding.source_line.size() < 256) return finding.at.line == 0 ? std::string{} : value_text(finding.source_line, {1, finding.at.column});
    const auto file = std::ranges::find(files, finding.file, [](const CheckedFile& f) { return f.path.string(); });
    return file == files.end() ? std::string{} : value_text(file->text, finding.at);
}

CheckReport check_files(const std::vector<std::filesystem::path>& paths, const std::optional<std::filesystem::path>& platform) {
    Checker checker;
    if (platform) checker.use_platform(*platform);
    for (const std::filesystem::path& path : paths) checker.add(path);
    return checker.finish();
}

}  // namespace ax::sim
