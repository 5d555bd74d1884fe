using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>
/// The two sums of a stripe from which any two of its blocks are recovered: P = D0 + D1 + ..., Q = D0 + g D1 + g^2 D2 + ..., in
/// <see cref="GaloisField"/> (H. P. Anvin, "The mathematics of RAID-6"). Which block has which power of g is part of what lies on disk.
/// </summary>
/// <remarks>
/// All blocks have one length, a multiple of 64 bytes. Where a block of data is named, an empty one stands for zeros.
/// </remarks>
sealed class ParityCode(ParityKernel kernel)
{
    /// <summary>Most blocks of data for which Q tells two lost ones apart: the powers of g repeat after that.</summary>
    public const int MaxData = GaloisField.Order;

    // What is added to stays in the first cache while all blocks pass by.
    const int TileBytes = 4096;

    /// <summary>With the widest lanes of this processor.</summary>
    public static ParityCode Instance { get; } = new(ParityKernel.Best);

    /// <summary>Calculates P.</summary>
    public void ComputeP(ReadOnlySpan<ReadOnlyMemory<byte>> data, Span<byte> p)
    {
        for (var at = 0; at < p.Length; at += TileBytes)
        {
            var tile = p[at..Math.Min(p.Length, at + TileBytes)];
            tile.Clear();
            foreach (var block in data)
                if (!block.IsEmpty) kernel.Add(tile, block.Span.Slice(at, tile.Length));
        }
    }

    /// <summary>Calculates P and Q.</summary>
    public void ComputePQ(ReadOnlySpan<ReadOnlyMemory<byte>> data, Span<byte> p, Span<byte> q)
    {
        Invariant.Require(data.Length <= MaxData && p.Length == q.Length);
        ReadOnlySpan<byte> zeros = stackalloc byte[TileBytes];
        for (var at = 0; at < p.Length; at += TileBytes)
        {
            var length = Math.Min(p.Length - at, TileBytes);
            var tileP = p.Slice(at, length);
            var tileQ = q.Slice(at, length);
            tileP.Clear();
            tileQ.Clear();
            // From the last on: each step multiplies those behind it once more. In fours when what is left divides by four.
            var i = data.Length - 1;
            for (; i % 4 != 3 && i >= 0; i--) kernel.Step(tileP, tileQ, Tile(data[i], at, length, zeros));
            for (; i >= 0; i -= 4)
            {
                kernel.Step(
                    tileP,
                    tileQ,
                    Tile(data[i], at, length, zeros),
                    Tile(data[i - 1], at, length, zeros),
                    Tile(data[i - 2], at, length, zeros),
                    Tile(data[i - 3], at, length, zeros));
            }
        }
    }

    /// <summary>A block of data changes: P by the difference.</summary>
    /// <param name="difference">Its old plus its new content; also what <see cref="Add"/> of the two gives.</param>
    /// <param name="p">What is there of P.</param>
    public void UpdateP(ReadOnlySpan<byte> difference, Span<byte> p) => kernel.Add(p, difference);

    /// <summary>A block of data changes: Q by the difference, times the block's power of g.</summary>
    public void UpdateQ(ReadOnlySpan<byte> difference, int index, Span<byte> q) =>
        kernel.MultiplyAdd(q, difference, Factor.Of(GaloisField.Power(index)));

    /// <summary>target += source</summary>
    public void Add(Span<byte> target, ReadOnlySpan<byte> source) => kernel.Add(target, source);

    /// <summary>Recovers a block of data from P and all others.</summary>
    /// <param name="data">All blocks; the lost one is not read.</param>
    /// <param name="lost">Its index.</param>
    /// <param name="p">P.</param>
    /// <param name="target">Gets the block.</param>
    public void RecoverByP(ReadOnlySpan<ReadOnlyMemory<byte>> data, int lost, ReadOnlySpan<byte> p, Span<byte> target)
    {
        ComputeP(Without(data, lost), target);
        kernel.Add(target, p);
    }

    /// <summary>Recovers a block of data from Q and all others, when P is lost as well.</summary>
    /// <param name="data">All blocks; the lost one is not read.</param>
    /// <param name="lost">Its index.</param>
    /// <param name="q">Q.</param>
    /// <param name="target">Gets the block.</param>
    /// <param name="p">Gets P.</param>
    public void RecoverByQ(ReadOnlySpan<ReadOnlyMemory<byte>> data, int lost, ReadOnlySpan<byte> q, Span<byte> target, Span<byte> p)
    {
        ComputePQ(Without(data, lost), p, target);
        kernel.Add(target, q);
        kernel.Multiply(target, Factor.Of(GaloisField.Power(-lost)));
        kernel.Add(p, target);
    }

    /// <summary>Recovers two blocks of data from P, Q and all others.</summary>
    /// <param name="data">All blocks; the lost ones are not read.</param>
    /// <param name="first">Index of one.</param>
    /// <param name="second">Index of the other.</param>
    /// <param name="p">P.</param>
    /// <param name="q">Q.</param>
    /// <param name="firstTarget">Gets the one.</param>
    /// <param name="secondTarget">Gets the other.</param>
    public void RecoverTwo(
        ReadOnlySpan<ReadOnlyMemory<byte>> data,
        int first,
        int second,
        ReadOnlySpan<byte> p,
        ReadOnlySpan<byte> q,
        Span<byte> firstTarget,
        Span<byte> secondTarget)
    {
        Invariant.Require(first != second);
        // What P and Q lack without the two: x + y and g^first x + g^second y. Solved for x with r = g^(second - first):
        // x = (r (x + y) + g^-first (g^first x + g^second y)) / (r + 1).
        ComputePQ(Without(data, first, second), firstTarget, secondTarget);
        kernel.Add(firstTarget, p);
        kernel.Add(secondTarget, q);
        var ratio = GaloisField.Power(second - first);
        var divisor = GaloisField.Invert((byte)(ratio ^ 1));
        kernel.Solve(
            firstTarget,
            secondTarget,
            Factor.Of(GaloisField.Multiply(ratio, divisor)),
            Factor.Of(GaloisField.Multiply(GaloisField.Power(-first), divisor)));
    }

    static ReadOnlySpan<byte> Tile(ReadOnlyMemory<byte> block, int at, int length, ReadOnlySpan<byte> zeros) =>
        block.IsEmpty ? zeros[..length] : block.Span.Slice(at, length);

    static ReadOnlyMemory<byte>[] Without(ReadOnlySpan<ReadOnlyMemory<byte>> data, params ReadOnlySpan<int> lost)
    {
        var rest = data.ToArray();
        foreach (var index in lost) rest[index] = default;
        return rest;
    }
}
