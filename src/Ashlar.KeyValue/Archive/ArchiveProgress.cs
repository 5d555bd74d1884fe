using Ashlar.KeyValue.Manifests;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Archive;

/// <summary>How far the archive goes. The thread that archives writes it, others read.</summary>
/// <param name="known">What the manifest knows.</param>
/// <param name="clock">Its timestamps tell how old things are: a clock that is set must not make them younger.</param>
sealed class ArchiveProgress(ArchivePosition known, TimeProvider clock)
{
    readonly Lock gate = new();
    ArchivePosition position = known;
    ArchivePart? newest;
    long completeAt = clock.GetTimestamp();
    ulong completeSequence;
    long partsWritten;

    /// <summary>What the manifest gets to know.</summary>
    public ArchivePosition Position
    {
        get
        {
            using (gate.Hold()) return position;
        }

        set
        {
            using (gate.Hold()) position = value;
        }
    }

    /// <summary>The part that was written last; null before the first, and while the archive is not at hand.</summary>
    public ArchivePart? Newest
    {
        get => Volatile.Read(ref newest);
        set => Volatile.Write(ref newest, value);
    }

    /// <summary>Parts written since the store was opened.</summary>
    public long PartsWritten => Volatile.Read(ref partsWritten);

    /// <summary>Every write up to here is in the archive.</summary>
    public ulong ArchivedSequence
    {
        get
        {
            using (gate.Hold()) return Math.Max(position.LastSequence, completeSequence);
        }
    }

    /// <summary>Every write that returned longer ago is in the archive.</summary>
    public TimeSpan Age
    {
        get
        {
            using (gate.Hold()) return clock.GetElapsedTime(completeAt);
        }
    }

    /// <summary>A part was written; it is durable.</summary>
    public void Add(ArchivePart part)
    {
        Newest = part;
        Position = position with { LastSequence = part.LastSequence, Part = part.Number, PartCrc = part.Crc };
        Volatile.Write(ref partsWritten, partsWritten + 1);
    }

    /// <summary>All was archived that was durable at a moment, a timestamp of the clock.</summary>
    public void Complete(long moment, ulong sequence)
    {
        using (gate.Hold()) (completeAt, completeSequence) = (moment, sequence);
    }
}
