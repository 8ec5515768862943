// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/numerics/tensor_dot.hpp>
#include <systole/scoreboard/reference_check.hpp>

#include <algorithm>
#include <cstring>

namespace systole {
namespace {

bool overlap(std::uint32_t first_a, std::uint32_t count_a, std::uint32_t first_b, std::uint32_t count_b) {
    return first_a < first_b + count_b && first_b < first_a + count_a;
}

bool tiles_overlap(const PeTile& a, const PeTile& b) {
    return overlap(a.row_start, a.row_tile, b.row_start, b.row_tile) &&
           overlap(a.column_start, a.column_tile, b.column_start, b.column_tile);
}

std::uint32_t load_bits(const std::byte* at, std::uint32_t bytes) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, at, bytes);
    return bits;
}

}  // namespace

ReferenceCheck::ReferenceCheck(std::unique_ptr<TensorBackend> checked, const PsumView& psum)
    : checked_(std::move(checked)),
      psum_(psum),
      random_(checked_->parameters().columns),
      reference_(std::size_t{psum.partitions} * psum.bytes_per_partition) {
    for (std::uint32_t column = 0; column < random_.size(); ++column)
        random_[column] = Xorwow(checked_->random_state(column));
    for (std::uint32_t p = 0; p < psum_.partitions; ++p)
        std::memcpy(&reference_[std::size_t{p} * psum_.bytes_per_partition],
                    psum_.base + p * psum_.partition_stride_bytes, psum_.bytes_per_partition);
}

TensorTimes ReferenceCheck::submit(const TensorCommand& command, std::uint64_t offered) {
    InFlight entry{command, nullptr, statistics_.commands++, offered, {}};
    if (command.op == TensorOp::kLoadWeights) {
        // The operand's memory is the issuer's again once the load has completed.
        std::erase_if(loads_,
                      [&](const auto& load) { return tiles_overlap(load->command.tile, command.tile); });
        loads_.push_back(std::make_shared<const RecordedCommand>(command));
    } else {
        const auto load = std::find_if(loads_.begin(), loads_.end(), [&](const auto& candidate) {
            return tiles_overlap(candidate->command.tile, command.tile);
        });
        SYSTOLE_INVARIANT(load != loads_.end(), "a multiply follows a load of its tile");
        const PeTile& tile = (*load)->command.tile;
        SYSTOLE_INVARIANT(tile.row_start == command.tile.row_start &&
                              tile.row_tile == command.tile.row_tile && tile.rows == command.tile.rows &&
                              tile.column_start == command.tile.column_start &&
                              tile.columns == command.tile.columns,
                          "a multiply has the tile of its load");
        entry.weights = *load;
    }
    entry.times = checked_->submit(command, offered);
    in_flight_.push_back(entry);
    return entry.times;
}

TensorTimes ReferenceCheck::complete(std::uint64_t tag) {
    const TensorTimes times = checked_->complete(tag);
    const auto entry = std::find_if(in_flight_.begin(), in_flight_.end(),
                                    [&](const InFlight& candidate) { return candidate.command.tag == tag; });
    SYSTOLE_INVARIANT(entry != in_flight_.end(), "a completed command was submitted");
    const InFlight done = *entry;
    in_flight_.erase(entry);
    if (done.command.op == TensorOp::kMultiply) check_multiply(done);
    return times;
}

void ReferenceCheck::check_multiply(const InFlight& entry) {
    const TensorCommand& command = entry.command;
    const TensorProduct product{command.mode,      command.stationary_dtype,       command.moving_dtype,
                                command.tile.rows, command.tile.row_tile,          command.tile.columns,
                                command.n,         entry.weights->command.operand, command.operand};
    results_.resize(std::size_t{command.tile.columns} * command.n);
    reference_multiply(product, results_.data(), command.n);

    const PsumOptions options{command.psum_dtype, command.accumulate, command.rounding};
    const std::uint32_t bytes = dtype_bytes(command.psum_dtype);
    Mismatch mismatch;
    for (std::uint32_t m = 0; m < command.tile.columns; ++m) {
        const std::uint32_t partition = command.tile.column_start + m;
        std::byte* reference = &reference_[std::size_t{partition} * psum_.bytes_per_partition];
        std::byte* found = psum_.base + partition * psum_.partition_stride_bytes;
        reference_psum_update_row(options, {&results_[std::size_t{m} * command.n], command.n},
                                  reference + command.psum_base_bytes, command.psum_step_bytes,
                                  random_[partition]);
        for (std::uint32_t j = 0; j < command.n; ++j) {
            const auto address = static_cast<std::uint32_t>(std::int64_t{command.psum_base_bytes} +
                                                            std::int64_t{j} * command.psum_step_bytes);
            const std::uint32_t expected_bits = load_bits(reference + address, bytes);
            const std::uint32_t found_bits = load_bits(found + address, bytes);
            if (expected_bits == found_bits) continue;
            if (mismatch.differing_elements++ == 0) {
                mismatch.m = m;
                mismatch.j = j;
                mismatch.partition = partition;
                mismatch.address_bytes = address;
                mismatch.expected_bits = expected_bits;
                mismatch.found_bits = found_bits;
            }
            // Later commands are judged on their own.
            std::memcpy(found + address, reference + address, bytes);
        }
    }
    ++statistics_.multiplies;
    statistics_.elements += results_.size();
    statistics_.bits += results_.size() * 8 * bytes;
    if (mismatch.differing_elements == 0) return;
    ++statistics_.mismatches;
    mismatch.kind = MismatchKind::kBits;
    mismatch.command = command;
    mismatch.command_index = entry.index;
    mismatch.offered = entry.offered;
    mismatch.expected_times = mismatch.found_times = entry.times;
    mismatch.element_bytes = bytes;
    if (!handler_) throw MismatchError(mismatch);
    handler_(mismatch);
}

void ReferenceCheck::set_random_state(std::uint32_t column, const Xorwow::State& state) {
    random_.at(column) = Xorwow(state);
    checked_->set_random_state(column, state);
}

Xorwow::State ReferenceCheck::random_state(std::uint32_t column) const {
    return checked_->random_state(column);
}

void ReferenceCheck::reset() {
    checked_->reset();
    in_flight_.clear();
    loads_.clear();
    for (std::uint32_t column = 0; column < random_.size(); ++column)
        random_[column] = Xorwow(checked_->random_state(column));
}

}  // namespace systole
