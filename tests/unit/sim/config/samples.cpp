#include "tests/unit/sim/config/samples.hpp"

#include <unistd.h>

#include <fstream>

namespace ax::test {

std::string TemporaryDirectory::unique() { return std::to_string(::getpid()); }

std::filesystem::path TemporaryDirectory::write(std::string_view name, std::string_view bytes) const {
    std::ofstream(path_ / name, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path_ / name;
}

}  // namespace ax::test
