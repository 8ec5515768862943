// SPDX-License-Identifier: Apache-2.0
// Numbers of a configuration, with units. The ending of a key names the unit of its value: _hz, _ps, _ns,
// _us, _bytes (and _bytes_per_partition), _bytes_per_s, _cycles, _percent. A value is a plain number in that
// unit, or a number with a unit of the same kind ("2.4 GHz", "36 GiB", "1.3 us"); it must come out whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace systole {

/// The value of `text` in the unit of `key`; nothing when it is no number, has a unit of another kind, or is
/// no whole number of 64 bits in the key's unit. Decimal or 0x hexadecimal; '_' may stand between digits.
std::optional<std::uint64_t> parse_quantity(std::string_view text, std::string_view key);

/// What may be written after a number for `key`: "Hz, kHz, MHz or GHz"; "" when nothing may.
std::string allowed_units(std::string_view key);

}  // namespace systole
