; c = exp(a + b) for two tiles of 128 x 512
.tensor a input bf16[128,512] @0x1000000000
.tensor b input bf16[128,512] @0x1000020000
.tensor c output bf16[128,512] @0x1000040000

.stream sync
    DMA_COPY dge=hwdge src=0x1000000000:1024[1024,128] dst=0x802000000000:1024[262144,128] S8+=16@complete
    DMA_COPY dge=hwdge src=0x1000020000:1024[1024,128] dst=0x802000000400:1024[262144,128] S8+=16@complete
    DMA_COPY dge=hwdge src=0x802000000c00:1024[262144,128] dst=0x1000040000:1024[1024,128] wait S10>=1 S11+=16@complete
    HALT wait S11>=16

.stream vector
    TENSOR_TENSOR np=128 op0=add a=bf16@sbuf[p0+0x0][1,512] b=bf16@sbuf[p0+0x400][1,512] c=bf16@sbuf[p0+0x800][1,512] wait S8>=32 S9++@complete
    HALT

.stream scalar
    ACTIVATE np=128 func=exp a=bf16@sbuf[p0+0x800][1,512] c=bf16@sbuf[p0+0xc00][1,512] wait S9>=1 S10++@complete
    HALT
