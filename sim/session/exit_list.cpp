#include "sim/session/exit_list.hpp"

#include <cerrno>
#include <cstring>

#include "sim/report/record_text.hpp"

namespace ax::sim {

std::expected<std::unique_ptr<ExitList>, Error> ExitList::create(const std::string& path) {
    OwnedFile file(std::fopen(path.c_str(), "wb"));
    if (!file) return std::unexpected(Error{"cannot write the list of exits", path, std::strerror(errno), ""});
    return std::unique_ptr<ExitList>(new ExitList(path, std::move(file)));
}

std::optional<Outcome> ExitList::on_exit(const ExitRecord& exit, u64 /*cost_ns*/) {
    const std::string line = to_line(exit) + "\n";
    if (std::fwrite(line.data(), 1, line.size(), file_.get()) == line.size()) return std::nullopt;
    return Outcome::RecorderFailed;
}

std::expected<void, Error> ExitList::finish() {
    if (std::fflush(file_.get()) == 0 && std::ferror(file_.get()) == 0) return {};
    return std::unexpected(Error{"cannot write the list of exits", path_, std::strerror(errno), "make room, or choose another place"});
}

}  // namespace ax::sim
