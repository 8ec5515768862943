// SPDX-License-Identifier: Apache-2.0
// Lockstep and RtlBackend on an engine without RTL: agreement without a fault, and what each fault is
// reported as.
#include <systole/base/error.hpp>
#include <systole/cosim/explain.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>

#include "program_bench.hpp"

namespace systole::test {
namespace {

using testing::HasSubstr;

std::shared_ptr<const RtlLibrary> fake(const std::string& name) {
    return RtlLibrary::open(std::string(FAKE_RTL_FOLDER) + "/lib" + name + ".so");
}

constexpr std::array kBf16 = {OperandPair{}};

// Runs programs until the first mismatch.
std::optional<Mismatch> first_mismatch(Lockstep& lockstep, Programs& programs, int count) {
    try {
        for (int i = 0; i < count; ++i) {
            const auto commands = programs.next();
            const auto completion = i % 2 == 0 ? Completion::kInTime : Completion::kAtTheEnd;
            run_program(lockstep.backend, commands, programs.gaps(), completion, lockstep.now);
        }
    } catch (const MismatchError& error) {
        return error.mismatch();
    }
    return std::nullopt;
}

Mismatch mismatch_of(const std::string& library_name,
                     std::vector<OperandPair> pairs = {kBf16.begin(), kBf16.end()}) {
    const auto library = fake(library_name);
    Lockstep lockstep(library);
    lockstep.backend.rtl().set_watchdog_cycles(500);
    for (std::uint32_t column = 0; column < 8; ++column)
        lockstep.backend.set_random_state(column, Xorwow::from_seed(7, column).state());
    Programs programs(library->parameters(kClockHz), std::move(pairs), 11);
    const auto mismatch = first_mismatch(lockstep, programs, 10);
    EXPECT_TRUE(mismatch.has_value());
    return mismatch.value_or(Mismatch{});
}

TEST(Lockstep, AgreesWithoutAFault) {
    const auto library = fake("systole_rtl_fake_8x8");
    Lockstep lockstep(library);
    Programs programs(library->parameters(kClockHz), pairs_for(8), 3, 64);
    EXPECT_FALSE(first_mismatch(lockstep, programs, 40).has_value());
    const LockstepStatistics& statistics = lockstep.backend.statistics();
    EXPECT_EQ(statistics.mismatches, 0U);
    EXPECT_GT(statistics.multiplies, 300U);
    EXPECT_GT(statistics.elements, 20'000U);
}

TEST(Lockstep, SeesWhatOthersWriteToPsumBetweenMultiplies) {
    const auto library = fake("systole_rtl_fake_8x8");
    Lockstep lockstep(library);
    const std::array<std::uint16_t, 1> one = {0x3F80};
    TensorCommand command;
    command.tile = {
        .row_start = 0, .row_tile = 8, .rows = 1, .column_start = 0, .column_tile = 8, .columns = 1};
    command.operand = {.data = reinterpret_cast<const std::byte*>(one.data()), .row_stride_bytes = 2};
    lockstep.backend.submit(command, 0);
    lockstep.backend.complete(command.tag);
    command.op = TensorOp::kMultiply;
    command.n = 1;
    command.accumulate = true;
    for (const float before : {2.5F, -1.0F, 1e30F}) {
        std::memcpy(lockstep.psum.view().base, &before, sizeof before);
        ++command.tag;
        const TensorTimes times = lockstep.backend.submit(command, 1000 * command.tag);
        EXPECT_EQ(lockstep.backend.complete(command.tag), times);
        EXPECT_EQ(lockstep.psum.at<float>(0, 0), before + 1.0F);
    }
}

TEST(Lockstep, ReportsAWrongBitWithItsElement) {
    const Mismatch mismatch = mismatch_of("fake_rtl_wrong_bits");
    EXPECT_EQ(mismatch.kind, MismatchKind::kBits);
    EXPECT_EQ(mismatch.m, 1U);
    EXPECT_EQ(mismatch.j, 2U);
    EXPECT_EQ(mismatch.partition, mismatch.command.tile.column_start + 1);
    EXPECT_EQ(mismatch.expected_bits ^ mismatch.found_bits, 1U);
    EXPECT_EQ(mismatch.differing_elements, 1U);
    EXPECT_EQ(mismatch.expected_times, mismatch.found_times);
    ASSERT_NE(mismatch.replay, nullptr);
    EXPECT_FALSE(mismatch.replay->loads.empty());
    // The engine without RTL shows no registers, so the array cannot be searched.
    EXPECT_EQ(explain_mismatch(fake("fake_rtl_wrong_bits"), mismatch).place, MismatchPlace::kUnknown);
}

TEST(Lockstep, ReportsALateCompletionWithBothTimes) {
    const Mismatch mismatch = mismatch_of("fake_rtl_late");
    EXPECT_EQ(mismatch.kind, MismatchKind::kTimes);
    EXPECT_EQ(mismatch.found_times.completed, mismatch.expected_times.completed + 3);
    EXPECT_EQ(mismatch.found_times.accepted, mismatch.expected_times.accepted);
    EXPECT_EQ(mismatch.found_times.dispatched, mismatch.expected_times.dispatched);
}

TEST(Lockstep, ReportsAHang) {
    const Mismatch mismatch = mismatch_of("fake_rtl_hang");
    EXPECT_EQ(mismatch.kind, MismatchKind::kHang);
    EXPECT_THAT(mismatch.detail, HasSubstr("did not complete"));
    EXPECT_THAT(mismatch.detail, HasSubstr("no progress for 500 cycles"));
    EXPECT_EQ(mismatch.found_times.dispatched, mismatch.expected_times.dispatched);
}

TEST(Lockstep, ReportsAWriteOutsidePsum) {
    const Mismatch mismatch = mismatch_of("fake_rtl_wrong_address");
    EXPECT_EQ(mismatch.kind, MismatchKind::kRefused);
    EXPECT_THAT(mismatch.detail, HasSubstr("PSUM write of command"));
    EXPECT_THAT(mismatch.detail, HasSubstr("0xffff0000"));
}

TEST(Lockstep, ReportsAColumnThatIsNotWritten) {
    const Mismatch mismatch = mismatch_of("fake_rtl_skips_column");
    EXPECT_EQ(mismatch.kind, MismatchKind::kNotWritten);
    EXPECT_EQ(mismatch.j, 1U);
}

TEST(Lockstep, ReportsARandomGeneratorOutOfStep) {
    const Mismatch mismatch = mismatch_of("fake_rtl_wrong_random");
    // Either the state is compared first, or the next rounding shows it.
    EXPECT_TRUE(mismatch.kind == MismatchKind::kRandomState || mismatch.kind == MismatchKind::kBits);
    EXPECT_EQ(mismatch.partition, 0U);
}

TEST(Lockstep, GoesOnWhenAHandlerTakesMismatches) {
    const auto library = fake("fake_rtl_wrong_bits");
    Lockstep lockstep(library);
    std::uint64_t handled = 0;
    lockstep.backend.set_mismatch_handler([&](const Mismatch& mismatch) {
        ++handled;
        EXPECT_EQ(mismatch.kind, MismatchKind::kBits);
        EXPECT_EQ(mismatch.differing_elements, 1U) << "an earlier mismatch is dragged along";
    });
    Programs programs(library->parameters(kClockHz), {kBf16.begin(), kBf16.end()}, 11);
    EXPECT_FALSE(first_mismatch(lockstep, programs, 5).has_value());
    EXPECT_GT(handled, 10U);
    EXPECT_EQ(lockstep.backend.statistics().mismatches, handled);
}

TEST(Lockstep, RefusesAnRtlOfAnotherShape) {
    const auto library = fake("systole_rtl_fake_8x8");
    TensorEngineParameters parameters = library->parameters(kClockHz);
    parameters.stage_cycles += 1;
    Psum psum(8);
    EXPECT_THROW(
        LockstepBackend(std::make_unique<ReferenceBackend>(parameters, psum.view()), library, psum.view()),
        InputError);
}

TEST(RtlBackend, AlsoWorksAlone) {
    const auto library = fake("systole_rtl_fake_8x8");
    Psum rtl_psum(8);
    Psum reference_psum(8);
    RtlBackend rtl(library, rtl_psum.view(), kClockHz);
    ReferenceBackend reference(library->parameters(kClockHz), reference_psum.view());
    Programs programs(library->parameters(kClockHz), pairs_for(8), 5, 64);
    std::uint64_t rtl_now = 0;
    std::uint64_t reference_now = 0;
    for (int i = 0; i < 5; ++i) {
        const auto commands = programs.next();
        EXPECT_EQ(run_program(rtl, commands, programs.gaps(), Completion::kInTime, rtl_now),
                  run_program(reference, commands, programs.gaps(), Completion::kInTime, reference_now));
    }
    EXPECT_EQ(rtl_psum, reference_psum);
    rtl.reset();
    EXPECT_EQ(rtl.in_flight(), 0U);
}

TEST(RtlBackend, NeedsAPartitionPerColumn) {
    Psum psum(4);
    EXPECT_THROW(RtlBackend(fake("systole_rtl_fake_8x8"), psum.view(), kClockHz), InputError);
}

}  // namespace
}  // namespace systole::test
