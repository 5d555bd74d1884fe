using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
using Ashlar.Simulation;

namespace Ashlar.Blocks.Tests.Raid.Arrays;

/// <summary>Disks in memory, a model of what the set on them should hold, and what a test does to both.</summary>
sealed class ArrayBench(RaidLevel level, int members, int spares = 0) : IChecksumOracle
{
    public const int BlockCount = 2400, BlockBytes = 512, ChunkBytes = 8192;

    byte[] model = [];

    public List<RaidEvent> Events { get; } = [];

    public FaultyDevice[] Faulty { get; } =
    [
        .. Enumerable.Range(0, members + spares)
            .Select(i => new FaultyDevice(new MemoryDevice(BlockCount, BlockBytes, $"disk{i}"), new SeededEntropy((ulong)i))),
    ];

    /// <param name="first">Takes the place of the first disk; null for that.</param>
    /// <param name="options">The clock, and how fast it works in the background.</param>
    public async Task<RaidArray> CreateAsync(IBlockDevice? first = null, RaidOptions? options = null)
    {
        options ??= new RaidOptions();
        var array = await RaidArray.CreateAsync([first ?? Faulty[0], .. Faulty.Skip(1)], new RaidCreateOptions
        {
            TimeProvider = options.TimeProvider,
            BackgroundBytesPerSecond = options.BackgroundBytesPerSecond,
            Level = level,
            ChunkBytes = ChunkBytes,
            SpareCount = spares,
            RegionBytes = 4 * ChunkBytes,
            Events = e =>
            {
                lock (Events) Events.Add(e);
            },
        });
        model = new byte[array.Geometry.SizeBytes];
        return array;
    }

    public bool? IsRight(Lba block, ReadOnlySpan<byte> content) =>
        content.SequenceEqual(model.AsSpan((int)block.Value * BlockBytes, BlockBytes));

    /// <summary>The disks as they are, to go on with apart from these.</summary>
    public IBlockDevice[] Fork() => [.. Faulty.Select(Copy)];

    /// <summary>Another disk.</summary>
    public static FaultyDevice Fresh(string name = "fresh") =>
        new(new MemoryDevice(BlockCount, BlockBytes, name), new SeededEntropy(99));

    public static IBlockDevice Copy(IBlockDevice device) => CopyOf(device, BlockCount);

    public static IBlockDevice CopyOf(IBlockDevice device, int blockCount)
    {
        var copy = new MemoryDevice(blockCount, BlockBytes, device.Name);
        var content = new byte[blockCount * BlockBytes];
        device.ReadAsync(Lba.Zero, content).AsTask().GetAwaiter().GetResult();
        copy.WriteAsync(Lba.Zero, content).AsTask().GetAwaiter().GetResult();
        return copy;
    }

    public async Task ChangeAsync(RaidArray array, int steps, int seed)
    {
        var random = new Random(seed);
        for (var step = 0; step < steps; step++)
        {
            var start = random.Next(model.Length / BlockBytes);
            var most = Math.Min((model.Length / BlockBytes) - start, random.Next(3) == 0 ? 1000 : 2 * ChunkBytes / BlockBytes);
            var count = 1 + random.Next(most);
            switch (random.Next(10))
            {
                case 0:
                    model.AsSpan(start * BlockBytes, count * BlockBytes).Clear();
                    await array.TrimAsync(new Lba(start), count);
                    break;
                case 1:
                    await array.FlushAsync();
                    break;
                default:
                    await WriteAsync(array, start, count, random.Next());
                    break;
            }
        }
    }

    public async Task WriteAsync(RaidArray array, int start, int count, int seed)
    {
        var range = model.AsMemory(start * BlockBytes, count * BlockBytes);
        new Random(seed).NextBytes(range.Span);
        await array.WriteAsync(new Lba(start), range.ToArray());
    }

    public async Task CheckAsync(RaidArray array)
    {
        Assert.Equal(model.Length, array.Geometry.SizeBytes);
        var content = new byte[model.Length];
        await array.ReadAsync(Lba.Zero, content);
        Assert.True(model.AsSpan().SequenceEqual(content));
        for (var block = 0; block < model.Length / BlockBytes; block += 7)
        {
            await array.ReadAsync(new Lba(block), content.AsMemory(0, BlockBytes));
            Assert.True(model.AsSpan(block * BlockBytes, BlockBytes).SequenceEqual(content.AsSpan(0, BlockBytes)), $"block {block}");
        }
    }

    /// <summary>Every copy, and every way in which parity gives a block, gives the same.</summary>
    public async Task CheckCopiesAsync(RaidArray array)
    {
        await array.FlushAsync();
        var content = new byte[model.Length];
        for (var copy = 0; copy < array.CopyCount; copy++)
        {
            Assert.True(await array.ReadCopyAsync(Lba.Zero, content, copy), $"copy {copy}");
            Assert.True(model.AsSpan().SequenceEqual(content), $"copy {copy}");
        }
    }

    /// <summary>Two stripes of some members hold something else than they were given.</summary>
    public async Task RotAsync(int members, int seed)
    {
        var superblock = await new SuperblockPair(Faulty[0]).ReadAsync();
        var stripes = superblock.Areas.DataBytes / ChunkBytes;
        var random = new Random(seed);
        foreach (var stripe in (long[])[1, stripes - 2])
        {
            var first = random.Next(superblock.Entries.Count);
            for (var i = 0; i < members; i++)
            {
                var junk = new byte[BlockBytes];
                random.NextBytes(junk);
                var at = superblock.Areas.DataAt + (stripe * ChunkBytes) + BlockBytes;
                await Faulty[(first + i) % superblock.Entries.Count].WriteAsync(new Lba(at / BlockBytes), junk);
            }
        }
    }
}

/// <summary>Nothing but the first blocks is in use.</summary>
sealed class FirstBlocks(long count) : IAllocatedRanges
{
    public bool IsAllocated(Lba start, long blockCount) => start.Value < count;
}
