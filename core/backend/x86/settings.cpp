#include "core/backend/x86/settings.hpp"

#include "core/arch/x86/start.hpp"

namespace ax::x86 {

Gprs VcpuSettings::start_at(Vmcs& vmcs, const BootState& boot) const {
    switch (start) {
        case StartKind::Startup: return start_at_sipi(vmcs, static_cast<u8>(boot.entry.page_number()), processor_signature);
        case StartKind::RealMode: return start_in_real_mode(vmcs, boot.entry);
        case StartKind::Reset: return start_at_reset(vmcs, processor_signature);
        case StartKind::Protected: return start_in_protected_mode(vmcs, boot.entry, eax, static_cast<u32>(boot.argument));
        case StartKind::Long: return start_in_long_mode(vmcs, {boot.entry, page_tables, gdt, gdt_limit, boot.argument});
    }
    return {};
}

}  // namespace ax::x86
