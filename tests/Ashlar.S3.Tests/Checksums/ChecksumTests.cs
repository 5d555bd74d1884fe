using System.Text;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.S3.Tests.Checksums;

public sealed class ChecksumTests
{
    [Theory]
    [InlineData("Crc32", "cbf43926")]
    [InlineData("Crc32C", "e3069283")]
    [InlineData("Crc64Nvme", "ae8b14860a799888")]
    [InlineData("Sha1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441")]
    [InlineData("Sha256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225")]
    public void The_usual_nine_digits_have_the_usual_checksum(string algorithm, string expected) =>
        Assert.Equal(expected, Convert.ToHexStringLower(RunningChecksum.Of(Enum.Parse<ChecksumAlgorithm>(algorithm), "123456789"u8)));

    [Fact]
    public void Both_ways_to_a_Castagnoli_checksum_are_one()
    {
        var content = new SeededRandom(1).Bytes(100_003);
        Assert.Equal(Storage.Crc32C.Compute(content), (uint)ReflectedCrc.Crc32C.Append(0, content));
    }

    [Theory, Seeds(count: 3)]
    public void Checksums_of_pieces_make_that_of_the_whole(ulong seed)
    {
        var random = new SeededRandom(seed);
        for (var round = 0; round < 50; round++)
        {
            var pieces = Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Bytes(random.Next(0, 5000))).ToArray();
            var whole = pieces.SelectMany(piece => piece).ToArray();
            foreach (var algorithm in (ChecksumAlgorithm[])[ChecksumAlgorithm.Crc32, ChecksumAlgorithm.Crc32C, ChecksumAlgorithm.Crc64Nvme])
            {
                var combined = PartChecksums.Combine(
                    algorithm, ChecksumType.FullObject,
                    [.. pieces.Select(piece => (RunningChecksum.Of(algorithm, piece), (long)piece.Length))]);
                Assert.Equal(Convert.ToBase64String(RunningChecksum.Of(algorithm, whole)), combined);
            }
        }
    }

    [Fact]
    public void A_composite_is_the_checksum_of_checksums_with_their_number()
    {
        var sums = new[] { "one", "two" }.Select(
            text => RunningChecksum.Of(ChecksumAlgorithm.Sha1, Encoding.UTF8.GetBytes(text))).ToArray();
        Assert.Equal(
            Convert.ToBase64String(RunningChecksum.Of(ChecksumAlgorithm.Sha1, [.. sums[0], .. sums[1]])) + "-2",
            PartChecksums.Combine(ChecksumAlgorithm.Sha1, ChecksumType.Composite, [(sums[0], 3), (sums[1], 3)]));
    }

    [Fact]
    public void Sizes_of_parts_are_kept_short_and_come_back()
    {
        long[] sizes = [.. Enumerable.Repeat(5L << 20, 9999), 17];
        Assert.Equal("5242880x9999,17", PartSizes.Format(sizes));
        Assert.Equal(sizes, PartSizes.Parse(PartSizes.Format(sizes)));
        Assert.Null(PartSizes.Format([.. Enumerable.Range(1, 2000).Select(size => (long)size)]));
        Assert.Empty(PartSizes.Parse("1x99999"));
        Assert.Empty(PartSizes.Parse("a,b"));
    }
}
