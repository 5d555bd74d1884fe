using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// What a volume may be on a disk that fails: after a request that failed the old or the new, block by block, or a block that says it is
/// damaged; after a loss of power any of what it was since the last flush that was answered.
/// </summary>
/// <param name="number">What its sectors say that they belong to.</param>
/// <param name="name">Its name.</param>
/// <param name="blockSizeBytes">Its block size.</param>
/// <param name="sizeBytes">Its size, if it comes to be.</param>
/// <param name="mayTear">Whether a write that fails may leave a block half written: then it is damaged until it is written anew.</param>
sealed class PossibleVolume(int number, string name, int blockSizeBytes, long sizeBytes, bool mayTear)
{
    const int SectorsPerBlock = MapLayout.BlockBytes / DescribedSector.SizeBytes;

    readonly SortedDictionary<long, Sector> sectors = [];
    readonly HashSet<long> mayBeDamaged = []; // Blocks of 4 KiB.

    public int Number { get; } = number;

    public string Name { get; } = name;

    public int BlockSizeBytes { get; } = blockSizeBytes;

    /// <summary>What it may be as large as, 0 where it may not be there at all; whatever changes it is durable when it returns.</summary>
    public HashSet<long> Sizes { get; } = [0, sizeBytes];

    /// <summary>Content that was compared so far, in sectors.</summary>
    public long Compared { get; private set; }

    public void Resized(long size, bool isDone)
    {
        if (isDone) Sizes.Clear();
        Sizes.Add(size);
        foreach (var (number, sector) in sectors)
            if (number * DescribedSector.SizeBytes >= size) sector.Change(0, isDone, isDurable: isDone);
    }

    /// <summary>Sectors got a version, or may have.</summary>
    public void Changed(long start, int count, int version, bool isDone)
    {
        for (var number = start; number < start + count; number++)
        {
            if (!sectors.TryGetValue(number, out var sector)) sectors.Add(number, sector = new Sector());
            sector.Change(version, isDone, isDurable: false);
        }

        for (var block = start / SectorsPerBlock; block <= (start + count - 1) / SectorsPerBlock; block++)
        {
            if (!isDone && mayTear) mayBeDamaged.Add(block);
            else if (isDone && start <= block * SectorsPerBlock && start + count >= (block + 1) * SectorsPerBlock)
                mayBeDamaged.Remove(block);
        }
    }

    /// <summary>All that was answered is durable.</summary>
    public void Flushed()
    {
        foreach (var sector in sectors.Values) sector.Flush();
    }

    /// <summary>Compares all of the volume, block by block.</summary>
    /// <param name="device">The volume.</param>
    /// <param name="wasLost">Whether it comes back from a loss of power, or a failed flush: then it may be older.</param>
    /// <param name="mayFail">Whether a read may have failed just now, because the disk did, or because it lost what it had.</param>
    public async Task CheckAsync(IBlockDevice device, bool wasLost, Func<bool> mayFail)
    {
        var data = new byte[MapLayout.BlockBytes];
        var size = device.Geometry.SizeBytes;
        for (var block = 0L; block * MapLayout.BlockBytes < size; block++)
        {
            if (!Touched(block) && block % 16 != 5) continue; // What nobody ever wrote to is sampled.
            var part = data.AsMemory(0, (int)Math.Min(data.Length, size - (block * MapLayout.BlockBytes)));
            try
            {
                await device.ReadAsync(new Lba(block * MapLayout.BlockBytes / BlockSizeBytes), part);
            }
            catch (CorruptDataException) when (mayBeDamaged.Contains(block))
            {
                continue;
            }
            catch (Exception e) when (e is BlockDeviceException or CorruptDataException && mayFail())
            {
                continue;
            }

            for (var i = 0; i < part.Length / DescribedSector.SizeBytes; i++)
                Check((block * SectorsPerBlock) + i, part.Span[(i * DescribedSector.SizeBytes)..], wasLost);
        }
    }

    bool Touched(long block)
    {
        for (var number = block * SectorsPerBlock; number < (block + 1) * SectorsPerBlock; number++)
            if (sectors.ContainsKey(number)) return true;
        return false;
    }

    void Check(long number, ReadOnlySpan<byte> bytes, bool wasLost)
    {
        Compared++;
        var found = DescribedSector.Read(bytes, Number, number);
        var sector = sectors.GetValueOrDefault(number);
        var allowed = sector is null ? [0] : wasLost ? sector.SinceFlush : sector.Now;
        if (!allowed.Contains(found))
            throw new InvalidDataException($"sector {number} of {Name} holds version {found}; allowed: {string.Join(", ", allowed)}");
    }

    sealed class Sector
    {
        public HashSet<int> Now { get; private set; } = [0];

        public HashSet<int> SinceFlush { get; private set; } = [0];

        public void Change(int version, bool isDone, bool isDurable)
        {
            if (isDone) Now = [version];
            else Now.Add(version);
            if (isDurable) SinceFlush = [];
            SinceFlush.UnionWith(Now);
        }

        public void Flush() => SinceFlush = [.. Now];
    }
}
