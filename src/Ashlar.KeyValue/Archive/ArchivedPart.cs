using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>A part of an archive of the log: a file with some groups of writes.</summary>
public sealed record ArchivedPart
{
    /// <summary>Its number, counted from 1.</summary>
    public required ulong Number { get; init; }

    /// <summary>Its file.</summary>
    public required string FilePath { get; init; }

    /// <summary>Sequence of its first write.</summary>
    public ulong FirstSequence { get; init; }

    /// <summary>Sequence of its last write.</summary>
    public ulong LastSequence { get; init; }

    /// <summary>When its first group was committed.</summary>
    public DateTimeOffset FirstCommittedAt { get; init; }

    /// <summary>When its last group was committed.</summary>
    public DateTimeOffset LastCommittedAt { get; init; }

    /// <summary>Length of the file.</summary>
    public long SizeBytes { get; init; }

    /// <summary>What is wrong with its head; null if that holds. Nothing else is known of such a part.</summary>
    public AshlarException? Damage { get; init; }
}

/// <summary>What an archive of the log covers.</summary>
public sealed record LogArchiveReport
{
    /// <summary>Its parts, oldest first.</summary>
    public required IReadOnlyList<ArchivedPart> Parts { get; init; }

    /// <summary>The store it is of; null if it is empty.</summary>
    public Guid? StoreId { get; init; }

    /// <summary>The history of that store.</summary>
    public Guid? HistoryId { get; init; }

    /// <summary>A backup is of use with the archive if it holds every write up to this sequence.</summary>
    public ulong AfterSequence { get; init; }

    /// <summary>It holds every write from there up to this sequence, but for what <see cref="Problems"/> tell.</summary>
    public ulong LastSequence { get; init; }

    /// <summary>Parts that are missing, of something else, or damaged; empty if there are none.</summary>
    public IReadOnlyList<AshlarException> Problems { get; init; } = [];
}
