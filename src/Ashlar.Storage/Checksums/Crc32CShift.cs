using System.Numerics;

namespace Ashlar.Storage;

/// <summary>
/// Moves a CRC-32C state over a fixed number of zero bytes. That is linear over the state's bits, so four look-ups, one per
/// byte of the state, do it.
/// </summary>
sealed class Crc32CShift
{
    readonly uint[] table = new uint[4 * 256];

    public Crc32CShift(int zeroBytes)
    {
        for (var bit = 0; bit < 32; bit++)
        {
            var state = 1u << bit;
            for (var done = 0; done < zeroBytes; done++) state = BitOperations.Crc32C(state, (byte)0);
            for (var value = 0; value < 256; value++)
            {
                if ((value & (1 << (bit % 8))) != 0) table[bit / 8 * 256 + value] ^= state;
            }
        }
    }

    public uint Apply(uint state) =>
        table[(byte)state]
        ^ table[256 + (byte)(state >> 8)]
        ^ table[512 + (byte)(state >> 16)]
        ^ table[768 + (state >> 24)];
}
