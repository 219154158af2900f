#include "sim/report/disassembly.hpp"

#include <capstone/capstone.h>

#include <algorithm>
#include <vector>

#include "sim/report/riscv_disassembly.hpp"

namespace ax::sim {
namespace {

struct Target {
    cs_arch arch;
    cs_mode mode;
};

Target target_of(Isa isa) {
    switch (isa) {
#if CS_API_MAJOR >= 5
        case Isa::Riscv64: return {CS_ARCH_RISCV, static_cast<cs_mode>(CS_MODE_RISCV64 | CS_MODE_RISCVC)};
#else
        case Isa::Riscv64: break;
#endif
        case Isa::Arm64: return {CS_ARCH_ARM64, CS_MODE_ARM};
        case Isa::X86_64: return {CS_ARCH_X86, CS_MODE_64};
    }
    return {CS_ARCH_ALL, CS_MODE_LITTLE_ENDIAN};
}

}  // namespace

std::string disassemble(Isa isa, std::span<const std::byte> code, u64 pc) {
    const Target target = target_of(isa);
    csh handle = 0;
    if (isa == Isa::Riscv64 && CS_API_MAJOR < 5) return disassemble_riscv(code);
    if (cs_open(target.arch, target.mode, &handle) != CS_ERR_OK) return {};
    std::vector<u8> bytes(code.size());
    std::ranges::transform(code, bytes.begin(), [](std::byte b) { return std::to_integer<u8>(b); });
    cs_insn* insn = nullptr;
    const std::size_t count = cs_disasm(handle, bytes.data(), bytes.size(), pc, 1, &insn);
    std::string text;
    if (count != 0) {
        text = insn->mnemonic;
        if (insn->op_str[0] != '\0') text += std::string(" ") + insn->op_str;
        cs_free(insn, count);
    }
    cs_close(&handle);
    return text;
}

}  // namespace ax::sim
