using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>
/// The field of 256 elements in which Q is calculated: polynomials over GF(2) modulo x^8 + x^4 + x^3 + x^2 + 1 (0x11D), whose element 2
/// generates all others but 0 (H. P. Anvin, "The mathematics of RAID-6"). Addition is exclusive or.
/// </summary>
static class GaloisField
{
    /// <summary>What a product that overflows eight bits is reduced by, without its ninth bit.</summary>
    public const byte Reduction = 0x1D;

    /// <summary>Number of different powers of the generator.</summary>
    public const int Order = 255;

    static readonly byte[] Powers = CreatePowers();
    static readonly byte[] Logarithms = CreateLogarithms();

    /// <summary>The generator to any power, also a negative one.</summary>
    public static byte Power(int exponent) => Powers[((exponent % Order) + Order) % Order];

    public static byte Multiply(byte a, byte b) => a == 0 || b == 0 ? (byte)0 : Powers[(Logarithms[a] + Logarithms[b]) % Order];

    /// <summary>Which power of the generator an element is; not of 0.</summary>
    public static int Logarithm(byte a)
    {
        Invariant.Require(a != 0);
        return Logarithms[a];
    }

    /// <summary>What an element is multiplied by to give 1.</summary>
    public static byte Invert(byte a)
    {
        Invariant.Require(a != 0);
        return Power(-Logarithms[a]);
    }

    static byte[] CreatePowers()
    {
        var powers = new byte[Order];
        var value = 1;
        for (var i = 0; i < Order; i++)
        {
            powers[i] = (byte)value;
            value = (value << 1) ^ (value >= 0x80 ? 0x100 | Reduction : 0);
        }

        return powers;
    }

    static byte[] CreateLogarithms()
    {
        var logarithms = new byte[256];
        for (var i = 0; i < Order; i++) logarithms[Powers[i]] = (byte)i;
        return logarithms;
    }
}
