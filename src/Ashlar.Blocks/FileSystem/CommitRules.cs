namespace Ashlar.Blocks.FileSystem;

/// <summary>The steps on which what survives a power cut depends; tests exchange them for ones with a mistake.</summary>
class CommitRules
{
    /// <summary>Before a record gives units to a file: what was written to them is durable, or a crash would show what they held
    /// before.</summary>
    public virtual void FlushBeforeRecord(Region region) => region.Flush();

    /// <summary>After a record: only now may anybody be told.</summary>
    public virtual void FlushAfterRecord(Region region) => region.Flush();

    /// <summary>After a checkpoint, before the log goes on behind it.</summary>
    public virtual void FlushCheckpoint(Region region) => region.Flush();

    /// <summary>
    /// Before anything is read at opening: a process that was killed may have left records that are not durable, and what they freed is
    /// about to be given to others. After a flush that had failed the cache may even hold what the device does not.
    /// </summary>
    public virtual void FlushBeforeOpening(Region region, HeaderFormat header)
    {
        region.Flush();
        for (var i = 0; i < 2; i++)
            region.DropCached(header.Area(i).Unit * header.UnitBytes, header.Area(i).Count * header.UnitBytes);
    }

    /// <summary>Makes what nobody has written of a unit zeros, before a file gets it.</summary>
    public virtual void Zero(Region region, long position, long lengthBytes) => region.Zero(position, lengthBytes);

    /// <summary>A file gives up units: they stay taken until the record that says so is durable.</summary>
    public virtual void GiveUp(UnitMap units, List<UnitRun> freed, UnitRun run) => freed.Add(run);
}
