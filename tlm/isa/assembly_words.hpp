// SPDX-License-Identifier: Apache-2.0
// Words of the assembly language that writer and reader share. Private to tlm/isa.
#pragma once

#include <systole/isa/encoding_table.hpp>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace systole {

/// A field that holds a number less one, and the name under which the text has the number.
struct CountField {
    Field field;
    std::string_view name;
};
inline constexpr std::array kCountFields{CountField{Field::kNpartM1, "np"}, CountField{Field::kMM1, "m"},
                                         CountField{Field::kNfM1, "nf"},
                                         CountField{Field::kNpDstM1, "np_dst"}};

inline constexpr std::array<std::string_view, kOperands> kOperandKeys{"a", "b", "c", "sc"};
inline constexpr std::array<std::string_view, 4> kSlotKeys{"s0", "s1", "s2", "s3"};
inline constexpr std::array<std::string_view, 2> kSpaceNames{"sbuf", "psum"};

/// The two sides of a DMA transfer: address:run[stride 1,count 1][stride 2,count 2].
struct DmaSide {
    std::string_view name;
    Field low, high, run, stride1, count1, stride2, count2;
};
inline constexpr std::array kDmaSides{DmaSide{"src", Field::kSrcLo, Field::kSrcHi, Field::kSRun, Field::kSSt1,
                                              Field::kSN1, Field::kSSt2, Field::kSN2},
                                      DmaSide{"dst", Field::kDstLo, Field::kDstHi, Field::kDRun, Field::kDSt1,
                                              Field::kDN1, Field::kDSt2, Field::kDN2}};

/// The two waits of the header.
struct WaitFields {
    std::string_view word;
    Field semaphore, condition, value;
};
inline constexpr std::array kWaits{WaitFields{"wait", Field::kW0Sem, Field::kW0Cond, Field::kW0Val},
                                   WaitFields{"wait1", Field::kW1Sem, Field::kW1Cond, Field::kW1Val}};

constexpr Field nth_field(Field first, std::uint32_t index) {
    return static_cast<Field>(static_cast<std::uint32_t>(first) + index);
}

/// The EXT kind that has the field, if any.
std::optional<ExtKind> ext_of_field(Field field);
/// Where the instruction has the field: header, W3, format or one of the EXT kinds that fit it.
std::optional<FieldPlace> place_of(const OpcodeInfo& info, Field field);

/// " (did you mean 'x'?)" with the candidate nearest to `word`, or "" if none is near.
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace systole
