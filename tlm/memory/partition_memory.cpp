// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/memory/partition_memory.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace systole {
namespace {

std::byte* map_storage(std::size_t bytes) {
    void* memory =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    SYSTOLE_INVARIANT(memory != MAP_FAILED, "the host has address space for the memory");
    return static_cast<std::byte*>(memory);
}

// Fresh pages of zeros over the storage: one mapping, whatever its size.
void map_zeros(std::byte* storage, std::size_t bytes) {
    void* mapped = mmap(storage, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    SYSTOLE_INVARIANT(mapped != MAP_FAILED, "the host has address space for the memory");
}

// Maps private copies of one poisoned file over the storage: all untouched pages share the file's, and a page
// takes host memory of its own with the first write to it.
void map_poison(std::byte* storage, std::size_t bytes, std::uint8_t poison) {
    constexpr std::size_t kChunk = std::size_t{1} << 20;
    const int file = memfd_create("systole-poison", MFD_CLOEXEC);
    SYSTOLE_INVARIANT(file >= 0 && ftruncate(file, kChunk) == 0, "the host has memory for the poison");
    void* pattern = mmap(nullptr, kChunk, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    SYSTOLE_INVARIANT(pattern != MAP_FAILED, "the host has memory for the poison");
    std::memset(pattern, poison, kChunk);
    munmap(pattern, kChunk);
    for (std::size_t at = 0; at < bytes; at += kChunk) {
        void* mapped = mmap(storage + at, std::min(kChunk, bytes - at), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, file, 0);
        SYSTOLE_INVARIANT(mapped != MAP_FAILED, "the host has address space for the memory");
    }
    close(file);
}

void copy(tlm::tlm_command command, std::byte* memory, unsigned char* data, std::size_t bytes) {
    if (command == tlm::TLM_READ_COMMAND)
        std::memcpy(data, memory, bytes);
    else
        std::memcpy(memory, data, bytes);
}

}  // namespace

PartitionMemory::PartitionMemory(sc_core::sc_module_name name, const PartitionMemoryParameters& parameters)
    : sc_module(name),
      target("target", parameters.targets),
      parameters_(parameters),
      bytes_(parameters.partitions * parameters.partition_bytes),
      storage_(nullptr) {
    SYSTOLE_INVARIANT(parameters.partitions > 0 && parameters.partition_bytes > 0 &&
                          parameters.partition_bytes <= parameters.pitch_bytes,
                      "partitions are not empty and fit their pitch");
    storage_ = map_storage(bytes_);
    power_up();
    for (unsigned int i = 0; i < target.size(); ++i) {
        const int id = static_cast<int>(i);
        target[i].register_b_transport(this, &PartitionMemory::b_transport, id);
        target[i].register_get_direct_mem_ptr(this, &PartitionMemory::get_direct_mem_ptr, id);
        target[i].register_transport_dbg(this, &PartitionMemory::transport_dbg, id);
    }
}

PartitionMemory::~PartitionMemory() { munmap(storage_, bytes_); }

std::byte* PartitionMemory::partition(std::uint32_t p) {
    SYSTOLE_INVARIANT(p < parameters_.partitions, "the partition exists");
    return storage_ + p * parameters_.partition_bytes;
}

void PartitionMemory::power_up() {
    if (parameters_.poison_byte == 0)
        map_zeros(storage_, bytes_);
    else
        map_poison(storage_, bytes_, parameters_.poison_byte);
    flips_.clear();
    if (written_ != nullptr) written_->clear();
}

// --- written bytes and parity

void PartitionMemory::track_writes() {
    SYSTOLE_INVARIANT(parameters_.partitions <= WrittenMap::kMaxPartitions,
                      "the map has a bit per partition");
    if (written_ == nullptr) written_ = std::make_unique<WrittenMap>(parameters_.partition_bytes);
}

void PartitionMemory::inject_bit_flip(std::uint64_t address, std::uint32_t bit, bool repairable) {
    const Region region = region_at(address);
    SYSTOLE_INVARIANT(region.data != nullptr && bit < 8, "the flipped bit is in the memory");
    region.data[address - region.first] ^= static_cast<std::byte>(1U << bit);
    flips_.push_back({.partition = static_cast<std::uint32_t>(address / parameters_.pitch_bytes),
                      .byte = address % parameters_.pitch_bytes,
                      .repairable = repairable});
}

const PartitionMemory::BitFlip* PartitionMemory::faulty(std::uint32_t partition, std::uint32_t partitions,
                                                        std::uint64_t first, std::uint64_t end) const {
    const auto found = std::find_if(flips_.begin(), flips_.end(), [&](const BitFlip& flip) {
        return flip.partition >= partition && flip.partition < partition + partitions && flip.byte >= first &&
               flip.byte < end;
    });
    return found == flips_.end() ? nullptr : &*found;
}

void PartitionMemory::wrote(std::uint32_t partition, std::uint32_t partitions, std::uint64_t first,
                            std::uint64_t end) {
    if (written_ != nullptr) written_->mark(partition, partitions, first, end);
    std::erase_if(flips_, [&](const BitFlip& flip) {
        return flip.partition >= partition && flip.partition < partition + partitions && flip.byte >= first &&
               flip.byte < end;
    });
}

// Takes notice of an access through a socket, which may span partitions. False for a read of bad parity.
bool PartitionMemory::note_access(tlm::tlm_command command, std::uint64_t address, std::uint64_t bytes) {
    const std::uint64_t pitch = parameters_.pitch_bytes;
    while (bytes != 0) {
        const auto partition = static_cast<std::uint32_t>(address / pitch);
        const std::uint64_t first = address % pitch;
        const std::uint64_t here = std::min(bytes, pitch - first);
        if (command == tlm::TLM_WRITE_COMMAND)
            wrote(partition, 1, first, first + here);
        else if (faulty(partition, 1, first, first + here) != nullptr)
            return false;
        address += here;
        bytes -= here;
    }
    return true;
}

void PartitionMemory::set_dmi(bool granted) {
    parameters_.dmi = granted;
    for (unsigned i = 0; i < target.size(); ++i) target[i]->invalidate_direct_mem_ptr(0, ~sc_dt::uint64{0});
}

// The longest stretch around an address that is all memory or all hole.
PartitionMemory::Region PartitionMemory::region_at(std::uint64_t address) const {
    const std::uint64_t pitch = parameters_.pitch_bytes;
    const std::uint64_t size = parameters_.partitions * pitch;
    if (address >= size) return {.first = size, .bytes = ~std::uint64_t{0} - size, .data = nullptr};
    if (seamless()) return {.first = 0, .bytes = size, .data = storage_};
    const std::uint64_t p = address / pitch;
    if (address % pitch < parameters_.partition_bytes)
        return {.first = p * pitch,
                .bytes = parameters_.partition_bytes,
                .data = storage_ + p * parameters_.partition_bytes};
    return {.first = p * pitch + parameters_.partition_bytes,
            .bytes = pitch - parameters_.partition_bytes,
            .data = nullptr};
}

tlm::tlm_response_status PartitionMemory::access(tlm::tlm_generic_payload& payload) {
    const tlm::tlm_command command = payload.get_command();
    if (command == tlm::TLM_IGNORE_COMMAND) return tlm::TLM_OK_RESPONSE;
    const std::size_t length = payload.get_data_length();
    const std::size_t width = std::min<std::size_t>(payload.get_streaming_width(), length);
    if (width == 0 || payload.get_data_ptr() == nullptr) return tlm::TLM_BURST_ERROR_RESPONSE;

    const Region region = region_at(payload.get_address());
    const std::uint64_t offset = payload.get_address() - region.first;
    if (region.data == nullptr || width > region.bytes - offset) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
    std::byte* memory = region.data + offset;
    unsigned char* data = payload.get_data_ptr();

    const unsigned char* enables = payload.get_byte_enable_ptr();
    if (enables == nullptr) {
        if (observed() && !note_access(command, payload.get_address(), width))
            return tlm::TLM_GENERIC_ERROR_RESPONSE;
        for (std::size_t done = 0; done < length; done += width)
            copy(command, memory, data + done, std::min(width, length - done));
        return tlm::TLM_OK_RESPONSE;
    }
    const std::size_t enable_length = payload.get_byte_enable_length();
    const auto legal = [](unsigned char e) { return e == TLM_BYTE_ENABLED || e == TLM_BYTE_DISABLED; };
    if (enable_length == 0 || !std::all_of(enables, enables + enable_length, legal))
        return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
    for (std::size_t i = 0; observed() && i < length; ++i)
        if (enables[i % enable_length] == TLM_BYTE_ENABLED &&
            !note_access(command, payload.get_address() + i % width, 1))
            return tlm::TLM_GENERIC_ERROR_RESPONSE;
    for (std::size_t i = 0; i < length; ++i)
        if (enables[i % enable_length] == TLM_BYTE_ENABLED) copy(command, memory + i % width, data + i, 1);
    return tlm::TLM_OK_RESPONSE;
}

void PartitionMemory::b_transport(int, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    payload.set_response_status(access(payload));
    payload.set_dmi_allowed(parameters_.dmi && payload.is_response_ok());
    delay += parameters_.access_time;
}

bool PartitionMemory::get_direct_mem_ptr(int, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
    dmi.init();
    const Region region = region_at(payload.get_address());
    dmi.set_start_address(parameters_.dmi ? region.first : 0);
    dmi.set_end_address(parameters_.dmi ? region.first + region.bytes - 1 : ~sc_dt::uint64{0});
    if (!parameters_.dmi || region.data == nullptr) return false;
    dmi.set_dmi_ptr(reinterpret_cast<unsigned char*>(region.data));
    dmi.allow_read_write();
    return true;
}

unsigned int PartitionMemory::transport_dbg(int, tlm::tlm_generic_payload& payload) {
    const Region region = region_at(payload.get_address());
    const tlm::tlm_command command = payload.get_command();
    if (region.data == nullptr || command == tlm::TLM_IGNORE_COMMAND) return 0;
    const std::uint64_t offset = payload.get_address() - region.first;
    const auto bytes = std::min<std::uint64_t>(payload.get_data_length(), region.bytes - offset);
    if (command == tlm::TLM_WRITE_COMMAND && observed())
        (void)note_access(command, payload.get_address(), bytes);
    copy(command, region.data + offset, payload.get_data_ptr(), bytes);
    return static_cast<unsigned int>(bytes);
}

}  // namespace systole
