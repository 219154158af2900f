#include "sim/hal/unicorn/arm_engine.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/expect.hpp"
#include "sim/trap/arm64/instruction.hpp"
#include "sim/hal/unicorn/uc_control.hpp"

namespace ax::sim {

namespace {

/// Where `drop_code_of` shows a frame to Unicorn: no pc is ever there, bits 63 to 48 of one are all equal.
constexpr u64 drop_window = u64{0x00f0} << 48;

[[nodiscard]] bool is_canonical(u64 address) { return (((address >> 48) + 1) & 0xffff) <= 1; }

uc_arm64_cp_reg to_uc(ax::arm64::SysReg reg, u64 value) { return {reg.crn, reg.crm, reg.op0, reg.op1, reg.op2, value}; }

ax::arm64::SysReg from_uc(const uc_arm64_cp_reg& cp) {
    return {static_cast<u8>(cp.op0), static_cast<u8>(cp.op1), static_cast<u8>(cp.crn), static_cast<u8>(cp.crm), static_cast<u8>(cp.op2)};
}

}  // namespace

ArmEngine::~ArmEngine() = default;

void ArmMonitor::fields(FieldVisitor& v) {
    field(v, "address", address);
    field(v, "value", value);
    field(v, "high", high);
}

SavedRegisters ArmEngine::make_context() { return copy(uc_.get(), pristine_); }

void ArmEngine::select(ArmClient& client, SavedRegisters& context) {
    if (is_selected(client)) return;
    change_to(uc_.get(), client, context);
    flush_translation();
}

void ArmEngine::release(ArmClient& client) {
    if (is_selected(client)) change_to_none(uc_.get());
}

void ArmEngine::copy_image(SavedRegisters& to, const SavedRegisters& from) const { copy_to(uc_.get(), to, from); }

u64 ArmEngine::read(int uc_register) const {
    u64 value = 0;
    uc_reg_read(uc_.get(), uc_register, &value);
    return value;
}

void ArmEngine::write(int uc_register, u64 value) { uc_reg_write(uc_.get(), uc_register, &value); }

std::array<u64, 2> ArmEngine::read_vector(unsigned n) const {
    std::array<u64, 2> value{};
    uc_reg_read(uc_.get(), uc_q(n), value.data());
    return value;
}

void ArmEngine::write_vector(unsigned n, std::array<u64, 2> value) { uc_reg_write(uc_.get(), uc_q(n), value.data()); }

u64 ArmEngine::read(ax::arm64::SysReg reg) const {
    uc_arm64_cp_reg cp = to_uc(reg, 0);
    uc_reg_read(uc_.get(), UC_ARM64_REG_CP_REG, &cp);
    return cp.val;
}

void ArmEngine::write(ax::arm64::SysReg reg, u64 value) {
    const uc_arm64_cp_reg cp = to_uc(reg, value);
    uc_reg_write(uc_.get(), UC_ARM64_REG_CP_REG, &cp);
}

ArmMonitor ArmEngine::monitor() {
    uc_context_save(uc_.get(), scratch_.get());
    ArmMonitor monitor;
    const auto* image = reinterpret_cast<const std::byte*>(scratch_.get());
    std::memcpy(&monitor.address, image + layout_.monitor, 8);
    std::memcpy(&monitor.value, image + layout_.monitor + 8, 8);
    std::memcpy(&monitor.high, image + layout_.monitor + 16, 8);
    return monitor;
}

void ArmEngine::set_monitor(const ArmMonitor& monitor) {
    uc_context_save(uc_.get(), scratch_.get());
    auto* image = reinterpret_cast<std::byte*>(scratch_.get());
    std::memcpy(image + layout_.monitor, &monitor.address, 8);
    std::memcpy(image + layout_.monitor + 8, &monitor.value, 8);
    std::memcpy(image + layout_.monitor + 16, &monitor.high, 8);
    uc_context_restore(uc_.get(), scratch_.get());
}

ArmException ArmEngine::exception() {
    uc_context_save(uc_.get(), scratch_.get());
    // CPUARMState.exception: syndrome, fsr, vaddress, target_el.
    const auto* at = reinterpret_cast<const std::byte*>(scratch_.get()) + layout_.exception;
    u32 syndrome = 0;
    ArmException result;
    std::memcpy(&syndrome, at, 4);
    std::memcpy(&result.address, at + 8, 8);
    std::memcpy(&result.target_el, at + 16, 4);
    result.syndrome = syndrome;
    return result;
}

void ArmEngine::begin_epoch() {
    guard_.begin_epoch();
    code_.fill(CodePage{});
}

void ArmEngine::flush_translation() {
    uc::flush_tlb(uc_.get());
    begin_epoch();
}

void ArmEngine::flush_code() { uc::flush_code(uc_.get()); }

/// Unicorn drops code by virtual address, so the frame gets one for a moment.
void ArmEngine::drop_code_of(Hpa page) {
    is_dropping_ = true;
    const u64 at = drop_window | page.value();
    uc::remove_code(uc_.get(), at, at + page_size);
    is_dropping_ = false;
}

void ArmEngine::forget_code(Hpa at, u64 size) {
    const Hpa base = memory_.range().start;
    for (u64 page = at.page_number(); page <= (at + (size - 1)).page_number(); ++page) {
        const u64 frame = page - base.page_number();
        if (!guard_.has_code(frame)) continue;
        drop_code_of(Hpa{page << page_shift});
        guard_.forget(frame);
        // A page that is executing now must be given out again to be marked.
        flush_translation();
    }
}

u64 ArmEngine::retired_so_far() const {
    return block_size_ == 0 ? count_ : count_ - (block_ + block_size_ - read(UC_ARM64_REG_PC)) / 4;
}

ArmStop ArmEngine::run(u64& count, u64 limit) {
    const ArmStop stop = run_blocks(count, limit);
    if (!before_) return stop;
    const StopBefore found = *before_;
    ArmStop before{ArmStopKind::ExitAddress};
    // What stands before it in its block runs first, and may stop for reasons of its own.
    if (read(UC_ARM64_REG_PC) != found.address) {
        const bool stops_at_fp = std::exchange(stops_at_fp_, false);
        const bool stops_at_return = std::exchange(stops_at_return_, false);
        before = run_to(count, limit, Gva{found.address});
        stops_at_fp_ = stops_at_fp;
        stops_at_return_ = stops_at_return;
    }
    if (before.kind == ArmStopKind::ExitAddress) before.kind = found.kind;
    return before;
}

ArmStop ArmEngine::run_blocks(u64& count, u64 limit) {
    if (write_epoch_ != memory_.write_epoch()) {
        // Cached rights to write would hide which pages change.
        flush_translation();
        write_epoch_ = memory_.write_epoch();
    }
    count_ = count;
    limit_ = limit;
    block_size_ = 0;
    ends_with_wfe_ = false;
    before_.reset();
    stop_.reset();
    const uc_err error = uc_emu_start(uc_.get(), read(UC_ARM64_REG_PC), 0, 0, 0);
    const ArmStop stop = classify(error);
    count = count_;
    return stop;
}

ArmStop ArmEngine::run_to(u64& count, u64 limit, Gva address) {
    u64 exits[] = {address.value()};
    exit_ = address.value();
    // Code of the page is translated anew, with a stop in it, and once more without when that is done.
    flush_code();
    uc::set_exits(uc_.get(), exits, 1);
    const ArmStop stop = run_blocks(count, limit);
    uc::set_exits(uc_.get(), exits, 0);
    exit_.reset();
    flush_code();
    return stop;
}

/// Unicorn makes an exit a WFI in front of its address, which traps.
bool ArmEngine::is_exit(u32 number) {
    if (!exit_ || number != uc_exception::undefined || read(UC_ARM64_REG_PC) + 4 != *exit_) return false;
    const std::byte* code = code_at(*exit_ - 4);
    u32 word = 0;
    if (code != nullptr && ((*exit_ - 4) >> page_shift) == (*exit_ >> page_shift)) std::memcpy(&word, code, sizeof word);
    return word != arm64::wfi;
}

ArmStop ArmEngine::classify(uc_err error) {
    if (before_) return {};
    if (!stop_) return {ArmStopKind::EngineError, 0, Gva{}, Access::Read, error};
    ArmStop stop = *stop_;
    bool between_blocks = stop.kind != ArmStopKind::Exception && stop.kind != ArmStopKind::MemoryFault;
    if (stop.kind == ArmStopKind::MemoryFault && stop.fault_access == Access::Execute) between_blocks = true;
    if (stop.kind == ArmStopKind::Exception && is_exit(stop.number)) {
        write(UC_ARM64_REG_PC, *exit_);
        return {ArmStopKind::ExitAddress};
    }
    // The block was counted whole when it began; take back what did not run.
    const u64 done = read(UC_ARM64_REG_PC) - block_;
    if (!between_blocks && done < block_size_) count_ -= (block_size_ - done) / 4;
    return stop;
}

const std::byte* ArmEngine::code_at(u64 address) {
    CodePage& code = code_[(address >> page_shift) % code_pages];
    if (code.page != address >> page_shift) {
        const std::byte* host = client_->code_page(Gva{address}.page_base());
        if (host == nullptr) return nullptr;
        code = {address >> page_shift, host};
    }
    return code.host + (address & (page_size - 1));
}

std::optional<u64> ArmEngine::find_fp(u64 address, u32 size) {
    const std::byte* code = code_at(address);
    if (code == nullptr) return std::nullopt;
    for (u32 at = 0; at < size; at += 4) {
        u32 word = 0;
        std::memcpy(&word, code + at, sizeof word);
        if (arm64::is_fp(word)) return address + at;
    }
    return std::nullopt;
}

/// The last instruction of a block; 0, which is none, when its page has gone.
u32 ArmEngine::last_word(u64 address, u32 size) {
    const std::byte* code = code_at(address);
    u32 word = 0;
    if (code != nullptr) std::memcpy(&word, code + size - 4, sizeof word);
    return word;
}

/// Runs before every block: what nearly all need comes first and calls nothing.
void ArmEngine::on_block(uc_engine* /*uc*/, u64 address, u32 size, void* self) {
    auto& engine = *static_cast<ArmEngine*>(self);
    const bool is_plain = (address & 3) == 0 && is_canonical(address) && !engine.stops_at_wfe_ && !engine.stops_at_fp_ && !engine.stops_at_return_;
    if (engine.count_ < engine.limit_ && is_plain) [[likely]]
        return engine.begin_block(address, size);
    engine.look_at_block(address, size);
}

void ArmEngine::begin_block(u64 address, u32 size) {
    block_ = address;
    block_size_ = size;
    count_ += size / 4;
}

void ArmEngine::look_at_block(u64 address, u32 size) {
    const auto stop_here = [&](ArmStopKind kind) {
        stop_ = ArmStop{kind};
        block_size_ = 0;
        uc_emu_stop(uc_.get());
    };
    // A WFE comes first, so that it does not matter where a run is cut.
    if (ends_with_wfe_) return stop_here(ArmStopKind::WaitForEvent);
    if (count_ >= limit_) return stop_here(ArmStopKind::Boundary);
    if ((address & 3) != 0) return stop_here(ArmStopKind::Misaligned);
    if (!is_canonical(address)) {
        EngineFill none;
        if (!client_->on_fill(Gva{address}, Access::Execute, none)) {
            stop_here(ArmStopKind::MemoryFault);
            stop_->fault_page = Gva{address}.page_base();
            stop_->fault_access = Access::Execute;
            return;
        }
    }
    if (stops_at_fp_ && client_->traps_fp()) {
        const std::optional<u64> at = find_fp(address, size);
        if (at) before_ = {*at, ArmStopKind::FloatingPoint};
    }
    if (!before_ && stops_at_return_ && last_word(address, size) == arm64::eret) before_ = {address + size - 4, ArmStopKind::ExceptionReturn};
    if (before_) return stop_here(before_->kind);
    ends_with_wfe_ = stops_at_wfe_ && last_word(address, size) == arm64::wfe;
    begin_block(address, size);
}

void ArmEngine::on_interrupt(uc_engine* uc, u32 number, void* self) {
    auto& engine = *static_cast<ArmEngine*>(self);
    engine.stop_ = ArmStop{ArmStopKind::Exception, number};
    uc_emu_stop(uc);
}

bool ArmEngine::on_tlb_fill(uc_engine* /*uc*/, u64 va, uc_mem_type type, uc_tlb_entry* entry, void* self) {
    const Access access = type == UC_MEM_FETCH ? Access::Execute : type == UC_MEM_WRITE ? Access::Write : Access::Read;
    return static_cast<ArmEngine*>(self)->fill(Gva{va}, access, *entry);
}

bool ArmEngine::fill(Gva va, Access access, uc_tlb_entry& entry) {
    if (is_dropping_) {
        entry.paddr = va.value() & ~drop_window;
        entry.perms = UC_PROT_EXEC;
        return true;
    }
    EngineFill fill;
    if (client_ == nullptr || !client_->on_fill(va, access, fill)) {
        stop_ = ArmStop{ArmStopKind::MemoryFault, 0, va.page_base(), access};
        return false;
    }
    const u64 frame = (fill.page - memory_.range().start) >> page_shift;
    const u64 page = va.page_number();
    // A load opens the page for stores too, unless that would cost code.
    if (access == Access::Read && fill.write && guard_.has_code(frame)) fill.write = false;
    CodeGuard::Duty duty;
    if (fill.execute) duty = guard_.before_execute(frame, page);
    if (fill.write) duty = guard_.before_write(frame, page);
    if (duty.flushes_tlb) flush_translation();
    if (duty.drops_code) drop_code_of(fill.page);
    if (fill.execute) {
        guard_.note_execute(frame, page);
        code_[page % code_pages] = {page, memory_.pointer(fill.page)};
    }
    if (fill.write) {
        guard_.note_write(frame, page);
        memory_.mark_dirty(fill.page);
    }
    entry.paddr = fill.page.value();
    entry.perms = static_cast<uc_prot>((fill.read ? UC_PROT_READ : 0) | (fill.write ? UC_PROT_WRITE : 0) | (fill.execute ? UC_PROT_EXEC : 0));
    return true;
}

u32 ArmEngine::on_mrs(uc_engine* /*uc*/, uc_arm64_reg reg, const uc_arm64_cp_reg* cp, void* self) {
    auto& engine = *static_cast<ArmEngine*>(self);
    if (engine.client_ == nullptr) return 0;
    const auto value = engine.client_->on_read(from_uc(*cp));
    if (!value) return 0;
    if (reg != UC_ARM64_REG_XZR) engine.write(static_cast<int>(reg), *value);
    return 1;
}

u32 ArmEngine::on_msr(uc_engine* /*uc*/, uc_arm64_reg reg, const uc_arm64_cp_reg* cp, void* self) {
    auto& engine = *static_cast<ArmEngine*>(self);
    if (engine.client_ == nullptr) return 0;
    const u64 value = reg == UC_ARM64_REG_XZR ? 0 : engine.read(static_cast<int>(reg));
    return engine.client_->on_write(from_uc(*cp), value) ? 1 : 0;
}

u32 ArmEngine::on_sys(uc_engine* /*uc*/, uc_arm64_reg reg, const uc_arm64_cp_reg* cp, void* self) {
    auto& engine = *static_cast<ArmEngine*>(self);
    if (engine.client_ == nullptr) return 0;
    const u64 value = reg == UC_ARM64_REG_XZR ? 0 : engine.read(static_cast<int>(reg));
    return engine.client_->on_system(from_uc(*cp), value) ? 1 : 0;
}

}  // namespace ax::sim
