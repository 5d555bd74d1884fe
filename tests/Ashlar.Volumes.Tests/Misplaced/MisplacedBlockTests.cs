using System.Text.Json;
using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// A disk that writes to the wrong place, keeps an old version, mixes up places or forgets: whatever is not what was written is an
/// error, and nothing else is.
/// </summary>
public sealed class MisplacedBlockTests(ITestOutputHelper output)
{
    const int Blocks = 3 * MapLayout.BlocksPerLeaf / 2, BlockBytes = MapLayout.BlockBytes;

    readonly SimulatedFileSystem disk = new(isRecording: false);
    readonly long[] places = new long[2 * Blocks]; // On the pool's device, by volume and block.
    readonly byte[][] contents = new byte[2 * Blocks][];
    readonly byte[][] earlier = new byte[2 * Blocks][];
    readonly Dictionary<long, int> blockAt = [];
    readonly IBlockDevice[] volumes = new IBlockDevice[2];

    [Fact]
    public async Task What_is_not_where_it_was_written_is_an_error_and_nothing_else_is()
    {
        await using var pool = await CreateAsync();
        using var file = disk.Open("/pool.data", FileOpenMode.Existing);
        var seed = TestSeeds.First(nameof(What_is_not_where_it_was_written_is_an_error_and_nothing_else_is));
        var random = new SeededRandom(seed);
        var cases = TestTier.Choose(3000, 12_000);
        var noticed = new int[Enum.GetValues<Misplacement>().Length];
        for (var i = 0; i < cases; i++)
        {
            try
            {
                var kind = (Misplacement)(i % noticed.Length);
                var length = random.Pick([DescribedSector.SizeBytes, BlockBytes, BlockBytes, 4 * BlockBytes]);
                var (a, b) = (random.Next(places.Length), random.Next(places.Length));
                var within = length < BlockBytes ? random.Next(BlockBytes / length) * length : 0;
                Misplace(file, kind, a, places[a] + within, places[b] + within, length);
                var blocks = BlocksAt(places[a] + within, length).Concat(BlocksAt(places[b] + within, length)).Distinct();
                noticed[(int)kind] += await CountNoticedAsync(file, kind, blocks);
                Restore(file, places[a], length);
                Restore(file, places[b], length);
            }
            catch (Exception e)
            {
                throw new InvalidDataException($"ASHLAR_SEED={seed}, case {i}: {e.Message}", e);
            }
        }

        for (var block = 0; block < places.Length; block++) Assert.Equal(contents[block], await ReadAsync(block));
        Assert.All(
            noticed, count => Assert.True(count >= cases / noticed.Length / 2, $"only {string.Join(", ", noticed)} blocks were noticed"));
        output.WriteLine(
            JsonSerializer.Serialize(new { line = "misplaced blocks under a pool", seed, cases, noticed = noticed.Sum(), failures = 0 }));
    }

    enum Misplacement
    {
        /// <summary>What was meant for one place is at another, which has lost what it had; the first has what it had before.</summary>
        Misdirected = 0,
        Stale,
        Swapped,
        Duplicated,
        Zeroed,
    }

    void Misplace(IFile file, Misplacement kind, int block, long a, long b, int length)
    {
        var (atA, atB) = (Read(file, a, length), Read(file, b, length));
        var before = new byte[length];
        var first = (int)(a - places[block]);
        earlier[block].AsSpan(first, Math.Min(length, BlockBytes - first)).CopyTo(before);
        if (length > BlockBytes) atA.AsSpan(BlockBytes).CopyTo(before.AsSpan(BlockBytes)); // The others as they are.
        switch (kind)
        {
            case Misplacement.Misdirected:
                file.Write(before, a);
                file.Write(atA, b);
                break;
            case Misplacement.Stale:
                file.Write(before, a);
                break;
            case Misplacement.Swapped:
                file.Write(atB, a);
                file.Write(atA, b);
                break;
            case Misplacement.Duplicated:
                file.Write(atA, b);
                break;
            default:
                file.Write(new byte[length], a);
                break;
        }
    }

    // Every block of which the device holds something else fails; every other is right.
    async Task<int> CountNoticedAsync(IFile file, Misplacement kind, IEnumerable<int> blocks)
    {
        var noticed = 0;
        foreach (var block in blocks)
        {
            var isRight = Read(file, places[block], BlockBytes).AsSpan().SequenceEqual(contents[block]);
            try
            {
                var found = await ReadAsync(block);
                Assert.True(isRight, $"{kind}: block {block} is another, and was read");
                Assert.Equal(contents[block], found);
            }
            catch (CorruptDataException)
            {
                Assert.False(isRight, $"{kind}: block {block} is what it was, and is called damaged");
                noticed++;
            }
        }

        return noticed;
    }

    IEnumerable<int> BlocksAt(long offset, int length)
    {
        for (var at = offset / BlockBytes * BlockBytes; at < offset + length; at += BlockBytes)
            if (blockAt.TryGetValue(at, out var block)) yield return block;
    }

    static byte[] Read(IFile file, long offset, int length)
    {
        var data = new byte[length];
        file.Read(data, offset);
        return data;
    }

    void Restore(IFile file, long place, int length)
    {
        for (var at = place; at < place + Math.Max(length, BlockBytes); at += BlockBytes)
            file.Write(blockAt.TryGetValue(at, out var block) ? contents[block] : new byte[BlockBytes], at);
    }

    async Task<byte[]> ReadAsync(int block)
    {
        var data = new byte[BlockBytes];
        await volumes[block / Blocks].ReadAsync(new Lba(block % Blocks), data);
        return data;
    }

    // Two volumes whose chunks lie between each other's; every block was written twice.
    async Task<TestPool> CreateAsync()
    {
        var pool = await TestPool.CreateAsync(chunks: 300, disk: disk);
        for (var volume = 0; volume < 2; volume++) volumes[volume] = await pool.CreateVolumeAsync($"v{volume}", Blocks * BlockBytes);
        for (var round = 0; round < 2; round++)
        {
            for (var block = 0; block < Blocks; block++)
            {
                for (var volume = 0; volume < 2; volume++)
                {
                    var content = new SeededRandom((ulong)((round * 10_000) + (volume * Blocks) + block)).Bytes(BlockBytes);
                    (earlier[(volume * Blocks) + block], contents[(volume * Blocks) + block])
                        = (contents[(volume * Blocks) + block], content);
                    await volumes[volume].WriteAsync(new Lba(block), content);
                }
            }

            await pool.Pool.CommitAsync();
        }

        using var file = disk.Open("/pool.data", FileOpenMode.ReadOnly);
        var byContent = contents.Select((content, block) => (Key: Crc32C.Compute(content), block)).ToDictionary(
            each => each.Key, each => each.block);
        var data = new byte[BlockBytes];
        for (long offset = 0; offset < file.LengthBytes; offset += BlockBytes)
        {
            file.Read(data, offset);
            if (!byContent.TryGetValue(Crc32C.Compute(data), out var block)) continue;
            places[block] = offset;
            blockAt[offset] = block;
        }

        Assert.Equal(places.Length, blockAt.Count);
        return pool;
    }
}
