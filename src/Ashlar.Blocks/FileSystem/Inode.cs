using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

/// <summary>A file or directory as its users see it. All but <see cref="Writing"/> is under the gate of the file system.</summary>
sealed class Inode(long number, bool isDirectory)
{
    public long Number { get; } = number;

    /// <summary>Of a directory.</summary>
    public SortedDictionary<string, Inode>? Names { get; } = isDirectory ? new(StringComparer.Ordinal) : null;

    public bool IsDirectory => Names is not null;

    /// <summary>The directory that names it, and how; null once it has no name.</summary>
    public Inode? Parent { get; set; }

    public string Name { get; set; } = "";

    public int OpenHandles { get; set; }

    /// <summary>Whether the committed metadata know it.</summary>
    public bool IsCommitted { get; set; }

    public long LengthBytes { get; set; }

    /// <summary>
    /// Bytes of its last unit from the length up to here may be left of a time when it was longer; what the file has beyond them is
    /// zeros. Not written down: after opening it is the end of the unit.
    /// </summary>
    public long StaleEnd { get; set; }

    public ExtentMap Extents { get; } = new();

    public Dictionary<long, CachedPage> Pages { get; } = [];

    /// <summary>Pages that became dirty; some may have been given up since.</summary>
    public List<long> Dirty { get; set; } = [];

    /// <summary>Units, by their place in the file, that the device has not got all of: which of their pages it has.</summary>
    public Dictionary<long, ulong> Fresh { get; } = [];

    /// <summary>What commits of the file have not taken along yet.</summary>
    public FileChanges Changes { get; set; } = new();

    /// <summary>Changes whenever units are taken from the file: what was read meanwhile may be of somebody else.</summary>
    public int MapVersion { get; set; }

    /// <summary>Changes with every write: what was read meanwhile may be older than what is on the device.</summary>
    public int WriteVersion { get; set; }

    /// <summary>Held by whoever writes pages of the file to the device, so that an older content never comes after a newer.</summary>
    public object Writing { get; } = new();

    /// <summary>Whether the device has something of a page that is not in memory.</summary>
    public bool IsOnDevice(long page, int pagesPerUnit, out long unit)
    {
        var (fileUnit, within) = Math.DivRem(page, pagesPerUnit);
        unit = Extents.Find(fileUnit).Unit;
        return unit >= 0 && (!Fresh.TryGetValue(fileUnit, out var pages) || (pages >> (int)within & 1) != 0);
    }
}

/// <summary>What of a file's metadata has changed since they were committed.</summary>
sealed class FileChanges
{
    readonly List<(long FileUnit, long End)> ranges = [];

    /// <summary>Units that the file gave up; they are free once a record that says so is durable.</summary>
    public List<UnitRun> Freed { get; } = [];

    /// <summary>Whether the length, or where its units lie, is another.</summary>
    public bool HasAny { get; set; }

    /// <summary>Whether what was written has to be durable before the record: units were added, or zeros put over what was left
    /// behind.</summary>
    public bool NeedsFlushBefore { get; set; }

    public IReadOnlyList<(long FileUnit, long End)> Ranges => ranges;

    public void AddRange(long fileUnit, long end)
    {
        HasAny = true;
        if (ranges is [.., var last] && last.FileUnit <= fileUnit && fileUnit <= last.End)
            ranges[^1] = (last.FileUnit, Math.Max(last.End, end));
        else
            ranges.Add((fileUnit, end));
    }

    /// <summary>Takes back changes that could not be committed.</summary>
    public void Restore(FileChanges earlier)
    {
        HasAny |= earlier.HasAny;
        NeedsFlushBefore |= earlier.NeedsFlushBefore;
        Freed.AddRange(earlier.Freed);
        foreach (var (start, end) in earlier.ranges) AddRange(start, end);
    }

    /// <summary>Where the units of the changed ranges lie now.</summary>
    public List<Extent> Describe(ExtentMap extents)
    {
        var described = new List<Extent>();
        long done = 0;
        foreach (var (start, end) in ranges.Order())
        {
            for (var unit = Math.Max(start, done); unit < end;)
            {
                var (place, count) = extents.Find(unit);
                count = Math.Min(count, end - unit);
                described.Add(new Extent(unit, place, count));
                unit += count;
            }

            done = Math.Max(done, end);
        }

        return described;
    }
}
