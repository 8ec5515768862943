// SPDX-License-Identifier: Apache-2.0
// PartitionMemory at its socket: every rule of the TLM-2.0 base protocol a memory has to keep.
#include <systole/memory/partition_memory.hpp>

#include "systemc_test.hpp"

#include <tlm_utils/simple_initiator_socket.h>

#include <array>
#include <cmath>
#include <cstring>
#include <vector>

namespace systole {
namespace {

constexpr std::uint64_t kPitch = 0x1000;
constexpr std::uint64_t kBytes = 0x100;

// A memory with holes, and an initiator bound to it.
struct Bench : sc_core::sc_module {
    explicit Bench(sc_core::sc_module_name name, std::uint64_t partition_bytes = kBytes)
        : sc_module(name),
          socket("socket"),
          memory("memory", {.partitions = 4,
                            .pitch_bytes = kPitch,
                            .partition_bytes = partition_bytes,
                            .poison_byte = 0xFF,
                            .targets = 1,
                            .dmi = true,
                            .access_time = sc_core::sc_time(7, sc_core::SC_NS)}) {
        socket.bind(memory.target[0]);
        socket.register_invalidate_direct_mem_ptr(this, &Bench::invalidate);
    }

    void invalidate(sc_dt::uint64, sc_dt::uint64) { ++invalidations; }

    tlm::tlm_response_status transport(tlm::tlm_command command, std::uint64_t address,
                                       std::vector<unsigned char>& data, unsigned int width = 0,
                                       std::vector<unsigned char> enables = {}) {
        payload.set_command(command);
        payload.set_address(address);
        payload.set_data_ptr(data.data());
        payload.set_data_length(static_cast<unsigned int>(data.size()));
        payload.set_streaming_width(width != 0 ? width : static_cast<unsigned int>(data.size()));
        payload.set_byte_enable_ptr(enables.empty() ? nullptr : enables.data());
        payload.set_byte_enable_length(static_cast<unsigned int>(enables.size()));
        payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
        payload.set_dmi_allowed(false);
        delay = sc_core::sc_time(1, sc_core::SC_NS);
        socket->b_transport(payload, delay);
        return payload.get_response_status();
    }

    std::vector<unsigned char> read(std::uint64_t address, std::size_t bytes) {
        std::vector<unsigned char> data(bytes, 0xAA);
        EXPECT_EQ(transport(tlm::TLM_READ_COMMAND, address, data), tlm::TLM_OK_RESPONSE);
        return data;
    }

    tlm_utils::simple_initiator_socket<Bench> socket;
    PartitionMemory memory;
    tlm::tlm_generic_payload payload;
    sc_core::sc_time delay;
    int invalidations = 0;
};

using Bytes = std::vector<unsigned char>;

SYSTEMC_TEST(PartitionMemory, IsPoisonedWithNanAtPowerUp) {
    Bench bench("bench");
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    const Bytes data = bench.read(3 * kPitch + kBytes - 4, 4);
    float value = 0;
    std::memcpy(&value, data.data(), 4);
    EXPECT_TRUE(std::isnan(value));
    Bytes one{1, 2, 3, 4};
    bench.transport(tlm::TLM_WRITE_COMMAND, 0, one);
    bench.memory.power_up();
    EXPECT_EQ(bench.read(0, 4), Bytes(4, 0xFF));
}

SYSTEMC_TEST(PartitionMemory, ReadsWhatWasWrittenAndTakesItsTime) {
    Bench bench("bench");
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    Bytes data{1, 2, 3, 4, 5};
    EXPECT_EQ(bench.transport(tlm::TLM_WRITE_COMMAND, kPitch + 3, data), tlm::TLM_OK_RESPONSE);
    EXPECT_TRUE(bench.payload.is_dmi_allowed());
    EXPECT_EQ(bench.delay, sc_core::sc_time(8, sc_core::SC_NS)) << "added to what the initiator brought";
    EXPECT_EQ(bench.read(kPitch + 2, 7), (Bytes{0xFF, 1, 2, 3, 4, 5, 0xFF}));
    EXPECT_EQ(std::to_integer<int>(bench.memory.partition(1)[3]), 1);
    EXPECT_EQ(bench.read(0, 8), Bytes(8, 0xFF)) << "another partition";
}

SYSTEMC_TEST(PartitionMemory, ByteEnablesRepeatAndSelect) {
    Bench bench("bench");
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    Bytes data{1, 2, 3, 4, 5, 6};
    EXPECT_EQ(bench.transport(tlm::TLM_WRITE_COMMAND, 0, data, 0, {0xFF, 0x00}), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(bench.read(0, 6), (Bytes{1, 0xFF, 3, 0xFF, 5, 0xFF}));
    Bytes read(4, 0xAA);
    EXPECT_EQ(bench.transport(tlm::TLM_READ_COMMAND, 0, read, 0, {0x00, 0x00, 0xFF, 0xFF}),
              tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(read, (Bytes{0xAA, 0xAA, 3, 0xFF})) << "bytes that are not enabled stay";
}

SYSTEMC_TEST(PartitionMemory, IllegalByteEnablesAreRefused) {
    Bench bench("bench");
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    Bytes data{1, 2};
    EXPECT_EQ(bench.transport(tlm::TLM_WRITE_COMMAND, 0, data, 0, {0xFF, 0x0F}),
              tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    EXPECT_EQ(bench.read(0, 2), Bytes(2, 0xFF)) << "nothing was written";
}

SYSTEMC_TEST(PartitionMemory, StreamingRepeatsTheSameAddresses) {
    Bench bench("bench");
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    Bytes data{1, 2, 3, 4, 5, 6, 7, 8, 9};
    EXPECT_EQ(bench.transport(tlm::TLM_WRITE_COMMAND, 8, data, 4), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(bench.read(8, 6), (Bytes{9, 6, 7, 8, 0xFF, 0xFF}));
    Bytes read(6, 0);
    EXPECT_EQ(bench.transport(tlm::TLM_READ_COMMAND, 8, read, 2), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(read, (Bytes{9, 6, 9, 6, 9, 6}));
    // At the end of a partition only the streamed width has to fit.
    EXPECT_EQ(bench.transport(tlm::TLM_WRITE_COMMAND, kBytes - 4, data, 4), tlm::TLM_OK_RESPONSE);
    Bytes enabled{1, 2, 3, 4};
    EXPECT_EQ(bench.transport(tlm::TLM_WRITE_COMMAND, 0, enabled, 2, {0xFF, 0, 0, 0xFF}),
              tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(bench.read(0, 3), (Bytes{1, 4, 0xFF}));
}

SYSTEMC_TEST(PartitionMemory, HolesAndEndsAreAddressErrors) {
    Bench bench("bench");
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    Bytes data(8, 0);
    for (const std::uint64_t address :
         {kBytes, kBytes - 7, kPitch - 4, 4 * kPitch, 4 * kPitch + 5 * kBytes, ~std::uint64_t{0} - 3})
        EXPECT_EQ(bench.transport(tlm::TLM_WRITE_COMMAND, address, data), tlm::TLM_ADDRESS_ERROR_RESPONSE)
            << address;
    EXPECT_FALSE(bench.payload.is_dmi_allowed());
    EXPECT_EQ(bench.read(kBytes - 8, 8), Bytes(8, 0xFF)) << "a refused write changes nothing";
}

SYSTEMC_TEST(PartitionMemory, MalformedTransactionsAreBurstErrors) {
    Bench bench("bench");
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    Bytes empty;
    EXPECT_EQ(bench.transport(tlm::TLM_READ_COMMAND, 0, empty), tlm::TLM_BURST_ERROR_RESPONSE);
    Bytes data(4, 0);
    bench.payload.set_data_length(4);
    bench.payload.set_streaming_width(0);
    bench.payload.set_data_ptr(data.data());
    bench.payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    bench.socket->b_transport(bench.payload, bench.delay);
    EXPECT_EQ(bench.payload.get_response_status(), tlm::TLM_BURST_ERROR_RESPONSE);
}

SYSTEMC_TEST(PartitionMemory, IgnoreCommandMovesNothing) {
    Bench bench("bench");
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    Bytes data{1, 2};
    EXPECT_EQ(bench.transport(tlm::TLM_IGNORE_COMMAND, 0, data), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(bench.read(0, 2), Bytes(2, 0xFF));
    EXPECT_EQ(data, (Bytes{1, 2}));
}

SYSTEMC_TEST(PartitionMemory, DebugTransportMovesWhatExists) {
    Bench bench("bench");
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    Bytes data(8, 5);
    bench.payload.set_command(tlm::TLM_WRITE_COMMAND);
    bench.payload.set_address(kBytes - 3);
    bench.payload.set_data_ptr(data.data());
    bench.payload.set_data_length(8);
    EXPECT_EQ(bench.socket->transport_dbg(bench.payload), 3U) << "up to the end of the partition";
    EXPECT_EQ(bench.read(kBytes - 4, 4), (Bytes{0xFF, 5, 5, 5}));
    bench.payload.set_address(kBytes);
    EXPECT_EQ(bench.socket->transport_dbg(bench.payload), 0U);
}

SYSTEMC_TEST(PartitionMemory, DmiCoversAPartitionWithItsHolesRefused) {
    Bench bench("bench");
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    tlm::tlm_dmi dmi;
    bench.payload.set_command(tlm::TLM_READ_COMMAND);
    bench.payload.set_address(2 * kPitch + 17);
    ASSERT_TRUE(bench.socket->get_direct_mem_ptr(bench.payload, dmi));
    EXPECT_EQ(dmi.get_start_address(), 2 * kPitch);
    EXPECT_EQ(dmi.get_end_address(), 2 * kPitch + kBytes - 1);
    EXPECT_TRUE(dmi.is_read_write_allowed());
    dmi.get_dmi_ptr()[5] = 42;
    EXPECT_EQ(bench.read(2 * kPitch + 5, 1), Bytes{42});
    bench.payload.set_address(2 * kPitch + kBytes);
    EXPECT_FALSE(bench.socket->get_direct_mem_ptr(bench.payload, dmi));
    EXPECT_EQ(dmi.get_start_address(), 2 * kPitch + kBytes);
    EXPECT_EQ(dmi.get_end_address(), 3 * kPitch - 1);
    bench.payload.set_address(5 * kPitch);
    EXPECT_FALSE(bench.socket->get_direct_mem_ptr(bench.payload, dmi));
}

SYSTEMC_TEST(PartitionMemory, WithoutHolesTheWholeMemoryIsOneRegion) {
    Bench bench("bench", kPitch);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    tlm::tlm_dmi dmi;
    bench.payload.set_address(2 * kPitch);
    ASSERT_TRUE(bench.socket->get_direct_mem_ptr(bench.payload, dmi));
    EXPECT_EQ(dmi.get_start_address(), 0U);
    EXPECT_EQ(dmi.get_end_address(), 4 * kPitch - 1);
    Bytes data(8, 3);
    EXPECT_EQ(bench.transport(tlm::TLM_WRITE_COMMAND, kPitch - 4, data), tlm::TLM_OK_RESPONSE);
}

SYSTEMC_TEST(PartitionMemory, DmiCanBeWithdrawn) {
    Bench bench("bench");
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    bench.memory.set_dmi(false);
    EXPECT_EQ(bench.invalidations, 1);
    tlm::tlm_dmi dmi;
    bench.payload.set_address(0);
    EXPECT_FALSE(bench.socket->get_direct_mem_ptr(bench.payload, dmi));
    Bytes data{1};
    bench.transport(tlm::TLM_WRITE_COMMAND, 0, data);
    EXPECT_FALSE(bench.payload.is_dmi_allowed());
}

SYSTEMC_TEST(PartitionMemory, WrittenBytesAreKnownOnDemand) {
    Bench bench("bench");
    std::vector<unsigned char> four(4, 1);
    EXPECT_EQ(bench.transport(tlm::TLM_WRITE_COMMAND, 0x20, four), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(bench.memory.written(), nullptr);
    bench.memory.track_writes();
    EXPECT_FALSE(bench.memory.written()->all(0, 1, 0x20, 0x24)) << "written before tracking";
    EXPECT_EQ(bench.transport(tlm::TLM_WRITE_COMMAND, kPitch + 0x20, four), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(bench.transport(tlm::TLM_WRITE_COMMAND, 2 * kPitch + 0x20, four, 0,
                              {TLM_BYTE_ENABLED, TLM_BYTE_DISABLED}),
              tlm::TLM_OK_RESPONSE);
    const WrittenMap& written = *bench.memory.written();
    EXPECT_TRUE(written.all(1, 1, 0x20, 0x24));
    EXPECT_FALSE(written.all(1, 1, 0x20, 0x25));
    EXPECT_FALSE(written.all(0, 2, 0x20, 0x24));
    EXPECT_TRUE(written.all(2, 1, 0x22, 0x23));
    EXPECT_FALSE(written.all(2, 1, 0x22, 0x24));
    bench.memory.wrote(0, 4, 0, kBytes);
    EXPECT_TRUE(written.all(0, 4, 0, kBytes));
    EXPECT_FALSE(written.all(0, 4, 0, kBytes + 1)) << "beyond the memory";
    bench.memory.power_up();
    EXPECT_FALSE(written.all(1, 1, 0x20, 0x21));
}

TEST(WrittenMap, PartitionsOfBothHalvesAreToldApart) {
    for (const std::uint32_t first : {0U, 1U, 63U, 64U, 65U, 100U})
        for (const std::uint32_t count : {1U, 2U, 28U}) {
            WrittenMap map(16);
            map.mark(first, count, 3, 5);
            for (std::uint32_t p = 0; p < WrittenMap::kMaxPartitions; ++p)
                EXPECT_EQ(map.all(p, 1, 3, 5), p >= first && p < first + count) << p;
            EXPECT_FALSE(map.all(first, count, 2, 5));
            EXPECT_TRUE(map.all(first, count, 4, 5));
        }
}

SYSTEMC_TEST(PartitionMemory, ABitFlipIsAnErrorUntilItIsWritten) {
    Bench bench("bench");
    std::vector<unsigned char> data(4, 0x0F);
    EXPECT_EQ(bench.transport(tlm::TLM_WRITE_COMMAND, kPitch + 8, data), tlm::TLM_OK_RESPONSE);
    bench.memory.inject_bit_flip(kPitch + 9, 7);
    EXPECT_EQ(static_cast<unsigned>(bench.memory.partition(1)[9]), 0x8FU);
    ASSERT_NE(bench.memory.faulty(0, 4, 9, 10), nullptr);
    EXPECT_EQ(bench.memory.faulty(0, 4, 9, 10)->partition, 1U);
    EXPECT_EQ(bench.memory.faulty(2, 2, 0, kBytes), nullptr);
    EXPECT_EQ(bench.transport(tlm::TLM_READ_COMMAND, kPitch + 8, data), tlm::TLM_GENERIC_ERROR_RESPONSE);
    EXPECT_EQ(data, std::vector<unsigned char>(4, 0x0F)) << "nothing was read";
    EXPECT_EQ(
        bench.transport(tlm::TLM_READ_COMMAND, kPitch + 8, data, 0, {TLM_BYTE_ENABLED, TLM_BYTE_DISABLED}),
        tlm::TLM_OK_RESPONSE)
        << "the byte is not among those read";
    std::vector<unsigned char> one(1, 0x55);
    EXPECT_EQ(bench.transport(tlm::TLM_WRITE_COMMAND, kPitch + 9, one), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(bench.read(kPitch + 8, 4), (std::vector<unsigned char>{0x0F, 0x55, 0x0F, 0x0F}));
}

}  // namespace
}  // namespace systole
