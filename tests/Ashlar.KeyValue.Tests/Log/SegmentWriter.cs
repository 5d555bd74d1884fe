using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Writes a segment of the log group by group, damages it, and reads it back.</summary>
sealed class SegmentWriter
{
    public const string Path = "/log-000007";
    public static readonly Guid StoreId = new("00112233-4455-6677-8899-aabbccddeeff");

    readonly LogSegmentHeader segment;
    readonly List<byte> bytes = [];
    readonly List<(long Start, long End)> groups = [];
    ulong sequence = 1;
    uint previousCrc;
    long commitTime;
    long durableThrough = LogSegmentHeader.SizeBytes;

    public SegmentWriter(ulong id = 7, ulong nonce = 99)
    {
        segment = new LogSegmentHeader(StoreId, id, nonce);
        var head = new byte[LogSegmentHeader.SizeBytes];
        segment.Write(head);
        bytes.AddRange(head);
    }

    public byte[] Bytes => [.. bytes];

    public long StartOf(int group) => groups[group].Start;

    public LogSegmentHeader Segment => segment;

    public LogEnd End => new(segment.SegmentId, bytes.Count, previousCrc);

    /// <summary>Appends a group with one put of each text under itself.</summary>
    public SegmentWriter Append(params string[] texts)
    {
        var batch = new WriteBatch();
        foreach (var text in texts) batch.Put(Encoding.UTF8.GetBytes(text), Encoding.UTF8.GetBytes(text));
        return Append(batch);
    }

    public SegmentWriter Append(WriteBatch batch)
    {
        AddGroup(batch.Entries, batch.Count, LogGroupKind.Entries);
        return this;
    }

    /// <summary>What was appended is durable from here on, and later groups say so.</summary>
    public SegmentWriter Sync()
    {
        durableThrough = bytes.Count;
        return this;
    }

    public SegmentWriter Seal()
    {
        Sync();
        AddGroup([], 0, LogGroupKind.Seal);
        return this;
    }

    /// <summary>Groups from here on are committed at this time.</summary>
    public SegmentWriter At(long microseconds)
    {
        commitTime = microseconds;
        return this;
    }

    public SegmentWriter SkipTo(ulong nextSequence)
    {
        sequence = nextSequence;
        return this;
    }

    public SegmentWriter AppendRaw(params ReadOnlySpan<byte> raw)
    {
        bytes.AddRange(raw.ToArray());
        return this;
    }

    public SegmentWriter CutTo(long length)
    {
        bytes.RemoveRange((int)length, bytes.Count - (int)length);
        return this;
    }

    public SegmentWriter Flip(long offset)
    {
        bytes[(int)offset] ^= 1;
        return this;
    }

    public (string Found, LogReadResult Result) Read(LogEnd? declaredEnd = null, ulong lastSequence = 0)
    {
        using var file = ToFile();
        var replay = new Collector();
        var result = new LogReader(file, segment).Read(declaredEnd, lastSequence, replay);
        return (string.Join(' ', replay.Found), result);
    }

    /// <summary>Writes another head over that of a group; it holds, whatever it says.</summary>
    public SegmentWriter Rewrite(int group, Func<LogGroupHeader, LogGroupHeader> change)
    {
        var all = Bytes;
        var head = all.AsSpan((int)groups[group].Start, LogGroupHeader.SizeBytes);
        Assert.True(LogGroupHeader.TryRead(head, segment, segment.Seed, groups[group].Start, out var header, out _));
        change(header).Write(head, segment.Seed);
        bytes.Clear();
        bytes.AddRange(all);
        return this;
    }

    public IFile ToFile()
    {
        var file = new SimulatedFileSystem(isRecording: false).Open(Path, FileOpenMode.CreateNew);
        file.Write(Bytes, 0);
        return file;
    }

    public string Recover() => Read().Found;

    void AddGroup(ReadOnlySpan<byte> body, int count, LogGroupKind kind)
    {
        var buffer = new byte[LogGroupHeader.SizeBytes + body.Length];
        body.CopyTo(buffer.AsSpan(LogGroupHeader.SizeBytes));
        var header = new LogGroupHeader(
            segment.SegmentId, segment.Nonce, bytes.Count, kind == LogGroupKind.Seal ? 0 : sequence, body.Length, count, durableThrough, previousCrc,
            LogGroupHeader.ComputeBodyCrc(body, segment.Seed), kind, commitTime);
        previousCrc = header.Write(buffer, segment.Seed);
        groups.Add((bytes.Count, header.EndOffset));
        bytes.AddRange(buffer);
        while (bytes.Count < header.EndOffset) bytes.Add(0);
        sequence += (ulong)count;
    }

    sealed class Collector : ILogReplay
    {
        public List<string> Found { get; } = [];

        public void Apply(ulong sequence, ulong segmentId, long entryOffset, in LogEntry entry, ReadOnlySpan<byte> bytes) =>
            Found.Add($"{sequence}:{Encoding.UTF8.GetString(entry.KeyIn(bytes))}{(entry.KeyIn(bytes).SequenceEqual(entry.ValueIn(bytes)) ? "" : "!")}");
    }
}
