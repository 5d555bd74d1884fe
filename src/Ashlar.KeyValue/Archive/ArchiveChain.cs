using Ashlar.KeyValue.Log;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Archive;

/// <summary>A part of an archive, or what is wrong with its head.</summary>
sealed record ArchiveLink(ArchiveFile File, ArchivePart? Part, AshlarException? Damage)
{
    public ArchivedPart Describe(ArchiveDirectory directory) => Part is { } part
        ? new()
        {
            Number = File.Number,
            FilePath = directory.PathOf(File.Name),
            FirstSequence = part.FirstSequence,
            LastSequence = part.LastSequence,
            FirstCommittedAt = CommitTime.ToTime(part.FirstCommitTime),
            LastCommittedAt = CommitTime.ToTime(part.LastCommitTime),
            SizeBytes = part.FileBytes,
        }
        : new() { Number = File.Number, FilePath = directory.PathOf(File.Name), Damage = Damage };
}

/// <summary>The heads of all parts, oldest first.</summary>
sealed class ArchiveChain(string directory, List<ArchiveLink> links)
{
    public IReadOnlyList<ArchiveLink> Links => links;

    /// <summary>The newest part whose head holds.</summary>
    public ArchivePart? Newest => links.FindLast(link => link.Part is not null)?.Part;

    public static ArchiveChain Read(ArchiveDirectory directory)
    {
        var links = new List<ArchiveLink>();
        foreach (var file in directory.Files())
        {
            try
            {
                links.Add(new(file, directory.ReadHead(file), null));
            }
            catch (Exception damage) when (damage is CorruptDataException or UnsupportedFormatException)
            {
                links.Add(new(file, null, (AshlarException)damage));
            }
        }

        return new(directory.Path, links);
    }

    /// <summary>
    /// What is wrong between a part and the one that follows it in the directory; null if nothing is, or a head does not hold.
    /// </summary>
    public LogArchiveException? FindBreak(ArchiveLink before, ArchiveLink next)
    {
        if (before.File.Number == next.File.Number)
            return Foreign($"there are two parts with number {next.File.Number}: {before.File.Name} and {next.File.Name}");
        if (next.File.Number != before.File.Number + 1)
        {
            var missing = before.File.Number + 1 == next.File.Number - 1
                ? $"part {before.File.Number + 1} is missing"
                : $"parts {before.File.Number + 1} to {next.File.Number - 1} are missing";
            return new(
                directory,
                LogArchiveProblem.Gap,
                $"{missing}, with the writes between sequence {before.Part?.LastSequence} and {next.Part?.FirstSequence}");
        }

        if (before.Part is not { } first || next.Part is not { } second) return null;
        if (second.StoreId != first.StoreId || second.HistoryId != first.HistoryId)
            return Foreign($"{next.File.Name} is of another store, or of another history of it, than {before.File.Name}");
        var continues = second.PreviousCrc == first.Crc
            && second.AfterSequence >= first.LastSequence && second.SegmentId >= first.SegmentId;
        return continues ? null : Foreign($"{next.File.Name} does not continue {before.File.Name}: a copy of the store has archived here");
    }

    LogArchiveException Foreign(string problem) => new(directory, LogArchiveProblem.Foreign, problem);
}
