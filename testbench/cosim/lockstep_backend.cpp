// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/cosim/lockstep_backend.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace systole {
namespace {

constexpr std::uint32_t kHalfWordBytes = 2;

// The cast wraps as the RTL's address adder does.
std::uint32_t element_address(const TensorCommand& command, std::uint32_t j) {
    return command.psum_base_bytes + j * static_cast<std::uint32_t>(command.psum_step_bytes);
}

bool contains(const PeTile& outer, const PeTile& inner) {
    return outer.row_start <= inner.row_start &&
           outer.row_start + outer.row_tile >= inner.row_start + inner.row_tile &&
           outer.column_start <= inner.column_start &&
           outer.column_start + outer.columns >= inner.column_start + inner.columns;
}

// Column j is visible in PSUM after the multiply unless a later column of the same multiply lands on it.
std::uint32_t first_visible_column(const TensorCommand& command, std::uint32_t element_bytes) {
    const auto distance = static_cast<std::uint32_t>(std::abs(std::int64_t{command.psum_step_bytes}));
    return distance >= element_bytes ? 0 : command.n - 1;
}

void check_same(const TensorEngineParameters& model, const TensorEngineParameters& rtl,
                const std::string& where) {
    const auto check = [&](const char* what, std::uint32_t expected, std::uint32_t found) {
        if (expected != found)
            throw InputError(where, fmt::format("{} {} as in the model", what, expected),
                             std::to_string(found));
    };
    check("rows", model.rows, rtl.rows);
    check("columns", model.columns, rtl.columns);
    check("weight_lanes", model.weight_lanes, rtl.weight_lanes);
    check("min_interval_cycles", model.min_interval_cycles, rtl.min_interval_cycles);
    check("command_depth", model.command_depth, rtl.command_depth);
    check("stage_cycles", model.stage_cycles, rtl.stage_cycles);
    check("background_transpose", model.background_transpose ? 1 : 0, rtl.background_transpose ? 1 : 0);
}

}  // namespace

LockstepBackend::LockstepBackend(std::unique_ptr<TensorBackend> model,
                                 const std::shared_ptr<const RtlLibrary>& library, const PsumView& psum)
    : model_(std::move(model)),
      psum_(psum),
      rtl_psum_(std::size_t{library->info().columns} * psum.bytes_per_partition),
      rtl_(library,
           PsumView{.base = rtl_psum_.data(),
                    .partition_stride_bytes = psum.bytes_per_partition,
                    .partitions = library->info().columns,
                    .bytes_per_partition = psum.bytes_per_partition},
           model_->parameters().clock_hz),
      pending_writes_(rtl_psum_.size() / kHalfWordBytes) {
    check_same(model_->parameters(), rtl_.parameters(), library->path().string());
    rtl_.set_observer(this);
}

std::byte* LockstepBackend::model_element(std::uint32_t partition, std::uint32_t address_bytes) const {
    return psum_.base + partition * psum_.partition_stride_bytes + address_bytes;
}

std::byte* LockstepBackend::rtl_element(std::uint32_t partition, std::uint32_t address_bytes) {
    return rtl_psum_.data() + std::size_t{partition} * psum_.bytes_per_partition + address_bytes;
}

LockstepBackend::Entry* LockstepBackend::find(std::uint64_t tag) {
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return entry.command.tag == tag; });
    return found == entries_.end() ? nullptr : &*found;
}

std::ptrdiff_t LockstepBackend::multiplies_in_flight() const {
    return std::count_if(entries_.begin(), entries_.end(),
                         [](const Entry& entry) { return entry.command.op == TensorOp::kMultiply; });
}

void LockstepBackend::remember_load(const TensorCommand& command) {
    std::erase_if(loads_, [&](const auto& earlier) { return contains(command.tile, earlier->command.tile); });
    loads_.push_back(std::make_shared<const RecordedCommand>(command));
    loaded_since_multiply_ = true;
}

void LockstepBackend::prepare_psum(const TensorCommand& command) {
    const std::uint32_t element_bytes = dtype_bytes(command.psum_dtype);
    for (std::uint32_t j = 0; j < command.n; ++j) {
        const std::uint32_t address = element_address(command, j);
        if (address % kHalfWordBytes != 0 ||
            std::uint64_t{address} + element_bytes > psum_.bytes_per_partition)
            throw InputError(
                fmt::format("PSUM address of command {}, moving column {}", command.tag, j),
                fmt::format("an even address in 0..{:#x}", psum_.bytes_per_partition - element_bytes),
                fmt::format("{:#x}", address));
    }
    for (std::uint32_t c = 0; c < command.tile.columns; ++c) {
        const std::uint32_t partition = command.tile.column_start + c;
        std::uint16_t* pending =
            pending_writes_.data() + std::size_t{partition} * (psum_.bytes_per_partition / kHalfWordBytes);
        if (command.accumulate)
            for (std::uint32_t j = 0; j < command.n; ++j)
                for (std::uint32_t byte = 0; byte < element_bytes; byte += kHalfWordBytes) {
                    const std::uint32_t address = element_address(command, j) + byte;
                    if (pending[address / kHalfWordBytes] == 0)
                        std::memcpy(rtl_element(partition, address), model_element(partition, address),
                                    kHalfWordBytes);
                }
        for (std::uint32_t j = 0; j < command.n; ++j)
            for (std::uint32_t byte = 0; byte < element_bytes; byte += kHalfWordBytes)
                ++pending[(element_address(command, j) + byte) / kHalfWordBytes];
    }
}

// The model holds a command's results from its completion on; until then the RTL's own are the newest.
void LockstepBackend::release_psum(const TensorCommand& command) {
    const std::uint32_t element_bytes = dtype_bytes(command.psum_dtype);
    for (std::uint32_t c = 0; c < command.tile.columns; ++c) {
        const std::uint32_t partition = command.tile.column_start + c;
        std::uint16_t* pending =
            pending_writes_.data() + std::size_t{partition} * (psum_.bytes_per_partition / kHalfWordBytes);
        for (std::uint32_t j = 0; j < command.n; ++j)
            for (std::uint32_t byte = 0; byte < element_bytes; byte += kHalfWordBytes)
                --pending[(element_address(command, j) + byte) / kHalfWordBytes];
    }
}

void LockstepBackend::psum_written(const RtlPsumWrite& write) {
    Entry* entry = find(write.tag);
    if (entry == nullptr) return;
    const TensorCommand& command = entry->command;
    const bool expected = write.j < command.n && write.address_bytes == element_address(command, write.j) &&
                          write.element_bytes == dtype_bytes(command.psum_dtype) &&
                          write.column_start == command.tile.column_start &&
                          write.columns == command.tile.columns && entry->writes[write.j] == 0;
    if (!expected) {
        if (!entry->stray_write) {
            entry->stray_write = true;
            entry->stray = write;
            entry->stray.data = nullptr;
        }
        return;
    }
    entry->writes[write.j] = 1;
    std::copy_n(write.data + write.column_start, write.columns,
                entry->words.begin() + static_cast<std::ptrdiff_t>(std::size_t{write.j} * write.columns));
}

TensorTimes LockstepBackend::submit(const TensorCommand& command, std::uint64_t offered) {
    Entry entry;
    entry.command = command;
    entry.index = statistics_.commands++;
    entry.offered = offered;
    if (command.op == TensorOp::kLoadWeights) {
        remember_load(command);
    } else {
        prepare_psum(command);
        ++statistics_.multiplies;
        entry.takes_over_weights = loaded_since_multiply_;
        loaded_since_multiply_ = false;
        entry.loads = loads_;
        entry.words.resize(std::size_t{command.n} * command.tile.columns);
        entry.writes.resize(command.n);
        random_used_ = random_used_ || command.rounding == Rounding::kStochastic;
    }
    entries_.push_back(std::move(entry));
    const TensorTimes times = model_->submit(command, offered);
    try {
        rtl_.submit(command, offered);
    } catch (const RtlError& error) {
        Mismatch mismatch = describe(entries_.back());
        mismatch.kind = MismatchKind::kRefused;
        mismatch.expected_times = times;
        mismatch.detail = error.what();
        report(mismatch);
        throw MismatchError(std::move(mismatch));
    }
    return times;
}

Mismatch LockstepBackend::describe(const Entry& entry) const {
    Mismatch mismatch;
    mismatch.command = entry.command;
    mismatch.command_index = entry.index;
    mismatch.offered = entry.offered;
    return mismatch;
}

TensorTimes LockstepBackend::complete(std::uint64_t tag) {
    Entry* entry = find(tag);
    SYSTOLE_INVARIANT(entry != nullptr, "complete() of a command that was not submitted");
    Mismatch mismatch = describe(*entry);
    try {
        mismatch.found_times = rtl_.complete(tag);
    } catch (const RtlError& error) {
        const auto* hang = dynamic_cast<const RtlHang*>(&error);
        mismatch.kind = hang != nullptr ? MismatchKind::kHang : MismatchKind::kRefused;
        if (hang != nullptr) {
            mismatch.expected_times = hang->progress().expected;
            mismatch.found_times = hang->progress().actual;
        }
        mismatch.detail = error.what();
        report(mismatch);
        throw MismatchError(std::move(mismatch));
    }
    mismatch.expected_times = model_->complete(tag);

    const bool multiply = entry->command.op == TensorOp::kMultiply;
    if (multiply) release_psum(entry->command);
    if (entry->takes_over_weights) weights_active_from_ = mismatch.found_times.dispatched;
    bool equal = true;
    if (multiply && !compare_results(*entry, mismatch)) {
        equal = false;
    } else if (mismatch.expected_times != mismatch.found_times) {
        equal = false;
        mismatch.kind = MismatchKind::kTimes;
    } else if (random_used_ && multiply && multiplies_in_flight() == 1) {
        random_used_ = false;
        equal = compare_random_states(mismatch);
    }
    if (!equal && multiply) {
        auto replay = std::make_shared<Replay>();
        replay->loads = entry->loads;
        replay->multiply = std::make_shared<const RecordedCommand>(entry->command);
        replay->takes_over_weights = entry->takes_over_weights;
        replay->weights_active_from = weights_active_from_;
        replay->dispatched = mismatch.found_times.dispatched;
        replay->injections = injections_;
        mismatch.replay = std::move(replay);
    }
    if (!equal && multiply) take_over_results(*entry);
    entries_.erase(entries_.begin() + (entry - entries_.data()));
    if (!equal) {
        report(mismatch);
        if (!handler_) throw MismatchError(std::move(mismatch));
    }
    return mismatch.expected_times;
}

bool LockstepBackend::compare_results(const Entry& entry, Mismatch& mismatch) {
    const TensorCommand& command = entry.command;
    const std::uint32_t element_bytes = dtype_bytes(command.psum_dtype);
    mismatch.element_bytes = element_bytes;
    if (entry.stray_write) {
        mismatch.kind = MismatchKind::kWrittenTwice;
        mismatch.j = entry.stray.j;
        mismatch.partition = entry.stray.column_start;
        mismatch.m = entry.stray.column_start - command.tile.column_start;
        mismatch.address_bytes = entry.stray.address_bytes;
        return false;
    }
    const auto missing = std::find(entry.writes.begin(), entry.writes.end(), std::uint8_t{0});
    if (missing != entry.writes.end()) {
        mismatch.kind = MismatchKind::kNotWritten;
        mismatch.j = static_cast<std::uint32_t>(missing - entry.writes.begin());
        mismatch.partition = command.tile.column_start;
        mismatch.address_bytes = element_address(command, mismatch.j);
        return false;
    }
    const std::uint32_t first = first_visible_column(command, element_bytes);
    const std::uint32_t columns = command.tile.columns;
    const std::uint32_t mask = element_bytes == 4 ? ~0U : (1U << (8 * element_bytes)) - 1;
    for (std::uint32_t m = 0; m < columns; ++m) {
        const std::uint32_t partition = command.tile.column_start + m;
        for (std::uint32_t j = first; j < command.n; ++j) {
            std::uint32_t expected = 0;
            std::memcpy(&expected, model_element(partition, element_address(command, j)), element_bytes);
            const std::uint32_t found = entry.words[std::size_t{j} * columns + m] & mask;
            if (expected == found) continue;
            // Earliest in time: the smallest moving column, then the smallest array column.
            if (mismatch.differing_elements++ == 0 || j < mismatch.j) {
                mismatch.kind = MismatchKind::kBits;
                mismatch.m = m;
                mismatch.j = j;
                mismatch.partition = partition;
                mismatch.address_bytes = element_address(command, j);
                mismatch.expected_bits = expected;
                mismatch.found_bits = found;
            }
        }
    }
    const std::uint64_t compared = std::uint64_t{command.n - first} * columns;
    statistics_.elements += compared;
    statistics_.bits += compared * 8 * element_bytes;
    return mismatch.differing_elements == 0;
}

bool LockstepBackend::compare_random_states(Mismatch& mismatch) {
    for (std::uint32_t column = 0; column < parameters().columns; ++column) {
        mismatch.expected_random = model_->random_state(column);
        mismatch.found_random = rtl_.random_state(column);
        if (mismatch.expected_random == mismatch.found_random) continue;
        mismatch.kind = MismatchKind::kRandomState;
        mismatch.partition = column;
        // Later comparisons are about later commands.
        for (std::uint32_t other = column; other < parameters().columns; ++other)
            rtl_.set_random_state(other, model_->random_state(other));
        return false;
    }
    return true;
}

void LockstepBackend::take_over_results(const Entry& entry) {
    const TensorCommand& command = entry.command;
    for (std::uint32_t m = 0; m < command.tile.columns; ++m)
        for (std::uint32_t j = 0; j < command.n; ++j) {
            const std::uint32_t partition = command.tile.column_start + m;
            const std::uint32_t address = element_address(command, j);
            std::memcpy(rtl_element(partition, address), model_element(partition, address),
                        dtype_bytes(command.psum_dtype));
        }
}

void LockstepBackend::report(const Mismatch& mismatch) {
    ++statistics_.mismatches;
    if (handler_) handler_(mismatch);
}

void LockstepBackend::set_random_state(std::uint32_t column, const Xorwow::State& state) {
    model_->set_random_state(column, state);
    rtl_.set_random_state(column, state);
}

Xorwow::State LockstepBackend::random_state(std::uint32_t column) const {
    return model_->random_state(column);
}

void LockstepBackend::inject(const RtlInjection& injection) {
    rtl_.engine().inject(injection);
    injections_.push_back(injection);
}

void LockstepBackend::reset() {
    model_->reset();
    rtl_.reset();
    std::fill(pending_writes_.begin(), pending_writes_.end(), std::uint16_t{0});
    entries_.clear();
    loads_.clear();
    injections_.clear();
    loaded_since_multiply_ = false;
    weights_active_from_ = 0;
    random_used_ = false;
}

}  // namespace systole
