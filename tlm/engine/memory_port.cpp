// SPDX-License-Identifier: Apache-2.0
#include <systole/engine/memory_port.hpp>

#include <algorithm>

namespace systole {

MemoryPort::MemoryPort(const char* name, Access access) : socket(name), access_(access) {
    socket.register_invalidate_direct_mem_ptr(this, &MemoryPort::invalidate);
}

void MemoryPort::invalidate(sc_dt::uint64 first, sc_dt::uint64 last) {
    // Refusals are forgotten too: the target's mind has changed.
    std::erase_if(regions_, [&](const Region& r) { return r.first <= last && first <= r.last; });
    last_hit_ = 0;
    ++generation_;
}

const MemoryPort::Region* MemoryPort::find(std::uint64_t address) {
    const auto holds = [address](const Region& r) { return r.first <= address && address <= r.last; };
    if (last_hit_ < regions_.size() && holds(regions_[last_hit_])) return &regions_[last_hit_];
    const auto found = std::find_if(regions_.begin(), regions_.end(), holds);
    if (found == regions_.end()) return nullptr;
    last_hit_ = static_cast<std::size_t>(found - regions_.begin());
    return &*found;
}

const MemoryPort::Region* MemoryPort::request(std::uint64_t address) {
    tlm::tlm_dmi dmi;
    payload_.set_command(access_ == Access::kRead ? tlm::TLM_READ_COMMAND : tlm::TLM_WRITE_COMMAND);
    payload_.set_address(address);
    const bool granted = socket->get_direct_mem_ptr(payload_, dmi) &&
                         (access_ == Access::kRead ? dmi.is_read_allowed() : dmi.is_read_write_allowed());
    // A target that answers carelessly must not make us forget the address we asked for.
    const bool names_address = dmi.get_start_address() <= address && address <= dmi.get_end_address();
    Region region{.first = names_address ? dmi.get_start_address() : address,
                  .last = names_address ? dmi.get_end_address() : address,
                  .data = nullptr};
    if (granted && names_address) region.data = reinterpret_cast<std::byte*>(dmi.get_dmi_ptr());
    regions_.push_back(region);
    last_hit_ = regions_.size() - 1;
    return &regions_.back();
}

std::byte* MemoryPort::direct(std::uint64_t address, std::size_t bytes) {
    const Region* region = find(address);
    if (region == nullptr) region = request(address);
    if (region->data == nullptr || bytes - 1 > region->last - address) return nullptr;
    return region->data + (address - region->first);
}

bool MemoryPort::transport(tlm::tlm_command command, std::uint64_t address, std::byte* data,
                           std::size_t bytes, unsigned char* enables) {
    payload_.set_command(command);
    payload_.set_address(address);
    payload_.set_data_ptr(reinterpret_cast<unsigned char*>(data));
    payload_.set_data_length(static_cast<unsigned int>(bytes));
    payload_.set_streaming_width(static_cast<unsigned int>(bytes));
    payload_.set_byte_enable_ptr(enables);
    payload_.set_byte_enable_length(enables != nullptr ? static_cast<unsigned int>(bytes) : 0);
    payload_.set_dmi_allowed(false);
    payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    socket->b_transport(payload_, delay);
    if (payload_.is_dmi_allowed())
        // The hint says that asking again is worth it.
        if (std::erase_if(regions_, [&](const Region& r) {
                return r.data == nullptr && r.first <= address && address <= r.last;
            }) != 0)
            ++generation_;
    return payload_.is_response_ok();
}

bool MemoryPort::read(std::uint64_t address, std::byte* to, std::size_t bytes) {
    return transport(tlm::TLM_READ_COMMAND, address, to, bytes, nullptr);
}

bool MemoryPort::write(std::uint64_t address, std::byte* from, std::size_t bytes, unsigned char* enables) {
    return transport(tlm::TLM_WRITE_COMMAND, address, from, bytes, enables);
}

}  // namespace systole
