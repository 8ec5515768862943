// SPDX-License-Identifier: Apache-2.0
// Uses the installed libraries from outside the build tree: times of a load and a multiply on a 128x128
// array.
#include <systole/numerics/dtype.hpp>
#include <systole/semantics/tensor_timing.hpp>

#include <cstdio>

int main() {
    systole::TensorEngineParameters parameters;
    parameters.rows = parameters.columns = 128;
    parameters.weight_lanes = 4;
    parameters.min_interval_cycles = 64;
    parameters.command_depth = 4;
    parameters.stage_cycles = 5;
    systole::TensorTiming timing(parameters);

    systole::TensorCommand command;
    command.tile = {0, 128, 128, 0, 128, 128};
    const systole::TensorTimes load = timing.submit(command, 0);
    command.op = systole::TensorOp::kMultiply;
    command.n = 512;
    const systole::TensorTimes multiply = timing.submit(command, 1);
    std::printf("%.*s: loaded in cycle %llu, multiplied in cycle %llu\n", 4,
                systole::dtype_name(command.moving_dtype).data(),
                static_cast<unsigned long long>(load.completed),
                static_cast<unsigned long long>(multiply.completed));
    // 32 beats of four columns after the dispatch in cycle 1; 512 columns and the pipeline after that.
    return load.completed == 33 && multiply.completed == 33 + 512 + 256 + 5 ? 0 : 1;
}
