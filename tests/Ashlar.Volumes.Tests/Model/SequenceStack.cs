using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>How a pool is set up: what must make no difference to what it answers.</summary>
sealed record StackOptions(long MapCacheBytes, bool IsStoreSmall, TimeSpan MarkerQuietTime, int MaxMarkedLeaves, bool CallersWait)
{
    public static StackOptions Pick(SeededRandom random) => new(
        random.Pick([8000L, 40_000, 1 << 20]),
        random.OneIn(2),
        random.OneIn(2) ? TimeSpan.Zero : TimeSpan.FromHours(1),
        random.Pick([0, 2, 1000]),
        random.OneIn(2));
}

/// <summary>Runs a sequence on a pool, compares it with a model of sectors, and writes down everything that it answered.</summary>
sealed class SequenceStack(StackOptions options) : IAsyncDisposable
{
    public const int Chunks = 60, LargestBytes = 2 << 20;

    const int SectorsPerBlock = MapLayout.BlockBytes / DescribedSector.SizeBytes;

    static readonly int[] HotBlocks = [0, 12, 60, MapLayout.BlocksPerLeaf - 4, MapLayout.BlocksPerLeaf + 90];

    readonly SortedDictionary<string, (int Number, int[] Sectors)> model = new(StringComparer.Ordinal);
    readonly List<string> answers = [];
    TestPool pool = null!;
    int created, version;

    /// <summary>What was answered, one line for each operation.</summary>
    public IReadOnlyList<string> Answers => answers;

    public async Task OpenAsync() => pool = await TestPool.CreateAsync(
        Chunks,
        TestPool.DefaultOptions() with
        {
            MapCacheBytes = options.MapCacheBytes,
            MarkerQuietTime = options.MarkerQuietTime,
            MaxMarkedLeaves = options.MaxMarkedLeaves,
        },
        storeOptions: options.IsStoreSmall
            ? TestPool.SmallStore
            : new KeyValueOptions { MemTableBytes = 1 << 20, BlockCacheBytes = 1 << 20 });

    public async Task RunAsync(SequenceStep step)
    {
        version++;
        string answer;
        try
        {
            Task<string> running;
            using (options.CallersWait ? InlineWaits.Allow() : InlineWaits.Keep()) running = AnswerAsync(step);
            answer = await running;
        }
        catch (Exception e) when (e is BlockDeviceException or VolumeNameException or VolumeDeletedException)
        {
            answer = e.GetType().Name;
        }

        answers.Add($"{step}: {answer}");
    }

    public ValueTask DisposeAsync() => pool.DisposeAsync();

    async Task<string> AnswerAsync(SequenceStep step)
    {
        switch (step.Kind)
        {
            case SequenceKind.Create:
                return await CreateAsync(step);
            case SequenceKind.Commit:
                await pool.Pool.CommitAsync();
                await pool.Pool.WaitForBackgroundAsync();
                return $"{pool.Pool.GetUsage().AllocatedBytes} bytes";
            case SequenceKind.Reopen:
                await pool.ReopenAsync();
                return string.Join(", ", pool.Pool.ListVolumes().Select(volume => $"{volume.Name} {volume.SizeBytes}"));
            case SequenceKind.Verify:
                Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
                return "clean";
            default:
                return pool.Pool.OpenVolume(step.Volume) is { } device ? await AnswerAsync(step, device) : "no such volume";
        }
    }

    async Task<string> CreateAsync(SequenceStep step)
    {
        await pool.CreateVolumeAsync(step.Volume, step.SizeBytes, step.Seed % 2 == 0 ? 512 : 4096, isThick: step.Seed % 5 == 0);
        model.Add(step.Volume, (++created, new int[step.SizeBytes / DescribedSector.SizeBytes]));
        return "created";
    }

    async Task<string> AnswerAsync(SequenceStep step, IBlockDevice device)
    {
        var (number, sectors) = model[step.Volume];
        var perBlock = device.Geometry.BlockSizeBytes / DescribedSector.SizeBytes;
        var start = (HotBlocks[step.Seed % (ulong)HotBlocks.Length] * SectorsPerBlock) + (int)(step.Seed / 5 % (8 * SectorsPerBlock));
        start = Math.Min(start, sectors.Length - 1) / perBlock * perBlock;
        var count = Math.Min(sectors.Length - start, (1 + (int)(step.Seed / 7 % step.MostBlocks)) * SectorsPerBlock) / perBlock * perBlock;
        var lba = new Lba(start / perBlock);
        switch (step.Kind)
        {
            case SequenceKind.Write:
                var data = new byte[count * DescribedSector.SizeBytes];
                for (var i = 0; i < count; i++)
                    DescribedSector.Write(data.AsSpan(i * DescribedSector.SizeBytes), number, start + i, version);
                await device.WriteAsync(lba, data, step.Seed % 11 == 0 ? WriteOptions.ForceUnitAccess : WriteOptions.None);
                sectors.AsSpan(start, count).Fill(version);
                return "written";
            case SequenceKind.Discard:
                if (step.Seed % 3 == 0) await device.TrimAsync(lba, count / perBlock);
                else await device.WriteZeroesAsync(
                    lba, count / perBlock, step.Seed % 3 == 1 ? ZeroOptions.KeepAllocated : ZeroOptions.None);
                sectors.AsSpan(start, count).Clear();
                return "discarded";
            case SequenceKind.Flush:
                await device.FlushAsync();
                return "flushed";
            case SequenceKind.Resize:
                await pool.Pool.ResizeVolumeAsync(step.Volume, step.SizeBytes, allowShrink: true);
                Array.Resize(ref sectors, (int)(step.SizeBytes / DescribedSector.SizeBytes));
                model[step.Volume] = (number, sectors);
                return "resized";
            case SequenceKind.Delete:
                await pool.DeleteVolumeAsync(step.Volume);
                model.Remove(step.Volume);
                return "deleted";
            default:
                return await ReadAsync(device, lba, number, sectors, start, count);
        }
    }

    static async Task<string> ReadAsync(IBlockDevice device, Lba lba, int number, int[] sectors, int start, int count)
    {
        var data = new byte[count * DescribedSector.SizeBytes];
        await device.ReadAsync(lba, data);
        for (var i = 0; i < count; i++)
            Assert.Equal(sectors[start + i], DescribedSector.Read(data.AsSpan(i * DescribedSector.SizeBytes), number, start + i));
        var extents = new BlockExtent[count];
        var filled = device.DescribeExtents(lba, data.Length / device.Geometry.BlockSizeBytes, extents);
        return $"{Crc32C.Compute(data):x8} {string.Join(' ', extents[..filled].Select(extent => $"{extent.Kind}{extent.BlockCount}"))}";
    }
}

enum SequenceKind
{
    Create = 0,
    Write,
    Read,
    Discard,
    Flush,
    Commit,
    Resize,
    Delete,
    Reopen,
    Verify,
}

/// <summary>One operation; where and how much of a volume it is about follows from its seed.</summary>
sealed record SequenceStep(SequenceKind Kind, string Volume, ulong Seed, long SizeBytes, uint MostBlocks)
{
    public static SequenceStep Pick(SeededRandom random)
    {
        var kind = random.Next(100) switch
        {
            < 6 => SequenceKind.Create,
            < 46 => SequenceKind.Write,
            < 64 => SequenceKind.Read,
            < 76 => SequenceKind.Discard,
            < 84 => SequenceKind.Flush,
            < 90 => SequenceKind.Commit,
            < 94 => SequenceKind.Resize,
            < 96 => SequenceKind.Delete,
            < 98 => SequenceKind.Reopen,
            _ => SequenceKind.Verify,
        };
        var size = (1 + random.Next(SequenceStack.LargestBytes / MapLayout.BlockBytes)) * (long)MapLayout.BlockBytes;
        return new(kind, random.OneIn(2) ? "a" : "b", random.NextUInt64() >> 1, size, random.OneIn(4) ? 80u : 6u);
    }
}
