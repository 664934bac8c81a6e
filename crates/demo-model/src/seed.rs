//! Numbers that look random and follow from their seed alone, in every release and on every machine.

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
pub fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A text's seed: FNV-1a.
pub fn of(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A number from -1 to 1.
pub fn signed_unit(seed: u64) -> f32 {
    // The upper 24 bits are what a float holds exactly.
    let upper = (mix(seed) >> 40) as f32;
    upper / (1_u32 << 23) as f32 - 1.0
}
