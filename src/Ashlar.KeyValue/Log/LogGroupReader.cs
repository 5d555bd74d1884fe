using Ashlar.Storage;

namespace Ashlar.KeyValue.Log;

/// <summary>
/// Reads the groups of a segment one after the other, and says exactly how one fails. Whoever reads a log stands on it; what a
/// failure means there, that it is damage or the end, each decides for itself.
/// </summary>
sealed class LogGroupReader
{
    readonly LogSegmentHeader segment;
    readonly LogReadPolicy policy;
    readonly uint seed;
    readonly long length;
    readonly long shift;
    readonly LogWindow window;
    int soundEntries;

    /// <summary>Reads from a place on.</summary>
    /// <param name="file">Where the groups lie.</param>
    /// <param name="lengthBytes">How much of it may be read.</param>
    /// <param name="segment">The segment that they are of.</param>
    /// <param name="policy">What is checked.</param>
    /// <param name="start">Where to begin.</param>
    /// <param name="shift">What the file's offsets are larger by than the segment's: it may be a copy of a range.</param>
    public LogGroupReader(
        IFile file, long lengthBytes, LogSegmentHeader segment, LogReadPolicy policy, in LogReadStart start, long shift = 0)
    {
        (this.segment, this.policy, this.shift) = (segment, policy, shift);
        (Offset, PreviousCrc, LastSequence) = start;
        seed = segment.Seed;
        length = lengthBytes - shift;
        window = new LogWindow(file, lengthBytes);
    }

    /// <summary>Where in the segment the next group lies.</summary>
    public long Offset { get; private set; }

    /// <summary>HeaderCrc of the group before it; null if that is not known.</summary>
    public uint? PreviousCrc { get; private set; }

    /// <summary>Sequence of the last entry before it.</summary>
    public ulong LastSequence { get; private set; }

    /// <summary>Time of the last group before it; 0 if there is none.</summary>
    public long LastCommitTime { get; private set; }

    /// <summary>How the group that was read last fails.</summary>
    public LogGroupFault Fault { get; private set; }

    /// <summary>The same in words.</summary>
    public string Problem { get; private set; } = "";

    /// <summary>
    /// Reads the next group. It is left behind if nothing is wrong with it; with <see cref="LogReadPolicy.PastDamage"/> if it has a head.
    /// </summary>
    /// <param name="group">The group; one that fails as far as it is there, with a head of zeros if it has none.</param>
    /// <returns>Whether it holds.</returns>
    public bool TryRead(out LogGroup group)
    {
        Fault = Check(out group);
        if (Fault != LogGroupFault.None) Problem = Describe(group.Header);
        if (Fault != LogGroupFault.None && (policy != LogReadPolicy.PastDamage || Fault == LogGroupFault.Head)) return false;
        Offset = group.Header.EndOffset;
        PreviousCrc = group.HeaderCrc;
        LastSequence = Math.Max(LastSequence, group.Header.LastSequence);
        LastCommitTime = group.Header.CommitTime;
        return Fault == LogGroupFault.None;
    }

    /// <summary>Goes on at a place behind damage.</summary>
    public void SkipTo(long offset)
    {
        Invariant.Require(offset > Offset);
        (Offset, PreviousCrc) = (offset, null);
    }

    LogGroupFault Check(out LogGroup group)
    {
        group = default;
        var head = window.Read(Offset + shift, LogGroupHeader.SizeBytes);
        if (!LogGroupHeader.TryRead(head, segment, seed, Offset, out var header, out var headerCrc)) return LogGroupFault.Head;
        group = new LogGroup(header, headerCrc, head, seed);
        var follows = PreviousCrc is not { } previous || header.PreviousHeaderCrc == previous;
        if (!follows && policy != LogReadPolicy.PastDamage) return LogGroupFault.Chain;
        // A length is believed only as far as the file goes.
        if (header.BodyLength > WriteBatch.MaxBytes + LogGroupLimit.Bytes) return LogGroupFault.Length;
        var wanted = LogGroupHeader.SizeBytes + header.BodyLength;
        var bytes = window.Read(Offset + shift, (int)Math.Min(wanted, length - Offset));
        group = new LogGroup(header, headerCrc, bytes, seed);
        if (!follows) return LogGroupFault.Chain;
        if (bytes.Length != wanted) return LogGroupFault.Length;
        if (policy != LogReadPolicy.PastDamage && CheckBody(group) is not LogGroupFault.None and var fault) return fault;
        if (header.Kind == LogGroupKind.Entries && header.FirstSequence <= LastSequence) return LogGroupFault.Sequence;
        return header.CommitTime < LastCommitTime ? LogGroupFault.CommitTime : LogGroupFault.None;
    }

    LogGroupFault CheckBody(in LogGroup group)
    {
        var entries = group.CheckEntries(policy == LogReadPolicy.ToFirstFailure);
        while (entries.MoveNext() && entries.Fault == LogEntryFault.None)
        {
        }

        soundEntries = entries.Count;
        return entries.Fault == LogEntryFault.None ? entries.End() : LogGroupFault.Entry;
    }

    string Describe(in LogGroupHeader header) => Fault switch
    {
        LogGroupFault.Head => "there is no head of a group that holds",
        LogGroupFault.Chain => "the group does not continue the one before it",
        LogGroupFault.Length => $"the group of {header.BodyLength} bytes goes beyond the end of the file, byte {length}",
        LogGroupFault.Entry => $"entry {soundEntries} of the group does not hold",
        LogGroupFault.Count => $"the group has {soundEntries} entries, its head says {header.Count}",
        LogGroupFault.Body => "the checksum of the group does not hold",
        LogGroupFault.Sequence => $"sequence {header.FirstSequence} follows sequence {LastSequence}",
        LogGroupFault.CommitTime => $"commit time {header.CommitTime} follows {LastCommitTime}",
        _ => "",
    };
}
