using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>The order of segments is that in which they are let go of: none may be missing before one that is needed.</summary>
public sealed class RecentWriteRecordsTests
{
    static readonly RecentWritesIdentity Identity = new(NewGuid(1), NewGuid(2), NewGuid(3));

    [Theory]
    [InlineData("/recent-0000", "/recent-0001")]
    [InlineData("/recent-0001", "/recent-0000")]
    public void Of_two_segments_that_begin_alike_the_one_without_records_is_the_older(string empty, string written)
    {
        var disk = new SimulatedFileSystem();
        Write(disk, empty, hasRecord: false);
        Write(disk, written, hasRecord: true);
        var records = RecentWriteRecords.Read(disk, ["/recent-0000", "/recent-0001"], Identity, floor: 0);
        Assert.Equal([empty, written], records.Paths);
        Assert.Equal(7UL, records.Last);
    }

    static Guid NewGuid(int number) => new(number, 0, 0, new byte[8]);

    static void Write(SimulatedFileSystem disk, string path, bool hasRecord)
    {
        var bytes = new byte[RecentWriteFormat.HeaderBytes + RecentWriteFormat.RecordHeaderBytes + 4];
        RecentWriteFormat.WriteHeader(bytes.AsSpan(0, RecentWriteFormat.HeaderBytes), Identity, 7);
        if (hasRecord)
        {
            var record = bytes.AsSpan(RecentWriteFormat.HeaderBytes);
            RecentWriteFormat.BeginRecord(record, RecentKind.Zeros, RecentFlags.None, 1, 0);
            record[RecentWriteFormat.RecordHeaderBytes + 2] = 1; // One block from the first on.
            RecentWriteFormat.EndRecord(record, 7);
        }

        using var file = disk.Open(path, FileOpenMode.CreateNew);
        file.Write(bytes, 0);
    }
}
