using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>However much waits behind a flush, no group becomes longer than what recovery believes of one.</summary>
public sealed class GroupLimitTests
{
    const int Writes = 24, ValueBytes = 200 << 10;

    [Fact]
    public async Task What_gathers_behind_a_flush_is_written_in_groups_of_bounded_length()
    {
        var disk = new SimulatedFileSystem();
        using var mayEnd = new ManualResetEventSlim();
        var options = TestStore.Small(disk) with { MemTableBytes = 64 << 20, LogChunkBytes = 1 << 20, BackgroundInline = false };
        using (var store = KeyValueStore.Open(TestStore.Directory, options))
        {
            store.Put("first", "1"); // The log is there.
            var before = store.GetStatistics().CommitGroups;
            disk.DuringSync = _ => mayEnd.Wait();
            var writes = Enumerable.Range(0, Writes).Select(number =>
            {
                var batch = new WriteBatch();
                batch.Put(TestStore.Bytes($"{number:d2}"), new byte[ValueBytes]);
                return store.WriteAsync(batch).AsTask();
            }).ToArray();
            mayEnd.Set();
            disk.DuringSync = null;
            await Task.WhenAll(writes).WaitAsync(TimeSpan.FromMinutes(2));
            var groups = store.GetStatistics().CommitGroups - before;
            Assert.InRange(groups, (long)Writes * ValueBytes / LogGroupLimit.Bytes, Writes);
        }

        var (longest, gathered) = MeasureGroups(disk);
        Assert.InRange(longest, ValueBytes + 1, LogGroupLimit.Bytes);
        Assert.True(gathered, "no two writes shared a group");
    }

    static (int Longest, bool Gathered) MeasureGroups(SimulatedFileSystem disk)
    {
        var (longest, gathered) = (0, false);
        var image = StoreImage.Take(disk);
        foreach (var (name, bytes) in image.Files.Where(file => file.Key.StartsWith("log-", StringComparison.Ordinal)))
        {
            var segment = LogSegmentHeader.Read(bytes, name);
            long offset = LogSegmentHeader.SizeBytes;
            while (LogGroupHeader.TryRead(bytes.AsSpan((int)offset), segment, segment.Seed, offset, out var group, out _))
            {
                longest = Math.Max(longest, group.BodyLength);
                gathered |= group.Count > 1;
                offset = group.EndOffset;
            }
        }

        return (longest, gathered);
    }
}
