// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/tensor_indirection.hpp>
#include <systole/semantics/tensor_instruction.hpp>

#include <algorithm>

namespace systole {
namespace {

// A flat core address, taken apart.
struct Place {
    bool psum = false;
    bool mapped = false;
    std::uint32_t partition = 0;
    std::uint32_t byte = 0;
};

Place place_of(std::uint32_t address, const PartitionParameters& memory) {
    Place place;
    const std::uint64_t size = std::uint64_t{memory.partitions} * memory.pitch_bytes;
    place.psum = address >= memory.psum_offset;
    const std::uint32_t local = place.psum ? address - memory.psum_offset : address;
    place.mapped = local < size;
    place.partition = local / memory.pitch_bytes;
    place.byte = local % memory.pitch_bytes;
    return place;
}

// Counts above half of `size` start at 0, above a quarter at 0 or the half, others at any quarter.
bool start_allowed(std::uint32_t start, std::uint32_t count, std::uint32_t size) {
    const std::uint32_t unit = count > size / 2 ? size : count > size / 4 ? size / 2 : size / 4;
    return start % unit == 0;
}

bool tile_allowed(std::uint32_t start, std::uint32_t tile, std::uint32_t size) {
    return (tile == size || tile == size / 2 || tile == size / 4) && start % tile == 0 &&
           start + tile <= size;
}

// The outermost dimension with more than one element.
std::uint32_t outermost_count(const AccessPattern& pattern) {
    for (std::size_t i = pattern.dims.size(); i-- > 0;)
        if (pattern.dims[i].count != 1) return pattern.dims[i].count;
    return 1;
}

bool inside(const Place& place, const ElementSpan& span, std::uint32_t element_bytes,
            std::uint32_t partition_bytes) {
    return place.byte + span.lowest * element_bytes >= 0 &&
           place.byte + (span.highest + 1) * element_bytes <= partition_bytes;
}

TensorFault check_encoding(const TensorInstruction& i) {
    const auto fault = [](const char* rule) { return TensorFault{TensorStatus::kIllegalEncoding, rule}; };
    if (i.op > TensorOp::kMultiply) return fault("op is load weights or multiply");
    if (i.mode > TensorMode::kTranspose) return fault("mode is standard, double row, MX or transpose");
    if (i.rounding > Rounding::kStochastic) return fault("rounding is nearest even or stochastic");
    if (i.accumulate > 1) return fault("accumulate is 0 or 1");
    if (i.reserved != 0 || i.reserved_word != 0) return fault("reserved is 0");
    if (element_count(i.operand) == 0) return fault("a dimension of the operand has at least one element");
    if (i.op == TensorOp::kMultiply && element_count(i.destination) == 0)
        return fault("a dimension of the destination has at least one element");
    if (i.op == TensorOp::kMultiply && i.mode == TensorMode::kTranspose && i.accumulate != 0)
        return fault("a transpose overwrites its destination");
    return {};
}

// The PSUM type commands carry for the type the instruction names; kRaw when it is not allowed.
DType result_type(const TensorInstruction& i) {
    if (i.mode != TensorMode::kTranspose)
        return i.psum_dtype == DType::kFp32 || i.psum_dtype == DType::kBf16 ? i.psum_dtype : DType::kRaw;
    const std::uint32_t bytes = dtype_bytes(i.stationary_dtype) == 4 ? 4 : 2;
    if (is_mx(i.psum_dtype) || dtype_bytes(i.psum_dtype) != bytes) return DType::kRaw;
    return bytes == 4 ? DType::kU32 : DType::kU16;
}

TensorFault check_tile(const TensorInstruction& i, const TensorMachine& machine) {
    const TensorEngineParameters& e = machine.engine;
    const auto fault = [](const char* rule) { return TensorFault{TensorStatus::kPeTile, rule}; };
    const auto limit = [](const char* rule) { return TensorFault{TensorStatus::kSizeLimit, rule}; };
    if (!tile_allowed(i.row_start, i.row_tile, e.rows))
        return fault("a row tile is all, half or a quarter of the rows and starts at a multiple of its size");
    if (!tile_allowed(i.column_start, i.column_tile, e.columns))
        return fault(
            "a column tile is all, half or a quarter of the columns and starts at a multiple of its size");
    if (i.column_tile != e.columns) {
        if (!machine.limits.column_tiles) return fault("this machine has no column tiles");
        if (i.mode == TensorMode::kMx) return fault("MX uses all columns of the array as one tile");
        if (i.mode == TensorMode::kDoubleRow)
            return fault("double row uses all columns of the array as one tile");
    }
    if (i.rows < 1 || i.rows > i.row_tile) return limit("K is 1 to the rows of the tile");
    if (i.columns < 1 || i.columns > i.column_tile) return limit("M is 1 to the columns of the tile");
    return {};
}

TensorFault check_operand(const TensorInstruction& i, const TensorMachine& machine, TensorPlan& plan) {
    const Place place = place_of(i.operand.address, machine.memory);
    if (place.psum) return {TensorStatus::kIllegalSpace, "operands are in SBUF"};
    if (!place.mapped) return {TensorStatus::kApOob, "operands are in SBUF"};
    if (!start_allowed(place.partition, i.rows, machine.engine.rows))
        return {TensorStatus::kStartPartition,
                "an operand starts at partition 0, or at a half or quarter of the array it fits in"};
    if (place.partition != i.row_start)
        return {TensorStatus::kPeTile, "an operand starts at the partition of its row tile's first row"};
    plan.element_bytes = dtype_bytes(i.op == TensorOp::kLoadWeights ? i.stationary_dtype : i.moving_dtype);
    if (element_count(i.operand) > machine.limits.max_free_elements)
        return {TensorStatus::kSizeLimit, "an operand has at most 64 Ki elements per partition"};
    plan.elements = static_cast<std::uint32_t>(element_count(i.operand));
    plan.start_partition = place.partition;
    plan.start_byte = place.byte;
    plan.span = element_span(i.operand);
    plan.source = merge_dims(i.operand);
    if (place.byte % plan.element_bytes != 0)
        return {TensorStatus::kAlignment, "an operand's address is a multiple of its element size"};
    if (i.operand_index.elements != 0) plan.span = {};  // until its offsets are known
    if (!inside(place, plan.span, plan.element_bytes, machine.memory.sbuf_bytes))
        return {TensorStatus::kApOob, "an operand stays inside its SBUF partitions"};
    return {};
}

TensorFault check_scale(const TensorInstruction& i, const TensorMachine& machine, TensorPlan& plan) {
    const auto fault = [](const char* rule) { return TensorFault{TensorStatus::kMxLayout, rule}; };
    const std::uint32_t quadrant = mx_quadrant(machine);
    const std::uint32_t group = machine.limits.scale_group_rows;
    if (i.rows % quadrant != 0) return fault("P is a multiple of a quarter of the rows (32 of 128)");
    if (i.columns % 2 != 0) return fault("M is even");
    const Place place = place_of(i.scale_address, machine.memory);
    if (place.psum) return {TensorStatus::kIllegalSpace, "scales are in SBUF"};
    if (!place.mapped) return {TensorStatus::kApOob, "scales are in SBUF"};
    plan.quadrant_partitions = quadrant;
    plan.scale_rows_per_quadrant = std::max(quadrant / group, 1U);
    plan.scale_rows = (i.rows + group - 1) / group;
    plan.scale_start_partition = place.partition;
    plan.scale_start_byte = place.byte;
    if (place.partition % plan.scale_rows_per_quadrant != 0 ||
        place.partition % quadrant + plan.scale_rows_per_quadrant > quadrant)
        return fault("scale rows start at a multiple of the scale rows of a quadrant and stay inside it");
    if (plan.scale_partition(plan.scale_rows - 1) >= machine.memory.partitions)
        return fault("all quadrants of a scale tile exist");
    AccessPattern pattern = i.operand;
    if (i.scale.count != 0) {
        pattern.dims = {i.scale};
        if (i.scale.count != plan.elements) return fault("a scale has one element per packed element");
    }
    plan.scale_source = merge_dims(pattern);
    plan.scale_span = i.operand_index.elements != 0 ? ElementSpan{} : element_span(pattern);
    if (!inside(place, plan.scale_span, 1, machine.memory.sbuf_bytes))
        return {TensorStatus::kApOob, "scales stay inside their SBUF partitions"};
    return {};
}

TensorFault check_destination(const TensorInstruction& i, const TensorMachine& machine, std::uint32_t n,
                              TensorPlan& plan) {
    const Place place = place_of(i.destination.address, machine.memory);
    const std::uint32_t bytes = dtype_bytes(plan.command.psum_dtype);
    if (!place.psum) return {TensorStatus::kIllegalSpace, "the destination is in PSUM"};
    if (!place.mapped) return {TensorStatus::kApOob, "the destination is in PSUM"};
    if (element_count(i.destination) != n)
        return {TensorStatus::kCountMismatch, "the destination has one element per moving column"};
    if (n > (bytes == 4 ? machine.limits.max_n_32_bit : machine.limits.max_n_16_bit))
        return {TensorStatus::kSizeLimit, "N is at most what PSUM holds of the result type"};
    if (!start_allowed(place.partition, i.columns, machine.engine.columns))
        return {TensorStatus::kStartPartition,
                "a destination starts at partition 0, or at a half or quarter of the array it fits in"};
    if (place.partition != i.column_start)
        return {TensorStatus::kPeTile,
                "a destination starts at the partition of its column tile's first column"};
    if (place.byte % bytes != 0)
        return {TensorStatus::kAlignment, "a destination's address is a multiple of its element size"};
    const bool scattered = i.destination_index.elements != 0;
    if (!inside(place, scattered ? ElementSpan{} : element_span(i.destination), bytes,
                machine.memory.psum_bytes))
        return {TensorStatus::kApOob, "a destination stays inside its PSUM partitions"};
    plan.destination = merge_dims(i.destination);
    plan.pieces = plan.destination.repeats;
    TensorCommand& command = plan.command;
    command.n = static_cast<std::uint32_t>(plan.destination.count);
    command.psum_base_bytes = place.byte;
    command.psum_step_bytes = static_cast<std::int32_t>(plan.destination.stride * bytes);
    return {};
}

}  // namespace

const char* tensor_status_name(TensorStatus status) {
    switch (status) {
        case TensorStatus::kOk:
            return "OK";
        case TensorStatus::kIllegalEncoding:
            return "ILLEGAL_ENCODING";
        case TensorStatus::kIllegalDtype:
            return "ILLEGAL_DTYPE";
        case TensorStatus::kIllegalSpace:
            return "ILLEGAL_SPACE";
        case TensorStatus::kSizeLimit:
            return "SIZE_LIMIT";
        case TensorStatus::kPeTile:
            return "PE_TILE";
        case TensorStatus::kStartPartition:
            return "START_PARTITION";
        case TensorStatus::kCountMismatch:
            return "COUNT_MISMATCH";
        case TensorStatus::kMxLayout:
            return "MX_LAYOUT";
        case TensorStatus::kAlignment:
            return "ALIGNMENT";
        case TensorStatus::kApOob:
            return "AP_OOB";
        case TensorStatus::kWeightsMismatch:
            return "WEIGHTS_MISMATCH";
        case TensorStatus::kBusError:
            return "BUS_ERROR";
        case TensorStatus::kReset:
            return "RESET";
    }
    return "UNKNOWN";
}

std::uint32_t TensorPlan::scale_partition(std::uint32_t group) const {
    return scale_start_partition + quadrant_partitions * (group / scale_rows_per_quadrant) +
           group % scale_rows_per_quadrant;
}

std::uint32_t mx_quadrant(const TensorMachine& machine) {
    return std::min(machine.engine.rows, std::max(machine.limits.scale_group_rows, machine.engine.rows / 4));
}

LoadedTypes::LoadedTypes(const TensorEngineParameters& engine)
    : quarter_(std::max(engine.rows / 4, 1U)),
      columns_(engine.columns),
      types_(std::size_t{(engine.rows + quarter_ - 1) / quarter_} * engine.columns) {}

void LoadedTypes::reset() { std::fill(types_.begin(), types_.end(), Type{}); }

void LoadedTypes::load(const TensorInstruction& i) {
    for (std::uint32_t row = i.row_start; row < std::uint32_t{i.row_start} + i.row_tile; row += quarter_)
        std::fill_n(types_.begin() + std::ptrdiff_t{row / quarter_} * columns_ + i.column_start, i.columns,
                    Type{.loaded = true, .mode = i.mode, .dtype = i.stationary_dtype});
}

bool LoadedTypes::match(const TensorInstruction& i) const {
    const Type wanted{.loaded = true, .mode = i.mode, .dtype = i.stationary_dtype};
    for (std::uint32_t row = i.row_start; row < std::uint32_t{i.row_start} + i.row_tile; row += quarter_) {
        const auto first = types_.begin() + std::ptrdiff_t{row / quarter_} * columns_ + i.column_start;
        if (!std::all_of(first, first + i.columns, [&](const Type& t) { return !t.loaded || t == wanted; }))
            return false;
    }
    return true;
}

TensorFault plan_instruction(const TensorInstruction& i, const TensorMachine& machine,
                             const LoadedTypes& loaded, TensorPlan& plan) {
    if (const TensorFault fault = check_encoding(i)) return fault;
    if (!tensor_pair_supported(i.mode, i.stationary_dtype, i.moving_dtype))
        return {TensorStatus::kIllegalDtype, "stationary and moving types are multiplied with each other"};
    const bool multiply = i.op == TensorOp::kMultiply;
    const DType result = result_type(i);
    if (multiply && result == DType::kRaw)
        return {TensorStatus::kIllegalDtype,
                "results are FP32 or BF16; transposes keep the input's width, 8 bits becoming 16"};
    if (const TensorFault fault = check_tile(i, machine)) return fault;

    plan = TensorPlan{};
    plan.command.op = i.op;
    plan.command.mode = i.mode;
    plan.command.stationary_dtype = i.stationary_dtype;
    plan.command.moving_dtype = i.moving_dtype;
    plan.command.tile = {.row_start = i.row_start,
                         .row_tile = i.row_tile,
                         .rows = i.rows,
                         .column_start = i.column_start,
                         .column_tile = i.column_tile,
                         .columns = i.columns};
    plan.command.psum_dtype = result;
    plan.command.accumulate = i.accumulate != 0;
    plan.command.rounding = i.rounding;

    if (const TensorFault fault = check_operand(i, machine, plan)) return fault;
    if (const TensorFault fault = check_tensor_indirection(i, machine)) return fault;
    std::uint32_t per_column = plan.elements;
    if (i.mode == TensorMode::kDoubleRow) {
        if (outermost_count(i.operand) != 2)
            return {TensorStatus::kCountMismatch, "the outermost dimension of a double-row operand is 2"};
        per_column /= 2;
    }
    if (!multiply && per_column != i.columns)
        return {TensorStatus::kCountMismatch, "a load has one element per stationary column"};
    if (i.mode == TensorMode::kMx)
        if (const TensorFault fault = check_scale(i, machine, plan)) return fault;
    if (!multiply) return {};
    if (const TensorFault fault = check_destination(i, machine, per_column, plan)) return fault;
    if (!loaded.match(i))
        return {TensorStatus::kWeightsMismatch,
                "weights are multiplied in the mode and type they were loaded in"};
    return {};
}

}  // namespace systole
