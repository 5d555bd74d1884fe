using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

/// <summary>Which unit of the region holds which unit of a file; what is missing is a hole. In order, neighbours merged.</summary>
sealed class ExtentMap
{
    readonly List<Extent> extents = [];

    public IReadOnlyList<Extent> Extents => extents;

    /// <summary>Units that the file has.</summary>
    public long Units { get; private set; }

    /// <summary>Where a unit of the file lies, and how many from it on lie behind each other; the same of a hole.</summary>
    /// <returns>Unit of the region, or -1 in a hole. The count is long.MaxValue in the hole behind the last extent.</returns>
    public (long Unit, long Count) Find(long fileUnit)
    {
        var index = IndexOf(fileUnit);
        if (index < extents.Count && extents[index].FileUnit <= fileUnit)
        {
            var found = extents[index];
            return (found.Unit + (fileUnit - found.FileUnit), found.FileEnd - fileUnit);
        }

        return (-1, index < extents.Count ? extents[index].FileUnit - fileUnit : long.MaxValue);
    }

    /// <summary>Puts units where the file has a hole.</summary>
    public void Set(long fileUnit, UnitRun run)
    {
        var index = IndexOf(fileUnit);
        Invariant.Require(index == extents.Count || extents[index].FileUnit >= fileUnit + run.Count);
        Units += run.Count;
        var added = new Extent(fileUnit, run.Unit, run.Count);
        if (index < extents.Count && added.IsFollowedBy(extents[index]))
        {
            added = added with { Count = added.Count + extents[index].Count };
            extents.RemoveAt(index);
        }

        if (index > 0 && extents[index - 1].IsFollowedBy(added))
            extents[index - 1] = extents[index - 1] with { Count = extents[index - 1].Count + added.Count };
        else
            extents.Insert(index, added);
    }

    /// <summary>Makes a range a hole.</summary>
    /// <param name="fileUnit">First unit of the file.</param>
    /// <param name="count">How many.</param>
    /// <param name="removed">Gets what the file had there.</param>
    public void Clear(long fileUnit, long count, Action<UnitRun> removed)
    {
        var end = count > long.MaxValue - fileUnit ? long.MaxValue : fileUnit + count;
        for (var index = IndexOf(fileUnit); index < extents.Count && extents[index].FileUnit < end;)
        {
            var found = extents[index];
            extents.RemoveAt(index);
            var start = Math.Max(found.FileUnit, fileUnit);
            var stop = Math.Min(found.FileEnd, end);
            if (found.FileUnit < start) extents.Insert(index++, found with { Count = start - found.FileUnit });
            if (stop < found.FileEnd)
                extents.Insert(index, new Extent(stop, found.Unit + (stop - found.FileUnit), found.FileEnd - stop));
            Units -= stop - start;
            removed(new UnitRun(found.Unit + (start - found.FileUnit), stop - start));
        }
    }

    // The first extent that ends behind a unit.
    int IndexOf(long fileUnit)
    {
        int low = 0, high = extents.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (extents[middle].FileEnd <= fileUnit) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}

/// <summary>Units of a file that lie one behind the other.</summary>
readonly record struct Extent(long FileUnit, long Unit, long Count)
{
    public long FileEnd => FileUnit + Count;

    public UnitRun Run => new(Unit, Count);

    public bool IsFollowedBy(Extent next) => FileEnd == next.FileUnit && Unit + Count == next.Unit;
}
