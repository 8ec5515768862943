// SPDX-License-Identifier: Apache-2.0
// What a core tells its host: NOTIFY, trace, event and error records, counters, status codes.
#include "core_program.hpp"
#include "systemc_test.hpp"

namespace systole::test {
namespace {

SYSTEMC_TEST(NeuronCoreHost, NotifyPutsARecordIntoTheQueue) {
    LoadedCore core(R"(.stream vector
        NOP
        NOTIFY value=0x123456789abcdef0 wait S1>=1
        HALT
        .stream sync
        NOTIFY value=7 S1++@complete
        HALT
        )");
    Recorder recorder;
    core.run->observe(recorder);
    core.run->simulate();
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    const auto& records = core.core().queues().notifications().records();
    ASSERT_EQ(records.size(), 2U);
    EXPECT_EQ(records[0].stream, Stream::kSync);
    EXPECT_EQ(records[0].payload, 7U);
    EXPECT_EQ(records[0].opcode, 0x0E);
    EXPECT_EQ(records[1].stream, Stream::kVector);
    EXPECT_EQ(records[1].pc, 1U);
    EXPECT_EQ(records[1].payload, 0x123456789ABCDEF0U);
    EXPECT_EQ(records[1].time_ps, recorder.times(Stream::kVector, 1).issued_ps);
    ASSERT_EQ(recorder.notifications.size(), 2U);
    EXPECT_EQ(recorder.notifications[1].payload, records[1].payload);
}

SYSTEMC_TEST(NeuronCoreHost, AFullQueueLosesTheNewestAndCounts) {
    LoadedCore core(R"(.stream sync
        NOTIFY value=1
        NOTIFY value=2
        NOTIFY value=3
        HALT
        )",
                    [](NeuronCoreConfig& config) { config.host_queues.entries = 2; });
    core.run->simulate();
    RecordQueue<Notification>& queue = core.core().queues().notifications();
    EXPECT_EQ(queue.lost(), 1U);
    EXPECT_EQ(core.core().queues().counters().sw_nq_overflow, 1U);
    EXPECT_EQ(core.run->complaints(),
              std::vector<std::string>{"1 records found a full queue to the host (host status 1204)"});
    EXPECT_EQ(queue.pop()->payload, 1U);
    EXPECT_EQ(queue.pop()->payload, 2U);
    EXPECT_FALSE(queue.pop().has_value());
}

SYSTEMC_TEST(NeuronCoreHost, AnInstructionWithNtfLeavesATraceRecord) {
    LoadedCore core(R"(.stream vector
        MEMSET np=1 s0=7 c=u32@sbuf[p0+0x0][1,4096]
        MEMSET ntf np=1 s0=7 c=u32@sbuf[p0+0x0][1,1000]
        HALT
        )");
    core.run->simulate();
    const auto& records = core.core().queues().traces().records();
    ASSERT_EQ(records.size(), 1U);
    const ClockDomain clock(core.config.lanes.clock_hz);
    EXPECT_EQ(records[0].pc, 1U);
    EXPECT_EQ(records[0].time_ps, clock.time_ps(4096));
    EXPECT_EQ(records[0].completed_ps, clock.time_ps(5096 + core.config.lanes.vector_latency_cycles));
}

SYSTEMC_TEST(NeuronCoreHost, AFaultLeavesAnErrorRecordWithItsStatus) {
    Core core(R"(.stream vector
        NOP
        TENSOR_COPY np=128 bits a=fp32@sbuf[p0+0x3ff00][1,512] c=fp32@sbuf[p0+0x0][1,512]
        .stream scalar
        TENSOR_COPY np=65 bits a=fp32@sbuf[p32+0x0] c=fp32@sbuf[p0+0x0]
        .stream gpsimd
        .words 0x99 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
        .stream sync
        BR cc=always target=-1
        )");
    const HostQueues& queues = core.core().queues();
    ASSERT_EQ(queues.errors().records().size(), 4U);
    const auto record = [&](Stream stream) {
        for (const ErrorRecord& r : queues.errors().records())
            if (r.stream == stream) return r;
        return ErrorRecord{};
    };
    const ErrorRecord vector = record(Stream::kVector);
    EXPECT_EQ(vector.pc, 1U);
    EXPECT_EQ(vector.opcode, 0x24);
    EXPECT_EQ(vector.code, Exception::kApOob);
    EXPECT_EQ(vector.status, HostStatus::kOutOfBound);
    EXPECT_EQ(record(Stream::kScalar).code, Exception::kStartPartition);
    EXPECT_EQ(record(Stream::kScalar).status, HostStatus::kUnrecoverable);
    EXPECT_EQ(record(Stream::kGpsimd).opcode, 0x99);
    EXPECT_EQ(record(Stream::kGpsimd).code, Exception::kIllegalOpcode);
    EXPECT_EQ(record(Stream::kSync).code, Exception::kIllegalEncoding);
    EXPECT_EQ(queues.counters().generic, 2U);  // AP_OOB and START_PARTITION
    EXPECT_EQ(queues.counters().sw_sequencer_fatal, 2U);
}

SYSTEMC_TEST(NeuronCoreHost, SemaphoreWarningsAreEventsAndCounted) {
    Core core(R"(.stream sync
        SEM_OP sem=5 sop=dec value=0
        SEM_OP sem=6 sop=evt_set value=0
        SEM_OP sem=6 sop=evt_set value=0
        SEM_OP sem=6 sop=evt_clr value=0
        SEM_OP sem=6 sop=evt_clr value=0
        HALT
        )");
    const HostQueues& queues = core.core().queues();
    EXPECT_EQ(queues.counters().sw_semaphore, 1U);
    EXPECT_EQ(queues.counters().sw_event, 2U);
    EXPECT_TRUE(queues.errors().records().empty());
    ASSERT_EQ(queues.warnings().records().size(), 3U);
    EXPECT_EQ(queues.warnings().records()[1].code, Exception::kSemDouble);
    EXPECT_EQ(queues.warnings().records()[1].semaphore, 6);
    EXPECT_EQ(core.core().semaphores().value(6), 0U);
    const std::vector<std::string> complaints = core.run->complaints();
    ASSERT_EQ(complaints.size(), 2U);
    EXPECT_NE(complaints[1].find("SEM_DOUBLE: semaphore S6"), std::string::npos) << complaints[1];
    EXPECT_NE(complaints[1].find("2 times"), std::string::npos) << complaints[1];
}

}  // namespace
}  // namespace systole::test
