#include "sim/hal/unicorn/env_layout.hpp"

#include <cstring>
#include <memory>
#include <vector>

namespace ax::sim {

namespace {

using Context = std::unique_ptr<uc_context, decltype(&uc_context_free)>;

/// Finds the one 8-byte word of the context that a register write changes.
class Probe {
public:
    Probe(uc_engine* uc, uc_context* context) : uc_(uc), context_(context), size_(uc_context_size(uc)) {}

    [[nodiscard]] std::expected<std::size_t, std::string> locate(int reg, u64 first, u64 second, const char* name) {
        const auto before = image_after(reg, first);
        const auto after = image_after(reg, second);
        std::size_t found = 0;
        int hits = 0;
        for (std::size_t at = 0; at + 8 <= size_; at += 8) {
            if (word(before, at) == word(after, at)) continue;
            found = at;
            ++hits;
        }
        if (hits != 1) return std::unexpected(std::string("register ") + name + " changes " + std::to_string(hits) + " words");
        return found;
    }

private:
    [[nodiscard]] std::vector<std::byte> image_after(int reg, u64 value) {
        u64 machine_mode = 3;
        uc_reg_write(uc_, UC_RISCV_REG_PRIV, &machine_mode);
        uc_reg_write(uc_, reg, &value);
        uc_context_save(uc_, context_);
        std::vector<std::byte> image(size_);
        std::memcpy(image.data(), context_, size_);
        return image;
    }
    [[nodiscard]] static u64 word(const std::vector<std::byte>& image, std::size_t at) {
        u64 value = 0;
        std::memcpy(&value, image.data() + at, sizeof value);
        return value;
    }

    uc_engine* uc_;
    uc_context* context_;
    std::size_t size_;
};

}  // namespace

std::expected<EnvLayout, std::string> calibrate(uc_engine* uc) {
    uc_context* raw = nullptr;
    if (uc_context_alloc(uc, &raw) != UC_ERR_OK) return std::unexpected(std::string("uc_context_alloc failed"));
    const Context context(raw, &uc_context_free);
    Probe probe(uc, raw);

    EnvLayout layout;
    std::size_t x31 = 0;
    std::size_t f31 = 0;
    constexpr u64 interrupts = 0x222;
    constexpr u64 fs_dirty = 3 << 13;
    struct Register {
        std::size_t* place;
        int reg;
        u64 first, second;
        const char* name;
    };
    const Register registers[] = {
        {&layout.x, UC_RISCV_REG_X1, 0x11, 0x22, "x1"},
        {&x31, UC_RISCV_REG_X31, 0x11, 0x22, "x31"},
        {&layout.f, UC_RISCV_REG_F0, 0x11, 0x22, "f0"},
        {&f31, UC_RISCV_REG_F31, 0x11, 0x22, "f31"},
        {&layout.pc, UC_RISCV_REG_PC, 0x1000, 0x2000, "pc"},
        {&layout.mstatus, UC_RISCV_REG_MSTATUS, 0, fs_dirty, "mstatus"},
        {&layout.mideleg, UC_RISCV_REG_MIDELEG, 0, interrupts, "mideleg"},
        {&layout.mie, UC_RISCV_REG_MIE, 0, interrupts, "mie"},
        {&layout.mip, UC_RISCV_REG_MIP, interrupts, 0, "mip"},
        {&layout.stvec, UC_RISCV_REG_STVEC, 0x100, 0x200, "stvec"},
        {&layout.sepc, UC_RISCV_REG_SEPC, 0x100, 0x200, "sepc"},
        {&layout.scause, UC_RISCV_REG_SCAUSE, 1, 2, "scause"},
        {&layout.stval, UC_RISCV_REG_STVAL, 1, 2, "stval"},
        {&layout.sscratch, UC_RISCV_REG_SSCRATCH, 1, 2, "sscratch"},
        {&layout.scounteren, UC_RISCV_REG_SCOUNTEREN, 1, 2, "scounteren"},
        {&layout.satp, UC_RISCV_REG_SATP, 0, u64{8} << 60 | 1, "satp"},
        {&layout.frm, UC_RISCV_REG_FRM, 1, 2, "frm"},
        {&layout.privilege, UC_RISCV_REG_PRIV, 3, 1, "priv"},
    };
    for (const Register& r : registers) {
        const auto place = probe.locate(r.reg, r.first, r.second, r.name);
        if (!place) return std::unexpected(place.error());
        *r.place = *place;
    }
    if (x31 - layout.x != 30 * 8 || f31 - layout.f != 31 * 8)
        return std::unexpected(std::string("the register files are not arrays"));
    layout.x -= 8;
    // No interface names the reservation; it stands behind the pc, and the start-up check proves it.
    layout.load_res = layout.pc + 8;
    layout.load_val = layout.pc + 16;
    return layout;
}

riscv::HartView EnvLayout::view(uc_context* context) const {
    const auto at = [&](std::size_t offset) {
        return reinterpret_cast<u64*>(reinterpret_cast<std::byte*>(context) + offset);  // the saved image, 8-byte aligned
    };
    return {at(x),     at(f),    at(pc),     at(privilege), at(mstatus),  at(mie),        at(mip),  at(mideleg), at(stvec),
            at(sepc),  at(scause), at(stval), at(sscratch),  at(scounteren), at(satp), at(frm), at(load_res), at(load_val)};
}

}  // namespace ax::sim
