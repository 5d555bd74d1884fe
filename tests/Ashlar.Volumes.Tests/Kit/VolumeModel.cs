using Ashlar.Blocks;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>A volume and the bytes it ought to hold.</summary>
sealed class VolumeModel(IBlockDevice device, byte[] expected)
{
    public IBlockDevice Device { get; set; } = device;

    public byte[] Expected { get; set; } = expected;

    int BlockSize => Device.Geometry.BlockSizeBytes;

    public (long Start, int Count) PickRange(SeededRandom random, int maxBlocks)
    {
        var blocks = Expected.Length / BlockSize;
        var count = Math.Min(blocks, 1 + random.Next(random.OneIn(4) ? maxBlocks : Math.Min(12, maxBlocks)));
        return (random.Next(blocks - count + 1), count);
    }

    public async Task WriteAsync(SeededRandom random, int maxBlocks)
    {
        var (start, count) = PickRange(random, maxBlocks);
        var data = random.Bytes(count * BlockSize);
        await Device.WriteAsync(new Lba(start), data, random.OneIn(10) ? WriteOptions.ForceUnitAccess : WriteOptions.None);
        data.CopyTo(Expected, start * BlockSize);
    }

    public async Task DiscardAsync(SeededRandom random, int maxBlocks)
    {
        var (start, count) = PickRange(random, maxBlocks);
        if (random.OneIn(2)) await Device.TrimAsync(new Lba(start), count);
        else await Device.WriteZeroesAsync(new Lba(start), count, random.OneIn(2) ? ZeroOptions.KeepAllocated : ZeroOptions.None);
        Expected.AsSpan((int)start * BlockSize, count * BlockSize).Clear();
    }

    public async Task CheckRangeAsync(SeededRandom random, int maxBlocks, string because)
    {
        var (start, count) = PickRange(random, maxBlocks);
        await CheckAsync(start, count, because);
    }

    public Task CheckAllAsync(string because) => CheckAsync(0, Expected.Length / BlockSize, because);

    async Task CheckAsync(long start, int count, string because)
    {
        var found = new byte[count * BlockSize];
        found.AsSpan().Fill(0xEE);
        await Device.ReadAsync(new Lba(start), found);
        var expected = Expected.AsSpan((int)start * BlockSize, found.Length);
        var same = expected.CommonPrefixLength(found);
        Assert.True(same == found.Length, $"{because}: {Device.Name} differs at byte {(start * BlockSize) + same}");
        CheckExtents(start, count, because);
    }

    // A range that is said to hold no data must be zeros.
    void CheckExtents(long start, int count, string because)
    {
        var extents = new BlockExtent[count];
        var filled = Device.DescribeExtents(new Lba(start), count, extents);
        foreach (var extent in extents.AsSpan(0, filled))
        {
            var bytes = Expected.AsSpan((int)start * BlockSize, (int)extent.BlockCount * BlockSize);
            Assert.True(extent.Kind == BlockExtentKind.Data || !bytes.ContainsAnyExcept((byte)0), $"{because}: data called {extent.Kind} at {start}");
            start += extent.BlockCount;
        }
    }
}
