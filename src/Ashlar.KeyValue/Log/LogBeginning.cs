using Ashlar.Storage;

namespace Ashlar.KeyValue.Log;

/// <summary>What the first bytes of a log segment say, for those who do not read on.</summary>
/// <param name="Header">Its header.</param>
/// <param name="HasGroup">Whether a group of writes follows.</param>
readonly record struct LogBeginning(LogSegmentHeader Header, bool HasGroup)
{
    /// <summary>Reads it; nothing if there is no sound header.</summary>
    public static LogBeginning? TryRead(IFile file, string path)
    {
        var bytes = new byte[LogSegmentHeader.SizeBytes + LogGroupHeader.SizeBytes];
        var read = file.Read(bytes, 0);
        if (read < LogSegmentHeader.SizeBytes || !LogSegmentHeader.IsSound(bytes)) return null;
        var header = LogSegmentHeader.Read(bytes, path);
        var hasGroup = read == bytes.Length
            && LogGroupHeader.TryRead(
                bytes.AsSpan(LogSegmentHeader.SizeBytes), header, header.Seed, LogSegmentHeader.SizeBytes, out _, out _);
        return new(header, hasGroup);
    }
}
