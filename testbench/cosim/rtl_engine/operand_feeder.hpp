// SPDX-License-Identifier: Apache-2.0
// From operand memory (row-major per partition) to the beats and columns of the RTL's ports.
//
// The element layout is looked up once per command; per beat or column it is one call and one tight loop.
#pragma once

#include <systole/cosim/systole_rtl.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace systole::rtl_engine {

constexpr std::uint32_t kRowsPerScale = 8;

/// The operand of an accepted command, ready to be fed.
struct Operand {
    std::uint64_t tag = 0;
    const std::uint8_t* data = nullptr;
    const std::uint8_t* scale = nullptr;  ///< nullptr: the mode has none
    std::size_t row_stride_bytes = 0;
    std::size_t scale_stride_bytes = 0;
    std::size_t element_bytes = 0;
    std::size_t half_bytes = 0;  ///< double row: distance of the second half of an element
    std::uint32_t row_start = 0;
    std::uint32_t rows = 0;
    std::uint32_t elements = 0;  ///< per row: columns of a load, moving columns of a multiply
};

/// Bytes of an element in memory, by data type code of systole::DType; 0 for types the engine does not take.
constexpr std::size_t element_bytes(std::uint8_t dtype) {
    switch (dtype) {
        case 9:   // FP8 E4M3
        case 10:  // FP8 E4M3FN
        case 11:  // FP8 E5M2
        case 12:  // FP8 E3M4
            return 1;
        case 14:  // BF16
        case 15:  // FP16
        case 20:  // E2M1 x4
            return 2;
        case 5:   // U32
        case 6:   // I32
        case 16:  // TF32
        case 17:  // FP32
        case 18:  // E5M2 x4
        case 19:  // E4M3FN x4
            return 4;
        default:
            return 0;
    }
}

/// Calls body(read) with the function that reads one element's raw bits as the ports take them.
template <typename Body>
void with_reader(const Operand& operand, Body&& body) {
    if (operand.half_bytes != 0) {
        body([half_bytes = operand.half_bytes](const std::uint8_t* element) {
            return static_cast<std::uint32_t>(element[0] | (element[half_bytes] << 8));
        });
    } else if (operand.element_bytes == 1) {
        body([](const std::uint8_t* element) { return std::uint32_t{*element}; });
    } else if (operand.element_bytes == 2) {
        body([](const std::uint8_t* element) {
            std::uint16_t bits;
            std::memcpy(&bits, element, sizeof bits);
            return std::uint32_t{bits};
        });
    } else {
        body([](const std::uint8_t* element) {
            std::uint32_t bits;
            std::memcpy(&bits, element, sizeof bits);
            return bits;
        });
    }
}

/// Moving column j at the edge: port[row_start + k] for every operand row k, scale_port[k / 8].
inline void feed_column(const Operand& operand, std::uint32_t j, std::uint32_t* port,
                        std::uint8_t* scale_port) {
    with_reader(operand, [&](auto read) {
        const std::uint8_t* element = operand.data + j * operand.element_bytes;
        std::uint32_t* to = port + operand.row_start;
        for (std::uint32_t k = 0; k < operand.rows; ++k, element += operand.row_stride_bytes)
            to[k] = read(element);
    });
    if (operand.scale == nullptr) return;
    const std::uint8_t* scale = operand.scale + j;
    for (std::uint32_t k = 0; k < operand.rows; k += kRowsPerScale, scale += operand.scale_stride_bytes)
        *scale_port++ = *scale;
}

/// Weight beat `beat` of a load: lane l of row row_start + k is column beat * Lanes + l. Lanes beyond the
/// load's last column carry no meaning and are left alone.
template <std::size_t Lanes>
void feed_beat(const Operand& operand, std::uint32_t beat, std::uint32_t (*port)[Lanes],
               std::uint8_t (*scale_port)[Lanes]) {
    const std::uint32_t first = beat * static_cast<std::uint32_t>(Lanes);
    const std::uint32_t lanes = operand.elements - first < Lanes ? operand.elements - first : Lanes;
    with_reader(operand, [&](auto read) {
        const std::uint8_t* row = operand.data + first * operand.element_bytes;
        auto to = port + operand.row_start;
        for (std::uint32_t k = 0; k < operand.rows; ++k, row += operand.row_stride_bytes)
            for (std::uint32_t lane = 0; lane < lanes; ++lane)
                to[k][lane] = read(row + lane * operand.element_bytes);
    });
    if (operand.scale == nullptr) return;
    const std::uint8_t* scale = operand.scale + first;
    for (std::uint32_t k = 0; k < operand.rows;
         k += kRowsPerScale, scale += operand.scale_stride_bytes, ++scale_port)
        std::memcpy(*scale_port, scale, lanes);
}

/// The operand of a command.
inline Operand make_operand(const systole_rtl_command& command) {
    const bool load = command.op == SYSTOLE_RTL_LOAD_WEIGHTS;
    Operand operand;
    operand.tag = command.tag;
    operand.data = command.data;
    operand.scale = command.mode == 2 ? command.scale : nullptr;
    operand.row_stride_bytes = command.row_stride_bytes;
    operand.scale_stride_bytes = command.scale_stride_bytes;
    operand.element_bytes = element_bytes(load ? command.stationary_dtype : command.moving_dtype);
    operand.row_start = command.row_start;
    operand.rows = command.rows;
    operand.elements = load ? command.columns : command.n;
    operand.half_bytes = command.mode == 1 ? operand.elements * operand.element_bytes : 0;
    return operand;
}

}  // namespace systole::rtl_engine
