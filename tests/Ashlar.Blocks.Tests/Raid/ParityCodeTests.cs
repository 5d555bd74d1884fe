using Ashlar.Blocks.Raid;

namespace Ashlar.Blocks.Tests.Raid;

/// <summary>P and Q recover any two lost blocks of a stripe, bit for bit, whatever the processor calculates them with.</summary>
public sealed class ParityCodeTests
{
    public static TheoryData<int> Widths => [.. ParityKernel.Supported.Select(kernel => kernel.Width)];

    public static TheoryData<int, int> WidthsAndCounts
    {
        get
        {
            var cases = new TheoryData<int, int>();
            foreach (var kernel in ParityKernel.Supported)
                foreach (var count in (int[])[1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 30, 255]) cases.Add(kernel.Width, count);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Every_factor_multiplies_every_byte_as_polynomials_do(int width)
    {
        var kernel = Kernel(width);
        var bytes = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
        for (var factor = 0; factor < 256; factor++)
        {
            var expected = bytes.Select(b => Product(b, (byte)factor)).ToArray();
            var multiplied = bytes.ToArray();
            kernel.Multiply(multiplied, Factor.Of((byte)factor));
            Assert.Equal(expected, multiplied);
            var added = bytes.ToArray();
            kernel.MultiplyAdd(added, bytes, Factor.Of((byte)factor));
            Assert.Equal(bytes.Zip(expected, (a, b) => (byte)(a ^ b)), added);
        }
    }

    [Theory]
    [MemberData(nameof(WidthsAndCounts))]
    public void P_and_Q_are_the_sums_that_the_paper_gives(int width, int count)
    {
        var (code, data) = (new ParityCode(Kernel(width)), Data(count, length: 4096 + 192, seed: count));
        var (p, q) = ComputePQ(code, data);
        var (expectedP, expectedQ) = (new byte[p.Length], new byte[q.Length]);
        byte power = 1;
        for (var i = 0; i < count; i++, power = Product(power, 2))
        {
            for (var at = 0; at < p.Length; at++)
            {
                expectedP[at] ^= data[i].Span[at];
                expectedQ[at] ^= Product(power, data[i].Span[at]);
            }
        }

        Assert.Equal(expectedP, p);
        Assert.Equal(expectedQ, q);
        var alone = new byte[p.Length];
        code.ComputeP(data, alone);
        Assert.Equal(expectedP, alone);
    }

    [Theory]
    [MemberData(nameof(WidthsAndCounts))]
    public void Any_one_lost_block_comes_back_from_P_and_from_Q(int width, int count)
    {
        var (code, data) = (new ParityCode(Kernel(width)), Data(count, length: 256, seed: 100 + count));
        var (p, q) = ComputePQ(code, data);
        for (var lost = 0; lost < count; lost++)
        {
            var rest = Garbled(data, lost);
            var byP = new byte[p.Length];
            code.RecoverByP(rest, lost, p, byP);
            Assert.Equal(data[lost].ToArray(), byP);
            var (byQ, newP) = (new byte[p.Length], new byte[p.Length]);
            code.RecoverByQ(rest, lost, q, byQ, newP);
            Assert.Equal(data[lost].ToArray(), byQ);
            Assert.Equal(p, newP);
        }
    }

    [Theory]
    [MemberData(nameof(WidthsAndCounts))]
    public void Any_two_lost_blocks_come_back(int width, int count)
    {
        var (code, data) = (new ParityCode(Kernel(width)), Data(count, length: 64, seed: 200 + count));
        var (p, q) = ComputePQ(code, data);
        for (var first = 0; first < count; first++)
        {
            // Of many blocks every pair with a neighbour, with the ends, and some between.
            for (var second = 0; second < count; second += count > 32 && second > 2 && second < count - 3 ? 17 : 1)
            {
                if (first == second) continue;
                var (one, other) = (new byte[p.Length], new byte[p.Length]);
                code.RecoverTwo(Garbled(data, first, second), first, second, p, q, one, other);
                Assert.Equal(data[first].ToArray(), one);
                Assert.Equal(data[second].ToArray(), other);
            }
        }
    }

    [Theory]
    [MemberData(nameof(WidthsAndCounts))]
    public void A_changed_block_changes_P_and_Q_by_its_difference(int width, int count)
    {
        var (code, data) = (new ParityCode(Kernel(width)), Data(count, length: 128, seed: 300 + count));
        var (p, q) = ComputePQ(code, data);
        for (var index = 0; index < count; index += count > 32 ? 13 : 1)
        {
            var changed = Data(1, 128, seed: 400 + index)[0];
            var difference = data[index].ToArray();
            code.Add(difference, changed.Span);
            code.UpdateP(difference, p);
            code.UpdateQ(difference, index, q);
            data[index] = changed;
            var (expectedP, expectedQ) = ComputePQ(code, data);
            Assert.Equal(expectedP, p);
            Assert.Equal(expectedQ, q);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void An_empty_block_stands_for_zeros(int width)
    {
        var code = new ParityCode(Kernel(width));
        for (var empty = 0; empty < 7; empty++)
        {
            var data = Data(7, length: 4096 + 64, seed: empty);
            data[empty] = new byte[4096 + 64];
            var (p, q) = ComputePQ(code, data);
            data[empty] = default;
            var (sameP, sameQ) = (new byte[p.Length], new byte[q.Length]);
            code.ComputePQ(data, sameP, sameQ);
            Assert.Equal(p, sameP);
            Assert.Equal(q, sameQ);
            code.ComputeP(data, sameP);
            Assert.Equal(p, sameP);
        }
    }

    [Fact]
    public void A_length_that_the_lanes_do_not_divide_is_refused()
    {
        foreach (var kernel in ParityKernel.Supported)
        {
            Assert.ThrowsAny<Exception>(() => kernel.Add(new byte[65], new byte[65]));
            Assert.ThrowsAny<Exception>(() => kernel.Add(new byte[64], new byte[128]));
            Assert.ThrowsAny<Exception>(() => kernel.Step(new byte[64], new byte[64], new byte[128]));
            Assert.ThrowsAny<Exception>(() => kernel.Solve(new byte[64], new byte[128], Factor.Of(2), Factor.Of(3)));
        }
    }

    static ParityKernel Kernel(int width) => ParityKernel.Supported.Single(kernel => kernel.Width == width);

    // By long multiplication and division of polynomials: nothing of the product is used.
    static byte Product(byte a, byte b)
    {
        var product = 0;
        for (var bit = 0; bit < 8; bit++)
            if ((b >> bit & 1) != 0) product ^= a << bit;
        for (var bit = 15; bit >= 8; bit--)
            if ((product >> bit & 1) != 0) product ^= 0x11D << (bit - 8);
        return (byte)product;
    }

    static ReadOnlyMemory<byte>[] Data(int count, int length, int seed)
    {
        var random = new Random(seed);
        var data = new ReadOnlyMemory<byte>[count];
        for (var i = 0; i < count; i++)
        {
            var block = new byte[length];
            random.NextBytes(block);
            data[i] = block;
        }

        return data;
    }

    static (byte[] P, byte[] Q) ComputePQ(ParityCode code, ReadOnlyMemory<byte>[] data)
    {
        var (p, q) = (new byte[data[0].Length], new byte[data[0].Length]);
        code.ComputePQ(data, p, q);
        return (p, q);
    }

    static ReadOnlyMemory<byte>[] Garbled(ReadOnlyMemory<byte>[] data, params ReadOnlySpan<int> lost)
    {
        var garbled = data.ToArray();
        foreach (var index in lost) garbled[index] = new byte[data[index].Length].Select((_, i) => (byte)(i * 7 + 1)).ToArray();
        return garbled;
    }
}
