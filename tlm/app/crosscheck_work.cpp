// SPDX-License-Identifier: Apache-2.0
#include <systole/app/crosscheck_work.hpp>
#include <systole/app/gemm_work.hpp>
#include <systole/app/program_work.hpp>
#include <systole/base/error.hpp>

#include <algorithm>

namespace systole {
namespace {

constexpr std::uint32_t kMaxChunkColumns = 512;  // what tools emit at most (hardware.md 7.1)

ProgramOptions program_options(const CrosscheckOptions& options, const TensorEngineConfig& config) {
    ProgramOptions result;
    result.machine = {config.engine.rows, config.engine.columns, config.memory.psum_bytes,
                      config.memory.sbuf_bytes, std::min(kMaxChunkColumns, config.limits.max_n_32_bit)};
    result.pairs = options.pairs;
    if (options.corner) result.data_classes = {DataClass::kCorner};
    if (options.psum_dtype) result.psum_dtypes = {*options.psum_dtype};
    return result;
}

}  // namespace

std::unique_ptr<CrosscheckWork> make_crosscheck_work(const CrosscheckOptions& options,
                                                     const TensorEngineConfig& config) {
    const ProgramOptions programs = program_options(options, config);
    if (options.is_gemm()) return make_gemm_work(options, programs);
    return std::make_unique<ProgramWork>(options, programs);
}

}  // namespace systole
