// SPDX-License-Identifier: Apache-2.0
// HbmStack at its sockets and its bulk port: the base protocol, time, ECC, DMI.
#include <systole/config/hbm_config.hpp>
#include <systole/memory/hbm_stack.hpp>

#include "systemc_test.hpp"

#include <tlm_utils/simple_initiator_socket.h>

#include <functional>
#include <vector>

namespace systole {
namespace {

using Bytes = std::vector<unsigned char>;

HbmConfig chip(HbmModel model, bool track = false) {
    HbmConfig config = load_hbm_config(SYSTOLE_CONFIGS "/hbm/chip.yaml");
    config.model = model;
    config.track_written = track;
    return config;
}

// A stack, an initiator with a thread that runs `body`, and a client of the bulk port.
struct Bench : sc_core::sc_module, BulkClient, HbmErrorSink {
    Bench(sc_core::sc_module_name name, const HbmConfig& config)
        : sc_module(name), socket("socket"), stack("stack", config, 1, 1), timing(config.preset.timing) {
        socket.bind(stack.target[0]);
        socket.register_invalidate_direct_mem_ptr(this, &Bench::invalidate);
        stack.set_error_sink(this);
        SC_HAS_PROCESS(Bench);
        SC_THREAD(thread);
    }
    void thread() {
        if (body) body();
    }
    void run(std::function<void()> what) {
        body = std::move(what);
        sc_core::sc_start();
    }
    void invalidate(sc_dt::uint64 first, sc_dt::uint64 last) { invalidated.emplace_back(first, last); }
    void completed(std::uint64_t id, BulkStatus status) override {
        done.push_back({id, status, sc_core::sc_time_stamp().value()});
    }
    void hbm_error(const HbmErrorRecord& record) override { errors.push_back(record); }

    tlm::tlm_response_status transport(tlm::tlm_command command, std::uint64_t address, Bytes& data,
                                       unsigned int width = 0, Bytes enables = {}) {
        payload.set_command(command);
        payload.set_address(address);
        payload.set_data_ptr(data.data());
        payload.set_data_length(static_cast<unsigned int>(data.size()));
        payload.set_streaming_width(width != 0 ? width : static_cast<unsigned int>(data.size()));
        payload.set_byte_enable_ptr(enables.empty() ? nullptr : enables.data());
        payload.set_byte_enable_length(static_cast<unsigned int>(enables.size()));
        payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
        socket->b_transport(payload, delay);
        return payload.get_response_status();
    }
    Bytes read(std::uint64_t address, std::size_t bytes) {
        Bytes data(bytes, 0xAA);
        EXPECT_EQ(transport(tlm::TLM_READ_COMMAND, address, data), tlm::TLM_OK_RESPONSE);
        return data;
    }

    struct Done {
        std::uint64_t id;
        BulkStatus status;
        std::uint64_t time_ps;
    };
    tlm_utils::simple_initiator_socket<Bench> socket;
    HbmStack stack;
    HbmTiming timing;
    std::function<void()> body;
    tlm::tlm_generic_payload payload;
    sc_core::sc_time delay;
    std::vector<Done> done;
    std::vector<HbmErrorRecord> errors;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> invalidated;
};

constexpr std::uint64_t kStack = std::uint64_t{36} << 30;

void base_protocol(HbmModel model) {
    Bench bench("bench", chip(model));
    bench.run([&] {
        Bytes data{1, 2, 3, 4, 5};
        EXPECT_EQ(bench.transport(tlm::TLM_WRITE_COMMAND, kStack - 5, data), tlm::TLM_OK_RESPONSE);
        EXPECT_EQ(bench.read(kStack - 6, 6), (Bytes{0, 1, 2, 3, 4, 5}));
        EXPECT_EQ(bench.transport(tlm::TLM_WRITE_COMMAND, kStack - 4, data), tlm::TLM_ADDRESS_ERROR_RESPONSE);
        EXPECT_EQ(bench.transport(tlm::TLM_READ_COMMAND, ~std::uint64_t{0} - 2, data),
                  tlm::TLM_ADDRESS_ERROR_RESPONSE);
        EXPECT_EQ(bench.read(kStack - 5, 1), Bytes{1}) << "a refused write changes nothing";
        EXPECT_EQ(bench.transport(tlm::TLM_WRITE_COMMAND, 100, data, 2, {0xFF, 0xFF, 0, 0, 0xFF}),
                  tlm::TLM_OK_RESPONSE);
        EXPECT_EQ(bench.read(99, 4), (Bytes{0, 5, 2, 0}));
        Bytes some(4, 0xAA);
        EXPECT_EQ(bench.transport(tlm::TLM_READ_COMMAND, 100, some, 2, {0xFF, 0}), tlm::TLM_OK_RESPONSE);
        EXPECT_EQ(some, (Bytes{5, 0xAA, 5, 0xAA}));
        EXPECT_EQ(bench.transport(tlm::TLM_WRITE_COMMAND, 100, data, 0, {0x0F}),
                  tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
        Bytes none;
        EXPECT_EQ(bench.transport(tlm::TLM_READ_COMMAND, 100, none), tlm::TLM_BURST_ERROR_RESPONSE);
        const sc_core::sc_time before = sc_core::sc_time_stamp() + bench.delay;
        EXPECT_EQ(bench.transport(tlm::TLM_IGNORE_COMMAND, 100, data), tlm::TLM_OK_RESPONSE);
        EXPECT_EQ(sc_core::sc_time_stamp() + bench.delay, before);
    });
}

SYSTEMC_TEST(HbmStack, FastKeepsTheBaseProtocol) { base_protocol(HbmModel::kFast); }
SYSTEMC_TEST(HbmStack, BankedKeepsTheBaseProtocol) { base_protocol(HbmModel::kBanked); }

SYSTEMC_TEST(HbmStack, FastAnnotatesAndNeverWaits) {
    Bench bench("bench", chip(HbmModel::kFast));
    bench.run([&] {
        bench.delay = sc_core::sc_time(5, sc_core::SC_NS);
        bench.read(0, 32);
        EXPECT_EQ(sc_core::sc_time_stamp(), sc_core::SC_ZERO_TIME);
        const std::uint64_t latency = bench.delay.value() - 5000;
        const HbmTiming& t = bench.timing;
        EXPECT_GE(latency, (t.rcdrd + t.cl + t.bl) * std::uint64_t{t.tck_ps});
        EXPECT_LE(latency, (t.rcdrd + t.cl + t.bl) * std::uint64_t{t.tck_ps} * 11 / 10);
    });
}

SYSTEMC_TEST(HbmStack, BankedWaitsForTheCommands) {
    Bench bench("bench", chip(HbmModel::kBanked));
    bench.run([&] {
        bench.delay = sc_core::sc_time::from_value(100 * bench.timing.tck_ps);
        bench.read(0, 32);
        EXPECT_EQ(bench.delay, sc_core::SC_ZERO_TIME);
        const HbmTiming& t = bench.timing;
        EXPECT_EQ(sc_core::sc_time_stamp().value(), (100 + t.rcdrd + t.cl + t.bl) * std::uint64_t{t.tck_ps});
    });
}

// 64 engines' worth of transfers: their ends are those of the model alone, for few kernel events.
void bulk(HbmModel model) {
    const HbmConfig config = chip(model);
    Bench bench("bench", config);
    bench.run([&] {
        for (std::uint64_t id = 0; id < 64; ++id)
            bench.stack.submit({.id = id, .address = id << 20, .bytes = 65536, .write = id % 3 == 0}, bench);
    });
    const auto alone = make_hbm_timing_model(config);
    for (std::uint64_t id = 0; id < 64; ++id) alone->submit({id, id << 20, 65536, id % 3 == 0}, 0);
    ASSERT_EQ(bench.done.size(), 64U);
    HbmCompletion expected;
    for (const Bench::Done& done : bench.done) {
        while (!alone->complete(alone->next_time(), expected)) alone->advance(alone->next_time());
        EXPECT_EQ(done.id, expected.id);
        EXPECT_EQ(done.time_ps, expected.time_ps);
        EXPECT_EQ(done.status, BulkStatus::kOk);
    }
    // The controllers still hold writes that nothing forces out.
    const HbmChannelStatistics statistics = bench.stack.statistics().channels;
    EXPECT_EQ(statistics.bursts[kHbmRead], 42U * 2048);
    EXPECT_LE(statistics.bursts[kHbmWrite], 22U * 2048);
    EXPECT_GE(statistics.bursts[kHbmWrite], 22U * 2048 - 16 * config.preset.controller.write_entries);
    // 131072 bursts, but not an event for each.
    EXPECT_LT(sc_core::sc_delta_count(), 1000U);
}

SYSTEMC_TEST(HbmStack, BulkTransfersCostFewEventsWithFast) { bulk(HbmModel::kFast); }
SYSTEMC_TEST(HbmStack, BulkTransfersCostFewEventsWithBanked) { bulk(HbmModel::kBanked); }

SYSTEMC_TEST(HbmStack, BulkTransferOutsideIsRefused) {
    Bench bench("bench", chip(HbmModel::kFast));
    bench.run([&] {
        bench.stack.submit({.id = 7, .address = kStack - 10, .bytes = 11, .write = false}, bench);
        EXPECT_TRUE(bench.done.empty()) << "not from within";
    });
    ASSERT_EQ(bench.done.size(), 1U);
    EXPECT_EQ(bench.done[0].id, 7U);
    EXPECT_EQ(bench.done[0].status, BulkStatus::kAddressError);
}

SYSTEMC_TEST(HbmStack, CorrectableErrorIsCorrectedAndReported) {
    Bench bench("bench", chip(HbmModel::kBanked));
    bench.run([&] {
        Bytes data{9, 8, 7};
        bench.transport(tlm::TLM_WRITE_COMMAND, 64, data);
        bench.stack.inject(65, HbmErrorKind::kCorrectable);
        EXPECT_EQ(bench.read(64, 3), data);
        ASSERT_EQ(bench.errors.size(), 1U);
        EXPECT_EQ(bench.errors[0].address, 64U);
        EXPECT_EQ(bench.errors[0].stack, 1U);
        EXPECT_EQ(bench.errors[0].time_ps, sc_core::sc_time_stamp().value());
        EXPECT_EQ(bench.read(64, 3), data);
        EXPECT_EQ(bench.errors.size(), 1U) << "scrubbed";
    });
}

SYSTEMC_TEST(HbmStack, UncorrectableErrorPoisonsReads) {
    Bench bench("bench", chip(HbmModel::kFast));
    bench.run([&] {
        bench.stack.inject(4096 + 32, HbmErrorKind::kUncorrectable);
        Bytes data(64, 0xAA);
        EXPECT_EQ(bench.transport(tlm::TLM_READ_COMMAND, 4096, data), tlm::TLM_GENERIC_ERROR_RESPONSE);
        EXPECT_EQ(data[31], 0);
        EXPECT_EQ(data[32], 0xFF);
        EXPECT_EQ(data[63], 0xFF);
        bench.stack.submit({.id = 1, .address = 0, .bytes = 8192, .write = false}, bench);
        sc_core::wait(1, sc_core::SC_US);
        bench.stack.submit({.id = 2, .address = 4096, .bytes = 4096, .write = true}, bench);
        sc_core::wait(1, sc_core::SC_US);
        bench.stack.submit({.id = 3, .address = 0, .bytes = 8192, .write = false}, bench);
    });
    ASSERT_EQ(bench.done.size(), 3U);
    EXPECT_EQ(bench.done[0].status, BulkStatus::kPoisoned);
    EXPECT_EQ(bench.done[1].status, BulkStatus::kOk);
    EXPECT_EQ(bench.done[2].status, BulkStatus::kOk) << "written anew";
    EXPECT_EQ(bench.errors.size(), 2U);
    EXPECT_EQ(bench.stack.ecc().uncorrected(), 2U);
}

SYSTEMC_TEST(HbmStack, DmiCoversTheStackButPagesWithErrors) {
    Bench bench("bench", chip(HbmModel::kFast));
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    tlm::tlm_dmi dmi;
    bench.payload.set_command(tlm::TLM_READ_COMMAND);
    bench.payload.set_address(12345);
    ASSERT_TRUE(bench.socket->get_direct_mem_ptr(bench.payload, dmi));
    EXPECT_EQ(dmi.get_start_address(), 0U);
    EXPECT_EQ(dmi.get_end_address(), kStack - 1);
    EXPECT_TRUE(dmi.is_read_write_allowed());
    dmi.get_dmi_ptr()[5] = 42;
    Bytes one(1);
    bench.payload.set_address(5);
    bench.payload.set_data_ptr(one.data());
    bench.payload.set_data_length(1);
    EXPECT_EQ(bench.socket->transport_dbg(bench.payload), 1U);
    EXPECT_EQ(one[0], 42);

    bench.stack.inject(0x5010, HbmErrorKind::kCorrectable);
    ASSERT_EQ(bench.invalidated.size(), 1U);
    EXPECT_EQ(bench.invalidated[0], (std::pair<std::uint64_t, std::uint64_t>{0x5000, 0x5FFF}));
    bench.payload.set_address(0x5FFF);
    EXPECT_FALSE(bench.socket->get_direct_mem_ptr(bench.payload, dmi));
    EXPECT_EQ(dmi.get_start_address(), 0x5000U);
    EXPECT_EQ(dmi.get_end_address(), 0x5FFFU);
    bench.payload.set_address(0x6000);
    EXPECT_TRUE(bench.socket->get_direct_mem_ptr(bench.payload, dmi));
    bench.payload.set_address(kStack);
    EXPECT_FALSE(bench.socket->get_direct_mem_ptr(bench.payload, dmi));
    bench.payload.set_address(kStack - 2);
    bench.payload.set_data_length(4);
    Bytes four(4);
    bench.payload.set_data_ptr(four.data());
    EXPECT_EQ(bench.socket->transport_dbg(bench.payload), 2U) << "up to the end of the stack";
}

SYSTEMC_TEST(HbmStack, TrackedMemoryNoticesReadsOfBytesNobodyWrote) {
    Bench bench("bench", chip(HbmModel::kFast, true));
    bench.run([&] {
        Bytes data(16, 1);
        bench.transport(tlm::TLM_WRITE_COMMAND, 1000, data);
        EXPECT_FALSE(bench.payload.is_dmi_allowed());
        bench.read(1000, 16);
        EXPECT_EQ(bench.stack.unwritten_reads(), 0U);
        bench.read(1008, 16);
        EXPECT_EQ(bench.stack.unwritten_reads(), 1U);
        EXPECT_EQ(bench.stack.first_unwritten_read(), 1016U);
        tlm::tlm_dmi dmi;
        EXPECT_FALSE(bench.socket->get_direct_mem_ptr(bench.payload, dmi));
        // A bulk write counts when it is complete.
        bench.stack.submit({.id = 1, .address = 2048, .bytes = 64, .write = true}, bench);
        sc_core::wait(1, sc_core::SC_US);
        bench.read(2048, 64);
        EXPECT_EQ(bench.stack.unwritten_reads(), 1U);
    });
}

}  // namespace
}  // namespace systole
