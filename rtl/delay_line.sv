// SPDX-License-Identifier: Apache-2.0
// Depth registers in a row; Depth = 0 is a wire.
module delay_line #(
    parameter int unsigned      Width = 1,
    parameter int unsigned      Depth = 0,
    parameter logic [Width-1:0] Reset = '0
) (
    input  logic             clk_i,
    input  logic             rst_ni,
    input  logic             advance_i,
    input  logic [Width-1:0] data_i,
    output logic [Width-1:0] data_o
);
  if (Depth == 0) begin : g_wire
    logic unused;
    assign unused = &{1'b0, clk_i, rst_ni, advance_i};
    assign data_o = data_i;
  end else begin : g_registers
    logic [Width*Depth-1:0] line;
    always_ff @(posedge clk_i) begin
      if (!rst_ni) line <= {Depth{Reset}};
      else if (advance_i) line <= (Width * Depth)'({line, data_i});
    end
    assign data_o = line[Width*Depth-1-:Width];
  end
endmodule
