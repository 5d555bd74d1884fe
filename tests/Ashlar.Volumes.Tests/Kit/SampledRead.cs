using Ashlar.Blocks;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// Reads of a volume what a model knows of, and of the rest a sample; one time in ten all of it. What was not read counts as zeros.
/// </summary>
static class SampledRead
{
    const int SampleBytes = 64 << 10;

    /// <param name="device">The volume.</param>
    /// <param name="target">As large as the volume.</param>
    /// <param name="knownSectors">Sectors of 512 bytes, in order.</param>
    /// <param name="seed">Chooses the sample.</param>
    public static async Task RunAsync(IBlockDevice device, Memory<byte> target, IEnumerable<long> knownSectors, ulong seed)
    {
        var random = new SeededRandom(seed);
        if (random.OneIn(10))
        {
            await device.ReadAsync(Lba.Zero, target);
            return;
        }

        target.Span.Clear();
        await ReadAsync(random.Next(target.Length), SampleBytes);
        long start = 0, end = 0;
        foreach (var sector in knownSectors)
        {
            var block = sector * DescribedSector.SizeBytes / MapLayout.BlockBytes * MapLayout.BlockBytes;
            if (block < end) continue;
            if (block > end)
            {
                await ReadAsync(start, end - start);
                start = block;
            }

            end = block + MapLayout.BlockBytes;
        }

        await ReadAsync(start, end - start);

        async ValueTask ReadAsync(long offset, long length)
        {
            var from = offset / MapLayout.BlockBytes * MapLayout.BlockBytes;
            var to = Math.Min(target.Length, from + length);
            if (from < to) await device.ReadAsync(new Lba(from / device.Geometry.BlockSizeBytes), target[(int)from..(int)to]);
        }
    }
}
