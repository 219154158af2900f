// Opening the x86 engine: Unicorn goes into SVM guest mode once, and the places of a saved context are found.
#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "core/base/expect.hpp"
#include "sim/hal/unicorn/riscv_engine.hpp"
#include "sim/hal/unicorn/uc_control.hpp"
#include "sim/hal/unicorn/x86_engine.hpp"

namespace ax::sim {

namespace {

constexpr std::size_t private_bytes = 0x10000;
/// Of Unicorn's physical space, of which this processor has 40 bits; above any board's RAM.
constexpr u64 private_base = u64{0xf0} << 32;
static_assert(private_base >> 16 == 0xf0'0000);
constexpr u64 control_block = private_base, host_save_area = private_base + 0x1000, start_code = private_base + 0x2000, io_map = private_base + 0x4000,
              msr_map = private_base + 0x8000;
constexpr std::size_t msr_map_offset = msr_map - private_base;
constexpr std::size_t tcg_buffer_bytes = std::size_t{64} << 20;

/// MSRs that the start needs. AMD64 manual vol. 2, "VM_HSAVE_PA MSR".
constexpr u32 efer = 0xc000'0080, vm_hsave_pa = 0xc001'0117;
constexpr u64 efer_at_start = 0x1d01;  // SVME, NXE, LMA, LME, SCE
constexpr u64 cr4_at_start = 0x220;    // OSFXSR, PAE
constexpr u64 cr0_at_start = 0x8001'0033;

constexpr u64 bit_of(u32 event) { return u64{1} << (event - x86_event::base - 0x60); }
/// Everything that the model decides. Software interrupts are always among them: without, Unicorn reports wrong
/// addresses ever after (engine facts 2.5).
constexpr u64 first_intercepts = bit_of(x86_event::rdpmc) | bit_of(x86_event::cpuid) | bit_of(x86_event::rsm) | bit_of(x86_event::software_interrupt) |
                                 bit_of(x86_event::hlt) | bit_of(x86_event::invlpg) | bit_of(x86_event::invlpga) | bit_of(x86_event::msr) |
                                 bit_of(x86_event::shutdown) | bit_of(x86_event::vmrun) | bit_of(x86_event::vmmcall) | bit_of(x86_event::wbinvd) |
                                 bit_of(x86_event::monitor) | bit_of(x86_event::mwait) | (u64{0x3f} << (0x82 - 0x60));

template <class F>
void* as_callback(F* function) {
    return reinterpret_cast<void*>(function);  // the C interface of uc_hook_add takes every callback as void*
}

std::unexpected<std::string> wrong(const char* what) { return std::unexpected(std::string(what)); }

}  // namespace

void X86Engine::Unmap::operator()(std::byte* p) const { munmap(p, private_bytes); }

X86Engine::X86Engine(PhysMemory& memory)
    : memory_(memory),
      guard_(memory.range().size / page_size),
      changing_(memory.range().size / page_size),
      generations_(memory.range().size / page_size) {}

X86Engine::~X86Engine() = default;

std::expected<std::unique_ptr<X86Engine>, std::string> X86Engine::create(PhysMemory& memory) {
    std::unique_ptr<X86Engine> engine(new X86Engine(memory));
    auto done = engine->open();
    if (done) done = engine->enter_guest_mode();
    if (done) done = engine->calibrate();
    if (done) done = engine->calibrate_fault_address();
    if (!done)
        return std::unexpected("Unicorn " + RiscvEngine::version() + " is not usable for x86_64: " + done.error() + "; axsim needs " + version_needed +
                               " or a later one that behaves the same");
    return engine;
}

std::expected<void, std::string> X86Engine::open() {
    void* pages = mmap(nullptr, private_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return wrong("the host has no memory for the control block");
    private_.reset(static_cast<std::byte*>(pages));
    uc_engine* uc = nullptr;
    if (const uc_err e = uc_open(UC_ARCH_X86, UC_MODE_64, &uc); e != UC_ERR_OK) return std::unexpected(std::string(uc_strerror(e)));
    uc_.reset(uc);
    const auto range = memory_.range();
    uc_hook hook = 0;
    const auto add_hook = [&](int type, void* callback) { return uc_hook_add(uc, &hook, type, callback, this, 1, 0); };
    const auto add_insn_hook = [&](void* callback, int insn) { return uc_hook_add(uc, &hook, UC_HOOK_INSN, callback, this, 1, 0, insn); };
    const uc_err results[] = {
        uc::set_cpu_model(uc, UC_CPU_X86_OPTERON_G5),
        uc::set_tcg_buffer_size(uc, static_cast<u32>(tcg_buffer_bytes)),
        uc::use_virtual_tlb(uc),
        // With an empty set of exits Unicorn does not look at `until`, which it would translate.
        uc::enable_exits(uc),
        uc_mem_map_ptr(uc, range.start.value(), range.size, UC_PROT_ALL, memory_.pointer(range.start)),
        uc_mem_map_ptr(uc, private_base, private_bytes, UC_PROT_ALL, private_.get()),
        add_hook(UC_HOOK_BLOCK, as_callback(&on_block)),
        add_hook(UC_HOOK_INTR, as_callback(&on_interrupt)),
        add_hook(UC_HOOK_TLB_FILL, as_callback(&on_tlb_fill)),
        add_insn_hook(as_callback(&on_rdtsc), UC_X86_INS_RDTSC),
        add_insn_hook(as_callback(&on_rdtscp), UC_X86_INS_RDTSCP),
        add_insn_hook(as_callback(&on_syscall), UC_X86_INS_SYSCALL),
    };
    for (const uc_err e : results)
        if (e != UC_ERR_OK) return std::unexpected(std::string(uc_strerror(e)));
    write_epoch_ = memory_.write_epoch();
    return {};
}

/// VMRUN, once: engine facts 1.2. Layout of the control block: AMD64 manual vol. 2, appendix B.
std::expected<void, std::string> X86Engine::enter_guest_mode() {
    uc_engine* uc = uc_.get();
    const auto put = [&](std::size_t at, auto value) { std::memcpy(private_.get() + at, &value, sizeof value); };
    constexpr std::size_t save = 0x400;
    for (std::size_t at = 0; at < 8; at += 2) put(at, u16{0xffff});  // all accesses to CR and DR
    put(0x8, u32{0xffff'ffff});                                        // all exceptions
    put(0xc, first_intercepts);
    put(0x40, io_map);
    put(0x48, msr_map);
    put(0x58, u32{1});
    for (std::size_t s = 0; s < 6; ++s) {
        const bool is_code = s == 1;
        put(save + 16 * s, static_cast<u16>(is_code ? 8 : 16));
        put(save + 16 * s + 2, static_cast<u16>(is_code ? 0xa9b : 0xc93));
        put(save + 16 * s + 4, u32{0xffff'ffff});
        put(save + 16 * s + 8, u64{0});
    }
    put(save + 0xd0, efer_at_start);
    put(save + 0x148, cr4_at_start);
    put(save + 0x150, u64{0});
    put(save + 0x158, cr0_at_start);
    put(save + 0x170, u64{2});
    put(save + 0x178, start_code + 0x100);
    put(save + 0x1d8, u64{0});
    put(save + 0x1f8, u64{0});
    std::memset(private_.get() + msr_map_offset, 0xff, 0x2000);
    constexpr u8 vmrun[] = {0x0f, 0x01, 0xd8};
    std::memcpy(private_.get() + (start_code - private_base), vmrun, sizeof vmrun);
    private_.get()[start_code - private_base + 0x100] = std::byte{0xf4};  // HLT
    write(UC_X86_REG_CR4, cr4_at_start);
    const auto set = [&](u32 number, u64 value) {
        const uc_x86_msr m{number, value};
        uc_reg_write(uc, UC_X86_REG_MSR, &m);
    };
    set(efer, efer_at_start);
    set(vm_hsave_pa, host_save_area);
    write(UC_X86_REG_RAX, control_block);
    is_private_ = true;
    const uc_err error = uc_emu_start(uc, start_code, 0, 0, 0);
    is_private_ = false;
    if (error != UC_ERR_OK || !stop_ || stop_->kind != X86StopKind::Event || stop_->number != x86_event::hlt) return wrong("it does not enter SVM guest mode");
    flush_translation();
    return {};
}

std::expected<void, std::string> X86Engine::calibrate() {
    uc_engine* uc = uc_.get();
    for (SavedRegisters* registers : {&pristine_, &scratch_}) {
        *registers = SavedRegisters::take(uc);
        if (registers->get() == nullptr) return wrong("uc_context_alloc failed");
    }
    constexpr u64 gpr_mark = 0xa5a5'0000'1111'0000, cr2_mark = 0x1122'3344'5566'7788, dr_mark = 0x77'1234'5600;
    for (int n = 0; n < 8; ++n) write(UC_X86_REG_R8 + n, gpr_mark + static_cast<u64>(n));
    write(UC_X86_REG_CR2, cr2_mark);
    for (int n = 0; n < 4; ++n) write(UC_X86_REG_DR0 + n, dr_mark + static_cast<u64>(n));
    const uc_x86_mmr gdtr{0, 0x9988'7766, 0x1234, 0};
    uc_reg_write(uc, UC_X86_REG_GDTR, &gdtr);
    uc_context_save(uc, scratch_.get());
    const auto* bytes = reinterpret_cast<const std::byte*>(scratch_.get());
    const std::size_t size = uc_context_size(uc);
    const auto word = [&](std::size_t at) {
        u64 value = 0;
        std::memcpy(&value, bytes + at, sizeof value);
        return value;
    };
    std::size_t registers = 0, drs = 0;
    for (std::size_t at = 0; at + 8 <= size; at += 4) {
        if (word(at) == gpr_mark && at + 16 <= size && word(at + 8) == gpr_mark + 1) registers = at - 64;
        if (word(at) == dr_mark && at + 16 <= size && word(at + 8) == dr_mark + 1) drs = at;
        if (word(at) == first_intercepts) layout_.intercepts = at;
    }
    // IA32_EFER: the only word that follows a write to it.
    const std::vector<std::byte> before(bytes, bytes + size);
    set_msr(efer, efer_at_start & ~u64{1});
    uc_context_save(uc, scratch_.get());
    for (std::size_t at = 0; at + 8 <= size; at += 4) {
        u64 old = 0;
        std::memcpy(&old, before.data() + at, sizeof old);
        if (old == efer_at_start && word(at) == (efer_at_start & ~u64{1})) layout_.efer = at;
    }
    set_msr(efer, efer_at_start);
    if (registers == 0 || drs < 16 || layout_.efer == 0 || layout_.intercepts == 0) return wrong("its registers are not found in a saved context");
    layout_.registers = registers;
    layout_.error_code = drs - 16;
    const X86Image now = image();
    const X86Segment cs = now.segment(X86SegmentName::CS), gdt = now.segment(X86SegmentName::GDTR);
    if (now.rip() != start_code + 0x100 || cs != X86Segment{8, 0, 0xffff'ffff, 0x00a0'9b00} || gdt.base != gdtr.base || gdt.limit != gdtr.limit ||
        now.cr(0) != cr0_at_start || now.cr(2) != cr2_mark || now.cr(4) != cr4_at_start || now.efer() != efer_at_start ||
        !X86Hflags::CS64::test(now.hflags()) || !X86Hflags::GUEST::test(now.hflags()))
        return wrong("a saved context is not laid out as expected");
    for (int n = 0; n < 8; ++n) write(UC_X86_REG_R8 + n, 0);
    for (int n = 0; n < 4; ++n) write(UC_X86_REG_DR0 + n, 0);
    write(UC_X86_REG_CR2, 0);
    write(UC_X86_REG_RAX, 0);
    uc_context_save(uc, pristine_.get());
    stop_.reset();
    return {};
}

/// Unicorn tells the client of a fault's page only; the address stands in its structure.
std::expected<void, std::string> X86Engine::calibrate_fault_address() {
    constexpr u8 load[] = {0x8a, 0x43, 0x11};  // mov al, [rbx+0x11]
    std::memcpy(private_.get() + 0x3000, load, sizeof load);
    const auto* bytes = reinterpret_cast<const std::byte*>(uc_.get());
    const std::size_t size = malloc_usable_size(uc_.get());
    const auto faults_at = [&](u64 address) {
        write(UC_X86_REG_RBX, address - 0x11);
        is_private_ = true;
        stop_.reset();
        uc_emu_start(uc_.get(), private_base + 0x3000, 0, 0, 0);
        is_private_ = false;
        return stop_ && stop_->kind == X86StopKind::MemoryFault && stop_->fault_page == Gva{address}.page_base();
    };
    std::vector<std::size_t> places;
    for (const u64 address : {u64{0x5555'1234'5678}, u64{0x2aaa'8765'4321}}) {
        if (!faults_at(address)) return wrong("a faulting load does not stop");
        std::vector<std::size_t> found;
        for (std::size_t at = 0; at + 8 <= size; at += 8) {
            u64 value = 0;
            std::memcpy(&value, bytes + at, sizeof value);
            const bool is_candidate = places.empty() || std::ranges::find(places, at) != places.end();
            if (value == address && is_candidate) found.push_back(at);
        }
        places = std::move(found);
        if (places.empty()) return wrong("the address of a fault is not found");
    }
    fault_address_at_ = places.front();
    write(UC_X86_REG_RBX, 0);
    flush_code();
    flush_translation();
    stop_.reset();
    return {};
}

Gva X86Engine::fault_address() const {
    u64 address = 0;
    std::memcpy(&address, reinterpret_cast<const std::byte*>(uc_.get()) + fault_address_at_, sizeof address);
    return Gva{address};
}

void X86Engine::set_intercepts(u64 intercepts) {
    X86Image now = image();
    now.set_intercepts(first_intercepts | intercepts);
    put_image();
}

/// AMD64 manual vol. 2, "MSR Intercepts": two bits for each, in three ranges.
void X86Engine::set_msr_intercept(u32 number, bool is_on) {
    std::size_t at = msr_map_offset;
    if (number >= 0xc001'0000)
        at += 0x1000 + (number - 0xc001'0000) / 4;
    else if (number >= 0xc000'0000)
        at += 0x800 + (number - 0xc000'0000) / 4;
    else
        at += number / 4;
    if (at >= msr_map_offset + 0x1800) return;
    const auto bits = static_cast<std::byte>(3 << (number % 4 * 2));
    std::byte& entry = private_.get()[at];
    entry = is_on ? entry | bits : entry & ~bits;
}

/// Unicorn's own access counts as the guest's, so the intercept is off meanwhile.
u64 X86Engine::msr(u32 number) {
    uc_x86_msr m{number, 0};
    set_msr_intercept(number, false);
    uc_reg_read(uc_.get(), UC_X86_REG_MSR, &m);
    set_msr_intercept(number, true);
    return m.value;
}

void X86Engine::set_msr(u32 number, u64 value) {
    const uc_x86_msr m{number, value};
    set_msr_intercept(number, false);
    uc_reg_write(uc_.get(), UC_X86_REG_MSR, &m);
    set_msr_intercept(number, true);
}

}  // namespace ax::sim
