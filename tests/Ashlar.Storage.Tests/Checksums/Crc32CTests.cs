using Ashlar.Simulation;

namespace Ashlar.Storage.Tests.Checksums;

public sealed class Crc32CTests
{
    [Fact]
    public void Known_answers_of_RFC_3720_B_4()
    {
        var ascending = Enumerable.Range(0, 32).Select(value => (byte)value).ToArray();
        var readCommand = Convert.FromHexString(
            "01c00000000000000000000000000000140000000000040000000014000000182800000000000000" + "0200000000000000");

        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Compute(Enumerable.Repeat((byte)0xFF, 32).ToArray()));
        Assert.Equal(0x46DD794Eu, Crc32C.Compute(ascending));
        Assert.Equal(0x113FDB5Cu, Crc32C.Compute(ascending.Reverse().ToArray()));
        Assert.Equal(0xD9963A56u, Crc32C.Compute(readCommand));
    }

    [Fact]
    public void The_check_value_of_the_digits_is_e3069283() =>
        Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));

    [Fact]
    public void Nothing_gives_zero() => Assert.Equal(0u, Crc32C.Compute([]));

    [Fact]
    public void Folding_and_interleaving_change_nothing_at_any_length_up_to_10000()
    {
        var data = new SeededRandom(1).Bytes(10_001);
        for (var length = 0; length <= 10_000; length++)
        {
            // An odd start as well: the stretches are then not aligned.
            var span = data.AsSpan(length % 2, length);
            var expected = Crc32C.AppendPlainly(7, span);
            Assert.Equal(expected, Crc32C.Append(7, span));
            Assert.Equal(expected, Crc32C.AppendInStretches(7, span));
        }
    }

    [Fact]
    public void A_checksum_can_be_continued_at_any_cut()
    {
        var data = new SeededRandom(2).Bytes(5_000);
        var whole = Crc32C.Compute(data);
        for (var cut = 0; cut <= data.Length; cut += 7)
            Assert.Equal(whole, Crc32C.Append(Crc32C.Compute(data.AsSpan(0, cut)), data.AsSpan(cut)));
    }
}
