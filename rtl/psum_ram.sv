// SPDX-License-Identifier: Apache-2.0
// PSUM: one bank of 32-bit words per array column with one read and one write port, write first: a read in the cycle
// of a write to the same place returns what is written. Fits the PSUM and result ports of tensor_engine.
// Elements of 2 or 4 bytes, naturally aligned; 2-byte elements in the low half of a port's word. Bytes must be a power
// of two; higher address bits are ignored.
module psum_ram #(
    parameter int unsigned Columns = 128,
    parameter int unsigned Bytes   = 16384  // per column
) (
    input  logic        clk_i,
    input  logic        read_valid_i,
    input  logic [31:0] read_address_i,
    input  logic [2:0]  read_bytes_i,
    output logic [31:0] read_data_o [Columns],  // one cycle later, held until the next read
    input  logic        write_valid_i,
    input  logic [31:0] write_address_i,
    input  logic [2:0]  write_bytes_i,
    input  logic [15:0] write_column_start_i,
    input  logic [15:0] write_columns_i,
    input  logic [31:0] write_data_i [Columns]
);
  localparam int unsigned WordBits = $clog2(Bytes / 4);

  logic [WordBits-1:0] read_word, write_word;
  assign read_word = read_address_i[WordBits+1:2];
  assign write_word = write_address_i[WordBits+1:2];

  // Selection of the half belongs to the request, not to the cycle in which data are looked at.
  logic half, upper;
  always_ff @(posedge clk_i)
    if (read_valid_i) begin
      half <= read_bytes_i != 3'd4;
      upper <= read_address_i[1];
    end

  for (genvar c = 0; c < Columns; ++c) begin : g_bank
    logic [31:0] bank [Bytes/4];
    logic [31:0] merged, word;
    logic        write;
    assign write = write_valid_i && 16'(c) - write_column_start_i < write_columns_i;
    // A 2-byte element replaces one half of the word.
    assign merged = write_bytes_i == 3'd4 ? write_data_i[c]
                    : write_address_i[1]  ? {write_data_i[c][15:0], bank[write_word][15:0]}
                                          : {bank[write_word][31:16], write_data_i[c][15:0]};
    always_ff @(posedge clk_i) begin
      if (write) bank[write_word] <= merged;
      if (read_valid_i) word <= write && read_word == write_word ? merged : bank[read_word];
    end
    assign read_data_o[c] = !half ? word : upper ? {16'd0, word[31:16]} : {16'd0, word[15:0]};
  end
endmodule
