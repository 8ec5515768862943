// SPDX-License-Identifier: Apache-2.0
// Encoding table: names of fields and of enumerated values (isa.md 3, 7).
#include <systole/isa/encoding_table.hpp>

#include <algorithm>

namespace systole {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::array<FieldInfo, kFields> kFieldTable{{
    {"opcode", FieldKind::kNumber, "operation"},
    {"fmt", FieldKind::kNumber,
     "format id 0..9; redundant with opcode, checked by the decoder (mismatch = illegal instruction)"},
    {"x", FieldKind::kFlag, "1: the next 64-byte bundle is an EXT bundle that belongs to this instruction"},
    {"fence", FieldKind::kFlag,
     "1: do not start before every older instruction of this sequencer is complete"},
    {"sr", FieldKind::kFlag, "0: round to nearest even, 1: stochastic rounding on the output cast"},
    {"ntf", FieldKind::kFlag, "1: emit a begin/end trace record"},
    {"brk", FieldKind::kFlag, "1: debug stop before issue"},
    {"npart_m1", FieldKind::kNumber, "active partitions - 1 (0..127)"},
    {"upd_sem", FieldKind::kNumber, "semaphore index of the update"},
    {"w0_sem", FieldKind::kNumber, "semaphore index of wait 0"},
    {"w0_cond", FieldKind::kNumber, "0 no wait, 1 S>=val, 2 S==val, 3 S>=R[val[5:0]]"},
    {"w0_val", FieldKind::kNumber, "16-bit wait value"},
    {"upd_op", FieldKind::kNumber, "0 none 1 inc 2 dec 3 add_imm 4 sub_imm 5 wr_imm 6 evt_set 7 evt_clr"},
    {"upd_when", FieldKind::kFlag,
     "0 at completion (last write visible), 1 when the last source element was read"},
    {"upd_scope", FieldKind::kNumber, "0 own core, 1 LNC peer core, 2 every core of the LNC, 3 reserved"},
    {"w1_sem", FieldKind::kNumber, "semaphore index of wait 1"},
    {"w1_cond", FieldKind::kNumber, "0 no wait, 1 S>=val, 2 S==val, 3 S>=R[val[5:0]]"},
    {"w1_val", FieldKind::kNumber, "16-bit wait value"},
    {"upd_imm", FieldKind::kNumber, "6-bit operand of add_imm/sub_imm/wr_imm"},
    {"dyn_reg", FieldKind::kRegister, "register whose signed value (bytes) is added to one base address"},
    {"dyn_sel", FieldKind::kNumber,
     "0 none, 1 operand A, 2 operand B, 3 operand C (DMA: 1 source, 3 destination)"},
    {"rd", FieldKind::kRegister, "destination"},
    {"ra", FieldKind::kRegister, "left or only source"},
    {"rb", FieldKind::kRegister, "right source"},
    {"rop", FieldKind::kNumber,
     "0 add 1 sub 2 mul 3 and 4 or 5 xor 6 shl 7 lshr 8 ashr 9 min 10 max 11 slt 12 seq 13 divu 14 remu"},
    {"imm", FieldKind::kFlag, "1: right operand = p0"},
    {"hbm", FieldKind::kFlag, "0: p0=ADDR32 (SBUF), 1: p0/p1=64-bit byte address"},
    {"size", FieldKind::kNumber, "log2 bytes 0..2"},
    {"sx", FieldKind::kFlag, "sign extend"},
    {"rs", FieldKind::kRegister, "source"},
    {"cc", FieldKind::kNumber, "0 always 1 eq 2 ne 3 lt 4 ge 5 ltu 6 geu 7 nez(ra)"},
    {"rc", FieldKind::kRegister, "counter register (read-only in the body)"},
    {"sreg", FieldKind::kFlag, "start is R[p0]"},
    {"ereg", FieldKind::kFlag, "stop is R[p1]"},
    {"sem", FieldKind::kNumber, "semaphore"},
    {"sop", FieldKind::kNumber, "as upd_op; 0 = wait only"},
    {"rval", FieldKind::kFlag, "value is R[p0[5:0]] instead of p0"},
    {"scope", FieldKind::kNumber, "as upd_scope"},
    {"first", FieldKind::kNumber, "first semaphore"},
    {"last", FieldKind::kNumber, "last semaphore"},
    {"sz0", FieldKind::kNumber, "log2 bytes of write 0"},
    {"sz1", FieldKind::kNumber, "log2 bytes of write 1"},
    {"two", FieldKind::kFlag, "second write present"},
    {"mode", FieldKind::kNumber, "mode id"},
    {"mx", FieldKind::kFlag, "MX operands"},
    {"dr", FieldKind::kFlag, "double_row FP8"},
    {"xp", FieldKind::kFlag, "transpose mode"},
    {"acc", FieldKind::kFlag,
     "0 overwrite, 1 accumulate (MMUL); DMA_*: destination += source (SBUF read-add-write)"},
    {"oz", FieldKind::kFlag, "operand is ones/zeros only"},
    {"grp", FieldKind::kNumber, "bit 0 opens, bit 1 closes an accumulation group (checker and trace only)"},
    {"op0", FieldKind::kNumber, "ALU code"},
    {"int", FieldKind::kFlag, "exact 32-bit integer arithmetic (GpSimd path)"},
    {"op1", FieldKind::kNumber, "ALU code"},
    {"rev0", FieldKind::kFlag, "swap operands of op0"},
    {"rev1", FieldKind::kFlag, "swap operands of op1"},
    {"s0k", FieldKind::kNumber,
     "kind of scalar slot 0: 0 unused 1 immediate 2 pointer ADDR32 [P,1] 3 register R[s[5:0]]"},
    {"s1k", FieldKind::kNumber,
     "kind of scalar slot 1: 0 unused 1 immediate 2 pointer ADDR32 [P,1] 3 register R[s[5:0]]"},
    {"nred", FieldKind::kNumber, "number of innermost dims reduced 1..4"},
    {"neg", FieldKind::kFlag, "multiply the result by -1.0; ACC_RD leaves the accumulator as it is"},
    {"bits", FieldKind::kFlag, "1: bit-accurate copy (equal dtypes)"},
    {"rev", FieldKind::kFlag, "reverse_pred"},
    {"red_cmd", FieldKind::kNumber, "reduce_cmd 0 idle 1 reset 2 reduce 3 reset_reduce 4 load_reduce"},
    {"rule", FieldKind::kNumber,
     "0: rule A (E-Emax+1) unless SET_MODE mode 1 selects B, 1: rule B (OCP, E-Emax, saturate), 2 and 3 "
     "reserved"},
    {"idx", FieldKind::kFlag, "1: s0 = ADDR32 of dst_idx"},
    {"nf_m1", FieldKind::kNumber, "free size of A - 1 = partitions of C - 1"},
    {"np_dst_m1", FieldKind::kNumber, "destination partitions - 1 (npart_m1 is the source)"},
    {"one", FieldKind::kFlag, "1: set_rng_seed ([1,1] seed)"},
    {"func", FieldKind::kNumber, "activation code"},
    {"top0", FieldKind::kNumber, "0 bypass 1 multiply 2 add 3 subtract"},
    {"top1", FieldKind::kNumber, "0 bypass 2 add 3 subtract (1 reserved)"},
    {"s2k", FieldKind::kNumber, "kind of scalar slot 2 (relu_param)"},
    {"table", FieldKind::kNumber, "table set"},
    {"cmp", FieldKind::kNumber, "ALU code: one of the six comparisons"},
    {"lg2n", FieldKind::kNumber, "log2(num_elem_per_idx) 0..5"},
    {"nvalid", FieldKind::kNumber, "valid indices per core, 0 = all"},
    {"n", FieldKind::kNumber, "active elements in the 16-partition snake"},
    {"sdt", FieldKind::kNumber, "source dtype, 0 = raw bytes"},
    {"ddt", FieldKind::kNumber, "destination dtype, 0 = raw bytes"},
    {"prio", FieldKind::kNumber, "0..3, lower = higher priority"},
    {"queue", FieldKind::kNumber, "queue (ring) id 0..15, the same id on all 16 DMA engines of the core"},
    {"dge", FieldKind::kNumber, "0 automatic 1 swdge 2 hwdge 3 none"},
    {"skip", FieldKind::kFlag, "oob_mode.skip"},
    {"ring", FieldKind::kNumber, "bits 3:0 queue id, 15:4 ring instance"},
    {"ctype", FieldKind::kNumber,
     "0 AR 1 AG 2 RS 3 A2A 4 permute 5 ring-permute 6 ring-permute-reduce 7 AGV 8 A2AV"},
    {"cop", FieldKind::kNumber, "0 add 1 min 2 max"},
    {"dtype", FieldKind::kNumber, "element dtype"},
    {"chan", FieldKind::kNumber, "channel"},
    {"dim", FieldKind::kFlag, "collective_dim"},
    {"cur", FieldKind::kFlag, "0: rank_id, 1: current_processing_rank_id"},
    {"p0", FieldKind::kNumber, "payload, per opcode"},
    {"p1", FieldKind::kNumber, "payload, per opcode"},
    {"p2", FieldKind::kNumber, "payload, per opcode"},
    {"p3", FieldKind::kNumber, "payload, per opcode"},
    {"p4", FieldKind::kNumber, "payload, per opcode"},
    {"p5", FieldKind::kNumber, "payload, per opcode"},
    {"p6", FieldKind::kNumber, "payload, per opcode"},
    {"p7", FieldKind::kNumber, "payload, per opcode"},
    {"p8", FieldKind::kNumber, "payload, per opcode"},
    {"p9", FieldKind::kNumber, "payload, per opcode"},
    {"p10", FieldKind::kNumber, "payload, per opcode"},
    {"p11", FieldKind::kNumber, "payload, per opcode"},
    {"a_addr", FieldKind::kAddr32, "ADDR32 of A"},
    {"a_d0", FieldKind::kDim32, "DIM32 0 (innermost)"},
    {"a_d1", FieldKind::kDim32, "DIM32 1 (next)"},
    {"a_d2", FieldKind::kDim32, "DIM32 2 (next)"},
    {"b_addr", FieldKind::kAddr32, "ADDR32 of B"},
    {"b_d0", FieldKind::kDim32, "DIM32 0 (innermost)"},
    {"b_d1", FieldKind::kDim32, "DIM32 1 (next)"},
    {"b_d2", FieldKind::kDim32, "DIM32 2 (next)"},
    {"c_addr", FieldKind::kAddr32, "ADDR32 of C"},
    {"c_d0", FieldKind::kDim32, "DIM32 0 (innermost)"},
    {"c_d1", FieldKind::kDim32, "DIM32 1 (next)"},
    {"c_d2", FieldKind::kDim32, "DIM32 2 (next)"},
    {"s0", FieldKind::kNumber, "scalar slot 0"},
    {"s1", FieldKind::kNumber, "scalar slot 1"},
    {"s2", FieldKind::kNumber, "scalar slot 2"},
    {"s3", FieldKind::kNumber, "scalar slot 3"},
    {"a_d3", FieldKind::kDim32, "DIM32 3 (next)"},
    {"c_d3", FieldKind::kDim32, "DIM32 3 (next)"},
    {"sc_addr", FieldKind::kAddr32, "ADDR32 of the MX scale (start scale partition inside it)"},
    {"sc_d0", FieldKind::kDim32,
     "DIM32 of the scale; 0 = the scale uses the strides and counts of operand A, element for element"},
    {"m_m1", FieldKind::kNumber, "stationary columns - 1 = destination partitions - 1"},
    {"row_sz", FieldKind::kNumber, "row tile size: 0=128 1=64 2=32"},
    {"col_sz", FieldKind::kNumber, "column tile size: 0=128 1=64 2=32"},
    {"row_ix", FieldKind::kNumber, "start_row/32"},
    {"col_ix", FieldKind::kNumber, "start_column/32"},
    {"offset", FieldKind::kSigned, "int32 offset"},
    {"chmul", FieldKind::kSigned, "int32 channel_multiplier"},
    {"fill", FieldKind::kFloat, "on_false value, fp32 bits"},
    {"p_d0", FieldKind::kDim32, "DIM32: pattern x (innermost): int16 step, uint16 count"},
    {"p_d1", FieldKind::kDim32, "DIM32: pattern y"},
    {"p_d2", FieldKind::kDim32, "DIM32: pattern z (4-D or int32 steps: EXT PATX)"},
    {"src_lo", FieldKind::kNumber, "source byte address [31:0]"},
    {"src_hi", FieldKind::kNumber, "source byte address [63:32]"},
    {"dst_lo", FieldKind::kNumber, "destination byte address [31:0]"},
    {"dst_hi", FieldKind::kNumber, "destination byte address [63:32]"},
    {"s_run", FieldKind::kNumber, "source contiguous run, bytes"},
    {"s_st1", FieldKind::kSigned, "source stride 1, int32 bytes"},
    {"s_st2", FieldKind::kSigned, "source stride 2, int32 bytes"},
    {"s_n1", FieldKind::kNumber, "source count 1"},
    {"s_n2", FieldKind::kNumber, "source count 2"},
    {"d_run", FieldKind::kNumber, "destination contiguous run, bytes"},
    {"d_st1", FieldKind::kSigned, "destination stride 1, int32 bytes"},
    {"d_st2", FieldKind::kSigned, "destination stride 2, int32 bytes"},
    {"d_n1", FieldKind::kNumber, "destination count 1"},
    {"d_n2", FieldKind::kNumber, "destination count 2"},
    {"m0", FieldKind::kHex, "bit plane 0: bit i = bit 0 of shuffle_mask[i]"},
    {"m1", FieldKind::kHex, "bit plane 1: bit i = bit 1 of shuffle_mask[i]"},
    {"m2", FieldKind::kHex, "bit plane 2: bit i = bit 2 of shuffle_mask[i]"},
    {"m3", FieldKind::kHex, "bit plane 3: bit i = bit 3 of shuffle_mask[i]"},
    {"m4", FieldKind::kHex, "bit plane 4: bit i = bit 4 of shuffle_mask[i]"},
    {"keep", FieldKind::kHex, "bit i = 1: shuffle_mask[i]==255, partition i unmodified"},
    {"n_a", FieldKind::kNumber, "dims of A: 0 keep the base format, 1..4 replace"},
    {"n_b", FieldKind::kNumber, "dims of B"},
    {"n_c", FieldKind::kNumber, "dims of C"},
    {"xa_d0", FieldKind::kDim32, "DIM32 0 of A"},
    {"xa_d1", FieldKind::kDim32, "DIM32 1 of A"},
    {"xa_d2", FieldKind::kDim32, "DIM32 2 of A"},
    {"xa_d3", FieldKind::kDim32, "DIM32 3 of A"},
    {"xb_d0", FieldKind::kDim32, "DIM32 0 of B"},
    {"xb_d1", FieldKind::kDim32, "DIM32 1 of B"},
    {"xb_d2", FieldKind::kDim32, "DIM32 2 of B"},
    {"xb_d3", FieldKind::kDim32, "DIM32 3 of B"},
    {"xc_d0", FieldKind::kDim32, "DIM32 0 of C"},
    {"xc_d1", FieldKind::kDim32, "DIM32 1 of C"},
    {"xc_d2", FieldKind::kDim32, "DIM32 2 of C"},
    {"xc_d3", FieldKind::kDim32, "DIM32 3 of C"},
    {"v_a", FieldKind::kFlag, "A is indirect"},
    {"v_b", FieldKind::kFlag, "B is indirect"},
    {"v_c", FieldKind::kFlag, "C is indirect"},
    {"v_sc", FieldKind::kFlag, "MX scale uses the index of A"},
    {"ix_a", FieldKind::kAddr32, "ADDR32 of the index tile of A"},
    {"ixn_a", FieldKind::kNumber, "number of indexed elements"},
    {"ixr_a", FieldKind::kNumber, "index row length, elements"},
    {"ix_b", FieldKind::kAddr32, "ADDR32 of the index tile of B"},
    {"ixn_b", FieldKind::kNumber, "number of indexed elements"},
    {"ixr_b", FieldKind::kNumber, "index row length, elements"},
    {"ix_c", FieldKind::kAddr32, "ADDR32 of the index tile of C"},
    {"ixn_c", FieldKind::kNumber, "number of indexed elements"},
    {"ixr_c", FieldKind::kNumber, "index row length, elements"},
    {"dyo_a", FieldKind::kDynRegister,
     "byte-offset register of A: bit 7 valid, bit 6 zero, bits 5:0 register"},
    {"dyo_b", FieldKind::kDynRegister, "of B"},
    {"dyo_c", FieldKind::kDynRegister, "of C"},
    {"dyo_s0", FieldKind::kDynRegister, "of scalar slot 0"},
    {"dyc_a", FieldKind::kDynRegister, "d0-count register of A: bit 7 valid, bit 6 zero, bits 5:0 register"},
    {"dyc_b", FieldKind::kDynRegister, "of B"},
    {"dyc_c", FieldKind::kDynRegister, "of C"},
    {"dyc_np", FieldKind::kDynRegister, "register holding the number of partitions"},
    {"dyd_src", FieldKind::kDynRegister,
     "DMA source base register: bit 7 valid, bit 6 zero, bits 5:0 register"},
    {"dyd_dst", FieldKind::kDynRegister, "DMA destination base"},
    {"dyd_sn1", FieldKind::kDynRegister, "DMA source count 1"},
    {"dyd_dn1", FieldKind::kDynRegister, "DMA destination count 1"},
    {"step_x", FieldKind::kSigned, "int32 step x"},
    {"step_y", FieldKind::kSigned, "int32 step y"},
    {"step_z", FieldKind::kSigned, "int32 step z"},
    {"step_w", FieldKind::kSigned, "int32 step w"},
    {"cnt_x", FieldKind::kNumber, "count x"},
    {"cnt_y", FieldKind::kNumber, "count y"},
    {"cnt_z", FieldKind::kNumber, "count z"},
    {"cnt_w", FieldKind::kNumber, "count w"},
    {"s_st3", FieldKind::kSigned, "source stride 3, int32 bytes"},
    {"s_st4", FieldKind::kSigned, "source stride 4"},
    {"s_n3", FieldKind::kNumber, "source count 3 (0 = unused)"},
    {"s_n4", FieldKind::kNumber, "source count 4 (0 = unused)"},
    {"d_st3", FieldKind::kSigned, "destination stride 3"},
    {"d_st4", FieldKind::kSigned, "destination stride 4"},
    {"d_n3", FieldKind::kNumber, "destination count 3"},
    {"d_n4", FieldKind::kNumber, "destination count 4"},
    {"ix_addr", FieldKind::kAddr32, "ADDR32 of the u32 index tile, 0 = none"},
    {"ix_src", FieldKind::kFlag, "index applies to the source"},
    {"ix_dst", FieldKind::kFlag, "index applies to the destination"},
    {"ix_xp", FieldKind::kFlag, "gather-transpose"},
    {"ix_one", FieldKind::kFlag, "one scalar index for all rows"},
    {"row_pitch", FieldKind::kNumber, "bytes between rows of the indexed tensor"},
    {"row_lim", FieldKind::kNumber, "number of legal rows (bound check)"},
    {"xp_esz", FieldKind::kNumber, "element size of a transpose, bytes"},
    {"tab_lo", FieldKind::kNumber, "address [31:0] of the source table"},
    {"tab_hi", FieldKind::kNumber, "address [63:32]"},
    {"nsrc", FieldKind::kNumber, "number of sources 2..16"},
    {"cc_lo", FieldKind::kNumber, "address [31:0] of the collective descriptor"},
    {"cc_hi", FieldKind::kNumber, "address [63:32]"},
    {"cc_size", FieldKind::kNumber, "descriptor size, bytes"},
}};

constexpr std::array<std::string_view, 38> kAluNames{"bypass",
                                                     "add",
                                                     "subtract",
                                                     "multiply",
                                                     "maximum",
                                                     "minimum",
                                                     "equal",
                                                     "not_equal",
                                                     "greater_equal",
                                                     "greater",
                                                     "less_equal",
                                                     "less",
                                                     "logical_and",
                                                     "logical_or",
                                                     "logical_xor",
                                                     "power",
                                                     "abs_max",
                                                     "abs_min",
                                                     "abs",
                                                     "square",
                                                     "relu",
                                                     "rsqrt",
                                                     "reciprocal",
                                                     "average",
                                                     "logical_not",
                                                     "",
                                                     "",
                                                     "",
                                                     "",
                                                     "",
                                                     "",
                                                     "",
                                                     "invert",
                                                     "bitwise_and",
                                                     "bitwise_or",
                                                     "bitwise_xor",
                                                     "left_shift",
                                                     "right_shift"};
constexpr std::array<std::string_view, 26> kActivationNames{"copy",
                                                            "square",
                                                            "sigmoid",
                                                            "relu",
                                                            "prelu",
                                                            "gelu",
                                                            "gelu_dx",
                                                            "gelu_apprx_tanh",
                                                            "gelu_apprx_sigmoid",
                                                            "gelu_apprx_sigmoid_dx",
                                                            "silu",
                                                            "silu_dx",
                                                            "tanh",
                                                            "softplus",
                                                            "mish",
                                                            "erf",
                                                            "erf_dx",
                                                            "exp",
                                                            "log",
                                                            "sin",
                                                            "arctan",
                                                            "sqrt",
                                                            "rsqrt",
                                                            "reciprocal",
                                                            "sign",
                                                            "abs"};
constexpr std::array<std::string_view, 12> kComparisonNames{
    "", "", "", "", "", "", "equal", "not_equal", "greater_equal", "greater", "less_equal", "less"};
constexpr std::array<std::string_view, 35> kPartitionReduceNames{
    "",          "add", "", "", "maximum", "", "",        "", "", "", "", "", "", "", "", "", "",
    "",          "",    "", "", "",        "", "average", "", "", "", "", "", "", "", "", "", "bitwise_and",
    "bitwise_or"};
constexpr std::array<std::string_view, 4> kWaitNames{"none", "ge", "eq", "ge_reg"};
constexpr std::array<std::string_view, 8> kUpdateNames{"none",    "inc",    "dec",     "add_imm",
                                                       "sub_imm", "wr_imm", "evt_set", "evt_clr"};
constexpr std::array<std::string_view, 2> kWhenNames{"complete", "read"};
constexpr std::array<std::string_view, 3> kScopeNames{"own", "peer", "all"};
constexpr std::array<std::string_view, 4> kDynOperandNames{"none", "a", "b", "c"};
constexpr std::array<std::string_view, 4> kDynSideNames{"none", "src", "", "dst"};
constexpr std::array<std::string_view, 15> kRegisterAluNames{"add", "sub", "mul",  "and",  "or",
                                                             "xor", "shl", "lshr", "ashr", "min",
                                                             "max", "slt", "seq",  "divu", "remu"};
constexpr std::array<std::string_view, 5> kAccumulatorOpNames{"add", "max", "min", "abs_max", "abs_min"};
constexpr std::array<std::string_view, 8> kBranchNames{"always", "eq", "ne", "lt", "ge", "ltu", "geu", "nez"};
constexpr std::array<std::string_view, 3> kRegisterBytesNames{"1", "2", "4"};
constexpr std::array<std::string_view, 4> kWriteBytesNames{"1", "2", "4", "8"};
constexpr std::array<std::string_view, 5> kModeNames{"fp8_sat", "mx_rule", "sr_seed", "ordering", "strict"};
constexpr std::array<std::string_view, 5> kReduceCommandNames{"idle", "reset", "reduce", "reset_reduce",
                                                              "load_reduce"};
constexpr std::array<std::string_view, 4> kFirstNames{"bypass", "multiply", "add", "subtract"};
constexpr std::array<std::string_view, 4> kSecondNames{"bypass", "", "add", "subtract"};
constexpr std::array<std::string_view, 4> kSlotNames{"unused", "immediate", "pointer", "register"};
constexpr std::array<std::string_view, 4> kMemsetSlotNames{"", "immediate", "", "register"};
constexpr std::array<std::string_view, 2> kPredicateSlotNames{"tile", "immediate"};
constexpr std::array<std::string_view, 5> kReducedDimsNames{"", "1", "2", "3", "4"};
constexpr std::array<std::string_view, 5> kDimsNames{"0", "1", "2", "3", "4"};
constexpr std::array<std::string_view, 6> kGatherLogNames{"0", "1", "2", "3", "4", "5"};
constexpr std::array<std::string_view, 2> kRuleNames{"a", "b"};
constexpr std::array<std::string_view, 22> kDTypeNames{
    "raw",  "u8",       "i8",         "u16",       "i16",       "u32",  "i32",  "u64",
    "i64",  "fp8_e4m3", "fp8_e4m3fn", "fp8_e5m2",  "fp8_e3m4",  "e8m0", "bf16", "fp16",
    "tf32", "fp32",     "e5m2_x4",    "e4m3fn_x4", "e2m1fn_x4", "bool"};
constexpr std::array<std::string_view, 4> kDgeNames{"auto", "swdge", "hwdge", "none"};
constexpr std::array<std::string_view, 9> kCollectiveNames{
    "all_reduce",   "all_gather",          "reduce_scatter", "all_to_all",  "permute",
    "ring_permute", "ring_permute_reduce", "all_gather_v",   "all_to_all_v"};
constexpr std::array<std::string_view, 3> kCollectiveOpNames{"add", "min", "max"};
constexpr std::array<std::string_view, 3> kTileNames{"128", "64", "32"};
constexpr std::array<std::string_view, 17> kSourcesNames{"",  "",   "2",  "3",  "4",  "5",  "6",  "7", "8",
                                                         "9", "10", "11", "12", "13", "14", "15", "16"};
constexpr std::array<std::string_view, 4> kGroupNames{"none", "open", "close", "single"};
constexpr std::array<std::string_view, 5> kStreamNames{"tensor", "vector", "scalar", "gpsimd", "sync"};
constexpr std::array<std::string_view, 23> kExceptionNames{"NONE",
                                                           "ILLEGAL_OPCODE",
                                                           "ILLEGAL_ENCODING",
                                                           "ILLEGAL_ENGINE",
                                                           "ILLEGAL_DTYPE",
                                                           "ILLEGAL_SPACE",
                                                           "AP_OOB",
                                                           "START_PARTITION",
                                                           "COUNT_MISMATCH",
                                                           "PSUM_BANK",
                                                           "SEM_OVERFLOW",
                                                           "SEM_DOUBLE",
                                                           "DMA_OOB",
                                                           "MX_LAYOUT",
                                                           "NUM_NAN",
                                                           "PE_TILE",
                                                           "UNINIT_PSUM_ACC",
                                                           "UNINIT_READ",
                                                           "LNC_DIVERGE",
                                                           "PSUM_COLLISION",
                                                           "SRAM_PARITY",
                                                           "HBM_UNCORRECTABLE",
                                                           "HBM_REPAIRABLE"};

// Fields whose names are the same in every instruction.
Names common_names(Field field) {
    switch (field) {
        case Field::kW0Cond:
        case Field::kW1Cond:
            return kWaitNames;
        case Field::kUpdOp:
        case Field::kSop:
            return kUpdateNames;
        case Field::kUpdWhen:
            return kWhenNames;
        case Field::kUpdScope:
        case Field::kScope:
            return kScopeNames;
        case Field::kCc:
            return kBranchNames;
        case Field::kSize:
            return kRegisterBytesNames;
        case Field::kSz0:
        case Field::kSz1:
            return kWriteBytesNames;
        case Field::kMode:
            return kModeNames;
        case Field::kOp1:
            return kAluNames;
        case Field::kRedCmd:
            return kReduceCommandNames;
        case Field::kFunc:
            return kActivationNames;
        case Field::kTop0:
            return kFirstNames;
        case Field::kTop1:
            return kSecondNames;
        case Field::kS1k:
        case Field::kS2k:
            return kSlotNames;
        case Field::kNred:
            return kReducedDimsNames;
        case Field::kRule:
            return kRuleNames;
        case Field::kLg2n:
            return kGatherLogNames;
        case Field::kCmp:
            return kComparisonNames;
        case Field::kSdt:
        case Field::kDdt:
        case Field::kDtype:
            return kDTypeNames;
        case Field::kDge:
            return kDgeNames;
        case Field::kCtype:
            return kCollectiveNames;
        case Field::kCop:
            return kCollectiveOpNames;
        case Field::kRowSz:
        case Field::kColSz:
            return kTileNames;
        case Field::kNsrc:
            return kSourcesNames;
        case Field::kNA:
        case Field::kNB:
        case Field::kNC:
            return kDimsNames;
        case Field::kGrp:
            return kGroupNames;
        default:
            return {};
    }
}

}  // namespace

const FieldInfo& field_info(Field field) { return kFieldTable[static_cast<std::size_t>(field)]; }

std::optional<Field> find_field(std::string_view name) {
    const auto* const found = std::ranges::find(kFieldTable, name, &FieldInfo::name);
    if (found == kFieldTable.end()) return std::nullopt;
    return static_cast<Field>(found - kFieldTable.begin());
}

Names value_names(const OpcodeInfo& info, Field field) {
    switch (field) {
        case Field::kOp0:
            return info.opcode == Opcode::kPartReduce ? Names(kPartitionReduceNames) : kAluNames;
        case Field::kRop:
            return info.opcode == Opcode::kRegAlu ? Names(kRegisterAluNames) : kAccumulatorOpNames;
        case Field::kDynSel:
            return info.format == Format::kDma ? Names(kDynSideNames) : kDynOperandNames;
        case Field::kS0k:
            if (info.opcode == Opcode::kMemset) return kMemsetSlotNames;
            if (info.opcode == Opcode::kCopyPred) return kPredicateSlotNames;
            return kSlotNames;
        default:
            return common_names(field);
    }
}

bool legal_value(const OpcodeInfo& info, Field field, std::uint32_t value) {
    const Names names = value_names(info, field);
    return names.empty() || (value < names.size() && !names[value].empty());
}

std::string_view alu_name(AluOp op) {
    const auto code = static_cast<std::size_t>(op);
    return code < kAluNames.size() ? kAluNames[code] : std::string_view();
}

std::string_view activation_name(Activation function) {
    const auto code = static_cast<std::size_t>(function);
    return code < kActivationNames.size() ? kActivationNames[code] : std::string_view();
}

std::string_view stream_name(Stream stream) { return kStreamNames[static_cast<std::size_t>(stream)]; }

std::optional<Stream> parse_stream(std::string_view name) {
    const auto* const found = std::ranges::find(kStreamNames, name);
    if (found == kStreamNames.end()) return std::nullopt;
    return static_cast<Stream>(found - kStreamNames.begin());
}

std::string_view exception_name(Exception exception) {
    return kExceptionNames[static_cast<std::size_t>(exception)];
}

}  // namespace systole
