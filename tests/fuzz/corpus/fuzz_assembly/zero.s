.tensor z constant u8[40] @0x0
.data z 01
.zero z 39
