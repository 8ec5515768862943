#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A second opinion on the golden arithmetic: NumPy and ml_dtypes against libsystole_golden, through its C ABI.

Compares the value of every code of every narrow format, the rounding of FP32 at every boundary of every format, all
FP4 products and all scales. Optional: scripts/setup-oracles makes the environment it needs.
Exit code: 0 all equal, 1 a difference, 2 bad usage.
"""
import argparse
import ctypes
import sys

import ml_dtypes
import numpy as np

FP32 = 17
FORMATS = {  # code of the instruction set, NumPy type
    "fp8_e4m3": (9, ml_dtypes.float8_e4m3),
    "fp8_e4m3fn": (10, ml_dtypes.float8_e4m3fn),
    "fp8_e5m2": (11, ml_dtypes.float8_e5m2),
    "fp8_e3m4": (12, ml_dtypes.float8_e3m4),
    "bf16": (14, ml_dtypes.bfloat16),
    "fp16": (15, np.float16),
}


class Pe(ctypes.Structure):
    _fields_ = [("mode", ctypes.c_uint32), ("stationary", ctypes.c_uint32), ("moving", ctypes.c_uint32),
                ("weight", ctypes.c_uint32 * 2), ("value", ctypes.c_uint32 * 2),
                ("weight_scale", ctypes.c_uint8), ("value_scale", ctypes.c_uint8)]


class Exact(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_uint32), ("negative", ctypes.c_uint32), ("exponent", ctypes.c_int32),
                ("significand", ctypes.c_uint64)]


class Golden:
    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        self.lib.systole_golden_convert.argtypes = [ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int,
                                                    ctypes.c_int, ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint64)]

    def convert(self, source, target, codes):
        result = ctypes.c_uint64()
        out = np.empty(len(codes), np.uint32)
        for i, code in enumerate(codes.tolist()):
            if self.lib.systole_golden_convert(source, target, code, 0, 0, 0, ctypes.byref(result)) != 0:
                raise RuntimeError(f"conversion {source} to {target} refused")
            out[i] = result.value
        return out

    def mx_addend(self, stationary, weight, weight_scale, moving, value, value_scale):
        pe = Pe(2, stationary, moving, (weight, 0), (value, 0), weight_scale, value_scale)
        exact = Exact()
        if self.lib.systole_golden_addend(ctypes.byref(pe), ctypes.byref(exact)) != 0:
            raise RuntimeError("addend refused")
        if exact.kind != 0:
            return np.nan if exact.kind == 2 else (-np.inf if exact.negative else np.inf)
        size = float(np.ldexp(np.float64(exact.significand), exact.exponent))
        return -size if exact.negative else size


class Checks:
    def __init__(self):
        self.compared = 0
        self.different = 0

    def equal(self, what, found, expected, inputs):
        """Bit patterns or values are equal, any NaN being as good as another."""
        same = (found == expected) | (np.isnan(found.astype(np.float64)) & np.isnan(expected.astype(np.float64)))
        self.compared += len(found)
        wrong = np.flatnonzero(~same)
        self.different += len(wrong)
        for i in wrong[:3]:
            print(f"{what}: input {inputs[i]!r}: golden {found[i]!r}, NumPy {expected[i]!r}")


def boundaries(dtype, bits):
    """FP32 values at, between and beside all neighbouring values of a format, and random ones."""
    values = np.arange(1 << bits, dtype=np.uint32).astype(np.uint8 if bits == 8 else np.uint16).view(dtype)
    values = np.sort(np.unique(values.astype(np.float64)[np.isfinite(values.astype(np.float64))]))
    points = np.concatenate([values, (values[1:] + values[:-1]) / 2, [values[-1] * 1.03, values[-1] * 1.07, values[-1] * 2]])
    with np.errstate(over="ignore"):
        points = points.astype(np.float32)
    beside = [np.nextafter(points, np.float32(sign * np.inf)) for sign in (1, -1)]
    random = np.random.default_rng(1).integers(0, 1 << 32, 20000, dtype=np.uint32).view(np.float32)
    return np.concatenate([points, *beside, random, np.array([np.inf, -np.inf, np.nan, 0.0, -0.0], np.float32)])


def check_formats(golden, checks):
    for name, (code, dtype) in FORMATS.items():
        bits = 8 * np.dtype(dtype).itemsize
        raw = np.uint8 if bits == 8 else np.uint16
        codes = np.arange(1 << bits, dtype=np.uint32)
        found = golden.convert(code, FP32, codes).view(np.float32)
        expected = codes.astype(raw).view(dtype).astype(np.float32)
        checks.equal(f"{name} to fp32", found, expected, codes)
        checks.equal(f"{name} sign", np.signbit(found[~np.isnan(found)]).astype(np.uint8),
                     np.signbit(expected[~np.isnan(expected)]).astype(np.uint8), codes[~np.isnan(found)])
        values = boundaries(dtype, bits)
        found = golden.convert(FP32, code, values.view(np.uint32)).astype(raw).view(dtype)
        with np.errstate(all="ignore"):
            expected = values.astype(dtype)
        checks.equal(f"fp32 to {name}", found.astype(np.float32), expected.astype(np.float32), values)


def check_mx(golden, checks):
    fp4 = np.arange(16, dtype=np.uint8).view(ml_dtypes.float4_e2m1fn).astype(np.float64)
    found = np.array([golden.mx_addend(20, a, 127, 20, b, 127) for a in range(16) for b in range(16)])
    checks.equal("e2m1 products", found, np.outer(fp4, fp4).ravel(), np.arange(256))
    scales = np.arange(256, dtype=np.uint8).view(ml_dtypes.float8_e8m0fnu).astype(np.float64)
    found = np.array([golden.mx_addend(19, 0x38, s, 19, 0x38, 127) for s in range(256)])
    checks.equal("e8m0 scales", found, scales, np.arange(256))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", help="path of libsystole_golden.so")
    golden = Golden(parser.parse_args().library)
    np.seterr(invalid="ignore")  # casts of NaN codes warn, and NaN codes are the point
    checks = Checks()
    check_formats(golden, checks)
    check_mx(golden, checks)
    print(f"{checks.compared} comparisons, {checks.different} differences")
    return 1 if checks.different else 0


if __name__ == "__main__":
    sys.exit(main())
