// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/indirection.hpp>
#include <systole/semantics/matmul_translation.hpp>

namespace systole {
namespace {

constexpr std::uint32_t kIdxKind = 1;

TensorMode mode_of(const Instruction& i) {
    if (i[Field::kMx] != 0) return TensorMode::kMx;
    if (i[Field::kXp] != 0) return TensorMode::kTranspose;
    return i[Field::kDr] != 0 ? TensorMode::kDoubleRow : TensorMode::kStandard;
}

// What EXT IDX may say of a matmul: an operand of MX and its scale go together (isa.md 2.1).
TensorFault check_pairs(const Instruction& i) {
    if (!i.has_ext(kIdxKind)) return {};
    if (i[Field::kMx] != 0 && i[Field::kVSc] != i[Field::kVA])
        return {TensorStatus::kMxLayout, "an MX operand and its scale are indirect together, by one index"};
    if (i[Field::kMx] == 0 && i[Field::kVSc] != 0)
        return {TensorStatus::kIllegalEncoding, "an index of the scale belongs to MX"};
    const bool empty =
        (i[Field::kVA] != 0 && i[Field::kIxnA] == 0) || (i[Field::kVC] != 0 && i[Field::kIxnC] == 0);
    if (empty) return {TensorStatus::kCountMismatch, "the index tile has an offset for each element"};
    return {};
}

// Sizes of tiles are coded as 0 whole, 1 half, 2 quarter.
std::uint16_t tile_size(std::uint32_t whole, std::uint32_t code) {
    return static_cast<std::uint16_t>(whole >> code);
}

}  // namespace

std::size_t MatmulTranslation::tile_index(const TensorInstruction& i) const {
    const std::uint32_t row = i.row_start * 4U / machine_.engine.rows;
    const std::uint32_t column = i.column_start * 4U / machine_.engine.columns;
    return (row * 4U + column) % loaded_.size();
}

TensorFault MatmulTranslation::translate(const Instruction& i, std::uint64_t tag, TensorInstruction& out) {
    if (const TensorFault fault = check_pairs(i)) return fault;
    if (i[Field::kMx] + i[Field::kXp] + i[Field::kDr] > 1)
        return {TensorStatus::kIllegalEncoding, "mx, dr and xp exclude each other"};
    if (i[Field::kRowSz] > 2 || i[Field::kColSz] > 2)
        return {TensorStatus::kIllegalEncoding, "a tile is all, half or a quarter of the rows and columns"};
    if (i.np() > machine_.memory.partitions)
        return {TensorStatus::kSizeLimit, "K is 1 to the rows of the tile"};
    out = {};
    out.tag = tag;
    out.op = i.opcode() == Opcode::kLdw ? TensorOp::kLoadWeights : TensorOp::kMultiply;
    out.mode = mode_of(i);
    out.rows = static_cast<std::uint16_t>(i.np());
    out.columns = static_cast<std::uint16_t>(i[Field::kMM1] + 1);
    out.row_tile = tile_size(machine_.engine.rows, i[Field::kRowSz]);
    out.column_tile = tile_size(machine_.engine.columns, i[Field::kColSz]);
    out.row_start = static_cast<std::uint16_t>(i[Field::kRowIx] * machine_.engine.rows / 4);
    out.column_start = static_cast<std::uint16_t>(i[Field::kColIx] * machine_.engine.columns / 4);
    out.operand = i.a().pattern;
    if (is_indirect(i, OperandName::kA))
        out.operand_index = {i[Field::kIxA], static_cast<std::uint16_t>(i[Field::kIxnA]),
                             static_cast<std::uint16_t>(i[Field::kIxrA])};
    if (is_indirect(i, OperandName::kC))
        out.destination_index = {i[Field::kIxC], static_cast<std::uint16_t>(i[Field::kIxnC]),
                                 static_cast<std::uint16_t>(i[Field::kIxrC])};
    if (out.mode == TensorMode::kMx) {
        out.scale_address = i.scale().pattern.address;
        if (i.scale().dims != 0) out.scale = i.scale().pattern.dims[0];
    }
    const DType own = i.a().dtype;
    if (out.op == TensorOp::kLoadWeights) {
        // The passes of a multiply follow from the pair; a load needs its own type only.
        out.stationary_dtype = own;
        out.moving_dtype = own;
        loaded_[tile_index(out)] = own;
        return {};
    }
    const DType stationary = loaded_[tile_index(out)];
    out.stationary_dtype = stationary == DType::kRaw ? own : stationary;
    out.moving_dtype = own;
    out.psum_dtype = i.c().dtype;
    out.accumulate = static_cast<std::uint8_t>(i[Field::kAcc]);
    out.rounding = i[Field::kSr] != 0 ? Rounding::kStochastic : Rounding::kNearestEven;
    out.destination = i.c().pattern;
    return {};
}

Exception exception_of(TensorStatus status) {
    switch (status) {
        case TensorStatus::kOk:
        case TensorStatus::kReset:
            return Exception::kNone;
        case TensorStatus::kIllegalDtype:
            return Exception::kIllegalDtype;
        case TensorStatus::kIllegalSpace:
            return Exception::kIllegalSpace;
        case TensorStatus::kPeTile:
            return Exception::kPeTile;
        case TensorStatus::kStartPartition:
            return Exception::kStartPartition;
        case TensorStatus::kCountMismatch:
            return Exception::kCountMismatch;
        case TensorStatus::kMxLayout:
            return Exception::kMxLayout;
        case TensorStatus::kAlignment:
        case TensorStatus::kApOob:
        case TensorStatus::kBusError:
            return Exception::kApOob;
        case TensorStatus::kIllegalEncoding:
        case TensorStatus::kSizeLimit:
        case TensorStatus::kWeightsMismatch:
            return Exception::kIllegalEncoding;
    }
    return Exception::kIllegalEncoding;
}

}  // namespace systole
