// Instructions that VMX has an opinion on: the exit, the fault that comes first, or their native completion.
#include "sim/hal/unicorn/x86_cpu.hpp"
#include "sim/trap/x86/cr_access.hpp"
#include "sim/trap/x86/exit_instructions.hpp"
#include "sim/trap/x86/exit_ports.hpp"

namespace ax::sim {

using namespace ax::x86;
using x86::Sensitive;

namespace {

using Kind = X86Operand::Kind;

std::optional<Sensitive> sensitive(unsigned id) {
    switch (id) {
        case X86_INS_CPUID: return Sensitive::Cpuid;
        case X86_INS_GETSEC: return Sensitive::Getsec;
        case X86_INS_INVD: return Sensitive::Invd;
        case X86_INS_XSETBV: return Sensitive::Xsetbv;
        case X86_INS_HLT: return Sensitive::Hlt;
        case X86_INS_INVLPG: return Sensitive::Invlpg;
        case X86_INS_INVPCID: return Sensitive::Invpcid;
        case X86_INS_RDTSC: return Sensitive::Rdtsc;
        case X86_INS_RDTSCP: return Sensitive::Rdtscp;
        case X86_INS_RDPMC: return Sensitive::Rdpmc;
        case X86_INS_PAUSE: return Sensitive::Pause;
        case X86_INS_MONITOR: return Sensitive::Monitor;
        case X86_INS_MWAIT: return Sensitive::Mwait;
        case X86_INS_WBINVD: return Sensitive::Wbinvd;
        case X86_INS_RSM: return Sensitive::Rsm;
        case X86_INS_VMCALL: return Sensitive::Vmcall;
        case X86_INS_VMCLEAR: return Sensitive::Vmclear;
        case X86_INS_VMLAUNCH: return Sensitive::Vmlaunch;
        case X86_INS_VMPTRLD: return Sensitive::Vmptrld;
        case X86_INS_VMPTRST: return Sensitive::Vmptrst;
        case X86_INS_VMREAD: return Sensitive::Vmread;
        case X86_INS_VMRESUME: return Sensitive::Vmresume;
        case X86_INS_VMWRITE: return Sensitive::Vmwrite;
        case X86_INS_VMXOFF: return Sensitive::Vmxoff;
        case X86_INS_VMXON: return Sensitive::Vmxon;
        case X86_INS_INVEPT: return Sensitive::Invept;
        case X86_INS_INVVPID: return Sensitive::Invvpid;
        case X86_INS_VMFUNC: return Sensitive::Vmfunc;
        default: return std::nullopt;
    }
}

/// Not in Unicorn's model, but in a CPU with VMX.
bool is_unknown_to_engine(Sensitive opcode) {
    return opcode >= Sensitive::Vmcall || opcode == Sensitive::Monitor || opcode == Sensitive::Mwait || opcode == Sensitive::Getsec ||
           opcode == Sensitive::Xsetbv || opcode == Sensitive::Invpcid;
}

struct PortForm {
    bool is_in, is_string;
    u8 size;  ///< 0: of the accumulator
};
std::optional<PortForm> port_form(unsigned id) {
    switch (id) {
        case X86_INS_IN: return PortForm{true, false, 0};
        case X86_INS_OUT: return PortForm{false, false, 0};
        case X86_INS_INSB: return PortForm{true, true, 1};
        case X86_INS_INSW: return PortForm{true, true, 2};
        case X86_INS_INSD: return PortForm{true, true, 4};
        case X86_INS_OUTSB: return PortForm{false, true, 1};
        case X86_INS_OUTSW: return PortForm{false, true, 2};
        case X86_INS_OUTSD: return PortForm{false, true, 4};
        default: return std::nullopt;
    }
}

const X86Operand* find(const X86Insn& insn, Kind kind) {
    for (const X86Operand& operand : insn.operands)
        if (operand.kind == kind) return &operand;
    return nullptr;
}

/// Segments and descriptors that come from the tables: "Implicit supervisor-mode accesses".
bool is_descriptor_load(const X86Insn& insn) {
    switch (insn.id) {
        case X86_INS_MOV:
        case X86_INS_POP: return insn.operands[0].kind == Kind::Segment;
        case X86_INS_LDS:
        case X86_INS_LES:
        case X86_INS_LFS:
        case X86_INS_LGS:
        case X86_INS_LSS:
        case X86_INS_LAR:
        case X86_INS_LSL:
        case X86_INS_VERR:
        case X86_INS_VERW:
        case X86_INS_LJMP:
        case X86_INS_LCALL:
        case X86_INS_RETF:
        case X86_INS_RETFQ:
        case X86_INS_IRET:
        case X86_INS_IRETD:
        case X86_INS_IRETQ: return true;
        default: return false;
    }
}

}  // namespace

std::optional<X86Insn> X86Cpu::instruction_here() {
    std::array<u8, 15> code{};
    const std::size_t size = fetch_here(code);
    return reader_.read(std::span(code).first(size), state_);
}

/// While the engine runs; `state_` is refreshed, registers do not change.
bool X86Cpu::loads_descriptors(Gva va) {
    engine_->take_state(state_);
    const auto holds = [&](u64 table, u64 limit) {
        return table / page_size <= va.page_number() && va.page_number() <= (table + limit) / page_size;
    };
    const bool is_table = holds(state_.gdtr.base, state_.gdtr.limit) || holds(state_.ldtr.base, state_.ldtr.limit) || holds(state_.tr.base, state_.tr.limit);
    if (!is_table) return false;
    const x86::WalkFault fault = fault_;
    const auto insn = instruction_here();
    fault_ = fault;
    return insn && is_descriptor_load(*insn);
}

/// The fault of an address that is not canonical is #SS for these.
bool X86Cpu::uses_stack() {
    const x86::WalkFault fault = fault_;
    const auto insn = instruction_here();
    fault_ = fault;
    if (!insn) return false;
    const X86Operand* memory = find(*insn, Kind::Memory);
    return memory == nullptr || memory->segment == SegmentReg::SS;
}

std::optional<x86::Exit> X86Cpu::handle_instruction() {
    const auto insn = instruction_here();
    if (!insn) return raise(x86::exception(Vector::UD));
    if (const auto opcode = sensitive(insn->id)) return handle_sensitive(*insn, *opcode);
    if (const auto form = port_form(insn->id)) return handle_port(*insn, form->is_in, form->is_string, form->size);
    switch (insn->id) {
        case X86_INS_RDMSR: return handle_msr(*insn, false);
        case X86_INS_WRMSR: return handle_msr(*insn, true);
        case X86_INS_CLTS:
        case X86_INS_LMSW:
        case X86_INS_SMSW: return handle_control_register(*insn);
        case X86_INS_MOV:
            if (find(*insn, Kind::Control) != nullptr) return handle_control_register(*insn);
            if (find(*insn, Kind::Debug) != nullptr) return handle_debug_register(*insn);
            break;
        default: break;
    }
    return raise(x86::exception(Vector::UD));
}

/// Unicorn finds an instruction undefined. VMX looks at some that it does not know.
std::optional<x86::Exit> X86Cpu::handle_undefined() {
    const auto insn = instruction_here();
    if (insn && insn->id == X86_INS_INT1) return handle_software_interrupt();
    const auto opcode = insn ? sensitive(insn->id) : std::nullopt;
    if (opcode && is_unknown_to_engine(*opcode)) return handle_sensitive(*insn, *opcode);
    return raise(x86::exception(Vector::UD));
}

/// Acts on a decision; none and `completes` set: the instruction is done natively.
std::optional<x86::Exit> X86Cpu::act(const x86::Decision& decision, bool& completes) {
    completes = std::holds_alternative<x86::NoExit>(decision);
    if (const auto* exit = std::get_if<x86::Exit>(&decision)) return *exit;
    if (const auto* event = std::get_if<x86::Event>(&decision)) return raise(*event);
    return std::nullopt;
}

void X86Cpu::step_over(u8 length) {
    state_.rip += length;
    if (state_.code_size() != CodeSize::Code64) state_.rip &= 0xffff'ffff;
    state_.interruptibility &= ~static_cast<u32>(Interruptibility::shadow);
    state_.rflags &= ~u64{Rflags::RF::mask};
    ++retired_;
}

std::optional<x86::Exit> X86Cpu::handle_sensitive(const X86Insn& insn, x86::Sensitive opcode) {
    const X86Operand* memory = find(insn, Kind::Memory);
    bool completes = false;
    const auto exit = act(x86::decide(vmcs_, state_, x86::SensitiveInstruction{opcode, insn.length, memory == nullptr ? 0 : memory->value}), completes);
    if (!completes) return exit;
    if (opcode == Sensitive::Hlt) {
        state_.activity = ActivityState::Hlt;
    } else if (opcode == Sensitive::Invlpg) {
        if (memory != nullptr) static_cast<void>(tlb_.drop_page(Gva{memory->value}));
        engine().flush_translation();
    } else if (opcode != Sensitive::Pause && opcode != Sensitive::Wbinvd) {
        return raise(x86::exception(Vector::UD));  // what the CPU's model does not have
    }
    step_over(insn.length);
    return std::nullopt;
}

std::optional<x86::Exit> X86Cpu::handle_port(const X86Insn& insn, bool is_in, bool is_string, u8 size) {
    x86::PortAccess access{.is_in = is_in, .is_string = is_string, .is_repeated = is_string && insn.is_repeated, .length = insn.length};
    const X86Operand* immediate = find(insn, Kind::Immediate);
    access.is_immediate = immediate != nullptr;
    access.port = static_cast<u16>(immediate != nullptr ? immediate->value & 0xff : state_.gprs[Gpr::RDX]);
    access.size = size != 0 ? size : insn.operands[is_in ? 0 : 1].size;
    if (const X86Operand* memory = find(insn, Kind::Memory)) {
        access.linear = memory->value;
        access.segment = index(memory->segment);
    }
    access.address_size = insn.address_size == 8 ? 2 : insn.address_size == 4 ? 1 : 0;
    bool completes = false;
    refresh_paging();
    DeliveryMemory guest(*this);
    const auto exit = act(x86::decide(vmcs_, state_, memory_, guest, access), completes);
    if (!completes) return exit;
    // The board has no ports of its own: they float, and a string of them is left to the hypervisor.
    if (is_string) return raise(x86::exception(Vector::UD));
    if (is_in) {
        const u64 ones = access.size == 4 ? 0xffff'ffff : (u64{1} << (8 * access.size)) - 1;
        u64& rax = state_.gprs[Gpr::RAX];
        rax = access.size == 4 ? ones : rax | ones;
    }
    step_over(insn.length);
    return std::nullopt;
}

std::optional<x86::Exit> X86Cpu::handle_control_register(const X86Insn& insn) {
    x86::CrAccess access{.length = insn.length};
    const X86Operand* control = find(insn, Kind::Control);
    const X86Operand* gpr = find(insn, Kind::Gpr);
    const X86Operand* memory = find(insn, Kind::Memory);
    access.number = control != nullptr ? control->number : u8{0};
    if (gpr != nullptr) access.gpr = Gpr{gpr->number};
    switch (insn.id) {
        case X86_INS_CLTS: access.instruction = x86::CrInstruction::Clts; break;
        case X86_INS_LMSW: access.instruction = x86::CrInstruction::Lmsw; break;
        case X86_INS_SMSW: access.instruction = x86::CrInstruction::Smsw; break;
        default:
            access.instruction = insn.operands[0].kind == Kind::Control ? x86::CrInstruction::MovToCr : x86::CrInstruction::MovFromCr;
            break;
    }
    access.value = gpr != nullptr ? gpr->value : 0;
    if (memory != nullptr) {
        access.is_memory = true;
        access.linear = memory->value;
        if (insn.id == X86_INS_LMSW) {
            refresh_paging();
            DeliveryMemory guest(*this);
            const auto got = guest.read(Gva{memory->value}, 2, data_access(Access::Read));
            if (!got) {
                fault_ = got.error().fault;
                return fault_at(got.error().address);
            }
            access.value = *got;
        }
    }
    const x86::CrDecision decision = x86::decide(vmcs_, state_, features_, access, 0);
    if (const auto* exit = std::get_if<x86::Exit>(&decision)) return *exit;
    if (const auto* event = std::get_if<x86::Event>(&decision)) return raise(*event);
    return complete_control_register(insn, access, std::get<x86::CrResult>(decision).value);
}

std::optional<x86::Exit> X86Cpu::complete_control_register(const X86Insn& insn, const x86::CrAccess& access, u64 value) {
    if (access.instruction == x86::CrInstruction::MovFromCr || access.instruction == x86::CrInstruction::Smsw) {
        const X86Operand* memory = find(insn, Kind::Memory);
        if (memory != nullptr) {
            refresh_paging();
            DeliveryMemory guest(*this);
            if (const auto put = guest.write(Gva{memory->value}, value & 0xffff, 2, data_access(Access::Write)); !put) {
                fault_ = put.error().fault;
                return fault_at(put.error().address);
            }
        } else if (insn.operands[0].size == 2) {
            u64& reg = state_.gprs[access.gpr];
            reg = (reg & ~u64{0xffff}) | (value & 0xffff);
        } else {
            state_.gprs[access.gpr] = state_.code_size() == CodeSize::Code64 ? value : value & 0xffff'ffff;
        }
        step_over(insn.length);
        return std::nullopt;
    }
    const x86::CpuState before = state_;
    x86::write_cr(state_, access.number, value);
    const bool is_cr3 = access.number == 3;
    if (x86::loads_pdptes(before, state_, is_cr3)) {
        x86::PagingContext context = state_.paging(vmcs_.EPT_POINTER, features_.mmu);
        const auto pdptes = x86::load_pdptes(memory_, context);
        if (!pdptes) {
            state_ = before;
            if (pdptes.error().kind == x86::WalkFaultKind::PageFault) return raise(x86::exception(Vector::GP));
            return x86::ept_exit({pdptes.error(), Gva{}});
        }
        state_.pdptes = *pdptes;
    }
    if (is_cr3) {
        tlb_.drop_non_global();
        engine().flush_translation();
    }
    step_over(insn.length);
    return std::nullopt;
}

/// The fault that `translate` or `look_up` found for a data access at `address`.
std::optional<x86::Exit> X86Cpu::fault_at(Gva address) {
    switch (fault_.kind) {
        case x86::WalkFaultKind::NonCanonical: return raise(x86::exception(Vector::GP));
        case x86::WalkFaultKind::PageFault: return raise(x86::exception(Vector::PF, static_cast<u32>(fault_.code), address.value()));
        case x86::WalkFaultKind::EptViolation:
        case x86::WalkFaultKind::EptMisconfigured: break;
    }
    return x86::ept_exit({fault_, address});
}

std::optional<x86::Exit> X86Cpu::handle_debug_register(const X86Insn& insn) {
    const X86Operand* debug = find(insn, Kind::Debug);
    const X86Operand* gpr = find(insn, Kind::Gpr);
    if (debug == nullptr || gpr == nullptr) return raise(x86::exception(Vector::UD));
    const bool is_read = insn.operands[0].kind == Kind::Gpr;
    bool completes = false;
    const auto exit = act(x86::decide(vmcs_, state_, x86::DrAccess{debug->number, is_read, Gpr{gpr->number}, insn.length}), completes);
    if (!completes) return exit;
    // "MOV - Move to/from Debug Registers".
    if (!is_read && debug->number >= 4 && state_.code_size() == CodeSize::Code64 && (gpr->value >> 32) != 0)
        return raise(x86::exception(Vector::GP));
    // DR4 and DR5 are DR6 and DR7 while CR4.DE is clear.
    const u8 number = debug->number == 4 || debug->number == 5 ? static_cast<u8>(debug->number + 2) : debug->number;
    u64& target = number < 4 ? dr_[number] : number == 6 ? state_.dr6 : state_.dr7;
    if (is_read)
        state_.gprs[Gpr{gpr->number}] = target;
    else
        target = number < 4 ? gpr->value : number == 6 ? (gpr->value & 0xe00f) | Dr6::at_reset : (gpr->value & 0xffff'2bff) | 0x400;
    step_over(insn.length);
    return std::nullopt;
}

std::optional<x86::Exit> X86Cpu::handle_msr(const X86Insn& insn, bool is_write) {
    const auto number = static_cast<u32>(state_.gprs[Gpr::RCX]);
    bool completes = false;
    const auto exit = act(x86::decide(vmcs_, state_, memory_, x86::MsrAccess{number, is_write, insn.length}), completes);
    if (!completes) return exit;
    const u64 written = (state_.gprs[Gpr::RDX] << 32) | (state_.gprs[Gpr::RAX] & 0xffff'ffff);
    const bool done = is_write ? write_msr(number, written) : read_msr(number);
    if (!done) return raise(x86::exception(Vector::GP));
    step_over(insn.length);
    return std::nullopt;
}

}  // namespace ax::sim
