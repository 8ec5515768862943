// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/memory/hbm_stack.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace systole {
namespace {

constexpr std::uint64_t kPsPerNs = 1000;
constexpr std::uint64_t kPageBytes = 4096;  // grain in which DMI is refused around an error

std::uint64_t now_ps() { return sc_core::sc_time_stamp().value(); }

bool enabled(const tlm::tlm_generic_payload& payload, std::size_t i) {
    const unsigned char* enables = payload.get_byte_enable_ptr();
    return enables == nullptr || enables[i % payload.get_byte_enable_length()] == TLM_BYTE_ENABLED;
}

std::size_t width_of(const tlm::tlm_generic_payload& payload) {
    return std::min<std::size_t>(payload.get_streaming_width(), payload.get_data_length());
}

}  // namespace

HbmStack::HbmStack(sc_core::sc_module_name name, const HbmConfig& config, std::uint32_t index,
                   std::uint32_t targets)
    : sc_module(name),
      target("target", targets),
      config_(config),
      memory_(config.preset.geometry.bytes_per_stack(), config.track_written),
      ecc_(index, config.preset.geometry.burst_bytes, config.poison_byte),
      model_(make_hbm_timing_model(config)),
      wake_("wake") {
    model_->set_window(config.window_ns * kPsPerNs);
    for (unsigned int i = 0; i < target.size(); ++i) {
        const int id = static_cast<int>(i);
        target[i].register_b_transport(this, &HbmStack::b_transport, id);
        target[i].register_get_direct_mem_ptr(this, &HbmStack::get_direct_mem_ptr, id);
        target[i].register_transport_dbg(this, &HbmStack::transport_dbg, id);
    }
    SC_HAS_PROCESS(HbmStack);
    SC_METHOD(on_wake);
    sensitive << wake_;
    dont_initialize();
}

void HbmStack::inject(std::uint64_t address, HbmErrorKind kind, bool stuck) {
    SYSTOLE_INVARIANT(address < memory_.size(), "the error lies in the stack");
    ecc_.inject(address, kind, stuck);
    const std::uint64_t page = address / kPageBytes * kPageBytes;
    for (unsigned int i = 0; i < target.size(); ++i)
        target[i]->invalidate_direct_mem_ptr(page, page + kPageBytes - 1);
}

// Time.

std::uint64_t HbmStack::enter(const Pending& pending) {
    if (free_.empty()) {
        free_.push_back(pending_.size());
        pending_.emplace_back();
    }
    const std::uint64_t id = free_.back();
    free_.pop_back();
    pending_[id] = pending;
    const BulkTransfer& t = pending.transfer;
    model_->advance(now_ps());
    model_->submit({.id = id, .address = t.address, .bytes = t.bytes, .write = t.write}, now_ps());
    arm();
    return id;
}

void HbmStack::submit(const BulkTransfer& transfer, BulkClient& client) {
    SYSTOLE_INVARIANT(transfer.bytes > 0, "a transfer moves bytes");
    if (transfer.address >= memory_.size() || transfer.bytes > memory_.size() - transfer.address) {
        refused_.emplace_back(transfer, &client);
        wake_.notify(sc_core::SC_ZERO_TIME);
        return;
    }
    enter({.transfer = transfer, .client = &client, .event = nullptr});
}

// Wakes when the next completion is due, or can be known.
void HbmStack::arm() {
    const std::uint64_t next = model_->next_time();
    if (next == HbmTimingModel::kNever) return;
    const std::uint64_t now = now_ps();
    wake_.notify(sc_core::sc_time::from_value(next > now ? next - now : 0));
}

void HbmStack::on_wake() {
    const std::uint64_t now = now_ps();
    for (auto& [transfer, client] : std::exchange(refused_, {}))
        client->completed(transfer.id, BulkStatus::kAddressError);
    model_->advance(now);
    HbmCompletion completion;
    while (model_->complete(now, completion)) finish(completion.id, now);
    arm();
}

void HbmStack::finish(std::uint64_t id, std::uint64_t now) {
    const Pending pending = pending_[id];
    free_.push_back(id);
    if (pending.event != nullptr) {
        pending.event->notify(sc_core::SC_ZERO_TIME);
        return;
    }
    const BulkTransfer& t = pending.transfer;
    bool poisoned = false;
    if (t.write) {
        memory_.mark_written(t.address, t.bytes);
        if (!ecc_.clean()) ecc_.write(t.address, t.bytes, now);
    } else {
        note_read(t.address, t.bytes);
        poisoned = !ecc_.clean() && ecc_.read(t.address, t.bytes, now);
    }
    pending.client->completed(t.id, poisoned ? BulkStatus::kPoisoned : BulkStatus::kOk);
}

void HbmStack::take_time(const tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    const BulkTransfer transfer{
        .id = 0, .address = payload.get_address(), .bytes = width_of(payload), .write = payload.is_write()};
    if (model_->immediate()) {
        const std::uint64_t begin = now_ps() + delay.value();
        const std::uint64_t end =
            model_->transact({0, transfer.address, transfer.bytes, transfer.write}, begin);
        delay = sc_core::sc_time::from_value(end - now_ps());
        return;
    }
    if (delay != sc_core::SC_ZERO_TIME) sc_core::wait(delay);
    delay = sc_core::SC_ZERO_TIME;
    sc_core::sc_event done;
    enter({.transfer = transfer, .client = nullptr, .event = &done});
    sc_core::wait(done);
}

// Bytes.

tlm::tlm_response_status HbmStack::check(const tlm::tlm_generic_payload& payload) const {
    const std::size_t width = width_of(payload);
    if (width == 0 || payload.get_data_ptr() == nullptr) return tlm::TLM_BURST_ERROR_RESPONSE;
    if (payload.get_address() >= memory_.size() || width > memory_.size() - payload.get_address())
        return tlm::TLM_ADDRESS_ERROR_RESPONSE;
    const unsigned char* enables = payload.get_byte_enable_ptr();
    if (enables == nullptr) return tlm::TLM_OK_RESPONSE;
    const auto legal = [](unsigned char e) { return e == TLM_BYTE_ENABLED || e == TLM_BYTE_DISABLED; };
    const std::size_t length = payload.get_byte_enable_length();
    return length != 0 && std::all_of(enables, enables + length, legal) ? tlm::TLM_OK_RESPONSE
                                                                        : tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
}

void HbmStack::read(tlm::tlm_generic_payload& payload) {
    const std::size_t width = width_of(payload);
    scratch_.assign(memory_.data() + payload.get_address(), memory_.data() + payload.get_address() + width);
    ecc_.poison(payload.get_address(), scratch_);
    for (std::size_t i = 0; i < payload.get_data_length(); ++i)
        if (enabled(payload, i))
            payload.get_data_ptr()[i] = std::to_integer<unsigned char>(scratch_[i % width]);
}

void HbmStack::write(tlm::tlm_generic_payload& payload) {
    const std::size_t width = width_of(payload);
    for (std::size_t i = 0; i < payload.get_data_length(); ++i) {
        if (!enabled(payload, i)) continue;
        const std::uint64_t at = payload.get_address() + i % width;
        memory_.data()[at] = static_cast<std::byte>(payload.get_data_ptr()[i]);
        if (memory_.tracks_written()) memory_.mark_written(at, 1);
    }
}

void HbmStack::note_read(std::uint64_t address, std::uint64_t bytes) {
    const auto unwritten = memory_.first_unwritten(address, bytes);
    if (!unwritten) return;
    if (unwritten_reads_++ == 0) first_unwritten_read_ = *unwritten;
}

// The effect of a legal transaction on the bytes.
tlm::tlm_response_status HbmStack::access(tlm::tlm_generic_payload& payload, std::uint64_t time_ps) {
    const std::uint64_t address = payload.get_address();
    const std::size_t width = width_of(payload);
    const bool plain = payload.get_byte_enable_ptr() == nullptr && width == payload.get_data_length();
    if (payload.is_write()) {
        if (!ecc_.clean()) {
            // Disabled bytes make every burst a partial one.
            if (payload.get_byte_enable_ptr() != nullptr)
                (void)ecc_.read(address, width, time_ps);
            else
                ecc_.write(address, width, time_ps);
        }
        if (plain)
            memory_.write(address, std::as_bytes(std::span(payload.get_data_ptr(), width)));
        else
            write(payload);
        return tlm::TLM_OK_RESPONSE;
    }
    note_read(address, width);
    const bool poisoned = !ecc_.clean() && ecc_.read(address, width, time_ps);
    if (plain && !poisoned)
        std::memcpy(payload.get_data_ptr(), memory_.data() + address, width);
    else
        read(payload);
    return poisoned ? tlm::TLM_GENERIC_ERROR_RESPONSE : tlm::TLM_OK_RESPONSE;
}

void HbmStack::b_transport(int, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    payload.set_dmi_allowed(false);
    if (payload.get_command() == tlm::TLM_IGNORE_COMMAND) {
        payload.set_response_status(tlm::TLM_OK_RESPONSE);
        return;
    }
    const tlm::tlm_response_status status = check(payload);
    if (status != tlm::TLM_OK_RESPONSE) {
        payload.set_response_status(status);
        return;
    }
    take_time(payload, delay);
    payload.set_response_status(access(payload, now_ps() + delay.value()));
    payload.set_dmi_allowed(payload.is_response_ok() && !memory_.tracks_written());
}

bool HbmStack::get_direct_mem_ptr(int, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
    dmi.init();
    const std::uint64_t address = payload.get_address();
    if (memory_.tracks_written()) return false;
    if (address >= memory_.size()) {
        dmi.set_start_address(memory_.size());
        return false;
    }
    // Everything, or the page when something is wrong somewhere.
    std::uint64_t first = 0;
    std::uint64_t bytes = memory_.size();
    if (!ecc_.clean()) {
        first = address / kPageBytes * kPageBytes;
        bytes = std::min(kPageBytes, memory_.size() - first);
    }
    dmi.set_start_address(first);
    dmi.set_end_address(first + bytes - 1);
    if (!ecc_.clean(first, bytes)) return false;
    const HbmTiming& t = config_.preset.timing;
    dmi.set_dmi_ptr(reinterpret_cast<unsigned char*>(memory_.data() + first));
    dmi.allow_read_write();
    dmi.set_read_latency(sc_core::sc_time::from_value(std::uint64_t{t.rcdrd + t.cl + t.bl} * t.tck_ps));
    dmi.set_write_latency(sc_core::sc_time::from_value(std::uint64_t{t.cwl + t.bl} * t.tck_ps));
    return true;
}

unsigned int HbmStack::transport_dbg(int, tlm::tlm_generic_payload& payload) {
    const std::uint64_t address = payload.get_address();
    if (address >= memory_.size() || payload.get_command() == tlm::TLM_IGNORE_COMMAND) return 0;
    const auto bytes = std::min<std::uint64_t>(payload.get_data_length(), memory_.size() - address);
    if (payload.is_write())
        memory_.write(address, std::as_bytes(std::span(payload.get_data_ptr(), bytes)));
    else
        std::memcpy(payload.get_data_ptr(), memory_.data() + address, bytes);
    return static_cast<unsigned int>(bytes);
}

}  // namespace systole
