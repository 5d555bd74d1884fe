namespace Ashlar.KeyValue.Bench;

/// <summary>std::mt19937_64, which db_bench draws its keys from: the same seed gives the same keys.</summary>
sealed class MersenneTwister64
{
    const int Size = 312, Middle = 156;
    const ulong UpperMask = 0xFFFF_FFFF_8000_0000, LowerMask = 0x7FFF_FFFF;

    readonly ulong[] state = new ulong[Size];
    int index = Size;

    public MersenneTwister64(ulong seed)
    {
        state[0] = seed;
        for (var i = 1; i < Size; i++)
            state[i] = (6_364_136_223_846_793_005 * (state[i - 1] ^ (state[i - 1] >> 62))) + (ulong)i;
    }

    public ulong Next()
    {
        if (index == Size) Twist();
        var value = state[index++];
        value ^= (value >> 29) & 0x5555_5555_5555_5555;
        value ^= (value << 17) & 0x71D6_7FFF_EDA6_0000;
        value ^= (value << 37) & 0xFFF7_EEE0_0000_0000;
        return value ^ (value >> 43);
    }

    void Twist()
    {
        for (var i = 0; i < Size; i++)
        {
            var mixed = (state[i] & UpperMask) | (state[(i + 1) % Size] & LowerMask);
            var twisted = mixed >> 1;
            if ((mixed & 1) != 0) twisted ^= 0xB502_6F5A_A966_19E9;
            state[i] = state[(i + Middle) % Size] ^ twisted;
        }

        index = 0;
    }
}
