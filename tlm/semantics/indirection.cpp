// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/indirection.hpp>

#include <array>
#include <cstring>

namespace systole {
namespace {

constexpr std::uint32_t kIdxKind = 1;

struct IndexFields {
    Field used;
    Field address;
    Field elements;
    Field row_elements;
};

constexpr std::array<IndexFields, 3> kFieldsOf{{{Field::kVA, Field::kIxA, Field::kIxnA, Field::kIxrA},
                                                {Field::kVB, Field::kIxB, Field::kIxnB, Field::kIxrB},
                                                {Field::kVC, Field::kIxC, Field::kIxnC, Field::kIxrC}}};

const IndexFields& fields_of(OperandName name) { return kFieldsOf.at(static_cast<std::size_t>(name)); }

}  // namespace

bool is_indirect(const Instruction& instruction, OperandName name) {
    return name != OperandName::kScale && instruction.has_ext(kIdxKind) &&
           instruction[fields_of(name).used] != 0;
}

IndexTile index_tile(const Instruction& instruction, OperandName name) {
    const IndexFields& fields = fields_of(name);
    IndexTile result;
    result.tile = operand_of_addr32(instruction[fields.address]);
    result.elements = instruction[fields.elements];
    result.row_elements = instruction[fields.row_elements];
    result.tile.pattern.dims[0] = {1, static_cast<std::uint16_t>(result.row_elements)};
    return result;
}

std::uint32_t IndexList::offset(std::uint32_t row, std::uint32_t n) const {
    const std::uint32_t partition = row / kIndexGroup * kIndexGroup + n % kIndexGroup;
    std::uint32_t value = 0;
    std::memcpy(&value, start + partition * stride + std::size_t{n / kIndexGroup} * bytes, bytes);
    return value;
}

IndexList index_list(const Instruction& instruction, OperandName name, const CoreMemory& memory) {
    if (!is_indirect(instruction, name)) return {};
    const Operand tile = index_tile(instruction, name).tile;
    return {memory.sbuf + tile.partition() * memory.sbuf_stride + tile.byte(), memory.sbuf_stride,
            dtype_bytes(tile.dtype)};
}

Fault check_offsets(const Instruction& instruction, const CoreMemory& memory) {
    for (const OperandName name : {OperandName::kA, OperandName::kB, OperandName::kC}) {
        const IndexList list = index_list(instruction, name, memory);
        if (list.start == nullptr) continue;
        const Operand& operand = instruction.operand(name);
        const std::uint32_t partition_bytes = operand.in_psum() ? memory.psum_bytes : memory.sbuf_bytes;
        const std::uint64_t reachable = (partition_bytes - operand.byte()) / dtype_bytes(operand.dtype);
        const std::uint32_t elements = index_tile(instruction, name).elements;
        for (std::uint32_t row = 0; row < instruction.np(); row += kIndexGroup)
            for (std::uint32_t n = 0; n < elements; ++n)
                if (list.offset(row, n) >= reachable)
                    return {Exception::kApOob, "an index stays inside its partition"};
    }
    return {};
}

}  // namespace systole
