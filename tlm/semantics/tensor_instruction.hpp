// SPDX-License-Identifier: Apache-2.0
// TensorInstruction: one instruction of the tensor engine as it stands at the engine's command port, the
// rules it must keep (isa.md 2.1), and its translation to the commands of a TensorBackend. Pure functions of
// the instruction, the machine's parameters and the types of the weights loaded so far.
#pragma once

#include <systole/config/tensor_engine_parameters.hpp>
#include <systole/isa/access_pattern.hpp>
#include <systole/semantics/tensor_command.hpp>

#include <cstdint>
#include <type_traits>
#include <vector>

namespace systole {

/// The index tile of an indirect operand (isa.md 4.3); `elements` 0: not indirect.
struct TensorIndex {
    std::uint32_t addr32 = 0;        ///< start and type, as an ADDR32 word
    std::uint16_t elements = 0;      ///< offsets per group of 32 partitions
    std::uint16_t row_elements = 0;  ///< of a row of the tile
};

/// Fixed layout, no padding: the data of a write to the command port is the bytes of this struct, in host
/// order.
struct TensorInstruction {
    std::uint64_t tag = 0;  ///< returned with the completion; any value
    TensorOp op = TensorOp::kLoadWeights;
    TensorMode mode = TensorMode::kStandard;
    DType stationary_dtype = DType::kBf16;
    DType moving_dtype = DType::kBf16;
    DType psum_dtype = DType::kFp32;  ///< transpose: any type of the result's width
    std::uint8_t accumulate = 0;      ///< 0 overwrite, 1 accumulate
    Rounding rounding = Rounding::kNearestEven;
    std::uint8_t reserved = 0;  ///< 0
    std::uint16_t rows = 0;     ///< K: partitions of the operand
    std::uint16_t columns = 0;  ///< M: columns of the stationary operand
    std::uint16_t row_start = 0;
    std::uint16_t row_tile = 0;
    std::uint16_t column_start = 0;
    std::uint16_t column_tile = 0;
    AccessPattern operand;                     ///< stationary (load) or moving (multiply), in SBUF
    std::uint32_t scale_address = 0;           ///< MX: scale of the operand's first element, in SBUF
    AccessPattern destination;                 ///< multiply: in PSUM
    AccessDim scale{.stride = 0, .count = 0};  ///< MX: of the scale; count 0: the operand's own pattern
    TensorIndex operand_index;                 ///< gathers the operand, in MX its scale too
    TensorIndex destination_index;             ///< scatters the destination
    std::uint32_t reserved_word = 0;           ///< 0
};
static_assert(sizeof(TensorInstruction) == 96 && std::is_trivially_copyable_v<TensorInstruction> &&
              std::has_unique_object_representations_v<TensorInstruction>);

/// How an instruction ended. Names follow the exceptions of the instruction set where it has one.
enum class TensorStatus : std::uint8_t {
    kOk,
    kIllegalEncoding,  ///< a field holds no legal value
    kIllegalDtype,     ///< types that are not multiplied with each other, or a wrong result type
    kIllegalSpace,     ///< a source that is not in SBUF, a destination that is not in PSUM
    kSizeLimit,        ///< K, M or N beyond the array's or the instruction's limit
    kPeTile,           ///< tile size, tile position, or operands that do not sit at the tile's position
    kStartPartition,   ///< a start partition that the number of partitions does not allow
    kCountMismatch,    ///< element counts that do not fit each other
    kMxLayout,         ///< MX rules: P, M, scale rows
    kAlignment,        ///< an address that is no multiple of the element size
    kApOob,            ///< an access pattern that leaves its partition
    kWeightsMismatch,  ///< the weights were loaded in another mode or type
    kBusError,         ///< a memory answered a transaction with an error
    kReset,            ///< the engine was reset before the instruction completed
};

/// "OK", "ILLEGAL_DTYPE", "AP_OOB", ...
const char* tensor_status_name(TensorStatus status);

/// A broken rule: the status and the rule as a sentence. Empty when no rule is broken.
struct TensorFault {
    TensorStatus status = TensorStatus::kOk;
    const char* rule = "";
    explicit operator bool() const { return status != TensorStatus::kOk; }
};

/// The machine the rules refer to.
struct TensorMachine {
    TensorEngineParameters engine;
    TensorLimits limits;
    PartitionParameters memory;
    TensorThrottleParameters throttle{};
};

/// Types of the weights in the array, by smallest row tile and column.
class LoadedTypes {
  public:
    explicit LoadedTypes(const TensorEngineParameters& engine);

    void reset();
    void load(const TensorInstruction& instruction);

    /// Whether all weights that a multiply uses are unused since reset (+0 in every type) or of its mode and
    /// type.
    [[nodiscard]] bool match(const TensorInstruction& multiply) const;

  private:
    struct Type {
        bool loaded = false;
        TensorMode mode = TensorMode::kStandard;
        DType dtype = DType::kRaw;
        bool operator==(const Type&) const = default;
    };
    std::uint32_t quarter_;  // rows of the smallest row tile
    std::uint32_t columns_;
    std::vector<Type> types_;  // [row quarter][column]
};

/// A checked instruction, ready to run.
///
/// A destination that is no single run of equally spaced elements becomes several commands, one per run: the
/// array writes base + j * step only. `command` is the first; command i has its n columns of the moving
/// operand and its psum_base_bytes moved by destination.offset(i) elements.
///
/// Of an indirect operand or destination the plan knows start and number of elements; where they lie is known
/// when the engine has read the index tile.
struct TensorPlan {
    TensorCommand command;  ///< operand pointers and tag are left to the engine
    std::uint64_t pieces = 1;
    std::uint32_t column_groups = 1;  ///< parts of the columns whose pieces lie at different places
    AccessRuns destination;

    /// Pieces of the moving operand.
    [[nodiscard]] std::uint64_t blocks() const { return pieces / column_groups; }

    std::uint32_t elements = 0;         ///< of a partition of the operand, both halves in double row
    std::uint32_t element_bytes = 0;    ///< of the operand
    std::uint32_t start_partition = 0;  ///< of the operand
    std::uint32_t start_byte = 0;       ///< of the operand's first element in its partition
    ElementSpan span;
    AccessRuns source;

    AccessRuns scale_source;  ///< of the scale
    ElementSpan scale_span;
    std::uint32_t scale_rows = 0;  ///< MX, else 0
    std::uint32_t scale_start_partition = 0;
    std::uint32_t scale_start_byte = 0;
    std::uint32_t scale_rows_per_quadrant = 0;
    std::uint32_t quadrant_partitions = 0;

    /// Partition that holds scale row `group` (isa.md 2.1, srow).
    [[nodiscard]] std::uint32_t scale_partition(std::uint32_t group) const;
};

/// Partitions of the smallest unit that MX layouts count in: a quarter of the array's rows, at least one
/// scale group, at most the array.
std::uint32_t mx_quadrant(const TensorMachine& machine);

/// Checks every rule in a fixed order and plans the instruction; `plan` is valid when no fault is returned.
TensorFault plan_instruction(const TensorInstruction& instruction, const TensorMachine& machine,
                             const LoadedTypes& loaded, TensorPlan& plan);

}  // namespace systole
