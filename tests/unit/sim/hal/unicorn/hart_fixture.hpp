// A board of one or more simulated harts with RAM, an identity second stage and machine code put in
// by hand; no core above it.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>
#include <memory>

#include "sim/hal/unicorn/riscv_cpu.hpp"
#include "sim/state/hasher.hpp"

namespace ax::sim::harttest {

using namespace ax::riscv;

inline constexpr Hpa ram_start{0x8000'0000};
inline constexpr u64 ram_size = u64{4} << 20;

/// Time that counts instructions, and at most one interrupt.
class CountingBoard final : public HartBoard {
public:
    u64 ticks_after(u64 retired) override { return ticks + retired; }
    void retire(u64 instructions) override { ticks += instructions; }
    std::optional<Interrupt> take_interrupt() override { return std::exchange(interrupt, std::nullopt); }
    u64 ticks = 0;
    std::optional<Interrupt> interrupt;
};

/// Encodings, by the unprivileged manual's formats.
struct Asm {
    static constexpr u32 ecall = 0x0000'0073, ebreak = 0x0010'0073, wfi = 0x1050'0073, sret = 0x1020'0073, nop = 0x0000'0013;
    static constexpr u32 sfence_vma = 0x1200'0073;
    static constexpr u32 i(u32 opcode, u32 f3, u32 rd, u32 rs1, i32 imm) {
        return static_cast<u32>(imm) << 20 | rs1 << 15 | f3 << 12 | rd << 7 | opcode;
    }
    static constexpr u32 s(u32 opcode, u32 f3, u32 rs1, u32 rs2, i32 imm) {
        const u32 v = static_cast<u32>(imm);
        return ((v >> 5) & 0x7f) << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | (v & 0x1f) << 7 | opcode;
    }
    static constexpr u32 addi(u32 rd, u32 rs1, i32 imm) { return i(0x13, 0, rd, rs1, imm); }
    static constexpr u32 li(u32 rd, i32 imm) { return addi(rd, 0, imm); }
    static constexpr u32 csrrs(u32 rd, u32 csr, u32 rs1) { return csr << 20 | rs1 << 15 | 2U << 12 | rd << 7 | 0x73; }
    static constexpr u32 csrrw(u32 rd, u32 csr, u32 rs1) { return csr << 20 | rs1 << 15 | 1U << 12 | rd << 7 | 0x73; }
    static constexpr u32 csrrc(u32 rd, u32 csr, u32 rs1) { return csr << 20 | rs1 << 15 | 3U << 12 | rd << 7 | 0x73; }
    static constexpr u32 ld(u32 rd, u32 rs1, i32 imm) { return i(0x03, 3, rd, rs1, imm); }
    static constexpr u32 sd(u32 rs2, u32 rs1, i32 imm) { return s(0x23, 3, rs1, rs2, imm); }
    static constexpr u32 jalr(u32 rd, u32 rs1, i32 imm) { return i(0x67, 0, rd, rs1, imm); }
    static constexpr u32 bne(u32 rs1, u32 rs2, i32 offset) {
        const u32 v = static_cast<u32>(offset);
        return (v >> 12 & 1) << 31 | (v >> 5 & 0x3f) << 25 | rs2 << 20 | rs1 << 15 | 1U << 12 | (v >> 1 & 0xf) << 8 |
               (v >> 11 & 1) << 7 | 0x63;
    }
};

class Board {
public:
    explicit Board(u64 size = ram_size) : memory(std::move(*PhysMemory::create(ram_start, size))), engine(open()) {}

    std::unique_ptr<RiscvEngine> open() {
        auto opened = RiscvEngine::create(memory);
        EXPECT_TRUE(opened.has_value()) << opened.error();
        return std::move(*opened);
    }
    std::unique_ptr<RiscvCpu> hart(HartOptions options = {}) {
        auto cpu = std::make_unique<RiscvCpu>(memory, *engine, clock, options);
        HsCsrs& hs = cpu->hs();
        hs.hstatus = Hstatus::VSXL::of(2) | Hstatus::SPV::of(1) | Hstatus::SPVP::of(1) | Hstatus::VTW::of(1);
        hs.hcounteren = 7;
        hs.sstatus = Sstatus::SPP::of(1) | Sstatus::FS::of(3);
        hs.sepc = ram_start.value();
        return cpu;
    }
    void put(u64 at, std::initializer_list<u32> words) {
        for (const u32 word : words) {
            write(at, word);
            at += 4;
        }
    }
    void put16(u64 at, std::initializer_list<u16> parcels) {
        for (const u16 parcel : parcels) {
            write(at, parcel);
            at += 2;
        }
    }
    template <class T>
    void write(u64 at, T value) {
        EXPECT_TRUE(memory.write(Hpa{at}, std::as_bytes(std::span(&value, 1))));
    }
    template <class T = u64>
    T read(u64 at) {
        T value{};
        EXPECT_TRUE(memory.read(Hpa{at}, std::as_writable_bytes(std::span(&value, 1))));
        return value;
    }
    /// A leaf of 4 KiB in the Sv39 or Sv39x4 tables rooted at `root`; tables come from `next_table`.
    void map(u64 root, u64 address, u64 frame, u64 flags, bool is_stage2 = false) {
        u64 table = root;
        for (int level = 2; level > 0; --level) {
            const unsigned shift = 12 + 9 * static_cast<unsigned>(level);
            const u64 entry = table + 8 * ((address >> shift) & (is_stage2 && level == 2 ? 0x7ff : 0x1ff));
            if (read(entry) == 0) {
                write(entry, (next_table >> 2) | 1);
                next_table += page_size;
            }
            table = (read(entry) >> 10) << 12;
        }
        write(table + 8 * ((address >> 12) & 0x1ff), (frame >> 2) | flags);
    }

    CountingBoard clock;
    PhysMemory memory;
    std::unique_ptr<RiscvEngine> engine;
    u64 next_table = ram_start.value() + 0x20'0000;
};

inline u64 state_hash(RiscvCpu& cpu, PhysMemory& memory) { return hash_of(cpu) ^ memory.hash(); }

}  // namespace ax::sim::harttest
