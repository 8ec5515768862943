.tensor g constant u8[4] @0x10
.data g 0001 0203
.stream gpsimd
.entry b
.register R7 3
NOP wait S1==2 wait1 S2>=R3 S3-=4@read@peer
b: LOOP_BEGIN rc=R0 start=0 stop=R7 step=1 target=e
IOTA c=i32@sbuf[p0+0x0][1,4][1,1][1,1][-3,2] p_d0=[1,4] p_d1=[1,1] p_d2=[1,1] +DYN dyo_c=R4
LOOP_END rc=R0 target=b
e: BR ra=R1 cc=lt value=-7 target=+1
REG_LD rd=R1 size=4 address=fp32@sbuf[p3+0x10]
SEM_OP sem=3 sop=add_imm value=R5
AFFINE_SELECT cmp=less a=bf16@sbuf[p0+0x0] c=bf16@psum[p0+0x0] fill=-1.5 p_d0=[1,1] p_d1=[1,1] p_d2=[1,1]
DMA_COMPUTE acc src=0:4 dst=0:4 +DMAX ix_src row_lim=3
.words 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
HALT
